// SPDX-License-Identifier: LGPL-2.1-or-later
/* start_info, good and bad, in a memory that a sanitizer watches. */
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "runtime/start-info.h"
#include "xen-abi.h"

#include <xen/arch-x86/hvm/start_info.h>

#define SIZE	 4096
#define INFO_AT	 16
#define LIST_AT	 128
#define TEXT_AT	 512
#define DATA_AT	 1024
#define RANGE_AT 2048

static char *ram;
static struct hvm_start_info raw;
static struct hvm_modlist_entry list[2];
static struct hvm_memmap_table_entry ranges[2];

static int setup(void **state)
{
	static const char text[] = "a command line", data[] = "module";

	ram = calloc(1, SIZE);
	if (!ram)
		return -1;
	memcpy(ram + TEXT_AT, text, sizeof(text));
	memcpy(ram + DATA_AT, data, sizeof(data));
	raw = (struct hvm_start_info){
		.magic = XEN_HVM_START_MAGIC_VALUE,
		.version = 1,
		.flags = SIF_PRIVILEGED,
		.nr_modules = 2,
		.modlist_paddr = LIST_AT,
		.cmdline_paddr = TEXT_AT,
		.rsdp_paddr = 0xfc000000,
		.memmap_paddr = RANGE_AT,
		.memmap_entries = 2,
	};
	list[0] = (struct hvm_modlist_entry){.paddr = DATA_AT, .size = 6};
	list[1] = (struct hvm_modlist_entry){
		.paddr = DATA_AT + 1, .size = SIZE - DATA_AT - 1, .cmdline_paddr = TEXT_AT + 2};
	ranges[0] = (struct hvm_memmap_table_entry){0, 8192, XEN_HVM_MEMMAP_TYPE_RAM, 0};
	ranges[1] = (struct hvm_memmap_table_entry){8192, 4096, XEN_HVM_MEMMAP_TYPE_RESERVED, 0};
	return 0;
}

static int teardown(void **state)
{
	free(ram);
	return 0;
}

static const char *get(struct pvh_info *info)
{
	const struct memory memory = {(uintptr_t)ram, SIZE};

	memcpy(ram + INFO_AT, &raw, sizeof(raw));
	memcpy(ram + LIST_AT, list, sizeof(list));
	memcpy(ram + RANGE_AT, ranges, sizeof(ranges));
	return pvh_info_read(&memory, INFO_AT, info);
}

static void assert_refused(const char *why)
{
	static struct pvh_info info;
	const char *wrong = get(&info);

	assert_non_null(wrong);
	assert_string_equal(wrong, why);
}

static void test_good(void **state)
{
	static struct pvh_info info;

	assert_null(get(&info));
	assert_int_equal(info.version, 1);
	assert_int_equal(info.flags, SIF_PRIVILEGED);
	assert_int_equal(info.rsdp, 0xfc000000);
	assert_string_equal(info.cmdline, "a command line");
	assert_int_equal(info.nr_modules, 2);
	assert_memory_equal(info.modules[0].data, "module", 6);
	assert_int_equal(info.modules[0].size, 6);
	assert_string_equal(info.modules[0].cmdline, "");
	assert_string_equal(info.modules[1].cmdline, "command line");
	assert_int_equal(info.nr_ranges, 2);
	assert_int_equal(pvh_info_ram(&info), 8192);
}

static void test_version_0_has_no_map(void **state)
{
	static struct pvh_info info;

	raw.version = 0;
	assert_null(get(&info));
	assert_int_equal(info.nr_ranges, 0);
	assert_int_equal(pvh_info_ram(&info), 0);
}

static void test_nothing_given(void **state)
{
	static struct pvh_info info;

	raw.nr_modules = raw.memmap_entries = 0;
	raw.modlist_paddr = raw.cmdline_paddr = raw.memmap_paddr = 0;
	assert_null(get(&info));
	assert_string_equal(info.cmdline, "");
	assert_int_equal(info.nr_modules + info.nr_ranges, 0);
}

static void test_place(void **state)
{
	const struct memory memory = {(uintptr_t)ram, SIZE};
	static struct pvh_info info;
	const uint64_t bad[] = {0, SIZE, SIZE - 8, UINT64_MAX, UINT64_MAX - 8};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(pvh_info_read(&memory, bad[i], &info),
				    "start_info is outside of memory");
	/* Room for version 0, which this is not. */
	memcpy(ram + SIZE - 48, &raw, 48);
	assert_string_equal(pvh_info_read(&memory, SIZE - 48, &info),
			    "start_info is outside of memory");
	raw.magic++;
	assert_refused("start_info has an invalid magic number");
}

static void test_bad_strings(void **state)
{
	raw.cmdline_paddr = SIZE;
	assert_refused("the command line is not terminated");
	memset(ram + SIZE - 4, 'x', 4);
	raw.cmdline_paddr = SIZE - 4;
	assert_refused("the command line is not terminated");
	raw.cmdline_paddr = UINT64_MAX;
	assert_refused("the command line is not terminated");
	raw.cmdline_paddr = 0;
	list[1].cmdline_paddr = SIZE - 4;
	assert_refused("a module's string is not terminated");
}

static void test_bad_modules(void **state)
{
	list[1].size++;
	assert_refused("a module is outside of memory");
	list[1].size = UINT64_MAX;
	assert_refused("a module is outside of memory");
	list[1].paddr = 0;
	assert_refused("a module is outside of memory");
	raw.modlist_paddr = SIZE - sizeof(list[0]);
	assert_refused("a module is outside of memory");
	raw.modlist_paddr = SIZE - sizeof(list[0]) + 1;
	assert_refused("the list of modules is outside of memory");
	raw.nr_modules = PVH_MAX_MODULES + 1;
	assert_refused("too many modules");
	raw.nr_modules = UINT32_MAX;
	assert_refused("too many modules");
}

static void test_bad_ranges(void **state)
{
	ranges[1].size = UINT64_MAX;
	assert_refused("a range of the memory map overflows");
	raw.memmap_paddr = SIZE - sizeof(ranges[0]) + 1;
	assert_refused("the memory map is outside of memory");
	raw.memmap_entries = PVH_MAX_RANGES + 1;
	assert_refused("too many ranges in the memory map");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version_0_has_no_map, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_given, setup, teardown),
		cmocka_unit_test_setup_teardown(test_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_strings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_modules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_ranges, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
