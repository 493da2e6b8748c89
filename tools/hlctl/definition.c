// SPDX-License-Identifier: LGPL-2.1-or-later
/* Files with the definition of a domain: source, which lcmtool compiles, a blob, or libxl's JSON.
 */
#include "definition.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "common/process.h"
#include "json.h"

static int read_to_end(int fd, struct definition_blob *blob)
{
	ssize_t n;

	do {
		n = read(fd, blob->data + blob->size, sizeof(blob->data) - 1 - blob->size);
		if (n > 0)
			blob->size += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

/* lcmtool compiles source as it does for a launch, and says what is wrong with it. */
static enum exit_code compile(const char *file, struct definition_blob *blob)
{
	char *argv[] = {"lcmtool", "show", "--format", "dtb", "--", (char *)file, NULL};
	_cleanup_(closep) int in = -1;
	int ends[2], status = 0, r;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return report_error(EXIT_FAILED, "no pipe: %m");
	in = ends[0];
	r = process_start(argv, -1, ends[1], -1, &pid);
	close(ends[1]);
	if (r < 0)
		return report_error(EXIT_FAILED, "cannot run lcmtool: %s", strerror(-r));
	r = read_to_end(in, blob);
	/* It would wait for ever to write what is too much. */
	closep(&in);
	in = -1;
	r = r < 0 ? r : process_wait(pid, &status);
	if (r < 0)
		return report_error(EXIT_FAILED, "%s: %s", file, strerror(-r));
	if (blob->size > DEFINITION_MAX)
		return report_error(EXIT_FAILED, "%s: more than %u bytes", file, DEFINITION_MAX);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return report_error(EXIT_FAILED, "%s is no definition of a domain", file);
	return EXIT_OK;
}

/* By its name: JSON is no device-tree source, and the other way round. */
bool definition_is_json(const char *file)
{
	size_t length = strlen(file);

	return length > 5 && !strcmp(file + length - 5, ".json");
}

static enum exit_code read_json(const char *file, struct definition_blob *blob)
{
	_cleanup_(closep) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = fd < 0 ? -errno : read_to_end(fd, blob);

	if (r < 0)
		return report_error(EXIT_FAILED, "%s: %s", file, strerror(-r));
	if (blob->size > DEFINITION_MAX)
		return report_error(EXIT_FAILED, "%s: more than %u bytes", file, DEFINITION_MAX);
	return EXIT_OK;
}

enum exit_code definition_read(const char *file, struct definition_blob *blob)
{
	return definition_is_json(file) ? read_json(file, blob) : compile(file, blob);
}

/* The domain's, for the job; "": hyperlaunchd says what is wrong with the definition. */
char *definition_name_in_json(const struct definition_blob *blob)
{
	struct json_object *config, *info, *name;
	char *copy;

	config = json_tokener_parse((const char *)blob->data);
	copy = json_object_object_get_ex(config, "c_info", &info) &&
			       json_object_object_get_ex(info, "name", &name) &&
			       json_object_is_type(name, json_type_string)
		       ? strdup(json_object_get_string(name))
		       : strdup("");
	json_object_put(config);
	if (!copy)
		no_memory();
	return copy;
}
