// SPDX-License-Identifier: LGPL-2.1-or-later
/* Parses the boot domain's configuration. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "runtime/tokenize.h"

#define MAX_WORDS  4 /* of a line */
#define MAX_WEIGHT UINT16_MAX
#define MAX_CAP	   UINT16_MAX
#define MAX_KIB	   (UINT64_MAX >> 10)

struct parser {
	const struct lcm *lcm;
	uint32_t fallback; /* ready timeout of domains without a line of their own */
	bool has_fallback;
	uint32_t named; /* bit i: lcm->domains[i] has a line of its own */
	struct config *config;
};

struct line {
	unsigned int number; /* from 1 */
	unsigned int nr;     /* of words */
	struct word words[MAX_WORDS];
};

static void set_all(struct config *config, uint32_t except, uint32_t ms)
{
	for (unsigned int i = 0; i < LCM_MAX_DOMAINS; i++)
		if (!(except & UINT32_C(1) << i))
			config->ready_timeout_ms[i] = ms;
}

void config_default(struct config *ret_config)
{
	set_all(ret_config, 0, READY_TIMEOUT_MS);
	ret_config->nr_settings = 0;
}

static int find_domain(const struct lcm *lcm, const struct word *name)
{
	for (unsigned int i = 0; i < lcm->nr_domains; i++)
		if (word_is(name, lcm->domains[i].name))
			return (int)i;
	return LCM_NONE;
}

/* The take_*() functions return NULL, or the text of an error. */
static const char *take_fallback(struct parser *parser, uint32_t ms)
{
	if (parser->has_fallback)
		return "ready-timeout-ms for all domains is already set";
	parser->has_fallback = true;
	parser->fallback = ms;
	return NULL;
}

static const char *take_domain(struct parser *parser, const struct word *name, uint32_t ms)
{
	const int index = find_domain(parser->lcm, name);

	if (index == LCM_NONE)
		return "no such domain";
	if (parser->named & UINT32_C(1) << index)
		return "ready-timeout-ms of this domain is already set";
	parser->named |= UINT32_C(1) << index;
	parser->config->ready_timeout_ms[index] = ms;
	return NULL;
}

static const char *take_timeout(struct parser *parser, const struct line *line)
{
	uint64_t ms;

	if (line->nr < 2)
		return "ready-timeout-ms requires a number";
	if (line->nr > 3)
		return "too many words";
	if (!word_number(&line->words[line->nr - 1], UINT32_MAX, &ms))
		return "not a number of milliseconds";
	return line->nr == 2 ? take_fallback(parser, (uint32_t)ms)
			     : take_domain(parser, &line->words[1], (uint32_t)ms);
}

static const char *take_affinity(const struct parser *parser, const struct line *line,
				 struct config_setting *setting)
{
	uint64_t vcpu = CONFIG_ALL_VCPUS;

	if (!word_is(&line->words[2], "all") &&
	    (!word_number(&line->words[2], UINT32_MAX, &vcpu) ||
	     vcpu >= parser->lcm->domains[setting->domain].cpus))
		return "no such vCPU of this domain";
	if (!cpus_parse(&line->words[3], &setting->cpus))
		return "not a list of CPUs";
	setting->vcpu = (uint32_t)vcpu;
	return NULL;
}

static const char *take_weight(const struct parser *parser, const struct line *line,
			       struct config_setting *setting)
{
	(void)parser;
	return word_number(&line->words[2], MAX_WEIGHT, &setting->number) && setting->number
		       ? NULL
		       : "not a weight, which is 1 to 65535";
}

static const char *take_cap(const struct parser *parser, const struct line *line,
			    struct config_setting *setting)
{
	(void)parser;
	return word_number(&line->words[2], MAX_CAP, &setting->number)
		       ? NULL
		       : "not a cap in % of a CPU, or 0 for none";
}

/* Parses a number of KiB, or a number with a unit. */
static bool read_size(struct word word, uint64_t *ret_kib)
{
	static const char units[] = "KMG";
	const char *unit =
		word.length ? memchr(units, word.text[word.length - 1], sizeof(units) - 1) : NULL;
	const unsigned int shift = unit ? 10 * (unsigned int)(unit - units) : 0;

	if (unit)
		word.length--;
	if (!word_number(&word, MAX_KIB >> shift, ret_kib))
		return false;
	*ret_kib <<= shift;
	return true;
}

static const char *take_limit(const struct parser *parser, const struct line *line,
			      struct config_setting *setting)
{
	(void)parser;
	return read_size(line->words[2], &setting->number) ? NULL
							   : "not a size such as 65536, 64M or 1G";
}

static const struct keyword {
	const char *word;
	unsigned int nr; /* of words in the line */
	const char *(*take)(const struct parser *parser, const struct line *line,
			    struct config_setting *setting);
} keywords[] = {
	[CONFIG_HARD_AFFINITY] = {"hard-affinity", 4, take_affinity},
	[CONFIG_SOFT_AFFINITY] = {"soft-affinity", 4, take_affinity},
	[CONFIG_WEIGHT] = {"weight", 3, take_weight},
	[CONFIG_CAP] = {"cap", 3, take_cap},
	[CONFIG_MEMORY_LIMIT] = {"memory-limit", 3, take_limit},
};

#define NR_KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

const char *config_kind_word(enum config_kind kind)
{
	return keywords[kind].word;
}

static bool is_of_same(const struct config_setting *a, const struct config_setting *b)
{
	return a->kind == b->kind && a->domain == b->domain &&
	       (a->vcpu == b->vcpu || a->vcpu == CONFIG_ALL_VCPUS || b->vcpu == CONFIG_ALL_VCPUS);
}

static const char *add_setting(struct config *config, const struct config_setting *setting)
{
	for (unsigned int i = 0; i < config->nr_settings; i++)
		if (is_of_same(&config->settings[i], setting))
			return "this is already set";
	if (config->nr_settings == CONFIG_MAX_SETTINGS)
		return "more than 128 settings";
	config->settings[config->nr_settings++] = *setting;
	return NULL;
}

static const char *take_setting(struct parser *parser, const struct line *line,
				enum config_kind kind)
{
	const struct keyword *keyword = &keywords[kind];
	struct config_setting setting = {.kind = kind, .line = line->number};
	const char *wrong;
	int domain;

	if (line->nr != keyword->nr)
		return line->nr < keyword->nr ? "too few words" : "too many words";
	domain = find_domain(parser->lcm, &line->words[1]);
	if (domain == LCM_NONE)
		return "no such domain";
	setting.domain = (unsigned int)domain;
	wrong = keyword->take(parser, line, &setting);
	return wrong ? wrong : add_setting(parser->config, &setting);
}

static const char *take_line(struct parser *parser, struct word text, unsigned int number)
{
	struct line line = {.number = number};
	struct word rest;

	(void)word_split(&text, '#', &text, &rest);
	while (line.nr < MAX_WORDS && word_next(&text, &line.words[line.nr]))
		line.nr++;
	if (!line.nr)
		return NULL;
	if (word_next(&text, &rest))
		line.nr++;
	if (word_is(&line.words[0], "ready-timeout-ms"))
		return take_timeout(parser, &line);
	for (unsigned int i = 0; i < NR_KEYWORDS; i++)
		if (word_is(&line.words[0], keywords[i].word))
			return take_setting(parser, &line, (enum config_kind)i);
	return "unknown keyword";
}

int config_parse(const char *text, size_t size, const struct lcm *lcm, struct config *ret_config,
		 struct config_error *err)
{
	struct parser parser = {.lcm = lcm, .fallback = READY_TIMEOUT_MS, .config = ret_config};
	struct word rest = {text, size}, line;

	config_default(ret_config);
	for (unsigned int number = 1; word_line(&rest, &line); number++) {
		const char *wrong = take_line(&parser, line, number);

		if (wrong) {
			*err = (struct config_error){number, wrong};
			return -EINVAL;
		}
	}
	set_all(ret_config, parser.named, parser.fallback);
	return 0;
}
