/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reader of a log: a pipe into which the log's files are copied, and then what is added to them.
 */
#ifndef CONSOLED_FOLLOW_H
#define CONSOLED_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

struct event_base;
struct follower;

/*
 * @follow: goes on after the end; follower_poke() says that there is more
 * @ended: the reader has left, or everything was copied; it frees the follower
 * Returns 0 with the pipe's end to read from and the log's size in bytes; one without files is
 * empty.
 */
int follower_new(struct event_base *base, struct log_dir *dir, const char *name, bool follow,
		 void (*ended)(void *userdata, struct follower *follower), void *userdata,
		 struct follower **ret_follower, int *ret_fd, uint64_t *ret_size);
struct follower *follower_free(struct follower *follower);

/* rotated: the log may have a new file since the last call. */
void follower_poke(struct follower *follower, bool rotated);

/*
 * The newest file is another one: a copy of that with the number `ino`, with `length` bytes more
 * at `offset`.
 */
void follower_replaced(struct follower *follower, uint64_t ino, uint64_t offset, uint64_t length);

/* Nothing will be added any more: it ends when everything was copied. */
void follower_finish(struct follower *follower);

#endif
