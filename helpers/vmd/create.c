// SPDX-License-Identifier: LGPL-2.1-or-later
/* Looks whether there is room, has libxl make the domain, and takes it apart again where that
 * fails. */
#include "create.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "common/cleanup.h"
#include "common/json-write.h"
#include "config.h"
#include "copy.h"
#include "destroy.h"
#include "order.h"
#include "qemu.h"
#include "store.h"
#include "toolstack.h"

#define QEMU_LOG "; what QEMU says of it is in /var/log/xen/qemu-dm-NAME.log"

static int refuse_memory(struct toolstack *toolstack, struct client *client,
			 libxl_domain_config *config)
{
	uint64_t needed, free;
	int rc = libxl_domain_need_memory(toolstack->ctx, config, INVALID_DOMID, &needed);

	if (rc == 0)
		rc = libxl_get_free_memory(toolstack->ctx, &free);
	if (rc != 0) {
		client_tell_error(client, "InvalidArgs", "%s", toolstack_problem(toolstack, rc));
		return -EINVAL;
	}
	if (needed <= free)
		return 0;
	client_tell_error(client, "NoMemory",
			  "it needs %" PRIu64 " KiB, and Xen has %" PRIu64 " KiB free", needed,
			  free);
	return -ENOMEM;
}

static int make(struct toolstack *toolstack, libxl_domain_config *config, uint32_t *ret_domid)
{
	const libxl_asyncop_how how = toolstack_how();

	toolstack_forget(toolstack);
	return toolstack_wait(
		toolstack, libxl_domain_create_new(toolstack->ctx, config, ret_domid, &how, NULL),
		&how, true);
}

static int start(struct toolstack *toolstack, uint32_t domid)
{
	const libxl_asyncop_how how = toolstack_how();

	return toolstack_wait(toolstack, libxl_domain_unpause(toolstack->ctx, domid, &how), &how,
			      false);
}

/*
 * libxl starts QEMU stopped, and lets it go with the domain.  A domain that stays paused is
 * unpaused by Xen alone later, so QEMU has to run by then: Xen counts pauses.
 */
static int start_qemu(struct toolstack *toolstack, uint32_t domid)
{
	const libxl_asyncop_how how = toolstack_how();
	int rc = toolstack_wait(toolstack, libxl_domain_pause(toolstack->ctx, domid, &how), &how,
				false);

	return rc == 0 ? start(toolstack, domid) : rc;
}

/* libxl leaves a domain whose making it was asked to end. */
static int fail(struct toolstack *toolstack, struct client *client, const struct order *order,
		const char *dir, int rc)
{
	char problem[sizeof(toolstack->problem)];
	int r;

	snprintf(problem, sizeof(problem), "%s", toolstack_problem(toolstack, rc));
	r = destroy_made(toolstack, order, dir);
	if (rc == ERROR_NOMEM)
		client_tell_error(client, "NoMemory", "%s", problem);
	else
		client_tell_error(client, "Failed", "%s%s%s%s", problem,
				  strstr(problem, "device model") ? QEMU_LOG : "",
				  r < 0 ? "; and what was made of it stays: " : "",
				  r < 0 ? toolstack_problem(toolstack, ERROR_FAIL) : "");
	return -EIO;
}

static int tell(struct client *client, uint32_t domid)
{
	json_object *result = json_object_new_object();

	if (!result || json_add(result, "domid", json_object_new_int64(domid)) < 0) {
		json_object_put(result);
		client_tell_error(client, "NoMemory", "out of memory");
		return -ENOMEM;
	}
	client_tell_result(client, result);
	return 0;
}

/* The domain is made all the same; its QEMU's end is not noticed. */
static void note_qemu(const char *dir, const struct order *order, uint32_t domid)
{
	int r = qemu_note(dir, order->uuid_text, domid);

	if (r < 0)
		fprintf(stderr, "<4>%s: the end of its QEMU will not be noticed: %s\n",
			order->uuid_text, strerror(-r));
}

static int create(struct toolstack *toolstack, struct client *client, const struct order *order,
		  const char *dir, libxl_domain_config *config)
{
	bool qemu = config_needs_qemu(config);
	uint32_t domid = ORDER_NO_DOMID;
	int rc;

	client_tell_stage(client, "build");
	if (qemu)
		note_qemu(dir, order, ORDER_NO_DOMID);
	rc = make(toolstack, config, &domid);
	if (rc != 0)
		return fail(toolstack, client, order, dir, rc);
	if (qemu)
		note_qemu(dir, order, domid);
	if (order->start) {
		client_tell_stage(client, "start");
		rc = start(toolstack, domid);
	} else if (config->c_info.type == LIBXL_DOMAIN_TYPE_HVM) {
		rc = start_qemu(toolstack, domid);
	}
	/* Who wanted it has gone, and whoever comes next expects nothing of it. */
	if (rc != 0 || client_has_left(client))
		return fail(toolstack, client, order, dir, rc ? rc : ERROR_ABORTED);
	return tell(client, domid);
}

static int read_config(struct toolstack *toolstack, struct client *client,
		       const struct order *order, const char *dir, libxl_domain_config *config)
{
	char why[256];
	int r = config_read(toolstack, order, dir, config, why, sizeof(why));

	if (r < 0)
		client_tell_error(client, r == -EINVAL ? "InvalidArgs" : "Failed", "%s", why);
	return r;
}

static int check_and_create(struct toolstack *toolstack, struct client *client,
			    const struct order *order, const char *dir, libxl_domain_config *config)
{
	int r = refuse_memory(toolstack, client, config);

	return r < 0 ? r : create(toolstack, client, order, dir, config);
}

static int read_and_create(struct toolstack *toolstack, struct client *client,
			   const struct order *order, const char *dir)
{
	libxl_domain_config config;
	int r = read_config(toolstack, client, order, dir, &config);

	if (r == 0)
		r = check_and_create(toolstack, client, order, dir, &config);
	libxl_domain_config_dispose(&config);
	return r;
}

static int copy_all(const struct order *order)
{
	int r = copy_in_memory(order->kernel);

	return r < 0 ? r : copy_in_memory(order->ramdisk);
}

/* Whatever the caller does to its files from now on. */
static int take_modules(struct client *client, const struct order *order, const char *dir)
{
	int r = order->keep ? store_save(dir, order) : copy_all(order);

	if (r == -ENOSPC || r == -ENOMEM)
		client_tell_error(client, "NoMemory",
				  "there is no room for copies of kernel and ramdisk%s%s",
				  order->keep ? " in " : "", order->keep ? dir : "");
	else if (r == -EBADF || r == -EINVAL || r == -EFBIG)
		client_tell_error(client, "InvalidArgs",
				  "kernel and ramdisk must be regular files of %d MiB at most, "
				  "opened for reading",
				  (int)(COPY_MAX >> 20));
	else if (r < 0)
		client_tell_error(client, "Failed", "kernel and ramdisk cannot be copied: %s",
				  strerror(-r));
	return r;
}

int create_run(struct toolstack *toolstack, struct client *client, struct order *order,
	       const char *dir)
{
	int r;

	if (toolstack_find(toolstack, order->uuid) != ORDER_NO_DOMID) {
		client_tell_error(client, "WrongState", "a domain with the UUID %s exists",
				  order->uuid_text);
		return -EEXIST;
	}
	client_tell_stage(client, "check");
	r = take_modules(client, order, dir);
	return r < 0 ? r : read_and_create(toolstack, client, order, dir);
}

static void close_kept(const struct order *order)
{
	closep(&order->config);
	closep(&order->kernel);
	closep(&order->ramdisk);
}

static void exchange_devices(libxl_domain_config *one, libxl_domain_config *other)
{
	const libxl_domain_config was = *one;

	one->disks = other->disks;
	one->num_disks = other->num_disks;
	one->nics = other->nics;
	one->num_nics = other->num_nics;
	other->disks = was.disks;
	other->num_disks = was.num_disks;
	other->nics = was.nics;
	other->num_nics = was.num_nics;
}

/* As they are now: some may have been attached or detached, and libxl has chosen addresses. */
static int take_devices(struct toolstack *toolstack, uint32_t domid, libxl_domain_config *config)
{
	libxl_domain_config now;
	int rc;

	libxl_domain_config_init(&now);
	rc = toolstack_read_config(toolstack, domid, &now);
	if (rc == 0)
		exchange_devices(config, &now);
	libxl_domain_config_dispose(&now);
	return rc;
}

/* Before the domain is ended: an order that is repeated finds them nowhere else. */
static void keep_devices(struct toolstack *toolstack, const struct order *order, const char *dir,
			 uint32_t domid, libxl_domain_config *config)
{
	_cleanup_(freep) char *text = NULL;
	int rc = take_devices(toolstack, domid, config), r = -ENOMEM;

	if (rc == 0)
		text = libxl_domain_config_to_json(toolstack->ctx, config);
	if (text)
		r = store_replace_config(dir, order, text);
	if (r < 0)
		fprintf(stderr,
			"<4>devices that were attached or detached may not be so after a restart: "
			"%s\n",
			rc != 0 ? libxl_error_to_string(rc) : strerror(-r));
}

/* It may have been renamed since, and libxl gives no number again for a while. */
static void adapt(struct toolstack *toolstack, const struct order *order, const char *dir,
		  libxl_domain_config *config)
{
	uint32_t domid = toolstack_find(toolstack, order->uuid);
	char *name = domid == ORDER_NO_DOMID ? NULL : libxl_domid_to_name(toolstack->ctx, domid);

	if (domid != ORDER_NO_DOMID)
		keep_devices(toolstack, order, dir, domid, config);

	config->c_info.domid = 0;
	if (name) {
		free(config->c_info.name);
		config->c_info.name = name;
	}
}

static int end_and_create(struct toolstack *toolstack, struct client *client,
			  const struct order *order, const char *dir)
{
	libxl_domain_config config;
	int r = read_config(toolstack, client, order, dir, &config);

	if (r == 0) {
		adapt(toolstack, order, dir, &config);
		client_tell_stage(client, "destroy");
		r = destroy_made(toolstack, order, dir);
		if (r < 0)
			client_tell_error(client, "Failed", "it cannot be ended: %s",
					  toolstack_problem(toolstack, ERROR_FAIL));
	}
	if (r == 0)
		r = check_and_create(toolstack, client, order, dir, &config);
	libxl_domain_config_dispose(&config);
	return r;
}

int create_again(struct toolstack *toolstack, struct client *client, struct order *order,
		 const char *dir)
{
	int r = store_open(dir, order);

	if (r < 0)
		client_tell_error(client, "Failed", "what it was made of was not kept: %s",
				  strerror(-r));
	else
		r = end_and_create(toolstack, client, order, dir);
	close_kept(order);
	return r;
}
