// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <errno.h>
#include <string.h>

#include "words.h"

#define MAX_WORDS 3	/* of a line */

struct parser {
	const struct lcm *lcm;
	uint32_t fallback;	/* of a domain that has no line of its own */
	bool has_fallback;
	uint32_t named;		/* bit i: lcm->domains[i] has one */
	struct config *config;
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
}

static int find_domain(const struct lcm *lcm, const struct word *name)
{
	for (unsigned int i = 0; i < lcm->nr_domains; i++)
		if (word_is(name, lcm->domains[i].name))
			return (int)i;
	return LCM_NONE;
}

/* These give NULL, or what is wrong. */
static const char *take_fallback(struct parser *parser, uint32_t ms)
{
	if (parser->has_fallback)
		return "ready-timeout-ms for all domains is there already";
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
		return "ready-timeout-ms of this domain is there already";
	parser->named |= UINT32_C(1) << index;
	parser->config->ready_timeout_ms[index] = ms;
	return NULL;
}

static const char *take_timeout(struct parser *parser, const struct word *words, unsigned int nr)
{
	uint64_t ms;

	if (nr < 2)
		return "ready-timeout-ms needs a number";
	if (!word_number(&words[nr - 1], UINT32_MAX, &ms))
		return "not a number of milliseconds";
	return nr == 2 ? take_fallback(parser, (uint32_t)ms) : take_domain(parser, &words[1], (uint32_t)ms);
}

static const char *take_line(struct parser *parser, struct word line)
{
	struct word words[MAX_WORDS], comment;
	unsigned int nr = 0;

	(void)word_split(&line, '#', &line, &comment);
	for (; nr < MAX_WORDS && word_next(&line, &words[nr]); nr++)
		continue;
	if (!nr)
		return NULL;
	if (!word_is(&words[0], "ready-timeout-ms"))
		return "unknown word";
	if (word_next(&line, &comment))
		return "too many words";
	return take_timeout(parser, words, nr);
}

int config_parse(const char *text, size_t size, const struct lcm *lcm, struct config *ret_config,
		 struct config_error *err)
{
	struct parser parser = { .lcm = lcm, .fallback = READY_TIMEOUT_MS, .config = ret_config };
	struct word rest = { text, size }, line;

	for (unsigned int number = 1; word_line(&rest, &line); number++) {
		const char *wrong = take_line(&parser, line);

		if (wrong) {
			*err = (struct config_error){ number, wrong };
			return -EINVAL;
		}
	}
	set_all(ret_config, parser.named, parser.fallback);
	return 0;
}
