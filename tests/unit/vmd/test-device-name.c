// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of disks and NICs: each has one, and what is not its name finds another one or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/cleanup.h"
#include "device-name.h"

static void take_disks(void **state)
{
	static const char *const names[] = {"xvda", "xvdb", "xvdaz", "xvda1", "sdc15", "hda"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_true(device_name_is_disk(names[i]));
}

/* Other ways to write a number that one of those above has, or no disk at all. */
static void refuse_other_disks(void **state)
{
	static const char *const names[] = {"",	      "xvd",	 "xvdA",   "xvda01", "xvda0",
					    "xvdabc", "d0",	 "51712",  "0xca00", "xvda 1",
					    "vda",    "xvda100", "xvda1x", "/xvda"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (device_name_is_disk(names[i]))
			fail_msg("%s is taken", names[i]);
}

static void find_nic(void **state)
{
	static const uint8_t mac[6] = {0x00, 0x16, 0x3e, 0x0a, 0x0b, 0x0c};

	assert_true(device_name_is_nic("1", 1, mac));
	assert_true(device_name_is_nic("00:16:3e:0a:0b:0c", 1, mac));
	assert_true(device_name_is_nic("00:16:3E:0A:0B:0C", 1, mac));
	assert_false(device_name_is_nic("01", 1, mac));
	assert_false(device_name_is_nic("1 ", 1, mac));
	assert_false(device_name_is_nic("10", 1, mac));
	assert_false(device_name_is_nic("", 1, mac));
	assert_false(device_name_is_nic("0:16:3e:a:b:c", 1, mac));
	assert_false(device_name_is_nic("00:16:3e:0a:0b:0d", 1, mac));
}

static void make_mac(void **state)
{
	uint8_t one[6] = {0}, other[6] = {0};
	char name[DEVICE_NAME_MAC_SIZE];

	assert_true(device_name_is_no_mac(one));
	assert_int_equal(device_name_make_mac(one), 0);
	assert_int_equal(device_name_make_mac(other), 0);
	assert_false(device_name_is_no_mac(one));
	assert_memory_not_equal(one, other, 6);
	assert_true(one[3] < 0x80);
	device_name_of_mac(one, name);
	assert_memory_equal(name, "00:16:3e:", 9);
	assert_true(device_name_is_nic(name, 0, one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(take_disks),
		cmocka_unit_test(refuse_other_disks),
		cmocka_unit_test(find_nic),
		cmocka_unit_test(make_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
