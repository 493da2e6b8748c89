// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * lcmtool link: replaces the file names of a source LCM by module numbers, and writes
 * the LCM, the list of modules and the boot loader's lines together, so that they are
 * consistent.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <libfdt.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chain.h"
#include "kernel.h"

/* Maximum growth of a module node: two cells, a digest, and names. */
#define GROWTH_PER_MODULE 160

struct link_job {
	const char *source, *output, *xen, *xen_args;
	char **dirs; /* directories to search, in order */
	size_t nr_dirs;
	bool not_found; /* a file was not found */
	struct input input;
	struct chain chain;
	struct kernel *kernels[MAX_CHAIN];   /* of the chain's files; NULL: not read yet */
	unsigned int index[LCM_MAX_MODULES]; /* module number of each module node */
	struct buffer linked;
};

static enum exit_code out_of_memory(void)
{
	report_error("out of memory");
	return EXIT_USAGE;
}

/* --- files ----------------------------------------------------------------- */

static void report_not_found(const struct link_job *job, const struct lcm_module *m)
{
	report_at(&job->input, m->node, "file", "%s not found; directories searched:", m->file);
	for (size_t i = 0; i < job->nr_dirs; i++)
		fprintf(stderr, "  %s%s\n", job->dirs[i],
			access(job->dirs[i], F_OK) ? " (no such directory)" : "");
}

/* Printed once, after all files that were not found. */
static void advise_directories(void)
{
	report_error("use --modules DIR or LCMTOOL_MODULES=DIR:DIR to search other directories;"
		     " in a checkout dev/build-images builds the files of examples/ and prints"
		     " their directory");
}

static enum exit_code report_unreadable(const struct link_job *job, const struct lcm_module *m,
					const char *path, int r)
{
	if (r == -EFBIG)
		report_at(&job->input, m->node, "file",
			  "%s would be module %u, but Xen supports only %u", path, MAX_CHAIN + 1,
			  MAX_CHAIN);
	else
		report_at(&job->input, m->node, "file", "%s: %s", path,
			  r == -EISDIR ? "not a regular file" : strerror(-r));
	return EXIT_FAILED;
}

/* Whether the output can contain a path: it has one line per file, GRUB's in quotes. */
static bool is_listable(const char *path)
{
	return !strpbrk(path, "'\n\r\t");
}

static enum exit_code check_file(const struct link_job *job, const struct lcm_module *m,
				 const struct chain_file *file)
{
	char text[HL_SHA256_TEXT_SIZE];

	if (!is_listable(file->path)) {
		report_at(&job->input, m->node, "file",
			  "%s: quote or control character in the path", file->path);
		return EXIT_FAILED;
	}
	if (!file->size) {
		report_at(&job->input, m->node, "file", "%s is empty", file->path);
		return EXIT_FAILED;
	}
	if (m->digest && memcmp(m->digest, file->sha256, HL_SHA256_SIZE) != 0) {
		hl_sha256_to_text(file->sha256, text);
		report_at(&job->input, m->node, "digest-sha256",
			  "%s has a different SHA-256: %s [%s]", file->path, text,
			  lcm_errname(LCM_ERR_DIGEST));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

/* --- kernels --------------------------------------------------------------- */

/* Returns the kernel of a file of the chain, which is read only once. */
static int get_kernel(struct link_job *job, unsigned int index, const struct kernel **ret_kernel)
{
	struct kernel **kernel = &job->kernels[index - 1];
	int r;

	if (!*kernel) {
		*kernel = malloc(sizeof(**kernel));
		if (!*kernel)
			return -ENOMEM;
		r = kernel_read(job->chain.files[index - 1].path, *kernel);
		if (r) {
			free(*kernel);
			*kernel = NULL;
			return r;
		}
	}
	*ret_kernel = *kernel;
	return 0;
}

/* Returns what the kernel lacks for the domain's mode; NULL: nothing. */
static const char *missing_entry(const struct kernel *k, uint32_t mode)
{
	/* With a device model the kernel is firmware, for which Xen requires ELF only. */
	if (mode & LCM_MODE_DEVICE_MODEL)
		return NULL;
	if (!(mode & LCM_MODE_PV))
		return k->has_pvh
			       ? NULL
			       : "no PVH entry point (CONFIG_PVH in Linux), but its domain is PVH";
	if (!k->has_pv)
		return "no PV entry point (CONFIG_XEN_PV in Linux), but its domain is PV";
	if (k->is_64bit != !!(mode & LCM_MODE_LONG))
		return k->is_64bit ? "64-bit code, but its PV domain is 32-bit"
				   : "32-bit code, but its PV domain is 64-bit";
	return NULL;
}

static enum exit_code check_kernel(struct link_job *job, const struct lcm_module *m,
				   unsigned int index)
{
	const char *path = job->chain.files[index - 1].path, *lacks;
	const struct kernel *k;
	int r = get_kernel(job, index, &k);

	if (r)
		return report_unreadable(job, m, path, r);
	if (k->fault) {
		report_at(&job->input, m->node, "file",
			  "%s: kernel image format not supported: it is %s [%s]", path, k->fault,
			  lcm_errname(LCM_ERR_IMAGE));
		return EXIT_FAILED;
	}
	if (k->missing_program) {
		report_at(&job->input, m->node, "file",
			  "warning: %s not checked: %s is needed to decompress it", path,
			  k->missing_program);
		return EXIT_OK;
	}
	lacks = missing_entry(k, job->input.lcm.domains[m->domain].mode);
	if (!lacks)
		return EXIT_OK;
	report_at(&job->input, m->node, "file", "%s has %s [%s]", path, lacks,
		  lcm_errname(LCM_ERR_IMAGE));
	return EXIT_FAILED;
}

/* --- all modules ------------------------------------------------------------ */

static enum exit_code resolve(struct link_job *job, unsigned int i)
{
	const struct lcm_module *m = &job->input.lcm.modules[i];
	_cleanup_(freep) char *path = NULL;
	enum exit_code code;
	int r;

	if (!m->file) {
		report_at(&job->input, m->node, NULL, "no file: the module is not known");
		return EXIT_FAILED;
	}
	r = chain_find(m->file, job->dirs, job->nr_dirs, &path);
	if (r == -ENOMEM)
		return out_of_memory();
	if (r) {
		report_not_found(job, m);
		job->not_found = true;
		return EXIT_FAILED;
	}
	r = chain_add(&job->chain, path, &job->index[i]);
	if (r)
		return report_unreadable(job, m, path, r);
	code = check_file(job, m, &job->chain.files[job->index[i] - 1]);
	if (!code && m->type == LCM_MODULE_KERNEL)
		code = check_kernel(job, m, job->index[i]);
	return code;
}

/* Reports all errors, not only the first one. */
static enum exit_code resolve_all(struct link_job *job)
{
	enum exit_code code = EXIT_OK;

	for (unsigned int i = 0; i < job->input.lcm.nr_modules; i++) {
		enum exit_code one = resolve(job, i);

		code = one > code ? one : code;
	}
	if (job->not_found)
		advise_directories();
	return code;
}

/* --- the LCM --------------------------------------------------------------- */

static int edit_module(struct link_job *job, unsigned int i)
{
	void *fdt = job->linked.data;
	int node = job->input.lcm.modules[i].node, r;

	r = fdt_setprop_u32(fdt, node, "mb-index", job->index[i]);
	if (!r && fdt_getprop(fdt, node, "module-index", NULL))
		r = fdt_setprop_u32(fdt, node, "module-index", job->index[i]);
	if (!r)
		r = fdt_setprop(fdt, node, "digest-sha256",
				job->chain.files[job->index[i] - 1].sha256, HL_SHA256_SIZE);
	if (!r)
		r = fdt_delprop(fdt, node, "file");
	return r;
}

/* Edits from the last node to the first, since an edit moves all that follows it. */
static int edit_all(struct link_job *job)
{
	int r = fdt_open_into(job->input.blob.data, job->linked.data, (int)job->linked.size);

	for (unsigned int i = job->input.lcm.nr_modules; !r && i--;)
		r = edit_module(job, i);
	return r ? r : fdt_pack(job->linked.data);
}

/* Checks the result against the chain. */
static enum exit_code check_linked(struct link_job *job)
{
	const struct lcm_limits limits = {
		.platform = LCM_PLATFORM_X86,
		.nr_modules = job->chain.nr,
	};
	CLEANUP_INPUT struct input linked = {.name = job->source};

	linked.blob.data = malloc(job->linked.size);
	if (!linked.blob.data)
		return out_of_memory();
	memcpy(linked.blob.data, job->linked.data, job->linked.size);
	linked.blob.size = job->linked.size;
	return input_check(&linked, &limits, false, false);
}

static enum exit_code make_linked(struct link_job *job)
{
	int r;

	job->linked.size =
		job->input.blob.size + job->input.lcm.nr_modules * (size_t)GROWTH_PER_MODULE + 256;
	job->linked.data = calloc(1, job->linked.size);
	if (!job->linked.data)
		return out_of_memory();
	r = edit_all(job);
	if (r) {
		report_error("%s: libfdt: %s", job->source, fdt_strerror(r));
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
 * No strings follow the modules, since they would override bootargs of the LCM.
 * --nounzip: otherwise GRUB decompresses modules, and digests do not match.
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

/* Makes the output directory absolute for GRUB; it need not exist yet. */
static char *absolute(const char *dir)
{
	_cleanup_(freep) char *here = NULL;
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

static enum exit_code write_lists(struct link_job *job)
{
	_cleanup_(buffer_free) struct buffer modules = {0}, grub = {0};
	_cleanup_(freep) char *output = absolute(job->output);
	int r;

	if (!output)
		return out_of_memory();
	if (!is_listable(output)) {
		report_error("%s: quote or control character in the path", output);
		return EXIT_USAGE;
	}
	r = print_lists(job, output, &modules, &grub);
	if (r) {
		report_error("%s", strerror(-r));
		return EXIT_USAGE;
	}

	const struct output outputs[] = {
		{"launch.dtb", job->linked.data, job->linked.size},
		{"modules", modules.data, modules.size},
		{"grub.cfg", grub.data, grub.size},
	};

	return write_outputs(job->output, outputs, sizeof(outputs) / sizeof(outputs[0]));
}

/* --- the verb -------------------------------------------------------------- */

static enum exit_code link_launch(struct link_job *job)
{
	/* No number of modules: indexes in the source are replaced anyway. */
	const struct lcm_limits limits = {.platform = LCM_PLATFORM_X86, .source = true};
	enum exit_code code = input_read(job->source, &job->input);

	if (!code)
		code = input_check(&job->input, &limits, false, true);
	if (!code)
		code = resolve_all(job);
	if (!code)
		code = make_linked(job);
	if (!code)
		code = write_lists(job);
	return code;
}

static bool read_options(int argc, char *argv[], struct link_job *job)
{
	static const struct option known[] = {
		{"output", required_argument, NULL, 'o'},
		{"modules", required_argument, NULL, 'm'},
		{"xen", required_argument, NULL, 'x'},
		{"xen-args", required_argument, NULL, 'a'},
		{0},
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
		report_error("link: expected one SOURCE and --output DIR");
		return false;
	}
	if (!is_listable(job->xen) || strpbrk(job->xen_args, "\n\r")) {
		report_error("link: --xen or --xen-args has characters that a GRUB configuration "
			     "cannot contain");
		return false;
	}
	job->source = argv[optind];
	return true;
}

/* Links with the directory of the source as the first one to search. */
static enum exit_code link_source(struct link_job *job)
{
	char *source = strdup(job->source);
	enum exit_code code;

	if (!source)
		return out_of_memory();
	job->dirs[0] = strcmp(source, "-") != 0 ? dirname(source) : (char *)".";
	code = link_launch(job);
	free(source);
	input_free(&job->input);
	for (unsigned int i = 0; i < MAX_CHAIN; i++)
		free(job->kernels[i]);
	chain_free(&job->chain);
	buffer_free(&job->linked);
	return code;
}

/* Adds directories of a list as in PATH; modifies list. */
static void add_environment(struct link_job *job, char *list)
{
	char *dir;

	while ((dir = strsep(&list, ":")))
		if (*dir)
			job->dirs[job->nr_dirs++] = dir;
}

/* list: directories of the environment; modified */
static int link_with(int argc, char *argv[], char *list)
{
	struct link_job job = {.xen = "/boot/xen.gz", .xen_args = ""};
	int code = EXIT_USAGE;

	/* Each argument and each character of the list is at most one directory. */
	job.dirs = (char **)calloc((size_t)argc + strlen(list) + 2, sizeof(*job.dirs));
	if (!job.dirs)
		return out_of_memory();
	job.nr_dirs = 1; /* of the source, see link_source() */
	if (read_options(argc, argv, &job)) {
		add_environment(&job, list);
		code = (int)link_source(&job);
	} else {
		usage_error();
	}
	free(job.dirs);
	return code;
}

int verb_link(int argc, char *argv[])
{
	const char *list = getenv("LCMTOOL_MODULES");
	char *copy = strdup(list ? list : "");
	int code = copy ? link_with(argc, argv, copy) : (int)out_of_memory();

	free(copy);
	return code;
}
