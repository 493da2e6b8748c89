/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls of libxenvchan that consoled makes, as a table, so that a test can stand in for Xen.
 * Meanings are those of <libxenvchan.h>.
 */
#ifndef CONSOLED_VCHAN_H
#define CONSOLED_VCHAN_H

#include <stddef.h>
#include <stdint.h>

/* With its zero byte; the library has 64 bytes for a node below it. */
#define VCHAN_PATH_SIZE (64 - sizeof("/event-channel") + 1)

enum vchan_state { VCHAN_CLOSED, VCHAN_OPEN, VCHAN_EXPECTING };

struct vchan_ops {
	/* These three wait for xenstored.  NULL: failed. */
	void *(*serve)(uint32_t domid, const char *path);
	void *(*connect)(uint32_t domid, const char *path);
	void (*close)(void *vchan);
	/* Readable: the state has changed, and wait() does not wait. */
	int (*fd)(void *vchan);
	int (*wait)(void *vchan);
	enum vchan_state (*state)(void *vchan);
	/* 0: nothing, or no room, now; -1: the other side has closed it. */
	int (*read)(void *vchan, void *data, size_t size);
	int (*write)(void *vchan, const void *data, size_t size);
	/* How much write() takes now; the other side tells when it is more. */
	int (*room)(void *vchan);
};

/* The library itself. */
extern const struct vchan_ops vchan_ops_real;

#endif
