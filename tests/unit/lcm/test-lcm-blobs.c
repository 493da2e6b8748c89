// SPDX-License-Identifier: LGPL-2.1-or-later
/* Broken bytes: cut off, flipped, too large, too deep, too many. */
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "lcm-invariants.h"

static const struct lcm_limits x86 = { .platform = LCM_PLATFORM_X86 };
static const struct lcm_limits arm = { .platform = LCM_PLATFORM_ARM };
static const struct lcm_limits source = { .platform = LCM_PLATFORM_X86, .source = true };

static const char *const rich[] = { "ok-dynamic-full.dtb", "ok-pci.dtb", "ok-cells.dtb" };

static enum lcm_err code_of(struct blob *blob)
{
	static struct lcm lcm;
	struct lcm_error err;
	int rc = lcm_parse(blob->data, blob->size, &lcm, &err);

	lcm_exercise(blob->data, blob->size, &x86);
	if (!rc)
		rc = lcm_check(&lcm, &x86, &err);
	return rc ? err.code : LCM_OK;
}

/* Each prefix in memory of its own: to read beyond it is seen. */
static void test_truncated(void **state)
{
	struct blob whole = blob_read(fixture_dir, rich[0]);

	for (size_t size = 0; size < whole.size; size++) {
		struct blob cut = blob_copy(whole.data, size);

		assert_int_equal(lcm_exercise(cut.data, size, &x86), LCM_ERR_FDT);
		assert_false(lcm_detect(cut.data, size));
		blob_free(&cut);
	}
	blob_free(&whole);
}

/* Prefixes that claim to be whole. */
static void test_truncated_with_size(void **state)
{
	struct blob whole = blob_read(fixture_dir, rich[0]);

	for (size_t size = sizeof(struct fdt_header); size < whole.size; size++) {
		struct blob cut = blob_copy(whole.data, size);

		fdt_set_totalsize(cut.data, size);
		assert_int_not_equal(lcm_exercise(cut.data, size, &x86), LCM_OK);
		blob_free(&cut);
	}
	blob_free(&whole);
}

static void flip_all(const char *name)
{
	struct blob blob = blob_read(fixture_dir, name);
	size_t bad = 0;

	for (size_t bit = 0; bit < blob.size * 8; bit++) {
		blob.data[bit / 8] ^= (char)(1 << bit % 8);
		lcm_detect(blob.data, blob.size);
		bad += lcm_exercise(blob.data, blob.size, &x86) != LCM_OK;
		lcm_exercise(blob.data, blob.size, &arm);
		lcm_exercise(blob.data, blob.size, &source);
		blob.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	/* It is the parser that is tested, not its mood. */
	assert_true(bad > blob.size);
	blob_free(&blob);
}

static void test_flipped_bits(void **state)
{
	for (size_t i = 0; i < sizeof(rich) / sizeof(rich[0]); i++)
		flip_all(rich[i]);
}

/* Each word of the tree as another tag, or as a length that is too large. */
static void test_odd_words(void **state)
{
	static const uint32_t odd[] = {
		0, 1, 2, 3, 4, 9, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff,
	};
	struct blob blob = blob_read(fixture_dir, rich[1]);

	for (size_t at = 0; at + 4 <= blob.size; at += 4)
		for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
			fdt32_t was, is = cpu_to_fdt32(odd[i]);

			memcpy(&was, blob.data + at, 4);
			memcpy(blob.data + at, &is, 4);
			lcm_exercise(blob.data, blob.size, &x86);
			memcpy(blob.data + at, &was, 4);
		}
	blob_free(&blob);
}

static void test_not_a_tree(void **state)
{
	char zeros[256] __attribute__((aligned(8))) = { 0 };
	struct lcm_error err;

	assert_int_equal(lcm_exercise(zeros, sizeof(zeros), &x86), LCM_ERR_FDT);
	assert_int_equal(lcm_exercise(zeros, 0, &x86), LCM_ERR_FDT);
	assert_false(lcm_detect(zeros, sizeof(zeros)));
	assert_int_equal(lcm_fdt_check(zeros, sizeof(zeros), &err), -22);
	assert_int_equal(err.fdt_err, -FDT_ERR_BADMAGIC);
	assert_int_equal(err.node, LCM_NONE);
}

static void test_misaligned(void **state)
{
	struct blob blob = blob_make(1, 0, 0);
	char *moved = malloc(blob.size + 8);
	struct lcm_error err;

	assert_non_null(moved);
	for (int by = 1; by < 8; by++) {
		memcpy(moved + by, blob.data, blob.size);
		assert_int_equal(lcm_fdt_check(moved + by, blob.size, &err), -22);
		assert_int_equal(err.fdt_err, -FDT_ERR_ALIGNMENT);
	}
	free(moved);
	blob_free(&blob);
}

/* Before version 16 names were paths, and values aligned otherwise. */
static void test_old_version(void **state)
{
	struct blob blob = blob_make(1, 0, 0);
	struct lcm_error err;

	fdt_set_version(blob.data, 16);
	assert_int_equal(lcm_fdt_check(blob.data, blob.size, &err), 0);
	fdt_set_version(blob.data, 15);
	fdt_set_last_comp_version(blob.data, 2);
	assert_int_equal(lcm_fdt_check(blob.data, blob.size, &err), -22);
	assert_int_equal(err.code, LCM_ERR_FDT);
	assert_int_equal(err.fdt_err, -FDT_ERR_BADVERSION);
	blob_free(&blob);
}

/* Bytes after the tree are not part of it. */
static void test_padding_after(void **state)
{
	struct blob blob = blob_make(1, 0, 0), padded;
	char *larger = calloc(1, blob.size + 4096);

	assert_non_null(larger);
	memcpy(larger, blob.data, blob.size);
	padded = blob_copy(larger, blob.size + 4096);
	assert_int_equal(code_of(&padded), LCM_OK);
	free(larger);
	blob_free(&padded);
	blob_free(&blob);
}

static void test_size(void **state)
{
	struct blob blob = blob_make(1, 0, 0), large;
	char *room = calloc(1, LCM_MAX_SIZE + 1);

	assert_non_null(room);
	memcpy(room, blob.data, blob.size);
	fdt_set_totalsize(room, LCM_MAX_SIZE);
	large = blob_copy(room, LCM_MAX_SIZE);
	assert_int_equal(code_of(&large), LCM_OK);
	blob_free(&large);

	fdt_set_totalsize(room, LCM_MAX_SIZE + 1);
	large = blob_copy(room, LCM_MAX_SIZE + 1);
	assert_int_equal(code_of(&large), LCM_ERR_SIZE);
	blob_free(&large);
	free(room);
	blob_free(&blob);
}

static void test_depth(void **state)
{
	static const unsigned int depths[] = { 17, 1000, 5000 };
	struct blob blob = blob_make(1, 0, LCM_MAX_DEPTH);

	assert_int_equal(code_of(&blob), LCM_OK);
	blob_free(&blob);
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		blob = blob_make(1, 0, depths[i]);
		assert_int_equal(code_of(&blob), LCM_ERR_DEPTH);
		assert_true(lcm_detect(blob.data, blob.size));
		blob_free(&blob);
	}
	/* Does not fit in 64 KiB any more. */
	blob = blob_make(1, 0, 100000);
	assert_int_equal(code_of(&blob), LCM_ERR_SIZE);
	blob_free(&blob);
}

static void test_capacity(void **state)
{
	struct blob blob = blob_make(LCM_MAX_DOMAINS, LCM_MAX_PCI, 0);

	assert_int_equal(code_of(&blob), LCM_OK);
	blob_free(&blob);
	blob = blob_make(LCM_MAX_DOMAINS + 1, 0, 0);
	assert_int_equal(code_of(&blob), LCM_ERR_TOO_MANY_DOMAINS);
	blob_free(&blob);
	blob = blob_make(1, LCM_MAX_PCI + 1, 0);
	assert_int_equal(code_of(&blob), LCM_ERR_TOO_MANY_PCI);
	blob_free(&blob);
}

/* More warnings than are kept: the last says so, and nothing is overwritten. */
static void test_many_warnings(void **state)
{
	struct blob blob = blob_make(LCM_MAX_DOMAINS, 0, 0);
	static struct lcm lcm;
	struct lcm_error err;
	int node = -1;

	do {
		node = fdt_node_offset_by_compatible(blob.data, node, "xen,domain");
		if (node >= 0) {
			assert_int_equal(fdt_setprop_inplace_u32(blob.data, node, "mode", 0x14), 0);
			assert_int_equal(fdt_setprop_inplace_u32(blob.data, node, "permissions", 0x6), 0);
		}
	} while (node >= 0);
	assert_int_equal(lcm_parse(blob.data, blob.size, &lcm, &err), 0);
	assert_int_equal(lcm.nr_warnings, LCM_MAX_WARNINGS);
	assert_int_equal(lcm.warnings[LCM_MAX_WARNINGS - 2].code, LCM_WARN_PERMISSIONS);
	assert_int_equal(lcm.warnings[LCM_MAX_WARNINGS - 1].code, LCM_WARN_LOST);
	assert_int_equal(lcm.warnings[LCM_MAX_WARNINGS - 1].node, LCM_NONE);
	blob_free(&blob);
}

/* An error tells both sides of a clash. */
static void test_clash_names_both(void **state)
{
	struct blob blob = blob_read(fixture_dir, "bad-domid-duplicate.dtb");
	static struct lcm lcm;
	struct lcm_error err;
	char path[LCM_PATH_SIZE];

	assert_int_equal(lcm_parse(blob.data, blob.size, &lcm, &err), 0);
	assert_int_equal(lcm_check(&lcm, &arm, &err), -22);
	assert_int_equal(err.value, 7);
	lcm_path(blob.data, err.node, path, sizeof(path));
	assert_string_equal(path, "/chosen/hypervisor/web");
	lcm_path(blob.data, err.other_node, path, sizeof(path));
	assert_string_equal(path, "/chosen/hypervisor/db");
	blob_free(&blob);
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_truncated_with_size),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_odd_words),
		cmocka_unit_test(test_not_a_tree),
		cmocka_unit_test(test_misaligned),
		cmocka_unit_test(test_old_version),
		cmocka_unit_test(test_padding_after),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_many_warnings),
		cmocka_unit_test(test_clash_names_both),
	};

	fixture_dirs(argc, argv);
	return cmocka_run_group_tests_name("lcm-blobs", tests, NULL, NULL);
}
