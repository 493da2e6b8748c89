// SPDX-License-Identifier: LGPL-2.1-or-later
/* lcmtool show: prints an LCM. */
#include <errno.h>
#include <getopt.h>
#include <hyperlaunch/hl.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

struct format {
	const char *name;
	enum exit_code (*show)(struct input *input);
};

/* --- the formats ----------------------------------------------------------- */

static enum exit_code put_text(const struct input *input, int r, char *text)
{
	if (r == -EINVAL) {
		report_invalid_tree(input);
		return EXIT_FAILED;
	}
	if (r == -EILSEQ) {
		report_error("%s: contains a name that source cannot express", input->name);
		return EXIT_FAILED;
	}
	if (r) {
		report_error("%s: %s", input->name, strerror(-r));
		return EXIT_USAGE;
	}
	fputs(text, stdout);
	free(text);
	return EXIT_OK;
}

/* Shows a valid LCM, which is not checked against the limits of any host. */
static enum exit_code with_lcm(struct input *input, enum exit_code (*show)(const struct hl_lcm *),
			       bool json)
{
	const struct lcm_limits loose = {.source = true};
	const struct hl_lcm_limits same = {.source = true};
	enum exit_code code = input_check(input, &loose, true, !json);
	struct hl_lcm *lcm;
	char *text = NULL;
	int r;

	if (code)
		return code;
	r = hl_lcm_new(input->blob.data, input->blob.size, &same, NULL, &lcm);
	if (r)
		return put_text(input, r, NULL);
	if (json) {
		r = hl_lcm_to_json(lcm, &text);
		code = put_text(input, r, text);
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
	int r = hl_fdt_to_dts(input->blob.data, input->blob.size, &text);

	return put_text(input, r, text);
}

/* A launch, or the definition of a domain beside one. */
static enum exit_code format_dtb(struct input *input)
{
	const struct lcm_limits loose = {.source = true, .definition = true};
	enum exit_code code = input_check(input, &loose, true, true);

	if (!code)
		fwrite(input->blob.data, input->blob.size, 1, stdout);
	return code;
}

static const struct format formats[] = {
	{"table", format_table},
	{"json", format_json},
	{"dts", format_dts},
	{"dtb", format_dtb},
};

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	report_error("show: no such format: %s", name);
	return NULL;
}

int verb_show(int argc, char *argv[])
{
	static const struct option known[] = {
		{"format", required_argument, NULL, 'f'},
		{0},
	};
	const struct format *format = &formats[0];
	CLEANUP_INPUT struct input input = {0};
	enum exit_code code;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		format = option == 'f' ? find_format(optarg) : NULL;
		if (!format)
			return usage_error();
	}
	if (argc - optind != 1) {
		report_error("show: expected one FILE");
		return usage_error();
	}
	code = input_read(argv[optind], &input);
	return code ? code : format->show(&input);
}
