// SPDX-License-Identifier: LGPL-2.1-or-later
/* Asks the bus who calls, and polkit whether that user may. */
#include "bus/auth.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/error.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "loop/log.h"

/* Calls that wait for the bus, which answers at once: of one sender, and of all. */
#define MAX_PENDING_SENDER 64
#define MAX_PENDING	   256 /* each has a match rule, and dbus-daemon takes 512 of a connection */
/* Of these, calls that wait for polkit: of one user, and of all. */
#define MAX_ASKED_UID 8
#define MAX_ASKED     64
/* A person may have to type a password. */
#define POLKIT_TIMEOUT (120 * USEC_PER_SEC)

#define POLKIT_NAME	   "org.freedesktop.PolicyKit1"
#define POLKIT_PATH	   "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE   "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_INTERACTIVE 1u

#define CANCELLATION_ID_SIZE 40

struct pending {
	struct pending *next;
	struct bus_auth *auth;
	struct bus_allowed allowed; /* once it is */
	sd_bus_slot *slot;	    /* the question that is out */
	sd_bus_track *sender;
	uint64_t asked;			   /* number of the question to polkit; 0: not asked */
	struct bus_auth_question question; /* its domain is in the fields below */
	bool has_subject;
	char *name;
	char uuid[HL_UUID_TEXT_SIZE];
};

struct bus_auth {
	sd_bus *connection;
	bool own_user_too;
	uint64_t nr_asked; /* so far */
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
	sd_bus_track_unref(pending->sender);
	sd_bus_slot_unref(pending->slot);
	sd_bus_message_unref(pending->allowed.call);
	free(pending->name);
	free(pending);
}

/* Ends the call with `error`, or with `r` where that is not set. */
static void answer_error(struct pending *pending, int r, const sd_bus_error *error)
{
	int sent = sd_bus_error_is_set(error)
			   ? sd_bus_reply_method_error(pending->allowed.call, error)
			   : sd_bus_reply_method_errno(pending->allowed.call, r, NULL);

	if (sent < 0)
		log_debug("cannot answer: %s", strerror(-sent));
}

static void run(struct pending *pending)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = pending->question.run(&pending->allowed, pending->question.userdata, &error);

	if (r < 0 || sd_bus_error_is_set(&error))
		answer_error(pending, r, &error);
	pending_free(pending);
}

static void refuse_with(struct pending *pending, enum bus_error code, const char *why)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = bus_error_set(&error, code, "%s needs rights that the caller lacks (%s)",
			      sd_bus_message_get_member(pending->allowed.call), why);

	answer_error(pending, r, &error);
	pending_free(pending);
}

static void refuse(struct pending *pending, const char *why)
{
	refuse_with(pending, BUS_ERROR_ACCESS_DENIED, why);
}

static void refuse_flood(struct pending *pending)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = bus_error_set(&error, BUS_ERROR_LIMITS_EXCEEDED,
			      "Too many calls wait for authorisation");

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
	else if (challenge)
		refuse_with(pending, BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
			    "interactive authentication is required");
	else
		refuse(pending, "polkit does not allow it");
	return 0;
}

/* For polkit's rules, such as one that lets an operator release one domain only. */
static int append_details(sd_bus_message *question, const struct pending *pending)
{
	char domid[16];
	int r = sd_bus_message_open_container(question, 'a', "{ss}");

	snprintf(domid, sizeof(domid), "%" PRIu32, pending->allowed.subject.domid);
	if (r >= 0 && pending->has_subject)
		r = sd_bus_message_append(question, "{ss}{ss}{ss}", "domid", domid, "name",
					  pending->name, "uuid", pending->uuid);
	return r < 0 ? r : sd_bus_message_close_container(question);
}

/* Identifies the question in CancelCheckAuthorization; unique for this connection. */
static void cancellation_id(const struct pending *pending, char id[CANCELLATION_ID_SIZE])
{
	snprintf(id, CANCELLATION_ID_SIZE, "hyperlaunch-%" PRIu64, pending->asked);
}

static int ask_polkit(struct pending *pending)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL;
	bool interactive =
		sd_bus_message_get_allow_interactive_authorization(pending->allowed.call) > 0;
	char id[CANCELLATION_ID_SIZE];
	int r = sd_bus_message_new_method_call(pending->auth->connection, &question, POLKIT_NAME,
					       POLKIT_PATH, POLKIT_INTERFACE, "CheckAuthorization");

	if (r < 0)
		return r;
	pending->asked = ++pending->auth->nr_asked;
	cancellation_id(pending, id);
	r = sd_bus_message_append(question, "(sa{sv})s", "system-bus-name", 1, "name", "s",
				  sd_bus_message_get_sender(pending->allowed.call),
				  pending->question.action);
	if (r >= 0)
		r = append_details(question, pending);
	if (r >= 0)
		r = sd_bus_message_append(question, "us", interactive ? POLKIT_INTERACTIVE : 0, id);
	if (r < 0)
		return r;
	pending->slot = sd_bus_slot_unref(pending->slot);
	return sd_bus_call_async(pending->auth->connection, &pending->slot, question, on_polkit,
				 pending, POLKIT_TIMEOUT);
}

static bool too_many_of(const struct bus_auth *auth, const char *sender)
{
	unsigned int all = 0, of_sender = 0;

	for (const struct pending *p = auth->pending; p; p = p->next) {
		all++;
		of_sender += strcmp(sd_bus_message_get_sender(p->allowed.call), sender) == 0;
	}
	return all >= MAX_PENDING || of_sender >= MAX_PENDING_SENDER;
}

static bool too_many_asked(const struct bus_auth *auth, uint32_t uid)
{
	unsigned int all = 0, of_user = 0;

	for (const struct pending *p = auth->pending; p; p = p->next) {
		all += p->asked != 0;
		of_user += p->asked != 0 && p->allowed.uid == uid;
	}
	return all >= MAX_ASKED || of_user >= MAX_ASKED_UID;
}

/* a{sv} of GetConnectionCredentials.  The pid stays 0 where the bus does not know it. */
static int read_caller(sd_bus_message *reply, struct bus_allowed *allowed)
{
	bool has_uid = false;
	int r = sd_bus_message_enter_container(reply, 'a', "{sv}");

	allowed->pid = 0;
	while (r >= 0) {
		const char *name;

		r = sd_bus_message_enter_container(reply, 'e', "sv");
		if (r <= 0)
			break;
		r = sd_bus_message_read(reply, "s", &name);
		if (r >= 0 && strcmp(name, "UnixUserID") == 0) {
			r = sd_bus_message_read(reply, "v", "u", &allowed->uid);
			has_uid = r > 0;
		} else if (r >= 0 && strcmp(name, "ProcessID") == 0) {
			r = sd_bus_message_read(reply, "v", "u", &allowed->pid);
		} else if (r >= 0) {
			r = sd_bus_message_skip(reply, "v");
		}
		if (r >= 0)
			r = sd_bus_message_exit_container(reply);
	}
	if (r < 0)
		return r;
	return has_uid ? 0 : -ENODATA;
}

static int on_caller(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	struct pending *pending = userdata;
	const struct bus_auth *auth = pending->auth;
	uint32_t uid;

	if (sd_bus_message_is_method_error(reply, NULL) ||
	    read_caller(reply, &pending->allowed) < 0) {
		refuse(pending, "the bus does not know its user");
		return 0;
	}
	uid = pending->allowed.uid;
	if (uid == 0 || (auth->own_user_too && uid == geteuid()))
		run(pending);
	else if (auth->own_user_too)
		refuse(pending, "it is another user's");
	else if (too_many_asked(auth, uid))
		refuse_flood(pending);
	else if (ask_polkit(pending) < 0)
		refuse(pending, "polkit cannot be asked");
	return 0;
}

/* The bus itself is asked, not the message: its claims are the sender's own. */
static int ask_for_caller(struct pending *pending)
{
	return sd_bus_call_method_async(
		pending->auth->connection, &pending->slot, "org.freedesktop.DBus",
		"/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionCredentials",
		on_caller, pending, "s", sd_bus_message_get_sender(pending->allowed.call));
}

static void cancel_question(const struct pending *pending)
{
	char id[CANCELLATION_ID_SIZE];
	int r;

	cancellation_id(pending, id);
	r = sd_bus_call_method_async(pending->auth->connection, NULL, POLKIT_NAME, POLKIT_PATH,
				     POLKIT_INTERFACE, "CancelCheckAuthorization", NULL, NULL, "s",
				     id);
	if (r < 0)
		log_debug("polkit: cannot cancel a question: %s", strerror(-r));
}

static int on_sender_left(sd_bus_track *track, void *userdata)
{
	struct pending *pending = userdata;

	if (pending->asked)
		cancel_question(pending);
	pending_free(pending);
	return 0;
}

static int follow_sender(struct pending *pending)
{
	int r = sd_bus_track_new(pending->auth->connection, &pending->sender, on_sender_left,
				 pending);

	return r < 0 ? r : sd_bus_track_add_sender(pending->sender, pending->allowed.call);
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
	pending->allowed.subject = (struct bus_subject){domain->domid, domain->generation};
	memcpy(pending->uuid, domain->uuid_text, sizeof(pending->uuid));
	pending->name = strdup(domain->name);
	return pending->name ? 0 : -ENOMEM;
}

int bus_auth_call(struct bus_auth *auth, sd_bus_message *call,
		  const struct bus_auth_question *question, sd_bus_error *error)
{
	const char *sender = sd_bus_message_get_sender(call);
	struct pending *pending;
	int r;

	if (!sender)
		return bus_error_set(error, BUS_ERROR_ACCESS_DENIED, "The caller has no name");
	if (too_many_of(auth, sender))
		return bus_error_set(error, BUS_ERROR_LIMITS_EXCEEDED,
				     "Too many calls wait for authorisation");
	pending = calloc(1, sizeof(*pending));
	if (!pending)
		return -ENOMEM;
	pending->auth = auth;
	pending->allowed.call = sd_bus_message_ref(call);
	pending->next = auth->pending;
	auth->pending = pending;
	r = set_question(pending, question);
	if (r == 0)
		r = follow_sender(pending);
	if (r >= 0)
		r = ask_for_caller(pending);
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

bool bus_allowed_is_trusted(const struct bus_allowed *allowed)
{
	return allowed->uid == 0 || allowed->uid == geteuid();
}
