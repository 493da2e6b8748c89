// SPDX-License-Identifier: LGPL-2.1-or-later
/* What differs between disks and NICs. */
#include "device.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "device-name.h"
#include "survive.h"

/* Of Xen's public headers: enum xenbus_state, in which a front end says how far it is. */
#define XENBUS_INITIALISING 1
#define XENBUS_CLOSED	    6

struct device_type {
	const char *name;
	void (*init)(struct device *device);
	void (*dispose)(struct device *device);
	int (*from_json)(libxl_ctx *ctx, struct device *device, const char *text);
	char *(*to_json)(libxl_ctx *ctx, struct device *device);
	/* Finds its name.  Returns what is wrong with it, or NULL. */
	const char *(*complete)(struct device *device);
	/* Returns whether the domain has it, and copies it then. */
	bool (*find)(libxl_ctx *ctx, uint32_t domid, const char *name, struct device *ret_device);
	int (*add)(libxl_ctx *ctx, uint32_t domid, struct device *device,
		   const libxl_asyncop_how *how);
	int (*remove)(libxl_ctx *ctx, uint32_t domid, struct device *device, bool force,
		      const libxl_asyncop_how *how);
};

static void disk_init(struct device *device)
{
	libxl_device_disk_init(&device->disk);
}

static void disk_dispose(struct device *device)
{
	libxl_device_disk_dispose(&device->disk);
}

static int disk_from_json(libxl_ctx *ctx, struct device *device, const char *text)
{
	return libxl_device_disk_from_json(ctx, &device->disk, text);
}

static char *disk_to_json(libxl_ctx *ctx, struct device *device)
{
	return libxl_device_disk_to_json(ctx, &device->disk);
}

static const char *disk_complete(struct device *device)
{
	if (!device->disk.pdev_path)
		return "disk.pdev_path is missing";
	if (!device->disk.vdev || !device_name_is_disk(device->disk.vdev))
		return "disk.vdev is missing, or no name such as xvdb";
	snprintf(device->name, sizeof(device->name), "%s", device->disk.vdev);
	return NULL;
}

static bool disk_find(libxl_ctx *ctx, uint32_t domid, const char *name, struct device *ret_device)
{
	bool found = false;
	int nr = 0;
	libxl_device_disk *list = libxl_device_disk_list(ctx, domid, &nr);

	for (int i = 0; i < nr && !found; i++) {
		found = list[i].vdev && strcmp(list[i].vdev, name) == 0;
		if (found)
			libxl_device_disk_copy(ctx, &ret_device->disk, &list[i]);
	}
	libxl_device_disk_list_free(list, nr);
	return found;
}

static int disk_add(libxl_ctx *ctx, uint32_t domid, struct device *device,
		    const libxl_asyncop_how *how)
{
	return libxl_device_disk_add(ctx, domid, &device->disk, how);
}

/* Not before the guest's driver has begun with it, which some guests lack, nor when it has ended.
 */
static bool is_taken(libxl_ctx *ctx, uint32_t domid, libxl_device_disk *disk)
{
	libxl_diskinfo info;
	int state = XENBUS_INITIALISING;

	libxl_diskinfo_init(&info);
	if (libxl_device_disk_getinfo(ctx, domid, disk, &info) == 0)
		state = info.state;
	libxl_diskinfo_dispose(&info);
	return state > XENBUS_INITIALISING && state != XENBUS_CLOSED;
}

/* A guest that has it mounted keeps it, and may let go of it later. */
static int disk_remove(libxl_ctx *ctx, uint32_t domid, struct device *device, bool force,
		       const libxl_asyncop_how *how)
{
	return force || !is_taken(ctx, domid, &device->disk)
		       ? libxl_device_disk_destroy(ctx, domid, &device->disk, how)
		       : libxl_device_disk_safe_remove(ctx, domid, &device->disk, how);
}

static void nic_init(struct device *device)
{
	libxl_device_nic_init(&device->nic);
}

static void nic_dispose(struct device *device)
{
	libxl_device_nic_dispose(&device->nic);
}

static int nic_from_json(libxl_ctx *ctx, struct device *device, const char *text)
{
	return libxl_device_nic_from_json(ctx, &device->nic, text);
}

static char *nic_to_json(libxl_ctx *ctx, struct device *device)
{
	return libxl_device_nic_to_json(ctx, &device->nic);
}

/* libxl would choose one too, but not before there is something to be found by it. */
static const char *nic_complete(struct device *device)
{
	if (device_name_is_no_mac(device->nic.mac) && device_name_make_mac(device->nic.mac) < 0)
		return "nic.mac is missing, and none can be made";
	device_name_of_mac(device->nic.mac, device->name);
	return NULL;
}

static bool nic_find(libxl_ctx *ctx, uint32_t domid, const char *name, struct device *ret_device)
{
	bool found = false;
	int nr = 0;
	libxl_device_nic *list = libxl_device_nic_list(ctx, domid, &nr);

	for (int i = 0; i < nr && !found; i++) {
		found = device_name_is_nic(name, list[i].devid, list[i].mac);
		if (found)
			libxl_device_nic_copy(ctx, &ret_device->nic, &list[i]);
	}
	libxl_device_nic_list_free(list, nr);
	return found;
}

static int nic_add(libxl_ctx *ctx, uint32_t domid, struct device *device,
		   const libxl_asyncop_how *how)
{
	return libxl_device_nic_add(ctx, domid, &device->nic, how);
}

/* Nothing is lost with one, so libxl has no other way to ask for it. */
static int nic_remove(libxl_ctx *ctx, uint32_t domid, struct device *device, bool force,
		      const libxl_asyncop_how *how)
{
	return force ? libxl_device_nic_destroy(ctx, domid, &device->nic, how)
		     : libxl_device_nic_remove(ctx, domid, &device->nic, how);
}

static const struct device_type types[] = {
	{"disk", disk_init, disk_dispose, disk_from_json, disk_to_json, disk_complete, disk_find,
	 disk_add, disk_remove},
	{"nic", nic_init, nic_dispose, nic_from_json, nic_to_json, nic_complete, nic_find, nic_add,
	 nic_remove},
};

const struct device_type *device_type_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

const char *device_type_name(const struct device_type *type)
{
	return type->name;
}

static void init(const struct device_type *type, struct device *device)
{
	*device = (struct device){.type = type};
	type->init(device);
}

static int compare(struct toolstack *toolstack, const char *text, struct device *device, char *why,
		   size_t size)
{
	_cleanup_(freep) char *taken = device->type->to_json(toolstack->ctx, device);
	char path[128];
	int r = survive_check_text(text, taken, path, sizeof(path));

	if (r == -ENOENT)
		snprintf(why, size, "libxl does not take the value of %s.%s", device->type->name,
			 path);
	else if (r < 0)
		snprintf(why, size, "the %s is no JSON object", device->type->name);
	return r < 0 ? -EINVAL : 0;
}

static bool takes(struct toolstack *toolstack, const struct device_type *type, const char *name,
		  json_object *value)
{
	_cleanup_(json_putp) json_object *object = json_object_new_object();
	struct device device;
	bool taken = true;

	init(type, &device);
	if (object && json_add(object, name, json_object_get(value)) == 0)
		taken = type->from_json(toolstack->ctx, &device,
					json_object_to_json_string(object)) == 0;
	device_dispose(&device);
	return taken;
}

/* libxl does not say which member it was that it cannot read: each is tried alone. */
static void explain(struct toolstack *toolstack, const struct device_type *type, const char *text,
		    char *why, size_t size)
{
	_cleanup_(json_putp) json_object *given = json_tokener_parse(text);
	struct json_object_iterator i, end;

	snprintf(why, size, "libxl does not take the %s: %s", type->name,
		 toolstack_problem(toolstack, ERROR_INVAL));
	if (!json_object_is_type(given, json_type_object))
		return;
	i = json_object_iter_begin(given);
	end = json_object_iter_end(given);
	for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
		const char *name = json_object_iter_peek_name(&i);

		if (takes(toolstack, type, name, json_object_iter_peek_value(&i)))
			continue;
		snprintf(why, size, "libxl does not take the value of %s.%s", type->name, name);
		return;
	}
}

int device_parse(struct toolstack *toolstack, const struct device_type *type, const char *text,
		 struct device *ret_device, char *why, size_t size)
{
	const char *problem;
	int r;

	init(type, ret_device);
	toolstack_forget(toolstack);
	if (type->from_json(toolstack->ctx, ret_device, text) != 0) {
		explain(toolstack, type, text, why, size);
		return -EINVAL;
	}
	r = compare(toolstack, text, ret_device, why, size);
	if (r < 0)
		return r;
	problem = type->complete(ret_device);
	if (problem)
		snprintf(why, size, "%s", problem);
	return problem ? -EINVAL : 0;
}

int device_find(struct toolstack *toolstack, const struct device_type *type, uint32_t domid,
		const char *name, struct device *ret_device)
{
	init(type, ret_device);
	snprintf(ret_device->name, sizeof(ret_device->name), "%s", name);
	return type->find(toolstack->ctx, domid, name, ret_device) ? 0 : -ENOENT;
}

static bool has(struct toolstack *toolstack, uint32_t domid, const struct device_type *type,
		const char *name)
{
	struct device other;
	int r = device_find(toolstack, type, domid, name, &other);

	device_dispose(&other);
	return r == 0;
}

int device_check_free(struct toolstack *toolstack, uint32_t domid, const struct device *device)
{
	char number[16];

	if (has(toolstack, domid, device->type, device->name))
		return -EEXIST;
	if (strcmp(device->type->name, "nic") != 0 || device->nic.devid < 0)
		return 0;
	snprintf(number, sizeof(number), "%d", device->nic.devid);
	return has(toolstack, domid, device->type, number) ? -EEXIST : 0;
}

int device_add(struct toolstack *toolstack, uint32_t domid, struct device *device)
{
	const libxl_asyncop_how how = toolstack_how();

	toolstack_forget(toolstack);
	return toolstack_wait(toolstack, device->type->add(toolstack->ctx, domid, device, &how),
			      &how, true);
}

int device_remove(struct toolstack *toolstack, uint32_t domid, struct device *device, bool force)
{
	const libxl_asyncop_how how = toolstack_how();

	toolstack_forget(toolstack);
	return toolstack_wait(toolstack,
			      device->type->remove(toolstack->ctx, domid, device, force, &how),
			      &how, false);
}

void device_dispose(struct device *device)
{
	if (device->type)
		device->type->dispose(device);
	device->type = NULL;
}
