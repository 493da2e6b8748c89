// SPDX-License-Identifier: LGPL-2.1-or-later
/* Logs of domains that are gone are kept within limits; others are never removed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake-store.h"
#include "fake-xen.h"
#include "serve.h"

#define LOG_SIZE (1u << 20)
#define GUEST	 5u
/* The uuid of the i-th domain that is gone. */
#define OLD "11111111-2222-3333-4444-0000000000%02u.log"

static int set_up(void **state)
{
	struct serve *serve = malloc(sizeof(*serve));

	assert_non_null(serve);
	serve_begin(serve);
	assert_int_equal(mkdir(serve->logs, 0700), 0);
	*state = serve;
	return 0;
}

static int tear_down(void **state)
{
	serve_end(*state);
	free(*state);
	return 0;
}

/* A file of so many bytes, which was written so many seconds ago. */
static void put_file(const struct serve *serve, const char *name, size_t size, time_t age)
{
	struct timespec times[2];
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", serve->logs, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		fail();
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= age;
	times[1] = times[0];
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void put_old(const struct serve *serve, unsigned int i, size_t size, time_t age)
{
	char name[64];

	snprintf(name, sizeof(name), OLD, i);
	put_file(serve, name, size, age);
}

static bool exists(const struct serve *serve, const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", serve->logs, name);
	return lstat(path, &st) == 0;
}

static bool has_old(const struct serve *serve, unsigned int i)
{
	char name[64];

	snprintf(name, sizeof(name), OLD, i);
	return exists(serve, name);
}

static void test_oldest_logs_are_removed(void **state)
{
	struct serve *serve = *state;

	for (unsigned int i = 0; i < 5; i++)
		put_old(serve, i, 10, i == 2 ? 9000 : 1000 - (time_t)i);
	serve->keep.nr = 3;
	serve_start(serve, LOG_SIZE);
	serve_until(serve, !has_old(serve, 0));
	assert_false(has_old(serve, 2));
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(has_old(serve, i), i != 0 && i != 2);
}

/* A log is all of its files, and as old as the newest. */
static void test_size_of_all_files_counts(void **state)
{
	struct serve *serve = *state;
	char name[64];

	put_old(serve, 0, 1000, 50);
	snprintf(name, sizeof(name), OLD ".3", 0u);
	put_file(serve, name, 3000, 9000);
	put_old(serve, 1, 1000, 60);
	snprintf(name, sizeof(name), OLD ".new", 1u);
	put_file(serve, name, 500, 70);
	snprintf(name, sizeof(name), OLD ".1", 2u);
	put_file(serve, name, 100, 10);
	serve->keep.size = 4100;
	serve_start(serve, LOG_SIZE);
	serve_until(serve, !has_old(serve, 1));
	snprintf(name, sizeof(name), OLD ".new", 1u);
	assert_false(exists(serve, name));
	assert_true(has_old(serve, 0));
	snprintf(name, sizeof(name), OLD ".3", 0u);
	assert_true(exists(serve, name));
	snprintf(name, sizeof(name), OLD ".1", 2u);
	assert_true(exists(serve, name));
}

static void test_log_of_a_present_domain_is_never_removed(void **state)
{
	struct serve *serve = *state;

	put_old(serve, 0, 10, 10);
	put_file(serve, UUID_A ".log", 1 << 20, 90000);
	put_file(serve, UUID_A ".log.1", 1 << 20, 90000);
	put_file(serve, "domain-6.log", 1 << 20, 90000);
	serve->keep = (struct keep_limits){.nr = 0, .size = 0};
	fake_store_add_guest(GUEST, UUID_A);
	fake_store_add_guest(6, NULL);
	serve_start(serve, LOG_SIZE);
	serve_until(serve, !has_old(serve, 0));
	assert_true(exists(serve, UUID_A ".log"));
	assert_true(exists(serve, UUID_A ".log.1"));
	assert_true(exists(serve, "domain-6.log"));
	/* Nor is it while xenstored is away. */
	fake_store_break(true);
	put_old(serve, 1, 10, 10);
	for (int i = 0; i < 20; i++)
		serve_turn(serve);
	assert_true(exists(serve, UUID_A ".log"));
	fake_store_break(false);
	serve_until(serve, !has_old(serve, 1));
	assert_true(exists(serve, UUID_A ".log"));
	/* When it is gone its log is one of the old ones. */
	fake_store_remove_guest(GUEST);
	serve_until(serve, !exists(serve, UUID_A ".log"));
	assert_false(exists(serve, UUID_A ".log.1"));
	assert_true(exists(serve, "domain-6.log"));
}

static void test_files_that_are_no_logs_stay(void **state)
{
	static const char *const names[] = {
		"notes.log",
		"domain-.log",
		"domain-5x.log",
		"domain-123456.log",
		"domain-5.log.4",
		"domain-5.log.gz",
		"11111111-2222-3333-4444-0000000000zz.log",
		"11111111-2222-3333-4444-000000000000.logs",
		"x11111111-2222-3333-4444-000000000000.log",
		".log",
		".keep",
	};
	struct serve *serve = *state;
	char link[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put_file(serve, names[i], 10, 90000);
	snprintf(link, sizeof(link), "%s/domain-8.log", serve->logs);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	put_file(serve, "domain-7.log", 10, 1);
	serve->keep = (struct keep_limits){.nr = 0, .size = 0};
	serve_start(serve, LOG_SIZE);
	serve_until(serve, !exists(serve, "domain-7.log"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!exists(serve, names[i]))
			fail_msg("%s", names[i]);
	assert_true(exists(serve, "domain-8.log"));
}

/* One that reads it reads on. */
static void test_reader_of_a_removed_log_gets_all_of_it(void **state)
{
	struct serve *serve = *state;
	char text[32] = "";
	uint64_t size;
	int fd;

	serve->keep.nr = 0;
	serve_start(serve, LOG_SIZE);
	serve_add(serve, GUEST, UUID_A);
	serve_print(serve, GUEST, "all\n", 4);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "all\n"));
	fake_store_remove_guest(GUEST);
	serve_until(serve, !server_find(serve->server, GUEST));
	assert_int_equal(server_follow(serve->server, UUID_A, &fd, &size), 0);
	assert_int_equal(size, 4);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	serve_until(serve, !exists(serve, UUID_A ".log"));
	serve_until(serve, (serve_read(fd, text, sizeof(text)), strcmp(text, "all\n") == 0));
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_oldest_logs_are_removed),
		TEST(test_size_of_all_files_counts),
		TEST(test_log_of_a_present_domain_is_never_removed),
		TEST(test_files_that_are_no_logs_stay),
		TEST(test_reader_of_a_removed_log_gets_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
