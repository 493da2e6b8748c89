// SPDX-License-Identifier: LGPL-2.1-or-later
/* The boot domain's configuration. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "config.h"

static struct lcm lcm;

static void make_lcm(void)
{
	static const char names[][LCM_NAME_SIZE] = { "store", "5", "web" };

	lcm = (struct lcm){ .nr_domains = 3 };
	for (unsigned int i = 0; i < lcm.nr_domains; i++)
		memcpy(lcm.domains[i].name, names[i], sizeof(names[i]));
}

/* In memory of just its size, so that a sanitizer sees what is read beyond. */
static int parse(const char *text, struct config *config, struct config_error *err)
{
	struct blob blob = blob_copy(text, strlen(text));
	const int rc = config_parse(blob.data, blob.size, &lcm, config, err);

	blob_free(&blob);
	return rc;
}

static void assert_timeouts(const char *text, uint32_t store, uint32_t five, uint32_t web)
{
	struct config_error err = { 0, "" };
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
	assert_timeouts("  ready-timeout-ms\tweb 4294967295 # forever\r\n", 30000, 30000, UINT32_MAX);
	/* The order of lines does not matter. */
	assert_timeouts("ready-timeout-ms web 7\nready-timeout-ms 100\nready-timeout-ms store 8", 8, 100, 7);
	assert_timeouts("ready-timeout-ms 100\nready-timeout-ms store 8\nready-timeout-ms web 7", 8, 100, 7);
	assert_timeouts("#ready-timeout-ms 1\nready-timeout-ms 2#3", 2, 2, 2);
}

static void test_errors(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *says;
	} cases[] = {
		{ "ready-timeout 5", 1, "unknown word" },
		{ "\n\nhello\n", 3, "unknown word" },
		{ "ready-timeout-ms", 1, "ready-timeout-ms needs a number" },
		{ "ready-timeout-ms web", 1, "not a number of milliseconds" },
		{ "ready-timeout-ms web 1s", 1, "not a number of milliseconds" },
		{ "ready-timeout-ms -1", 1, "not a number of milliseconds" },
		{ "ready-timeout-ms 4294967296", 1, "not a number of milliseconds" },
		{ "ready-timeout-ms 1\nready-timeout-ms 2", 2, "ready-timeout-ms for all domains is there already" },
		{ "# x\nready-timeout-ms wob 1", 2, "no such domain" },
		{ "ready-timeout-ms we 1", 1, "no such domain" },
		{ "ready-timeout-ms web 1\nready-timeout-ms web 1", 2, "ready-timeout-ms of this domain is there already" },
		{ "ready-timeout-ms web 1 2", 1, "too many words" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_error err = { 0, "" };
		struct config config;

		assert_int_equal(parse(cases[i].text, &config, &err), -EINVAL);
		assert_int_equal(err.line, cases[i].line);
		assert_string_equal(err.text, cases[i].says);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_errors),
	};

	make_lcm();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
