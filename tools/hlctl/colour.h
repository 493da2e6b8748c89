/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Colours on a terminal. */
#ifndef HLCTL_COLOUR_H
#define HLCTL_COLOUR_H

#include "hlctl.h"

enum colour { PLAIN, BOLD, GREEN, YELLOW, RED, GREY };

/* Whether standard output was one that takes escape sequences, before a pager took it. */
bool on_terminal(void);
/* To a terminal, and NO_COLOR not set. */
bool use_colours(void);
/* What to print before and after a word; "" where there are no colours. */
const char *colour_begin(enum colour colour);
const char *colour_end(enum colour colour);
enum colour state_colour(const char *state);

#endif /* HLCTL_COLOUR_H */
