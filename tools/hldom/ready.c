// SPDX-License-Identifier: LGPL-2.1-or-later
/* hldom ready: reports to Xen that this domain is ready. */
#include "hldom.h"

#include <errno.h>

int verb_ready(int argc, char *argv[])
{
	struct hl_ctx *hl = NULL;
	int r;

	(void)argv;
	if (argc != 1)
		return usage_error();
	r = hl_new("xen", NULL, NULL, &hl);
	if (!r)
		r = hl_ready(hl);
	hl_unref(hl);
	if (!r)
		return EXIT_OK;
	report_error("ready: %s", r == -EPERM ? "this is not an initial domain" : reason(r));
	return EXIT_FAILED;
}
