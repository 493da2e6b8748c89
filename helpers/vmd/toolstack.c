// SPDX-License-Identifier: LGPL-2.1-or-later
/* One context, in a process that does one thing at a time and has no children of its own. */
#include "toolstack.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "client.h"
#include "order.h"

#define POLLS_MAX 64
/* Of the only operation there is at a time. */
#define OPERATION 1
#define SCRIPT	  "script: "

static int syslog_level(xentoollog_level level)
{
	if (level >= XTL_ERROR)
		return LOG_ERR;
	if (level == XTL_WARN)
		return LOG_WARNING;
	return level >= XTL_NOTICE ? LOG_NOTICE : LOG_DEBUG;
}

/* Lines of libxl begin with the place in its source, which helps nobody who asked for a VM. */
static const char *skip_place(const char *text)
{
	const char *colon = strstr(text, ".c:"), *after;

	if (!colon || strcspn(text, " ") < (size_t)(colon - text))
		return text;
	after = strchr(colon + 3, ':');
	after = after ? strchr(after + 1, ':') : NULL;
	after = after ? after + 1 : text;
	return after + strspn(after, " ");
}

__attribute__((format(printf, 5, 0))) static void on_message(xentoollog_logger *logger,
							     xentoollog_level level, int errnum,
							     const char *context,
							     const char *format, va_list args)
{
	struct toolstack *toolstack = (struct toolstack *)logger;
	char text[1024];
	int length = vsnprintf(text, sizeof(text), format, args);

	if (errnum >= 0 && length >= 0 && (size_t)length < sizeof(text))
		snprintf(text + length, sizeof(text) - (size_t)length, ": %s", strerror(errnum));
	fprintf(stderr, "<%d>%s: %s\n", syslog_level(level), context ? context : "libxl", text);
	if (level < XTL_ERROR)
		return;
	/* A hotplug script says more than that it has failed, which comes first. */
	if (strncmp(skip_place(text), SCRIPT, strlen(SCRIPT)) == 0)
		toolstack_forget(toolstack);
	if (toolstack->problem[0] == '\0')
		snprintf(toolstack->problem, sizeof(toolstack->problem), "%.255s",
			 skip_place(text));
}

/* The logger is part of the toolstack. */
static void on_destroy(xentoollog_logger *logger)
{
}

/* Its loop is broken, so nothing that was begun can be waited for. */
static void on_disaster(void *user, libxl_event_type type, const char *text, int errnum)
{
	fprintf(stderr, "<2>libxl cannot go on: %s: %s\n", text, strerror(errnum));
	exit(EXIT_FAILURE);
}

int toolstack_open(struct toolstack *toolstack, struct client *client)
{
	static const libxl_event_hooks hooks = {.disaster = on_disaster};
	static const libxl_childproc_hooks children = {.chldowner = libxl_sigchld_owner_libxl};

	*toolstack = (struct toolstack){
		.logger = {.vmessage = on_message, .destroy = on_destroy},
		.client = client,
	};
	if (libxl_ctx_alloc(&toolstack->ctx, LIBXL_VERSION, 0, &toolstack->logger) != 0)
		return -EIO;
	libxl_event_register_callbacks(toolstack->ctx, &hooks, NULL);
	libxl_childproc_setmode(toolstack->ctx, &children, NULL);
	return 0;
}

void toolstack_close(struct toolstack *toolstack)
{
	libxl_ctx_free(toolstack->ctx);
}

void toolstack_forget(struct toolstack *toolstack)
{
	toolstack->problem[0] = '\0';
}

const char *toolstack_problem(const struct toolstack *toolstack, int rc)
{
	return toolstack->problem[0] ? toolstack->problem : libxl_error_to_string(rc);
}

libxl_asyncop_how toolstack_how(void)
{
	return (libxl_asyncop_how){.callback = NULL, .u.for_event = OPERATION};
}

static struct timeval now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return (struct timeval){.tv_sec = time.tv_sec, .tv_usec = time.tv_nsec / 1000};
}

/* Positive: the operation is over, and *ret_rc is its code. */
static int take_event(struct toolstack *toolstack, int *ret_rc)
{
	libxl_event *event;
	int rc = libxl_event_check(toolstack->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL);
	int over;

	if (rc == ERROR_NOT_READY)
		return 0;
	if (rc != 0)
		return -EIO;
	over = event->type == LIBXL_EVENT_TYPE_OPERATION_COMPLETE && event->for_user == OPERATION;
	if (over)
		*ret_rc = event->u.operation_complete.rc;
	libxl_event_free(toolstack->ctx, event);
	return over ? 1 : take_event(toolstack, ret_rc);
}

/* Waits for what libxl waits for, and for the client's end where `watch` has it. */
static int wait_once(struct toolstack *toolstack, bool watch)
{
	struct pollfd polls[POLLS_MAX + 1];
	int nr = POLLS_MAX, timeout = -1;
	struct client *client = toolstack->client;

	if (libxl_osevent_beforepoll(toolstack->ctx, &nr, polls, &timeout, now()) != 0)
		return -EIO;
	if (watch)
		polls[nr] = (struct pollfd){.fd = client->fd, .events = POLLIN};
	if (poll(polls, (nfds_t)nr + watch, timeout) < 0)
		return errno == EINTR ? 0 : -errno;
	libxl_osevent_afterpoll(toolstack->ctx, nr, polls, now());
	return watch && polls[nr].revents && client_has_left(client);
}

int toolstack_wait(struct toolstack *toolstack, int rc, const libxl_asyncop_how *how,
		   bool abortable)
{
	bool watch = abortable;
	int r;

	if (rc != 0)
		return rc;
	while ((r = take_event(toolstack, &rc)) == 0) {
		r = wait_once(toolstack, watch);
		if (r < 0)
			break;
		if (r > 0) {
			watch = false;
			(void)libxl_ao_abort(toolstack->ctx, how);
		}
	}
	return r < 0 ? ERROR_FAIL : rc;
}

int toolstack_read_config(struct toolstack *toolstack, uint32_t domid, libxl_domain_config *config)
{
	const libxl_asyncop_how how = toolstack_how();

	return toolstack_wait(
		toolstack, libxl_retrieve_domain_configuration(toolstack->ctx, domid, config, &how),
		&how, false);
}

bool toolstack_has(struct toolstack *toolstack, const uint8_t uuid[16])
{
	bool found = false;
	libxl_dominfo *list;
	int nr;

	list = libxl_list_domain(toolstack->ctx, &nr);
	for (int i = 0; list && i < nr; i++)
		found = found || memcmp(list[i].uuid.uuid, uuid, 16) == 0;
	if (list)
		libxl_dominfo_list_free(list, nr);
	return found;
}

/* One that is dying may be a predecessor whose memory another domain still maps. */
uint32_t toolstack_find(struct toolstack *toolstack, const uint8_t uuid[16])
{
	uint32_t found = ORDER_NO_DOMID;
	libxl_dominfo *list;
	int nr;

	list = libxl_list_domain(toolstack->ctx, &nr);
	for (int i = 0; list && i < nr; i++)
		if (!list[i].dying && memcmp(list[i].uuid.uuid, uuid, 16) == 0)
			found = list[i].domid;
	if (list)
		libxl_dominfo_list_free(list, nr);
	return found;
}
