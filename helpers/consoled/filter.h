/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes a guest's output safe to show on a terminal.  Pure. */
#ifndef CONSOLED_FILTER_H
#define CONSOLED_FILTER_H

#include <stddef.h>
#include <stdint.h>

#define FILTER_GROWTH 4 /* times the input's size, at most */

/*
 * Writes `in` to `out`, which has room for FILTER_GROWTH * size bytes: printable ASCII, tab, line
 * feed, carriage return, and whole UTF-8 characters that are neither controls nor change the
 * direction of text.  Each other byte becomes \xNN.  Returns the number of bytes written.
 */
size_t filter(const uint8_t *in, size_t size, char *out);

#endif
