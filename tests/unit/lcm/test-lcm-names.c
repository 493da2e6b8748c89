// SPDX-License-Identifier: LGPL-2.1-or-later
/* What codes are called, and paths. */
#include <string.h>

#include "blob.h"

static void test_errors(void **state)
{
	for (int a = 0; a < LCM_NR_ERRS; a++) {
		const char *text = lcm_strerror(a);

		assert_true(*lcm_errname(a));
		assert_true(*text && text[strlen(text) - 1] != '.');
		for (int b = 0; b < a; b++) {
			assert_string_not_equal(lcm_errname(a), lcm_errname(b));
			assert_string_not_equal(text, lcm_strerror(b));
		}
	}
	assert_string_equal(lcm_errname(LCM_ERR_DOMID_DUPLICATE), "domid-duplicate");
	assert_string_equal(lcm_errname(LCM_NR_ERRS), "unknown");
	assert_string_equal(lcm_errname((enum lcm_err) - 1), "unknown");
	assert_string_equal(lcm_strerror(LCM_NR_ERRS), "unknown error");
}

static void test_warnings(void **state)
{
	for (int a = 0; a < LCM_NR_WARNS; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(lcm_strwarning(a), lcm_strwarning(b));
	assert_string_equal(lcm_strwarning(LCM_NR_WARNS), "unknown warning");
}

static void test_module_types(void **state)
{
	assert_string_equal(lcm_module_type_name(LCM_MODULE_KERNEL), "kernel");
	assert_string_equal(lcm_module_type_name(LCM_MODULE_CONFIG), "config");
	assert_string_equal(lcm_module_type_name(LCM_NR_MODULE_TYPES), "unknown");
}

static void test_paths(void **state)
{
	struct blob blob = blob_make(1, 0, 0);
	char path[LCM_PATH_SIZE], room[24];
	static struct lcm lcm;
	struct lcm_error err;

	assert_int_equal(lcm_parse(blob.data, blob.size, &lcm, &err), 0);
	lcm_path(blob.data, lcm.modules[0].node, path, sizeof(path));
	assert_string_equal(path, "/chosen/hypervisor/d0/kernel");
	lcm_path(blob.data, 0, path, sizeof(path));
	assert_string_equal(path, "/");
	lcm_path(blob.data, LCM_NONE, path, sizeof(path));
	assert_string_equal(path, "?");
	lcm_path(blob.data, 1 << 30, path, sizeof(path));
	assert_string_equal(path, "?");

	/* Where it does not fit, the end counts. */
	lcm_path(blob.data, lcm.modules[0].node, room, sizeof(room));
	assert_string_equal(room, ".../kernel");
	lcm_path(blob.data, lcm.modules[0].node, room, 8);
	assert_string_equal(room, ".../ker");
	lcm_path(blob.data, lcm.modules[0].node, room, 2);
	assert_string_equal(room, "?");
	memset(room, 'x', sizeof(room));
	lcm_path(blob.data, lcm.modules[0].node, room, 0);
	assert_int_equal(room[0], 'x');
	blob_free(&blob);
}

/* A name that could draw on a terminal. */
static void test_path_is_printable(void **state)
{
	struct blob blob = blob_make(1, 0, 0);
	char path[LCM_PATH_SIZE], *name;
	static struct lcm lcm;
	struct lcm_error err;

	name = memmem(blob.data, blob.size, "kernel\0", 7);
	assert_non_null(name);
	name[0] = '\033';
	assert_int_equal(lcm_parse(blob.data, blob.size, &lcm, &err), 0);
	lcm_path(blob.data, lcm.modules[0].node, path, sizeof(path));
	assert_string_equal(path, "/chosen/hypervisor/d0/?ernel");
	blob_free(&blob);
}

/* Nor may a domain be called so: its name goes everywhere. */
static void test_domain_name_is_sound(void **state)
{
	struct blob blob = blob_make(1, 0, 0);
	static struct lcm lcm;
	struct lcm_error err;
	char *name;

	name = memmem(blob.data, blob.size, "\0\0\0\1d0", 6);
	assert_non_null(name);
	for (int c = 1; c < 256; c++) {
		bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			    (c >= 'A' && c <= 'Z') || strchr(",._+-", c);

		name[4] = (char)c;
		if (good) {
			assert_int_equal(lcm_parse(blob.data, blob.size, &lcm, &err), 0);
		} else {
			assert_int_equal(lcm_parse(blob.data, blob.size, &lcm, &err), -22);
			assert_int_equal(err.code, LCM_ERR_NAME);
		}
	}
	blob_free(&blob);
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_module_types),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_path_is_printable),
		cmocka_unit_test(test_domain_name_is_sound),
	};

	return cmocka_run_group_tests_name("lcm-names", tests, NULL, NULL);
}
