// SPDX-License-Identifier: LGPL-2.1-or-later
/* Words, lines, numbers, and names of errors. */
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "runtime/errname.h"
#include "runtime/tokenize.h"

static struct word whole(const char *text)
{
	return (struct word){text, strlen(text)};
}

static void assert_word(const struct word *word, const char *text)
{
	assert_int_equal(word->length, strlen(text));
	assert_memory_equal(word->text, text, word->length);
}

static void test_words(void **state)
{
	struct word rest = whole(" one\ttwo \r\n three"), word;

	assert_true(word_next(&rest, &word));
	assert_word(&word, "one");
	assert_true(word_next(&rest, &word));
	assert_word(&word, "two");
	assert_true(word_next(&rest, &word));
	assert_word(&word, "three");
	assert_false(word_next(&rest, &word));
	rest = whole("  \n");
	assert_false(word_next(&rest, &word));
	rest = (struct word){NULL, 0};
	assert_false(word_next(&rest, &word));
}

static void test_is(void **state)
{
	const struct word word = {"web and more", 3};

	assert_true(word_is(&word, "web"));
	assert_false(word_is(&word, "we"));
	assert_false(word_is(&word, "web "));
	assert_false(word_is(&word, "wex"));
	assert_false(word_is(&word, ""));
}

static void test_lines(void **state)
{
	struct word rest = whole("a b\n\n c"), line;

	assert_true(word_line(&rest, &line));
	assert_word(&line, "a b");
	assert_true(word_line(&rest, &line));
	assert_word(&line, "");
	assert_true(word_line(&rest, &line));
	assert_word(&line, " c");
	assert_false(word_line(&rest, &line));
	rest = whole("end\n");
	assert_true(word_line(&rest, &line));
	assert_false(word_line(&rest, &line));
	rest = (struct word){NULL, 0};
	assert_false(word_line(&rest, &line));
}

static void test_split(void **state)
{
	struct word word = whole("a=b=c"), before, after;

	assert_true(word_split(&word, '=', &before, &after));
	assert_word(&before, "a");
	assert_word(&after, "b=c");
	word = whole("=");
	assert_true(word_split(&word, '=', &before, &after));
	assert_word(&before, "");
	assert_word(&after, "");
	word = whole("abc");
	assert_false(word_split(&word, '=', &before, &after));
	/* Into itself. */
	word = whole("x#y");
	assert_true(word_split(&word, '#', &word, &after));
	assert_word(&word, "x");
	assert_word(&after, "y");
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, value;
		bool good;
	} cases[] = {
		{"0", 0, 0, true},
		{"1", 0, 0, false},
		{"10", 10, 10, true},
		{"11", 10, 0, false},
		{"007", 10, 7, true},
		{"4294967295", UINT32_MAX, UINT32_MAX, true},
		{"4294967296", UINT32_MAX, 0, false},
		{"18446744073709551615", UINT64_MAX, UINT64_MAX, true},
		{"18446744073709551616", UINT64_MAX, 0, false},
		{"99999999999999999999", UINT64_MAX, 0, false},
		{"0x7fEf", UINT16_MAX, 0x7fef, true},
		{"0X10000", UINT16_MAX, 0, false},
		{"0xffffffffffffffff", UINT64_MAX, UINT64_MAX, true},
		{"0x10000000000000000", UINT64_MAX, 0, false},
		{"0x", UINT64_MAX, 0, false},
		{"", UINT64_MAX, 0, false},
		{"-1", UINT64_MAX, 0, false},
		{"1k", UINT64_MAX, 0, false},
		{"a", UINT64_MAX, 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct word word = whole(cases[i].text);
		uint64_t value = 12345;

		if (word_number(&word, cases[i].max, &value) != cases[i].good)
			fail_msg("'%s'", cases[i].text);
		assert_int_equal(value, cases[i].good ? cases[i].value : 12345);
	}
}

static void test_errnames(void **state)
{
	assert_string_equal(errname(0), "ok");
	assert_string_equal(errname(7), "ok");
	assert_string_equal(errname(-1), "EPERM");
	assert_string_equal(errname(-11), "EAGAIN");
	assert_string_equal(errname(-22), "EINVAL");
	assert_string_equal(errname(-38), "ENOSYS");
	assert_string_equal(errname(-71), "EPROTO");
	assert_string_equal(errname(-95), "EOPNOTSUPP");
	assert_string_equal(errname(-4095), "E-unknown");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),	 cmocka_unit_test(test_lines),
		cmocka_unit_test(test_split),	 cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_errnames), cmocka_unit_test(test_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
