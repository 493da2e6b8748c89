// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hldom introduce: writes the nodes of initial domains to the local xenstored and
 * introduces them.  Control domains need that before hyperlaunchd can run there, and may
 * need the devices of the hardware domain.  hyperlaunchd does it for the others; a static
 * launch has no hyperlaunchd, so there all domains are introduced here.
 */
#include "hldom.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/guest-nodes.h"
#include "common/uuid.h"

struct introduction {
	struct self self;
	struct xs_handle *h;
	uint32_t control; /* the first control domain; HL_NO_DOMID: a static launch */
	bool all;	  /* --all */
	bool failed;	  /* for some domain */
};

static bool is_ours(const struct introduction *in, const struct hl_launch_domain *domain)
{
	/* xen-init-dom0 writes the nodes of domain 0. */
	if (domain->domid == 0)
		return false;
	return in->all || in->control == HL_NO_DOMID ||
	       domain->domid == in->self.launch.self_domid ||
	       domain->permissions & (HL_PERM_CONTROL | HL_PERM_HARDWARE);
}

static int uuid_of(const struct hl_launch_domain *domain, char text[HL_UUID_TEXT_SIZE])
{
	uint8_t uuid[16];
	int r = 0;

	memcpy(uuid, domain->uuid, sizeof(uuid));
	if (uuid_is_nil(uuid))
		r = uuid_make_random(uuid);
	if (!r)
		hl_uuid_to_text(uuid, text);
	return r;
}

static int introduce(struct introduction *in, const struct hl_launch_domain *domain)
{
	const struct hl_launch *launch = &in->self.launch;
	char uuid[HL_UUID_TEXT_SIZE];
	struct xs_guest guest = {
		.domid = domain->domid,
		.toolstack_domid = in->control == HL_NO_DOMID ? launch->self_domid : in->control,
		.console_domid = launch->console_domid == HL_NO_DOMID ? launch->self_domid
								      : launch->console_domid,
		.name = domain->name,
		.uuid = uuid,
		.type = domain->mode & HL_MODE_PV ? "pv" : "pvh",
		.memory_kib = domain->memory_kib,
		.vcpus = domain->cpus,
		.start_usec = wall_clock_usec(),
		.store_port = domain->store_port,
		.store_gfn = domain->store_gfn,
		.console_port = domain->console_port,
		.console_gfn = domain->console_gfn,
	};
	int r = uuid_of(domain, uuid);

	return r ? r : xs_guest_introduce(&xs_ops_real, in->h, &guest);
}

static int introduce_each(struct introduction *in)
{
	struct hl_launch_domain domain;
	uint32_t index = 0;
	bool found;
	int r;

	while (!(r = self_next(&in->self, &index, &domain, &found)) && found) {
		if (!is_ours(in, &domain))
			continue;
		r = introduce(in, &domain);
		if (r < 0) {
			report_error("introduce: d%u \"%s\": %s", domain.domid, domain.name,
				     strerror(-r));
			in->failed = true;
		} else if (r > 0) {
			printf("d%u \"%s\": %s\n", domain.domid, domain.name,
			       domain.store_port ? "introduced"
						 : "nodes written; it has no xenstore ring");
		}
	}
	if (r)
		report_error("introduce: %s", reason(r));
	return r;
}

static int open_all(struct introduction *in)
{
	int r = self_open(&in->self, "introduce");

	if (!r)
		r = first_control(&in->self, &in->control);
	if (r)
		return r;
	in->h = xs_open(0);
	if (!in->h)
		report_error("introduce: cannot connect to xenstored: %m");
	return in->h ? 0 : -EIO;
}

/* xen-init-dom0 does this for domain 0; in a static launch no toolstack creates domains. */
static void introduce_toolstack(struct introduction *in)
{
	if (in->control == HL_NO_DOMID || in->control == 0)
		return;
	if (toolstack_introduce(in->h, in->self.launch.self_domid, in->control))
		in->failed = true;
}

int verb_introduce(int argc, char *argv[])
{
	struct introduction in = {};
	int r;

	if (argc > 2 || (argc == 2 && strcmp(argv[1], "--all") != 0))
		return usage_error();
	in.all = argc == 2;
	r = open_all(&in);
	if (!r) {
		introduce_toolstack(&in);
		r = introduce_each(&in);
	}
	if (in.h)
		xs_close(in.h);
	self_close(&in.self);
	return r || in.failed ? EXIT_FAILED : EXIT_OK;
}
