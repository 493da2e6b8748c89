// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libxl leaves what it has made of a device that it could not attach, whether its script failed, it
 * was asked to end, or it was killed: all of that is taken back here, by the device's name.
 */
#include "attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "common/cleanup.h"
#include "config.h"
#include "device.h"
#include "intent.h"
#include "order.h"
#include "target.h"
#include "toolstack.h"

/* libxl's code. */
static int remove_intended(struct toolstack *toolstack, const struct intent *intent)
{
	const struct device_type *type = device_type_find(intent->type);
	struct device device = {.type = NULL};
	int rc = 0;

	if (type && device_find(toolstack, type, intent->domid, intent->device, &device) == 0)
		rc = device_remove(toolstack, intent->domid, &device, true);
	device_dispose(&device);
	return rc;
}

/* A domain that has gone since has taken its devices with it. */
static int end_intended(struct toolstack *toolstack, const struct order *order, const char *dir)
{
	struct intent intent;
	int rc = 0, r = intent_read(dir, order, &intent);

	if (r == -ENOENT)
		return 0;
	if (r < 0 && r != -EBADMSG)
		return r;
	if (r == 0 && toolstack_find(toolstack, order->uuid) == intent.domid)
		rc = remove_intended(toolstack, &intent);
	return rc == 0 ? intent_remove(dir, order) : -EIO;
}

static int tell_left(struct toolstack *toolstack, struct client *client, int r)
{
	client_tell_error(client, "Failed", "what an earlier order has left cannot be removed: %s",
			  r == -EIO ? toolstack_problem(toolstack, ERROR_FAIL) : strerror(-r));
	return r;
}

static int begin(struct toolstack *toolstack, struct client *client, const struct order *order,
		 const char *dir, uint32_t *ret_domid)
{
	int r = target_find(toolstack, client, order, ret_domid);

	if (r < 0)
		return r;
	r = end_intended(toolstack, order, dir);
	return r < 0 ? tell_left(toolstack, client, r) : 0;
}

static int read_device(struct toolstack *toolstack, struct client *client,
		       const struct order *order, uint32_t domid, struct device *device)
{
	_cleanup_(freep) char *text = NULL;
	char why[256];
	int r = config_read_text(order->config, &text);

	snprintf(why, sizeof(why), "the device cannot be read: %s", strerror(r < 0 ? -r : 0));
	if (r == 0)
		r = device_parse(toolstack, device_type_find(order->type), text, device, why,
				 sizeof(why));
	if (r < 0) {
		client_tell_error(client, r == -EINVAL ? "InvalidArgs" : "Failed", "%s", why);
		return r;
	}
	r = device_check_free(toolstack, domid, device);
	if (r < 0)
		client_tell_error(client, "WrongState", "it has a %s %s, or one with that number",
				  order->type, device->name);
	return r;
}

static int note(struct client *client, const struct order *order, const char *dir, uint32_t domid,
		const struct device *device)
{
	struct intent intent = {.domid = domid};
	int r;

	snprintf(intent.type, sizeof(intent.type), "%s", order->type);
	snprintf(intent.device, sizeof(intent.device), "%s", device->name);
	r = intent_write(dir, order, &intent);
	if (r < 0)
		client_tell_error(client, "Failed", "what is begun cannot be recorded: %s",
				  strerror(-r));
	return r;
}

static int fail(struct toolstack *toolstack, struct client *client, const struct order *order,
		const char *dir, int rc)
{
	char problem[sizeof(toolstack->problem)];
	int r;

	snprintf(problem, sizeof(problem), "%s", toolstack_problem(toolstack, rc));
	r = end_intended(toolstack, order, dir);
	client_tell_error(client, rc == ERROR_INVAL ? "InvalidArgs" : "Failed", "%s%s", problem,
			  r < 0 ? "; and what was made of it stays" : "");
	return -EIO;
}

static int add(struct toolstack *toolstack, struct client *client, const struct order *order,
	       const char *dir, uint32_t domid, struct device *device)
{
	int rc, r;

	client_tell_stage(client, "attach");
	rc = device_add(toolstack, domid, device);
	/* Who wanted it has gone, and whoever comes next expects nothing of it. */
	if (rc != 0 || client_has_left(client))
		return fail(toolstack, client, order, dir, rc ? rc : ERROR_ABORTED);
	r = intent_remove(dir, order);
	if (r < 0)
		return fail(toolstack, client, order, dir, ERROR_FAIL);
	client_tell_result(client, NULL);
	return 0;
}

int attach_run(struct toolstack *toolstack, struct client *client, const struct order *order,
	       const char *dir)
{
	struct device device = {.type = NULL};
	uint32_t domid;
	int r = begin(toolstack, client, order, dir, &domid);

	if (r < 0)
		return r;
	client_tell_stage(client, "check");
	r = read_device(toolstack, client, order, domid, &device);
	if (r == 0)
		r = note(client, order, dir, domid, &device);
	if (r == 0)
		r = add(toolstack, client, order, dir, domid, &device);
	device_dispose(&device);
	return r;
}

static int detach(struct toolstack *toolstack, struct client *client, const struct order *order,
		  uint32_t domid, struct device *device)
{
	int rc;

	client_tell_stage(client, "detach");
	rc = device_remove(toolstack, domid, device, order->force);
	if (rc == ERROR_TIMEDOUT)
		client_tell_error(client, "Busy",
				  "the guest has not let go of it within 10 s, and still may: a "
				  "disk may be mounted there");
	else if (rc != 0)
		client_tell_error(client, "Failed", "%s", toolstack_problem(toolstack, rc));
	else
		client_tell_result(client, NULL);
	return rc == 0 ? 0 : -EIO;
}

int attach_detach(struct toolstack *toolstack, struct client *client, const struct order *order,
		  const char *dir)
{
	struct device device = {.type = NULL};
	uint32_t domid;
	int r = begin(toolstack, client, order, dir, &domid);

	if (r < 0)
		return r;
	r = device_find(toolstack, device_type_find(order->type), domid, order->device, &device);
	if (r < 0)
		client_tell_error(client, "InvalidArgs", "it has no %s %s", order->type,
				  order->device);
	else
		r = detach(toolstack, client, order, domid, &device);
	device_dispose(&device);
	return r;
}

int attach_undo(struct toolstack *toolstack, struct client *client, const struct order *order,
		const char *dir)
{
	int r = end_intended(toolstack, order, dir);

	if (r < 0)
		return tell_left(toolstack, client, r);
	client_tell_result(client, NULL);
	return 0;
}
