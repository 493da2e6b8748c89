// SPDX-License-Identifier: LGPL-2.1-or-later
/* lcmtool diff: compares two LCMs by node and property. */
#include <getopt.h>
#include <json-c/json.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

enum change { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED, CHANGE_ORDER };

static const char *const change_names[] = {"added", "removed", "changed", "order"};

/* A node of one of the two trees. */
struct side {
	const void *fdt;
	int node;
};

struct diff_job {
	struct input inputs[2];
	struct json_object *json; /* NULL: output is text */
	unsigned int differences;
	bool failed; /* no memory */
};

/* --- output ------------------------------------------------------------------------ */

static void put_json(struct diff_job *job, struct json_object *object, const char *key,
		     const char *text)
{
	struct json_object *value = text ? json_object_new_string(text) : NULL;

	if ((text && !value) || json_object_object_add(object, key, value)) {
		json_object_put(value);
		job->failed = true;
	}
}

static void add_json(struct diff_job *job, const char *path, const char *prop, enum change change,
		     const char *before, const char *after)
{
	struct json_object *object = json_object_new_object();

	put_json(job, object, "node", path);
	put_json(job, object, "property", prop);
	put_json(job, object, "change", change_names[change]);
	put_json(job, object, "a", before);
	put_json(job, object, "b", after);
	if (json_object_array_add(job->json, object)) {
		json_object_put(object);
		job->failed = true;
	}
}

static void print_text(const char *path, const char *prop, enum change change, const char *before,
		       const char *after)
{
	printf("%s: ", path);
	if (prop)
		printf("%s: ", prop);
	switch (change) {
	case CHANGE_ADDED:
		printf("added%s%s\n", after ? ": " : "", after ? after : "");
		break;
	case CHANGE_REMOVED:
		printf("removed%s%s\n", before ? ": " : "", before ? before : "");
		break;
	case CHANGE_CHANGED:
		printf("%s -> %s\n", before, after);
		break;
	case CHANGE_ORDER:
		printf("order changed: %s -> %s\n", before, after);
		break;
	}
}

static void differ(struct diff_job *job, const struct side *at, const char *prop,
		   enum change change, const char *before, const char *after)
{
	char path[LCM_PATH_SIZE];

	lcm_path(at->fdt, at->node, path, sizeof(path));
	job->differences++;
	if (job->json)
		add_json(job, path, prop, change, before, after);
	else
		print_text(path, prop, change, before, after);
}

/* --- properties ------------------------------------------------------------------- */

/* The value of an empty property is not printed. */
static const char *unless_empty(const char *words, int size)
{
	return size ? words : NULL;
}

static void compare_value(struct diff_job *job, const struct side *a, const struct side *b,
			  const char *prop)
{
	int size_a, size_b;
	const void *value_a = fdt_getprop(a->fdt, a->node, prop, &size_a);
	const void *value_b = fdt_getprop(b->fdt, b->node, prop, &size_b);
	_cleanup_(freep) char *before = value_a ? value_words(prop, value_a, size_a) : NULL;
	_cleanup_(freep) char *after = value_b ? value_words(prop, value_b, size_b) : NULL;

	if ((value_a && !before) || (value_b && !after))
		job->failed = true;
	else if (!before)
		differ(job, b, prop, CHANGE_ADDED, NULL, unless_empty(after, size_b));
	else if (!after)
		differ(job, a, prop, CHANGE_REMOVED, unless_empty(before, size_a), NULL);
	else if (strcmp(before, after) != 0)
		differ(job, b, prop, CHANGE_CHANGED, before, after);
}

/* The order of properties is not significant. */
static void compare_properties(struct diff_job *job, const struct side *a, const struct side *b)
{
	const char *name;
	int at;

	fdt_for_each_property_offset(at, a->fdt, a->node)
	{
		if (fdt_getprop_by_offset(a->fdt, at, &name, NULL))
			compare_value(job, a, b, name);
	}
	fdt_for_each_property_offset(at, b->fdt, b->node)
	{
		if (fdt_getprop_by_offset(b->fdt, at, &name, NULL) &&
		    !fdt_getprop(a->fdt, a->node, name, NULL))
			compare_value(job, a, b, name);
	}
}

/* --- nodes ------------------------------------------------------------------------ */

/* Finds a child by its full name; libfdt would find "web@1" for "web". */
static int find_child(const struct side *parent, const char *name)
{
	int node;

	fdt_for_each_subnode(node, parent->fdt, parent->node)
	{
		const char *has = fdt_get_name(parent->fdt, node, NULL);

		if (has && !strcmp(has, name))
			return node;
	}
	return LCM_NONE;
}

static const char *name_of(const struct side *s)
{
	const char *name = fdt_get_name(s->fdt, s->node, NULL);

	return name ? name : "";
}

/* Lists the children that both nodes have, in the order of `parent`.  NULL: no memory. */
static char *common_children(const struct side *parent, const struct side *other)
{
	struct side child = {.fdt = parent->fdt};
	const char *comma = "";
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fdt_for_each_subnode(child.node, parent->fdt, parent->node)
	{
		if (find_child(other, name_of(&child)) == LCM_NONE)
			continue;
		fprintf(f, "%s%s", comma, name_of(&child));
		comma = ", ";
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* The order of nodes is significant: domains are numbered and built in that order. */
static void compare_order(struct diff_job *job, const struct side *a, const struct side *b)
{
	_cleanup_(freep) char *before = common_children(a, b), *after = common_children(b, a);

	if (!before || !after)
		job->failed = true;
	else if (strcmp(before, after) != 0)
		differ(job, b, NULL, CHANGE_ORDER, before, after);
}

static void compare(struct diff_job *job, const struct side *a, const struct side *b);

static void compare_children(struct diff_job *job, const struct side *a, const struct side *b)
{
	struct side in_a = {.fdt = a->fdt}, in_b = {.fdt = b->fdt};

	fdt_for_each_subnode(in_a.node, a->fdt, a->node)
	{
		in_b.node = find_child(b, name_of(&in_a));
		if (in_b.node == LCM_NONE)
			differ(job, &in_a, NULL, CHANGE_REMOVED, NULL, NULL);
		else
			compare(job, &in_a, &in_b);
	}
	fdt_for_each_subnode(in_b.node, b->fdt, b->node)
	{
		if (find_child(a, name_of(&in_b)) == LCM_NONE)
			differ(job, &in_b, NULL, CHANGE_ADDED, NULL, NULL);
	}
	compare_order(job, a, b);
}

/* input_check_tree() limits the depth of the recursion. */
static void compare(struct diff_job *job, const struct side *a, const struct side *b)
{
	compare_properties(job, a, b);
	compare_children(job, a, b);
}

/* --- the verb ---------------------------------------------------------------------- */

static enum exit_code find_launch(const struct input *input, struct side *ret_side)
{
	int node = fdt_path_offset(input->blob.data, "/chosen");

	if (node < 0) {
		report_error("%s: no /chosen node, so no launch", input->name);
		return EXIT_USAGE;
	}
	*ret_side = (struct side){.fdt = input->blob.data, .node = node};
	return EXIT_OK;
}

static enum exit_code read_side(struct input *input, const char *name, struct side *ret_side)
{
	enum exit_code code = input_read(name, input);

	if (!code)
		code = input_check_tree(input);
	if (!code)
		code = find_launch(input, ret_side);
	/* As in diff(1): exit code 1 means a difference. */
	return code ? EXIT_USAGE : EXIT_OK;
}

static void print_json(struct diff_job *job)
{
	const char *text = json_object_to_json_string_ext(
		job->json,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text)
		job->failed = true;
	else
		puts(text);
}

static enum exit_code diff(struct diff_job *job, const char *const *names)
{
	struct side a, b;
	enum exit_code code = read_side(&job->inputs[0], names[0], &a);

	if (!code)
		code = read_side(&job->inputs[1], names[1], &b);
	if (code)
		return code;
	compare(job, &a, &b);
	if (job->json && !job->failed)
		print_json(job);
	if (job->failed) {
		report_error("out of memory");
		return EXIT_USAGE;
	}
	return job->differences ? EXIT_FAILED : EXIT_OK;
}

int verb_diff(int argc, char *argv[])
{
	static const struct option known[] = {
		{"json", no_argument, NULL, 'j'},
		{0},
	};
	struct diff_job job = {0};
	bool json = false;
	int option, code;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option != 'j')
			return usage_error();
		json = true;
	}
	if (argc - optind != 2) {
		report_error("diff: expected two FILEs");
		return usage_error();
	}
	if (json)
		job.json = json_object_new_array();
	if (json && !job.json) {
		report_error("out of memory");
		return EXIT_USAGE;
	}
	code = (int)diff(&job, (const char *const *)argv + optind);
	json_object_put(job.json);
	input_free(&job.inputs[0]);
	input_free(&job.inputs[1]);
	return code;
}
