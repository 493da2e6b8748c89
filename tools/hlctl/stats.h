/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The resource usage of domains: of all by one call, or of some. */
#ifndef HLCTL_STATS_H
#define HLCTL_STATS_H

#include "hlctl.h"

struct vcpu_stats {
	uint32_t id, cpu;
	const char *state;
	uint64_t cpu_time_ns;
};

struct vcpus_stats {
	uint32_t nr;
	struct vcpu_stats *list;
};

/* Strings are "", and never NULL, where the daemon says nothing. */
struct domain_stats {
	const char *path;
	uint64_t timestamp_usec; /* CLOCK_MONOTONIC of the daemon's domain */
	uint32_t domid;
	const char *name, *uuid, *state;
	uint64_t cpu_time_ns;
	uint32_t vcpus_online, vcpus_max;
	/* Bytes; memory_max may be UINT64_MAX: no limit. */
	uint64_t memory_current, memory_max, memory_outstanding, memory_shared, memory_paged;
	struct vcpus_stats vcpus; /* none, unless they were asked for */
};

struct stats {
	size_t nr_replies;
	sd_bus_message **replies; /* hold the strings */
	char **paths;		  /* [nr_replies], of those that were named */
	uint32_t nr;
	struct domain_stats *list;
};

/* Of all domains that exist, by domid. */
enum exit_code stats_get(sd_bus *bus, struct stats *ret_stats);
void stats_free(struct stats *stats);

/* For people: seconds with one digit behind the point. */
#define CPU_TIME_SIZE 32
const char *cpu_time_text(uint64_t ns, char text[static CPU_TIME_SIZE]);

/* openmetrics.c: to standard output, by the specification of OpenMetrics 1.0. */
enum exit_code openmetrics_print(const struct stats *stats);

#endif /* HLCTL_STATS_H */
