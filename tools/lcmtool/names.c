// SPDX-License-Identifier: LGPL-2.1-or-later
/* Replaces names in a source LCM, which may have them instead of bit masks. */
#include <libfdt.h>
#include <string.h>

#include "tool.h"

struct name {
	const char *name;
	uint32_t bits;
};

/* One property that may have names. */
struct mask {
	const char *prop;
	const struct name *names; /* the last one has no name */
	uint32_t implied, unless; /* implied is added unless the names have `unless` */
	const char *list;	  /* of the names, for error messages */
};

/* Not a bit of an LCM: suppresses the implied ones. */
#define NARROW (1u << 31)

static const struct name permissions[] = {
	{"control", LCM_PERM_CONTROL},
	{"hardware", LCM_PERM_HARDWARE},
	{NULL, 0},
};

static const struct name functions[] = {
	{"boot", LCM_FUNC_BOOT},
	{"crash", LCM_FUNC_CRASH},
	{"console", LCM_FUNC_CONSOLE},
	{"xenstore", LCM_FUNC_XENSTORE},
	{"legacy-dom0", LCM_FUNC_LEGACY_DOM0},
	{NULL, 0},
};

static const struct name modes[] = {
	{"pv", LCM_MODE_PV},
	{"device-model", LCM_MODE_DEVICE_MODEL},
	{"32bit", NARROW},
	{NULL, 0},
};

static const struct mask masks[] = {
	{"permissions", permissions, 0, 0, "control, hardware"},
	{"functions", functions, 0, 0, "boot, crash, console, xenstore, legacy-dom0"},
	{"mode", modes, LCM_MODE_LONG, NARROW, "pv, device-model, 32bit"},
};

/* Whether a property is a list of strings, which cannot be mistaken for a cell. */
static bool has_names(const void *fdt, int node, const char *prop, const char **ret_list,
		      int *ret_len)
{
	*ret_list = fdt_getprop(fdt, node, prop, ret_len);
	if (!*ret_list || *ret_len < 2 || (*ret_list)[*ret_len - 1])
		return false;
	for (int i = 0; i < *ret_len - 1; i++)
		if ((*ret_list)[i] ? (*ret_list)[i] < ' ' || (*ret_list)[i] > '~'
				   : !i || !(*ret_list)[i - 1])
			return false;
	return true;
}

static const struct name *find_name(const struct mask *mask, const char *name)
{
	for (const struct name *n = mask->names; n->name; n++)
		if (!strcmp(n->name, name))
			return n;
	return NULL;
}

static enum exit_code read_names(const struct input *input, int node, const struct mask *mask,
				 const char *list, int len, uint32_t *ret_bits)
{
	uint32_t bits = 0;

	for (const char *name = list; name < list + len; name += strlen(name) + 1) {
		const struct name *n = find_name(mask, name);

		if (!n) {
			report_at(input, node, mask->prop,
				  "unknown name \"%s\"; known are: %s [%s]", name, mask->list,
				  lcm_errname(LCM_ERR_WORD));
			return EXIT_FAILED;
		}
		bits |= n->bits;
	}
	if (!(bits & mask->unless))
		bits |= mask->implied;
	*ret_bits = bits & ~mask->unless;
	return EXIT_OK;
}

static enum exit_code convert_node(struct input *input, int node)
{
	void *fdt = input->blob.data;
	enum exit_code worst = EXIT_OK;

	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		const char *list;
		uint32_t bits;
		enum exit_code code;
		int len;

		if (!has_names(fdt, node, masks[i].prop, &list, &len))
			continue;
		code = read_names(input, node, &masks[i], list, len, &bits);
		/* A cell fits into the place of a name; the parser rejects invalid trees. */
		if (!code)
			fdt_setprop_u32(fdt, node, masks[i].prop, bits);
		worst = code > worst ? code : worst;
	}
	return worst;
}

enum exit_code names_to_masks(struct input *input)
{
	enum exit_code worst = EXIT_OK;
	const void *fdt = input->blob.data;
	int node = 0, depth = 0;

	/* The parser rejects an invalid tree, with a message. */
	if (fdt_check_full(fdt, input->blob.size))
		return EXIT_OK;
	for (; node >= 0 && depth >= 0; node = fdt_next_node(fdt, node, &depth))
		if (!fdt_node_check_compatible(fdt, node, "xen,domain")) {
			enum exit_code code = convert_node(input, node);

			worst = code > worst ? code : worst;
		}
	return worst;
}
