/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run in the control domain: asks Xen for what hlctl has no word for, or does not
 * show as it is.  Prints "ok", or the error's name, for each word:
 *
 * console=DOMID           the Xen console's new owner
 * backend=DOMID,SERVER    the new back end of that domain's console
 * backend=DOMID:PORT,SERVER   the same, of a domain with this port for it
 */
#include <errno.h>
#include <hyperlaunch/hl.h>
#include <stdio.h>
#include <string.h>

static int request(struct hl_ctx *ctx, const char *word)
{
	unsigned int domid, port, server;

	if (sscanf(word, "console=%u", &domid) == 1)
		return hl_set_console(ctx, domid, 0);
	if (sscanf(word, "backend=%u,%u", &domid, &server) == 2)
		return hl_move_console_backend(ctx, domid, 0, server);
	if (sscanf(word, "backend=%u:%u,%u", &domid, &port, &server) == 3)
		return hl_move_console_backend(ctx, domid, port, server);
	return -EINVAL;
}

int main(int argc, char **argv)
{
	struct hl_ctx *ctx;
	int r = hl_new("xen", NULL, NULL, &ctx);

	if (r) {
		puts(strerrorname_np(-r));
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		r = request(ctx, argv[i]);
		puts(r ? strerrorname_np(-r) : "ok");
	}
	hl_unref(ctx);
	return 0;
}
