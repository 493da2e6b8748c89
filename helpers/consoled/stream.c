// SPDX-License-Identifier: LGPL-2.1-or-later
/* Opens streams, and moves their bytes. */
#include "stream.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "message.h"
#include "opener.h"
#include "util.h"

#define CHUNK	    2048
#define TURNS	    16 /* before others have theirs */
#define EXPECT_USEC (10 * USEC_PER_SEC)
#define DIR_FORMAT  "/tool/hyperlaunch/vchan/%" PRIu32

struct stream {
	TAILQ_ENTRY(stream) link;
	struct streams *streams;
	struct stream_config config; /* its descriptor is ours */
	void *vchan;		     /* NULL: being opened */
	struct opening *opening;     /* NULL: it is there */
	char path[VCHAN_PATH_SIZE];
	struct event *fd_event, *vchan_event;
	struct event *expect; /* while nobody has connected */
	bool abandoned;	      /* the other domain is gone, and nothing more comes from there */
	uint8_t out[CHUNK];   /* from the vchan */
	size_t out_size, out_done;
};

struct streams {
	struct event_base *base;
	const struct vchan_ops *ops;
	struct opener *opener;
	TAILQ_HEAD(stream_list, stream) list;
	unsigned int nr;
	uint64_t expect_usec;
	bool swept;
};

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

static void stream_free(struct stream *stream)
{
	struct streams *streams = stream->streams;

	TAILQ_REMOVE(&streams->list, stream, link);
	streams->nr--;
	free_event(stream->fd_event);
	free_event(stream->vchan_event);
	free_event(stream->expect);
	if (stream->opening)
		opener_cancel(streams->opener, stream->opening);
	if (stream->vchan)
		opener_close(streams->opener, stream->vchan);
	closep(&stream->config.fd);
	free(stream);
}

static void end(struct stream *stream)
{
	const struct stream_config config = stream->config;

	stream_free(stream);
	if (config.ended)
		config.ended(config.userdata);
}

/* Returns 1: something moved; 0: nothing to do now; -1: an end is closed. */
static int write_out(struct stream *stream)
{
	const struct vchan_ops *ops = stream->streams->ops;
	ssize_t n;

	if (stream->out_done == stream->out_size) {
		int size = ops->read(stream->vchan, stream->out, sizeof(stream->out));

		if (size <= 0)
			return stream->abandoned ? -1 : size;
		stream->out_size = (size_t)size;
		stream->out_done = 0;
	}
	n = write(stream->config.fd, stream->out + stream->out_done,
		  stream->out_size - stream->out_done);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	stream->out_done += (size_t)n;
	return n > 0;
}

/* Takes from the descriptor what the vchan has room for. */
static int read_in(struct stream *stream)
{
	const struct vchan_ops *ops = stream->streams->ops;
	uint8_t data[CHUNK];
	int room = ops->room(stream->vchan);
	ssize_t n;

	if (room <= 0)
		return 0;
	n = read(stream->config.fd, data,
		 (size_t)room < sizeof(data) ? (size_t)room : sizeof(data));
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	if (ops->write(stream->vchan, data, (size_t)n) == n)
		return 1;
	/* Nobody is there to read it; what comes from there may still have to be written. */
	return stream->config.ways & STREAM_WRITES ? 0 : -1;
}

/* Nothing moves now.  Whoever reads finds the end where it is, behind what is still to be read. */
static bool is_over(const struct stream *stream)
{
	bool reads = stream->config.ways & STREAM_READS;
	struct pollfd state = {.fd = stream->config.fd, .events = reads ? POLLIN : 0};
	bool closed =
		stream->abandoned || stream->streams->ops->state(stream->vchan) == VCHAN_CLOSED;

	if (!(stream->config.ways & STREAM_WRITES))
		return closed;
	if (poll(&state, 1, 0) <= 0 || !(state.revents & (POLLHUP | POLLERR)))
		return false;
	return closed || !(state.revents & POLLIN);
}

static int move(struct stream *stream)
{
	int in = 0, out = 0;

	if (stream->config.ways & STREAM_WRITES)
		out = write_out(stream);
	if (out >= 0 && stream->config.ways & STREAM_READS)
		in = read_in(stream);
	if (in < 0 || out < 0)
		return -1;
	return in > 0 || out > 0;
}

static void go_on(struct stream *stream)
{
	int r, turns = 0;

	while ((r = move(stream)) > 0 && ++turns < TURNS)
		;
	if (r < 0 || (r == 0 && is_over(stream)))
		end(stream);
	else if (r > 0)
		event_active(stream->fd_event, EV_WRITE, 0);
}

static void on_fd(evutil_socket_t fd, short what, void *userdata)
{
	struct stream *stream = userdata;

	/* It has its turn when it is open. */
	if (stream->vchan)
		go_on(stream);
}

static void on_vchan(evutil_socket_t fd, short what, void *userdata)
{
	struct stream *stream = userdata;

	if (stream->streams->ops->wait(stream->vchan) < 0)
		end(stream);
	else
		go_on(stream);
}

static void on_expect(evutil_socket_t fd, short what, void *userdata)
{
	struct stream *stream = userdata;

	if (stream->streams->ops->state(stream->vchan) != VCHAN_EXPECTING)
		return;
	message(LOG_NOTICE, "nobody has connected to %s: the stream is ended", stream->path);
	end(stream);
}

static int begin(struct stream *stream)
{
	const struct streams *streams = stream->streams;
	const struct timeval patience = {
		.tv_sec = (time_t)(streams->expect_usec / USEC_PER_SEC),
		.tv_usec = (suseconds_t)(streams->expect_usec % USEC_PER_SEC),
	};

	stream->vchan_event = event_new(streams->base, streams->ops->fd(stream->vchan),
					EV_READ | EV_PERSIST, on_vchan, stream);
	stream->expect = evtimer_new(streams->base, on_expect, stream);
	if (!stream->vchan_event || event_add(stream->vchan_event, NULL) < 0 || !stream->expect ||
	    event_add(stream->expect, &patience) < 0)
		return -ENOMEM;
	event_active(stream->fd_event, EV_WRITE, 0);
	return 0;
}

static void on_opened(void *userdata, void *vchan)
{
	struct stream *stream = userdata;
	int r = vchan ? 0 : -EIO;

	stream->opening = NULL;
	stream->vchan = vchan;
	if (r == 0)
		r = begin(stream);
	stream->config.opened(stream->config.userdata, r, stream->path);
	if (r < 0)
		stream_free(stream);
}

static int stream_new(struct streams *streams, const struct stream_config *config, const char *path,
		      struct stream **ret_stream)
{
	struct stream *stream;

	if (streams->nr >= STREAMS_MAX)
		return -EMFILE;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->fd_event = event_new(streams->base, config->fd,
				     EV_READ | EV_WRITE | EV_ET | EV_PERSIST, on_fd, stream);
	if (!stream->fd_event || event_add(stream->fd_event, NULL) < 0) {
		free_event(stream->fd_event);
		free(stream);
		return -ENOMEM;
	}
	stream->streams = streams;
	stream->config = *config;
	snprintf(stream->path, sizeof(stream->path), "%s", path);
	TAILQ_INSERT_TAIL(&streams->list, stream, link);
	streams->nr++;
	*ret_stream = stream;
	return 0;
}

static int stream_open(struct streams *streams, bool serve, const char *path,
		       const struct stream_config *config, struct stream **ret_stream)
{
	struct stream *stream;
	int r = strlen(path) < VCHAN_PATH_SIZE ? 0 : -ENAMETOOLONG;

	if (r == 0)
		r = stream_new(streams, config, path, &stream);
	if (r < 0)
		return r;
	r = opener_open(streams->opener, serve, config->domid, path, on_opened, stream,
			&stream->opening);
	if (r < 0) {
		stream->config.fd = -1;
		stream_free(stream);
		return r;
	}
	if (ret_stream)
		*ret_stream = stream;
	return 0;
}

/* Nobody has begun one yet: what is there is an earlier process's. */
static int sweep(struct streams *streams, const char *dir)
{
	int r = streams->swept ? 0 : opener_sweep(streams->opener, dir);

	streams->swept = r == 0;
	return r;
}

int streams_serve(struct streams *streams, uint32_t self, const struct stream_config *config,
		  struct stream **ret_stream)
{
	char dir[VCHAN_PATH_SIZE], path[VCHAN_PATH_SIZE];
	uint64_t number;
	int r;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -errno;
	snprintf(dir, sizeof(dir), DIR_FORMAT, self);
	snprintf(path, sizeof(path), DIR_FORMAT "/%016" PRIx64, self, number);
	r = sweep(streams, dir);
	return r < 0 ? r : stream_open(streams, true, path, config, ret_stream);
}

int streams_connect(struct streams *streams, const char *path, const struct stream_config *config,
		    struct stream **ret_stream)
{
	return stream_open(streams, false, path, config, ret_stream);
}

static bool is_kept(const struct stream *stream, const uint32_t *domids, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (domids[i] == stream->config.domid)
			return true;
	return false;
}

static void abandon(struct stream *stream)
{
	stream->abandoned = true;
	if (stream->vchan) {
		go_on(stream);
		return;
	}
	opener_cancel(stream->streams->opener, stream->opening);
	stream->opening = NULL;
	stream->config.opened(stream->config.userdata, -EIO, stream->path);
	stream_free(stream);
}

void streams_keep(struct streams *streams, const uint32_t *domids, size_t nr)
{
	struct stream *stream, *next;

	for (stream = TAILQ_FIRST(&streams->list); stream; stream = next) {
		next = TAILQ_NEXT(stream, link);
		if (!is_kept(stream, domids, nr))
			abandon(stream);
	}
}

void stream_end(struct stream *stream)
{
	stream_free(stream);
}

int streams_new(struct event_base *base, const struct vchan_ops *ops, const struct store_ops *store,
		uint64_t expect_usec, struct streams **ret_streams)
{
	struct streams *streams = calloc(1, sizeof(*streams));
	int r;

	if (!streams)
		return -ENOMEM;
	streams->base = base;
	streams->ops = ops;
	streams->expect_usec = expect_usec > 0 ? expect_usec : EXPECT_USEC;
	TAILQ_INIT(&streams->list);
	r = opener_new(base, ops, store, &streams->opener);
	if (r < 0) {
		free(streams);
		return r;
	}
	*ret_streams = streams;
	return 0;
}

struct streams *streams_free(struct streams *streams)
{
	struct stream *stream, *next;

	if (!streams)
		return NULL;
	for (stream = TAILQ_FIRST(&streams->list); stream; stream = next) {
		next = TAILQ_NEXT(stream, link);
		if (stream->opening)
			stream->config.opened(stream->config.userdata, -ECANCELED, stream->path);
		stream_free(stream);
	}
	opener_free(streams->opener);
	free(streams);
	return NULL;
}
