// SPDX-License-Identifier: LGPL-2.1-or-later
/* What outlives the process, in a memfd. */
#include "saved.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Another layout takes another number. */
#define SAVED_MAGIC 0x636f6e02u

/* NULL: errno says why. */
static struct saved *map(int fd)
{
	void *memory = mmap(NULL, sizeof(struct saved), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int saved_new(uint32_t domid, const char *uuid, struct saved **ret_saved, int *ret_fd)
{
	_cleanup_(closep) int fd = memfd_create("console", MFD_CLOEXEC);
	struct saved *saved;

	if (fd < 0 || ftruncate(fd, sizeof(*saved)) < 0)
		return -errno;
	saved = map(fd);
	if (!saved)
		return -errno;
	saved->domid = domid;
	snprintf(saved->uuid, sizeof(saved->uuid), "%s", uuid);
	saved->size = sizeof(*saved);
	saved->magic = SAVED_MAGIC;
	*ret_saved = saved;
	*ret_fd = steal_fd(&fd);
	return 0;
}

static bool is_valid(const struct saved *saved)
{
	const struct saved_slot *slot = &saved->slots[saved->current % 2];

	return saved->magic == SAVED_MAGIC && saved->size == sizeof(*saved) && saved->current < 2 &&
	       memchr(saved->uuid, '\0', sizeof(saved->uuid)) &&
	       memchr(saved->log, '\0', sizeof(saved->log)) &&
	       memchr(saved->release_id, '\0', sizeof(saved->release_id)) &&
	       memchr(saved->take_id, '\0', sizeof(saved->take_id)) &&
	       slot->input_size <= SAVED_INPUT_SIZE && slot->input_taken <= slot->input_size &&
	       saved->pty_cursor <= slot->total;
}

int saved_open(int fd, struct saved **ret_saved)
{
	struct saved *saved;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size != sizeof(*saved))
		return -EBADMSG;
	saved = map(fd);
	if (!saved)
		return -errno;
	if (!is_valid(saved)) {
		saved_close(saved);
		return -EBADMSG;
	}
	*ret_saved = saved;
	return 0;
}

void saved_close(struct saved *saved)
{
	if (saved)
		munmap(saved, sizeof(*saved));
}

struct saved_slot saved_get(const struct saved *saved)
{
	return saved->slots[saved->current];
}

void saved_commit(struct saved *saved, const struct saved_slot *slot)
{
	uint32_t other = !saved->current;

	saved->slots[other] = *slot;
	__atomic_store_n(&saved->current, other, __ATOMIC_RELEASE);
}
