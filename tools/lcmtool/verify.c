// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * lcmtool verify: will the boot loader load what the LCM expects?
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "chain.h"

#define MAX_CONFIG (4u << 20)

struct verify_job {
	const char *lcm, *grub, *root;
	struct input input;
	struct grub_config config;
	unsigned int differences;
};

/* What one module2 line loads. */
struct loaded {
	int line;
	bool has_string;
	char *path;
	int rc;			/* -errno where the file can't be read */
	struct chain_file file;
};

static char *under_root(const struct verify_job *job, const char *path)
{
	char *whole;

	if (asprintf(&whole, "%s%s%s", job->root, path[0] == '/' ? "" : "/", path) < 0)
		return NULL;
	return whole;
}

__attribute__((format(printf, 3, 4)))
static void differ(struct verify_job *job, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", job->grub, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	job->differences++;
}

/* --- the entry ------------------------------------------------------------- */

static bool loads_this(const struct verify_job *job, const struct grub_entry *entry)
{
	CLEANUP_BUFFER struct buffer blob = { 0 };
	CLEANUP_FREE char *path = NULL;

	if (!entry->nr_modules)
		return false;
	path = under_root(job, entry->modules[0].path);
	return path && !read_all(path, LCM_MAX_SIZE, &blob) &&
	       blob.size == job->input.blob.size &&
	       !memcmp(blob.data, job->input.blob.data, blob.size);
}

/* The entry whose first module is this very LCM. */
static const struct grub_entry *find_entry(struct verify_job *job)
{
	for (size_t i = 0; i < job->config.nr_entries; i++)
		if (loads_this(job, &job->config.entries[i]))
			return &job->config.entries[i];
	if (!job->config.nr_entries)
		say("%s: no multiboot2 line", job->grub);
	for (size_t i = 0; i < job->config.nr_entries; i++) {
		const struct grub_entry *entry = &job->config.entries[i];

		if (entry->nr_modules)
			differ(job, entry->modules[0].line, "the first module, %s, is not %s",
			       entry->modules[0].path, job->lcm);
		else
			differ(job, entry->line, "no module2 line follows");
	}
	job->differences++;
	return NULL;
}

/* --- its modules ----------------------------------------------------------- */

static const struct loaded *find_digest(const struct loaded *loaded, size_t nr,
					const uint8_t *digest)
{
	for (size_t i = 0; i < nr; i++)
		if (!loaded[i].rc && !memcmp(loaded[i].file.sha256, digest, HL_SHA256_SIZE))
			return &loaded[i];
	return NULL;
}

static void verify_digest(struct verify_job *job, const struct lcm_module *m, const char *node,
			  const struct loaded *loaded, size_t nr)
{
	const struct loaded *is = &loaded[m->index - 1], *other;

	if (!m->digest || !memcmp(is->file.sha256, m->digest, HL_SHA256_SIZE))
		return;
	other = find_digest(loaded, nr, m->digest);
	if (other)
		differ(job, is->line, "module %u is %s, but %s needs %s, which is module %zu",
		       m->index, is->path, node, other->path, (size_t)(other - loaded) + 1);
	else
		differ(job, is->line, "module %u, %s, has not the SHA-256 that %s has for it",
		       m->index, is->path, node);
}

static void verify_module(struct verify_job *job, const struct lcm_module *m,
			  const struct grub_entry *entry, const struct loaded *loaded, size_t nr)
{
	char node[LCM_PATH_SIZE];

	lcm_path(job->input.blob.data, m->node, node, sizeof(node));
	if (m->index > nr) {
		differ(job, entry->line, "%s needs module %u, and there are %zu", node, m->index,
		       nr);
		return;
	}
	if (loaded[m->index - 1].rc)
		return;		/* said already */
	verify_digest(job, m, node, loaded, nr);
	if (m->bootargs && loaded[m->index - 1].has_string)
		differ(job, loaded[m->index - 1].line,
		       "the string after module %u takes the place of the bootargs of %s", m->index,
		       node);
}

static void verify_use(struct verify_job *job, const struct loaded *loaded, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		bool used = false;

		for (unsigned int j = 0; j < job->input.lcm.nr_modules; j++)
			used |= job->input.lcm.modules[j].index == i + 1;
		if (!used)
			differ(job, loaded[i].line, "no node of the LCM uses module %zu, %s",
			       i + 1, loaded[i].path);
		if (loaded[i].rc)
			differ(job, loaded[i].line, "module %zu, %s: %s", i + 1,
			       loaded[i].path,
			       loaded[i].rc == -EISDIR ? "not a regular file" :
							 strerror(-loaded[i].rc));
	}
}

static int load(const struct verify_job *job, const struct grub_module *module,
		struct loaded *ret_loaded)
{
	struct loaded loaded = {
		.line = module->line,
		.has_string = module->has_string,
		.path = under_root(job, module->path),
	};

	if (!loaded.path)
		return -ENOMEM;
	loaded.rc = digest_file(loaded.path, &loaded.file);
	*ret_loaded = loaded;
	return 0;
}

static enum exit_code verify_entry(struct verify_job *job, const struct grub_entry *entry)
{
	size_t nr = entry->nr_modules - 1;	/* but for the LCM itself */
	struct loaded *loaded = calloc(nr + 1, sizeof(*loaded));
	int rc = loaded ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < nr; i++)
		rc = load(job, &entry->modules[i + 1], &loaded[i]);
	for (unsigned int i = 0; !rc && i < job->input.lcm.nr_modules; i++)
		verify_module(job, &job->input.lcm.modules[i], entry, loaded, nr);
	if (!rc)
		verify_use(job, loaded, nr);
	else
		say("out of memory");
	for (size_t i = 0; loaded && i < nr; i++)
		free(loaded[i].path);
	free(loaded);
	return rc ? EXIT_USAGE : EXIT_GOOD;
}

/* --- the verb -------------------------------------------------------------- */

static enum exit_code read_config(struct verify_job *job)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	int line, rc = read_all(job->grub, MAX_CONFIG, &text);

	if (rc) {
		say("%s: %s", job->grub, strerror(-rc));
		return EXIT_USAGE;
	}
	rc = grub_parse(text.data, text.size, &job->config, &line);
	if (rc == -EINVAL)
		say("%s:%d: a quote that does not end", job->grub, line);
	else if (rc)
		say("%s: %s", job->grub, strerror(-rc));
	return rc ? EXIT_USAGE : EXIT_GOOD;
}

static enum exit_code verify_launch(struct verify_job *job)
{
	const struct lcm_limits limits = { .platform = LCM_PLATFORM_X86 };
	const struct grub_entry *entry;
	enum exit_code code = input_read(job->lcm, &job->input);

	if (!code)
		code = input_check(&job->input, &limits, false, false);
	if (!code)
		code = read_config(job);
	if (code)
		return code;
	entry = find_entry(job);
	if (entry)
		code = verify_entry(job, entry);
	if (!code && job->differences)
		code = EXIT_BAD;
	return code;
}

static bool read_options(int argc, char *argv[], struct verify_job *job)
{
	static const struct option known[] = {
		{ "grub", required_argument, NULL, 'g' },
		{ "root", required_argument, NULL, 'r' },
		{ 0 },
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
		say("verify: one LCM and --grub FILE, please");
		return false;
	}
	job->lcm = argv[optind];
	return true;
}

int verb_verify(int argc, char *argv[])
{
	struct verify_job job = { .root = "" };
	enum exit_code code;

	if (!read_options(argc, argv, &job))
		return usage_error();
	code = verify_launch(&job);
	input_free(&job.input);
	grub_free(&job.config);
	return code;
}
