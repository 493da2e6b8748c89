/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages: to the journal with fields where stderr is the journal's, else to stderr as
 * text.  Levels are those of <syslog.h>.  A thing is reported once, by the layer that
 * decides what follows from it.
 */
#ifndef HYPERLAUNCHD_LOOP_LOG_H
#define HYPERLAUNCHD_LOOP_LOG_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

/* MESSAGE_ID= of messages that somebody may look for; hyperlaunchd(8) lists them. */
#define LOG_ID_JOB_DONE		     "8f67fb2c102a4d6b86c306f9d80068b3"
#define LOG_ID_JOB_FAILED	     "92ec42efcb3646eaa630c88c315ee604" /* or cancelled */
#define LOG_ID_JOB_CONTINUED	     "318f8433084d4f619a13eb4d9bff2699" /* after a restart */
#define LOG_ID_DOMAIN_INTRODUCED     "320343c194df4a78b534a8127aa14169" /* to xenstored */
#define LOG_ID_DOMAIN_NOT_INTRODUCED "3a870e192f25458aafb10dfa346722ad" /* given up */
#define LOG_ID_XENSTORE_LOST	     "c3b80c09598c4b7f8b50388db4663d25"
#define LOG_ID_XENSTORE_UNRESPONSIVE "7c089f4c11074d5eb85b0dad4fad161e"
#define LOG_ID_XEN_NOT_HEARD	     "28d329223ac34f97a8fcc54d12562222" /* no interrupt */

/* What a message is about; what is 0, false or NULL has no field. */
struct log_fields {
	const char *message_id; /* LOG_ID_* */
	bool has_domain;	/* the next one is valid */
	uint32_t domid;
	const char *domain_name; /* "": none */
	uint32_t job_id;
	const char *job_kind;
	bool has_caller;   /* the next two are valid */
	uint32_t uid, pid; /* pid 0: not known */
};

/* The least urgent level still shown; LOG_INFO until told otherwise. */
void log_set_level(int level);

/* "error", "warning", "notice", "info", "debug", or 0 to 7.  -EINVAL: none of them. */
int log_level_parse(const char *text, int *ret_level);

/* fields: NULL: none */
void log_with(int level, const struct log_fields *fields, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_msg(level, ...) log_with(level, NULL, __VA_ARGS__)
#define log_error(...)	    log_msg(LOG_ERR, __VA_ARGS__)
#define log_warning(...)    log_msg(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)	    log_msg(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	    log_msg(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	    log_msg(LOG_DEBUG, __VA_ARGS__)

/* About a domain: the text begins with "domain N: ". */
#define log_domain(level, id, name, domain, format, ...)            \
	log_with(level,                                             \
		 &(const struct log_fields){.message_id = (id),     \
					    .has_domain = true,     \
					    .domid = (domain),      \
					    .domain_name = (name)}, \
		 "domain %" PRIu32 ": " format, (uint32_t)(domain)__VA_OPT__(, ) __VA_ARGS__)

#endif
