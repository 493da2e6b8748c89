/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Validation of an ELF kernel's headers against its file.  Xen's loader copies
 * segments and symbols without such checks.
 */

#include <xen/lib.h>
#include <xen/string.h>
#include <xen/types.h>
/* Needs xen/types.h first. */
#include <xen/elfstructs.h>

#include "private.h"

/* Of 32-bit and 64-bit images. */
struct table {
    uint64_t offset;
    unsigned int nr, entry_size;
};

struct image {
    const void *data;
    size_t size;
    bool wide;
    struct table segments, sections;
};

struct segment {
    uint32_t type;
    uint64_t offset, filesz, paddr, memsz;
};

struct section {
    uint32_t type;
    uint64_t offset, size;
};

/* Address range and size of all segments. */
struct extent {
    uint64_t start, end, total;
};

static bool __init in_file(const struct image *img, uint64_t offset,
                           uint64_t size)
{
    return offset <= img->size && size <= img->size - offset;
}

static bool __init read_header(struct image *img)
{
    const Elf64_Ehdr *eh = img->data;
    const Elf32_Ehdr *eh32 = img->data;

    if ( img->size < (img->wide ? sizeof(*eh) : sizeof(*eh32)) )
        return false;

    if ( img->wide )
    {
        img->segments = (struct table){ eh->e_phoff, eh->e_phnum,
                                        eh->e_phentsize };
        img->sections = (struct table){ eh->e_shoff, eh->e_shnum,
                                        eh->e_shentsize };
    }
    else
    {
        img->segments = (struct table){ eh32->e_phoff, eh32->e_phnum,
                                        eh32->e_phentsize };
        img->sections = (struct table){ eh32->e_shoff, eh32->e_shnum,
                                        eh32->e_shentsize };
    }

    return true;
}

static bool __init table_fits(const struct image *img, const struct table *t,
                              unsigned int entry_size)
{
    return !t->nr ||
           (t->entry_size >= entry_size &&
            in_file(img, t->offset, (uint64_t)t->nr * t->entry_size));
}

static const void *__init entry(const struct image *img, const struct table *t,
                                unsigned int i)
{
    return img->data + t->offset + (uint64_t)i * t->entry_size;
}

static struct segment __init read_segment(const struct image *img,
                                          unsigned int i)
{
    const Elf64_Phdr *ph = entry(img, &img->segments, i);
    const Elf32_Phdr *ph32 = (const void *)ph;

    if ( img->wide )
        return (struct segment){ ph->p_type, ph->p_offset, ph->p_filesz,
                                 ph->p_paddr, ph->p_memsz };

    return (struct segment){ ph32->p_type, ph32->p_offset, ph32->p_filesz,
                             ph32->p_paddr, ph32->p_memsz };
}

static struct section __init read_section(const struct image *img,
                                          unsigned int i)
{
    const Elf64_Shdr *sh = entry(img, &img->sections, i);
    const Elf32_Shdr *sh32 = (const void *)sh;

    if ( img->wide )
        return (struct section){ sh->sh_type, sh->sh_offset, sh->sh_size };

    return (struct section){ sh32->sh_type, sh32->sh_offset, sh32->sh_size };
}

/* Checks a segment against file and address space, and adds it to *all. */
static bool __init segment_fits(const struct image *img,
                                const struct segment *s, struct extent *all)
{
    uint64_t end = s->paddr + s->memsz;

    if ( !in_file(img, s->offset, s->filesz) || s->filesz > s->memsz ||
         end < s->paddr )
        return false;

    all->start = min(all->start, s->paddr);
    all->end = max(all->end, end);
    all->total = all->total + s->memsz < all->total ? ~0UL
                                                    : all->total + s->memsz;

    return true;
}

/* Xen's loader stops halfway if segments write their range more than twice. */
static bool __init segments_fit(const struct image *img)
{
    struct extent all = { .start = ~0UL };
    unsigned int i;

    if ( !table_fits(img, &img->segments, img->wide ? sizeof(Elf64_Phdr)
                                                    : sizeof(Elf32_Phdr)) )
        return false;

    for ( i = 0; i < img->segments.nr; i++ )
    {
        struct segment s = read_segment(img, i);

        if ( s.type == PT_LOAD && !segment_fits(img, &s, &all) )
            return false;
    }

    return all.start < all.end && all.total / 2 <= all.end - all.start;
}

/* Symbols are copied to the end of the kernel if its notes ask for it. */
static bool __init symbols_fit(const struct image *img)
{
    unsigned int i;

    if ( !table_fits(img, &img->sections, img->wide ? sizeof(Elf64_Shdr)
                                                    : sizeof(Elf32_Shdr)) )
        return false;

    for ( i = 0; i < img->sections.nr; i++ )
    {
        struct section s = read_section(img, i);

        if ( (s.type == SHT_SYMTAB || s.type == SHT_STRTAB) &&
             !in_file(img, s.offset, s.size) )
            return false;
    }

    return true;
}

int __init hyperlaunch_check_elf(const void *data, size_t size)
{
    const uint8_t *ident = data;
    struct image img = {
        .data = data,
        .size = size,
        .wide = ident[EI_CLASS] == ELFCLASS64,
    };

    if ( ident[EI_DATA] != ELFDATA2LSB )
        printk(XENLOG_ERR "hyperlaunch: kernel: not little-endian\n");
    else if ( !read_header(&img) || !segments_fit(&img) )
        printk(XENLOG_ERR "hyperlaunch: kernel: ELF segments are invalid\n");
    else if ( !symbols_fit(&img) )
        printk(XENLOG_ERR "hyperlaunch: kernel: ELF symbols are invalid\n");
    else
        return 0;

    return -EINVAL;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
