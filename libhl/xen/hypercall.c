// SPDX-License-Identifier: LGPL-2.1-or-later
/* Hypercalls of tools: copies operations to memory that Xen can access, and back. */
#include "xen/hypercall.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xen/xtl.h"

#include <xen/version.h>
#include <xencall.h>

union operation {
	struct xen_sysctl sysctl;
	struct xen_domctl domctl;
	struct xen_flask_op flask;
};

struct xcall {
	struct xlog xlog;
	xencall_handle *handle;
	/* Hypercall-safe memory. */
	union operation *operation;
	void *data;
};

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
		int r = open_error(errno);

		xcall_close(x);
		return r;
	}
	x->operation = xencall_alloc_buffer(x->handle, sizeof(*x->operation));
	x->data = xencall_alloc_buffer(x->handle, XCALL_MAX_BYTES);
	if (!x->operation || !x->data) {
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
		if (x->operation)
			xencall_free_buffer(x->handle, x->operation);
		xencall_close(x->handle);
		free(x);
	}
	return NULL;
}

void *xcall_data(const struct xcall *x)
{
	return x->data;
}

const struct logger *xcall_logger(const struct xcall *x)
{
	return &x->xlog.logger;
}

static int call_error(int errnum)
{
	switch (errnum) {
	case ENOSYS: /* no such operation, or rejected by the driver itself */
		return -EOPNOTSUPP;
	case EACCES: /* interface_version is not Xen's */
		return -EPROTO;
	default:
		return errnum > 0 ? -errnum : -EBADMSG;
	}
}

static int call(struct xcall *x, unsigned int hypercall, void *operation, size_t size)
{
	memcpy(x->operation, operation, size);
	if (xencall1(x->handle, hypercall, (uintptr_t)x->operation) < 0)
		return call_error(errno);
	memcpy(operation, x->operation, size);
	return 0;
}

int xcall_sysctl(struct xcall *x, struct xen_sysctl *sysctl)
{
	sysctl->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return call(x, __HYPERVISOR_sysctl, sysctl, sizeof(*sysctl));
}

int xcall_domctl(struct xcall *x, struct xen_domctl *domctl)
{
	domctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	return call(x, __HYPERVISOR_domctl, domctl, sizeof(*domctl));
}

int xcall_flask(struct xcall *x, struct xen_flask_op *op)
{
	op->interface_version = XEN_FLASK_INTERFACE_VERSION;
	return call(x, __HYPERVISOR_xsm_op, op, sizeof(*op));
}

int xcall_version(struct xcall *x, unsigned int cmd, void *ret_data, size_t size)
{
	int r;

	assert(size <= XCALL_MAX_BYTES);
	memset(x->data, 0, size);
	r = xencall2(x->handle, __HYPERVISOR_xen_version, cmd, (uintptr_t)x->data);
	if (r < 0)
		return call_error(errno);
	if (size)
		memcpy(ret_data, x->data, size);
	return r;
}
