// SPDX-License-Identifier: LGPL-2.1-or-later
/* lcmtool show: what does this LCM say? */
#include <errno.h>
#include <getopt.h>
#include <hl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

struct format {
	const char *name;
	enum exit_code (*show)(struct input *input);
};

/* --- table ----------------------------------------------------------------- */

/* Names with commas between; "-" for none. */
static void join_names(uint32_t bits, const char *(*next)(uint32_t *, char *, size_t), char *text,
		       size_t size)
{
	char buf[8];
	const char *name;
	size_t used = 0;

	snprintf(text, size, "-");
	while (used < size && (name = next(&bits, buf, sizeof(buf))))
		used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "", name);
}

static void show_domain(const struct hl_lcm_domain *d)
{
	char permissions[64], functions[96], mode[48];

	join_names(d->permissions, hl_permission_next, permissions, sizeof(permissions));
	join_names(d->functions, hl_function_next, functions, sizeof(functions));
	join_names(d->mode, hl_mode_next, mode, sizeof(mode));
	printf("%-20s %6" PRIu32 " %5" PRIu32 " %12" PRIu64 " %-12s %-17s %s\n", d->name, d->domid,
	       d->cpus, d->memory_kib, mode, permissions, functions);
}

static void show_module(const struct hl_lcm *lcm, const struct hl_lcm_module *m)
{
	const struct hl_lcm_domain *d = hl_lcm_get_domain(lcm, m->domain);
	char where[64] = "-";

	if (m->index != HL_NO_INDEX)
		snprintf(where, sizeof(where), "%" PRIu32, m->index);
	else if (m->size)
		snprintf(where, sizeof(where), "%#" PRIx64 "+%#" PRIx64, m->addr, m->size);
	printf("%-20s %-12s %-24s %s\n", d ? d->name : "(Xen)", hl_module_type_name(m->type), where,
	       m->file ? m->file : "-");
}

static enum exit_code show_table(const struct hl_lcm *lcm)
{
	printf("%-20s %6s %5s %12s %-12s %-17s %s\n", "NAME", "DOMID", "VCPUS", "MEMORY/KiB", "MODE",
	       "PERMISSIONS", "FUNCTIONS");
	for (uint32_t i = 0; i < hl_lcm_nr_domains(lcm); i++)
		show_domain(hl_lcm_get_domain(lcm, i));
	printf("\n%-20s %-12s %-24s %s\n", "OF", "MODULE", "WHERE", "FILE");
	for (uint32_t i = 0; i < hl_lcm_nr_modules(lcm); i++)
		show_module(lcm, hl_lcm_get_module(lcm, i));
	return EXIT_GOOD;
}

/* --- the formats ----------------------------------------------------------- */

static enum exit_code put_text(const struct input *input, int rc, char *text)
{
	if (rc == -EINVAL || rc == -EILSEQ) {
		say("%s: %s", input->name,
		    rc == -EINVAL ? "not a sound flattened device tree"
				  : "a name in it can't be written as source");
		return EXIT_BAD;
	}
	if (rc) {
		say("%s: %s", input->name, strerror(-rc));
		return EXIT_USAGE;
	}
	fputs(text, stdout);
	free(text);
	return EXIT_GOOD;
}

/* Shown as it is, so held against nothing; but it must be an LCM. */
static enum exit_code with_lcm(struct input *input, enum exit_code (*show)(const struct hl_lcm *),
			       bool json)
{
	const struct lcm_limits loose = { .source = true };
	const struct hl_lcm_limits same = { .source = true };
	enum exit_code code = input_check(input, &loose, true, !json);
	struct hl_lcm *lcm;
	char *text = NULL;
	int rc;

	if (code)
		return code;
	rc = hl_lcm_new(input->blob.data, input->blob.size, &same, NULL, &lcm);
	if (rc)
		return put_text(input, rc, NULL);
	if (json) {
		rc = hl_lcm_to_json(lcm, &text);
		code = put_text(input, rc, text);
	} else {
		code = show(lcm);
	}
	hl_lcm_unref(lcm);
	return code;
}

static enum exit_code format_table(struct input *input)
{
	return with_lcm(input, show_table, false);
}

static enum exit_code format_json(struct input *input)
{
	return with_lcm(input, NULL, true);
}

static enum exit_code format_dts(struct input *input)
{
	char *text = NULL;
	int rc = hl_fdt_to_dts(input->blob.data, input->blob.size, &text);

	return put_text(input, rc, text);
}

static const struct format formats[] = {
	{ "table", format_table },
	{ "json", format_json },
	{ "dts", format_dts },
};

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	say("show: no such format: %s", name);
	return NULL;
}

int verb_show(int argc, char *argv[])
{
	static const struct option known[] = {
		{ "format", required_argument, NULL, 'f' },
		{ 0 },
	};
	const struct format *format = &formats[0];
	CLEANUP_INPUT struct input input = { 0 };
	enum exit_code code;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		format = option == 'f' ? find_format(optarg) : NULL;
		if (!format)
			return usage_error();
	}
	if (argc - optind != 1) {
		say("show: one FILE, please");
		return usage_error();
	}
	code = input_read(argv[optind], &input);
	return code ? code : format->show(&input);
}
