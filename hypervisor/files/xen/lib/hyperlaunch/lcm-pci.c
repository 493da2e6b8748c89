// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/*
 * pci nodes: which devices a domain is to have.
 */
#include "lcm-node.h"

static int __init hex_digit(char c)
{
    if ( c >= '0' && c <= '9' )
        return c - '0';
    if ( c >= 'a' && c <= 'f' )
        return c - 'a' + 10;
    if ( c >= 'A' && c <= 'F' )
        return c - 'A' + 10;

    return LCM_NONE;
}

/* Exactly SSSS:BB:DD.F in hexadecimal. */
static bool __init read_sbdf(const char *text, uint32_t *ret_sbdf)
{
    static const char __initconst form[] = "hhhh:hh:hh.";
    const unsigned int last = sizeof(form) - 1;
    uint32_t value = 0, dev;
    unsigned int i;
    int digit;

    for ( i = 0; i < last; i++ )
    {
        digit = hex_digit(text[i]);
        if ( form[i] == 'h' ? digit < 0 : text[i] != form[i] )
            return false;
        if ( form[i] == 'h' )
            value = (value << 4) | digit;
    }
    digit = hex_digit(text[last]);
    dev = value & 0xff;
    if ( digit < 0 || digit > 7 || text[last + 1] || dev > 0x1f )
        return false;
    *ret_sbdf = (value & ~0xffu) | (dev << 3) | digit;

    return true;
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

/* A cell of at most max. */
static int __init get_bounded(const struct lcm_cursor *cur, const char *prop,
                              uint32_t max, uint32_t *ret_value, bool *ret_has)
{
    int rc = lcm_get_u32(cur, prop, ret_value);

    if ( rc < 0 )
        return rc;
    if ( rc && *ret_value > max )
        return lcm_fail(cur, LCM_ERR_RANGE, prop, *ret_value);
    *ret_has = rc;

    return 0;
}

/* 1: some of class, vendor, device and count is there. */
static int __init parse_pci_match(const struct lcm_cursor *cur,
                                  struct lcm_pci *pci)
{
    bool has_count = false;

    if ( get_bounded(cur, "class", 0xffffff, &pci->class, &pci->has_class) ||
         get_bounded(cur, "vendor", 0xffff, &pci->vendor, &pci->has_vendor) ||
         get_bounded(cur, "device", 0xffff, &pci->device, &pci->has_device) ||
         get_bounded(cur, "count", 0xffffffff, &pci->count, &has_count) )
        return -EINVAL;
    if ( !pci->has_class && !pci->has_vendor && !pci->has_device )
        return has_count ? lcm_fail(cur, LCM_ERR_PCI_FORM, "count", 0) : 0;

    return 1;
}

/* 1: pf and vf are there. */
static int __init parse_pci_vf(const struct lcm_cursor *cur,
                               struct lcm_pci *pci)
{
    bool has_vf = false;
    int has_pf = get_sbdf(cur, "pf", &pci->sbdf);

    if ( has_pf < 0 )
        return has_pf;
    if ( get_bounded(cur, "vf", 0xffff, &pci->vf, &has_vf) )
        return -EINVAL;
    if ( has_vf != has_pf )
        return lcm_fail(cur, LCM_ERR_PCI_FORM, has_pf ? "vf" : "pf", 0);

    return has_pf;
}

static int __init parse_pci_form(const struct lcm_cursor *cur,
                                 struct lcm_pci *pci)
{
    int has_bdf, has_match, has_vf;

    has_bdf = get_sbdf(cur, "bdf", &pci->sbdf);
    if ( has_bdf < 0 )
        return has_bdf;
    has_match = parse_pci_match(cur, pci);
    if ( has_match < 0 )
        return has_match;
    has_vf = parse_pci_vf(cur, pci);
    if ( has_vf < 0 )
        return has_vf;
    if ( has_bdf + has_match + has_vf != 1 )
        return lcm_fail(cur, LCM_ERR_PCI_FORM, NULL,
                        has_bdf + has_match + has_vf);
    pci->form = has_bdf ? LCM_PCI_BDF : has_match ? LCM_PCI_MATCH : LCM_PCI_VF;

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

    rc = parse_pci_form(cur, pci);
    if ( rc )
        return rc;
    if ( get_bounded(cur, "slot", 31, &pci->slot, &pci->has_slot) ||
         lcm_get_flag(cur, "optional", &pci->optional) < 0 ||
         lcm_get_flag(cur, "permissive", &pci->permissive) < 0 )
        return -EINVAL;
    lcm->nr_pci++;
    lcm->domains[domain].hold = true;

    return 0;
}
