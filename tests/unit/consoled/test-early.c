// SPDX-License-Identifier: LGPL-2.1-or-later
/* A guest's first output, which a client gives in parts, is in the log once and at its place. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "early.h"
#include "fake-store.h"
#include "fake-xen.h"
#include "serve.h"

#define LOG_SIZE (1u << 20)
#define GUEST	 5u
#define LOG	 UUID_A ".log"

static int set_up(void **state)
{
	struct serve *serve = malloc(sizeof(*serve));

	assert_non_null(serve);
	serve_begin(serve);
	serve_start(serve, LOG_SIZE);
	*state = serve;
	return 0;
}

static int tear_down(void **state)
{
	serve_end(*state);
	free(*state);
	return 0;
}

/* As after `systemctl stop` and `start`: nothing is held. */
static void start_again(struct serve *serve, uint64_t log_size)
{
	serve_stop(serve);
	serve->listed = false;
	fake_xen_reset();
	serve_start(serve, log_size);
	serve_until(serve, serve_state(serve, GUEST) == CONSOLE_SERVING);
}

static int give_part(struct serve *serve, const char *text, size_t offset, size_t length,
		     uint64_t dropped)
{
	const struct early_part part = {
		.size = (uint32_t)strlen(text),
		.offset = (uint32_t)offset,
		.dropped = dropped,
		.data = (const uint8_t *)text + offset,
		.length = length,
	};

	return console_early(server_find(serve->server, GUEST), &part);
}

/* All of it, in parts. */
static int give(struct serve *serve, const char *text, uint64_t dropped)
{
	size_t size = strlen(text), offset = 0;
	int r;

	do {
		size_t left = size - offset;
		size_t length = left < EARLY_PART_SIZE ? left : EARLY_PART_SIZE;

		r = give_part(serve, text, offset, length, dropped);
		offset += length;
	} while (r == 0 && offset < size);
	return r;
}

static void print_line(struct serve *serve, const char *line)
{
	serve_print(serve, GUEST, line, strlen(line));
	serve_until(serve, serve_log_ends(serve, LOG, line));
}

static void assert_log(struct serve *serve, const char *expected)
{
	char *text = serve_log(serve, LOG);

	assert_string_equal(text, expected);
	free(text);
}

static bool is_given(struct serve *serve)
{
	return serve_status(serve, GUEST).early;
}

static void test_parts_are_put_together(void **state)
{
	struct early early = {.size = 0};
	const uint8_t data[EARLY_PART_SIZE + 1] = {7};
	struct early_part part = {.size = 3, .data = data, .length = 2};

	assert_int_equal(early_add(&early, &part), 0);
	assert_int_equal(early_add(&early, &part), 0);
	part.offset = 1;
	assert_int_equal(early_add(&early, &part), -EAGAIN);
	part.offset = 2;
	assert_int_equal(early_add(&early, &part), -EINVAL);
	part.length = 0;
	assert_int_equal(early_add(&early, &part), -EINVAL);
	part.length = 1;
	assert_int_equal(early_add(&early, &part), 1);
	assert_int_equal(early.size, 3);
	part = (struct early_part){.size = 0, .length = 0};
	assert_int_equal(early_add(&early, &part), 1);
	part = (struct early_part){.size = EARLY_SIZE + 1, .data = data, .length = 1};
	assert_int_equal(early_add(&early, &part), -EINVAL);
	part = (struct early_part){.size = EARLY_SIZE, .data = data, .length = EARLY_PART_SIZE + 1};
	assert_int_equal(early_add(&early, &part), -EINVAL);
	part = (struct early_part){.size = 8, .offset = UINT32_MAX, .data = data, .length = 2};
	assert_int_equal(early_add(&early, &part), -EINVAL);
}

static void test_first_output_comes_before_what_was_logged(void **state)
{
	struct serve *serve = *state;
	uint64_t logged;

	serve_add(serve, GUEST, UUID_A);
	print_line(serve, "second\n");
	assert_false(is_given(serve));
	assert_int_equal(give(serve, "first\n", 0), 0);
	assert_true(is_given(serve));
	assert_log(serve, "first\nsecond\n");
	print_line(serve, "third\n");
	assert_log(serve, "first\nsecond\nthird\n");
	logged = serve_status(serve, GUEST).dropped;
	assert_int_equal(logged, 0);
	/* Once. */
	assert_int_equal(give(serve, "first\n", 9), 0);
	print_line(serve, "fourth\n");
	assert_log(serve, "first\nsecond\nthird\nfourth\n");
	assert_int_equal(serve_status(serve, GUEST).dropped, 0);
}

static void test_first_output_of_a_guest_that_is_quiet_since(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	assert_int_equal(give(serve, "first\n", 0), 0);
	print_line(serve, "second\n");
	assert_log(serve, "first\nsecond\n");
}

static void test_no_first_output_changes_nothing(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	print_line(serve, "all\n");
	assert_int_equal(give(serve, "", 0), 0);
	assert_true(is_given(serve));
	assert_log(serve, "all\n");
}

/* What Xen has kept at most, of which each byte is escaped. */
static void test_sixteen_kib_of_controls_are_escaped(void **state)
{
	struct serve *serve = *state;
	char early[EARLY_SIZE + 1], *text;

	memset(early, '\033', EARLY_SIZE);
	early[EARLY_SIZE] = '\0';
	serve_add(serve, GUEST, UUID_A);
	print_line(serve, "rest\n");
	assert_int_equal(give(serve, early, 12345), 0);
	text = serve_log(serve, LOG);
	for (size_t i = 0; i < EARLY_SIZE; i++)
		assert_memory_equal(text + 4 * i, "\\x1b", 4);
	assert_string_equal(text + 4 * EARLY_SIZE, "\n[consoled: 12345 bytes dropped]\nrest\n");
	assert_int_equal(serve_status(serve, GUEST).dropped, 12345);
	free(text);
}

/* A client that is killed between two parts begins again. */
static void test_parts_begin_again(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	print_line(serve, "rest\n");
	assert_int_equal(give_part(serve, "abcdef", 0, 4, 0), 0);
	assert_int_equal(give_part(serve, "abcdef", 2, 2, 0), -EAGAIN);
	assert_int_equal(give_part(serve, "abcdef", 0, 2, 0), 0);
	assert_int_equal(give_part(serve, "abcdef", 2, 4, 0), 0);
	assert_log(serve, "abcdefrest\n");
}

static void test_earlier_boots_stay_in_front(void **state)
{
	struct serve *serve = *state;
	char mark[256];

	serve_add(serve, GUEST, UUID_A);
	print_line(serve, "boot 1, late\n");
	assert_int_equal(give(serve, "boot 1, early\n", 0), 0);
	/* /run is empty after a boot. */
	snprintf(mark, sizeof(mark), "%s/early-" LOG, serve->dir);
	assert_int_equal(unlink(mark), 0);
	start_again(serve, LOG_SIZE);
	assert_false(is_given(serve));
	print_line(serve, "boot 2, late\n");
	assert_int_equal(give(serve, "boot 2, early\n", 0), 0);
	assert_log(serve, "boot 1, early\nboot 1, late\nboot 2, early\nboot 2, late\n");
}

static void test_stopped_and_started_it_has_it_still(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	assert_int_equal(give(serve, "first\n", 0), 0);
	start_again(serve, LOG_SIZE);
	assert_true(is_given(serve));
	assert_int_equal(give(serve, "first\n", 0), 0);
	print_line(serve, "second\n");
	assert_log(serve, "first\nsecond\n");
}

/* A toolstack's domain may have the uuid of one that is gone. */
static void test_next_domain_with_that_uuid_has_its_own(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	assert_int_equal(give(serve, "first\n", 0), 0);
	fake_store_remove_guest(GUEST);
	serve_until(serve, !server_find(serve->server, GUEST));
	serve_add(serve, GUEST + 1, UUID_A);
	assert_false(serve_status(serve, GUEST + 1).early);
}

/* It was served by another back end first, which has that. */
static void test_taken_console_has_none_to_come(void **state)
{
	const struct console_facts facts = {
		.domid = GUEST, .remote_port = FAKE_REMOTE, .ring_ref = 1, .uuid = UUID_A};
	struct serve *serve = *state;

	assert_int_equal(server_take(serve->server, &facts, "t", (const uint8_t *)"", 0), 0);
	assert_true(is_given(serve));
	assert_int_equal(give(serve, "first\n", 0), 0);
	print_line(serve, "all\n");
	assert_log(serve, "all\n");
}

/* The file in which the output begins is an older one by now. */
static void test_rotated_log_has_it_at_its_place(void **state)
{
	struct serve *serve = *state;
	char line[16], *text;

	serve_add(serve, GUEST, UUID_A);
	start_again(serve, 64 * 1024);
	for (int i = 0; i < 6000; i++) {
		snprintf(line, sizeof(line), "%06d\n", i);
		serve_print(serve, GUEST, line, 7);
	}
	serve_until(serve, serve_log_ends(serve, LOG, "005999\n"));
	assert_int_equal(give(serve, "first\n", 0), 0);
	print_line(serve, "last\n");
	text = serve_log(serve, LOG);
	assert_memory_equal(text, "first\n000000\n000001\n", 20);
	assert_int_equal(strlen(text), 6 + 6000 * 7 + 5);
	free(text);
}

static void test_removed_part_of_a_log_does_not_come_back(void **state)
{
	struct serve *serve = *state;
	char line[16], *text;

	serve_add(serve, GUEST, UUID_A);
	start_again(serve, 64 * 1024);
	for (int i = 0; i < 20000; i++) {
		snprintf(line, sizeof(line), "%06d\n", i);
		serve_print(serve, GUEST, line, 7);
	}
	serve_until(serve, serve_log_ends(serve, LOG, "019999\n"));
	assert_int_equal(give(serve, "first\n", 0), 0);
	assert_true(is_given(serve));
	text = serve_log(serve, LOG);
	assert_null(strstr(text, "first"));
	assert_true(strlen(text) <= 64 * 1024);
	free(text);
}

/* A full file system, as far as a process can have one for itself. */
static void test_full_disk_refuses_and_the_next_try_works(void **state)
{
	struct serve *serve = *state;
	struct rlimit old, low = {.rlim_cur = 10};
	char copy[256];
	struct stat st;

	signal(SIGXFSZ, SIG_IGN);
	serve_add(serve, GUEST, UUID_A);
	print_line(serve, "rest\n");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	assert_int_equal(give(serve, "first, too long\n", 3), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	snprintf(copy, sizeof(copy), "%s/" LOG ".new", serve->logs);
	assert_int_equal(stat(copy, &st), -1);
	assert_false(is_given(serve));
	assert_int_equal(serve_status(serve, GUEST).dropped, 0);
	assert_log(serve, "rest\n");
	assert_int_equal(give(serve, "first\n", 0), 0);
	assert_log(serve, "first\nrest\n");
}

/* A copy is made, and the consoles wait for that. */
static void test_first_output_before_a_huge_log_is_counted(void **state)
{
	struct serve *serve = *state;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/" LOG, serve->logs);
	serve_stop(serve);
	serve->listed = false;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		fail();
	close(fd);
	assert_int_equal(truncate(path, 65 << 20), 0);
	serve_start(serve, UINT64_C(1) << 30);
	serve_add(serve, GUEST, UUID_A);
	serve_print(serve, GUEST, "x", 1);
	serve_until(serve, fake_page(GUEST)->out_cons == 1);
	assert_int_equal(give(serve, "first\n", 4), 0);
	assert_true(is_given(serve));
	assert_int_equal(serve_status(serve, GUEST).dropped, 10);
	serve_print(serve, GUEST, "end\n", 4);
	serve_until(serve, fake_page(GUEST)->out_cons == 5);
	assert_int_equal(truncate(path, 65 << 20), 0);
}

static void test_links_in_the_place_of_the_copy_are_not_followed(void **state)
{
	struct serve *serve = *state;
	char copy[256], target[256];
	struct stat st;

	snprintf(copy, sizeof(copy), "%s/" LOG ".new", serve->logs);
	snprintf(target, sizeof(target), "%s/target", serve->dir);
	assert_int_equal(symlink(target, copy), 0);
	serve_add(serve, GUEST, UUID_A);
	assert_int_equal(give(serve, "first\n", 0), 0);
	assert_int_equal(stat(target, &st), -1);
	assert_log(serve, "first\n");
}

/* One has read the beginning already, the other one nothing yet. */
static void test_followers_get_each_byte_once(void **state)
{
	struct serve *serve = *state;
	char early[64] = "", late[64] = "";
	uint64_t size;
	int fds[2];

	serve_add(serve, GUEST, UUID_A);
	print_line(serve, "second\n");
	assert_int_equal(console_follow(server_find(serve->server, GUEST), true, &fds[0], &size),
			 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	serve_until(serve, (serve_read(fds[0], early, sizeof(early)), strlen(early) == 7));
	assert_int_equal(console_follow(server_find(serve->server, GUEST), true, &fds[1], &size),
			 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(give(serve, "first\n", 0), 0);
	print_line(serve, "third\n");
	serve_until(serve, (serve_read(fds[0], early, sizeof(early)), strstr(early, "third\n")));
	serve_until(serve, (serve_read(fds[1], late, sizeof(late)), strstr(late, "third\n")));
	assert_string_equal(early, "second\nthird\n");
	assert_string_equal(late, "first\nsecond\nthird\n");
	close(fds[0]);
	close(fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_are_put_together),
		TEST(test_first_output_comes_before_what_was_logged),
		TEST(test_first_output_of_a_guest_that_is_quiet_since),
		TEST(test_no_first_output_changes_nothing),
		TEST(test_sixteen_kib_of_controls_are_escaped),
		TEST(test_parts_begin_again),
		TEST(test_earlier_boots_stay_in_front),
		TEST(test_stopped_and_started_it_has_it_still),
		TEST(test_next_domain_with_that_uuid_has_its_own),
		TEST(test_taken_console_has_none_to_come),
		TEST(test_rotated_log_has_it_at_its_place),
		TEST(test_removed_part_of_a_log_does_not_come_back),
		TEST(test_full_disk_refuses_and_the_next_try_works),
		TEST(test_first_output_before_a_huge_log_is_counted),
		TEST(test_links_in_the_place_of_the_copy_are_not_followed),
		TEST(test_followers_get_each_byte_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
