// SPDX-License-Identifier: LGPL-2.1-or-later
/* The interface Console, and Manager.OpenConsoleLog: what is asked of the helper, and the answers.
 */
#include "bus/console.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/auth.h"
#include "bus/connection.h"
#include "bus/console-handoff.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/options.h"
#include "bus/property.h"
#include "common/cleanup.h"
#include "console/attach.h"
#include "console/consoles.h"
#include "console/event.h"
#include "console/log.h"
#include "domains/manager.h"
#include "loop/log.h"

/* Calls that wait for the helper, of one user; all have the helper's own limit. */
#define MAX_CALLS_UID 32

/* A call that waits for the helper.  A sender that leaves meanwhile is sent its reply all the same:
 * the bus throws that away, and with it the descriptor, which detaches. */
struct kept_call {
	struct bus_consoles *consoles;
	sd_bus_message *call;
	uint32_t uid;
	const char *doing;
	char subject[HL_UUID_TEXT_SIZE]; /* a domid or a UUID */
	struct console_request *request;
	int (*reply)(sd_bus_message *call, struct console_answer *answer);
	struct kept_call *next;
};

struct bus_consoles {
	struct bus *bus;
	struct consoles_observer observer;
	struct kept_call *calls;
};

static const struct domain *find_domain(const struct bus *bus, uint32_t domid, uint64_t generation)
{
	const struct domain *domain =
		domains_find(manager_domains(bus_manager_of(bus)), domid, generation);

	return domain && domain->console.shown ? domain : NULL;
}

/* The domain of an object; NULL: it has no console. */
static const struct domain *domain_at(const struct bus *bus, const char *path)
{
	const struct hl_domain *row = bus_domain_find(manager_table(bus_manager_of(bus)), path);

	return row ? find_domain(bus, row->domid, row->generation) : NULL;
}

/* `userdata` of all getters is the bus.  find() has seen the domain: the state of one that is not
 * there is that of none. */
static struct console_facts facts_at(const struct bus *bus, const char *path)
{
	const struct domain *domain = domain_at(bus, path);

	return domain ? domain->console : (struct console_facts){.state = CONSOLE_NONE};
}

/* What has released it knows of the xenconsoled of its own domain only. */
static bool is_xenconsoled(const struct console_facts *facts)
{
	return facts->state == CONSOLE_RELEASED && facts->tty[0] != '\0';
}

static const char *backend_of(const struct console_facts *facts)
{
	if (is_xenconsoled(facts))
		return "xenconsoled";
	return facts->state == CONSOLE_RELEASED ? "" : "consoled";
}

#define CONSOLE_GETTER(name, signature, value)  \
	BUS_VALUE_GETTER(get_##name, signature, \
			 const struct console_facts facts = facts_at(userdata, path), value)

CONSOLE_GETTER(state, "s", console_state_name(facts.state))
CONSOLE_GETTER(backend, "s", backend_of(&facts))
CONSOLE_GETTER(tty, "s", facts.tty)
CONSOLE_GETTER(attached, "u", facts.attached)
CONSOLE_GETTER(dropped, "t", facts.dropped)

BUS_GETTER(get_owner)
{
	const struct console_facts facts = facts_at(userdata, path);
	char owner_path[BUS_DOMAIN_PATH_SIZE] = "/";
	const struct hl_domain *owner;

	if ((facts.state != CONSOLE_RELEASED || is_xenconsoled(&facts)) &&
	    hl_table_find_domid(manager_table(bus_manager_of(userdata)), facts.owner, &owner) == 0)
		bus_domain_path(owner, owner_path);
	return sd_bus_message_append(reply, "o", owner_path);
}

static void kept_call_free(struct kept_call *kept)
{
	struct kept_call **p = &kept->consoles->calls;

	while (*p && *p != kept)
		p = &(*p)->next;
	if (*p)
		*p = kept->next;
	if (kept->request)
		console_request_cancel(kept->request);
	sd_bus_message_unref(kept->call);
	free(kept);
}

/* The helper's own error, by the last part of a D-Bus error's name. */
static enum bus_error error_named(const char *code)
{
	static const struct {
		const char *name;
		enum bus_error code;
	} codes[] = {
		{"NoSuchDomain", BUS_ERROR_NO_SUCH_DOMAIN},
		{"WrongState", BUS_ERROR_WRONG_STATE},
		{"Busy", BUS_ERROR_BUSY},
		{"NotSupported", BUS_ERROR_NOT_SUPPORTED},
		{"NoMemory", BUS_ERROR_NO_MEMORY},
		{"LimitsExceeded", BUS_ERROR_LIMITS_EXCEEDED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (strcmp(codes[i].name, code) == 0)
			return codes[i].code;
	return BUS_ERROR_FAILED;
}

static int set_error(sd_bus_error *error, const struct kept_call *kept,
		     const struct console_answer *answer)
{
	switch (answer->error) {
	case -EREMOTEIO:
		return bus_error_set(error, error_named(answer->code),
				     "Cannot %s of domain %s: %.256s", kept->doing, kept->subject,
				     answer->message);
	case -ETIMEDOUT:
		return bus_error_set(error, BUS_ERROR_TIMEOUT,
				     "Cannot %s of domain %s"
				     ": the console's back end does not answer",
				     kept->doing, kept->subject);
	case -ECONNRESET:
		return bus_error_set(error, BUS_ERROR_FAILED,
				     "Cannot %s of domain %s"
				     ": the console's back end has ended meanwhile",
				     kept->doing, kept->subject);
	default:
		return bus_error_set(error, BUS_ERROR_FAILED,
				     "Cannot %s of domain %s"
				     ": the console's back end gave no valid answer",
				     kept->doing, kept->subject);
	}
}

static void on_done(void *userdata, struct console_answer *answer)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct kept_call *kept = userdata;
	int r;

	kept->request = NULL;
	if (answer->error < 0) {
		(void)set_error(&error, kept, answer);
		r = sd_bus_reply_method_error(kept->call, &error);
	} else {
		r = kept->reply(kept->call, answer);
	}
	if (r < 0)
		log_debug("cannot answer: %s", strerror(-r));
	kept_call_free(kept);
}

/* The bus library duplicates the descriptor. */
static int reply_attach(sd_bus_message *call, struct console_answer *answer)
{
	return sd_bus_reply_method_return(call, "ha{sv}", answer->fd, 1, "Writer", "b",
					  (int)answer->writer);
}

static int reply_log(sd_bus_message *call, struct console_answer *answer)
{
	return sd_bus_reply_method_return(call, "ha{sv}", answer->fd, 1, "Size", "t", answer->size);
}

static bool too_many_of(const struct bus_consoles *consoles, uint32_t uid)
{
	unsigned int nr = 0;

	for (const struct kept_call *k = consoles->calls; k; k = k->next)
		nr += k->uid == uid;
	return uid != 0 && nr >= MAX_CALLS_UID;
}

static struct kept_call *keep(struct bus_consoles *consoles, const struct bus_allowed *allowed,
			      const char *subject)
{
	struct kept_call *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return NULL;
	kept->consoles = consoles;
	kept->call = sd_bus_message_ref(allowed->call);
	kept->uid = allowed->uid;
	snprintf(kept->subject, sizeof(kept->subject), "%s", subject);
	kept->next = consoles->calls;
	consoles->calls = kept;
	return kept;
}

static int no_helper(sd_bus_error *error, const char *subject)
{
	return bus_error_set(error, BUS_ERROR_NOT_SUPPORTED,
			     "The back end of domain %s's console does not run now. "
			     "Look whether hyperlaunch-consoled.service does, and try again",
			     subject);
}

static int no_console(const struct bus *bus, sd_bus_error *error, uint32_t domid)
{
	if (!consoles_any_ready(bus_consoles_of(bus)))
		return bus_error_set(error, BUS_ERROR_NOT_SUPPORTED,
				     "No console of domain %" PRIu32 " is known, as no back end of "
				     "consoles runs here (hyperlaunch-consoled.service)",
				     domid);
	return bus_error_set(error, BUS_ERROR_NOT_SUPPORTED,
			     "Domain %" PRIu32 " has no console that is served here", domid);
}

/* Its back end is in another domain, and no consoled here can serve a stream to it. */
static int served_elsewhere(const struct bus *bus, sd_bus_error *error, const struct domain *domain)
{
	uint32_t owner = domain->console.owner;
	const struct domain *there =
		domains_find_domid(manager_domains(bus_manager_of(bus)), owner);

	return bus_error_set(error, BUS_ERROR_NOT_SUPPORTED,
			     "The console of domain %" PRIu32 " is served in domain %" PRIu32
			     " (%s), and reached from here by hyperlaunch-consoled.service, which "
			     "does not run",
			     domain->domid, owner, there ? there->row->name : "");
}

/* Of a call that is kept already; it is not any more where this fails. */
static int started(const struct bus *bus, struct kept_call *kept, const struct domain *domain,
		   int r, sd_bus_error *error)
{
	char subject[HL_UUID_TEXT_SIZE];

	if (r == 0)
		return 1;
	kept->request = NULL;
	memcpy(subject, kept->subject, sizeof(subject));
	kept_call_free(kept);
	if (r == -ENOTCONN)
		return no_helper(error, subject);
	if (r == -EOPNOTSUPP && domain)
		return served_elsewhere(bus, error, domain);
	if (r == -EBUSY)
		return bus_error_set(error, BUS_ERROR_LIMITS_EXCEEDED,
				     "Too many calls wait for the back end of consoles");
	return r;
}

static int keep_one(struct bus *bus, const struct bus_allowed *allowed, const char *subject,
		    struct kept_call **ret_kept, sd_bus_error *error)
{
	struct bus_consoles *consoles = bus_console_calls_of(bus);

	if (too_many_of(consoles, allowed->uid))
		return bus_error_set(
			error, BUS_ERROR_LIMITS_EXCEEDED,
			"Too many calls of this user wait for the back end of consoles");
	*ret_kept = keep(consoles, allowed, subject);
	return *ret_kept ? 0 : -ENOMEM;
}

/* What was right when the call came is looked at again: it may have waited for polkit. */
static int prepare(struct bus *bus, const struct bus_allowed *allowed,
		   const struct domain **ret_domain, struct kept_call **ret_kept,
		   sd_bus_error *error)
{
	const struct bus_subject *subject = &allowed->subject;
	char domid[HL_UUID_TEXT_SIZE];
	const struct hl_domain *row;

	manager_refresh_if_stale(bus_manager_of(bus));
	if (hl_table_find(manager_table(bus_manager_of(bus)), subject->domid, subject->generation,
			  &row) < 0)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
				     "Domain %" PRIu32 " has gone meanwhile", subject->domid);
	*ret_domain = find_domain(bus, subject->domid, subject->generation);
	if (!*ret_domain)
		return no_console(bus, error, subject->domid);
	snprintf(domid, sizeof(domid), "%" PRIu32, subject->domid);
	return keep_one(bus, allowed, domid, ret_kept, error);
}

static int read_attach_options(sd_bus_message *call, struct console_attach_options *attach,
			       sd_bus_error *error)
{
	const struct bus_option options[] = {
		{.name = "ReadOnly", .flag = &attach->read_only},
		{.name = "Exclusive", .flag = &attach->exclusive},
		{.name = "Replay", .max = CONSOLE_REPLAY_MAX, .number = &attach->replay},
	};
	int r = bus_options_read(call, options, ARRAY_SIZE(options), error);

	if (r >= 0 && attach->read_only && attach->exclusive)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "ReadOnly and Exclusive exclude each other: a reader keeps "
				     "nobody from typing");
	return r;
}

static int run_attach(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	struct console_attach_options options = {.replay = 0};
	const struct domain *domain = NULL;
	struct kept_call *kept = NULL;
	int r = sd_bus_message_rewind(allowed->call, true);

	if (r >= 0)
		r = read_attach_options(allowed->call, &options, error);
	if (r >= 0)
		r = prepare(userdata, allowed, &domain, &kept, error);
	if (!kept)
		return r;
	kept->doing = "attach to the console";
	kept->reply = reply_attach;
	log_info("attach to the console of domain %" PRIu32 "%s, for uid %" PRIu32 ", pid %" PRIu32,
		 domain->domid, options.read_only ? " as a reader" : "", allowed->uid,
		 allowed->pid);
	r = console_attach(bus_consoles_of(userdata), domain, &options, on_done, kept,
			   &kept->request);
	return started(userdata, kept, domain, r, error);
}

static int read_log_options(sd_bus_message *call, bool *ret_follow, sd_bus_error *error)
{
	const struct bus_option options[] = {{.name = "Follow", .flag = ret_follow}};

	*ret_follow = false;
	return bus_options_read(call, options, ARRAY_SIZE(options), error);
}

static int start_log(struct bus *bus, struct kept_call *kept, const struct domain *domain,
		     const char *uuid, bool follow, sd_bus_error *error)
{
	int r;

	kept->doing = "open the log of the console";
	kept->reply = reply_log;
	r = console_open_log(bus_consoles_of(bus), domain, uuid, follow, on_done, kept,
			     &kept->request);
	return started(bus, kept, domain, r, error);
}

static int run_open_log(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	const struct domain *domain = NULL;
	struct kept_call *kept = NULL;
	bool follow;
	int r = sd_bus_message_rewind(allowed->call, true);

	if (r >= 0)
		r = read_log_options(allowed->call, &follow, error);
	if (r >= 0)
		r = prepare(userdata, allowed, &domain, &kept, error);
	if (!kept)
		return r;
	return start_log(userdata, kept, domain, NULL, follow, error);
}

/* The text is the call's. */
static int read_log_arguments(sd_bus_message *call, const char **ret_uuid, bool *ret_follow,
			      sd_bus_error *error)
{
	uint8_t uuid[16];
	int r = sd_bus_message_read(call, "s", ret_uuid);

	if (r < 0)
		return r;
	if (hl_uuid_from_text(*ret_uuid, uuid) < 0)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "The UUID must have the form "
				     "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, in hexadecimal digits");
	return read_log_options(call, ret_follow, error);
}

/* By UUID: the domain may be gone. */
static int run_open_console_log(const struct bus_allowed *allowed, void *userdata,
				sd_bus_error *error)
{
	char text[HL_UUID_TEXT_SIZE];
	struct kept_call *kept = NULL;
	uint8_t bytes[16];
	const char *uuid;
	bool follow = false;
	int r = sd_bus_message_rewind(allowed->call, true);

	if (r >= 0)
		r = read_log_arguments(allowed->call, &uuid, &follow, error);
	if (r < 0)
		return r;
	/* As the helper writes it. */
	if (hl_uuid_from_text(uuid, bytes) < 0)
		return -EINVAL;
	hl_uuid_to_text(bytes, text);
	r = keep_one(userdata, allowed, text, &kept, error);
	return kept ? start_log(userdata, kept, NULL, text, follow, error) : r;
}

int bus_console_open_log(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct bus_auth_question question = {
		.action = BUS_ACTION_READ_CONSOLE_LOG,
		.run = run_open_console_log,
		.userdata = userdata,
	};
	uint8_t bytes[16];
	const char *uuid;
	bool follow;
	int r = read_log_arguments(call, &uuid, &follow, error);

	if (r < 0)
		return r;
	/* Where it is there, rules of polkit may go by its name. */
	if (hl_uuid_from_text(uuid, bytes) < 0 ||
	    hl_table_find_uuid(manager_table(bus_manager_of(userdata)), bytes, &question.domain) <
		    0)
		question.domain = NULL;
	return bus_auth_call(bus_auth_of(userdata), call, &question, error);
}

static int ask(sd_bus_message *call, struct bus *bus, const char *action, bus_auth_run_t run,
	       sd_bus_error *error)
{
	const char *path = sd_bus_message_get_path(call);
	const struct bus_auth_question question = {
		.action = action,
		.domain = bus_domain_find(manager_table(bus_manager_of(bus)), path),
		.run = run,
		.userdata = bus,
	};

	if (!question.domain)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
				     "The domain of this object has gone");
	return bus_auth_call(bus_auth_of(bus), call, &question, error);
}

static int attach(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct console_attach_options options = {.replay = 0};
	int r = read_attach_options(call, &options, error);

	return r < 0 ? r : ask(call, userdata, BUS_ACTION_ATTACH_CONSOLE, run_attach, error);
}

static int open_log(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	bool follow;
	int r = read_log_options(call, &follow, error);

	return r < 0 ? r : ask(call, userdata, BUS_ACTION_READ_CONSOLE_LOG, run_open_log, error);
}

/* A call may outlast the domain, so handlers are given the bus. */
static int find(sd_bus *connection, const char *path, const char *interface, void *userdata,
		void **ret_found, sd_bus_error *error)
{
	if (!domain_at(userdata, path))
		return 0;
	*ret_found = userdata;
	return 1;
}

/* Each method asks for the caller's right itself. */
static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("HandOff", SD_BUS_ARGS("o", target, "a{sv}", options),
				SD_BUS_NO_RESULT, bus_console_hand_off, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Attach", SD_BUS_ARGS("a{sv}", options),
				SD_BUS_RESULT("h", terminal, "a{sv}", info), attach,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("OpenLog", SD_BUS_ARGS("a{sv}", options),
				SD_BUS_RESULT("h", log, "a{sv}", info), open_log,
				SD_BUS_VTABLE_UNPRIVILEGED),
	BUS_PROPERTY("State", "s", get_state),
	BUS_PROPERTY("Owner", "o", get_owner),
	BUS_PROPERTY("Backend", "s", get_backend),
	BUS_PROPERTY("Tty", "s", get_tty),
	BUS_PROPERTY("Attached", "u", get_attached),
	BUS_PROPERTY("Dropped", "t", get_dropped),
	SD_BUS_VTABLE_END,
};

int bus_console_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_fallback_vtable(connection, NULL, BUS_DOMAIN_PREFIX, BUS_CONSOLE, vtable,
					  find, bus);
}

int bus_console_check(struct bus *bus, sd_bus_message *call, sd_bus_error *error)
{
	const char *interface = sd_bus_message_get_interface(call);
	const char *path = sd_bus_message_get_path(call);
	const struct hl_domain *row;

	if (!interface || strcmp(interface, BUS_CONSOLE) != 0)
		return 0;
	row = bus_domain_find(manager_table(bus_manager_of(bus)), path);
	if (!row || find_domain(bus, row->domid, row->generation))
		return 0;
	return no_console(bus, error, row->domid);
}

static void on_added(void *userdata, const struct domain *domain)
{
	const struct bus_consoles *consoles = userdata;
	char path[BUS_DOMAIN_PATH_SIZE];

	bus_domain_path_of(domain->domid, domain->generation, path);
	bus_sent(sd_bus_emit_interfaces_added(bus_connection_of(consoles->bus), path, BUS_CONSOLE,
					      NULL),
		 "InterfacesAdded");
}

static void on_removed(void *userdata, const struct domain *domain)
{
	const struct bus_consoles *consoles = userdata;
	char path[BUS_DOMAIN_PATH_SIZE];

	bus_domain_path_of(domain->domid, domain->generation, path);
	bus_sent(sd_bus_emit_interfaces_removed(bus_connection_of(consoles->bus), path, BUS_CONSOLE,
						NULL),
		 "InterfacesRemoved");
}

static void on_changed(void *userdata, const struct domain *domain, uint32_t fields)
{
	static const struct bus_property_change changes[] = {
		{CONSOLE_CHANGED_STATE, "State"},
		{CONSOLE_CHANGED_OWNER | CONSOLE_CHANGED_STATE | CONSOLE_CHANGED_TTY, "Owner"},
		{CONSOLE_CHANGED_STATE | CONSOLE_CHANGED_TTY, "Backend"},
		{CONSOLE_CHANGED_TTY, "Tty"},
		{CONSOLE_CHANGED_ATTACHED, "Attached"},
		{CONSOLE_CHANGED_DROPPED, "Dropped"},
	};
	const struct bus_consoles *consoles = userdata;
	char path[BUS_DOMAIN_PATH_SIZE];

	bus_domain_path_of(domain->domid, domain->generation, path);
	bus_sent(bus_property_emit_changed(bus_connection_of(consoles->bus), path, BUS_CONSOLE,
					   changes, ARRAY_SIZE(changes), fields),
		 "PropertiesChanged");
}

int bus_consoles_new(struct bus *bus, struct bus_consoles **ret_consoles)
{
	struct bus_consoles *consoles = calloc(1, sizeof(*consoles));

	if (!consoles)
		return -ENOMEM;
	consoles->bus = bus;
	consoles->observer = (struct consoles_observer){
		.added = on_added,
		.changed = on_changed,
		.removed = on_removed,
		.userdata = consoles,
	};
	consoles_observe(bus_consoles_of(bus), &consoles->observer);
	*ret_consoles = consoles;
	return 0;
}

struct bus_consoles *bus_consoles_free(struct bus_consoles *consoles)
{
	if (!consoles)
		return NULL;
	consoles_observe(bus_consoles_of(consoles->bus), NULL);
	for (struct kept_call *k = consoles->calls, *next; k; k = next) {
		next = k->next;
		kept_call_free(k);
	}
	free(consoles);
	return NULL;
}
