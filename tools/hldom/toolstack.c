// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The nodes that libxl reads from xenstore before it creates a domain.  xen-init-dom0
 * writes them for domain 0 only; without them libxl assumes that xenstored and
 * xenconsoled run in domain 0, and finds no CPU pool.
 */
#include "hldom.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

struct fact {
	const char *path;
	char value[16];
};

/* An existing node is kept: an administrator may have changed it. */
static int put_if_missing(struct xs_handle *h, const struct fact *fact)
{
	char *old = xs_read(h, XBT_NULL, fact->path, NULL);

	if (old) {
		free(old);
		return 0;
	}
	if (errno != ENOENT)
		return -errno;
	return xs_write(h, XBT_NULL, fact->path, fact->value, (unsigned int)strlen(fact->value))
		       ? 0
		       : -errno;
}

int toolstack_introduce(struct xs_handle *h, uint32_t store, uint32_t control)
{
	/* After boot all CPUs are in pool 0. */
	struct fact facts[] = {
		{.path = "/tool/xenstored/domid"},
		{.path = "/tool/xenconsoled/domid"},
		{.path = "/local/pool/0/name", .value = "Pool-0"},
	};
	int r = 0;

	snprintf(facts[0].value, sizeof(facts[0].value), "%u", store);
	/* xenconsoled's terminals are of use only in the domain that opens them. */
	snprintf(facts[1].value, sizeof(facts[1].value), "%u", control);
	for (size_t i = 0; !r && i < sizeof(facts) / sizeof(facts[0]); i++) {
		r = put_if_missing(h, &facts[i]);
		if (r)
			report_error("introduce: %s: %s", facts[i].path, strerror(-r));
	}
	return r;
}
