// SPDX-License-Identifier: LGPL-2.1-or-later
/* What libxl did not take of a configuration is found, with its path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "survive.h"

/* expected: the path; NULL: all was taken */
static void check(const char *given_text, const char *taken_text, const char *expected)
{
	_cleanup_(json_putp) json_object *given = json_tokener_parse(given_text);
	_cleanup_(json_putp) json_object *taken = json_tokener_parse(taken_text);
	char path[64];
	int r = survive_check(given, taken, path, sizeof(path));

	assert_int_equal(r, expected ? -ENOENT : 0);
	assert_string_equal(path, expected ? expected : "");
}

static void test_same(void **state)
{
	check("{\"a\": {\"b\": 1, \"c\": [1, 2]}, \"d\": \"x\"}",
	      "{\"d\": \"x\", \"a\": {\"c\": [1, 2], \"b\": 1, \"more\": true}, \"more\": 5}",
	      NULL);
	check("{}", "{}", NULL);
}

/* libxl leaves out what is empty. */
static void test_nothing(void **state)
{
	check("{\"type.pvh\": {}, \"disks\": [], \"none\": null}", "{}", NULL);
}

static void test_other(void **state)
{
	check("{\"c_info\": {\"name\": 5}}", "{\"c_info\": {}}", "c_info.name");
	check("{\"b_info\": {\"max_memkb\": \"lots\"}}", "{\"b_info\": {\"max_memkb\": 32768}}",
	      "b_info.max_memkb");
	check("{\"unknown\": 1}", "{\"known\": 1}", "unknown");
	check("{\"a\": 1}", "{\"a\": 1.5}", "a");
	check("{\"a\": true}", "{\"a\": false}", "a");
}

static void test_lists(void **state)
{
	check("{\"disks\": [{\"vdev\": \"xvda\", \"typo\": 1}]}",
	      "{\"disks\": [{\"vdev\": \"xvda\"}]}", "disks.0.typo");
	check("{\"disks\": [{\"a\": 1}]}", "{\"disks\": {\"a\": 1}}", "disks");
	check("{\"disks\": [1, 2]}", "{\"disks\": [1]}", "disks");
	check("{\"disks\": {\"a\": 1}}", "{\"disks\": [{\"a\": 1}]}", "disks");
}

/* A key is anything that JSON may have; what does not fit the path is cut off. */
static void test_long_key(void **state)
{
	char given[512], expected[64];

	snprintf(given, sizeof(given), "{\"%0*d\": 1}", 300, 0);
	snprintf(expected, sizeof(expected), "%0*d", 63, 0);
	check(given, "{}", expected);
}

static void test_deep(void **state)
{
	_cleanup_(json_putp) json_object *deep = json_object_new_int(1);
	char path[16];

	for (int i = 0; i < 100; i++) {
		json_object *outer = json_object_new_object();

		assert_int_equal(json_object_object_add(outer, "a", deep), 0);
		deep = outer;
	}
	assert_int_equal(survive_check(deep, deep, path, sizeof(path)), -ENOENT);
}

static void test_texts(void **state)
{
	char path[64];

	assert_int_equal(survive_check_text("{\"a\": 1}", "{\"a\": 1, \"b\": 2}", path, 64), 0);
	assert_int_equal(survive_check_text("{\"a\": 1}", "{\"b\": 2}", path, 64), -ENOENT);
	assert_string_equal(path, "a");
	assert_int_equal(survive_check_text("[]", "{}", path, 64), -EINVAL);
	assert_int_equal(survive_check_text("{", "{}", path, 64), -EINVAL);
	assert_int_equal(survive_check_text("{}", NULL, path, 64), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),	 cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_other),	 cmocka_unit_test(test_lists),
		cmocka_unit_test(test_long_key), cmocka_unit_test(test_deep),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
