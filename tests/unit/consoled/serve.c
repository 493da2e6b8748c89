// SPDX-License-Identifier: LGPL-2.1-or-later
/* A consoled for tests. */
#include "serve.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake-store.h"
#include "fake-xen.h"
#include "fdstore.h"
#include "message.h"

void serve_begin(struct serve *serve)
{
	*serve = (struct serve){.keep = {.nr = UINT32_MAX, .size = UINT64_MAX}};
	snprintf(serve->dir, sizeof(serve->dir), "/tmp/test-consoled.XXXXXX");
	assert_non_null(mkdtemp(serve->dir));
	snprintf(serve->logs, sizeof(serve->logs), "%s/logs", serve->dir);
	fake_xen_reset();
	fake_store_reset();
	message_set_level(LOG_ERR);
}

static void on_changed(void *userdata, struct console *console)
{
	struct serve *serve = userdata;

	serve->changes++;
}

static void on_gone(void *userdata, uint32_t domid)
{
}

static void on_listed(void *userdata)
{
	struct serve *serve = userdata;

	serve->listed = true;
}

void serve_start(struct serve *serve, uint64_t log_size)
{
	const struct server_config config = {
		.xen = &fake_xen_ops,
		.store = &fake_store_ops,
		.log_dir = serve->logs,
		.runtime_dir = serve->dir,
		.keep = serve->keep,
		.log_size = log_size,
		.expect_usec = serve->expect_usec,
		.no_tty = serve->no_tty,
	};
	const struct server_observer observer = {
		.changed = on_changed,
		.gone = on_gone,
		.listed = on_listed,
		.userdata = serve,
	};
	struct fdstore *store;

	serve->base = server_base_new();
	assert_non_null(serve->base);
	assert_int_equal(fdstore_new(&store), 0);
	assert_int_equal(server_new(serve->base, &config, store, &serve->server), 0);
	fdstore_free(store);
	server_observe(serve->server, &observer);
	serve_until(serve, serve->listed);
}

void serve_stop(struct serve *serve)
{
	serve->server = server_leave(serve->server);
	event_base_free(serve->base);
	serve->base = NULL;
}

void serve_end(struct serve *serve)
{
	char command[128];

	if (serve->base)
		serve_stop(serve);
	snprintf(command, sizeof(command), "rm -rf %s", serve->dir);
	assert_int_equal(system(command), 0);
}

void serve_turn(struct serve *serve)
{
	const struct timeval most = {.tv_usec = 10000};

	/* The loop is a child's. */
	if (!serve->base) {
		usleep(1000);
		return;
	}
	event_base_loopexit(serve->base, &most);
	event_base_loop(serve->base, EVLOOP_ONCE);
}

struct console_status serve_status(struct serve *serve, uint32_t domid)
{
	struct console *console = server_find(serve->server, domid);
	struct console_status status = {.state = CONSOLE_WAITING, .uuid = "", .tty = ""};

	if (console)
		console_get_status(console, &status);
	return status;
}

enum console_state serve_state(struct serve *serve, uint32_t domid)
{
	return serve_status(serve, domid).state;
}

void serve_add(struct serve *serve, uint32_t domid, const char *uuid)
{
	fake_store_add_guest(domid, uuid);
	serve_until(serve, serve_state(serve, domid) == CONSOLE_SERVING);
}

static void add_file(const char *path, char **text, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char part[4096], *longer;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, part, sizeof(part))) > 0) {
		longer = realloc(*text, *size + (size_t)n + 1);
		if (!longer)
			abort();
		memcpy(longer + *size, part, (size_t)n);
		*size += (size_t)n;
		longer[*size] = '\0';
		*text = longer;
	}
	if (fd >= 0)
		close(fd);
}

char *serve_log(struct serve *serve, const char *name)
{
	char path[256], *text = strdup("");
	size_t size = 0;

	for (int age = 8; age > 0; age--) {
		snprintf(path, sizeof(path), "%s/%s.%d", serve->logs, name, age);
		add_file(path, &text, &size);
	}
	snprintf(path, sizeof(path), "%s/%s", serve->logs, name);
	add_file(path, &text, &size);
	return text;
}

bool serve_log_ends(struct serve *serve, const char *name, const char *end)
{
	char *text = serve_log(serve, name);
	size_t size = strlen(text), length = strlen(end);
	bool ends = size >= length && strcmp(text + size - length, end) == 0;

	free(text);
	return ends;
}

void serve_print(struct serve *serve, uint32_t domid, const void *data, size_t size)
{
	while (size > 0) {
		size_t printed = 0;

		serve_until(serve, (printed = fake_print(domid, data, size)) > 0);
		data = (const char *)data + printed;
		size -= printed;
	}
}

int serve_open_tty(uint32_t domid)
{
	char path[128], tty[64] = "";

	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/console/tty", domid);
	fake_store_get(path, tty, sizeof(tty));
	return open(tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

void serve_read(int fd, char *text, size_t size)
{
	size_t length = strlen(text);
	ssize_t n;

	while (length + 1 < size && (n = read(fd, text + length, size - length - 1)) > 0) {
		length += (size_t)n;
		text[length] = '\0';
	}
}
