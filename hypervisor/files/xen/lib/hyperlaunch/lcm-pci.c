// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/* pci nodes: PCI devices of a domain. */
#include "lcm-internal.h"

int __init lcm_hex_digit(char c)
{
    if ( c >= '0' && c <= '9' )
        return c - '0';
    if ( c >= 'a' && c <= 'f' )
        return c - 'a' + 10;
    if ( c >= 'A' && c <= 'F' )
        return c - 'A' + 10;

    return LCM_NONE;
}

/*
 * Reads digits and marks as in the form at *pos, and advances it.  The last
 * two digits are a device and a function.
 */
static bool __init read_form(const char *text, const char *form,
                             unsigned int *pos, uint32_t *ret_value)
{
    const unsigned int last = strlen(form);
    uint32_t value = 0, dev;
    unsigned int i;
    int digit;

    text += *pos;
    for ( i = 0; i < last; i++ )
    {
        digit = lcm_hex_digit(text[i]);
        if ( form[i] == 'h' ? digit < 0 : text[i] != form[i] )
            return false;
        if ( form[i] == 'h' )
            value = (value << 4) | digit;
    }
    digit = lcm_hex_digit(text[last]);
    dev = value & 0xff;
    if ( digit < 0 || digit > 7 || dev > 0x1f )
        return false;
    *ret_value = (value & ~0xffu) | (dev << 3) | digit;
    *pos += last + 1;

    return true;
}

static const char __initconst sbdf_form[] = "hhhh:hh:hh.";
static const char __initconst slot_form[] = "hh.";

/* Exactly SSSS:BB:DD.F in hexadecimal. */
static bool __init read_sbdf(const char *text, uint32_t *ret_sbdf)
{
    unsigned int pos = 0;

    return read_form(text, sbdf_form, &pos, ret_sbdf) && !text[pos];
}

/* SSSS:BB:DD.F of the first, then /DD.F behind each bridge. */
static bool __init read_slot(const char *path, unsigned int *pos,
                             uint32_t *ret_slot)
{
    if ( !*pos )
        return read_form(path, sbdf_form, pos, ret_slot);
    if ( path[*pos] != '/' )
        return false;
    (*pos)++;

    return read_form(path, slot_form, pos, ret_slot);
}

bool __init lcm_next_slot(const char *path, unsigned int *pos,
                          unsigned int *ret_devfn)
{
    uint32_t slot;

    if ( !path[*pos] || !read_slot(path, pos, &slot) )
        return false;
    *ret_devfn = slot & 0xff;

    return true;
}

/* Returns 1 if there is a path. */
static int __init parse_pci_path(const struct lcm_cursor *cur,
                                 struct lcm_pci *pci)
{
    unsigned int pos = 0;
    uint32_t slot;
    int rc = lcm_get_string(cur, "path", &pci->path);

    if ( rc <= 0 )
        return rc;
    if ( !read_slot(pci->path, &pos, &pci->sbdf) )
        return lcm_fail(cur, LCM_ERR_PCI_PATH, "path", 0);
    while ( pci->path[pos] )
        if ( !read_slot(pci->path, &pos, &slot) )
            return lcm_fail(cur, LCM_ERR_PCI_PATH, "path", 0);

    return 1;
}

static int __init get_sbdf(const struct lcm_cursor *cur, const char *prop,
                           uint32_t *ret_sbdf)
{
    const char *text;
    int rc = lcm_get_string(cur, prop, &text);

    if ( rc > 0 && !read_sbdf(text, ret_sbdf) )
        return lcm_fail(cur, LCM_ERR_PCI_BDF, prop, 0);

    return rc;
}

int __init lcm_get_bounded(const struct lcm_cursor *cur, const char *prop,
                           uint32_t max, uint32_t *ret_value, bool *ret_has)
{
    int rc = lcm_get_u32(cur, prop, ret_value);

    if ( rc < 0 )
        return rc;
    if ( rc && *ret_value > max )
        return lcm_fail_limit(cur, LCM_ERR_RANGE, prop, *ret_value, max);
    *ret_has = rc;

    return 0;
}

/* Returns 1 if there is one of class, vendor, device and count. */
static int __init parse_pci_match(const struct lcm_cursor *cur,
                                  struct lcm_pci *pci)
{
    bool has_count = false;

    if ( lcm_get_bounded(cur, "class", 0xffffff, &pci->class, &pci->has_class) ||
         lcm_get_bounded(cur, "vendor", 0xffff, &pci->vendor, &pci->has_vendor) ||
         lcm_get_bounded(cur, "device", 0xffff, &pci->device, &pci->has_device) ||
         lcm_get_bounded(cur, "count", 0xffffffff, &pci->count, &has_count) )
        return -EINVAL;
    if ( !pci->has_class && !pci->has_vendor && !pci->has_device )
        return has_count ? lcm_fail(cur, LCM_ERR_PCI_FORM, "count", 0) : 0;

    return 1;
}

/* Returns 1 if there are pf and vf. */
static int __init parse_pci_vf(const struct lcm_cursor *cur,
                               struct lcm_pci *pci)
{
    bool has_vf = false;
    int has_pf = get_sbdf(cur, "pf", &pci->sbdf);

    if ( has_pf < 0 )
        return has_pf;
    if ( lcm_get_bounded(cur, "vf", 0xffff, &pci->vf, &has_vf) )
        return -EINVAL;
    if ( has_vf != has_pf )
        return lcm_fail(cur, LCM_ERR_PCI_FORM, has_pf ? "vf" : "pf", 0);

    return has_pf;
}

static int __init parse_pci_form(const struct lcm_cursor *cur,
                                 struct lcm_pci *pci)
{
    int has_bdf, has_match, has_vf, has_path;

    has_bdf = get_sbdf(cur, "bdf", &pci->sbdf);
    if ( has_bdf < 0 )
        return has_bdf;
    has_match = parse_pci_match(cur, pci);
    if ( has_match < 0 )
        return has_match;
    has_vf = parse_pci_vf(cur, pci);
    if ( has_vf < 0 )
        return has_vf;
    /* All of them write to sbdf, so stop at the second. */
    if ( has_bdf + has_match + has_vf + lcm_has(cur, "path") != 1 )
        return lcm_fail(cur, LCM_ERR_PCI_FORM, NULL, 0);
    has_path = parse_pci_path(cur, pci);
    if ( has_path < 0 )
        return has_path;
    pci->form = has_bdf ? LCM_PCI_BDF : has_match ? LCM_PCI_MATCH :
                has_vf ? LCM_PCI_VF : LCM_PCI_PATH;

    return 0;
}

static int __init parse_reset(const struct lcm_cursor *cur,
                              struct lcm_pci *pci)
{
    const char *word;
    int rc = lcm_get_string(cur, "reset", &word);

    pci->reset = LCM_PCI_RESET_AUTO;
    if ( rc <= 0 || !strcmp(word, "auto") )
        return rc < 0 ? rc : 0;
    if ( strcmp(word, "none") != 0 )
        return lcm_fail(cur, LCM_ERR_WORD, "reset", 0);
    pci->reset = LCM_PCI_RESET_NONE;

    return 0;
}

int __init lcm_parse_pci(struct lcm *lcm, const struct lcm_cursor *cur,
                            unsigned int domain)
{
    struct lcm_pci *pci;
    int rc;

    if ( lcm->nr_pci == LCM_MAX_PCI )
        return lcm_fail(cur, LCM_ERR_TOO_MANY_PCI, NULL, LCM_MAX_PCI);
    pci = &lcm->pci[lcm->nr_pci];
    memset(pci, 0, sizeof(*pci));
    pci->node = cur->node;
    pci->domain = domain;
    lcm_warn_of_misspelt(lcm, cur->node, LCM_NODE_PCI);

    rc = parse_pci_form(cur, pci);
    if ( !rc )
        rc = parse_reset(cur, pci);
    if ( rc )
        return rc;
    if ( lcm_get_bounded(cur, "slot", 31, &pci->slot, &pci->has_slot) ||
         lcm_get_flag(cur, "optional", &pci->optional) < 0 ||
         lcm_get_flag(cur, "permissive", &pci->permissive) < 0 )
        return -EINVAL;
    if ( pci->has_slot && (lcm->domains[domain].mode & LCM_MODE_PV) )
        lcm_warn(lcm, LCM_WARN_PCI_SLOT, cur->node, "slot", pci->slot);
    lcm->nr_pci++;
    lcm->domains[domain].hold = true;

    return 0;
}
