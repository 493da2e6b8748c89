/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lcmtool's parts.  Functions give an enum exit_code, and have said on stderr
 * what is wrong where it is not EXIT_GOOD.
 */
#ifndef LCMTOOL_TOOL_H
#define LCMTOOL_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <xen/lib/hyperlaunch/lcm.h>

#include "verbs.h"

enum exit_code {
	EXIT_GOOD = 0,
	EXIT_BAD = 1,		/* the LCM, or what it is held against */
	EXIT_UNREADABLE = EXIT_USAGE,	/* or not to be written */
};

/* Xen 4.20 takes 63 boot modules, of which the LCM is one. */
#define MAX_CHAIN 62

static inline void free_pointer(void *p)
{
	free(*(void **)p);
}
#define CLEANUP_FREE __attribute__((cleanup(free_pointer)))

/* One file in memory. */
struct buffer {
	char *data;
	size_t size;
};

void buffer_free(struct buffer *buffer);
#define CLEANUP_BUFFER __attribute__((cleanup(buffer_free)))

/* A parsed LCM, and where it came from. */
struct input {
	const char *name;	/* as given; "-" is standard input */
	struct buffer blob;
	bool is_source_text;	/* it was device-tree source */
	struct lcm lcm;
};

void input_free(struct input *input);
#define CLEANUP_INPUT __attribute__((cleanup(input_free)))

/* input.c */

/* All of a file, or of standard input for "-".  -errno, silent. */
int read_all(const char *path, size_t max, struct buffer *ret_buffer);

/* Reads FILE, or "-", and compiles it where it is source.  Not parsed yet. */
enum exit_code input_read(const char *name, struct input *ret_input);

/*
 * Parses and checks.  limits->platform is guessed where `guess` is set.
 * Errors go to stderr, warnings too where `warn` is set.
 */
enum exit_code input_check(struct input *input, const struct lcm_limits *limits, bool guess,
			   bool warn);

/* FILE: NODE: PROPERTY: what */
__attribute__((format(printf, 4, 5)))
void say_at(const struct input *input, int node, const char *prop, const char *format, ...);

/* 64M, 2G; plain digits are bytes.  False where it is no size, or none at all. */
bool read_size(const char *text, uint64_t *ret_kib);

/* A decimal number of at most max. */
bool read_number(const char *text, unsigned int max, unsigned int *ret_number);

/* output.c */

/* One file of several that appear together or not at all. */
struct output {
	const char *name;	/* in the directory */
	const void *data;
	size_t size;
};

enum exit_code write_outputs(const char *dir, const struct output *outputs, size_t nr);

/* grub.c */

struct grub_module {
	char *path;		/* as in the file, without a device */
	bool has_string;	/* something follows the path */
	int line;
};

/* What one multiboot2 line loads. */
struct grub_entry {
	int line;
	struct grub_module *modules;
	size_t nr_modules;
};

struct grub_config {
	struct grub_entry *entries;
	size_t nr_entries;
};

/* -ENOMEM, -EINVAL with *ret_line: a line whose quotes don't end. */
int grub_parse(const char *text, size_t size, struct grub_config *ret_config, int *ret_line);
void grub_free(struct grub_config *config);

/* The verbs, with the arguments that follow them; argv[0] is the verb. */
int verb_check(int argc, char *argv[]);
int verb_show(int argc, char *argv[]);
int verb_link(int argc, char *argv[]);
int verb_verify(int argc, char *argv[]);

#endif /* LCMTOOL_TOOL_H */
