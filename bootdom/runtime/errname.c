// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of Xen's error codes. */
#include "errname.h"

#include <errno.h>
#include <stddef.h>

/* Some codes have two names in Xen's header; the first one is used. */
static const struct {
	int code;
	const char *name;
} names[] = {
#define XEN_ERRNO(name, code) {code, #name},
#include <xen/errno.h>
	/* Not in Xen's header: libhl returns it for an unsupported version of the records. */
	{EPROTO, "EPROTO"},
};

const char *errname(long r)
{
	if (r >= 0)
		return "ok";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == -r)
			return names[i].name;
	return "E-unknown";
}
