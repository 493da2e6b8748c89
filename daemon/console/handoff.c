// SPDX-License-Identifier: LGPL-2.1-or-later
/* Steps of the job that hands over a guest's console, and how they are undone. */
#include "console/handoff.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "console/consoles.h"
#include "console/event.h"
#include "console/nodes.h"
#include "domains/manager.h"
#include "domains/watch.h"
#include "jobs/subject.h"
#include "loop/log.h"
#include "loop/timer.h"
#include "peers/peer.h"
#include "store/client.h"

/* A helper may be restarting. */
#define ASK_MAX (15 * USEC_PER_SEC)
/* Xen takes output from the ring of an initial domain that has had no back end for 10 s. */
#define TAKE_MAX (6 * USEC_PER_SEC)
/* The old back end's kernel closes the port after it has answered. */
#define MOVE_MAX    (2 * USEC_PER_SEC)
#define PUBLISH_MAX (10 * USEC_PER_SEC)
/* Between two times that is asked what announces nothing. */
#define RETRY_SOON  (20 * USEC_PER_MSEC)
#define RETRY_LATER (500 * USEC_PER_MSEC)
/* Refusals of the old back end to take it back, before that is given up. */
#define MAX_REFUSALS 10
/* In Base64: 1024 bytes. */
#define INPUT_SIZE 1369
#define TOKEN_SIZE 33

struct console_handoff {
	uint32_t source, target;
	bool xenconsoled;      /* the target is that of the domain */
	bool from_xenconsoled; /* the source has released it already */
	bool asked;	       /* the target has been asked to take it */
	char token[TOKEN_SIZE];
	char uuid[HL_UUID_TEXT_SIZE];
	uint32_t port; /* the domain's own; 0: not known */
	uint64_t ring_ref;
	char input[INPUT_SIZE]; /* what is not in the ring yet */

	/* From here on not in the record. */
	struct timer *timer;
	struct peer_call *call;
	bool answered;
	int error; /* of the answer */
	char code[33], message[160];
	uint64_t connection; /* to xenstored, that a task is on its way on; 0: none is */
	uint32_t moving_to;  /* which domain that task makes the back end */
	unsigned int refusals;
};

static struct manager *manager_of(const struct job *job)
{
	return consoles_manager(job->context);
}

static void on_timer(void *userdata)
{
	job_wake(userdata);
}

/* It is called again soon. */
static int wait_for(struct job *job, uint64_t usec)
{
	struct console_handoff *handoff = job->data;
	int r = 0;

	if (!handoff->timer)
		r = timer_new(consoles_loop(job->context), on_timer, job, &handoff->timer);
	if (r == 0 && (usec == 0 || !timer_is_set(handoff->timer)))
		r = timer_set(handoff->timer, usec);
	if (r < 0)
		log_error("no timer: %s may take long", job->doing);
	return -EINPROGRESS;
}

/* The answer to "release". */
static int read_released(struct console_handoff *handoff, json_object *result)
{
	uint64_t port, ring_ref;
	const char *input;

	if (packet_get_text(result, "input", INPUT_SIZE - 1, &input) < 0 ||
	    packet_get_uint(result, "port", UINT32_MAX, &port) < 0 ||
	    packet_get_uint(result, "ring-ref", INT64_MAX, &ring_ref) < 0)
		return -EBADMSG;
	snprintf(handoff->input, sizeof(handoff->input), "%s", input);
	handoff->port = (uint32_t)port;
	handoff->ring_ref = ring_ref;
	return 0;
}

static int keep_answer(struct job *job, struct peer_reply *reply, bool released)
{
	struct console_handoff *handoff = job->data;

	handoff->call = NULL;
	handoff->answered = true;
	handoff->error = reply->error;
	snprintf(handoff->code, sizeof(handoff->code), "%s", reply->code ? reply->code : "");
	snprintf(handoff->message, sizeof(handoff->message), "%s",
		 reply->message ? reply->message : "");
	if (reply->error == 0 && released)
		handoff->error = read_released(handoff, reply->result);
	/* Later: what is asked next may be asked of a connection that is ending. */
	(void)wait_for(job, 0);
	return handoff->error == -EBADMSG && reply->error == 0 ? -EBADMSG : 0;
}

static int on_released(void *userdata, struct peer_reply *reply)
{
	return keep_answer(userdata, reply, true);
}

static int on_taken(void *userdata, struct peer_reply *reply)
{
	return keep_answer(userdata, reply, false);
}

static json_object *make_members(const struct job *job)
{
	const struct console_handoff *handoff = job->data;
	json_object *members = json_object_new_object();

	if (members && json_add(members, "domid", json_object_new_int64(job->subject.domid)) == 0 &&
	    json_add(members, "job", json_object_new_string(handoff->token)) == 0 &&
	    (handoff->uuid[0] == '\0' ||
	     json_add(members, "uuid", json_object_new_string(handoff->uuid)) == 0))
		return members;
	json_object_put(members);
	return NULL;
}

static json_object *make_release(const struct job *job)
{
	const struct console_handoff *handoff = job->data;
	json_object *members = make_members(job);

	if (!members || !handoff->xenconsoled || job->outcome != JOB_WAITING ||
	    json_add(members, "to", json_object_new_string("xenconsoled")) == 0)
		return members;
	json_object_put(members);
	return NULL;
}

/* Of an initial domain Xen knows the ring; of another one Xen looks at what the back end says. */
static const struct hl_domain *find_initial(const struct job *job)
{
	const struct hl_domain *row;

	if (hl_table_find(manager_table(manager_of(job)), job->subject.domid,
			  job->subject.generation, &row) < 0 ||
	    row->origin != HL_ORIGIN_BOOT || row->console_port == 0)
		return NULL;
	return row;
}

static json_object *make_take(const struct job *job)
{
	const struct console_handoff *handoff = job->data;
	const struct hl_domain *initial = find_initial(job);
	uint64_t ring_ref = initial ? initial->console_gfn : handoff->ring_ref;
	uint32_t port = initial ? initial->console_port : handoff->port;
	json_object *members = make_members(job);

	if (members && json_add(members, "input", json_object_new_string(handoff->input)) == 0 &&
	    (port == 0 || (json_add(members, "port", json_object_new_int64(port)) == 0 &&
			   json_add(members, "ring-ref", json_object_new_uint64(ring_ref)) == 0)))
		return members;
	json_object_put(members);
	return NULL;
}

static int send_request(struct job *job, const struct console_helper *helper, const char *name)
{
	struct console_handoff *handoff = job->data;
	bool release = strcmp(name, "release") == 0;
	const struct peer_request request = {
		.name = name,
		.members = release ? make_release(job) : make_take(job),
		.done = release ? on_released : on_taken,
		.userdata = job,
	};

	if (!request.members)
		return -ENOMEM;
	return peer_send_request(console_helper_peer(helper), &request, &handoff->call);
}

/*
 * Asks the helper in a domain, once more where it has not answered: the same job has the same
 * answer.  0: done; -EREMOTEIO: it has refused, see code; -EINPROGRESS; -ENOTCONN: also
 * -EINPROGRESS, as it is not connected now.
 */
static int ask(struct job *job, uint32_t domid, const char *name)
{
	const struct console_helper *helper = consoles_find_helper(job->context, domid);
	struct console_handoff *handoff = job->data;
	bool answered = handoff->answered;
	int r;

	handoff->answered = false;
	if (answered && (handoff->error == 0 || handoff->error == -EREMOTEIO))
		return handoff->error;
	if (handoff->call)
		return -EINPROGRESS;
	r = helper ? send_request(job, helper, name) : -ENOTCONN;
	if (r == 0)
		return -EINPROGRESS;
	(void)wait_for(job, RETRY_LATER);
	return r == -ENOTCONN ? r : -EINPROGRESS;
}

static int fail_refused(struct job *job, const char *what)
{
	static const struct {
		const char *code;
		enum job_error error;
	} errors[] = {
		{"NoSuchDomain", JOB_ERROR_NO_SUCH_DOMAIN},
		{"WrongState", JOB_ERROR_WRONG_STATE},
		{"Busy", JOB_ERROR_BUSY},
		{"NotSupported", JOB_ERROR_NOT_SUPPORTED},
		{"NoMemory", JOB_ERROR_NO_MEMORY},
	};
	const struct console_handoff *handoff = job->data;

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (strcmp(errors[i].code, handoff->code) == 0)
			return job_fail(job, errors[i].error, "%s: %s", what, handoff->message);
	return job_fail(job, JOB_ERROR_FAILED, "%s: %s", what, handoff->message);
}

/* The target must exist still. */
static int check_target(struct job *job)
{
	const struct console_handoff *handoff = job->data;
	const struct hl_domain *row;

	if (hl_table_find_domid(manager_table(manager_of(job)), handoff->target, &row) < 0 ||
	    !row->live || row->state == HL_DOMAIN_DYING)
		return job_fail(job, JOB_ERROR_NO_SUCH_DOMAIN,
				"domain %" PRIu32 ", which is to serve it, has gone meanwhile",
				handoff->target);
	return 0;
}

static int check_both(struct job *job)
{
	const struct hl_domain *row;
	int r;

	manager_refresh_if_stale(manager_of(job));
	r = job_get_domain(job, manager_of(job), &row);
	return r < 0 ? r : check_target(job);
}

static int release(struct job *job, bool again)
{
	const struct console_handoff *handoff = job->data;
	int r = check_both(job);

	if (r < 0 || handoff->from_xenconsoled)
		return r;
	r = ask(job, handoff->source, "release");
	if (r == -EREMOTEIO)
		return fail_refused(job, "its back end does not release it");
	return r < 0 ? -EINPROGRESS : 0;
}

static int move_to(const struct job *job, uint32_t domid)
{
	const struct console_handoff *handoff = job->data;

	return hl_move_console_backend(manager_hl(manager_of(job)), job->subject.domid,
				       find_initial(job) ? 0 : handoff->port, domid);
}

static int move(struct job *job, bool again)
{
	const struct console_handoff *handoff = job->data;
	int r = check_both(job);

	if (r < 0 || handoff->source == handoff->target)
		return r;
	r = move_to(job, handoff->target);
	if (r == -EBUSY)
		return wait_for(job, RETRY_SOON);
	if (r == -EINVAL)
		return job_fail(job, JOB_ERROR_FAILED,
				"its back end named event channel %" PRIu32
				", which is not the console's",
				handoff->port);
	return r < 0 ? job_fail_hypervisor(job, r) : 0;
}

/* A xenconsoled that serves it has written its terminal; one that does not run writes nothing. */
static int await_xenconsoled(struct job *job)
{
	const struct domain *domain = domains_find(manager_domains(manager_of(job)),
						   job->subject.domid, job->subject.generation);

	if (domain && domain->console.state == CONSOLE_RELEASED && domain->console.tty[0] != '\0')
		return 0;
	if (!job->overdue)
		return -EINPROGRESS;
	return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
			"no xenconsoled has taken it: none runs in domain %" PRIu32,
			((const struct console_handoff *)job->data)->target);
}

static int take(struct job *job, bool again)
{
	struct console_handoff *handoff = job->data;
	int r = check_both(job);

	if (r < 0)
		return r;
	if (handoff->xenconsoled)
		return await_xenconsoled(job);
	if (!handoff->asked) {
		handoff->asked = true;
		job_save(job);
	}
	r = ask(job, handoff->target, "take");
	if (r == -EREMOTEIO && handoff->from_xenconsoled)
		return job_fail(job, JOB_ERROR_WRONG_STATE,
				"xenconsoled serves it still, so stop that at first (%s)",
				handoff->message);
	if (r == -EREMOTEIO)
		return fail_refused(job, "its new back end does not take it");
	return r < 0 ? -EINPROGRESS : 0;
}

struct move_task {
	struct store_task task;
	struct jobs *jobs;
	uint32_t job, domid, from, to;
};

static int move_run(struct store_task *store_task, struct xs_handle *h)
{
	const struct move_task *task = (struct move_task *)store_task;

	return console_nodes_move(h, task->domid, task->from, task->to);
}

static void move_done(struct store_task *store_task, void *userdata, int result)
{
	const struct move_task *task = (struct move_task *)store_task;
	struct job *job = jobs_find(task->jobs, task->job);
	struct console_handoff *handoff;

	handoff = job ? job->data : NULL;
	/* One that was not waited for to its end answers nothing. */
	if (!handoff || handoff->connection == 0 || handoff->moving_to != task->to)
		return;
	handoff->connection = 0;
	handoff->answered = true;
	handoff->error = result;
	job_wake(job);
}

static struct move_task *new_move(const struct job *job, uint32_t from, uint32_t to)
{
	static const struct store_task_type type = {.run = move_run, .done = move_done};
	struct move_task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	*task = (struct move_task){
		.task = {.type = &type},
		.jobs = job->jobs,
		.job = job->id,
		.domid = job->subject.domid,
		.from = from,
		.to = to,
	};
	return task;
}

static int submit_move(struct job *job, uint32_t from, uint32_t to)
{
	struct store *store = watch_store(manager_watch(manager_of(job)));
	struct console_handoff *handoff = job->data;
	struct move_task *task = new_move(job, from, to);
	int r = task ? store_submit(store, &task->task) : -ENOMEM;

	if (r == 0) {
		handoff->connection = store_connection(store);
		handoff->moving_to = to;
	}
	return r;
}

/* Has the nodes say which domain serves it; a task is lost with its connection. */
static int move_nodes(struct job *job, uint32_t from, uint32_t to)
{
	struct console_handoff *handoff = job->data;
	bool answered = handoff->answered;
	const struct store *store;

	if (from == to || !manager_watch(manager_of(job)))
		return 0;
	handoff->answered = false;
	if (answered)
		return handoff->error;
	store = watch_store(manager_watch(manager_of(job)));
	if (handoff->connection == 0 || handoff->connection != store_connection(store))
		(void)submit_move(job, from, to);
	return wait_for(job, RETRY_LATER);
}

static int publish(struct job *job, bool again)
{
	const struct console_handoff *handoff = job->data;
	int r = check_both(job);

	if (r == 0)
		r = move_nodes(job, handoff->source, handoff->target);
	if (r == 0)
		consoles_flush(job->context);
	if (r < 0 && r != -EINPROGRESS && r != -ECANCELED)
		return job_fail(job, JOB_ERROR_FAILED, "xenstore: %s", strerror(-r));
	return r;
}

/* How they are undone.  None ends while the console may be without a back end. */

static bool is_alive(const struct job *job, uint32_t domid)
{
	const struct hl_domain *row;

	return hl_table_find_domid(manager_table(manager_of(job)), domid, &row) == 0 && row->live &&
	       row->state != HL_DOMAIN_DYING;
}

static bool subject_is_alive(const struct job *job)
{
	const struct hl_domain *row;

	manager_refresh_if_stale(manager_of(job));
	return hl_table_find(manager_table(manager_of(job)), job->subject.domid,
			     job->subject.generation, &row) == 0 &&
	       row->live && row->state != HL_DOMAIN_DYING;
}

/* What the step was waiting for counts no more. */
static void begin_undo(struct job *job, bool again)
{
	struct console_handoff *handoff = job->data;

	if (again)
		return;
	handoff->answered = false;
	handoff->connection = 0;
	if (handoff->call)
		peer_call_cancel(handoff->call);
	handoff->call = NULL;
}

/* Without an xenstored there is nothing that could have been written. */
static int undo_publish(struct job *job, bool again)
{
	const struct console_handoff *handoff = job->data;
	int r;

	begin_undo(job, again);
	if (!subject_is_alive(job) || !manager_watch(manager_of(job)) ||
	    store_state(watch_store(manager_watch(manager_of(job)))) != STORE_CONNECTED)
		return 0;
	r = move_nodes(job, handoff->target, handoff->source);
	if (r < 0 && r != -EINPROGRESS)
		log_warning("%s: the console's nodes may name the wrong domain: %s", job->doing,
			    strerror(-r));
	return r == -EINPROGRESS ? r : 0;
}

/* Also where the guest is dying: a page that is mapped would keep it from ending. */
static int undo_take(struct job *job, bool again)
{
	const struct console_handoff *handoff = job->data;
	int r;

	begin_undo(job, again);
	if (!handoff->asked || handoff->from_xenconsoled)
		return 0;
	manager_refresh_if_stale(manager_of(job));
	if (!is_alive(job, handoff->target))
		return 0;
	r = ask(job, handoff->target, "release");
	/* Whether its port is bound Xen says. */
	if (r == -ENOTCONN && handoff->source != handoff->target && subject_is_alive(job))
		r = move_to(job, handoff->source) == 0 ? 0 : -EINPROGRESS;
	else if (r == -ENOTCONN)
		r = -EINPROGRESS;
	return r == -EINPROGRESS ? r : 0;
}

static int undo_move(struct job *job, bool again)
{
	const struct console_handoff *handoff = job->data;
	int r;

	begin_undo(job, again);
	if (handoff->source == handoff->target || !subject_is_alive(job) ||
	    !is_alive(job, handoff->source))
		return 0;
	r = move_to(job, handoff->source);
	if (r == -EBUSY)
		return wait_for(job, RETRY_LATER);
	if (r < 0)
		log_error("%s: Xen does not give it back: %s", job->doing, strerror(-r));
	return 0;
}

static int undo_release(struct job *job, bool again)
{
	struct console_handoff *handoff = job->data;
	int r;

	begin_undo(job, again);
	if (handoff->from_xenconsoled || !subject_is_alive(job) || !is_alive(job, handoff->source))
		return 0;
	r = ask(job, handoff->source, "take");
	if (r == 0)
		consoles_flush(job->context);
	if (r == 0 || (r == -EREMOTEIO && strcmp(handoff->code, "Failed") != 0))
		return 0;
	if (r == -EREMOTEIO && ++handoff->refusals >= MAX_REFUSALS) {
		log_error("%s: its back end does not take it back: %s", job->doing,
			  handoff->message);
		return 0;
	}
	return wait_for(job, RETRY_LATER);
}

static const struct job_step steps[] = {
	{.name = "release", .run = release, .undo = undo_release, .deadline = ASK_MAX},
	{.name = "move", .run = move, .undo = undo_move, .deadline = MOVE_MAX},
	{.name = "take", .run = take, .undo = undo_take, .deadline = TAKE_MAX},
	{.name = "publish", .run = publish, .undo = undo_publish, .deadline = PUBLISH_MAX},
};

static int save(const struct job *job, json_object *object)
{
	const struct console_handoff *handoff = job->data;
	int r = json_add(object, "source", json_object_new_int64(handoff->source));

	if (r == 0)
		r = json_add(object, "target", json_object_new_int64(handoff->target));
	if (r == 0)
		r = json_add(object, "xenconsoled", json_object_new_boolean(handoff->xenconsoled));
	if (r == 0)
		r = json_add(object, "from-xenconsoled",
			     json_object_new_boolean(handoff->from_xenconsoled));
	if (r == 0)
		r = json_add(object, "asked", json_object_new_boolean(handoff->asked));
	if (r == 0)
		r = json_add(object, "token", json_object_new_string(handoff->token));
	if (r == 0)
		r = json_add(object, "uuid", json_object_new_string(handoff->uuid));
	if (r == 0)
		r = json_add(object, "port", json_object_new_int64(handoff->port));
	if (r == 0)
		r = json_add(object, "ring-ref", json_object_new_uint64(handoff->ring_ref));
	if (r == 0)
		r = json_add(object, "input", json_object_new_string(handoff->input));
	return r;
}

static int load_numbers(struct console_handoff *handoff, json_object *object)
{
	uint64_t source, target, port;

	if (packet_get_uint(object, "source", CONSOLE_MAX_DOMID, &source) < 0 ||
	    packet_get_uint(object, "target", CONSOLE_MAX_DOMID, &target) < 0 ||
	    packet_get_uint(object, "port", UINT32_MAX, &port) < 0 ||
	    packet_get_uint(object, "ring-ref", INT64_MAX, &handoff->ring_ref) < 0)
		return -EINVAL;
	handoff->source = (uint32_t)source;
	handoff->target = (uint32_t)target;
	handoff->port = (uint32_t)port;
	return 0;
}

static int load(struct job *job, json_object *object)
{
	struct console_handoff *handoff = calloc(1, sizeof(*handoff));
	const char *token, *uuid, *input;

	if (!handoff)
		return -ENOMEM;
	job->data = handoff;
	if (load_numbers(handoff, object) < 0 ||
	    packet_get_bool(object, "xenconsoled", &handoff->xenconsoled) < 0 ||
	    packet_get_bool(object, "from-xenconsoled", &handoff->from_xenconsoled) < 0 ||
	    packet_get_bool(object, "asked", &handoff->asked) < 0 ||
	    packet_get_text(object, "token", sizeof(handoff->token) - 1, &token) < 0 ||
	    packet_get_text(object, "uuid", sizeof(handoff->uuid) - 1, &uuid) < 0 ||
	    packet_get_text(object, "input", sizeof(handoff->input) - 1, &input) < 0)
		return -EINVAL;
	snprintf(handoff->token, sizeof(handoff->token), "%s", token);
	snprintf(handoff->uuid, sizeof(handoff->uuid), "%s", uuid);
	snprintf(handoff->input, sizeof(handoff->input), "%s", input);
	return 0;
}

static void clear(struct job *job)
{
	struct console_handoff *handoff = job->data;

	if (handoff->call)
		peer_call_cancel(handoff->call);
	timer_free(handoff->timer);
}

static const struct job_type type = {
	.kind = CONSOLE_HANDOFF_JOB,
	.steps = steps,
	.nr_steps = ARRAY_SIZE(steps),
	.save = save,
	.load = load,
	.clear = clear,
};

void console_handoff_key(const struct domain *domain, char key[CONSOLE_HANDOFF_KEY_SIZE])
{
	snprintf(key, CONSOLE_HANDOFF_KEY_SIZE, "console/%" PRIu32 "_%" PRIu64, domain->domid,
		 domain->generation);
}

static int make_token(char token[TOKEN_SIZE])
{
	uint64_t number[2];

	if (getrandom(number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return -EIO;
	snprintf(token, TOKEN_SIZE, "%016" PRIx64 "%016" PRIx64, number[0], number[1]);
	return 0;
}

int console_handoff_new(struct consoles *consoles, const struct domain *domain, uint32_t target,
			bool xenconsoled, struct console_handoff **ret_handoff,
			struct handoff_refusal *ret_refusal)
{
	struct console_handoff *handoff;
	int r = console_handoff_check(consoles, domain, target, xenconsoled, ret_refusal);

	if (r < 0)
		return r;
	handoff = calloc(1, sizeof(*handoff));
	if (!handoff || make_token(handoff->token) < 0) {
		free(handoff);
		*ret_refusal = (struct handoff_refusal){JOB_ERROR_NO_MEMORY, "out of memory"};
		return -ENOMEM;
	}
	handoff->source = domain->console.owner;
	handoff->target = target;
	handoff->xenconsoled = xenconsoled;
	handoff->from_xenconsoled = domain->console.state == CONSOLE_RELEASED;
	memcpy(handoff->uuid, domain->console.uuid, sizeof(handoff->uuid));
	*ret_handoff = handoff;
	return 0;
}

int console_handoff_register(struct jobs *jobs, struct consoles *consoles)
{
	return jobs_register(jobs, &type, consoles);
}
