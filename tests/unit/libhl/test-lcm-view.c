// SPDX-License-Identifier: LGPL-2.1-or-later
/* The LCM as objects and as JSON. */
#include "make.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

static struct hl_lcm *lcm_of(const char *name, const struct hl_lcm_limits *limits)
{
	struct hl_lcm_error error;
	struct hl_lcm *lcm;
	size_t size;
	void *blob = load_fixture(name, &size);

	if (hl_lcm_new(blob, size, limits, &error, &lcm))
		fail_msg("%s: %s", name, error.text);
	free(blob);
	return lcm;
}

static void objects(void **state)
{
	struct hl_lcm *lcm = lcm_of("ok-dynamic-full", NULL);
	const struct hl_lcm_domain *web = hl_lcm_get_domain(lcm, 6);
	const struct hl_lcm_module *kernel = hl_lcm_get_module(lcm, web->kernel);

	assert_string_equal(hl_lcm_form(lcm), "hypervisor");
	assert_true(hl_lcm_is_dynamic(lcm));
	assert_int_equal(hl_lcm_boot_timeout_ms(lcm), 60000);
	assert_int_equal(hl_lcm_nr_domains(lcm), 8);
	assert_string_equal(web->name, "web");
	assert_string_equal(web->node, "/chosen/hypervisor/web");
	assert_int_equal(web->start_after, 1u << 1 | 1u << 5);
	assert_int_equal(web->memory_kib, 0x20000);
	assert_int_equal(web->device_tree, HL_NO_INDEX);
	assert_int_equal(kernel->domain, 6);
	assert_int_equal(kernel->index, 1);
	assert_string_equal(kernel->bootargs, "console=hvc0");
	assert_null(kernel->file);
	assert_null(kernel->digest_sha256);
	assert_true(hl_lcm_get_domain(lcm, 7)->hold);
	assert_null(hl_lcm_get_domain(lcm, 8));
	assert_null(hl_lcm_get_module(lcm, UINT32_MAX));
	assert_null(hl_lcm_get_pci(lcm, UINT32_MAX));
	assert_null(hl_lcm_get_warning(lcm, UINT32_MAX));
	hl_lcm_unref(lcm);
}

static void pci_objects(void **state)
{
	struct hl_lcm *lcm = lcm_of("ok-pci", NULL);
	bool bdf = false, vf = false, match = false;

	assert_true(hl_lcm_nr_pci(lcm) >= 3);
	for (uint32_t i = 0; i < hl_lcm_nr_pci(lcm); i++) {
		const struct hl_lcm_pci *p = hl_lcm_get_pci(lcm, i);

		bdf |= p->bdf && !p->pf && strlen(p->bdf) == 12;
		vf |= p->pf && !p->bdf;
		match |= !p->pf && !p->bdf;
		assert_true(hl_lcm_get_domain(lcm, p->domain)->hold);
	}
	assert_true(bdf && vf && match);
	hl_lcm_unref(lcm);
}

/* The text lives in the LCM, not in the bytes it came from. */
static void copies_the_bytes(void **state)
{
	size_t size, kept;
	char *blob = load_fixture("ok-dynamic-full", &size);
	struct hl_lcm *lcm;

	assert_int_equal(hl_lcm_new(blob, size, NULL, NULL, &lcm), 0);
	assert_memory_equal(hl_lcm_get_blob(lcm, &kept), blob, size);
	assert_int_equal(kept, size);
	memset(blob, 0xff, size);
	free(blob);
	assert_string_equal(hl_lcm_get_domain(lcm, 1)->security_id, "system_u:system_r:xenstore_t");
	hl_lcm_unref(lcm);
}

static void errors_name_the_place(void **state)
{
	struct hl_lcm_error error;
	struct hl_lcm *lcm = NULL;
	size_t size;
	void *blob = load_fixture("bad-domid-duplicate", &size);

	assert_int_equal(hl_lcm_new(blob, size, NULL, &error, &lcm), -EINVAL);
	assert_int_equal(hl_lcm_new(blob, size, NULL, NULL, &lcm), -EINVAL);
	assert_null(lcm);
	assert_string_equal(hl_error_name(error.code), "domid-duplicate");
	assert_string_equal(error.prop, "domid");
	assert_string_not_equal(error.node, "");
	assert_string_not_equal(error.other_node, "");
	assert_non_null(strstr(error.text, error.node));
	assert_non_null(strstr(error.text, "'domid'"));
	assert_non_null(strstr(error.text, error.other_node));
	free(blob);
}

static void no_tree_at_all(void **state)
{
	struct hl_lcm_error error;
	struct hl_lcm *lcm;
	char zeros[64] = {0};

	assert_int_equal(hl_lcm_new("", 0, NULL, &error, &lcm), -EINVAL);
	assert_string_equal(error.node, "/");
	assert_int_equal(hl_lcm_new(NULL, 0, NULL, &error, &lcm), -EINVAL);
	assert_int_equal(hl_lcm_new(zeros, sizeof(zeros), NULL, &error, &lcm), -EINVAL);
	assert_string_equal(hl_error_name(error.code), "fdt");
}

static int with_limits(const char *name, struct hl_lcm_limits limits, struct hl_lcm_error *error)
{
	struct hl_lcm *lcm = NULL;
	size_t size;
	void *blob = load_fixture(name, &size);
	int r = hl_lcm_new(blob, size, &limits, error, &lcm);

	free(blob);
	hl_lcm_unref(lcm);
	return r;
}

static void limits(void **state)
{
	struct hl_lcm_error error;

	assert_int_equal(
		with_limits("ok-dynamic-full", (struct hl_lcm_limits){.nr_modules = 6}, &error), 0);
	assert_int_equal(
		with_limits("ok-dynamic-full", (struct hl_lcm_limits){.nr_modules = 5}, &error),
		-EINVAL);
	assert_string_equal(hl_error_name(error.code), "index-range");
	assert_int_equal(
		with_limits("ok-dynamic-full", (struct hl_lcm_limits){.max_vcpus = 1}, &error),
		-EINVAL);
	assert_int_equal(
		with_limits("ok-dynamic-full", (struct hl_lcm_limits){.memory_kib = 9}, &error),
		-EINVAL);
	assert_int_equal(with_limits("ok-source", (struct hl_lcm_limits){.source = true}, &error),
			 0);
	assert_int_equal(with_limits("ok-source", (struct hl_lcm_limits){0}, &error), -EINVAL);
	assert_string_equal(hl_error_name(error.code), "not-linked");
}

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("no '%s' in %s", key, json_object_to_json_string(object));
	return value;
}

static struct json_object *json_of(const char *name, const struct hl_lcm_limits *limits)
{
	struct hl_lcm *lcm = lcm_of(name, limits);
	struct json_object *json;
	char *text;

	assert_int_equal(hl_lcm_to_json(lcm, &text), 0);
	json = json_tokener_parse(text);
	assert_non_null(json);
	assert_int_equal(text[strlen(text) - 1], '\n');
	free(text);
	hl_lcm_unref(lcm);
	return json;
}

static void json(void **state)
{
	struct json_object *json = json_of("ok-dynamic-full", NULL);
	struct json_object *web = json_object_array_get_idx(get(json, "domains"), 6);
	struct json_object *module = json_object_array_get_idx(get(web, "modules"), 0);
	struct json_object *store = json_object_array_get_idx(get(json, "domains"), 1);

	assert_string_equal(json_object_get_string(get(json, "form")), "hypervisor");
	assert_true(json_object_get_boolean(get(json, "dynamic")));
	assert_int_equal(json_object_get_int(get(json, "boot_timeout_ms")), 60000);
	assert_int_equal(json_object_array_length(get(json, "domains")), 8);
	assert_string_equal(json_object_get_string(get(web, "name")), "web");
	assert_int_equal(json_object_get_int(get(web, "requested_domid")), 0);
	assert_int_equal(json_object_get_int(get(web, "domid")), 5);
	assert_string_equal(json_object_get_string(get(web, "uuid")),
			    "8d5a104e-6c2b-4f0a-9b1e-000000000006");
	assert_int_equal(json_object_get_int64(get(web, "memory_kib")), 0x20000);
	assert_int_equal(json_object_get_int(get(web, "cpus")), 2);
	assert_null(get(web, "security_id"));
	assert_int_equal(json_object_array_length(get(web, "start_after")), 2);
	assert_string_equal(json_object_get_string(get(module, "type")), "kernel");
	assert_int_equal(json_object_get_int(get(module, "index")), 1);
	assert_null(get(module, "addr"));
	assert_string_equal(json_object_get_string(get(module, "bootargs")), "console=hvc0");
	assert_true(json_object_get_int64(get(store, "functions")) == 0x40000000);
	assert_string_equal(
		json_object_get_string(json_object_array_get_idx(get(store, "function_names"), 0)),
		"xenstore");
	/* Xen's own modules stand beside the domains. */
	assert_int_equal(json_object_array_length(get(json, "modules")), 1);
	json_object_put(json);
}

static void json_pci(void **state)
{
	struct json_object *json = json_of("ok-pci", NULL);
	struct json_object *domains = get(json, "domains");
	size_t nr = 0;

	for (size_t i = 0; i < json_object_array_length(domains); i++)
		nr += json_object_array_length(get(json_object_array_get_idx(domains, i), "pci"));
	assert_true(nr >= 3);
	json_object_put(json);
}

static void json_source(void **state)
{
	struct json_object *json = json_of("ok-source", &(struct hl_lcm_limits){.source = true});
	struct json_object *first = json_object_array_get_idx(get(json, "domains"), 0);
	struct json_object *module = json_object_array_get_idx(get(first, "modules"), 0);

	assert_null(get(module, "index"));
	assert_non_null(get(module, "file"));
	json_object_put(json);
}

static void dts_refused(void **state)
{
	char *text = NULL, junk[256];

	memset(junk, 0x5a, sizeof(junk));
	assert_int_equal(hl_fdt_to_dts(junk, sizeof(junk), &text), -EINVAL);
	assert_int_equal(hl_fdt_to_dts(junk, 0, &text), -EINVAL);
	assert_null(text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects),
		cmocka_unit_test(pci_objects),
		cmocka_unit_test(copies_the_bytes),
		cmocka_unit_test(errors_name_the_place),
		cmocka_unit_test(no_tree_at_all),
		cmocka_unit_test(limits),
		cmocka_unit_test(json),
		cmocka_unit_test(json_pci),
		cmocka_unit_test(json_source),
		cmocka_unit_test(dts_refused),
	};

	if (!set_fixture_dir(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
