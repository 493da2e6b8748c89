// SPDX-License-Identifier: LGPL-2.1-or-later
/* Writes a guest's nodes in one transaction, and introduces the guest. */
#include "common/guest-nodes.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/uuid.h"

/* Conflicts with other writers before we give up for now. */
#define MAX_TRIES 16
#define PATH_SIZE 160
/* What xenconsoled keeps of output that nobody reads, in bytes. */
#define CONSOLE_LIMIT "1048576"
#define NO_GFN	      UINT64_MAX

/* Who may do what at a node. */
enum access {
	INHERIT,	/* as the node above */
	TOOLSTACK_ONLY, /* the guest sees nothing */
	GUEST_READS,	/* ours, and the guest may read */
	SERVER_READS,	/* ours; the guest and the back end of its console may read */
	GUEST_OWNS,	/* the guest reads and writes */
	CONSOLE_SERVES, /* of the console's server, and the guest may read */
};

/* A transaction that remembers its first error and then does nothing more. */
struct tree {
	const struct xs_ops *ops;
	struct xs_handle *h;
	const struct xs_guest *guest;
	xs_transaction_t t;
	int error;
};

static bool has_ring(const struct xs_guest *guest)
{
	return guest->store_port != 0;
}

static unsigned int fill_perms(const struct xs_guest *guest, enum access access,
			       struct xs_permissions perms[3])
{
	bool is_apart = guest->console_domid != guest->toolstack_domid &&
			guest->console_domid != guest->domid;

	perms[0] = (struct xs_permissions){.id = guest->toolstack_domid, .perms = XS_PERM_NONE};
	perms[1] = (struct xs_permissions){.id = guest->domid, .perms = XS_PERM_READ};
	perms[2] = (struct xs_permissions){.id = guest->console_domid, .perms = XS_PERM_READ};
	if (access == GUEST_OWNS)
		perms[0].id = guest->domid;
	if (access == CONSOLE_SERVES)
		perms[0].id = guest->console_domid;
	if (access == SERVER_READS && is_apart)
		return 3;
	return access == GUEST_OWNS || access == TOOLSTACK_ONLY ? 1 : 2;
}

/* errno of the call that has just failed; never "no error". */
static int last_error(void)
{
	return errno > 0 ? -errno : -EIO;
}

static void tree_put(struct tree *tree, enum access access, const char *path, const char *value)
{
	struct xs_permissions perms[3];
	unsigned int nr;

	if (tree->error)
		return;
	if (!tree->ops->write(tree->h, tree->t, path, value, (unsigned int)strlen(value))) {
		tree->error = last_error();
		return;
	}
	if (access == INHERIT)
		return;
	nr = fill_perms(tree->guest, access, perms);
	if (!tree->ops->set_permissions(tree->h, tree->t, path, perms, nr))
		tree->error = last_error();
}

/* Below the domain's own node. */
static void put(struct tree *tree, enum access access, const char *node, const char *value)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/%s", tree->guest->domid, node);
	tree_put(tree, access, path, value);
}

__attribute__((format(printf, 3, 4))) static void put_format(struct tree *tree, const char *node,
							     const char *format, ...)
{
	char value[PATH_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	put(tree, INHERIT, node, value);
}

/* What an earlier, stopped attempt of somebody else may have left. */
static void tree_clear(struct tree *tree, const char *path)
{
	if (tree->error)
		return;
	if (!tree->ops->rm(tree->h, tree->t, path) && errno != ENOENT)
		tree->error = last_error();
}

static void put_identity(struct tree *tree)
{
	const struct xs_guest *guest = tree->guest;
	char home[PATH_SIZE], vm[PATH_SIZE], path[PATH_SIZE * 2], value[64];

	snprintf(home, sizeof(home), "/local/domain/%" PRIu32, guest->domid);
	snprintf(vm, sizeof(vm), "/vm/%s", guest->uuid);
	tree_clear(tree, home);
	tree_clear(tree, vm);
	tree_put(tree, GUEST_READS, home, "");
	tree_put(tree, GUEST_READS, vm, "");
	snprintf(path, sizeof(path), "%s/name", vm);
	tree_put(tree, INHERIT, path, guest->name);
	snprintf(path, sizeof(path), "%s/uuid", vm);
	tree_put(tree, INHERIT, path, guest->uuid);
	snprintf(path, sizeof(path), "%s/start_time", vm);
	snprintf(value, sizeof(value), "%" PRIu64 ".%02u", guest->start_usec / USEC_PER_SEC,
		 (unsigned int)(guest->start_usec % USEC_PER_SEC / 10000));
	tree_put(tree, INHERIT, path, value);
	put(tree, SERVER_READS, "vm", vm);
	put(tree, SERVER_READS, "name", guest->name);
	put_format(tree, "domid", "%" PRIu32, guest->domid);
}

static void put_resources(struct tree *tree)
{
	const struct xs_guest *guest = tree->guest;
	char node[64];

	put(tree, GUEST_READS, "memory", "");
	put_format(tree, "memory/static-max", "%" PRIu64, guest->memory_kib);
	/* Without a ring only xenstored's own kernel can read it, and that would take it for pages
	 * it has not. */
	if (has_ring(guest))
		put_format(tree, "memory/target", "%" PRIu64, guest->memory_kib);
	put(tree, INHERIT, "memory/videoram", "0");
	put(tree, GUEST_READS, "cpu", "");
	for (uint32_t i = 0; i < guest->vcpus; i++) {
		snprintf(node, sizeof(node), "cpu/%" PRIu32 "/availability", i);
		put(tree, INHERIT, node, "online");
	}
}

/* Where guest and toolstack talk to each other. */
static void put_channels(struct tree *tree)
{
	static const char *const guest_writes[] = {
		"device/suspend/event-channel",
		"control/shutdown",
		"control/feature-poweroff",
		"control/feature-reboot",
		"control/feature-suspend",
		"control/sysrq",
		"data",
		"drivers",
		"feature",
		"attr",
		"error",
	};

	put(tree, GUEST_READS, "device", "");
	put(tree, GUEST_READS, "control", "");
	for (size_t i = 0; i < ARRAY_SIZE(guest_writes); i++)
		put(tree, GUEST_OWNS, guest_writes[i], "");
	put(tree, INHERIT, "control/platform-feature-multiprocessor-suspend", "1");
	put(tree, INHERIT, "control/platform-feature-xs_reset_watches", "1");
	if (!has_ring(tree->guest))
		return;
	put_format(tree, "store/port", "%" PRIu32, tree->guest->store_port);
	put_format(tree, "store/ring-ref", "%" PRIu64, tree->guest->store_gfn);
}

/* What a console's server, and the toolstack that removes the device, look at. */
static void put_console_backend(struct tree *tree, enum access access, const char *dir,
				const char *frontend)
{
	char path[PATH_SIZE * 2], domid[16];
	const char *const entries[][2] = {
		{"frontend", frontend}, {"frontend-id", domid}, {"online", "1"},
		{"state", "1"},		{"protocol", "vt100"},
	};

	snprintf(domid, sizeof(domid), "%" PRIu32, tree->guest->domid);
	tree_clear(tree, dir);
	tree_put(tree, access, dir, "");
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i][0]);
		tree_put(tree, INHERIT, path, entries[i][1]);
	}
}

static void put_console(struct tree *tree)
{
	const struct xs_guest *guest = tree->guest;
	char frontend[PATH_SIZE], backend[PATH_SIZE], libxl[PATH_SIZE], path[PATH_SIZE * 2];

	if (guest->console_port == 0 || guest->console_gfn == NO_GFN)
		return;
	snprintf(frontend, sizeof(frontend), "/local/domain/%" PRIu32 "/console", guest->domid);
	snprintf(backend, sizeof(backend),
		 "/local/domain/%" PRIu32 "/backend/console/%" PRIu32 "/0", guest->console_domid,
		 guest->domid);
	snprintf(libxl, sizeof(libxl), "/libxl/%" PRIu32 "/device/console/0", guest->domid);
	put(tree, CONSOLE_SERVES, "console", "");
	put(tree, INHERIT, "console/backend", backend);
	put_format(tree, "console/backend-id", "%" PRIu32, guest->console_domid);
	put(tree, INHERIT, "console/limit", CONSOLE_LIMIT);
	put(tree, INHERIT, "console/type", "xenconsoled");
	put(tree, INHERIT, "console/output", "pty");
	put(tree, INHERIT, "console/tty", "");
	put_format(tree, "console/port", "%" PRIu32, guest->console_port);
	put_format(tree, "console/ring-ref", "%" PRIu64, guest->console_gfn);
	put_console_backend(tree, CONSOLE_SERVES, backend, frontend);
	put_console_backend(tree, INHERIT, libxl, frontend);
	snprintf(path, sizeof(path), "%s/backend", libxl);
	tree_put(tree, INHERIT, path, backend);
}

static void put_libxl(struct tree *tree)
{
	char dir[PATH_SIZE], path[PATH_SIZE * 2];

	snprintf(dir, sizeof(dir), "/libxl/%" PRIu32, tree->guest->domid);
	tree_clear(tree, dir);
	tree_put(tree, TOOLSTACK_ONLY, dir, "");
	snprintf(path, sizeof(path), "%s/device", dir);
	tree_put(tree, INHERIT, path, "");
	snprintf(path, sizeof(path), "%s/type", dir);
	tree_put(tree, INHERIT, path, tree->guest->type);
	snprintf(path, sizeof(path), "%s/dm-version", dir);
	tree_put(tree, INHERIT, path, "qemu_xen");
}

/* True where the node says just that. */
static bool says(struct tree *tree, const char *node, const char *value)
{
	_cleanup_(freep) char *read = NULL;
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/%s", tree->guest->domid, node);
	read = tree->ops->read(tree->h, tree->t, path, NULL);
	if (!read) {
		if (errno != ENOENT && !tree->error)
			tree->error = last_error();
		return false;
	}
	return strcmp(read, value) == 0;
}

/*
 * The nodes come in one transaction, so two that are ours mean all are.  They are
 * not written again: xenconsoled has put its tty among them by now.  Without a ring
 * the name alone tells.
 */
static bool is_written(struct tree *tree)
{
	char vm[PATH_SIZE], port[16];

	if (!has_ring(tree->guest))
		return says(tree, "name", tree->guest->name);
	snprintf(vm, sizeof(vm), "/vm/%s", tree->guest->uuid);
	snprintf(port, sizeof(port), "%" PRIu32, tree->guest->store_port);
	return says(tree, "vm", vm) && says(tree, "store/port", port);
}

/* -EAGAIN: somebody else was faster, try again. */
static int try_write(struct tree *tree)
{
	bool written;

	tree->error = 0;
	tree->t = tree->ops->transaction_start(tree->h);
	if (tree->t == XBT_NULL)
		return last_error();
	written = is_written(tree);
	if (!written && !tree->error) {
		put_identity(tree);
		put_libxl(tree);
		put_resources(tree);
		put_channels(tree);
		put_console(tree);
	}
	if (tree->error || written) {
		/* An abort leaves nothing; when even that fails the connection is gone. */
		if (!tree->ops->transaction_end(tree->h, tree->t, true) && !tree->error)
			tree->error = last_error();
		return tree->error;
	}
	if (!tree->ops->transaction_end(tree->h, tree->t, false))
		return last_error();
	return 1;
}

static int write_nodes(const struct xs_ops *ops, struct xs_handle *h, const struct xs_guest *guest)
{
	struct tree tree = {.ops = ops, .h = h, .guest = guest};
	int r = -EAGAIN;

	for (int i = 0; i < MAX_TRIES && r == -EAGAIN; i++)
		r = try_write(&tree);
	return r;
}

static bool name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > XS_GUEST_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
	return true;
}

/* One that has another form would be another node. */
static bool uuid_ok(const char *uuid)
{
	uint8_t bytes[16];
	char text[HL_UUID_TEXT_SIZE];

	if (hl_uuid_from_text(uuid, bytes) < 0 || uuid_is_nil(bytes))
		return false;
	hl_uuid_to_text(bytes, text);
	return strcmp(text, uuid) == 0;
}

int xs_guest_check(const struct xs_guest *guest, const char **ret_field)
{
	const struct {
		bool ok;
		const char *field;
	} checks[] = {
		{guest->domid > 0 && guest->domid < 0x7ff0, "domid"},
		{name_ok(guest->name), "name"},
		{uuid_ok(guest->uuid), "uuid"},
		{strcmp(guest->type, "pv") == 0 || strcmp(guest->type, "pvh") == 0, "type"},
		{guest->vcpus > 0 && guest->vcpus <= 4096, "number of vCPUs"},
		{guest->store_port <= INT32_MAX, "store port"},
		{!has_ring(guest) || guest->store_gfn != NO_GFN, "store page"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		if (checks[i].ok)
			continue;
		*ret_field = checks[i].field;
		return -EINVAL;
	}
	return 0;
}

int xs_guest_introduce(const struct xs_ops *ops, struct xs_handle *h, const struct xs_guest *guest)
{
	const char *field;
	int r = xs_guest_check(guest, &field);

	if (r < 0)
		return r;
	if (has_ring(guest) && ops->is_domain_introduced(h, guest->domid))
		return 0;
	r = write_nodes(ops, h, guest);
	if (r < 0 || !has_ring(guest))
		return r;
	if (!ops->introduce_domain(h, guest->domid, (unsigned long)guest->store_gfn,
				   guest->store_port))
		return last_error();
	return 1;
}
