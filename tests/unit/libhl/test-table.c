// SPDX-License-Identifier: LGPL-2.1-or-later
/* Looking things up in a table. */
#include "make.h"

#include <errno.h>
#include <string.h>

static int setup(void **state)
{
	struct hl_ctx *ctx = sim_of("ok-dynamic-full", "");

	command(ctx, "domain-add vm domid=100 uuid=00112233-4455-6677-8899-aabbccddeeff");
	command(ctx, "domain-add twin domid=101 uuid=11112233-4455-6677-8899-aabbccddeeff");
	command(ctx, "domain-add twin domid=102 uuid=11112233-4455-6677-8899-aabbccddeeff");
	command(ctx, "handle web 22222233-4455-6677-8899-aabbccddeeff");
	*state = table_of(ctx);
	hl_unref(ctx);
	return 0;
}

static int teardown(void **state)
{
	hl_table_unref(*state);
	return 0;
}

static void ordered(void **state)
{
	struct hl_table *table = *state;

	assert_int_equal(hl_table_nr_domains(table), 11);
	for (uint32_t i = 1; i < hl_table_nr_domains(table); i++)
		assert_true(hl_table_get(table, i - 1)->domid < hl_table_get(table, i)->domid);
	assert_null(hl_table_get(table, 11));
	assert_null(hl_table_get(table, UINT32_MAX));
	assert_null(hl_table_get_module(table, UINT32_MAX));
}

static void by_domid(void **state)
{
	const struct hl_domain *row = NULL;

	assert_int_equal(hl_table_find_domid(*state, 100, &row), 0);
	assert_string_equal(row->name, "vm");
	assert_int_equal(hl_table_find_domid(*state, 12345, &row), -ENOENT);
	assert_string_equal(row->name, "vm");
	assert_int_equal(hl_table_find_domid(*state, HL_NO_DOMID, &row), -ENOENT);
}

static void by_name(void **state)
{
	const struct hl_domain *row;

	assert_int_equal(hl_table_find_name(*state, "vm", &row), 0);
	assert_int_equal(row->domid, 100);
	assert_int_equal(hl_table_find_name(*state, "boot", &row), 0);
	assert_false(row->live);
	assert_int_equal(hl_table_find_name(*state, "twin", &row), -ENOTUNIQ);
	assert_int_equal(hl_table_find_name(*state, "nobody", &row), -ENOENT);
	assert_int_equal(hl_table_find_name(*state, "", &row), -ENOENT);
}

static void by_uuid(void **state)
{
	const struct hl_domain *row;
	uint8_t uuid[16];

	assert_int_equal(hl_uuid_from_text("00112233-4455-6677-8899-aabbccddeeff", uuid), 0);
	assert_int_equal(hl_table_find_uuid(*state, uuid, &row), 0);
	assert_int_equal(row->domid, 100);
	uuid[0] = 0x11;
	uuid[1] = 0x11;
	assert_int_equal(hl_table_find_uuid(*state, uuid, &row), -ENOTUNIQ);
	uuid[0] = 0x99;
	assert_int_equal(hl_table_find_uuid(*state, uuid, &row), -ENOENT);
	/* By what the LCM says, and by what Xen has instead. */
	assert_int_equal(hl_uuid_from_text("8d5a104e-6c2b-4f0a-9b1e-000000000006", uuid), 0);
	assert_int_equal(hl_table_find_uuid(*state, uuid, &row), 0);
	assert_string_equal(row->name, "web");
	assert_int_equal(hl_uuid_from_text("22222233-4455-6677-8899-aabbccddeeff", uuid), 0);
	assert_int_equal(hl_table_find_uuid(*state, uuid, &row), 0);
	assert_string_equal(row->name, "web");
	/* The boot domain has the nil one: it is no name. */
	memset(uuid, 0, sizeof(uuid));
	assert_int_equal(hl_table_find_uuid(*state, uuid, &row), -ENOENT);
}

static void by_key(void **state)
{
	struct hl_table *table = *state;

	for (uint32_t i = 0; i < hl_table_nr_domains(table); i++) {
		const struct hl_domain *row = hl_table_get(table, i), *found;

		assert_int_equal(hl_table_find(table, row->domid, row->generation, &found), 0);
		assert_ptr_equal(found, row);
		assert_int_equal(hl_table_find(table, row->domid, row->generation + 1, &found),
				 -ENOENT);
	}
}

static void by_role(void **state)
{
	const struct hl_domain *row = hl_table_next_role(*state, HL_ROLE_CONTROL, NULL);

	assert_non_null(row);
	assert_string_equal(row->name, "control");
	assert_null(hl_table_next_role(*state, HL_ROLE_CONTROL, row));
	/* It was, and is no more. */
	assert_null(hl_table_next_role(*state, HL_ROLE_BOOT, NULL));
	assert_null(hl_table_next_role(*state, HL_ROLE_LEGACY_DOM0, NULL));
	row = hl_table_next_role(*state, HL_ROLE_XENSTORE, NULL);
	assert_string_equal(row->name, "store");
}

static void several_holders(void **state)
{
	struct hl_snapshot *s = make_snapshot(3, 0, 3);
	const struct hl_domain *row;
	struct hl_table *table;
	uint32_t nr = 0;

	for (uint32_t i = 0; i < 3; i++) {
		make_record(s, i, "x", i + 1, HL_DOMAIN_STARTED);
		make_live(s, i, i + 1);
		s->domains[i].permissions = i == 1 ? 0 : HL_PERM_CONTROL;
	}
	assert_int_equal(hl_table_new(s, &table), 0);
	hl_snapshot_free(s);
	for (row = NULL; (row = hl_table_next_role(table, HL_ROLE_CONTROL, row)); nr++)
		assert_int_equal(row->domid, nr ? 3 : 1);
	assert_int_equal(nr, 2);
	hl_table_unref(table);
}

static void references(void **state)
{
	struct hl_table *table = hl_table_ref(*state);

	assert_ptr_equal(table, *state);
	assert_null(hl_table_unref(table));
	assert_string_equal(hl_table_summary(*state)->source, "simulated");
	assert_null(hl_table_unref(NULL));
	assert_null(hl_table_ref(NULL));
	assert_null(hl_snapshot_free(NULL));
	assert_null(hl_diff_free(NULL));
	assert_null(hl_lcm_unref(NULL));
	assert_null(hl_unref(NULL));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordered),	   cmocka_unit_test(by_domid),
		cmocka_unit_test(by_name),	   cmocka_unit_test(by_uuid),
		cmocka_unit_test(by_key),	   cmocka_unit_test(by_role),
		cmocka_unit_test(several_holders), cmocka_unit_test(references),
	};

	if (!set_fixture_dir(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, setup, teardown);
}
