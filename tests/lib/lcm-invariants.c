// SPDX-License-Identifier: LGPL-2.1-or-later
/* Checks what must hold for each blob that was parsed. */
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lcm-invariants.h"

#define HOLD(condition) hold(condition, #condition, __LINE__)

/* Where a checked LCM is looked at. */
struct view {
	const struct lcm *lcm;
	const char *blob;
	size_t size;
	const struct lcm_limits *limits;
	bool recovery;
};

static void hold(bool condition, const char *text, int line)
{
	if (condition)
		return;
	fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, line, text);
	abort();
}

static bool is_inside(const struct view *v, const void *p, size_t length)
{
	const char *start = p;

	return start >= v->blob && start <= v->blob + v->size &&
	       length <= (size_t)(v->blob + v->size - start);
}

/* The whole value of a property, and terminated there, not by what comes after it. */
static void hold_text(const struct view *v, int node, const char *prop, const char *text)
{
	int len;
	const char *value = fdt_getprop(v->blob, node, prop, &len);

	HOLD(text == value);
	HOLD(!text || (is_inside(v, text, (size_t)len) && len && strnlen(text, len) == len - 1u));
}

static void hold_list(const struct view *v, const struct lcm_domain *d)
{
	int len;
	const char *value = fdt_getprop(v->blob, d->node, "start-after", &len);

	/* Who is left for a recovery waits for nobody. */
	HOLD(d->start_after == (v->recovery ? NULL : value));
	if (v->recovery)
		return;
	HOLD(!value || (d->start_after_len == len && len && !value[len - 1]));
}

static void hold_node(const struct view *v, int node)
{
	char path[LCM_PATH_SIZE];

	HOLD(node >= 0 && (size_t)node < v->size);
	lcm_path(v->blob, node, path, sizeof(path));
	HOLD(path[0] && strcmp(path, "?") != 0);
}

static void hold_module(const struct view *v, const struct lcm_module *m)
{
	hold_node(v, m->node);
	hold_text(v, m->node, "file", m->file);
	hold_text(v, m->node, "bootargs", m->bootargs);
	HOLD(!m->digest || is_inside(v, m->digest, 32));
	HOLD(m->domain == LCM_NONE || (unsigned int)m->domain < v->lcm->nr_domains);
	HOLD((unsigned int)m->type < LCM_NR_MODULE_TYPES);
	switch (m->locator) {
	case LCM_LOCATE_INDEX:
		HOLD(m->index);
		HOLD(!v->limits->nr_modules || m->index <= v->limits->nr_modules);
		HOLD(v->limits->platform == LCM_PLATFORM_X86 && !v->limits->no_modules);
		break;
	case LCM_LOCATE_ADDR:
		HOLD(m->size && m->addr + (m->size - 1) >= m->addr);
		HOLD(v->limits->platform == LCM_PLATFORM_ARM);
		break;
	case LCM_LOCATE_FILE:
		HOLD(m->file && v->limits->source);
		break;
	default:
		HOLD(false);
	}
}

static void hold_slot(const struct view *v, int slot, int domain, enum lcm_module_type type)
{
	if (slot == LCM_NONE)
		return;
	HOLD((unsigned int)slot < v->lcm->nr_modules);
	HOLD(v->lcm->modules[slot].domain == domain);
	HOLD(v->lcm->modules[slot].type == type);
}

static void hold_pci(const struct view *v, const struct lcm_pci *p)
{
	hold_node(v, p->node);
	HOLD((unsigned int)p->domain < v->lcm->nr_domains);
	HOLD(v->lcm->domains[p->domain].hold);
	HOLD(!p->has_slot || p->slot <= 31);
	HOLD(p->form != LCM_PCI_MATCH || p->has_class || p->has_vendor || p->has_device);
	HOLD(p->form == LCM_PCI_BDF || p->form == LCM_PCI_MATCH || p->form == LCM_PCI_VF ||
	     p->form == LCM_PCI_PATH);
	hold_text(v, p->node, "path", p->path);
	HOLD((p->form == LCM_PCI_PATH) == !!p->path);
	for (const struct lcm_pci *other = v->lcm->pci; other < p; other++)
		HOLD(p->form != LCM_PCI_BDF || other->form != LCM_PCI_BDF ||
		     p->sbdf != other->sbdf);
	if (v->limits->platform == LCM_PLATFORM_X86)
		HOLD(v->lcm->domains[p->domain].mode & (LCM_MODE_PV | LCM_MODE_DEVICE_MODEL));
	HOLD(p->form != LCM_PCI_VF || p->vf <= 0xffff);
}

static void hold_vcpu(const struct view *v, const struct lcm_vcpu *c)
{
	unsigned int pos = 0, first = 0, last = 0, ranges = 0;

	hold_node(v, c->node);
	HOLD((unsigned int)c->domain < v->lcm->nr_domains);
	HOLD(c->id < v->lcm->domains[c->domain].cpus);
	hold_text(v, c->node, "hard-affinity", c->hard_affinity);
	while (c->hard_affinity && lcm_next_cpus(c->hard_affinity, &pos, &first, &last)) {
		HOLD(first <= last);
		HOLD(!v->limits->host_cpus || last < v->limits->host_cpus);
		ranges++;
	}
	/* To the end, so that none is passed over. */
	HOLD(!c->hard_affinity || (ranges && !c->hard_affinity[pos]));
}

static void hold_backend(const struct view *v, int node, int domain, int backend)
{
	hold_node(v, node);
	HOLD((unsigned int)domain < v->lcm->nr_domains && backend != domain);
	HOLD(backend == LCM_NONE || (unsigned int)backend < v->lcm->nr_domains);
	HOLD(v->lcm->domains[domain].hold && lcm_is_dynamic(v->lcm));
}

static void hold_devices(const struct view *v)
{
	const struct lcm *lcm = v->lcm;

	HOLD(lcm->nr_vcpus <= LCM_MAX_VCPU_NODES);
	HOLD(lcm->nr_disks <= LCM_MAX_DISKS && lcm->nr_nics <= LCM_MAX_NICS);
	for (unsigned int i = 0; i < lcm->nr_vcpus; i++)
		hold_vcpu(v, &lcm->vcpus[i]);
	for (unsigned int i = 0; i < lcm->nr_disks; i++) {
		hold_backend(v, lcm->disks[i].node, lcm->disks[i].domain, lcm->disks[i].backend);
		hold_text(v, lcm->disks[i].node, "path", lcm->disks[i].path);
		hold_text(v, lcm->disks[i].node, "vdev", lcm->disks[i].vdev);
	}
	for (unsigned int i = 0; i < lcm->nr_nics; i++) {
		hold_backend(v, lcm->nics[i].node, lcm->nics[i].domain, lcm->nics[i].backend);
		hold_text(v, lcm->nics[i].node, "bridge", lcm->nics[i].bridge);
	}
}

static void hold_warnings(const struct lcm *lcm)
{
	char text[LCM_TEXT_SIZE];

	for (unsigned int i = 0; i < lcm->nr_warnings; i++) {
		const struct lcm_warning *w = &lcm->warnings[i];

		HOLD(w->code > LCM_WARN_NONE && w->code < LCM_NR_WARNS);
		HOLD(w->code != LCM_WARN_MISSPELT || (w->prop && w->meant));
		HOLD(strlen(lcm_warning_text(w, text)) < LCM_TEXT_SIZE);
		for (const char *c = w->prop; c && *c; c++)
			HOLD(*c > ' ' && *c <= '~');
	}
}

/* What Xen keeps of it: within bounds, and the same launch. */
static void hold_extract(const struct view *v)
{
	static char buf[LCM_MAX_SIZE] __attribute__((aligned(8)));
	static struct lcm kept;
	struct lcm_error err;
	size_t size;

	HOLD(!lcm_extract(v->blob, v->size, buf, &size, &err));
	HOLD(size <= LCM_MAX_SIZE && fdt_totalsize(buf) == size);
	if (v->recovery || v->size <= LCM_MAX_SIZE)
		return;
	HOLD(!lcm_parse(buf, size, &kept, &err) && !lcm_check(&kept, v->limits, &err));
	HOLD(kept.nr_domains == v->lcm->nr_domains && kept.nr_modules == v->lcm->nr_modules);
}

static void hold_domain(const struct view *v, int i)
{
	const struct lcm_domain *d = &v->lcm->domains[i];
	uint32_t both = LCM_MODE_PV | LCM_MODE_DEVICE_MODEL;

	hold_node(v, d->node);
	HOLD(d->name[0] && memchr(d->name, '\0', sizeof(d->name)));
	HOLD(d->domid <= LCM_DOMID_MAX);
	HOLD(!(d->permissions & ~LCM_PERM_ALL) && !(d->functions & ~LCM_FUNC_ALL));
	HOLD((d->mode & both) != both && !(d->mode & ~(both | LCM_MODE_LONG)));
	HOLD(d->cpus && d->memory_kib);
	HOLD(!v->limits->memory_kib || d->memory_kib <= v->limits->memory_kib);
	hold_text(v, d->node, "security-id", d->security_id);
	hold_list(v, d);
	HOLD(!(d->start_after_mask & (1u << i)));
	HOLD(v->lcm->nr_domains == 32 || !(d->start_after_mask >> v->lcm->nr_domains));
	HOLD(d->kernel != LCM_NONE);
	hold_slot(v, d->kernel, i, LCM_MODULE_KERNEL);
	hold_slot(v, d->ramdisk, i, LCM_MODULE_RAMDISK);
	hold_slot(v, d->device_tree, i, LCM_MODULE_DEVICE_TREE);
	hold_slot(v, d->config, i, LCM_MODULE_CONFIG);
	hold_slot(v, d->firmware, i, LCM_MODULE_FIRMWARE);
	HOLD(d->firmware == LCM_NONE || (d->mode & LCM_MODE_DEVICE_MODEL));
	HOLD((unsigned int)d->restart < LCM_NR_RESTARTS && d->restart_limit);
	HOLD(d->domid || (d->permissions & LCM_PERM_HARDWARE));
	for (int j = 0; j < i; j++) {
		HOLD(d->domid != v->lcm->domains[j].domid);
		HOLD(strcmp(d->name, v->lcm->domains[j].name) != 0);
	}
}

static void hold_roles(const struct lcm *lcm)
{
	static const uint32_t functions[] = {
		LCM_FUNC_BOOT,	   LCM_FUNC_CRASH,	 LCM_FUNC_CONSOLE,
		LCM_FUNC_XENSTORE, LCM_FUNC_LEGACY_DOM0,
	};
	unsigned int hardware = 0;

	for (unsigned int i = 0; i < lcm->nr_domains; i++)
		hardware += !!(lcm->domains[i].permissions & LCM_PERM_HARDWARE);
	HOLD(hardware <= 1);
	for (size_t f = 0; f < sizeof(functions) / sizeof(functions[0]); f++) {
		unsigned int owners = 0;

		for (unsigned int i = 0; i < lcm->nr_domains; i++)
			owners += !!(lcm->domains[i].functions & functions[f]);
		HOLD(owners <= 1);
		HOLD(owners == (lcm_find_function(lcm, functions[f]) != LCM_NONE));
	}
}

static void hold_launch(const struct view *v)
{
	const struct lcm *lcm = v->lcm;
	int owner = lcm_console_owner(lcm);

	HOLD(lcm_detect(v->blob, v->size));
	HOLD(lcm->nr_domains && lcm->nr_domains <= LCM_MAX_DOMAINS);
	HOLD(lcm->nr_modules <= LCM_MAX_MODULES && lcm->nr_pci <= LCM_MAX_PCI);
	HOLD(lcm->nr_warnings <= LCM_MAX_WARNINGS);
	for (unsigned int i = 0; i < lcm->nr_domains; i++)
		hold_domain(v, i);
	for (unsigned int i = 0; i < lcm->nr_modules; i++)
		hold_module(v, &lcm->modules[i]);
	for (unsigned int i = 0; i < lcm->nr_pci; i++)
		hold_pci(v, &lcm->pci[i]);
	hold_slot(v, lcm->microcode, LCM_NONE, LCM_MODULE_MICROCODE);
	hold_slot(v, lcm->xsm_policy, LCM_NONE, LCM_MODULE_XSM_POLICY);
	hold_roles(lcm);
	hold_devices(v);
	hold_warnings(lcm);
	hold_extract(v);
	HOLD(owner == LCM_NONE || (unsigned int)owner < lcm->nr_domains);
	HOLD(owner == LCM_NONE || !(lcm->domains[owner].functions & LCM_FUNC_BOOT));
	if (v->limits->platform == LCM_PLATFORM_X86)
		HOLD(lcm_find_permission(lcm, LCM_PERM_HARDWARE) != LCM_NONE);
}

static void hold_error(const struct view *v, const struct lcm_error *err)
{
	char path[LCM_PATH_SIZE], text[LCM_TEXT_SIZE], tiny[1] = {'x'};

	HOLD(err->code > LCM_OK && err->code < LCM_NR_ERRS);
	HOLD(!strncmp(lcm_error_text(err, text), lcm_strerror(err->code),
		      strlen(lcm_strerror(err->code))));
	HOLD(strlen(text) < LCM_TEXT_SIZE - 1);
	HOLD(strcmp(lcm_errname(err->code), "unknown") != 0 && *lcm_strerror(err->code));
	HOLD((err->node == LCM_NONE) == (err->code == LCM_ERR_FDT || err->code == LCM_ERR_SIZE));
	HOLD((err->code == LCM_ERR_FDT) == (err->fdt_err < 0));
	HOLD(err->node == LCM_NONE || (size_t)err->node < v->size);
	lcm_path(v->blob, err->node, path, sizeof(path));
	HOLD(path[0]);
	HOLD(err->node == LCM_NONE || strcmp(path, "?") != 0);
	for (const char *p = path; *p; p++)
		HOLD(*p >= ' ' && *p <= '~');
	lcm_path(v->blob, err->node, tiny, sizeof(tiny));
	HOLD(!tiny[0]);
}

/* Of a refused LCM: nothing, or a sound domain that could take over; and who owns the devices. */
static void exercise_recovery(const void *blob, size_t size, const struct lcm_limits *limits)
{
	static struct lcm lcm;
	struct lcm_error err;
	const struct view view = {
		.lcm = &lcm, .blob = blob, .size = size, .limits = limits, .recovery = true};

	memset(&lcm, 0xa5, sizeof(lcm));
	memset(&err, 0xa5, sizeof(err));
	if (lcm_parse_recovery(blob, size, &lcm, &err) || lcm_check(&lcm, limits, &err)) {
		hold_error(&view, &err);
		return;
	}
	hold_launch(&view);
	HOLD(lcm.nr_domains >= 1 && (lcm.domains[0].functions & LCM_FUNC_CRASH));
	if (lcm.nr_domains > 1) {
		HOLD(lcm.nr_domains == 2 && !lcm.domains[1].functions);
		HOLD(lcm.domains[1].permissions == LCM_PERM_HARDWARE);
	}
}

enum lcm_err lcm_exercise(const void *blob, size_t size, const struct lcm_limits *limits)
{
	static struct lcm lcm, twice;
	struct lcm_error err;
	const struct view view = {.lcm = &lcm, .blob = blob, .size = size, .limits = limits};
	int r;

	/* What the parser leaves unset shows up. */
	memset(&lcm, 0xa5, sizeof(lcm));
	memset(&err, 0xa5, sizeof(err));
	r = lcm_parse(blob, size, &lcm, &err);
	if (!r)
		r = lcm_check(&lcm, limits, &err);
	if (r) {
		hold_error(&view, &err);
		exercise_recovery(blob, size, limits);
		return err.code;
	}
	hold_launch(&view);

	/* A second check changes nothing. */
	memcpy(&twice, &lcm, sizeof(lcm));
	HOLD(!lcm_check(&twice, limits, &err));
	/* Byte by byte, as the parser clears it first and memcpy() takes all of it. */
	HOLD(!memcmp((const char *)&twice, (const char *)&lcm, sizeof(lcm)));
	return LCM_OK;
}
