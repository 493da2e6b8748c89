/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hl-say TEXT: writes TEXT and a newline to I/O port 0xe9.  Xen gathers what an
 * HVM or PVH guest writes there and prints it line by line on its own console, so
 * no console back end is needed.  Exit code 1 where the port is out of reach.
 */
#include <stdio.h>
#include <sys/io.h>

#define XEN_DEBUG_PORT 0xe9

int main(int argc, char **argv)
{
	const char *p;

	if (argc != 2) {
		fprintf(stderr, "usage: hl-say TEXT\n");
		return 2;
	}
	if (ioperm(XEN_DEBUG_PORT, 1, 1)) {
		perror("hl-say: ioperm");
		return 1;
	}
	for (p = argv[1]; *p; p++)
		outb((unsigned char)*p, XEN_DEBUG_PORT);
	outb('\n', XEN_DEBUG_PORT);
	return 0;
}
