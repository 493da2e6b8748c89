// SPDX-License-Identifier: LGPL-2.1-or-later
/* Streams between two domains, both in this process: each byte, ends, and what cannot be opened. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake-store.h"
#include "fake-vchan.h"
#include "pty.h"
#include "serve.h"
#include "stream.h"

#define HERE  2u
#define THERE 3u
#define MUCH  (300u * 1024)

/* Both sides of a stream. */
struct sides {
	struct serve serve; /* for its loop */
	struct streams *streams;
	int served, connected; /* 1: not told yet */
	bool ended;	       /* the one that was served */
	char path[VCHAN_PATH_SIZE];
	int from[2],
		to[2]; /* pipes: what the side that connected reads, what the other one writes */
};

static void on_served(void *userdata, int r, const char *path)
{
	struct sides *sides = userdata;

	sides->served = r;
	memcpy(sides->path, path, strlen(path) + 1);
}

static void on_ended(void *userdata)
{
	struct sides *sides = userdata;

	sides->ended = true;
}

static void on_connected(void *userdata, int r, const char *path)
{
	struct sides *sides = userdata;

	sides->connected = r;
}

static int set_up(void **state)
{
	struct sides *sides = calloc(1, sizeof(*sides));

	assert_non_null(sides);
	serve_begin(&sides->serve);
	serve_start(&sides->serve, 1u << 20);
	fake_vchan_refuse(false);
	assert_int_equal(streams_new(sides->serve.base, &fake_vchan_ops, &fake_store_ops,
				     100 * USEC_PER_MSEC, &sides->streams),
			 0);
	assert_int_equal(pipe2(sides->from, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(sides->to, O_CLOEXEC | O_NONBLOCK), 0);
	sides->served = sides->connected = 1;
	*state = sides;
	return 0;
}

static int tear_down(void **state)
{
	struct sides *sides = *state;

	closep(&sides->from[0]);
	closep(&sides->from[1]);
	closep(&sides->to[0]);
	closep(&sides->to[1]);
	streams_free(sides->streams);
	assert_int_equal(fake_vchan_open(), 0);
	serve_end(&sides->serve);
	free(sides);
	return 0;
}

static int serve(struct sides *sides, int fd, unsigned int ways)
{
	const struct stream_config config = {
		.domid = THERE,
		.fd = fd,
		.ways = ways,
		.opened = on_served,
		.ended = on_ended,
		.userdata = sides,
	};

	return streams_serve(sides->streams, HERE, &config, NULL);
}

static int connect_to(struct sides *sides, int fd, unsigned int ways)
{
	const struct stream_config config = {
		.domid = HERE,
		.fd = fd,
		.ways = ways,
		.opened = on_connected,
		.userdata = sides,
	};

	return streams_connect(sides->streams, sides->path, &config, NULL);
}

static void serve_pipe(struct sides *sides)
{
	assert_int_equal(serve(sides, steal_fd(&sides->to[1]), STREAM_WRITES), 0);
	serve_until(&sides->serve, sides->served != 1);
}

static void connect_pipe(struct sides *sides)
{
	assert_int_equal(connect_to(sides, steal_fd(&sides->from[0]), STREAM_READS), 0);
	serve_until(&sides->serve, sides->connected != 1);
}

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

/* Writes from `*done` on what there is room for. */
static void write_some(const struct sides *sides, size_t *done)
{
	uint8_t data[1024];
	ssize_t n;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = byte_at(*done + i);
	n = write(sides->from[1], data, sizeof(data));
	if (n > 0)
		*done += (size_t)n;
}

/* Writes until nothing takes more; returns how much. */
static size_t fill(struct sides *sides)
{
	size_t written = 0, before;

	do {
		before = written;
		for (int i = 0; i < 20; i++) {
			write_some(sides, &written);
			serve_turn(&sides->serve);
		}
	} while (written > before);
	return written;
}

/* Each is the one that is to come. */
static void read_some(const struct sides *sides, size_t *done)
{
	uint8_t data[4096];
	ssize_t n = read(sides->to[0], data, sizeof(data));

	for (ssize_t i = 0; i < n; i++)
		assert_int_equal(data[i], byte_at(*done + (size_t)i));
	if (n > 0)
		*done += (size_t)n;
}

static bool is_at_end(const struct sides *sides)
{
	uint8_t byte;

	return read(sides->to[0], &byte, 1) == 0;
}

static void test_each_byte_arrives_and_then_the_end(void **state)
{
	struct sides *sides = *state;
	size_t written = 0, seen = 0;

	serve_pipe(sides);
	assert_int_equal(sides->served, 0);
	connect_pipe(sides);
	assert_int_equal(sides->connected, 0);
	while (written < MUCH) {
		write_some(sides, &written);
		read_some(sides, &seen);
		serve_turn(&sides->serve);
	}
	close(steal_fd(&sides->from[1]));
	serve_until(&sides->serve, (read_some(sides, &seen), seen == written));
	serve_until(&sides->serve, is_at_end(sides));
}

static void test_nothing_is_lost_where_nobody_reads_for_a_while(void **state)
{
	struct sides *sides = *state;
	size_t written, seen = 0;

	serve_pipe(sides);
	connect_pipe(sides);
	written = fill(sides);
	/* Two pipes and a ring are full; the end waits behind them. */
	assert_true(written > 2 * 65536);
	close(steal_fd(&sides->from[1]));
	serve_until(&sides->serve, (read_some(sides, &seen), seen == written));
	serve_until(&sides->serve, is_at_end(sides));
}

static void test_a_reader_that_leaves_ends_it(void **state)
{
	struct sides *sides = *state;

	signal(SIGPIPE, SIG_IGN);
	serve_pipe(sides);
	connect_pipe(sides);
	close(steal_fd(&sides->to[0]));
	serve_until(&sides->serve, write(sides->from[1], "x", 1) < 0 && errno == EPIPE);
	serve_until(&sides->serve, fake_vchan_open() == 0);
}

static void test_terminals_go_both_ways(void **state)
{
	struct sides *sides = *state;
	struct pty here, there;
	char text[16] = "", typed[16] = "";

	assert_int_equal(pty_open(&here), 0);
	assert_int_equal(pty_open(&there), 0);
	assert_int_equal(fcntl(here.slave, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(there.slave, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(serve(sides, here.master, STREAM_READS | STREAM_WRITES), 0);
	serve_until(&sides->serve, sides->served == 0);
	assert_int_equal(connect_to(sides, there.master, STREAM_READS | STREAM_WRITES), 0);
	assert_int_equal(write(there.slave, "printed", 7), 7);
	assert_int_equal(write(here.slave, "typed", 5), 5);
	serve_until(&sides->serve,
		    (serve_read(here.slave, text, sizeof(text)), strcmp(text, "printed") == 0));
	serve_until(&sides->serve,
		    (serve_read(there.slave, typed, sizeof(typed)), strcmp(typed, "typed") == 0));
	close(here.slave);
	/* A master without its stream is closed. */
	serve_until(&sides->serve, fake_vchan_open() == 0);
	assert_true(sides->ended);
	assert_int_equal(read(there.slave, typed, 1), 0);
	close(there.slave);
}

static void test_what_cannot_be_opened_is_told(void **state)
{
	struct sides *sides = *state;

	fake_vchan_refuse(true);
	serve_pipe(sides);
	assert_int_equal(sides->served, -EIO);
	assert_int_equal(read(sides->to[0], sides->path, 1), 0);
	memcpy(sides->path, "/none", sizeof("/none"));
	connect_pipe(sides);
	assert_int_equal(sides->connected, -EIO);
}

static void test_one_to_which_nobody_connects_ends(void **state)
{
	struct sides *sides = *state;

	serve_pipe(sides);
	assert_false(is_at_end(sides));
	serve_until(&sides->serve, is_at_end(sides));
	connect_pipe(sides);
	assert_int_equal(sides->connected, -EIO);
}

static void test_what_is_being_opened_is_told_of_the_end(void **state)
{
	struct sides *sides = *state;

	assert_int_equal(serve(sides, steal_fd(&sides->to[1]), STREAM_WRITES), 0);
	sides->streams = streams_free(sides->streams);
	assert_int_equal(sides->served, -ECANCELED);
}

/* The side that connected stands for a domain that was destroyed: it closes nothing. */
static void test_one_to_a_domain_that_is_gone_ends(void **state)
{
	static const uint32_t both[] = {HERE, THERE};
	struct sides *sides = *state;
	size_t written = 0, seen = 0;

	serve_pipe(sides);
	connect_pipe(sides);
	write_some(sides, &written);
	for (int i = 0; i < 20; i++)
		serve_turn(&sides->serve);
	streams_keep(sides->streams, both, 2);
	serve_turn(&sides->serve);
	assert_false(sides->ended);
	streams_keep(sides->streams, both, 1);
	serve_until(&sides->serve, (read_some(sides, &seen), seen == written));
	serve_until(&sides->serve, is_at_end(sides));
	assert_true(sides->ended);
}

/* Nobody reads here, so that bytes wait in the ring. */
static void test_what_came_before_the_end_of_a_domain_is_delivered(void **state)
{
	struct sides *sides = *state;
	size_t written, before, seen = 0;

	serve_pipe(sides);
	connect_pipe(sides);
	written = fill(sides);
	streams_keep(sides->streams, (const uint32_t[]){HERE}, 1);
	serve_turn(&sides->serve);
	assert_false(sides->ended);
	serve_until(&sides->serve, (read_some(sides, &seen), sides->ended));
	while (before = seen, read_some(sides, &seen), seen > before)
		;
	/* A pipe and a ring; the rest never left the other domain. */
	assert_true(seen >= 65536 + FAKE_VCHAN_ROOM && seen <= written);
	assert_true(is_at_end(sides));
}

static void test_one_that_is_being_opened_to_a_domain_that_is_gone_fails(void **state)
{
	struct sides *sides = *state;

	assert_int_equal(serve(sides, steal_fd(&sides->to[1]), STREAM_WRITES), 0);
	streams_keep(sides->streams, NULL, 0);
	assert_int_equal(sides->served, -EIO);
	assert_true(is_at_end(sides));
}

static void test_there_is_a_limit(void **state)
{
	struct sides *sides = *state;
	int r = 0, nr = 0;

	while (nr <= STREAMS_MAX && r == 0) {
		int fd = dup(sides->to[1]);

		r = serve(sides, fd, STREAM_WRITES);
		if (r < 0)
			close(fd);
		else
			nr++;
	}
	assert_int_equal(r, -EMFILE);
	assert_int_equal(nr, STREAMS_MAX);
}

static void test_what_an_earlier_process_left_is_removed(void **state)
{
	struct sides *sides = *state;
	char value[8];

	fake_store_set("/tool/hyperlaunch/vchan/2/0000/ring-ref", "9");
	fake_store_set("/tool/hyperlaunch/vchan/3/0000/ring-ref", "9");
	serve_pipe(sides);
	assert_false(
		fake_store_get("/tool/hyperlaunch/vchan/2/0000/ring-ref", value, sizeof(value)));
	assert_true(
		fake_store_get("/tool/hyperlaunch/vchan/3/0000/ring-ref", value, sizeof(value)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_byte_arrives_and_then_the_end),
		TEST(test_nothing_is_lost_where_nobody_reads_for_a_while),
		TEST(test_a_reader_that_leaves_ends_it),
		TEST(test_terminals_go_both_ways),
		TEST(test_what_cannot_be_opened_is_told),
		TEST(test_one_to_which_nobody_connects_ends),
		TEST(test_what_is_being_opened_is_told_of_the_end),
		TEST(test_one_to_a_domain_that_is_gone_ends),
		TEST(test_what_came_before_the_end_of_a_domain_is_delivered),
		TEST(test_one_that_is_being_opened_to_a_domain_that_is_gone_fails),
		TEST(test_there_is_a_limit),
		TEST(test_what_an_earlier_process_left_is_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
