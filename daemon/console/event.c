// SPDX-License-Identifier: LGPL-2.1-or-later
/* Takes an event of a console apart. */
#include "console/event.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <json-c/json.h>
#include <string.h>

#include "common/packet.h"

#define MAX_ATTACHED UINT32_MAX
#define MAX_DROPPED  ((uint64_t)INT64_MAX)

const char *console_state_name(enum console_state state)
{
	static const char *const names[] = {
		[CONSOLE_NONE] = "",
		[CONSOLE_WAITING] = "waiting",
		[CONSOLE_SERVING] = "serving",
		[CONSOLE_BROKEN] = "broken",
		[CONSOLE_RELEASED] = "released",
		[CONSOLE_RELAYED] = "relayed",
		[CONSOLE_DETACHED] = "detached",
		[CONSOLE_UNAVAILABLE] = "unavailable",
	};

	return names[state];
}

static int read_state(json_object *members, enum console_state *ret_state)
{
	const char *name;
	int r = packet_get_text(members, "state", 16, &name);

	for (enum console_state s = CONSOLE_WAITING; r == 0 && s < CONSOLE_UNAVAILABLE; s++) {
		if (strcmp(console_state_name(s), name) == 0) {
			*ret_state = s;
			return 0;
		}
	}
	return -EBADMSG;
}

static int read_uuid(json_object *members, char uuid[HL_UUID_TEXT_SIZE])
{
	const char *text;
	uint8_t bytes[16];
	int r = packet_get_text(members, "uuid", HL_UUID_TEXT_SIZE - 1, &text);

	if (r < 0 || (text[0] != '\0' && hl_uuid_from_text(text, bytes) < 0))
		return -EBADMSG;
	memcpy(uuid, text, strlen(text) + 1);
	return 0;
}

static int read_relay(json_object *members, struct console_facts *facts)
{
	uint64_t backend;
	int r = read_state(members, &facts->state);

	if (r < 0 || (facts->state != CONSOLE_RELAYED && facts->state != CONSOLE_DETACHED))
		return r;
	r = packet_get_uint(members, "backend", CONSOLE_MAX_DOMID, &backend);
	facts->backend = r < 0 ? 0 : (uint32_t)backend;
	return r;
}

/* A path that programs of root open: it is a device's, and has no dots. */
static bool is_tty(const char *path)
{
	if (path[0] == '\0')
		return true;
	if (strncmp(path, "/dev/", strlen("/dev/")) != 0)
		return false;
	return path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789/_-")] == '\0';
}

int console_event_read(json_object *members, uint32_t *ret_domid, struct console_facts *facts)
{
	uint64_t domid, attached;
	const char *tty;
	bool writer, early;

	if (packet_get_uint(members, "domid", CONSOLE_MAX_DOMID, &domid) < 0 ||
	    packet_get_uint(members, "attached", MAX_ATTACHED, &attached) < 0 ||
	    packet_get_uint(members, "dropped", MAX_DROPPED, &facts->dropped) < 0 ||
	    packet_get_bool(members, "writer", &writer) < 0 ||
	    packet_get_text(members, "tty", sizeof(facts->tty) - 1, &tty) < 0 || !is_tty(tty) ||
	    read_uuid(members, facts->uuid) < 0)
		return -EBADMSG;
	/* A helper that takes none sends no such member. */
	facts->wants_early = packet_get_bool(members, "early", &early) == 0 && !early;
	facts->attached = (uint32_t)attached;
	memcpy(facts->tty, tty, strlen(tty) + 1);
	*ret_domid = (uint32_t)domid;
	return read_relay(members, facts);
}
