/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams: bytes between a descriptor here and one in another domain, through a vchan.  One side
 * serves the vchan and says where in xenstore it is, the other one connects.
 */
#ifndef CONSOLED_STREAM_H
#define CONSOLED_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vchan.h"

#define STREAMS_MAX 256

struct event_base;
struct store_ops;
struct stream;
struct streams;

/* Which way bytes go. */
#define STREAM_READS  1 /* from the descriptor to the other domain */
#define STREAM_WRITES 2

struct stream_config {
	uint32_t domid; /* the other domain */
	/* Taken over on success; it must not block.  A stream ends with it: when its other end is
	 * closed, and then the other domain sees the end after all that was read. */
	int fd;
	unsigned int ways; /* STREAM_READS, STREAM_WRITES */
	/* Called once, later.  r: 0: it is there; -EIO: it cannot be opened; -ECANCELED: this
	 * process ends.  path: where it is. */
	void (*opened)(void *userdata, int r, const char *path);
	/* One that was there has ended, but not by streams_free(); NULL: nobody asks. */
	void (*ended)(void *userdata);
	void *userdata;
};

/* expect_usec: how long one that is served waits for the other domain; 0: 10 s */
int streams_new(struct event_base *base, const struct vchan_ops *ops, const struct store_ops *store,
		uint64_t expect_usec, struct streams **ret_streams);

/* Ends all; what is being opened is told so. */
struct streams *streams_free(struct streams *streams);

/*
 * Serves one for a domain.  -EMFILE: too many; -ENOMEM.
 * @self: our own domid
 * @ret_stream: valid until ended(), or opened() with an error, is called; may be NULL
 */
int streams_serve(struct streams *streams, uint32_t self, const struct stream_config *config,
		  struct stream **ret_stream);

/* Connects to one that the domain serves at that path, else the same. */
int streams_connect(struct streams *streams, const char *path, const struct stream_config *config,
		    struct stream **ret_stream);

/*
 * Ends all but those to these domains: the others are gone.  What came from there before is
 * delivered first.
 */
void streams_keep(struct streams *streams, const uint32_t *domids, size_t nr);

/* Ends one; none of its functions is called. */
void stream_end(struct stream *stream);

#endif
