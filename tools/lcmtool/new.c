// SPDX-License-Identifier: LGPL-2.1-or-later
/* lcmtool new: writes a commented template of a launch. */
#include "new.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static enum exit_code list_templates(void)
{
	for (size_t i = 0; i < nr_templates; i++)
		printf("%-22s %s\n", templates[i].name, templates[i].title);
	return EXIT_OK;
}

static const struct template *find_template(const char *name)
{
	for (size_t i = 0; i < nr_templates; i++)
		if (!strcmp(templates[i].name, name))
			return &templates[i];
	report_error("new: no such configuration: %s; `lcmtool new` lists them", name);
	return NULL;
}

/* Existing files are not overwritten. */
static bool is_there(const char *dir, const char *name)
{
	_cleanup_(freep) char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		report_error("out of memory");
		return true;
	}
	if (access(path, F_OK))
		return false;
	report_error("%s already exists; no files written", path);
	return true;
}

static enum exit_code write_template(const struct template *t, const char *dir)
{
	struct output outputs[2] = {{"launch.dts", t->launch, strlen(t->launch)}};
	size_t nr = 1;
	enum exit_code code;

	if (t->config)
		outputs[nr++] = (struct output){"bootdom.conf", t->config, strlen(t->config)};
	for (size_t i = 0; i < nr; i++)
		if (is_there(dir, outputs[i].name))
			return EXIT_USAGE;
	code = write_outputs(dir, outputs, nr);
	for (size_t i = 0; !code && i < nr; i++)
		printf("%s/%s\n", dir, outputs[i].name);
	return code;
}

int verb_new(int argc, char *argv[])
{
	static const struct option known[] = {{0}};
	const struct template *t;

	if (getopt_long(argc, argv, "", known, NULL) != -1)
		return usage_error();
	if (argc == optind)
		return list_templates();
	if (argc - optind > 2) {
		report_error("new: expected one NAME and at most one DIR");
		return usage_error();
	}
	t = find_template(argv[optind]);
	if (!t)
		return EXIT_USAGE;
	return write_template(t, argc - optind == 2 ? argv[optind + 1] : t->name);
}
