// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/* Texts of errors and warnings with their numbers. */
#include "env.h"

struct writer {
    char *buf;                       /* of LCM_TEXT_SIZE bytes */
    size_t used;
};

/* Truncates what does not fit. */
static void __init add(struct writer *w, const char *text)
{
    for ( ; *text && w->used < LCM_TEXT_SIZE - 1; text++ )
        w->buf[w->used++] = *text;
    w->buf[w->used] = '\0';
}

static void __init add_number(struct writer *w, uint64_t value,
                              unsigned int base)
{
    static const char __initconst digits[] = "0123456789abcdef";
    char text[24];
    unsigned int at = sizeof(text) - 1;

    text[at] = '\0';
    do {
        text[--at] = digits[value % base];
        value /= base;
    } while ( value );
    if ( base == 16 )
        add(w, "0x");
    add(w, text + at);
}

/* ": 12, at most 8" */
static void __init add_two(struct writer *w, uint64_t value,
                           const char *between, uint64_t limit,
                           const char *unit)
{
    add(w, ": ");
    add_number(w, value, 10);
    add(w, unit);
    add(w, between);
    add_number(w, limit, 10);
    add(w, unit);
}

static void __init add_one(struct writer *w, const char *before,
                           uint64_t value, unsigned int base)
{
    add(w, before);
    add_number(w, value, base);
}

static void __init add_lengths(struct writer *w, const struct lcm_error *err)
{
    add_one(w, ": ", err->value, 10);
    add_one(w, " bytes, expected ", (uint32_t)err->limit, 10);
    if ( err->limit >> 32 )
        add_one(w, " or ", err->limit >> 32, 10);
}

/* Without a boot loader Xen's own limit applies. */
static void __init add_index(struct writer *w, const struct lcm_error *err)
{
    add_one(w, ": ", err->value, 10);
    if ( err->limit == LCM_MAX_CHAIN )
        add_one(w, "; Xen takes 63 modules with the LCM, so the last one is ",
                LCM_MAX_CHAIN, 10);
    else
        add_one(w, "; modules after the LCM: ", err->limit, 10);
}

static void __init add_details(struct writer *w, const struct lcm_error *err)
{
    switch ( err->code )
    {
    case LCM_ERR_LENGTH:
        add_lengths(w, err);
        break;
    case LCM_ERR_SIZE:
        add_two(w, err->value, ", at most ", err->limit, " bytes");
        break;
    case LCM_ERR_CPUS_LIMIT:
        add_two(w, err->value, ", at most ", err->limit, "");
        break;
    case LCM_ERR_RANGE:
        if ( err->limit )
            add_two(w, err->value, ", at most ", err->limit, "");
        else
            add_one(w, ": ", err->value, 10);
        break;
    case LCM_ERR_MEMORY_HOST:
        add_two(w, err->value, " of ", err->limit, " KiB");
        break;
    case LCM_ERR_VCPU_RANGE:
        add_two(w, err->value, ", cpus is ", err->limit, "");
        break;
    case LCM_ERR_CPU_HOST:
        add_one(w, ": ", err->value, 10);
        break;
    case LCM_ERR_INDEX_RANGE:
        add_index(w, err);
        break;
    case LCM_ERR_CAPABILITIES:
    case LCM_ERR_ROLES_DISAGREE:
        add_one(w, ": ", err->value, 16);
        break;
    case LCM_ERR_DOMID_RESERVED:
    case LCM_ERR_DOMID_DUPLICATE:
    case LCM_ERR_VCPU_DUPLICATE:
        add_one(w, ": ", err->value, 10);
        break;
    case LCM_ERR_ADDR_WRAP:
    case LCM_ERR_ADDR_OVERLAP:
        add_one(w, ": ", err->value, 16);
        break;
    case LCM_ERR_UUID_LENGTH:
        add_one(w, ", not ", err->value, 10);
        break;
    case LCM_ERR_NO_KERNEL:
        if ( err->other_node != LCM_NONE )
            add(w, ": xen,linux-zimage is an old word for multiboot,kernel");
        break;
    default:
        break;
    }
}

const char *__init lcm_error_text(const struct lcm_error *err, char *buf)
{
    struct writer w = { .buf = buf };

    add(&w, lcm_strerror(err->code));
    add_details(&w, err);

    return buf;
}

const char *__init lcm_warning_text(const struct lcm_warning *warning,
                                    char *buf)
{
    struct writer w = { .buf = buf };

    add(&w, lcm_strwarning(warning->code));
    switch ( warning->code )
    {
    case LCM_WARN_PERMISSIONS:
    case LCM_WARN_FUNCTIONS:
    case LCM_WARN_MODE_BITS:
        add_one(&w, ": ", warning->value, 16);
        break;
    case LCM_WARN_MEMORY_SMALL:
        add_one(&w, ": ", warning->value, 10);
        add(&w, " KiB");
        break;
    case LCM_WARN_MISSPELT:
        add(&w, ": ");
        add(&w, warning->meant);
        break;
    default:
        break;
    }

    return buf;
}
