// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Calls XEN_SYSCTL_hyperlaunch.  The headers of a distribution's Xen lack the payload,
 * so it is copied into the union of struct xen_sysctl.
 */
#include "xen/private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "xen-abi.h"
#include "xen/xtl.h"

#include <xen/sysctl.h>
#include <xencall.h>

struct xcall {
	struct xlog xlog;
	xencall_handle *handle;
	/* Hypercall-safe memory. */
	struct xen_sysctl *sysctl;
	void *data;
};

static_assert(sizeof(struct xen_sysctl_hyperlaunch) <= sizeof(((struct xen_sysctl *)0)->u.pad),
	      "the payload fits the union");

/* Without Xen, or privcmd, opening fails with any of several errors. */
static int open_error(int errnum)
{
	switch (errnum) {
	case EACCES:
	case EPERM:
		return -EACCES;
	case ENOMEM:
		return -ENOMEM;
	default:
		return -ENODEV;
	}
}

int xcall_open(const struct logger *logger, struct xcall **ret_xcall)
{
	struct xcall *x = calloc(1, sizeof(*x));

	if (!x)
		return -ENOMEM;
	xlog_init(&x->xlog, logger);
	x->handle = xencall_open(&x->xlog.vtable, XENCALL_OPENFLAG_NON_REENTRANT);
	if (!x->handle) {
		int rc = open_error(errno);

		xcall_close(x);
		return rc;
	}
	x->sysctl = xencall_alloc_buffer(x->handle, sizeof(*x->sysctl));
	x->data = xencall_alloc_buffer(x->handle, XCALL_MAX_BYTES);
	if (!x->sysctl || !x->data) {
		xcall_close(x);
		return -ENOMEM;
	}
	*ret_xcall = x;
	return 0;
}

struct xcall *xcall_close(struct xcall *x)
{
	if (x) {
		if (x->data)
			xencall_free_buffer(x->handle, x->data);
		if (x->sysctl)
			xencall_free_buffer(x->handle, x->sysctl);
		xencall_close(x->handle);
		free(x);
	}
	return NULL;
}

static int call_error(int errnum)
{
	switch (errnum) {
	case ENOSYS: /* no such sysctl, or rejected by the driver itself */
		return -EOPNOTSUPP;
	case EACCES: /* interface_version is not Xen's */
		return -EPROTO;
	default:
		return errnum > 0 ? -errnum : -EBADMSG;
	}
}

/* Makes the hypercall; updates the payload. */
static int call(struct xcall *x, struct xen_sysctl_hyperlaunch *payload)
{
	memset(x->sysctl, 0, sizeof(*x->sysctl));
	x->sysctl->cmd = XEN_SYSCTL_hyperlaunch;
	x->sysctl->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	memcpy(x->sysctl->u.pad, payload, sizeof(*payload));
	if (xencall1(x->handle, __HYPERVISOR_sysctl, (uintptr_t)x->sysctl) < 0) {
		int rc = call_error(errno);

		logger_log(&x->xlog.logger, LOG_DEBUG, "hyperlaunch sysctl, sub-op %u index %u: %s",
			   payload->op, payload->index, strerrorname_np(-rc));
		return rc;
	}
	memcpy(payload, x->sysctl->u.pad, sizeof(*payload));
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
	int rc;

	if (size > XCALL_MAX_BYTES)
		return -EINVAL;
	set_xen_guest_handle_raw(payload.buffer, x->data);
	memset(x->data, 0, size);
	rc = call(x, &payload);
	if (rc)
		return rc;
	if (payload.size > size)
		return -EBADMSG;
	memcpy(data, x->data, payload.size);
	*ret_written = payload.size;
	return 0;
}
