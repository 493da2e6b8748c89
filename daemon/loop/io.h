/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file descriptor that the loop waits for. */
#ifndef HYPERLAUNCHD_LOOP_IO_H
#define HYPERLAUNCHD_LOOP_IO_H

#include <stdbool.h>

struct io;
struct loop;

typedef void (*io_run_t)(void *userdata);

/* `run` is called for as long as the descriptor is ready.  It waits for nothing before io_set(). */
int io_new(struct loop *loop, io_run_t run, void *userdata, struct io **ret_io);

/* The descriptor stays the caller's, and has to stay open until then. */
struct io *io_free(struct io *io);

/* What it waits for from now on; neither: nothing.  -ENOMEM, -EINVAL. */
int io_set(struct io *io, int fd, bool readable, bool writable);

/* io_new() and io_set() for a descriptor to be read. */
int io_new_read(struct loop *loop, int fd, io_run_t run, void *userdata, struct io **ret_io);

#endif
