// SPDX-License-Identifier: LGPL-2.1-or-later
/* A name stands in xenstore, on terminals, and where a number or a UUID might stand as well. */
#include "lifecycle/name.h"

#include <hyperlaunch/hl.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/guest-nodes.h"

const char *name_refusal(const char *name)
{
	_cleanup_(freep) char *shown = NULL;
	uint8_t uuid[16];

	if (name[0] == '\0' || strlen(name) > XS_GUEST_NAME_MAX)
		return "a name has 1 to 63 bytes";
	if (strchr(name, '/'))
		return "a name has no slash";
	if (name[strspn(name, "0123456789")] == '\0' || hl_uuid_from_text(name, uuid) == 0)
		return "a number or a UUID would be taken for that of a domain";
	/* As the table has it. */
	shown = hl_utf8_dup(name);
	if (!shown || strcmp(shown, name) != 0)
		return "a name has printable characters only";
	return NULL;
}
