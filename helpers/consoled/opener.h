/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opens and closes vchans in a thread, as the library waits for xenstored.
 */
#ifndef CONSOLED_OPENER_H
#define CONSOLED_OPENER_H

#include <stdbool.h>
#include <stdint.h>

#include "vchan.h"

struct event_base;
struct opener;
struct opening;
struct store_ops;

/* vchan: NULL: it cannot be opened. */
typedef void (*opened_t)(void *userdata, void *vchan);

int opener_new(struct event_base *base, const struct vchan_ops *ops, const struct store_ops *store,
	       struct opener **ret_opener);

/* Waits for the thread, but not for long where xenstored does not answer; done() is not called. */
struct opener *opener_free(struct opener *opener);

/*
 * Serves one for a domain at that path, or connects to one that a domain serves there.
 * @done: called once from the loop, unless it is cancelled
 */
int opener_open(struct opener *opener, bool serve, uint32_t domid, const char *path, opened_t done,
		void *userdata, struct opening **ret_opening);

/* done() is not called. */
void opener_cancel(struct opener *opener, struct opening *opening);

void opener_close(struct opener *opener, void *vchan);

/* Removes what an earlier process has left below a path of xenstore, before what is opened next. */
int opener_sweep(struct opener *opener, const char *path);

#endif
