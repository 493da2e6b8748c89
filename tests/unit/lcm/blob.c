// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads and makes device-tree blobs. */
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"

const char *fixture_source_dir, *fixture_dir;

void fixture_dirs(int argc, char *argv[])
{
	if (argc < 3) {
		fprintf(stderr, "usage: %s SOURCE-DIR COMPILED-DIR\n", argv[0]);
		exit(2);
	}
	fixture_source_dir = argv[1];
	fixture_dir = argv[2];
}

struct blob blob_copy(const void *data, size_t size)
{
	struct blob blob = {.data = malloc(size ? size : 1), .size = size};

	assert_non_null(blob.data);
	memcpy(blob.data, data, size);
	return blob;
}

void blob_free(struct blob *blob)
{
	free(blob->data);
	blob->data = NULL;
}

struct blob blob_read(const char *dir, const char *name)
{
	static char buffer[1 << 17];
	char path[4096];
	size_t size;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s can't be opened", path);
	size = fread(buffer, 1, sizeof(buffer), f);
	assert_false(ferror(f));
	assert_true(size < sizeof(buffer));
	fclose(f);
	return blob_copy(buffer, size);
}

static void make_domain(void *fdt, unsigned int i, unsigned int pci)
{
	char name[16], bdf[24];

	snprintf(name, sizeof(name), "d%u", i);
	assert_int_equal(fdt_begin_node(fdt, name), 0);
	assert_int_equal(fdt_property_string(fdt, "compatible", "xen,domain"), 0);
	assert_int_equal(fdt_property_u32(fdt, "permissions", i ? 0 : LCM_PERM_HARDWARE), 0);
	assert_int_equal(fdt_property_u32(fdt, "mode", LCM_MODE_LONG | LCM_MODE_PV), 0);
	assert_int_equal(fdt_property_u32(fdt, "memory", 65536), 0);
	assert_int_equal(fdt_begin_node(fdt, "kernel"), 0);
	assert_int_equal(fdt_property_string(fdt, "compatible", "module,kernel"), 0);
	assert_int_equal(fdt_property_u32(fdt, "mb-index", 1), 0);
	assert_int_equal(fdt_end_node(fdt), 0);
	for (unsigned int p = 0; i == 1 && p < pci; p++) {
		snprintf(name, sizeof(name), "pci@%u", p);
		snprintf(bdf, sizeof(bdf), "0000:%02x:00.0", p);
		assert_int_equal(fdt_begin_node(fdt, name), 0);
		assert_int_equal(fdt_property_string(fdt, "compatible", "xen,pci-passthrough"), 0);
		assert_int_equal(fdt_property_string(fdt, "bdf", bdf), 0);
		assert_int_equal(fdt_end_node(fdt), 0);
	}
	assert_int_equal(fdt_end_node(fdt), 0);
}

struct blob blob_make(unsigned int domains, unsigned int pci, unsigned int depth)
{
	size_t room = 4096 + domains * 256 + pci * 128 + (size_t)depth * 16;
	char *fdt = malloc(room);
	struct blob blob;

	assert_non_null(fdt);
	assert_int_equal(fdt_create(fdt, room), 0);
	assert_int_equal(fdt_finish_reservemap(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	assert_int_equal(fdt_begin_node(fdt, "chosen"), 0);
	assert_int_equal(fdt_begin_node(fdt, "hypervisor"), 0);
	assert_int_equal(fdt_property_string(fdt, "compatible", "hypervisor,xen"), 0);
	for (unsigned int i = 0; i < domains; i++)
		make_domain(fdt, i, pci);
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_end_node(fdt), 0);
	for (unsigned int i = 0; i < depth; i++)
		assert_int_equal(fdt_begin_node(fdt, "n"), 0);
	for (unsigned int i = 0; i < depth; i++)
		assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	blob = blob_copy(fdt, fdt_totalsize(fdt));
	free(fdt);
	return blob;
}
