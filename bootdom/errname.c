// SPDX-License-Identifier: LGPL-2.1-or-later
#include "errname.h"

#include <errno.h>
#include <stddef.h>

/* Two names of one code follow each other in Xen's header; the first is found. */
static const struct {
	int code;
	const char *name;
} names[] = {
#define XEN_ERRNO(name, code) { code, #name },
#include <xen/errno.h>
	/* libhl's own: another version of the records. */
	{ EPROTO, "EPROTO" },
};

const char *errname(long rc)
{
	if (rc >= 0)
		return "ok";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == -rc)
			return names[i].name;
	return "E-unknown";
}
