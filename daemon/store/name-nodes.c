// SPDX-License-Identifier: LGPL-2.1-or-later
/* A task that writes a domain's name. */
#include "store/name-nodes.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "common/cleanup.h"
#include "common/guest-nodes.h"
#include "store/client.h"

#define PATH_SIZE 96
/* Conflicts with other writers before we give up. */
#define MAX_TRIES 16

struct rename_task {
	struct store_task task;
	uint32_t domid, id;
	char name[XS_GUEST_NAME_MAX + 1];
	void (*done)(void *userdata, uint32_t id, int result);
};

/* Only a node that is there: those of a domain that is being removed must not come back. */
static int overwrite(const struct rename_task *task, struct xs_handle *h, xs_transaction_t t,
		     const char *path)
{
	_cleanup_(freep) char *old = xs_read(h, t, path, NULL);

	if (!old || !xs_write(h, t, path, task->name, (unsigned int)strlen(task->name)))
		return store_last_error();
	return 0;
}

/* What is at the end of "vm" is a path, which is taken for one of the right form only. */
static int overwrite_vm(const struct rename_task *task, struct xs_handle *h, xs_transaction_t t)
{
	_cleanup_(freep) char *vm = NULL;
	char path[PATH_SIZE];
	uint8_t uuid[16];
	int r;

	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/vm", task->domid);
	vm = xs_read(h, t, path, NULL);
	if (!vm)
		return errno == ENOENT ? 0 : store_last_error();
	if (strncmp(vm, "/vm/", 4) != 0 || hl_uuid_from_text(vm + 4, uuid) < 0)
		return 0;
	snprintf(path, sizeof(path), "%.64s/name", vm);
	r = overwrite(task, h, t, path);
	return r == -ENOENT ? 0 : r;
}

static int try_rename(const struct rename_task *task, struct xs_handle *h)
{
	xs_transaction_t t = xs_transaction_start(h);
	char path[PATH_SIZE];
	int r;

	if (t == XBT_NULL)
		return store_last_error();
	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/name", task->domid);
	r = overwrite(task, h, t, path);
	if (r == 0)
		r = overwrite_vm(task, h, t);
	if (!xs_transaction_end(h, t, r < 0) && r == 0)
		r = store_last_error();
	return r;
}

static int run(struct store_task *store_task, struct xs_handle *h)
{
	const struct rename_task *task = (struct rename_task *)store_task;
	int r = -EAGAIN;

	for (int i = 0; i < MAX_TRIES && r == -EAGAIN; i++)
		r = try_rename(task, h);
	return r;
}

static void done(struct store_task *store_task, void *userdata, int result)
{
	const struct rename_task *task = (struct rename_task *)store_task;

	task->done(userdata, task->id, result);
}

int name_submit(struct store *store, const struct name_task *wanted)
{
	static const struct store_task_type type = {.run = run, .done = done};
	struct rename_task *task = calloc(1, sizeof(*task));

	if (!task)
		return -ENOMEM;
	*task = (struct rename_task){
		.task = {.type = &type, .userdata = wanted->userdata},
		.domid = wanted->domid,
		.id = wanted->id,
		.done = wanted->done,
	};
	snprintf(task->name, sizeof(task->name), "%s", wanted->name);
	return store_submit(store, &task->task);
}
