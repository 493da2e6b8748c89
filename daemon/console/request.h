/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked of the helper that serves a domain's console. */
#ifndef HYPERLAUNCHD_CONSOLE_REQUEST_H
#define HYPERLAUNCHD_CONSOLE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

struct console_request;
struct consoles;
struct domain;
struct json_object;
struct peer_reply;

struct console_answer {
	int error; /* 0, or as in struct peer_reply, as the next two */
	const char *code, *message;
	int fd;		  /* to be taken with steal_fd() */
	bool writer;	  /* of attach: this client may type */
	uint64_t size;	  /* of the log, in bytes */
	const char *path; /* of relay: where its stream is, as long as the call lasts */
};

typedef void (*console_done_t)(void *userdata, struct console_answer *answer);

struct console_ask {
	const char *name;
	struct json_object *members; /* taken over, also on failure; NULL: no memory */
	bool wants_fd;		     /* a descriptor comes with the result: */
	bool terminal;		     /* a terminal, else a pipe */
	bool anywhere;		     /* without a domain: the next helper is asked where one does
				      * not know what the members name */
	/* The members of the result, and what the descriptor is.  -EBADMSG: not as promised.
	 * NULL: nothing is read of it. */
	int (*read)(const struct peer_reply *reply, struct console_answer *answer);
	console_done_t done; /* called once, never before console_ask() has returned */
	void *userdata;
};

/*
 * Asks about the console of a domain; NULL: the members name it, and our own helper is asked, then
 * the others if `anywhere`.  From a helper in another domain a descriptor's bytes come through a
 * stream, whose local end our own helper makes.  -ENOTCONN: the helper is not there; -EOPNOTSUPP:
 * it is in another domain, and there is none here; -EBUSY: too many requests are open; -ENOMEM.
 * @ret_request: valid until done() is called
 */
int console_ask(struct consoles *consoles, const struct domain *domain,
		const struct console_ask *ask, struct console_request **ret_request);

/* The members of a stream's other end: its "stream".  NULL: no memory. */
struct json_object *console_stream_members(const struct consoles *consoles, const char *path);

/* A stream's path, in a result.  -EBADMSG. */
int console_stream_path(struct json_object *result, const char **ret_path);

/* done() is not called. */
void console_request_cancel(struct console_request *request);

#endif
