// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sets of the host's CPUs. */
#include "cpus.h"

static void add(struct cpus *cpus, uint64_t first, uint64_t last)
{
	for (uint64_t i = first; i <= last; i++)
		cpus->bytes[i / 8] |= (uint8_t)(1U << i % 8);
}

/* Parses "3" or "0-3". */
static bool add_range(struct cpus *cpus, const struct word *range)
{
	struct word from = *range, to = *range;
	uint64_t first, last;

	(void)word_split(range, '-', &from, &to);
	if (!word_number(&from, CPUS_MAX - 1, &first) || !word_number(&to, CPUS_MAX - 1, &last) ||
	    first > last)
		return false;
	add(cpus, first, last);
	return true;
}

bool cpus_parse(const struct word *word, struct cpus *ret_cpus)
{
	struct cpus cpus = {{0}};
	struct word rest = *word, range;

	while (word_split(&rest, ',', &range, &rest))
		if (!add_range(&cpus, &range))
			return false;
	if (!add_range(&cpus, &rest))
		return false;
	*ret_cpus = cpus;
	return true;
}

bool cpus_has(const struct cpus *cpus, unsigned int cpu)
{
	return cpus->bytes[cpu / 8] >> cpu % 8 & 1;
}

bool cpus_within(const struct cpus *these, const struct cpus *those)
{
	for (unsigned int i = 0; i < sizeof(these->bytes); i++)
		if (these->bytes[i] & ~those->bytes[i])
			return false;
	return true;
}
