// SPDX-License-Identifier: LGPL-2.1-or-later
/* Arenas. */
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "make.h"
#include "util.h"

#define NR 3000

static void allocations_do_not_overlap(void **state)
{
	/* Small ones share chunks; the larger ones do not fit into one. */
	static const size_t sizes[] = {1, 16, 0, 33, 5000, 17, 40000, 3};
	static char *blocks[NR];
	struct arena arena = {0};

	for (size_t i = 0; i < NR; i++) {
		size_t size = sizes[i % ARRAY_SIZE(sizes)];

		blocks[i] = arena_alloc(&arena, size, 1);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % alignof(max_align_t), 0);
		assert_true(all_zero(blocks[i], size));
		memset(blocks[i], (int)(i % 255 + 1), size);
	}
	for (size_t i = 0; i < NR; i++)
		for (size_t k = 0; k < sizes[i % ARRAY_SIZE(sizes)]; k++)
			assert_int_equal((unsigned char)blocks[i][k], i % 255 + 1);
	assert_false(arena.failed);
	arena_free(&arena);
}

static void texts_stay_as_they_are(void **state)
{
	static const char *texts[NR];
	struct arena arena = {0};

	for (int i = 0; i < NR; i++) {
		texts[i] = arena_printf(&arena, "%0*d", i % 50 + 1, i);
		assert_int_equal((uintptr_t)arena_alloc(&arena, 1, 8) % alignof(max_align_t), 0);
	}
	for (int i = 0; i < NR; i++) {
		char expected[64];

		snprintf(expected, sizeof(expected), "%0*d", i % 50 + 1, i);
		assert_string_equal(texts[i], expected);
	}
	arena_free(&arena);
	assert_null(arena.chunks);
}

static void failures_are_recorded(void **state)
{
	struct arena arena = {0};

	assert_non_null(arena_alloc(&arena, 1, 1));
	assert_false(arena.failed);
	assert_null(arena_alloc(&arena, SIZE_MAX, 2));
	assert_true(arena.failed);
	arena.failed = false;
	assert_null(arena_alloc(&arena, SIZE_MAX, 1));
	assert_true(arena.failed);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocations_do_not_overlap),
		cmocka_unit_test(texts_stay_as_they_are),
		cmocka_unit_test(failures_are_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
