// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * LD_PRELOAD for hldom: a Xen that only has the first output of domains.  HL_OUTPUT is a directory
 * with a file per domain, named by its domid; DOMID.dropped has the size of the rest.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hyperlaunch/hl.h>

#define VISIBLE __attribute__((visibility("default")))

static char xen[1];

VISIBLE int hl_new(const char *spec, hl_log_fn log, void *data, struct hl_ctx **ret_ctx)
{
	*ret_ctx = (struct hl_ctx *)xen;
	return getenv("HL_NO_XEN") ? -ENODEV : 0;
}

VISIBLE struct hl_ctx *hl_unref(struct hl_ctx *ctx)
{
	return NULL;
}

static FILE *open_file(uint32_t domid, const char *suffix)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%" PRIu32 "%s", getenv("HL_OUTPUT"), domid, suffix);
	return fopen(path, "r");
}

VISIBLE int hl_read_console(struct hl_ctx *ctx, uint32_t domid, char **ret_text, size_t *ret_size,
			    uint64_t *ret_dropped)
{
	FILE *file = open_file(domid, ""), *dropped = open_file(domid, ".dropped");
	char number[24] = "0";

	if (dropped) {
		if (!fgets(number, sizeof(number), dropped))
			abort();
		fclose(dropped);
	}
	*ret_dropped = strtoull(number, NULL, 10);
	if (!file)
		return -ENOENT;
	*ret_text = malloc(16384);
	*ret_size = fread(*ret_text, 1, 16384, file);
	fclose(file);
	/* A file that cannot be one's output stands for a ring that another domain serves. */
	if (*ret_size == strlen("denied") && !memcmp(*ret_text, "denied", *ret_size)) {
		free(*ret_text);
		*ret_text = NULL;
		return -EPERM;
	}
	return 0;
}
