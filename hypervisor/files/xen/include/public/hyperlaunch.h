/* SPDX-License-Identifier: MIT */
/*
 * XEN_SYSCTL_hyperlaunch: the record of the launch from the launch control
 * module (LCM), and operations on the launch.
 *
 * Roles and modes are those of docs/designs/launch/hyperlaunch-devicetree.rst.
 * Needs only xen.h, so that a toolstack built with another Xen's headers can
 * use it.  A record grows only together with XEN_HYPERLAUNCH_VERSION; all
 * padding is zero, in both directions.
 */
#ifndef __XEN_PUBLIC_HYPERLAUNCH_H__
#define __XEN_PUBLIC_HYPERLAUNCH_H__

#ifndef XEN_SYSCTL_hyperlaunch
#define XEN_SYSCTL_hyperlaunch               0x484c   /* outside upstream's sequence */
#endif

#define XEN_HYPERLAUNCH_VERSION              4

/*
 * Sub-ops that return a record write it to `buffer`, which has room for `size`
 * bytes, and set `size` to the bytes written.  -ENOBUFS: the record is larger;
 * `size` is set to its size, and nothing is written.
 *
 * All sub-ops: -EPERM the caller may not use it; -EINVAL unknown sub-op, or
 * padding or an unused input is not zero; -EFAULT buffer; -EOPNOTSUPP Xen
 * without CONFIG_HYPERLAUNCH.  Without an LCM GET_INFO works (state NONE), the
 * others return -ENOENT.
 */
#define XEN_HYPERLAUNCH_GET_INFO             1  /* struct xen_hyperlaunch_info */
#define XEN_HYPERLAUNCH_GET_DOMAIN           2  /* by index; -ENOENT: beyond the last */
#define XEN_HYPERLAUNCH_GET_MODULE           3  /* by index in the boot chain, from 1; -ENOENT */
#define XEN_HYPERLAUNCH_READ_LCM             4  /* bytes from `offset`; 0 written at the end; -EINVAL beyond */
#define XEN_HYPERLAUNCH_GET_EVENTS           5  /* struct xen_hyperlaunch_event[], from sequence number `index` on */

/*
 * Sub-ops that change something.  They take no buffer: `size` and `buffer` are
 * zero.
 *
 * READY: the caller, an initial domain, is up.  0 also if it has reported so
 * before.  -EPERM: the caller is not an initial domain.
 */
#define XEN_HYPERLAUNCH_READY                6
/*
 * The boot domain has finished; does not return to it.  -EPERM: the caller is
 * not the boot domain, or the launch is not PREPARING (any more).
 */
#define XEN_HYPERLAUNCH_BOOT_DONE            7
/*
 * The boot domain reports a failure; does not return to it.  index: of the
 * domain that failed, or 0xffffffff.  offset: the reason as enum lcm_err, 0
 * for LCM_ERR_BOOT_FAILED.  -EINVAL: no such index or reason.
 */
#define XEN_HYPERLAUNCH_BOOT_FAILED          8
/*
 * index: domid of the Xen console's new owner.  It gets input, VIRQ_CONSOLE,
 * raw output and the permission, and the old owner loses them, at the same
 * time.  0 also if it is the owner already.  -ESRCH: no such domain, or it is
 * dying; -ENXIO: it runs only if the launch fails (PAUSED), or is shut down;
 * -ENOENT: no LCM.
 *
 * offset: milliseconds for which the console is lent, up to MAX_LOAN_MS; 0:
 * for good.  At their end, or if the new owner ends before, the console
 * returns to the domain that lent it, between two lines as well; if that
 * domain is gone or shut down, to the default owner.  A request for the
 * current owner restarts the loan; from another owner the console returns to
 * the same domain.  An owner without CONTROL can lend it on, but not extend
 * the loan.
 *
 * -EAGAIN: a line is being typed, or the owner has not read it yet.  The
 * hand-off takes place when the line is complete and read; later input goes to
 * the new owner.  A line in which nothing is typed for 500 ms counts as
 * complete, and after 2 s the new owner gets what is left in any case.  The
 * same request returns 0 once the hand-off has taken place.  -EBUSY: a
 * hand-off to another domain is pending.
 */
#define XEN_HYPERLAUNCH_SET_CONSOLE          9
#define XEN_HYPERLAUNCH_MAX_LOAN_MS          0xffffffff
/*
 * index: domid whose PV console ring gets another back end; offset: domid of
 * that back end in bits 0 to 31, and in bits 32 to 63 the domain's own port
 * for the console.  Port 0: the one that Xen has opened for an initial domain.
 * Any other one may be named, of initial domains and others, that is unbound,
 * and waits for the domain that grant entry 0 is for.  In an HVM or PVH domain
 * it must be HVM_PARAM_CONSOLE_EVTCHN.  The port of the store is not taken: a
 * PV domain has to have another port bound, as its store's is from its
 * introduction to xenstored on.
 *
 * Port and grant move together, or neither does.  -ESRCH: no such domain, or
 * it is dying; -EINVAL: both are the same, or it is not the console's port;
 * -ENOENT: no ring, no such port, or no LCM; -EBUSY: the current back end
 * still has the ring mapped or the port bound; -EPERM: XSM does not let the
 * new back end bind the port or map the ring.
 */
#define XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND 10
/*
 * index: domid of a HELD initial domain, which starts.  -ESRCH: not an initial
 * domain; -EBUSY: it is not held; -ENOENT: no LCM.
 */
#define XEN_HYPERLAUNCH_RELEASE              11

/*
 * struct xen_hyperlaunch_console, of what Xen has taken from the console ring
 * of an initial domain.  index: its domid; offset: of the first byte.  Xen
 * takes output while the port is unbound, so that the domain does not wait for
 * ever: until it is bound for the first time, and from CONSOLE_GRACE_MS after
 * a back end has closed it, or the back end has been moved.  Up to
 * CONSOLE_KEPT bytes that it took before the port was ever bound are kept
 * until the domain is destroyed.  Also for the back end of that ring.
 * -ESRCH: not an initial domain; -ENOENT: no ring, or no LCM; -EINVAL: offset
 * beyond what is kept.
 */
#define XEN_HYPERLAUNCH_READ_CONSOLE         12
#define XEN_HYPERLAUNCH_CONSOLE_KEPT         16384
#define XEN_HYPERLAUNCH_CONSOLE_GRACE_MS     10000

/*
 * Binds a domain that a toolstack has made in place of an initial domain which
 * is gone to the record of that: it is an initial domain from then on.
 * index: of the record, as in GET_DOMAIN; offset: the domain's domid, which
 * may be another one than that of the record.
 *
 * The record must be RECLAIMED, and have neither CONTROL, HARDWARE, BOOT,
 * CRASH nor XENSTORE.  The domain must never have run, and have the record's
 * type (PV or PVH, 32 or 64 bits of PV), label, and UUID; any UUID if the LCM
 * gives none.  The record then is BUILT, with `adoption` set, and has the
 * new domain's domid, and of PVH its ports and frames for store and console,
 * as they are in HVM_PARAM_*: the domain has to be complete.  Of PV Xen does
 * not know these; they are 0 and NO_GFN.  What is the LCM's, and kernel and
 * ramdisk with their digests, remains: it is not known to hold for the domain.
 *
 * -ENOENT: no such record, or no LCM; -ESRCH: no such domain, or it is dying;
 * -EPERM: also a record with one of those roles; -EBUSY: the record is not
 * RECLAIMED, or the launch has failed without recovery; -EEXIST: it is an
 * initial domain already; -ENXIO: it has run, or is shut down; -EINVAL:
 * type, label or UUID differ; -ENOMEM.
 */
#define XEN_HYPERLAUNCH_ADOPT                13

/* The launch's virtual interrupt, where it has one: see info.virq.  Not a sub-op. */
#define XEN_HYPERLAUNCH_VIRQ                 14

/* Launch states */
#define XEN_HYPERLAUNCH_STATE_NONE           0  /* no LCM: a classic boot */
#define XEN_HYPERLAUNCH_STATE_BUILDING       1
#define XEN_HYPERLAUNCH_STATE_PREPARING      2  /* only the boot domain runs */
#define XEN_HYPERLAUNCH_STATE_FINALIZING     3
#define XEN_HYPERLAUNCH_STATE_COMPLETE       4
#define XEN_HYPERLAUNCH_STATE_RECOVERY       5  /* the crash domain has the console */
#define XEN_HYPERLAUNCH_STATE_FAILED         6

/* Domain states */
#define XEN_HYPERLAUNCH_DOM_PLANNED          0
#define XEN_HYPERLAUNCH_DOM_BUILT            1  /* built; waits for the others */
#define XEN_HYPERLAUNCH_DOM_HELD             2  /* `hold`: a control domain must release it */
#define XEN_HYPERLAUNCH_DOM_PAUSED           3  /* crash domain, no failure */
#define XEN_HYPERLAUNCH_DOM_STARTED          4
#define XEN_HYPERLAUNCH_DOM_READY            5
#define XEN_HYPERLAUNCH_DOM_FAILED           6
#define XEN_HYPERLAUNCH_DOM_RECLAIMED        7  /* destroyed; its record stays */

#define XEN_HYPERLAUNCH_NO_DOMID             0x7ff4   /* DOMID_INVALID */
#define XEN_HYPERLAUNCH_NO_MODULE            0xffffffff
#define XEN_HYPERLAUNCH_NO_GFN               (~(uint64_t)0)

#define XEN_HYPERLAUNCH_NAME_SIZE            64
#define XEN_HYPERLAUNCH_PROP_SIZE            32
#define XEN_HYPERLAUNCH_PATH_SIZE            128

/*
 * info.flags.  WEAK_HWDOM: the hardware domain has no CONTROL, but its devices
 * can access the memory of Xen and of other domains: the host has no IOMMU in
 * use, and hyperlaunch=weak-hwdom on Xen's command line accepts that.
 */
#define XEN_HYPERLAUNCH_INFO_WEAK_HWDOM      (1u << 0)

struct xen_hyperlaunch_info {
    uint32_t version;                /* XEN_HYPERLAUNCH_VERSION */
    uint32_t state;                  /* XEN_HYPERLAUNCH_STATE_* */
    uint32_t nr_domains;             /* records of GET_DOMAIN */
    uint32_t nr_modules;             /* of the boot chain, the LCM not counted */
    /*
     * By role; NO_DOMID if none.  Several domains may have CONTROL: see those.
     */
    uint16_t hwdom_domid;              /* has the HARDWARE permission */
    uint16_t boot_domid;
    uint16_t crash_domid;
    uint16_t console_domid;          /* has the CONSOLE function */
    uint16_t xenstore_domid;
    uint16_t console_owner;          /* owner of the Xen console now */
    uint16_t virq;                   /* announces changes; 0: none */
    uint16_t self_domid;             /* the caller */
    uint32_t nr_events;              /* sequence number that the next event will get */
    uint32_t first_event;            /* the oldest one still kept */
    uint32_t lcm_size;               /* bytes */
    uint32_t error;                  /* enum lcm_err; 0: none */
    uint32_t error_domain;           /* index of GET_DOMAIN, 0xffffffff: none */
    uint32_t flags;                  /* XEN_HYPERLAUNCH_INFO_*; other bits are zero */
    uint8_t lcm_sha256[32];
    uint64_t start_ns;               /* Xen's clock since its start: LCM found */
    uint64_t end_ns;                 /* complete, recovery or failed; 0: not yet */
    /*
     * Location of `error`, as printed on Xen's console; NUL-terminated, "" if
     * none.
     */
    char error_path[XEN_HYPERLAUNCH_PATH_SIZE]; /* of the node in the LCM */
    char error_prop[XEN_HYPERLAUNCH_PROP_SIZE];
};

struct xen_hyperlaunch_domain {
    uint32_t index;                  /* order in the LCM, from 0 */
    uint32_t state;                  /* XEN_HYPERLAUNCH_DOM_* */
    uint32_t requested_domid;        /* as in the LCM; 0: the next free one */
    uint32_t domid;                  /* NO_DOMID until it is built */
    uint32_t permissions;            /* bits as in the LCM, implied ones included */
    uint32_t functions;
    uint32_t mode;
    uint32_t cpus;
    uint64_t memory_kib;             /* as in the LCM */
    uint8_t uuid[16];
    uint32_t ssidref;                /* SSID of the label; 0 without FLASK */
    uint32_t error;                  /* enum lcm_err */
    uint32_t errnum;                 /* positive errno of a builder error; 0: none */
    uint32_t kernel;                 /* module index or NO_MODULE */
    uint32_t ramdisk;
    uint32_t store_port;             /* the domain's own ports; 0: none */
    uint32_t console_port;
    /*
     * 0: the domain is the one that Xen has built.  Else it was bound to the
     * record by ADOPT; the number, from 1, of that adoption among all of this
     * boot, so that no two of them are equal.
     */
    uint32_t adoption;
    uint64_t store_gfn;              /* frame as the domain numbers it; NO_GFN: none */
    uint64_t console_gfn;
    uint64_t built_ns;               /* Xen's clock, or adopted; 0: not yet */
    uint64_t started_ns;
    uint64_t ready_ns;
    char name[XEN_HYPERLAUNCH_NAME_SIZE];       /* NUL-terminated */
    char error_prop[XEN_HYPERLAUNCH_PROP_SIZE]; /* NUL-terminated, "" none */
};

struct xen_hyperlaunch_module {
    uint32_t index;                  /* in the boot chain: 1 is the one after the LCM */
    uint32_t type;                   /* enum lcm_module_type; 0xffffffff: no node names it */
    uint64_t size;                   /* bytes, as loaded */
    uint8_t sha256[32];              /* as loaded, before Xen unpacked it */
    uint32_t users;                  /* bit i: the domain with index i */
    uint32_t pad;
};

#define XEN_HYPERLAUNCH_EV_LCM_FOUND         1  /* arg: bytes */
#define XEN_HYPERLAUNCH_EV_BUILT             2  /* arg: index */
#define XEN_HYPERLAUNCH_EV_BUILD_FAILED      3  /* arg: enum lcm_err */
#define XEN_HYPERLAUNCH_EV_STATE             4  /* arg: new launch state */
#define XEN_HYPERLAUNCH_EV_STARTED           5
#define XEN_HYPERLAUNCH_EV_READY             6
#define XEN_HYPERLAUNCH_EV_CONSOLE           7  /* domid: new owner; arg: the old one */
#define XEN_HYPERLAUNCH_EV_DIED              8  /* arg: SHUTDOWN_* code */
#define XEN_HYPERLAUNCH_EV_RELEASED          9
#define XEN_HYPERLAUNCH_EV_RECLAIMED         10
#define XEN_HYPERLAUNCH_EV_BOOT_FAILED       11 /* domid: the failed domain; arg: enum lcm_err */
#define XEN_HYPERLAUNCH_EV_ADOPTED           12 /* domid: the new domain; arg: index */

struct xen_hyperlaunch_event {
    uint64_t time_ns;                /* Xen's clock since its start */
    uint32_t seq;                    /* from 0, no gaps */
    uint16_t event;                  /* XEN_HYPERLAUNCH_EV_* */
    uint16_t domid;                  /* NO_DOMID: of the launch as a whole */
    uint32_t arg;
    uint32_t pad;
};

struct xen_hyperlaunch_console {
    uint64_t dropped;                /* bytes taken and not kept */
    uint32_t kept;                   /* bytes kept in all */
    uint32_t size;                   /* of these in data, from offset on */
    uint8_t data[1008];              /* as written by the domain; zero after `size` bytes */
};

#if defined(__XEN__) || defined(__XEN_TOOLS__)
/* The payload in struct xen_sysctl's union. */
struct xen_sysctl_hyperlaunch {
    uint32_t op;                     /* IN: XEN_HYPERLAUNCH_* */
    uint32_t index;                  /* IN: see the sub-op, else 0 */
    uint64_t offset;                 /* IN: see the sub-op, else 0 */
    uint32_t size;                   /* IN: room at buffer, bytes.  OUT: bytes written */
    uint32_t pad;                    /* IN: zero */
    XEN_GUEST_HANDLE_64(void) buffer; /* OUT */
};
#endif

#endif /* __XEN_PUBLIC_HYPERLAUNCH_H__ */
