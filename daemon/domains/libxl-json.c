// SPDX-License-Identifier: LGPL-2.1-or-later
/* Writes what libxl reads.  What it would choose itself is left out. */
#include "domains/libxl-json.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/json-write.h"

#define CPUS_MAX 4096 /* of a host, as in Xen */

static int fill_create_info(json_object *info, const struct libxl_guest *guest)
{
	int r = json_add(info, "type", json_object_new_string(guest->type));

	if (r == 0)
		r = json_add(info, "name", json_object_new_string(guest->name));
	if (r == 0)
		r = json_add(info, "uuid", json_object_new_string(guest->uuid));
	if (r == 0 && guest->domid > 0)
		r = json_add(info, "domid", json_object_new_int64(guest->domid));
	if (r == 0 && guest->label)
		r = json_add(info, "ssid_label", json_object_new_string(guest->label));
	return r;
}

static int add_vcpus(json_object *info, uint32_t nr)
{
	json_object *vcpus = json_object_new_array_ext((int)nr);
	int r = json_add(info, "avail_vcpus", vcpus);

	for (uint32_t i = 0; r == 0 && i < nr; i++)
		if (json_object_array_add(vcpus, json_object_new_int64(i)) < 0)
			r = -ENOMEM;
	return r;
}

static int add_cpus(json_object *cpus, unsigned long first, unsigned long last)
{
	for (unsigned long cpu = first; cpu <= last; cpu++)
		if (json_object_array_add(cpus, json_object_new_int64((int64_t)cpu)) < 0)
			return -ENOMEM;
	return 0;
}

/* text: numbers and ranges, separated by commas */
static int add_list(json_object *cpus, const char *text)
{
	int r = 0;

	while (r == 0 && *text) {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (end == text)
			return -EINVAL;
		if (*end == '-') {
			text = end + 1;
			last = strtoul(text, &end, 10);
		}
		if (end == text || last >= CPUS_MAX)
			return -EINVAL;
		r = add_cpus(cpus, first, last);
		text = *end == ',' ? end + 1 : end;
	}
	return r;
}

static int add_affinities(json_object *info, const struct libxl_guest *guest)
{
	json_object *all = json_object_new_array_ext((int)guest->vcpus);
	int r = json_add(info, "vcpu_hard_affinity", all);

	for (uint32_t i = 0; r == 0 && i < guest->vcpus; i++) {
		json_object *cpus = json_object_new_array();

		if (json_object_array_add(all, cpus) < 0) {
			json_object_put(cpus);
			return -ENOMEM;
		}
		r = guest->affinities[i] ? add_list(cpus, guest->affinities[i])
					 : add_cpus(cpus, 0, guest->host_cpus - 1);
	}
	return r;
}

static int fill_build_info(json_object *info, const struct libxl_guest *guest)
{
	char variant[16];
	int r = json_add(info, "max_vcpus", json_object_new_int64(guest->vcpus));

	if (r == 0)
		r = add_vcpus(info, guest->vcpus);
	if (r == 0)
		r = json_add(info, "max_memkb", json_object_new_uint64(guest->memory_kib));
	if (r == 0)
		r = json_add(info, "target_memkb", json_object_new_uint64(guest->memory_kib));
	if (r == 0 && guest->command_line)
		r = json_add(info, "cmdline", json_object_new_string(guest->command_line));
	if (r == 0 && guest->affinities)
		r = add_affinities(info, guest);
	snprintf(variant, sizeof(variant), "type.%s", guest->type);
	return r < 0 ? r : json_add(info, variant, json_object_new_object());
}

int libxl_json_make(const struct libxl_guest *guest, json_object **ret_config)
{
	_cleanup_(json_putp) json_object *config = json_object_new_object();
	json_object *create = json_object_new_object(), *build = json_object_new_object();
	int r, r2;

	if (!config) {
		json_object_put(create);
		json_object_put(build);
		return -ENOMEM;
	}
	r = json_add(config, "c_info", create);
	r2 = json_add(config, "b_info", build);
	if (r == 0)
		r = r2;
	if (r == 0)
		r = fill_create_info(create, guest);
	if (r == 0)
		r = fill_build_info(build, guest);
	if (r < 0)
		return r;
	*ret_config = steal(&config);
	return 0;
}
