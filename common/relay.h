/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between our standard input and output and a console's terminal. */
#ifndef COMMON_RELAY_H
#define COMMON_RELAY_H

#include <stdbool.h>

#define DEFAULT_ESCAPE 0x1d /* ^] */
#define NO_ESCAPE      (-1)

enum relay_end {
	RELAY_LEFT,   /* the escape character, the end of our terminal or of who reads, a signal */
	RELAY_CLOSED, /* the other side */
	RELAY_FAILED, /* the error says why */
};

/* As it is typed: "^]", another character, or "none".  -EINVAL. */
int relay_parse_escape(const char *text, int *ret_escape);

/* The same of one that is not NO_ESCAPE. */
const char *relay_escape_name(int escape, char buf[static 3]);

/*
 * Passes bytes on as they are, until one side ends.  A terminal that is standard input
 * is raw meanwhile; its end, and the escape character on it, ends the relay.  The end of
 * other input does not.  The console gets the size of the terminal, and each change of it.
 * ret_error: negative errno of RELAY_FAILED
 */
enum relay_end relay_run(int console, int escape, bool read_only, int *ret_error);

#endif /* COMMON_RELAY_H */
