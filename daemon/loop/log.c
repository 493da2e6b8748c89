// SPDX-License-Identifier: LGPL-2.1-or-later
/* Formats messages; the journal's priority is in front where the journal reads them. */
#include "loop/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The location would be that of this file. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

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

/* Fields of one message, each "NAME=value". */
struct entry {
	struct iovec fields[12];
	int nr;
	char text[2048];
	size_t used;
};

/* One that does not fit is cut off. */
__attribute__((format(printf, 2, 3))) static void add(struct entry *entry, const char *format, ...)
{
	char *field = entry->text + entry->used;
	size_t room = sizeof(entry->text) - entry->used;
	va_list args;
	int length;

	if (entry->nr == (int)ARRAY_SIZE(entry->fields))
		return;
	va_start(args, format);
	length = vsnprintf(field, room, format, args);
	va_end(args);
	if (length < 0 || room < 2)
		return;
	if ((size_t)length >= room)
		length = (int)room - 1;
	entry->used += (size_t)length;
	entry->fields[entry->nr++] = (struct iovec){.iov_base = field, .iov_len = (size_t)length};
}

static void add_fields(struct entry *entry, const struct log_fields *fields)
{
	if (fields->message_id)
		add(entry, "MESSAGE_ID=%s", fields->message_id);
	if (fields->has_domain)
		add(entry, "DOMID=%" PRIu32, fields->domid);
	if (fields->domain_name && fields->domain_name[0])
		add(entry, "DOMAIN_NAME=%s", fields->domain_name);
	if (fields->job_id)
		add(entry, "JOB_ID=%" PRIu32, fields->job_id);
	if (fields->job_kind)
		add(entry, "JOB_KIND=%s", fields->job_kind);
	if (fields->has_caller)
		add(entry, "CALLER_UID=%" PRIu32, fields->uid);
	if (fields->has_caller && fields->pid)
		add(entry, "CALLER_PID=%" PRIu32, fields->pid);
}

static int send_to_journal(int level, const struct log_fields *fields, const char *text)
{
	struct entry entry = {.nr = 0};

	add(&entry, "PRIORITY=%d", level);
	add(&entry, "SYSLOG_IDENTIFIER=hyperlaunchd");
	if (fields)
		add_fields(&entry, fields);
	add(&entry, "MESSAGE=%s", text);
	return sd_journal_sendv(entry.fields, entry.nr);
}

void log_with(int level, const struct log_fields *fields, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (level > max_level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* The journal reads stderr too. */
	if (!stderr_is_journal() || send_to_journal(level, fields, text) < 0)
		fprintf(stderr, "hyperlaunchd: %s\n", text);
}
