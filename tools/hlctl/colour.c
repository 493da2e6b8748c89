// SPDX-License-Identifier: LGPL-2.1-or-later
/* Escape sequences of colours, if standard output is a terminal. */
#include "colour.h"

#include <string.h>
#include <unistd.h>

bool on_terminal(void)
{
	static enum { UNKNOWN, NO, YES } known;
	const char *term = getenv("TERM");

	if (known == UNKNOWN)
		known = isatty(STDOUT_FILENO) && !(term && !strcmp(term, "dumb")) ? YES : NO;
	return known == YES;
}

bool use_colours(void)
{
	const char *no = getenv("NO_COLOR");

	return on_terminal() && !(no && *no);
}

enum colour state_colour(const char *state)
{
	static const struct {
		const char *state;
		enum colour colour;
	} colours[] = {
		{"started", GREEN},    {"ready", GREEN},       {"running", GREEN},
		{"complete", GREEN},   {"paused", YELLOW},     {"held", YELLOW},
		{"built", YELLOW},     {"planned", YELLOW},    {"building", YELLOW},
		{"preparing", YELLOW}, {"finalizing", YELLOW}, {"failed", RED},
		{"recovery", RED},     {"shutdown", RED},      {"dying", RED},
		{"reclaimed", GREY},
	};

	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (!strcmp(colours[i].state, state))
			return colours[i].colour;
	return PLAIN;
}

const char *colour_begin(enum colour colour)
{
	static const char *const escapes[] = {
		[PLAIN] = "",	       [BOLD] = "\033[1m", [GREEN] = "\033[32m",
		[YELLOW] = "\033[33m", [RED] = "\033[31m", [GREY] = "\033[90m",
	};

	return use_colours() ? escapes[colour] : "";
}

const char *colour_end(enum colour colour)
{
	return colour != PLAIN && use_colours() ? "\033[0m" : "";
}
