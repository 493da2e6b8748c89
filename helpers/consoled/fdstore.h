/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors that the service manager holds for the next process of this service, each by a name.
 * Without a service manager nothing is held.
 */
#ifndef CONSOLED_FDSTORE_H
#define CONSOLED_FDSTORE_H

#include <stddef.h>

struct fdstore;

/* Takes over the descriptors that this process was started with. */
int fdstore_new(struct fdstore **ret_store);

/* Closes those that were not taken, and has the service manager forget them. */
struct fdstore *fdstore_free(struct fdstore *store);

/* The descriptor of that name, which is the caller's from now on; -1: there is none. */
int fdstore_take(struct fdstore *store, const char *name);

/* The name of the first one left that begins with `prefix`; NULL: none. */
const char *fdstore_find(const struct fdstore *store, const char *prefix);

/* Has a descriptor held; the caller keeps its own.  A failure is reported. */
void fdstore_hold(const char *name, int fd);
void fdstore_forget(const char *name);

#endif
