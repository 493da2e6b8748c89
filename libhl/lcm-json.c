// SPDX-License-Identifier: LGPL-2.1-or-later
/* Formats an LCM as JSON. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "lcm-view.h"

/* A sticky failure: json-c returns NULL for a JSON null as well as without memory. */
struct writer {
	bool failed;
};

static void put(struct writer *w, struct json_object *object, const char *key,
		struct json_object *value)
{
	if (!value || json_object_object_add(object, key, value)) {
		json_object_put(value);
		w->failed = true;
	}
}

static void put_null(struct writer *w, struct json_object *object, const char *key)
{
	if (json_object_object_add(object, key, NULL))
		w->failed = true;
}

static void put_number(struct writer *w, struct json_object *object, const char *key,
		       uint64_t value)
{
	put(w, object, key, json_object_new_uint64(value));
}

/* Puts null if value is `none`. */
static void put_index(struct writer *w, struct json_object *object, const char *key, uint32_t value)
{
	if (value == HL_NO_INDEX)
		put_null(w, object, key);
	else
		put_number(w, object, key, value);
}

static void put_bool(struct writer *w, struct json_object *object, const char *key, bool value)
{
	put(w, object, key, json_object_new_boolean(value));
}

static struct json_object *new_text(struct writer *w, const char *text)
{
	_cleanup_(freep) char *clean = hl_utf8_dup(text);
	struct json_object *value = clean ? json_object_new_string(clean) : NULL;

	if (!value)
		w->failed = true;
	return value;
}

/* Puts null if text is NULL or "". */
static void put_text(struct writer *w, struct json_object *object, const char *key,
		     const char *text)
{
	if (text && *text)
		put(w, object, key, new_text(w, text));
	else
		put_null(w, object, key);
}

static void append(struct writer *w, struct json_object *array, struct json_object *value)
{
	if (!array || !value || json_object_array_add(array, value)) {
		json_object_put(value);
		w->failed = true;
	}
}

static void put_bits(struct writer *w, struct json_object *object, const char *key,
		     const char *names_key, uint32_t bits,
		     const char *(*next)(uint32_t *, char *, size_t))
{
	struct json_object *names = json_object_new_array();
	const char *name;
	char buf[8];

	put_number(w, object, key, bits);
	while ((name = next(&bits, buf, sizeof(buf))))
		append(w, names, new_text(w, name));
	put(w, object, names_key, names);
}

static struct json_object *module_json(struct writer *w, const struct hl_lcm_module *m)
{
	struct json_object *object = json_object_new_object();
	char digest[HL_SHA256_TEXT_SIZE] = "";

	if (m->digest_sha256)
		hl_sha256_to_text(m->digest_sha256, digest);
	put_text(w, object, "type", hl_module_type_name(m->type));
	put_index(w, object, "index", m->index);
	if (m->addr || m->size) {
		put_number(w, object, "addr", m->addr);
		put_number(w, object, "size", m->size);
	} else {
		put_null(w, object, "addr");
		put_null(w, object, "size");
	}
	put_text(w, object, "file", m->file);
	put_text(w, object, "bootargs", m->bootargs);
	put_text(w, object, "digest_sha256", digest);
	put_text(w, object, "node", m->node);
	return object;
}

/* The modules of one domain; HL_NO_INDEX: those of Xen itself. */
static struct json_object *modules_json(struct writer *w, const struct hl_lcm *l, uint32_t domain)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < hl_lcm_nr_modules(l); i++)
		if (l->modules[i].domain == domain)
			append(w, array, module_json(w, &l->modules[i]));
	return array;
}

/* Puts null if there is no such dom0. */
static void put_classic(struct writer *w, struct json_object *object, const struct hl_lcm *l)
{
	struct json_object *array;

	if (!l->nr_classic) {
		put_null(w, object, "classic_dom0");
		return;
	}
	array = json_object_new_array();
	for (uint32_t i = 0; i < l->nr_classic; i++)
		append(w, array, module_json(w, &l->classic[i]));
	put(w, object, "classic_dom0", array);
}

static struct json_object *one_pci_json(struct writer *w, const struct hl_lcm_pci *p)
{
	struct json_object *object = json_object_new_object();

	if (p->bdf) {
		put_text(w, object, "bdf", p->bdf);
	} else if (p->path) {
		put_text(w, object, "path", p->path);
	} else if (p->pf) {
		put_text(w, object, "pf", p->pf);
		put_number(w, object, "vf", p->vf);
	} else {
		put_index(w, object, "class", p->class_code);
		put_index(w, object, "vendor", p->vendor);
		put_index(w, object, "device", p->device);
		put_number(w, object, "count", p->count);
	}
	put_index(w, object, "slot", p->slot);
	put_bool(w, object, "optional", p->optional);
	put_bool(w, object, "permissive", p->permissive);
	put_text(w, object, "reset", p->no_reset ? "none" : "auto");
	put_text(w, object, "node", p->node);
	return object;
}

static struct json_object *pci_json(struct writer *w, const struct hl_lcm *l, uint32_t domain)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < hl_lcm_nr_pci(l); i++)
		if (l->pci[i].domain == domain)
			append(w, array, one_pci_json(w, &l->pci[i]));
	return array;
}

static struct json_object *vcpus_json(struct writer *w, const struct hl_lcm *l, uint32_t domain)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < hl_lcm_nr_vcpus(l); i++) {
		struct json_object *object;

		if (l->vcpus[i].domain != domain)
			continue;
		object = json_object_new_object();
		put_number(w, object, "id", l->vcpus[i].id);
		put_text(w, object, "hard_affinity", l->vcpus[i].hard_affinity);
		put_text(w, object, "node", l->vcpus[i].node);
		append(w, array, object);
	}
	return array;
}

static void put_backend(struct writer *w, struct json_object *object, const struct hl_lcm *l,
			uint32_t backend)
{
	const struct hl_lcm_domain *d = hl_lcm_get_domain(l, backend);

	put_text(w, object, "backend", d ? d->name : NULL);
}

static struct json_object *disks_json(struct writer *w, const struct hl_lcm *l, uint32_t domain)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < hl_lcm_nr_disks(l); i++) {
		struct json_object *object;

		if (l->disks[i].domain != domain)
			continue;
		object = json_object_new_object();
		put_text(w, object, "vdev", l->disks[i].vdev);
		put_text(w, object, "path", l->disks[i].path);
		put_text(w, object, "format", l->disks[i].format);
		put_bool(w, object, "read_only", l->disks[i].read_only);
		put_backend(w, object, l, l->disks[i].backend);
		put_text(w, object, "node", l->disks[i].node);
		append(w, array, object);
	}
	return array;
}

static struct json_object *nics_json(struct writer *w, const struct hl_lcm *l, uint32_t domain)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < hl_lcm_nr_nics(l); i++) {
		struct json_object *object;

		if (l->nics[i].domain != domain)
			continue;
		object = json_object_new_object();
		put_text(w, object, "mac", l->nics[i].mac);
		put_text(w, object, "bridge", l->nics[i].bridge);
		put_backend(w, object, l, l->nics[i].backend);
		put_text(w, object, "node", l->nics[i].node);
		append(w, array, object);
	}
	return array;
}

static struct json_object *start_after_json(struct writer *w, const struct hl_lcm *l, uint32_t mask)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < hl_lcm_nr_domains(l); i++)
		if (mask & (1u << i))
			append(w, array, new_text(w, l->domains[i].name));
	return array;
}

static struct json_object *domain_json(struct writer *w, const struct hl_lcm *l, uint32_t i)
{
	struct json_object *object = json_object_new_object();
	const struct hl_lcm_domain *d = &l->domains[i];
	char uuid[HL_UUID_TEXT_SIZE];

	hl_uuid_to_text(d->uuid, uuid);
	put_text(w, object, "name", d->name);
	put_number(w, object, "requested_domid", d->requested_domid);
	put_number(w, object, "domid", d->domid);
	put_text(w, object, "uuid", uuid);
	put_bits(w, object, "permissions", "permission_names", d->permissions, hl_permission_next);
	put_bits(w, object, "functions", "function_names", d->functions, hl_function_next);
	put_bits(w, object, "mode", "mode_names", d->mode, hl_mode_next);
	put_number(w, object, "cpus", d->cpus);
	put_number(w, object, "memory_kib", d->memory_kib);
	put_text(w, object, "security_id", d->security_id);
	put_bool(w, object, "hold", d->hold);
	put(w, object, "start_after", start_after_json(w, l, d->start_after));
	put_text(w, object, "restart", d->restart);
	put_number(w, object, "restart_limit", d->restart_limit);
	put(w, object, "modules", modules_json(w, l, i));
	put(w, object, "pci", pci_json(w, l, i));
	put(w, object, "vcpus", vcpus_json(w, l, i));
	put(w, object, "disks", disks_json(w, l, i));
	put(w, object, "nics", nics_json(w, l, i));
	put_text(w, object, "node", d->node);
	return object;
}

static struct json_object *lcm_json(struct writer *w, const struct hl_lcm *l)
{
	struct json_object *object = json_object_new_object();
	struct json_object *domains = json_object_new_array();
	struct json_object *warnings = json_object_new_array();

	for (uint32_t i = 0; i < hl_lcm_nr_domains(l); i++)
		append(w, domains, domain_json(w, l, i));
	for (uint32_t i = 0; i < hl_lcm_nr_warnings(l); i++)
		append(w, warnings, new_text(w, l->warnings[i]));
	put_text(w, object, "form", hl_lcm_form(l));
	put_bool(w, object, "dynamic", hl_lcm_is_dynamic(l));
	put_number(w, object, "boot_timeout_ms", hl_lcm_boot_timeout_ms(l));
	put(w, object, "domains", domains);
	put(w, object, "modules", modules_json(w, l, HL_NO_INDEX));
	put_classic(w, object, l);
	put(w, object, "warnings", warnings);
	return object;
}

HL_EXPORT int hl_lcm_to_json(const struct hl_lcm *lcm, char **ret_text)
{
	struct writer w = {0};
	struct json_object *object = lcm_json(&w, lcm);
	const char *text = NULL;
	char *copy = NULL;

	if (object && !w.failed)
		text = json_object_to_json_string_ext(
			object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
					JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text && asprintf(&copy, "%s\n", text) < 0)
		copy = NULL;
	json_object_put(object);
	if (!copy)
		return -ENOMEM;
	*ret_text = copy;
	return 0;
}
