// SPDX-License-Identifier: LGPL-2.1-or-later
/* Facts about the host, and Xen's log. */
#include "xen/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"
#include "xen/hypercall.h"

#include <xen/version.h>

#define LOG_CHUNK XCALL_MAX_BYTES
/* Xen's buffer has a size of its command line; the end of a longer log is kept. */
#define MAX_LOG (16u << 20)

static const char *scheduler_name(uint32_t id)
{
	static const struct {
		uint32_t id;
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

static int fill_version(struct xcall *x, struct hl_host *host)
{
	xen_extraversion_t extra = "";
	xen_capabilities_info_t capabilities = "";
	int version = xcall_version(x, XENVER_version, NULL, 0), r;

	if (version < 0)
		return version;
	r = xcall_version(x, XENVER_extraversion, extra, sizeof(extra));
	if (r < 0)
		return r;
	snprintf(host->version, sizeof(host->version), "%d.%d%.*s", version >> 16, version & 0xffff,
		 (int)sizeof(extra), extra);
	/* Not for each domain that may ask for the rest. */
	if (xcall_version(x, XENVER_capabilities, capabilities, sizeof(capabilities)) >= 0)
		snprintf(host->capabilities, sizeof(host->capabilities), "%.*s",
			 (int)sizeof(host->capabilities) - 1, capabilities);
	host->capabilities[strcspn(host->capabilities, "\n")] = '\0';
	return 0;
}

static int fill_physinfo(struct xcall *x, struct hl_host *host)
{
	struct xen_sysctl sysctl;
	const struct xen_sysctl_physinfo *info = &sysctl.u.physinfo;
	int r;

	memset(&sysctl, 0, sizeof(sysctl));
	sysctl.cmd = XEN_SYSCTL_physinfo;
	r = xcall_sysctl(x, &sysctl);
	if (r)
		return r;
	host->memory_total = info->total_pages << XEN_PAGE_SHIFT;
	host->memory_free = info->free_pages << XEN_PAGE_SHIFT;
	host->cpus = info->nr_cpus;
	host->cpu_khz = info->cpu_khz;
	host->hvm = info->capabilities & XEN_SYSCTL_PHYSCAP_hvm;
	host->iommu = info->capabilities & XEN_SYSCTL_PHYSCAP_directio;
	return 0;
}

static void fill_scheduler(struct xcall *x, struct hl_host *host)
{
	struct xen_sysctl sysctl;

	memset(&sysctl, 0, sizeof(sysctl));
	sysctl.cmd = XEN_SYSCTL_sched_id;
	if (xcall_sysctl(x, &sysctl) == 0)
		snprintf(host->scheduler, sizeof(host->scheduler), "%s",
			 scheduler_name(sysctl.u.sched_id.sched_id));
}

int xen_get_host(struct xcall *x, struct hl_host *ret_host)
{
	struct hl_host host = {.version = ""};
	int r = fill_version(x, &host);

	if (!r)
		r = fill_physinfo(x, &host);
	if (r)
		return r;
	fill_scheduler(x, &host);
	*ret_host = host;
	return 0;
}

/* Xen advances *index by what it returns. */
static int read_chunk(struct xcall *x, char **text, size_t *size, uint32_t *index)
{
	char *grown = realloc(*text, *size + LOG_CHUNK + 1), *data = xcall_data(x);
	struct xen_sysctl sysctl;
	struct xen_sysctl_readconsole *request = &sysctl.u.readconsole;
	int r;

	if (!grown)
		return -ENOMEM;
	*text = grown;
	memset(&sysctl, 0, sizeof(sysctl));
	sysctl.cmd = XEN_SYSCTL_readconsole;
	request->incremental = 1;
	request->index = *index;
	request->count = LOG_CHUNK;
	set_xen_guest_handle_raw(request->buffer, data);
	r = xcall_sysctl(x, &sysctl);
	if (r)
		return r;
	if (request->count > LOG_CHUNK)
		return -EBADMSG;
	memcpy(grown + *size, data, request->count);
	*size += request->count;
	*index = request->index;
	return (int)request->count;
}

int xen_read_log(struct xcall *x, char **ret_text, size_t *ret_size)
{
	char *text = NULL;
	uint32_t index = 0;
	size_t size = 0;
	int r;

	do {
		r = read_chunk(x, &text, &size, &index);
		if (r > 0 && size > MAX_LOG) {
			memmove(text, text + MAX_LOG / 2, size - MAX_LOG / 2);
			size -= MAX_LOG / 2;
		}
	} while (r > 0);
	if (r < 0) {
		free(text);
		return r;
	}
	text[size] = '\0';
	*ret_size = size;
	*ret_text = text;
	return 0;
}
