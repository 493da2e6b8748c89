// SPDX-License-Identifier: LGPL-2.1-or-later
/* fdt-to-dts: standard input to standard output, for test-dts.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hyperlaunch/hl.h>

int main(void)
{
	static char blob[1 << 20];
	size_t size = fread(blob, 1, sizeof(blob), stdin);
	char *text;
	int r = hl_fdt_to_dts(blob, size, &text);

	if (r) {
		fprintf(stderr, "%s\n", strerror(-r));
		return 1;
	}
	fputs(text, stdout);
	free(text);
	return ferror(stdout) ? 1 : 0;
}
