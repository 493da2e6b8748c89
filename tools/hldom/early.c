// SPDX-License-Identifier: LGPL-2.1-or-later
/* The request "early", where no hyperlaunchd sends it: one console after the other. */
#include "early.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/early-part.h"
#include "hldom.h"

/* While its port is bound, Xen keeps no more of it. */
static bool is_wanted(const struct console *console)
{
	return console->wants_early && !console->early_tried &&
	       (strcmp(console->state, "serving") == 0 || strcmp(console->state, "broken") == 0);
}

static struct console *next_wanted(const struct guests *guests)
{
	for (size_t i = 0; i < guests->nr; i++)
		if (is_wanted(&guests->list[i]))
			return &guests->list[i];
	return NULL;
}

/* -EREMOTEIO: the helper refuses it, which was reported. */
static int give_part(struct peer *peer, const struct console *console,
		     const struct early_output *output, size_t *offset)
{
	_cleanup_(peer_result_clear) struct peer_result result = {.fd = -1};
	json_object *members = early_part_next(output, offset);
	int r;

	if (!members)
		return -ENOMEM;
	r = guests_add_domain(members, console->domid, console->uuid);
	if (r < 0) {
		json_object_put(members);
		return r;
	}
	r = peer_ask(peer, "early", members, &result);
	if (r == -EREMOTEIO)
		report_error("console: the first output of domain %u is not in its log: %s",
			     console->domid, result.message);
	return r;
}

/* At least one part, which says that there is nothing. */
static int give_parts(struct peer *peer, const struct console *console,
		      const struct early_output *output)
{
	size_t offset = 0;
	int r;

	do
		r = give_part(peer, console, output, &offset);
	while (r == 0 && offset < output->size);
	return r;
}

/* Xen keeps nothing of domains that it did not launch: that is no error. */
static int give(struct peer *peer, struct hl_ctx *hl, struct console *listed)
{
	/* The list changes with each event. */
	const struct console console = *listed;
	_cleanup_(freep) char *text = NULL;
	struct early_output output = {.text = NULL};
	int r = hl_read_console(hl, console.domid, &text, &output.size, &output.dropped);

	listed->early_tried = true;
	if (r < 0) {
		if (r != -ESRCH && r != -ENOENT)
			report_error("console: cannot read the first output of domain %u: %s",
				     console.domid, strerror(-r));
		return 0;
	}
	output.text = text;
	r = give_parts(peer, &console, &output);
	return r == -EREMOTEIO ? 0 : r;
}

static int follow(struct peer *peer, struct hl_ctx *hl, const struct guests *guests)
{
	int r = 0;

	while (r == 0) {
		struct console *console = next_wanted(guests);

		r = console ? give(peer, hl, console) : peer_wait_event(peer);
	}
	return r;
}

int early_run(struct peer *peer, struct guests *guests)
{
	struct hl_ctx *hl;
	int r = hl_new("xen", NULL, NULL, &hl);

	if (r < 0) {
		report_error("console: %s", reason(r));
		return EXIT_FAILED;
	}
	r = follow(peer, hl, guests);
	hl_unref(hl);
	return r;
}
