// SPDX-License-Identifier: LGPL-2.1-or-later
/* The server of consoles on fakes of Xen and xenstored: what it does, and hostile guests and
 * clients. */
#include <dirent.h>
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

#include "fake-store.h"
#include "fake-xen.h"
#include "ring.h"
#include "saved.h"
#include "serve.h"

#define LOG_SIZE (1u << 20)
#define GUEST	 5u

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

static bool node_is(const char *path, const char *value)
{
	char found[128];

	return fake_store_get(path, found, sizeof(found)) && strcmp(found, value) == 0;
}

static bool tty_is_published(uint32_t domid)
{
	char path[128], tty[64];

	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/console/tty", domid);
	return fake_store_get(path, tty, sizeof(tty)) && strncmp(tty, "/dev/pts/", 9) == 0;
}

static int attach(struct serve *serve, uint32_t domid, bool read_only, bool exclusive,
		  uint32_t replay, bool *writer)
{
	const struct attach_options options = {
		.read_only = read_only, .exclusive = exclusive, .replay = replay};
	int fd, r = console_attach(server_find(serve->server, domid), &options, &fd, writer);

	if (r < 0)
		return r;
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void test_output_reaches_log_and_terminal(void **state)
{
	struct serve *serve = *state;
	char text[128] = "";
	int tty;

	fake_print(GUEST, "before\r\n", 8);
	serve_add(serve, GUEST, UUID_A);
	serve_until(serve, tty_is_published(GUEST));
	assert_true(node_is("/local/domain/5/console/type", "hyperlaunch-consoled"));
	serve_print(serve, GUEST, "after\r\n", 7);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "before\r\nafter\r\n"));
	tty = serve_open_tty(GUEST);
	assert_true(tty >= 0);
	serve_until(serve, (serve_read(tty, text, sizeof(text)), strstr(text, "after\r\n")));
	assert_string_equal(text, "before\r\nafter\r\n");
	close(tty);
}

static void test_output_is_published_and_announced(void **state)
{
	struct serve *serve = *state;
	unsigned int before;

	serve_add(serve, GUEST, UUID_A);
	before = fake_notified(GUEST);
	fake_print(GUEST, "x", 1);
	serve_until(serve, fake_notified(GUEST) > before);
	assert_int_equal(fake_page(GUEST)->out_cons, 1);
}

static void test_input_reaches_the_guest(void **state)
{
	struct serve *serve = *state;
	char typed[16] = "";
	int tty;

	serve_add(serve, GUEST, UUID_A);
	serve_until(serve, tty_is_published(GUEST));
	tty = serve_open_tty(GUEST);
	assert_int_equal(write(tty, "ls\n", 3), 3);
	serve_until(serve, fake_read(GUEST, typed, sizeof(typed)) > 0);
	assert_string_equal(typed, "ls\n");
	close(tty);
}

/* What is typed waits in the terminal, and nothing of it is lost. */
static void test_a_megabyte_of_input_waits_for_the_guest(void **state)
{
	struct serve *serve = *state;
	const size_t size = 1 << 20;
	size_t sent = 0, received = 0;
	int tty;

	serve_add(serve, GUEST, UUID_A);
	serve_until(serve, tty_is_published(GUEST));
	tty = serve_open_tty(GUEST);
	for (int turn = 0; turn < 100; turn++) {
		char byte = (char)('a' + sent % 26);

		while (write(tty, &byte, 1) == 1)
			byte = (char)('a' + ++sent % 26);
		serve_turn(serve);
	}
	/* A ring, what is kept, and the kernel's buffers. */
	assert_true(sent >= RING_IN_SIZE && sent < 256 * 1024);
	assert_int_equal(fake_page(GUEST)->in_prod, RING_IN_SIZE);
	while (received < size) {
		char data[RING_IN_SIZE], byte = (char)('a' + sent % 26);
		size_t nr = fake_read(GUEST, data, sizeof(data));

		for (size_t i = 0; i < nr; i++)
			assert_int_equal(data[i], 'a' + (received + i) % 26);
		received += nr;
		while (sent < size && write(tty, &byte, 1) == 1)
			byte = (char)('a' + ++sent % 26);
		serve_turn(serve);
	}
	close(tty);
}

static void test_invalid_indices_end_that_console_alone(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	serve_add(serve, GUEST + 1, UUID_B);
	fake_page(GUEST)->out_prod = 0x80000000;
	fake_notify(GUEST);
	serve_until(serve, serve_state(serve, GUEST) == CONSOLE_BROKEN);
	for (int i = 0; i < 100; i++) {
		fake_page(GUEST)->out_prod = (uint32_t)i * 0x01234567u;
		fake_notify(GUEST);
		serve_turn(serve);
	}
	serve_print(serve, GUEST + 1, "fine\n", 5);
	serve_until(serve, serve_log_ends(serve, UUID_B ".log", "fine\n"));
}

static void test_invalid_input_index_stops_input_alone(void **state)
{
	struct serve *serve = *state;
	int tty;

	serve_add(serve, GUEST, UUID_A);
	serve_until(serve, tty_is_published(GUEST));
	tty = serve_open_tty(GUEST);
	fake_page(GUEST)->in_cons = 0x40000000;
	assert_int_equal(write(tty, "typed", 5), 5);
	serve_print(serve, GUEST, "printed\n", 8);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "printed\n"));
	assert_int_equal(fake_page(GUEST)->in_prod, 0);
	close(tty);
}

static void test_refused_grant_is_tried_again(void **state)
{
	struct serve *serve = *state;

	fake_refuse_grant(GUEST, true);
	fake_store_add_guest(GUEST, UUID_A);
	serve_until(serve, server_find(serve->server, GUEST));
	assert_int_equal(serve_state(serve, GUEST), CONSOLE_WAITING);
	assert_true(node_is("/local/domain/5/console/type", "xenconsoled"));
	fake_refuse_grant(GUEST, false);
	serve_until(serve, serve_state(serve, GUEST) == CONSOLE_SERVING);
}

static void test_port_of_another_process_is_waited_for(void **state)
{
	struct serve *serve = *state;

	fake_take_port(GUEST, true);
	fake_store_add_guest(GUEST, UUID_A);
	serve_until(serve, server_find(serve->server, GUEST));
	assert_int_equal(serve_state(serve, GUEST), CONSOLE_WAITING);
	assert_false(fake_is_mapped(GUEST));
	fake_take_port(GUEST, false);
	serve_until(serve, serve_state(serve, GUEST) == CONSOLE_SERVING);
}

static void test_console_of_another_kind_is_left_alone(void **state)
{
	struct serve *serve = *state;

	fake_store_set("/local/domain/5/console/type", "ioemu");
	fake_store_set("/local/domain/5/console/port", "7");
	fake_store_set("/local/domain/5/console/ring-ref", "1");
	fake_store_set("/local/domain/1/backend/console/5/0/state", "1");
	serve_add(serve, GUEST + 1, UUID_B);
	assert_null(server_find(serve->server, GUEST));
	assert_false(fake_is_bound(GUEST));
}

static void test_event_storm_does_not_starve_others(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	serve_add(serve, GUEST + 1, UUID_B);
	for (int i = 0; i < 300; i++) {
		char line[16];
		int size = snprintf(line, sizeof(line), "%d\n", i);

		fake_notify(GUEST);
		if (i % 10 == 0)
			serve_print(serve, GUEST + 1, line, (size_t)size);
		serve_turn(serve);
	}
	serve_until(serve, serve_log_ends(serve, UUID_B ".log", "280\n290\n"));
	/* It has its turn again later. */
	serve_print(serve, GUEST, "quiet\n", 6);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "quiet\n"));
}

static void test_guests_that_print_all_the_time_share_the_turns(void **state)
{
	struct serve *serve = *state;
	char block[RING_OUT_SIZE];
	size_t printed[8] = {0}, least = SIZE_MAX, most = 0;

	memset(block, '.', sizeof(block));
	for (uint32_t i = 0; i < 8; i++)
		serve_add(serve, GUEST + i, NULL);
	for (int turn = 0; turn < 400; turn++) {
		for (uint32_t i = 0; i < 8; i++)
			printed[i] += fake_print(GUEST + i, block, sizeof(block));
		serve_turn(serve);
	}
	for (uint32_t i = 0; i < 8; i++) {
		least = printed[i] < least ? printed[i] : least;
		most = printed[i] > most ? printed[i] : most;
	}
	assert_true(least * 2 >= most);
}

static void test_closed_port_harms_nobody(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	serve_add(serve, GUEST + 1, UUID_B);
	fake_close(GUEST);
	serve_print(serve, GUEST + 1, "on\n", 3);
	serve_until(serve, serve_log_ends(serve, UUID_B ".log", "on\n"));
	fake_store_remove_guest(GUEST);
	serve_until(serve, !server_find(serve->server, GUEST));
	assert_false(fake_is_mapped(GUEST));
}

static void test_ended_domain_is_unmapped_and_its_last_words_are_logged(void **state)
{
	struct serve *serve = *state;
	char *text;

	serve_add(serve, GUEST, UUID_A);
	fake_print(GUEST, "last words\n", 11);
	fake_store_remove_guest(GUEST);
	serve_until(serve, !server_find(serve->server, GUEST));
	assert_false(fake_is_mapped(GUEST));
	assert_false(fake_is_bound(GUEST));
	text = serve_log(serve, UUID_A ".log");
	assert_string_equal(text, "last words\n");
	free(text);
}

/* After a soft reset, or where a domid is used again. */
static void test_other_ring_of_a_domain_is_served_anew(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	serve_until(serve, tty_is_published(GUEST));
	fake_store_set("/local/domain/5/console/ring-ref", "4712");
	serve_turn(serve);
	serve_print(serve, GUEST, "again\n", 6);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "again\n"));
}

static unsigned int count_files(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	unsigned int nr = 0;

	if (!dir)
		fail();
	while (dir && (entry = readdir(dir)))
		nr += entry->d_name[0] != '.';
	closedir(dir);
	return nr;
}

static void test_names_are_never_paths(void **state)
{
	static const char *const vms[] = {
		"/vm/../../../../etc/passwd",
		"/vm/\033[2J",
		"/vm/11111111-2222-3333-4444-55555555aaa/",
		"/vm/00000000-0000-0000-0000-000000000000",
		"11111111-2222-3333-4444-55555555aaaa",
	};
	struct serve *serve = *state;
	char name[64];

	fake_store_set("/local/domain/1/backend/console/..", "");
	fake_store_set("/local/domain/1/backend/console/4294967301/0", "");
	fake_store_set("/local/domain/1/backend/console/ 5/0", "");
	for (uint32_t i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "/local/domain/%u/vm", GUEST + i);
		fake_store_set(name, vms[i]);
		fake_store_add_guest(GUEST + i, NULL);
		serve_until(serve, serve_state(serve, GUEST + i) == CONSOLE_SERVING);
		assert_string_equal(serve_status(serve, GUEST + i).uuid, "");
		serve_print(serve, GUEST + i, "x\n", 2);
		snprintf(name, sizeof(name), "domain-%u.log", GUEST + i);
		serve_until(serve, serve_log_ends(serve, name, "x\n"));
	}
	assert_int_equal(count_files(serve->logs), 5);
}

static void test_log_escapes_controls(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	serve_print(serve, GUEST, "\033]0;owned\a\n", 11);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "\\x1b]0;owned\\x07\n"));
}

static void test_one_uuid_twice_has_two_logs(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	serve_add(serve, GUEST + 1, UUID_A);
	serve_print(serve, GUEST, "first\n", 6);
	serve_print(serve, GUEST + 1, "second\n", 7);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "first\n"));
	serve_until(serve, serve_log_ends(serve, "domain-6.log", "second\n"));
}

static void test_log_is_bounded_and_keeps_the_newest(void **state)
{
	struct serve *serve = *state;
	char line[16], *text;
	size_t size;

	serve_stop(serve);
	serve->listed = false;
	serve_start(serve, 64 * 1024);
	serve_add(serve, GUEST, UUID_A);
	for (int i = 0; i < 20000; i++) {
		snprintf(line, sizeof(line), "%06d\n", i);
		serve_print(serve, GUEST, line, 7);
	}
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "019999\n"));
	text = serve_log(serve, UUID_A ".log");
	size = strlen(text);
	assert_true(size <= 64 * 1024 && size >= 40 * 1024);
	/* Without a gap up to the end. */
	for (int i = 20000 - (int)(size / 7); i < 20000; i++) {
		snprintf(line, sizeof(line), "%06d\n", i);
		assert_memory_equal(text + size - (size_t)(20000 - i) * 7, line, 7);
	}
	assert_int_equal(count_files(serve->logs), 4);
	free(text);
}

/* A full file system, as far as a process can have one for itself. */
static void test_full_log_counts_what_is_dropped(void **state)
{
	struct serve *serve = *state;
	struct rlimit old, low = {.rlim_cur = 1000};
	char *text, marker[64];
	uint64_t dropped;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low.rlim_max = old.rlim_max;
	serve_add(serve, GUEST, UUID_A);
	serve_print(serve, GUEST, "kept\n", 5);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "kept\n"));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	for (int i = 0; i < 100; i++)
		serve_print(serve, GUEST, "dropped, or some of it is .....\n", 32);
	serve_until(serve, fake_page(GUEST)->out_cons == fake_page(GUEST)->out_prod);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	dropped = serve_status(serve, GUEST).dropped;
	assert_true(dropped > 2000);
	serve_print(serve, GUEST, "end\n", 4);
	snprintf(marker, sizeof(marker), "\n[consoled: %" PRIu64 " bytes dropped]\nend\n", dropped);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", marker));
	text = serve_log(serve, UUID_A ".log");
	assert_memory_equal(text, "kept\n", 5);
	/* Each byte is there or counted. */
	assert_int_equal(strlen(text) + dropped, 5 + 100 * 32 + strlen(marker));
	free(text);
}

static void test_log_directory_that_cannot_be_made_stops_nothing(void **state)
{
	struct serve *serve = *state;
	char text[64] = "";
	int tty;

	serve_stop(serve);
	serve->listed = false;
	snprintf(serve->logs, sizeof(serve->logs), "/proc/self/no-such-directory");
	serve_start(serve, LOG_SIZE);
	serve_add(serve, GUEST, UUID_A);
	serve_until(serve, tty_is_published(GUEST));
	serve_print(serve, GUEST, "seen\n", 5);
	tty = serve_open_tty(GUEST);
	serve_until(serve, (serve_read(tty, text, sizeof(text)), strstr(text, "seen\n")));
	assert_int_equal(serve_status(serve, GUEST).dropped, 5);
	close(tty);
}

static void test_log_that_is_a_link_or_a_directory_is_not_written(void **state)
{
	struct serve *serve = *state;
	char path[256], target[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/" UUID_A ".log", serve->logs);
	snprintf(target, sizeof(target), "%s/target", serve->dir);
	assert_int_equal(symlink(target, path), 0);
	serve_add(serve, GUEST, UUID_A);
	serve_print(serve, GUEST, "gone\n", 5);
	serve_until(serve, serve_status(serve, GUEST).dropped == 5);
	assert_int_equal(stat(target, &st), -1);
}

static void test_client_gets_replay_and_what_follows(void **state)
{
	struct serve *serve = *state;
	char text[64] = "";
	bool writer;
	int fd;

	serve_add(serve, GUEST, UUID_A);
	serve_print(serve, GUEST, "0123456789", 10);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "9"));
	fd = attach(serve, GUEST, false, false, 4, &writer);
	assert_true(fd >= 0 && writer);
	serve_print(serve, GUEST, "abc", 3);
	serve_until(serve, (serve_read(fd, text, sizeof(text)), strstr(text, "abc")));
	assert_string_equal(text, "6789abc");
	assert_int_equal(serve_status(serve, GUEST).attached, 1);
	close(fd);
	serve_until(serve, serve_status(serve, GUEST).attached == 0);
}

static void test_one_client_types_and_the_next_one_follows(void **state)
{
	struct serve *serve = *state;
	char typed[16] = "";
	bool writer;
	int first, second, reader;

	serve_add(serve, GUEST, UUID_A);
	reader = attach(serve, GUEST, true, false, 0, &writer);
	assert_false(writer);
	first = attach(serve, GUEST, false, false, 0, &writer);
	assert_true(writer);
	second = attach(serve, GUEST, false, false, 0, &writer);
	assert_false(writer);
	assert_int_equal(attach(serve, GUEST, false, true, 0, &writer), -EBUSY);
	assert_int_equal(write(reader, "r", 1), 1);
	assert_int_equal(write(second, "s", 1), 1);
	assert_int_equal(write(first, "f", 1), 1);
	serve_until(serve, fake_read(GUEST, typed, sizeof(typed)) > 0);
	assert_string_equal(typed, "f");
	close(first);
	serve_until(serve, serve_status(serve, GUEST).attached == 2);
	memset(typed, 0, sizeof(typed));
	assert_int_equal(write(second, "t", 1), 1);
	serve_until(serve, fake_read(GUEST, typed, sizeof(typed)) > 0);
	assert_string_equal(typed, "t");
	close(second);
	close(reader);
	serve_until(serve, serve_status(serve, GUEST).attached == 0);
	assert_false(serve_status(serve, GUEST).writer);
}

static void test_exclusive_client_keeps_others_from_typing(void **state)
{
	struct serve *serve = *state;
	char typed[16] = "";
	bool writer;
	int tty, first, second;

	serve_add(serve, GUEST, UUID_A);
	serve_until(serve, tty_is_published(GUEST));
	tty = serve_open_tty(GUEST);
	first = attach(serve, GUEST, false, true, 0, &writer);
	assert_true(writer);
	second = attach(serve, GUEST, false, false, 0, &writer);
	assert_false(writer);
	assert_int_equal(write(tty, "x", 1), 1);
	assert_int_equal(write(first, "f", 1), 1);
	serve_until(serve, fake_read(GUEST, typed, sizeof(typed)) > 0);
	assert_string_equal(typed, "f");
	close(first);
	/* What xl's terminal had to wait with. */
	memset(typed, 0, sizeof(typed));
	serve_until(serve, fake_read(GUEST, typed, sizeof(typed)) > 0);
	assert_string_equal(typed, "x");
	close(second);
	close(tty);
}

static void test_client_that_never_reads_gets_a_marker(void **state)
{
	struct serve *serve = *state;
	static char text[400000];
	char line[16], *marker;
	bool writer;
	int fd, sleeper;

	serve_add(serve, GUEST, UUID_A);
	sleeper = attach(serve, GUEST, true, false, 0, &writer);
	fd = attach(serve, GUEST, true, false, 0, &writer);
	for (int i = 0; i < 60000; i++) {
		snprintf(line, sizeof(line), "%06d\n", i);
		serve_print(serve, GUEST, line, 7);
		if (i % 1000 == 0)
			serve_read(fd, text, sizeof(text));
	}
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "059999\n"));
	text[0] = '\0';
	for (int i = 0; i < 1000 && !strstr(text, "059999\n"); i++) {
		serve_read(sleeper, text, sizeof(text));
		serve_turn(serve);
	}
	assert_memory_equal(text, "000000\n000001\n", 14);
	marker = strstr(text, " bytes skipped]");
	assert_non_null(marker);
	assert_null(strstr(marker + 1, " bytes skipped]"));
	assert_non_null(strstr(marker, "059998\n059999\n"));
	close(sleeper);
	close(fd);
}

static void test_two_hundred_clients_come_and_go(void **state)
{
	struct serve *serve = *state;
	int fds[200];
	bool writer;

	for (uint32_t i = 0; i < 4; i++)
		serve_add(serve, GUEST + i, NULL);
	for (uint32_t i = 0; i < 200; i++) {
		fds[i] = attach(serve, GUEST + i % 4, false, false, 0, &writer);
		assert_true(fds[i] >= 0);
		assert_int_equal(writer, i < 4);
	}
	for (uint32_t i = 0; i < 4; i++)
		serve_print(serve, GUEST + i, "hello", 5);
	for (uint32_t i = 0; i < 200; i++) {
		char text[16] = "";

		serve_until(serve,
			    (serve_read(fds[i], text, sizeof(text)), strcmp(text, "hello") == 0));
	}
	for (uint32_t i = 0; i < 200; i++)
		close(fds[i]);
	for (uint32_t i = 0; i < 4; i++)
		serve_until(serve, serve_status(serve, GUEST + i).attached == 0);
}

static void test_clients_of_one_console_are_limited(void **state)
{
	struct serve *serve = *state;
	int fds[CONSOLE_CLIENTS];
	bool writer;

	serve_add(serve, GUEST, UUID_A);
	for (size_t i = 0; i < CONSOLE_CLIENTS; i++)
		fds[i] = attach(serve, GUEST, true, false, 0, &writer);
	assert_int_equal(attach(serve, GUEST, true, false, 0, &writer), -EMFILE);
	for (size_t i = 0; i < CONSOLE_CLIENTS; i++)
		close(fds[i]);
}

static void test_follower_gets_all_of_the_log_and_what_comes(void **state)
{
	struct serve *serve = *state;
	static char text[300000];
	char line[16], *at;
	uint64_t size;
	int fd;

	serve_add(serve, GUEST, UUID_A);
	serve_print(serve, GUEST, "000000\n", 7);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "000000\n"));
	assert_int_equal(console_follow(server_find(serve->server, GUEST), true, &fd, &size), 0);
	assert_int_equal(size, 7);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	text[0] = '\0';
	for (int i = 1; i < 40000; i++) {
		snprintf(line, sizeof(line), "%06d\n", i);
		serve_print(serve, GUEST, line, 7);
		if (i % 100 == 0)
			serve_read(fd, text, sizeof(text));
	}
	serve_until(serve, (serve_read(fd, text, sizeof(text)), strstr(text, "039999\n")));
	at = text;
	for (int i = 0; i < 40000; i++, at += 7) {
		snprintf(line, sizeof(line), "%06d\n", i);
		assert_memory_equal(at, line, 7);
	}
	close(fd);
}

static void test_log_without_follow_ends(void **state)
{
	struct serve *serve = *state;
	char text[16] = "";
	uint64_t size;
	int fd;

	serve_add(serve, GUEST, UUID_A);
	serve_print(serve, GUEST, "all\n", 4);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "all\n"));
	assert_int_equal(console_follow(server_find(serve->server, GUEST), false, &fd, &size), 0);
	for (int i = 0; i < 20; i++)
		serve_turn(serve);
	assert_int_equal(read(fd, text, sizeof(text)), 4);
	assert_int_equal(read(fd, text + 4, sizeof(text) - 4), 0);
	close(fd);
	/* That of a domain which is gone. */
	fake_store_remove_guest(GUEST);
	serve_until(serve, !server_find(serve->server, GUEST));
	assert_int_equal(server_follow(serve->server, UUID_A, &fd, &size), 0);
	assert_int_equal(size, 4);
	close(fd);
	assert_int_equal(server_follow(serve->server, UUID_B, &fd, &size), -ENOENT);
}

static void test_consoles_go_on_without_xenstored(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	serve_add(serve, GUEST + 1, UUID_B);
	fake_store_break(true);
	serve_print(serve, GUEST, "alone\n", 6);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "alone\n"));
	fake_store_remove_guest(GUEST);
	fake_store_break(false);
	serve_until(serve, !server_find(serve->server, GUEST));
	assert_int_equal(serve_state(serve, GUEST + 1), CONSOLE_SERVING);
}

static void test_release_and_take_lose_nothing(void **state)
{
	struct serve *serve = *state;
	struct console *console;
	uint8_t input[SAVED_INPUT_SIZE];
	char typed[32] = "";
	size_t size;

	serve_add(serve, GUEST, UUID_A);
	console = server_find(serve->server, GUEST);
	fake_print(GUEST, "one\n", 4);
	assert_int_equal(console_release(console, "r1", input, &size), 0);
	assert_int_equal(size, 0);
	assert_int_equal(serve_state(serve, GUEST), CONSOLE_RELEASED);
	assert_false(fake_is_bound(GUEST));
	assert_false(fake_is_mapped(GUEST));
	assert_int_equal(fake_page(GUEST)->out_cons, 4);
	/* The same once more; another request finds it released. */
	assert_int_equal(console_release(console, "r1", input, &size), 0);
	assert_int_equal(console_release(console, "r2", input, &size), -EBUSY);
	fake_print(GUEST, "two\n", 4);
	assert_int_equal(console_take(console, "t1", (const uint8_t *)"waits", 5), 0);
	assert_int_equal(console_take(console, "t1", (const uint8_t *)"waits", 5), 0);
	assert_int_equal(console_take(console, "t2", input, 0), -EEXIST);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "one\ntwo\n"));
	assert_int_equal(fake_read(GUEST, typed, sizeof(typed)), 5);
	assert_string_equal(typed, "waits");
}

static int take_unknown(struct serve *serve, const char *input)
{
	const struct console_facts facts = {
		.domid = GUEST, .uuid = UUID_A, .remote_port = FAKE_REMOTE, .ring_ref = 4711};

	return server_take(serve->server, &facts, "t1", (const uint8_t *)input, strlen(input));
}

/* Before xenstore says whose it is; then it goes on as it was. */
static void test_console_that_was_handed_to_us_is_served_at_once(void **state)
{
	struct serve *serve = *state;
	const struct console *console;
	char typed[8] = "";

	fake_print(GUEST, "one\n", 4);
	assert_int_equal(take_unknown(serve, "abc"), 0);
	console = server_find(serve->server, GUEST);
	assert_int_equal(serve_state(serve, GUEST), CONSOLE_SERVING);
	assert_int_equal(fake_read(GUEST, typed, sizeof(typed)), 3);
	assert_int_equal(take_unknown(serve, "abc"), 0);
	/* Another connection to xenstored, which does not name it yet. */
	serve_add(serve, GUEST + 1, UUID_B);
	fake_store_break(true);
	fake_store_remove_guest(GUEST + 1);
	fake_store_break(false);
	serve_until(serve, !server_find(serve->server, GUEST + 1));
	assert_int_equal(serve_state(serve, GUEST), CONSOLE_SERVING);
	fake_store_add_guest(GUEST, UUID_A);
	serve_until(serve, tty_is_published(GUEST));
	serve_print(serve, GUEST, "two\n", 4);
	serve_until(serve, serve_log_ends(serve, UUID_A ".log", "one\ntwo\n"));
	assert_ptr_equal(server_find(serve->server, GUEST), console);
	assert_int_equal(fake_read(GUEST, typed, sizeof(typed)), 0);
	/* From now on its end is seen. */
	fake_store_remove_guest(GUEST);
	serve_until(serve, !server_find(serve->server, GUEST));
}

/* Its domain may be gone: a page that is mapped would keep that from ending. */
static void test_console_that_xenstore_never_names_is_left(void **state)
{
	struct serve *serve = *state;

	serve_stop(serve);
	serve->expect_usec = 100 * USEC_PER_MSEC;
	serve_start(serve, LOG_SIZE);
	assert_int_equal(take_unknown(serve, ""), 0);
	assert_true(fake_is_mapped(GUEST));
	serve_until(serve, !server_find(serve->server, GUEST));
	assert_false(fake_is_mapped(GUEST));
	assert_false(fake_is_bound(GUEST));
}

static void test_taking_what_cannot_be_served_leaves_nothing(void **state)
{
	struct serve *serve = *state;

	fake_take_port(GUEST, true);
	assert_int_equal(take_unknown(serve, "abc"), -EINVAL);
	assert_null(server_find(serve->server, GUEST));
	assert_false(fake_is_mapped(GUEST));
}

/* xenconsoled's terminal shows that it serves it; taking it again is known by the type. */
static void test_release_to_xenconsoled_and_back(void **state)
{
	struct serve *serve = *state;
	struct console_status status;
	uint8_t input[SAVED_INPUT_SIZE];
	struct console *console;
	unsigned int before;
	size_t size;

	serve_add(serve, GUEST, UUID_A);
	serve_until(serve, tty_is_published(GUEST));
	console = server_find(serve->server, GUEST);
	assert_int_equal(server_release(serve->server, console, "j", true, input, &size), 0);
	serve_until(serve, node_is("/local/domain/5/console/type", "xenconsoled"));
	/* xl console would end where there is none. */
	assert_true(tty_is_published(GUEST));
	server_get_status(serve->server, console, &status);
	assert_string_equal(status.tty, "");
	before = serve->changes;
	fake_store_set("/local/domain/5/console/tty", "/dev/pts/99");
	serve_until(serve, (server_get_status(serve->server, console, &status), status.tty[0]));
	assert_string_equal(status.tty, "/dev/pts/99");
	assert_true(serve->changes > before);
	/* Once more, as a job does that was restarted: xenconsoled's terminal stays. */
	assert_int_equal(server_release(serve->server, console, "j", true, input, &size), 0);
	assert_int_equal(
		server_take(serve->server, &(struct console_facts){.domid = GUEST}, "j", input, 0),
		0);
	serve_until(serve, node_is("/local/domain/5/console/type", "hyperlaunch-consoled"));
	assert_true(tty_is_published(GUEST));
	assert_false(node_is("/local/domain/5/console/tty", "/dev/pts/99"));
	assert_true(fake_is_bound(GUEST));
}

/* xl console of another domain would open one of its own by that name. */
static void test_no_terminal_is_named_where_none_is_to_be(void **state)
{
	struct serve *serve = *state;

	serve_stop(serve);
	serve->no_tty = true;
	serve_start(serve, LOG_SIZE);
	serve_add(serve, GUEST, UUID_A);
	serve_until(serve, node_is("/local/domain/5/console/type", "hyperlaunch-consoled"));
	assert_true(node_is("/local/domain/5/console/tty", ""));
	/* A relay names its own; writes come in order. */
	fake_store_set("/local/domain/5/console/tty", "/dev/pts/9");
	serve_add(serve, GUEST + 1, UUID_B);
	serve_until(serve, node_is("/local/domain/6/console/type", "hyperlaunch-consoled"));
	assert_true(node_is("/local/domain/5/console/tty", "/dev/pts/9"));
}

/* The type is xenconsoled's, too, until our first write is read back. */
static void test_release_to_xenconsoled_at_once(void **state)
{
	struct serve *serve = *state;
	uint8_t input[SAVED_INPUT_SIZE];
	size_t size;

	serve_add(serve, GUEST, UUID_A);
	assert_int_equal(server_release(serve->server, server_find(serve->server, GUEST), "j", true,
					input, &size),
			 0);
	/* Writes come in order. */
	serve_add(serve, GUEST + 1, UUID_B);
	serve_until(serve, tty_is_published(GUEST + 1));
	assert_true(node_is("/local/domain/5/console/type", "xenconsoled"));
	assert_true(tty_is_published(GUEST));
}

static void test_hand_over_leaves_consoles_to_xenconsoled(void **state)
{
	struct serve *serve = *state;

	serve_add(serve, GUEST, UUID_A);
	serve_until(serve, tty_is_published(GUEST));
	serve->server = server_hand_over(serve->server);
	assert_false(fake_is_bound(GUEST));
	assert_false(fake_is_mapped(GUEST));
	assert_true(node_is("/local/domain/5/console/type", "xenconsoled"));
	event_base_free(serve->base);
	serve->base = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_output_reaches_log_and_terminal),
		TEST(test_output_is_published_and_announced),
		TEST(test_input_reaches_the_guest),
		TEST(test_a_megabyte_of_input_waits_for_the_guest),
		TEST(test_invalid_indices_end_that_console_alone),
		TEST(test_invalid_input_index_stops_input_alone),
		TEST(test_refused_grant_is_tried_again),
		TEST(test_port_of_another_process_is_waited_for),
		TEST(test_console_of_another_kind_is_left_alone),
		TEST(test_event_storm_does_not_starve_others),
		TEST(test_guests_that_print_all_the_time_share_the_turns),
		TEST(test_closed_port_harms_nobody),
		TEST(test_ended_domain_is_unmapped_and_its_last_words_are_logged),
		TEST(test_other_ring_of_a_domain_is_served_anew),
		TEST(test_names_are_never_paths),
		TEST(test_log_escapes_controls),
		TEST(test_one_uuid_twice_has_two_logs),
		TEST(test_log_is_bounded_and_keeps_the_newest),
		TEST(test_full_log_counts_what_is_dropped),
		TEST(test_log_directory_that_cannot_be_made_stops_nothing),
		TEST(test_log_that_is_a_link_or_a_directory_is_not_written),
		TEST(test_client_gets_replay_and_what_follows),
		TEST(test_one_client_types_and_the_next_one_follows),
		TEST(test_exclusive_client_keeps_others_from_typing),
		TEST(test_client_that_never_reads_gets_a_marker),
		TEST(test_two_hundred_clients_come_and_go),
		TEST(test_clients_of_one_console_are_limited),
		TEST(test_follower_gets_all_of_the_log_and_what_comes),
		TEST(test_log_without_follow_ends),
		TEST(test_consoles_go_on_without_xenstored),
		TEST(test_release_and_take_lose_nothing),
		TEST(test_console_that_was_handed_to_us_is_served_at_once),
		TEST(test_console_that_xenstore_never_names_is_left),
		TEST(test_taking_what_cannot_be_served_leaves_nothing),
		TEST(test_release_to_xenconsoled_and_back),
		TEST(test_no_terminal_is_named_where_none_is_to_be),
		TEST(test_release_to_xenconsoled_at_once),
		TEST(test_hand_over_leaves_consoles_to_xenconsoled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
