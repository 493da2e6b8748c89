/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The D-Bus errors, each with a sentence that says what to do. */
#ifndef HYPERLAUNCHD_BUS_ERROR_H
#define HYPERLAUNCHD_BUS_ERROR_H

#include <systemd/sd-bus.h>

enum bus_error {
	BUS_ERROR_NO_SUCH_DOMAIN,
	BUS_ERROR_NO_SUCH_JOB,
	BUS_ERROR_AMBIGUOUS_NAME,
	BUS_ERROR_ALREADY_EXISTS,
	BUS_ERROR_WRONG_STATE,
	BUS_ERROR_BUSY,
	BUS_ERROR_TIMEOUT,
	BUS_ERROR_CANCELLED,
	BUS_ERROR_NOT_SUPPORTED,
	BUS_ERROR_HYPERVISOR_TOO_OLD,
	BUS_ERROR_NOT_CONTROL_DOMAIN,
	BUS_ERROR_NO_HYPERVISOR,
	BUS_ERROR_LCM_MISSING,
	BUS_ERROR_LCM_INVALID,
	BUS_ERROR_NO_MEMORY,
	BUS_ERROR_FAILED,
	BUS_ERROR_INVALID_ARGS, /* D-Bus' own, as the next three */
	BUS_ERROR_ACCESS_DENIED,
	BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
	BUS_ERROR_LIMITS_EXCEEDED,
	BUS_NR_ERRORS
};

/*
 * Sets the error: what is wrong here, and the advice that the table has for it.
 * Returns the negative errno that a handler returns with it.
 */
int bus_error_set(sd_bus_error *error, enum bus_error code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The same for an error that libhl returned: the meaning of each errno is that of
 * Xen's sysctl, as <hyperlaunch/hl.h> has it.
 * @doing: what was tried, such as "read the LCM"
 */
int bus_error_set_hypervisor(sd_bus_error *error, int r, const char *doing);

#endif
