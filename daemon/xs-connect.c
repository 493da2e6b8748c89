// SPDX-License-Identifier: LGPL-2.1-or-later
#include "xs-connect.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <xenstore_lib.h>

#include "log.h"
#include "loop.h"
#include "util.h"
#include "xs-probe.h"

#define DEVICE "/dev/xen/xenbus"
/* A socket that nobody listens at yet: how soon, and how seldom, it is tried again. */
#define RETRY_MIN (50 * USEC_PER_MSEC)
#define RETRY_MAX (30 * USEC_PER_SEC)

struct xs_connect {
	struct loop *loop;
	const struct xs_connect_events *events;
	void *userdata;
	char socket[PATH_MAX];
	int inotify;
	int watch;
	struct event *inotify_event;
	struct event *retry;
	struct deferred *attempt;
	uint64_t backoff;
	struct xs_probe *probe;
	bool waiting;
	bool device_allowed;
};

/* 0: somebody listens there. */
static int try_socket(const char *path)
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
	return 0;
}

/*
 * libxenstore falls back from the socket to the device by itself, and then
 * blocks in the first request where no xenstored serves that.  Its environment
 * variable pins the one that has just been found alive.
 */
static struct xs_handle *open_pinned(const char *path)
{
	const char *set = getenv("XENSTORED_PATH");
	char before[PATH_MAX] = "";
	struct xs_handle *h;
	int saved;

	if (set)
		snprintf(before, sizeof(before), "%s", set);
	if (setenv("XENSTORED_PATH", path, 1) < 0)
		return NULL;
	h = xs_open(0);
	saved = errno;
	if (!set)
		unsetenv("XENSTORED_PATH");
	else if (setenv("XENSTORED_PATH", before, 1) < 0)
		log_warning("cannot restore XENSTORED_PATH: %m");
	errno = saved;
	return h;
}

static int connect_at(struct xs_connect *connect, const char *path)
{
	struct xs_handle *h = open_pinned(path);

	if (!h)
		return errno > 0 ? -errno : -EIO;
	connect->probe = xs_probe_free(connect->probe);
	connect->waiting = false;
	event_del(connect->retry);
	log_debug("xenstored answers at %s", path);
	connect->events->connected(connect->userdata, h);
	return 0;
}

static void on_probe(void *userdata, bool alive)
{
	struct xs_connect *connect = userdata;
	int r;

	connect->probe = xs_probe_free(connect->probe);
	r = alive ? connect_at(connect, DEVICE) : -EIO;
	if (r < 0) {
		log_debug("%s: %s", DEVICE, strerror(-r));
		loop_timer_set(connect->retry, RETRY_MAX);
	}
}

static void start_probe(struct xs_connect *connect)
{
	_cleanup_(closep) int fd = -1;
	int r;

	if (!connect->device_allowed || connect->probe)
		return;
	fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	r = xs_probe_new(connect->loop, steal_fd(&fd), on_probe, connect, &connect->probe);
	if (r < 0)
		log_debug("cannot ask at %s: %s", DEVICE, strerror(-r));
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

static void retry_later(struct xs_connect *connect)
{
	loop_timer_set(connect->retry, connect->backoff);
	connect->backoff = connect->backoff * 2 < RETRY_MAX ? connect->backoff * 2 : RETRY_MAX;
}

static void on_attempt(void *userdata)
{
	struct xs_connect *connect = userdata;
	int r;

	if (!connect->waiting)
		return;
	watch_directories(connect);
	r = try_socket(connect->socket);
	if (r == 0)
		r = connect_at(connect, connect->socket);
	if (r == 0)
		return;
	log_debug("%s: %s", connect->socket, strerror(-r));
	connect->events->missing(connect->userdata, -r);
	start_probe(connect);
	/* No socket: its directory will tell.  Any other reason: nothing will. */
	if (r != -ENOENT)
		retry_later(connect);
}

static void on_retry(evutil_socket_t fd, short what, void *userdata)
{
	on_attempt(userdata);
}

static void on_inotify(evutil_socket_t fd, short what, void *userdata)
{
	struct xs_connect *connect = userdata;
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	/* What exactly happened does not matter: everything is looked at anew. */
	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	watch_directories(connect);
	connect->backoff = RETRY_MIN;
	if (connect->waiting)
		deferred_request(connect->attempt);
	else
		connect->events->suspect(connect->userdata);
}

static int set_up(struct xs_connect *connect)
{
	const char *path = xs_daemon_socket();

	if (!path || strlen(path) >= sizeof(connect->socket))
		return -ENAMETOOLONG;
	snprintf(connect->socket, sizeof(connect->socket), "%s", path);
	connect->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (connect->inotify < 0)
		return -errno;
	connect->inotify_event =
		event_new(loop_base(connect->loop), connect->inotify, EV_READ | EV_PERSIST, on_inotify, connect);
	connect->retry = evtimer_new(loop_base(connect->loop), on_retry, connect);
	if (!connect->inotify_event || !connect->retry)
		return -ENOMEM;
	if (event_add(connect->inotify_event, NULL) < 0)
		return -ENOMEM;
	return deferred_new(connect->loop, on_attempt, connect, &connect->attempt);
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
	connect->inotify = -1;
	connect->watch = -1;
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
	deferred_free(connect->attempt);
	if (connect->inotify_event)
		event_free(connect->inotify_event);
	if (connect->retry)
		event_free(connect->retry);
	closep(&connect->inotify);
	free(connect);
	return NULL;
}

void xs_connect_start(struct xs_connect *connect)
{
	connect->waiting = true;
	connect->backoff = RETRY_MIN;
	deferred_request(connect->attempt);
}

void xs_connect_later(struct xs_connect *connect)
{
	connect->waiting = true;
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
