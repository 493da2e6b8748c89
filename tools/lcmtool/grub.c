// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a GRUB configuration loads: multiboot2 and module2 lines, as words.
 * It is read, not run: variables and conditions are not followed.
 */
#include <errno.h>
#include <string.h>

#include "tool.h"

#define MAX_WORDS 3

/* The first words of a line, unquoted; more than MAX_WORDS are only counted. */
struct words {
	char *word[MAX_WORDS];
	size_t nr;
};

struct reader {
	const char *at, *end;
	char *word;		/* room for a word as long as the whole */
	int line;
};

static void words_free(struct words *words)
{
	for (size_t i = 0; i < MAX_WORDS; i++)
		free(words->word[i]);
}

void grub_free(struct grub_config *config)
{
	for (size_t i = 0; i < config->nr_entries; i++) {
		for (size_t j = 0; j < config->entries[i].nr_modules; j++)
			free(config->entries[i].modules[j].path);
		free(config->entries[i].modules);
	}
	free(config->entries);
	*config = (struct grub_config){ 0 };
}

static bool is_end(const struct reader *r)
{
	return r->at == r->end || *r->at == '\n' || *r->at == ';' || *r->at == '{' ||
	       *r->at == '}';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* A backslash takes the character after it as it is; before a line's end it joins lines. */
static void take_escaped(struct reader *r, char *out, size_t *used)
{
	r->at++;
	if (r->at == r->end)
		return;
	if (*r->at == '\n')
		r->line++;
	else
		out[(*used)++] = *r->at;
	r->at++;
}

static int take_quoted(struct reader *r, char *out, size_t *used)
{
	char quote = *r->at++;

	while (r->at < r->end && *r->at != quote) {
		if (*r->at == '\\' && quote == '"') {
			take_escaped(r, out, used);
			continue;
		}
		if (*r->at == '\n')
			r->line++;
		out[(*used)++] = *r->at++;
	}
	if (r->at == r->end)
		return -EINVAL;
	r->at++;
	return 0;
}

static int take_word(struct reader *r, char **ret_word)
{
	size_t used = 0;

	while (!is_end(r) && !is_space(*r->at)) {
		if (*r->at == '\'' || *r->at == '"') {
			if (take_quoted(r, r->word, &used))
				return -EINVAL;
		} else if (*r->at == '\\') {
			take_escaped(r, r->word, &used);
		} else {
			r->word[used++] = *r->at++;
		}
	}
	*ret_word = strndup(r->word, used);
	return *ret_word ? 0 : -ENOMEM;
}

static void skip_comment(struct reader *r)
{
	while (r->at < r->end && *r->at != '\n')
		r->at++;
}

/* Up to the next word, over lines that a backslash joins. */
static void skip_space(struct reader *r)
{
	for (;;) {
		if (r->at < r->end && is_space(*r->at)) {
			r->at++;
		} else if (r->end - r->at > 1 && r->at[0] == '\\' && r->at[1] == '\n') {
			r->at += 2;
			r->line++;
		} else {
			return;
		}
	}
}

/* One command; leaves the reader at what ended it. */
static int take_words(struct reader *r, struct words *words)
{
	char *word;
	int rc;

	for (;;) {
		skip_space(r);
		if (is_end(r))
			return 0;
		if (*r->at == '#') {
			skip_comment(r);
			return 0;
		}
		rc = take_word(r, &word);
		if (rc)
			return rc;
		/* Options of the command itself. */
		if (words->nr && words->nr < 2 && !strncmp(word, "--", 2)) {
			free(word);
		} else if (words->nr < MAX_WORDS) {
			words->word[words->nr++] = word;
		} else {
			free(word);
			words->nr++;
		}
	}
}

static int add_entry(struct grub_config *config, int line)
{
	struct grub_entry *entries = reallocarray(config->entries, config->nr_entries + 1,
						  sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	config->entries = entries;
	entries[config->nr_entries++] = (struct grub_entry){ .line = line };
	return 0;
}

static int add_module(struct grub_entry *entry, const struct words *words, int line)
{
	struct grub_module *modules = reallocarray(entry->modules, entry->nr_modules + 1,
						   sizeof(*modules));
	const char *path = words->nr > 1 ? words->word[1] : "";
	const char *device_end = path[0] == '(' ? strchr(path, ')') : NULL;

	if (!modules)
		return -ENOMEM;
	entry->modules = modules;
	modules += entry->nr_modules;
	*modules = (struct grub_module){
		.path = strdup(device_end ? device_end + 1 : path),
		.has_string = words->nr > 2,
		.line = line,
	};
	if (!modules->path)
		return -ENOMEM;
	entry->nr_modules++;
	return 0;
}

static bool is_command(const struct words *words, const char *name, const char *newer)
{
	return words->nr && (!strcmp(words->word[0], name) || !strcmp(words->word[0], newer));
}

static int take_command(struct reader *r, struct grub_config *config)
{
	struct words words = { 0 };
	int line = r->line, rc = take_words(r, &words);

	if (!rc && is_command(&words, "multiboot", "multiboot2"))
		rc = add_entry(config, line);
	else if (!rc && is_command(&words, "module", "module2") && config->nr_entries)
		rc = add_module(&config->entries[config->nr_entries - 1], &words, line);
	words_free(&words);
	return rc;
}

int grub_parse(const char *text, size_t size, struct grub_config *ret_config, int *ret_line)
{
	struct reader r = {
		.at = text, .end = text + size, .word = malloc(size + 1), .line = 1,
	};
	struct grub_config config = { 0 };
	int rc = r.word ? 0 : -ENOMEM;

	while (!rc && r.at < r.end) {
		*ret_line = r.line;
		rc = take_command(&r, &config);
		if (!rc && r.at < r.end)
			r.line += *r.at++ == '\n';
	}
	free(r.word);
	if (rc)
		grub_free(&config);
	else
		*ret_config = config;
	return rc;
}
