// SPDX-License-Identifier: LGPL-2.1-or-later
/* Formats the CPU affinities of a domain's vCPUs. */
#include "affinity.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct output {
	char *text;
	size_t size, length;
};

static void __attribute__((format(printf, 2, 3))) put(struct output *out, const char *format, ...)
{
	const size_t room = out->length < out->size ? out->size - out->length : 0;
	va_list ap;
	int length;

	va_start(ap, format);
	length = vsnprintf(room ? out->text + out->length : NULL, room, format, ap);
	va_end(ap);
	if (length > 0)
		out->length += (size_t)length;
}

static bool has(const uint8_t *map, uint32_t cpu)
{
	return map[cpu / 8] >> cpu % 8 & 1;
}

/* Returns the first CPU >= cpu whose bit equals `set`; nr if there is none. */
static uint32_t find(const uint8_t *map, uint32_t cpu, uint32_t nr, bool set)
{
	while (cpu < nr && has(map, cpu) != set)
		cpu++;
	return cpu;
}

static void put_range(struct output *out, const char *separator, uint32_t first, uint32_t end)
{
	if (end - first > 1)
		put(out, "%s%" PRIu32 "-%" PRIu32, separator, first, end - 1);
	else
		put(out, "%s%" PRIu32, separator, first);
}

static void put_cpus(struct output *out, const uint8_t *map, uint32_t nr)
{
	const char *separator = "";
	uint32_t end;

	if (find(map, 0, nr, false) == nr) {
		put(out, "all");
		return;
	}
	for (uint32_t first = find(map, 0, nr, true); first < nr;
	     first = find(map, end, nr, true)) {
		end = find(map, first, nr, false);
		put_range(out, separator, first, end);
		separator = ",";
	}
}

/* Returns the end of the run of vCPUs that have the same affinity as vCPU first. */
static uint32_t run_end(const struct affinities *a, uint32_t first)
{
	uint32_t end = first + 1;

	while (end < a->nr_vcpus &&
	       !memcmp(a->maps + first * a->stride, a->maps + end * a->stride, a->stride))
		end++;
	return end;
}

void affinity_text(const struct affinities *affinities, char *text, size_t size)
{
	struct output out = {text, size, 0};
	uint32_t end;

	text[0] = '\0';
	for (uint32_t first = 0; first < affinities->nr_vcpus; first = end) {
		end = run_end(affinities, first);
		if (first || end < affinities->nr_vcpus) {
			put_range(&out, first ? "; " : "", first, end);
			put(&out, ": ");
		}
		put_cpus(&out, affinities->maps + first * affinities->stride, affinities->nr_cpus);
	}
	if (out.length >= size && size > 3)
		memcpy(text + size - 4, "...", 4);
}
