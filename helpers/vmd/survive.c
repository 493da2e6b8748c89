// SPDX-License-Identifier: LGPL-2.1-or-later
/* Compares two configurations. */
#include "survive.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json-write.h"

/* Of nested objects and lists: packets and files are parsed with a limit below this. */
#define DEPTH_MAX 32

static int compare(json_object *given, json_object *taken, char *path, size_t size, int depth);

static bool is_nothing(json_object *value)
{
	if (json_object_is_type(value, json_type_object))
		return json_object_object_length(value) == 0;
	if (json_object_is_type(value, json_type_array))
		return json_object_array_length(value) == 0;
	return !value;
}

/* Appends to the path, compares, and takes the end away again where both agree. */
static int compare_at(json_object *given, json_object *taken, char *path, size_t size, int depth,
		      const char *name)
{
	size_t length = strlen(path);
	int r;

	snprintf(path + length, size - length, "%s%s", length ? "." : "", name);
	r = compare(given, taken, path, size, depth);
	if (r == 0)
		path[length] = '\0';
	return r;
}

static int compare_objects(json_object *given, json_object *taken, char *path, size_t size,
			   int depth)
{
	struct json_object_iterator i = json_object_iter_begin(given);
	struct json_object_iterator end = json_object_iter_end(given);
	int r = 0;

	for (; r == 0 && !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
		const char *name = json_object_iter_peek_name(&i);
		json_object *value = NULL;

		(void)json_object_object_get_ex(taken, name, &value);
		r = compare_at(json_object_iter_peek_value(&i), value, path, size, depth, name);
	}
	return r;
}

static int compare_lists(json_object *given, json_object *taken, char *path, size_t size, int depth)
{
	size_t nr = json_object_array_length(given);
	char name[24];
	int r = 0;

	if (!json_object_is_type(taken, json_type_array) || json_object_array_length(taken) != nr)
		return -ENOENT;
	for (size_t i = 0; r == 0 && i < nr; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		r = compare_at(json_object_array_get_idx(given, i),
			       json_object_array_get_idx(taken, i), path, size, depth, name);
	}
	return r;
}

static int compare(json_object *given, json_object *taken, char *path, size_t size, int depth)
{
	if (is_nothing(given))
		return 0;
	if (depth == DEPTH_MAX || !taken)
		return -ENOENT;
	if (json_object_is_type(given, json_type_object) &&
	    json_object_is_type(taken, json_type_object))
		return compare_objects(given, taken, path, size, depth + 1);
	if (json_object_is_type(given, json_type_array))
		return compare_lists(given, taken, path, size, depth + 1);
	return json_object_equal(given, taken) ? 0 : -ENOENT;
}

int survive_check(json_object *given, json_object *taken, char *path, size_t size)
{
	path[0] = '\0';
	return compare(given, taken, path, size, 0);
}

int survive_check_text(const char *given, const char *taken, char *path, size_t size)
{
	_cleanup_(json_putp) json_object *a = given ? json_tokener_parse(given) : NULL;
	_cleanup_(json_putp) json_object *b = taken ? json_tokener_parse(taken) : NULL;

	if (!json_object_is_type(a, json_type_object) || !json_object_is_type(b, json_type_object))
		return -EINVAL;
	return survive_check(a, b, path, size);
}
