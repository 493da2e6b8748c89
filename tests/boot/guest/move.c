/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* move DOMID BACKEND: has that domain serve the console of DOMID.  Prints "ok", or the error's name. */
#include <hl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct hl_ctx *ctx;
	int rc;

	if (argc != 3)
		return 2;
	rc = hl_new("xen", NULL, NULL, &ctx);
	if (!rc) {
		rc = hl_move_console_backend(ctx, (uint32_t)strtoul(argv[1], NULL, 10),
					     (uint32_t)strtoul(argv[2], NULL, 10));
		hl_unref(ctx);
	}
	puts(rc ? strerrorname_np(-rc) : "ok");
	return 0;
}
