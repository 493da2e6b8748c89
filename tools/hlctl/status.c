// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl status: the launch, or one domain. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "domains.h"
#include "lookup.h"
#include "stats.h"
#include "table.h"

struct summary {
	const char *state, *source, *form, *sha256, *error, *error_node, *error_property;
	bool dynamic, weak_hardware;
	uint32_t lcm_size, expected, built, failed;
	const char *console_owner, *hardware_domain, *xenstore_domain; /* paths; "/": none */
	uint64_t start_usec, end_usec;
	uint32_t nr_warnings;
	const char **warnings;
};

static int read_warnings(sd_bus_message *m, void *at)
{
	struct summary *s = (struct summary *)((char *)at - offsetof(struct summary, warnings));
	const char *warning, **grown;
	int r = sd_bus_message_enter_container(m, 'a', "s");

	if (r < 0)
		return r;
	while ((r = sd_bus_message_read_basic(m, 's', &warning)) > 0) {
		grown = reallocarray((void *)s->warnings, s->nr_warnings + 1, sizeof(*grown));
		if (!grown)
			no_memory();
		s->warnings = grown;
		grown[s->nr_warnings++] = warning;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

#define FIELD(key, type, member) {key, type, offsetof(struct summary, member), NULL}

static const struct bus_field summary_fields[] = {
	FIELD("State", "s", state),
	FIELD("Source", "s", source),
	FIELD("Form", "s", form),
	FIELD("LCMDigest", "s", sha256),
	FIELD("LCMSize", "u", lcm_size),
	FIELD("Dynamic", "b", dynamic),
	FIELD("Expected", "u", expected),
	FIELD("Built", "u", built),
	FIELD("Failed", "u", failed),
	FIELD("Error", "s", error),
	FIELD("ErrorNode", "s", error_node),
	FIELD("ErrorProperty", "s", error_property),
	FIELD("WeakHardware", "b", weak_hardware),
	FIELD("StartUSec", "t", start_usec),
	FIELD("EndUSec", "t", end_usec),
	{"Warnings", "?", offsetof(struct summary, warnings), read_warnings},
	FIELD("ConsoleOwner", "o", console_owner),
	FIELD("HardwareDomain", "o", hardware_domain),
	FIELD("XenstoreDomain", "o", xenstore_domain),
};

static enum exit_code launch_json(const struct summary *s)
{
	struct json_object *object = json_new_object(), *warnings = json_new_array();

	for (uint32_t i = 0; i < s->nr_warnings; i++)
		json_append(warnings, json_text(s->warnings[i]));
	json_put_text(object, "state", s->state);
	json_put_text(object, "source", s->source);
	json_put_text_or_null(object, "form", s->form);
	json_put_bool(object, "dynamic", s->dynamic);
	json_put_text(object, "error", s->error);
	json_put_text(object, "error_node", s->error_node);
	json_put_text(object, "error_property", s->error_property);
	json_put_number(object, "expected", s->expected);
	json_put_number(object, "built", s->built);
	json_put_number(object, "failed", s->failed);
	json_put_number(object, "lcm_size", s->lcm_size);
	json_put_text_or_null(object, "lcm_sha256", s->sha256);
	json_put_id(object, "console_domid", lookup_domid(s->console_owner));
	json_put_id(object, "hardware_domid", lookup_domid(s->hardware_domain));
	json_put_id(object, "xenstore_domid", lookup_domid(s->xenstore_domain));
	json_put_bool(object, "weak_hardware", s->weak_hardware);
	json_put_number(object, "start_usec", s->start_usec);
	json_put_number(object, "end_usec", s->end_usec);
	json_put(object, "warnings", warnings);
	return json_print(object);
}

static void print_holder(const char *name, const char *path)
{
	uint32_t domid = lookup_domid(path);

	if (domid == UINT32_MAX)
		print_pair(name, GREY, "none");
	else
		print_pair(name, PLAIN, "domain %u", domid);
}

static void print_launch_error(const struct summary *s)
{
	if (!*s->error)
		return;
	print_pair("Error", RED, "%s", s->error);
	if (*s->error_node)
		print_pair("at", RED, "%s%s%s", s->error_node, *s->error_property ? " " : "",
			   s->error_property);
}

static enum exit_code launch_text(const struct summary *s)
{
	bool lcm = s->lcm_size;

	print_pair("Launch", state_colour(s->state), "%s", s->state);
	print_launch_error(s);
	print_pair("Source", PLAIN, "%s", s->source);
	if (*s->form)
		print_pair("LCM form", PLAIN, "%s, %s", s->form, s->dynamic ? "dynamic" : "static");
	if (lcm) {
		print_pair("LCM", PLAIN, "%u bytes, sha256 %s", s->lcm_size, s->sha256);
		print_pair("Domains", s->failed ? RED : PLAIN, "%u expected, %u built, %u failed",
			   s->expected, s->built, s->failed);
	}
	print_holder("Console", s->console_owner);
	print_holder("Hardware", s->hardware_domain);
	if (s->weak_hardware)
		print_pair("Isolation", RED, "%s",
			   "weak: no IOMMU keeps the hardware domain's devices from the memory of "
			   "others");
	print_holder("Xenstore", s->xenstore_domain);
	if (s->end_usec)
		print_pair("Time", PLAIN,
			   "%" PRIu64 ".%03" PRIu64 " ms, from %" PRIu64 ".%06" PRIu64
			   " s after Xen's start",
			   (s->end_usec - s->start_usec) / 1000,
			   (s->end_usec - s->start_usec) % 1000, s->start_usec / 1000000,
			   s->start_usec % 1000000);
	for (uint32_t i = 0; i < s->nr_warnings; i++)
		print_pair("Warning", YELLOW, "%s", s->warnings[i]);
	return EXIT_OK;
}

static enum exit_code launch_status(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *properties = NULL;
	struct summary s = {
		.state = "unknown",
		.source = "",
		.form = "",
		.sha256 = "",
		.error = "",
		.error_node = "",
		.error_property = "",
		.console_owner = "/",
		.hardware_domain = "/",
		.xenstore_domain = "/",
	};
	enum exit_code code;
	int r;

	/* Of the manager and of the launch. */
	code = bus_get_all(bus, BUS_ROOT, "", &properties);
	if (code)
		return code;
	r = bus_read_fields(properties, summary_fields, ARRAY_SIZE(summary_fields), &s);
	if (r < 0)
		code = bus_bad_answer(r);
	else
		code = options->json ? launch_json(&s) : launch_text(&s);
	free((void *)s.warnings);
	return code;
}

static void print_bits(const char *name, uint32_t bits,
		       const char *(*next)(uint32_t *, char *, size_t))
{
	_cleanup_(freep) char *names = join_bits(bits, next);

	print_pair(name, PLAIN, "%s (%#x)", names, bits);
}

static void print_memory(const struct domain *d)
{
	if (d->memory_planned)
		print_pair("Memory", PLAIN, "%" PRIu64 " KiB in the LCM", d->memory_planned >> 10);
	if (d->memory_max == UINT64_MAX)
		print_pair("Memory now", PLAIN, "%" PRIu64 " KiB, no limit",
			   d->memory_current >> 10);
	else
		print_pair("Memory now", PLAIN, "%" PRIu64 " KiB of at most %" PRIu64 " KiB",
			   d->memory_current >> 10, d->memory_max >> 10);
}

static void print_modules(const struct domain *d)
{
	for (uint32_t i = 0; i < d->modules.nr; i++) {
		const struct domain_module *m = &d->modules.list[i];
		char index[24] = "";

		if (m->index != UINT32_MAX)
			snprintf(index, sizeof(index), "%u, ", m->index);
		print_pair("Module", PLAIN, "%s%s, %" PRIu64 " bytes%s%s", index, m->type, m->size,
			   *m->sha256 ? ", sha256 " : "", m->sha256);
	}
}

static void print_identity(const struct domain *d)
{
	_cleanup_(freep) char *roles = join(d->roles.names, d->roles.nr);

	print_pair("Domain", BOLD, "%s", *d->name ? d->name : "-");
	if (d->domid == UINT32_MAX)
		print_pair("Domid", GREY, "none");
	else
		print_pair("Domid", PLAIN, "%u", d->domid);
	if (d->requested_domid && d->requested_domid != UINT32_MAX)
		print_pair("asked for", PLAIN, "%u", d->requested_domid);
	print_pair("UUID", PLAIN, "%s", domain_uuid_shown(d));
	if (*d->handle && strcmp(d->handle, d->uuid) != 0)
		print_pair("Handle", PLAIN, "%s", d->handle);
	print_pair("State", state_colour(d->state), "%s%s%s%s", d->state, *d->reason ? " (" : "",
		   d->reason, *d->reason ? ")" : "");
	print_pair("Origin", d->adopted ? YELLOW : PLAIN, "%s%s", d->origin,
		   d->adopted ? ", adopted: the modules are those of the boot" : "");
	print_pair("Roles", PLAIN, "%s", roles);
}

static void print_scheduling(const struct domain *d)
{
	if (*d->hard_affinity)
		print_pair("Runs on", PLAIN, "%s; prefers %s", d->hard_affinity, d->soft_affinity);
	if (!d->weight)
		return;
	if (d->cap)
		print_pair("Scheduler", PLAIN, "weight %u, at most %u%% of a CPU", d->weight,
			   d->cap);
	else
		print_pair("Scheduler", PLAIN, "weight %u, no cap", d->weight);
}

static enum exit_code domain_text(const struct domain *d)
{
	char time[CPU_TIME_SIZE];

	print_identity(d);
	print_bits("Permissions", d->permissions, hl_permission_next);
	print_bits("Functions", d->functions, hl_function_next);
	print_bits("Mode", d->mode, hl_mode_next);
	print_pair("CPUs", PLAIN, "%u of %u online", d->vcpus_online, d->vcpus_max);
	print_pair("CPU time", PLAIN, "%s", cpu_time_text(d->cpu_time_ns, time));
	print_scheduling(d);
	print_memory(d);
	print_modules(d);
	if (*d->label)
		print_pair("Label", PLAIN, "%s", d->label);
	print_pair("Xenstore", *d->xenstore_error ? YELLOW : PLAIN, "%s%s%s", d->xenstore_state,
		   *d->xenstore_error ? ", not introduced: " : "", d->xenstore_error);
	if (*d->lcm_node)
		print_pair("LCM node", PLAIN, "%s", d->lcm_node);
	for (uint32_t i = 0; i < d->drift.nr; i++)
		print_pair("Drift", YELLOW, "%s: %s in the LCM, now %s", d->drift.list[i].field,
			   d->drift.list[i].lcm, d->drift.list[i].actual);
	print_pair("Object", PLAIN, "%s", d->path);
	return EXIT_OK;
}

static enum exit_code domain_status(const struct options *options, sd_bus *bus)
{
	_cleanup_(domains_free) struct domains domains = {0};
	enum exit_code code = domains_get_one(bus, options->domain, &domains);

	if (code)
		return code;
	return options->json ? json_print(domain_json(domains.list)) : domain_text(domains.list);
}

enum exit_code verb_status(const struct options *options, sd_bus *bus)
{
	return options->domain ? domain_status(options, bus) : launch_status(options, bus);
}
