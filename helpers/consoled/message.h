/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages to stderr, with the journal's priority in front where the journal reads it.
 * Levels are those of <syslog.h>.  Nothing that a guest wrote is part of a message.
 */
#ifndef CONSOLED_MESSAGE_H
#define CONSOLED_MESSAGE_H

#include <syslog.h>

/* The least urgent level that is printed; LOG_INFO by default. */
void message_set_level(int level);

void message(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
