// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl --help */
#include <stdio.h>

#include "options.h"

static void print_verbs(void)
{
	static const char *const arguments[] = {
		[NO_DOMAIN] = "",
		[MAY_HAVE_DOMAIN] = "[DOMAIN]",
		[NEEDS_DOMAIN] = "DOMAIN",
		[ANY_DOMAINS] = "[DOMAIN...]",
		[NEEDS_JOB] = "JOB",
		[NEEDS_FILE] = "FILE",
		[NEEDS_NAME] = "DOMAIN NAME",
		[NEEDS_DEFINED] = "NAME",
		[MAY_HAVE_DEFINED] = "[NAME]",
		[NEEDS_SIZE] = "DOMAIN SIZE",
		[NEEDS_COUNT] = "DOMAIN NUMBER",
		[NEEDS_DEVICE] = "DOMAIN TYPE JSON",
		[NEEDS_DEVICE_NAME] = "DOMAIN TYPE NAME",
	};

	for (size_t i = 0; i < nr_verbs; i++)
		printf("  %-11s %-16s %s\n", verbs[i].name, arguments[verbs[i].argument],
		       verbs[i].help);
}

void print_help(void)
{
	puts("usage: hlctl [OPTION...] VERB [DOMAIN...]\n\n"
	     "Shows what Xen launched from its launch control module, and what became of it,\n"
	     "and changes that.\n");
	print_verbs();
	puts("\nA DOMAIN is its name, domid, or UUID.\n\n"
	     "  -j, --json            JSON instead of tables and text\n"
	     "  -r, --role ROLE       list: only holders of ROLE\n"
	     "      --null            list, definitions: only the names, each ended by a NUL byte\n"
	     "  -p, --property NAME   show: only this property; more than one may be given\n"
	     "      --value           show: without the names of the properties\n"
	     "  -P NAME               show: --value --property NAME\n"
	     "  -f, --format FORMAT   lcm: dtb, dts (the default), or json\n"
	     "  -s, --since N         events: from number N on\n"
	     "  -F, --follow          events: and then each new one, as it comes\n"
	     "  -t, --for SECONDS     handoff: Xen gives the console back after that time\n"
	     "      --console         handoff: the console of DOMAIN, to a second one that serves "
	     "it\n"
	     "                        from now on, or to the word xenconsoled\n"
	     "      --log             console: what was printed so far; -F: and what comes then\n"
	     "      --read-only       console: do not type\n"
	     "      --exclusive       console: nobody else types; fails if another one does\n"
	     "      --replay BYTES    console: so much of the earlier output first\n"
	     "      --escape CHAR     console: leaves it; ^] (the default), any other, or none\n"
	     "      --kernel FILE     create, define: in place of the one that the definition "
	     "names\n"
	     "      --ramdisk FILE    create: likewise\n"
	     "      --paused          create, start: leave the domain paused\n"
	     "      --after NAME      define: start it after that one; more than one may be given\n"
	     "      --enabled         define: start it with the host; start: all such, in order\n"
	     "      --all             shutdown: all VMs that hyperlaunchd has made, in order\n"
	     "      --replace         define: also where the name is defined\n"
	     "      --timeout SECONDS shutdown, reboot: how long to wait for the guest; 60\n"
	     "      --or-destroy      shutdown, reboot: destroy a guest that has not gone by then\n"
	     "      --force           pause, shutdown, reboot, destroy: also if others depend on "
	     "DOMAIN;\n"
	     "                        detach: also a disk that the guest uses; rebuild: also if\n"
	     "                        DOMAIN has not shut down\n"
	     "      --openmetrics     stats: OpenMetrics text, for programs that collect it\n"
	     "      --vcpus           stats: also each vCPU of each DOMAIN\n"
	     "  -q, --quiet           print no results of changes, no hints\n"
	     "      --no-legend       no headings\n"
	     "      --no-pager        no pager on a terminal\n"
	     "      --no-ask-password no authentication by polkit\n"
	     "  -H, --host [USER@]HOST the system bus of another host, by ssh\n"
	     "      --system          the system bus (the default)\n"
	     "      --session         the session bus\n"
	     "      --address ADDRESS the bus at this D-Bus address\n"
	     "  -h, --help\n"
	     "  -V, --version\n\n"
	     "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 denied, 5 unsupported, "
	     "6 timed out.");
}
