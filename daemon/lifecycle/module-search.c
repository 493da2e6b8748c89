// SPDX-License-Identifier: LGPL-2.1-or-later
/* The thread is there while there are searches. */
#include "lifecycle/module-search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "loop/worker.h"

struct module_searcher {
	struct loop *loop;
	const char *path;
	struct worker *worker; /* NULL: there are no searches */
	unsigned int nr_searches;
};

struct module_search {
	struct work work;
	struct module_searcher *searcher;
	const char *path; /* of the command line: for the thread */
	atomic_bool cancelled;
	struct module_file modules[MODULE_SEARCH_MAX];
	size_t nr;
	int result;
	void (*done)(void *userdata, int result, struct module_file *modules);
	void *userdata;
};

int module_searcher_new(struct loop *loop, const char *path, struct module_searcher **ret_searcher)
{
	struct module_searcher *searcher = calloc(1, sizeof(*searcher));

	if (!searcher)
		return -ENOMEM;
	searcher->loop = loop;
	searcher->path = path;
	*ret_searcher = searcher;
	return 0;
}

struct module_searcher *module_searcher_free(struct module_searcher *searcher)
{
	if (searcher)
		worker_free(searcher->worker);
	free(searcher);
	return NULL;
}

const char *module_searcher_path(const struct module_searcher *searcher)
{
	return searcher->path;
}

static void run(struct work *work)
{
	struct module_search *search = (struct module_search *)work;

	search->result =
		module_file_find(search->path, &search->cancelled, search->modules, search->nr);
}

static void done(struct work *work)
{
	struct module_search *search = (struct module_search *)work;
	struct module_searcher *searcher = search->searcher;

	if (--searcher->nr_searches == 0)
		searcher->worker = worker_free(searcher->worker);
	if (!atomic_load(&search->cancelled))
		search->done(search->userdata, search->result, search->modules);
}

static void free_search(struct work *work)
{
	struct module_search *search = (struct module_search *)work;

	for (size_t i = 0; i < search->nr; i++)
		closep(&search->modules[i].fd);
	free(search);
}

/* Nothing is to be closed in the thread. */
static void finish(void *data)
{
}

int module_search_new(struct module_searcher *searcher, const struct module_file *modules,
		      size_t nr,
		      void (*on_done)(void *userdata, int result, struct module_file *modules),
		      void *userdata, struct module_search **ret_search)
{
	struct module_search *search = calloc(1, sizeof(*search));
	int r = search ? 0 : -ENOMEM;

	if (r == 0 && !searcher->worker)
		r = worker_new(searcher->loop, finish, NULL, &searcher->worker);
	if (r < 0) {
		free(search);
		return r;
	}
	search->work = (struct work){.run = run, .done = done, .free = free_search};
	search->searcher = searcher;
	search->path = searcher->path;
	search->nr = nr;
	for (size_t i = 0; i < nr; i++) {
		search->modules[i] = modules[i];
		search->modules[i].fd = -1;
	}
	search->done = on_done;
	search->userdata = userdata;
	searcher->nr_searches++;
	worker_submit(searcher->worker, &search->work);
	*ret_search = search;
	return 0;
}

struct module_search *module_search_cancel(struct module_search *search)
{
	if (search)
		atomic_store(&search->cancelled, true);
	return NULL;
}
