/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What lcmtool's files share.  Functions that return enum exit_code have reported the
 * error on stderr unless it is EXIT_OK.  EXIT_FAILED: the LCM is invalid, or there is a
 * difference; EXIT_USAGE: also a file that cannot be read or written.
 */
#ifndef LCMTOOL_TOOL_H
#define LCMTOOL_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <xen/lib/hyperlaunch/lcm.h>

#include "common/cleanup.h"
#include "common/verbs.h"

/* Xen 4.20 supports 63 boot modules, of which the LCM is one. */
#define MAX_CHAIN 62

/* A file in memory; starts as all zero. */
struct buffer {
	char *data;
	size_t size;
};

void buffer_free(struct buffer *buffer);

/* An LCM that was read; starts as all zero. */
struct input {
	const char *name; /* as given; "-" is standard input */
	struct buffer blob;
	bool is_source_text; /* it was compiled from device-tree source */
	struct lcm lcm;	     /* valid after input_check(); points into blob */
};

void input_free(struct input *input);
#define CLEANUP_INPUT __attribute__((cleanup(input_free)))

/* input.c */

/*
 * Reads a file, or standard input for "-".
 * Returns 0, -EFBIG: larger than max; or another errno.  Prints nothing.
 */
int read_all(const char *path, size_t max, struct buffer *ret_buffer);

/* Reads a descriptor up to its end; otherwise as read_all(). */
int read_fd(int fd, size_t max, struct buffer *ret_buffer);

/* Reads a file, or standard input for "-", and compiles it if it is source. */
enum exit_code input_read(const char *name, struct input *ret_input);

/* Checks that the bytes are a device tree within the limits of an LCM. */
enum exit_code input_check_tree(const struct input *input);

/*
 * Parses and checks an LCM; sets input->lcm.
 * @guess: ignore limits->platform and guess it from how modules are located
 * @warn: print warnings too
 */
enum exit_code input_check(struct input *input, const struct lcm_limits *limits, bool guess,
			   bool warn);

/* Reports why libfdt rejects the bytes as a device tree. */
void report_invalid_tree(const struct input *input);

/* Prints "FILE: valid", numbers of domains and modules, and the number of warnings. */
void print_valid(const struct input *input);

/*
 * Prints "FILE: NODE: PROPERTY: " and the formatted text on stderr.
 * @node: LCM_NONE: the root; @prop: NULL: the node itself
 */
__attribute__((format(printf, 4, 5))) void report_at(const struct input *input, int node,
						     const char *prop, const char *format, ...);

/*
 * Parses a size: 64M, 2G; digits alone are bytes.  Returns false if it is invalid, or
 * less than 1 KiB.
 */
bool read_size(const char *text, uint64_t *ret_kib);

/* Parses a decimal number.  Returns false if it is invalid, or more than max. */
bool read_number(const char *text, unsigned int max, unsigned int *ret_number);

/* output.c */

struct output {
	const char *name; /* without a directory */
	const void *data;
	size_t size;
};

/*
 * Writes files to dir, which is created if it does not exist.  Existing files are
 * replaced, but only after all have been written under temporary names.
 */
enum exit_code write_outputs(const char *dir, const struct output *outputs, size_t nr);

/* identify.c */

/* Guesses what the content of a file is: "gzip-compressed data"; NULL: not known. */
const char *identify(const void *data, size_t size);

/* Returns the format, "gzip", "xz" or "lzo", that GRUB decompresses on loading; NULL: none. */
const char *grub_unpacks(const void *data, size_t size);

/* Returns what a device tree without a launch is instead of an LCM; NULL: not known. */
const char *identify_tree(const void *fdt);

/* run.c */

/*
 * Runs a program with the bytes as its standard input, without its standard error,
 * and reads its standard output.
 * Returns 0, -ENOENT: no such program; -EBADMSG: it failed; -EFBIG: it wrote more than
 * max; or another errno.
 */
int filter(char *const argv[], const void *in, size_t size, size_t max, struct buffer *ret_out);

/* The same, but the program keeps our standard error. */
int filter_loudly(char *const argv[], const void *in, size_t size, size_t max,
		  struct buffer *ret_out);

/* preprocess.c */

/* Whether source has directives of the C preprocessor. */
bool needs_preprocessor(const struct buffer *source);

/* Replaces source by the output of the preprocessor, of at most max bytes. */
enum exit_code preprocess(struct buffer *source, const char *name, size_t max);

/* names.c: replaces names in a source LCM by bit masks; an invalid tree is left as it is. */
enum exit_code names_to_masks(struct input *input);

/* table.c */

/* Prints an LCM as tables. */
struct hl_lcm;
enum exit_code show_table(const struct hl_lcm *lcm);

/* value.c */

/* Returns "PVH", "PV" or "HVM", followed by " 32-bit" unless it is 64-bit. */
const char *mode_name(uint32_t mode);

/*
 * Formats the value of a property by its meaning: "128 MiB", whether it was written as
 * text or as cells.  Returns a string for the caller to free(); NULL: no memory.
 */
char *value_words(const char *name, const void *data, int size);

/* grub.c */

struct grub_file {
	char *path; /* as written, without a device; "": none */
	int line;
	bool has_variable; /* path has a variable in it, so the file is not known */
};

struct grub_module {
	struct grub_file file;
	bool has_string; /* something follows the path */
	bool nounzip;	 /* GRUB does not decompress it */
};

/* A multiboot2 line and the module2 lines that follow it. */
struct grub_entry {
	struct grub_file xen;
	struct grub_module *modules;
	size_t nr_modules;
};

struct grub_config {
	struct grub_entry *entries;
	size_t nr_entries;
};

/*
 * Parses a GRUB configuration; grub_free() frees it.
 * Returns 0, -ENOMEM, or -EINVAL: an unterminated quote in line *ret_line.
 */
int grub_parse(const char *text, size_t size, struct grub_config *ret_config, int *ret_line);
void grub_free(struct grub_config *config);

/* The verbs: struct verb.run. */
int verb_check(int argc, char *argv[]);
int verb_show(int argc, char *argv[]);
int verb_diff(int argc, char *argv[]);
int verb_link(int argc, char *argv[]);
int verb_new(int argc, char *argv[]);
int verb_verify(int argc, char *argv[]);

#endif /* LCMTOOL_TOOL_H */
