// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The probe, a guest for tests.  It prints its start info as "probe: NAME is VALUE", then
 * runs the words of its command line in order, without any the table, and prints each
 * result as "probe: WORD = RESULT", where RESULT is "ok" or the name of an error.  Then it
 * prints "probe: done" and waits.  bootdom(7) lists the words.
 */
#include "probe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "configure.h"
#include "runtime/console.h"
#include "runtime/errname.h"
#include "runtime/event.h"
#include "runtime/runtime.h"
#include "runtime/sysctl.h"
#include "runtime/tokenize.h"

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/domctl.h>

#define NO_INDEX   UINT32_C(0xffffffff)
#define NR_ODD_OPS 32
#define LINE_ROOM  256
#define LISTEN_MS  50

const char program_name[] = "probe";

static struct probe probe;
static const struct pvh_info *given;
static uint64_t chatter_ms, loan_ms, serve_ms, waits_ms, console_port;
static uint32_t bound_port;

static const struct probe_rows *const tables[] = {
	&probe_launch_rows, &probe_control_rows, &probe_memory_rows,
	&probe_event_rows,  &probe_device_rows,	 &probe_host_rows,
};

struct action {
	const char *word;
	long (*run)(uint64_t arg);
	uint64_t max; /* of "=NUMBER"; 0: no number */
	bool quiet;   /* the result is not printed */
};

static long act_table(uint64_t arg)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (size_t j = 0; j < tables[i]->nr; j++)
			log("%s = %s", tables[i]->rows[j].name,
			    errname(tables[i]->rows[j].run(&probe)));
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
	return launch_command(XEN_HYPERLAUNCH_SET_CONSOLE, (uint32_t)arg, loan_ms);
}

/* Makes later set-console requests loans. */
static long act_loan(uint64_t arg)
{
	loan_ms = arg;
	return 0;
}

static long act_await_console(uint64_t arg)
{
	struct hl_launch launch;
	long r;

	for (;;) {
		r = launch_info(&launch);
		if (r || launch.console_owner == probe.self)
			return r;
		sleep_ms(LISTEN_MS);
	}
}

static long act_await_ready(uint64_t arg)
{
	struct hl_launch_domain domain = {0};
	struct hl_launch launch;
	long r = launch_info(&launch);

	for (uint32_t i = 0; !r && i < launch.nr_domains; i++) {
		do
			r = launch_domain(i, &domain);
		while (!r && domain.domid == arg && domain.state != HL_DOMAIN_READY);
	}
	return r;
}

/* Moves the console back end of the domain `other`; act_port() names its port. */
static long act_move_console(uint64_t arg)
{
	return launch_command(XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND, probe.other,
			      console_port << 32 | arg);
}

static long act_port(uint64_t arg)
{
	console_port = arg;
	return 0;
}

static long act_read_console(uint64_t arg)
{
	return probe_read_console(probe.other);
}

static long act_make(uint64_t arg)
{
	return probe_make((uint16_t)arg, probe.self);
}

static long act_make_pv(uint64_t arg)
{
	return probe_make_pv((uint16_t)arg, probe.self);
}

static long act_grant_console(uint64_t arg)
{
	return probe_grant_console((uint16_t)arg);
}

static long act_name_console(uint64_t arg)
{
	return probe_name_console(probe.other, (uint32_t)arg);
}

/* Binds a port of the domain `other`, and keeps it until the next unbind. */
static long act_bind(uint64_t arg)
{
	const long r = probe_bind(probe.other, (uint32_t)arg, &bound_port);

	if (r)
		bound_port = 0;
	return r;
}

static long act_unbind(uint64_t arg)
{
	if (bound_port)
		event_close(bound_port);
	return 0;
}

static long act_flood(uint64_t arg)
{
	return probe_flood((uint32_t)arg, chatter_ms, waits_ms);
}

/* Makes later floods print each wait of at least so many ms. */
static long act_waits(uint64_t arg)
{
	waits_ms = arg;
	return 0;
}

static long act_release(uint64_t arg)
{
	return launch_command(XEN_HYPERLAUNCH_RELEASE, (uint32_t)arg, 0);
}

/* Puts the domain `other` into the place of that record's. */
static long act_adopt(uint64_t arg)
{
	return launch_command(XEN_HYPERLAUNCH_ADOPT, (uint32_t)arg, probe.other);
}

static long act_uuid(uint64_t arg)
{
	return probe_set_uuid(probe.other, (uint8_t)arg);
}

static long act_record(uint64_t arg)
{
	struct hl_launch_domain domain;
	const long r = launch_domain((uint32_t)arg, &domain);

	if (!r)
		log("record %" PRIu64
		    " is domain %d, state %u, adoption %u, ports %u and %u, gfns 0x%" PRIx64
		    " and 0x%" PRIx64,
		    arg, (int)domain.domid, domain.state, domain.adoption, domain.store_port,
		    domain.console_port, domain.store_gfn, domain.console_gfn);
	return r;
}

/* Prints the logged events of the domain `other`. */
static long act_events(uint64_t arg)
{
	struct hl_event event;
	uint32_t seq = 0;
	size_t nr;
	long r;

	while (!(r = launch_events(&seq, &event, 1, &nr)) && nr)
		if (event.domid == probe.other)
			log("event is %u, %u", event.type, event.arg);
	return r;
}

static long act_pause(uint64_t arg)
{
	return domain_command(XEN_DOMCTL_pausedomain, (uint16_t)arg);
}

static long act_unpause(uint64_t arg)
{
	return domain_command(XEN_DOMCTL_unpausedomain, (uint16_t)arg);
}

/* This one and the next three configure the domain `other`, as a boot domain does. */
static long act_pin(uint64_t arg)
{
	struct cpus cpus = {{0}};

	cpus.bytes[arg / 8] = (uint8_t)(1U << arg % 8);
	return configure_hard_affinity(probe.other, 0, &cpus);
}

static long act_weight(uint64_t arg)
{
	return configure_weight(probe.other, (uint16_t)arg);
}

static long act_cap(uint64_t arg)
{
	return configure_cap(probe.other, (uint16_t)arg);
}

static long act_limit(uint64_t arg)
{
	return configure_memory_limit(probe.other, arg);
}

static long act_destroy(uint64_t arg)
{
	return domain_command(XEN_DOMCTL_destroydomain, (uint16_t)arg);
}

/* Calls each sub-operation, and unused numbers, with all inputs invalid. */
static long act_odd_ops(uint64_t arg)
{
	for (uint32_t op = 0; op < NR_ODD_OPS; op++) {
		struct xen_sysctl_hyperlaunch payload;

		memset(&payload, 0xff, sizeof(payload));
		payload.op = op;
		log("odd-op-%u = %s", op, errname(launch_call(&payload)));
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

/* Prints the ssidref of each initial domain. */
static long act_labels(uint64_t arg)
{
	struct hl_launch_domain domain;
	struct hl_launch launch;
	long r = launch_info(&launch);

	for (uint32_t i = 0; !r && i < launch.nr_domains; i++) {
		r = launch_domain(i, &domain);
		if (!r)
			log("label of %u is %u", domain.domid, domain.ssidref);
	}
	return r;
}

/* Prints the domid of each role; -1: none. */
static long act_roles(uint64_t arg)
{
	struct hl_launch launch;
	const long r = launch_info(&launch);

	if (!r)
		log("hardware is %d, crash is %d, console is %d, xenstore is %d, owner is %d",
		    (int)launch.hardware_domid, (int)launch.crash_domid, (int)launch.console_domid,
		    (int)launch.xenstore_domid, (int)launch.console_owner);
	return r;
}

static long act_create(uint64_t arg)
{
	return probe_create((uint16_t)arg, false);
}

static long act_reuse_console(uint64_t arg)
{
	return probe_reuse_console(probe.other);
}

static long act_long_sysctl(uint64_t arg)
{
	log("long-sysctl begins");
	return probe_long_sysctl((uint32_t)arg);
}

/*
 * RAM that neither Xen nor this program has written to.  Only 4 GiB are mapped; the image
 * and the start info are in the first MiBs, of which the very first belongs to the host in
 * a hardware domain.
 */
#define UNTOUCHED_FROM (UINT64_C(4) << 20)
#define MAPPED_TO      (UINT64_C(4) << 30)

static bool is_zero(uint64_t word, uint64_t arg)
{
	return !word;
}

static bool is_other(uint64_t word, uint64_t arg)
{
	return word != arg;
}

static uint64_t count_words(uint64_t from, uint64_t to, bool (*is_good)(uint64_t, uint64_t),
			    uint64_t arg)
{
	const volatile uint64_t *word = (const volatile uint64_t *)(uintptr_t)from;
	uint64_t nr = 0;

	while (nr < (to - from) / sizeof(*word) && is_good(word[nr], arg))
		nr++;
	return nr;
}

static long look_at_ram(bool (*is_good)(uint64_t, uint64_t), uint64_t arg)
{
	uint64_t kib = 0;

	for (unsigned int i = 0; i < given->nr_ranges; i++) {
		const struct pvh_range *range = &given->ranges[i];
		const uint64_t end = range->address + range->size;
		const uint64_t from =
			range->address > UNTOUCHED_FROM ? range->address : UNTOUCHED_FROM;
		const uint64_t to = (end < MAPPED_TO ? end : MAPPED_TO) & ~UINT64_C(7);
		uint64_t bytes;

		if (range->type != XEN_HVM_MEMMAP_TYPE_RAM || from >= to)
			continue;
		bytes = count_words(from, to, is_good, arg) * sizeof(uint64_t);
		if (bytes < to - from) {
			log("not clean is 0x%" PRIx64, from + bytes);
			return -EINVAL;
		}
		kib += bytes >> 10;
	}
	log("clean is %" PRIu64 " KiB", kib);
	return 0;
}

static long act_zero(uint64_t arg)
{
	return look_at_ram(is_zero, 0);
}

static long act_without(uint64_t arg)
{
	return look_at_ram(is_other, arg);
}

static long act_sleep(uint64_t arg)
{
	sleep_ms(arg);
	return 0;
}

static long act_count(uint64_t arg)
{
	for (uint64_t i = 1; i <= arg; i++)
		log("count is %" PRIu64, i);
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

static long act_suspend(uint64_t arg)
{
	shut_down(SHUTDOWN_suspend);
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

/* Prints the lines that were typed; an incomplete one is kept. */
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
		log("typed is %.*s", (int)length, line);
		length = 0;
	}
}

/* Prints a line if one is due.  Returns when the next one is due, or NEVER. */
static uint64_t chatter(uint64_t due)
{
	static uint64_t nr;

	if (!chatter_ms)
		return NEVER;
	if (clock_ns() < due)
		return due;
	log("chatter is %" PRIu64, ++nr);
	return clock_ns() + chatter_ms * NS_PER_MS;
}

/* Repeats lines that are typed while this domain owns the Xen console. */
static noreturn void echo(void)
{
	uint64_t due = 0, pause;
	uint32_t port = 0;

	log("echo = %s", errname(event_bind_virq(VIRQ_CONSOLE, &port)));
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

/* Makes later serve words end. */
static long act_serve_for(uint64_t arg)
{
	serve_ms = arg;
	return 0;
}

static long act_serve(uint64_t arg)
{
	serve_console(probe.other, (uint32_t)arg, serve_ms);
	return 0;
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

static long act_hardware(uint64_t arg)
{
	probe.hardware = (uint16_t)arg;
	return 0;
}

static long act_insist(uint64_t arg)
{
	return probe_insist((uint16_t)arg);
}

static long act_log_dirty(uint64_t arg)
{
	return probe_log_dirty((uint16_t)arg);
}

static long act_affinity(uint64_t arg)
{
	return probe_affinity((uint16_t)arg);
}

static long act_introduce(uint64_t arg)
{
	return probe_introduce((uint16_t)arg);
}

static long act_nothing(uint64_t arg)
{
	return 0;
}

static const struct action actions[] = {
	{"table", act_table, 0, true},
	{"self", act_self, UINT16_MAX, false},
	{"other", act_other, UINT16_MAX, false},
	{"hardware", act_hardware, UINT16_MAX, false},
	{"insist", act_insist, UINT16_MAX, false},
	{"log-dirty", act_log_dirty, UINT16_MAX, false},
	{"affinity", act_affinity, UINT16_MAX, false},
	{"introduce", act_introduce, UINT16_MAX, false},
	{"ready", act_ready, 0, false},
	{"boot-done", act_boot_done, 0, false},
	{"boot-failed", act_boot_failed, 0, false},
	{"boot-failed-at", act_boot_failed_at, UINT32_MAX, false},
	{"boot-failed-for", act_boot_failed_for, UINT64_MAX, false},
	{"set-console", act_set_console, UINT32_MAX, false},
	{"loan", act_loan, UINT64_MAX, true},
	{"await-console", act_await_console, 0, false},
	{"await-ready", act_await_ready, UINT16_MAX, false},
	{"move-console", act_move_console, UINT32_MAX, false},
	{"port", act_port, UINT32_MAX, true},
	{"read-console", act_read_console, 0, false},
	{"make", act_make, UINT16_MAX, false},
	{"make-pv", act_make_pv, UINT16_MAX, false},
	{"grant-console", act_grant_console, UINT16_MAX, false},
	{"name-console", act_name_console, UINT32_MAX, false},
	{"bind", act_bind, UINT32_MAX, false},
	{"unbind", act_unbind, 0, true},
	{"flood", act_flood, UINT32_MAX, true},
	{"waits", act_waits, UINT32_MAX, true},
	{"release", act_release, UINT32_MAX, false},
	{"adopt", act_adopt, UINT32_MAX, false},
	{"uuid", act_uuid, UINT8_MAX, false},
	{"record", act_record, UINT32_MAX, true},
	{"events", act_events, 0, true},
	{"pause", act_pause, UINT16_MAX, false},
	{"unpause", act_unpause, UINT16_MAX, false},
	{"pin", act_pin, CPUS_MAX - 1, false},
	{"weight", act_weight, UINT16_MAX, false},
	{"cap", act_cap, UINT16_MAX, false},
	{"limit", act_limit, UINT64_MAX, false},
	{"destroy", act_destroy, UINT16_MAX, false},
	{"odd-ops", act_odd_ops, 0, true},
	{"wild-ops", act_wild_ops, 0, true},
	{"keep-page", act_keep_page, UINT16_MAX, false},
	{"labels", act_labels, 0, false},
	{"roles", act_roles, 0, true},
	{"create", act_create, UINT16_MAX, false},
	{"reuse-console", act_reuse_console, 0, false},
	{"long-sysctl", act_long_sysctl, UINT32_MAX, false},
	{"zero", act_zero, 0, false},
	{"without", act_without, UINT64_MAX, false},
	{"sleep", act_sleep, UINT32_MAX, false},
	{"count", act_count, UINT32_MAX, true},
	{"idle", act_nothing, 0, true},
	{"die", act_die, 0, true},
	{"reboot", act_reboot, 0, true},
	{"crash", act_crash, 0, true},
	{"suspend", act_suspend, 0, true},
	{"fault", act_fault, 0, true},
	{"spin", act_spin, 0, true},
	{"chatter", act_chatter, UINT32_MAX, false},
	{"echo", act_echo, 0, true},
	{"serve-for", act_serve_for, UINT32_MAX, true},
	{"serve", act_serve, UINT32_MAX, true},
};

/* Finds the action of "WORD", "WORD=NUMBER" or "WORD=self"; NULL: invalid. */
static const struct action *find_action(const struct word *word, uint64_t *ret_arg)
{
	struct word name = *word, number;
	const bool has_number = word_split(word, '=', &name, &number);

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		const struct action *action = &actions[i];

		if (!word_is(&name, action->word) || has_number != !!action->max)
			continue;
		*ret_arg = probe.self;
		if (has_number && !word_is(&number, "self") &&
		    !word_number(&number, action->max, ret_arg))
			return NULL;
		return action;
	}
	return NULL;
}

/* Checks all words before the first is run. */
static void check_words(struct word words)
{
	struct word word;
	uint64_t arg;

	while (word_next(&words, &word))
		if (!find_action(&word, &arg))
			panic("no such word, or number: %.*s", (int)word.length, word.text);
}

static void act(struct word words)
{
	struct word word;
	uint64_t arg;

	while (word_next(&words, &word)) {
		const struct action *action = find_action(&word, &arg);
		const long r = action->run(arg);

		if (!action->quiet)
			log("%.*s = %s", (int)word.length, word.text, errname(r));
	}
}

static void log_start_info(const struct pvh_info *info)
{
	log("domid is %u", own_domid());
	log("xen is %u.%u", xen_version() >> 16, xen_version() & 0xffff);
	log("start-info is version %u, flags 0x%x, rsdp 0x%" PRIx64, info->version, info->flags,
	    info->rsdp);
	log("cmdline is %s", info->cmdline);
	log("ram is %" PRIu64 " KiB", pvh_info_ram(info) >> 10);
	for (unsigned int i = 0; i < info->nr_ranges; i++)
		log("range-%u is 0x%" PRIx64 " bytes at 0x%" PRIx64 ", type %u", i,
		    info->ranges[i].size, info->ranges[i].address, info->ranges[i].type);
	for (unsigned int i = 0; i < info->nr_modules; i++)
		log("module-%u is %zu bytes, string '%s'", i, info->modules[i].size,
		    info->modules[i].cmdline);
}

int program(const struct pvh_info *info)
{
	struct word words = {info->cmdline, strlen(info->cmdline)}, first, rest = words;

	probe.self = (uint16_t)own_domid();
	probe.other = probe.self ? 0 : 1;
	given = info;
	log_start_info(info);
	check_words(words);
	if (word_next(&rest, &first))
		act(words);
	else
		act_table(0);
	log("done");
	for (;;)
		event_wait(0, clock_ns() + 1000 * NS_PER_MS);
}
