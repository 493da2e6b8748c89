// SPDX-License-Identifier: LGPL-2.1-or-later
/* The dom0 of a dom0less tree: its modules are children of /chosen, like the domains. */
#include <libfdt.h>
#include <string.h>

#include "lcm-view.h"

/* Xen's defaults for #address-cells and #size-cells. */
#define ADDRESS_CELLS 2
#define SIZE_CELLS    1

static bool is_one_of(const void *fdt, int node, const char *first, const char *second)
{
	return !fdt_node_check_compatible(fdt, node, first) ||
	       !fdt_node_check_compatible(fdt, node, second);
}

static uint32_t cells(const void *fdt, int node, const char *prop, uint32_t otherwise)
{
	int length;
	const fdt32_t *value = fdt_getprop(fdt, node, prop, &length);

	return value && length == sizeof(*value) ? fdt32_to_cpu(*value) : otherwise;
}

static uint64_t read_cells(const fdt32_t *at, uint32_t nr)
{
	uint64_t value = 0;

	for (; nr; nr--, at++)
		value = value << 32 | fdt32_to_cpu(*at);
	return value;
}

/* Returns false if `reg` does not have the length that the cells of /chosen require. */
static bool read_reg(const void *fdt, int chosen, int node, struct hl_lcm_module *m)
{
	uint32_t address = cells(fdt, chosen, "#address-cells", ADDRESS_CELLS);
	uint32_t size = cells(fdt, chosen, "#size-cells", SIZE_CELLS);
	int length;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &length);

	if (!reg || address > 2 || size > 2 || (uint32_t)length != (address + size) * 4)
		return false;
	m->addr = read_cells(reg, address);
	m->size = read_cells(reg + address, size);
	return true;
}

/* As Xen guesses: the first module without a type is the kernel, the second the ramdisk. */
static enum hl_module_type type_of(const void *fdt, int node, uint32_t *untyped)
{
	if (is_one_of(fdt, node, "multiboot,kernel", "xen,linux-zimage"))
		return HL_MODULE_KERNEL;
	if (is_one_of(fdt, node, "multiboot,ramdisk", "xen,linux-initrd"))
		return HL_MODULE_RAMDISK;
	if (!is_one_of(fdt, node, "multiboot,module", "xen,multiboot-module") ||
	    is_one_of(fdt, node, "xen,xsm-policy", "multiboot,device-tree"))
		return HL_MODULE_UNUSED;
	return (*untyped)++ ? HL_MODULE_RAMDISK : HL_MODULE_KERNEL;
}

static const char *text_of(const void *fdt, int node, const char *prop)
{
	int length;
	const char *text = fdt_getprop(fdt, node, prop, &length);

	return text && length > 0 && !text[length - 1] ? text : NULL;
}

static void take(struct hl_lcm *l, int chosen, int node, uint32_t *untyped)
{
	struct hl_lcm_module m = {
		.type = type_of(l->blob, node, untyped),
		.domain = HL_NO_INDEX,
		.index = HL_NO_INDEX,
	};
	char path[LCM_PATH_SIZE];

	if (m.type == HL_MODULE_UNUSED || l->nr_classic == HL_CLASSIC_MODULES ||
	    (l->nr_classic && l->classic[0].type == m.type) || !read_reg(l->blob, chosen, node, &m))
		return;
	lcm_path(l->blob, node, path, sizeof(path));
	m.node = arena_strdup(&l->arena, path);
	if (m.type == HL_MODULE_KERNEL) {
		m.bootargs = text_of(l->blob, node, "bootargs");
		if (!m.bootargs)
			m.bootargs = text_of(l->blob, chosen, "xen,dom0-bootargs");
	}
	l->classic[l->nr_classic++] = m;
}

void lcm_find_classic(struct hl_lcm *l)
{
	int chosen = fdt_path_offset(l->blob, "/chosen"), node;
	uint32_t untyped = 0, kernels = 0;

	if (l->lcm.form != LCM_FORM_DOM0LESS || chosen < 0)
		return;
	fdt_for_each_subnode(node, l->blob, chosen)
	{
		take(l, chosen, node, &untyped);
	}
	for (uint32_t i = 0; i < l->nr_classic; i++)
		kernels += l->classic[i].type == HL_MODULE_KERNEL;
	/* Without a kernel Xen builds no dom0. */
	if (!kernels)
		l->nr_classic = 0;
}

HL_EXPORT const struct hl_lcm_module *hl_lcm_get_classic_module(const struct hl_lcm *lcm,
								uint32_t i)
{
	return i < lcm->nr_classic ? &lcm->classic[i] : NULL;
}
