// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads LCMs from files or standard input, with dtc for source; checks them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libfdt.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io.h"
#include "common/process.h"
#include "tool.h"

/* More than any LCM, its source, or an Arm board's tree needs. */
#define INPUT_LIMIT (8u << 20)

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	buffer->data = NULL;
	buffer->size = 0;
}

void input_free(struct input *input)
{
	buffer_free(&input->blob);
}

/* --- reading --------------------------------------------------------------- */

static int grow(struct buffer *buffer, size_t *room)
{
	size_t larger = *room ? *room * 2 : 65536;
	char *data = realloc(buffer->data, larger);

	if (!data)
		return -ENOMEM;
	buffer->data = data;
	*room = larger;
	return 0;
}

int read_fd(int fd, size_t max, struct buffer *ret_buffer)
{
	_cleanup_(buffer_free) struct buffer buffer = {0};
	size_t room = 0;
	ssize_t n;

	do {
		if (buffer.size == room && grow(&buffer, &room))
			return -ENOMEM;
		n = read(fd, buffer.data + buffer.size, room - buffer.size);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			buffer.size += (size_t)n;
		if (buffer.size > max)
			return -EFBIG;
	} while (n);
	*ret_buffer = buffer;
	buffer.data = NULL;
	return 0;
}

int read_all(const char *path, size_t max, struct buffer *ret_buffer)
{
	bool standard = !strcmp(path, "-");
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = read_fd(fd, max, ret_buffer);
	if (!standard)
		close(fd);
	return r;
}

/* --- source ---------------------------------------------------------------- */

static bool is_source(const struct buffer *buffer)
{
	static const char mark[] = "/dts-v1/";

	return !memchr(buffer->data, '\0', buffer->size) &&
	       memmem(buffer->data, buffer->size, mark, sizeof(mark) - 1);
}

/* Writes a line marker, so that errors of dtc, which reads no file, have the file's name. */
static int write_origin(int fd, const char *name)
{
	/* dtc has no escapes for these in a line marker. */
	if (!strcmp(name, "-") || strpbrk(name, "\"\\\n\r"))
		return 0;
	return dprintf(fd, "# 1 \"%s\"\n", name) < 0 ? -errno : 0;
}

/* Returns a memfd with the bytes, at offset 0. */
static int hold_in_memory(const struct buffer *buffer, const char *name)
{
	int fd = memfd_create("lcm-source", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (write_origin(fd, name) || write_all(fd, buffer->data, buffer->size) ||
	    lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Starts dtc between two descriptors; /include/ is relative to dir. */
static int spawn_dtc(int in, int out, const char *dir, pid_t *ret_pid)
{
	char *const argv[] = {
		(char *)"dtc", (char *)"-q",  (char *)"-I", (char *)"dts",
		(char *)"-O",  (char *)"dtb", (char *)"-i", (char *)dir,
		(char *)"-o",  (char *)"-",   (char *)"-",  NULL,
	};

	return process_start(argv, in, out, -1, ret_pid);
}

static enum exit_code run_dtc(int in, int out, const char *name)
{
	char *copy = strdup(name);
	int r, status;
	pid_t pid;

	r = copy ? spawn_dtc(in, out, strcmp(name, "-") != 0 ? dirname(copy) : ".", &pid) : -ENOMEM;
	free(copy);
	if (r) {
		report_error("%s: device-tree source needs dtc (package device-tree-compiler): %s",
			     name, strerror(-r));
		return EXIT_USAGE;
	}
	r = process_wait(pid, &status);
	if (r) {
		report_error("dtc: %s", strerror(-r));
		return EXIT_USAGE;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		report_error("%s: dtc cannot compile this source", name);
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

static enum exit_code compile(struct buffer *buffer, const char *name)
{
	int in = hold_in_memory(buffer, name), out = memfd_create("lcm", MFD_CLOEXEC);
	struct buffer blob;
	enum exit_code code = EXIT_USAGE;

	if (in < 0 || out < 0)
		report_error("%s: %m", name);
	else
		code = run_dtc(in, out, name);
	if (code == EXIT_OK && (lseek(out, 0, SEEK_SET) < 0 || read_fd(out, INPUT_LIMIT, &blob))) {
		report_error("%s: cannot read the output of dtc", name);
		code = EXIT_USAGE;
	}
	if (code == EXIT_OK) {
		buffer_free(buffer);
		*buffer = blob;
	}
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return code;
}

/* --- the LCM --------------------------------------------------------------- */

enum exit_code input_read(const char *name, struct input *ret_input)
{
	_cleanup_(buffer_free) struct buffer buffer = {0};
	int r = read_all(name, INPUT_LIMIT, &buffer);
	enum exit_code code;
	bool source;

	if (r) {
		report_error("%s: %s", name, strerror(-r));
		return EXIT_USAGE;
	}
	source = is_source(&buffer);
	if (source) {
		code = needs_preprocessor(&buffer) ? preprocess(&buffer, name, INPUT_LIMIT)
						   : EXIT_OK;
		if (!code)
			code = compile(&buffer, name);
		if (code)
			return code;
	}
	*ret_input = (struct input){.name = name, .blob = buffer, .is_source_text = source};
	buffer.data = NULL;
	return EXIT_OK;
}

void report_at(const struct input *input, int node, const char *prop, const char *format, ...)
{
	char path[LCM_PATH_SIZE] = "/";
	va_list args;

	if (node != LCM_NONE)
		lcm_path(input->blob.data, node, path, sizeof(path));
	fprintf(stderr, "%s: %s: ", input->name, path);
	if (prop)
		fprintf(stderr, "%s: ", prop);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* Explains why the bytes are not a device tree, with libfdt's reason. */
static void explain_fdt(const struct buffer *blob, int fdt_err, char *text, size_t size)
{
	static const char magic[] = {'\xd0', '\x0d', '\xfe', '\xed'};
	const char *what = identify(blob->data, blob->size), *why = fdt_strerror(fdt_err);

	if (blob->size < sizeof(magic) || memcmp(blob->data, magic, sizeof(magic)) != 0)
		snprintf(text, size, ": it is %s (libfdt: %s)",
			 what ? what : "data of an unknown format", why);
	else if (blob->size < sizeof(struct fdt_header))
		snprintf(text, size, ": the file is truncated after %zu bytes (libfdt: %s)",
			 blob->size, why);
	else if (blob->size < fdt_totalsize(blob->data))
		snprintf(text, size, ": the file is truncated after %zu of %u bytes (libfdt: %s)",
			 blob->size, fdt_totalsize(blob->data), why);
	else
		snprintf(text, size, " (libfdt: %s)", why);
}

/* Adds details that are not in the sentence of the error's code. */
static void explain(const struct input *input, const struct lcm_error *err,
		    const struct lcm_limits *limits, char *text, size_t size)
{
	const char *why;

	*text = '\0';
	if (err->code == LCM_ERR_FDT) {
		explain_fdt(&input->blob, err->fdt_err, text, size);
	} else if (err->code == LCM_ERR_NO_HYPERVISOR) {
		why = identify_tree(input->blob.data);
		if (why)
			snprintf(text, size, "; %s", why);
	} else if (err->code == LCM_ERR_INDEX_RANGE && limits->nr_modules == MAX_CHAIN) {
		snprintf(text, size, ": Xen takes %d modules, of which the LCM is the first",
			 MAX_CHAIN + 1);
	}
}

static void report_lcm_error(const struct input *input, const struct lcm_error *err,
			     const struct lcm_limits *limits)
{
	char other[LCM_PATH_SIZE + 8] = "", more[192], sentence[LCM_TEXT_SIZE];
	const char *text = lcm_error_text(err, sentence);

	explain(input, err, limits, more, sizeof(more));
	/* The parser's sentence is about what a boot loader has passed; here there is none. */
	if (err->code == LCM_ERR_INDEX_RANGE && *more)
		text = "no boot loader can pass so many modules";
	if (err->other_node != LCM_NONE) {
		strcpy(other, "; see ");
		lcm_path(input->blob.data, err->other_node, other + strlen(other), LCM_PATH_SIZE);
	}
	report_at(input, err->node, err->prop, "%s%s%s [%s]", text, more, other,
		  lcm_errname(err->code));
}

void report_invalid_tree(const struct input *input)
{
	const struct lcm_limits none = {0};
	const struct lcm_error err = {
		.code = LCM_ERR_FDT,
		.node = LCM_NONE,
		.other_node = LCM_NONE,
		.fdt_err = fdt_check_full(input->blob.data, input->blob.size),
	};

	report_lcm_error(input, &err, &none);
}

enum exit_code input_check_tree(const struct input *input)
{
	const struct lcm_limits none = {0};
	struct lcm_error err;

	if (!lcm_fdt_check(input->blob.data, input->blob.size, &err))
		return EXIT_OK;
	report_lcm_error(input, &err, &none);
	return EXIT_FAILED;
}

void print_valid(const struct input *input)
{
	const struct lcm *lcm = &input->lcm;

	printf("%s: valid: %u domain%s, %u module%s", input->name, lcm->nr_domains,
	       lcm->nr_domains == 1 ? "" : "s", lcm->nr_modules, lcm->nr_modules == 1 ? "" : "s");
	if (lcm->nr_warnings)
		printf("; %u warning%s", lcm->nr_warnings, lcm->nr_warnings == 1 ? "" : "s");
	putchar('\n');
}

/*
 * LCM_WARN_UNSUPPORTED is an error of lcm_check() where that is strict, and beside the domain of a
 * definition there are others.
 */
static bool applies(const struct lcm_warning *w, const struct lcm_limits *limits)
{
	switch (w->code) {
	case LCM_WARN_UNSUPPORTED:
		return !limits->strict;
	case LCM_WARN_RESTART_STATIC:
	case LCM_WARN_HOLD_STATIC:
	case LCM_WARN_START_AFTER:
		return !limits->definition;
	default:
		return true;
	}
}

static void report_warnings(const struct input *input, const struct lcm_limits *limits)
{
	char text[LCM_TEXT_SIZE];

	for (unsigned int i = 0; i < input->lcm.nr_warnings; i++) {
		const struct lcm_warning *w = &input->lcm.warnings[i];

		if (applies(w, limits))
			report_at(input, w->node, w->prop, "warning: %s",
				  lcm_warning_text(w, text));
	}
}

enum exit_code input_check(struct input *input, const struct lcm_limits *limits, bool guess,
			   bool warn)
{
	struct lcm_limits actual = *limits;
	struct lcm_error err;
	int r = limits->source ? (int)names_to_masks(input) : 0;

	if (r)
		return EXIT_FAILED;
	r = lcm_parse(input->blob.data, input->blob.size, &input->lcm, &err);
	if (!r) {
		if (warn)
			report_warnings(input, limits);
		if (guess)
			actual.platform = lcm_guess_platform(&input->lcm);
		r = lcm_check(&input->lcm, &actual, &err);
	}
	if (r)
		report_lcm_error(input, &err, &actual);
	return r ? EXIT_FAILED : EXIT_OK;
}

/* --- numbers --------------------------------------------------------------- */

bool read_number(const char *text, unsigned int max, unsigned int *ret_number)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value > max)
		return false;
	*ret_number = (unsigned int)value;
	return true;
}

bool read_size(const char *text, uint64_t *ret_kib)
{
	static const char suffixes[] = "KMGT";
	const char *suffix;
	uint64_t value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno)
		return false;
	if (!*end) {
		*ret_kib = value / 1024;
		return *ret_kib;
	}
	suffix = strchr(suffixes, *end & ~0x20);
	if (!suffix || !*suffix || end[1] || value > UINT64_MAX >> 10 * (suffix - suffixes))
		return false;
	*ret_kib = value << 10 * (suffix - suffixes);
	return *ret_kib;
}
