// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tasks that read, write and watch control/shutdown of a domain. */
#include "store/shutdown-node.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "common/cleanup.h"
#include "store/client.h"

#define PATH_SIZE 96
/* Conflicts with other writers, such as the guest, before we give up. */
#define MAX_TRIES 16

struct node_task {
	struct store_task task;
	enum shutdown_op op;
	uint32_t domid, id;
	char word[SHUTDOWN_WORD_SIZE], token[SHUTDOWN_TOKEN_SIZE];
	void (*done)(void *userdata, uint32_t id, enum shutdown_op op, int result,
		     const struct shutdown_found *found);
	struct shutdown_found found;
};

static void node_path(const struct node_task *task, const char *node, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "/local/domain/%" PRIu32 "/control%s%s", task->domid,
		 node[0] ? "/" : "", node);
}

/* *ret_value: NULL: it is not there. */
static int read_node(const struct node_task *task, struct xs_handle *h, xs_transaction_t t,
		     const char *node, char **ret_value, size_t *ret_size)
{
	char path[PATH_SIZE];
	unsigned int size = 0;

	node_path(task, node, path);
	*ret_value = xs_read(h, t, path, &size);
	*ret_size = size;
	return *ret_value || errno == ENOENT ? 0 : store_last_error();
}

static bool is_text(const char *value, size_t size, const char *text)
{
	return size == strlen(text) && memcmp(value, text, size) == 0;
}

static int read_request(struct node_task *task, struct xs_handle *h, xs_transaction_t t,
			bool *ret_exists)
{
	_cleanup_(freep) char *value = NULL, *control = NULL;
	size_t size;
	int r = read_node(task, h, t, "shutdown", &value, &size);

	*ret_exists = value != NULL;
	if (r < 0)
		return r;
	if (value && size > 0) {
		task->found.request =
			is_text(value, size, task->word) ? SHUTDOWN_OURS : SHUTDOWN_OTHER;
		return 0;
	}
	task->found.request = SHUTDOWN_EMPTY;
	if (value)
		return 0;
	/* The guest has removed it, or all its nodes are gone. */
	r = read_node(task, h, t, "", &control, &size);
	if (r == 0 && !control)
		task->found.request = SHUTDOWN_NOWHERE;
	return r;
}

static int read_feature(struct node_task *task, struct xs_handle *h, xs_transaction_t t)
{
	_cleanup_(freep) char *value = NULL;
	char node[SHUTDOWN_WORD_SIZE + sizeof("feature-")];
	size_t size;
	int r;

	snprintf(node, sizeof(node), "feature-%s", task->word);
	r = read_node(task, h, t, node, &value, &size);
	if (r < 0)
		return r;
	if (!value || size == 0)
		task->found.feature = SHUTDOWN_UNKNOWN;
	else
		task->found.feature =
			is_text(value, size, "1") ? SHUTDOWN_WATCHED : SHUTDOWN_NOT_WATCHED;
	return 0;
}

static int write_request(const struct node_task *task, struct xs_handle *h, xs_transaction_t t,
			 const char *word, bool exists)
{
	/* As a toolstack makes it: the guest has to empty it. */
	struct xs_permissions perms = {.id = task->domid, .perms = XS_PERM_NONE};
	char path[PATH_SIZE];

	node_path(task, "shutdown", path);
	if (!xs_write(h, t, path, word, (unsigned int)strlen(word)) ||
	    (!exists && !xs_set_permissions(h, t, path, &perms, 1)))
		return store_last_error();
	return 1;
}

/* 1: something was written. */
static int change(struct node_task *task, struct xs_handle *h, xs_transaction_t t)
{
	bool exists;
	int r = read_request(task, h, t, &exists);

	if (r == 0)
		r = read_feature(task, h, t);
	if (r < 0)
		return r;
	if (task->op == SHUTDOWN_TAKE_BACK)
		return task->found.request == SHUTDOWN_OURS ? write_request(task, h, t, "", exists)
							    : 0;
	if (task->found.request == SHUTDOWN_NOWHERE || task->found.feature == SHUTDOWN_NOT_WATCHED)
		return 0;
	return write_request(task, h, t, task->word, exists);
}

/* In a transaction: nodes of a domain that is being removed must not come back. */
static int try_change(struct node_task *task, struct xs_handle *h)
{
	xs_transaction_t t = xs_transaction_start(h);
	int r;

	if (t == XBT_NULL)
		return store_last_error();
	r = change(task, h, t);
	if (!xs_transaction_end(h, t, r <= 0) && r >= 0)
		return store_last_error();
	return r < 0 ? r : 0;
}

static int change_nodes(struct node_task *task, struct xs_handle *h)
{
	int r = -EAGAIN;

	for (int i = 0; i < MAX_TRIES && r == -EAGAIN; i++)
		r = try_change(task, h);
	return r;
}

/* EEXIST: by an earlier task. */
static int add_watch(const struct node_task *task, struct xs_handle *h)
{
	char path[PATH_SIZE];

	node_path(task, "shutdown", path);
	return xs_watch(h, path, task->token) || errno == EEXIST ? 0 : store_last_error();
}

/* The watch comes first, so that nothing is missed. */
static int ask(struct node_task *task, struct xs_handle *h)
{
	int r = add_watch(task, h);

	return r < 0 ? r : change_nodes(task, h);
}

static int look(struct node_task *task, struct xs_handle *h)
{
	bool exists;
	int r = read_request(task, h, XBT_NULL, &exists);

	return r < 0 ? r : read_feature(task, h, XBT_NULL);
}

static int follow(struct node_task *task, struct xs_handle *h)
{
	int r = add_watch(task, h);

	return r < 0 ? r : look(task, h);
}

/* Fails only where the connection is gone, and the watch with it. */
static int unwatch(const struct node_task *task, struct xs_handle *h)
{
	char path[PATH_SIZE];

	node_path(task, "shutdown", path);
	(void)xs_unwatch(h, path, task->token);
	return 0;
}

static int run(struct store_task *store_task, struct xs_handle *h)
{
	struct node_task *task = (struct node_task *)store_task;

	switch (task->op) {
	case SHUTDOWN_ASK:
		return ask(task, h);
	case SHUTDOWN_FOLLOW:
		return follow(task, h);
	case SHUTDOWN_LOOK:
		return look(task, h);
	case SHUTDOWN_TAKE_BACK:
		return change_nodes(task, h);
	case SHUTDOWN_UNWATCH:
		return unwatch(task, h);
	}
	return -EINVAL;
}

static void done(struct store_task *store_task, void *userdata, int result)
{
	const struct node_task *task = (struct node_task *)store_task;

	if (task->done)
		task->done(userdata, task->id, task->op, result, &task->found);
}

int shutdown_submit(struct store *store, const struct shutdown_task *wanted)
{
	static const struct store_task_type type = {.run = run, .done = done};
	struct node_task *task = calloc(1, sizeof(*task));

	if (!task)
		return -ENOMEM;
	*task = (struct node_task){
		.task = {.type = &type, .userdata = wanted->userdata},
		.op = wanted->op,
		.domid = wanted->domid,
		.id = wanted->id,
		.done = wanted->done,
	};
	snprintf(task->word, sizeof(task->word), "%s", wanted->word);
	snprintf(task->token, sizeof(task->token), "%s", wanted->token);
	return store_submit(store, &task->task);
}
