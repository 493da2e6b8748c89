// SPDX-License-Identifier: LGPL-2.1-or-later
/* format() says what snprintf() says, for what it knows. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "runtime/format.h"

/* Both into memory that is no larger than they were told. */
#define same(size, ...)                                                          \
	do {                                                                     \
		char *ours = malloc(size), *theirs = malloc(size);               \
		const size_t length = format(ours, (size), __VA_ARGS__);         \
                                                                                 \
		assert_non_null(ours);                                           \
		assert_non_null(theirs);                                         \
		assert_int_equal(length, snprintf(theirs, (size), __VA_ARGS__)); \
		assert_string_equal(ours, theirs);                               \
		free(ours);                                                      \
		free(theirs);                                                    \
	} while (0)

static void test_texts(void **state)
{
	same(64, "plain");
	same(64, "%s", "");
	same(64, "<%s>", "text");
	same(64, "<%8s>", "text");
	same(64, "<%2s>", "text");
	same(64, "<%.2s>", "text");
	same(64, "<%6.2s>", "text");
	same(64, "<%.*s>", 3, "text without an end");
	same(64, "<%.*s>", 0, "text");
	same(64, "%c%c", 'x', '%');
	same(64, "100 %%");
}

static void test_numbers(void **state)
{
	same(64, "%d %d %d", 0, -1, INT_MIN);
	same(64, "%u %u", 0U, 4294967295U);
	same(64, "%x %x", 0U, 0xdeadbeefU);
	same(64, "%lu %lx", ULONG_MAX, ULONG_MAX);
	same(64, "%ld", LONG_MIN);
	same(64, "%llu %llx", ULLONG_MAX, 0x123456789abcdefULL);
	same(64, "%zu", SIZE_MAX);
	same(64, "<%5d> <%5d> <%1d>", 42, -42, 12345);
	same(64, "<%05d> <%05d> <%02x>", 42, -42, 0x7U);
	same(64, "%d%s%u", 1, "-", 2U);
}

static void test_cut(void **state)
{
	for (size_t size = 1; size < 12; size++)
		same(size, "%s %d", "seven", 1234);
	assert_int_equal(format(NULL, 0, "%d", 1234), 4);
}

/* It does not guess what an argument is. */
static void test_unknown_ends_the_text(void **state)
{
	char buf[32];
	const char *texts[] = {"a%", "a%q", "a%qbc", "a%5", "a%.", "a%l"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
		assert_int_equal(format(buf, sizeof(buf), texts[i]), 1);
#pragma GCC diagnostic pop
		assert_string_equal(buf, "a");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_unknown_ends_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
