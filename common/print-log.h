/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log of a console on standard output. */
#ifndef COMMON_PRINT_LOG_H
#define COMMON_PRINT_LOG_H

#include <stdbool.h>

/*
 * Copies what comes from `fd` until it ends, standard output has no reader any more, or, with
 * `follow`, until SIGINT or SIGTERM, which are blocked then.
 * for_terminal: control characters are replaced; else bytes are as they are
 * Returns 0, or a negative errno; -EPIPE: it was closed on writing.
 */
int print_console_log(int fd, bool follow, bool for_terminal);

#endif /* COMMON_PRINT_LOG_H */
