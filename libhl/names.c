// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of bits and states. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/lib/hyperlaunch/lcm.h>

#include "util.h"

static const char *word(const char *const *words, size_t nr, unsigned int value)
{
	return value < nr && words[value] ? words[value] : "unknown";
}

static const char *const role_words[HL_NR_ROLES] = {
	[HL_ROLE_CONTROL] = "control",
	[HL_ROLE_HARDWARE] = "hardware",
	[HL_ROLE_BOOT] = "boot",
	[HL_ROLE_CRASH] = "crash",
	[HL_ROLE_CONSOLE] = "console",
	[HL_ROLE_XENSTORE] = "xenstore",
	[HL_ROLE_LEGACY_DOM0] = "legacy-dom0",
};

HL_EXPORT const char *hl_role_name(enum hl_role role)
{
	return word(role_words, ARRAY_SIZE(role_words), role);
}

HL_EXPORT int hl_role_from_name(const char *name, enum hl_role *ret_role)
{
	for (unsigned int i = 0; i < HL_NR_ROLES; i++) {
		if (!strcmp(name, role_words[i])) {
			*ret_role = (enum hl_role)i;
			return 0;
		}
	}
	return -EINVAL;
}

HL_EXPORT const char *hl_launch_state_name(enum hl_launch_state state)
{
	static const char *const words[HL_NR_LAUNCH_STATES] = {
		[HL_LAUNCH_NONE] = "none",	     [HL_LAUNCH_BUILDING] = "building",
		[HL_LAUNCH_PREPARING] = "preparing", [HL_LAUNCH_FINALIZING] = "finalizing",
		[HL_LAUNCH_COMPLETE] = "complete",   [HL_LAUNCH_RECOVERY] = "recovery",
		[HL_LAUNCH_FAILED] = "failed",	     [HL_LAUNCH_UNKNOWN] = "unknown",
	};

	return word(words, ARRAY_SIZE(words), state);
}

HL_EXPORT const char *hl_domain_state_name(enum hl_domain_state state)
{
	static const char *const words[HL_NR_DOMAIN_STATES] = {
		[HL_DOMAIN_PLANNED] = "planned", [HL_DOMAIN_BUILT] = "built",
		[HL_DOMAIN_HELD] = "held",	 [HL_DOMAIN_PAUSED] = "paused",
		[HL_DOMAIN_STARTED] = "started", [HL_DOMAIN_READY] = "ready",
		[HL_DOMAIN_FAILED] = "failed",	 [HL_DOMAIN_RECLAIMED] = "reclaimed",
		[HL_DOMAIN_RUNNING] = "running", [HL_DOMAIN_SHUTDOWN] = "shutdown",
		[HL_DOMAIN_DYING] = "dying",	 [HL_DOMAIN_UNKNOWN] = "unknown",
	};

	return word(words, ARRAY_SIZE(words), state);
}

HL_EXPORT const char *hl_origin_name(enum hl_origin origin)
{
	static const char *const words[HL_NR_ORIGINS] = {
		[HL_ORIGIN_BOOT] = "boot",
		[HL_ORIGIN_POST_BOOT] = "post-boot",
	};

	return word(words, ARRAY_SIZE(words), origin);
}

HL_EXPORT const char *hl_module_type_name(enum hl_module_type type)
{
	static const char *const words[HL_NR_MODULE_TYPES] = {
		[HL_MODULE_KERNEL] = "kernel",		 [HL_MODULE_RAMDISK] = "ramdisk",
		[HL_MODULE_DEVICE_TREE] = "device-tree", [HL_MODULE_MICROCODE] = "microcode",
		[HL_MODULE_XSM_POLICY] = "xsm-policy",	 [HL_MODULE_CONFIG] = "config",
		[HL_MODULE_FIRMWARE] = "firmware",	 [HL_MODULE_UNUSED] = "unused",
	};

	return word(words, ARRAY_SIZE(words), type);
}

HL_EXPORT const char *hl_event_name(enum hl_event_type type)
{
	static const char *const words[HL_NR_EVENT_TYPES] = {
		[HL_EVENT_LCM_FOUND] = "lcm-found",	  [HL_EVENT_BUILT] = "built",
		[HL_EVENT_BUILD_FAILED] = "build-failed", [HL_EVENT_STATE] = "state",
		[HL_EVENT_STARTED] = "started",		  [HL_EVENT_READY] = "ready",
		[HL_EVENT_CONSOLE] = "console",		  [HL_EVENT_DIED] = "died",
		[HL_EVENT_RELEASED] = "released",	  [HL_EVENT_RECLAIMED] = "reclaimed",
		[HL_EVENT_BOOT_FAILED] = "boot-failed",	  [HL_EVENT_ADOPTED] = "adopted",
	};

	return word(words, ARRAY_SIZE(words), type);
}

HL_EXPORT const char *hl_shutdown_name(uint32_t code)
{
	static const char *const words[] = {
		"poweroff", "reboot", "suspend", "crash", "watchdog", "soft-reset",
	};

	return word(words, ARRAY_SIZE(words), code);
}

HL_EXPORT const char *hl_error_name(uint32_t code)
{
	return code < LCM_NR_ERRS ? lcm_errname((enum lcm_err)code) : "unknown";
}

HL_EXPORT const char *hl_error_text(uint32_t code)
{
	return code < LCM_NR_ERRS ? lcm_strerror((enum lcm_err)code)
				  : "error not known to this version of libhl";
}

struct bit_word {
	uint32_t bit;
	const char *name;
};

static const char *next_bit(const struct bit_word *words, size_t nr, uint32_t *bits, char *buf,
			    size_t size)
{
	uint32_t bit = *bits & -*bits;

	if (!bit)
		return NULL;
	*bits &= ~bit;
	for (size_t i = 0; i < nr; i++)
		if (words[i].bit == bit)
			return words[i].name;
	snprintf(buf, size, "bit-%d", __builtin_ctz(bit));
	return buf;
}

HL_EXPORT const char *hl_permission_next(uint32_t *bits, char *buf, size_t size)
{
	static const struct bit_word words[] = {
		{HL_PERM_CONTROL, "control"},
		{HL_PERM_HARDWARE, "hardware"},
	};

	return next_bit(words, ARRAY_SIZE(words), bits, buf, size);
}

HL_EXPORT const char *hl_function_next(uint32_t *bits, char *buf, size_t size)
{
	static const struct bit_word words[] = {
		{HL_FUNC_BOOT, "boot"},
		{HL_FUNC_CRASH, "crash"},
		{HL_FUNC_CONSOLE, "console"},
		{HL_FUNC_XENSTORE, "xenstore"},
		{HL_FUNC_LEGACY_DOM0, "legacy-dom0"},
	};

	return next_bit(words, ARRAY_SIZE(words), bits, buf, size);
}

HL_EXPORT const char *hl_mode_next(uint32_t *bits, char *buf, size_t size)
{
	static const struct bit_word words[] = {
		{HL_MODE_PV, "pv"},
		{HL_MODE_DEVICE_MODEL, "device-model"},
		{HL_MODE_LONG, "long"},
	};

	return next_bit(words, ARRAY_SIZE(words), bits, buf, size);
}
