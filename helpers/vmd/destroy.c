// SPDX-License-Identifier: LGPL-2.1-or-later
/* libxl knows what a domain has, and in which order it is to be taken apart. */
#include "destroy.h"

#include <errno.h>
#include <time.h>

#include "client.h"
#include "order.h"
#include "qemu.h"
#include "sweep.h"
#include "toolstack.h"

#define LOOK_MS	    50
#define GONE_MAX_MS 10000

static int destroy(struct toolstack *toolstack, uint32_t domid)
{
	const libxl_asyncop_how how = toolstack_how();
	struct sweep sweep;
	int rc;

	sweep_begin(domid, &sweep);
	toolstack_forget(toolstack);
	rc = toolstack_wait(toolstack, libxl_domain_destroy(toolstack->ctx, domid, &how), &how,
			    false);
	sweep_end(&sweep);
	return rc;
}

/* Of a domain whose memory QEMU had mapped Xen frees the last when QEMU has gone. */
static void end_qemu(struct toolstack *toolstack, const struct order *order, const char *dir)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};

	if (!qemu_sweep(dir, order->uuid_text))
		return;
	for (int waited = 0; waited < GONE_MAX_MS && toolstack_has(toolstack, order->uuid);
	     waited += LOOK_MS)
		nanosleep(&pause, NULL);
}

/* By UUID: its number may be another domain's by now.  It is done where there is none left. */
int destroy_run(struct toolstack *toolstack, struct client *client, const struct order *order,
		const char *dir)
{
	uint32_t domid = toolstack_find(toolstack, order->uuid);
	int rc;

	if (domid == ORDER_NO_DOMID) {
		end_qemu(toolstack, order, dir);
		client_tell_result(client, NULL);
		return 0;
	}
	if (order->domid != ORDER_NO_DOMID && order->domid != domid) {
		client_tell_error(client, "NoSuchDomain", "domain %u has another UUID",
				  order->domid);
		return -ESRCH;
	}
	client_tell_stage(client, "destroy");
	rc = destroy(toolstack, domid);
	/* Another toolstack may have ended it at the same time. */
	if (rc != 0 && toolstack_find(toolstack, order->uuid) == domid) {
		client_tell_error(client, "Failed", "%s", toolstack_problem(toolstack, rc));
		return -EIO;
	}
	end_qemu(toolstack, order, dir);
	client_tell_result(client, NULL);
	return 0;
}

int destroy_made(struct toolstack *toolstack, const struct order *order, const char *dir)
{
	uint32_t domid = toolstack_find(toolstack, order->uuid);
	int r = domid == ORDER_NO_DOMID || destroy(toolstack, domid) == 0 ? 0 : -EIO;

	end_qemu(toolstack, order, dir);
	return r;
}
