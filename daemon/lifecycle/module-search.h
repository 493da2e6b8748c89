/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has module files looked for in a thread, one search after the other. */
#ifndef HYPERLAUNCHD_LIFECYCLE_MODULE_SEARCH_H
#define HYPERLAUNCHD_LIFECYCLE_MODULE_SEARCH_H

#include <stddef.h>

#include "lifecycle/module-file.h"

/* Where files of the boot are, and where `lcmtool link` puts its own: docs/install.md. */
#define MODULE_PATH	  "/boot:/boot/hyperlaunch"
#define MODULE_SEARCH_MAX 2 /* modules */

struct loop;
struct module_search;
struct module_searcher;

/* path: as of module_file_find(); stays the caller's */
int module_searcher_new(struct loop *loop, const char *path, struct module_searcher **ret_searcher);
/* Without searches. */
struct module_searcher *module_searcher_free(struct module_searcher *searcher);
const char *module_searcher_path(const struct module_searcher *searcher);

/*
 * Begins to look for modules, of which copies are made.
 * @done: called in the loop, with the result of module_file_find(); then the search is freed.  It
 *        may take over descriptors, and sets those to -1
 */
int module_search_new(struct module_searcher *searcher, const struct module_file *modules,
		      size_t nr,
		      void (*done)(void *userdata, int result, struct module_file *modules),
		      void *userdata, struct module_search **ret_search);

/* Gives it up: done() is not called. */
struct module_search *module_search_cancel(struct module_search *search);

#endif
