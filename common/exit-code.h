/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exit codes of all programs; each manual page says what they mean there. */
#ifndef COMMON_EXIT_CODE_H
#define COMMON_EXIT_CODE_H

enum exit_code {
	EXIT_OK,
	EXIT_FAILED,
	EXIT_USAGE,
	EXIT_NOT_FOUND,
	EXIT_DENIED,
	EXIT_UNSUPPORTED,
	EXIT_TIMEOUT,
	EXIT_NO_XEN = 69, /* EX_UNAVAILABLE */
};

#endif /* COMMON_EXIT_CODE_H */
