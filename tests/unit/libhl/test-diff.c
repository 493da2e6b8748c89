// SPDX-License-Identifier: LGPL-2.1-or-later
/* Changes between two tables. */
#include "make.h"

#include <stdio.h>
#include <string.h>

#define EVERYTHING                                                                            \
	(HL_SUMMARY_STATE | HL_SUMMARY_ROLES | HL_SUMMARY_CONSOLE_OWNER | HL_SUMMARY_COUNTS | \
	 HL_SUMMARY_ERROR | HL_SUMMARY_OTHER | HL_SUMMARY_EVENTS)

/* The diff over one command.  A diff keeps its tables. */
static struct hl_diff *diff_over(struct hl_ctx *ctx, const char *text)
{
	struct hl_table *before = table_of(ctx), *after;
	struct hl_diff *diff;

	command(ctx, text);
	after = table_of(ctx);
	assert_int_equal(hl_diff_new(before, after, &diff), 0);
	hl_table_unref(before);
	hl_table_unref(after);
	return diff;
}

static void check_changed(struct hl_ctx *ctx, const char *text, const char *name, uint32_t fields,
			  uint32_t summary)
{
	struct hl_diff *diff = diff_over(ctx, text);
	const struct hl_change *change = hl_diff_get(diff, 0);

	assert_int_equal(hl_diff_nr_changes(diff), 1);
	assert_int_equal(change->type, HL_CHANGE_CHANGED);
	assert_string_equal(change->after->name, name);
	assert_int_equal(change->before->domid, change->after->domid);
	if (change->fields != fields)
		fail_msg("'%s': fields %#x instead of %#x", text, change->fields, fields);
	assert_int_equal(hl_diff_summary(diff), summary);
	assert_null(hl_diff_get(diff, 1));
	hl_diff_free(diff);
}

static void first_table(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_table *table = table_of(ctx);
	struct hl_diff *diff;

	assert_int_equal(hl_diff_new(NULL, table, &diff), 0);
	hl_table_unref(table);
	assert_int_equal(hl_diff_nr_changes(diff), 8);
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(hl_diff_get(diff, i)->type, HL_CHANGE_ADDED);
		assert_null(hl_diff_get(diff, i)->before);
	}
	assert_int_equal(hl_diff_summary(diff), EVERYTHING);
	hl_diff_free(diff);
	hl_unref(ctx);
}

static void fields(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");

	check_changed(ctx, "pause web", "web", HL_FIELD_STATE | HL_FIELD_REASON, 0);
	check_changed(ctx, "unpause web", "web", HL_FIELD_STATE | HL_FIELD_REASON, 0);
	check_changed(ctx, "ready web", "web", HL_FIELD_STATE | HL_FIELD_TIMES, HL_SUMMARY_EVENTS);
	check_changed(ctx, "rename web www", "www", HL_FIELD_NAME | HL_FIELD_DRIFT, 0);
	check_changed(ctx, "handle www 00112233-4455-6677-8899-aabbccddeeff", "www",
		      HL_FIELD_HANDLE | HL_FIELD_DRIFT, 0);
	check_changed(ctx, "memory www 65536", "www",
		      HL_FIELD_MEMORY_MAX | HL_FIELD_MEMORY_CURRENT | HL_FIELD_DRIFT, 0);
	check_changed(ctx, "release db", "db", HL_FIELD_STATE | HL_FIELD_REASON | HL_FIELD_TIMES,
		      HL_SUMMARY_EVENTS);
	check_changed(ctx, "shutdown db poweroff", "db", HL_FIELD_STATE | HL_FIELD_REASON,
		      HL_SUMMARY_EVENTS);
	check_changed(ctx, "domain-remove hw", "hw",
		      HL_FIELD_STATE | HL_FIELD_REASON | HL_FIELD_ROLES | HL_FIELD_LIVE |
			      HL_FIELD_HANDLE | HL_FIELD_MEMORY_MAX | HL_FIELD_MEMORY_CURRENT |
			      HL_FIELD_VCPUS_MAX | HL_FIELD_VCPUS_ONLINE,
		      HL_SUMMARY_ROLES | HL_SUMMARY_EVENTS);
	hl_unref(ctx);
}

static void added_and_removed(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-static-basic", "");
	struct hl_diff *diff = diff_over(ctx, "domain-add vm domid=50");

	assert_int_equal(hl_diff_nr_changes(diff), 1);
	assert_int_equal(hl_diff_get(diff, 0)->type, HL_CHANGE_ADDED);
	assert_string_equal(hl_diff_get(diff, 0)->after->name, "vm");
	assert_int_equal(hl_diff_summary(diff), 0);
	hl_diff_free(diff);
	diff = diff_over(ctx, "domain-remove vm");
	assert_int_equal(hl_diff_nr_changes(diff), 1);
	assert_int_equal(hl_diff_get(diff, 0)->type, HL_CHANGE_REMOVED);
	assert_string_equal(hl_diff_get(diff, 0)->before->name, "vm");
	assert_null(hl_diff_get(diff, 0)->after);
	hl_diff_free(diff);
	hl_unref(ctx);
}

/* One domid, two lives: a removal and an addition, in this order. */
static void replaced(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-static-basic", "");
	struct hl_table *before, *after;
	struct hl_diff *diff;

	command(ctx, "domain-add a domid=50 uuid=00000000-0000-0000-0000-000000000001");
	before = table_of(ctx);
	command(ctx, "domain-remove a");
	command(ctx, "domain-add b domid=50 uuid=00000000-0000-0000-0000-000000000002");
	after = table_of(ctx);
	assert_int_equal(hl_diff_new(before, after, &diff), 0);
	assert_int_equal(hl_diff_nr_changes(diff), 2);
	assert_int_equal(hl_diff_get(diff, 0)->type, HL_CHANGE_REMOVED);
	assert_string_equal(hl_diff_get(diff, 0)->before->name, "a");
	assert_int_equal(hl_diff_get(diff, 1)->type, HL_CHANGE_ADDED);
	assert_string_equal(hl_diff_get(diff, 1)->after->name, "b");
	hl_diff_free(diff);
	hl_table_unref(before);
	hl_table_unref(after);
	hl_unref(ctx);
}

static void order_of_kinds(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_table *before, *after;
	struct hl_diff *diff;

	command(ctx, "domain-add old domid=300");
	before = table_of(ctx);
	command(ctx, "pause store");
	command(ctx, "domain-add new domid=299");
	command(ctx, "domain-remove old");
	command(ctx, "pause web");
	after = table_of(ctx);
	assert_int_equal(hl_diff_new(before, after, &diff), 0);
	assert_int_equal(hl_diff_nr_changes(diff), 4);
	assert_int_equal(hl_diff_get(diff, 0)->type, HL_CHANGE_REMOVED);
	assert_int_equal(hl_diff_get(diff, 1)->type, HL_CHANGE_ADDED);
	assert_string_equal(hl_diff_get(diff, 2)->after->name, "store");
	assert_string_equal(hl_diff_get(diff, 3)->after->name, "web");
	hl_table_unref(before);
	hl_table_unref(after);
	/* The diff has references of its own. */
	assert_string_equal(hl_diff_get(diff, 0)->before->name, "old");
	hl_diff_free(diff);
	hl_unref(ctx);
}

static void summary(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_diff *diff = diff_over(ctx, "console control");

	assert_int_equal(hl_diff_summary(diff), HL_SUMMARY_CONSOLE_OWNER | HL_SUMMARY_EVENTS);
	/* The role goes with it. */
	assert_int_equal(hl_diff_nr_changes(diff), 2);
	assert_string_equal(hl_diff_get(diff, 0)->after->name, "control");
	assert_int_equal(hl_diff_get(diff, 0)->fields, HL_FIELD_ROLES);
	assert_string_equal(hl_diff_get(diff, 1)->after->name, "console");
	assert_int_equal(hl_diff_get(diff, 1)->fields, HL_FIELD_ROLES);
	hl_diff_free(diff);
	diff = diff_over(ctx, "fail web image kernel");
	assert_int_equal(hl_diff_summary(diff), HL_SUMMARY_STATE | HL_SUMMARY_CONSOLE_OWNER |
							HL_SUMMARY_COUNTS | HL_SUMMARY_ERROR |
							HL_SUMMARY_OTHER | HL_SUMMARY_EVENTS);
	hl_diff_free(diff);
	hl_unref(ctx);
}

/* Fields that the simulator has no command for: each alone makes just its bit. */
static struct hl_table *table_with(void (*change)(struct hl_snapshot *))
{
	struct hl_snapshot *s = make_snapshot(1, 1, 1);
	struct hl_table *table;

	make_record(s, 0, "web", 5, HL_DOMAIN_STARTED);
	make_live(s, 0, 5);
	s->domains[0].kernel = 1;
	if (change)
		change(s);
	assert_int_equal(hl_table_new(s, &table), 0);
	hl_snapshot_free(s);
	return table;
}

static void change_uuid(struct hl_snapshot *s)
{
	s->domains[0].uuid[3] = 1;
}
static void change_handle(struct hl_snapshot *s)
{
	s->live[0].handle[3] = 1;
}
static void change_permissions(struct hl_snapshot *s)
{
	s->domains[0].permissions = 1u << 9;
}
static void change_functions(struct hl_snapshot *s)
{
	s->domains[0].functions = 1u << 9;
}
static void change_mode(struct hl_snapshot *s)
{
	s->domains[0].mode = HL_MODE_PV;
}
static void change_role(struct hl_snapshot *s)
{
	s->launch.xenstore_domid = 5;
}
static void change_current(struct hl_snapshot *s)
{
	s->live[0].memory_current--;
}
static void change_vcpus(struct hl_snapshot *s)
{
	s->live[0].vcpus_max++;
}
static void change_online(struct hl_snapshot *s)
{
	s->live[0].vcpus_online--;
}
static void change_label(struct hl_snapshot *s)
{
	s->live[0].label[0] = 'l';
}
static void change_error(struct hl_snapshot *s)
{
	s->domains[0].errnum = 1;
}
static void change_store(struct hl_snapshot *s)
{
	s->domains[0].store_port = 1;
}
static void change_console(struct hl_snapshot *s)
{
	s->domains[0].console_gfn = 1;
}
static void change_digest(struct hl_snapshot *s)
{
	s->modules[0].sha256[0] = 1;
}

static void weak_hardware_domain(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_diff *diff = diff_over(ctx, "weak-hwdom on");

	assert_int_equal(hl_diff_summary(diff), HL_SUMMARY_OTHER);
	assert_int_equal(hl_diff_nr_changes(diff), 0);
	hl_diff_free(diff);
	hl_unref(ctx);
}

static void single_fields(void **state)
{
	static const struct {
		void (*change)(struct hl_snapshot *);
		uint32_t field;
	} cases[] = {
		{change_uuid, HL_FIELD_UUID},
		{change_handle, HL_FIELD_HANDLE},
		{change_permissions, HL_FIELD_PERMISSIONS},
		{change_functions, HL_FIELD_FUNCTIONS},
		{change_mode, HL_FIELD_MODE},
		{change_role, HL_FIELD_ROLES},
		{change_current, HL_FIELD_MEMORY_CURRENT},
		{change_vcpus, HL_FIELD_VCPUS_MAX},
		{change_online, HL_FIELD_VCPUS_ONLINE},
		{change_label, HL_FIELD_SECURITY_LABEL},
		{change_error, HL_FIELD_ERROR},
		{change_store, HL_FIELD_STORE},
		{change_console, HL_FIELD_CONSOLE},
		{change_digest, HL_FIELD_MODULES},
	};
	struct hl_table *before = table_with(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hl_table *after = table_with(cases[i].change);
		struct hl_diff *diff;

		assert_int_equal(hl_diff_new(before, after, &diff), 0);
		assert_int_equal(hl_diff_nr_changes(diff), 1);
		assert_int_equal(hl_diff_get(diff, 0)->fields, cases[i].field);
		hl_diff_free(diff);
		hl_table_unref(after);
	}
	hl_table_unref(before);
}

/* What moves from each table to the next would make each domain a change. */
static void figures_are_no_change(void **state)
{
	struct hl_snapshot *s = make_snapshot(0, 0, 1);
	struct hl_table *before, *after;
	struct hl_diff *diff;

	make_live(s, 0, 5);
	assert_int_equal(hl_table_new(s, &before), 0);
	s->live[0].cpu_time_ns = 1;
	s->live[0].memory_outstanding = 4096;
	s->live[0].memory_shared = 4096;
	s->live[0].memory_paged = 4096;
	assert_int_equal(hl_table_new(s, &after), 0);
	assert_true(hl_table_get(after, 0)->cpu_time_ns == 1);
	assert_int_equal(hl_diff_new(before, after, &diff), 0);
	assert_int_equal(hl_diff_nr_changes(diff), 0);
	hl_diff_free(diff);
	hl_table_unref(before);
	hl_table_unref(after);
	hl_snapshot_free(s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_table),		 cmocka_unit_test(fields),
		cmocka_unit_test(added_and_removed),	 cmocka_unit_test(replaced),
		cmocka_unit_test(order_of_kinds),	 cmocka_unit_test(summary),
		cmocka_unit_test(single_fields),	 cmocka_unit_test(weak_hardware_domain),
		cmocka_unit_test(figures_are_no_change),
	};

	if (!set_fixture_dir(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
