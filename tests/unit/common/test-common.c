// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the daemon and the tools share. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <hyperlaunch/hl.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/process.h"
#include "common/uuid.h"

/* More than a pipe holds, so that write(2) has to wait. */
#define BIG ((size_t)1 << 20)

struct reader {
	int fd;
	pthread_t writer;
	uint64_t hash;
};

static uint64_t hash_more(uint64_t hash, uint8_t byte)
{
	return (hash ^ byte) * UINT64_C(0x100000001b3);
}

/* Interrupts the writer, which waits in write(2), once that has written a part. */
static void *read_to_the_end(void *userdata)
{
	struct reader *reader = userdata;
	uint8_t buf[4096];
	ssize_t n;

	while ((n = read(reader->fd, buf, sizeof(buf))) > 0) {
		if (reader->hash == 0)
			pthread_kill(reader->writer, SIGUSR1);
		for (ssize_t i = 0; i < n; i++)
			reader->hash = hash_more(reader->hash, buf[i]);
	}
	return NULL;
}

static void on_signal(int signal)
{
}

static void write_all_writes_each_part(void **state)
{
	const struct sigaction action = {.sa_handler = on_signal};
	_cleanup_(freep) uint8_t *data = malloc(BIG);
	struct reader reader = {.writer = pthread_self()};
	uint64_t hash = 0;
	pthread_t thread;
	int ends[2];

	assert_non_null(data);
	for (size_t i = 0; i < BIG; i++) {
		data[i] = (uint8_t)(i % 251 + 1);
		hash = hash_more(hash, data[i]);
	}
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	assert_int_equal(pipe(ends), 0);
	reader.fd = ends[0];
	assert_int_equal(pthread_create(&thread, NULL, read_to_the_end, &reader), 0);
	assert_int_equal(write_all(ends[1], data, BIG), 0);
	close(ends[1]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	close(ends[0]);
	assert_true(reader.hash == hash);
}

static void write_all_returns_errno(void **state)
{
	int ends[2];

	assert_int_equal(write_all(-1, "x", 1), -EBADF);
	assert_int_equal(write_all(-1, "", 0), 0);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(write_all(ends[1], "x", 1), -EPIPE);
	close(ends[1]);
}

static void random_uuid_is_of_version_4(void **state)
{
	uint8_t uuid[16] = {0}, other[16] = {0};
	char text[HL_UUID_TEXT_SIZE];

	assert_true(uuid_is_nil(uuid));
	assert_int_equal(uuid_make_random(uuid), 0);
	assert_int_equal(uuid_make_random(other), 0);
	assert_false(uuid_is_nil(uuid));
	assert_memory_not_equal(uuid, other, sizeof(uuid));
	hl_uuid_to_text(uuid, text);
	assert_int_equal(text[14], '4');
	assert_non_null(strchr("89ab", text[19]));
}

static void uuid_with_one_bit_is_not_nil(void **state)
{
	for (size_t i = 0; i < 16; i++) {
		uint8_t uuid[16] = {0};

		uuid[i] = 1;
		assert_false(uuid_is_nil(uuid));
	}
}

static void cleanup_closes_what_was_not_taken(void **state)
{
	int ends[2], taken;
	char byte;

	assert_int_equal(pipe(ends), 0);
	{
		_cleanup_(closep) int fd = ends[1];
		_cleanup_(closep) int none = -1;

		taken = steal_fd(&fd);
		assert_int_equal(fd, -1);
		(void)none;
	}
	assert_int_equal(write_all(taken, "x", 1), 0);
	{
		_cleanup_(closep) int fd = taken;

		(void)fd;
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	/* The end: no descriptor of the other side is open. */
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

static void wall_clock_is_in_microseconds(void **state)
{
	/* Between the years 2020 and 2200. */
	assert_in_range(wall_clock_usec() / USEC_PER_SEC, 1577836800, UINT64_C(7258118400));
}

static void program_has_the_descriptors_that_are_given(void **state)
{
	char *const argv[] = {(char *)"sh", (char *)"-c",
			      (char *)"echo dropped >&2; read x; echo \"<$x>\"; exit 3", NULL};
	int in[2], out[2], status;
	char text[16] = "";
	pid_t pid;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(process_start(argv, in[0], out[1], PROCESS_DROP, &pid), 0);
	close(in[0]);
	close(out[1]);
	assert_int_equal(write_all(in[1], "word\n", 5), 0);
	close(in[1]);
	assert_int_equal(process_wait(pid, &status), 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	assert_int_equal(read(out[0], text, sizeof(text) - 1), 7);
	assert_string_equal(text, "<word>\n");
	close(out[0]);
}

static void program_that_is_absent_is_an_error(void **state)
{
	char *const argv[] = {(char *)"no-such-program", NULL};
	pid_t pid;

	assert_int_equal(process_start(argv, -1, -1, -1, &pid), -ENOENT);
	assert_int_equal(process_wait(getpid(), NULL), -ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_all_writes_each_part),
		cmocka_unit_test(write_all_returns_errno),
		cmocka_unit_test(random_uuid_is_of_version_4),
		cmocka_unit_test(uuid_with_one_bit_is_not_nil),
		cmocka_unit_test(cleanup_closes_what_was_not_taken),
		cmocka_unit_test(wall_clock_is_in_microseconds),
		cmocka_unit_test(program_has_the_descriptors_that_are_given),
		cmocka_unit_test(program_that_is_absent_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
