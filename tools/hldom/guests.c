// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads the events of consoled into a list of consoles. */
#include "guests.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "hldom.h"

#define MAX_DOMID 0x7fefu

/* Printed, so nothing in it may act on a terminal. */
static int copy_text(json_object *members, const char *key, char *text, size_t size)
{
	_cleanup_(freep) char *shown = NULL;
	const char *value;

	if (packet_get_text(members, key, size - 1, &value) < 0)
		return -EBADMSG;
	shown = hl_utf8_dup(value);
	if (!shown)
		return -ENOMEM;
	snprintf(text, size, "%s", shown);
	return 0;
}

/* One without that member takes none. */
static int read_early(json_object *members, bool *ret_wanted)
{
	bool given = true;
	int r = json_object_object_get_ex(members, "early", NULL)
			? packet_get_bool(members, "early", &given)
			: 0;

	*ret_wanted = !given;
	return r;
}

static int read_domid(json_object *members, uint32_t *ret_domid)
{
	uint64_t domid;

	if (packet_get_uint(members, "domid", MAX_DOMID, &domid) < 0)
		return -EBADMSG;
	*ret_domid = (uint32_t)domid;
	return 0;
}

static int read_console(json_object *members, struct console *console)
{
	int r = copy_text(members, "uuid", console->uuid, sizeof(console->uuid));

	if (r == 0)
		r = copy_text(members, "state", console->state, sizeof(console->state));
	if (r == 0)
		r = read_domid(members, &console->domid);
	if (r == 0)
		r = read_early(members, &console->wants_early);
	if (r == 0 && (packet_get_uint(members, "attached", UINT32_MAX, &console->attached) < 0 ||
		       packet_get_uint(members, "dropped", INT64_MAX, &console->dropped) < 0))
		r = -EBADMSG;
	return r;
}

struct console *guests_find(const struct guests *guests, uint32_t domid)
{
	for (size_t i = 0; i < guests->nr; i++)
		if (guests->list[i].domid == domid)
			return &guests->list[i];
	return NULL;
}

static int add(struct guests *guests, const struct console *console)
{
	struct console *list;

	if (guests->nr > MAX_DOMID)
		return -EBADMSG;
	list = realloc(guests->list, (guests->nr + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	guests->list = list;
	guests->list[guests->nr++] = *console;
	return 0;
}

/* The domid may have another domain by now, for which nothing was tried. */
static void change(struct console *known, const struct console *console)
{
	struct console changed = *console;

	changed.name = steal(&known->name);
	changed.early_tried = known->early_tried && strcmp(known->uuid, console->uuid) == 0;
	*known = changed;
}

static int on_console(struct guests *guests, json_object *members)
{
	struct console console = {.name = NULL}, *known;
	int r = read_console(members, &console);

	if (r < 0)
		return r;
	known = guests_find(guests, console.domid);
	if (!known)
		return add(guests, &console);
	change(known, &console);
	return 0;
}

static int on_gone(struct guests *guests, json_object *members)
{
	struct console *known;
	uint32_t domid;
	int r = read_domid(members, &domid);

	known = r == 0 ? guests_find(guests, domid) : NULL;
	if (!known)
		return r;
	free(known->name);
	*known = guests->list[--guests->nr];
	return 0;
}

int guests_event(void *userdata, const char *name, json_object *members)
{
	struct guests *guests = userdata;

	if (strcmp(name, "console") == 0)
		return on_console(guests, members);
	return strcmp(name, "gone") == 0 ? on_gone(guests, members) : 0;
}

void guests_clear(struct guests *guests)
{
	for (size_t i = 0; i < guests->nr; i++)
		free(guests->list[i].name);
	free(guests->list);
	*guests = (struct guests){};
}

int guests_add_domain(json_object *members, uint32_t domid, const char *uuid)
{
	int r = json_add(members, "domid", json_object_new_int64(domid));

	/* The domid may have another domain by now. */
	if (r == 0 && *uuid)
		r = json_add(members, "uuid", json_object_new_string(uuid));
	return r;
}

int guests_report_failure(const char *dir, int r)
{
	if (r == -ENOENT || r == -ECONNREFUSED)
		report_error("console: hyperlaunch-consoled does not run here (%s/" GUESTS_KIND ")",
			     dir);
	else if (r == -EACCES || r == -EPERM)
		report_error("console: only root may connect to hyperlaunch-consoled");
	else if (r == -ETIMEDOUT)
		report_error("console: hyperlaunch-consoled does not answer");
	else if (r == -ECONNRESET || r == -EPIPE)
		report_error("console: hyperlaunch-consoled has ended the connection");
	else if (r == -EBADMSG || r == -EPROTO)
		report_error("console: hyperlaunch-consoled gave no valid answer");
	else
		report_error("console: %s", strerror(-r));
	return EXIT_FAILED;
}
