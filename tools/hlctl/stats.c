// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl stats: CPU time, vCPUs and memory of domains. */
#include "stats.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "bus.h"
#include "json.h"
#include "lookup.h"
#include "table.h"

#define NS_PER_SEC UINT64_C(1000000000)
/* Below that sizes are shown in KiB. */
#define FEW_BYTES (UINT64_C(10) << 20)

static int read_vcpus(sd_bus_message *m, void *at)
{
	struct vcpus_stats *vcpus = at;
	struct vcpu_stats one;
	int r = sd_bus_message_enter_container(m, 'a', NULL);

	while (r >= 0 && (r = bus_read_record(m, "usut", &one.id, &one.state, &one.cpu,
					      &one.cpu_time_ns)) > 0) {
		vcpus->list = array_grow(vcpus->list, vcpus->nr, sizeof(*vcpus->list));
		vcpus->list[vcpus->nr++] = one;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

#define FIELD(key, type, member) {key, type, offsetof(struct domain_stats, member), NULL}

/* In hyperlaunchd's order, in which they are found fastest. */
static const struct bus_field fields[] = {
	FIELD("TimestampUSec", "t", timestamp_usec),
	FIELD("Domid", "u", domid),
	FIELD("UUID", "s", uuid),
	FIELD("Name", "s", name),
	FIELD("State", "s", state),
	FIELD("CpuTimeNSec", "t", cpu_time_ns),
	FIELD("VcpusOnline", "u", vcpus_online),
	FIELD("VcpusMax", "u", vcpus_max),
	FIELD("MemoryCurrent", "t", memory_current),
	FIELD("MemoryMax", "t", memory_max),
	FIELD("MemoryOutstanding", "t", memory_outstanding),
	FIELD("MemoryShared", "t", memory_shared),
	FIELD("MemoryPaged", "t", memory_paged),
	{"Vcpus", "?", offsetof(struct domain_stats, vcpus), read_vcpus},
};

/* Reads the record of one domain: a{sv}. */
static int read_record(sd_bus_message *m, const char *path, struct stats *stats)
{
	struct domain_stats *d;

	stats->list = array_grow(stats->list, stats->nr, sizeof(*stats->list));
	d = &stats->list[stats->nr++];
	d->path = path;
	d->domid = UINT32_MAX;
	d->name = d->uuid = d->state = "";
	return bus_read_fields(m, fields, ARRAY_SIZE(fields), d);
}

static int read_all(sd_bus_message *m, struct stats *stats)
{
	const char *path, *contents;
	int r = sd_bus_message_enter_container(m, 'a', NULL);

	while (r >= 0 && (r = sd_bus_message_peek_type(m, NULL, &contents)) > 0) {
		r = sd_bus_message_enter_container(m, 'r', contents);
		if (r >= 0)
			r = sd_bus_message_read_basic(m, 'o', &path);
		if (r >= 0)
			r = read_record(m, path, stats);
		if (r >= 0)
			r = bus_end_record(m);
	}
	return r;
}

/* Takes the path and the reply. */
static void keep(struct stats *stats, char *path, sd_bus_message *reply)
{
	stats->replies =
		array_grow((void *)stats->replies, stats->nr_replies, sizeof(*stats->replies));
	stats->paths = array_grow((void *)stats->paths, stats->nr_replies, sizeof(*stats->paths));
	stats->replies[stats->nr_replies] = reply;
	stats->paths[stats->nr_replies++] = path;
}

enum exit_code stats_get(sd_bus *bus, struct stats *ret_stats)
{
	struct stats stats = {0};
	sd_bus_message *reply = NULL;
	enum exit_code code = bus_call(bus, BUS_MANAGER, "GetStats", &reply, "a{sv}", 0);
	int r;

	if (code)
		return code;
	keep(&stats, NULL, reply);
	r = read_all(reply, &stats);
	if (r < 0) {
		stats_free(&stats);
		return bus_bad_answer(r);
	}
	*ret_stats = stats;
	return EXIT_OK;
}

void stats_free(struct stats *stats)
{
	for (uint32_t i = 0; i < stats->nr; i++)
		free(stats->list[i].vcpus.list);
	for (size_t i = 0; i < stats->nr_replies; i++) {
		free(stats->paths[i]);
		sd_bus_message_unref(stats->replies[i]);
	}
	free((void *)stats->paths);
	free((void *)stats->replies);
	free(stats->list);
	*stats = (struct stats){0};
}

/* There is an object, but no domain; or not even that, any more. */
static enum exit_code report_gone(const char *text, const sd_bus_error *error, int r)
{
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT) ||
	    sd_bus_error_has_name(error, BUS_NAME ".Error.NoSuchDomain"))
		return lookup_failed(text);
	if (sd_bus_error_has_name(error, BUS_NAME ".Error.WrongState"))
		return report_error(EXIT_NOT_FOUND, "domain '%s' does not exist now", text);
	return bus_report_error(error, r);
}

static bool has_path(const struct stats *stats, const char *path)
{
	for (uint32_t i = 0; i < stats->nr; i++)
		if (!strcmp(stats->list[i].path, path))
			return true;
	return false;
}

/* Adds the one that the user calls so; once, however often it is named. */
static enum exit_code add_domain(const struct options *options, sd_bus *bus, const char *text,
				 struct stats *stats)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	char *path = NULL;
	enum exit_code code = lookup_domain(bus, text, &path);
	int r;

	if (code || has_path(stats, path)) {
		free(path);
		return code;
	}
	r = bus_try_call(bus, path, BUS_DOMAIN, "GetStats", &error, &reply, "a{sv}", 1, "Vcpus",
			 "b", options->vcpus);
	keep(stats, path, reply);
	if (r < 0)
		return report_gone(text, &error, r);
	r = read_record(reply, path, stats);
	return r < 0 ? bus_bad_answer(r) : EXIT_OK;
}

const char *cpu_time_text(uint64_t ns, char text[static CPU_TIME_SIZE])
{
	snprintf(text, CPU_TIME_SIZE, "%" PRIu64 ".%" PRIu64 " s", ns / NS_PER_SEC,
		 ns % NS_PER_SEC / (NS_PER_SEC / 10));
	return text;
}

/* --- table ----------------------------------------------------------------- */

static void add_size(struct table *table, uint64_t bytes)
{
	if (bytes == UINT64_MAX)
		table_add(table, PLAIN, "-");
	else if (bytes % (1 << 20) && bytes < FEW_BYTES)
		table_add(table, PLAIN, "%" PRIu64 " K", bytes >> 10);
	else
		table_add(table, PLAIN, "%" PRIu64 " M", bytes >> 20);
}

static void add_name(struct table *table, const struct domain_stats *d)
{
	table_add(table, PLAIN, "%u", d->domid);
	table_add(table, PLAIN, "%s", *d->name ? d->name : "-");
}

static void add_row(struct table *table, const struct domain_stats *d)
{
	char time[CPU_TIME_SIZE];

	add_name(table, d);
	table_add(table, state_colour(d->state), "%s", d->state);
	table_add(table, PLAIN, "%u", d->vcpus_online);
	table_add(table, PLAIN, "%s", cpu_time_text(d->cpu_time_ns, time));
	add_size(table, d->memory_current);
	add_size(table, d->memory_max);
	add_size(table, d->memory_outstanding);
	add_size(table, d->memory_shared);
	add_size(table, d->memory_paged);
}

static enum exit_code print_table(const struct stats *stats, bool legend)
{
	static const char *const headings[] = {
		"DOMID",  "NAME",    "STATE",	    "CPUS",   "TIME",
		"MEMORY", "MAXIMUM", "OUTSTANDING", "SHARED", "PAGED",
	};
	struct table *table = table_new(headings, ARRAY_SIZE(headings), legend);

	for (uint32_t i = 0; i < stats->nr; i++)
		add_row(table, &stats->list[i]);
	return table_print(table);
}

static void add_vcpu(struct table *table, const struct domain_stats *d, const struct vcpu_stats *v)
{
	char time[CPU_TIME_SIZE];

	add_name(table, d);
	table_add(table, PLAIN, "%u", v->id);
	table_add(table, PLAIN, "%s", v->state);
	table_add(table, PLAIN, "%u", v->cpu);
	table_add(table, PLAIN, "%s", cpu_time_text(v->cpu_time_ns, time));
}

static enum exit_code print_vcpus(const struct stats *stats, bool legend)
{
	static const char *const headings[] = {"DOMID", "NAME", "VCPU", "STATE", "CPU", "TIME"};
	struct table *table = table_new(headings, ARRAY_SIZE(headings), legend);

	for (uint32_t i = 0; i < stats->nr; i++)
		for (uint32_t v = 0; v < stats->list[i].vcpus.nr; v++)
			add_vcpu(table, &stats->list[i], &stats->list[i].vcpus.list[v]);
	return table_print(table);
}

/* --- JSON ------------------------------------------------------------------ */

static struct json_object *vcpus_json(const struct vcpus_stats *vcpus)
{
	struct json_object *array = json_new_array();

	for (uint32_t i = 0; i < vcpus->nr; i++) {
		struct json_object *object = json_new_object();

		json_put_number(object, "vcpu", vcpus->list[i].id);
		json_put_text(object, "state", vcpus->list[i].state);
		json_put_number(object, "cpu", vcpus->list[i].cpu);
		json_put_number(object, "cpu_time_ns", vcpus->list[i].cpu_time_ns);
		json_append(array, object);
	}
	return array;
}

static struct json_object *domain_json(const struct domain_stats *d, bool vcpus)
{
	struct json_object *object = json_new_object();

	json_put_id(object, "domid", d->domid);
	json_put_text(object, "name", d->name);
	json_put_text_or_null(object, "uuid", d->uuid);
	json_put_text(object, "state", d->state);
	json_put_number(object, "timestamp_usec", d->timestamp_usec);
	json_put_number(object, "cpu_time_ns", d->cpu_time_ns);
	json_put_number(object, "cpus", d->vcpus_max);
	json_put_number(object, "cpus_online", d->vcpus_online);
	json_put_kib(object, "memory_current_kib", d->memory_current);
	json_put_kib(object, "memory_max_kib", d->memory_max);
	json_put_kib(object, "memory_outstanding_kib", d->memory_outstanding);
	json_put_kib(object, "memory_shared_kib", d->memory_shared);
	json_put_kib(object, "memory_paged_kib", d->memory_paged);
	if (vcpus)
		json_put(object, "vcpus", vcpus_json(&d->vcpus));
	json_put_text(object, "path", d->path);
	return object;
}

static enum exit_code print_json(const struct stats *stats, bool vcpus)
{
	struct json_object *object = json_new_object(), *array = json_new_array();

	for (uint32_t i = 0; i < stats->nr; i++)
		json_append(array, domain_json(&stats->list[i], vcpus));
	json_put(object, "domains", array);
	return json_print(object);
}

enum exit_code verb_stats(const struct options *options, sd_bus *bus)
{
	_cleanup_(stats_free) struct stats stats = {0};
	enum exit_code code = EXIT_OK;

	if (!options->nr_domains)
		code = stats_get(bus, &stats);
	for (size_t i = 0; !code && i < options->nr_domains; i++)
		code = add_domain(options, bus, options->domains[i], &stats);
	if (code)
		return code;
	if (options->openmetrics)
		return openmetrics_print(&stats);
	if (options->json)
		return print_json(&stats, options->vcpus);
	return options->vcpus ? print_vcpus(&stats, !options->no_legend)
			      : print_table(&stats, !options->no_legend);
}
