// SPDX-License-Identifier: LGPL-2.1-or-later
/* The host that is simulated: as large as its domains need, and one line of log for each event. */
#include "sim/host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FREE_BYTES (UINT64_C(4) << 30)

int sim_get_host(void *backend, struct hl_host *ret_host)
{
	struct sim *sim = backend;
	struct hl_host host = {
		.version = "4.20.0-sim",
		.capabilities = "xen-3.0-x86_64 hvm-3.0-x86_64",
		.scheduler = "credit2",
		.memory_free = FREE_BYTES,
		.cpus = SIM_CPUS,
		.cpu_khz = 2000000,
		.hvm = true,
		.iommu = !sim->launch.weak_hardware,
	};
	int r = sim_fault(sim, SIM_GET_HOST);

	if (r)
		return r;
	host.memory_total = FREE_BYTES;
	for (size_t i = 0; i < sim->nr_live; i++)
		host.memory_total += sim->live[i].memory_current;
	*ret_host = host;
	return 0;
}

int sim_read_log(void *backend, char **ret_text, size_t *ret_size)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_READ_LOG);
	FILE *f = r ? NULL : open_memstream(ret_text, ret_size);

	if (r)
		return r;
	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < sim->nr_events; i++)
		fprintf(f, "(XEN) [%5" PRIu64 ".%06" PRIu64 "] hyperlaunch: %s d%u\n",
			sim->events[i].time_ns / 1000000000,
			sim->events[i].time_ns / 1000 % 1000000, hl_event_name(sim->events[i].type),
			sim->events[i].domid);
	if (fclose(f)) {
		free(*ret_text);
		return -ENOMEM;
	}
	return 0;
}
