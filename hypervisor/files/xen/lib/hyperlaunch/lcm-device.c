// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/* disk and nic nodes: devices that a toolstack adds to a domain. */
#include "lcm-internal.h"

static bool __init is_one_of(const char *word, const char *words)
{
    const char *end;
    size_t len = strlen(word);

    for ( ; *words; words = *end ? end + 1 : end )
    {
        end = strchr(words, ' ');
        if ( !end )
            end = words + strlen(words);
        if ( (size_t)(end - words) == len && !memcmp(words, word, len) )
            return true;
    }

    return false;
}

static bool __init is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* xvda, hdb2, sdaa15 */
static bool __init is_vdev(const char *vdev)
{
    const char *c = vdev;
    unsigned int letters = 0, digits = 0;

    c += !strncmp(c, "xvd", 3) ? 3 :
         !strncmp(c, "hd", 2) || !strncmp(c, "sd", 2) ? 2 : 0;
    if ( c == vdev )
        return false;
    for ( ; is_letter(*c); c++ )
        letters++;
    for ( ; *c >= '0' && *c <= '9'; c++ )
        digits++;

    return letters && letters <= 2 && digits <= 2 && !*c;
}

static int __init need_string(const struct lcm_cursor *cur, const char *prop,
                              const char **ret_string)
{
    int rc = lcm_get_string(cur, prop, ret_string);

    if ( rc < 0 )
        return rc;

    return rc ? 0 : lcm_fail(cur, LCM_ERR_MISSING, prop, 0);
}

static int __init parse_format(const struct lcm_cursor *cur,
                               struct lcm_disk *disk)
{
    int rc = lcm_get_string(cur, "format", &disk->format);

    if ( rc > 0 && !is_one_of(disk->format, "raw qcow qcow2 qed vhd") )
        return lcm_fail(cur, LCM_ERR_WORD, "format", 0);

    return rc < 0 ? rc : 0;
}

int __init lcm_parse_disk(struct lcm *lcm, const struct lcm_cursor *cur,
                          unsigned int domain)
{
    struct lcm_disk *disk;
    int rc;

    if ( lcm->nr_disks == LCM_MAX_DISKS )
        return lcm_fail(cur, LCM_ERR_TOO_MANY_DEVICES, NULL, LCM_MAX_DISKS);
    disk = &lcm->disks[lcm->nr_disks];
    memset(disk, 0, sizeof(*disk));
    disk->node = cur->node;
    disk->domain = domain;
    disk->backend = LCM_NONE;
    lcm_warn_of_misspelt(lcm, cur->node, LCM_NODE_DISK);

    rc = need_string(cur, "path", &disk->path);
    if ( !rc )
        rc = need_string(cur, "vdev", &disk->vdev);
    if ( !rc && !is_vdev(disk->vdev) )
        rc = lcm_fail(cur, LCM_ERR_VDEV, "vdev", 0);
    if ( !rc )
        rc = parse_format(cur, disk);
    if ( rc )
        return rc;
    if ( lcm_get_string(cur, "backend", &disk->backend_name) < 0 ||
         lcm_get_flag(cur, "read-only", &disk->read_only) < 0 )
        return -EINVAL;
    lcm_warn(lcm, LCM_WARN_NOT_IN_FORCE, cur->node, "compatible", 0);
    lcm->nr_disks++;
    lcm->domains[domain].hold = true;

    return 0;
}

/* Exactly 00:16:3e:xx:xx:xx, and no group address. */
static bool __init read_mac(const char *text, uint8_t mac[6])
{
    unsigned int i;
    int high, low;

    for ( i = 0; i < 6; i++, text += 3 )
    {
        high = lcm_hex_digit(text[0]);
        low = high < 0 ? high : lcm_hex_digit(text[1]);
        if ( low < 0 || text[2] != (i < 5 ? ':' : '\0') )
            return false;
        mac[i] = high << 4 | low;
    }

    return !(mac[0] & 1);
}

int __init lcm_parse_nic(struct lcm *lcm, const struct lcm_cursor *cur,
                         unsigned int domain)
{
    struct lcm_nic *nic;
    const char *mac;
    int rc;

    if ( lcm->nr_nics == LCM_MAX_NICS )
        return lcm_fail(cur, LCM_ERR_TOO_MANY_DEVICES, NULL, LCM_MAX_NICS);
    nic = &lcm->nics[lcm->nr_nics];
    memset(nic, 0, sizeof(*nic));
    nic->node = cur->node;
    nic->domain = domain;
    nic->backend = LCM_NONE;
    lcm_warn_of_misspelt(lcm, cur->node, LCM_NODE_NIC);

    rc = lcm_get_string(cur, "mac", &mac);
    if ( rc > 0 && !read_mac(mac, nic->mac) )
        rc = lcm_fail(cur, LCM_ERR_MAC, "mac", 0);
    if ( rc < 0 )
        return rc;
    nic->has_mac = rc;
    if ( lcm_get_string(cur, "bridge", &nic->bridge) < 0 ||
         lcm_get_string(cur, "backend", &nic->backend_name) < 0 )
        return -EINVAL;
    lcm_warn(lcm, LCM_WARN_NOT_IN_FORCE, cur->node, "compatible", 0);
    lcm->nr_nics++;
    lcm->domains[domain].hold = true;

    return 0;
}
