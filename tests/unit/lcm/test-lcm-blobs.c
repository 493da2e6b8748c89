// SPDX-License-Identifier: LGPL-2.1-or-later
/* Broken bytes: cut off, flipped, too large, too deep, too many. */
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "lcm-invariants.h"

static const struct lcm_limits x86 = {.platform = LCM_PLATFORM_X86};
static const struct lcm_limits arm = {.platform = LCM_PLATFORM_ARM};
static const struct lcm_limits source = {.platform = LCM_PLATFORM_X86, .source = true};

static const char *const rich[] = {"ok-dynamic-full.dtb", "ok-pci.dtb", "ok-cells.dtb"};

/* Within the parser's numbers, vcpus and devices are many. */
static struct blob with_children(const char *compatible, unsigned int nr)
{
	struct blob blob = blob_make(1, 0, 0);
	size_t room = blob.size + nr * 160u + 1024;
	char *fdt = calloc(1, room), name[32];

	assert_non_null(fdt);
	assert_int_equal(fdt_open_into(blob.data, fdt, (int)room), 0);
	for (unsigned int i = 0; i < nr; i++) {
		int node = fdt_path_offset(fdt, "/chosen/hypervisor/d0");

		if (!i) {
			assert_int_equal(fdt_setprop_u32(fdt, node, "cpus", 999), 0);
			assert_int_equal(fdt_setprop_u32(fdt, node, "permissions", 3), 0);
		}
		snprintf(name, sizeof(name), "n@%x", i);
		node = fdt_add_subnode(fdt, fdt_path_offset(fdt, "/chosen/hypervisor/d0"), name);
		assert_true(node > 0);
		assert_int_equal(fdt_setprop_u32(fdt, node, "id", i), 0);
		assert_int_equal(fdt_setprop_string(fdt, node, "path", "/disk"), 0);
		snprintf(name, sizeof(name), "xvd%c%c", 'a' + i / 26, 'a' + i % 26);
		assert_int_equal(fdt_setprop_string(fdt, node, "vdev", name), 0);
		assert_int_equal(fdt_setprop_string(fdt, node, "compatible", compatible), 0);
	}
	assert_int_equal(fdt_pack(fdt), 0);
	blob_free(&blob);
	blob = blob_copy(fdt, fdt_totalsize(fdt));
	free(fdt);
	return blob;
}

static enum lcm_err code_of(struct blob *blob)
{
	static struct lcm lcm;
	struct lcm_error err;
	int r = lcm_parse(blob->data, blob->size, &lcm, &err);

	lcm_exercise(blob->data, blob->size, &x86);
	if (!r)
		r = lcm_check(&lcm, &x86, &err);
	return r ? err.code : LCM_OK;
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
		lcm_exercise(blob.data, blob.size, bit % 2 ? &arm : &source);
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
	char zeros[256] __attribute__((aligned(8))) = {0};
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

/* What Xen keeps of a tree: within bounds, and the same LCM. */
static void check_extract(const struct blob *blob, size_t expected_size)
{
	char *buf = aligned_alloc(8, LCM_MAX_SIZE);
	static struct lcm whole, kept;
	struct lcm_error err;
	size_t size;

	assert_non_null(buf);
	memset(buf, 0xa5, LCM_MAX_SIZE);
	assert_int_equal(lcm_extract(blob->data, blob->size, buf, &size, &err), 0);
	assert_int_equal(size, expected_size ? expected_size : size);
	assert_true(size <= LCM_MAX_SIZE);
	assert_int_equal(fdt_totalsize(buf), size);
	assert_int_equal(lcm_parse(blob->data, blob->size, &whole, &err), 0);
	assert_int_equal(lcm_parse(buf, size, &kept, &err), 0);
	assert_int_equal(lcm_check(&whole, &arm, &err), lcm_check(&kept, &arm, &err));
	assert_int_equal(kept.nr_domains, whole.nr_domains);
	assert_int_equal(kept.nr_modules, whole.nr_modules);
	for (unsigned int i = 0; i < kept.nr_domains; i++)
		assert_string_equal(kept.domains[i].name, whole.domains[i].name);
	for (unsigned int i = 0; i < kept.nr_modules; i++) {
		assert_int_equal(kept.modules[i].addr, whole.modules[i].addr);
		assert_int_equal(kept.modules[i].index, whole.modules[i].index);
	}
	free(buf);
}

/* The same tree in more room, as `dtc -S` makes it. */
static struct blob pad(const struct blob *blob, size_t size)
{
	struct blob padded = {.data = calloc(1, size), .size = size};

	assert_non_null(padded.data);
	memcpy(padded.data, blob->data, blob->size);
	fdt_set_totalsize(padded.data, size);
	return padded;
}

static void test_padding(void **state)
{
	static const size_t sizes[] = {LCM_MAX_SIZE, LCM_MAX_SIZE + 1, 128 << 10, LCM_MAX_TREE};
	struct blob blob = blob_make(1, 0, 0), padded;

	check_extract(&blob, blob.size);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		padded = pad(&blob, sizes[i]);
		assert_int_equal(code_of(&padded), LCM_OK);
		check_extract(&padded, blob.size);
		blob_free(&padded);
	}
	padded = pad(&blob, LCM_MAX_TREE + 1);
	assert_int_equal(code_of(&padded), LCM_ERR_SIZE);
	blob_free(&padded);
	blob_free(&blob);
}

/* An Arm board's tree: the fixture, with nodes of a host before and after it. */
static struct blob in_host_tree(const char *fixture, unsigned int nodes, int parent_is_chosen)
{
	struct blob blob = blob_read(fixture_dir, fixture);
	size_t room = blob.size + nodes * 200u + 4096;
	char *fdt = calloc(1, room), name[32], value[120] = "board,device";

	assert_non_null(fdt);
	assert_int_equal(fdt_open_into(blob.data, fdt, (int)room), 0);
	for (unsigned int i = 0; i < nodes; i++) {
		int node = parent_is_chosen ? fdt_path_offset(fdt, "/chosen") : 0;

		snprintf(name, sizeof(name), "device@%x", i);
		node = fdt_add_subnode(fdt, node, name);
		assert_true(node > 0);
		assert_int_equal(fdt_setprop(fdt, node, "data", value, sizeof(value)), 0);
	}
	assert_int_equal(fdt_pack(fdt), 0);
	blob_free(&blob);
	blob = blob_copy(fdt, fdt_totalsize(fdt));
	free(fdt);
	return blob;
}

static void test_host_tree(void **state)
{
	static const char *const names[] = {
		"ok-cells.dtb",
		"ok-dom0less.dtb",
		"ok-dom0less-all.dtb",
		"ok-cells-default.dtb",
	};
	struct blob blob;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		blob = in_host_tree(names[i], 600, 0);
		assert_true(blob.size > 83 << 10);
		assert_int_equal(lcm_exercise(blob.data, blob.size, &arm), LCM_OK);
		assert_true(lcm_detect(blob.data, blob.size));
		check_extract(&blob, 0);
		blob_free(&blob);
	}
	/* In /chosen it is content. */
	blob = in_host_tree(names[1], 600, 1);
	assert_int_equal(lcm_exercise(blob.data, blob.size, &arm), LCM_ERR_SIZE);
	blob_free(&blob);
	/* What Xen would read of it fits exactly, or not. */
	for (unsigned int nodes = 300, sizes = 0; nodes < 600; nodes++) {
		enum lcm_err code;

		blob = in_host_tree(names[1], nodes, 1);
		code = lcm_exercise(blob.data, blob.size, &arm);
		assert_int_equal(code, blob.size <= LCM_MAX_SIZE ? LCM_OK : LCM_ERR_SIZE);
		sizes += code == LCM_OK;
		blob_free(&blob);
		assert_true(nodes != 599 || (sizes && sizes != 300));
	}
}

/* A tree of something else is none, however large. */
static void test_large_tree_without_lcm(void **state)
{
	struct blob blob = in_host_tree("bad-no-chosen.dtb", 600, 0);

	assert_int_equal(code_of(&blob), LCM_ERR_NO_HYPERVISOR);
	assert_false(lcm_detect(blob.data, blob.size));
	blob_free(&blob);
}

static void test_depth(void **state)
{
	static const unsigned int depths[] = {17, 1000, 5000, 100000};
	struct blob blob = blob_make(1, 0, LCM_MAX_DEPTH);

	assert_int_equal(code_of(&blob), LCM_OK);
	blob_free(&blob);
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		blob = blob_make(1, 0, depths[i]);
		assert_int_equal(code_of(&blob), LCM_ERR_DEPTH);
		assert_true(lcm_detect(blob.data, blob.size));
		blob_free(&blob);
	}
}

static void test_capacity(void **state)
{
	struct blob blob = blob_make(LCM_MAX_DOMAINS, LCM_MAX_PCI, 0);

	assert_int_equal(code_of(&blob), LCM_OK);
	blob_free(&blob);
	blob = blob_make(LCM_MAX_DOMAINS + 1, 0, 0);
	assert_int_equal(code_of(&blob), LCM_ERR_TOO_MANY_DOMAINS);
	blob_free(&blob);
	blob = blob_make(2, LCM_MAX_PCI + 1, 0);
	assert_int_equal(code_of(&blob), LCM_ERR_TOO_MANY_PCI);
	blob_free(&blob);
}

static void test_capacity_of_children(void **state)
{
	static const struct {
		const char *compatible;
		unsigned int max;
		enum lcm_err full, beyond;
	} kinds[] = {
		{"xen,vcpu", LCM_MAX_VCPU_NODES, LCM_OK, LCM_ERR_TOO_MANY_VCPUS},
		/* Of the hardware domain itself: another rule, which comes later. */
		{"xen,disk", LCM_MAX_DISKS, LCM_ERR_BACKEND, LCM_ERR_TOO_MANY_DEVICES},
		{"xen,nic", LCM_MAX_NICS, LCM_ERR_BACKEND, LCM_ERR_TOO_MANY_DEVICES},
	};
	struct blob blob;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		blob = with_children(kinds[i].compatible, kinds[i].max);
		assert_int_equal(code_of(&blob), kinds[i].full);
		blob_free(&blob);
		blob = with_children(kinds[i].compatible, kinds[i].max + 1);
		assert_int_equal(code_of(&blob), kinds[i].beyond);
		blob_free(&blob);
	}
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
			assert_int_equal(
				fdt_setprop_inplace_u32(blob.data, node, "permissions", 0x6), 0);
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
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_host_tree),
		cmocka_unit_test(test_large_tree_without_lcm),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_capacity_of_children),
		cmocka_unit_test(test_many_warnings),
		cmocka_unit_test(test_clash_names_both),
	};

	fixture_dirs(argc, argv);
	return cmocka_run_group_tests_name("lcm-blobs", tests, NULL, NULL);
}
