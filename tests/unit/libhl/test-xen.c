// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The backend that asks Xen, over Xen's libraries as functions of this file: what
 * goes out, what each answer means, and how changes are heard of.
 */
#include "make.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "xen-abi.h"

#include <xen/sysctl.h>
#include <xencall.h>
#include <xenctrl.h>
#include <xenevtchn.h>

#define PORT 7

/* What the Xen of this file does, and what it was asked. */
static struct {
	int errnum;    /* 0: the call works */
	uint16_t virq; /* of the launch */
	int bind_errnum;
	unsigned int nr_calls, nr_binds, nr_open, nr_unmasked;
	struct xen_sysctl last;
	struct xen_sysctl_hyperlaunch payload;
	uint32_t bound;
	int event_fd;
} xen;

xencall_handle *xencall_open(struct xentoollog_logger *logger, unsigned open_flags)
{
	return (xencall_handle *)&xen;
}

int xencall_close(xencall_handle *handle)
{
	return 0;
}

void *xencall_alloc_buffer(xencall_handle *handle, size_t size)
{
	return calloc(1, size);
}

void xencall_free_buffer(xencall_handle *handle, void *buffer)
{
	free(buffer);
}

static void give_info(struct xen_sysctl_hyperlaunch *payload)
{
	struct xen_hyperlaunch_info info = {
		.version = XEN_HYPERLAUNCH_VERSION,
		.state = XEN_HYPERLAUNCH_STATE_COMPLETE,
		.virq = xen.virq,
		.error_domain = UINT32_MAX,
	};

	assert_true(payload->size >= sizeof(info));
	memcpy(payload->buffer.p, &info, sizeof(info));
	payload->size = sizeof(info);
}

int xencall1(xencall_handle *handle, unsigned int op, uint64_t arg1)
{
	struct xen_sysctl *sysctl = (void *)(uintptr_t)arg1;

	assert_int_equal(op, __HYPERVISOR_sysctl);
	xen.nr_calls++;
	xen.last = *sysctl;
	memcpy(&xen.payload, sysctl->u.pad, sizeof(xen.payload));
	if (xen.errnum) {
		errno = xen.errnum;
		return -1;
	}
	if (xen.payload.op == XEN_HYPERLAUNCH_GET_INFO) {
		struct xen_sysctl_hyperlaunch answer = xen.payload;

		give_info(&answer);
		memcpy(sysctl->u.pad, &answer, sizeof(answer));
	}
	return 0;
}

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild_logger,
				unsigned open_flags)
{
	return (xc_interface *)&xen;
}

int xc_interface_close(xc_interface *xch)
{
	return 0;
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	xen.event_fd = eventfd(0, 0);
	assert_true(xen.event_fd >= 0);
	xen.nr_open++;
	return (xenevtchn_handle *)&xen;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
	if (xce) {
		close(xen.event_fd);
		xen.nr_open--;
	}
	return 0;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
	return xen.event_fd;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
	xen.nr_binds++;
	if (xen.bind_errnum) {
		errno = xen.bind_errnum;
		return -1;
	}
	xen.bound = virq;
	return PORT;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
	eventfd_t ignored;

	return eventfd_read(xen.event_fd, &ignored) < 0 ? -1 : PORT;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	assert_int_equal(port, PORT);
	xen.nr_unmasked++;
	return 0;
}

static struct hl_ctx *open_xen(void)
{
	struct hl_ctx *ctx;

	memset(&xen, 0, sizeof(xen));
	assert_int_equal(hl_new("xen", NULL, NULL, &ctx), 0);
	assert_string_equal(hl_backend(ctx), "xen");
	return ctx;
}

/* The ABI has it that all but these two is zero. */
static void check_request(uint32_t op, uint32_t index, uint64_t offset)
{
	static const uint8_t zero[sizeof(xen.last.u.pad)];

	assert_int_equal(xen.last.cmd, XEN_SYSCTL_hyperlaunch);
	assert_int_equal(xen.last.interface_version, XEN_SYSCTL_INTERFACE_VERSION);
	assert_int_equal(xen.payload.op, op);
	assert_int_equal(xen.payload.index, index);
	assert_int_equal(xen.payload.offset, offset);
	assert_int_equal(xen.payload.size, 0);
	assert_int_equal(xen.payload.pad, 0);
	assert_null(xen.payload.buffer.p);
	assert_memory_equal(xen.last.u.pad + sizeof(xen.payload), zero,
			    sizeof(zero) - sizeof(xen.payload));
}

static void requests(void **state)
{
	struct hl_ctx *ctx = open_xen();

	assert_int_equal(hl_set_console(ctx, 5, 0), 0);
	check_request(XEN_HYPERLAUNCH_SET_CONSOLE, 5, 0);
	assert_int_equal(hl_set_console(ctx, 0, 1500), 0);
	check_request(XEN_HYPERLAUNCH_SET_CONSOLE, 0, 1500);
	assert_int_equal(hl_move_console_backend(ctx, 5, 3), 0);
	check_request(XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND, 5, 3);
	assert_int_equal(hl_release(ctx, 0x7fef), 0);
	check_request(XEN_HYPERLAUNCH_RELEASE, 0x7fef, 0);
	assert_int_equal(hl_ready(ctx), 0);
	check_request(XEN_HYPERLAUNCH_READY, 0, 0);
	assert_int_equal(xen.nr_calls, 5);
	hl_unref(ctx);
}

static void requests_refused(void **state)
{
	static const struct {
		int errnum, rc;
	} answers[] = {
		{ESRCH, -ESRCH},	   {EALREADY, -EALREADY}, {EBUSY, -EBUSY},
		{EPERM, -EPERM},	   {ENOENT, -ENOENT},	  {EINVAL, -EINVAL},
		{EOPNOTSUPP, -EOPNOTSUPP}, {ENOSYS, -EOPNOTSUPP}, {EACCES, -EPROTO},
	};
	struct hl_ctx *ctx = open_xen();

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		xen.errnum = answers[i].errnum;
		assert_int_equal(hl_set_console(ctx, 1, 0), answers[i].rc);
		assert_int_equal(hl_move_console_backend(ctx, 1, 2), answers[i].rc);
		assert_int_equal(hl_release(ctx, 1), answers[i].rc);
		assert_int_equal(hl_ready(ctx), answers[i].rc);
	}
	hl_unref(ctx);
}

/* 0x7ff0 is "self" to Xen, and so on. */
static void only_domids_reach_xen(void **state)
{
	static const uint32_t none[] = {0x7ff0, 0x7ff1,	 0x7ff4,  0x7ff5,
					0x8000, 0x10000, 0x10001, HL_NO_DOMID};
	struct hl_ctx *ctx = open_xen();

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		assert_int_equal(hl_set_console(ctx, none[i], 0), -ESRCH);
		assert_int_equal(hl_release(ctx, none[i]), -ESRCH);
		assert_int_equal(hl_move_console_backend(ctx, none[i], 1), -ESRCH);
		assert_int_equal(hl_move_console_backend(ctx, 1, none[i]), -ESRCH);
	}
	assert_int_equal(xen.nr_calls, 0);
	hl_unref(ctx);
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void changes_are_heard(void **state)
{
	struct hl_ctx *ctx = open_xen();
	int fd;

	xen.virq = XEN_HYPERLAUNCH_VIRQ;
	assert_int_equal(hl_process(ctx), -EOPNOTSUPP);
	fd = hl_get_fd(ctx);
	assert_int_equal(fd, xen.event_fd);
	assert_int_equal(xen.bound, XEN_HYPERLAUNCH_VIRQ);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_false(readable(fd));
	assert_int_equal(hl_process(ctx), 0);
	assert_int_equal(xen.nr_unmasked, 0);
	for (unsigned int i = 1; i <= 3; i++) {
		assert_int_equal(eventfd_write(fd, 1), 0);
		assert_true(readable(fd));
		assert_int_equal(hl_process(ctx), 1);
		assert_int_equal(xen.nr_unmasked, i);
		assert_int_equal(hl_process(ctx), 0);
	}
	assert_int_equal(hl_get_fd(ctx), fd);
	assert_int_equal(xen.nr_binds, 1);
	hl_unref(ctx);
	assert_int_equal(xen.nr_open, 0);
}

static void no_interrupt(void **state)
{
	struct hl_ctx *ctx = open_xen();

	assert_int_equal(hl_get_fd(ctx), -EOPNOTSUPP);
	assert_int_equal(hl_process(ctx), -EOPNOTSUPP);
	assert_int_equal(xen.nr_open, 0);
	xen.errnum = EPERM;
	assert_int_equal(hl_get_fd(ctx), -EPERM);
	xen.errnum = 0;
	/* Somebody else in this domain has it: nothing is left open, and later it may be free. */
	xen.virq = XEN_HYPERLAUNCH_VIRQ;
	xen.bind_errnum = EEXIST;
	assert_int_equal(hl_get_fd(ctx), -EEXIST);
	assert_int_equal(xen.nr_open, 0);
	xen.bind_errnum = 0;
	assert_true(hl_get_fd(ctx) >= 0);
	hl_unref(ctx);
	assert_int_equal(xen.nr_open, 0);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(requests_refused),
		cmocka_unit_test(only_domids_reach_xen),
		cmocka_unit_test(changes_are_heard),
		cmocka_unit_test(no_interrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
