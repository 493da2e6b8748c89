// SPDX-License-Identifier: LGPL-2.1-or-later
/* The simulator as a backend: spec, operations, descriptor. */
#include "ctx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <syslog.h>
#include <unistd.h>

#include "sim/command.h"
#include "sim/console.h"
#include "sim/control.h"
#include "sim/domain.h"
#include "sim/launch.h"
#include "sim/host.h"
#include "sim/output.h"
#include "sim/request.h"
#include "sim/state.h"

static int get_launch(void *backend, struct hl_launch *ret_launch)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_GET_INFO);

	if (r)
		return r;
	*ret_launch = sim->launch;
	ret_launch->self_domid = sim_self(sim);
	return 0;
}

static int get_domain(void *backend, uint32_t index, struct hl_launch_domain *ret_domain)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_GET_DOMAIN);

	if (r)
		return r;
	if (index >= sim->launch.nr_domains)
		return -ENOENT;
	*ret_domain = sim->domains[index];
	return 0;
}

static int get_module(void *backend, uint32_t index, struct hl_launch_module *ret_module)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_GET_MODULE);

	if (r)
		return r;
	if (!index || index > sim->launch.nr_modules)
		return -ENOENT;
	*ret_module = sim->modules[index - 1];
	return 0;
}

/* Returns a copy; NULL: no memory, or nr is 0. */
static void *copy_array(const void *array, size_t nr, size_t size)
{
	void *copy = nr ? reallocarray(NULL, nr, size) : NULL;

	return copy ? memcpy(copy, array, nr * size) : NULL;
}

static int read_lcm(void *backend, void **ret_blob, size_t *ret_size)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_READ_LCM);
	void *copy;

	if (r)
		return r;
	if (!sim->blob)
		return -ENOENT;
	copy = copy_array(sim->blob, sim->blob_size, 1);
	if (!copy)
		return -ENOMEM;
	*ret_blob = copy;
	*ret_size = sim->blob_size;
	return 0;
}

static int get_events(void *backend, uint32_t since, struct hl_event **ret_events, size_t *ret_nr)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_GET_EVENTS);
	struct hl_event *copy;
	size_t first = since, nr;

	if (r)
		return r;
	if (sim->kind == SIM_CLASSIC)
		return -ENOENT;
	if (first > sim->nr_events)
		first = sim->nr_events;
	nr = sim->nr_events - first;
	copy = copy_array(sim->events + first, nr, sizeof(*copy));
	if (!copy && nr)
		return -ENOMEM;
	*ret_events = copy;
	*ret_nr = nr;
	return 0;
}

static int list_live(void *backend, struct hl_live_domain **ret_domains, size_t *ret_nr)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_LIST_LIVE);
	struct hl_live_domain *copy;

	if (r)
		return r;
	sim_settle(sim);
	copy = copy_array(sim->live, sim->nr_live, sizeof(*copy));
	if (!copy && sim->nr_live)
		return -ENOMEM;
	*ret_domains = copy;
	*ret_nr = sim->nr_live;
	return 0;
}

static int get_scheduling(void *backend, uint32_t domid, struct hl_scheduling *ret)
{
	const struct sim_placement *placement = sim_find_placement(backend, domid);

	if (!placement)
		return -ESRCH;
	*ret = placement->scheduling;
	return 0;
}

static int get_affinity(void *backend, uint32_t domid, uint32_t nr_vcpus, struct hl_affinity *ret)
{
	const struct sim_placement *placement = sim_find_placement(backend, domid);

	if (!placement)
		return -ESRCH;
	if (nr_vcpus)
		*ret = placement->affinity;
	return 0;
}

static int get_vcpu(void *backend, uint32_t domid, uint32_t vcpu, struct hl_vcpu *ret_vcpu)
{
	return sim_domain_vcpu(backend, domid, vcpu, ret_vcpu);
}

static int get_fd(void *backend)
{
	struct sim *sim = backend;
	eventfd_t changes;
	int r = sim_fault(sim, SIM_GET_FD);

	if (r)
		return r;
	/* As with Xen's interrupt: what came before it was bound is not announced. */
	if (!sim->bound)
		(void)eventfd_read(sim->event_fd, &changes);
	sim->bound = true;
	return sim->epoll_fd;
}

static int process(void *backend)
{
	struct sim *sim = backend;
	eventfd_t changes;
	int r = sim_fault(sim, SIM_PROCESS);

	if (!r)
		r = sim_console_due(sim);
	if (r)
		return r;
	if (sim->control_fd >= 0)
		sim_control_serve(sim);
	return eventfd_read(sim->event_fd, &changes) ? 0 : 1;
}

static void sim_close(void *backend)
{
	struct sim *sim = backend;

	sim_control_close(sim);
	if (sim->event_fd >= 0)
		close(sim->event_fd);
	if (sim->loan_fd >= 0)
		close(sim->loan_fd);
	if (sim->handoff_fd >= 0)
		close(sim->handoff_fd);
	if (sim->epoll_fd >= 0)
		close(sim->epoll_fd);
	sim_free_output(sim);
	free(sim->blob);
	free(sim->modules);
	free(sim->events);
	free(sim->live);
	free(sim->placements);
	free(sim);
}

static int open_timer(struct sim *sim, int *ret_fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	*ret_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (*ret_fd < 0 || epoll_ctl(sim->epoll_fd, EPOLL_CTL_ADD, *ret_fd, &event) < 0)
		return -errno;
	return 0;
}

static int open_fds(struct sim *sim)
{
	struct epoll_event event = {.events = EPOLLIN};
	int r;

	sim->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (sim->epoll_fd < 0)
		return -errno;
	sim->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (sim->event_fd < 0 || epoll_ctl(sim->epoll_fd, EPOLL_CTL_ADD, sim->event_fd, &event) < 0)
		return -errno;
	r = open_timer(sim, &sim->loan_fd);
	return r ? r : open_timer(sim, &sim->handoff_fd);
}

static int read_all(int fd, void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(fd, (char *)data + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int load(struct sim *sim, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r;
	struct stat st;

	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) ? -errno : 0;
	if (!r && (!S_ISREG(st.st_mode) || !st.st_size || st.st_size > MAX_LCM_BYTES))
		r = -EINVAL;
	if (!r) {
		sim->blob_size = (size_t)st.st_size;
		sim->blob = malloc(sim->blob_size);
		r = sim->blob ? read_all(fd, sim->blob, sim->blob_size) : -ENOMEM;
	}
	close(fd);
	return r;
}

/* Whether it is a source LCM: neither Xen nor the simulator reads module files by name. */
static bool needs_link(const struct sim *sim)
{
	struct hl_lcm_error error = {0};
	struct hl_lcm *lcm;

	if (!hl_lcm_new(sim->blob, sim->blob_size, NULL, &error, &lcm))
		hl_lcm_unref(lcm);
	return error.code == LCM_ERR_NOT_LINKED;
}

/* Returns why the file is not launched, and what to do; NULL: it is launched. */
static const char *refusal(const struct sim *sim)
{
	static const char source[] = "/dts-v1/";

	if (memmem(sim->blob, sim->blob_size, source, sizeof(source) - 1) &&
	    !memchr(sim->blob, '\0', sim->blob_size))
		return "device-tree source: `lcmtool link` makes an LCM of it";
	if (!lcm_detect(sim->blob, sim->blob_size))
		return "not an LCM: no device tree with a hypervisor node; see `lcmtool check`";
	if (needs_link(sim))
		return "a source LCM, with files instead of modules: `lcmtool link` links it";
	return NULL;
}

static int boot(struct sim *sim, const char *path)
{
	const char *why;
	int r;

	if (sim->kind != SIM_LAUNCHED)
		return sim_boot_classic(sim);
	r = load(sim, path);
	if (r) {
		logger_log(&sim->logger, LOG_ERR, "%s: %s", path,
			   r == -EINVAL ? "not a file that can be an LCM" : strerrordesc_np(-r));
		return r;
	}
	why = refusal(sim);
	if (why) {
		logger_log(&sim->logger, LOG_ERR, "%s: %s", path, why);
		return -EINVAL;
	}
	return sim_launch(sim);
}

static int parse_option(struct sim *sim, const char *option, const char **ret_control)
{
	uint64_t domid;

	if (!strncmp(option, "control=", 8) && option[8])
		*ret_control = option + 8;
	else if (!strcmp(option, "as=classic"))
		sim->kind = SIM_CLASSIC;
	else if (!strcmp(option, "as=unpatched"))
		sim->kind = SIM_UNPATCHED;
	else if (!strncmp(option, "self=", 5) && !parse_u64(option + 5, HL_NO_DOMID - 1, &domid))
		sim->self = (uint32_t)domid;
	else {
		logger_log(&sim->logger, LOG_ERR, "sim: unknown option '%s'", option);
		return -EINVAL;
	}
	return 0;
}

/* Parses FILE[,control=PATH][,as=classic|unpatched][,self=DOMID]; modifies spec. */
static int parse_spec(struct sim *sim, char *spec, const char **ret_file, const char **ret_control)
{
	const char *file = strsep(&spec, ","), *control = NULL, *option;

	sim->self = HL_NO_DOMID;
	while ((option = strsep(&spec, ","))) {
		int r = parse_option(sim, option, &control);

		if (r)
			return r;
	}
	if (!*file && sim->kind == SIM_LAUNCHED) {
		logger_log(&sim->logger, LOG_ERR, "sim: no LCM file given");
		return -EINVAL;
	}
	*ret_file = file;
	*ret_control = control;
	return 0;
}

/* Modifies spec. */
static int sim_setup(struct sim *sim, char *spec)
{
	const char *file, *control;
	int r = parse_spec(sim, spec, &file, &control);

	if (!r)
		r = open_fds(sim);
	if (!r)
		r = boot(sim, file);
	if (!r && control)
		r = sim_control_open(sim, control);
	return r;
}

static int sim_open(const char *rest, const struct logger *logger, void **ret_backend)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	char *copy;
	int r;

	if (!sim)
		return -ENOMEM;
	*ret_backend = sim;
	sim->logger = *logger;
	sim->epoll_fd = sim->event_fd = sim->control_fd = sim->loan_fd = sim->handoff_fd = -1;
	sim->pending_owner = HL_NO_DOMID;
	sim->clock_ns = 1000000000;
	sim->next_domid = 1;
	copy = strdup(rest);
	r = copy ? sim_setup(sim, copy) : -ENOMEM;
	free(copy);
	return r;
}

const struct backend_ops sim_backend = {
	.name = "sim",
	.open = sim_open,
	.close = sim_close,
	.get_fd = get_fd,
	.process = process,
	.get_launch = get_launch,
	.get_domain = get_domain,
	.get_module = get_module,
	.get_host = sim_get_host,
	.read_log = sim_read_log,
	.read_lcm = read_lcm,
	.get_events = get_events,
	.list_live = list_live,
	.get_scheduling = get_scheduling,
	.get_affinity = get_affinity,
	.get_vcpu = get_vcpu,
	.set_console = sim_request_console,
	.move_console_backend = sim_request_console_backend,
	.read_console = sim_request_read_console,
	.release = sim_request_release,
	.adopt = sim_request_adopt,
	.pause = sim_request_pause,
	.unpause = sim_request_unpause,
	.set_handle = sim_request_handle,
	.ready = sim_request_ready,
	.command = sim_command,
};
