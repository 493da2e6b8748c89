// SPDX-License-Identifier: LGPL-2.1-or-later
/* hldom print: prints a line on the Xen console. */
#include "hldom.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xencall.h>

#include <xen/xen.h>

/* Returns 0, or an errno. */
static int print_line(xencall_handle *call, const char *text)
{
	size_t size = strlen(text) + 1;
	char *line = xencall_alloc_buffer(call, size + 1);
	int r;

	if (!line)
		return -ENOMEM;
	snprintf(line, size + 1, "%s\n", text);
	r = xencall3(call, __HYPERVISOR_console_io, CONSOLEIO_write, size, (uintptr_t)line);
	if (r < 0)
		r = -errno;
	xencall_free_buffer(call, line);
	return r;
}

int verb_print(int argc, char *argv[])
{
	xencall_handle *call;
	int r;

	if (argc != 2)
		return usage_error();
	call = xencall_open(NULL, 0);
	r = call ? print_line(call, argv[1]) : -errno;
	if (call)
		xencall_close(call);
	if (r >= 0)
		return EXIT_OK;
	report_error("print: %s",
		     r == -EPERM || r == -EACCES
			     ? "Xen permits this to control domains and the console owner only"
			     : strerror(-r));
	return EXIT_FAILED;
}
