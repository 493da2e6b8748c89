// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads an order.  What it has is checked here; what libxl makes of it, later. */
#include "order.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <json-c/json.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/packet.h"

#define VERB_MAX 32
/* DOMID_FIRST_RESERVED of Xen's public headers, less one. */
#define DOMID_MAX 0x7fefu

static int parse_verb(json_object *packet, enum order_verb *ret_verb)
{
	static const char *const names[] = {
		[ORDER_CREATE] = "create",	 [ORDER_DESTROY] = "destroy",
		[ORDER_RESTART] = "restart",	 [ORDER_SET_MEMORY] = "set-memory",
		[ORDER_SET_VCPUS] = "set-vcpus", [ORDER_ATTACH] = "attach",
		[ORDER_DETACH] = "detach",	 [ORDER_UNDO_ATTACH] = "undo-attach",
	};
	const char *name;

	if (packet_get_text(packet, "request", VERB_MAX, &name) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		*ret_verb = (enum order_verb)i;
		return 0;
	}
	return -EBADMSG;
}

static int parse_uuid(json_object *packet, struct order *order)
{
	static const uint8_t nil[16];
	const char *text;

	if (packet_get_text(packet, "uuid", sizeof(order->uuid_text) - 1, &text) < 0 ||
	    hl_uuid_from_text(text, order->uuid) < 0 || memcmp(order->uuid, nil, sizeof(nil)) == 0)
		return -EBADMSG;
	memcpy(order->uuid_text, text, strlen(text) + 1);
	return 0;
}

static int parse_domid(json_object *packet, uint32_t *ret_domid)
{
	uint64_t domid;

	*ret_domid = ORDER_NO_DOMID;
	if (!json_object_object_get_ex(packet, "domid", NULL))
		return 0;
	if (packet_get_uint(packet, "domid", DOMID_MAX, &domid) < 0)
		return -EBADMSG;
	*ret_domid = (uint32_t)domid;
	return 0;
}

static int parse_size(json_object *packet, struct order *order)
{
	bool memory = order->verb == ORDER_SET_MEMORY;
	uint64_t number;

	if (!memory && order->verb != ORDER_SET_VCPUS)
		return 0;
	if (packet_get_uint(packet, memory ? "memory" : "vcpus",
			    memory ? ORDER_MEMORY_MAX : ORDER_VCPUS_MAX, &number) < 0 ||
	    number == 0)
		return -EBADMSG;
	if (memory)
		order->memory_kib = number;
	else
		order->vcpus = (uint32_t)number;
	return 0;
}

static int parse_type(json_object *packet, struct order *order)
{
	const char *type;

	if (order->verb != ORDER_ATTACH && order->verb != ORDER_DETACH)
		return 0;
	if (packet_get_text(packet, "type", sizeof(order->type) - 1, &type) < 0 ||
	    (strcmp(type, "disk") != 0 && strcmp(type, "nic") != 0))
		return -EBADMSG;
	memcpy(order->type, type, strlen(type) + 1);
	return 0;
}

static int parse_device(json_object *packet, struct order *order)
{
	const char *device;

	if (order->verb != ORDER_DETACH)
		return 0;
	if (packet_get_text(packet, "device", sizeof(order->device) - 1, &device) < 0 ||
	    packet_get_bool(packet, "force", &order->force) < 0)
		return -EBADMSG;
	memcpy(order->device, device, strlen(device) + 1);
	return 0;
}

/* What the verb needs of descriptors, and says of a new domain.  NULL: it is there. */
static const char *check_create(json_object *packet, struct order *order, size_t nr)
{
	if (order->verb != ORDER_CREATE && order->verb != ORDER_ATTACH)
		return nr > 0 ? "fds: this order has none" : NULL;
	if (order->config < 0)
		return "there is no configuration";
	if (order->verb == ORDER_ATTACH)
		return nr > 1 ? "fds: this order has one" : NULL;
	return packet_get_bool(packet, "start", &order->start) < 0 ||
			       packet_get_bool(packet, "keep", &order->keep) < 0
		       ? "start or keep is missing or no bool"
		       : NULL;
}

/* "fds" has a name for each descriptor. */
static int name_fd(struct order *order, const char *name, int fd)
{
	const struct {
		const char *name;
		int *fd;
	} places[] = {
		{"config", &order->config},
		{"kernel", &order->kernel},
		{"ramdisk", &order->ramdisk},
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (strcmp(name, places[i].name) != 0 || *places[i].fd >= 0)
			continue;
		*places[i].fd = fd;
		return 0;
	}
	return -EBADMSG;
}

static int parse_fds(json_object *packet, const int *fds, size_t nr, struct order *order)
{
	json_object *names;
	int r = 0;

	if (!json_object_object_get_ex(packet, "fds", &names))
		return nr == 0 ? 0 : -EBADMSG;
	if (!json_object_is_type(names, json_type_array) || json_object_array_length(names) != nr)
		return -EBADMSG;
	for (size_t i = 0; r == 0 && i < nr; i++) {
		json_object *name = json_object_array_get_idx(names, i);

		r = json_object_is_type(name, json_type_string)
			    ? name_fd(order, json_object_get_string(name), fds[i])
			    : -EBADMSG;
	}
	return r;
}

int order_parse(json_object *packet, const int *fds, size_t nr, struct order *ret_order,
		const char **ret_why)
{
	struct order order = {.start = true, .config = -1, .kernel = -1, .ramdisk = -1};
	const char *why = NULL;

	if (parse_verb(packet, &order.verb) < 0)
		why = "the request is not known";
	else if (parse_uuid(packet, &order) < 0)
		why = "uuid is missing, nil, or none";
	else if (parse_domid(packet, &order.domid) < 0)
		why = "domid is no domain's number";
	else if (parse_size(packet, &order) < 0)
		why = "memory or vcpus is missing, or out of range";
	else if (parse_type(packet, &order) < 0)
		why = "type is missing, or neither disk nor nic";
	else if (parse_device(packet, &order) < 0)
		why = "device or force is missing, or of another type";
	else if (parse_fds(packet, fds, nr, &order) < 0)
		why = "fds does not name the descriptors";
	else
		why = check_create(packet, &order, nr);
	*ret_why = why;
	*ret_order = order;
	return why ? -EBADMSG : 0;
}
