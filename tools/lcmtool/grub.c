// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Parses the multiboot2 and module2 lines of a GRUB configuration.  Conditions are not
 * evaluated and variables not expanded: a word with a variable is kept as written and
 * marked.
 */
#include <errno.h>
#include <string.h>

#include "tool.h"

#define MAX_WORDS 3

struct word {
	char *text;	 /* unquoted */
	size_t variable; /* 1 + the offset of its last variable; 0: none */
};

/* The words of a command; those beyond MAX_WORDS are only counted. */
struct words {
	struct word word[MAX_WORDS];
	size_t nr;
	bool nounzip; /* an option before the path */
};

/* The state of the reader. */
struct draft {
	char *text;
	size_t used, variable;
};

struct reader {
	const char *at, *end;
	char *word; /* the word being read; as large as the whole input */
	int line;
};

static void words_free(struct words *words)
{
	for (size_t i = 0; i < MAX_WORDS; i++)
		free(words->word[i].text);
}

void grub_free(struct grub_config *config)
{
	for (size_t i = 0; i < config->nr_entries; i++) {
		for (size_t j = 0; j < config->entries[i].nr_modules; j++)
			free(config->entries[i].modules[j].file.path);
		free(config->entries[i].modules);
		free(config->entries[i].xen.path);
	}
	free(config->entries);
	*config = (struct grub_config){0};
}

static bool is_end(const struct reader *r)
{
	return r->at == r->end || *r->at == '\n' || *r->at == ';' || *r->at == '{' || *r->at == '}';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void put(struct reader *r, struct draft *draft)
{
	draft->text[draft->used++] = *r->at++;
}

/* A backslash quotes the next character; before a line end it joins lines. */
static void take_escaped(struct reader *r, struct draft *draft)
{
	r->at++;
	if (r->at == r->end)
		return;
	if (*r->at == '\n') {
		r->line++;
		r->at++;
	} else {
		put(r, draft);
	}
}

static bool is_name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

/* Copies a dollar sign, or the variable that it begins: $name, ${name}, $? and so on. */
static void take_dollar(struct reader *r, struct draft *draft)
{
	size_t start = draft->used;

	put(r, draft);
	if (r->at == r->end)
		return;
	if (*r->at == '{') {
		while (r->at < r->end && *r->at != '}' && *r->at != '\n')
			put(r, draft);
		if (r->at < r->end && *r->at == '}')
			put(r, draft);
	} else if (is_name_char(*r->at)) {
		while (r->at < r->end && is_name_char(*r->at))
			put(r, draft);
	} else if (strchr("?*@#", *r->at)) {
		put(r, draft);
	} else {
		return;
	}
	draft->variable = start + 1;
}

static int take_quoted(struct reader *r, struct draft *draft)
{
	char quote = *r->at++;

	while (r->at < r->end && *r->at != quote) {
		if (*r->at == '\\' && quote == '"') {
			take_escaped(r, draft);
		} else if (*r->at == '$' && quote == '"') {
			take_dollar(r, draft);
		} else {
			r->line += *r->at == '\n';
			put(r, draft);
		}
	}
	if (r->at == r->end)
		return -EINVAL;
	r->at++;
	return 0;
}

static int take_word(struct reader *r, struct word *ret_word)
{
	struct draft draft = {.text = r->word};
	char *text;

	while (!is_end(r) && !is_space(*r->at)) {
		if (*r->at == '\'' || *r->at == '"') {
			if (take_quoted(r, &draft))
				return -EINVAL;
		} else if (*r->at == '\\') {
			take_escaped(r, &draft);
		} else if (*r->at == '$') {
			take_dollar(r, &draft);
		} else {
			put(r, &draft);
		}
	}
	text = strndup(draft.text, draft.used);
	if (!text)
		return -ENOMEM;
	*ret_word = (struct word){.text = text, .variable = draft.variable};
	return 0;
}

static void skip_comment(struct reader *r)
{
	while (r->at < r->end && *r->at != '\n')
		r->at++;
}

/* Skips blanks, and line ends that a backslash joins. */
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

/* Reads one command, up to what ends it. */
static int take_words(struct reader *r, struct words *words)
{
	struct word word;
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
		/* Options precede the path. */
		if (words->nr == 1 && !strncmp(word.text, "--", 2)) {
			words->nounzip |= !strcmp(word.text, "--nounzip");
			free(word.text);
		} else if (words->nr < MAX_WORDS) {
			words->word[words->nr++] = word;
		} else {
			free(word.text);
			words->nr++;
		}
	}
}

/* Sets the file that a command loads: its second word, without the device. */
static int take_file(const struct words *words, int line, struct grub_file *ret_file)
{
	const struct word none = {.text = (char *)""};
	const struct word *word = words->nr > 1 ? &words->word[1] : &none;
	const char *device_end = word->text[0] == '(' ? strchr(word->text, ')') : NULL;
	const char *path = device_end ? device_end + 1 : word->text;
	struct grub_file file = {
		.path = strdup(path),
		.line = line,
		.has_variable = word->variable > (size_t)(path - word->text),
	};

	if (!file.path)
		return -ENOMEM;
	*ret_file = file;
	return 0;
}

static int add_entry(struct grub_config *config, const struct words *words, int line)
{
	struct grub_entry *entries =
		reallocarray(config->entries, config->nr_entries + 1, sizeof(*entries));
	int rc;

	if (!entries)
		return -ENOMEM;
	config->entries = entries;
	entries += config->nr_entries;
	*entries = (struct grub_entry){0};
	rc = take_file(words, line, &entries->xen);
	if (!rc)
		config->nr_entries++;
	return rc;
}

static int add_module(struct grub_entry *entry, const struct words *words, int line)
{
	struct grub_module *modules =
		reallocarray(entry->modules, entry->nr_modules + 1, sizeof(*modules));
	int rc;

	if (!modules)
		return -ENOMEM;
	entry->modules = modules;
	modules += entry->nr_modules;
	*modules = (struct grub_module){
		.has_string = words->nr > 2,
		.nounzip = words->nounzip,
	};
	rc = take_file(words, line, &modules->file);
	if (!rc)
		entry->nr_modules++;
	return rc;
}

static bool is_command(const struct words *words, const char *name, const char *newer)
{
	return words->nr &&
	       (!strcmp(words->word[0].text, name) || !strcmp(words->word[0].text, newer));
}

static int take_command(struct reader *r, struct grub_config *config)
{
	struct words words = {0};
	int line = r->line, rc = take_words(r, &words);

	if (!rc && is_command(&words, "multiboot", "multiboot2"))
		rc = add_entry(config, &words, line);
	else if (!rc && is_command(&words, "module", "module2") && config->nr_entries)
		rc = add_module(&config->entries[config->nr_entries - 1], &words, line);
	words_free(&words);
	return rc;
}

int grub_parse(const char *text, size_t size, struct grub_config *ret_config, int *ret_line)
{
	struct reader r = {
		.at = text,
		.end = text + size,
		.word = malloc(size + 1),
		.line = 1,
	};
	struct grub_config config = {0};
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
