/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bits and states, and what they are called on D-Bus, in JSON and in tables. */
#ifndef HYPERLAUNCH_NAMES_H
#define HYPERLAUNCH_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

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
	HL_EVENT_ADOPTED,      /* "adopted"; domid: the new domain, arg: index in the LCM */
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

#ifdef __cplusplus
}
#endif

#endif /* HYPERLAUNCH_NAMES_H */
