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

static bool is_end(const struct reader *reader)
{
	return reader->at == reader->end || *reader->at == '\n' || *reader->at == ';' ||
	       *reader->at == '{' || *reader->at == '}';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void put(struct reader *reader, struct draft *draft)
{
	draft->text[draft->used++] = *reader->at++;
}

/* A backslash quotes the next character; before a line end it joins lines. */
static void take_escaped(struct reader *reader, struct draft *draft)
{
	reader->at++;
	if (reader->at == reader->end)
		return;
	if (*reader->at == '\n') {
		reader->line++;
		reader->at++;
	} else {
		put(reader, draft);
	}
}

static bool is_name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

/* Copies a dollar sign, or the variable that it begins: $name, ${name}, $? and so on. */
static void take_dollar(struct reader *reader, struct draft *draft)
{
	size_t start = draft->used;

	put(reader, draft);
	if (reader->at == reader->end)
		return;
	if (*reader->at == '{') {
		while (reader->at < reader->end && *reader->at != '}' && *reader->at != '\n')
			put(reader, draft);
		if (reader->at < reader->end && *reader->at == '}')
			put(reader, draft);
	} else if (is_name_char(*reader->at)) {
		while (reader->at < reader->end && is_name_char(*reader->at))
			put(reader, draft);
	} else if (strchr("?*@#", *reader->at)) {
		put(reader, draft);
	} else {
		return;
	}
	draft->variable = start + 1;
}

static int take_quoted(struct reader *reader, struct draft *draft)
{
	char quote = *reader->at++;

	while (reader->at < reader->end && *reader->at != quote) {
		if (*reader->at == '\\' && quote == '"') {
			take_escaped(reader, draft);
		} else if (*reader->at == '$' && quote == '"') {
			take_dollar(reader, draft);
		} else {
			reader->line += *reader->at == '\n';
			put(reader, draft);
		}
	}
	if (reader->at == reader->end)
		return -EINVAL;
	reader->at++;
	return 0;
}

static int take_word(struct reader *reader, struct word *ret_word)
{
	struct draft draft = {.text = reader->word};
	char *text;

	while (!is_end(reader) && !is_space(*reader->at)) {
		if (*reader->at == '\'' || *reader->at == '"') {
			if (take_quoted(reader, &draft))
				return -EINVAL;
		} else if (*reader->at == '\\') {
			take_escaped(reader, &draft);
		} else if (*reader->at == '$') {
			take_dollar(reader, &draft);
		} else {
			put(reader, &draft);
		}
	}
	text = strndup(draft.text, draft.used);
	if (!text)
		return -ENOMEM;
	*ret_word = (struct word){.text = text, .variable = draft.variable};
	return 0;
}

static void skip_comment(struct reader *reader)
{
	while (reader->at < reader->end && *reader->at != '\n')
		reader->at++;
}

/* Skips blanks, and line ends that a backslash joins. */
static void skip_space(struct reader *reader)
{
	for (;;) {
		if (reader->at < reader->end && is_space(*reader->at)) {
			reader->at++;
		} else if (reader->end - reader->at > 1 && reader->at[0] == '\\' &&
			   reader->at[1] == '\n') {
			reader->at += 2;
			reader->line++;
		} else {
			return;
		}
	}
}

/* Reads one command, up to what ends it. */
static int take_words(struct reader *reader, struct words *words)
{
	struct word word;
	int r;

	for (;;) {
		skip_space(reader);
		if (is_end(reader))
			return 0;
		if (*reader->at == '#') {
			skip_comment(reader);
			return 0;
		}
		r = take_word(reader, &word);
		if (r)
			return r;
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
	int r;

	if (!entries)
		return -ENOMEM;
	config->entries = entries;
	entries += config->nr_entries;
	*entries = (struct grub_entry){0};
	r = take_file(words, line, &entries->xen);
	if (!r)
		config->nr_entries++;
	return r;
}

static int add_module(struct grub_entry *entry, const struct words *words, int line)
{
	struct grub_module *modules =
		reallocarray(entry->modules, entry->nr_modules + 1, sizeof(*modules));
	int r;

	if (!modules)
		return -ENOMEM;
	entry->modules = modules;
	modules += entry->nr_modules;
	*modules = (struct grub_module){
		.has_string = words->nr > 2,
		.nounzip = words->nounzip,
	};
	r = take_file(words, line, &modules->file);
	if (!r)
		entry->nr_modules++;
	return r;
}

static bool is_command(const struct words *words, const char *name, const char *newer)
{
	return words->nr &&
	       (!strcmp(words->word[0].text, name) || !strcmp(words->word[0].text, newer));
}

static int take_command(struct reader *reader, struct grub_config *config)
{
	struct words words = {0};
	int line = reader->line, r = take_words(reader, &words);

	if (!r && is_command(&words, "multiboot", "multiboot2"))
		r = add_entry(config, &words, line);
	else if (!r && is_command(&words, "module", "module2") && config->nr_entries)
		r = add_module(&config->entries[config->nr_entries - 1], &words, line);
	words_free(&words);
	return r;
}

int grub_parse(const char *text, size_t size, struct grub_config *ret_config, int *ret_line)
{
	struct reader reader = {
		.at = text,
		.end = text + size,
		.word = malloc(size + 1),
		.line = 1,
	};
	struct grub_config config = {0};
	int r = reader.word ? 0 : -ENOMEM;

	while (!r && reader.at < reader.end) {
		*ret_line = reader.line;
		r = take_command(&reader, &config);
		if (!r && reader.at < reader.end)
			reader.line += *reader.at++ == '\n';
	}
	free(reader.word);
	if (r)
		grub_free(&config);
	else
		*ret_config = config;
	return r;
}
