// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Decompiles a flattened device tree to source.  The form of a value (cells, strings or
 * bytes) is a guess, for readers only: dtc compiles each to the same bytes.
 */
#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <string.h>

#include "util.h"

/* An LCM is not as deep; the walk itself is not recursive. */
#define MAX_DEPTH 64

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,._+-"

/* Whether source can express a name: dtc has no way to quote one. */
static bool name_ok(const char *name, const char *chars)
{
	return *name && !name[strspn(name, chars)];
}

static bool is_bytes(const char *name)
{
	static const char *const names[] = {"domain-uuid", "digest-sha256"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Whether a property is numbers, even if its value could be text. */
static bool is_cells(const char *name)
{
	static const char *const names[] = {
		"#address-cells", "#size-cells", "boot-timeout-ms",
		"capabilities",	  "class",	 "count",
		"cpus",		  "device",	 "domid",
		"functions",	  "id",		 "mb-index",
		"mode",		  "module-addr", "module-index",
		"permissions",	  "reg",	 "restart-limit",
		"slot",		  "vendor",	 "vf",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Whether a value is strings of printable ASCII, none of them empty. */
static bool looks_like_text(const char *value, int length)
{
	if (length < 2 || value[length - 1])
		return false;
	for (int i = 0; i < length; i++) {
		if (!value[i] && (i == 0 || !value[i - 1]))
			return false;
		if (value[i] && (value[i] < 0x20 || value[i] > 0x7e))
			return false;
	}
	return true;
}

/* A source LCM may have names where a linked one has a bit mask, which is one cell. */
static bool is_names(const char *name, const char *value, int length)
{
	static const char *const names[] = {"functions", "mode", "permissions"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return length != 4 && looks_like_text(value, length);
	return false;
}

static void add_string(struct strbuf *out, const char *text)
{
	strbuf_add(out, "\"");
	for (; *text; text++)
		strbuf_addf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	strbuf_add(out, "\"");
}

static void add_strings(struct strbuf *out, const char *value, int length)
{
	const char *end = value + length;

	for (const char *s = value; s < end; s += strlen(s) + 1) {
		if (s != value)
			strbuf_add(out, ", ");
		add_string(out, s);
	}
}

static void add_cells(struct strbuf *out, const char *value, int length)
{
	strbuf_add(out, "<");
	for (int i = 0; i < length; i += 4) {
		fdt32_t cell;

		memcpy(&cell, value + i, sizeof(cell));
		strbuf_addf(out, "%s%#" PRIx32, i ? " " : "", fdt32_to_cpu(cell));
	}
	strbuf_add(out, ">");
}

static void add_bytes(struct strbuf *out, const char *value, int length)
{
	strbuf_add(out, "[");
	for (int i = 0; i < length; i++)
		strbuf_addf(out, "%s%02x", i ? " " : "", (unsigned char)value[i]);
	strbuf_add(out, "]");
}

static void add_indent(struct strbuf *out, int depth)
{
	for (int i = 0; i < depth; i++)
		strbuf_add(out, "\t");
}

static void add_property(struct strbuf *out, int depth, const char *name, const char *value,
			 int length)
{
	bool cells = is_cells(name) && length % 4 == 0 && !is_names(name, value, length);

	add_indent(out, depth);
	strbuf_add(out, name);
	if (length) {
		strbuf_add(out, " = ");
		if (!cells && !is_bytes(name) && looks_like_text(value, length))
			add_strings(out, value, length);
		else if (length % 4 || is_bytes(name))
			add_bytes(out, value, length);
		else
			add_cells(out, value, length);
	}
	strbuf_add(out, ";\n");
}

static int add_properties(struct strbuf *out, const void *fdt, int node, int depth)
{
	int prop;

	fdt_for_each_property_offset(prop, fdt, node)
	{
		const char *name;
		const void *value;
		int length;

		value = fdt_getprop_by_offset(fdt, prop, &name, &length);
		if (!value)
			return -EINVAL;
		if (!name_ok(name, NAME_CHARS "?#"))
			return -EILSEQ;
		add_property(out, depth, name, value, length);
	}
	return 0;
}

static int open_node(struct strbuf *out, const void *fdt, int node, int depth)
{
	const char *name = fdt_get_name(fdt, node, NULL);

	if (!name)
		return -EINVAL;
	if (depth && !name_ok(name, NAME_CHARS "@"))
		return -EILSEQ;
	add_indent(out, depth);
	strbuf_addf(out, "%s {\n", depth ? name : "/");
	return add_properties(out, fdt, node, depth + 1);
}

static void close_nodes(struct strbuf *out, int from, int to)
{
	for (; from >= to; from--) {
		add_indent(out, from);
		strbuf_add(out, "};\n");
	}
}

static int add_tree(struct strbuf *out, const void *fdt)
{
	int node = 0, depth = 0, open = -1, r;

	/* After the last node the depth is negative. */
	while (node >= 0 && depth >= 0) {
		if (depth > MAX_DEPTH)
			return -EINVAL;
		close_nodes(out, open, depth);
		r = open_node(out, fdt, node, depth);
		if (r)
			return r;
		open = depth;
		node = fdt_next_node(fdt, node, &depth);
	}
	if (node < 0 && node != -FDT_ERR_NOTFOUND)
		return -EINVAL;
	close_nodes(out, open, 0);
	return 0;
}

static int add_reservations(struct strbuf *out, const void *fdt)
{
	int nr = fdt_num_mem_rsv(fdt);

	if (nr < 0)
		return -EINVAL;
	for (int i = 0; i < nr; i++) {
		uint64_t address, size;

		if (fdt_get_mem_rsv(fdt, i, &address, &size))
			return -EINVAL;
		strbuf_addf(out, "/memreserve/ %#" PRIx64 " %#" PRIx64 ";\n", address, size);
	}
	return 0;
}

static int aligned_to_dts(const void *fdt, size_t size, char **ret_text)
{
	struct strbuf out = {0};
	int r;

	if (fdt_check_full(fdt, size))
		return -EINVAL;
	strbuf_add(&out, "/dts-v1/;\n");
	r = add_reservations(&out, fdt);
	if (!r)
		r = add_tree(&out, fdt);
	if (r) {
		free(out.text);
		return r;
	}
	return strbuf_take(&out, ret_text);
}

HL_EXPORT int hl_fdt_to_dts(const void *blob, size_t size, char **ret_text)
{
	void *fdt = malloc(size ? size : 1);
	int r;

	if (!fdt)
		return -ENOMEM;
	/* libfdt requires alignment. */
	if (size)
		memcpy(fdt, blob, size);
	r = aligned_to_dts(fdt, size, ret_text);
	free(fdt);
	return r;
}
