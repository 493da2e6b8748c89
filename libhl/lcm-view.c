// SPDX-License-Identifier: LGPL-2.1-or-later
/* struct hl_lcm: an LCM parsed once by the shared parser, then read-only. */
#include "lcm-view.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* libhl has the LCM's own bits.  NOLINTBEGIN(misc-redundant-expression): they are to be equal */
static_assert(HL_PERM_CONTROL == LCM_PERM_CONTROL && HL_PERM_HARDWARE == LCM_PERM_HARDWARE,
	      "permissions");
static_assert(HL_FUNC_BOOT == LCM_FUNC_BOOT && HL_FUNC_CRASH == LCM_FUNC_CRASH &&
		      HL_FUNC_CONSOLE == LCM_FUNC_CONSOLE &&
		      HL_FUNC_XENSTORE == LCM_FUNC_XENSTORE &&
		      HL_FUNC_LEGACY_DOM0 == LCM_FUNC_LEGACY_DOM0,
	      "functions");
static_assert(HL_MODE_PV == LCM_MODE_PV && HL_MODE_DEVICE_MODEL == LCM_MODE_DEVICE_MODEL &&
		      HL_MODE_LONG == LCM_MODE_LONG,
	      "mode");
static_assert(HL_NAME_SIZE == LCM_NAME_SIZE, "names");
/* NOLINTEND(misc-redundant-expression) */

enum hl_module_type module_type_view(uint32_t type)
{
	switch (type) {
	case LCM_MODULE_KERNEL:
		return HL_MODULE_KERNEL;
	case LCM_MODULE_RAMDISK:
		return HL_MODULE_RAMDISK;
	case LCM_MODULE_DEVICE_TREE:
		return HL_MODULE_DEVICE_TREE;
	case LCM_MODULE_MICROCODE:
		return HL_MODULE_MICROCODE;
	case LCM_MODULE_XSM_POLICY:
		return HL_MODULE_XSM_POLICY;
	case LCM_MODULE_CONFIG:
		return HL_MODULE_CONFIG;
	case LCM_MODULE_FIRMWARE:
		return HL_MODULE_FIRMWARE;
	default:
		return HL_MODULE_UNUSED;
	}
}

void sbdf_to_text(uint32_t sbdf, char text[SBDF_TEXT_SIZE])
{
	snprintf(text, SBDF_TEXT_SIZE, "%04x:%02x:%02x.%x", sbdf >> 16, sbdf >> 8 & 0xff,
		 sbdf >> 3 & 0x1f, sbdf & 7);
}

static void error_sentence(const struct lcm_error *err, struct hl_lcm_error *view)
{
	char text[LCM_TEXT_SIZE], prop[HL_PROP_SIZE + 16] = "";

	if (view->prop[0])
		snprintf(prop, sizeof(prop), " property '%s':", view->prop);
	snprintf(view->text, sizeof(view->text), "%s:%s %s%s%s", view->node, prop,
		 lcm_error_text(err, text), view->other_node[0] ? "; see " : "", view->other_node);
}

void lcm_error_view(const void *blob, const struct lcm_error *err, struct hl_lcm_error *ret_view)
{
	struct hl_lcm_error view = {.code = err->code, .value = err->value};

	/* An invalid tree has no nodes to look up. */
	if (err->node == LCM_NONE || err->code == LCM_ERR_FDT || err->code == LCM_ERR_SIZE)
		snprintf(view.node, sizeof(view.node), "/");
	else
		lcm_path(blob, err->node, view.node, sizeof(view.node));
	if (err->other_node != LCM_NONE)
		lcm_path(blob, err->other_node, view.other_node, sizeof(view.other_node));
	if (err->prop)
		snprintf(view.prop, sizeof(view.prop), "%s", err->prop);
	error_sentence(err, &view);
	*ret_view = view;
}

static const char *node_path(struct hl_lcm *l, int node)
{
	char path[LCM_PATH_SIZE];

	lcm_path(l->blob, node, path, sizeof(path));
	return arena_strdup(&l->arena, path);
}

static uint32_t index_view(int index)
{
	return index == LCM_NONE ? HL_NO_INDEX : (uint32_t)index;
}

static void fill_domain(struct hl_lcm *l, const struct lcm_domain *d, struct hl_lcm_domain *view)
{
	*view = (struct hl_lcm_domain){
		.name = d->name,
		.node = node_path(l, d->node),
		.requested_domid = d->requested_domid,
		.domid = d->domid,
		.permissions = d->permissions,
		.functions = d->functions,
		.mode = d->mode,
		.cpus = d->cpus,
		.memory_kib = d->memory_kib,
		.security_id = d->security_id,
		.hold = d->hold,
		.start_after = d->start_after_mask,
		.kernel = index_view(d->kernel),
		.ramdisk = index_view(d->ramdisk),
		.device_tree = index_view(d->device_tree),
		.config = index_view(d->config),
		.firmware = index_view(d->firmware),
		.restart = lcm_restart_name(d->restart),
		.restart_limit = d->restart_limit,
	};
	memcpy(view->uuid, d->uuid, sizeof(view->uuid));
}

static void fill_module(struct hl_lcm *l, const struct lcm_module *m, struct hl_lcm_module *view)
{
	*view = (struct hl_lcm_module){
		.type = module_type_view(m->type),
		.domain = index_view(m->domain),
		.index = m->locator == LCM_LOCATE_INDEX ? m->index : HL_NO_INDEX,
		.file = m->file,
		.bootargs = m->bootargs,
		.digest_sha256 = m->digest,
		.node = node_path(l, m->node),
	};
	if (m->locator == LCM_LOCATE_ADDR) {
		view->addr = m->addr;
		view->size = m->size;
	}
}

static void fill_pci(struct hl_lcm *l, const struct lcm_pci *p, struct hl_lcm_pci *view)
{
	char address[SBDF_TEXT_SIZE];

	sbdf_to_text(p->sbdf, address);
	*view = (struct hl_lcm_pci){
		.domain = index_view(p->domain),
		.bdf = p->form == LCM_PCI_BDF ? arena_strdup(&l->arena, address) : NULL,
		.path = p->form == LCM_PCI_PATH ? p->path : NULL,
		.pf = p->form == LCM_PCI_VF ? arena_strdup(&l->arena, address) : NULL,
		.vf = p->form == LCM_PCI_VF ? p->vf : 0,
		.class_code = p->has_class ? p->class : HL_NO_INDEX,
		.vendor = p->has_vendor ? p->vendor : HL_NO_INDEX,
		.device = p->has_device ? p->device : HL_NO_INDEX,
		.count = p->count,
		.slot = p->has_slot ? p->slot : HL_NO_INDEX,
		.optional = p->optional,
		.permissive = p->permissive,
		.no_reset = p->reset == LCM_PCI_RESET_NONE,
		.node = node_path(l, p->node),
	};
}

static void fill_vcpu(struct hl_lcm *l, const struct lcm_vcpu *v, struct hl_lcm_vcpu *view)
{
	*view = (struct hl_lcm_vcpu){
		.domain = index_view(v->domain),
		.id = v->id,
		.hard_affinity = v->hard_affinity,
		.node = node_path(l, v->node),
	};
}

static void fill_disk(struct hl_lcm *l, const struct lcm_disk *d, struct hl_lcm_disk *view)
{
	*view = (struct hl_lcm_disk){
		.domain = index_view(d->domain),
		.path = d->path,
		.vdev = d->vdev,
		.format = d->format ? d->format : "raw",
		.backend = index_view(d->backend),
		.read_only = d->read_only,
		.node = node_path(l, d->node),
	};
}

static void fill_nic(struct hl_lcm *l, const struct lcm_nic *n, struct hl_lcm_nic *view)
{
	*view = (struct hl_lcm_nic){
		.domain = index_view(n->domain),
		.bridge = n->bridge,
		.mac = n->has_mac
			       ? arena_printf(&l->arena, "%02x:%02x:%02x:%02x:%02x:%02x", n->mac[0],
					      n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5])
			       : NULL,
		.backend = index_view(n->backend),
		.node = node_path(l, n->node),
	};
}

static const char *warning_text(struct hl_lcm *l, const struct lcm_warning *w)
{
	char path[LCM_PATH_SIZE], text[LCM_TEXT_SIZE];

	if (w->node == LCM_NONE)
		snprintf(path, sizeof(path), "/");
	else
		lcm_path(l->blob, w->node, path, sizeof(path));
	lcm_warning_text(w, text);
	if (w->prop)
		return arena_printf(&l->arena, "%s: property '%s': %s", path, w->prop, text);
	return arena_printf(&l->arena, "%s: %s", path, text);
}

static int fill(struct hl_lcm *l)
{
	const struct lcm *lcm = &l->lcm;

	l->domains = arena_alloc(&l->arena, lcm->nr_domains, sizeof(*l->domains));
	l->modules = arena_alloc(&l->arena, lcm->nr_modules, sizeof(*l->modules));
	l->pci = arena_alloc(&l->arena, lcm->nr_pci, sizeof(*l->pci));
	l->vcpus = arena_alloc(&l->arena, lcm->nr_vcpus, sizeof(*l->vcpus));
	l->disks = arena_alloc(&l->arena, lcm->nr_disks, sizeof(*l->disks));
	l->nics = arena_alloc(&l->arena, lcm->nr_nics, sizeof(*l->nics));
	l->warnings = arena_alloc(&l->arena, lcm->nr_warnings, sizeof(*l->warnings));
	if (l->arena.failed)
		return -ENOMEM;
	for (unsigned int i = 0; i < lcm->nr_domains; i++)
		fill_domain(l, &lcm->domains[i], &l->domains[i]);
	for (unsigned int i = 0; i < lcm->nr_modules; i++)
		fill_module(l, &lcm->modules[i], &l->modules[i]);
	for (unsigned int i = 0; i < lcm->nr_pci; i++)
		fill_pci(l, &lcm->pci[i], &l->pci[i]);
	for (unsigned int i = 0; i < lcm->nr_vcpus; i++)
		fill_vcpu(l, &lcm->vcpus[i], &l->vcpus[i]);
	for (unsigned int i = 0; i < lcm->nr_disks; i++)
		fill_disk(l, &lcm->disks[i], &l->disks[i]);
	for (unsigned int i = 0; i < lcm->nr_nics; i++)
		fill_nic(l, &lcm->nics[i], &l->nics[i]);
	for (unsigned int i = 0; i < lcm->nr_warnings; i++)
		l->warnings[i] = warning_text(l, &lcm->warnings[i]);
	lcm_find_classic(l);
	return l->arena.failed ? -ENOMEM : 0;
}

static uint32_t chain_index(const struct hl_lcm *l, uint32_t module)
{
	return module == HL_NO_INDEX ? HL_NO_INDEX : l->modules[module].index;
}

void lcm_planned(const struct hl_lcm *l, uint32_t index, struct hl_launch_domain *ret_record)
{
	const struct hl_lcm_domain *d = &l->domains[index];

	*ret_record = (struct hl_launch_domain){
		.index = index,
		.state = HL_DOMAIN_PLANNED,
		.requested_domid = d->requested_domid,
		.domid = HL_NO_DOMID,
		.permissions = d->permissions,
		.functions = d->functions,
		.mode = d->mode,
		.cpus = d->cpus,
		.memory_kib = d->memory_kib,
		.kernel = chain_index(l, d->kernel),
		.ramdisk = chain_index(l, d->ramdisk),
		.store_gfn = HL_NO_GFN,
		.console_gfn = HL_NO_GFN,
	};
	memcpy(ret_record->uuid, d->uuid, sizeof(d->uuid));
	snprintf(ret_record->name, sizeof(ret_record->name), "%s", d->name);
}

static void limits_view(const struct hl_lcm_limits *in, const struct lcm *lcm,
			struct lcm_limits *out)
{
	*out = (struct lcm_limits){.platform = lcm_guess_platform(lcm)};
	if (!in)
		return;
	if (in->platform != HL_PLATFORM_GUESS)
		out->platform =
			in->platform == HL_PLATFORM_ARM ? LCM_PLATFORM_ARM : LCM_PLATFORM_X86;
	out->nr_modules = in->nr_modules;
	out->memory_kib = in->memory_kib;
	out->max_vcpus = in->max_vcpus;
	out->max_vcpus_pv = in->max_vcpus_pv;
	out->host_cpus = in->host_cpus;
	out->no_pv32 = in->no_pv32;
	out->strict = in->strict;
	out->source = in->source;
	out->no_modules = in->no_modules;
	out->definition = in->definition;
}

static int check(struct hl_lcm *l, const struct hl_lcm_limits *in, struct lcm_error *err)
{
	struct lcm_limits limits;

	limits_view(in, &l->lcm, &limits);
	return lcm_check(&l->lcm, &limits, err);
}

/* Copies the LCM, without parsing it.  NULL: no memory. */
static struct hl_lcm *new_lcm(const void *blob, size_t size)
{
	struct hl_lcm *l = calloc(1, sizeof(*l));
	void *copy;

	if (!l)
		return NULL;
	l->refs = 1;
	l->size = size;
	/* Of the exact size, so that sanitizers detect each read beyond the end. */
	l->blob = copy = arena_alloc(&l->arena, size, 1);
	if (!copy)
		return hl_lcm_unref(l);
	if (size)
		memcpy(copy, blob, size);
	return l;
}

/* Completes an LCM that was parsed with result r, or frees it. */
static int finish(struct hl_lcm *l, int r, struct hl_lcm **ret_lcm)
{
	if (!r)
		r = fill(l);
	if (r)
		hl_lcm_unref(l);
	else
		*ret_lcm = l;
	return r;
}

HL_EXPORT int hl_lcm_new(const void *blob, size_t size, const struct hl_lcm_limits *limits,
			 struct hl_lcm_error *err_view, struct hl_lcm **ret_lcm)
{
	struct lcm_error err = {.node = LCM_NONE, .other_node = LCM_NONE};
	struct hl_lcm *l = new_lcm(blob, size);
	int r;

	if (!l)
		return -ENOMEM;
	r = lcm_parse(l->blob, size, &l->lcm, &err);
	if (!r)
		r = check(l, limits, &err);
	if (r && err_view)
		lcm_error_view(l->blob, &err, err_view);
	return finish(l, r, ret_lcm);
}

int lcm_recovery_view(const void *blob, size_t size, struct hl_lcm **ret_lcm)
{
	struct hl_lcm *l = new_lcm(blob, size);
	struct lcm_error err;
	int r;

	if (!l)
		return -ENOMEM;
	r = lcm_parse_recovery(l->blob, size, &l->lcm, &err);
	if (!r)
		r = check(l, NULL, &err);
	return finish(l, r, ret_lcm);
}

HL_EXPORT struct hl_lcm *hl_lcm_ref(struct hl_lcm *lcm)
{
	if (lcm)
		atomic_fetch_add(&lcm->refs, 1);
	return lcm;
}

HL_EXPORT struct hl_lcm *hl_lcm_unref(struct hl_lcm *lcm)
{
	if (lcm && atomic_fetch_sub(&lcm->refs, 1) == 1) {
		arena_free(&lcm->arena);
		free(lcm);
	}
	return NULL;
}

HL_EXPORT const void *hl_lcm_get_blob(const struct hl_lcm *lcm, size_t *ret_size)
{
	*ret_size = lcm->size;
	return lcm->blob;
}

HL_EXPORT const char *hl_lcm_form(const struct hl_lcm *lcm)
{
	return lcm->lcm.form == LCM_FORM_DOM0LESS ? "dom0less" : "hypervisor";
}

HL_EXPORT bool hl_lcm_is_dynamic(const struct hl_lcm *lcm)
{
	return lcm_is_dynamic(&lcm->lcm);
}

HL_EXPORT uint32_t hl_lcm_boot_timeout_ms(const struct hl_lcm *lcm)
{
	return lcm->lcm.boot_timeout_ms;
}

/* A list of an LCM: its length, and the element i of it. */
#define DEFINE_LIST(nr_name, get_name, type, array, nr)               \
	HL_EXPORT uint32_t nr_name(const struct hl_lcm *lcm)          \
	{                                                             \
		return lcm->lcm.nr;                                   \
	}                                                             \
                                                                      \
	HL_EXPORT type get_name(const struct hl_lcm *lcm, uint32_t i) \
	{                                                             \
		return i < lcm->lcm.nr ? lcm->array : NULL;           \
	}

DEFINE_LIST(hl_lcm_nr_domains, hl_lcm_get_domain, const struct hl_lcm_domain *, domains + i,
	    nr_domains)
DEFINE_LIST(hl_lcm_nr_modules, hl_lcm_get_module, const struct hl_lcm_module *, modules + i,
	    nr_modules)
DEFINE_LIST(hl_lcm_nr_pci, hl_lcm_get_pci, const struct hl_lcm_pci *, pci + i, nr_pci)
DEFINE_LIST(hl_lcm_nr_vcpus, hl_lcm_get_vcpu, const struct hl_lcm_vcpu *, vcpus + i, nr_vcpus)
DEFINE_LIST(hl_lcm_nr_disks, hl_lcm_get_disk, const struct hl_lcm_disk *, disks + i, nr_disks)
DEFINE_LIST(hl_lcm_nr_nics, hl_lcm_get_nic, const struct hl_lcm_nic *, nics + i, nr_nics)
DEFINE_LIST(hl_lcm_nr_warnings, hl_lcm_get_warning, const char *, warnings[i], nr_warnings)
