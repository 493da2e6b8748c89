// SPDX-License-Identifier: LGPL-2.1-or-later
/* The helper's side of docs/dev/peers.md: hello, events, requests, and clients that break its
 * rules. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake-store.h"
#include "fake-vchan.h"
#include "fake-xen.h"
#include "fdstore.h"
#include "relay.h"
#include "requests.h"
#include "serve.h"
#include "stream.h"

#define GUEST 5u
/* An id of 66 characters. */
#define TEN	"0123456789"
#define LONG_ID "{\"id\":\"" TEN TEN TEN TEN TEN TEN "012345\",\"request\":\"log\"}"

struct peers {
	struct serve serve;
	struct requests requests;
	struct peer *peer;
	struct sockaddr_un address;
};

static void on_changed(void *userdata, struct console *console)
{
	struct peers *peers = userdata;
	struct console_status status;

	console_get_status(console, &status);
	peer_changed(peers->peer, status.domid);
}

static void on_gone(void *userdata, uint32_t domid)
{
	struct peers *peers = userdata;

	peer_changed(peers->peer, domid);
}

static void on_listed(void *userdata)
{
}

static void on_relay_publish(void *userdata, uint32_t domid, uint32_t backend, const char *tty)
{
	struct peers *peers = userdata;

	server_publish_relay(peers->serve.server, domid, backend, tty);
}

static void start_streams(struct peers *peers)
{
	const struct relay_events events = {
		.publish = on_relay_publish,
		.changed = on_gone,
		.userdata = peers,
	};
	struct requests *requests = &peers->requests;
	struct fdstore *none;

	assert_int_equal(fdstore_new(&none), 0);
	assert_int_equal(streams_new(peers->serve.base, &fake_vchan_ops, &fake_store_ops, 0,
				     &requests->streams),
			 0);
	assert_int_equal(relays_new(requests->streams, &events, none, &requests->relays), 0);
	fdstore_free(none);
}

static int set_up(void **state)
{
	struct peers *peers = calloc(1, sizeof(*peers));
	const struct server_observer observer = {
		.changed = on_changed,
		.gone = on_gone,
		.listed = on_listed,
		.userdata = peers,
	};
	struct peer_ops ops;
	int fd;

	assert_non_null(peers);
	serve_begin(&peers->serve);
	serve_start(&peers->serve, 1u << 20);
	peers->address.sun_family = AF_UNIX;
	snprintf(peers->address.sun_path, sizeof(peers->address.sun_path), "%s/peer",
		 peers->serve.dir);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail();
	assert_int_equal(bind(fd, (struct sockaddr *)&peers->address, sizeof(peers->address)), 0);
	assert_int_equal(listen(fd, 32), 0);
	start_streams(peers);
	peers->requests.server = peers->serve.server;
	ops = requests_ops(&peers->requests);
	assert_int_equal(peer_new(peers->serve.base, PEER_KIND, &ops, &peers->peer), 0);
	assert_int_equal(peer_listen(peers->peer, fd), 0);
	server_observe(peers->serve.server, &observer);
	*state = peers;
	return 0;
}

static int tear_down(void **state)
{
	struct peers *peers = *state;

	relays_leave(peers->requests.relays);
	streams_free(peers->requests.streams);
	peer_free(peers->peer);
	serve_end(&peers->serve);
	free(peers);
	return 0;
}

static int dial(struct peers *peers)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		fail();
	assert_int_equal(connect(fd, (struct sockaddr *)&peers->address, sizeof(peers->address)),
			 0);
	return fd;
}

/* One packet, as a string; its length, 0: closed; negative: none. */
static ssize_t take(int socket, char text[PEER_PACKET_SIZE + 1], int *fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = {.iov_base = text, .iov_len = PEER_PACKET_SIZE};
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t size = recvmsg(socket, &header, MSG_DONTWAIT);
	struct cmsghdr *rights = size > 0 ? CMSG_FIRSTHDR(&header) : NULL;

	*fd = -1;
	if (rights)
		memcpy(fd, CMSG_DATA(rights), sizeof(*fd));
	text[size > 0 ? size : 0] = '\0';
	return size < 0 && errno == ECONNRESET ? 0 : size;
}

/* The next packet must be that. */
static int expect(struct peers *peers, int socket, const char *expected)
{
	char text[PEER_PACKET_SIZE + 1];
	int fd;

	serve_until(&peers->serve, take(socket, text, &fd) >= 0);
	assert_string_equal(text, expected);
	return fd;
}

static void say(int socket, const char *text)
{
	assert_int_equal(send(socket, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* The next answer, without the events before it. */
static int ask(struct peers *peers, int socket, const char *request,
	       char text[PEER_PACKET_SIZE + 1])
{
	int fd = -1;

	say(socket, request);
	do
		serve_until(&peers->serve, take(socket, text, &fd) >= 0);
	while (strncmp(text, "{\"event\"", 8) == 0);
	return fd;
}

static int connect_ready(struct peers *peers)
{
	int fd = dial(peers), none;
	char text[PEER_PACKET_SIZE + 1];

	do
		serve_until(&peers->serve, take(fd, text, &none) >= 0);
	while (strcmp(text, "{\"event\":\"ready\"}") != 0);
	return fd;
}

static void test_hello_then_events_then_ready(void **state)
{
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1], expected[512];
	int fd = dial(peers), none;

	serve_add(&peers->serve, GUEST, UUID_A);
	for (int i = 0; i < 5; i++)
		serve_turn(&peers->serve);
	assert_true(take(fd, text, &none) < 0);
	peer_start(peers->peer, 1);
	expect(peers, fd, "{\"hello\":\"console\",\"version\":1,\"domid\":1}");
	snprintf(expected, sizeof(expected),
		 "{\"event\":\"console\",\"domid\":5,\"uuid\":\"" UUID_A
		 "\",\"state\":\"serving\",\"tty\":\"%s\","
		 "\"attached\":0,\"writer\":false,\"dropped\":0,\"early\":false}",
		 serve_status(&peers->serve, GUEST).tty);
	expect(peers, fd, expected);
	expect(peers, fd, "{\"event\":\"ready\"}");
	fake_store_remove_guest(GUEST);
	expect(peers, fd, "{\"event\":\"gone\",\"domid\":5}");
	close(fd);
}

static void test_attach_gives_a_terminal(void **state)
{
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1], seen[32] = "";
	int fd, tty;

	peer_start(peers->peer, 1);
	serve_add(&peers->serve, GUEST, UUID_A);
	fd = connect_ready(peers);
	/* The event comes before the answer to what caused it. */
	say(fd, "{\"id\":\"a\",\"request\":\"attach\",\"domid\":5,\"uuid\":\"" UUID_A
		"\",\"later\":[1]}");
	serve_until(&peers->serve, take(fd, text, &tty) >= 0);
	assert_non_null(strstr(text, "\"attached\":1,\"writer\":true"));
	tty = expect(peers, fd, "{\"id\":\"a\",\"result\":{\"writer\":true}}");
	assert_true(tty >= 0 && isatty(tty));
	assert_int_equal(fcntl(tty, F_SETFL, O_NONBLOCK), 0);
	serve_print(&peers->serve, GUEST, "hi", 2);
	serve_until(&peers->serve, (serve_read(tty, seen, sizeof(seen)), strcmp(seen, "hi") == 0));
	assert_int_equal(ask(peers, fd,
			     "{\"id\":\"b\",\"request\":\"attach\",\"domid\":5,\"exclusive\":true}",
			     text),
			 -1);
	assert_non_null(strstr(text, "\"error\":\"Busy\""));
	close(tty);
	serve_until(&peers->serve, serve_status(&peers->serve, GUEST).attached == 0);
	close(fd);
}

static void test_log_gives_a_pipe(void **state)
{
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1], seen[32] = "";
	int fd, pipe;

	peer_start(peers->peer, 1);
	serve_add(&peers->serve, GUEST, UUID_A);
	serve_print(&peers->serve, GUEST, "logged\n", 7);
	serve_until(&peers->serve, serve_log_ends(&peers->serve, UUID_A ".log", "logged\n"));
	fd = connect_ready(peers);
	pipe = ask(peers, fd, "{\"id\":\"l\",\"request\":\"log\",\"uuid\":\"" UUID_A "\"}", text);
	assert_string_equal(text, "{\"id\":\"l\",\"result\":{\"size\":7}}");
	serve_turn(&peers->serve);
	assert_int_equal(read(pipe, seen, sizeof(seen)), 7);
	assert_string_equal(seen, "logged\n");
	close(pipe);
	close(fd);
}

/* A stream's descriptor, and the request that sends there what comes from the console. */
static int ask_stream(struct peers *peers, int socket, const char *type, const char *request,
		      char *text, size_t size)
{
	char answer[PEER_PACKET_SIZE + 1], path[64];
	int fd;

	snprintf(text, size, "{\"id\":\"s\",\"request\":\"stream\",\"domid\":7,\"type\":\"%s\"}",
		 type);
	fd = ask(peers, socket, text, answer);
	assert_int_equal(sscanf(answer, "{\"id\":\"s\",\"result\":{\"path\":\"%63[^\"]\"}}", path),
			 1);
	snprintf(text, size, "%s,\"stream\":{\"domid\":1,\"path\":\"%s\"}}", request, path);
	return fd;
}

static void test_a_stream_carries_a_terminal(void **state)
{
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1], request[256], seen[32] = "", typed[8] = "";
	int fd, tty;

	peer_start(peers->peer, 1);
	serve_add(&peers->serve, GUEST, UUID_A);
	fd = connect_ready(peers);
	tty = ask_stream(peers, fd, "terminal", "{\"id\":\"a\",\"request\":\"attach\",\"domid\":5",
			 request, sizeof(request));
	assert_true(tty >= 0 && isatty(tty));
	assert_int_equal(ask(peers, fd, request, text), -1);
	assert_string_equal(text, "{\"id\":\"a\",\"result\":{\"writer\":true}}");
	assert_int_equal(fcntl(tty, F_SETFL, O_NONBLOCK), 0);
	serve_print(&peers->serve, GUEST, "hi", 2);
	serve_until(&peers->serve, (serve_read(tty, seen, sizeof(seen)), strcmp(seen, "hi") == 0));
	assert_int_equal(write(tty, "ho", 2), 2);
	serve_until(&peers->serve, fake_read(GUEST, typed, sizeof(typed)) == 2);
	assert_string_equal(typed, "ho");
	close(tty);
	serve_until(&peers->serve, serve_status(&peers->serve, GUEST).attached == 0);
	serve_until(&peers->serve, fake_vchan_open() == 0);
	close(fd);
}

static void test_a_stream_carries_a_log(void **state)
{
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1], request[256], seen[32] = "";
	int fd, pipe;

	peer_start(peers->peer, 1);
	serve_add(&peers->serve, GUEST, UUID_A);
	serve_print(&peers->serve, GUEST, "logged\n", 7);
	serve_until(&peers->serve, serve_log_ends(&peers->serve, UUID_A ".log", "logged\n"));
	fd = connect_ready(peers);
	pipe = ask_stream(peers, fd, "pipe", "{\"id\":\"l\",\"request\":\"log\",\"domid\":5",
			  request, sizeof(request));
	assert_true(pipe >= 0 && !isatty(pipe));
	assert_int_equal(ask(peers, fd, request, text), -1);
	assert_string_equal(text, "{\"id\":\"l\",\"result\":{\"size\":7}}");
	assert_int_equal(fcntl(pipe, F_SETFL, O_NONBLOCK), 0);
	serve_until(&peers->serve,
		    (serve_read(pipe, seen, sizeof(seen)), strcmp(seen, "logged\n") == 0));
	serve_until(&peers->serve, read(pipe, seen, 1) == 0);
	close(pipe);
	close(fd);
}

/* The client is told, and nobody stays attached. */
static void test_a_stream_that_cannot_be_opened_is_an_error(void **state)
{
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1];
	int fd;

	peer_start(peers->peer, 1);
	serve_add(&peers->serve, GUEST, UUID_A);
	fd = connect_ready(peers);
	ask(peers, fd,
	    "{\"id\":\"a\",\"request\":\"attach\",\"domid\":5,"
	    "\"stream\":{\"domid\":1,\"path\":\"/none\"}}",
	    text);
	assert_non_null(strstr(text, "\"error\":\"Failed\""));
	serve_until(&peers->serve, serve_status(&peers->serve, GUEST).attached == 0);
	fake_vchan_refuse(true);
	assert_int_equal(ask(peers, fd,
			     "{\"id\":\"s\",\"request\":\"stream\",\"domid\":7,\"type\":\"pipe\"}",
			     text),
			 -1);
	fake_vchan_refuse(false);
	assert_non_null(strstr(text, "\"error\":\"Failed\""));
	close(fd);
}

#define FAR 9u /* a guest that another domain serves; GUEST plays what is there */

static bool far_tty_is(const char *tty)
{
	char value[64] = "?";

	fake_store_get("/local/domain/9/console/tty", value, sizeof(value));
	return strcmp(value, tty) == 0;
}

/* A relay of FAR, connected to GUEST's terminal. */
static void relay(struct peers *peers, int socket)
{
	char text[PEER_PACKET_SIZE + 1], path[64];

	ask(peers, socket,
	    "{\"id\":\"r\",\"request\":\"relay\",\"domid\":9,\"backend\":7,\"uuid\":\"" UUID_B
	    "\"}",
	    text);
	assert_int_equal(sscanf(text, "{\"id\":\"r\",\"result\":{\"path\":\"%63[^\"]\"}}", path),
			 1);
	snprintf(text, sizeof(text),
		 "{\"id\":\"a\",\"request\":\"attach\",\"domid\":5,\"terminal\":true,"
		 "\"stream\":{\"domid\":1,\"path\":\"%s\"}}",
		 path);
	ask(peers, socket, text, text);
	assert_string_equal(text, "{\"id\":\"a\",\"result\":{\"writer\":true}}");
}

static void expect_far(struct peers *peers, int socket, const char *state)
{
	char text[PEER_PACKET_SIZE + 1], wanted[64];
	int none;

	snprintf(wanted, sizeof(wanted), "\"state\":\"%s\"", state);
	do
		serve_until(&peers->serve, take(socket, text, &none) >= 0);
	while (!strstr(text, "\"domid\":9") || !strstr(text, wanted));
}

/* What the guest has read so far, as a string. */
static void add_input(char *text, size_t size)
{
	size_t length = strlen(text);

	length += fake_read(GUEST, text + length, size - length - 1);
	text[length] = '\0';
}

static void carry(struct peers *peers, int tty, const char *printed, const char *typed)
{
	char seen[32] = "", got[32] = "";

	serve_print(&peers->serve, GUEST, printed, strlen(printed));
	serve_until(&peers->serve,
		    (serve_read(tty, seen, sizeof(seen)), strcmp(seen, printed) == 0));
	assert_int_equal(write(tty, typed, strlen(typed)), strlen(typed));
	serve_until(&peers->serve, (add_input(got, sizeof(got)), strstr(got, typed)));
}

static struct peers *with_far(void **state, int *ret_socket)
{
	struct peers *peers = *state;

	fake_store_set("/local/domain/9/console/backend-id", "7");
	peer_start(peers->peer, 1);
	serve_add(&peers->serve, GUEST, UUID_A);
	*ret_socket = connect_ready(peers);
	return peers;
}

static void test_a_relay_has_a_terminal_for_xl_console(void **state)
{
	int fd, tty;
	struct peers *peers = with_far(state, &fd);

	relay(peers, fd);
	serve_until(&peers->serve, !far_tty_is("?"));
	tty = serve_open_tty(FAR);
	assert_true(tty >= 0);
	carry(peers, tty, "printed", "typed");
	/* The writer of GUEST's console is whoever attached to that. */
	assert_false(serve_status(&peers->serve, GUEST).writer);
	say(fd, "{\"id\":\"u\",\"request\":\"unrelay\",\"domid\":9}");
	serve_until(&peers->serve, far_tty_is(""));
	serve_until(&peers->serve, fake_vchan_open() == 0);
	close(tty);
	close(fd);
}

static void test_the_terminal_of_a_relay_outlives_its_stream(void **state)
{
	int fd, tty;
	struct peers *peers = with_far(state, &fd);

	relay(peers, fd);
	serve_until(&peers->serve, !far_tty_is("?"));
	tty = serve_open_tty(FAR);
	carry(peers, tty, "before", "typed");
	fake_store_remove_guest(GUEST);
	expect_far(peers, fd, "detached");
	serve_add(&peers->serve, GUEST, UUID_A);
	/* What is typed meanwhile waits. */
	assert_int_equal(write(tty, "early ", 6), 6);
	relay(peers, fd);
	carry(peers, tty, "after", "late");
	close(tty);
	close(fd);
}

static void test_relays_that_cannot_be(void **state)
{
	static const char *const cases[][2] = {
		{"{\"id\":\"x\",\"request\":\"relay\",\"domid\":9}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"relay\",\"backend\":7}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"relay\",\"domid\":5,\"backend\":7}", "WrongState"},
		{"{\"id\":\"x\",\"request\":\"unrelay\"}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"attach\",\"domid\":5,\"terminal\":1}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"stream\",\"domid\":7,\"type\":\"file\"}",
		 "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"stream\",\"type\":\"pipe\"}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"attach\",\"domid\":5,\"stream\":\"/a\"}",
		 "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"attach\",\"domid\":5,\"stream\":{\"path\":\"/a\"}}",
		 "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"log\",\"domid\":5,\"stream\":{\"domid\":1,\"path\":"
		 "\"a\"}}",
		 "InvalidArgs"},
	};
	int fd;
	struct peers *peers = with_far(state, &fd);
	char text[PEER_PACKET_SIZE + 1], wanted[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ask(peers, fd, cases[i][0], text);
		snprintf(wanted, sizeof(wanted), "\"error\":\"%s\"", cases[i][1]);
		if (!strstr(text, wanted))
			fail_msg("%s: %s", cases[i][0], text);
	}
	relay(peers, fd);
	ask(peers, fd,
	    "{\"id\":\"x\",\"request\":\"relay\",\"domid\":9,\"backend\":7,\"uuid\":\"" UUID_B
	    "\"}",
	    text);
	assert_non_null(strstr(text, "\"error\":\"WrongState\""));
	close(fd);
}

/* It has our own terminal then. */
static void test_a_console_that_is_taken_is_not_relayed(void **state)
{
	int fd;
	struct peers *peers = with_far(state, &fd);
	char text[PEER_PACKET_SIZE + 1];

	relay(peers, fd);
	ask(peers, fd,
	    "{\"id\":\"t\",\"request\":\"take\",\"domid\":9,\"port\":7,\"ring-ref\":3,\"uuid\":"
	    "\"" UUID_B "\",\"input\":\"\"}",
	    text);
	assert_string_equal(text, "{\"id\":\"t\",\"result\":{}}");
	serve_until(&peers->serve, fake_vchan_open() == 0);
	assert_int_equal(serve_state(&peers->serve, FAR), CONSOLE_SERVING);
	close(fd);
}

static void test_a_client_may_leave_while_a_stream_is_opened(void **state)
{
	struct peers *peers = *state;
	int fd;

	peer_start(peers->peer, 1);
	fd = connect_ready(peers);
	for (int i = 0; i < 8; i++)
		say(fd, "{\"id\":\"s\",\"request\":\"stream\",\"domid\":7,\"type\":\"terminal\"}");
	close(fd);
	for (int i = 0; i < 20; i++)
		serve_turn(&peers->serve);
	serve_until(&peers->serve, fake_vchan_open() == 0);
}

static void test_early_output_is_given_in_parts(void **state)
{
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1];
	int fd, none;

	peer_start(peers->peer, 1);
	serve_add(&peers->serve, GUEST, UUID_A);
	serve_print(&peers->serve, GUEST, "g\n", 2);
	serve_until(&peers->serve, serve_log_ends(&peers->serve, UUID_A ".log", "g\n"));
	fd = connect_ready(peers);
	ask(peers, fd,
	    "{\"id\":\"1\",\"request\":\"early\",\"domid\":5,\"size\":6,\"offset\":0,"
	    "\"data\":\"YWJj\"}",
	    text);
	assert_string_equal(text, "{\"id\":\"1\",\"result\":{}}");
	say(fd, "{\"id\":\"2\",\"request\":\"early\",\"domid\":5,\"size\":6,\"offset\":3,"
		"\"dropped\":7,\"data\":\"ZGVm\"}");
	/* The event comes before the answer to what caused it. */
	serve_until(&peers->serve, take(fd, text, &none) >= 0);
	assert_non_null(strstr(text, "\"dropped\":7,\"early\":true}"));
	expect(peers, fd, "{\"id\":\"2\",\"result\":{}}");
	assert_true(serve_log_ends(&peers->serve, UUID_A ".log",
				   "abcdef\n[consoled: 7 bytes dropped]\ng\n"));
	close(fd);
}

static void test_release_and_take(void **state)
{
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1], typed[8] = "";
	int fd;

	peer_start(peers->peer, 1);
	serve_add(&peers->serve, GUEST, UUID_A);
	fd = connect_ready(peers);
	ask(peers, fd, "{\"id\":\"1\",\"request\":\"release\",\"domid\":5}", text);
	assert_string_equal(text, "{\"id\":\"1\",\"result\":{\"input\":\"\",\"port\":7,"
				  "\"ring-ref\":4711}}");
	assert_false(fake_is_bound(GUEST));
	ask(peers, fd, "{\"id\":\"2\",\"request\":\"take\",\"domid\":5,\"input\":\"YWJj\"}", text);
	assert_string_equal(text, "{\"id\":\"2\",\"result\":{}}");
	assert_int_equal(fake_read(GUEST, typed, sizeof(typed)), 3);
	assert_string_equal(typed, "abc");
	close(fd);
}

/* One job asks again, under other ids, where it was restarted. */
static void test_a_job_that_asks_again_has_the_same_answer(void **state)
{
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1];
	int fd;

	peer_start(peers->peer, 1);
	serve_add(&peers->serve, GUEST, UUID_A);
	fd = connect_ready(peers);
	for (int i = 0; i < 2; i++) {
		ask(peers, fd, "{\"id\":\"1\",\"request\":\"release\",\"domid\":5,\"job\":\"j\"}",
		    text);
		assert_non_null(strstr(text, "\"result\":"));
	}
	ask(peers, fd, "{\"id\":\"2\",\"request\":\"release\",\"domid\":5,\"job\":\"other\"}",
	    text);
	assert_non_null(strstr(text, "\"Busy\""));
	for (int i = 0; i < 2; i++) {
		ask(peers, fd, "{\"id\":\"3\",\"request\":\"take\",\"domid\":5,\"job\":\"j\"}",
		    text);
		assert_string_equal(text, "{\"id\":\"3\",\"result\":{}}");
	}
	close(fd);
}

/* A domain that another back end has had until now. */
static void test_take_of_a_domain_that_is_not_known(void **state)
{
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1], typed[8] = "";
	int fd;

	peer_start(peers->peer, 1);
	fd = connect_ready(peers);
	ask(peers, fd,
	    "{\"id\":\"1\",\"request\":\"take\",\"domid\":5,\"uuid\":\"" UUID_A "\",\"port\":7,"
	    "\"ring-ref\":4096,\"input\":\"YWJj\"}",
	    text);
	assert_string_equal(text, "{\"id\":\"1\",\"result\":{}}");
	assert_true(fake_is_bound(GUEST));
	assert_int_equal(fake_read(GUEST, typed, sizeof(typed)), 3);
	assert_string_equal(serve_status(&peers->serve, GUEST).uuid, UUID_A);
	close(fd);
}

static void test_wrong_requests_have_an_error_each(void **state)
{
	static const char *const cases[][2] = {
		{"{\"id\":\"x\",\"request\":\"dance\"}", "NotSupported"},
		{"{\"id\":\"x\",\"request\":\"attach\"}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"attach\",\"domid\":\"5\"}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"attach\",\"domid\":-1}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"attach\",\"domid\":4294967301}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"attach\",\"domid\":6}", "NoSuchDomain"},
		{"{\"id\":\"x\",\"request\":\"attach\",\"domid\":5,\"replay\":65537}",
		 "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"attach\",\"domid\":5,\"read-only\":1}",
		 "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"attach\",\"domid\":5,\"read-only\":true,"
		 "\"exclusive\":true}",
		 "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"attach\",\"domid\":5,\"uuid\":\"" UUID_B "\"}",
		 "NoSuchDomain"},
		{"{\"id\":\"x\",\"request\":\"log\",\"domid\":5,\"uuid\":\"" UUID_B "\"}",
		 "NoSuchDomain"},
		{"{\"id\":\"x\",\"request\":\"log\"}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"log\",\"uuid\":\"../../etc/passwd\"}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"log\",\"uuid\":\"" UUID_B "\"}", "NoSuchDomain"},
		{"{\"id\":\"x\",\"request\":\"early\",\"domid\":5}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"early\",\"domid\":6,\"data\":\"\"}", "NoSuchDomain"},
		{"{\"id\":\"x\",\"request\":\"early\",\"domid\":5,\"data\":\"?\"}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"early\",\"domid\":5,\"data\":\"YWJj\"}",
		 "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"early\",\"domid\":5,\"data\":\"YWJj\","
		 "\"size\":16385}",
		 "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"early\",\"domid\":5,\"data\":\"YWJj\","
		 "\"size\":6,\"dropped\":-1}",
		 "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"early\",\"domid\":5,\"data\":\"YWJj\","
		 "\"size\":6,\"offset\":3}",
		 "WrongState"},
		{"{\"id\":\"x\",\"request\":\"keep-streams\"}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"keep-streams\",\"domids\":5}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"keep-streams\",\"domids\":[\"5\"]}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"keep-streams\",\"domids\":[-1]}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"keep-streams\",\"domids\":[32752]}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"take\",\"domid\":5}", "WrongState"},
		{"{\"id\":\"x\",\"request\":\"take\",\"domid\":5,\"input\":\"?\"}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"take\",\"domid\":6}", "NoSuchDomain"},
		{"{\"id\":\"x\",\"request\":\"take\",\"domid\":6,\"port\":0}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"take\",\"domid\":6,\"port\":\"7\"}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"take\",\"domid\":6,\"port\":7,\"ring-ref\":-1}",
		 "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"take\",\"domid\":6,\"port\":8}", "Failed"},
		{"{\"id\":\"x\",\"request\":\"take\",\"domid\":5,\"port\":7,\"uuid\":\"" UUID_B
		 "\"}",
		 "NoSuchDomain"},
		{"{\"id\":\"x\",\"request\":\"release\",\"domid\":5,\"job\":\"\"}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"release\",\"domid\":5,\"job\":1}", "InvalidArgs"},
		{"{\"id\":\"x\",\"request\":\"release\",\"domid\":5,\"to\":\"cat\"}",
		 "InvalidArgs"},
	};
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1], expected[64];
	int fd;

	peer_start(peers->peer, 1);
	serve_add(&peers->serve, GUEST, UUID_A);
	fd = connect_ready(peers);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ask(peers, fd, cases[i][0], text), -1);
		snprintf(expected, sizeof(expected), "{\"id\":\"x\",\"error\":\"%s\"", cases[i][1]);
		if (strncmp(text, expected, strlen(expected)) != 0)
			fail_msg("%s: %s", cases[i][0], text);
	}
	close(fd);
}

static void test_invalid_packets_end_the_connection(void **state)
{
	static const char *const packets[] = {
		"",
		"{",
		"[]",
		"null",
		"{\"id\":\"x\",\"request\":\"log\"}{}",
		"{\"request\":\"attach\"}",
		"{\"id\":7,\"request\":\"attach\"}",
		"{\"id\":\"\",\"request\":\"attach\"}",
		"{\"id\":\"\\u0001\",\"request\":\"attach\"}",
		"{\"id\":\"x\"}",
		"{\"id\":\"x\",\"request\":{}}",
		LONG_ID,
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}",
		"\xff\xfe",
	};
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1];
	int fd, none;

	peer_start(peers->peer, 1);
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		fd = connect_ready(peers);
		assert_true(send(fd, packets[i], strlen(packets[i]), MSG_NOSIGNAL) >= 0);
		serve_until(&peers->serve, take(fd, text, &none) >= 0);
		if (text[0] != '\0')
			fail_msg("%s: %s", packets[i], text);
		close(fd);
	}
}

static void test_too_long_packet_ends_the_connection(void **state)
{
	struct peers *peers = *state;
	char text[PEER_PACKET_SIZE + 1], packet[PEER_PACKET_SIZE + 2];
	int fd, none;

	peer_start(peers->peer, 1);
	fd = connect_ready(peers);
	memset(packet, ' ', sizeof(packet));
	packet[0] = '{';
	packet[sizeof(packet) - 1] = '}';
	assert_int_equal(send(fd, packet, sizeof(packet), MSG_NOSIGNAL), sizeof(packet));
	serve_until(&peers->serve, take(fd, text, &none) == 0);
	close(fd);
}

static void test_descriptor_in_a_request_ends_the_connection(void **state)
{
	struct peers *peers = *state;
	union {
		char data[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.data = {0}};
	char text[PEER_PACKET_SIZE + 1], request[] = "{\"id\":\"x\",\"request\":\"dance\"}";
	struct iovec part = {.iov_base = request, .iov_len = strlen(request)};
	struct msghdr header = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = control.data,
				.msg_controllen = sizeof(control.data)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
	int fd, none, zero = 0;

	peer_start(peers->peer, 1);
	fd = connect_ready(peers);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &zero, sizeof(zero));
	assert_true(sendmsg(fd, &header, MSG_NOSIGNAL) > 0);
	serve_until(&peers->serve, take(fd, text, &none) == 0);
	close(fd);
}

/* It neither stops consoles nor makes consoled grow; each connection is one of few. */
static void test_client_that_never_reads_is_closed(void **state)
{
	static const char request[] = "{\"id\":\"x\",\"request\":\"dance\"}";
	struct peers *peers = *state;
	int fd, others[PEER_CLIENTS], none;
	char text[PEER_PACKET_SIZE + 1];

	peer_start(peers->peer, 1);
	serve_add(&peers->serve, GUEST, UUID_A);
	fd = connect_ready(peers);
	for (int i = 0; i < 20000; i++) {
		if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0 && errno == EPIPE)
			break;
		serve_turn(&peers->serve);
	}
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	close(fd);
	for (int i = 0; i < PEER_CLIENTS; i++)
		others[i] = connect_ready(peers);
	fd = dial(peers);
	serve_until(&peers->serve, take(fd, text, &none) == 0);
	close(fd);
	for (int i = 0; i < PEER_CLIENTS; i++)
		close(others[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hello_then_events_then_ready),
		TEST(test_attach_gives_a_terminal),
		TEST(test_log_gives_a_pipe),
		TEST(test_a_stream_carries_a_terminal),
		TEST(test_a_stream_carries_a_log),
		TEST(test_a_stream_that_cannot_be_opened_is_an_error),
		TEST(test_a_client_may_leave_while_a_stream_is_opened),
		TEST(test_a_relay_has_a_terminal_for_xl_console),
		TEST(test_the_terminal_of_a_relay_outlives_its_stream),
		TEST(test_relays_that_cannot_be),
		TEST(test_a_console_that_is_taken_is_not_relayed),
		TEST(test_early_output_is_given_in_parts),
		TEST(test_release_and_take),
		TEST(test_a_job_that_asks_again_has_the_same_answer),
		TEST(test_take_of_a_domain_that_is_not_known),
		TEST(test_wrong_requests_have_an_error_each),
		TEST(test_invalid_packets_end_the_connection),
		TEST(test_too_long_packet_ends_the_connection),
		TEST(test_descriptor_in_a_request_ends_the_connection),
		TEST(test_client_that_never_reads_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
