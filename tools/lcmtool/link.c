// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * lcmtool link: turns the file names of a source LCM into module numbers, and
 * writes the LCM, the list of modules and the boot loader's lines in one go, so
 * that they can't differ.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <libfdt.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "chain.h"

/* What each module node grows by at most: two cells, a digest, and names. */
#define GROWTH_PER_MODULE 160

struct link_job {
	const char *source, *output, *xen, *xen_args;
	char **dirs;			/* where files are looked for, in order */
	size_t nr_dirs;
	struct input input;
	struct chain chain;
	unsigned int index[LCM_MAX_MODULES];	/* of each module node */
	struct buffer linked;
};

static enum exit_code out_of_memory(void)
{
	say("out of memory");
	return EXIT_USAGE;
}

/* --- files ----------------------------------------------------------------- */

static void say_not_found(const struct link_job *job, const struct lcm_module *m)
{
	say_at(&job->input, m->node, "file", "%s is in none of the folders searched:", m->file);
	for (size_t i = 0; i < job->nr_dirs; i++)
		fprintf(stderr, "  %s\n", job->dirs[i]);
}

static enum exit_code say_unreadable(const struct link_job *job, const struct lcm_module *m,
				     const char *path, int rc)
{
	if (rc == -EFBIG)
		say_at(&job->input, m->node, "file",
		       "%s would be module %u, and Xen takes no more than %u", path, MAX_CHAIN + 1,
		       MAX_CHAIN);
	else
		say_at(&job->input, m->node, "file", "%s: %s", path,
		       rc == -EISDIR ? "not a regular file" : strerror(-rc));
	return EXIT_BAD;
}

/* The lists that are written have one line per file, and GRUB's in quotes. */
static bool is_listable(const char *path)
{
	return !strpbrk(path, "'\n\r\t");
}

static enum exit_code check_file(const struct link_job *job, const struct lcm_module *m,
				 const struct chain_file *file)
{
	char text[HL_SHA256_TEXT_SIZE];

	if (!is_listable(file->path)) {
		say_at(&job->input, m->node, "file", "%s: a quote or control character in its path",
		       file->path);
		return EXIT_BAD;
	}
	if (!file->size) {
		say_at(&job->input, m->node, "file", "%s is empty", file->path);
		return EXIT_BAD;
	}
	if (m->digest && memcmp(m->digest, file->sha256, HL_SHA256_SIZE) != 0) {
		hl_sha256_to_text(file->sha256, text);
		say_at(&job->input, m->node, "digest-sha256", "%s has another SHA-256: %s [%s]",
		       file->path, text, lcm_errname(LCM_ERR_DIGEST));
		return EXIT_BAD;
	}
	return EXIT_GOOD;
}

static enum exit_code resolve(struct link_job *job, unsigned int i)
{
	const struct lcm_module *m = &job->input.lcm.modules[i];
	CLEANUP_FREE char *path = NULL;
	int rc;

	if (!m->file) {
		say_at(&job->input, m->node, NULL, "no file: link can't know which module this is");
		return EXIT_BAD;
	}
	rc = chain_find(m->file, job->dirs, job->nr_dirs, &path);
	if (rc == -ENOMEM)
		return out_of_memory();
	if (rc) {
		say_not_found(job, m);
		return EXIT_BAD;
	}
	rc = chain_add(&job->chain, path, &job->index[i]);
	if (rc)
		return say_unreadable(job, m, path, rc);
	return check_file(job, m, &job->chain.files[job->index[i] - 1]);
}

/* All that is wrong is said, not only what comes first. */
static enum exit_code resolve_all(struct link_job *job)
{
	enum exit_code code = EXIT_GOOD;

	for (unsigned int i = 0; i < job->input.lcm.nr_modules; i++) {
		enum exit_code one = resolve(job, i);

		code = one > code ? one : code;
	}
	return code;
}

/* --- the LCM --------------------------------------------------------------- */

static int edit_module(struct link_job *job, unsigned int i)
{
	void *fdt = job->linked.data;
	int node = job->input.lcm.modules[i].node, rc;

	rc = fdt_setprop_u32(fdt, node, "mb-index", job->index[i]);
	if (!rc && fdt_getprop(fdt, node, "module-index", NULL))
		rc = fdt_setprop_u32(fdt, node, "module-index", job->index[i]);
	if (!rc)
		rc = fdt_setprop(fdt, node, "digest-sha256",
				 job->chain.files[job->index[i] - 1].sha256, HL_SHA256_SIZE);
	if (!rc)
		rc = fdt_delprop(fdt, node, "file");
	return rc;
}

/* From the last node to the first, as an edit moves all that comes after it. */
static int edit_all(struct link_job *job)
{
	int rc = fdt_open_into(job->input.blob.data, job->linked.data, (int)job->linked.size);

	for (unsigned int i = job->input.lcm.nr_modules; !rc && i--;)
		rc = edit_module(job, i);
	return rc ? rc : fdt_pack(job->linked.data);
}

/* The result is held against the chain that it was made for. */
static enum exit_code check_linked(struct link_job *job)
{
	const struct lcm_limits limits = {
		.platform = LCM_PLATFORM_X86,
		.nr_modules = job->chain.nr,
	};
	CLEANUP_INPUT struct input linked = { .name = job->source };

	linked.blob.data = malloc(job->linked.size);
	if (!linked.blob.data)
		return out_of_memory();
	memcpy(linked.blob.data, job->linked.data, job->linked.size);
	linked.blob.size = job->linked.size;
	return input_check(&linked, &limits, false, false);
}

static enum exit_code make_linked(struct link_job *job)
{
	int rc;

	job->linked.size = job->input.blob.size +
			   job->input.lcm.nr_modules * (size_t)GROWTH_PER_MODULE + 256;
	job->linked.data = calloc(1, job->linked.size);
	if (!job->linked.data)
		return out_of_memory();
	rc = edit_all(job);
	if (rc) {
		say("%s: libfdt: %s", job->source, fdt_strerror(rc));
		return EXIT_USAGE;
	}
	job->linked.size = fdt_totalsize(job->linked.data);
	return check_linked(job);
}

/* --- the lists ------------------------------------------------------------- */

static void print_modules(FILE *f, const struct link_job *job)
{
	char text[HL_SHA256_TEXT_SIZE];

	for (unsigned int i = 0; i < job->chain.nr; i++) {
		hl_sha256_to_text(job->chain.files[i].sha256, text);
		fprintf(f, "%u\t%s\t%s\t%" PRIu64 "\n", i + 1, job->chain.files[i].path, text,
			job->chain.files[i].size);
	}
}

/*
 * No strings after the modules: those in the LCM are to count.  --nounzip: GRUB
 * would unpack a compressed module, and its digest would be another.
 */
static void print_grub(FILE *f, const struct link_job *job, const char *output)
{
	fprintf(f, "menuentry 'Xen hyperlaunch' {\n");
	fprintf(f, "\tmultiboot2 '%s'%s%s\n", job->xen, *job->xen_args ? " " : "", job->xen_args);
	fprintf(f, "\tmodule2 '%s/launch.dtb'\n", output);
	for (unsigned int i = 0; i < job->chain.nr; i++)
		fprintf(f, "\tmodule2 --nounzip '%s'\n", job->chain.files[i].path);
	fprintf(f, "}\n");
}

static int print_lists(const struct link_job *job, const char *output, struct buffer *ret_modules,
		       struct buffer *ret_grub)
{
	FILE *f = open_memstream(&ret_modules->data, &ret_modules->size);

	if (!f)
		return -errno;
	print_modules(f, job);
	if (fclose(f))
		return -errno;
	f = open_memstream(&ret_grub->data, &ret_grub->size);
	if (!f)
		return -errno;
	print_grub(f, job, output);
	return fclose(f) ? -errno : 0;
}

/* DIR as GRUB will see it, though it may not exist yet. */
static char *absolute(const char *dir)
{
	CLEANUP_FREE char *here = NULL;
	char *path = realpath(dir, NULL);

	if (path)
		return path;
	here = realpath(".", NULL);
	if (dir[0] == '/')
		return strdup(dir);
	if (!here || asprintf(&path, "%s/%s", here, dir) < 0)
		return NULL;
	return path;
}

static enum exit_code write_all(struct link_job *job)
{
	CLEANUP_BUFFER struct buffer modules = { 0 }, grub = { 0 };
	CLEANUP_FREE char *output = absolute(job->output);
	int rc;

	if (!output)
		return out_of_memory();
	if (!is_listable(output)) {
		say("%s: a quote or control character in the path", output);
		return EXIT_USAGE;
	}
	rc = print_lists(job, output, &modules, &grub);
	if (rc) {
		say("%s", strerror(-rc));
		return EXIT_USAGE;
	}

	const struct output outputs[] = {
		{ "launch.dtb", job->linked.data, job->linked.size },
		{ "modules", modules.data, modules.size },
		{ "grub.cfg", grub.data, grub.size },
	};

	return write_outputs(job->output, outputs, sizeof(outputs) / sizeof(outputs[0]));
}

/* --- the verb -------------------------------------------------------------- */

static enum exit_code link_launch(struct link_job *job)
{
	/* An index in the source counts for nothing: it is about to be replaced. */
	const struct lcm_limits limits = { .platform = LCM_PLATFORM_X86, .source = true };
	enum exit_code code = input_read(job->source, &job->input);

	if (!code)
		code = input_check(&job->input, &limits, false, true);
	if (!code)
		code = resolve_all(job);
	if (!code)
		code = make_linked(job);
	if (!code)
		code = write_all(job);
	return code;
}

static bool read_options(int argc, char *argv[], struct link_job *job)
{
	static const struct option known[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "modules", required_argument, NULL, 'm' },
		{ "xen", required_argument, NULL, 'x' },
		{ "xen-args", required_argument, NULL, 'a' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'o')
			job->output = optarg;
		else if (option == 'm')
			job->dirs[job->nr_dirs++] = optarg;
		else if (option == 'x')
			job->xen = optarg;
		else if (option == 'a')
			job->xen_args = optarg;
		else
			return false;
	}
	if (argc - optind != 1 || !job->output) {
		say("link: one SOURCE and --output DIR, please");
		return false;
	}
	if (!is_listable(job->xen) || strpbrk(job->xen_args, "\n\r")) {
		say("link: --xen or --xen-args has what a GRUB configuration can't hold");
		return false;
	}
	job->source = argv[optind];
	return true;
}

/* Where `file` names are looked for first: beside the source. */
static enum exit_code link_beside(struct link_job *job)
{
	char *source = strdup(job->source);
	enum exit_code code;

	if (!source)
		return out_of_memory();
	job->dirs[0] = strcmp(source, "-") != 0 ? dirname(source) : (char *)".";
	code = link_launch(job);
	free(source);
	input_free(&job->input);
	chain_free(&job->chain);
	buffer_free(&job->linked);
	return code;
}

int verb_link(int argc, char *argv[])
{
	struct link_job job = { .xen = "/boot/xen.gz", .xen_args = "" };
	int code;

	job.dirs = (char **)calloc((size_t)argc + 1, sizeof(*job.dirs));
	if (!job.dirs)
		return out_of_memory();
	job.nr_dirs = 1;	/* the source's own */
	code = read_options(argc, argv, &job) ? (int)link_beside(&job) : usage_error();
	free(job.dirs);
	return code;
}
