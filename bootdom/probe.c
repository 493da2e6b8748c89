// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The probe guest of the tests.  Says what it was given, as "probe: NAME is VALUE", then
 * does the words of its command line in order, each as "probe: WORD = RESULT"; without
 * any, its table.  RESULT is "ok" or the name of an error.  Then "probe: done", and it
 * stays.  bootdom(7) lists the words.
 */
#include "probe.h"

#include <inttypes.h>
#include <string.h>

#include "console.h"
#include "errname.h"
#include "event.h"
#include "launch.h"
#include "runtime.h"
#include "words.h"

#include <xen/domctl.h>

#define NO_INDEX     UINT32_C(0xffffffff)
#define NR_ODD_OPS   32
#define LINE_ROOM    256
#define LISTEN_MS    50

const char program_name[] = "probe";

static struct probe probe;
static uint64_t chatter_ms;

static const struct probe_rows *const tables[] = {
	&probe_launch_rows, &probe_control_rows, &probe_memory_rows, &probe_event_rows, &probe_device_rows,
};

struct action {
	const char *word;
	long (*run)(uint64_t arg);
	uint64_t max;		/* 0: takes no "=NUMBER" */
	bool quiet;		/* what it does shows by itself */
};

static long act_table(uint64_t arg)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (size_t j = 0; j < tables[i]->nr; j++)
			say("%s = %s", tables[i]->rows[j].name, errname(tables[i]->rows[j].run(&probe)));
	return 0;
}

static long act_ready(uint64_t arg)
{
	return launch_command(XEN_HYPERLAUNCH_READY, 0, 0);
}

static long act_boot_done(uint64_t arg)
{
	return launch_command(XEN_HYPERLAUNCH_BOOT_DONE, 0, 0);
}

static long act_boot_failed(uint64_t arg)
{
	return launch_command(XEN_HYPERLAUNCH_BOOT_FAILED, NO_INDEX, 0);
}

static long act_boot_failed_at(uint64_t arg)
{
	return launch_command(XEN_HYPERLAUNCH_BOOT_FAILED, (uint32_t)arg, 0);
}

static long act_boot_failed_for(uint64_t arg)
{
	return launch_command(XEN_HYPERLAUNCH_BOOT_FAILED, NO_INDEX, arg);
}

static long act_set_console(uint64_t arg)
{
	return launch_command(XEN_HYPERLAUNCH_SET_CONSOLE, (uint32_t)arg, 0);
}

static long act_await_console(uint64_t arg)
{
	struct hl_launch launch;
	long rc;

	for (;;) {
		rc = launch_info(&launch);
		if (rc || launch.console_owner == probe.self)
			return rc;
		sleep_ms(LISTEN_MS);
	}
}

/* Of the domain `other`, to this one. */
static long act_move_console(uint64_t arg)
{
	return launch_command(XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND, probe.other, arg);
}

static long act_release(uint64_t arg)
{
	return launch_command(XEN_HYPERLAUNCH_RELEASE, (uint32_t)arg, 0);
}

static long act_pause(uint64_t arg)
{
	return domain_command(XEN_DOMCTL_pausedomain, (uint16_t)arg);
}

static long act_unpause(uint64_t arg)
{
	return domain_command(XEN_DOMCTL_unpausedomain, (uint16_t)arg);
}

static long act_destroy(uint64_t arg)
{
	return domain_command(XEN_DOMCTL_destroydomain, (uint16_t)arg);
}

/* Every sub-op, and numbers that are none, with all its inputs wrong. */
static long act_odd_ops(uint64_t arg)
{
	for (uint32_t op = 0; op < NR_ODD_OPS; op++) {
		struct xen_sysctl_hyperlaunch payload;

		memset(&payload, 0xff, sizeof(payload));
		payload.op = op;
		say("odd-op-%u = %s", op, errname(launch_call(&payload)));
	}
	return 0;
}

static long act_wild_ops(uint64_t arg)
{
	probe_wild();
	return 0;
}

static long act_keep_page(uint64_t arg)
{
	return probe_keep_page((uint16_t)arg);
}

/* XSM's number for the label of each initial domain, by its place in the LCM. */
static long act_labels(uint64_t arg)
{
	struct hl_launch_domain domain;
	struct hl_launch launch;
	long rc = launch_info(&launch);

	for (uint32_t i = 0; !rc && i < launch.nr_domains; i++) {
		rc = launch_domain(i, &domain);
		if (!rc)
			say("label of %u is %u", domain.domid, domain.ssidref);
	}
	return rc;
}

static long act_sleep(uint64_t arg)
{
	sleep_ms(arg);
	return 0;
}

static long act_count(uint64_t arg)
{
	for (uint64_t i = 1; i <= arg; i++)
		say("count is %" PRIu64, i);
	return 0;
}

static long act_die(uint64_t arg)
{
	shut_down(SHUTDOWN_poweroff);
}

static long act_reboot(uint64_t arg)
{
	shut_down(SHUTDOWN_reboot);
}

static long act_crash(uint64_t arg)
{
	shut_down(SHUTDOWN_crash);
}

static long act_fault(uint64_t arg)
{
	__builtin_trap();
}

static noreturn void spin(void)
{
	for (;;)
		__asm__ volatile("pause");
}

static long act_spin(uint64_t arg)
{
	spin();
}

/* Until nothing is left; the beginning of a line is kept. */
static void repeat_typed(void)
{
	static char line[LINE_ROOM];
	static size_t length;
	char c;

	while (console_read(&c, 1) > 0) {
		if (c != '\r' && c != '\n' && length < sizeof(line)) {
			line[length++] = c;
			continue;
		}
		say("typed is %.*s", (int)length, line);
		length = 0;
	}
}

/* When the next line of chatter is due; NEVER without any. */
static uint64_t chatter(uint64_t due)
{
	static uint64_t nr;

	if (!chatter_ms)
		return NEVER;
	if (clock_ns() < due)
		return due;
	say("chatter is %" PRIu64, ++nr);
	return clock_ns() + chatter_ms * NS_PER_MS;
}

/* Lines typed at Xen's console, for as long as this domain owns it, and whenever it does again. */
static noreturn void echo(void)
{
	uint64_t due = 0, pause;
	uint32_t port = 0;

	say("echo = %s", errname(event_bind_virq(VIRQ_CONSOLE, &port)));
	for (;;) {
		event_take(port);
		repeat_typed();
		due = chatter(due);
		pause = clock_ns() + LISTEN_MS * NS_PER_MS;
		event_wait(port, due < pause ? due : pause);
	}
}

static long act_chatter(uint64_t arg)
{
	chatter_ms = arg;
	return 0;
}

static long act_echo(uint64_t arg)
{
	echo();
}

static long act_serve(uint64_t arg)
{
	serve_console(probe.other, (uint32_t)arg);
}

static long act_self(uint64_t arg)
{
	probe.self = (uint16_t)arg;
	return 0;
}

static long act_other(uint64_t arg)
{
	probe.other = (uint16_t)arg;
	return 0;
}

static long act_nothing(uint64_t arg)
{
	return 0;
}

static const struct action actions[] = {
	{ "table", act_table, 0, true },
	{ "self", act_self, UINT16_MAX, false },
	{ "other", act_other, UINT16_MAX, false },
	{ "ready", act_ready, 0, false },
	{ "boot-done", act_boot_done, 0, false },
	{ "boot-failed", act_boot_failed, 0, false },
	{ "boot-failed-at", act_boot_failed_at, UINT32_MAX, false },
	{ "boot-failed-for", act_boot_failed_for, UINT64_MAX, false },
	{ "set-console", act_set_console, UINT32_MAX, false },
	{ "await-console", act_await_console, 0, false },
	{ "move-console", act_move_console, UINT64_MAX, false },
	{ "release", act_release, UINT32_MAX, false },
	{ "pause", act_pause, UINT16_MAX, false },
	{ "unpause", act_unpause, UINT16_MAX, false },
	{ "destroy", act_destroy, UINT16_MAX, false },
	{ "odd-ops", act_odd_ops, 0, true },
	{ "wild-ops", act_wild_ops, 0, true },
	{ "keep-page", act_keep_page, UINT16_MAX, false },
	{ "labels", act_labels, 0, false },
	{ "sleep", act_sleep, UINT32_MAX, false },
	{ "count", act_count, UINT32_MAX, true },
	{ "idle", act_nothing, 0, true },
	{ "die", act_die, 0, true },
	{ "reboot", act_reboot, 0, true },
	{ "crash", act_crash, 0, true },
	{ "fault", act_fault, 0, true },
	{ "spin", act_spin, 0, true },
	{ "chatter", act_chatter, UINT32_MAX, false },
	{ "echo", act_echo, 0, true },
	{ "serve", act_serve, UINT32_MAX, true },
};

/* "WORD" or "WORD=NUMBER", NUMBER being this domain where it is "self"; NULL: no such word. */
static const struct action *find_action(const struct word *word, uint64_t *ret_arg)
{
	struct word name = *word, number;
	const bool has_number = word_split(word, '=', &name, &number);

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		const struct action *action = &actions[i];

		if (!word_is(&name, action->word) || has_number != !!action->max)
			continue;
		*ret_arg = probe.self;
		if (has_number && !word_is(&number, "self") && !word_number(&number, action->max, ret_arg))
			return NULL;
		return action;
	}
	return NULL;
}

/* All of them before any is done. */
static void check_words(struct word words)
{
	struct word word;
	uint64_t arg;

	while (word_next(&words, &word))
		if (!find_action(&word, &arg))
			give_up("no such word, or number: %.*s", (int)word.length, word.text);
}

static void act(struct word words)
{
	struct word word;
	uint64_t arg;

	while (word_next(&words, &word)) {
		const struct action *action = find_action(&word, &arg);
		const long rc = action->run(arg);

		if (!action->quiet)
			say("%.*s = %s", (int)word.length, word.text, errname(rc));
	}
}

static void tell_start_info(const struct pvh_info *info)
{
	say("domid is %u", own_domid());
	say("xen is %u.%u", xen_version() >> 16, xen_version() & 0xffff);
	say("start-info is version %u, flags 0x%x, rsdp 0x%" PRIx64, info->version, info->flags, info->rsdp);
	say("cmdline is %s", info->cmdline);
	say("ram is %" PRIu64 " KiB", pvh_info_ram(info) >> 10);
	for (unsigned int i = 0; i < info->nr_ranges; i++)
		say("range-%u is 0x%" PRIx64 " bytes at 0x%" PRIx64 ", type %u", i, info->ranges[i].size,
		    info->ranges[i].address, info->ranges[i].type);
	for (unsigned int i = 0; i < info->nr_modules; i++)
		say("module-%u is %zu bytes, string '%s'", i, info->modules[i].size, info->modules[i].cmdline);
}

int program(const struct pvh_info *info)
{
	struct word words = { info->cmdline, strlen(info->cmdline) }, first, rest = words;

	probe.self = (uint16_t)own_domid();
	probe.other = probe.self ? 0 : 1;
	tell_start_info(info);
	check_words(words);
	if (word_next(&rest, &first))
		act(words);
	else
		act_table(0);
	say("done");
	for (;;)
		event_wait(0, clock_ns() + 1000 * NS_PER_MS);
}
