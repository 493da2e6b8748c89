// SPDX-License-Identifier: LGPL-2.1-or-later
/* hyperlaunch-consoled: starts, waits for a signal, and ends. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "fdstore.h"
#include "message.h"
#include "ops.h"
#include "options.h"
#include "relay.h"
#include "requests.h"
#include "server.h"
#include "stream.h"
#include "util.h"

struct consoled {
	struct event_base *base;
	struct event *signals[3];
	struct requests requests;
	struct peer *peer;
	bool hand_over;
	bool listed; /* all consoles have been found once */
	int lock;
};

static void on_signal(evutil_socket_t number, short what, void *userdata)
{
	struct consoled *consoled = userdata;

	consoled->hand_over = number == SIGUSR1;
	event_base_loopbreak(consoled->base);
}

static int watch_signals(struct consoled *consoled)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1};

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct event *event = evsignal_new(consoled->base, numbers[i], on_signal, consoled);

		consoled->signals[i] = event;
		if (!event || event_add(event, NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The kernel drops the lock when this process ends, however it does. */
static int take_lock(struct consoled *consoled, const char *dir)
{
	_cleanup_(freep) char *path = NULL;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		message(LOG_ERR, "%s: %m", dir);
		return EXIT_FAILED;
	}
	if (asprintf(&path, "%s/lock", dir) < 0)
		return EXIT_FAILED;
	consoled->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (consoled->lock < 0) {
		message(LOG_ERR, "%s: %m", path);
		return EXIT_FAILED;
	}
	if (flock(consoled->lock, LOCK_EX | LOCK_NB) == 0)
		return EXIT_OK;
	if (errno != EWOULDBLOCK) {
		message(LOG_ERR, "%s: %m", path);
		return EXIT_FAILED;
	}
	message(LOG_ERR,
		"another hyperlaunch-consoled serves this domain's consoles: it has locked %s",
		path);
	return EXIT_RUNNING;
}

static void on_console(void *userdata, struct console *console)
{
	const struct consoled *consoled = userdata;
	struct console_status status;

	console_get_status(console, &status);
	peer_changed(consoled->peer, status.domid);
}

static void on_changed(void *userdata, uint32_t domid)
{
	const struct consoled *consoled = userdata;

	peer_changed(consoled->peer, domid);
}

/* With each connection to xenstored once more. */
static void on_listed(void *userdata)
{
	struct consoled *consoled = userdata;

	uint32_t self = (uint32_t)server_self(consoled->requests.server);

	if (!consoled->listed) {
		int r = peer_listen_remote(consoled->peer, &store_ops_real, self);

		if (r < 0)
			message(LOG_ERR, "clients in other domains are not served: %s",
				strerror(-r));
	}
	consoled->listed = true;
	peer_start(consoled->peer, self);
}

/* The socket comes from the service manager; without it there are clients in other domains only. */
static int start_peer(struct consoled *consoled, int fd)
{
	struct peer_ops ops = requests_ops(&consoled->requests);

	int r = peer_new(consoled->base, PEER_KIND, &ops, &consoled->peer);

	if (r < 0 || fd < 0)
		return r;
	if (sd_is_socket_unix(fd, SOCK_SEQPACKET, 1, NULL, 0) <= 0)
		return -ENOTSOCK;
	return peer_listen(consoled->peer, fd);
}

static void on_relay_publish(void *userdata, uint32_t domid, uint32_t backend, const char *tty)
{
	const struct consoled *consoled = userdata;

	server_publish_relay(consoled->requests.server, domid, backend, tty);
}

static int start_streams(struct consoled *consoled, struct fdstore *store)
{
	const struct relay_events events = {
		.publish = on_relay_publish,
		.changed = on_changed,
		.userdata = consoled,
	};
	struct requests *requests = &consoled->requests;
	int r = streams_new(consoled->base, &vchan_ops_real, &store_ops_real, 0,
			    &requests->streams);

	return r < 0 ? r : relays_new(requests->streams, &events, store, &requests->relays);
}

static int explain(int r)
{
	if (r == -ENOENT || r == -ENODEV || r == -ENXIO) {
		message(LOG_ERR, "no Xen: /dev/xen/evtchn and /dev/xen/gntdev must exist");
		return EXIT_NO_XEN;
	}
	if (r == -EACCES || r == -EPERM)
		message(LOG_ERR,
			"/dev/xen/evtchn or /dev/xen/gntdev may not be opened: run as root");
	else
		message(LOG_ERR, "cannot start: %s", strerror(-r));
	return EXIT_FAILED;
}

static int start(struct consoled *consoled, const struct options *options)
{
	const struct server_config config = {
		.xen = &xen_ops_real,
		.store = &store_ops_real,
		.log_dir = options->log_dir,
		.runtime_dir = options->runtime_dir,
		.log_size = options->log_size,
		.keep = options->keep,
		.no_tty = options->no_tty,
	};
	const struct server_observer observer = {
		.changed = on_console,
		.gone = on_changed,
		.listed = on_listed,
		.userdata = consoled,
	};
	struct fdstore *store;
	int socket, r = fdstore_new(&store);

	if (r < 0)
		return r;
	r = server_new(consoled->base, &config, store, &consoled->requests.server);
	if (r == 0)
		r = start_streams(consoled, store);
	socket = fdstore_take(store, "peer");
	if (r == 0)
		r = start_peer(consoled, socket);
	fdstore_free(store);
	if (r < 0)
		return r;
	server_observe(consoled->requests.server, &observer);
	return 0;
}

static void clear(struct consoled *consoled)
{
	relays_leave(consoled->requests.relays);
	streams_free(consoled->requests.streams);
	peer_free(consoled->peer);
	if (consoled->hand_over)
		server_hand_over(consoled->requests.server);
	else
		server_leave(consoled->requests.server);
	for (size_t i = 0; i < ARRAY_SIZE(consoled->signals); i++)
		if (consoled->signals[i])
			event_free(consoled->signals[i]);
	event_base_free(consoled->base);
	closep(&consoled->lock);
}

static int run(struct consoled *consoled, const struct options *options)
{
	int status = take_lock(consoled, options->runtime_dir), r;

	if (status != EXIT_OK)
		return status;
	consoled->base = server_base_new();
	r = consoled->base ? watch_signals(consoled) : -ENOMEM;
	if (r == 0)
		r = start(consoled, options);
	if (r < 0)
		return explain(r);
	sd_notify(0, "READY=1");
	if (event_base_dispatch(consoled->base) < 0) {
		message(LOG_ERR, "the main loop has failed");
		return EXIT_FAILED;
	}
	sd_notify(0, "STOPPING=1");
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	struct consoled consoled = {.lock = -1};
	struct options options;
	int status, r = options_parse(argc, argv, &options);

	if (r <= 0)
		return r < 0 ? EXIT_USAGE : EXIT_OK;
	message_set_level(options.log_level);
	status = run(&consoled, &options);
	if (consoled.base)
		clear(&consoled);
	else
		closep(&consoled.lock);
	return status;
}
