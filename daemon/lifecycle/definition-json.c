// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libxl's JSON is given on as it is: here is only looked at who the domain is, what it needs to be
 * made, and whether its caller may ask for that.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "lifecycle/definition.h"

#define DEPTH	      16
#define RESTART_LIMIT 5
/* Of a name that needs no quotes anywhere. */
#define INTERFACE_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

/* What vmd makes, and below it the members that name nothing of the host. */
static const struct {
	const char *part;
	enum json_type type;
	const char *untrusted[9]; /* those that any caller may give; none: not this part at all */
} parts[] = {
	{"c_info", json_type_object, {"type", "name", "uuid"}},
	{"b_info",
	 json_type_object,
	 {"max_vcpus", "avail_vcpus", "max_memkb", "target_memkb", "cmdline", "type.pvh", "type.pv",
	  "type.hvm"}},
	{"disks", json_type_array, {NULL}},
	{"nics", json_type_array, {"devid", "mac", "mtu", "bridge"}},
	{"on_poweroff", json_type_string, {NULL}},
	{"on_reboot", json_type_string, {NULL}},
	{"on_crash", json_type_string, {NULL}},
};

static bool is_listed(const char *const *names, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr && names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int check_members(json_object *object, const char *part, const char *const *names, size_t nr,
			 struct definition_refusal *refusal)
{
	struct json_object_iterator i = json_object_iter_begin(object);
	struct json_object_iterator end = json_object_iter_end(object);

	for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
		const char *name = json_object_iter_peek_name(&i);

		if (!is_listed(names, nr, name))
			return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS,
						 "%s.%.128s may be given by root only: it may name "
						 "something of this host",
						 part, name);
	}
	return 0;
}

/* Of an object, or of each in a list. */
static int check_part(json_object *value, const char *part, const char *const *names, size_t nr,
		      struct definition_refusal *refusal)
{
	int r = 0;

	if (json_object_is_type(value, json_type_object))
		return check_members(value, part, names, nr, refusal);
	for (size_t i = 0; r == 0 && i < json_object_array_length(value); i++) {
		json_object *one = json_object_array_get_idx(value, i);

		if (!names[0] || !json_object_is_type(one, json_type_object))
			return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS,
						 "%s may be given by root only: they name files "
						 "or devices of this host",
						 part);
		r = check_members(one, part, names, nr, refusal);
	}
	return r;
}

static int check_parts(json_object *config, bool trusted, struct definition_refusal *refusal)
{
	struct json_object_iterator i = json_object_iter_begin(config);
	struct json_object_iterator end = json_object_iter_end(config);
	int r = 0;

	for (; r == 0 && !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
		const char *name = json_object_iter_peek_name(&i);
		json_object *value = json_object_iter_peek_value(&i);
		size_t part = 0;

		while (part < ARRAY_SIZE(parts) && strcmp(parts[part].part, name) != 0)
			part++;
		if (part == ARRAY_SIZE(parts))
			return definition_refuse(
				refusal, JOB_ERROR_NOT_SUPPORTED,
				"%.128s: there is no such part, or hyperlaunch-vmd "
				"does not make it",
				name);
		if (!json_object_is_type(value, parts[part].type))
			return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS,
						 "%s must have the type %s", name,
						 json_type_to_name(parts[part].type));
		if (!trusted && parts[part].type != json_type_string)
			r = check_part(value, name, parts[part].untrusted,
				       ARRAY_SIZE(parts[part].untrusted), refusal);
	}
	return r;
}

static const char *get_text(json_object *object, const char *name)
{
	json_object *value;

	return json_object_object_get_ex(object, name, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

/* As of an LCM with restart = "never", but for what is given; five restarts, as there. */
static int fill_policy(json_object *config, struct policy *policy,
		       struct definition_refusal *refusal)
{
	static const struct {
		const char *name;
		enum policy_event event;
	} members[] = {
		{"on_poweroff", POLICY_POWEROFF},
		{"on_reboot", POLICY_REBOOT},
		{"on_crash", POLICY_CRASH},
	};

	policy->limit = RESTART_LIMIT;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *action = get_text(config, members[i].name);

		policy->actions[members[i].event] = POLICY_DESTROY;
		if (action &&
		    policy_action_from_name(action, &policy->actions[members[i].event]) < 0)
			return definition_refuse(refusal, JOB_ERROR_NOT_SUPPORTED,
						 "%s must be \"destroy\", \"restart\" or "
						 "\"preserve\"",
						 members[i].name);
	}
	return 0;
}

/* Where none is given libxl takes what fits, and it is known too late then whether that is QEMU. */
static int check_backends(json_object *config, bool *ret_qemu, struct definition_refusal *refusal)
{
	json_object *disks;

	*ret_qemu = false;
	if (!json_object_object_get_ex(config, "disks", &disks))
		return 0;
	for (size_t i = 0; i < json_object_array_length(disks); i++) {
		const char *backend = get_text(json_object_array_get_idx(disks, i), "backend");

		if (backend && strcmp(backend, "qdisk") == 0)
			*ret_qemu = true;
		else if (!backend || strcmp(backend, "phy") != 0)
			return definition_refuse(refusal, JOB_ERROR_NOT_SUPPORTED,
						 "disks.%zu.backend must be \"phy\" or \"qdisk\"",
						 i);
	}
	return 0;
}

/* The QEMU that fits this Xen ends as it starts then; see hyperlaunch-vmd(8). */
static int check_restricted(json_object *build, struct definition_refusal *refusal)
{
	const char *text = get_text(build, "dm_restrict");

	if (text && strcmp(text, "True") == 0)
		return definition_refuse(
			refusal, JOB_ERROR_NOT_SUPPORTED,
			"b_info.dm_restrict: QEMU is confined by the sandbox of its "
			"unit, not by libxl");
	return 0;
}

/* Its name is part of an option of QEMU's. */
static int check_bridges(json_object *config, struct definition_refusal *refusal)
{
	json_object *nics;

	if (!json_object_object_get_ex(config, "nics", &nics))
		return 0;
	for (size_t i = 0; i < json_object_array_length(nics); i++) {
		json_object *nic = json_object_array_get_idx(nics, i), *bridge;
		const char *text = get_text(nic, "bridge");

		if (json_object_object_get_ex(nic, "bridge", &bridge) &&
		    (!text || strspn(text, INTERFACE_CHARS) != strlen(text)))
			return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS,
						 "nics.%zu.bridge is no name of a bridge", i);
	}
	return 0;
}

static int choose_uuid(json_object *create, const struct definition_rules *rules,
		       struct definition *definition, struct definition_refusal *refusal)
{
	const char *text = get_text(create, "uuid");
	uint8_t uuid[16] = {0};

	if (json_object_object_get_ex(create, "uuid", NULL) &&
	    (!text || hl_uuid_from_text(text, uuid) < 0))
		return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS,
					 "c_info.uuid is no UUID in text");
	return definition_set_uuid(definition, uuid, rules, refusal);
}

/* libxl copies some of its members to b_info, where their names are known. */
static int check_variant(json_object *build, const char *type, bool trusted,
			 struct definition_refusal *refusal)
{
	struct json_object_iterator i = json_object_iter_begin(build);
	struct json_object_iterator end = json_object_iter_end(build);

	for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
		const char *name = json_object_iter_peek_name(&i);
		json_object *value = json_object_iter_peek_value(&i);

		if (strncmp(name, "type.", 5) != 0)
			continue;
		if (strcmp(name + 5, type) != 0 || !json_object_is_type(value, json_type_object))
			return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS,
						 "b_info.%.64s is not the variant of c_info.type, "
						 "or no object",
						 name);
		if (trusted)
			continue;
		if (strcmp(type, "hvm") == 0 && definition_check_hvm(value, refusal) < 0)
			return -EINVAL;
		if (strcmp(type, "hvm") != 0 && json_object_object_length(value) > 0)
			return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS,
						 "members of b_info.%.64s may be given by root "
						 "only: they may name something of this host",
						 name);
	}
	return 0;
}

static int add_variant(json_object *config, const char *type)
{
	char variant[16];
	json_object *build, *object;

	snprintf(variant, sizeof(variant), "type.%s", type);
	if (!json_object_object_get_ex(config, "b_info", &build)) {
		build = json_object_new_object();
		if (json_add(config, "b_info", build) < 0)
			return -ENOMEM;
	}
	if (!json_object_object_get_ex(build, variant, &object)) {
		object = json_object_new_object();
		if (json_add(build, variant, object) < 0)
			return -ENOMEM;
	}
	return strcmp(type, "hvm") == 0 ? definition_complete_hvm(object) : 0;
}

static int complete(json_object *config, json_object *create, const char *type,
		    struct definition *definition)
{
	int r = json_add(create, "uuid", json_object_new_string(definition->uuid_text));
	const char *text;

	if (r == 0)
		r = add_variant(config, type);
	if (r < 0)
		return r;
	text = json_object_to_json_string_ext(config, JSON_C_TO_STRING_PLAIN |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	definition->config = text ? strdup(text) : NULL;
	return definition->config ? 0 : -ENOMEM;
}

static bool has_devices(json_object *config)
{
	json_object *list;

	return (json_object_object_get_ex(config, "disks", &list) &&
		json_object_array_length(list) > 0) ||
	       (json_object_object_get_ex(config, "nics", &list) &&
		json_object_array_length(list) > 0);
}

static int fill(json_object *config, const struct definition_rules *rules,
		struct definition *definition, struct definition_refusal *refusal)
{
	json_object *create = NULL, *build = NULL;
	const char *type, *name;
	bool qemu = false, hvm;
	int r = check_parts(config, rules->trusted, refusal);

	if (r < 0)
		return r;
	(void)json_object_object_get_ex(config, "c_info", &create);
	type = get_text(create, "type");
	name = get_text(create, "name");
	if (!type || !name)
		return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS,
					 "c_info.%s is missing, or no text",
					 type ? "name" : "type");
	if (strcmp(type, "pvh") != 0 && strcmp(type, "pv") != 0 && strcmp(type, "hvm") != 0)
		return definition_refuse(refusal, JOB_ERROR_NOT_SUPPORTED,
					 "c_info.type must be \"pvh\", \"pv\" or \"hvm\"");
	if (json_object_object_get_ex(config, "b_info", &build))
		r = check_variant(build, type, rules->trusted, refusal);
	if (r == 0)
		r = check_restricted(build, refusal);
	if (r == 0)
		r = definition_set_name(definition, name, refusal);
	if (r == 0)
		r = choose_uuid(create, rules, definition, refusal);
	if (r == 0)
		r = check_backends(config, &qemu, refusal);
	if (r == 0 && !rules->trusted)
		r = check_bridges(config, refusal);
	if (r == 0)
		r = fill_policy(config, &definition->policy, refusal);
	if (r < 0)
		return r;
	hvm = strcmp(type, "hvm") == 0;
	/* It boots from a disk, or from the network. */
	definition->kernel = rules->trusted || hvm ? MODULE_OPTIONAL : MODULE_REQUIRED;
	definition->ramdisk = MODULE_OPTIONAL;
	definition->sandbox = hvm || qemu ? VM_QEMU : has_devices(config) ? VM_DEVICES : VM_PLAIN;
	if (complete(config, create, type, definition) < 0)
		return definition_refuse(refusal, JOB_ERROR_NO_MEMORY, "out of memory");
	return 0;
}

static json_object *parse(const char *text, size_t size)
{
	json_tokener *tokener = json_tokener_new_ex(DEPTH);
	json_object *object = NULL;

	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	if (size > 0 && !memchr(text, '\0', size))
		object = json_tokener_parse_ex(tokener, text, (int)size);
	if (object && (json_tokener_get_parse_end(tokener) != size ||
		       !json_object_is_type(object, json_type_object))) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

int definition_from_json(const char *text, size_t size, const struct definition_rules *rules,
			 struct definition *ret_definition, struct definition_refusal *ret_refusal)
{
	_cleanup_(json_putp) json_object *config = NULL;

	*ret_definition = (struct definition){.config = NULL};
	if (size > DEFINITION_MAX)
		return definition_refuse(ret_refusal, JOB_ERROR_INVALID_ARGS,
					 "the definition has %zu bytes; it may have %u", size,
					 DEFINITION_MAX);
	config = parse(text, size);
	if (!config)
		return definition_refuse(ret_refusal, JOB_ERROR_INVALID_ARGS,
					 "the definition is not one JSON object in UTF-8");
	return fill(config, rules, ret_definition, ret_refusal);
}

/* The list of a domain's configuration that the device would be in.  NULL: there is none. */
static const char *list_of(const char *type)
{
	return strcmp(type, "disk") == 0 ? "disks" : strcmp(type, "nic") == 0 ? "nics" : NULL;
}

/* Takes `device` over. */
static int make_list(const char *list, json_object *device, json_object **ret_config)
{
	_cleanup_(json_putp) json_object *config = json_object_new_object();
	json_object *array = json_object_new_array();
	int r = config ? json_add(config, list, array) : -ENOMEM;

	if (!config)
		json_object_put(array);
	if (r == 0 && json_object_array_add(array, device) < 0)
		r = -ENOMEM;
	if (r < 0) {
		json_object_put(device);
		return r;
	}
	*ret_config = steal(&config);
	return 0;
}

/* A name of the device beside others is looked up in vmd, which knows what the domain has. */
static int check_device(const char *list, json_object *device, bool trusted,
			struct definition_refusal *refusal)
{
	_cleanup_(json_putp) json_object *config = NULL;
	bool qemu = false;
	int r = make_list(list, json_object_get(device), &config);

	if (r < 0)
		return definition_refuse(refusal, JOB_ERROR_NO_MEMORY, "out of memory");
	r = check_parts(config, trusted, refusal);
	if (r == 0 && !trusted)
		r = check_bridges(config, refusal);
	if (r == 0)
		r = check_backends(config, &qemu, refusal);
	if (r == 0 && qemu)
		r = definition_refuse(
			refusal, JOB_ERROR_NOT_SUPPORTED,
			"a QEMU that serves a disk is started with its domain, and for "
			"no running one: backend must be \"phy\"");
	return r;
}

int definition_device(const char *type, const char *text, bool trusted, char **ret_config,
		      struct definition_refusal *ret_refusal)
{
	const char *list = list_of(type);
	_cleanup_(json_putp) json_object *device = NULL;
	size_t size = strlen(text);
	int r;

	if (!list)
		return definition_refuse(ret_refusal, JOB_ERROR_INVALID_ARGS,
					 "the type of a device must be \"disk\" or \"nic\"");
	if (size > DEFINITION_MAX)
		return definition_refuse(ret_refusal, JOB_ERROR_INVALID_ARGS,
					 "the device has %zu bytes; it may have %u", size,
					 DEFINITION_MAX);
	device = parse(text, size);
	if (!device)
		return definition_refuse(ret_refusal, JOB_ERROR_INVALID_ARGS,
					 "the device is not one JSON object in UTF-8");
	r = check_device(list, device, trusted, ret_refusal);
	if (r < 0)
		return r;
	*ret_config = strdup(text);
	return *ret_config ? 0
			   : definition_refuse(ret_refusal, JOB_ERROR_NO_MEMORY, "out of memory");
}
