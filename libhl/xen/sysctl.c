// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Calls XEN_SYSCTL_hyperlaunch.  The headers of a distribution's Xen lack the payload,
 * so it is copied into the union of struct xen_sysctl.
 */
#include "xen/private.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <syslog.h>

static_assert(sizeof(struct xen_sysctl_hyperlaunch) <= sizeof(((struct xen_sysctl *)0)->u.pad),
	      "the payload fits the union");

/* Makes the hypercall; updates the payload. */
static int call(struct xcall *x, struct xen_sysctl_hyperlaunch *payload)
{
	struct xen_sysctl sysctl;
	int r;

	memset(&sysctl, 0, sizeof(sysctl));
	sysctl.cmd = XEN_SYSCTL_hyperlaunch;
	memcpy(sysctl.u.pad, payload, sizeof(*payload));
	r = xcall_sysctl(x, &sysctl);
	if (r) {
		logger_log(xcall_logger(x), LOG_DEBUG, "hyperlaunch sysctl, sub-op %u index %u: %s",
			   payload->op, payload->index, strerrorname_np(-r));
		return r;
	}
	memcpy(payload, sysctl.u.pad, sizeof(*payload));
	return 0;
}

int xcall_hyperlaunch_do(struct xcall *x, uint32_t op, uint32_t index, uint64_t offset)
{
	/* The ABI requires a null buffer and size here. */
	struct xen_sysctl_hyperlaunch payload = {.op = op, .index = index, .offset = offset};

	return call(x, &payload);
}

int xcall_hyperlaunch(struct xcall *x, uint32_t op, uint32_t index, uint64_t offset, void *data,
		      uint32_t size, uint32_t *ret_written)
{
	struct xen_sysctl_hyperlaunch payload = {
		.op = op,
		.index = index,
		.offset = offset,
		.size = size,
	};
	void *buffer = xcall_data(x);
	int r;

	if (size > XCALL_MAX_BYTES)
		return -EINVAL;
	set_xen_guest_handle_raw(payload.buffer, buffer);
	memset(buffer, 0, size);
	r = call(x, &payload);
	if (r)
		return r;
	if (payload.size > size)
		return -EBADMSG;
	memcpy(data, buffer, payload.size);
	*ret_written = payload.size;
	return 0;
}
