// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which domains the boot domain starts, and in which order. */
#include <string.h>

#include "blob.h"
#include "start-order.h"

#define BIT(i) (UINT32_C(1) << (i))

static struct lcm lcm;

/* A blank LCM of so many domains, the first being the boot domain. */
static void make(unsigned int nr)
{
	lcm = (struct lcm){.nr_domains = nr};
	lcm.domains[0].functions = LCM_FUNC_BOOT;
}

static struct order plan(void)
{
	struct order order;
	unsigned int index;

	assert_int_equal(order_plan(&lcm, &order, &index), ORDER_FINE);
	return order;
}

static void assert_fault(enum order_fault fault, unsigned int domain)
{
	struct order order;
	unsigned int index;

	assert_int_equal(order_plan(&lcm, &order, &index), fault);
	assert_int_equal(index, domain);
	assert_string_not_equal(order_fault_text(fault), order_fault_text(ORDER_FINE));
}

static void test_nobody_waits(void **state)
{
	make(4);
	assert_int_equal(plan().wanted, 0);
	assert_int_equal(plan().needed, 0);
}

/* hw, c after b and a, b after a, a after hw. */
static void test_fixture(void **state)
{
	struct blob blob = blob_read(fixture_dir, "ok-order.dtb");
	const struct lcm_limits limits = {.platform = LCM_PLATFORM_X86};
	struct lcm_error err;
	struct order order;

	assert_int_equal(lcm_parse(blob.data, blob.size, &lcm, &err), 0);
	assert_int_equal(lcm_check(&lcm, &limits, &err), 0);
	order = plan();
	assert_int_equal(order.wanted, BIT(0) | BIT(1) | BIT(2) | BIT(3));
	assert_int_equal(order.needed, BIT(0) | BIT(2) | BIT(3));
	assert_int_equal(order_next(&lcm, &order, 0, 0), BIT(0));
	/* Started is not ready. */
	assert_int_equal(order_next(&lcm, &order, BIT(0), 0), 0);
	assert_int_equal(order_next(&lcm, &order, BIT(0), BIT(0)), BIT(3));
	assert_int_equal(order_next(&lcm, &order, BIT(0) | BIT(3), BIT(0) | BIT(3)), BIT(2));
	assert_int_equal(
		order_next(&lcm, &order, BIT(0) | BIT(2) | BIT(3), BIT(0) | BIT(2) | BIT(3)),
		BIT(1));
	assert_int_equal(order_next(&lcm, &order, order.wanted, order.wanted), 0);
	blob_free(&blob);
}

static void test_only_those_in_the_order(void **state)
{
	make(5);
	lcm.domains[3].start_after_mask = BIT(2);
	assert_int_equal(plan().wanted, BIT(2) | BIT(3));
	assert_int_equal(plan().needed, BIT(2));
}

static void test_two_at_once(void **state)
{
	struct order order;

	make(4);
	lcm.domains[3].start_after_mask = BIT(1) | BIT(2);
	order = plan();
	assert_int_equal(order_next(&lcm, &order, 0, 0), BIT(1) | BIT(2));
	assert_int_equal(order_next(&lcm, &order, BIT(1) | BIT(2), BIT(1)), 0);
	assert_int_equal(order_next(&lcm, &order, BIT(1) | BIT(2), BIT(1) | BIT(2)), BIT(3));
}

static void test_last_of_32(void **state)
{
	struct order order;
	uint32_t ready = 0;

	make(LCM_MAX_DOMAINS);
	for (unsigned int i = 1; i < LCM_MAX_DOMAINS - 1; i++)
		lcm.domains[i].start_after_mask = BIT(i + 1);
	order = plan();
	assert_int_equal(order.wanted, ~BIT(0));
	assert_int_equal(order.needed, ~(BIT(0) | BIT(1)));
	for (unsigned int i = LCM_MAX_DOMAINS - 1; i > 0; i--) {
		assert_int_equal(order_next(&lcm, &order, ready, ready), BIT(i));
		ready |= BIT(i);
	}
}

/* The boot domain runs: nobody waits for it, and it is not started. */
static void test_after_the_boot_domain(void **state)
{
	struct order order;

	make(3);
	lcm.domains[1].start_after_mask = BIT(0);
	lcm.domains[2].start_after_mask = BIT(0) | BIT(1);
	order = plan();
	assert_int_equal(order.wanted, BIT(1) | BIT(2));
	assert_int_equal(order.needed, BIT(1));
	assert_int_equal(order_next(&lcm, &order, 0, 0), BIT(1));
	assert_int_equal(order_next(&lcm, &order, BIT(1), BIT(1)), BIT(2));
}

static void test_boot_domain_after_another(void **state)
{
	make(3);
	lcm.domains[0].start_after_mask = BIT(2);
	assert_fault(ORDER_BOOT, 0);
}

/* It is left alone, but not those that it waits for. */
static void test_held_at_the_end(void **state)
{
	make(3);
	lcm.domains[2].hold = true;
	lcm.domains[2].start_after_mask = BIT(1);
	assert_int_equal(plan().wanted, BIT(1));
	assert_int_equal(plan().needed, BIT(1));
}

static void test_held_before_another(void **state)
{
	make(4);
	lcm.domains[2].hold = true;
	lcm.domains[3].start_after_mask = BIT(1) | BIT(2);
	assert_fault(ORDER_HELD, 2);
}

static void test_crash_domain(void **state)
{
	make(3);
	lcm.domains[1].functions = LCM_FUNC_CRASH;
	lcm.domains[2].start_after_mask = BIT(1);
	assert_fault(ORDER_CRASH, 1);
	/* One with other roles runs in a good launch too. */
	lcm.domains[1].permissions = LCM_PERM_HARDWARE;
	assert_int_equal(plan().wanted, BIT(1) | BIT(2));
	lcm.domains[1].permissions = 0;
	lcm.domains[1].functions |= LCM_FUNC_CONSOLE;
	assert_int_equal(plan().wanted, BIT(1) | BIT(2));
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_waits),
		cmocka_unit_test(test_fixture),
		cmocka_unit_test(test_only_those_in_the_order),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_last_of_32),
		cmocka_unit_test(test_after_the_boot_domain),
		cmocka_unit_test(test_boot_domain_after_another),
		cmocka_unit_test(test_held_at_the_end),
		cmocka_unit_test(test_held_before_another),
		cmocka_unit_test(test_crash_domain),
	};

	fixture_dirs(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
