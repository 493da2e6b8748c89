/* SPDX-License-Identifier: GPL-2.0-only */
/* XEN_SYSCTL_hyperlaunch: reads the record of the launch, and changes it. */

#include <xen/guest_access.h>
#include <xen/lib.h>
#include <xen/nospec.h>
#include <xen/sched.h>
#include <xen/time.h>

#include "private.h"

static void __maybe_unused build_assertions(void)
{
    BUILD_BUG_ON(sizeof(struct xen_sysctl_hyperlaunch) != 32);
    BUILD_BUG_ON(sizeof(struct xen_hyperlaunch_info) != 264);
    BUILD_BUG_ON(sizeof(struct xen_hyperlaunch_domain) != 224);
    BUILD_BUG_ON(sizeof(struct xen_hyperlaunch_module) != 56);
    BUILD_BUG_ON(sizeof(struct xen_hyperlaunch_event) != 24);
    BUILD_BUG_ON(sizeof(struct xen_hyperlaunch_console) != 1024);
}

/* A copy to give out: guest memory is not accessed with the lock held. */
union record {
    struct xen_hyperlaunch_info info;
    struct xen_hyperlaunch_domain domain;
    struct xen_hyperlaunch_module module;
    struct xen_hyperlaunch_event events[8];
    struct xen_hyperlaunch_console console;
};

/*
 * Copies a whole record to the caller, or none of it if its buffer is smaller.
 */
static int copy_record_out(struct xen_sysctl_hyperlaunch *op,
                           const union record *rec, uint32_t size)
{
    uint32_t room = op->size;

    op->size = size;
    if ( room < size )
        return -ENOBUFS;

    return copy_to_guest(op->buffer, (const uint8_t *)rec, size) ? -EFAULT : 0;
}

/*
 * The domain of a permission or function, unless it is reclaimed: its domid
 * may be reused, also by a domain that another record has adopted.
 */
static uint16_t role_domid(uint16_t domid, uint32_t permission,
                           uint32_t function)
{
    const struct xen_hyperlaunch_domain *rec = hyperlaunch_find_domain(domid);

    return rec && ((rec->permissions & permission) ||
                   (rec->functions & function))
           ? domid : XEN_HYPERLAUNCH_NO_DOMID;
}

static int get_info_record(struct xen_sysctl_hyperlaunch *op)
{
    union record rec;
    struct xen_hyperlaunch_info *info = &rec.info;

    spin_lock(&hyperlaunch_lock);
    *info = *hyperlaunch_info_or_none();
    info->hwdom_domid = role_domid(info->hwdom_domid, LCM_PERM_HARDWARE, 0);
    info->crash_domid = role_domid(info->crash_domid, 0, LCM_FUNC_CRASH);
    info->console_domid = role_domid(info->console_domid, 0, LCM_FUNC_CONSOLE);
    info->xenstore_domid = role_domid(info->xenstore_domid, 0,
                                      LCM_FUNC_XENSTORE);
    spin_unlock(&hyperlaunch_lock);

    info->self_domid = current->domain->domain_id;

    return copy_record_out(op, &rec, sizeof(*info));
}

static int get_domain_record(struct xen_sysctl_hyperlaunch *op)
{
    const struct xen_hyperlaunch_domain *domain =
        hyperlaunch_domain(op->index);
    union record rec;

    if ( !domain )
        return -ENOENT;

    spin_lock(&hyperlaunch_lock);
    rec.domain = *domain;
    spin_unlock(&hyperlaunch_lock);

    return copy_record_out(op, &rec, sizeof(rec.domain));
}

static int get_module_record(struct xen_sysctl_hyperlaunch *op)
{
    const struct xen_hyperlaunch_module *module =
        hyperlaunch_module(op->index);
    union record rec;

    if ( !module )
        return -ENOENT;

    spin_lock(&hyperlaunch_lock);
    rec.module = *module;
    spin_unlock(&hyperlaunch_lock);

    return copy_record_out(op, &rec, sizeof(rec.module));
}

/* The LCM does not change, so this takes no lock. */
static int read_lcm(struct xen_sysctl_hyperlaunch *op)
{
    const struct xen_hyperlaunch_info *info = hyperlaunch_info();
    uint32_t offset;

    if ( !info )
        return -ENOENT;
    if ( op->offset > info->lcm_size )
        return -EINVAL;

    offset = array_index_nospec(op->offset, info->lcm_size + 1UL);
    op->size = min_t(uint64_t, op->size, info->lcm_size - offset);

    return copy_to_guest(op->buffer,
                         (const uint8_t *)hyperlaunch_recorded_lcm() + offset,
                         op->size)
           ? -EFAULT : 0;
}

/* Copies up to max events from *seq on, and advances it.  Returns how many. */
static uint32_t take_events(uint32_t *seq, union record *rec, uint32_t max)
{
    const struct xen_hyperlaunch_event *ev;
    uint32_t n;

    spin_lock(&hyperlaunch_lock);
    *seq = max(*seq, hyperlaunch_info()->first_event);
    for ( n = 0; n < max && (ev = hyperlaunch_get_event(*seq)) != NULL; n++ )
    {
        rec->events[n] = *ev;
        ++*seq;
    }
    spin_unlock(&hyperlaunch_lock);

    return n;
}

/*
 * As many as there are and fit.  -EINVAL for an `index` that is in the future.
 */
static int get_events(struct xen_sysctl_hyperlaunch *op)
{
    const struct xen_hyperlaunch_info *info = hyperlaunch_info();
    const uint32_t size = sizeof(struct xen_hyperlaunch_event);
    uint32_t room = op->size / size, seq = op->index, done = 0, n;
    union record rec;

    if ( !info )
        return -ENOENT;
    if ( seq > ACCESS_ONCE(info->nr_events) )
        return -EINVAL;

    while ( (n = take_events(&seq, &rec,
                             min_t(uint32_t, room - done,
                                   ARRAY_SIZE(rec.events)))) != 0 )
    {
        if ( copy_to_guest_offset(op->buffer, done * size,
                                  (const uint8_t *)&rec, n * size) )
            return -EFAULT;
        done += n;
    }

    op->size = done * size;

    return 0;
}

/* A crash domain that does not run would never read console input. */
static bool waits_for_failure(domid_t domid)
{
    const struct xen_hyperlaunch_domain *rec;
    bool waits;

    spin_lock(&hyperlaunch_lock);
    rec = hyperlaunch_find_domain(domid);
    waits = rec && rec->state == XEN_HYPERLAUNCH_DOM_PAUSED;
    spin_unlock(&hyperlaunch_lock);

    return waits;
}

static int set_console(const struct xen_sysctl_hyperlaunch *op)
{
    if ( op->offset > XEN_HYPERLAUNCH_MAX_LOAN_MS )
        return -EINVAL;
    if ( op->index >= XEN_HYPERLAUNCH_NO_DOMID )
        return -ESRCH;
    if ( waits_for_failure(op->index) )
        return -ENXIO;

    return hyperlaunch_console_request_handoff(op->index,
                                               MILLISECS(op->offset));
}

static int release(const struct xen_sysctl_hyperlaunch *op)
{
    return op->index < XEN_HYPERLAUNCH_NO_DOMID
           ? hyperlaunch_release(op->index) : -ESRCH;
}

static int adopt(const struct xen_sysctl_hyperlaunch *op)
{
    return op->offset < XEN_HYPERLAUNCH_NO_DOMID
           ? hyperlaunch_adopt(op->index, op->offset) : -ESRCH;
}

static int move_console(const struct xen_sysctl_hyperlaunch *op)
{
    uint32_t backend = op->offset, port = op->offset >> 32;

    return op->index < XEN_HYPERLAUNCH_NO_DOMID &&
           backend < XEN_HYPERLAUNCH_NO_DOMID
           ? hyperlaunch_console_set_backend(op->index, port, backend)
           : -ESRCH;
}

static int read_console(struct xen_sysctl_hyperlaunch *op)
{
    union record rec;
    int rc;

    if ( !hyperlaunch_info() )
        return -ENOENT;

    rc = op->index < XEN_HYPERLAUNCH_NO_DOMID
         ? hyperlaunch_console_read(op->index, op->offset, &rec.console)
         : -ESRCH;

    return rc ?: copy_record_out(op, &rec, sizeof(rec.console));
}

static bool takes_index(uint32_t op)
{
    switch ( op )
    {
    case XEN_HYPERLAUNCH_GET_DOMAIN:
    case XEN_HYPERLAUNCH_GET_MODULE:
    case XEN_HYPERLAUNCH_GET_EVENTS:
    case XEN_HYPERLAUNCH_BOOT_FAILED:
    case XEN_HYPERLAUNCH_SET_CONSOLE:
    case XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND:
    case XEN_HYPERLAUNCH_RELEASE:
    case XEN_HYPERLAUNCH_READ_CONSOLE:
    case XEN_HYPERLAUNCH_ADOPT:
        return true;

    default:
        return false;
    }
}

static bool takes_offset(uint32_t op)
{
    return op == XEN_HYPERLAUNCH_READ_LCM ||
           op == XEN_HYPERLAUNCH_BOOT_FAILED ||
           op == XEN_HYPERLAUNCH_SET_CONSOLE ||
           op == XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND ||
           op == XEN_HYPERLAUNCH_READ_CONSOLE ||
           op == XEN_HYPERLAUNCH_ADOPT;
}

static bool takes_buffer(uint32_t op)
{
    return op <= XEN_HYPERLAUNCH_GET_EVENTS ||
           op == XEN_HYPERLAUNCH_READ_CONSOLE;
}

/* True if all inputs that the sub-op does not use are zero. */
static bool inputs_clean(const struct xen_sysctl_hyperlaunch *op)
{
    return !op->pad && (takes_index(op->op) || !op->index) &&
           (takes_offset(op->op) || !op->offset) &&
           (takes_buffer(op->op) ||
            (!op->size && guest_handle_is_null(op->buffer)));
}

static int read_record(struct xen_sysctl_hyperlaunch *op)
{
    switch ( op->op )
    {
    case XEN_HYPERLAUNCH_GET_INFO:
        return get_info_record(op);

    case XEN_HYPERLAUNCH_GET_DOMAIN:
        return get_domain_record(op);

    case XEN_HYPERLAUNCH_GET_MODULE:
        return get_module_record(op);

    case XEN_HYPERLAUNCH_READ_LCM:
        return read_lcm(op);

    case XEN_HYPERLAUNCH_GET_EVENTS:
        return get_events(op);

    case XEN_HYPERLAUNCH_READ_CONSOLE:
        return read_console(op);

    default:
        return -EINVAL;
    }
}

int hyperlaunch_sysctl(struct xen_sysctl_hyperlaunch *op)
{
    if ( !inputs_clean(op) )
        return -EINVAL;
    if ( takes_buffer(op->op) )
        return read_record(op);

    switch ( op->op )
    {
    case XEN_HYPERLAUNCH_READY:
        return hyperlaunch_ready();

    case XEN_HYPERLAUNCH_BOOT_DONE:
        return hyperlaunch_boot_done();

    case XEN_HYPERLAUNCH_BOOT_FAILED:
        return hyperlaunch_boot_failed(op->index, op->offset);

    case XEN_HYPERLAUNCH_SET_CONSOLE:
        return set_console(op);

    case XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND:
        return hyperlaunch_info() ? move_console(op) : -ENOENT;

    case XEN_HYPERLAUNCH_RELEASE:
        return hyperlaunch_info() ? release(op) : -ENOENT;

    case XEN_HYPERLAUNCH_ADOPT:
        return adopt(op);

    default:
        return -EINVAL;
    }
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
