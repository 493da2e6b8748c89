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
};

struct order {
	enum order_verb verb;
	uint8_t uuid[16];
	char uuid_text[37];
	uint32_t domid; /* of ORDER_DESTROY; ORDER_NO_DOMID: whichever has the UUID */
	bool start;	/* it is unpaused */
	bool keep;	/* of ORDER_CREATE: what it is made of is kept for ORDER_RESTART */
	/* Of ORDER_CREATE, and once they are opened of ORDER_RESTART; -1: none. */
	int config, kernel, ramdisk;
};

#define ORDER_NO_DOMID UINT32_MAX

/*
 * -EBADMSG: a member or descriptor is missing, of another kind, or too much; *ret_why says which.
 * The descriptors stay the caller's.
 */
int order_parse(struct json_object *packet, const int *fds, size_t nr, struct order *ret_order,
		const char **ret_why);

#endif
