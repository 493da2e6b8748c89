/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libhl: the domains that Xen launched from the launch control module (LCM),
 * and their state now.
 *
 *   hl_new() -> hl_snapshot_read() -> hl_table_new() -> rows to show
 *                                          two tables -> hl_diff_new()
 *
 * Conventions
 * -----------
 * - Functions that can fail return 0 or a positive count, or a negative errno;
 *   each lists its errors.  Any of them may return -ENOMEM.  Results are stored
 *   through the last parameters, named ret_*, which are untouched on failure.
 * - *_ref() takes a reference and returns its argument; *_unref() drops one and
 *   frees the object with the last.  These and *_free() accept NULL; *_unref() and
 *   *_free() return NULL.
 * - The library prints nothing.  Messages go to a callback, see hl_new().
 * - struct hl_lcm and struct hl_table are immutable, and their reference counts
 *   are atomic: they may be shared between threads.  A context, a snapshot and a
 *   diff must be used by one thread at a time.
 * - Pointers into an LCM, a table, a snapshot or a diff are valid until that object
 *   is freed.  Pointer arguments must not be NULL unless the function allows it.
 * - Structs that the library returns by pointer may grow at their end; those that
 *   callers allocate do not grow within one soname.
 * - Sizes are in bytes and times in nanoseconds unless the name has another unit.
 * - Text from an LCM is any bytes but NUL.  D-Bus and JSON require UTF-8: strings
 *   of a table are valid UTF-8 (see struct hl_domain), and hl_utf8_dup() converts
 *   others.
 *
 * Functions that query the hypervisor return, besides the errors that they list:
 *   -ENODEV      no Xen: not a Xen guest, or the privcmd driver is missing
 *   -EACCES      no permission to open the driver's device node (needs root)
 *   -EOPNOTSUPP  this Xen has no Hyperlaunch
 *   -EPERM       this domain has none of the roles that the query requires
 *   -EPROTO      Xen has a version of the interface that this library does not support
 *   -EBADMSG     invalid answer: sizes or counts are out of range
 */
#ifndef HL_H
#define HL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HL_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define HL_MUST_CHECK	__attribute__((warn_unused_result))
#else
#define HL_PRINTF(f, a)
#define HL_MUST_CHECK
#endif

struct hl_ctx;
struct hl_lcm;
struct hl_snapshot;
struct hl_table;
struct hl_diff;

#define HL_NO_DOMID	    UINT32_MAX /* no such domain, or not built yet */
#define HL_NO_INDEX	    UINT32_MAX /* no such module, or no such record */
#define HL_NO_GFN	    UINT64_MAX /* no such page */
#define HL_UNLIMITED	    UINT64_MAX /* value of memory_max */
#define HL_NAME_SIZE	    64	       /* with the NUL */
#define HL_PROP_SIZE	    32
#define HL_PATH_SIZE	    128
#define HL_UUID_TEXT_SIZE   37
#define HL_AFFINITY_SIZE    256 /* with the NUL */
#define HL_SHA256_SIZE	    32
#define HL_SHA256_TEXT_SIZE 65

/*
 * ---------------------------------------------------------------------------
 * Names: bits and states, and what they are called on D-Bus, in JSON and in tables
 * ---------------------------------------------------------------------------
 */

/* permissions, as in the LCM */
#define HL_PERM_CONTROL	 (1u << 0)
#define HL_PERM_HARDWARE (1u << 1)

/* functions, as in the LCM */
#define HL_FUNC_BOOT	    (1u << 0)
#define HL_FUNC_CRASH	    (1u << 1)
#define HL_FUNC_CONSOLE	    (1u << 2)
#define HL_FUNC_XENSTORE    (1u << 30)
#define HL_FUNC_LEGACY_DOM0 (1u << 31)

/* mode, as in the LCM */
#define HL_MODE_PV	     (1u << 0)
#define HL_MODE_DEVICE_MODEL (1u << 1)
#define HL_MODE_LONG	     (1u << 2)

/*
 * Roles: the permissions and functions that are in effect, in the order of all lists
 * of roles.  Permissions and functions are those of the LCM and do not change; roles
 * do: the console role moves with the ownership of the Xen console.
 */
enum hl_role {
	HL_ROLE_CONTROL,     /* "control" */
	HL_ROLE_HARDWARE,    /* "hardware" */
	HL_ROLE_BOOT,	     /* "boot" */
	HL_ROLE_CRASH,	     /* "crash" */
	HL_ROLE_CONSOLE,     /* "console" */
	HL_ROLE_XENSTORE,    /* "xenstore" */
	HL_ROLE_LEGACY_DOM0, /* "legacy-dom0" */
	HL_NR_ROLES
};

enum hl_launch_state {
	HL_LAUNCH_NONE,	      /* "none": booted without an LCM */
	HL_LAUNCH_BUILDING,   /* "building" */
	HL_LAUNCH_PREPARING,  /* "preparing": only the boot domain runs */
	HL_LAUNCH_FINALIZING, /* "finalizing" */
	HL_LAUNCH_COMPLETE,   /* "complete" */
	HL_LAUNCH_RECOVERY,   /* "recovery": the crash domain has the console */
	HL_LAUNCH_FAILED,     /* "failed" */
	HL_LAUNCH_UNKNOWN,    /* "unknown": not readable, or not known to this library */
	HL_NR_LAUNCH_STATES
};

enum hl_domain_state {
	/* initial domains */
	HL_DOMAIN_PLANNED,   /* "planned" */
	HL_DOMAIN_BUILT,     /* "built" */
	HL_DOMAIN_HELD,	     /* "held": waits for a control domain's release */
	HL_DOMAIN_PAUSED,    /* "paused"; post-boot domains too */
	HL_DOMAIN_STARTED,   /* "started" */
	HL_DOMAIN_READY,     /* "ready": it has reported so itself */
	HL_DOMAIN_FAILED,    /* "failed": could not be built */
	HL_DOMAIN_RECLAIMED, /* "reclaimed": destroyed */
	/* post-boot domains */
	HL_DOMAIN_RUNNING, /* "running" */
	/* both */
	HL_DOMAIN_SHUTDOWN, /* "shutdown": see the reason */
	HL_DOMAIN_DYING,    /* "dying": being torn down */
	HL_DOMAIN_UNKNOWN,  /* "unknown": not known to this library */
	HL_NR_DOMAIN_STATES
};

enum hl_origin {
	HL_ORIGIN_BOOT,	     /* "boot": built by Xen */
	HL_ORIGIN_POST_BOOT, /* "post-boot": built by a toolstack */
	HL_NR_ORIGINS
};

enum hl_module_type {
	HL_MODULE_KERNEL,      /* "kernel" */
	HL_MODULE_RAMDISK,     /* "ramdisk" */
	HL_MODULE_DEVICE_TREE, /* "device-tree" */
	HL_MODULE_MICROCODE,   /* "microcode" */
	HL_MODULE_XSM_POLICY,  /* "xsm-policy" */
	HL_MODULE_CONFIG,      /* "config" */
	HL_MODULE_FIRMWARE,    /* "firmware" */
	HL_MODULE_UNUSED,      /* "unused": no node of the LCM refers to it */
	HL_NR_MODULE_TYPES
};

enum hl_event_type {
	HL_EVENT_UNKNOWN,      /* "unknown" */
	HL_EVENT_LCM_FOUND,    /* "lcm-found"; arg: its size */
	HL_EVENT_BUILT,	       /* "built"; arg: index in the LCM */
	HL_EVENT_BUILD_FAILED, /* "build-failed"; arg: error code */
	HL_EVENT_STATE,	       /* "state"; arg: enum hl_launch_state, the new one */
	HL_EVENT_STARTED,      /* "started"; arg: index in the LCM */
	HL_EVENT_READY,	       /* "ready"; arg: index in the LCM */
	HL_EVENT_CONSOLE,      /* "console"; domid: new owner, arg: the old one */
	HL_EVENT_DIED,	       /* "died"; arg: shutdown code */
	HL_EVENT_RELEASED,     /* "released"; arg: index in the LCM */
	HL_EVENT_RECLAIMED,    /* "reclaimed"; arg: index in the LCM */
	HL_EVENT_BOOT_FAILED,  /* "boot-failed"; domid: that failed, arg: error code */
	HL_NR_EVENT_TYPES
};

/*
 * Return the name of a value; "unknown" if it is out of range.  Never NULL.
 * Since: 0.1
 */
const char *hl_role_name(enum hl_role role);
const char *hl_launch_state_name(enum hl_launch_state state);
const char *hl_domain_state_name(enum hl_domain_state state);
const char *hl_origin_name(enum hl_origin origin);
const char *hl_module_type_name(enum hl_module_type type);
const char *hl_event_name(enum hl_event_type type);

/*
 * Returns the name of one of Xen's shutdown codes (SHUTDOWN_*): "poweroff",
 * "reboot", "suspend", "crash", "watchdog", "soft-reset", else "unknown".
 * Since: 0.1
 */
const char *hl_shutdown_name(uint32_t code);

/*
 * For an error code of an LCM or of Xen's builder, as in struct hl_launch and struct
 * hl_launch_domain: return a short name ("domid-duplicate"), and a sentence without
 * a full stop.  Never NULL; "unknown" for the code of a newer Xen.
 * Since: 0.1
 */
const char *hl_error_name(uint32_t code);
const char *hl_error_text(uint32_t code);

/*
 * Finds a role by name.  Returns 0, or -EINVAL: no such role.
 * Since: 0.1
 */
int hl_role_from_name(const char *name, enum hl_role *ret_role) HL_MUST_CHECK;

/*
 * Iterate over the names of bits: clear the lowest bit set in *bits and return its
 * name; NULL when none is left.  A bit without a name is returned as "bit-N", stored
 * in buf, for which 8 bytes are enough.
 *
 *	while ((name = hl_permission_next(&bits, buf, sizeof(buf))))
 * Since: 0.1
 */
const char *hl_permission_next(uint32_t *bits, char *buf, size_t size);
const char *hl_function_next(uint32_t *bits, char *buf, size_t size);
const char *hl_mode_next(uint32_t *bits, char *buf, size_t size);

/*
 * Formats a UUID: 8-4-4-4-12 lower-case hex digits.  The nil UUID, all zero, which
 * means none, is formatted as any other.
 * Since: 0.1
 */
void hl_uuid_to_text(const uint8_t uuid[16], char text[HL_UUID_TEXT_SIZE]);

/*
 * Parses a UUID in that form, in lower or upper case.
 * Returns 0, or -EINVAL: not a UUID.
 * Since: 0.1
 */
int hl_uuid_from_text(const char *text, uint8_t ret_uuid[16]) HL_MUST_CHECK;

/*
 * Formats a digest: 64 lower-case hex digits; "" if all bytes are zero, which means
 * not known.
 * Since: 0.1
 */
void hl_sha256_to_text(const uint8_t sha256[HL_SHA256_SIZE], char text[HL_SHA256_TEXT_SIZE]);

/*
 * Computes the SHA-256 digest of size bytes.
 * Since: 0.1
 */
void hl_sha256(const void *data, size_t size, uint8_t ret_sha256[HL_SHA256_SIZE]);

/*
 * Returns a copy of text in valid UTF-8, for the caller to free(); NULL: no memory.
 * Each of these is replaced by '?': a byte that is not part of valid UTF-8, a
 * control character, a line separator, a mark that changes the direction of text, a
 * noncharacter.
 * Since: 0.1
 */
char *hl_utf8_dup(const char *text) HL_MUST_CHECK;

/*
 * Returns the version of the library: "0.1.0".
 * Since: 0.1
 */
const char *hl_version(void);

/*
 * ---------------------------------------------------------------------------
 * Context
 * ---------------------------------------------------------------------------
 */

/*
 * Called with each message of the library.
 * @data: as passed to hl_new()
 * @priority: of syslog(3): LOG_DEBUG, or LOG_ERR for a sim file that can't be used
 * @text: valid during the call; no newline at its end
 * Since: 0.1
 */
typedef void (*hl_log_fn)(void *data, int priority, const char *text);

/*
 * Opens a hypervisor and makes a context for it, with one reference.
 * @spec: "xen": the hypervisor that this machine runs on.
 *        "sim:FILE[,control=PATH][,as=classic|unpatched]": a simulated one that
 *        launches the LCM in FILE at once; see "Simulator" below.
 * @log: called with messages; NULL: they are dropped
 * @data: passed to log
 *
 * "xen" succeeds on a Xen without Hyperlaunch: there hl_list_live() works, and
 * hl_get_launch() returns -EOPNOTSUPP.
 *
 * Returns 0, or -EINVAL: spec is invalid, or FILE is not an LCM; -ENOENT, -EACCES
 * and others: FILE can't be read; -EADDRINUSE: another process uses PATH; or an
 * error of the hypervisor.
 * Since: 0.1
 */
int hl_new(const char *spec, hl_log_fn log, void *data, struct hl_ctx **ret_ctx) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_ctx *hl_ref(struct hl_ctx *ctx);
struct hl_ctx *hl_unref(struct hl_ctx *ctx);

/*
 * Returns "xen" or "sim".
 * Since: 0.1
 */
const char *hl_backend(const struct hl_ctx *ctx);

/*
 * Returns a descriptor that becomes readable (POLLIN) when something may have
 * changed: then call hl_process().  The context owns it: do not read or close it.
 * Each call returns the same one.
 *
 * "xen" announces by a virtual interrupt: changes of the launch; of initial domains,
 * and of others once they have run, shutdown, pause, limits of memory and vCPUs, handle
 * and label; and that a domain is gone.  It does not announce that a toolstack has
 * created a domain, for which xenstore has the watch @introduceDomain, nor changes of
 * scheduling, of the memory in use, or of names.  "sim" announces the same, and names.
 *
 * Returns -EOPNOTSUPP if this Xen has no such interrupt; -EEXIST if another process of
 * this domain has it, since a virtual interrupt can be bound once in a domain: one
 * process listens, and others ask that one (hyperlaunchd, on D-Bus); or another error
 * of the hypervisor.
 * Since: 0.1
 */
int hl_get_fd(struct hl_ctx *ctx) HL_MUST_CHECK;

/*
 * Handles what made the descriptor readable, without blocking; "sim" also runs the
 * commands that have arrived on the control socket.
 * Returns 1 if something may have changed, so that a new snapshot is due, 0 if
 * nothing has, or an error as hl_get_fd() does.
 * Since: 0.1
 */
int hl_process(struct hl_ctx *ctx) HL_MUST_CHECK;

/*
 * ---------------------------------------------------------------------------
 * Records, as Xen keeps them
 * ---------------------------------------------------------------------------
 * Most callers need a snapshot and a table instead, which combine them.
 */

struct hl_launch {
	enum hl_launch_state state;
	uint32_t nr_domains; /* indexes of hl_get_domain() are 0..nr_domains - 1 */
	uint32_t nr_modules; /* indexes of hl_get_module() are 1..nr_modules */
	/* The domain with each role; HL_NO_DOMID: none.  Several may have control. */
	uint32_t hardware_domid;
	uint32_t boot_domid;
	uint32_t crash_domid;
	uint32_t console_domid; /* the domain with the console function */
	uint32_t xenstore_domid;
	uint32_t console_owner; /* the domain that has the Xen console now */
	uint32_t virq;		/* the interrupt that announces changes; 0: none */
	uint32_t self_domid;	/* the domain that this process runs in */
	uint32_t first_event;	/* sequence number of the oldest event kept */
	uint32_t nr_events;	/* sequence number of the next event */
	uint32_t lcm_size;	/* 0: no LCM */
	uint32_t error;		/* see hl_error_text(); 0: none */
	uint32_t error_domain;	/* index, or HL_NO_INDEX */
	/*
	 * The hardware domain has no CONTROL, and no IOMMU confines it: its devices can
	 * access all memory.
	 */
	bool weak_hardware;
	uint8_t lcm_sha256[HL_SHA256_SIZE];
	uint64_t start_ns; /* time since Xen's start: LCM found; 0: no LCM */
	uint64_t end_ns;   /* complete, recovery or failed; 0: not yet */
	/* Location of the error, as printed on Xen's console; "": not known, or none. */
	char error_node[HL_PATH_SIZE];
	char error_prop[HL_PROP_SIZE];
};

struct hl_launch_domain {
	uint32_t index;			       /* position in the LCM, from 0 */
	enum hl_domain_state state;	       /* PLANNED..RECLAIMED, or UNKNOWN */
	uint32_t requested_domid;	       /* as in the LCM; 0: the next free one */
	uint32_t domid;			       /* HL_NO_DOMID before it is built */
	uint32_t permissions, functions, mode; /* implied ones included */
	uint32_t cpus;
	uint64_t memory_kib;
	uint8_t uuid[16];			 /* all zero: none */
	uint32_t ssidref;			 /* 0 without FLASK */
	uint32_t error;				 /* see hl_error_text(); 0: none */
	uint32_t errnum;			 /* positive errno of Xen's builder; 0: none */
	uint32_t kernel, ramdisk;		 /* module index, or HL_NO_INDEX */
	uint32_t store_port, console_port;	 /* the domain's own event channels; 0: none */
	uint64_t store_gfn, console_gfn;	 /* HL_NO_GFN: none */
	uint64_t built_ns, started_ns, ready_ns; /* since Xen's start; 0: not yet */
	char name[HL_NAME_SIZE];
	char error_prop[HL_PROP_SIZE]; /* "": none */
};

struct hl_launch_module {
	uint32_t index; /* in the boot chain, where the LCM is 0 */
	enum hl_module_type type;
	uint64_t size;			/* as loaded */
	uint8_t sha256[HL_SHA256_SIZE]; /* as loaded, before Xen unpacked it */
	uint32_t users;			/* bit i: the domain with index i uses it */
};

struct hl_event {
	uint64_t time_ns; /* since Xen's start */
	uint32_t seq;	  /* from 0, no gaps */
	enum hl_event_type type;
	uint32_t domid; /* HL_NO_DOMID: concerns the launch as a whole */
	uint32_t arg;	/* see enum hl_event_type */
};

/* A domain that exists now, initial or not. */
struct hl_live_domain {
	uint32_t domid;
	uint8_t handle[16]; /* a UUID set by a toolstack or the LCM; all zero: none */
	bool hvm;	    /* HVM or PVH; else PV */
	bool dying, shutdown, paused, running, blocked;
	bool xenstore;		 /* flagged as the xenstore domain */
	uint32_t shutdown_code;	 /* see hl_shutdown_name(); valid if shutdown */
	uint64_t memory_max;	 /* bytes; HL_UNLIMITED: no limit */
	uint64_t memory_current; /* bytes */
	uint32_t vcpus_max, vcpus_online;
	uint64_t cpu_time_ns;
	uint32_t ssidref;	 /* 0 without FLASK */
	char name[HL_NAME_SIZE]; /* "sim" only; "" with "xen", which has no names */
	char label[128];	 /* FLASK's context of ssidref; "" without FLASK */
	uint32_t weight;	 /* in the scheduler; 0: no weights, or no permission */
	uint32_t cap;		 /* in % of one CPU; 0: none */
	/*
	 * The host's CPUs that its vCPUs may run on (hard) and prefer (soft): "all",
	 * "0-1,3", or "0-1: 0; 2: all" if vCPUs differ.  "..." at the end: cut off.
	 * "": no permission to read them.
	 */
	char hard_affinity[HL_AFFINITY_SIZE], soft_affinity[HL_AFFINITY_SIZE];
};

/*
 * Reads the record of the launch as a whole.  Its state is NONE if Xen booted
 * without an LCM.  Returns 0, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_get_launch(struct hl_ctx *ctx, struct hl_launch *ret_launch) HL_MUST_CHECK;

/*
 * Reads the record of an initial domain, by its position in the LCM, from 0.
 * Returns 0, -ENOENT: beyond the last, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_get_domain(struct hl_ctx *ctx, uint32_t index,
		  struct hl_launch_domain *ret_domain) HL_MUST_CHECK;

/*
 * Reads the record of a boot module, by its index in the boot chain, from 1.
 * Returns 0, -ENOENT: no such module, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_get_module(struct hl_ctx *ctx, uint32_t index,
		  struct hl_launch_module *ret_module) HL_MUST_CHECK;

/* The host as the hypervisor sees it.  Texts are "" where it does not say. */
struct hl_host {
	char version[64];		    /* "4.20.4-pre" */
	char capabilities[128];		    /* guest types: "xen-3.0-x86_64 hvm-3.0-x86_32 ..." */
	char scheduler[16];		    /* "credit2" */
	uint64_t memory_total, memory_free; /* bytes */
	uint32_t cpus;			    /* online */
	uint32_t cpu_khz;		    /* 0: not known */
	bool hvm, iommu;		    /* domains may be HVM or PVH; devices can be assigned */
};

/*
 * Reads the facts above; what changes is as of now.
 * Returns 0, or an error of the hypervisor: -EPERM also if this domain has no control.
 * Since: 0.1
 */
int hl_get_host(struct hl_ctx *ctx, struct hl_host *ret_host) HL_MUST_CHECK;

/*
 * Reads the hypervisor's log, oldest line first, as far as its buffer has it; the
 * caller has to free(*ret_text), which ends in a NUL that *ret_size does not count.
 * It has output of domains too: bytes are as they were written.
 * Returns 0, -ENOMEM, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_read_log(struct hl_ctx *ctx, char **ret_text, size_t *ret_size) HL_MUST_CHECK;

/*
 * Reads the LCM; the caller has to free(*ret_blob).
 * Returns 0, -ENOENT: Xen booted without an LCM, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_read_lcm(struct hl_ctx *ctx, void **ret_blob, size_t *ret_size) HL_MUST_CHECK;

/*
 * Reads the launch log from sequence number since on, or from the oldest event that
 * Xen still keeps; the caller has to free(*ret_events).  If there are no such
 * events, *ret_nr is 0 and *ret_events NULL.
 * Returns 0, -ENOENT: Xen booted without an LCM, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_get_events(struct hl_ctx *ctx, uint32_t since, struct hl_event **ret_events,
		  size_t *ret_nr) HL_MUST_CHECK;

/*
 * Lists all domains that exist, by rising domid; works on a Xen without Hyperlaunch.
 * The caller has to free(*ret_domains), which is NULL if *ret_nr is 0.
 * Returns 0, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_list_live(struct hl_ctx *ctx, struct hl_live_domain **ret_domains,
		 size_t *ret_nr) HL_MUST_CHECK;

/*
 * ---------------------------------------------------------------------------
 * Requests: functions that change something in the hypervisor
 * ---------------------------------------------------------------------------
 * They return, besides the errors of the hypervisor: -ENOENT: Xen booted without an
 * LCM; -EINVAL: this Xen does not support the request; -ESRCH: no such domain, or
 * it is dying.  Changes are announced by hl_get_fd() and are in the next snapshot.
 */

/*
 * Makes a domain the owner of the Xen console: of its input, its interrupt, raw
 * output, and the permission to use it, all of which the previous owner loses.  No
 * effect if it is the owner already.  Allowed for control domains and for the owner.
 * @loan_ms: 0: no loan, else the time in milliseconds after which the hypervisor
 *           returns the console to the previous owner
 *
 * An owner that is destroyed or shuts down is succeeded by the domain with the
 * console function, else by a control domain, else by the hardware domain.  So is
 * the lender, if it is gone when its loan ends.  A loan is over early when its
 * borrower is gone, or by another request; a console that is lent again is returned
 * to the first lender.  An owner without the control permission cannot extend its
 * loan.
 *
 * The console changes owners between two lines of input only.  -EAGAIN: a line is
 * being typed, or the owner has not read it yet, and is still delivered to the
 * owner; the hand-off follows by itself at its end, after 500 ms without input, or
 * after 2 s, whichever is first.  Repeat the request to find out: it returns 0 once
 * the hand-off is done.
 *
 * Returns 0, or -EAGAIN: see above; -EBUSY: another domain gets the console at the
 * next line end; -ENXIO: the domain is a crash domain that does not run, or it has
 * shut down; or an error as listed for all requests.
 * Since: 0.1
 */
int hl_set_console(struct hl_ctx *ctx, uint32_t domid, uint32_t loan_ms) HL_MUST_CHECK;

/*
 * Makes another domain the console back end of a domain, which does not notice the
 * change.  Allowed for control domains.
 * @domid: the domain whose PV console ring is served
 * @backend: the domain that is to serve it
 *
 * Returns 0, or -ENOENT: also if domid has no console ring; -EBUSY: the present back
 * end has not released the ring; or an error as listed for all requests.
 * Since: 0.1
 */
int hl_move_console_backend(struct hl_ctx *ctx, uint32_t domid, uint32_t backend) HL_MUST_CHECK;

/*
 * Starts an initial domain that is held.  Allowed for control domains.
 * Returns 0, or -ESRCH: also if it is not an initial domain; -EBUSY: it is not held;
 * or an error as listed for all requests.
 * Since: 0.1
 */
int hl_release(struct hl_ctx *ctx, uint32_t domid) HL_MUST_CHECK;

/*
 * Reports to Xen that the domain which this process runs in is ready.  Allowed for
 * each initial domain; no effect from the second time on.
 * Returns 0, or -EPERM: this is not an initial domain; or an error as listed for all
 * requests.
 * Since: 0.1
 */
int hl_ready(struct hl_ctx *ctx) HL_MUST_CHECK;

/*
 * ---------------------------------------------------------------------------
 * LCM
 * ---------------------------------------------------------------------------
 */

/* The first error of an LCM. */
struct hl_lcm_error {
	uint32_t code;		 /* see hl_error_name() */
	uint64_t value;		 /* the invalid value, if it is a number */
	char node[256];		 /* path of the node; "/": the LCM as a whole */
	char other_node[256];	 /* path of the node that it conflicts with; "": none */
	char prop[HL_PROP_SIZE]; /* "": the node itself */
	char text[768];		 /* all of that in one sentence, without a full stop */
};

enum hl_platform {
	HL_PLATFORM_GUESS, /* mb-index: x86; module addresses: Arm */
	HL_PLATFORM_X86,
	HL_PLATFORM_ARM,
};

/* What an LCM is checked against.  0 in a field: not known, so not checked. */
struct hl_lcm_limits {
	enum hl_platform platform;
	uint32_t nr_modules;   /* boot modules after the LCM */
	uint64_t memory_kib;   /* of the host */
	uint32_t max_vcpus;    /* of a domain */
	uint32_t max_vcpus_pv; /* of a PV domain; 0: as max_vcpus */
	uint32_t host_cpus;    /* the host's CPUs are 0..host_cpus - 1 */
	bool no_pv32;	       /* reject 32-bit PV */
	bool strict;	       /* reject what this project's Xen does not build */
	bool source;	       /* a source LCM: a module may be located by `file` */
	bool no_modules;       /* no modules after the LCM: every index is invalid */
};

struct hl_lcm_module {
	enum hl_module_type type;
	uint32_t domain;	      /* index, or HL_NO_INDEX: for Xen itself */
	uint32_t index;		      /* in the boot chain; HL_NO_INDEX: not located by index */
	uint64_t addr, size;	      /* both 0: not located by address */
	const char *file;	      /* NULL: none */
	const char *bootargs;	      /* NULL: none */
	const uint8_t *digest_sha256; /* HL_SHA256_SIZE bytes; NULL: none */
	const char *node;	      /* path */
};

struct hl_lcm_pci {
	uint32_t domain;  /* index */
	const char *bdf;  /* "0000:01:10.0"; NULL: not given by address */
	const char *path; /* "0000:00:1c.0/00.0"; NULL: not given by path */
	const char *pf;	  /* address of the physical function; NULL: not by VF */
	uint32_t vf;	  /* number of the virtual function, from 0; valid with pf */
	/* If bdf, path and pf are NULL: each device that matches; HL_NO_INDEX: any. */
	uint32_t class_code, vendor, device;
	uint32_t count; /* maximum number of devices; 0: no limit */
	uint32_t slot;	/* virtual slot; HL_NO_INDEX: any */
	bool optional, permissive;
	bool no_reset;	  /* false: a device that can't be reset is an error */
	const char *node; /* path */
};

struct hl_lcm_vcpu {
	uint32_t domain;	   /* index */
	uint32_t id;		   /* from 0 */
	const char *hard_affinity; /* "0-3,6": the host's CPUs; NULL: any */
	const char *node;	   /* path */
};

struct hl_lcm_disk {
	uint32_t domain;    /* index */
	const char *path;   /* in the domain of the back end */
	const char *vdev;   /* "xvda" */
	const char *format; /* "raw" */
	/* Index; HL_NO_INDEX: none is given, and there is no hardware domain. */
	uint32_t backend;
	bool read_only;
	const char *node; /* path */
};

struct hl_lcm_nic {
	uint32_t domain;    /* index */
	const char *bridge; /* NULL: the back end's default */
	const char *mac;    /* "00:16:3e:00:00:01"; NULL: any */
	uint32_t backend;   /* as in struct hl_lcm_disk */
	const char *node;   /* path */
};

struct hl_lcm_domain {
	const char *name;		       /* as in the LCM, so not necessarily UTF-8 */
	const char *node;		       /* path */
	uint32_t requested_domid;	       /* 0: the next free one */
	uint32_t domid;			       /* the one that Xen will assign */
	uint32_t permissions, functions, mode; /* implied ones included */
	uint32_t cpus;
	uint64_t memory_kib;
	uint8_t uuid[16];	 /* all zero: none */
	const char *security_id; /* as written; NULL: the default, domu_t */
	bool hold;		 /* held until a control domain releases it */
	uint32_t start_after;	 /* bit i: starts after the domain with index i */
	/* Arguments for hl_lcm_get_module(), or HL_NO_INDEX. */
	uint32_t kernel, ramdisk, device_tree, config, firmware;
	const char *restart;	/* "never", "on-failure" or "always" */
	uint32_t restart_limit; /* maximum number of restarts in ten minutes */
};

/*
 * Parses and checks an LCM, of which it keeps a copy, and makes an object with one
 * reference.
 * @limits: NULL: nothing is known
 * @err: set on -EINVAL only; may be NULL
 *
 * Returns 0, or -EINVAL: the LCM is invalid.
 * Since: 0.1
 */
int hl_lcm_new(const void *blob, size_t size, const struct hl_lcm_limits *limits,
	       struct hl_lcm_error *err, struct hl_lcm **ret_lcm) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_lcm *hl_lcm_ref(struct hl_lcm *lcm);
struct hl_lcm *hl_lcm_unref(struct hl_lcm *lcm);

/*
 * Returns the bytes that the LCM was made from.
 * Since: 0.1
 */
const void *hl_lcm_get_blob(const struct hl_lcm *lcm, size_t *ret_size);

/*
 * Returns "hypervisor" (domains in /chosen/hypervisor) or "dom0less" (xen,domain
 * children of /chosen).
 * Since: 0.1
 */
const char *hl_lcm_form(const struct hl_lcm *lcm);

/*
 * Returns whether any domain has CONTROL: a dynamic launch, else a static one.
 * Since: 0.1
 */
bool hl_lcm_is_dynamic(const struct hl_lcm *lcm);

/*
 * Returns the time in milliseconds that the boot domain may take; 0: no limit.
 * Since: 0.1
 */
uint32_t hl_lcm_boot_timeout_ms(const struct hl_lcm *lcm);

/*
 * Return the number of, and one of: domains in LCM order; modules and other nodes in
 * the order of their nodes; warnings, each a sentence with the path of the node.
 * i is from 0; NULL: beyond the last.
 * Since: 0.1
 */
uint32_t hl_lcm_nr_domains(const struct hl_lcm *lcm);
const struct hl_lcm_domain *hl_lcm_get_domain(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_modules(const struct hl_lcm *lcm);
const struct hl_lcm_module *hl_lcm_get_module(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_pci(const struct hl_lcm *lcm);
const struct hl_lcm_pci *hl_lcm_get_pci(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_vcpus(const struct hl_lcm *lcm);
const struct hl_lcm_vcpu *hl_lcm_get_vcpu(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_disks(const struct hl_lcm *lcm);
const struct hl_lcm_disk *hl_lcm_get_disk(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_nics(const struct hl_lcm *lcm);
const struct hl_lcm_nic *hl_lcm_get_nic(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_warnings(const struct hl_lcm *lcm);
const char *hl_lcm_get_warning(const struct hl_lcm *lcm, uint32_t i);

/*
 * Returns a module of /chosen itself in a "dom0less" tree, i from 0: of the dom0 that
 * Xen builds in the classic way, besides the domains of the LCM.  Its domain and
 * index are HL_NO_INDEX.  NULL: beyond the last, or there is no such dom0.
 * Since: 0.1
 */
const struct hl_lcm_module *hl_lcm_get_classic_module(const struct hl_lcm *lcm, uint32_t i);

/*
 * Formats the LCM as JSON: indented, in UTF-8, with a newline at its end.  libhl(3)
 * lists the fields.  The caller has to free(*ret_text).
 * Returns 0, or -ENOMEM.
 * Since: 0.1
 */
int hl_lcm_to_json(const struct hl_lcm *lcm, char **ret_text) HL_MUST_CHECK;

/*
 * Decompiles any flattened device tree to source that dtc(1) compiles to the same
 * tree.  Whether a property is cells, strings or bytes is guessed from its name and
 * content.  The caller has to free(*ret_text).
 * Returns 0, or -EINVAL: not a valid device tree; -EILSEQ: a name in it that source
 * cannot express.
 * Since: 0.1
 */
int hl_fdt_to_dts(const void *blob, size_t size, char **ret_text) HL_MUST_CHECK;

/*
 * ---------------------------------------------------------------------------
 * Snapshot: all records at one moment
 * ---------------------------------------------------------------------------
 */

/*
 * Reads the records of the launch, its domains and modules, the list of live domains
 * and (once per context) the LCM.  If they change meanwhile it starts again, a few
 * times at most.
 *
 * It is no error if this Xen has no Hyperlaunch or booted without an LCM, if the LCM
 * is invalid, or if this domain may not read parts other than the live domains: they
 * are missing in the snapshot, and the table shows that.
 *
 * Returns 0, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_snapshot_read(struct hl_ctx *ctx, struct hl_snapshot **ret_snapshot) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_snapshot *hl_snapshot_free(struct hl_snapshot *snapshot);

/*
 * Returns the live domains of a snapshot, by rising domid.
 * Since: 0.1
 */
const struct hl_live_domain *hl_snapshot_live(const struct hl_snapshot *snapshot, size_t *ret_nr);

/*
 * Returns the LCM of a snapshot, or NULL.  The snapshot keeps its reference: take
 * one with hl_lcm_ref() to use the LCM longer than the snapshot.
 * Since: 0.1
 */
struct hl_lcm *hl_snapshot_lcm(const struct hl_snapshot *snapshot);

/*
 * Sets the name of a live domain, for the table: the one that xenstore has.
 * @name: copied; NULL or "": none
 *
 * Returns 0, or -ENOENT: no such live domain.
 * Since: 0.1
 */
int hl_snapshot_set_name(struct hl_snapshot *snapshot, uint32_t domid, const char *name);

/*
 * ---------------------------------------------------------------------------
 * Table: one row per domain
 * ---------------------------------------------------------------------------
 */

struct hl_domain_module {
	enum hl_module_type type;
	uint32_t index;			/* in the boot chain; HL_NO_INDEX: none */
	uint64_t size;			/* as loaded; 0: not known */
	uint8_t sha256[HL_SHA256_SIZE]; /* as loaded; all zero: not known */
};

struct hl_drift {
	/*
	 * "domid", "name", "uuid", "permissions", "functions", "mode", "cpus",
	 * "memory_kib", "security_label", "module N digest"
	 */
	const char *field;
	const char *lcm, *actual; /* "": none */
};

/*
 * domid and generation together identify a row permanently: a domid that is used
 * again has another generation.  The generation of an initial domain is 0; without a
 * domid it is the index.  That of a post-boot domain is computed from its handle, so
 * it is the same in each process.  (Only a domid and a handle that are used again
 * together identify the same row.)
 *
 * No string is NULL; all are as hl_utf8_dup() makes them.
 */
struct hl_domain {
	uint32_t domid; /* or HL_NO_DOMID */
	uint64_t generation;
	enum hl_origin origin;
	uint32_t index;		  /* in the LCM; HL_NO_INDEX: not from the LCM */
	uint32_t requested_domid; /* 0: the next free one; HL_NO_DOMID: post-boot */
	const char *name;	  /* xenstore's, else the LCM's, else "" */
	/* Initial domains: the LCM's, nil if it has none; post-boot domains: the handle. */
	uint8_t uuid[16];
	char uuid_text[HL_UUID_TEXT_SIZE];
	/* What Xen has now, which toolstacks use as the UUID; nil if not live. */
	uint8_t handle[16];
	char handle_text[HL_UUID_TEXT_SIZE]; /* "" if not live */
	/* For post-boot domains mode has no other bit than PV. */
	uint32_t permissions, functions, mode;
	uint32_t roles; /* bits 1 << enum hl_role; 0 once reclaimed or failed */
	enum hl_domain_state state;
	const char *reason;		     /* why it is in that state; "": nothing to add */
	bool live;			     /* exists now: memory_max to vcpus_online are valid */
	uint64_t memory_max, memory_current; /* bytes; memory_max may be HL_UNLIMITED */
	uint32_t vcpus_max, vcpus_online;
	uint64_t memory_planned_kib;			  /* 0: post-boot */
	uint32_t vcpus_planned;				  /* 0: post-boot */
	uint32_t ssidref;				  /* 0 without FLASK */
	const char *security_label;			  /* the one in effect, else the LCM's */
	const char *lcm_node;				  /* path; "": not from the LCM */
	uint32_t error;					  /* see hl_error_name(); 0: none */
	uint32_t errnum;				  /* positive errno of Xen's builder */
	const char *error_text, *error_node, *error_prop; /* "": none */
	uint32_t store_port, console_port;		  /* 0: none */
	uint64_t store_gfn, console_gfn;		  /* HL_NO_GFN: none */
	uint64_t built_ns, started_ns, ready_ns; /* since Xen's start; 0: not yet or never */
	uint32_t nr_modules;
	const struct hl_domain_module *modules;
	uint32_t nr_drift;
	const struct hl_drift *drift;
	/* As in struct hl_live_domain; 0 and "" if not live. */
	uint32_t weight, cap;
	const char *hard_affinity, *soft_affinity;
};

struct hl_table_module {
	uint32_t index;
	enum hl_module_type type;
	uint64_t size;
	uint8_t sha256[HL_SHA256_SIZE];
	uint32_t nr_domains;
	const char *const *domains; /* names of the domains that use it, in LCM order */
};

/* The launch as a whole.  Strings are as in struct hl_domain. */
struct hl_summary {
	enum hl_launch_state state;
	bool available;	    /* this Xen has Hyperlaunch, and permits to read it */
	const char *source; /* "hypervisor", "simulated", or "none": no LCM */
	const char *form;   /* as hl_lcm_form(); "": not known */
	bool dynamic;	    /* a domain has CONTROL */
	uint32_t expected;  /* number of domains in the LCM */
	uint32_t built;	    /* number of these that were built, existing or not */
	uint32_t failed;    /* number of these in state FAILED */
	uint32_t error;	    /* see hl_error_name(); 0: none */
	const char *error_text, *error_node, *error_prop; /* "": none */
	/* HL_NO_DOMID: none, or not known */
	uint32_t hardware_domid, boot_domid, crash_domid, console_domid, xenstore_domid;
	uint32_t console_owner; /* the domain that has the Xen console now */
	uint32_t self_domid;	/* the domain that this process runs in */
	bool weak_hardware;	/* as in struct hl_launch */
	uint32_t lcm_size;	/* bytes; 0: no LCM */
	uint8_t lcm_sha256[HL_SHA256_SIZE];
	uint64_t start_ns, end_ns; /* since Xen's start; 0: not yet, or never */
	uint32_t nr_events;	   /* sequence number of the next event */
	uint32_t nr_warnings;
	const char *const *warnings;
};

/*
 * Merges LCM, launch records and live domains into a table, with one reference.
 * Equal snapshots make equal tables.  The snapshot may be freed afterwards.
 * Returns 0, or -EBADMSG: the records are inconsistent (two rows have the same domid
 * and generation).
 * Since: 0.1
 */
int hl_table_new(const struct hl_snapshot *snapshot, struct hl_table **ret_table) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_table *hl_table_ref(struct hl_table *table);
struct hl_table *hl_table_unref(struct hl_table *table);

/*
 * Returns the row of the launch as a whole.
 * Since: 0.1
 */
const struct hl_summary *hl_table_summary(const struct hl_table *table);

/*
 * Return the number of rows, and one of them, i from 0; NULL: beyond the last.  They
 * are ordered by domid and generation; domains without a domid come last, in LCM
 * order.
 * Since: 0.1
 */
uint32_t hl_table_nr_domains(const struct hl_table *table);
const struct hl_domain *hl_table_get(const struct hl_table *table, uint32_t i);

/*
 * Return the number of boot modules, and one of them by rising index, i from 0; NULL:
 * beyond the last.
 * Since: 0.1
 */
uint32_t hl_table_nr_modules(const struct hl_table *table);
const struct hl_table_module *hl_table_get_module(const struct hl_table *table, uint32_t i);

/*
 * Find a row by domid, name or UUID, which is compared with the row's uuid and its
 * handle.  The row of a live domain is preferred to that of another.
 * Return 0, or -ENOENT: no such row, always for HL_NO_DOMID, "" and the nil UUID;
 * -ENOTUNIQ: several live domains have that name or UUID, which neither Xen nor
 * toolstacks prevent.
 * Since: 0.1
 */
int hl_table_find_domid(const struct hl_table *table, uint32_t domid,
			const struct hl_domain **ret_domain) HL_MUST_CHECK;
int hl_table_find_name(const struct hl_table *table, const char *name,
		       const struct hl_domain **ret_domain) HL_MUST_CHECK;
int hl_table_find_uuid(const struct hl_table *table, const uint8_t uuid[16],
		       const struct hl_domain **ret_domain) HL_MUST_CHECK;

/*
 * Finds a row by domid and generation.  Returns 0, or -ENOENT: no such row.
 * Since: 0.1
 */
int hl_table_find(const struct hl_table *table, uint32_t domid, uint64_t generation,
		  const struct hl_domain **ret_domain) HL_MUST_CHECK;

/*
 * Iterates over the domains that have a role: returns the first if prev is NULL, else
 * the one after prev; NULL: no more.
 * Since: 0.1
 */
const struct hl_domain *hl_table_next_role(const struct hl_table *table, enum hl_role role,
					   const struct hl_domain *prev);

/*
 * ---------------------------------------------------------------------------
 * Diff of two tables
 * ---------------------------------------------------------------------------
 */

/* Fields of struct hl_domain that differ. */
#define HL_FIELD_NAME		(1u << 0)
#define HL_FIELD_UUID		(1u << 1)
#define HL_FIELD_PERMISSIONS	(1u << 2)
#define HL_FIELD_FUNCTIONS	(1u << 3)
#define HL_FIELD_ROLES		(1u << 4)
#define HL_FIELD_MODE		(1u << 5)
#define HL_FIELD_STATE		(1u << 6)
#define HL_FIELD_REASON		(1u << 7)
#define HL_FIELD_MEMORY_MAX	(1u << 8)
#define HL_FIELD_MEMORY_CURRENT (1u << 9)
#define HL_FIELD_VCPUS_MAX	(1u << 10)
#define HL_FIELD_VCPUS_ONLINE	(1u << 11)
#define HL_FIELD_SECURITY_LABEL (1u << 12)
#define HL_FIELD_ERROR		(1u << 13) /* error, errnum, and their texts */
#define HL_FIELD_STORE		(1u << 14) /* store_port, store_gfn */
#define HL_FIELD_CONSOLE	(1u << 15) /* console_port, console_gfn */
#define HL_FIELD_TIMES		(1u << 16)
#define HL_FIELD_MODULES	(1u << 17)
#define HL_FIELD_DRIFT		(1u << 18)
#define HL_FIELD_LIVE		(1u << 19)
#define HL_FIELD_HANDLE		(1u << 20)

/* Fields of struct hl_summary that differ. */
#define HL_SUMMARY_STATE	 (1u << 0)
#define HL_SUMMARY_ROLES	 (1u << 1) /* one of the *_domid of a role */
#define HL_SUMMARY_CONSOLE_OWNER (1u << 2)
#define HL_SUMMARY_COUNTS	 (1u << 3) /* expected, built, failed */
#define HL_SUMMARY_ERROR	 (1u << 4)
#define HL_SUMMARY_OTHER	 (1u << 5) /* anything else */
#define HL_SUMMARY_EVENTS	 (1u << 6) /* nr_events */

enum hl_change_type {
	HL_CHANGE_REMOVED,
	HL_CHANGE_ADDED,
	HL_CHANGE_CHANGED,
};

struct hl_change {
	enum hl_change_type type;
	const struct hl_domain *before; /* NULL: added */
	const struct hl_domain *after;	/* NULL: removed */
	uint32_t fields;		/* HL_FIELD_*, of a changed one */
};

/*
 * Compares two tables: removals come first, then additions, then changes, each in
 * row order.  Takes a reference to both.
 * @before: NULL: each row of after is an addition
 *
 * Returns 0, or -ENOMEM.
 * Since: 0.1
 */
int hl_diff_new(struct hl_table *before, struct hl_table *after,
		struct hl_diff **ret_diff) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_diff *hl_diff_free(struct hl_diff *diff);

/*
 * Return the number of changes, and one of them, i from 0; NULL: beyond the last.
 * Since: 0.1
 */
uint32_t hl_diff_nr_changes(const struct hl_diff *diff);
const struct hl_change *hl_diff_get(const struct hl_diff *diff, uint32_t i);

/*
 * Returns the fields of the summary that differ, HL_SUMMARY_*; all of them if before
 * was NULL.
 * Since: 0.1
 */
uint32_t hl_diff_summary(const struct hl_diff *diff);

/*
 * ---------------------------------------------------------------------------
 * Simulator
 * ---------------------------------------------------------------------------
 * A hypervisor inside the process, for the development of toolstacks without Xen and
 * for tests.  It launches the LCM in FILE as Xen does, but at once: after hl_new()
 * all domains are built and, except held and crash domains, started; a boot domain
 * has finished and is reclaimed.  An LCM with an error ends as in Xen: in state
 * recovery with the crash domain alone, or failed, with the error in the records.
 * The clock starts at 1 s and advances by 1 ms per event, so that two runs make the
 * same records.  Modules have no content: their size is 0, and their digest is the
 * LCM's digest-sha256.  Requests are made as the first domain with the control
 * permission, or, if there is none, as the hardware domain.
 *
 * as=classic: a Xen that booted a dom0 without an LCM; FILE may be empty.
 * as=unpatched: the same, with a Xen that has no Hyperlaunch.
 * control=PATH: hl_process() accepts commands on a Unix datagram socket at PATH
 * (mode 0600; a stale socket is replaced; hl_unref() removes it).  Each datagram is
 * one command, and is answered by one datagram to its sender: "ok", "ok TEXT", or
 * "error ERRNO TEXT".  FILE and PATH cannot contain commas.
 *
 * Commands.  DOMAIN is a domid or the name of a domain.
 *   domain-add NAME [uuid=UUID] [domid=N] [memory=KIB] [vcpus=N] [pv]
 *                           creates a running post-boot domain; replies with its
 *                           domid; NAME -: no name, as in Xen, which has none
 *   domain-remove DOMAIN    destroys it; an initial domain becomes reclaimed
 *   shutdown DOMAIN REASON  poweroff, reboot, suspend, crash, watchdog, soft-reset
 *   dying DOMAIN            its teardown begins; it is still listed
 *   pause DOMAIN, unpause DOMAIN
 *   rename DOMAIN NAME      the name that a toolstack sets in xenstore
 *   handle DOMAIN UUID      the handle that a toolstack sets
 *   label DOMAIN TEXT       FLASK's context
 *   memory DOMAIN KIB       new maximum
 *   weight DOMAIN N         in the scheduler; 256 by default
 *   cap DOMAIN PERCENT      0: none
 *   affinity DOMAIN TEXT    hard affinity, as in struct hl_live_domain, without blanks
 *   ready DOMAIN            an initial domain reports that it is ready
 *   release DOMAIN          releases a held domain
 *   console DOMAIN          new owner of the Xen console, without a loan
 *   fail DOMAIN CODE PROP   the build of an initial domain fails after the fact: CODE
 *                           as hl_error_name(), PROP may be absent; the launch ends
 *                           in recovery, or failed without a crash domain
 *   state STATE             of the launch, by name
 *   announce WHAT           off: changes no longer make the descriptor readable, as
 *                           with a Xen that does not announce them; on: they do
 *   weak-hwdom WHAT         on: the host has no IOMMU to confine the hardware domain,
 *                           which has no CONTROL; off: it has one
 *   typing WHAT             on: begins a line of input for the console owner; off: ends
 *                           it.  A hand-off waits for its end, for 2 s at most
 *   kill WHEN OP            kills this process in OP, set-console or release; WHEN:
 *                           before or after the operation
 *   fault OP ERRNO COUNT    the next COUNT calls of OP fail with ERRNO; OP: get-info,
 *                           get-domain, get-module, read-lcm, get-events, list-live,
 *                           set-console, move-console-backend, release, ready,
 *                           process; ERRNO by name (EPERM) or number; COUNT 0 ends it
 */

/*
 * Runs one command.
 * @ret_reply: set to the reply that the socket would send, on success and on failure,
 *             for the caller to free(); NULL: no memory.  May be NULL itself.
 *
 * Returns 0, the error of the command, -EINVAL: no such command, or invalid
 * arguments; or -EOPNOTSUPP, with *ret_reply untouched: ctx is not a simulator.
 * Since: 0.1
 */
int hl_sim_command(struct hl_ctx *ctx, const char *command, char **ret_reply);

#ifdef __cplusplus
}
#endif

#endif /* HL_H */
