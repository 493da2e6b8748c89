/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The event "console" of docs/dev/peers.md.  Pure: what it says is checked, not believed. */
#ifndef HYPERLAUNCHD_CONSOLE_EVENT_H
#define HYPERLAUNCHD_CONSOLE_EVENT_H

#include <stdint.h>

#include "domains/domain.h"

#define CONSOLE_MAX_DOMID 0x7fefu

struct json_object;

/* "" for CONSOLE_NONE. */
const char *console_state_name(enum console_state state);

/* Fills in state, uuid, tty, attached, dropped, wants_early, backend.  -EBADMSG: a member is
 * missing or invalid. */
int console_event_read(struct json_object *members, uint32_t *ret_domid,
		       struct console_facts *facts);

#endif
