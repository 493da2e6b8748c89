/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What vmd is asked to do: the members of the one request, and the descriptors that came with it.
 */
#ifndef VMD_ORDER_H
#define VMD_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/packet-socket.h"

struct json_object;

enum order_verb {
	ORDER_CREATE,
	ORDER_DESTROY,
	ORDER_RESTART, /* ended, and created again of what was kept of it */
	ORDER_SET_MEMORY,
	ORDER_SET_VCPUS,
	ORDER_ATTACH,
	ORDER_DETACH,
	ORDER_UNDO_ATTACH, /* what a killed process has left of one */
};

struct order {
	enum order_verb verb;
	uint8_t uuid[16];
	char uuid_text[37];
	uint32_t domid;	     /* ORDER_NO_DOMID: whichever has the UUID; not of ORDER_CREATE and
				ORDER_RESTART */
	bool start;	     /* it is unpaused */
	bool keep;	     /* of ORDER_CREATE: what it is made of is kept for ORDER_RESTART */
	uint64_t memory_kib; /* of ORDER_SET_MEMORY: 1 to ORDER_MEMORY_MAX */
	uint32_t vcpus;	     /* of ORDER_SET_VCPUS: 1 to ORDER_VCPUS_MAX */
	/* `config` of ORDER_ATTACH too; of ORDER_CREATE, and once they are opened of ORDER_RESTART;
	 * -1: none. */
	int config, kernel, ramdisk;
	char type[8];	 /* of ORDER_ATTACH and ORDER_DETACH: "disk", "nic" */
	char device[64]; /* of ORDER_DETACH: its name */
	bool force;	 /* likewise: also where the guest does not let go of it */
};

#define ORDER_NO_DOMID	 UINT32_MAX
#define ORDER_MEMORY_MAX (INT64_MAX / 1024) /* KiB */
#define ORDER_VCPUS_MAX	 8192

/*
 * -EBADMSG: a member or descriptor is missing, of another kind, or too much; *ret_why says which.
 * The descriptors stay the caller's.
 */
int order_parse(struct json_object *packet, const int *fds, size_t nr, struct order *ret_order,
		const char **ret_why);

#endif
