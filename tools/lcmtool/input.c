// SPDX-License-Identifier: LGPL-2.1-or-later
/* Where LCMs come from: files, standard input, and dtc for source. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

/* Larger than any LCM or its source, or an Arm board's tree. */
#define INPUT_LIMIT (8u << 20)

extern char **environ;

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

static int read_fd(int fd, size_t max, struct buffer *ret_buffer)
{
	CLEANUP_BUFFER struct buffer buffer = { 0 };
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
	int rc;

	if (fd < 0)
		return -errno;
	rc = read_fd(fd, max, ret_buffer);
	if (!standard)
		close(fd);
	return rc;
}

/* --- source ---------------------------------------------------------------- */

static bool is_source(const struct buffer *buffer)
{
	static const char mark[] = "/dts-v1/";

	return !memchr(buffer->data, '\0', buffer->size) &&
	       memmem(buffer->data, buffer->size, mark, sizeof(mark) - 1);
}

/* A file without a name that holds the bytes, at its start. */
static int hold_in_memory(const struct buffer *buffer)
{
	int fd = memfd_create("lcm-source", MFD_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < buffer->size) {
		ssize_t n = write(fd, buffer->data + done, buffer->size - done);

		if (n < 0 && errno != EINTR) {
			close(fd);
			return -1;
		}
		if (n > 0)
			done += (size_t)n;
	}
	if (fd >= 0 && lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* dtc between two descriptors; /include/ works from the source's folder. */
static int spawn_dtc(int in, int out, const char *dir, pid_t *ret_pid)
{
	char *const argv[] = {
		(char *)"dtc", (char *)"-q", (char *)"-I", (char *)"dts", (char *)"-O",
		(char *)"dtb", (char *)"-i", (char *)dir, (char *)"-o", (char *)"-", (char *)"-",
		NULL,
	};
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc)
		return -rc;
	rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!rc)
		rc = posix_spawnp(ret_pid, "dtc", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

static enum exit_code run_dtc(int in, int out, const char *name)
{
	char *copy = strdup(name);
	int rc, status;
	pid_t pid;

	rc = copy ? spawn_dtc(in, out, strcmp(name, "-") != 0 ? dirname(copy) : ".", &pid) : -ENOMEM;
	free(copy);
	if (rc) {
		say("%s: device-tree source needs dtc (package device-tree-compiler): %s", name,
		    strerror(-rc));
		return EXIT_USAGE;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			say("dtc: %m");
			return EXIT_USAGE;
		}
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		say("%s: dtc does not compile this source", name);
		return EXIT_BAD;
	}
	return EXIT_GOOD;
}

static enum exit_code compile(struct buffer *buffer, const char *name)
{
	int in = hold_in_memory(buffer), out = memfd_create("lcm", MFD_CLOEXEC);
	struct buffer blob;
	enum exit_code code = EXIT_USAGE;

	if (in < 0 || out < 0)
		say("%s: %m", name);
	else
		code = run_dtc(in, out, name);
	if (code == EXIT_GOOD && (lseek(out, 0, SEEK_SET) < 0 || read_fd(out, INPUT_LIMIT, &blob))) {
		say("%s: what dtc wrote can't be read", name);
		code = EXIT_USAGE;
	}
	if (code == EXIT_GOOD) {
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
	CLEANUP_BUFFER struct buffer buffer = { 0 };
	int rc = read_all(name, INPUT_LIMIT, &buffer);
	enum exit_code code;
	bool source;

	if (rc) {
		say("%s: %s", name, strerror(-rc));
		return EXIT_USAGE;
	}
	source = is_source(&buffer);
	if (source) {
		code = compile(&buffer, name);
		if (code)
			return code;
	}
	*ret_input = (struct input){ .name = name, .blob = buffer, .is_source_text = source };
	buffer.data = NULL;
	return EXIT_GOOD;
}

void say_at(const struct input *input, int node, const char *prop, const char *format, ...)
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

static void say_error(const struct input *input, const struct lcm_error *err)
{
	char other[LCM_PATH_SIZE + 8] = "";

	if (err->other_node != LCM_NONE) {
		strcpy(other, "; see ");
		lcm_path(input->blob.data, err->other_node, other + strlen(other),
			 LCM_PATH_SIZE);
	}
	say_at(input, err->node, err->prop, "%s%s [%s]", lcm_strerror(err->code), other,
	       lcm_errname(err->code));
}

static void say_warnings(const struct input *input)
{
	for (unsigned int i = 0; i < input->lcm.nr_warnings; i++) {
		const struct lcm_warning *w = &input->lcm.warnings[i];

		say_at(input, w->node, w->prop, "warning: %s", lcm_strwarning(w->code));
	}
}

enum exit_code input_check(struct input *input, const struct lcm_limits *limits, bool guess,
			   bool warn)
{
	struct lcm_limits actual = *limits;
	struct lcm_error err;
	int rc = lcm_parse(input->blob.data, input->blob.size, &input->lcm, &err);

	if (!rc) {
		if (warn)
			say_warnings(input);
		if (guess)
			actual.platform = lcm_guess_platform(&input->lcm);
		rc = lcm_check(&input->lcm, &actual, &err);
	}
	if (rc)
		say_error(input, &err);
	return rc ? EXIT_BAD : EXIT_GOOD;
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
