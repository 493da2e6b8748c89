/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A subset of snprintf().  Pure. */
#ifndef BOOTDOM_FORMAT_H
#define BOOTDOM_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Supports %d %u %x %s %c %%, the flag 0, a width, the lengths l, ll and z, and a precision
 * for %s.  An unsupported conversion ends the output.  As snprintf() they write at most
 * size bytes, including the NUL, and return the length of the whole text.
 */
size_t vformat(char *buf, size_t size, const char *text, va_list args)
	__attribute__((format(printf, 3, 0)));
size_t format(char *buf, size_t size, const char *text, ...) __attribute__((format(printf, 3, 4)));

#endif /* BOOTDOM_FORMAT_H */
