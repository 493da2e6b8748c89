// SPDX-License-Identifier: LGPL-2.1-or-later
/* UUIDs, digests, names, UTF-8, words. */
#include "make.h"

#include <errno.h>
#include <string.h>

static void uuid_both_ways(void **state)
{
	static const char text[] = "00112233-4455-6677-8899-aabbccddeeff";
	char back[HL_UUID_TEXT_SIZE];
	uint8_t uuid[16];

	assert_int_equal(hl_uuid_from_text("00112233-4455-6677-8899-AABBCCDDEEFF", uuid), 0);
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(uuid[i], i * 0x11);
	hl_uuid_to_text(uuid, back);
	assert_string_equal(back, text);
}

static void uuid_nil_is_one_too(void **state)
{
	char text[HL_UUID_TEXT_SIZE] = "x";
	uint8_t uuid[16] = {1};

	hl_uuid_to_text((const uint8_t[16]){0}, text);
	assert_string_equal(text, "00000000-0000-0000-0000-000000000000");
	assert_int_equal(hl_uuid_from_text(text, uuid), 0);
	assert_memory_equal(uuid, (const uint8_t[16]){0}, sizeof(uuid));
}

static void uuid_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"0",
		"-",
		"00112233-4455-6677-8899-aabbccddeef",
		"00112233-4455-6677-8899-aabbccddeeff0",
		"00112233-4455-6677-8899aabbccddeeff00",
		"0011223g-4455-6677-8899-aabbccddeeff",
		"00112233445566778899aabbccddeeff",
		" 00112233-4455-6677-8899-aabbccddeeff",
		"0",
		"00112233-",
	};
	uint8_t uuid[16];

	memset(uuid, 0x5a, sizeof(uuid));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(hl_uuid_from_text(bad[i], uuid), -EINVAL);
	/* Untouched on failure. */
	for (size_t i = 0; i < sizeof(uuid); i++)
		assert_int_equal(uuid[i], 0x5a);
}

static void sha256_texts(void **state)
{
	uint8_t digest[HL_SHA256_SIZE] = {0};
	char text[HL_SHA256_TEXT_SIZE] = "x";

	hl_sha256_to_text(digest, text);
	assert_string_equal(text, "");
	for (size_t i = 0; i < sizeof(digest); i++)
		digest[i] = (uint8_t)(0xa0 + i);
	hl_sha256_to_text(digest, text);
	assert_string_equal(text,
			    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf");
}

static void check_utf8(const char *text, const char *expected)
{
	char *copy = hl_utf8_dup(text);

	assert_string_equal(copy, expected);
	free(copy);
}

static void utf8_cleaned(void **state)
{
	check_utf8("", "");
	check_utf8("web", "web");
	check_utf8("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	check_utf8("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
	check_utf8("a\xff"
		   "b",
		   "a?b");
	check_utf8("\xc3", "?"); /* cut short */
	check_utf8("\xe2\x82", "??");
	check_utf8("\xc0\xaf", "??");		/* too long a form */
	check_utf8("\xed\xa0\x80", "???");	/* a surrogate */
	check_utf8("\xf4\x90\x80\x80", "????"); /* beyond Unicode */
	check_utf8("a\nb\x7f", "a?b?");
	check_utf8("\xc2\x85", "?");		      /* C1: a control, if valid */
	check_utf8("\xef\xbf\xbf", "?");	      /* noncharacters: U+FFFF, */
	check_utf8("\xef\xb7\x90\xef\xb7\xaf", "??"); /* U+FDD0, U+FDEF, */
	check_utf8("\xf0\x9f\xbf\xbe", "?");	      /* U+1FFFE */
	check_utf8("\xf4\x8f\xbf\xbf", "?");	      /* and U+10FFFF */
	check_utf8("\xef\xb7\x8f\xef\xbf\xbd", "\xef\xb7\x8f\xef\xbf\xbd");
	check_utf8("\xe2\x80\xae"
		   "a\xe2\x81\xa6",
		   "?a?"); /* text turned round */
	check_utf8("a\xe2\x80\xa8"
		   "b",
		   "a?b"); /* a line separator */
}

static void bits_to_names(void **state)
{
	uint32_t bits = HL_FUNC_BOOT | HL_FUNC_LEGACY_DOM0 | 1u << 17;
	char buf[8];

	assert_string_equal(hl_function_next(&bits, buf, sizeof(buf)), "boot");
	assert_string_equal(hl_function_next(&bits, buf, sizeof(buf)), "bit-17");
	assert_string_equal(hl_function_next(&bits, buf, sizeof(buf)), "legacy-dom0");
	assert_null(hl_function_next(&bits, buf, sizeof(buf)));
	assert_int_equal(bits, 0);
}

/* Each value has a word of its own, and no value beyond is out of bounds. */
static void words(void **state)
{
	for (unsigned int i = 0; i < HL_NR_ROLES; i++) {
		enum hl_role role;

		assert_int_equal(hl_role_from_name(hl_role_name((enum hl_role)i), &role), 0);
		assert_int_equal(role, i);
	}
	for (unsigned int i = 0; i < HL_DOMAIN_UNKNOWN; i++)
		assert_string_not_equal(hl_domain_state_name((enum hl_domain_state)i), "unknown");
	for (unsigned int i = 0; i < HL_LAUNCH_UNKNOWN; i++)
		assert_string_not_equal(hl_launch_state_name((enum hl_launch_state)i), "unknown");
	for (unsigned int i = 1; i < HL_NR_EVENT_TYPES; i++)
		assert_string_not_equal(hl_event_name((enum hl_event_type)i), "unknown");
	for (unsigned int i = 0; i < HL_NR_MODULE_TYPES; i++)
		assert_string_not_equal(hl_module_type_name((enum hl_module_type)i), "unknown");
	assert_string_equal(hl_domain_state_name((enum hl_domain_state)1000), "unknown");
	assert_string_equal(hl_role_name((enum hl_role)1000), "unknown");
	assert_string_equal(hl_error_name(UINT32_MAX), "unknown");
	assert_string_equal(hl_shutdown_name(UINT32_MAX), "unknown");
	assert_string_equal(hl_shutdown_name(3), "crash");
	assert_string_equal(hl_error_name(LCM_ERR_DOMID_DUPLICATE), "domid-duplicate");
}

static void numbers(void **state)
{
	uint64_t value = 7;

	assert_int_equal(parse_u64("0x7FF5", UINT32_MAX, &value), 0);
	assert_int_equal(value, 0x7ff5);
	assert_int_equal(parse_u64("010", UINT32_MAX, &value), 0);
	assert_int_equal(value, 10);
	assert_int_equal(parse_u64("18446744073709551615", UINT64_MAX, &value), 0);
	assert_int_equal(parse_u64("18446744073709551616", UINT64_MAX, &value), -ERANGE);
	assert_int_equal(parse_u64("256", 255, &value), -ERANGE);
	assert_int_equal(parse_u64("", 9, &value), -EINVAL);
	assert_int_equal(parse_u64("0x", 9, &value), -EINVAL);
	assert_int_equal(parse_u64("-1", 9, &value), -EINVAL);
	assert_int_equal(parse_u64(" 1", 9, &value), -EINVAL);
	assert_int_equal(parse_u64("1k", 9, &value), -EINVAL);
	assert_int_equal(parse_u64("abc", UINT64_MAX, &value), -EINVAL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuid_both_ways), cmocka_unit_test(uuid_nil_is_one_too),
		cmocka_unit_test(uuid_refused),	  cmocka_unit_test(sha256_texts),
		cmocka_unit_test(utf8_cleaned),	  cmocka_unit_test(bits_to_names),
		cmocka_unit_test(words),	  cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
