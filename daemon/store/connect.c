// SPDX-License-Identifier: LGPL-2.1-or-later
/* Waits until xenstored can be reached. */
#include "store/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <xenstore_lib.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "loop/io.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "store/probe.h"

#define DEVICE "/dev/xen/xenbus"
/* A socket that nobody listens at yet: how soon, and how seldom, it is tried again. */
#define RETRY_MIN (50 * USEC_PER_MSEC)
#define RETRY_MAX (30 * USEC_PER_SEC)
/* Delay after connect() failed because the backlog of the socket is full. */
#define BUSY_RETRY USEC_PER_SEC
/* A socket that takes connections and does not answer. */
#define ANSWER_TIMEOUT (5 * USEC_PER_SEC)

struct xs_connect {
	struct loop *loop;
	const struct xs_connect_events *events;
	void *userdata;
	char socket[PATH_MAX];
	int pin; /* the file that libxenstore opens */
	int inotify;
	int watch;
	struct io *inotify_io;
	struct timer *retry;
	struct timer *answer; /* set while the socket's answer is awaited */
	struct deferred *attempt;
	uint64_t backoff;
	struct xs_probe *probe; /* of the socket or of the device, whichever there is */
	bool probe_is_socket;
	int peer; /* a connection of our own: its end is xenstored's; -1: none */
	struct io *peer_io;
	bool waiting;
	bool device_allowed;
};

/* A connection, or -errno. */
static int open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return steal_fd(&fd);
}

/*
 * libxenstore falls back from the socket to the device by itself, and then
 * blocks in the first request where no xenstored serves that.  Its environment
 * variable pins one path.  It is set once, before there are threads that may read
 * the environment: to a descriptor's name, which is another file for each connection.
 */
static int reserve_pin(struct xs_connect *connect)
{
	char path[64];

	connect->pin = open("/", O_PATH | O_CLOEXEC);
	if (connect->pin < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", connect->pin);
	return setenv("XENSTORED_PATH", path, 1) < 0 ? -errno : 0;
}

static int pin(const struct xs_connect *connect, const char *path)
{
	_cleanup_(closep) int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0 || dup3(fd, connect->pin, O_CLOEXEC) < 0)
		return -errno;
	return 0;
}

/* The number that the next descriptor will have, unless a thread closes one meanwhile. */
static int next_descriptor(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd;
}

/* Another descriptor of that, if it is a connection to the socket at `path`; else -1. */
static int dup_connection(int fd, const char *path)
{
	struct sockaddr_un address;
	socklen_t size = sizeof(address);

	memset(&address, 0, sizeof(address));
	if (fd < 0 || getpeername(fd, (struct sockaddr *)&address, &size) < 0 ||
	    address.sun_family != AF_UNIX ||
	    strncmp(address.sun_path, path, sizeof(address.sun_path)) != 0)
		return -1;
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int connect_at(struct xs_connect *connect, const char *path)
{
	struct xs_handle *h;
	int r = pin(connect, path), fd;

	if (r < 0)
		return r;
	fd = next_descriptor();
	h = xs_open(0);
	if (!h)
		return errno > 0 ? -errno : -EIO;
	connect->waiting = false;
	timer_stop(connect->retry);
	log_debug("xenstored answers at %s", path);
	/* libxenstore does not give its own away. */
	connect->events->connected(connect->userdata, h, dup_connection(fd, path));
	return 0;
}

static void drop_peer(struct xs_connect *connect)
{
	connect->peer_io = io_free(connect->peer_io);
	closep(&connect->peer);
	connect->peer = -1;
}

static void drop_probe(struct xs_connect *connect)
{
	connect->probe = xs_probe_free(connect->probe);
	timer_stop(connect->answer);
}

static void retry_later(struct xs_connect *connect)
{
	timer_set(connect->retry, connect->backoff);
	connect->backoff = connect->backoff * 2 < RETRY_MAX ? connect->backoff * 2 : RETRY_MAX;
}

/* libxenstore reports the end of its connection with the next request only. */
static void on_peer(void *userdata)
{
	struct xs_connect *connect = userdata;
	char rest[256];
	ssize_t n;

	/* The rest of the one answer. */
	while ((n = read(connect->peer, rest, sizeof(rest))) > 0)
		;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	drop_peer(connect);
	if (!connect->waiting)
		connect->events->gone(connect->userdata);
}

static int keep_peer(struct xs_connect *connect, int fd)
{
	drop_peer(connect);
	connect->peer = fd;
	return io_new_read(connect->loop, fd, on_peer, connect, &connect->peer_io);
}

static void on_socket_probe(struct xs_connect *connect, bool alive)
{
	int r = alive ? keep_peer(connect, xs_probe_take(connect->probe)) : -ECONNRESET;

	drop_probe(connect);
	if (r == 0)
		r = connect_at(connect, connect->socket);
	if (r == 0)
		return;
	drop_peer(connect);
	log_debug("%s: %s", connect->socket, strerror(-r));
	connect->events->missing(connect->userdata, -r);
	retry_later(connect);
}

static void on_device_probe(struct xs_connect *connect, bool alive)
{
	int r;

	drop_probe(connect);
	r = alive ? connect_at(connect, DEVICE) : -EIO;
	if (r < 0) {
		log_debug("%s: %s", DEVICE, strerror(-r));
		timer_set(connect->retry, RETRY_MAX);
	}
}

static void on_probe(void *userdata, bool alive)
{
	struct xs_connect *connect = userdata;

	if (connect->probe_is_socket)
		on_socket_probe(connect, alive);
	else
		on_device_probe(connect, alive);
}

/* It goes on waiting: an answer may still come. */
static void on_no_answer(void *userdata)
{
	struct xs_connect *connect = userdata;

	connect->events->missing(connect->userdata, ETIMEDOUT);
}

static void probe_device(struct xs_connect *connect)
{
	_cleanup_(closep) int fd = -1;
	int r;

	if (!connect->device_allowed || connect->probe)
		return;
	fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	connect->probe_is_socket = false;
	r = xs_probe_new(connect->loop, steal_fd(&fd), on_probe, connect, &connect->probe);
	if (r < 0)
		log_debug("cannot ask at %s: %s", DEVICE, strerror(-r));
}

/* 0: its answer is awaited. */
static int probe_socket(struct xs_connect *connect)
{
	int fd = open_socket(connect->socket), r;

	if (fd < 0)
		return fd;
	drop_probe(connect);
	connect->probe_is_socket = true;
	r = xs_probe_new(connect->loop, fd, on_probe, connect, &connect->probe);
	return r < 0 ? r : timer_set(connect->answer, ANSWER_TIMEOUT);
}

/* Watches one directory at a time; -errno where this one cannot be. */
static int watch_directory(struct xs_connect *connect, const char *dir)
{
	const uint32_t mask = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
	int watch = inotify_add_watch(connect->inotify, dir, mask);

	if (watch < 0)
		return -errno;
	if (connect->watch >= 0 && connect->watch != watch)
		inotify_rm_watch(connect->inotify, connect->watch);
	connect->watch = watch;
	return 0;
}

/* The socket's directory, or as far on the way to it as there is one. */
static void watch_way(struct xs_connect *connect)
{
	char dir[PATH_MAX];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", connect->socket);
	while ((slash = strrchr(dir, '/'))) {
		slash[slash == dir] = '\0';
		if (watch_directory(connect, dir) == 0)
			return;
		if (slash == dir)
			break;
	}
	log_debug("cannot watch for %s: %m", connect->socket);
}

/* Again, for a directory that came between the look for it and the watch above it. */
static void watch_directories(struct xs_connect *connect)
{
	watch_way(connect);
	watch_way(connect);
}

static void on_attempt(void *userdata)
{
	struct xs_connect *connect = userdata;
	int r;

	if (!connect->waiting || (connect->probe && connect->probe_is_socket))
		return;
	watch_directories(connect);
	r = probe_socket(connect);
	if (r == 0)
		return;
	log_debug("%s: %s", connect->socket, strerror(-r));
	probe_device(connect);
	if (connect->probe)
		connect->events->missing(connect->userdata, EINPROGRESS);
	else
		connect->events->missing(connect->userdata, r == -EAGAIN ? ETIMEDOUT : -r);
	/* Without a socket inotify reports the next one; nothing reports the end of other errors.
	 */
	if (r == -EAGAIN)
		timer_set(connect->retry, BUSY_RETRY);
	else if (r != -ENOENT)
		retry_later(connect);
}

static void on_inotify(void *userdata)
{
	struct xs_connect *connect = userdata;
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	/* What exactly happened does not matter: everything is looked at again. */
	while (read(connect->inotify, buffer, sizeof(buffer)) > 0)
		;
	watch_directories(connect);
	connect->backoff = RETRY_MIN;
	if (!connect->waiting)
		return;
	/* It may be another socket by now. */
	if (connect->probe_is_socket)
		drop_probe(connect);
	deferred_request(connect->attempt);
}

static int set_up(struct xs_connect *connect)
{
	const char *path = xs_daemon_socket();
	int r;

	if (!path || strlen(path) >= sizeof(connect->socket))
		return -ENAMETOOLONG;
	snprintf(connect->socket, sizeof(connect->socket), "%s", path);
	r = reserve_pin(connect);
	if (r < 0)
		return r;
	connect->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (connect->inotify < 0)
		return -errno;
	r = io_new_read(connect->loop, connect->inotify, on_inotify, connect, &connect->inotify_io);
	if (r == 0)
		r = timer_new(connect->loop, on_attempt, connect, &connect->retry);
	if (r == 0)
		r = timer_new(connect->loop, on_no_answer, connect, &connect->answer);
	if (r == 0)
		r = deferred_new(connect->loop, on_attempt, connect, &connect->attempt);
	return r;
}

int xs_connect_new(struct loop *loop, const struct xs_connect_events *events, void *userdata,
		   struct xs_connect **ret_connect)
{
	struct xs_connect *connect = calloc(1, sizeof(*connect));
	int r;

	if (!connect)
		return -ENOMEM;
	connect->loop = loop;
	connect->events = events;
	connect->userdata = userdata;
	connect->pin = -1;
	connect->inotify = -1;
	connect->watch = -1;
	connect->peer = -1;
	connect->backoff = RETRY_MIN;
	r = set_up(connect);
	if (r < 0) {
		xs_connect_free(connect);
		return r;
	}
	*ret_connect = connect;
	return 0;
}

struct xs_connect *xs_connect_free(struct xs_connect *connect)
{
	if (!connect)
		return NULL;
	xs_probe_free(connect->probe);
	drop_peer(connect);
	deferred_free(connect->attempt);
	io_free(connect->inotify_io);
	timer_free(connect->retry);
	timer_free(connect->answer);
	closep(&connect->inotify);
	closep(&connect->pin);
	free(connect);
	return NULL;
}

void xs_connect_start(struct xs_connect *connect)
{
	connect->waiting = true;
	connect->backoff = RETRY_MIN;
	drop_peer(connect);
	deferred_request(connect->attempt);
}

void xs_connect_later(struct xs_connect *connect)
{
	connect->waiting = true;
	drop_peer(connect);
	retry_later(connect);
}

void xs_connect_allow_device(struct xs_connect *connect, bool allow)
{
	if (connect->device_allowed == allow)
		return;
	connect->device_allowed = allow;
	if (connect->waiting)
		deferred_request(connect->attempt);
}
