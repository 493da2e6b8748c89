// SPDX-License-Identifier: LGPL-2.1-or-later
/* The simulator: launches, commands, faults, control socket. */
#include "make.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctx.h"

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void drain(struct hl_ctx *ctx)
{
	while (hl_process(ctx) > 0)
		;
}

static int run(struct hl_ctx *ctx, const char *text)
{
	return hl_sim_command(ctx, text, NULL);
}

static struct hl_launch launch_of(struct hl_ctx *ctx)
{
	struct hl_launch launch;

	assert_int_equal(hl_get_launch(ctx, &launch), 0);
	return launch;
}

/* The record and, unless NULL, the live domain of an initial one. */
static struct hl_launch_domain record_of(struct hl_ctx *ctx, const char *name)
{
	struct hl_launch_domain record;

	for (uint32_t i = 0; !hl_get_domain(ctx, i, &record); i++)
		if (!strcmp(record.name, name))
			return record;
	fail_msg("no record of '%s'", name);
	return record;
}

static bool lives(struct hl_ctx *ctx, uint32_t domid, struct hl_live_domain *ret_live)
{
	struct hl_live_domain *live;
	bool found = false;
	size_t nr;

	assert_int_equal(ctx->ops->list_live(ctx->backend, &live, &nr), 0);
	for (size_t i = 0; i < nr; i++) {
		if (i)
			assert_true(live[i].domid > live[i - 1].domid);
		if (live[i].domid == domid) {
			found = true;
			if (ret_live)
				*ret_live = live[i];
		}
	}
	free(live);
	return found;
}

static void complete_launch(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_launch launch = launch_of(ctx);
	struct hl_launch_domain boot = record_of(ctx, "boot");

	assert_string_equal(hl_backend(ctx), "sim");
	assert_int_equal(launch.state, HL_LAUNCH_COMPLETE);
	assert_int_equal(launch.nr_domains, 8);
	assert_int_equal(launch.nr_modules, 6);
	assert_true(launch.start_ns && launch.end_ns > launch.start_ns);
	assert_int_equal(boot.requested_domid, 0x7ff5);
	assert_int_equal(boot.domid, 0x7fef);
	assert_int_equal(boot.state, HL_DOMAIN_RECLAIMED);
	assert_false(lives(ctx, boot.domid, NULL));
	assert_int_equal(record_of(ctx, "store").state, HL_DOMAIN_STARTED);
	assert_int_equal(record_of(ctx, "db").state, HL_DOMAIN_HELD);
	assert_int_equal(record_of(ctx, "crash").state, HL_DOMAIN_PAUSED);
	assert_int_equal(launch.console_owner, record_of(ctx, "console").domid);
	assert_int_equal(launch.hardware_domid, 20);
	hl_unref(ctx);
}

static void same_each_time(void **state)
{
	struct hl_event *events[2];
	size_t nr[2];

	for (int i = 0; i < 2; i++) {
		struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");

		assert_int_equal(ctx->ops->get_events(ctx->backend, 0, &events[i], &nr[i]), 0);
		assert_int_equal(nr[i], launch_of(ctx).nr_events);
		hl_unref(ctx);
	}
	assert_int_equal(nr[0], nr[1]);
	for (size_t i = 0; i < nr[0]; i++) {
		assert_int_equal(events[0][i].seq, i);
		assert_int_equal(events[0][i].time_ns, events[1][i].time_ns);
		assert_int_equal(events[0][i].type, events[1][i].type);
		assert_int_equal(events[0][i].domid, events[1][i].domid);
		assert_int_equal(events[0][i].arg, events[1][i].arg);
	}
	free(events[0]);
	free(events[1]);
}

static void events_since(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-static-basic", "");
	uint32_t next = launch_of(ctx).nr_events;
	struct hl_event *events;
	size_t nr;

	assert_int_equal(ctx->ops->get_events(ctx->backend, next - 1, &events, &nr), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(events[0].seq, next - 1);
	assert_int_equal(events[0].type, HL_EVENT_STARTED);
	assert_int_equal(events[0].arg, launch_of(ctx).nr_domains - 1);
	free(events);
	assert_int_equal(ctx->ops->get_events(ctx->backend, next, &events, &nr), 0);
	assert_int_equal(nr, 0);
	assert_null(events);
	assert_int_equal(ctx->ops->get_events(ctx->backend, UINT32_MAX, &events, &nr), 0);
	assert_int_equal(nr, 0);
	hl_unref(ctx);
}

static void events_as_a_list(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-static-basic", "");
	uint32_t nr = launch_of(ctx).nr_events;
	struct hl_events *events;

	assert_int_equal(hl_events_read(ctx, 1, &events), 0);
	assert_int_equal(hl_events_nr(events), nr - 1);
	for (size_t i = 0; i < nr - 1; i++)
		assert_int_equal(hl_events_get(events, i)->seq, i + 1);
	assert_null(hl_events_get(events, nr - 1));
	assert_null(hl_events_free(events));
	assert_int_equal(hl_events_read(ctx, nr, &events), 0);
	assert_int_equal(hl_events_nr(events), 0);
	assert_null(hl_events_get(events, 0));
	hl_events_free(events);
	command(ctx, "fault get-events EIO 1");
	assert_int_equal(hl_events_read(ctx, 0, &events), -EIO);
	hl_unref(ctx);
}

static void bad_lcm_is_a_failed_launch(void **state)
{
	struct hl_ctx *ctx = sim_of("bad-domid-duplicate", "");
	struct hl_launch launch = launch_of(ctx);
	size_t size;
	void *blob;

	assert_int_equal(launch.state, HL_LAUNCH_FAILED);
	assert_string_equal(hl_error_name(launch.error), "domid-duplicate");
	assert_string_equal(launch.error_prop, "domid");
	assert_string_not_equal(launch.error_node, "");
	assert_int_equal(launch.nr_domains, 0);
	assert_int_equal(hl_read_lcm(ctx, &blob, &size), 0);
	assert_int_equal(size, launch.lcm_size);
	free(blob);
	hl_unref(ctx);
}

static void bad_lcm_with_a_sound_crash_domain(void **state)
{
	struct hl_ctx *ctx = sim_of("bad-recovery", "");
	struct hl_launch launch = launch_of(ctx);
	struct hl_launch_domain crash = record_of(ctx, "crash");

	assert_int_equal(launch.state, HL_LAUNCH_RECOVERY);
	assert_string_equal(hl_error_name(launch.error), "index-zero");
	assert_string_equal(launch.error_prop, "mb-index");
	assert_int_equal(launch.nr_domains, 1);
	assert_int_equal(launch.console_owner, crash.domid);
	assert_int_equal(crash.state, HL_DOMAIN_STARTED);
	assert_true(lives(ctx, crash.domid, NULL));
	hl_unref(ctx);
}

static void specs_refused(void **state)
{
	static const struct {
		const char *spec;
		int r;
	} bad[] = {
		{"", -EINVAL},
		{"sim", -EINVAL},
		{"sim:", -EINVAL},
		{"kvm", -EINVAL},
		{"sim:,as=xen", -EINVAL},
		{"sim:,as=classic,control=", -EINVAL},
		{"sim:,as=classic,self=", -EINVAL},
		{"sim:,as=classic,self=-1", -EINVAL},
		{"sim:/nonexistent/file.dtb", -ENOENT},
		{"sim:/", -EINVAL},
		{"sim:/dev/null", -EINVAL},
		{"sim:/proc/self/exe,as", -EINVAL},
		{"sim:/proc/self/exe", -EINVAL},
		{"sim:,as=classic,control=/nonexistent/dir/socket", -ENOENT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct hl_ctx *ctx = NULL;
		int r = hl_new(bad[i].spec, NULL, NULL, &ctx);

		if (r != bad[i].r || ctx)
			fail_msg("'%s': %d instead of %d", bad[i].spec, r, bad[i].r);
	}
}

static void without_hyperlaunch(void **state)
{
	struct hl_launch launch = {.nr_events = 5};
	struct hl_ctx *ctx;

	assert_int_equal(hl_new("sim:,as=unpatched", NULL, NULL, &ctx), 0);
	assert_int_equal(hl_get_launch(ctx, &launch), -EOPNOTSUPP);
	assert_int_equal(launch.nr_events, 5);
	assert_true(lives(ctx, 0, NULL));
	hl_unref(ctx);
	assert_int_equal(hl_new("sim:,as=classic", NULL, NULL, &ctx), 0);
	assert_int_equal(launch_of(ctx).state, HL_LAUNCH_NONE);
	hl_unref(ctx);
}

static void post_boot_domains(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-static-basic", "");
	struct hl_live_domain live;
	char *reply;

	drain(ctx);
	/* What comes before the first call is not announced. */
	assert_false(readable(hl_get_fd(ctx)));
	assert_int_equal(hl_sim_command(ctx,
					"domain-add vm domid=100 "
					"uuid=00112233-4455-6677-8899-aabbccddeeff memory=2048 "
					"vcpus=3 pv",
					&reply),
			 0);
	assert_string_equal(reply, "ok 100");
	free(reply);
	assert_true(readable(hl_get_fd(ctx)));
	assert_int_equal(hl_process(ctx), 1);
	assert_false(readable(hl_get_fd(ctx)));
	assert_int_equal(hl_process(ctx), 0);
	assert_true(lives(ctx, 100, &live));
	assert_string_equal(live.name, "vm");
	assert_int_equal(live.handle[1], 0x11);
	assert_int_equal(live.memory_max, 2048 << 10);
	assert_int_equal(live.vcpus_max, 3);
	assert_false(live.hvm);
	assert_int_equal(run(ctx, "domain-add other domid=100"), -EEXIST);
	assert_int_equal(run(ctx, "domain-add other domid=0x7fef"), -EEXIST);
	assert_int_equal(run(ctx, "domain-remove vm"), 0);
	assert_false(lives(ctx, 100, NULL));
	assert_int_equal(run(ctx, "domain-remove vm"), -ENOENT);
	hl_unref(ctx);
}

static void weak_hardware_domain(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");

	drain(ctx);
	assert_false(launch_of(ctx).weak_hardware);
	command(ctx, "weak-hwdom on");
	assert_int_equal(hl_process(ctx), 1);
	assert_true(launch_of(ctx).weak_hardware);
	assert_int_equal(run(ctx, "weak-hwdom maybe"), -EINVAL);
	command(ctx, "weak-hwdom off");
	assert_false(launch_of(ctx).weak_hardware);
	hl_unref(ctx);
	/* With control it could reach the others anyway. */
	ctx = sim_of("ok-classic-dom0", "");
	assert_int_equal(run(ctx, "weak-hwdom on"), -ENOENT);
	assert_false(launch_of(ctx).weak_hardware);
	hl_unref(ctx);
}

static void silence(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-static-basic", "");
	struct hl_live_domain live;

	drain(ctx);
	command(ctx, "announce off");
	command(ctx, "domain-add - domid=100");
	assert_true(lives(ctx, 100, &live));
	assert_string_equal(live.name, "");
	assert_false(readable(hl_get_fd(ctx)));
	assert_int_equal(run(ctx, "announce maybe"), -EINVAL);
	command(ctx, "announce on");
	assert_int_equal(hl_process(ctx), 1);
	hl_unref(ctx);
}

static void assert_placement(struct hl_ctx *ctx, uint32_t domid, uint32_t weight, uint32_t cap,
			     const char *hard)
{
	struct hl_scheduling scheduling;
	struct hl_affinity affinity;

	assert_int_equal(hl_get_scheduling(ctx, domid, &scheduling), 0);
	assert_int_equal(scheduling.weight, weight);
	assert_int_equal(scheduling.cap, cap);
	assert_int_equal(hl_get_affinity(ctx, domid, 1, &affinity), 0);
	assert_string_equal(affinity.hard, hard);
	assert_string_equal(affinity.soft, "all");
}

/* Each domain keeps its own, whichever come and go. */
static void placement(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	uint32_t web = record_of(ctx, "web").domid;
	struct hl_scheduling scheduling;
	struct hl_affinity affinity;

	assert_placement(ctx, web, 256, 0, "all");
	command(ctx, "weight web 512");
	command(ctx, "cap web 50");
	command(ctx, "affinity web 0-1,3");
	command(ctx, "domain-add new domid=300");
	command(ctx, "weight new 7");
	command(ctx, "domain-add between domid=299");
	command(ctx, "domain-remove store");
	assert_placement(ctx, web, 512, 50, "0-1,3");
	assert_placement(ctx, 299, 256, 0, "all");
	assert_placement(ctx, 300, 7, 0, "all");
	command(ctx, "domain-remove between");
	assert_placement(ctx, 300, 7, 0, "all");
	assert_int_equal(run(ctx, "cap 77 1"), -ENOENT);
	assert_int_equal(hl_get_affinity(ctx, web, 0, &affinity), 0);
	assert_string_equal(affinity.hard, "");
	assert_int_equal(hl_get_scheduling(ctx, 299, &scheduling), -ESRCH);
	assert_int_equal(scheduling.weight, 0);
	assert_int_equal(hl_get_affinity(ctx, HL_NO_DOMID, 1, &affinity), -ESRCH);
	assert_string_equal(affinity.hard, "");
	hl_unref(ctx);
}

/* A copy of the live domain. */
static struct hl_live_domain live_of(struct hl_ctx *ctx, uint32_t domid)
{
	struct hl_live_domain *list, found = {.domid = HL_NO_DOMID};
	size_t nr;

	assert_int_equal(ctx->ops->list_live(ctx->backend, &list, &nr), 0);
	for (size_t i = 0; i < nr; i++)
		if (list[i].domid == domid)
			found = list[i];
	free(list);
	assert_int_equal(found.domid, domid);
	return found;
}

/* What runs uses CPU time, what does not, does not. */
static void figures_move(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	uint32_t web = record_of(ctx, "web").domid, held = record_of(ctx, "db").domid;
	uint64_t before, after;

	command(ctx, "figure web load 100");
	before = live_of(ctx, web).cpu_time_ns;
	usleep(20000);
	after = live_of(ctx, web).cpu_time_ns;
	assert_in_range(after - before, 20 * 1000 * 1000, UINT64_C(10000000000));
	assert_true(live_of(ctx, held).cpu_time_ns == 0);
	command(ctx, "pause web");
	before = live_of(ctx, web).cpu_time_ns;
	usleep(5000);
	assert_true(live_of(ctx, web).cpu_time_ns == before);
	/* Nor is a pause counted once it is over. */
	command(ctx, "figure web load 51200");
	usleep(50000);
	command(ctx, "unpause web");
	after = live_of(ctx, web).cpu_time_ns;
	assert_in_range(after - before, 0, UINT64_C(20000000000));
	command(ctx, "figure web load 0");
	before = live_of(ctx, web).cpu_time_ns;
	usleep(5000);
	assert_true(live_of(ctx, web).cpu_time_ns == before);
	hl_unref(ctx);
}

static void figures_are_set(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	uint32_t web = record_of(ctx, "web").domid;
	struct hl_live_domain live;
	const struct hl_domain *row;
	struct hl_table *table;

	command(ctx, "figure web load 0");
	command(ctx, "figure web cpu-time 18446744073709551615");
	command(ctx, "figure web current 100");
	command(ctx, "figure web outstanding 8");
	command(ctx, "figure web shared 12");
	command(ctx, "figure web paged 16");
	command(ctx, "figure web online 1");
	live = live_of(ctx, web);
	assert_true(live.cpu_time_ns == UINT64_MAX);
	assert_true(live.memory_current == 100 << 10 && live.memory_outstanding == 8 << 10);
	assert_true(live.memory_shared == 12 << 10 && live.memory_paged == 16 << 10);
	assert_true(live.vcpus_online == 1 && live.vcpus_max == 2);
	table = table_of(ctx);
	row = row_named(table, "web");
	assert_true(row->cpu_time_ns == UINT64_MAX && row->memory_outstanding == 8 << 10);
	assert_true(row->memory_shared == 12 << 10 && row->memory_paged == 16 << 10);
	hl_table_unref(table);
	assert_int_equal(run(ctx, "figure web online 3"), -ERANGE);
	assert_int_equal(run(ctx, "figure 77 load 1"), -ENOENT);
	hl_unref(ctx);
}

/* They add up to the domain's. */
static void vcpus(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	uint32_t web = record_of(ctx, "web").domid;
	struct hl_vcpu first, second;

	command(ctx, "figure web load 0");
	command(ctx, "figure web cpu-time 1001");
	assert_int_equal(hl_get_vcpu(ctx, web, 0, &first), 0);
	assert_int_equal(hl_get_vcpu(ctx, web, 1, &second), 0);
	assert_true(first.online && first.running && second.online && second.blocked);
	assert_true(first.cpu_time_ns == 501 && second.cpu_time_ns == 500);
	assert_int_equal(hl_get_vcpu(ctx, web, 2, &first), -ESRCH);
	assert_int_equal(hl_get_vcpu(ctx, 77, 0, &first), -ESRCH);
	assert_int_equal(hl_get_vcpu(ctx, HL_NO_DOMID, 0, &first), -ESRCH);
	command(ctx, "figure web online 0");
	assert_int_equal(hl_get_vcpu(ctx, web, 0, &first), 0);
	assert_true(!first.online && !first.running && first.cpu_time_ns == 0);
	command(ctx, "fault get-vcpu EPERM 1");
	assert_int_equal(hl_get_vcpu(ctx, web, 0, &first), -EPERM);
	hl_unref(ctx);
}

static void lifecycle(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	uint32_t web = record_of(ctx, "web").domid;
	struct hl_live_domain live;

	command(ctx, "pause web");
	assert_true(lives(ctx, web, &live) && live.paused);
	/* Xen counts. */
	command(ctx, "pause web");
	command(ctx, "unpause web");
	assert_true(lives(ctx, web, &live) && live.paused);
	command(ctx, "unpause web");
	assert_true(lives(ctx, web, &live) && !live.paused);
	assert_int_equal(run(ctx, "unpause web"), -EINVAL);
	command(ctx, "ready web");
	assert_int_equal(record_of(ctx, "web").state, HL_DOMAIN_READY);
	assert_int_equal(run(ctx, "ready web"), 0);
	assert_int_equal(run(ctx, "ready 77"), -EPERM);
	assert_int_equal(run(ctx, "ready db"), -EBUSY);
	assert_int_equal(run(ctx, "release web"), -EBUSY);
	assert_int_equal(run(ctx, "release 77"), -ESRCH);
	command(ctx, "release db");
	assert_int_equal(record_of(ctx, "db").state, HL_DOMAIN_STARTED);
	command(ctx, "rename db other");
	assert_true(lives(ctx, record_of(ctx, "db").domid, &live));
	assert_string_equal(live.name, "other");
	command(ctx, "handle web 00112233-4455-6677-8899-aabbccddeeff");
	assert_true(lives(ctx, web, &live) && live.handle[15] == 0xff);
	assert_int_equal(record_of(ctx, "web").uuid[15], 6);
	assert_int_equal(run(ctx, "handle web 00112233"), -EINVAL);
	assert_int_equal(run(ctx, "handle 77 00112233-4455-6677-8899-aabbccddeeff"), -ENOENT);
	command(ctx, "memory web 1024");
	assert_true(lives(ctx, web, &live));
	assert_int_equal(live.memory_max, 1 << 20);
	command(ctx, "shutdown web watchdog");
	assert_true(lives(ctx, web, &live) && live.shutdown);
	assert_string_equal(hl_shutdown_name(live.shutdown_code), "watchdog");
	command(ctx, "dying web");
	assert_true(lives(ctx, web, &live) && live.dying);
	assert_int_equal(run(ctx, "console web"), -ESRCH);
	command(ctx, "domain-remove web");
	assert_int_equal(record_of(ctx, "web").state, HL_DOMAIN_RECLAIMED);
	hl_unref(ctx);
}

static void console_moves(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	uint32_t before = launch_of(ctx).console_owner;
	uint32_t since = launch_of(ctx).nr_events;
	struct hl_event *events;
	size_t nr;

	command(ctx, "console control");
	assert_int_equal(launch_of(ctx).console_owner, record_of(ctx, "control").domid);
	assert_int_equal(ctx->ops->get_events(ctx->backend, since, &events, &nr), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(events[0].type, HL_EVENT_CONSOLE);
	assert_int_equal(events[0].domid, record_of(ctx, "control").domid);
	assert_int_equal(events[0].arg, before);
	free(events);
	/* Back to whose function it is; then to who is left, in this order. */
	command(ctx, "domain-remove control");
	assert_int_equal(launch_of(ctx).console_owner, before);
	command(ctx, "domain-remove console");
	assert_int_equal(launch_of(ctx).console_owner, record_of(ctx, "hw").domid);
	command(ctx, "domain-remove hw");
	assert_int_equal(launch_of(ctx).console_owner, HL_NO_DOMID);
	/* A domain of a toolstack's, too. */
	command(ctx, "domain-add vm domid=100");
	command(ctx, "console vm");
	command(ctx, "domain-remove vm");
	assert_int_equal(launch_of(ctx).console_owner, HL_NO_DOMID);
	hl_unref(ctx);
}

static void check_event(struct hl_ctx *ctx, uint32_t since, enum hl_event_type type, uint32_t domid,
			uint32_t arg)
{
	struct hl_event *events;
	size_t nr;

	assert_int_equal(ctx->ops->get_events(ctx->backend, since, &events, &nr), 0);
	assert_true(nr >= 1);
	assert_int_equal(events[0].type, type);
	assert_int_equal(events[0].domid, domid);
	assert_int_equal(events[0].arg, arg);
	free(events);
}

/* Records, log and announcement. */
static void requests(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	uint32_t before = launch_of(ctx).console_owner, since = launch_of(ctx).nr_events;
	struct hl_launch_domain db = record_of(ctx, "db");
	struct hl_live_domain live;

	drain(ctx);
	assert_int_equal(hl_set_console(ctx, 5, 0), 0);
	assert_int_equal(launch_of(ctx).console_owner, 5);
	check_event(ctx, since, HL_EVENT_CONSOLE, 5, before);
	assert_int_equal(hl_process(ctx), 1);
	/* Again: nothing happens, and nothing is said. */
	assert_int_equal(hl_set_console(ctx, 5, 0), 0);
	assert_int_equal(launch_of(ctx).nr_events, since + 1);
	assert_int_equal(hl_process(ctx), 0);

	assert_int_equal(hl_release(ctx, db.domid), 0);
	check_event(ctx, since + 1, HL_EVENT_RELEASED, db.domid, db.index);
	assert_int_equal(record_of(ctx, "db").state, HL_DOMAIN_STARTED);
	assert_true(lives(ctx, db.domid, &live) && !live.paused);
	assert_int_equal(hl_process(ctx), 1);
	assert_int_equal(hl_release(ctx, db.domid), -EBUSY);

	since = launch_of(ctx).nr_events;
	assert_int_equal(hl_ready(ctx), 0);
	check_event(ctx, since, HL_EVENT_READY, 2, record_of(ctx, "control").index);
	assert_int_equal(record_of(ctx, "control").state, HL_DOMAIN_READY);
	assert_int_equal(hl_ready(ctx), 0);
	assert_int_equal(launch_of(ctx).nr_events, since + 1);
	assert_int_equal(hl_move_console_backend(ctx, 5, 0, 2), 0);
	hl_unref(ctx);
}

static void requests_refused(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	uint32_t db = record_of(ctx, "db").domid, owner = launch_of(ctx).console_owner;
	uint32_t boot = record_of(ctx, "boot").domid, crash = record_of(ctx, "crash").domid;

	command(ctx, "domain-add vm domid=100");
	command(ctx, "domain-add going domid=101");
	command(ctx, "dying going");
	assert_int_equal(hl_set_console(ctx, crash, 0), -ENXIO);
	assert_int_equal(hl_set_console(ctx, 77, 0), -ESRCH);
	assert_int_equal(hl_set_console(ctx, 101, 0), -ESRCH);
	assert_int_equal(hl_set_console(ctx, boot, 0), -ESRCH);
	assert_int_equal(hl_set_console(ctx, HL_NO_DOMID, 0), -ESRCH);
	assert_int_equal(launch_of(ctx).console_owner, owner);
	assert_int_equal(hl_release(ctx, 77), -ESRCH);
	assert_int_equal(hl_release(ctx, 100), -ESRCH);
	assert_int_equal(hl_release(ctx, 5), -EBUSY);
	assert_int_equal(hl_move_console_backend(ctx, 5, 0, 77), -ESRCH);
	assert_int_equal(hl_move_console_backend(ctx, 101, 0, 2), -ESRCH);
	assert_int_equal(hl_move_console_backend(ctx, 100, 0, 2), -ENOENT);
	assert_int_equal(hl_move_console_backend(ctx, 4, 0, 2), -ENOENT);
	assert_int_equal(hl_move_console_backend(ctx, 5, 0, 5), -EINVAL);
	assert_int_equal(hl_move_console_backend(ctx, 100, 1, 2), -EINVAL);
	assert_int_equal(hl_move_console_backend(ctx, 100, 2, 2), 0);
	assert_int_equal(hl_move_console_backend(ctx, 100, 3, 2), -ENOENT);
	command(ctx, "fault set-console EBUSY 1");
	command(ctx, "fault release EPERM 1");
	command(ctx, "fault move-console-backend EBUSY 1");
	command(ctx, "fault ready EPERM 1");
	assert_int_equal(hl_set_console(ctx, 5, 0), -EBUSY);
	assert_int_equal(hl_release(ctx, db), -EPERM);
	assert_int_equal(hl_move_console_backend(ctx, 5, 0, 2), -EBUSY);
	assert_int_equal(hl_ready(ctx), -EPERM);
	assert_int_equal(hl_set_console(ctx, 5, 0), 0);
	hl_unref(ctx);
}

#define WEB_UUID "8d5a104e-6c2b-4f0a-9b1e-000000000006"

/* What a toolstack does to make a domain again, and what the table shows of it. */
static void domain_adopted(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_launch_domain before = record_of(ctx, "web"), web;
	const struct hl_domain *row;
	struct hl_table *table;
	uint32_t since;
	size_t size;
	char *text;

	command(ctx, "output web before 1");
	command(ctx, "domain-remove web");
	command(ctx, "domain-add web domid=70 paused uuid=" WEB_UUID);
	since = launch_of(ctx).nr_events;
	drain(ctx);
	assert_int_equal(hl_adopt(ctx, before.index, 70), 0);
	assert_int_equal(hl_process(ctx), 1);
	check_event(ctx, since, HL_EVENT_ADOPTED, 70, before.index);
	web = record_of(ctx, "web");
	assert_int_equal(web.domid, 70);
	assert_int_equal(web.adoption, 1);
	assert_int_equal(web.state, HL_DOMAIN_BUILT);
	assert_true(web.built_ns > before.built_ns && web.started_ns == 0);
	assert_int_equal(hl_read_console(ctx, 70, &text, &size, NULL), 0);
	assert_int_equal(size, 0);
	free(text);
	assert_int_equal(hl_unpause(ctx, 70), 0);
	check_event(ctx, since + 1, HL_EVENT_STARTED, 70, before.index);
	command(ctx, "ready web");
	table = table_of(ctx);
	assert_int_equal(hl_table_nr_domains(table), 8);
	assert_int_equal(hl_table_find(table, 70, 1, &row), 0);
	assert_string_equal(row->name, "web");
	assert_true(row->adopted && row->live);
	assert_int_equal(row->state, HL_DOMAIN_READY);
	hl_table_unref(table);
	hl_unref(ctx);
}

/* With its former domid, and once more after that one has ended. */
static void domain_adopted_again(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	uint32_t index = record_of(ctx, "web").index;

	for (uint32_t i = 1; i <= 2; i++) {
		command(ctx, "domain-remove web");
		command(ctx, "domain-add web domid=5 paused uuid=" WEB_UUID);
		assert_int_equal(hl_adopt(ctx, index, 5), 0);
		assert_int_equal(record_of(ctx, "web").adoption, i);
		assert_int_equal(hl_adopt(ctx, index, 5), -EBUSY);
	}
	command(ctx, "shutdown web crash");
	check_event(ctx, launch_of(ctx).nr_events - 1, HL_EVENT_DIED, 5, 3);
	command(ctx, "domain-remove web");
	check_event(ctx, launch_of(ctx).nr_events - 1, HL_EVENT_RECLAIMED, 5, index);
	hl_unref(ctx);
}

static void console_role_adopted(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_launch_domain console = record_of(ctx, "console");

	command(ctx, "domain-remove console");
	assert_int_equal(launch_of(ctx).console_domid, HL_NO_DOMID);
	command(ctx,
		"domain-add console domid=71 paused uuid=8d5a104e-6c2b-4f0a-9b1e-000000000005");
	assert_int_equal(hl_adopt(ctx, console.index, 71), 0);
	assert_int_equal(launch_of(ctx).console_domid, 71);
	hl_unref(ctx);
}

/* Each check of Xen's, in its order; a refused request changes nothing. */
static void adoption_refused(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	uint32_t web = record_of(ctx, "web").index, since;

	command(ctx, "domain-add new domid=70 paused uuid=" WEB_UUID);
	assert_int_equal(hl_adopt(ctx, 100, 70), -ENOENT);
	assert_int_equal(hl_adopt(ctx, web, 70), -EBUSY);
	command(ctx, "domain-remove web");
	command(ctx, "domain-remove hw");
	command(ctx, "domain-remove store");
	since = launch_of(ctx).nr_events;
	assert_int_equal(hl_adopt(ctx, record_of(ctx, "hw").index, 70), -EPERM);
	assert_int_equal(hl_adopt(ctx, record_of(ctx, "store").index, 70), -EPERM);
	assert_int_equal(hl_adopt(ctx, record_of(ctx, "boot").index, 70), -EPERM);
	assert_int_equal(hl_adopt(ctx, record_of(ctx, "crash").index, 70), -EPERM);
	assert_int_equal(hl_adopt(ctx, record_of(ctx, "control").index, 70), -EPERM);
	assert_int_equal(hl_adopt(ctx, web, 77), -ESRCH);
	assert_int_equal(hl_adopt(ctx, web, record_of(ctx, "db").domid), -EEXIST);
	command(ctx, "domain-add runs domid=71 uuid=" WEB_UUID);
	command(ctx, "pause runs");
	assert_int_equal(hl_adopt(ctx, web, 71), -ENXIO);
	command(ctx, "domain-add other domid=72 paused");
	assert_int_equal(hl_adopt(ctx, web, 72), -EINVAL);
	command(ctx, "domain-add pv domid=73 paused pv uuid=" WEB_UUID);
	assert_int_equal(hl_adopt(ctx, web, 73), -EINVAL);
	command(ctx, "domain-add going domid=74 paused uuid=" WEB_UUID);
	command(ctx, "dying going");
	assert_int_equal(hl_adopt(ctx, web, 74), -ESRCH);
	command(ctx, "fault adopt EPERM 1");
	assert_int_equal(hl_adopt(ctx, web, 70), -EPERM);
	assert_int_equal(launch_of(ctx).nr_events, since);
	assert_int_equal(record_of(ctx, "web").state, HL_DOMAIN_RECLAIMED);
	assert_int_equal(hl_adopt(ctx, web, 70), 0);
	command(ctx, "domain-remove db");
	assert_int_equal(hl_adopt(ctx, record_of(ctx, "db").index, 70), -EEXIST);
	hl_unref(ctx);
}

static void handle_set(void **state)
{
	static const uint8_t handle[16] = {1, 2, 3, [15] = 16};
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_live_domain live;
	uint32_t db = record_of(ctx, "db").domid;

	drain(ctx);
	assert_int_equal(hl_set_handle(ctx, db, handle), 0);
	assert_true(lives(ctx, db, &live));
	assert_memory_equal(live.handle, handle, sizeof(handle));
	assert_int_equal(hl_process(ctx), 1);
	assert_int_equal(hl_set_handle(ctx, 77, handle), -ESRCH);
	assert_int_equal(hl_set_handle(ctx, HL_NO_DOMID, handle), -ESRCH);
	command(ctx, "fault set-handle EPERM 1");
	assert_int_equal(hl_set_handle(ctx, db, handle), -EPERM);
	hl_unref(ctx);
	ctx = sim_of("ok-static-basic", "");
	assert_int_equal(hl_set_handle(ctx, launch_of(ctx).console_owner, handle), -EPERM);
	hl_unref(ctx);
	ctx = sim_of("ok-static-basic", ",as=unpatched");
	assert_int_equal(hl_set_handle(ctx, 0, handle), 0);
	assert_true(lives(ctx, 0, &live));
	assert_memory_equal(live.handle, handle, sizeof(handle));
	hl_unref(ctx);
}

static bool is_paused(struct hl_ctx *ctx, uint32_t domid)
{
	struct hl_live_domain live;

	assert_true(lives(ctx, domid, &live));
	return live.paused;
}

static void pauses_are_counted(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");

	drain(ctx);
	assert_int_equal(hl_pause(ctx, 5), 0);
	assert_true(is_paused(ctx, 5));
	assert_int_equal(hl_process(ctx), 1);
	for (int i = 1; i < 255; i++)
		assert_int_equal(hl_pause(ctx, 5), 0);
	assert_int_equal(hl_pause(ctx, 5), -EOVERFLOW);
	for (int i = 0; i < 255; i++) {
		assert_true(is_paused(ctx, 5));
		assert_int_equal(hl_unpause(ctx, 5), 0);
	}
	assert_false(is_paused(ctx, 5));
	drain(ctx);
	assert_int_equal(hl_unpause(ctx, 5), -EINVAL);
	assert_int_equal(hl_process(ctx), 0);
	hl_unref(ctx);
}

/* Our own, the hardware domain's, and what is not there; without control nobody's. */
static void pauses_refused(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");

	assert_int_equal(hl_pause(ctx, 2), -EINVAL);
	assert_int_equal(hl_pause(ctx, 20), -EPERM);
	assert_int_equal(hl_pause(ctx, 77), -ESRCH);
	assert_int_equal(hl_unpause(ctx, 77), -ESRCH);
	assert_int_equal(hl_pause(ctx, HL_NO_DOMID), -ESRCH);
	assert_int_equal(hl_unpause(ctx, HL_NO_DOMID), -ESRCH);
	command(ctx, "fault pause EPERM 1");
	command(ctx, "fault unpause EIO 1");
	assert_int_equal(hl_pause(ctx, 5), -EPERM);
	assert_int_equal(hl_unpause(ctx, 5), -EIO);
	hl_unref(ctx);
	ctx = sim_of("ok-static-basic", "");
	assert_int_equal(hl_pause(ctx, launch_of(ctx).console_owner), -EPERM);
	assert_int_equal(hl_unpause(ctx, launch_of(ctx).console_owner), -EPERM);
	hl_unref(ctx);
	ctx = sim_of("ok-static-basic", ",as=unpatched");
	command(ctx, "domain-add vm domid=100");
	assert_int_equal(hl_pause(ctx, 0), -EINVAL);
	assert_int_equal(hl_pause(ctx, 100), 0);
	assert_int_equal(hl_unpause(ctx, 100), 0);
	hl_unref(ctx);
}

/* Its wait is one of the pauses. */
static void pauses_of_a_held_domain(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");

	assert_int_equal(hl_unpause(ctx, 6), 0);
	assert_false(is_paused(ctx, 6));
	assert_int_equal(record_of(ctx, "db").state, HL_DOMAIN_STARTED);
	hl_unref(ctx);
	ctx = sim_of("ok-dynamic-full", "");
	assert_int_equal(hl_pause(ctx, 6), 0);
	assert_int_equal(hl_release(ctx, 6), 0);
	assert_true(is_paused(ctx, 6));
	assert_int_equal(record_of(ctx, "db").state, HL_DOMAIN_BUILT);
	assert_int_equal(hl_unpause(ctx, 6), 0);
	assert_int_equal(record_of(ctx, "db").state, HL_DOMAIN_STARTED);
	hl_unref(ctx);
}

static void output_is_kept(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	uint64_t dropped;
	size_t size;
	char *text;

	command(ctx, "domain-add vm domid=100");
	assert_int_equal(hl_read_console(ctx, 5, &text, &size, &dropped), 0);
	assert_int_equal(size, 0);
	assert_int_equal(dropped, 0);
	assert_string_equal(text, "");
	free(text);
	command(ctx, "output 5 one 2");
	command(ctx, "output 5 two 5000");
	assert_int_equal(hl_read_console(ctx, 5, &text, &size, &dropped), 0);
	assert_int_equal(size, 16384);
	assert_int_equal(dropped, 2 * 4 + 5000 * 4 - 16384);
	assert_memory_equal(text, "one\none\ntwo\ntwo\n", 16);
	assert_int_equal(text[size], '\0');
	free(text);
	assert_int_equal(hl_read_console(ctx, 100, &text, &size, NULL), -ESRCH);
	assert_int_equal(hl_read_console(ctx, 77, &text, &size, NULL), -ESRCH);
	assert_int_equal(hl_read_console(ctx, 4, &text, &size, NULL), -ENOENT);
	command(ctx, "fault read-console EPERM 1");
	assert_int_equal(hl_read_console(ctx, 5, &text, &size, NULL), -EPERM);
	command(ctx, "domain-remove 5");
	assert_int_equal(hl_read_console(ctx, 5, &text, &size, NULL), -ESRCH);
	hl_unref(ctx);
}

/* Without a control domain only the present owner may, and only hand it on. */
static void requests_without_control(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-static-basic", "");
	uint32_t owner = launch_of(ctx).console_owner, other = HL_NO_DOMID;
	struct hl_launch_domain d;

	for (uint32_t i = 0; !hl_get_domain(ctx, i, &d); i++)
		if (d.domid != owner)
			other = d.domid;
	assert_int_not_equal(other, HL_NO_DOMID);
	assert_int_equal(hl_release(ctx, other), -EPERM);
	assert_int_equal(hl_adopt(ctx, 0, other), -EPERM);
	assert_int_equal(hl_move_console_backend(ctx, other, 0, owner), -EPERM);
	assert_int_equal(hl_set_console(ctx, other, 0), 0);
	assert_int_equal(hl_set_console(ctx, owner, 0), -EPERM);
	assert_int_equal(hl_ready(ctx), 0);
	hl_unref(ctx);
}

/* Until the simulator has news; false: none for two seconds. */
static bool wait_news(struct hl_ctx *ctx)
{
	struct pollfd fd = {.fd = hl_get_fd(ctx), .events = POLLIN};

	return poll(&fd, 1, 2000) == 1 && hl_process(ctx) == 1;
}

static uint32_t owner_of(struct hl_ctx *ctx)
{
	return launch_of(ctx).console_owner;
}

static void console_is_lent(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	const uint32_t lender = owner_of(ctx), since = launch_of(ctx).nr_events;

	assert_int_equal(hl_set_console(ctx, 5, 20), 0);
	assert_int_equal(owner_of(ctx), 5);
	drain(ctx);
	assert_true(wait_news(ctx));
	assert_int_equal(owner_of(ctx), lender);
	check_event(ctx, since + 1, HL_EVENT_CONSOLE, lender, 5);
	/* The owner has nothing to give back. */
	assert_int_equal(hl_set_console(ctx, lender, 1), 0);
	/* Lent on, it returns to the first lender; asked for without a time, it stays. */
	assert_int_equal(hl_set_console(ctx, 5, 60000), 0);
	assert_int_equal(hl_set_console(ctx, 2, 20), 0);
	drain(ctx);
	assert_true(wait_news(ctx));
	assert_int_equal(owner_of(ctx), lender);
	assert_int_equal(hl_set_console(ctx, 5, 1), 0);
	assert_int_equal(hl_set_console(ctx, 5, 0), 0);
	drain(ctx);
	assert_int_equal(owner_of(ctx), 5);
	hl_unref(ctx);
}

static void lent_console_and_ends(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	const uint32_t lender = owner_of(ctx);

	/* The holder's end is the loan's. */
	assert_int_equal(hl_set_console(ctx, 5, 60000), 0);
	command(ctx, "shutdown 5 crash");
	assert_int_equal(owner_of(ctx), lender);
	assert_int_equal(hl_set_console(ctx, 5, 0), -ENXIO);
	/* The lender goes: a control domain is next. */
	assert_int_equal(hl_set_console(ctx, 20, 20), 0);
	command(ctx, "domain-remove console");
	drain(ctx);
	assert_true(wait_news(ctx));
	assert_int_equal(owner_of(ctx), 2);
	/* A control domain can resume one that is suspended. */
	command(ctx, "shutdown 2 suspend");
	assert_int_equal(owner_of(ctx), 20);
	hl_unref(ctx);
}

static void requests_without_a_launch(void **state)
{
	struct hl_ctx *ctx;

	assert_int_equal(hl_new("sim:,as=classic", NULL, NULL, &ctx), 0);
	assert_int_equal(hl_set_console(ctx, 0, 0), -ENOENT);
	assert_int_equal(hl_release(ctx, 0), -ENOENT);
	assert_int_equal(hl_adopt(ctx, 0, 0), -ENOENT);
	assert_int_equal(hl_move_console_backend(ctx, 0, 0, 0), -ENOENT);
	assert_int_equal(hl_ready(ctx), -EPERM);
	hl_unref(ctx);
	assert_int_equal(hl_new("sim:,as=unpatched", NULL, NULL, &ctx), 0);
	assert_int_equal(hl_set_console(ctx, 0, 0), -EOPNOTSUPP);
	assert_int_equal(hl_release(ctx, 0), -EOPNOTSUPP);
	assert_int_equal(hl_adopt(ctx, 0, 0), -EOPNOTSUPP);
	assert_int_equal(hl_move_console_backend(ctx, 0, 0, 0), -EOPNOTSUPP);
	assert_int_equal(hl_ready(ctx), -EOPNOTSUPP);
	hl_unref(ctx);
}

static void failure_brings_the_crash_domain(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_launch launch;

	command(ctx, "fail web no-memory memory");
	launch = launch_of(ctx);
	assert_int_equal(launch.state, HL_LAUNCH_RECOVERY);
	assert_string_equal(hl_error_name(launch.error), "no-memory");
	assert_int_equal(launch.error_domain, record_of(ctx, "web").index);
	assert_int_equal(launch.console_owner, record_of(ctx, "crash").domid);
	assert_int_equal(record_of(ctx, "crash").state, HL_DOMAIN_STARTED);
	assert_int_equal(record_of(ctx, "web").state, HL_DOMAIN_FAILED);
	assert_string_equal(record_of(ctx, "web").error_prop, "memory");
	assert_int_equal(run(ctx, "fail web no-memory"), -ENOENT);
	command(ctx, "fail crash image");
	assert_int_equal(launch_of(ctx).state, HL_LAUNCH_FAILED);
	hl_unref(ctx);
}

static void faults(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-static-basic", "");
	struct hl_launch launch = {.nr_domains = 99};
	struct hl_live_domain *live;
	size_t nr;

	command(ctx, "fault get-info EPERM 2");
	assert_int_equal(hl_get_launch(ctx, &launch), -EPERM);
	assert_int_equal(hl_get_launch(ctx, &launch), -EPERM);
	assert_int_equal(launch.nr_domains, 99);
	assert_int_equal(hl_get_launch(ctx, &launch), 0);
	command(ctx, "fault list-live 5 1");
	assert_int_equal(ctx->ops->list_live(ctx->backend, &live, &nr), -EIO);
	command(ctx, "fault list-live EIO 7");
	command(ctx, "fault list-live EIO 0");
	assert_int_equal(ctx->ops->list_live(ctx->backend, &live, &nr), 0);
	free(live);
	hl_unref(ctx);
}

static void commands_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"   ",
		"nonsense",
		"domain-add",
		"domain-add vm uuid=x",
		"domain-add vm what",
		"domain-add vm memory=-1",
		"domain-add vm vcpus=99999",
		"shutdown 1",
		"shutdown 1 sleep",
		"state",
		"state happy",
		"fault",
		"fault get-info EFOO 1",
		"fault get-all EPERM 1",
		"fault get-info EPERM many",
		"fault get-info 0 1",
		"fail 1 unheard-of",
		"memory 1 x",
		"weight 1 65536",
		"cap 1 x",
		"affinity 1",
		"figure 1 load",
		"figure 1 height 5",
		"figure 1 load 51201",
		"figure 1 paged x",
		"pause 1 2",
		"a b c d e f g h i j k l m n o p q r s t",
	};
	struct hl_ctx *ctx = sim_of("ok-static-basic", "");

	drain(ctx);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *reply;
		int r = hl_sim_command(ctx, bad[i], &reply);

		if (r != -EINVAL && r != -ERANGE)
			fail_msg("'%s': %d", bad[i], r);
		assert_non_null(reply);
		assert_int_equal(strncmp(reply, "error E", 7), 0);
		free(reply);
	}
	assert_int_equal(run(ctx, "pause 12345"), -ENOENT);
	assert_int_equal(run(ctx, "pause nobody"), -ENOENT);
	assert_int_equal(run(ctx,
			     "domain-add "
			     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
			 -ENAMETOOLONG);
	/* Nothing changed by any of them. */
	assert_int_equal(hl_process(ctx), 0);
	hl_unref(ctx);
}

struct client {
	int fd;
	struct sockaddr_un server;
};

static int unix_socket(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		abort();
	return fd;
}

static struct client client_of(const char *path)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};
	struct client client = {.server.sun_family = AF_UNIX};

	snprintf(client.server.sun_path, sizeof(client.server.sun_path), "%s", path);
	client.fd = unix_socket(SOCK_DGRAM);
	/* Only the family: the kernel picks an address. */
	assert_return_code(bind(client.fd, (struct sockaddr *)&any, sizeof(sa_family_t)), errno);
	return client;
}

static void say(const struct client *client, const void *data, size_t size)
{
	assert_int_equal(sendto(client->fd, data, size, 0, (const struct sockaddr *)&client->server,
				sizeof(client->server)),
			 size);
}

static void expect_answer(const struct client *client, const char *expected)
{
	char answer[256];
	ssize_t size = recv(client->fd, answer, sizeof(answer) - 1, MSG_DONTWAIT);

	assert_return_code(size, errno);
	answer[size] = '\0';
	assert_string_equal(answer, expected);
}

/* The answer to a word that is no error. */
static void expect_each_error(const struct client *client)
{
	char answer[8192] = " ", word[64];
	ssize_t size = recv(client->fd, answer + 1, sizeof(answer) - 3, MSG_DONTWAIT);

	assert_return_code(size, errno);
	answer[1 + size] = ' ';
	assert_non_null(strstr(answer, "no such error; these are: "));
	for (uint32_t code = LCM_OK + 1; code < LCM_NR_ERRS; code++) {
		snprintf(word, sizeof(word), " %s ", hl_error_name(code));
		assert_non_null(strstr(answer, word));
	}
}

static void control_socket(void **state)
{
	char options[128], path[100], big[5000];
	struct hl_ctx *ctx, *second;
	struct client client;
	struct stat st;

	snprintf(path, sizeof(path), "/tmp/test-sim-%d", getpid());
	snprintf(options, sizeof(options), ",control=%s", path);
	ctx = sim_of("ok-static-basic", options);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	drain(ctx);
	client = client_of(path);

	say(&client, "domain-add vm domid=77", 22);
	assert_true(readable(hl_get_fd(ctx)));
	assert_int_equal(hl_process(ctx), 1);
	expect_answer(&client, "ok 77");
	assert_true(lives(ctx, 77, NULL));

	say(&client, "bogus\n", 6);
	assert_int_equal(hl_process(ctx), 0);
	expect_answer(&client, "error EINVAL unknown command");
	say(&client, "", 0);
	say(&client, "ready\0 1", 8);
	memset(big, 'x', sizeof(big));
	say(&client, big, sizeof(big));
	assert_int_equal(hl_process(ctx), 0);
	expect_answer(&client, "error EINVAL empty command");
	expect_answer(&client, "error EINVAL NUL in the command");
	expect_answer(&client, "error EMSGSIZE command too long");
	say(&client, "shutdown 0 oops", 15);
	say(&client, "state oops", 10);
	assert_int_equal(hl_process(ctx), 0);
	expect_answer(&client, "error EINVAL no such reason; these are: poweroff reboot suspend "
			       "crash watchdog soft-reset");
	expect_answer(&client, "error EINVAL no such state; these are: none building preparing "
			       "finalizing complete recovery failed");
	say(&client, "fail 0 oops", 11);
	assert_int_equal(hl_process(ctx), 0);
	expect_each_error(&client);

	/* In use: refused, and left alone. */
	char spec[256];
	snprintf(spec, sizeof(spec), "sim:,as=classic,control=%s", path);
	assert_int_equal(hl_new(spec, NULL, NULL, &second), -EADDRINUSE);
	say(&client, "domain-remove 77", 16);
	assert_int_equal(hl_process(ctx), 1);
	expect_answer(&client, "ok");

	/* A client that went away before its answer. */
	say(&client, "pause 12345", 11);
	close(client.fd);
	assert_int_equal(hl_process(ctx), 0);
	hl_unref(ctx);
	assert_int_equal(stat(path, &st), -1);
}

static void stale_socket(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[100], spec[256];
	struct hl_ctx *ctx;
	int fd;

	snprintf(path, sizeof(path), "/tmp/test-sim-stale-%d", getpid());
	snprintf(spec, sizeof(spec), "sim:,as=classic,control=%s", path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	fd = unix_socket(SOCK_DGRAM);
	assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
	close(fd);
	assert_int_equal(hl_new(spec, NULL, NULL, &ctx), 0);
	hl_unref(ctx);

	/* Nor is a socket of another kind that somebody serves, */
	fd = unix_socket(SOCK_STREAM);
	assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
	assert_return_code(listen(fd, 1), errno);
	assert_int_equal(hl_new(spec, NULL, NULL, &ctx), -EADDRINUSE);
	close(fd);
	assert_int_equal(unlink(path), 0);

	/* nor somebody's file. */
	fd = creat(path, 0600);
	assert_return_code(fd, errno);
	close(fd);
	assert_int_equal(hl_new(spec, NULL, NULL, &ctx), -EADDRINUSE);
	assert_int_equal(unlink(path), 0);
}

static void many_domains(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-static-basic", "");
	struct hl_live_domain *live;
	int r = 0, added = 0;
	size_t nr;

	while (!r && added < 10000) {
		r = run(ctx, "domain-add vm");
		added += !r;
	}
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(ctx->ops->list_live(ctx->backend, &live, &nr), 0);
	assert_true(nr >= (size_t)added);
	free(live);
	hl_unref(ctx);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complete_launch),
		cmocka_unit_test(same_each_time),
		cmocka_unit_test(events_since),
		cmocka_unit_test(bad_lcm_is_a_failed_launch),
		cmocka_unit_test(bad_lcm_with_a_sound_crash_domain),
		cmocka_unit_test(specs_refused),
		cmocka_unit_test(without_hyperlaunch),
		cmocka_unit_test(post_boot_domains),
		cmocka_unit_test(weak_hardware_domain),
		cmocka_unit_test(silence),
		cmocka_unit_test(placement),
		cmocka_unit_test(figures_move),
		cmocka_unit_test(figures_are_set),
		cmocka_unit_test(vcpus),
		cmocka_unit_test(lifecycle),
		cmocka_unit_test(console_moves),
		cmocka_unit_test(requests),
		cmocka_unit_test(requests_refused),
		cmocka_unit_test(events_as_a_list),
		cmocka_unit_test(domain_adopted),
		cmocka_unit_test(domain_adopted_again),
		cmocka_unit_test(console_role_adopted),
		cmocka_unit_test(adoption_refused),
		cmocka_unit_test(handle_set),
		cmocka_unit_test(pauses_are_counted),
		cmocka_unit_test(pauses_refused),
		cmocka_unit_test(pauses_of_a_held_domain),
		cmocka_unit_test(output_is_kept),
		cmocka_unit_test(requests_without_control),
		cmocka_unit_test(console_is_lent),
		cmocka_unit_test(lent_console_and_ends),
		cmocka_unit_test(requests_without_a_launch),
		cmocka_unit_test(failure_brings_the_crash_domain),
		cmocka_unit_test(faults),
		cmocka_unit_test(commands_refused),
		cmocka_unit_test(control_socket),
		cmocka_unit_test(stale_socket),
		cmocka_unit_test(many_domains),
	};

	if (!set_fixture_dir(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
