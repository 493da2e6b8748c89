// SPDX-License-Identifier: LGPL-2.1-or-later
/* Grants guests of a toolstack read access to their own nodes. */
#include "launch/access.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <xenstore.h>

#include "common/cleanup.h"

/* A toolstack's tree is no deeper: home, device, kind, number, node. */
#define MAX_DEPTH 6
#define PATH_SIZE 256
/* Conflicts with other writers before we give up. */
#define MAX_TRIES 16

struct walk {
	struct xs_handle *h;
	xs_transaction_t t;
	uint32_t owner, domid;
	bool opened;
};

static int last_error(void)
{
	return errno > 0 ? -errno : -EIO;
}

/* As it was inherited: one entry, and not the guest's. */
static int is_closed(const struct walk *walk, const char *path)
{
	struct xs_permissions *perms;
	unsigned int nr;
	int r;

	perms = xs_get_permissions(walk->h, walk->t, path, &nr);
	if (!perms)
		return last_error();
	r = nr == 1 && perms[0].id != walk->domid && perms[0].perms == XS_PERM_NONE;
	free(perms);
	return r;
}

static int open_node(struct walk *walk, const char *path)
{
	struct xs_permissions perms[] = {
		{.id = walk->owner, .perms = XS_PERM_NONE},
		{.id = walk->domid, .perms = XS_PERM_READ},
	};

	if (!xs_set_permissions(walk->h, walk->t, path, perms, ARRAY_SIZE(perms)))
		return last_error();
	walk->opened = true;
	return 0;
}

/* Never goes below a node of the guest's own, where it might have made any number. */
static int walk_from(struct walk *walk, const char *path, unsigned int depth)
{
	_cleanup_(freep) char **names = NULL;
	char below[PATH_SIZE];
	unsigned int nr = 0;
	int r = is_closed(walk, path);

	if (r <= 0)
		return r;
	r = open_node(walk, path);
	if (r < 0 || depth == MAX_DEPTH)
		return r;
	names = xs_directory(walk->h, walk->t, path, &nr);
	if (!names)
		return last_error();
	for (unsigned int i = 0; i < nr && r == 0; i++) {
		if (snprintf(below, sizeof(below), "%s/%s", path, names[i]) >= (int)sizeof(below))
			return -ENAMETOOLONG;
		r = walk_from(walk, below, depth + 1);
	}
	return r;
}

static int walk_both(struct walk *walk)
{
	_cleanup_(freep) char *vm = NULL;
	char home[64], path[80];
	uint8_t uuid[16];
	int r;

	snprintf(home, sizeof(home), "/local/domain/%" PRIu32, walk->domid);
	snprintf(path, sizeof(path), "%s/vm", home);
	vm = xs_read(walk->h, walk->t, path, NULL);
	r = walk_from(walk, home, 0);
	if (r == 0 && vm && strncmp(vm, "/vm/", 4) == 0 && hl_uuid_from_text(vm + 4, uuid) == 0)
		r = walk_from(walk, vm, 0);
	return r;
}

/* All or nothing, so that after a kill the home alone tells whether it is done. */
static int try_open(struct walk *walk)
{
	int r;

	walk->opened = false;
	walk->t = xs_transaction_start(walk->h);
	if (walk->t == XBT_NULL)
		return last_error();
	r = walk_both(walk);
	if (!xs_transaction_end(walk->h, walk->t, r < 0 || !walk->opened) && r == 0)
		r = last_error();
	return r < 0 ? r : walk->opened;
}

int xs_access_open(struct xs_handle *h, uint32_t owner, uint32_t domid)
{
	struct walk walk = {.h = h, .owner = owner, .domid = domid};
	int r = -EAGAIN;

	for (int i = 0; i < MAX_TRIES && r == -EAGAIN; i++)
		r = try_open(&walk);
	return r;
}
