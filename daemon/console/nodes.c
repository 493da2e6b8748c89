// SPDX-License-Identifier: LGPL-2.1-or-later
/* Moves a console's nodes to another back end. */
#include "console/nodes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "common/cleanup.h"

#define PATH_SIZE 192
/* Conflicts with other writers before we give up. */
#define MAX_TRIES 16

/* A transaction that remembers its first error and then does nothing more. */
struct move {
	struct xs_handle *h;
	xs_transaction_t t;
	uint32_t domid, from, to;
	int error;
};

static void set_error(struct move *move)
{
	if (!move->error)
		move->error = errno > 0 ? -errno : -EIO;
}

/* NULL: not there, or failed. */
static char *read_node(struct move *move, const char *path)
{
	char *value = move->error ? NULL : xs_read(move->h, move->t, path, NULL);

	if (!value && !move->error && errno != ENOENT)
		set_error(move);
	return value;
}

__attribute__((format(printf, 3, 4))) static void put(struct move *move, const char *path,
						      const char *format, ...)
{
	char value[PATH_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	if (!move->error && !xs_write(move->h, move->t, path, value, (unsigned int)strlen(value)))
		set_error(move);
}

static void remove_node(struct move *move, const char *path)
{
	if (!move->error && !xs_rm(move->h, move->t, path) && errno != ENOENT)
		set_error(move);
}

/* What the old back end has there becomes the new one's; the guest's own nodes stay the guest's. */
static void give(struct move *move, const char *path)
{
	_cleanup_(freep) struct xs_permissions *perms = NULL;
	unsigned int nr = 0;

	if (move->error)
		return;
	perms = xs_get_permissions(move->h, move->t, path, &nr);
	if (!perms) {
		set_error(move);
		return;
	}
	if (nr == 0 || perms[0].id != move->from)
		return;
	perms[0].id = move->to;
	if (!xs_set_permissions(move->h, move->t, path, perms, nr))
		set_error(move);
}

static void give_all(struct move *move, const char *dir)
{
	_cleanup_(freep) char **names = NULL;
	char path[PATH_SIZE];
	unsigned int nr = 0;

	give(move, dir);
	if (!move->error)
		names = xs_directory(move->h, move->t, dir, &nr);
	if (!names)
		set_error(move);
	for (unsigned int i = 0; i < nr && !move->error; i++)
		if (snprintf(path, sizeof(path), "%s/%s", dir, names[i]) < (int)sizeof(path))
			give(move, path);
}

/* The new back end may read it, where not everybody may, and the old one not any more.  Returns how
 * many there are then. */
static unsigned int replace_reader(const struct move *move, struct xs_permissions *perms,
				   unsigned int nr)
{
	unsigned int kept = 1;
	bool may_read = perms[0].id == move->to || (perms[0].perms & XS_PERM_READ);

	for (unsigned int i = 1; i < nr; i++) {
		if (perms[i].id == move->from)
			continue;
		may_read = may_read || perms[i].id == move->to;
		perms[kept++] = perms[i];
	}
	if (!may_read)
		perms[kept++] = (struct xs_permissions){.id = move->to, .perms = XS_PERM_READ};
	return kept;
}

/*
 * What tells the domain's UUID: libxl lets only the domain and its own read it, and a back end that
 * does not know it takes the console for another domain's.
 */
static void let_read(struct move *move, const char *path)
{
	struct xs_permissions *perms, *grown;
	unsigned int nr = 0;

	if (move->error)
		return;
	perms = xs_get_permissions(move->h, move->t, path, &nr);
	if (!perms) {
		if (errno != ENOENT)
			set_error(move);
		return;
	}
	grown = realloc(perms, (nr + 1) * sizeof(*perms));
	if (grown)
		perms = grown;
	if (grown && nr > 0)
		nr = replace_reader(move, perms, nr);
	if (!grown || !xs_set_permissions(move->h, move->t, path, perms, nr))
		set_error(move);
	free(perms);
}

static void backend_dir(const struct move *move, uint32_t backend, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "/local/domain/%" PRIu32 "/backend/console/%" PRIu32, backend,
		 move->domid);
}

/* As a toolstack makes them. */
static void make_backend(struct move *move, const char *frontend)
{
	struct xs_permissions perms[] = {
		{.id = move->to, .perms = XS_PERM_NONE},
		{.id = move->domid, .perms = XS_PERM_READ},
	};
	char domid[16];
	const char *const entries[][2] = {
		{"frontend", frontend}, {"frontend-id", domid}, {"online", "1"},
		{"state", "1"},		{"protocol", "vt100"},
	};
	char dir[PATH_SIZE], path[PATH_SIZE * 2];

	snprintf(domid, sizeof(domid), "%" PRIu32, move->domid);
	backend_dir(move, move->to, dir);
	snprintf(path, sizeof(path), "%s/0", dir);
	put(move, path, "%s", "");
	if (!move->error && !xs_set_permissions(move->h, move->t, path, perms, ARRAY_SIZE(perms)))
		set_error(move);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		snprintf(path, sizeof(path), "%s/0/%s", dir, entries[i][0]);
		put(move, path, "%s", entries[i][1]);
	}
}

/* The directory of the domain is what its back end looks for, so it goes with its last console. */
static void remove_backend(struct move *move)
{
	_cleanup_(freep) char **names = NULL;
	char dir[PATH_SIZE], path[PATH_SIZE * 2];
	unsigned int nr = 0;

	backend_dir(move, move->from, dir);
	snprintf(path, sizeof(path), "%s/0", dir);
	remove_node(move, path);
	if (move->error)
		return;
	names = xs_directory(move->h, move->t, dir, &nr);
	if (!names && errno != ENOENT)
		set_error(move);
	else if (nr == 0)
		remove_node(move, dir);
}

/* libxl removes what is named there when the domain ends. */
static void update_libxl(struct move *move)
{
	_cleanup_(freep) char *old = NULL;
	char path[PATH_SIZE], dir[PATH_SIZE];

	snprintf(path, sizeof(path), "/libxl/%" PRIu32 "/device/console/0/backend", move->domid);
	old = read_node(move, path);
	backend_dir(move, move->to, dir);
	if (old)
		put(move, path, "%s/0", dir);
}

/* 1: it is so already. */
static int check(struct move *move, const char *frontend)
{
	_cleanup_(freep) char *backend = NULL;
	char path[PATH_SIZE * 2], id[16];

	snprintf(path, sizeof(path), "%s/backend-id", frontend);
	backend = read_node(move, path);
	if (!backend)
		return move->error ? move->error : -ENOENT;
	snprintf(id, sizeof(id), "%" PRIu32, move->to);
	if (strcmp(backend, id) == 0)
		return 1;
	snprintf(id, sizeof(id), "%" PRIu32, move->from);
	return strcmp(backend, id) == 0 ? 0 : -ESTALE;
}

static void move_all(struct move *move, const char *frontend)
{
	char path[PATH_SIZE * 2], dir[PATH_SIZE];

	backend_dir(move, move->to, dir);
	snprintf(path, sizeof(path), "%s/backend", frontend);
	put(move, path, "%s/0", dir);
	snprintf(path, sizeof(path), "%s/backend-id", frontend);
	put(move, path, "%" PRIu32, move->to);
	/* The old one's terminal; the new one has another. */
	snprintf(path, sizeof(path), "%s/tty", frontend);
	put(move, path, "%s", "");
	give_all(move, frontend);
	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/vm", move->domid);
	let_read(move, path);
	remove_backend(move);
	make_backend(move, frontend);
	update_libxl(move);
}

static int try_move(struct move *move)
{
	char frontend[PATH_SIZE];
	int r;

	move->error = 0;
	move->t = xs_transaction_start(move->h);
	if (move->t == XBT_NULL)
		return errno > 0 ? -errno : -EIO;
	snprintf(frontend, sizeof(frontend), "/local/domain/%" PRIu32 "/console", move->domid);
	r = check(move, frontend);
	if (r == 0) {
		move_all(move, frontend);
		r = move->error;
	}
	if (!xs_transaction_end(move->h, move->t, r != 0) && r == 0)
		r = errno > 0 ? -errno : -EIO;
	return r > 0 ? 0 : r;
}

int console_nodes_move(struct xs_handle *h, uint32_t domid, uint32_t from, uint32_t to)
{
	struct move move = {.h = h, .domid = domid, .from = from, .to = to};
	int r = -EAGAIN;

	for (int i = 0; i < MAX_TRIES && r == -EAGAIN; i++)
		r = try_move(&move);
	return r;
}
