/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Output by whatever way is open: Xen's console for whom Xen lets, else both the
 * domain's own ring and I/O port 0xe9, which Xen prints for HVM and PVH guests.
 */
#ifndef BOOTDOM_CONSOLE_H
#define BOOTDOM_CONSOLE_H

#include <stdarg.h>
#include <stddef.h>

/* A longer line is cut. */
#define LINE_SIZE 512

void console_init(void);

/* As it stands. */
void console_write(const char *text, size_t length);

/* One line, behind "NAME: "; control characters as '?'. */
void say(const char *text, ...) __attribute__((format(printf, 1, 2)));
void vsay(const char *text, va_list args) __attribute__((format(printf, 1, 0)));

/* Bytes typed at Xen's console, 0: none, or a negative errno. */
long console_read(char *buf, size_t size);

#endif /* BOOTDOM_CONSOLE_H */
