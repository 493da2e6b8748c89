/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between our standard input and output and a console's terminal. */
#ifndef HLCTL_RELAY_H
#define HLCTL_RELAY_H

#include "hlctl.h"

#define NO_ESCAPE (-1)

enum relay_end {
	RELAY_LEFT,   /* the escape character, the end of our terminal or of who reads, a signal */
	RELAY_CLOSED, /* the other side */
	RELAY_FAILED, /* reported */
};

/*
 * Passes bytes on as they are, until one side ends.  A terminal that is standard input
 * is raw meanwhile; its end, and the escape character on it, ends the relay.  The end of
 * other input does not.
 */
enum relay_end relay_run(int console, int escape, bool read_only);

#endif /* HLCTL_RELAY_H */
