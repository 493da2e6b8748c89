// SPDX-License-Identifier: LGPL-2.1-or-later
/* The pure parts of consoled: ring, filter, replay, Base64. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base64.h"
#include "filter.h"
#include "replay.h"
#include "ring.h"

static struct xencons_interface page;

static struct ring ring_at(uint32_t out_cons, uint32_t out_prod, uint32_t in_cons, uint32_t in_prod)
{
	struct ring ring;

	page.out_cons = out_cons;
	page.out_prod = out_prod;
	page.in_cons = in_cons;
	page.in_prod = in_prod;
	ring_start(&ring, &page);
	return ring;
}

static void test_ring_copies_across_the_end_and_the_wrap_of_indices(void **state)
{
	uint8_t data[RING_OUT_SIZE];
	struct ring ring = ring_at(UINT32_MAX - 1, 3, 0, 0);

	memset(page.out, 'x', sizeof(page.out));
	memcpy(page.out + 2046, "ab", 2);
	memcpy(page.out, "cde", 3);
	assert_int_equal(ring_peek(&ring, data), 5);
	assert_memory_equal(data, "abcde", 5);
	assert_int_equal(page.out_cons, UINT32_MAX - 1);
	ring_consume(&ring, 5);
	ring_publish_output(&ring);
	assert_int_equal(page.out_cons, 3);
	assert_int_equal(ring_peek(&ring, data), 0);
}

static void test_ring_rejects_more_than_there_can_be(void **state)
{
	uint8_t data[RING_OUT_SIZE];
	struct ring ring = ring_at(100, 100 + RING_OUT_SIZE, 0, 0);

	assert_int_equal(ring_peek(&ring, data), RING_OUT_SIZE);
	page.out_prod++;
	assert_int_equal(ring_peek(&ring, data), -EBADMSG);
	page.out_prod = 99;
	assert_int_equal(ring_peek(&ring, data), -EBADMSG);
}

static void test_ring_follows_a_driver_that_begins_again(void **state)
{
	uint8_t data[RING_OUT_SIZE];
	struct ring ring = ring_at(5000, 5000, 0, 0);

	page.out_cons = 0;
	page.out_prod = 3;
	memcpy(page.out, "new", 3);
	assert_int_equal(ring_peek(&ring, data), 3);
	assert_memory_equal(data, "new", 3);
}

static void test_ring_keeps_its_own_indices(void **state)
{
	uint8_t data[RING_OUT_SIZE];
	struct ring ring = ring_at(0, 10, 0, 0);

	page.out_cons = 7; /* by the guest: ours is 0 */
	assert_int_equal(ring_peek(&ring, data), 10);
	page.in_prod = 500;
	ring_put(&ring, (const uint8_t *)"hi", 2);
	ring_publish_input(&ring);
	assert_int_equal(page.in_prod, 2);
	assert_memory_equal(page.in, "hi", 2);
}

static void test_ring_has_room_up_to_its_size(void **state)
{
	struct ring ring = ring_at(0, 0, 10, 10);
	uint8_t data[RING_IN_SIZE] = {0};

	assert_int_equal(ring_room(&ring), RING_IN_SIZE);
	ring_put(&ring, data, RING_IN_SIZE);
	assert_int_equal(ring_room(&ring), 0);
	page.in_cons = 11;
	assert_int_equal(ring_room(&ring), 1);
	page.in_cons = 9; /* more than there can be */
	assert_int_equal(ring_room(&ring), 0);
	page.in_cons = 5000;
	assert_int_equal(ring_room(&ring), 0);
}

static void test_ring_resumes_with_recorded_indices(void **state)
{
	struct ring ring;

	ring_at(1, 2, 3, 4);
	ring_resume(&ring, &page, 77, 88);
	assert_int_equal(page.out_cons, 77);
	assert_int_equal(page.in_prod, 88);
}

static void check_filter(const char *in, const char *expected)
{
	char out[256];
	size_t size = filter((const uint8_t *)in, strlen(in), out);

	assert_int_equal(size, strlen(expected));
	assert_memory_equal(out, expected, size);
}

static void test_filter_shows_text_and_escapes_controls(void **state)
{
	check_filter("plain\ttext\r\n", "plain\ttext\r\n");
	check_filter("\033[31mred\a", "\\x1b[31mred\\x07");
	check_filter("\x7f", "\\x7f");
	check_filter("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		     "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
}

static void test_filter_escapes_what_is_no_utf8_or_turns_text(void **state)
{
	check_filter("\xc2\x9b", "\\xc2\\x9b");			  /* C1: CSI */
	check_filter("\xe2\x80\xae", "\\xe2\\x80\\xae");	  /* right-to-left override */
	check_filter("\xc0\x80", "\\xc0\\x80");			  /* too long */
	check_filter("\xed\xa0\x80", "\\xed\\xa0\\x80");	  /* surrogate */
	check_filter("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond Unicode */
	check_filter("\xe2\x82", "\\xe2\\x82");			  /* cut off */
	check_filter("\xff", "\\xff");
}

static void test_replay_keeps_the_last_bytes(void **state)
{
	static uint8_t replay[REPLAY_SIZE];
	uint64_t total = 0;
	const uint8_t *data;
	char text[8];
	size_t size;

	for (int i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "%05d\n", i);
		replay_put(replay, total, (uint8_t *)text, 6);
		total += 6;
	}
	assert_int_equal(replay_oldest(total), total - REPLAY_SIZE);
	size = replay_peek(replay, total, total - 6, &data);
	assert_int_equal(size, 6);
	assert_memory_equal(data, "19999\n", 6);
	assert_int_equal(replay_peek(replay, total, total, &data), 0);
	size = replay_peek(replay, total, replay_oldest(total), &data);
	assert_true(size > 0 && size <= REPLAY_SIZE);
	assert_int_equal(replay_oldest(10), 0);
}

static void test_base64_goes_both_ways(void **state)
{
	uint8_t data[64], back[64];
	char text[BASE64_SIZE(64)];
	size_t size;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37);
	for (size_t i = 0; i <= sizeof(data); i++) {
		base64_encode(data, i, text);
		assert_int_equal(strlen(text) + 1, BASE64_SIZE(i));
		assert_int_equal(base64_decode(text, back, sizeof(back), &size), 0);
		assert_int_equal(size, i);
		assert_memory_equal(data, back, i);
	}
	base64_encode((const uint8_t *)"light w", 7, text);
	assert_string_equal(text, "bGlnaHQgdw==");
}

static void test_base64_rejects_what_is_none(void **state)
{
	static const char *const invalid[] = {
		"a", "abc", "====", "a===", "ab=c", "ab==cdef", "ab\n=", "abc\x80"};
	uint8_t data[4];
	size_t size;

	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		assert_int_equal(base64_decode(invalid[i], data, sizeof(data), &size), -EINVAL);
	assert_int_equal(base64_decode("YWJjZGVm", data, sizeof(data), &size), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring_copies_across_the_end_and_the_wrap_of_indices),
		cmocka_unit_test(test_ring_rejects_more_than_there_can_be),
		cmocka_unit_test(test_ring_follows_a_driver_that_begins_again),
		cmocka_unit_test(test_ring_keeps_its_own_indices),
		cmocka_unit_test(test_ring_has_room_up_to_its_size),
		cmocka_unit_test(test_ring_resumes_with_recorded_indices),
		cmocka_unit_test(test_filter_shows_text_and_escapes_controls),
		cmocka_unit_test(test_filter_escapes_what_is_no_utf8_or_turns_text),
		cmocka_unit_test(test_replay_keeps_the_last_bytes),
		cmocka_unit_test(test_base64_goes_both_ways),
		cmocka_unit_test(test_base64_rejects_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
