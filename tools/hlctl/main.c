// SPDX-License-Identifier: LGPL-2.1-or-later
/* The verbs, and the way from the command line to the exit code. */
#include "hlctl.h"

#include "bus.h"
#include "options.h"
#include "pager.h"

const struct verb verbs[] = {
	{"list", "all domains, one a line", verb_list, "rn", NO_DOMAIN, true},
	{"status", "the launch, or all about one DOMAIN", verb_status, "", MAY_HAVE_DOMAIN, true},
	{"show", "properties of the launch, or of each DOMAIN", verb_show, "pPv", ANY_DOMAINS,
	 true},
	{"roles", "the domains that hold each role", verb_roles, "", NO_DOMAIN, true},
	{"lcm", "the launch control module", verb_lcm, "f", NO_DOMAIN, true},
	{"events", "the launch log", verb_events, "sF", NO_DOMAIN, true},
	{"modules", "the boot modules, with their digests", verb_modules, "", NO_DOMAIN, true},
	{"monitor", "changes, as they happen", verb_monitor, "", NO_DOMAIN, false},
	{"handoff", "give the Xen console to DOMAIN, or another one", verb_handoff, "tc",
	 NEEDS_DOMAIN, false},
	{"console", "the console of DOMAIN, or its log", verb_console, "oxRelF", NEEDS_DOMAIN,
	 true},
	{"release", "let the held DOMAIN run", verb_release, "", NEEDS_DOMAIN, false},
	{"create", "make a domain of the definition in FILE", verb_create, "kdu", NEEDS_FILE,
	 false},
	{"definitions", "domains that persist", verb_definitions, "n", NO_DOMAIN, true},
	{"define", "keep the definition in FILE", verb_define, "kdaEI", NEEDS_FILE, false},
	{"undefine", "forget the definition NAME", verb_undefine, "", NEEDS_DEFINED, false},
	{"edit", "change the definition NAME with an editor", verb_edit, "", NEEDS_DEFINED, false},
	{"enable", "start NAME with the host from now on", verb_enable, "", NEEDS_DEFINED, false},
	{"disable", "start NAME with the host no more", verb_disable, "", NEEDS_DEFINED, false},
	{"start", "make the domain that is defined as NAME", verb_start, "uE", MAY_HAVE_DEFINED,
	 false},
	{"destroy", "end DOMAIN at once", verb_destroy, "y", NEEDS_DOMAIN, false},
	{"rebuild", "make the initial DOMAIN again", verb_rebuild, "y", NEEDS_DOMAIN, false},
	{"pause", "keep DOMAIN from running", verb_pause, "y", NEEDS_DOMAIN, false},
	{"unpause", "let the paused DOMAIN run", verb_unpause, "", NEEDS_DOMAIN, false},
	{"shutdown", "have DOMAIN shut down, and wait for it", verb_shutdown, "TyDA", NEEDS_DOMAIN,
	 false},
	{"reboot", "have DOMAIN reboot, and wait for its end", verb_reboot, "TyD", NEEDS_DOMAIN,
	 false},
	{"rename", "give DOMAIN another NAME", verb_rename, "", NEEDS_NAME, false},
	{"set-memory", "set how much memory DOMAIN may use", verb_set_memory, "", NEEDS_SIZE,
	 false},
	{"set-vcpus", "set how many vCPUs DOMAIN may use", verb_set_vcpus, "", NEEDS_COUNT, false},
	{"attach", "attach a disk or nic to DOMAIN", verb_attach, "", NEEDS_DEVICE, false},
	{"detach", "detach a disk or nic from DOMAIN", verb_detach, "y", NEEDS_DEVICE_NAME, false},
	{"host", "the machine and its Xen", verb_host, "", NO_DOMAIN, true},
	{"dmesg", "Xen's log", verb_dmesg, "", NO_DOMAIN, true},
	{"stats", "CPU time and memory of all domains, or of each DOMAIN", verb_stats, "mU",
	 ANY_DOMAINS, true},
	{"jobs", "what is under way", verb_jobs, "", NO_DOMAIN, true},
	{"cancel", "cancel a JOB that waits", verb_cancel, "", NEEDS_JOB, false},
};
const size_t nr_verbs = ARRAY_SIZE(verbs);

int main(int argc, char **argv)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	_cleanup_(options_done) struct options options = {.bus = BUS_KIND_SYSTEM};
	const struct verb *verb = NULL;
	enum exit_code code = options_parse(argc, argv, &options, &verb);

	if (code || !verb)
		return output_end(code);
	if (verb->paged && !options.follow && !options.no_pager)
		pager_allow();
	code = bus_open(&options, &bus);
	if (!code)
		code = verb->run(&options, bus);
	return output_end(code);
}
