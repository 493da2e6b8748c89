// SPDX-License-Identifier: LGPL-2.1-or-later
/* The boot domain's configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "config.h"

static struct lcm lcm;

static void make_lcm(void)
{
	static const char names[][LCM_NAME_SIZE] = {"store", "5", "web"};

	lcm = (struct lcm){.nr_domains = 3};
	for (unsigned int i = 0; i < lcm.nr_domains; i++) {
		memcpy(lcm.domains[i].name, names[i], sizeof(names[i]));
		lcm.domains[i].cpus = i + 1;
	}
}

/* In memory of just its size, so that a sanitizer sees what is read beyond. */
static int parse(const char *text, struct config *config, struct config_error *err)
{
	struct blob blob = blob_copy(text, strlen(text));
	const int r = config_parse(blob.data, blob.size, &lcm, config, err);

	blob_free(&blob);
	return r;
}

static void assert_timeouts(const char *text, uint32_t store, uint32_t five, uint32_t web)
{
	struct config_error err = {0, ""};
	struct config config;

	memset(&config, 0xa5, sizeof(config));
	if (parse(text, &config, &err))
		fail_msg("line %u: %s", err.line, err.text);
	assert_int_equal(config.ready_timeout_ms[0], store);
	assert_int_equal(config.ready_timeout_ms[1], five);
	assert_int_equal(config.ready_timeout_ms[2], web);
}

static void test_default(void **state)
{
	struct config config;

	config_default(&config);
	for (unsigned int i = 0; i < LCM_MAX_DOMAINS; i++)
		assert_int_equal(config.ready_timeout_ms[i], 30000);
	assert_timeouts("", 30000, 30000, 30000);
	assert_timeouts("# nothing\n\n \t\r\n", 30000, 30000, 30000);
}

static void test_timeouts(void **state)
{
	assert_timeouts("ready-timeout-ms 5", 5, 5, 5);
	assert_timeouts("ready-timeout-ms 0\n", 0, 0, 0);
	assert_timeouts("ready-timeout-ms web 7", 30000, 30000, 7);
	assert_timeouts("ready-timeout-ms 5 9", 30000, 9, 30000);
	assert_timeouts("  ready-timeout-ms\tweb 4294967295 # forever\r\n", 30000, 30000,
			UINT32_MAX);
	/* The order of lines does not matter. */
	assert_timeouts("ready-timeout-ms web 7\nready-timeout-ms 100\nready-timeout-ms store 8", 8,
			100, 7);
	assert_timeouts("ready-timeout-ms 100\nready-timeout-ms store 8\nready-timeout-ms web 7", 8,
			100, 7);
	assert_timeouts("#ready-timeout-ms 1\nready-timeout-ms 2#3", 2, 2, 2);
}

static void assert_setting(const struct config *config, unsigned int i, enum config_kind kind,
			   unsigned int line, unsigned int domain, uint64_t number)
{
	const struct config_setting *setting = &config->settings[i];

	assert_true(i < config->nr_settings);
	assert_int_equal(setting->kind, kind);
	assert_int_equal(setting->line, line);
	assert_int_equal(setting->domain, domain);
	assert_int_equal(setting->number, number);
}

static void test_settings(void **state)
{
	static const char text[] =
		"weight store 1\n# more\nweight web 0xffff\ncap web 150 # of 300\ncap 5 0\n"
		"memory-limit store 65536\nmemory-limit 5 64M\nmemory-limit web 3G";
	struct config_error err = {0, ""};
	struct config config;

	memset(&config, 0xa5, sizeof(config));
	assert_int_equal(parse(text, &config, &err), 0);
	assert_int_equal(config.nr_settings, 7);
	assert_setting(&config, 0, CONFIG_WEIGHT, 1, 0, 1);
	assert_setting(&config, 1, CONFIG_WEIGHT, 3, 2, 65535);
	assert_setting(&config, 2, CONFIG_CAP, 4, 2, 150);
	assert_setting(&config, 3, CONFIG_CAP, 5, 1, 0);
	assert_setting(&config, 4, CONFIG_MEMORY_LIMIT, 6, 0, 65536);
	assert_setting(&config, 5, CONFIG_MEMORY_LIMIT, 7, 1, 65536);
	assert_setting(&config, 6, CONFIG_MEMORY_LIMIT, 8, 2, 3 << 20);
	assert_int_equal(config.ready_timeout_ms[2], 30000);
	assert_int_equal(parse("", &config, &err), 0);
	assert_int_equal(config.nr_settings, 0);
}

static void test_affinity(void **state)
{
	struct config_error err = {0, ""};
	struct config config;

	assert_int_equal(
		parse("hard-affinity web 2 0-1,9\nsoft-affinity web all 1\nhard-affinity web 0 3\n",
		      &config, &err),
		0);
	assert_int_equal(config.nr_settings, 3);
	assert_setting(&config, 0, CONFIG_HARD_AFFINITY, 1, 2, 0);
	assert_int_equal(config.settings[0].vcpu, 2);
	assert_int_equal(config.settings[0].cpus.bytes[0], 3);
	assert_int_equal(config.settings[0].cpus.bytes[1], 2);
	assert_setting(&config, 1, CONFIG_SOFT_AFFINITY, 2, 2, 0);
	assert_int_equal(config.settings[1].vcpu, CONFIG_ALL_VCPUS);
	assert_true(cpus_has(&config.settings[1].cpus, 1));
	assert_int_equal(config.settings[2].vcpu, 0);
}

/* One more than there is room for is told, with its line. */
static void test_too_many(void **state)
{
	char text[32 * (CONFIG_MAX_SETTINGS + 1)] = "";
	size_t size = 0;
	struct config_error err;
	struct config config;

	lcm.domains[0].cpus = CONFIG_MAX_SETTINGS + 1;
	for (unsigned int i = 0; i <= CONFIG_MAX_SETTINGS; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size,
					 "hard-affinity store %u 0\n", i);
	assert_int_equal(parse(text, &config, &err), -EINVAL);
	assert_int_equal(err.line, CONFIG_MAX_SETTINGS + 1);
	assert_string_equal(err.text, "more than 128 settings");
	*strrchr(text, 'h') = '\0';
	assert_int_equal(parse(text, &config, &err), 0);
	assert_int_equal(config.nr_settings, CONFIG_MAX_SETTINGS);
	lcm.domains[0].cpus = 1;
}

static void test_errors(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *says;
	} cases[] = {
		{"ready-timeout 5", 1, "unknown keyword"},
		{"\n\nhello\n", 3, "unknown keyword"},
		{"ready-timeout-ms", 1, "ready-timeout-ms requires a number"},
		{"ready-timeout-ms web", 1, "not a number of milliseconds"},
		{"ready-timeout-ms web 1s", 1, "not a number of milliseconds"},
		{"ready-timeout-ms -1", 1, "not a number of milliseconds"},
		{"ready-timeout-ms 4294967296", 1, "not a number of milliseconds"},
		{"ready-timeout-ms 1\nready-timeout-ms 2", 2,
		 "ready-timeout-ms for all domains is already set"},
		{"# x\nready-timeout-ms wob 1", 2, "no such domain"},
		{"ready-timeout-ms we 1", 1, "no such domain"},
		{"ready-timeout-ms web 1\nready-timeout-ms web 1", 2,
		 "ready-timeout-ms of this domain is already set"},
		{"ready-timeout-ms web 1 2", 1, "too many words"},
		{"weight web", 1, "too few words"},
		{"weight web 1 2", 1, "too many words"},
		{"hard-affinity web 0 1 2", 1, "too many words"},
		{"hard-affinity web 0", 1, "too few words"},
		{"weight wob 1", 1, "no such domain"},
		{"weight web 0", 1, "not a weight, which is 1 to 65535"},
		{"weight web 65536", 1, "not a weight, which is 1 to 65535"},
		{"weight web one", 1, "not a weight, which is 1 to 65535"},
		{"cap web 65536", 1, "not a cap in % of a CPU, or 0 for none"},
		{"cap web 50%", 1, "not a cap in % of a CPU, or 0 for none"},
		{"memory-limit web 1T", 1, "not a size such as 65536, 64M or 1G"},
		{"memory-limit web M", 1, "not a size such as 65536, 64M or 1G"},
		{"memory-limit web 18014398509481984", 1, "not a size such as 65536, 64M or 1G"},
		{"memory-limit web 17179869184G", 1, "not a size such as 65536, 64M or 1G"},
		{"hard-affinity web 3 0", 1, "no such vCPU of this domain"},
		{"hard-affinity web any 0", 1, "no such vCPU of this domain"},
		{"hard-affinity web 4294967295 0", 1, "no such vCPU of this domain"},
		{"soft-affinity web 0 1024", 1, "not a list of CPUs"},
		{"soft-affinity web 0 1-", 1, "not a list of CPUs"},
		{"weight web 1\ncap web 1\nweight web 2", 3, "this is already set"},
		{"hard-affinity web 1 0\nhard-affinity web all 0", 2, "this is already set"},
		{"hard-affinity web all 0\nhard-affinity web 1 0", 2, "this is already set"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_error err = {0, ""};
		struct config config;

		assert_int_equal(parse(cases[i].text, &config, &err), -EINVAL);
		assert_int_equal(err.line, cases[i].line);
		assert_string_equal(err.text, cases[i].says);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),	 cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_settings), cmocka_unit_test(test_affinity),
		cmocka_unit_test(test_too_many), cmocka_unit_test(test_errors),
	};

	make_lcm();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
