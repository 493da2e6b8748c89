/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where messages of the library go: to the callback of hl_new(). */
#ifndef LIBHL_LOGGER_H
#define LIBHL_LOGGER_H

#include <hyperlaunch/hl.h>

struct logger {
	hl_log_fn fn; /* NULL: nowhere */
	void *data;
};

/* Formats a message and passes it to the callback; dropped without memory for it. */
void logger_log(const struct logger *logger, int priority, const char *format, ...) HL_PRINTF(3, 4);

#endif /* LIBHL_LOGGER_H */
