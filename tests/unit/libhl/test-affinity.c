// SPDX-License-Identifier: LGPL-2.1-or-later
/* Affinities as text. */
#include <stdlib.h>
#include <string.h>

#include "affinity.h"
#include "make.h"

static void assert_text(const uint8_t *maps, uint32_t nr_vcpus, uint32_t nr_cpus,
			const char *expected)
{
	const size_t stride = (nr_cpus + 7) / 8, bytes = stride * nr_vcpus;
	uint8_t *copy = malloc(bytes ? bytes : 1); /* just its size, for a sanitizer */
	const struct affinities affinities = {nr_vcpus, nr_cpus, stride, copy};
	char text[32];

	assert_non_null(copy);
	memcpy(copy, maps, bytes);
	affinity_text(&affinities, text, sizeof(text));
	assert_string_equal(text, expected);
	free(copy);
}

static void test_of_one_vcpu(void **state)
{
	assert_text((const uint8_t[]){0xff}, 1, 8, "all");
	assert_text((const uint8_t[]){0x03}, 1, 2, "all");
	assert_text((const uint8_t[]){0x01}, 1, 2, "0");
	assert_text((const uint8_t[]){0x02}, 1, 2, "1");
	assert_text((const uint8_t[]){0x8b, 0x01}, 1, 16, "0-1,3,7-8");
	assert_text((const uint8_t[]){0xff, 0x7f}, 1, 16, "0-14");
	assert_text((const uint8_t[]){0x00}, 1, 4, "");
}

static void test_of_several(void **state)
{
	assert_text((const uint8_t[]){0x01, 0x01, 0x01}, 3, 2, "0");
	assert_text((const uint8_t[]){0x01, 0x01, 0x03}, 3, 2, "0-1: 0; 2: all");
	assert_text((const uint8_t[]){0x01, 0x02}, 2, 2, "0: 0; 1: 1");
	assert_text((const uint8_t[]){0}, 0, 2, "");
}

static void test_of_more_than_there_is_room_for(void **state)
{
	/* 31 bytes and a NUL are what the text has. */
	assert_text((const uint8_t[]){1, 2, 1, 2, 1}, 5, 2, "0: 0; 1: 1; 2: 0; 3: 1; 4: 0");
	assert_text((const uint8_t[]){1, 2, 1, 2, 1, 2}, 6, 2, "0: 0; 1: 1; 2: 0; 3: 1; 4: 0...");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_one_vcpu),
		cmocka_unit_test(test_of_several),
		cmocka_unit_test(test_of_more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
