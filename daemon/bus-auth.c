// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bus-auth.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus-error.h"
#include "log.h"
#include "util.h"

/* Calls that wait for the bus, which answers at once: of one sender, and of all. */
#define MAX_PENDING_SENDER 64
#define MAX_PENDING	   512
/* Of these, calls that wait for polkit. */
#define MAX_ASKED_SENDER 8
#define MAX_ASKED	 64
/* A person may have to type a password. */
#define POLKIT_TIMEOUT (120 * USEC_PER_SEC)

#define POLKIT_NAME	   "org.freedesktop.PolicyKit1"
#define POLKIT_PATH	   "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE   "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_INTERACTIVE 1u

struct pending {
	struct pending *next;
	struct bus_auth *auth;
	sd_bus_message *call;
	sd_bus_slot *slot; /* the question that is out */
	bool asked; /* polkit */
	struct bus_auth_question question; /* its domain is in the fields below */
	bool has_subject;
	struct bus_subject subject;
	char *name;
	char uuid[HL_UUID_TEXT_SIZE];
};

struct bus_auth {
	sd_bus *connection;
	bool own_user_too;
	struct pending *pending;
};

static void pending_free(struct pending *pending)
{
	for (struct pending **p = &pending->auth->pending; *p; p = &(*p)->next) {
		if (*p != pending)
			continue;
		*p = pending->next;
		break;
	}
	sd_bus_slot_unref(pending->slot);
	sd_bus_message_unref(pending->call);
	free(pending->name);
	free(pending);
}

/* Ends the call with `error`, or with `r` where that is not set. */
static void answer_error(struct pending *pending, int r, const sd_bus_error *error)
{
	int sent = sd_bus_error_is_set(error) ? sd_bus_reply_method_error(pending->call, error)
					      : sd_bus_reply_method_errno(pending->call, r, NULL);

	if (sent < 0)
		log_debug("cannot answer: %s", strerror(-sent));
}

static void run(struct pending *pending)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = pending->question.run(pending->call, pending->has_subject ? &pending->subject : NULL,
				      pending->question.userdata, &error);

	if (r < 0 || sd_bus_error_is_set(&error))
		answer_error(pending, r, &error);
	pending_free(pending);
}

static void refuse(struct pending *pending, const char *why)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = bus_error_set(&error, BUS_ERROR_ACCESS_DENIED, "%s needs rights that the caller lacks (%s)",
			      sd_bus_message_get_member(pending->call), why);

	answer_error(pending, r, &error);
	pending_free(pending);
}

static void refuse_flood(struct pending *pending)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = bus_error_set(&error, BUS_ERROR_LIMITS_EXCEEDED, "Too many calls wait for authorisation");

	answer_error(pending, r, &error);
	pending_free(pending);
}

static int on_polkit(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	struct pending *pending = userdata;
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	int allowed = 0, challenge = 0;

	if (error) {
		log_debug("polkit: %s: %s", error->name, error->message);
		refuse(pending, "polkit cannot be asked");
		return 0;
	}
	if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
	    sd_bus_message_read(reply, "bb", &allowed, &challenge) < 0) {
		refuse(pending, "polkit gave no sensible answer");
		return 0;
	}
	if (allowed)
		run(pending);
	else
		refuse(pending, challenge ? "interactive authentication is required" : "polkit does not allow it");
	return 0;
}

/* For polkit's rules, such as one that lets an operator release one domain only. */
static int append_details(sd_bus_message *question, const struct pending *pending)
{
	char domid[16];
	int r = sd_bus_message_open_container(question, 'a', "{ss}");

	snprintf(domid, sizeof(domid), "%" PRIu32, pending->subject.domid);
	if (r >= 0 && pending->has_subject)
		r = sd_bus_message_append(question, "{ss}{ss}{ss}", "domid", domid, "name", pending->name, "uuid",
					  pending->uuid);
	return r < 0 ? r : sd_bus_message_close_container(question);
}

static int ask_polkit(struct pending *pending)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL;
	bool interactive = sd_bus_message_get_allow_interactive_authorization(pending->call) > 0;
	int r = sd_bus_message_new_method_call(pending->auth->connection, &question, POLKIT_NAME, POLKIT_PATH,
					       POLKIT_INTERFACE, "CheckAuthorization");

	if (r < 0)
		return r;
	r = sd_bus_message_append(question, "(sa{sv})s", "system-bus-name", 1, "name", "s",
				  sd_bus_message_get_sender(pending->call), pending->question.action);
	if (r >= 0)
		r = append_details(question, pending);
	if (r >= 0)
		r = sd_bus_message_append(question, "us", interactive ? POLKIT_INTERACTIVE : 0, "");
	if (r < 0)
		return r;
	pending->asked = true;
	pending->slot = sd_bus_slot_unref(pending->slot);
	return sd_bus_call_async(pending->auth->connection, &pending->slot, question, on_polkit, pending,
				 POLKIT_TIMEOUT);
}

/* `asked`: only those that wait for polkit. */
static bool too_many(const struct bus_auth *auth, const char *sender, bool asked)
{
	unsigned int all = 0, of_sender = 0;

	for (const struct pending *p = auth->pending; p; p = p->next) {
		if (asked && !p->asked)
			continue;
		all++;
		of_sender += strcmp(sd_bus_message_get_sender(p->call), sender) == 0;
	}
	if (asked)
		return all >= MAX_ASKED || of_sender >= MAX_ASKED_SENDER;
	return all >= MAX_PENDING || of_sender >= MAX_PENDING_SENDER;
}

static int on_user(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	struct pending *pending = userdata;
	const struct bus_auth *auth = pending->auth;
	uint32_t uid;

	if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read(reply, "u", &uid) < 0) {
		refuse(pending, "the bus does not know who it is");
		return 0;
	}
	if (uid == 0 || (auth->own_user_too && uid == geteuid()))
		run(pending);
	else if (auth->own_user_too)
		refuse(pending, "it is another user's");
	else if (too_many(auth, sd_bus_message_get_sender(pending->call), true))
		refuse_flood(pending);
	else if (ask_polkit(pending) < 0)
		refuse(pending, "polkit cannot be asked");
	return 0;
}

/* The bus itself is asked, not the message: its claims are the sender's own. */
static int ask_user(struct pending *pending)
{
	return sd_bus_call_method_async(pending->auth->connection, &pending->slot, "org.freedesktop.DBus",
					"/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixUser",
					on_user, pending, "s", sd_bus_message_get_sender(pending->call));
}

/* Copies what it keeps of the domain. */
static int set_question(struct pending *pending, const struct bus_auth_question *question)
{
	const struct hl_domain *domain = question->domain;

	pending->question = *question;
	pending->question.domain = NULL;
	if (!domain)
		return 0;
	pending->has_subject = true;
	pending->subject = (struct bus_subject){domain->domid, domain->generation};
	memcpy(pending->uuid, domain->uuid_text, sizeof(pending->uuid));
	pending->name = strdup(domain->name);
	return pending->name ? 0 : -ENOMEM;
}

int bus_auth_call(struct bus_auth *auth, sd_bus_message *call, const struct bus_auth_question *question,
		  sd_bus_error *error)
{
	const char *sender = sd_bus_message_get_sender(call);
	struct pending *pending;
	int r;

	if (!sender)
		return bus_error_set(error, BUS_ERROR_ACCESS_DENIED, "The caller has no name");
	if (too_many(auth, sender, false))
		return bus_error_set(error, BUS_ERROR_LIMITS_EXCEEDED, "Too many calls wait for authorisation");
	pending = calloc(1, sizeof(*pending));
	if (!pending)
		return -ENOMEM;
	pending->auth = auth;
	pending->call = sd_bus_message_ref(call);
	pending->next = auth->pending;
	auth->pending = pending;
	r = set_question(pending, question);
	if (r == 0)
		r = ask_user(pending);
	if (r < 0) {
		pending_free(pending);
		return r;
	}
	return 1;
}

int bus_auth_new(sd_bus *connection, bool own_user_too, struct bus_auth **ret_auth)
{
	struct bus_auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return -ENOMEM;
	auth->connection = connection;
	auth->own_user_too = own_user_too;
	*ret_auth = auth;
	return 0;
}

struct bus_auth *bus_auth_free(struct bus_auth *auth)
{
	if (!auth)
		return NULL;
	for (struct pending *p = auth->pending, *next; p; p = next) {
		next = p->next;
		pending_free(p);
	}
	free(auth);
	return NULL;
}
