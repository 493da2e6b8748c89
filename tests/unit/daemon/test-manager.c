// SPDX-License-Identifier: LGPL-2.1-or-later
/* The manager of domains, above a simulated hypervisor that others listen to, or that cannot be
 * heard. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "domains/manager.h"
#include "loop/loop.h"
#include "loop/timer.h"

/* Time after which what is waited for will not come. */
#define LIMIT (20 * USEC_PER_SEC)

static const char *fixture_dir;

struct world {
	struct loop *loop;
	struct hl_ctx *hl;
	struct manager *manager;
	struct manager_observer observer;
	struct timer *limit;
	unsigned int changes;
	char *text; /* of the log */
};

static void on_limit(void *userdata)
{
	struct world *world = userdata;

	loop_stop(world->loop, -ETIMEDOUT);
}

static void on_changed(void *userdata, const struct hl_domain *domain, uint32_t fields)
{
	struct world *world = userdata;

	world->changes++;
	loop_stop(world->loop, 0);
}

static void sim_command(const struct world *world, const char *text)
{
	assert_int_equal(hl_sim_command(world->hl, text, NULL), 0);
}

/* Runs with stderr in a file, which is read afterwards. */
static int run_logged(struct world *world)
{
	char path[] = "/tmp/hl-test-XXXXXX";
	int fd = mkstemp(path), saved = dup(STDERR_FILENO), r;
	ssize_t n;

	if (fd < 0 || saved < 0) {
		fail();
		return -EBADF;
	}
	assert_int_equal(unlink(path), 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	r = manager_new(world->loop, world->hl, &world->manager);
	if (r == 0) {
		manager_observe(world->manager, &world->observer);
		/* What nobody hears of while another one has the interrupt. */
		sim_command(world, "pause web");
		r = loop_run(world->loop);
	}
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	world->text = calloc(1, 4096);
	assert_non_null(world->text);
	n = pread(fd, world->text, 4095, 0);
	assert_true(n >= 0);
	close(fd);
	return r;
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	char spec[512];

	assert_non_null(world);
	snprintf(spec, sizeof(spec), "sim:%s/ok-dynamic-full.dtb", fixture_dir);
	assert_int_equal(loop_new(&world->loop), 0);
	assert_int_equal(hl_new(spec, NULL, NULL, &world->hl), 0);
	assert_int_equal(timer_new(world->loop, on_limit, world, &world->limit), 0);
	assert_int_equal(timer_set(world->limit, LIMIT), 0);
	world->observer = (struct manager_observer){.changed = on_changed, .userdata = world};
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	manager_free(world->manager);
	timer_free(world->limit);
	hl_unref(world->hl);
	loop_free(world->loop);
	free(world->text);
	free(world);
	return 0;
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int nr = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		nr++;
	}
	return nr;
}

static void hears_of_changes(void **state)
{
	struct world *world = *state;

	assert_int_equal(run_logged(world), 0);
	assert_int_equal(world->changes, 1);
	assert_string_equal(world->text, "");
}

/* Twice: it says so once, and tries until the other process has ended. */
static void listens_when_it_can(void **state)
{
	struct world *world = *state;

	sim_command(world, "fault get-fd EEXIST 2");
	assert_int_equal(run_logged(world), 0);
	assert_int_equal(world->changes, 1);
	assert_int_equal(count(world->text, "another process of this domain"), 1);
	assert_int_equal(count(world->text, "listened to"), 1);
}

static void listens_after_another_error(void **state)
{
	struct world *world = *state;

	sim_command(world, "fault get-fd EIO 1");
	assert_int_equal(run_logged(world), 0);
	assert_int_equal(world->changes, 1);
	assert_int_equal(count(world->text, "Input/output error"), 1);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hears_of_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(listens_when_it_can, set_up, tear_down),
		cmocka_unit_test_setup_teardown(listens_after_another_error, set_up, tear_down),
	};

	if (argc < 2)
		return 2;
	fixture_dir = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
