// SPDX-License-Identifier: LGPL-2.1-or-later
/* Ends a domain as crashed, by the call with which QEMU itself ends one: libxl has none. */
#include "ended.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xen/sched.h>
#include <xendevicemodel.h>

#include "client.h"
#include "common/cleanup.h"
#include "lock.h"
#include "order.h"
#include "qemu.h"
#include "toolstack.h"

/* -EINVAL of a PV domain, which has no device model in Xen's eyes. */
static int crash(uint32_t domid)
{
	xendevicemodel_handle *model = xendevicemodel_open(NULL, 0);
	int r;

	if (!model)
		return -errno;
	r = xendevicemodel_shutdown(model, (domid_t)domid, SHUTDOWN_crash) < 0 ? -errno : 0;
	xendevicemodel_close(model);
	return r;
}

/* libxl pauses a domain before it ends it, QEMU first. */
static bool is_running(struct toolstack *toolstack, uint32_t domid)
{
	libxl_dominfo info;
	bool running;

	libxl_dominfo_init(&info);
	running = libxl_domain_info(toolstack->ctx, &info, domid) == 0 && !info.paused &&
		  !info.shutdown && !info.dying;
	libxl_dominfo_dispose(&info);
	return running;
}

static int look(const uint8_t uuid[16], uint32_t domid)
{
	struct client client = {.fd = -1, .gone = true};
	struct toolstack toolstack;
	int r = toolstack_open(&toolstack, &client);

	if (r < 0)
		return r;
	if (toolstack_find(&toolstack, uuid) == domid) {
		fprintf(stderr, "<3>QEMU of domain %" PRIu32 " has ended, and the domain has not\n",
			domid);
		r = is_running(&toolstack, domid) ? crash(domid) : 0;
	}
	toolstack_close(&toolstack);
	return r;
}

/* Whoever ends the VM just now has the lock. */
int ended_run(const char *dir)
{
	_cleanup_(closep) int lock = -1;
	char text[37];
	uint8_t uuid[16];
	uint32_t domid;
	int r = qemu_take_note(dir, text, &domid);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = hl_uuid_from_text(text, uuid);
	if (r == 0) {
		lock = lock_take(dir, uuid);
		r = lock < 0 ? lock : look(uuid, domid);
	}
	if (r < 0)
		fprintf(stderr, "<3>what QEMU served cannot be ended as crashed: %s\n",
			strerror(-r));
	return r;
}
