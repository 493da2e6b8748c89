// SPDX-License-Identifier: LGPL-2.1-or-later
/* Formats messages; the journal's priority is in front where the journal reads them. */
#include "loop/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

static int max_level = LOG_INFO;

void log_set_level(int level)
{
	max_level = level;
}

int log_level_parse(const char *text, int *ret_level)
{
	static const struct {
		const char *name;
		int level;
	} names[] = {
		{"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
		{"info", LOG_INFO}, {"debug", LOG_DEBUG},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i].name) == 0) {
			*ret_level = names[i].level;
			return 0;
		}
	}
	if (text[0] < '0' || text[0] > '7' || text[1] != '\0')
		return -EINVAL;
	*ret_level = text[0] - '0';
	return 0;
}

/* JOURNAL_STREAM names device and inode of the journal's end of stderr. */
static bool stderr_is_journal(void)
{
	static int known = -1;
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (known >= 0)
		return known;
	known = 0;
	if (stream && fstat(STDERR_FILENO, &st) == 0) {
		snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)st.st_dev,
			 (unsigned long long)st.st_ino);
		known = strcmp(stream, own) == 0;
	}
	return known;
}

void log_msg(int level, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (level > max_level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (stderr_is_journal())
		fprintf(stderr, "<%d>%s\n", level, text);
	else
		fprintf(stderr, "hyperlaunchd: %s\n", text);
}
