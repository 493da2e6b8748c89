/* SPDX-License-Identifier: GPL-2.0-only */
/* XEN_SYSCTL_hyperlaunch: the record of the launch, handed out. */

#include <xen/guest_access.h>
#include <xen/hyperlaunch-launch.h>
#include <xen/lib.h>
#include <xen/sched.h>

static void __maybe_unused build_assertions(void)
{
    BUILD_BUG_ON(sizeof(struct xen_sysctl_hyperlaunch) != 32);
    BUILD_BUG_ON(sizeof(struct xen_hyperlaunch_info) != 264);
    BUILD_BUG_ON(sizeof(struct xen_hyperlaunch_domain) != 224);
    BUILD_BUG_ON(sizeof(struct xen_hyperlaunch_module) != 56);
    BUILD_BUG_ON(sizeof(struct xen_hyperlaunch_event) != 24);
}

/* One whole record; the room offered must do for it. */
static int give(struct xen_sysctl_hyperlaunch *op, const void *rec,
                uint32_t size)
{
    uint32_t room = op->size;

    op->size = size;
    if ( room < size )
        return -ENOBUFS;

    return copy_to_guest(op->buffer, rec, size) ? -EFAULT : 0;
}

static int get_info_record(struct xen_sysctl_hyperlaunch *op)
{
    struct xen_hyperlaunch_info info = *launch_info_or_none();

    info.self_domid = current->domain->domain_id;

    return give(op, &info, sizeof(info));
}

static int get_domain_record(struct xen_sysctl_hyperlaunch *op)
{
    const struct xen_hyperlaunch_domain *rec = launch_domain(op->index);

    return rec ? give(op, rec, sizeof(*rec)) : -ENOENT;
}

static int get_module_record(struct xen_sysctl_hyperlaunch *op)
{
    const struct xen_hyperlaunch_module *rec = launch_module(op->index);

    return rec ? give(op, rec, sizeof(*rec)) : -ENOENT;
}

static int read_lcm(struct xen_sysctl_hyperlaunch *op)
{
    const struct xen_hyperlaunch_info *info = launch_info();

    if ( !info )
        return -ENOENT;
    if ( op->offset > info->lcm_size )
        return -EINVAL;

    op->size = min_t(uint64_t, op->size, info->lcm_size - op->offset);

    return copy_to_guest(op->buffer,
                         (const uint8_t *)launch_lcm() + op->offset, op->size)
           ? -EFAULT : 0;
}

/* As many as there are and fit; an `index` in the future is a mistake. */
static int get_events(struct xen_sysctl_hyperlaunch *op)
{
    const struct xen_hyperlaunch_info *info = launch_info();
    const struct xen_hyperlaunch_event *ev;
    uint32_t seq, room = op->size / sizeof(*ev), n = 0;

    if ( !info )
        return -ENOENT;
    if ( op->index > info->nr_events )
        return -EINVAL;

    for ( seq = max(op->index, info->first_event);
          n < room && (ev = launch_event_get(seq)) != NULL; seq++, n++ )
        if ( copy_to_guest_offset(op->buffer, n * sizeof(*ev),
                                  (const uint8_t *)ev, sizeof(*ev)) )
            return -EFAULT;

    op->size = n * sizeof(*ev);

    return 0;
}

/* Of a crash domain that does not run nobody would ever read what is typed. */
static bool waits_for_failure(domid_t domid)
{
    const struct xen_hyperlaunch_domain *rec;
    bool waits;

    launch_lock();
    rec = launch_find(domid);
    waits = rec && rec->state == XEN_HYPERLAUNCH_DOM_PAUSED;
    launch_unlock();

    return waits;
}

static int set_console(const struct xen_sysctl_hyperlaunch *op)
{
    if ( op->index >= XEN_HYPERLAUNCH_NO_DOMID )
        return -ESRCH;

    return waits_for_failure(op->index) ? -ENXIO
                                        : launch_hand_console(op->index);
}

static int release(const struct xen_sysctl_hyperlaunch *op)
{
    return op->index < XEN_HYPERLAUNCH_NO_DOMID ? launch_release(op->index)
                                                : -ESRCH;
}

static int move_console(const struct xen_sysctl_hyperlaunch *op)
{
    return op->index < XEN_HYPERLAUNCH_NO_DOMID &&
           op->offset < XEN_HYPERLAUNCH_NO_DOMID
           ? launch_move_console(op->index, op->offset) : -ESRCH;
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
        return true;

    default:
        return false;
    }
}

static bool takes_offset(uint32_t op)
{
    return op == XEN_HYPERLAUNCH_READ_LCM ||
           op == XEN_HYPERLAUNCH_BOOT_FAILED ||
           op == XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND;
}

static bool takes_buffer(uint32_t op)
{
    return op <= XEN_HYPERLAUNCH_GET_EVENTS;
}

/* Inputs that a sub-op does not use are zero. */
static bool inputs_clean(const struct xen_sysctl_hyperlaunch *op)
{
    return !op->pad && (takes_index(op->op) || !op->index) &&
           (takes_offset(op->op) || !op->offset) &&
           (takes_buffer(op->op) ||
            (!op->size && guest_handle_is_null(op->buffer)));
}

/* The record is read with the lock held. */
static int read_record(struct xen_sysctl_hyperlaunch *op)
{
    int rc;

    launch_lock();

    switch ( op->op )
    {
    case XEN_HYPERLAUNCH_GET_INFO:
        rc = get_info_record(op);
        break;

    case XEN_HYPERLAUNCH_GET_DOMAIN:
        rc = get_domain_record(op);
        break;

    case XEN_HYPERLAUNCH_GET_MODULE:
        rc = get_module_record(op);
        break;

    case XEN_HYPERLAUNCH_READ_LCM:
        rc = read_lcm(op);
        break;

    case XEN_HYPERLAUNCH_GET_EVENTS:
        rc = get_events(op);
        break;

    default:
        rc = -EINVAL;
        break;
    }

    launch_unlock();

    return rc;
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
        return launch_ready();

    case XEN_HYPERLAUNCH_BOOT_DONE:
        return launch_boot_done();

    case XEN_HYPERLAUNCH_BOOT_FAILED:
        return launch_boot_failed(op->index, op->offset);

    case XEN_HYPERLAUNCH_SET_CONSOLE:
        return set_console(op);

    case XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND:
        return launch_info() ? move_console(op) : -ENOENT;

    case XEN_HYPERLAUNCH_RELEASE:
        return launch_info() ? release(op) : -ENOENT;

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
