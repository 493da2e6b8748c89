/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packets as nodes of xenstore, one side of a connection between hyperlaunchd and a helper in
 * another domain: docs/dev/peers.md, "In another domain".  Its calls wait for xenstored, so both
 * sides make them in a thread.  It keeps nothing but its struct, and trusts nothing that it reads.
 */
#ifndef COMMON_PEER_CHANNEL_H
#define COMMON_PEER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANNEL_ROOT "/tool/hyperlaunch/peer"
/* xenstored counts permissions and a header in its limit of 2048 bytes for a node. */
#define CHANNEL_PACKET_MAX 1920
/* Packets that one side has written and the other has not acknowledged. */
#define CHANNEL_WINDOW	     16
#define CHANNEL_SESSION_SIZE 17
#define CHANNEL_DIR_SIZE     80

/* false, NULL: errno says why; ENOENT: there is no such node. */
struct peer_channel_ops {
	char *(*read)(void *store, const char *path);
	bool (*write)(void *store, const char *path, const char *value);
	bool (*remove)(void *store, const char *path);
};

enum peer_side { CHANNEL_CLIENT, CHANNEL_HELPER };

struct peer_channel {
	char dir[CHANNEL_DIR_SIZE];
	enum peer_side side;
	bool connected;
	char own[CHANNEL_SESSION_SIZE], other[CHANNEL_SESSION_SIZE]; /* other "": not known */
	uint64_t sent, acknowledged; /* numbers of our last packets */
	uint64_t received;	     /* of the other side's last one that was read */
};

/* Oldest first. */
struct peer_packets {
	char *texts[CHANNEL_WINDOW];
	unsigned int nr;
};

/*
 * A new session.  -ENAMETOOLONG; -EIO: no random numbers.
 * @domid: the helper's; kind: without a slash
 */
int peer_channel_init(struct peer_channel *channel, enum peer_side side, uint32_t domid,
		      const char *kind);

/* The client's first step, in directories that are new: the helper may answer. */
int peer_channel_announce(const struct peer_channel *channel, const struct peer_channel_ops *ops,
			  void *store);

/*
 * Does all that can be done now: follows the other side's session, takes acknowledgements and at
 * most `max` packets, acknowledges these, and writes those of `out` that fit into the window,
 * which are freed.  Returns 0; -ECONNRESET: the other side has ended the connection or begun
 * another one; -EBADMSG, -EMSGSIZE: what it has written breaks the rules; else what the store
 * says: -EACCES and -EPERM are no failures of the connection to it.  After an error this session
 * is over.
 * @in: is added to; has room for `max`
 */
int peer_channel_exchange(struct peer_channel *channel, const struct peer_channel_ops *ops,
			  void *store, unsigned int max, struct peer_packets *out,
			  struct peer_packets *in);

/* Tells the other side that the session is over. */
int peer_channel_leave(const struct peer_channel *channel, const struct peer_channel_ops *ops,
		       void *store);

/* -ENOBUFS: there are CHANNEL_WINDOW of them; -EMSGSIZE; -ENOMEM. */
int peer_packets_add(struct peer_packets *packets, const char *text, size_t size);

/* The oldest one, which becomes the caller's; NULL: none. */
char *peer_packets_take(struct peer_packets *packets);

void peer_packets_clear(struct peer_packets *packets);

#endif /* COMMON_PEER_CHANNEL_H */
