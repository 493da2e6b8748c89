// SPDX-License-Identifier: LGPL-2.1-or-later
/* Runs lcmtool with files in memory for what it writes, which no pipe has to be emptied for. */
#include "lifecycle/definition-compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/process.h"
#include "lifecycle/definition.h"

/* What is shown of the program's errors. */
#define ERRORS_MAX 900

/* A byte more than was written, zero; of at most `max` bytes. */
static int read_file(int fd, size_t max, char **ret_data, size_t *ret_size)
{
	_cleanup_(freep) char *data = NULL;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((size_t)st.st_size > max)
		return -EFBIG;
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return -ENOMEM;
	n = pread(fd, data, (size_t)st.st_size, 0);
	if (n != st.st_size)
		return n < 0 ? -errno : -EIO;
	data[n] = '\0';
	*ret_data = steal(&data);
	*ret_size = (size_t)n;
	return 0;
}

/* -EBADMSG: it has failed, and said why. */
static int run(const char *path, int out, int errors)
{
	char *argv[] = {"lcmtool", "show", "--format", "dtb", "--", (char *)path, NULL};
	int status = 0, r;
	pid_t pid;

	r = process_start(argv, -1, out, errors, &pid);
	if (r == 0)
		r = process_wait(pid, &status);
	if (r < 0)
		return r;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBADMSG;
}

/* Only the first lines of what it said; the rest follows from them. */
static int explain(int errors, int r, struct definition_refusal *refusal)
{
	_cleanup_(freep) char *shown = NULL;
	char line[ERRORS_MAX + 1];
	ssize_t n;

	if (r == -ENOENT)
		return definition_refuse(refusal, JOB_ERROR_NOT_SUPPORTED,
					 "lcmtool, which compiles it, is not installed");
	if (r != -EBADMSG)
		return definition_refuse(refusal,
					 r == -ENOMEM ? JOB_ERROR_NO_MEMORY : JOB_ERROR_FAILED,
					 "it cannot be compiled: %s", strerror(-r));
	n = pread(errors, line, ERRORS_MAX, 0);
	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	shown = hl_utf8_dup(line);
	return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS, "%s",
				 shown && shown[0] ? shown : "lcmtool does not compile it");
}

int definition_compile(const char *path, void **ret_blob, size_t *ret_size,
		       struct definition_refusal *ret_refusal)
{
	_cleanup_(closep) int out = memfd_create("definition", MFD_CLOEXEC);
	_cleanup_(closep) int errors = memfd_create("errors", MFD_CLOEXEC);
	char *blob = NULL;
	int r = out < 0 || errors < 0 ? -ENOMEM : run(path, out, errors);

	if (r == 0)
		r = read_file(out, DEFINITION_MAX, &blob, ret_size);
	if (r < 0)
		return explain(errors, r, ret_refusal);
	*ret_blob = blob;
	return 0;
}
