/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nodes that have a domain's name: its own, and that of /vm. */
#ifndef HYPERLAUNCHD_STORE_NAME_NODES_H
#define HYPERLAUNCHD_STORE_NAME_NODES_H

#include <stdint.h>

struct store;

struct name_task {
	uint32_t domid;
	const char *name; /* copied */
	uint32_t id;	  /* done()'s */
	/*
	 * result: 0; -ENOENT: the domain has no node for it; -EACCES: this domain may not write
	 * there; or another negative errno.  Not called where the connection ends first.
	 */
	void (*done)(void *userdata, uint32_t id, int result);
	void *userdata;
};

/* As store_submit(). */
int name_submit(struct store *store, const struct name_task *task);

#endif
