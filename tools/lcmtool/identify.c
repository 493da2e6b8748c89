// SPDX-License-Identifier: LGPL-2.1-or-later
/* Identifies files that are not an LCM, for error messages. */
#include <libfdt.h>
#include <string.h>

#include "tool.h"

/* Number of bytes of a text that are searched. */
#define TEXT_LIMIT 65536

struct magic {
	size_t offset;
	const char *bytes;
	size_t size;
	const char *what;
};

#define MAGIC(offset, bytes, what) {offset, bytes, sizeof(bytes) - 1, what}

static const struct magic magics[] = {
	MAGIC(0, "\x1f\x8b", "gzip-compressed data"),
	MAGIC(0,
	      "\xfd"
	      "7zXZ",
	      "xz-compressed data"),
	MAGIC(0, "\x28\xb5\x2f\xfd", "zstd-compressed data"),
	MAGIC(0, "BZh", "bzip2-compressed data"),
	MAGIC(0, "\x02\x21\x4c\x18", "lz4-compressed data"),
	MAGIC(0, "\x04\x22\x4d\x18", "lz4-compressed data"),
	MAGIC(0, "\x89LZO", "lzo-compressed data"),
	MAGIC(0, "PK\x03\x04", "a zip archive"),
	MAGIC(0, "0707", "a cpio archive, such as a ramdisk"),
	MAGIC(0,
	      "\x7f"
	      "ELF",
	      "an ELF program or kernel"),
	MAGIC(0x202, "HdrS", "a Linux kernel (bzImage)"),
	MAGIC(0x38, "ARM\x64", "a Linux kernel (Image)"),
	MAGIC(0, "\x27\x05\x19\x56", "a U-Boot image"),
};

/* Offset of the type in the header of a U-Boot image, and the type of a script. */
#define UBOOT_TYPE   30
#define UBOOT_SCRIPT 6

static const char *find_magic(const char *data, size_t size)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		const struct magic *m = &magics[i];

		if (size >= m->offset + m->size && !memcmp(data + m->offset, m->bytes, m->size))
			return m->what;
	}
	return NULL;
}

static bool has_text(const char *data, size_t size, const char *text)
{
	return memmem(data, size, text, strlen(text));
}

/* Whether a line begins with one of the words. */
static bool has_line(const char *data, size_t size, const char *const *words, size_t nr)
{
	for (const char *line = data, *end = data + size; line && line < end;) {
		while (line < end && (*line == ' ' || *line == '\t'))
			line++;
		for (size_t i = 0; i < nr; i++)
			if ((size_t)(end - line) >= strlen(words[i]) &&
			    !memcmp(line, words[i], strlen(words[i])))
				return true;
		line = memchr(line, '\n', (size_t)(end - line));
		line = line ? line + 1 : NULL;
	}
	return false;
}

#define HAS_LINE(data, size, words) has_line(data, size, words, sizeof(words) / sizeof((words)[0]))

static bool is_text(const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)data[i] < ' ' && !strchr("\t\n\r\f", data[i]))
			return false;
	return true;
}

static const char *identify_text(const char *data, size_t size)
{
	static const char *const uboot[] = {"fdt ",   "setenv ", "bootm ",   "booti ",
					    "bootz ", "tftpb",	 "load mmc", "fatload "};
	static const char *const source[] = {"/ {", "/{", "/include/", "&", "compatible ="};
	static const char *const grub[] = {"menuentry ", "multiboot2 ", "module2 "};
	static const char *const xl[] = {
		"name =", "name=", "kernel =", "kernel=", "memory =", "memory="};
	const char *start = data;
	size_t left = size;

	for (; left && strchr(" \t\r\n", *start); left--)
		start++;
	if (!left)
		return "blank";
	if (*start == '[' || (*start == '{' && memchr(start, '"', left)))
		return "JSON";
	if (*start == '<')
		return "XML";
	if (has_text(data, size, "/dts-v1/"))
		return "device-tree source with bytes that are not text";
	if (HAS_LINE(data, size, uboot))
		return "a U-Boot script";
	if (HAS_LINE(data, size, grub))
		return "a GRUB configuration";
	if (HAS_LINE(data, size, source) && has_text(data, size, "{"))
		return "device-tree source without \"/dts-v1/;\" at its start";
	if (HAS_LINE(data, size, xl))
		return "an xl guest configuration";
	return "text";
}

const char *identify(const void *data, size_t size)
{
	const char *bytes = data, *what = find_magic(data, size);

	if (!size)
		return "an empty file";
	if (size > UBOOT_TYPE && !memcmp(bytes, "\x27\x05\x19\x56", 4) &&
	    bytes[UBOOT_TYPE] == UBOOT_SCRIPT)
		return "a U-Boot script";
	if (what)
		return what;
	if (size > TEXT_LIMIT)
		size = TEXT_LIMIT;
	return is_text(data, size) ? identify_text(data, size) : NULL;
}

const char *grub_unpacks(const void *data, size_t size)
{
	static const struct magic packed[] = {
		MAGIC(0, "\x1f\x8b\x08", "gzip"),
		MAGIC(0,
		      "\xfd"
		      "7zXZ\0",
		      "xz"),
		MAGIC(0, "\x89LZO\0\r\n\x1a\n", "lzo"),
	};

	for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
		if (size >= packed[i].size && !memcmp(data, packed[i].bytes, packed[i].size))
			return packed[i].what;
	return NULL;
}

static bool has_overlay(const void *fdt)
{
	int node;

	fdt_for_each_subnode(node, fdt, 0)
	{
		if (fdt_subnode_offset(fdt, node, "__overlay__") >= 0)
			return true;
	}
	return false;
}

const char *identify_tree(const void *fdt)
{
	if (has_overlay(fdt))
		return "it is an overlay: apply it to its tree with fdtoverlay and check the "
		       "result";
	if (fdt_subnode_offset(fdt, 0, "images") >= 0 &&
	    fdt_subnode_offset(fdt, 0, "configurations") >= 0)
		return "it is a U-Boot FIT image";
	return NULL;
}
