/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A consoled for tests: its server on the fakes, in a directory of its own. */
#ifndef TESTS_CONSOLED_SERVE_H
#define TESTS_CONSOLED_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server.h"

#define SERVE_SECONDS 20 /* until a test gives up waiting */
#define UUID_A	      "11111111-2222-3333-4444-55555555aaaa"
#define UUID_B	      "11111111-2222-3333-4444-55555555bbbb"

struct serve {
	char dir[64];
	char logs[96];
	struct event_base *base;
	struct server *server;
	bool listed;
	uint64_t expect_usec;	 /* of server_config */
	bool no_tty;		 /* the same */
	unsigned int changes;	 /* that were told */
	struct keep_limits keep; /* without limits by default */
};

/* With an empty directory, and fakes without guests. */
void serve_begin(struct serve *serve);
void serve_start(struct serve *serve, uint64_t log_size);
void serve_stop(struct serve *serve);
void serve_end(struct serve *serve);

/* One turn of the loop, at most 10 ms. */
void serve_turn(struct serve *serve);

/* Turns until the condition holds. */
#define serve_until(serve, condition)                                                      \
	do {                                                                               \
		uint64_t _end = now_usec() + SERVE_SECONDS * USEC_PER_SEC;                 \
		while (!(condition)) {                                                     \
			if (now_usec() > _end)                                             \
				fail_msg("%s:%d: not within %d s: %s", __FILE__, __LINE__, \
					 SERVE_SECONDS, #condition);                       \
			serve_turn(serve);                                                 \
		}                                                                          \
	} while (0)

/* A guest that is served. */
void serve_add(struct serve *serve, uint32_t domid, const char *uuid);
enum console_state serve_state(struct serve *serve, uint32_t domid);
struct console_status serve_status(struct serve *serve, uint32_t domid);

/* The content of a log, all files of it, as a string; "" where there is none. */
char *serve_log(struct serve *serve, const char *name);

/* Whether a log ends with that. */
bool serve_log_ends(struct serve *serve, const char *name, const char *end);

/* The guest prints all of it, while the loop turns. */
void serve_print(struct serve *serve, uint32_t domid, const void *data, size_t size);

/* Opens the terminal that xenstore names, without blocking. */
int serve_open_tty(uint32_t domid);

/* Reads what there is; adds it to `text`, which is a string, up to `size`. */
void serve_read(int fd, char *text, size_t size);

#endif
