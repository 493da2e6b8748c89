/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a VM is made of, kept while it is there so that it can be made again: files in a directory
 * with the name of its UUID, which hyperlaunchd makes, and removes with the VM.
 */
#ifndef VMD_STORE_H
#define VMD_STORE_H

struct order;

/*
 * Copies what the order's descriptors have, and has them name the copies.  -ENOENT: hyperlaunchd
 * has made no directory; -ENOSPC: there is no room; as copy_check(); another negative errno.
 * @dir: of all VMs
 */
int store_save(const char *dir, const struct order *order);

/* Writes another configuration in the place of the one that is kept; the descriptor stays the old
 * one's. */
int store_replace_config(const char *dir, const struct order *order, const char *text);

/* Opens the copies.  -ENOENT: there are none.  The descriptors are the caller's. */
int store_open(const char *dir, struct order *order);

#endif
