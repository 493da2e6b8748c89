// SPDX-License-Identifier: LGPL-2.1-or-later
/* The order of a job's steps and of their undoing, and what is left after a kill at each step. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "jobs/job.h"
#include "loop/loop.h"
#include "loop/timer.h"

#define NR_STEPS 3

struct world {
	struct loop *loop;
	struct jobs *jobs;
	struct timer *limit;
	char dir[64];
	char trace[256]; /* what was called: "a" to "c" run, "A" to "C" undo, "." ended */
	int result[NR_STEPS], undo_result[NR_STEPS];
	uint64_t deadline;    /* of get_deadline() */
	enum job_state state; /* of the job that ended last */
	enum job_error error;
	char message[256];
};

static void trace(struct world *world, char what)
{
	size_t length = strlen(world->trace);

	assert_true(length + 1 < sizeof(world->trace));
	world->trace[length] = what;
}

static int run(struct job *job, size_t step)
{
	struct world *world = job->context;

	trace(world, (char)('a' + step));
	if (world->result[step] == -EIO)
		return job_fail_hypervisor(job, -EIO);
	return world->result[step];
}

static int run_a(struct job *job, bool again)
{
	return run(job, 0);
}

static int run_b(struct job *job, bool again)
{
	return run(job, 1);
}

static int run_c(struct job *job, bool again)
{
	return run(job, 2);
}

static int undo(struct job *job, size_t step)
{
	struct world *world = job->context;

	trace(world, (char)('A' + step));
	return world->undo_result[step];
}

static int undo_a(struct job *job, bool again)
{
	return undo(job, 0);
}

static int undo_b(struct job *job, bool again)
{
	return undo(job, 1);
}

static const struct job_step steps[NR_STEPS] = {
	{.name = "first", .run = run_a, .undo = undo_a, .deadline = 50 * USEC_PER_MSEC},
	{.name = "second", .run = run_b, .undo = undo_b, .deadline = 50 * USEC_PER_MSEC},
	{.name = "third", .run = run_c, .deadline = 50 * USEC_PER_MSEC},
};

static const struct job_type type = {.kind = "test", .steps = steps, .nr_steps = NR_STEPS};

static void on_ended(struct job *job, void *userdata)
{
	struct world *world = userdata;

	trace(world, '.');
	snprintf(world->message, sizeof(world->message), "%s", job->message);
	world->state = job->state;
	world->error = job->error;
}

static void on_limit(void *userdata)
{
	struct world *world = userdata;

	loop_stop(world->loop, 0);
}

static void start_daemon(struct world *world)
{
	assert_int_equal(jobs_new(world->loop, world->dir, &world->jobs), 0);
	assert_int_equal(jobs_register(world->jobs, &type, world), 0);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	snprintf(world->dir, sizeof(world->dir), "/tmp/hl-jobs-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	assert_int_equal(loop_new(&world->loop), 0);
	assert_int_equal(timer_new(world->loop, on_limit, world, &world->limit), 0);
	start_daemon(world);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	jobs_free(world->jobs);
	timer_free(world->limit);
	loop_free(world->loop);
	/* Each job's record goes with it. */
	assert_int_equal(rmdir(world->dir), 0);
	free(world);
	return 0;
}

/* Once in each test, as the loop stays stopped. */
static void turn(struct world *world, uint64_t msec)
{
	assert_int_equal(timer_set(world->limit, msec * USEC_PER_MSEC), 0);
	assert_int_equal(loop_run(world->loop), 0);
}

static struct job *start(struct world *world, const char *key)
{
	static const struct hl_domain domain = {.domid = 5, .name = "web", .uuid_text = ""};
	const struct job_request request = {
		.kind = "test",
		.domain = &domain,
		.key = key,
		.verb = "test",
		.ended = on_ended,
		.userdata = world,
	};
	struct job *job;

	assert_int_equal(jobs_start(world->jobs, &request, &job), 0);
	return job;
}

static bool is_recorded(const struct world *world, uint32_t id)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%u.json", world->dir, id);
	return access(path, F_OK) == 0;
}

static void steps_run_in_order(void **state)
{
	struct world *world = *state;

	assert_null(start(world, "key"));
	assert_string_equal(world->trace, "abc.");
	assert_int_equal(world->state, JOB_DONE);
}

static void failure_undoes_what_was_started(void **state)
{
	static const char *const traces[NR_STEPS] = {"aA.", "abBA.", "abcBA."};

	for (size_t i = 0; i < NR_STEPS; i++) {
		struct world *world = *state;

		memset(world->trace, 0, sizeof(world->trace));
		memset(world->result, 0, sizeof(world->result));
		world->result[i] = -EIO;
		assert_null(start(world, "key"));
		assert_string_equal(world->trace, traces[i]);
		assert_int_equal(world->state, JOB_FAILED);
		assert_int_equal(world->error, JOB_ERROR_HYPERVISOR);
	}
}

static void waiting_step_is_called_at_each_poke(void **state)
{
	struct world *world = *state;
	const struct job *job;

	world->result[1] = -EINPROGRESS;
	job = start(world, "key");
	assert_non_null(job);
	assert_true(is_recorded(world, job->id));
	jobs_poke(world->jobs);
	assert_string_equal(world->trace, "abb");
	world->result[1] = 0;
	jobs_poke(world->jobs);
	assert_string_equal(world->trace, "abbbc.");
	jobs_poke(world->jobs);
	assert_string_equal(world->trace, "abbbc.");
}

static void deadline_undoes(void **state)
{
	struct world *world = *state;

	world->result[1] = -EINPROGRESS;
	assert_non_null(start(world, "key"));
	/* Called once more. */
	turn(world, 500);
	assert_string_equal(world->trace, "abbBA.");
	assert_int_equal(world->error, JOB_ERROR_TIMEOUT);
}

static uint64_t get_deadline(const struct job *job)
{
	const struct world *world = job->context;

	return world->deadline;
}

static void deadline_is_the_jobs(void **state)
{
	static const struct job_step own_steps[] = {
		{.name = "own", .run = run_b, .undo = undo_b, .get_deadline = get_deadline},
	};
	static const struct job_type own = {.kind = "own", .steps = own_steps, .nr_steps = 1};
	static const struct hl_domain domain = {.domid = 5, .name = "web", .uuid_text = ""};
	struct world *world = *state;
	const struct job_request request = {.kind = "own",
					    .domain = &domain,
					    .key = "key",
					    .verb = "test",
					    .ended = on_ended,
					    .userdata = world};
	struct job *job;

	assert_int_equal(jobs_register(world->jobs, &own, world), 0);
	world->result[1] = -EINPROGRESS;
	world->deadline = 20 * USEC_PER_MSEC;
	assert_int_equal(jobs_start(world->jobs, &request, &job), 0);
	turn(world, 500);
	assert_string_equal(world->trace, "bbB.");
	assert_int_equal(world->error, JOB_ERROR_TIMEOUT);
}

static void cancel_undoes(void **state)
{
	struct world *world = *state;
	struct job *job;

	world->result[1] = -EINPROGRESS;
	job = start(world, "key");
	assert_int_equal(job_cancel(job), 0);
	assert_string_equal(world->trace, "abBA.");
	assert_int_equal(world->state, JOB_CANCELLED);
}

static void cancel_needs_an_undo(void **state)
{
	struct world *world = *state;
	struct job *job;

	world->result[2] = -EINPROGRESS;
	job = start(world, "key");
	assert_int_equal(job_cancel(job), -EBUSY);
	assert_string_equal(world->trace, "abc");
	world->result[2] = 0;
	jobs_poke(world->jobs);
	assert_string_equal(world->trace, "abcc.");
}

static void one_job_for_a_key(void **state)
{
	struct world *world = *state;
	struct job *first, *second, *other;

	world->result[0] = -EINPROGRESS;
	first = start(world, "key");
	second = start(world, "key");
	other = start(world, "other");
	assert_string_equal(world->trace, "aa");
	assert_int_equal(first->state, JOB_RUNNING);
	assert_int_equal(second->state, JOB_WAITING);
	assert_int_equal(other->state, JOB_RUNNING);
	assert_false(is_recorded(world, second->id));
	assert_int_equal(job_cancel(second), 0);
	/* It has not begun: nothing is undone. */
	assert_string_equal(world->trace, "aa.");
	assert_int_equal(job_cancel(first), 0);
	assert_int_equal(job_cancel(other), 0);
	assert_string_equal(world->trace, "aa.A.A.");
}

static void next_one_starts_when_the_key_is_free(void **state)
{
	struct world *world = *state;

	world->result[0] = -EINPROGRESS;
	assert_non_null(start(world, "key"));
	assert_non_null(start(world, "key"));
	world->result[0] = 0;
	jobs_poke(world->jobs);
	assert_string_equal(world->trace, "aabc.");
	turn(world, 20);
	assert_string_equal(world->trace, "aabc.abc.");
}

static void too_many_are_refused(void **state)
{
	static const struct hl_domain domain = {.name = "", .uuid_text = ""};
	const struct job_request request = {
		.kind = "test", .domain = &domain, .key = "key", .verb = "test"};
	struct world *world = *state;
	struct job *job;
	int r = 0;
	unsigned int nr = 0;

	world->result[0] = -EINPROGRESS;
	while (r == 0 && nr++ < 1000)
		r = jobs_start(world->jobs, &request, &job);
	assert_int_equal(r, -EBUSY);
	while ((job = jobs_first(world->jobs)))
		assert_int_equal(job_cancel(job), 0);
}

/* As after kill -9 in that step, and a start of the daemon. */
static void kill_in(struct world *world, size_t step, const char *continued)
{
	const struct job *job;
	uint32_t id;

	world->result[step] = -EINPROGRESS;
	job = start(world, "key");
	assert_non_null(job);
	id = job->id;
	jobs_free(world->jobs);
	assert_true(is_recorded(world, id));
	memset(world->trace, 0, sizeof(world->trace));
	world->result[step] = 0;
	start_daemon(world);
	jobs_resume(world->jobs);
	job = jobs_find(world->jobs, id);
	assert_non_null(job);
	assert_true(job->resumed);
	assert_int_equal(job->subject.domid, 5);
	assert_string_equal(job->subject.name, "web");
	turn(world, 20);
	/* Without ended(): it was another process'. */
	assert_string_equal(world->trace, continued);
	assert_false(is_recorded(world, id));
}

static void next_daemon_repeats_the_first_step(void **state)
{
	kill_in(*state, 0, "abc");
}

static void next_daemon_repeats_the_second_step(void **state)
{
	kill_in(*state, 1, "bc");
}

static void next_daemon_repeats_the_third_step(void **state)
{
	kill_in(*state, 2, "c");
}

/* What was done before the kill is undone too. */
static void next_daemon_undoes(void **state)
{
	struct world *world = *state;

	world->result[1] = -EINPROGRESS;
	assert_non_null(start(world, "key"));
	jobs_free(world->jobs);
	memset(world->trace, 0, sizeof(world->trace));
	world->result[1] = 0;
	world->result[2] = -EIO;
	start_daemon(world);
	jobs_resume(world->jobs);
	turn(world, 20);
	assert_string_equal(world->trace, "bcBA");
}

/* What it waits for comes with a change of a domain, or is told. */
static void undo_waits(void **state)
{
	struct world *world = *state;
	struct job *job;

	world->result[2] = -EIO;
	world->undo_result[1] = world->undo_result[0] = -EINPROGRESS;
	job = start(world, "key");
	assert_string_equal(world->trace, "abcB");
	assert_int_equal(job->state, JOB_UNDOING);
	assert_string_equal(job_state_name(job->state), "undoing");
	assert_int_equal(job_cancel(job), -EBUSY);
	jobs_poke(world->jobs);
	assert_string_equal(world->trace, "abcBB");
	world->undo_result[1] = 0;
	job_wake(job);
	assert_string_equal(world->trace, "abcBBBA");
	/* The deadline of its run() is none of the undo's. */
	turn(world, 100);
	assert_string_equal(world->trace, "abcBBBA");
	world->undo_result[0] = 0;
	job_wake(job);
	assert_string_equal(world->trace, "abcBBBAA.");
	assert_int_equal(world->state, JOB_FAILED);
	assert_int_equal(world->error, JOB_ERROR_HYPERVISOR);
}

static void wake_continues_a_step(void **state)
{
	struct world *world = *state;
	struct job *job;

	world->result[1] = -EINPROGRESS;
	job = start(world, "key");
	job_wake(job);
	assert_string_equal(world->trace, "abb");
	world->result[1] = 0;
	job_wake(job);
	assert_string_equal(world->trace, "abbbc.");
}

/* Of a daemon that was killed while it undid a step: its run() is not called again. */
static void next_daemon_goes_on_undoing(void **state)
{
	struct world *world = *state;
	struct job *job;

	world->result[2] = -EIO;
	world->undo_result[1] = -EINPROGRESS;
	assert_non_null(start(world, "key"));
	jobs_free(world->jobs);
	memset(world->trace, 0, sizeof(world->trace));
	start_daemon(world);
	jobs_resume(world->jobs);
	turn(world, 20);
	assert_string_equal(world->trace, "B");
	job = jobs_first(world->jobs);
	assert_non_null(job);
	job->ended = on_ended;
	job->userdata = world;
	world->undo_result[1] = 0;
	jobs_poke(world->jobs);
	assert_string_equal(world->trace, "BBA.");
	assert_int_equal(world->state, JOB_FAILED);
	assert_int_equal(world->error, JOB_ERROR_HYPERVISOR);
	assert_string_equal(world->message, strerror(EIO));
}

static void cleared(struct job *job)
{
	trace(job->context, '-');
}

/* Also where no job was made of it. */
static void data_is_cleared(void **state)
{
	static const struct job_type with_data = {
		.kind = "data", .steps = steps, .nr_steps = 1, .clear = cleared};
	struct world *world = *state;
	const struct hl_domain domain = {.domid = 5, .name = "web"};
	struct job_request request = {.kind = "data", .domain = &domain, .key = "key", .verb = "x"};
	struct job *job;

	assert_int_equal(jobs_register(world->jobs, &with_data, world), 0);
	request.data = malloc(1);
	assert_int_equal(jobs_start(world->jobs, &request, &job), 0);
	assert_string_equal(world->trace, "a-");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(steps_run_in_order),
		TEST(failure_undoes_what_was_started),
		TEST(waiting_step_is_called_at_each_poke),
		TEST(deadline_undoes),
		TEST(deadline_is_the_jobs),
		TEST(cancel_undoes),
		TEST(cancel_needs_an_undo),
		TEST(one_job_for_a_key),
		TEST(next_one_starts_when_the_key_is_free),
		TEST(too_many_are_refused),
		TEST(next_daemon_repeats_the_first_step),
		TEST(next_daemon_repeats_the_second_step),
		TEST(next_daemon_repeats_the_third_step),
		TEST(next_daemon_undoes),
		TEST(undo_waits),
		TEST(wake_continues_a_step),
		TEST(next_daemon_goes_on_undoing),
		TEST(data_is_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
