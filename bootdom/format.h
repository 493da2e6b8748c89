/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* printf() as far as a boot domain needs it.  Pure. */
#ifndef BOOTDOM_FORMAT_H
#define BOOTDOM_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * %d %u %x %s %c %%, with 0 and a width, l, ll and z, and a precision for %s.  A
 * conversion that it does not know ends the text.  As snprintf(): at most size
 * bytes with the NUL, and the length that the whole has.
 */
size_t vformat(char *buf, size_t size, const char *text, va_list args)
	__attribute__((format(printf, 3, 0)));
size_t format(char *buf, size_t size, const char *text, ...) __attribute__((format(printf, 3, 4)));

#endif /* BOOTDOM_FORMAT_H */
