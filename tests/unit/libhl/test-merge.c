// SPDX-License-Identifier: LGPL-2.1-or-later
/* The rows that come of LCM, records and live domains. */
#include "make.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct hl_table *merge(struct hl_snapshot *s)
{
	struct hl_table *table;

	assert_int_equal(hl_table_new(s, &table), 0);
	hl_snapshot_free(s);
	return table;
}

/* One initial domain, its record in a state and its live domain as set up. */
static struct hl_snapshot *one(enum hl_domain_state state)
{
	struct hl_snapshot *s = make_snapshot(1, 0, 1);

	make_record(s, 0, "web", 5, state);
	make_live(s, 0, 5);
	return s;
}

static void check_state(struct hl_snapshot *s, enum hl_domain_state state, const char *reason)
{
	struct hl_table *table = merge(s);
	const struct hl_domain *row = row_named(table, "web");

	assert_string_equal(hl_domain_state_name(row->state), hl_domain_state_name(state));
	assert_string_equal(row->reason, reason);
	hl_table_unref(table);
}

static void started_and_ready(void **state)
{
	check_state(one(HL_DOMAIN_STARTED), HL_DOMAIN_STARTED, "");
	check_state(one(HL_DOMAIN_READY), HL_DOMAIN_READY, "");
}

static void paused_by_toolstack(void **state)
{
	struct hl_snapshot *s = one(HL_DOMAIN_READY);

	s->live[0].paused = true;
	check_state(s, HL_DOMAIN_PAUSED, "paused by a toolstack");
}

static void waiting(void **state)
{
	static const struct {
		enum hl_domain_state state;
		const char *reason;
	} cases[] = {
		{HL_DOMAIN_BUILT, "waits for the launch to complete"},
		{HL_DOMAIN_HELD, "held by the LCM"},
		{HL_DOMAIN_PAUSED, "kept for a failed launch"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hl_snapshot *s = one(cases[i].state);

		s->live[0].paused = true;
		check_state(s, cases[i].state, cases[i].reason);
		check_state(one(cases[i].state), HL_DOMAIN_STARTED, "unpaused by a toolstack");
	}
}

static void shutdown_and_dying(void **state)
{
	struct hl_snapshot *s = one(HL_DOMAIN_STARTED);

	s->live[0].shutdown = true;
	s->live[0].shutdown_code = 3;
	check_state(s, HL_DOMAIN_SHUTDOWN, "crash");
	s = one(HL_DOMAIN_STARTED);
	s->live[0].shutdown = s->live[0].dying = true;
	check_state(s, HL_DOMAIN_DYING, "poweroff");
	s = one(HL_DOMAIN_STARTED);
	s->live[0].dying = true;
	check_state(s, HL_DOMAIN_DYING, "");
}

static void gone(void **state)
{
	struct hl_snapshot *s = make_snapshot(1, 0, 0);

	make_record(s, 0, "web", 5, HL_DOMAIN_STARTED);
	check_state(s, HL_DOMAIN_RECLAIMED, "no longer exists");
	s = make_snapshot(1, 0, 0);
	make_record(s, 0, "web", 5, HL_DOMAIN_RECLAIMED);
	check_state(s, HL_DOMAIN_RECLAIMED, "destroyed");
	s = make_snapshot(1, 0, 0);
	make_record(s, 0, "web", 5, HL_DOMAIN_RECLAIMED);
	s->domains[0].functions = HL_FUNC_BOOT;
	check_state(s, HL_DOMAIN_RECLAIMED, "the boot domain has finished");
}

static void failed_has_the_error(void **state)
{
	struct hl_snapshot *s = make_snapshot(1, 0, 0);
	const struct hl_domain *row;
	struct hl_table *table;

	make_record(s, 0, "web", HL_NO_DOMID, HL_DOMAIN_FAILED);
	s->domains[0].error = LCM_ERR_NO_MEMORY;
	s->domains[0].errnum = ENOMEM;
	snprintf(s->domains[0].error_prop, HL_PROP_SIZE, "memory");
	table = merge(s);
	row = row_named(table, "web");
	assert_string_equal(row->reason, lcm_strerror(LCM_ERR_NO_MEMORY));
	assert_string_equal(row->error_text, lcm_strerror(LCM_ERR_NO_MEMORY));
	assert_string_equal(row->error_prop, "memory");
	assert_int_equal(row->errnum, ENOMEM);
	assert_int_equal(hl_table_summary(table)->failed, 1);
	assert_int_equal(hl_table_summary(table)->built, 0);
	hl_table_unref(table);
}

static void post_boot(void **state)
{
	struct hl_snapshot *s = make_snapshot(0, 0, 4);
	const struct hl_domain *row;
	struct hl_table *table;

	for (uint32_t i = 0; i < 4; i++)
		make_live(s, i, 10 + i);
	s->live[1].paused = true;
	s->live[2].shutdown = true;
	s->live[3].dying = true;
	s->live[3].hvm = false;
	memset(s->live[0].handle, 7, 16);
	assert_int_equal(hl_snapshot_set_name(s, 10, "vm"), 0);
	table = merge(s);
	row = row_named(table, "vm");
	assert_int_equal(row->origin, HL_ORIGIN_POST_BOOT);
	assert_int_equal(row->domid, 10);
	assert_int_equal(row->requested_domid, HL_NO_DOMID);
	assert_int_equal(row->index, HL_NO_INDEX);
	assert_int_equal(row->state, HL_DOMAIN_RUNNING);
	assert_true(row->generation);
	assert_string_equal(row->uuid_text, "07070707-0707-0707-0707-070707070707");
	assert_string_equal(row->handle_text, row->uuid_text);
	assert_string_equal(hl_table_get(table, 1)->handle_text,
			    "00000000-0000-0000-0000-000000000000");
	assert_int_equal(hl_table_get(table, 1)->state, HL_DOMAIN_PAUSED);
	assert_int_equal(hl_table_get(table, 2)->state, HL_DOMAIN_SHUTDOWN);
	assert_string_equal(hl_table_get(table, 2)->reason, "poweroff");
	assert_int_equal(hl_table_get(table, 3)->state, HL_DOMAIN_DYING);
	assert_int_equal(hl_table_get(table, 3)->mode, HL_MODE_PV);
	hl_table_unref(table);
}

/* A handle that a toolstack gave it is not its UUID. */
static void handle_of_an_initial_domain(void **state)
{
	struct hl_snapshot *s = one(HL_DOMAIN_STARTED);
	const struct hl_domain *row;
	struct hl_table *table;

	memset(s->live[0].handle, 9, 16);
	table = merge(s);
	row = hl_table_get(table, 0);
	assert_string_equal(row->uuid_text, "00000000-0000-0000-0000-000000000000");
	assert_string_equal(row->handle_text, "09090909-0909-0909-0909-090909090909");
	assert_int_equal(row->generation, 0);
	hl_table_unref(table);
}

/* A reclaimed initial domain, and a later one with its domid, are two rows. */
static void reused_domid(void **state)
{
	struct hl_snapshot *s = one(HL_DOMAIN_RECLAIMED);
	const struct hl_domain *row;
	struct hl_table *table;

	s->live[0].handle[0] = 1;
	table = merge(s);
	assert_int_equal(hl_table_nr_domains(table), 2);
	assert_int_equal(hl_table_get(table, 0)->origin, HL_ORIGIN_BOOT);
	assert_int_equal(hl_table_get(table, 0)->generation, 0);
	assert_false(hl_table_get(table, 0)->live);
	assert_int_equal(hl_table_find_domid(table, 5, &row), 0);
	assert_int_equal(row->origin, HL_ORIGIN_POST_BOOT);
	hl_table_unref(table);
}

/* It is another row than that of the domain before it, which had the same domid. */
static void adopted(void **state)
{
	struct hl_snapshot *s = one(HL_DOMAIN_BUILT);
	const struct hl_domain *row;
	struct hl_table *table;

	s->domains[0].adoption = 3;
	s->live[0].paused = true;
	table = merge(s);
	assert_int_equal(hl_table_nr_domains(table), 1);
	assert_int_equal(hl_table_find(table, 5, 3, &row), 0);
	assert_true(row->adopted);
	assert_int_equal(row->origin, HL_ORIGIN_BOOT);
	assert_int_equal(row->index, 0);
	assert_int_equal(row->state, HL_DOMAIN_BUILT);
	assert_string_equal(row->reason, "adopted, waits for its toolstack");
	hl_table_unref(table);
	table = merge(one(HL_DOMAIN_BUILT));
	assert_false(hl_table_get(table, 0)->adopted);
	hl_table_unref(table);
}

/* One has been reclaimed, and its domid was given to the domain that another one adopted. */
static void adopted_with_the_domid_of_another_record(void **state)
{
	struct hl_snapshot *s = make_snapshot(2, 0, 1);
	const struct hl_domain *row;
	struct hl_table *table;

	make_record(s, 0, "a", 5, HL_DOMAIN_RECLAIMED);
	make_record(s, 1, "b", 5, HL_DOMAIN_READY);
	s->domains[1].adoption = 1;
	make_live(s, 0, 5);
	table = merge(s);
	assert_int_equal(hl_table_nr_domains(table), 2);
	assert_int_equal(hl_table_find(table, 5, 0, &row), 0);
	assert_string_equal(row->name, "a");
	assert_false(row->live);
	assert_int_equal(hl_table_find_domid(table, 5, &row), 0);
	assert_string_equal(row->name, "b");
	assert_true(row->live && row->adopted);
	hl_table_unref(table);
}

static uint64_t generation_of(uint8_t byte)
{
	struct hl_snapshot *s = make_snapshot(0, 0, 1);
	struct hl_table *table;
	uint64_t generation;

	make_live(s, 0, 5)->handle[15] = byte;
	table = merge(s);
	generation = hl_table_get(table, 0)->generation;
	hl_table_unref(table);
	return generation;
}

static void generation_is_stateless(void **state)
{
	assert_int_equal(generation_of(1), generation_of(1));
	assert_int_not_equal(generation_of(1), generation_of(2));
	assert_int_not_equal(generation_of(0), 0);
	assert_true(generation_of(1) <= UINT32_MAX);
}

static void without_domid(void **state)
{
	struct hl_snapshot *s = make_snapshot(3, 0, 1);
	struct hl_table *table;

	make_record(s, 0, "a", HL_NO_DOMID, HL_DOMAIN_PLANNED);
	make_record(s, 1, "b", 9, HL_DOMAIN_STARTED);
	make_record(s, 2, "c", HL_NO_DOMID, HL_DOMAIN_PLANNED);
	make_live(s, 0, 9);
	table = merge(s);
	assert_string_equal(hl_table_get(table, 0)->name, "b");
	assert_string_equal(hl_table_get(table, 1)->name, "a");
	assert_string_equal(hl_table_get(table, 2)->name, "c");
	assert_int_equal(hl_table_get(table, 1)->generation, 0);
	assert_int_equal(hl_table_get(table, 2)->generation, 2);
	assert_int_equal(hl_table_summary(table)->built, 1);
	hl_table_unref(table);
}

/* Xen has the records in the LCM's order, which need not be that of the domids. */
static void rows_rise_by_domid(void **state)
{
	static const uint32_t domids[] = {3, 5, 5, 90, 100, 150, 200, HL_NO_DOMID};
	struct hl_snapshot *s = make_snapshot(4, 0, 5);
	struct hl_table *table;

	make_record(s, 0, "a", HL_NO_DOMID, HL_DOMAIN_FAILED);
	make_record(s, 1, "b", 200, HL_DOMAIN_RECLAIMED);
	make_record(s, 2, "c", 100, HL_DOMAIN_STARTED);
	make_record(s, 3, "d", 5, HL_DOMAIN_RECLAIMED);
	make_live(s, 0, 3);
	make_live(s, 1, 5);
	make_live(s, 2, 90);
	make_live(s, 3, 100);
	make_live(s, 4, 150);
	table = merge(s);
	assert_int_equal(hl_table_nr_domains(table), ARRAY_SIZE(domids));
	for (uint32_t i = 0; i < ARRAY_SIZE(domids); i++)
		assert_int_equal(hl_table_get(table, i)->domid, domids[i]);
	assert_string_equal(hl_table_get(table, 1)->name, "d");
	assert_string_equal(hl_table_get(table, 4)->name, "c");
	assert_string_equal(hl_table_get(table, 6)->name, "b");
	hl_table_unref(table);
}

static void two_records_one_domid(void **state)
{
	struct hl_snapshot *s = make_snapshot(2, 0, 0);
	struct hl_table *table = NULL;

	make_record(s, 0, "a", 5, HL_DOMAIN_RECLAIMED);
	make_record(s, 1, "b", 5, HL_DOMAIN_RECLAIMED);
	assert_int_equal(hl_table_new(s, &table), -EBADMSG);
	assert_null(table);
	hl_snapshot_free(s);
}

static void roles_of(struct hl_snapshot *s, uint32_t expected)
{
	struct hl_table *table = merge(s);

	assert_int_equal(row_named(table, "web")->roles, expected);
	hl_table_unref(table);
}

static void roles(void **state)
{
	struct hl_snapshot *s = one(HL_DOMAIN_STARTED);

	s->domains[0].permissions = HL_PERM_CONTROL | HL_PERM_HARDWARE;
	s->domains[0].functions = HL_FUNC_CONSOLE | HL_FUNC_LEGACY_DOM0;
	s->launch.console_owner = 5;
	roles_of(s, 1u << HL_ROLE_CONTROL | 1u << HL_ROLE_HARDWARE | 1u << HL_ROLE_CONSOLE |
			    1u << HL_ROLE_LEGACY_DOM0);

	/* The console has been handed to it, and what was its function's to another. */
	s = one(HL_DOMAIN_STARTED);
	s->launch.console_domid = 6;
	s->launch.console_owner = 5;
	roles_of(s, 1u << HL_ROLE_CONSOLE);

	/* Nobody has it: the function alone does not make the role. */
	s = one(HL_DOMAIN_STARTED);
	s->domains[0].functions = HL_FUNC_CONSOLE;
	s->launch.console_domid = 5;
	roles_of(s, 0);

	/* Where Xen says nothing of owners, the function does. */
	s = one(HL_DOMAIN_STARTED);
	s->launch.state = HL_LAUNCH_UNKNOWN;
	s->domains[0].functions = HL_FUNC_CONSOLE;
	roles_of(s, 1u << HL_ROLE_CONSOLE);

	/* Xen says that somebody else has it now. */
	s = one(HL_DOMAIN_STARTED);
	s->domains[0].functions = HL_FUNC_CONSOLE | HL_FUNC_CRASH;
	s->launch.console_domid = s->launch.console_owner = 6;
	s->launch.xenstore_domid = 5;
	roles_of(s, 1u << HL_ROLE_CRASH | 1u << HL_ROLE_XENSTORE);

	s = one(HL_DOMAIN_RECLAIMED);
	s->nr_live = 0;
	s->domains[0].functions = HL_FUNC_BOOT;
	s->launch.boot_domid = 5;
	roles_of(s, 0);
}

static void classic_boot(void **state)
{
	struct hl_snapshot *s = make_snapshot(0, 0, 2);
	const struct hl_domain *row;
	struct hl_table *table;

	s->launch.state = HL_LAUNCH_NONE;
	s->launch.hardware_domid = 0;
	make_live(s, 0, 0);
	make_live(s, 1, 1);
	table = merge(s);
	row = hl_table_get(table, 0);
	assert_int_equal(row->origin, HL_ORIGIN_BOOT);
	assert_int_equal(row->generation, 0);
	assert_int_equal(row->roles, 1u << HL_ROLE_CONTROL | 1u << HL_ROLE_HARDWARE);
	assert_int_equal(hl_table_get(table, 1)->origin, HL_ORIGIN_POST_BOOT);
	assert_int_equal(hl_table_get(table, 1)->roles, 0);
	assert_string_equal(hl_table_summary(table)->source, "none");
	hl_table_unref(table);
}

static void unpatched(void **state)
{
	struct hl_snapshot *s = make_snapshot(0, 0, 1);
	struct hl_table *table;

	s->available = false;
	s->launch.state = HL_LAUNCH_UNKNOWN;
	make_live(s, 0, 0)->xenstore = true;
	table = merge(s);
	assert_int_equal(hl_table_get(table, 0)->roles, 1u << HL_ROLE_XENSTORE);
	assert_int_equal(hl_table_get(table, 0)->origin, HL_ORIGIN_BOOT);
	assert_false(hl_table_summary(table)->available);
	assert_int_equal(hl_table_summary(table)->state, HL_LAUNCH_UNKNOWN);
	hl_table_unref(table);
}

static void names_are_utf8(void **state)
{
	struct hl_snapshot *s = make_snapshot(1, 1, 1);
	struct hl_table *table;

	make_record(s, 0,
		    "w\xff"
		    "b\n",
		    5, HL_DOMAIN_STARTED);
	make_live(s, 0, 6);
	s->modules[0].users = 1;
	assert_int_equal(hl_snapshot_set_name(s, 6, "\xc3\x28"), 0);
	table = merge(s);
	assert_string_equal(hl_table_get(table, 0)->name, "w?b?");
	assert_string_equal(hl_table_get(table, 1)->name, "?(");
	assert_string_equal(hl_table_get_module(table, 0)->domains[0], "w?b?");
	hl_table_unref(table);
}

static void lcm_and_records(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_table *table = table_of(ctx);
	const struct hl_summary *sum = hl_table_summary(table);
	const struct hl_domain *web = row_named(table, "web");
	const struct hl_domain *boot = row_named(table, "boot");

	assert_string_equal(web->lcm_node, "/chosen/hypervisor/web");
	assert_string_equal(web->uuid_text, "8d5a104e-6c2b-4f0a-9b1e-000000000006");
	assert_string_equal(web->handle_text, web->uuid_text);
	assert_string_equal(boot->uuid_text, "00000000-0000-0000-0000-000000000000");
	assert_string_equal(boot->handle_text, "");
	assert_int_equal(web->memory_planned_kib, 128 << 10);
	assert_int_equal(web->memory_max, 128 << 20);
	assert_int_equal(web->vcpus_max, 2);
	assert_int_equal(web->nr_modules, 2);
	assert_int_equal(web->modules[0]->type, HL_MODULE_KERNEL);
	assert_int_equal(web->modules[0]->index, 1);
	assert_int_equal(web->modules[1]->type, HL_MODULE_RAMDISK);
	assert_int_equal(web->modules[1]->index, 2);
	assert_int_equal(web->nr_drift, 0);
	/* Two numbers, but that is what the binding says. */
	assert_int_equal(boot->requested_domid, 0x7ff5);
	assert_int_equal(boot->domid, 0x7fef);
	assert_int_equal(boot->nr_drift, 0);
	assert_string_equal(row_named(table, "store")->security_label,
			    "system_u:system_r:xenstore_t");

	assert_int_equal(sum->expected, 8);
	assert_int_equal(sum->built, 8);
	assert_int_equal(sum->failed, 0);
	assert_true(sum->dynamic);
	assert_string_equal(sum->form, "hypervisor");
	assert_string_equal(sum->source, "simulated");
	assert_int_equal(hl_table_nr_modules(table), 6);
	assert_int_equal(hl_table_get_module(table, 1)->nr_domains, 2);
	assert_string_equal(hl_table_get_module(table, 1)->domains[0], "web");
	assert_string_equal(hl_table_get_module(table, 1)->domains[1], "db");
	assert_int_equal(hl_table_get_module(table, 5)->type, HL_MODULE_XSM_POLICY);
	assert_int_equal(hl_table_get_module(table, 5)->nr_domains, 0);
	hl_table_unref(table);
	hl_unref(ctx);
}

static const struct hl_drift *drift_of(const struct hl_domain *row, const char *field)
{
	for (uint32_t i = 0; i < row->nr_drift; i++)
		if (!strcmp(row->drift[i]->field, field))
			return row->drift[i];
	return NULL;
}

static void check_drift(const struct hl_domain *row, const char *field, const char *lcm,
			const char *actual)
{
	const struct hl_drift *drift = drift_of(row, field);

	if (!drift)
		fail_msg("%s: no drift of '%s'", row->name, field);
	assert_string_equal(drift->lcm, lcm);
	assert_string_equal(drift->actual, actual);
}

static void drift(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	const struct hl_domain *row;
	struct hl_snapshot *s;
	struct hl_table *table;

	assert_int_equal(hl_snapshot_read(ctx, &s), 0);
	/* web has domid 5, hw has 20 */
	for (size_t i = 0; i < s->nr_live; i++) {
		struct hl_live_domain *live = &s->live[i];

		if (live->domid != 5)
			continue;
		live->vcpus_max = 7;
		live->memory_max = 256u << 20;
		live->handle[15] = 0x66;
		snprintf(live->label, sizeof(live->label), "system_u:system_r:other_t");
	}
	s->domains[6].permissions = HL_PERM_CONTROL;
	s->domains[6].functions = HL_FUNC_CRASH;
	s->domains[6].mode = HL_MODE_PV;
	s->domains[3].domid = 21;
	assert_int_equal(hl_snapshot_set_name(s, 5, "other"), 0);
	table = merge(s);
	row = row_named(table, "other");
	check_drift(row, "name", "web", "other");
	check_drift(row, "cpus", "2", "7");
	check_drift(row, "memory_kib", "131072", "262144");
	check_drift(row, "uuid", "8d5a104e-6c2b-4f0a-9b1e-000000000006",
		    "8d5a104e-6c2b-4f0a-9b1e-000000000066");
	check_drift(row, "permissions", "0", "0x1");
	check_drift(row, "functions", "0", "0x2");
	check_drift(row, "mode", "0x4", "0x1");
	/* The LCM asks for no label: none can be wrong. */
	assert_null(drift_of(row, "security_label"));
	check_drift(row_named(table, "hw"), "domid", "20", "21");
	hl_table_unref(table);
	hl_unref(ctx);
}

static void label_drift(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_snapshot *s;
	struct hl_table *table;

	assert_int_equal(hl_snapshot_read(ctx, &s), 0);
	snprintf(s->live[0].label, sizeof(s->live[0].label), "system_u:system_r:domU_t");
	table = merge(s);
	check_drift(row_named(table, "store"), "security_label", "system_u:system_r:xenstore_t",
		    "system_u:system_r:domU_t");
	assert_string_equal(row_named(table, "store")->security_label, "system_u:system_r:domU_t");
	hl_table_unref(table);
	hl_unref(ctx);
}

/* A little more than the LCM says is how toolstacks set it; no limit says nothing. */
static void memory_slack(void **state)
{
	static const struct {
		uint64_t max;
		bool drifts;
	} cases[] = {
		{128ull << 20, false},
		{(128ull << 20) + (1 << 20), false},
		{(128ull << 20) + (3 << 20), true},
		{(128ull << 20) - (3 << 20), true},
		{HL_UNLIMITED, false},
	};

	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
		struct hl_snapshot *s;
		struct hl_table *table;

		assert_int_equal(hl_snapshot_read(ctx, &s), 0);
		for (size_t i = 0; i < s->nr_live; i++)
			if (s->live[i].domid == 5)
				s->live[i].memory_max = cases[c].max;
		table = merge(s);
		assert_int_equal(drift_of(row_named(table, "web"), "memory_kib") != NULL,
				 cases[c].drifts);
		hl_table_unref(table);
		hl_unref(ctx);
	}
}

static void error_of_the_lcm(void **state)
{
	struct hl_ctx *ctx = sim_of("bad-domid-duplicate", "");
	struct hl_table *table = table_of(ctx);
	const struct hl_summary *sum = hl_table_summary(table);

	assert_int_equal(sum->state, HL_LAUNCH_FAILED);
	assert_int_equal(sum->error, LCM_ERR_DOMID_DUPLICATE);
	assert_string_equal(sum->error_text, lcm_strerror(LCM_ERR_DOMID_DUPLICATE));
	assert_int_equal(strncmp(sum->error_node, "/chosen/hypervisor/", 19), 0);
	assert_string_equal(sum->error_prop, "domid");
	hl_table_unref(table);
	hl_unref(ctx);
}

/* Xen refused what libhl, which knows less of the host, finds sound. */
static void error_of_xen_alone(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_snapshot *s;
	struct hl_table *table;
	const struct hl_summary *sum;

	assert_int_equal(hl_snapshot_read(ctx, &s), 0);
	s->launch.state = HL_LAUNCH_FAILED;
	s->launch.error = LCM_ERR_MEMORY_HOST;
	snprintf(s->launch.error_node, HL_PATH_SIZE, "/chosen/hypervisor/web");
	snprintf(s->launch.error_prop, HL_PROP_SIZE, "memory");
	s->launch.nr_domains = 0;
	s->nr_live = 0;
	table = merge(s);
	sum = hl_table_summary(table);
	assert_int_equal(sum->error, LCM_ERR_MEMORY_HOST);
	assert_string_equal(sum->error_node, "/chosen/hypervisor/web");
	assert_string_equal(sum->error_prop, "memory");
	assert_int_equal(sum->expected, 8);
	assert_int_equal(sum->built, 0);
	/* What was planned is shown all the same. */
	assert_int_equal(hl_table_nr_domains(table), 8);
	assert_int_equal(row_named(table, "web")->state, HL_DOMAIN_PLANNED);
	assert_int_equal(row_named(table, "web")->domid, HL_NO_DOMID);
	hl_table_unref(table);
	hl_unref(ctx);
}

/* Xen refused the LCM, and built its crash domain alone: that one has number 0 now. */
static void recovered(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	const struct hl_domain *crash;
	struct hl_snapshot *s;
	struct hl_table *table;

	assert_int_equal(hl_snapshot_read(ctx, &s), 0);
	s->launch.state = HL_LAUNCH_RECOVERY;
	s->launch.error = LCM_ERR_INDEX_RANGE;
	s->launch.nr_domains = 1;
	s->domains[0] = s->domains[4];
	s->domains[0].index = 0;
	s->domains[0].state = HL_DOMAIN_STARTED;
	s->live[0] = s->live[2];
	s->live[0].paused = false;
	s->nr_live = 1;
	table = merge(s);
	assert_int_equal(hl_table_nr_domains(table), 8);
	crash = row_named(table, "crash");
	assert_int_equal(crash->index, 4);
	assert_int_equal(crash->state, HL_DOMAIN_STARTED);
	assert_string_equal(crash->lcm_node, "/chosen/hypervisor/crash");
	assert_int_equal(crash->nr_drift, 0);
	assert_int_equal(crash->nr_modules, 2);
	assert_int_equal(row_named(table, "web")->state, HL_DOMAIN_PLANNED);
	assert_int_equal(row_named(table, "web")->generation, 6);
	hl_table_unref(table);
	hl_unref(ctx);
}

static void pure(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");
	struct hl_snapshot *s;
	struct hl_table *a, *b;
	struct hl_diff *diff;

	assert_int_equal(hl_snapshot_read(ctx, &s), 0);
	assert_int_equal(hl_table_new(s, &a), 0);
	assert_int_equal(hl_table_new(s, &b), 0);
	hl_snapshot_free(s);
	hl_unref(ctx);
	assert_int_equal(hl_diff_new(a, b, &diff), 0);
	assert_int_equal(hl_diff_nr_changes(diff), 0);
	assert_int_equal(hl_diff_summary(diff), 0);
	hl_diff_free(diff);
	hl_table_unref(a);
	hl_table_unref(b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(started_and_ready),
		cmocka_unit_test(paused_by_toolstack),
		cmocka_unit_test(handle_of_an_initial_domain),
		cmocka_unit_test(waiting),
		cmocka_unit_test(shutdown_and_dying),
		cmocka_unit_test(gone),
		cmocka_unit_test(failed_has_the_error),
		cmocka_unit_test(post_boot),
		cmocka_unit_test(reused_domid),
		cmocka_unit_test(adopted),
		cmocka_unit_test(adopted_with_the_domid_of_another_record),
		cmocka_unit_test(generation_is_stateless),
		cmocka_unit_test(without_domid),
		cmocka_unit_test(rows_rise_by_domid),
		cmocka_unit_test(two_records_one_domid),
		cmocka_unit_test(roles),
		cmocka_unit_test(classic_boot),
		cmocka_unit_test(unpatched),
		cmocka_unit_test(names_are_utf8),
		cmocka_unit_test(lcm_and_records),
		cmocka_unit_test(drift),
		cmocka_unit_test(label_drift),
		cmocka_unit_test(memory_slack),
		cmocka_unit_test(error_of_the_lcm),
		cmocka_unit_test(error_of_xen_alone),
		cmocka_unit_test(recovered),
		cmocka_unit_test(pure),
	};

	if (!set_fixture_dir(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
