// SPDX-License-Identifier: LGPL-2.1-or-later
/* Formats values of properties by their meaning. */
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

enum kind {
	KIND_OTHER,
	KIND_NUMBER, /* one cell, printed in decimal */
	KIND_MEMORY,
	KIND_PERMISSIONS,
	KIND_FUNCTIONS,
	KIND_MODE,
	KIND_UUID,
	KIND_BYTES,
};

static const struct {
	const char *name;
	enum kind kind;
} kinds[] = {
	{"boot-timeout-ms", KIND_NUMBER},
	{"count", KIND_NUMBER},
	{"cpus", KIND_NUMBER},
	{"digest-sha256", KIND_BYTES},
	{"domain-uuid", KIND_UUID},
	{"domid", KIND_NUMBER},
	{"functions", KIND_FUNCTIONS},
	{"id", KIND_NUMBER},
	{"mb-index", KIND_NUMBER},
	{"memory", KIND_MEMORY},
	{"mode", KIND_MODE},
	{"module-index", KIND_NUMBER},
	{"permissions", KIND_PERMISSIONS},
	{"restart-limit", KIND_NUMBER},
	{"slot", KIND_NUMBER},
	{"vf", KIND_NUMBER},
};

static enum kind kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].kind;
	return KIND_OTHER;
}

const char *mode_name(uint32_t mode)
{
	bool wide = mode & HL_MODE_LONG;

	if (mode & HL_MODE_PV)
		return wide ? "PV" : "PV 32-bit";
	if (mode & HL_MODE_DEVICE_MODEL)
		return wide ? "HVM" : "HVM 32-bit";
	return wide ? "PVH" : "PVH 32-bit";
}

/* Whether a value is strings of printable ASCII, none of them empty. */
static bool is_text(const char *data, int size)
{
	if (size < 2 || data[size - 1])
		return false;
	for (int i = 0; i < size; i++)
		if (data[i] ? data[i] < ' ' || data[i] > '~' : !i || !data[i - 1])
			return false;
	return true;
}

static uint32_t read_cell(const char *data)
{
	fdt32_t cell;

	memcpy(&cell, data, sizeof(cell));
	return fdt32_to_cpu(cell);
}

/* --- bits by name ---------------------------------------------------------------- */

typedef const char *(*next_name)(uint32_t *bits, char *buf, size_t size);

static uint32_t bit_of(const char *word, next_name next)
{
	char buf[8];

	for (unsigned int i = 0; i < 32; i++) {
		uint32_t bits = 1u << i;

		if (!strcmp(word, next(&bits, buf, sizeof(buf))))
			return 1u << i;
	}
	return 0;
}

/* Reads a mask, or the names that a source LCM may have instead; false: neither. */
static bool read_mask(const char *data, int size, next_name next, uint32_t *ret_mask)
{
	uint32_t mask = 0;

	if (size == 4 && !is_text(data, size)) {
		*ret_mask = read_cell(data);
		return true;
	}
	if (!is_text(data, size))
		return false;
	for (const char *word = data; word < data + size; word += strlen(word) + 1)
		mask |= bit_of(word, next);
	*ret_mask = mask;
	return true;
}

static bool has_word(const char *data, int size, const char *word)
{
	for (const char *at = data; at < data + size; at += strlen(at) + 1)
		if (!strcmp(at, word))
			return true;
	return false;
}

static bool put_mode(FILE *f, const char *data, int size)
{
	uint32_t mode;

	if (!read_mask(data, size, hl_mode_next, &mode))
		return false;
	/* Names imply 64-bit mode. */
	if (is_text(data, size))
		mode |= has_word(data, size, "32bit") ? 0 : HL_MODE_LONG;
	fputs(mode_name(mode), f);
	return true;
}

static bool put_mask(FILE *f, const char *data, int size, next_name next)
{
	const char *name, *comma = "";
	uint32_t mask;
	char buf[8];

	if (!read_mask(data, size, next, &mask))
		return false;
	if (!mask)
		fputs("none", f);
	for (; (name = next(&mask, buf, sizeof(buf))); comma = ",")
		fprintf(f, "%s%s", comma, name);
	return true;
}

/* --- others -------------------------------------------------------------------- */

static bool put_memory(FILE *f, const char *data, int size)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;
	uint64_t kib;

	if (is_text(data, size)) {
		if (memchr(data, '\0', (size_t)size) != data + size - 1 || !read_size(data, &kib))
			return false;
	} else if (size == 4) {
		kib = read_cell(data);
	} else if (size == 8) {
		kib = (uint64_t)read_cell(data) << 32 | read_cell(data + 4);
	} else {
		return false;
	}
	for (; kib && kib % 1024 == 0 && unit < 3; unit++)
		kib /= 1024;
	fprintf(f, "%" PRIu64 " %s", kib, units[unit]);
	return true;
}

static bool put_uuid(FILE *f, const char *data, int size)
{
	char text[HL_UUID_TEXT_SIZE];

	if (size != 16)
		return false;
	hl_uuid_to_text((const uint8_t *)data, text);
	fputs(text, f);
	return true;
}

static bool put_bytes(FILE *f, const char *data, int size)
{
	for (int i = 0; i < size; i++)
		fprintf(f, "%02x", (unsigned char)data[i]);
	return true;
}

static void put_other(FILE *f, const char *data, int size)
{
	const char *comma = "";

	if (is_text(data, size)) {
		for (const char *at = data; at < data + size; at += strlen(at) + 1, comma = ", ")
			fprintf(f, "%s\"%s\"", comma, at);
	} else if (size % 4) {
		put_bytes(f, data, size);
	} else {
		for (int i = 0; i < size; i += 4, comma = " ")
			fprintf(f, "%s%#" PRIx32, comma, read_cell(data + i));
	}
}

static bool put_known(FILE *f, enum kind kind, const char *data, int size)
{
	switch (kind) {
	case KIND_NUMBER:
		return size == 4 && fprintf(f, "%" PRIu32, read_cell(data)) > 0;
	case KIND_MEMORY:
		return put_memory(f, data, size);
	case KIND_PERMISSIONS:
		return put_mask(f, data, size, hl_permission_next);
	case KIND_FUNCTIONS:
		return put_mask(f, data, size, hl_function_next);
	case KIND_MODE:
		return put_mode(f, data, size);
	case KIND_UUID:
		return put_uuid(f, data, size);
	case KIND_BYTES:
		return put_bytes(f, data, size);
	case KIND_OTHER:
		break;
	}
	return false;
}

char *value_words(const char *name, const void *data, int size)
{
	char *text = NULL;
	size_t length;
	FILE *f = open_memstream(&text, &length);

	if (!f)
		return NULL;
	if (!size)
		fputs("set", f);
	else if (!put_known(f, kind_of(name), data, size))
		put_other(f, data, size);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
