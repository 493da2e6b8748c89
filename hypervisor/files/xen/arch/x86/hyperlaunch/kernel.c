/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decompression of a kernel, once for all domains that run it, into memory of
 * its own.  The module is not trusted: its sizes and offsets are checked
 * against the module's size before they are used.
 */

#include <xen/decompress.h>
#include <xen/gunzip.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/sizes.h>
#include <xen/softirq.h>
#include <xen/string.h>
#include <xen/types.h>
/* Needs xen/types.h first. */
#include <xen/elfstructs.h>

#include <asm/setup.h>

#include "private.h"

/* Offsets in a bzImage: Linux, Documentation/arch/x86/boot.rst */
#define BZ_SETUP_SECTS      0x1f1
#define BZ_MAGIC            0x202
#define BZ_VERSION          0x206
#define BZ_PAYLOAD_OFFSET   0x248
#define BZ_PAYLOAD_LENGTH   0x24c
#define BZ_HEADER_END       0x250

/* No kernel unpacks to more than this. */
#define UNPACKED_MAX        MB(512)

/* Softirqs are processed each time: Xen's watchdog fires after 5 s. */
#define SOFTIRQ_INTERVAL    MB(16)

struct payload {
    uint8_t *data;
    size_t size;
};

struct format {
    uint8_t magic[6];
    uint8_t len;
    decompress_fn *fn;
};

struct sink {
    uint8_t *out;
    size_t room, used;
    size_t last_softirq;                   /* `used` at that time */
};

static struct sink __initdata sink;

static uint32_t __init read_le32(const uint8_t *p)
{
    return p[0] | (p[1] << 8) | (p[2] << 16) | ((uint32_t)p[3] << 24);
}

static bool __init is_elf(const void *data, size_t size)
{
    return size >= EI_NIDENT && !memcmp(data, "\177ELF", 4);
}

static bool __init is_bzimage(const struct payload *p)
{
    return p->size >= BZ_HEADER_END && !memcmp(p->data + BZ_MAGIC, "HdrS", 4);
}

/* Xen's builders would decompress a bzImage in a bzImage once more. */
static int __init check_kernel(struct payload p)
{
    if ( is_bzimage(&p) )
    {
        printk(XENLOG_ERR "hyperlaunch: kernel: bzImage inside a bzImage\n");
        return -EINVAL;
    }

    return hyperlaunch_check_elf(p.data, p.size);
}

/* Narrows a bzImage down to its payload; other images are left as they are. */
static int __init find_payload(struct payload *p)
{
    const uint8_t *h = p->data;
    uint64_t start;
    uint32_t length;

    if ( !is_bzimage(p) )
        return 0;
    if ( h[BZ_VERSION] + (h[BZ_VERSION + 1] << 8) < 0x208 )
        return -EINVAL;

    length = read_le32(h + BZ_PAYLOAD_LENGTH);
    start = (h[BZ_SETUP_SECTS] + 1) * 512ULL +
            read_le32(h + BZ_PAYLOAD_OFFSET);
    if ( start > p->size || length > p->size - start )
        return -EINVAL;

    p->data += start;
    p->size = length;

    return 0;
}

static int __init cf_check drain(void *data, unsigned int size)
{
    if ( size > sink.room - sink.used )
        return -1;

    memcpy(sink.out + sink.used, data, size);
    sink.used += size;

    /* Some formats take seconds for a large kernel. */
    if ( sink.used >= sink.last_softirq + SOFTIRQ_INTERVAL )
    {
        sink.last_softirq = sink.used;
        process_pending_softirqs();
    }

    return size;
}

static void __init cf_check print_error(const char *msg)
{
    printk(XENLOG_ERR "hyperlaunch: kernel: %s\n", msg);
}

/* bzip2, xz, lzma, lzo and lz4 pass on their output in pieces. */
static int __init unpack_streamed(const struct payload *p)
{
    static const struct format __initconstrel formats[] = {
        { "BZh", 3, bunzip2 },
        { "\375" "7zXZ", 6, unxz },
        { "\135", 2, unlzma },
        { "\211LZO", 4, unlzo },
        { "\002!", 2, unlz4 },
    };
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(formats); i++ )
        if ( p->size >= formats[i].len &&
             !memcmp(p->data, formats[i].magic, formats[i].len) )
            return formats[i].fn(p->data, p->size, NULL, drain, NULL, NULL,
                                 print_error);

    return -EINVAL;
}

static int __init unpack_zstd(const struct payload *p, uint8_t *out,
                              size_t room, size_t *ret_size)
{
    int rc;

    decompress_limit = room;
    rc = unzstd(p->data, p->size, NULL, NULL, out, NULL, print_error);
    decompress_limit = 0;
    *ret_size = decompress_size;

    return rc;
}

/* Unpacks exactly `size` bytes; `room` is larger, to detect an overflow. */
static int __init unpack_into(const struct payload *p, uint8_t *out,
                              size_t room, size_t size)
{
    size_t done = 0;
    int rc;

    if ( gzip_check((char *)p->data, p->size) )
        rc = perform_gunzip_within((char *)out, room, (char *)p->data,
                                   p->size, &done);
    else if ( p->size >= 4 && !memcmp(p->data, "\x28\xb5\x2f\xfd", 4) )
        rc = unpack_zstd(p, out, room, &done);
    else
    {
        sink = (struct sink){ .out = out, .room = room };
        rc = unpack_streamed(p);
        done = sink.used;
    }

    if ( !rc && done != size )
    {
        print_error("size differs from that in the trailer");
        rc = -EINVAL;
    }

    return rc;
}

static int __init unpack(const struct payload *p, struct boot_module *bm,
                         unsigned int *ret_order)
{
    /* Compressed payloads end with the size of what is in them. */
    uint32_t size = read_le32(p->data + p->size - 4);
    unsigned int order;
    uint8_t *out;

    if ( !size || size > UNPACKED_MAX )
        return -EINVAL;

    /* One byte more than needed, to tell an exact fit from an overflow. */
    order = get_order_from_bytes(size + 1UL);
    /*
     * A PV builder reads it on the guest's page tables, which map Xen's heap.
     */
    out = alloc_xenheap_pages(order, MEMF_no_scrub);
    if ( !out )
        return -ENOMEM;

    if ( unpack_into(p, out, PAGE_SIZE << order, size) || !is_elf(out, size) ||
         check_kernel((struct payload){ .data = out, .size = size }) )
    {
        free_xenheap_pages(out, order);
        return -EINVAL;
    }

    release_boot_module(bm);
    bm->start = virt_to_maddr(out);
    bm->size = size;
    bm->headroom = 0;
    *ret_order = order;

    return 0;
}

int __init hyperlaunch_unpack(struct boot_module *bm, bool *ret_ours,
                              unsigned int *ret_order)
{
    struct payload p = { .data = maddr_to_virt(bm->start), .size = bm->size };
    int rc = find_payload(&p);

    *ret_ours = false;

    if ( rc )
        return rc;
    if ( is_elf(p.data, p.size) )
        return check_kernel(p);
    if ( p.size < 8 )
        return -EINVAL;

    rc = unpack(&p, bm, ret_order);
    *ret_ours = !rc;

    return rc;
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
