// SPDX-License-Identifier: LGPL-2.1-or-later
/* lcmtool verify: checks that a GRUB configuration loads what an LCM expects. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "chain.h"

#define MAX_CONFIG (4u << 20)

struct verify_job {
	const char *lcm, *grub, *root;
	struct input input;
	struct grub_config config;
	unsigned int entries; /* that load the LCM */
	unsigned int differences;
};

/* What one module2 line loads. */
struct loaded {
	int line;
	bool has_string, nounzip;
	char *path;
	int r; /* 0: file is set; -ENODATA: path has a variable; or an errno */
	struct chain_file file;
};

static char *under_root(const struct verify_job *job, const char *path)
{
	char *whole;

	if (asprintf(&whole, "%s%s%s", job->root, path[0] == '/' ? "" : "/", path) < 0)
		return NULL;
	return whole;
}

__attribute__((format(printf, 3, 4))) static void differ(struct verify_job *job, int line,
							 const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", job->grub, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	job->differences++;
}

/* --- the entries ------------------------------------------------------------ */

static bool loads_this(const struct verify_job *job, const struct grub_entry *entry)
{
	_cleanup_(buffer_free) struct buffer blob = {0};
	_cleanup_(freep) char *path = NULL;

	if (!entry->nr_modules || entry->modules[0].file.has_variable)
		return false;
	path = under_root(job, entry->modules[0].file.path);
	return path && !read_all(path, LCM_MAX_TREE, &blob) && blob.size == job->input.blob.size &&
	       !memcmp(blob.data, job->input.blob.data, blob.size);
}

/* Whether it depends on a variable if an entry loads the LCM. */
static bool is_unknown(const struct grub_entry *entry)
{
	return entry->nr_modules && entry->modules[0].file.has_variable;
}

static void warn_unchecked(const struct verify_job *job, const struct grub_file *file)
{
	fprintf(stderr, "%s:%d: warning: not checked: the first module, %s, contains a variable\n",
		job->grub, file->line, file->path);
}

/* Reports for each entry why it does not load the LCM. */
static void explain_none(struct verify_job *job)
{
	if (job->config.nr_entries)
		report_error("%s: no entry loads %s", job->grub, job->lcm);
	else
		report_error("%s: no multiboot2 line", job->grub);
	for (size_t i = 0; i < job->config.nr_entries; i++) {
		const struct grub_entry *entry = &job->config.entries[i];
		const struct grub_file *first = entry->nr_modules ? &entry->modules[0].file : NULL;

		if (!first)
			differ(job, entry->xen.line, "no module2 line follows");
		else if (!first->has_variable)
			differ(job, first->line, "the first module, %s, is not %s", first->path,
			       job->lcm);
	}
	job->differences++;
}

/* Checks that Xen itself is a regular file that is not empty. */
static void verify_xen(struct verify_job *job, const struct grub_file *xen)
{
	_cleanup_(freep) char *path = under_root(job, xen->path);
	struct stat st;

	if (!*xen->path)
		differ(job, xen->line, "multiboot2 has no file");
	else if (xen->has_variable)
		differ(job, xen->line, "%s: contains a variable, which is not expanded", xen->path);
	else if (!path || stat(path, &st))
		differ(job, xen->line, "Xen, %s: %s", path ? path : xen->path, strerror(errno));
	else if (!S_ISREG(st.st_mode) || !st.st_size)
		differ(job, xen->line, "Xen, %s: %s", path,
		       S_ISREG(st.st_mode) ? "the file is empty" : "not a regular file");
}

/* --- its modules ----------------------------------------------------------- */

static const struct loaded *find_digest(const struct loaded *loaded, size_t nr,
					const uint8_t *digest)
{
	for (size_t i = 0; i < nr; i++)
		if (!loaded[i].r && !memcmp(loaded[i].file.sha256, digest, HL_SHA256_SIZE))
			return &loaded[i];
	return NULL;
}

static void verify_digest(struct verify_job *job, const struct lcm_module *m, const char *node,
			  const struct loaded *loaded, size_t nr)
{
	const struct loaded *is = &loaded[m->index - 1], *other;

	if (!m->digest)
		return;
	if (!memcmp(is->file.sha256, m->digest, HL_SHA256_SIZE)) {
		if (is->file.packed && !is->nounzip)
			differ(job, is->line,
			       "GRUB decompresses module %u, %s (%s), so it will not have the "
			       "SHA-256"
			       " in %s: insert --nounzip before the path",
			       m->index, is->path, is->file.packed, node);
		return;
	}
	other = find_digest(loaded, nr, m->digest);
	if (other)
		differ(job, is->line, "module %u is %s, but %s needs %s, which is module %zu",
		       m->index, is->path, node, other->path, (size_t)(other - loaded) + 1);
	else
		differ(job, is->line, "module %u, %s, does not have the SHA-256 in %s", m->index,
		       is->path, node);
}

static void verify_module(struct verify_job *job, const struct lcm_module *m,
			  const struct grub_entry *entry, const struct loaded *loaded, size_t nr)
{
	char node[LCM_PATH_SIZE];

	lcm_path(job->input.blob.data, m->node, node, sizeof(node));
	if (m->index > nr) {
		differ(job, entry->xen.line, "%s needs module %u, but only %zu are loaded", node,
		       m->index, nr);
		return;
	}
	if (loaded[m->index - 1].r)
		return; /* verify_use() reports it */
	verify_digest(job, m, node, loaded, nr);
	if (m->bootargs && loaded[m->index - 1].has_string)
		differ(job, loaded[m->index - 1].line,
		       "the string after module %u overrides the bootargs of %s", m->index, node);
}

static const char *why_unreadable(int r)
{
	if (r == -ENODATA)
		return "contains a variable, which is not expanded";
	return r == -EISDIR ? "not a regular file" : strerror(-r);
}

static void verify_use(struct verify_job *job, const struct loaded *loaded, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		bool used = false;

		for (unsigned int j = 0; j < job->input.lcm.nr_modules; j++)
			used |= job->input.lcm.modules[j].index == i + 1;
		if (!used)
			differ(job, loaded[i].line, "no node of the LCM uses module %zu, %s", i + 1,
			       loaded[i].path);
		if (loaded[i].r)
			differ(job, loaded[i].line, "module %zu, %s: %s", i + 1, loaded[i].path,
			       why_unreadable(loaded[i].r));
	}
}

static int load(const struct verify_job *job, const struct grub_module *module,
		struct loaded *ret_loaded)
{
	struct loaded loaded = {
		.line = module->file.line,
		.has_string = module->has_string,
		.nounzip = module->nounzip,
		.path = module->file.has_variable ? strdup(module->file.path)
						  : under_root(job, module->file.path),
	};

	if (!loaded.path)
		return -ENOMEM;
	loaded.r = module->file.has_variable ? -ENODATA : digest_file(loaded.path, &loaded.file);
	*ret_loaded = loaded;
	return 0;
}

static enum exit_code verify_entry(struct verify_job *job, const struct grub_entry *entry)
{
	size_t nr = entry->nr_modules - 1; /* without the LCM itself */
	struct loaded *loaded = calloc(nr + 1, sizeof(*loaded));
	int r = loaded ? 0 : -ENOMEM;

	verify_xen(job, &entry->xen);
	for (size_t i = 0; !r && i < nr; i++)
		r = load(job, &entry->modules[i + 1], &loaded[i]);
	for (unsigned int i = 0; !r && i < job->input.lcm.nr_modules; i++)
		verify_module(job, &job->input.lcm.modules[i], entry, loaded, nr);
	if (!r)
		verify_use(job, loaded, nr);
	else
		report_error("out of memory");
	for (size_t i = 0; loaded && i < nr; i++)
		free(loaded[i].path);
	free(loaded);
	return r ? EXIT_USAGE : EXIT_OK;
}

/* Checks each entry that loads the LCM, since any of them may be booted. */
static enum exit_code verify_entries(struct verify_job *job)
{
	enum exit_code code = EXIT_OK;

	for (size_t i = 0; !code && i < job->config.nr_entries; i++) {
		const struct grub_entry *entry = &job->config.entries[i];

		if (is_unknown(entry))
			warn_unchecked(job, &entry->modules[0].file);
		if (!loads_this(job, entry))
			continue;
		job->entries++;
		code = verify_entry(job, entry);
	}
	if (!code && !job->entries)
		explain_none(job);
	return code;
}

static void print_verified(const struct verify_job *job)
{
	printf("%s: valid: %s loads the modules that it needs", job->lcm, job->grub);
	if (job->entries > 1)
		printf(" in %u entries", job->entries);
	putchar('\n');
}

/* --- the verb -------------------------------------------------------------- */

static enum exit_code read_config(struct verify_job *job)
{
	_cleanup_(buffer_free) struct buffer text = {0};
	int line, r = read_all(job->grub, MAX_CONFIG, &text);

	if (r) {
		report_error("%s: %s", job->grub, strerror(-r));
		return EXIT_USAGE;
	}
	r = grub_parse(text.data, text.size, &job->config, &line);
	if (r == -EINVAL)
		report_error("%s:%d: unterminated quote", job->grub, line);
	else if (r)
		report_error("%s: %s", job->grub, strerror(-r));
	return r ? EXIT_USAGE : EXIT_OK;
}

static enum exit_code verify_launch(struct verify_job *job)
{
	const struct lcm_limits limits = {.platform = LCM_PLATFORM_X86};
	enum exit_code code = input_read(job->lcm, &job->input);

	if (!code)
		code = input_check(&job->input, &limits, false, false);
	if (!code)
		code = read_config(job);
	if (code)
		return code;
	code = verify_entries(job);
	if (!code && job->differences)
		code = EXIT_FAILED;
	if (!code)
		print_verified(job);
	return code;
}

static bool read_options(int argc, char *argv[], struct verify_job *job)
{
	static const struct option known[] = {
		{"grub", required_argument, NULL, 'g'},
		{"root", required_argument, NULL, 'r'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'g')
			job->grub = optarg;
		else if (option == 'r')
			job->root = optarg;
		else
			return false;
	}
	if (argc - optind != 1 || !job->grub) {
		report_error("verify: expected one LCM and --grub FILE");
		return false;
	}
	job->lcm = argv[optind];
	return true;
}

int verb_verify(int argc, char *argv[])
{
	struct verify_job job = {.root = ""};
	enum exit_code code;

	if (!read_options(argc, argv, &job))
		return usage_error();
	code = verify_launch(&job);
	input_free(&job.input);
	grub_free(&job.config);
	return code;
}
