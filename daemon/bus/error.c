// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names and sentences of the D-Bus errors, and which errno is which. */
#include "bus/error.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

#define OURS "org.xenproject.Hyperlaunch1.Error."

static const struct {
	const char *name;
	const char *advice;
} errors[BUS_NR_ERRORS] = {
	[BUS_ERROR_NO_SUCH_DOMAIN] = {OURS "NoSuchDomain",
				      "ListDomains shows those that there are."},
	[BUS_ERROR_NO_SUCH_JOB] = {OURS "NoSuchJob", "ListJobs shows those that have not ended."},
	[BUS_ERROR_AMBIGUOUS_NAME] = {OURS "AmbiguousName",
				      "Say which one is meant by its domid or UUID."},
	[BUS_ERROR_ALREADY_EXISTS] = {OURS "AlreadyExists",
				      "Choose another one, or end the one that has it."},
	[BUS_ERROR_WRONG_STATE] = {OURS "WrongState", "Look at State of the domain and of the "
						      "launch, and try again when they allow it."},
	[BUS_ERROR_BUSY] = {OURS "Busy", "Try again when the other one has ended."},
	[BUS_ERROR_TIMEOUT] = {OURS "Timeout", "Look into the log of hyperlaunchd, and try again."},
	[BUS_ERROR_CANCELLED] = {OURS "Cancelled", "Call again if it is still wanted."},
	[BUS_ERROR_NOT_SUPPORTED] = {OURS "NotSupported",
				     "org.xenproject.Hyperlaunch1(5) says what this needs."},
	[BUS_ERROR_HYPERVISOR_TOO_OLD] = {OURS "HypervisorTooOld",
					  "Boot a Xen that is built with CONFIG_HYPERLAUNCH."},
	[BUS_ERROR_NOT_CONTROL_DOMAIN] =
		{OURS "NotControlDomain",
		 "Run hyperlaunchd in a domain with the control permission."},
	[BUS_ERROR_NO_HYPERVISOR] =
		{OURS "NoHypervisor",
		 "Look into the log of hyperlaunchd, and whether /dev/xen is there."},
	[BUS_ERROR_LCM_MISSING] = {OURS "LCMMissing",
				   "Boot Xen with an LCM as its first module to have one."},
	[BUS_ERROR_LCM_INVALID] = {OURS "LCMInvalid",
				   "Fix that node and run `lcmtool check` before rebooting."},
	[BUS_ERROR_NO_MEMORY] = {OURS "NoMemory", "Give the control domain more memory."},
	[BUS_ERROR_FAILED] = {OURS "Failed", "Look into the log of hyperlaunchd."},
	[BUS_ERROR_INVALID_ARGS] = {SD_BUS_ERROR_INVALID_ARGS, ""},
	[BUS_ERROR_ACCESS_DENIED] = {SD_BUS_ERROR_ACCESS_DENIED,
				     "Call as root, or let a polkit rule allow it."},
	[BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED] =
		{SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
		 "Call as root, or allow interaction where a polkit agent runs."},
	[BUS_ERROR_LIMITS_EXCEEDED] = {SD_BUS_ERROR_LIMITS_EXCEEDED,
				       "Wait for the answers to earlier calls first."},
};

int bus_error_set(sd_bus_error *error, enum bus_error code, const char *format, ...)
{
	const char *advice = errors[code].advice;
	_cleanup_(freep) char *clean = NULL;
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* What was cut off may end within a character, which the bus does not carry. */
	clean = hl_utf8_dup(text);
	if (!clean)
		return sd_bus_error_set_errno(error, -ENOMEM);
	return sd_bus_error_setf(error, errors[code].name, "%s.%s%s", clean, advice[0] ? " " : "",
				 advice);
}

int bus_error_set_hypervisor(sd_bus_error *error, int r, const char *doing)
{
	static const struct {
		int error;
		enum bus_error code;
		const char *reason;
	} reasons[] = {
		{EOPNOTSUPP, BUS_ERROR_HYPERVISOR_TOO_OLD,
		 "this Xen has no XEN_SYSCTL_hyperlaunch"},
		{EPROTO, BUS_ERROR_NOT_SUPPORTED,
		 "this Xen speaks another version of XEN_SYSCTL_hyperlaunch. Bring hyperlaunchd "
		 "and Xen to the same version"},
		{EPERM, BUS_ERROR_NOT_CONTROL_DOMAIN, "Xen does not let this domain do that"},
		{ENODEV, BUS_ERROR_NO_HYPERVISOR, "there is no Xen"},
		{EACCES, BUS_ERROR_NO_HYPERVISOR, "Xen's device may not be opened"},
		{ENOENT, BUS_ERROR_LCM_MISSING, "this machine was booted without an LCM"},
		{ESRCH, BUS_ERROR_NO_SUCH_DOMAIN, "Xen has no such domain any more"},
		{EALREADY, BUS_ERROR_WRONG_STATE, "it is not held"},
		{ENXIO, BUS_ERROR_WRONG_STATE, "it is shut down, or runs only if the launch fails"},
		{EINVAL, BUS_ERROR_NOT_SUPPORTED,
		 "this Xen does not know that request. Bring hyperlaunchd and Xen to the same "
		 "version"},
		{EBUSY, BUS_ERROR_WRONG_STATE, "Xen is at something else"},
		{ENOMEM, BUS_ERROR_NO_MEMORY, "out of memory"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].error == -r)
			return bus_error_set(error, reasons[i].code, "Cannot %s: %s", doing,
					     reasons[i].reason);
	return bus_error_set(error, BUS_ERROR_FAILED, "Cannot %s: %s", doing, strerror(-r));
}
