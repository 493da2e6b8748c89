/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What consoled keeps of a console when it ends: a memfd, which the service manager holds.  It is
 * always valid, as a kill may come between any two instructions: what belongs together is in a
 * slot, and a slot takes effect by one store.
 */
#ifndef CONSOLED_SAVED_H
#define CONSOLED_SAVED_H

#include <stdbool.h>
#include <stdint.h>

#include "replay.h"
#include "util.h"

#define SAVED_INPUT_SIZE 2048u
#define SAVED_ID_SIZE	 65

struct saved_slot {
	uint32_t out_cons, in_prod;	  /* of the ring, published or about to be */
	uint32_t input_size, input_taken; /* bytes in saved->input, and how many are in the ring */
	uint64_t total;			  /* bytes of output so far: the end of the replay */
	uint64_t log_ino, log_size;	  /* the log's file and its size, all of it ours */
	uint64_t dropped,
		unmarked; /* bytes that are not in the log; of these, not counted there yet */
	/* Where this console's output begins in its log: file and offset; 0: it has none yet;
	 * LOG_REMOVED. */
	uint64_t begin_ino, begin;
	/* Of what was printed before, which Xen has: whether it was given to us, bytes of it that
	 * are not in the log, and the file that is about to get that one's place, 0: none. */
	uint32_t early_given;
	uint64_t early_dropped, early_ino;
};

struct saved {
	uint32_t magic, size;
	uint32_t domid;
	uint32_t remote_port, local_port; /* 0: not bound */
	uint64_t ring_ref;
	char uuid[UUID_SIZE];
	char log[64];						/* its name */
	char release_id[SAVED_ID_SIZE], take_id[SAVED_ID_SIZE]; /* the last requests; "": none */
	uint32_t expected; /* it was handed to us, and xenstore has not said so yet */
	uint64_t pty_cursor;
	uint32_t current; /* index of the slot in effect */
	struct saved_slot slots[2];
	uint8_t input[SAVED_INPUT_SIZE];
	uint8_t replay[REPLAY_SIZE];
};

/* Returns 0, or -errno of memfd_create() and others. */
int saved_new(uint32_t domid, const char *uuid, struct saved **ret_saved, int *ret_fd);

/* Returns 0, or -EBADMSG: not one that this version has written. */
int saved_open(int fd, struct saved **ret_saved);
void saved_close(struct saved *saved);

struct saved_slot saved_get(const struct saved *saved);
void saved_commit(struct saved *saved, const struct saved_slot *slot);

#endif
