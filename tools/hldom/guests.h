/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The consoles that the consoled of this domain reports, by its events. */
#ifndef HLDOM_GUESTS_H
#define HLDOM_GUESTS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hyperlaunch/hl.h>

#define GUESTS_PEERS_DIR "/run/hyperlaunch/peer" /* with the helper's socket */
#define GUESTS_KIND	 "console"
#define GUESTS_MAX_TEXT	 63

struct console {
	uint32_t domid;
	char uuid[HL_UUID_TEXT_SIZE], state[GUESTS_MAX_TEXT + 1];
	char *name; /* NULL: not known */
	uint64_t attached, dropped;
	bool wants_early; /* its first output has not been given to the helper */
	bool early_tried; /* by us, whether it worked or not */
};

struct guests {
	struct console *list;
	size_t nr;
};

/* An event of the helper, for peer_open().  Returns 0, -EBADMSG or -ENOMEM. */
int guests_event(void *userdata, const char *name, json_object *members);
/* NULL: the helper has no such console.  Valid until the next event. */
struct console *guests_find(const struct guests *guests, uint32_t domid);
void guests_clear(struct guests *guests);

/* The members of a request that name the domain.  Returns 0 or -ENOMEM. */
int guests_add_domain(json_object *members, uint32_t domid, const char *uuid);
/* Prints the error r of a request to the helper; dir: where its socket is.  Returns EXIT_FAILED. */
int guests_report_failure(const char *dir, int r);

#endif /* HLDOM_GUESTS_H */
