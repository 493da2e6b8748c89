// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * consoled is killed again and again while a guest prints.  This process is the guest, and the
 * service manager that holds descriptors; a child is consoled.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cmocka.h>

#include "early.h"
#include "fake-store.h"
#include "fake-xen.h"
#include "ring.h"
#include "saved.h"
#include "serve.h"

#define GUEST	  5u
#define KILLS	  200
#define MAX_HELD  16
#define TEXT_SIZE (32u << 20)
#define LINE_SIZE 14
#define LAUNCHES  60

struct held {
	char name[64];
	int fd;
};

struct manager {
	struct serve serve; /* of its directory only */
	int socket;
	struct held held[MAX_HELD];
	int nr_held;
	pid_t child;
	int tty;
	char *seen; /* on the terminal */
	size_t nr_seen;
	char *printed;
	size_t nr_printed, nr_taken;
	bool gives; /* the child gives the guest's first output, again after each start */
};

/* When the child kills itself: where it gives the output's copy its place. */
static enum { NEVER, BEFORE_RENAME, AFTER_RENAME } die;

/* In the place of the C library's; a log that is rotated is not part of this. */
int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int r;

	if (die == BEFORE_RENAME)
		raise(SIGKILL);
	r = (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
	if (die == AFTER_RENAME)
		raise(SIGKILL);
	return r;
}

static void remove_held(struct manager *m, const char *name)
{
	for (int i = 0; i < m->nr_held; i++) {
		if (strcmp(m->held[i].name, name) == 0) {
			close(m->held[i].fd);
			m->held[i--] = m->held[--m->nr_held];
		}
	}
}

static int find_held(const struct manager *m, const char *name)
{
	for (int i = 0; i < m->nr_held; i++)
		if (strcmp(m->held[i].name, name) == 0)
			return m->held[i].fd;
	return -1;
}

static void handle_message(struct manager *m, const char *text, int fd)
{
	const char *name = strstr(text, "FDNAME=");

	if (!name)
		return;
	if (strstr(text, "FDSTOREREMOVE=1")) {
		char copy[64];

		snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(name + 7, "\n"), name + 7);
		remove_held(m, copy);
	} else if (fd >= 0) {
		struct held *held = &m->held[m->nr_held++];

		assert_true(m->nr_held <= MAX_HELD);
		snprintf(held->name, sizeof(held->name), "%.*s", (int)strcspn(name + 7, "\n"),
			 name + 7);
		held->fd = fcntl(fd, F_DUPFD_CLOEXEC, FAKE_FD);
		close(fd);
	}
}

/* All messages that were sent so far, also by one that is dead. */
static void receive(struct manager *m)
{
	char text[512], control[CMSG_SPACE(sizeof(int))];
	ssize_t size;

	do {
		struct iovec part = {.iov_base = text, .iov_len = sizeof(text) - 1};
		struct msghdr header = {
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		struct cmsghdr *rights;
		int fd = -1;

		size = recvmsg(m->socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (size < 0)
			break;
		text[size] = '\0';
		rights = CMSG_FIRSTHDR(&header);
		if (rights && rights->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
		handle_message(m, text, fd);
	} while (true);
}

static void listen_for_messages(struct manager *m)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", m->serve.dir);
	if (fd < 0)
		fail();
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	m->socket = fcntl(fd, F_DUPFD_CLOEXEC, FAKE_FD);
	close(fd);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
}

/* In the child: what it is given begins at 3, as sd_listen_fds() expects. */
static void pass_held(const struct manager *m)
{
	char names[MAX_HELD * 64] = "", number[16];

	if (m->nr_held == 0)
		return;
	for (int i = 0; i < m->nr_held; i++) {
		if (dup2(m->held[i].fd, SD_LISTEN_FDS_START + i) < 0)
			_exit(10);
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i ? ":" : "",
			 m->held[i].name);
	}
	snprintf(number, sizeof(number), "%d", m->nr_held);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(number, sizeof(number), "%d", getpid());
	setenv("LISTEN_PID", number, 1);
}

/* A part in each turn. */
static void give_early(struct manager *m)
{
	static const uint8_t data[EARLY_SIZE] = {[0 ... EARLY_SIZE - 2] = 'e', '\n'};
	struct early_part part = {.size = EARLY_SIZE, .dropped = 3, .length = EARLY_PART_SIZE};

	while (part.offset < EARLY_SIZE) {
		part.data = data + part.offset;
		if (console_early(server_find(m->serve.server, GUEST), &part) < 0)
			_exit(12);
		part.offset += EARLY_PART_SIZE;
		serve_turn(&m->serve);
	}
}

static void run_child(struct manager *m)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pass_held(m);
	fake_store_reset();
	fake_store_add_guest(GUEST, UUID_A);
	serve_start(&m->serve, 64u << 20);
	if (m->gives)
		give_early(m);
	for (;;)
		serve_turn(&m->serve);
}

static void start_child(struct manager *m)
{
	receive(m);
	m->child = fork();
	assert_true(m->child >= 0);
	if (m->child == 0) {
		run_child(m);
		_exit(11);
	}
}

static void kill_child(struct manager *m)
{
	int status;

	assert_int_equal(kill(m->child, SIGKILL), 0);
	assert_int_equal(waitpid(m->child, &status, 0), m->child);
	assert_true(WIFSIGNALED(status));
}

/* As where it is killed after it has written to the log, and before it has recorded that. */
static void append_to_log(const struct manager *m)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/" UUID_A ".log", m->serve.logs);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	/* It may have been killed before it wrote anything. */
	if (fd < 0)
		return;
	assert_int_equal(write(fd, "not recorded\n", 13), 13);
	close(fd);
}

static void look(struct manager *m)
{
	ssize_t n;

	while (m->tty >= 0 && m->nr_seen < TEXT_SIZE &&
	       (n = read(m->tty, m->seen + m->nr_seen, TEXT_SIZE - m->nr_seen)) > 0)
		m->nr_seen += (size_t)n;
}

/* The guest prints for a while. */
static void print_for(struct manager *m, useconds_t usec)
{
	uint64_t end = now_usec() + usec;

	while (now_usec() < end) {
		size_t n = fake_print(GUEST, m->printed + m->nr_taken, m->nr_printed - m->nr_taken);

		m->nr_taken += n;
		look(m);
		if (n == 0)
			usleep(50);
	}
}

static void open_terminal(struct manager *m)
{
	char path[64];
	uint64_t end = now_usec() + SERVE_SECONDS * USEC_PER_SEC;

	while (find_held(m, "slave-5") < 0 || !fake_is_bound(GUEST)) {
		assert_true(now_usec() < end);
		receive(m);
		usleep(1000);
	}
	assert_int_equal(ptsname_r(find_held(m, "master-5"), path, sizeof(path)), 0);
	m->tty = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	assert_true(m->tty >= 0);
}

/* The number of the line that begins here; -1: none does. */
static long line_at(const char *text, size_t left)
{
	char line[LINE_SIZE + 1];
	long number;

	if (left < LINE_SIZE || memcmp(text, "line ", 5) != 0)
		return -1;
	number = strtol(text + 5, NULL, 10);
	snprintf(line, sizeof(line), "line %08ld\n", number);
	return memcmp(text, line, LINE_SIZE) == 0 ? number : -1;
}

/*
 * Each line in its order.  After a kill the last ones, one ring's content, may come once more;
 * where that begins, two lines may be cut.
 */
static void check_terminal(const struct manager *m)
{
	long last = -1;
	int repeats = 0;

	for (size_t i = 0; i < m->nr_seen; i++) {
		long number = line_at(m->seen + i, m->nr_seen - i);

		if (number < 0)
			continue;
		assert_true(number <= last + 1);
		assert_true(number >= last - (long)(RING_OUT_SIZE / LINE_SIZE) - 2);
		repeats += number <= last;
		last = number;
	}
	assert_true(repeats <= KILLS);
	assert_int_equal(last, m->nr_printed / LINE_SIZE - 1);
}

static int set_up(void **state)
{
	struct manager *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	serve_begin(&m->serve);
	listen_for_messages(m);
	m->tty = -1;
	m->seen = malloc(TEXT_SIZE);
	m->printed = malloc(TEXT_SIZE);
	for (int i = 0; m->nr_printed + 16 < TEXT_SIZE; i++)
		m->nr_printed += (size_t)sprintf(m->printed + m->nr_printed, "line %08d\n", i);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct manager *m = *state;

	while (m->nr_held > 0)
		remove_held(m, m->held[0].name);
	close(m->socket);
	close(m->tty);
	serve_end(&m->serve);
	free(m->seen);
	free(m->printed);
	free(m);
	return 0;
}

static void test_nothing_is_lost_when_it_is_killed(void **state)
{
	struct manager *m = *state;
	unsigned int seed = 1;
	char last[32], *text;

	start_child(m);
	open_terminal(m);
	for (int i = 0; i < KILLS; i++) {
		print_for(m, 1000 + (useconds_t)rand_r(&seed) % 12000);
		kill_child(m);
		if (i % 3 == 0)
			append_to_log(m);
		start_child(m);
		assert_true(fake_is_bound(GUEST));
	}
	print_for(m, 50000);
	/* A whole line at the end. */
	m->nr_printed = m->nr_taken - m->nr_taken % LINE_SIZE + LINE_SIZE;
	serve_until(&m->serve, (print_for(m, 1000), m->nr_taken == m->nr_printed));
	snprintf(last, sizeof(last), "%.*s", LINE_SIZE, m->printed + m->nr_printed - LINE_SIZE);
	serve_until(&m->serve, (look(m), serve_log_ends(&m->serve, UUID_A ".log", last)));
	serve_until(&m->serve,
		    (look(m), m->nr_seen > LINE_SIZE && memcmp(m->seen + m->nr_seen - LINE_SIZE,
							       last, LINE_SIZE) == 0));
	kill_child(m);
	text = serve_log(&m->serve, UUID_A ".log");
	assert_int_equal(strlen(text), m->nr_printed);
	assert_memory_equal(text, m->printed, m->nr_printed);
	free(text);
	check_terminal(m);
}

/* One of these kills comes between any two steps of a launch, or of the next start. */
static void kill_in_a_launch(struct manager *m, unsigned int *seed)
{
	for (int i = 0; i < 4; i++) {
		start_child(m);
		serve_until(&m->serve, fake_is_bound(GUEST));
		print_for(m, (useconds_t)rand_r(seed) % 3000);
		kill_child(m);
	}
}

/* With a directory of its own, and nothing held. */
static void begin_launch(struct manager *m)
{
	char command[512];

	while (m->nr_held > 0)
		remove_held(m, m->held[0].name);
	snprintf(command, sizeof(command), "rm -rf %s/logs %s/early-*", m->serve.dir, m->serve.dir);
	assert_int_equal(system(command), 0);
	fake_xen_reset();
	m->nr_taken = 0;
}

static struct saved_slot get_saved(const struct manager *m)
{
	struct saved *saved;
	struct saved_slot slot;

	assert_int_equal(saved_open(find_held(m, "saved-5"), &saved), 0);
	slot = saved_get(saved);
	saved_close(saved);
	return slot;
}

/* Counted once, too. */
static void check_saved(const struct manager *m)
{
	struct saved_slot slot = get_saved(m);

	assert_int_equal(slot.early_dropped, 3);
	assert_int_equal(slot.early_ino, 0);
	assert_int_equal(slot.dropped, 0);
}

static void check_launch(struct manager *m)
{
	static const char marker[] = "\n[consoled: 3 bytes dropped]\n";
	char *text, end[LINE_SIZE + 1] = "";

	start_child(m);
	/* A whole line at the end. */
	m->nr_printed = m->nr_taken - m->nr_taken % LINE_SIZE + LINE_SIZE;
	serve_until(&m->serve, (print_for(m, 100), m->nr_taken == m->nr_printed));
	memcpy(end, m->printed + m->nr_printed - LINE_SIZE, LINE_SIZE);
	serve_until(&m->serve, serve_log_ends(&m->serve, UUID_A ".log", end));
	serve_until(&m->serve, (text = serve_log(&m->serve, UUID_A ".log"),
				strlen(text) == EARLY_SIZE + strlen(marker) + m->nr_printed ||
					(free(text), false)));
	/* consoled writes its record after it has renamed the copy. */
	serve_until(&m->serve, get_saved(m).early_given);
	kill_child(m);
	check_saved(m);
	for (size_t i = 0; i + 1 < EARLY_SIZE; i++)
		assert_int_equal(text[i], 'e');
	assert_memory_equal(text + EARLY_SIZE, marker, strlen(marker));
	assert_memory_equal(text + EARLY_SIZE + strlen(marker), m->printed, m->nr_printed);
	free(text);
}

static void test_first_output_comes_once_when_it_is_killed(void **state)
{
	struct manager *m = *state;
	unsigned int seed = 2;

	m->gives = true;
	for (int i = 0; i < LAUNCHES; i++) {
		size_t all = m->nr_printed;

		begin_launch(m);
		kill_in_a_launch(m, &seed);
		check_launch(m);
		m->nr_printed = all;
	}
}

static void test_first_output_comes_once_when_it_is_killed_at_the_rename(void **state)
{
	struct manager *m = *state;

	m->gives = true;
	for (die = BEFORE_RENAME; die <= AFTER_RENAME; die++) {
		size_t all = m->nr_printed;
		int status, point;

		begin_launch(m);
		start_child(m);
		serve_until(&m->serve,
			    (print_for(m, 100), waitpid(m->child, &status, WNOHANG) > 0));
		assert_true(WIFSIGNALED(status));
		point = die;
		die = NEVER;
		check_launch(m);
		die = point;
		m->nr_printed = all;
	}
	die = NEVER;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_is_lost_when_it_is_killed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_first_output_comes_once_when_it_is_killed,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_first_output_comes_once_when_it_is_killed_at_the_rename, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
