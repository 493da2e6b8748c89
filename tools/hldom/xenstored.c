// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hldom xenstored: starts xenstored with the domain that it runs in and the domain that
 * is privileged there.  Without these options it assumes dom0 for both.
 */
#include "hldom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Xenstored's connection to its own kernel. */
#define LOCAL_STORE "/proc/xen/xsd_port"
/* Maximum number of arguments that are inserted. */
#define MAX_OWN 4

struct words {
	char **argv;
	int nr;
	char master[16], priv[16];
};

static void add(struct words *words, char *word)
{
	words->argv[words->nr++] = word;
}

static void add_number(struct words *words, char *option, char room[16], uint32_t number)
{
	snprintf(room, 16, "%u", number);
	add(words, option);
	add(words, room);
}

/* Adds nothing after a boot without an LCM, where xenstored's defaults are right. */
static int add_options(struct words *words)
{
	struct self self = {};
	uint32_t control = HL_NO_DOMID;
	int r = self_open(&self, "xenstored");

	if (!r)
		r = first_control(&self, &control);
	if (!r && self.launch.state != HL_LAUNCH_NONE) {
		if (self.launch.self_domid != 0)
			add_number(words, "--master-domid", words->master, self.launch.self_domid);
		if (control != 0)
			add_number(words, "--priv-domid", words->priv,
				   control == HL_NO_DOMID ? self.launch.self_domid : control);
	}
	self_close(&self);
	return r;
}

int verb_xenstored(int argc, char *argv[])
{
	struct words words = {};
	int r;

	if (argc < 2)
		return usage_error();
	if (access(LOCAL_STORE, F_OK) < 0) {
		report_error("xenstored: no " LOCAL_STORE
			     ": is xenfs mounted, and does this domain have the"
			     " function XENSTORE?");
		return EXIT_FAILED;
	}
	words.argv = calloc((size_t)argc + MAX_OWN, sizeof(*words.argv));
	if (!words.argv) {
		report_error("xenstored: out of memory");
		return EXIT_FAILED;
	}
	words.argv[words.nr++] = argv[1];
	r = add_options(&words);
	if (!r) {
		memcpy(words.argv + words.nr, argv + 2, (size_t)(argc - 2) * sizeof(*argv));
		execvp(argv[1], words.argv);
		report_error("xenstored: %s: %m", argv[1]);
	}
	free(words.argv);
	return EXIT_FAILED;
}
