// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is left of a bad LCM: its crash domain, as it would be in a good one. */
#include <libfdt.h>
#include <string.h>

#include "blob.h"
#include "lcm-invariants.h"

static const struct lcm_limits limits = {.platform = LCM_PLATFORM_X86};

/* What lcm_parse_recovery() says of a fixture that is none too good. */
static int recover(const char *name, struct blob *blob, struct lcm *lcm, struct lcm_error *err)
{
	*blob = blob_read(fixture_dir, name);
	lcm_exercise(blob->data, blob->size, &limits);
	memset(lcm, 0xa5, sizeof(*lcm));
	return lcm_parse_recovery(blob->data, blob->size, lcm, err);
}

/* The bad domains before it leave nothing behind. */
static void test_crash_domain_after_bad_ones(void **state)
{
	static struct lcm lcm;
	const struct lcm_domain *crash = &lcm.domains[0];
	struct lcm_error err;
	struct blob blob;

	assert_int_equal(recover("bad-recovery.dtb", &blob, &lcm, &err), 0);
	assert_int_equal(lcm.nr_domains, 1);
	assert_int_equal(lcm.nr_modules, 1);
	assert_int_equal(lcm.nr_pci, 0);
	assert_int_equal(lcm.nr_warnings, 0);
	assert_string_equal(crash->name, "crash");
	assert_int_equal(crash->functions, LCM_FUNC_CRASH);
	assert_int_equal(crash->permissions, LCM_PERM_HARDWARE);
	assert_int_equal(crash->memory_kib, 65536);
	assert_int_equal(crash->cpus, 1);
	assert_false(crash->hold);
	assert_null(crash->start_after);
	assert_null(crash->security_id);
	assert_int_equal(crash->ramdisk, LCM_NONE);
	assert_int_equal(lcm.modules[crash->kernel].index, 7);
	assert_null(lcm.modules[crash->kernel].bootargs);
	assert_null(lcm.modules[crash->kernel].digest);
	assert_null(lcm.modules[crash->kernel].file);
	assert_int_equal(lcm_check(&lcm, &limits, &err), 0);
	assert_int_equal(crash->domid, 1);
	blob_free(&blob);
}

/* LEGACY_DOM0 counts as one, and is domain 0 still. */
static void test_legacy_dom0(void **state)
{
	static struct lcm lcm;
	struct lcm_error err;
	struct blob blob;

	assert_int_equal(recover("ok-legacy-implied.dtb", &blob, &lcm, &err), 0);
	assert_string_equal(lcm.domains[0].name, "dom0");
	assert_true(lcm.domains[0].functions & LCM_FUNC_CRASH);
	assert_int_equal(lcm_check(&lcm, &limits, &err), 0);
	assert_int_equal(lcm.domains[0].domid, 0);
	assert_int_equal(lcm.domains[0].permissions, LCM_PERM_ALL);
	blob_free(&blob);
}

static void test_none(void **state)
{
	static struct lcm lcm;
	struct lcm_error err;
	struct blob blob;

	assert_int_equal(recover("bad-domid-reserved.dtb", &blob, &lcm, &err), -22);
	assert_int_equal(err.code, LCM_ERR_NO_DOMAIN);
	blob_free(&blob);
	assert_int_equal(recover("bad-depth.dtb", &blob, &lcm, &err), -22);
	assert_int_equal(err.code, LCM_ERR_DEPTH);
	blob_free(&blob);
	assert_int_equal(recover("bad-no-hypervisor.dtb", &blob, &lcm, &err), -22);
	assert_int_equal(err.code, LCM_ERR_NO_HYPERVISOR);
	blob_free(&blob);
}

/* A crash domain without devices is not alone: somebody must own them. */
static void test_crash_domain_apart(void **state)
{
	static struct lcm lcm;
	struct lcm_error err;
	struct blob blob;

	assert_int_equal(recover("ok-static-disaggregated.dtb", &blob, &lcm, &err), 0);
	assert_int_equal(lcm.nr_domains, 2);
	assert_int_equal(lcm.domains[0].functions, LCM_FUNC_CRASH);
	assert_int_equal(lcm.domains[0].permissions, 0);
	assert_int_equal(lcm.domains[1].functions, 0);
	assert_int_equal(lcm.domains[1].permissions, LCM_PERM_HARDWARE);
	assert_int_equal(lcm.modules[lcm.domains[1].kernel].domain, 1);
	assert_int_equal(lcm_check(&lcm, &limits, &err), 0);
	fdt_nop_property(blob.data, lcm.domains[1].node, "memory");
	assert_int_equal(lcm_parse_recovery(blob.data, blob.size, &lcm, &err), 0);
	assert_int_equal(lcm.nr_domains, 1);
	assert_int_equal(lcm_check(&lcm, &limits, &err), -22);
	assert_int_equal(err.code, LCM_ERR_NO_HARDWARE);
	blob_free(&blob);
}

/* A crash domain that is bad itself saves nobody. */
static void test_bad_crash_domain(void **state)
{
	static struct lcm lcm;
	struct lcm_error err;
	struct blob blob;

	assert_int_equal(recover("bad-two-crash.dtb", &blob, &lcm, &err), 0);
	assert_string_equal(lcm.domains[0].name, "db");
	fdt_nop_property(blob.data, lcm.domains[0].node, "memory");
	assert_int_equal(lcm_parse_recovery(blob.data, blob.size, &lcm, &err), 0);
	assert_string_equal(lcm.domains[0].name, "web");
	fdt_nop_property(blob.data, lcm.domains[0].node, "memory");
	assert_int_equal(lcm_parse_recovery(blob.data, blob.size, &lcm, &err), -22);
	assert_int_equal(err.code, LCM_ERR_NO_DOMAIN);
	blob_free(&blob);
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crash_domain_after_bad_ones),
		cmocka_unit_test(test_legacy_dom0),
		cmocka_unit_test(test_crash_domain_apart),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_bad_crash_domain),
	};

	fixture_dirs(argc, argv);
	return cmocka_run_group_tests_name("lcm-recovery", tests, NULL, NULL);
}
