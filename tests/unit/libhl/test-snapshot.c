// SPDX-License-Identifier: LGPL-2.1-or-later
/* Snapshots: what is read, what may be missing, what happens when it changes. */
#include "make.h"

#include <errno.h>
#include <string.h>

#include "ctx.h"

static void whole(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_snapshot *s;

	assert_int_equal(hl_snapshot_read(ctx, &s), 0);
	assert_true(s->available);
	assert_int_equal(s->launch.nr_domains, 8);
	assert_string_equal(s->domains[7].name, "db");
	assert_int_equal(s->modules[5].index, 6);
	assert_int_equal(hl_snapshot_nr_live(s), 7);
	assert_int_equal(hl_snapshot_get_live(s, 0)->domid, 1);
	assert_non_null(hl_snapshot_get_live(s, 6));
	assert_null(hl_snapshot_get_live(s, 7));
	assert_non_null(hl_snapshot_lcm(s));
	assert_int_equal(hl_snapshot_set_name(s, 1, "renamed"), 0);
	assert_int_equal(hl_snapshot_set_name(s, 1, "again"), 0);
	assert_int_equal(hl_snapshot_set_name(s, 2, NULL), 0);
	assert_int_equal(hl_snapshot_set_name(s, 12345, "x"), -ENOENT);
	hl_snapshot_free(s);
	hl_unref(ctx);
}

/* Each of these goes through hl_snapshot_read() once. */
static int read_with_fault(const char *fault, struct hl_snapshot **ret_snapshot)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	int r;

	command(ctx, fault);
	r = hl_snapshot_read(ctx, ret_snapshot);
	hl_unref(ctx);
	return r;
}

static void gaps(void **state)
{
	struct hl_snapshot *s;

	assert_int_equal(read_with_fault("fault get-info EPERM 1", &s), 0);
	assert_false(s->available);
	assert_int_equal(s->launch.state, HL_LAUNCH_UNKNOWN);
	assert_int_equal(s->nr_live, 7);
	hl_snapshot_free(s);
	assert_int_equal(read_with_fault("fault get-info EOPNOTSUPP 1", &s), 0);
	assert_false(s->available);
	hl_snapshot_free(s);
	assert_int_equal(read_with_fault("fault read-lcm EPERM 1", &s), 0);
	assert_true(s->available);
	assert_null(s->lcm);
	assert_int_equal(s->lcm_error.code, 0);
	hl_snapshot_free(s);
}

static void errors(void **state)
{
	struct hl_snapshot *s = NULL;

	assert_int_equal(read_with_fault("fault get-info EIO 1", &s), -EIO);
	assert_int_equal(read_with_fault("fault get-domain EPROTO 1", &s), -EPROTO);
	assert_int_equal(read_with_fault("fault get-module EBADMSG 1", &s), -EBADMSG);
	assert_int_equal(read_with_fault("fault read-lcm ENOMEM 1", &s), -ENOMEM);
	assert_int_equal(read_with_fault("fault list-live EPERM 1", &s), -EPERM);
	assert_null(s);
}

/* A record that is gone for a moment makes it start over; one that never comes back is nonsense. */
static void vanishing_record(void **state)
{
	struct hl_snapshot *s;

	assert_int_equal(read_with_fault("fault get-domain ENOENT 3", &s), 0);
	assert_string_equal(s->domains[0].name, "boot");
	s = hl_snapshot_free(s);
	assert_int_equal(read_with_fault("fault get-domain ENOENT 1000", &s), -EBADMSG);
}

/* A hypervisor in which something happens each time the domains are listed. */
static struct {
	struct hl_launch launch;
	unsigned int lists, changes;
	uint32_t domids[2];
} busy;

static int busy_launch(void *backend, struct hl_launch *ret_launch)
{
	*ret_launch = busy.launch;
	return 0;
}

static int busy_live(void *backend, struct hl_live_domain **ret_domains, size_t *ret_nr)
{
	struct hl_live_domain *live = calloc(2, sizeof(*live));

	assert_non_null(live);
	live[0].domid = busy.domids[0];
	live[1].domid = busy.domids[1];
	*ret_domains = live;
	*ret_nr = 2;
	busy.lists++;
	if (busy.changes) {
		busy.changes--;
		busy.launch.nr_events++;
	}
	return 0;
}

static void busy_close(void *backend)
{
}

static struct hl_ctx *busy_ctx(unsigned int changes, uint32_t first, uint32_t second)
{
	static const struct backend_ops ops = {
		.name = "busy",
		.close = busy_close,
		.get_launch = busy_launch,
		.list_live = busy_live,
	};
	struct hl_ctx *ctx = calloc(1, sizeof(*ctx));

	assert_non_null(ctx);
	busy.launch = (struct hl_launch){.state = HL_LAUNCH_COMPLETE};
	busy.lists = 0;
	busy.changes = changes;
	busy.domids[0] = first;
	busy.domids[1] = second;
	ctx->refs = 1;
	ctx->ops = &ops;
	ctx->backend = &busy;
	return ctx;
}

static void starts_over_on_change(void **state)
{
	struct hl_ctx *ctx = busy_ctx(2, 1, 2);
	struct hl_snapshot *s;

	assert_int_equal(hl_snapshot_read(ctx, &s), 0);
	assert_int_equal(busy.lists, 3);
	assert_int_equal(s->launch.nr_events, 2);
	hl_snapshot_free(s);
	hl_unref(ctx);
}

static void gives_up_waiting_for_quiet(void **state)
{
	struct hl_ctx *ctx = busy_ctx(1000, 1, 2);
	struct hl_snapshot *s;

	assert_int_equal(hl_snapshot_read(ctx, &s), 0);
	assert_in_range(busy.lists, 2, 20);
	hl_snapshot_free(s);
	hl_unref(ctx);
}

static void live_out_of_order(void **state)
{
	struct hl_ctx *ctx = busy_ctx(0, 2, 2);
	struct hl_snapshot *s = NULL;

	assert_int_equal(hl_snapshot_read(ctx, &s), -EBADMSG);
	assert_null(s);
	hl_unref(ctx);
}

/* One context reads and parses it once: the second read is not asked for. */
static void lcm_read_once(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_snapshot *a, *b;

	assert_int_equal(hl_snapshot_read(ctx, &a), 0);
	command(ctx, "fault read-lcm EIO 1000");
	assert_int_equal(hl_snapshot_read(ctx, &b), 0);
	assert_ptr_equal(a->lcm, b->lcm);
	hl_unref(ctx);
	assert_int_equal(hl_lcm_nr_domains(a->lcm), 8);
	hl_snapshot_free(a);
	assert_int_equal(hl_lcm_nr_domains(b->lcm), 8);
	hl_snapshot_free(b);
}

static void modules_read_once(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_snapshot *a, *b;

	assert_int_equal(hl_snapshot_read(ctx, &a), 0);
	command(ctx, "fault get-module EIO 1000");
	assert_int_equal(hl_snapshot_read(ctx, &b), 0);
	hl_unref(ctx);
	assert_true(a->launch.nr_modules > 5);
	assert_int_equal(b->launch.nr_modules, a->launch.nr_modules);
	assert_memory_equal(b->modules, a->modules, a->launch.nr_modules * sizeof(*a->modules));
	hl_snapshot_free(a);
	hl_snapshot_free(b);
}

/* One that could not be read is asked for again. */
static void modules_read_again_after_failure(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_snapshot *s = NULL;

	command(ctx, "fault get-module EIO 1");
	assert_int_equal(hl_snapshot_read(ctx, &s), -EIO);
	assert_int_equal(hl_snapshot_read(ctx, &s), 0);
	assert_int_equal(s->modules[5].index, 6);
	hl_snapshot_free(s);
	hl_unref(ctx);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(gaps),
		cmocka_unit_test(errors),
		cmocka_unit_test(vanishing_record),
		cmocka_unit_test(starts_over_on_change),
		cmocka_unit_test(gives_up_waiting_for_quiet),
		cmocka_unit_test(live_out_of_order),
		cmocka_unit_test(lcm_read_once),
		cmocka_unit_test(modules_read_once),
		cmocka_unit_test(modules_read_again_after_failure),
	};

	if (!set_fixture_dir(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
