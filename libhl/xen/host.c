// SPDX-License-Identifier: LGPL-2.1-or-later
/* Facts about the host, and Xen's log, by libxenctrl. */
#include "xen/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/sched.h>

#define LOG_CHUNK (16u << 10)
/* Xen's buffer has a size of its command line; the end of a longer log is kept. */
#define MAX_LOG (16u << 20)

static const char *scheduler_name(int id)
{
	static const struct {
		int id;
		const char *name;
	} names[] = {
		{XEN_SCHEDULER_CREDIT, "credit"},     {XEN_SCHEDULER_CREDIT2, "credit2"},
		{XEN_SCHEDULER_ARINC653, "arinc653"}, {XEN_SCHEDULER_RTDS, "rtds"},
		{XEN_SCHEDULER_NULL, "null"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].id == id)
			return names[i].name;
	return "";
}

static int fill_version(xc_interface *xch, struct hl_host *host)
{
	xen_extraversion_t extra = "";
	xen_capabilities_info_t capabilities = "";
	int version = xc_version(xch, XENVER_version, NULL);

	if (version < 0 || xc_version(xch, XENVER_extraversion, extra) < 0)
		return -errno;
	snprintf(host->version, sizeof(host->version), "%d.%d%.*s", version >> 16, version & 0xffff,
		 (int)sizeof(extra), extra);
	/* Not for each domain that may ask for the rest. */
	if (xc_version(xch, XENVER_capabilities, capabilities) >= 0)
		snprintf(host->capabilities, sizeof(host->capabilities), "%.*s",
			 (int)sizeof(host->capabilities) - 1, capabilities);
	host->capabilities[strcspn(host->capabilities, "\n")] = '\0';
	return 0;
}

int xen_get_host(xc_interface *xch, struct hl_host *ret_host)
{
	struct hl_host host = {.version = ""};
	xc_physinfo_t info;
	int scheduler, rc = fill_version(xch, &host);

	if (rc)
		return rc;
	if (xc_physinfo(xch, &info))
		return errno == EACCES ? -EPROTO : -errno;
	host.memory_total = (uint64_t)info.total_pages << XC_PAGE_SHIFT;
	host.memory_free = (uint64_t)info.free_pages << XC_PAGE_SHIFT;
	host.cpus = info.nr_cpus;
	host.cpu_khz = info.cpu_khz;
	host.hvm = info.capabilities & XEN_SYSCTL_PHYSCAP_hvm;
	host.iommu = info.capabilities & XEN_SYSCTL_PHYSCAP_directio;
	if (!xc_sched_id(xch, &scheduler))
		snprintf(host.scheduler, sizeof(host.scheduler), "%s", scheduler_name(scheduler));
	*ret_host = host;
	return 0;
}

/* Xen advances *index by what it returns. */
static int read_chunk(xc_interface *xch, char **text, size_t *size, uint32_t *index)
{
	char *grown = realloc(*text, *size + LOG_CHUNK + 1);
	unsigned int count = LOG_CHUNK;

	if (!grown)
		return -ENOMEM;
	*text = grown;
	if (xc_readconsolering(xch, grown + *size, &count, 0, 1, index))
		return errno == EACCES ? -EPROTO : -errno;
	*size += count;
	return (int)count;
}

int xen_read_log(xc_interface *xch, char **ret_text, size_t *ret_size)
{
	char *text = NULL;
	uint32_t index = 0;
	size_t size = 0;
	int rc;

	do {
		rc = read_chunk(xch, &text, &size, &index);
		if (rc > 0 && size > MAX_LOG) {
			memmove(text, text + MAX_LOG / 2, size - MAX_LOG / 2);
			size -= MAX_LOG / 2;
		}
	} while (rc > 0);
	if (rc < 0) {
		free(text);
		return rc;
	}
	text[size] = '\0';
	*ret_size = size;
	*ret_text = text;
	return 0;
}
