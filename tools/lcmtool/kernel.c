// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checks whether Xen can start a file: a kernel is an ELF image with Xen's notes, plain,
 * compressed, or in a bzImage.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "kernel.h"

/* Offsets in a bzImage, see Documentation/arch/x86/boot.rst in Linux. */
#define BZ_SETUP_SECTS	  0x1f1
#define BZ_MAGIC	  0x202
#define BZ_VERSION	  0x206
#define BZ_PAYLOAD_OFFSET 0x248
#define BZ_PAYLOAD_LENGTH 0x24c
#define BZ_HEADER_END	  0x250
#define BZ_OLDEST	  0x208

/* Limit for files and, as in Xen, for what they decompress to. */
#define KERNEL_MAX ((size_t)512 << 20)

/* Types of Xen's notes, see xen/include/public/elfnote.h. */
#define NOTE_ENTRY	  1
#define NOTE_XEN_VERSION  5
#define NOTE_PHYS32_ENTRY 18

struct span {
	const uint8_t *data;
	size_t size;
};

struct packing {
	const char *magic;
	size_t size;
	bool has_size_after; /* Linux appends the size, 4 bytes, which the program rejects */
	const char *program[5];
};

/* The formats that Xen can decompress, and programs for them. */
static const struct packing packings[] = {
	{"\x1f\x8b", 2, false, {"gzip", "-dc"}},
	{"\xfd"
	 "7zXZ",
	 6,
	 true,
	 {"xz", "-dc"}},
	{"\x28\xb5\x2f\xfd", 4, true, {"zstd", "-dcq"}},
	{"BZh", 3, true, {"bzip2", "-dc"}},
	{"\x5d\0", 2, true, {"xz", "--format=lzma", "-dc"}},
	{"\x89LZO", 4, true, {"lzop", "-dc"}},
	{"\x02!", 2, true, {"lz4", "-dcq"}},
};

static uint32_t read_le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool in_span(const struct span *s, uint64_t offset, uint64_t size)
{
	return offset <= s->size && size <= s->size - offset;
}

/* --- notes ------------------------------------------------------------------ */

static void take_note(const uint8_t *name, uint32_t name_size, uint32_t type, struct kernel *k)
{
	if (name_size != 4 || memcmp(name, "Xen", 4) != 0)
		return;
	k->has_pvh |= type == NOTE_PHYS32_ENTRY;
	k->has_pv |= type == NOTE_ENTRY || type == NOTE_XEN_VERSION;
}

static void take_notes(const struct span *notes, struct kernel *k)
{
	for (size_t at = 0; in_span(notes, at, 12);) {
		const uint8_t *note = notes->data + at;
		uint64_t name_size = read_le32(note), desc_size = read_le32(note + 4);
		uint64_t size = 12 + ((name_size + 3) & ~3ull) + ((desc_size + 3) & ~3ull);

		if (!in_span(notes, at, size))
			return;
		take_note(note + 12, (uint32_t)name_size, read_le32(note + 8), k);
		at += size;
	}
}

/* --- ELF ---------------------------------------------------------------------- */

/* A table of segments or sections. */
struct table {
	uint64_t offset;
	unsigned int nr, step;
	bool sections, wide; /* wide: ELF64 */
};

static size_t entry_size(const struct table *t)
{
	if (t->sections)
		return t->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	return t->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

/* Finds the notes of an entry.  Returns false if it is of another type. */
static bool find_notes(const struct table *t, const uint8_t *entry, uint64_t *ret_at,
		       uint64_t *ret_size)
{
	union {
		Elf64_Phdr p64;
		Elf32_Phdr p32;
		Elf64_Shdr s64;
		Elf32_Shdr s32;
	} u;

	memcpy(&u, entry, entry_size(t));
	if (t->sections) {
		*ret_at = t->wide ? u.s64.sh_offset : u.s32.sh_offset;
		*ret_size = t->wide ? u.s64.sh_size : u.s32.sh_size;
		return (t->wide ? u.s64.sh_type : u.s32.sh_type) == SHT_NOTE;
	}
	*ret_at = t->wide ? u.p64.p_offset : u.p32.p_offset;
	*ret_size = t->wide ? u.p64.p_filesz : u.p32.p_filesz;
	return (t->wide ? u.p64.p_type : u.p32.p_type) == PT_NOTE;
}

static void take_table(const struct span *elf, const struct table *t, struct kernel *k)
{
	for (unsigned int i = 0; t->step >= entry_size(t) && i < t->nr; i++) {
		uint64_t offset = t->offset + (uint64_t)i * t->step, at, size;
		struct span notes;

		if (offset < t->offset || !in_span(elf, offset, entry_size(t)))
			return;
		if (!find_notes(t, elf->data + offset, &at, &size) || !in_span(elf, at, size))
			continue;
		notes = (struct span){elf->data + at, size};
		take_notes(&notes, k);
	}
}

static const char *read_elf(const struct span *elf, struct kernel *k)
{
	bool wide = elf->size > EI_CLASS && elf->data[EI_CLASS] == ELFCLASS64;
	Elf64_Ehdr h64;
	Elf32_Ehdr h32;

	if (elf->size < sizeof(h64))
		return "a truncated ELF file";
	if (elf->data[EI_DATA] != ELFDATA2LSB)
		return "an ELF file for another architecture";
	memcpy(&h64, elf->data, sizeof(h64));
	memcpy(&h32, elf->data, sizeof(h32));
	if (h64.e_machine != EM_X86_64 && h64.e_machine != EM_386)
		return "an ELF file for another architecture";
	k->is_64bit = wide;

	const struct table segments = {
		.offset = wide ? h64.e_phoff : h32.e_phoff,
		.nr = wide ? h64.e_phnum : h32.e_phnum,
		.step = wide ? h64.e_phentsize : h32.e_phentsize,
		.wide = wide,
	};
	const struct table sections = {
		.offset = wide ? h64.e_shoff : h32.e_shoff,
		.nr = wide ? h64.e_shnum : h32.e_shnum,
		.step = wide ? h64.e_shentsize : h32.e_shentsize,
		.sections = true,
		.wide = wide,
	};

	take_table(elf, &segments, k);
	/* As in Xen, sections are used only if no segment has notes. */
	if (!k->has_pv && !k->has_pvh)
		take_table(elf, &sections, k);
	return NULL;
}

/* --- bzImage and compression ----------------------------------------------------- */

static bool is_elf(const struct span *s)
{
	return s->size >= EI_NIDENT && !memcmp(s->data, ELFMAG, SELFMAG);
}

static bool is_bzimage(const struct span *s)
{
	return s->size >= BZ_HEADER_END && !memcmp(s->data + BZ_MAGIC, "HdrS", 4);
}

static const char *find_payload(struct span *s)
{
	const uint8_t *h = s->data;
	uint64_t start;
	uint32_t length;

	if (!is_bzimage(s))
		return NULL;
	if (h[BZ_VERSION] + (h[BZ_VERSION + 1] << 8) < BZ_OLDEST)
		return "a bzImage from before Linux 2.6.24, which Xen does not support";
	length = read_le32(h + BZ_PAYLOAD_LENGTH);
	start = (h[BZ_SETUP_SECTS] + 1) * 512ull + read_le32(h + BZ_PAYLOAD_OFFSET);
	if (!in_span(s, start, length))
		return "a truncated bzImage";
	*s = (struct span){h + start, length};
	return NULL;
}

static const struct packing *find_packing(const struct span *s)
{
	for (size_t i = 0; i < sizeof(packings) / sizeof(packings[0]); i++)
		if (s->size > packings[i].size + 4 &&
		    !memcmp(s->data, packings[i].magic, packings[i].size))
			return &packings[i];
	return NULL;
}

static int unpack(const struct packing *packing, const struct span *s, struct buffer *ret_out,
		  const char **ret_program)
{
	char *argv[6] = {NULL};
	int r;

	for (size_t i = 0; packing->program[i]; i++)
		argv[i] = (char *)packing->program[i];
	r = filter(argv, s->data, s->size - (packing->has_size_after ? 4 : 0), KERNEL_MAX, ret_out);
	if (r == -ENOENT)
		*ret_program = packing->program[0];
	return r;
}

/* Decompresses a kernel and reads it. */
static int read_packed(const struct span *s, struct kernel *k)
{
	const struct packing *packing = find_packing(s);
	_cleanup_(buffer_free) struct buffer out = {0};
	struct span inner;
	int r;

	if (!packing) {
		k->fault = identify(s->data, s->size);
		k->fault = k->fault ? k->fault : "data of an unknown format";
		return 0;
	}
	r = unpack(packing, s, &out, &k->missing_program);
	if (r == -ENOENT)
		return 0;
	if (r == -EBADMSG || r == -EFBIG) {
		k->fault =
			r == -EFBIG ? "larger than Xen can decompress" : "corrupt compressed data";
		return 0;
	}
	if (r)
		return r;
	inner = (struct span){(const uint8_t *)out.data, out.size};
	k->fault = is_elf(&inner) ? read_elf(&inner, k) : "compressed data that contains no kernel";
	return 0;
}

int kernel_read(const char *path, struct kernel *ret_kernel)
{
	_cleanup_(buffer_free) struct buffer file = {0};
	struct kernel k = {0};
	struct span s;
	int r = read_all(path, KERNEL_MAX, &file);

	if (r)
		return r;
	s = (struct span){(const uint8_t *)file.data, file.size};
	k.fault = find_payload(&s);
	if (!k.fault && is_elf(&s))
		k.fault = read_elf(&s, &k);
	else if (!k.fault)
		r = read_packed(&s, &k);
	if (!r)
		*ret_kernel = k;
	return r;
}
