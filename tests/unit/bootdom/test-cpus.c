// SPDX-License-Identifier: LGPL-2.1-or-later
/* Lists of CPUs. */
#include <string.h>

#include "blob.h"
#include "cpus.h"

/* In memory of just its size, so that a sanitizer sees what is read beyond. */
static bool parse(const char *text, struct cpus *ret_cpus)
{
	struct blob blob = blob_copy(text, strlen(text));
	const struct word word = {(const char *)blob.data, blob.size};
	const bool parsed = cpus_parse(&word, ret_cpus);

	blob_free(&blob);
	return parsed;
}

static void test_lists(void **state)
{
	struct cpus cpus;

	assert_true(parse("0", &cpus));
	assert_int_equal(cpus.bytes[0], 1);
	assert_true(parse("1023", &cpus));
	assert_int_equal(cpus.bytes[0], 0);
	assert_int_equal(cpus.bytes[127], 0x80);
	assert_true(parse("7-8,0,0-1", &cpus));
	assert_int_equal(cpus.bytes[0], 0x83);
	assert_int_equal(cpus.bytes[1], 1);
	assert_true(cpus_has(&cpus, 8));
	assert_false(cpus_has(&cpus, 9));
	assert_true(parse("0-1023", &cpus));
	for (unsigned int i = 0; i < CPUS_MAX; i++)
		assert_true(cpus_has(&cpus, i));
}

static void test_errors(void **state)
{
	static const char *const texts[] = {"",	   ",",	   "0,",     ",0", "-",	    "1-",  "-1",
					    "2-1", "1024", "0-1024", "a",  "0-1-2", "0,,1"};
	struct cpus cpus = {{0x5a}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (parse(texts[i], &cpus))
			fail_msg("'%s' is taken", texts[i]);
	assert_int_equal(cpus.bytes[0], 0x5a);
}

static void test_within(void **state)
{
	struct cpus few, many;

	assert_true(parse("8", &few));
	assert_true(parse("0,8", &many));
	assert_true(cpus_within(&few, &many));
	assert_true(cpus_within(&few, &few));
	assert_false(cpus_within(&many, &few));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
