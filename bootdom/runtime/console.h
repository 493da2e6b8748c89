/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Output to Xen's console if Xen permits it, else both to the domain's own console ring
 * and to I/O port 0xe9, which Xen prints for HVM and PVH guests.
 */
#ifndef BOOTDOM_CONSOLE_H
#define BOOTDOM_CONSOLE_H

#include <stdarg.h>
#include <stddef.h>

/* Longer lines are cut off. */
#define LINE_SIZE 512

void console_init(void);

/* Writes text as it is. */
void console_write(const char *text, size_t length);

/* Prints "NAME: " and the text as one line; characters that are not printable ASCII as '?'. */
void log(const char *text, ...) __attribute__((format(printf, 1, 2)));
void vlog(const char *text, va_list args) __attribute__((format(printf, 1, 0)));

/* Reads input of Xen's console.  Returns the number of bytes, 0: none, or a negative errno. */
long console_read(char *buf, size_t size);

#endif /* BOOTDOM_CONSOLE_H */
