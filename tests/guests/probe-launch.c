// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rows: the sub-operations of XEN_SYSCTL_hyperlaunch, except those that end the launch. */
#include "probe.h"
#include "runtime/sysctl.h"

/* The highest domid that Xen assigns, except that of the boot domain: not in use. */
#define UNKNOWN_DOMID 0x7fee

static long get_info(const struct probe *probe)
{
	struct hl_launch launch;

	return launch_info(&launch);
}

static long get_domain(const struct probe *probe)
{
	struct hl_launch_domain domain;

	return launch_domain(0, &domain);
}

static long get_module(const struct probe *probe)
{
	struct hl_launch_module module;

	return launch_module(1, &module);
}

static long read_lcm(const struct probe *probe)
{
	char buf[8];

	return launch_lcm(buf, sizeof(buf));
}

static long get_events(const struct probe *probe)
{
	struct hl_event event;
	uint32_t seq = 0;
	size_t nr;

	return launch_events(&seq, &event, 1, &nr);
}

static long ready(const struct probe *probe)
{
	return launch_command(XEN_HYPERLAUNCH_READY, 0, 0);
}

/* Returns the console to its owner. */
static long set_console(const struct probe *probe)
{
	struct hl_launch launch;
	const int known = !launch_info(&launch);
	const int r = launch_command(XEN_HYPERLAUNCH_SET_CONSOLE, probe->self, 0);

	if (!r && known && launch.console_owner != probe->self)
		return launch_command(XEN_HYPERLAUNCH_SET_CONSOLE, launch.console_owner, 0);
	return r;
}

static long move_console_backend(const struct probe *probe)
{
	return launch_command(XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND, UNKNOWN_DOMID, probe->self);
}

static long release(const struct probe *probe)
{
	return launch_command(XEN_HYPERLAUNCH_RELEASE, probe->self, 0);
}

static long read_console(const struct probe *probe)
{
	static struct xen_hyperlaunch_console console;

	return launch_console(probe->other, 0, &console);
}

/* There is no such record, nor such a domain. */
static long adopt(const struct probe *probe)
{
	return launch_command(XEN_HYPERLAUNCH_ADOPT, UINT32_MAX, UNKNOWN_DOMID);
}

static long unknown(const struct probe *probe)
{
	return launch_command(XEN_HYPERLAUNCH_ADOPT + 1, 0, 0);
}

static const struct probe_row rows[] = {
	{"hl-get-info", get_info},
	{"hl-get-domain", get_domain},
	{"hl-get-module", get_module},
	{"hl-read-lcm", read_lcm},
	{"hl-get-events", get_events},
	{"hl-ready", ready},
	{"hl-set-console-self", set_console},
	{"hl-move-console-unknown", move_console_backend},
	{"hl-release-self", release},
	{"hl-read-console-other", read_console},
	{"hl-adopt-unknown", adopt},
	{"hl-unknown", unknown},
};

const struct probe_rows probe_launch_rows = PROBE_ROWS(rows);
