// SPDX-License-Identifier: LGPL-2.1-or-later
/* The request "early": one domain after the other, one part after the other. */
#include "console/early.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/early-part.h"
#include "console/consoles.h"
#include "console/request.h"
#include "domains/manager.h"
#include "loop/log.h"
#include "peers/peer.h"

struct early {
	struct consoles_listener listener;
	struct manager *manager;
	struct consoles *consoles;
	struct console_request *request; /* NULL: nothing is being given */
	/* Which domain's it is, and all of it. */
	uint32_t domid;
	uint64_t generation;
	char *text;
	size_t size;
	uint64_t dropped;
	size_t given; /* with the present part */
};

static void give_next(struct early *early);

/* While its port is bound, Xen keeps no more of it. */
static bool is_wanted(const struct domain *domain)
{
	const struct console_facts *facts = &domain->console;

	return facts->wants_early && !facts->early_tried && domain->row->origin == HL_ORIGIN_BOOT &&
	       (facts->state == CONSOLE_SERVING || facts->state == CONSOLE_BROKEN);
}

static void on_done(void *userdata, struct console_answer *answer);

/* The part that follows what was given. */
static int give_part(struct early *early, const struct domain *domain)
{
	const struct early_output output = {
		.text = early->text,
		.size = early->size,
		.dropped = early->dropped,
	};
	const struct console_ask ask = {
		.name = "early",
		.members = early_part_next(&output, &early->given),
		.done = on_done,
		.userdata = early,
	};

	return console_ask(early->consoles, domain, &ask, &early->request);
}

static void end(struct early *early)
{
	free(steal(&early->text));
	give_next(early);
}

static void on_done(void *userdata, struct console_answer *answer)
{
	struct early *early = userdata;
	const struct domain *domain =
		domains_find(manager_domains(early->manager), early->domid, early->generation);
	int r = 0;

	early->request = NULL;
	if (answer->error == -EREMOTEIO)
		log_warning("the first output of domain %u is not in its log: %.256s", early->domid,
			    answer->message);
	else if (answer->error < 0)
		log_notice("the first output of domain %u was not given to the helper: %s",
			   early->domid, strerror(-answer->error));
	else if (domain && early->given < early->size)
		r = give_part(early, domain);
	if (r < 0)
		log_notice("the first output of domain %u was not given to the helper: %s",
			   early->domid, strerror(-r));
	if (!early->request)
		end(early);
}

/* -ESRCH, -ENOENT: it is gone, or has no ring; all errors are of this domain alone. */
static int give(struct early *early, struct domain *domain)
{
	int r = hl_read_console(manager_hl(early->manager), domain->domid, &early->text,
				&early->size, &early->dropped);

	domain->console.early_tried = true;
	if (r < 0) {
		log_debug("cannot read the first output of domain %u: %s", domain->domid,
			  strerror(-r));
		return r;
	}
	early->domid = domain->domid;
	early->generation = domain->generation;
	early->given = 0;
	r = give_part(early, domain);
	if (r < 0) {
		free(steal(&early->text));
		/* Others wait before it; the helper reports something again when they are done. */
		domain->console.early_tried = r != -EBUSY && r != -ENOTCONN;
	}
	return r;
}

static void give_next(struct early *early)
{
	for (struct domain *d = domains_first(manager_domains(early->manager)); d; d = d->next) {
		int r = is_wanted(d) ? give(early, d) : -ENOENT;

		if (r == 0)
			return;
	}
}

static void on_report(void *userdata)
{
	struct early *early = userdata;

	if (!early->request)
		give_next(early);
}

int early_new(struct manager *manager, struct consoles *consoles, struct early **ret_early)
{
	struct early *early = calloc(1, sizeof(*early));

	if (!early)
		return -ENOMEM;
	early->manager = manager;
	early->consoles = consoles;
	early->listener = (struct consoles_listener){.reported = on_report, .userdata = early};
	consoles_listen(consoles, &early->listener);
	*ret_early = early;
	return 0;
}

struct early *early_free(struct early *early)
{
	if (!early)
		return NULL;
	consoles_unlisten(early->consoles, &early->listener);
	if (early->request)
		console_request_cancel(early->request);
	free(early->text);
	free(early);
	return NULL;
}
