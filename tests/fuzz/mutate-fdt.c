// SPDX-License-Identifier: LGPL-2.1-or-later
/* Changes device trees: properties, nodes, values. */
#include <libfdt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mutate-fdt.h"

#define ROOM	      (1u << 16)
#define MAX_NODES     512
#define NAME_ROOM     64
#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))

struct tree {
	char fdt[ROOM] __attribute__((aligned(8)));
	int nodes[MAX_NODES];
	unsigned int nr_nodes;
	uint64_t state; /* of the random numbers */
};

static const char *const names[] = {
	"compatible",
	"domid",
	"permissions",
	"functions",
	"mode",
	"memory",
	"cpus",
	"domain-uuid",
	"security-id",
	"mb-index",
	"module-index",
	"module-addr",
	"reg",
	"bootargs",
	"capabilities",
	"boot-timeout-ms",
	"start-after",
	"hold",
	"bdf",
	"class",
	"vendor",
	"device",
	"count",
	"pf",
	"vf",
	"optional",
	"permissive",
	"slot",
	"digest-sha256",
	"file",
	"role",
	"capability",
	"#address-cells",
	"#size-cells",
	"restart",
	"restart-limit",
	"path",
	"reset",
	"id",
	"hard-affinity",
	"vdev",
	"format",
	"read-only",
	"backend",
	"bridge",
	"mac",
	"vcpus",
	"security_id",
	"cmdline",
};

static const char *const strings[] = {
	"hypervisor,xen",
	"xen,config",
	"xen,domain",
	"xen,pci-passthrough",
	"module,kernel",
	"module,ramdisk",
	"module,device-tree",
	"module,microcode",
	"module,xsm-policy",
	"module,config",
	"multiboot,kernel",
	"multiboot,module",
	"module,index",
	"module,x",
	"64M",
	"1G",
	"524288K",
	"0K",
	"99999999T",
	"512",
	"0000:01:10.0",
	"ffff:ff:1f.7",
	"",
	"vmlinuz",
	"console=hvc0",
	"dom0_t",
	"web",
	"db",
	"hw",
	"\001\033",
	"xen,vcpu",
	"xen,disk",
	"xen,nic",
	"module,firmware",
	"xen,linux-zimage",
	"control",
	"pv",
	"never",
	"on-failure",
	"always",
	"auto",
	"none",
	"0-3,6",
	"16383",
	"5-4,",
	"0000:00:1c.0/00.0",
	"0000:00:1c.0",
	"/dev/vg/web",
	"xvda",
	"sdb1",
	"raw",
	"qcow2",
	"00:16:3e:00:00:01",
	"br0",
	"dom0",
};

static const uint32_t cells[] = {
	0,	    1,		2,	    3,		4,	    5,		6,	 7,
	8,	    0x10,	0x1f,	    0x20,	62,	    63,		64,	 128,
	0x7fef,	    0x7ff0,	0x7ff5,	    0x7fff,	0xffff,	    0x10000,	0x20000, 0xffffff,
	0x40000000, 0x80000000, 0xc0000006, 0x7fffffff, 0xfffff000, 0xffffffff,
};

static const char *const node_names[] = {
	"web",	  "db",	  "hw",	   "domain@0",	 "domain@1", "kernel",	 "ramdisk",
	"config", "pci",  "pci@1", "hypervisor", "chosen",   "module@1", "x",
	"vcpu@0", "disk", "nic",   "Domain-0",	 "17",
};

static uint32_t next(struct tree *t)
{
	t->state = t->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(t->state >> 33);
}

static uint32_t below(struct tree *t, uint32_t limit)
{
	return limit ? next(t) % limit : 0;
}

#define PICK(t, array) ((array)[below(t, ARRAY_SIZE(array))])

static void find_nodes(struct tree *t)
{
	int node = 0, depth = 0;

	t->nr_nodes = 0;
	while (node >= 0 && depth >= 0 && t->nr_nodes < MAX_NODES) {
		t->nodes[t->nr_nodes++] = node;
		node = fdt_next_node(t->fdt, node, &depth);
	}
}

static int any_node(struct tree *t)
{
	return t->nodes[below(t, t->nr_nodes)];
}

/* Some property that the node has, or NULL. */
static const void *any_property(struct tree *t, int node, const char **ret_name, int *ret_len)
{
	unsigned int nr = 0, at;
	int prop;

	fdt_for_each_property_offset(prop, t->fdt, node) nr++;
	at = below(t, nr);
	fdt_for_each_property_offset(prop, t->fdt, node) if (!at--) return fdt_getprop_by_offset(
		t->fdt, prop, ret_name, ret_len);
	return NULL;
}

/* --- edits ----------------------------------------------------------------- */

static void set_cells(struct tree *t)
{
	int node = any_node(t);
	uint32_t nr = below(t, 8) ? 1 : below(t, 5);
	const char *name = PICK(t, names);
	fdt32_t value[4];

	for (uint32_t i = 0; i < nr; i++)
		value[i] = cpu_to_fdt32(PICK(t, cells));
	fdt_setprop(t->fdt, node, name, value, (int)(nr * 4));
}

static void set_string(struct tree *t)
{
	int node = any_node(t);
	const char *name = below(t, 3) ? PICK(t, names) : "compatible";
	const char *value = PICK(t, strings);

	/* Now and then without its NUL. */
	fdt_setprop(t->fdt, node, name, value, (int)strlen(value) + !!below(t, 8));
}

static void append_string(struct tree *t)
{
	const char *name = below(t, 2) ? "compatible" : "start-after";
	const char *value = PICK(t, strings);

	fdt_appendprop(t->fdt, any_node(t), name, value, (int)strlen(value) + 1);
}

static void change_value(struct tree *t)
{
	int len, node = any_node(t);
	const char *name;
	char *value = (char *)(uintptr_t)any_property(t, node, &name, &len);
	fdt32_t cell = cpu_to_fdt32(PICK(t, cells));

	if (!value || !len)
		return;
	if (len >= 4 && below(t, 2))
		memcpy(value + below(t, (uint32_t)len / 4) * 4, &cell, 4);
	else
		value[below(t, (uint32_t)len)] ^= (char)(1 << below(t, 8));
}

/* The name itself moves when the tree is edited. */
static bool keep_name(char kept[NAME_ROOM], const char *name)
{
	size_t size = strlen(name) + 1;

	if (size > NAME_ROOM)
		return false;
	memcpy(kept, name, size);
	return true;
}

static void resize_property(struct tree *t)
{
	int len, node = any_node(t);
	const char *name;
	char copy[64], kept[NAME_ROOM];
	const void *value = any_property(t, node, &name, &len);

	if (!value || len > (int)sizeof(copy) - 8 || !keep_name(kept, name))
		return;
	/* The tree moves while it is edited. */
	memset(copy, 0, sizeof(copy));
	memcpy(copy, value, (size_t)len);
	fdt_setprop(t->fdt, node, kept, copy, (int)below(t, (uint32_t)len + 8));
}

static void delete_property(struct tree *t)
{
	int len, node = any_node(t);
	const char *name;
	char kept[NAME_ROOM];

	if (!any_property(t, node, &name, &len) || !keep_name(kept, name))
		return;
	fdt_delprop(t->fdt, node, kept);
}

static void add_node(struct tree *t)
{
	fdt_add_subnode(t->fdt, any_node(t), PICK(t, node_names));
}

static void delete_node(struct tree *t)
{
	int node = any_node(t);

	if (node)
		fdt_del_node(t->fdt, node);
}

static void rename_node(struct tree *t)
{
	int node = any_node(t);

	if (node)
		fdt_set_name(t->fdt, node, PICK(t, node_names));
}

/* The bytes of one node, from tag to tag. */
static int node_length(const struct tree *t, int node)
{
	int depth = 0, at = node, following = node;
	uint32_t tag;

	do {
		at = following;
		tag = fdt_next_tag(t->fdt, at, &following);
		if (following < 0)
			return 0;
		depth += tag == FDT_BEGIN_NODE;
		depth -= tag == FDT_END_NODE;
	} while (depth > 0);
	return following - node;
}

/* A copy right after it, under another name where the name has room for one. */
static void duplicate_node(struct tree *t)
{
	int node = any_node(t), length = node ? node_length(t, node) : 0;
	int total = (int)fdt_off_dt_struct(t->fdt) + (int)fdt_size_dt_struct(t->fdt);
	char *start = t->fdt + fdt_off_dt_struct(t->fdt) + node;
	int used = (int)fdt_off_dt_strings(t->fdt) + (int)fdt_size_dt_strings(t->fdt);

	/* After fdt_open_into() the strings follow the structure, and then there is room. */
	if (!length || used < total || used + length > (int)fdt_totalsize(t->fdt))
		return;
	memmove(start + 2 * length, start + length, (size_t)(t->fdt + used - (start + length)));
	memcpy(start + length, start, (size_t)length);
	if (start[4] && below(t, 4))
		start[length + 4] = (char)('a' + below(t, 26));
	fdt_set_size_dt_struct(t->fdt, fdt_size_dt_struct(t->fdt) + (uint32_t)length);
	fdt_set_off_dt_strings(t->fdt, fdt_off_dt_strings(t->fdt) + (uint32_t)length);
}

static void swap_values(struct tree *t)
{
	int len, other_len, node = any_node(t), other = any_node(t);
	const char *name, *other_name;
	char *a = (char *)(uintptr_t)any_property(t, node, &name, &len);
	char *b = (char *)(uintptr_t)any_property(t, other, &other_name, &other_len);

	if (!a || !b || a == b)
		return;
	for (int i = 0; i < len && i < other_len; i++) {
		char c = a[i];

		a[i] = b[i];
		b[i] = c;
	}
}

size_t mutate_fdt(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	static void (*const edits[])(struct tree *) = {
		set_cells,    set_cells,       set_string,	append_string, change_value,
		change_value, resize_property, delete_property, add_node,      delete_node,
		rename_node,  duplicate_node,  swap_values,
	};
	static struct tree t;
	size_t result;

	if (size > ROOM)
		return 0;
	memcpy(t.fdt, data, size);
	if (fdt_check_full(t.fdt, size) || fdt_open_into(t.fdt, t.fdt, ROOM))
		return 0;
	t.state = seed * 2654435761u + 1;
	for (uint32_t i = 1 + below(&t, 4); i; i--) {
		find_nodes(&t);
		if (!t.nr_nodes)
			return 0;
		PICK(&t, edits)(&t);
	}
	if (fdt_pack(t.fdt))
		return 0;
	result = fdt_totalsize(t.fdt);
	if (result > max_size)
		return 0;
	memcpy(data, t.fdt, result);
	return result;
}
