// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What libxl looks for in xenstore before it makes a domain.  xen-init-dom0 writes
 * it for domain 0 alone; without it libxl takes domain 0 for the store's and the
 * consoles' server, and finds no pool of processors.
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

/* What is there already somebody may have changed on purpose. */
static int put_if_missing(struct xs_handle *h, const struct fact *fact)
{
	char *old = xs_read(h, XBT_NULL, fact->path, NULL);

	if (old) {
		free(old);
		return 0;
	}
	if (errno != ENOENT)
		return -errno;
	return xs_write(h, XBT_NULL, fact->path, fact->value, (unsigned int)strlen(fact->value)) ? 0 : -errno;
}

int toolstack_introduce(struct xs_handle *h, uint32_t store, uint32_t control)
{
	/* All processors are in pool 0 when Xen has booted. */
	struct fact facts[] = {
		{ .path = "/tool/xenstored/domid" },
		{ .path = "/tool/xenconsoled/domid" },
		{ .path = "/local/pool/0/name", .value = "Pool-0" },
	};
	int rc = 0;

	snprintf(facts[0].value, sizeof(facts[0].value), "%u", store);
	/* A program that opens a console needs the terminal in its own domain. */
	snprintf(facts[1].value, sizeof(facts[1].value), "%u", control);
	for (size_t i = 0; !rc && i < sizeof(facts) / sizeof(facts[0]); i++) {
		rc = put_if_missing(h, &facts[i]);
		if (rc)
			say("introduce: %s: %s", facts[i].path, strerror(-rc));
	}
	return rc;
}
