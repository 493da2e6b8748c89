// SPDX-License-Identifier: LGPL-2.1-or-later
/* hldom ready: reports to Xen that this domain is ready. */
#include "hldom.h"

#include <errno.h>

int verb_ready(int argc, char *argv[])
{
	struct hl_ctx *hl = NULL;
	int rc;

	(void)argv;
	if (argc != 1)
		return usage_error();
	rc = hl_new("xen", NULL, NULL, &hl);
	if (!rc)
		rc = hl_ready(hl);
	hl_unref(hl);
	if (!rc)
		return EXIT_OK;
	report_error("ready: %s", rc == -EPERM ? "this is not an initial domain" : reason(rc));
	return EXIT_FAILED;
}
