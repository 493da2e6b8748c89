// SPDX-License-Identifier: LGPL-2.1-or-later
/* Finds a domain by UUID: its number may be another domain's by now. */
#include "target.h"

#include <errno.h>

#include "client.h"
#include "order.h"
#include "toolstack.h"

int target_find(struct toolstack *toolstack, struct client *client, const struct order *order,
		uint32_t *ret_domid)
{
	uint32_t domid = toolstack_find(toolstack, order->uuid);

	if (domid == ORDER_NO_DOMID) {
		client_tell_error(client, "NoSuchDomain", "no domain has the UUID %s",
				  order->uuid_text);
		return -ESRCH;
	}
	if (order->domid != ORDER_NO_DOMID && order->domid != domid) {
		client_tell_error(client, "NoSuchDomain", "domain %u has another UUID",
				  order->domid);
		return -ESRCH;
	}
	*ret_domid = domid;
	return 0;
}
