/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * First and only process of the benchmark's guests: writes a line to I/O port 0xe9,
 * which Xen prints with its own time stamp, and stays, without any work.  No console
 * back end and no store is needed, so it says the same whoever made the guest.
 */
#include <stdio.h>
#include <sys/io.h>
#include <unistd.h>

#define XEN_DEBUG_PORT 0xe9

int main(void)
{
	static const char line[] = "BENCH-UP\n";
	const char *p;

	if (ioperm(XEN_DEBUG_PORT, 1, 1)) {
		perror("ioperm");
		return 1;
	}
	for (p = line; *p; p++)
		outb((unsigned char)*p, XEN_DEBUG_PORT);
	for (;;)
		pause();
}
