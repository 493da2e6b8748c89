/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libhl: what was launched from the launch control module (LCM), and what
 * became of it.
 *
 *   hl_new() -> hl_snapshot_read() -> hl_table_new() -> rows to show
 *                                          two tables -> hl_diff_new()
 *
 * Conventions
 * -----------
 * - Functions that can fail return 0 or a positive count, or a negative errno.
 *   Results go to the last parameters, named ret_*, untouched on failure.
 * - Free and unref functions take NULL and return NULL.
 * - The library prints nothing.  It tells a callback, if given one.
 * - struct hl_lcm and struct hl_table never change once made, and their
 *   reference counts are atomic: they may be shared between threads.  A context
 *   and a snapshot belong to one thread at a time.
 * - Pointers into an LCM, a table or a diff live as long as that object.
 * - Structs that the library hands out by pointer may grow at their end; the ones
 *   that callers allocate do not grow within one soname.
 * - Sizes are bytes and times nanoseconds where the name does not say otherwise.
 * - Text from an LCM is any bytes but NUL.  What goes to D-Bus or JSON must be
 *   UTF-8: names in a table row are made so (see struct hl_domain), and
 *   hl_utf8_dup() does it for the rest.
 *
 * Errors of all functions that ask the hypervisor, besides those they list:
 *   -ENODEV      no Xen: not a Xen guest, or its driver is missing
 *   -EACCES      the driver's device node may not be opened (needs root)
 *   -EOPNOTSUPP  a Xen without Hyperlaunch
 *   -EPERM       this domain may not ask (it holds none of the roles that may)
 *   -EPROTO      another version of the interface than this library knows
 *   -EBADMSG     an answer that makes no sense: sizes or counts beyond all limits
 *   -ENOMEM
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
#define HL_MUST_CHECK __attribute__((warn_unused_result))
#else
#define HL_PRINTF(f, a)
#define HL_MUST_CHECK
#endif

struct hl_ctx;
struct hl_lcm;
struct hl_snapshot;
struct hl_table;
struct hl_diff;

#define HL_NO_DOMID		UINT32_MAX	/* no such domain, or not built yet */
#define HL_NO_INDEX		UINT32_MAX	/* no such module, or no such record */
#define HL_NO_GFN		UINT64_MAX
#define HL_UNLIMITED		UINT64_MAX	/* of memory_max */
#define HL_NAME_SIZE		64		/* with the NUL */
#define HL_PROP_SIZE		32
#define HL_PATH_SIZE		128
#define HL_UUID_TEXT_SIZE	37
#define HL_SHA256_SIZE		32
#define HL_SHA256_TEXT_SIZE	65

/*
 * ---------------------------------------------------------------------------
 * Words: bits and states, with their names on D-Bus, in JSON and in tables
 * ---------------------------------------------------------------------------
 */

/* permissions, as in the LCM */
#define HL_PERM_CONTROL		(1u << 0)
#define HL_PERM_HARDWARE	(1u << 1)

/* functions, as in the LCM */
#define HL_FUNC_BOOT		(1u << 0)
#define HL_FUNC_CRASH		(1u << 1)
#define HL_FUNC_CONSOLE		(1u << 2)
#define HL_FUNC_XENSTORE	(1u << 30)
#define HL_FUNC_LEGACY_DOM0	(1u << 31)

/* mode, as in the LCM */
#define HL_MODE_PV		(1u << 0)
#define HL_MODE_DEVICE_MODEL	(1u << 1)
#define HL_MODE_LONG		(1u << 2)

/*
 * Permissions and functions in one word; the order is that of all lists of roles.
 * A role is held now, while permissions and functions are what the LCM gave: the
 * console role is with the owner of the Xen console.
 */
enum hl_role {
	HL_ROLE_CONTROL,		/* "control" */
	HL_ROLE_HARDWARE,		/* "hardware" */
	HL_ROLE_BOOT,			/* "boot" */
	HL_ROLE_CRASH,			/* "crash" */
	HL_ROLE_CONSOLE,		/* "console" */
	HL_ROLE_XENSTORE,		/* "xenstore" */
	HL_ROLE_LEGACY_DOM0,		/* "legacy-dom0" */
	HL_NR_ROLES
};

enum hl_launch_state {
	HL_LAUNCH_NONE,			/* "none": booted without an LCM */
	HL_LAUNCH_BUILDING,		/* "building" */
	HL_LAUNCH_PREPARING,		/* "preparing": only the boot domain runs */
	HL_LAUNCH_FINALIZING,		/* "finalizing" */
	HL_LAUNCH_COMPLETE,		/* "complete" */
	HL_LAUNCH_RECOVERY,		/* "recovery": the crash domain has the console */
	HL_LAUNCH_FAILED,		/* "failed" */
	HL_LAUNCH_UNKNOWN,		/* "unknown": this Xen cannot say, or says something new */
	HL_NR_LAUNCH_STATES
};

enum hl_domain_state {
	/* initial domains */
	HL_DOMAIN_PLANNED,		/* "planned" */
	HL_DOMAIN_BUILT,		/* "built" */
	HL_DOMAIN_HELD,			/* "held": waits for a control domain's release */
	HL_DOMAIN_PAUSED,		/* "paused"; post-boot domains too */
	HL_DOMAIN_STARTED,		/* "started" */
	HL_DOMAIN_READY,		/* "ready": it said so itself */
	HL_DOMAIN_FAILED,		/* "failed" */
	HL_DOMAIN_RECLAIMED,		/* "reclaimed": destroyed */
	/* post-boot domains; the last two for initial ones as well */
	HL_DOMAIN_RUNNING,		/* "running" */
	HL_DOMAIN_SHUTDOWN,		/* "shutdown": the reason says why */
	HL_DOMAIN_DYING,		/* "dying": being torn down */
	HL_DOMAIN_UNKNOWN,		/* "unknown": a state this library does not know */
	HL_NR_DOMAIN_STATES
};

enum hl_origin {
	HL_ORIGIN_BOOT,			/* "boot": Xen built it */
	HL_ORIGIN_POST_BOOT,		/* "post-boot": a toolstack did */
	HL_NR_ORIGINS
};

enum hl_module_type {
	HL_MODULE_KERNEL,		/* "kernel" */
	HL_MODULE_RAMDISK,		/* "ramdisk" */
	HL_MODULE_DEVICE_TREE,		/* "device-tree" */
	HL_MODULE_MICROCODE,		/* "microcode" */
	HL_MODULE_XSM_POLICY,		/* "xsm-policy" */
	HL_MODULE_CONFIG,		/* "config" */
	HL_MODULE_UNUSED,		/* "unused": no node of the LCM names it */
	HL_NR_MODULE_TYPES
};

enum hl_event_type {
	HL_EVENT_UNKNOWN,		/* "unknown" */
	HL_EVENT_LCM_FOUND,		/* "lcm-found"; arg: bytes */
	HL_EVENT_BUILT,			/* "built"; arg: index in the LCM */
	HL_EVENT_BUILD_FAILED,		/* "build-failed"; arg: error code */
	HL_EVENT_STATE,			/* "state"; arg: enum hl_launch_state, the new one */
	HL_EVENT_STARTED,		/* "started"; arg: index in the LCM */
	HL_EVENT_READY,			/* "ready"; likewise */
	HL_EVENT_CONSOLE,		/* "console"; domid: new owner, arg: the old one */
	HL_EVENT_DIED,			/* "died"; arg: shutdown code */
	HL_EVENT_RELEASED,		/* "released"; arg: index in the LCM */
	HL_EVENT_RECLAIMED,		/* "reclaimed"; likewise */
	HL_EVENT_BOOT_FAILED,		/* "boot-failed"; domid: whose fault, arg: error code */
	HL_NR_EVENT_TYPES
};

/*
 * The word for a value; "unknown" for a value out of range.  Never NULL.
 * Since: 0.1
 */
const char *hl_role_name(enum hl_role role);
const char *hl_launch_state_name(enum hl_launch_state state);
const char *hl_domain_state_name(enum hl_domain_state state);
const char *hl_origin_name(enum hl_origin origin);
const char *hl_module_type_name(enum hl_module_type type);
const char *hl_event_name(enum hl_event_type type);

/*
 * Why a domain shut down, from Xen's code: "poweroff", "reboot", "suspend",
 * "crash", "watchdog", "soft-reset", else "unknown".
 * Since: 0.1
 */
const char *hl_shutdown_name(uint32_t code);

/*
 * An error code of an LCM or of Xen's builder, as struct hl_launch and struct
 * hl_launch_domain carry it: a short name ("domid-duplicate"), and a sentence
 * without its full stop.  Never NULL; "unknown" where the library is older than Xen.
 * Since: 0.1
 */
const char *hl_error_name(uint32_t code);
const char *hl_error_text(uint32_t code);

/*
 * The role of that name.  -EINVAL: no such role.
 * Since: 0.1
 */
int hl_role_from_name(const char *name, enum hl_role *ret_role) HL_MUST_CHECK;

/*
 * Bits to names: the name of the lowest bit that is set in *bits, which is then
 * cleared there; NULL when none is left.  A bit without a name gives "bit-N".
 * buf is used for such; 8 bytes are enough.
 *
 *	while ((name = hl_permission_next(&bits, buf, sizeof(buf))))
 * Since: 0.1
 */
const char *hl_permission_next(uint32_t *bits, char *buf, size_t size);
const char *hl_function_next(uint32_t *bits, char *buf, size_t size);
const char *hl_mode_next(uint32_t *bits, char *buf, size_t size);

/*
 * UUIDs as text: 8-4-4-4-12 lower-case hex digits.  The nil UUID, all zero, is
 * written so too; it stands for none.
 * Since: 0.1
 */
void hl_uuid_to_text(const uint8_t uuid[16], char text[HL_UUID_TEXT_SIZE]);

/*
 * Either case.  -EINVAL: not a UUID, or "".
 * Since: 0.1
 */
int hl_uuid_from_text(const char *text, uint8_t ret_uuid[16]) HL_MUST_CHECK;

/*
 * 64 lower-case hex digits; "" where all bytes are zero, which stands for "not known".
 * Since: 0.1
 */
void hl_sha256_to_text(const uint8_t sha256[HL_SHA256_SIZE], char text[HL_SHA256_TEXT_SIZE]);

/*
 * SHA-256 of size bytes.
 * Since: 0.1
 */
void hl_sha256(const void *data, size_t size, uint8_t ret_sha256[HL_SHA256_SIZE]);

/*
 * A malloc'ed copy with each byte that is no part of valid UTF-8, and each control
 * character, replaced by '?'.  NULL: out of memory.  The caller frees it.
 * Since: 0.1
 */
char *hl_utf8_dup(const char *text) HL_MUST_CHECK;

/*
 * "0.1.0"
 * Since: 0.1
 */
const char *hl_version(void);

/*
 * ---------------------------------------------------------------------------
 * Context
 * ---------------------------------------------------------------------------
 */

/*
 * Gets each message of the library.  priority is that of syslog(3); LOG_DEBUG
 * but for a sim file that can't be used (LOG_ERR).  text has no newline.
 */
typedef void (*hl_log_fn)(void *data, int priority, const char *text);

/*
 * Opens a hypervisor.
 * @spec: "xen": the one this machine runs on.
 *        "sim:FILE[,control=PATH][,as=classic|unpatched]": a simulated one that
 *        launches the LCM in FILE at once; see "Simulator" below.
 * @log: may be NULL
 *
 * "xen" succeeds on a Xen without Hyperlaunch: there hl_get_launch() gives
 * -EOPNOTSUPP and hl_list_live() works.
 *
 * Errors: -EINVAL spec, or FILE is no LCM at all; -ENOENT, -EACCES, ... FILE;
 * -EADDRINUSE PATH is in use by someone else; and those of the hypervisor.
 * Since: 0.1
 */
int hl_new(const char *spec, hl_log_fn log, void *data, struct hl_ctx **ret_ctx) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_ctx *hl_ref(struct hl_ctx *ctx);
struct hl_ctx *hl_unref(struct hl_ctx *ctx);

/*
 * "xen" or "sim".
 * Since: 0.1
 */
const char *hl_backend(const struct hl_ctx *ctx);

/*
 * A descriptor that is readable (POLLIN) when something may have changed.  It
 * is the context's: don't read or close it; call hl_process() when it is
 * readable.  The same one at each call.
 *
 * "xen" announces changes of the launch and of initial domains by a virtual
 * interrupt; domains of toolstacks come and go unannounced (watch xenstore's
 * @introduceDomain and @releaseDomain for these).  -EOPNOTSUPP: this Xen has
 * no such interrupt.  "sim" announces everything.
 * Since: 0.1
 */
int hl_get_fd(struct hl_ctx *ctx) HL_MUST_CHECK;

/*
 * Takes in what made the descriptor readable, without blocking; for "sim" it also
 * answers commands that came over the control socket.
 * Returns 1: something may have changed, read a new snapshot; 0: nothing has.
 * -EOPNOTSUPP as hl_get_fd().
 * Since: 0.1
 */
int hl_process(struct hl_ctx *ctx) HL_MUST_CHECK;

/*
 * ---------------------------------------------------------------------------
 * Records, as Xen has them
 * ---------------------------------------------------------------------------
 * Most callers want a snapshot and a table instead.
 */

struct hl_launch {
	enum hl_launch_state state;
	uint32_t nr_domains;		/* of hl_get_domain() */
	uint32_t nr_modules;		/* of hl_get_module(): 1..nr_modules */
	/* By role; HL_NO_DOMID: nobody.  Control may stand on several. */
	uint32_t hardware_domid;
	uint32_t boot_domid;
	uint32_t crash_domid;
	uint32_t console_domid;		/* who holds the console function */
	uint32_t xenstore_domid;
	uint32_t console_owner;		/* who has the Xen console now */
	uint32_t virq;			/* announces changes; 0: none */
	uint32_t self_domid;		/* the domain that this process runs in */
	uint32_t first_event;		/* sequence number of the oldest one kept */
	uint32_t nr_events;		/* sequence number that the next one gets */
	uint32_t lcm_size;
	uint32_t error;			/* see hl_error_text(); 0: none */
	uint32_t error_domain;		/* index, or HL_NO_INDEX */
	uint8_t lcm_sha256[HL_SHA256_SIZE];
	uint64_t start_ns;		/* since Xen's start: LCM found; 0: no LCM */
	uint64_t end_ns;		/* complete, recovery or failed; 0: not yet */
	/* Where error is, as Xen's console said it; "": nowhere in particular. */
	char error_node[HL_PATH_SIZE];
	char error_prop[HL_PROP_SIZE];
};

struct hl_launch_domain {
	uint32_t index;			/* order in the LCM, from 0 */
	enum hl_domain_state state;	/* PLANNED..RECLAIMED, or UNKNOWN */
	uint32_t requested_domid;	/* as in the LCM; 0: the next free one */
	uint32_t domid;			/* HL_NO_DOMID until it is built */
	uint32_t permissions, functions, mode;	/* implied ones included */
	uint32_t cpus;
	uint64_t memory_kib;
	uint8_t uuid[16];		/* all zero: none */
	uint32_t ssidref;		/* 0 without FLASK */
	uint32_t error;			/* see hl_error_text(); 0: none */
	uint32_t errnum;		/* positive errno of Xen's builder; 0: none */
	uint32_t kernel, ramdisk;	/* module index or HL_NO_INDEX */
	uint32_t store_port, console_port;	/* the domain's own; 0: none */
	uint64_t store_gfn, console_gfn;	/* HL_NO_GFN: none */
	uint64_t built_ns, started_ns, ready_ns;	/* since Xen's start; 0: not yet */
	char name[HL_NAME_SIZE];
	char error_prop[HL_PROP_SIZE];	/* "": none */
};

struct hl_launch_module {
	uint32_t index;			/* in the boot chain; 1 is the one after the LCM */
	enum hl_module_type type;
	uint64_t size;			/* as loaded */
	uint8_t sha256[HL_SHA256_SIZE];	/* as loaded, before Xen unpacked it */
	uint32_t users;			/* bit i: the domain with index i */
};

struct hl_event {
	uint64_t time_ns;		/* since Xen's start */
	uint32_t seq;			/* from 0, no gaps */
	enum hl_event_type type;
	uint32_t domid;			/* HL_NO_DOMID: of the launch as a whole */
	uint32_t arg;			/* see enum hl_event_type */
};

/* A domain that exists now, whoever made it. */
struct hl_live_domain {
	uint32_t domid;
	uint8_t handle[16];		/* a UUID that a toolstack gave it; all zero: none */
	bool hvm;			/* HVM or PVH; else PV */
	bool dying, shutdown, paused, running, blocked;
	bool xenstore;			/* Xen knows it as the xenstore domain */
	uint32_t shutdown_code;		/* see hl_shutdown_name(); only where shutdown */
	uint64_t memory_max;		/* bytes; HL_UNLIMITED: no limit */
	uint64_t memory_current;	/* bytes */
	uint32_t vcpus_max, vcpus_online;
	uint64_t cpu_time_ns;
	uint32_t ssidref;		/* 0 without FLASK */
	char name[HL_NAME_SIZE];	/* "sim" only; Xen knows no names: "" */
	char label[128];		/* FLASK's context of ssidref, "" without FLASK */
};

/*
 * The launch as a whole.  A Xen that booted without an LCM: state NONE.
 * Since: 0.1
 */
int hl_get_launch(struct hl_ctx *ctx, struct hl_launch *ret_launch) HL_MUST_CHECK;

/*
 * Initial domain by its order in the LCM, from 0.  -ENOENT: beyond the last.
 * Since: 0.1
 */
int hl_get_domain(struct hl_ctx *ctx, uint32_t index, struct hl_launch_domain *ret_domain)
	HL_MUST_CHECK;

/*
 * Boot module by its index in the boot chain, from 1.  -ENOENT: no such one.
 * Since: 0.1
 */
int hl_get_module(struct hl_ctx *ctx, uint32_t index, struct hl_launch_module *ret_module)
	HL_MUST_CHECK;

/*
 * The LCM's bytes.  -ENOENT: booted without one.  The caller frees *ret_blob.
 * Since: 0.1
 */
int hl_read_lcm(struct hl_ctx *ctx, void **ret_blob, size_t *ret_size) HL_MUST_CHECK;

/*
 * The launch log from sequence number since on, or from the oldest event still
 * kept.  None, also where since lies ahead: *ret_nr is 0 and *ret_events NULL.
 * -ENOENT: booted without an LCM.  The caller frees *ret_events.
 * Since: 0.1
 */
int hl_get_events(struct hl_ctx *ctx, uint32_t since, struct hl_event **ret_events,
		  size_t *ret_nr) HL_MUST_CHECK;

/*
 * All domains that exist, ordered by domid.  Works on a Xen without Hyperlaunch.
 * The caller frees *ret_domains, which is NULL where *ret_nr is 0.
 * Since: 0.1
 */
int hl_list_live(struct hl_ctx *ctx, struct hl_live_domain **ret_domains, size_t *ret_nr)
	HL_MUST_CHECK;

/*
 * ---------------------------------------------------------------------------
 * Requests: what a domain may change
 * ---------------------------------------------------------------------------
 * Besides the errors of all that ask the hypervisor: -ENOENT booted without an
 * LCM; -EINVAL this Xen does not know the request; -ESRCH no such domain, or it
 * is dying.  The next snapshot has what has changed, and hl_get_fd() says so.
 */

/*
 * Gives the Xen console to a domain: its input, its interrupt, raw output, and the
 * permission to use it.  The domain that had it loses all four.  Nothing happens
 * where it has it already.  Control domains may, and the one that has it now.
 * -ENXIO also: the domain is there for a failed launch only, and does not run.
 * When the owner is destroyed the console goes to the domain with the console
 * function, else to a control domain, else to the hardware domain.
 * -EAGAIN: a line is being typed, or the owner has not read it yet.  That line is
 * still the owner's; the console changes hands by itself at its end, within 2 s at
 * most, and before that where nothing more of it is typed for 500 ms.  Asked again,
 * 0 says that this has happened.
 * -EBUSY: another domain is to get the console at the end of the line.
 * Since: 0.1
 */
int hl_set_console(struct hl_ctx *ctx, uint32_t domid) HL_MUST_CHECK;

/*
 * Has the PV console of a domain served by the domain backend from now on; the
 * domain itself notices nothing.  Control domains may.
 * -ENOENT also: it has no console ring; -EBUSY: who serves it has not let go of it.
 * Since: 0.1
 */
int hl_move_console_backend(struct hl_ctx *ctx, uint32_t domid, uint32_t backend)
	HL_MUST_CHECK;

/*
 * Lets an initial domain run that is held.  Control domains may.
 * -ESRCH also: it is no initial domain; -EBUSY: it is not held (any more).
 * Since: 0.1
 */
int hl_release(struct hl_ctx *ctx, uint32_t domid) HL_MUST_CHECK;

/*
 * Says that the domain which this process runs in is ready.  Once is enough, more
 * often no error.  Each initial domain may, for itself; -EPERM: it is none.
 * Since: 0.1
 */
int hl_ready(struct hl_ctx *ctx) HL_MUST_CHECK;

/*
 * ---------------------------------------------------------------------------
 * LCM
 * ---------------------------------------------------------------------------
 */

/* Where an LCM is wrong. */
struct hl_lcm_error {
	uint32_t code;			/* see hl_error_name() */
	uint64_t value;			/* the offending value, where it is a number */
	char node[256];			/* its path; "/" for the whole */
	char other_node[256];		/* the node that it clashes with; "": none */
	char prop[HL_PROP_SIZE];	/* "": the node itself */
	char text[768];			/* all of that in one sentence, no full stop */
};

enum hl_platform {
	HL_PLATFORM_GUESS,		/* mb-index: x86; module addresses: Arm */
	HL_PLATFORM_X86,
	HL_PLATFORM_ARM,
};

/* What an LCM is held against.  0 in a field: not known, not checked. */
struct hl_lcm_limits {
	enum hl_platform platform;
	uint32_t nr_modules;		/* boot modules after the LCM */
	uint64_t memory_kib;		/* the host's */
	uint32_t max_vcpus;
	uint32_t max_vcpus_pv;		/* of a PV domain; 0: max_vcpus is for it too */
	bool no_pv32;			/* refuse 32-bit PV */
	bool source;			/* a module's `file` is enough of a locator */
	bool no_modules;		/* the LCM is the last of the chain: no index is good */
};

struct hl_lcm_module {
	enum hl_module_type type;
	uint32_t domain;		/* index, or HL_NO_INDEX: of Xen itself */
	uint32_t index;			/* in the boot chain; HL_NO_INDEX: located otherwise */
	uint64_t addr, size;		/* both 0: located otherwise */
	const char *file;		/* NULL: none */
	const char *bootargs;		/* NULL: none */
	const uint8_t *digest_sha256;	/* HL_SHA256_SIZE bytes; NULL: none */
	const char *node;		/* path */
};

struct hl_lcm_pci {
	uint32_t domain;		/* index */
	const char *bdf;		/* "0000:01:10.0"; NULL: not by address */
	const char *pf;			/* physical function's address; NULL: not by VF */
	uint32_t vf;			/* with pf: number of the function, from 0 */
	/* where neither bdf nor pf: every device that matches; HL_NO_INDEX: any */
	uint32_t class_code, vendor, device;
	uint32_t count;			/* at most so many; 0: no limit */
	uint32_t slot;			/* virtual slot; HL_NO_INDEX: any */
	bool optional, permissive;
	const char *node;
};

struct hl_lcm_domain {
	const char *name;		/* as in the LCM, not made UTF-8 */
	const char *node;		/* path */
	uint32_t requested_domid;	/* 0: the next free one */
	uint32_t domid;			/* what it will run as */
	uint32_t permissions, functions, mode;	/* implied ones included */
	uint32_t cpus;
	uint64_t memory_kib;
	uint8_t uuid[16];		/* all zero: none */
	const char *security_id;	/* as written; NULL: the default, domu_t */
	bool hold;
	uint32_t start_after;		/* bit i: starts after the domain with index i */
	/* module numbers for hl_lcm_get_module(), or HL_NO_INDEX */
	uint32_t kernel, ramdisk, device_tree, config;
};

/*
 * Parses and checks an LCM; copies the bytes.
 * @limits: NULL: nothing known
 * @err: filled on -EINVAL only; may be NULL
 *
 * -EINVAL: a bad LCM.
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
 * The bytes it was made from.
 * Since: 0.1
 */
const void *hl_lcm_get_blob(const struct hl_lcm *lcm, size_t *ret_size);

/*
 * "hypervisor" (/chosen/hypervisor) or "dom0less" (xen,domain children of /chosen).
 * Since: 0.1
 */
const char *hl_lcm_form(const struct hl_lcm *lcm);

/*
 * Whether any domain has CONTROL: Hyperlaunch Dynamic, else Static.
 * Since: 0.1
 */
bool hl_lcm_is_dynamic(const struct hl_lcm *lcm);

/*
 * Milliseconds that the boot domain has; 0: no limit.
 * Since: 0.1
 */
uint32_t hl_lcm_boot_timeout_ms(const struct hl_lcm *lcm);

/*
 * Domains in LCM order, modules and PCI nodes in node order, and warnings, each
 * a sentence with the node's path.  NULL: beyond the last.
 * Since: 0.1
 */
uint32_t hl_lcm_nr_domains(const struct hl_lcm *lcm);
const struct hl_lcm_domain *hl_lcm_get_domain(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_modules(const struct hl_lcm *lcm);
const struct hl_lcm_module *hl_lcm_get_module(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_pci(const struct hl_lcm *lcm);
const struct hl_lcm_pci *hl_lcm_get_pci(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_warnings(const struct hl_lcm *lcm);
const char *hl_lcm_get_warning(const struct hl_lcm *lcm, uint32_t i);

/*
 * The whole as JSON, indented, in UTF-8, ending in a newline.  libhl(3) lists
 * the fields.  The caller frees *ret_text.
 * Since: 0.1
 */
int hl_lcm_to_json(const struct hl_lcm *lcm, char **ret_text) HL_MUST_CHECK;

/*
 * Any flattened device tree as source that dtc(1) compiles to the same tree.
 * Cells, strings and bytes are guessed from the property's name and content.
 * -EINVAL: not a sound device tree; -EILSEQ: a name in it that source cannot express.
 * The caller frees *ret_text.
 * Since: 0.1
 */
int hl_fdt_to_dts(const void *blob, size_t size, char **ret_text) HL_MUST_CHECK;

/*
 * ---------------------------------------------------------------------------
 * Snapshot: all records at one moment
 * ---------------------------------------------------------------------------
 */

/*
 * Reads launch, domains, modules, live domains and (once per context) the LCM.
 * Where these change meanwhile it starts over, a few times.
 *
 * A Xen without Hyperlaunch, and one that booted without an LCM, make a good
 * snapshot too, as does an LCM that does not parse: the table tells.  So do
 * parts that only this domain may not read (-EPERM), but for the live domains.
 * Since: 0.1
 */
int hl_snapshot_read(struct hl_ctx *ctx, struct hl_snapshot **ret_snapshot) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_snapshot *hl_snapshot_free(struct hl_snapshot *snapshot);

/*
 * The live domains in it, ordered by domid.
 * Since: 0.1
 */
const struct hl_live_domain *hl_snapshot_live(const struct hl_snapshot *snapshot,
					      size_t *ret_nr);

/*
 * The LCM in it, or NULL; take a reference to keep it.
 * Since: 0.1
 */
struct hl_lcm *hl_snapshot_lcm(const struct hl_snapshot *snapshot);

/*
 * Gives a live domain the name that xenstore has for it.  NULL or "" takes it
 * away.  -ENOENT: no such live domain.
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
	uint8_t sha256[HL_SHA256_SIZE];	/* as loaded; all zero: not known */
};

struct hl_drift {
	/* "domid", "name", "uuid", "permissions", "functions", "mode", "cpus",
	   "memory_kib", "security_label", "module N digest" */
	const char *field;
	const char *lcm, *actual;	/* "": nothing */
};

/*
 * domid and generation together name one row, for good: a domid that is used
 * again comes with another generation.  Initial domains have 0; those that
 * never got a domid have HL_NO_DOMID and their index; post-boot domains have a
 * number made from their handle, so that each process computes the same one.  (A
 * toolstack that uses a domid and a handle again together makes the same row.)
 *
 * No string is NULL; all are valid UTF-8 without control characters.
 */
struct hl_domain {
	uint32_t domid;			/* or HL_NO_DOMID */
	uint64_t generation;
	enum hl_origin origin;
	uint32_t index;			/* in the LCM; HL_NO_INDEX: not from it */
	uint32_t requested_domid;	/* 0: the next free one; HL_NO_DOMID: post-boot */
	const char *name;		/* xenstore's, else the LCM's, else "" */
	/* An initial domain's is the LCM's, nil where it gives none; else the handle. */
	uint8_t uuid[16];
	char uuid_text[HL_UUID_TEXT_SIZE];
	/* What Xen has now, which toolstacks take for the UUID; nil where not live. */
	uint8_t handle[16];
	char handle_text[HL_UUID_TEXT_SIZE];	/* "" where not live */
	uint32_t permissions, functions, mode;	/* mode of post-boot domains: as far as Xen says */
	uint32_t roles;			/* bit enum hl_role; none once reclaimed or failed */
	enum hl_domain_state state;
	const char *reason;		/* why it is in that state; "" where that says all */
	bool live;			/* exists now: the fields from memory_max to vcpus_online hold */
	uint64_t memory_max, memory_current;	/* bytes; memory_max may be HL_UNLIMITED */
	uint32_t vcpus_max, vcpus_online;
	uint64_t memory_planned_kib;	/* 0: post-boot */
	uint32_t vcpus_planned;		/* 0: post-boot */
	uint32_t ssidref;
	const char *security_label;	/* as it runs, else as the LCM says */
	const char *lcm_node;		/* path; "": not from the LCM */
	uint32_t error;			/* see hl_error_name(); 0: none */
	uint32_t errnum;		/* positive errno of Xen's builder */
	const char *error_text, *error_node, *error_prop;	/* "": none */
	uint32_t store_port, console_port;	/* 0: none */
	uint64_t store_gfn, console_gfn;	/* HL_NO_GFN: none */
	uint64_t built_ns, started_ns, ready_ns;	/* 0: not (yet) */
	uint32_t nr_modules;
	const struct hl_domain_module *modules;
	uint32_t nr_drift;
	const struct hl_drift *drift;
};

struct hl_table_module {
	uint32_t index;
	enum hl_module_type type;
	uint64_t size;
	uint8_t sha256[HL_SHA256_SIZE];
	uint32_t nr_domains;
	const char *const *domains;	/* names of its users, in LCM order */
};

/* The launch as a whole.  Strings as in struct hl_domain. */
struct hl_summary {
	enum hl_launch_state state;
	bool available;			/* this Xen has Hyperlaunch, and we may ask */
	const char *source;		/* "hypervisor", "simulated", or "none": no LCM */
	const char *form;		/* as hl_lcm_form(); "": not known */
	bool dynamic;			/* some domain has CONTROL */
	uint32_t expected;		/* domains in the LCM */
	uint32_t built;			/* of these, built (whatever became of them) */
	uint32_t failed;		/* of these, in state FAILED */
	uint32_t error;			/* see hl_error_name(); 0: none */
	const char *error_text, *error_node, *error_prop;
	/* HL_NO_DOMID: nobody, or not known */
	uint32_t hardware_domid, boot_domid, crash_domid, console_domid, xenstore_domid;
	uint32_t console_owner;		/* who has the Xen console now */
	uint32_t self_domid;		/* the domain that this process runs in */
	uint32_t lcm_size;		/* bytes; 0: no LCM */
	uint8_t lcm_sha256[HL_SHA256_SIZE];
	uint64_t start_ns, end_ns;	/* since Xen's start; 0: not (yet) */
	uint32_t nr_warnings;
	const char *const *warnings;
};

/*
 * Brings LCM, launch records and live domains together.  Pure: the same
 * snapshot gives the same table.  The snapshot may be freed afterwards.
 * -ENOMEM; -EBADMSG: records that cannot be (two live domains with one domid).
 * Since: 0.1
 */
int hl_table_new(const struct hl_snapshot *snapshot, struct hl_table **ret_table) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_table *hl_table_ref(struct hl_table *table);
struct hl_table *hl_table_unref(struct hl_table *table);

/*
 * Since: 0.1
 */
const struct hl_summary *hl_table_summary(const struct hl_table *table);

/*
 * Rows, ordered by domid, a reclaimed one before its successor, and those without
 * a domid last, in LCM order.  NULL: beyond the last.
 * Since: 0.1
 */
uint32_t hl_table_nr_domains(const struct hl_table *table);
const struct hl_domain *hl_table_get(const struct hl_table *table, uint32_t i);

/*
 * Boot modules by rising index.  NULL: beyond the last.
 * Since: 0.1
 */
uint32_t hl_table_nr_modules(const struct hl_table *table);
const struct hl_table_module *hl_table_get_module(const struct hl_table *table, uint32_t i);

/*
 * A row by what names it.  One that lives is preferred to one that does not.
 * -ENOENT: none.  -ENOTUNIQ: several live ones of that name or UUID (Xen and
 * toolstacks forbid neither).  A UUID is that of the row or its handle.  The nil
 * UUID and "" find nothing.
 * Since: 0.1
 */
int hl_table_find_domid(const struct hl_table *table, uint32_t domid,
			const struct hl_domain **ret_domain) HL_MUST_CHECK;
int hl_table_find_name(const struct hl_table *table, const char *name,
		       const struct hl_domain **ret_domain) HL_MUST_CHECK;
int hl_table_find_uuid(const struct hl_table *table, const uint8_t uuid[16],
		       const struct hl_domain **ret_domain) HL_MUST_CHECK;

/*
 * The row of that domid and generation.  -ENOENT: none.
 * Since: 0.1
 */
int hl_table_find(const struct hl_table *table, uint32_t domid, uint64_t generation,
		  const struct hl_domain **ret_domain) HL_MUST_CHECK;

/*
 * Holders of a role: the first with prev NULL, then the one after prev; NULL: no more.
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
#define HL_FIELD_MEMORY_CURRENT	(1u << 9)
#define HL_FIELD_VCPUS_MAX	(1u << 10)
#define HL_FIELD_VCPUS_ONLINE	(1u << 11)
#define HL_FIELD_SECURITY_LABEL	(1u << 12)
#define HL_FIELD_ERROR		(1u << 13)	/* error, errnum, and their texts */
#define HL_FIELD_STORE		(1u << 14)	/* store_port, store_gfn */
#define HL_FIELD_CONSOLE	(1u << 15)	/* console_port, console_gfn */
#define HL_FIELD_TIMES		(1u << 16)
#define HL_FIELD_MODULES	(1u << 17)
#define HL_FIELD_DRIFT		(1u << 18)
#define HL_FIELD_LIVE		(1u << 19)
#define HL_FIELD_HANDLE		(1u << 20)

/* Fields of struct hl_summary that differ. */
#define HL_SUMMARY_STATE	(1u << 0)
#define HL_SUMMARY_ROLES	(1u << 1)	/* one of the *_domid of a role */
#define HL_SUMMARY_CONSOLE_OWNER (1u << 2)
#define HL_SUMMARY_COUNTS	(1u << 3)	/* expected, built, failed */
#define HL_SUMMARY_ERROR	(1u << 4)
#define HL_SUMMARY_OTHER	(1u << 5)	/* anything else */

enum hl_change_type {
	HL_CHANGE_REMOVED,
	HL_CHANGE_ADDED,
	HL_CHANGE_CHANGED,
};

struct hl_change {
	enum hl_change_type type;
	const struct hl_domain *before;	/* NULL: added */
	const struct hl_domain *after;	/* NULL: removed */
	uint32_t fields;		/* HL_FIELD_*, of a changed one */
};

/*
 * What has to be told to somebody who knows the old table: removals first, then
 * additions, then changes, each in row order.  Holds a reference to both.
 * @before: NULL: everything is new.
 * Since: 0.1
 */
int hl_diff_new(struct hl_table *before, struct hl_table *after, struct hl_diff **ret_diff)
	HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_diff *hl_diff_free(struct hl_diff *diff);

/*
 * Since: 0.1
 */
uint32_t hl_diff_nr_changes(const struct hl_diff *diff);
const struct hl_change *hl_diff_get(const struct hl_diff *diff, uint32_t i);

/*
 * HL_SUMMARY_*; all of them where there was no old table.
 * Since: 0.1
 */
uint32_t hl_diff_summary(const struct hl_diff *diff);

/*
 * ---------------------------------------------------------------------------
 * Simulator
 * ---------------------------------------------------------------------------
 * A hypervisor inside the process, for work on toolstacks without Xen and for
 * tests.  It launches the LCM in FILE as Xen does, in no time: after hl_new()
 * all domains are built and, but for held and crash ones, started; a boot
 * domain has said done and is reclaimed.  An LCM with an error ends as in Xen:
 * state recovery with the crash domain alone, or failed, and the error in the records.  Its clock starts at
 * 1 s and goes 1 ms per event, so that two runs give the same records.  Modules
 * have no content: their size is 0, and their digest the LCM's digest-sha256.
 * Requests are those of the first domain with the control permission, or where
 * there is none of the hardware domain.
 *
 * as=classic: FILE may be empty; a Xen that booted dom0 without an LCM.
 * as=unpatched: the same, and Xen has no Hyperlaunch.
 * control=PATH: commands are taken at a Unix datagram socket there (mode 0600;
 * a stale socket is replaced, and it is removed by hl_unref()) whenever
 * hl_process() runs.  Each datagram is one command, each answered by one
 * datagram to its sender: "ok", "ok TEXT", or "error ERRNO TEXT".  Commas
 * cannot stand in FILE or PATH.
 *
 * Commands.  DOMAIN is a domid or the name of a domain.
 *   domain-add NAME [uuid=UUID] [domid=N] [memory=KIB] [vcpus=N] [pv]
 *                           a post-boot domain, running; answers its domid; NAME
 *                           -: none, as in Xen, which knows no names
 *   domain-remove DOMAIN    it is gone; an initial one is reclaimed
 *   shutdown DOMAIN REASON  poweroff, reboot, suspend, crash, watchdog, soft-reset
 *   dying DOMAIN            being torn down, still listed
 *   pause DOMAIN, unpause DOMAIN
 *   rename DOMAIN NAME      as a toolstack does in xenstore
 *   handle DOMAIN UUID      as a toolstack gives it one
 *   memory DOMAIN KIB       new maximum
 *   ready DOMAIN            an initial domain says it is ready
 *   release DOMAIN          lets a held one go
 *   console DOMAIN          new owner of the Xen console
 *   fail DOMAIN CODE PROP   an initial domain could not be built after all: CODE as
 *                           hl_error_name(), PROP may be absent; the launch
 *                           ends in recovery, or failed without a crash domain
 *   state STATE             of the launch, by name
 *   announce WHAT           off: what changes makes the descriptor readable no more,
 *                           as with a Xen that does not announce it; on: it does
 *   fault OP ERRNO COUNT    the next COUNT calls of OP fail so; OP: get-info,
 *                           get-domain, get-module, read-lcm, get-events, list-live,
 *                           set-console, move-console-backend, release, ready;
 *                           ERRNO by name (EPERM) or number; COUNT 0 ends it
 */

/*
 * Runs one command.  Returns 0 or the command's error, -EINVAL where it is not
 * understood, -EOPNOTSUPP where ctx is no sim.  *ret_reply is set in both cases
 * (NULL: out of memory), as over the socket; may be NULL; the caller frees it.
 * Since: 0.1
 */
int hl_sim_command(struct hl_ctx *ctx, const char *command, char **ret_reply);

#ifdef __cplusplus
}
#endif

#endif /* HL_H */
