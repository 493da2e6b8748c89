/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages to stderr, with the journal's priority in front where the journal
 * reads it.  Levels are those of <syslog.h>.  A thing is reported once, by the
 * layer that decides what follows from it.
 */
#ifndef HYPERLAUNCHD_LOOP_LOG_H
#define HYPERLAUNCHD_LOOP_LOG_H

#include <syslog.h>

/* The least urgent level still shown; LOG_INFO until told otherwise. */
void log_set_level(int level);

/* "error", "warning", "notice", "info", "debug", or 0 to 7.  -EINVAL: none of them. */
int log_level_parse(const char *text, int *ret_level);

void log_msg(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_msg(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_msg(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_msg(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_msg(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	 log_msg(LOG_DEBUG, __VA_ARGS__)

#endif
