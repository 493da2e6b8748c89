// SPDX-License-Identifier: LGPL-2.1-or-later
/* Writes the resource usage of domains as OpenMetrics text. */
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "pager.h"
#include "stats.h"

#define NS_PER_SEC UINT64_C(1000000000)

struct family {
	const char *name, *type;
	const char *unit; /* the end of the name; NULL: none */
	const char *help;
	/* The samples of one domain; labels: those of the domain, without braces. */
	void (*print)(const struct family *family, const struct domain_stats *d,
		      const char *labels);
	size_t offset; /* of a member */
};

static void print_seconds(uint64_t ns)
{
	printf("%" PRIu64 ".%09" PRIu64 "\n", ns / NS_PER_SEC, ns % NS_PER_SEC);
}

static void print_cpu_time(const struct family *family, const struct domain_stats *d,
			   const char *labels)
{
	printf("%s_total{%s} ", family->name, labels);
	print_seconds(d->cpu_time_ns);
}

static void print_vcpu_times(const struct family *family, const struct domain_stats *d,
			     const char *labels)
{
	for (uint32_t i = 0; i < d->vcpus.nr; i++) {
		printf("%s_total{%s,vcpu=\"%u\"} ", family->name, labels, d->vcpus.list[i].id);
		print_seconds(d->vcpus.list[i].cpu_time_ns);
	}
}

static void print_count(const struct family *family, const struct domain_stats *d,
			const char *labels)
{
	uint32_t count;

	memcpy(&count, (const char *)d + family->offset, sizeof(count));
	printf("%s{%s} %u\n", family->name, labels, count);
}

static void print_bytes(const struct family *family, const struct domain_stats *d,
			const char *labels)
{
	uint64_t bytes;

	memcpy(&bytes, (const char *)d + family->offset, sizeof(bytes));
	if (bytes == UINT64_MAX)
		printf("%s{%s} +Inf\n", family->name, labels);
	else
		printf("%s{%s} %" PRIu64 "\n", family->name, labels, bytes);
}

/* Each state that there is, of which one is true: that of a newer daemon is unknown. */
static void print_state(const struct family *family, const struct domain_stats *d,
			const char *labels)
{
	unsigned int now = HL_DOMAIN_UNKNOWN;

	for (unsigned int state = 0; state < HL_NR_DOMAIN_STATES; state++)
		if (!strcmp(hl_domain_state_name((enum hl_domain_state)state), d->state))
			now = state;
	for (unsigned int state = 0; state < HL_NR_DOMAIN_STATES; state++)
		printf("%s{%s,%s=\"%s\"} %d\n", family->name, labels, family->name,
		       hl_domain_state_name((enum hl_domain_state)state), state == now);
}

#define MEMBER(member) offsetof(struct domain_stats, member)

static const struct family families[] = {
	{"xen_domain_state", "stateset", NULL, "State of the domain.", print_state, 0},
	{"xen_domain_cpu_seconds", "counter", "seconds",
	 "Time that the vCPUs of the domain have run, together.", print_cpu_time, 0},
	{"xen_domain_vcpu_cpu_seconds", "counter", "seconds", "Time that the vCPU has run.",
	 print_vcpu_times, 0},
	{"xen_domain_vcpus_online", "gauge", NULL, "Number of vCPUs that are online.", print_count,
	 MEMBER(vcpus_online)},
	{"xen_domain_vcpus_max", "gauge", NULL, "Number of vCPUs.", print_count, MEMBER(vcpus_max)},
	{"xen_domain_memory_bytes", "gauge", "bytes", "Memory that is allocated to the domain.",
	 print_bytes, MEMBER(memory_current)},
	{"xen_domain_memory_max_bytes", "gauge", "bytes",
	 "Memory that the domain can have at most; +Inf if there is no limit.", print_bytes,
	 MEMBER(memory_max)},
	{"xen_domain_memory_outstanding_bytes", "gauge", "bytes",
	 "Memory that is claimed for the domain and not allocated yet.", print_bytes,
	 MEMBER(memory_outstanding)},
	{"xen_domain_memory_shared_bytes", "gauge", "bytes",
	 "Memory that the domain shares with other domains.", print_bytes, MEMBER(memory_shared)},
	{"xen_domain_memory_paged_bytes", "gauge", "bytes",
	 "Memory of the domain that is paged out.", print_bytes, MEMBER(memory_paged)},
};

/* Of a name, which may be anything: the three characters that have an escape. */
static void put_escaped(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			(void)fputs("\\n", f);
		else if (*text == '\\' || *text == '"')
			fprintf(f, "\\%c", *text);
		else
			(void)fputc(*text, f);
	}
}

/* The caller frees them.  What a terminal would not show as it is, is '?', as in tables. */
static char *labels_of(const struct domain_stats *d)
{
	_cleanup_(freep) char *text = NULL;
	char *clean;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		no_memory();
	fprintf(f, "domid=\"%u\",uuid=\"", d->domid);
	put_escaped(f, d->uuid);
	fprintf(f, "\",name=\"");
	put_escaped(f, d->name);
	fprintf(f, "\"");
	if (fclose(f))
		no_memory();
	clean = hl_utf8_dup(text);
	if (!clean)
		no_memory();
	return clean;
}

/* The samples of a family stand together. */
static void print_family(const struct family *family, const struct stats *stats,
			 char *const *labels)
{
	printf("# TYPE %s %s\n", family->name, family->type);
	if (family->unit)
		printf("# UNIT %s %s\n", family->name, family->unit);
	printf("# HELP %s %s\n", family->name, family->help);
	for (uint32_t i = 0; i < stats->nr; i++)
		family->print(family, &stats->list[i], labels[i]);
}

enum exit_code openmetrics_print(const struct stats *stats)
{
	char **labels = calloc((size_t)stats->nr + 1, sizeof(*labels));

	if (!labels)
		no_memory();
	for (uint32_t i = 0; i < stats->nr; i++)
		labels[i] = labels_of(&stats->list[i]);
	pager_open();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		print_family(&families[i], stats, labels);
	puts("# EOF");
	for (uint32_t i = 0; i < stats->nr; i++)
		free(labels[i]);
	free((void *)labels);
	return EXIT_OK;
}
