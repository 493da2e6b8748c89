// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What only a domain with a device model has.  libxl puts some of it into QEMU's command line as it
 * is, where a comma begins another option: texts of untrusted callers are held against lists.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "lifecycle/definition.h"

#define BOOT_DEVICES "abcdn"

static bool is_text(json_object *value, const char *wanted)
{
	return json_object_is_type(value, json_type_string) &&
	       strcmp(json_object_get_string(value), wanted) == 0;
}

static bool is_seabios(json_object *value)
{
	return is_text(value, "seabios");
}

static bool is_pty(json_object *value)
{
	return is_text(value, "pty");
}

static bool is_boot_order(json_object *value)
{
	const char *text =
		json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

	return text && strspn(text, BOOT_DEVICES) == strlen(text);
}

/* libxl knows the words; it takes no others. */
static bool is_vga(json_object *value)
{
	return json_object_is_type(value, json_type_object) &&
	       json_object_object_length(value) ==
		       (json_object_object_get_ex(value, "kind", NULL) ? 1 : 0);
}

static bool is_bool(json_object *value)
{
	return is_text(value, "True") || is_text(value, "False");
}

static const struct {
	const char *name;
	bool (*is_allowed)(json_object *value);
	const char *allowed;
} members[] = {
	{"bios", is_seabios, "\"seabios\""},
	{"serial", is_pty, "\"pty\""},
	{"boot", is_boot_order, "letters of \"" BOOT_DEVICES "\""},
	{"vga", is_vga, "an object with \"kind\""},
	{"acpi", is_bool, "\"True\" or \"False\""},
	{"apic", is_bool, "\"True\" or \"False\""},
	{"hpet", is_bool, "\"True\" or \"False\""},
	{"xen_platform_pci", is_bool, "\"True\" or \"False\""},
};

static int check_member(const char *name, json_object *value, struct definition_refusal *refusal)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(members) && strcmp(members[i].name, name) != 0)
		i++;
	if (i == ARRAY_SIZE(members))
		return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS,
					 "b_info.type.hvm.%.128s may be given by root only: it may "
					 "name something of this host",
					 name);
	if (!members[i].is_allowed(value))
		return definition_refuse(
			refusal, JOB_ERROR_INVALID_ARGS,
			"b_info.type.hvm.%s must be %s; another value may be given "
			"by root only",
			name, members[i].allowed);
	return 0;
}

int definition_check_hvm(json_object *variant, struct definition_refusal *refusal)
{
	struct json_object_iterator i = json_object_iter_begin(variant);
	struct json_object_iterator end = json_object_iter_end(variant);
	int r = 0;

	for (; r == 0 && !json_object_iter_equal(&i, &end); json_object_iter_next(&i))
		r = check_member(json_object_iter_peek_name(&i), json_object_iter_peek_value(&i),
				 refusal);
	return r;
}

/* libxl's default is a VNC server without a password, for each user of this host. */
static int add_no_vnc(json_object *variant)
{
	json_object *vnc = json_object_new_object();
	int r = json_add(variant, "vnc", vnc);

	return r < 0 ? r : json_add(vnc, "enable", json_object_new_string("False"));
}

int definition_complete_hvm(json_object *variant)
{
	int r = 0;

	if (!json_object_object_get_ex(variant, "vnc", NULL))
		r = add_no_vnc(variant);
	if (r == 0 && !json_object_object_get_ex(variant, "serial", NULL) &&
	    !json_object_object_get_ex(variant, "serial_list", NULL))
		r = json_add(variant, "serial", json_object_new_string("pty"));
	return r;
}
