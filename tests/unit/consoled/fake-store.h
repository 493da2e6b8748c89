/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xenstored's nodes without xenstored: for the threads of consoled, and a test beside them. */
#ifndef TESTS_FAKE_STORE_H
#define TESTS_FAKE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "ops.h"

#define FAKE_SELF 1 /* our own domid */

extern const struct store_ops fake_store_ops;

/* No nodes but our own domid. */
void fake_store_reset(void);

/* Writes a node, or removes it with all below (NULL); watches fire. */
void fake_store_set(const char *path, const char *value);

/* Copies a node's value; false: there is none. */
bool fake_store_get(const char *path, char *value, unsigned int size);

/* The nodes of a guest with a console whose back end we are; uuid NULL: it has none. */
void fake_store_add_guest(uint32_t domid, const char *uuid);
void fake_store_remove_guest(uint32_t domid);

/* What is there and below only the test can read or write; NULL: all can. */
void fake_store_refuse(const char *path);

/* Watches fire no more, or again. */
void fake_store_deafen(bool deaf);

/* Its requests fail from now on, as where xenstored has ended; or work again. */
void fake_store_break(bool broken);

#endif
