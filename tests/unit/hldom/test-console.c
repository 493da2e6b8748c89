// SPDX-License-Identifier: LGPL-2.1-or-later
/* hldom console, with a Xen console that this file plays. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "hldom.h"

#include <xen/xen.h>
#include <xencall.h>
#include <xenevtchn.h>

#define PORT 3
/* Time after which a console that is stuck fails the test. */
#define STUCK_SEC 20

static struct {
	size_t input_left; /* bytes that are typed: lines of 64 */
	size_t taken, written;
	unsigned int denied; /* so many writes come while another domain owns the console */
	char last[64];	     /* end of the output */
	char buffer[4096];
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
	assert_true(size <= sizeof(xen.buffer));
	return xen.buffer;
}

void xencall_free_buffer(xencall_handle *handle, void *buffer)
{
}

static int type(size_t size)
{
	if (size > xen.input_left)
		size = xen.input_left;
	for (size_t i = 0; i < size; i++)
		xen.buffer[i] = (xen.taken + i) % 64 == 63 ? '\n' : 'a';
	xen.taken += size;
	xen.input_left -= size;
	return (int)size;
}

static int print(size_t size)
{
	if (xen.denied) {
		xen.denied--;
		errno = EPERM;
		return -1;
	}
	for (size_t i = 0; i < size; i++) {
		memmove(xen.last, xen.last + 1, sizeof(xen.last) - 2);
		xen.last[sizeof(xen.last) - 2] = xen.buffer[i];
	}
	xen.written += size;
	return 0;
}

int xencall3(xencall_handle *handle, unsigned int op, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
	assert_int_equal(op, __HYPERVISOR_console_io);
	assert_ptr_equal((char *)(uintptr_t)arg3, xen.buffer);
	return arg1 == CONSOLEIO_read ? type(arg2) : print(arg2);
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	xen.event_fd = eventfd(0, EFD_CLOEXEC);
	assert_true(xen.event_fd >= 0);
	return (xenevtchn_handle *)&xen;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
	return close(xen.event_fd);
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
	return xen.event_fd;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
	return PORT;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
	eventfd_t ignored;

	return eventfd_read(xen.event_fd, &ignored) < 0 ? -1 : PORT;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	return 0;
}

void report_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int usage_error(void)
{
	return EXIT_USAGE;
}

static int run_console(const char *script)
{
	char *argv[] = {"console", "sh", "-c", (char *)script, NULL};
	int code;

	/* A console that is stuck is killed, and the test with it. */
	alarm(STUCK_SEC);
	code = run_on_console(4, argv);
	alarm(0);
	return code;
}

static void start(size_t input)
{
	memset(&xen, 0, sizeof(xen));
	memset(xen.last, ' ', sizeof(xen.last) - 1);
	xen.input_left = input;
}

static void program_is_run(void **state)
{
	start(64);
	assert_int_equal(run_console("read -r line && echo \"got ${#line}\"; exit 7"), 7);
	assert_non_null(strstr(xen.last, "got 63\r\n"));
	assert_int_equal(xen.input_left, 0);
}

/* The terminal holds less than either: who waits for the other one's reading waits for ever. */
static void program_that_writes_before_it_reads(void **state)
{
	start(1 << 20);
	assert_int_equal(run_console("stty raw -echo; head -c 500000 /dev/zero | tr '\\0' x;"
				     "head -c 400000 >/dev/null; echo done"),
			 0);
	assert_true(xen.written >= 500000);
	assert_true(xen.taken >= 400000);
	assert_non_null(strstr(xen.last, "done"));
}

/* What is typed waits until the program reads it, or ends. */
static void program_that_does_not_read(void **state)
{
	start(1 << 20);
	assert_int_equal(run_console("stty raw -echo; echo done"), 0);
	assert_non_null(strstr(xen.last, "done"));
	assert_true(xen.input_left > 0);
}

/* Another domain owns the console for a moment: no byte of the output is lost. */
static void output_is_kept(void **state)
{
	start(1 << 20);
	xen.denied = 1;
	assert_int_equal(run_console("stty raw -echo; echo first; echo done"), 0);
	assert_non_null(strstr(xen.last, "first"));
	assert_non_null(strstr(xen.last, "done"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(program_is_run),
		cmocka_unit_test(program_that_writes_before_it_reads),
		cmocka_unit_test(program_that_does_not_read),
		cmocka_unit_test(output_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
