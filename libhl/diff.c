// SPDX-License-Identifier: LGPL-2.1-or-later
/* Compares two tables.  Pure. */
#include <errno.h>
#include <string.h>

#include "table.h"

struct hl_diff {
	struct hl_table *before, *after;
	uint32_t summary;
	uint32_t nr_changes;
	struct hl_change *changes;
};

static uint32_t if_differ(bool differ, uint32_t field)
{
	return differ ? field : 0;
}

/* Many texts are constants, or "". */
static bool texts_differ(const char *a, const char *b)
{
	return a != b && strcmp(a, b) != 0;
}

static bool modules_differ(const struct hl_domain *a, const struct hl_domain *b)
{
	if (a->nr_modules != b->nr_modules)
		return true;
	for (uint32_t i = 0; i < a->nr_modules; i++) {
		const struct hl_domain_module *x = a->modules[i], *y = b->modules[i];

		if (x->type != y->type || x->index != y->index || x->size != y->size ||
		    memcmp(x->sha256, y->sha256, sizeof(x->sha256)) != 0)
			return true;
	}
	return false;
}

static bool drift_differs(const struct hl_domain *a, const struct hl_domain *b)
{
	if (a->nr_drift != b->nr_drift)
		return true;
	for (uint32_t i = 0; i < a->nr_drift; i++)
		if (texts_differ(a->drift[i]->field, b->drift[i]->field) ||
		    texts_differ(a->drift[i]->lcm, b->drift[i]->lcm) ||
		    texts_differ(a->drift[i]->actual, b->drift[i]->actual))
			return true;
	return false;
}

static bool errors_differ(const struct hl_domain *a, const struct hl_domain *b)
{
	return a->error != b->error || a->errnum != b->errnum ||
	       texts_differ(a->error_node, b->error_node) ||
	       texts_differ(a->error_prop, b->error_prop);
}

static bool times_differ(const struct hl_domain *a, const struct hl_domain *b)
{
	return a->built_ns != b->built_ns || a->started_ns != b->started_ns ||
	       a->ready_ns != b->ready_ns;
}

/* Compares all fields except those that domid, generation and LCM determine. */
static uint32_t differing_fields(const struct hl_domain *a, const struct hl_domain *b)
{
	return if_differ(texts_differ(a->name, b->name), HL_FIELD_NAME) |
	       if_differ(memcmp(a->uuid, b->uuid, sizeof(a->uuid)), HL_FIELD_UUID) |
	       if_differ(texts_differ(a->handle_text, b->handle_text), HL_FIELD_HANDLE) |
	       if_differ(a->permissions != b->permissions, HL_FIELD_PERMISSIONS) |
	       if_differ(a->functions != b->functions, HL_FIELD_FUNCTIONS) |
	       if_differ(a->roles != b->roles, HL_FIELD_ROLES) |
	       if_differ(a->mode != b->mode, HL_FIELD_MODE) |
	       if_differ(a->state != b->state, HL_FIELD_STATE) |
	       if_differ(texts_differ(a->reason, b->reason), HL_FIELD_REASON) |
	       if_differ(a->memory_max != b->memory_max, HL_FIELD_MEMORY_MAX) |
	       if_differ(a->memory_current != b->memory_current, HL_FIELD_MEMORY_CURRENT) |
	       if_differ(a->vcpus_max != b->vcpus_max, HL_FIELD_VCPUS_MAX) |
	       if_differ(a->vcpus_online != b->vcpus_online, HL_FIELD_VCPUS_ONLINE) |
	       if_differ(a->ssidref != b->ssidref ||
				 texts_differ(a->security_label, b->security_label),
			 HL_FIELD_SECURITY_LABEL) |
	       if_differ(errors_differ(a, b), HL_FIELD_ERROR) |
	       if_differ(a->store_port != b->store_port || a->store_gfn != b->store_gfn,
			 HL_FIELD_STORE) |
	       if_differ(a->console_port != b->console_port || a->console_gfn != b->console_gfn,
			 HL_FIELD_CONSOLE) |
	       if_differ(times_differ(a, b), HL_FIELD_TIMES) |
	       if_differ(modules_differ(a, b), HL_FIELD_MODULES) |
	       if_differ(drift_differs(a, b), HL_FIELD_DRIFT) |
	       if_differ(a->live != b->live, HL_FIELD_LIVE);
}

static bool roles_differ(const struct hl_summary *a, const struct hl_summary *b)
{
	return a->hardware_domid != b->hardware_domid || a->boot_domid != b->boot_domid ||
	       a->crash_domid != b->crash_domid || a->console_domid != b->console_domid ||
	       a->xenstore_domid != b->xenstore_domid;
}

static bool warnings_differ(const struct hl_summary *a, const struct hl_summary *b)
{
	if (a->nr_warnings != b->nr_warnings)
		return true;
	for (uint32_t i = 0; i < a->nr_warnings; i++)
		if (texts_differ(a->warnings[i], b->warnings[i]))
			return true;
	return false;
}

static bool others_differ(const struct hl_summary *a, const struct hl_summary *b)
{
	return a->available != b->available || texts_differ(a->source, b->source) ||
	       texts_differ(a->form, b->form) || a->dynamic != b->dynamic ||
	       a->weak_hardware != b->weak_hardware || a->lcm_size != b->lcm_size ||
	       memcmp(a->lcm_sha256, b->lcm_sha256, sizeof(a->lcm_sha256)) != 0 ||
	       a->start_ns != b->start_ns || a->end_ns != b->end_ns || warnings_differ(a, b);
}

static uint32_t differing_summary(const struct hl_summary *a, const struct hl_summary *b)
{
	return if_differ(a->state != b->state, HL_SUMMARY_STATE) |
	       if_differ(roles_differ(a, b), HL_SUMMARY_ROLES) |
	       if_differ(a->console_owner != b->console_owner, HL_SUMMARY_CONSOLE_OWNER) |
	       if_differ(a->expected != b->expected || a->built != b->built ||
				 a->failed != b->failed,
			 HL_SUMMARY_COUNTS) |
	       if_differ(a->error != b->error || texts_differ(a->error_node, b->error_node) ||
				 texts_differ(a->error_prop, b->error_prop),
			 HL_SUMMARY_ERROR) |
	       if_differ(others_differ(a, b), HL_SUMMARY_OTHER) |
	       if_differ(a->nr_events != b->nr_events, HL_SUMMARY_EVENTS);
}

static void add(struct hl_diff *diff, const struct hl_domain *before, const struct hl_domain *after)
{
	struct hl_change change = {
		.type = !after	  ? HL_CHANGE_REMOVED
			: !before ? HL_CHANGE_ADDED
				  : HL_CHANGE_CHANGED,
		.before = before,
		.after = after,
	};

	if (before && after) {
		change.fields = differing_fields(before, after);
		if (!change.fields)
			return;
	}
	diff->changes[diff->nr_changes++] = change;
}

/* Merges the rows of both tables, which are in the same order, and adds what has changed. */
static void walk(struct hl_diff *diff)
{
	const struct hl_table *before = diff->before, *after = diff->after;
	uint32_t i = 0, k = 0;

	while ((before && i < before->nr_domains) || k < after->nr_domains) {
		const struct hl_domain *a = before ? hl_table_get(before, i) : NULL;
		const struct hl_domain *b = hl_table_get(after, k);
		int order = !a ? 1 : !b ? -1 : domain_compare(a, b);

		add(diff, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
		i += order <= 0;
		k += order >= 0;
	}
}

/* Removals, additions, changes; within each the order of the rows. */
static int compare_changes(const void *a, const void *b)
{
	const struct hl_change *x = a, *y = b;

	if (x->type != y->type)
		return (int)x->type - (int)y->type;
	return domain_compare(x->after ? x->after : x->before, y->after ? y->after : y->before);
}

HL_EXPORT int hl_diff_new(struct hl_table *before, struct hl_table *after,
			  struct hl_diff **ret_diff)
{
	size_t max = (size_t)(before ? before->nr_domains : 0) + after->nr_domains;
	struct hl_diff *diff = calloc(1, sizeof(*diff));

	if (!diff)
		return -ENOMEM;
	diff->changes = calloc(max ? max : 1, sizeof(*diff->changes));
	if (!diff->changes) {
		free(diff);
		return -ENOMEM;
	}
	diff->before = hl_table_ref(before);
	diff->after = hl_table_ref(after);
	walk(diff);
	qsort(diff->changes, diff->nr_changes, sizeof(*diff->changes), compare_changes);
	diff->summary = before ? differing_summary(&before->summary, &after->summary)
			       : HL_SUMMARY_STATE | HL_SUMMARY_ROLES | HL_SUMMARY_CONSOLE_OWNER |
					 HL_SUMMARY_COUNTS | HL_SUMMARY_ERROR | HL_SUMMARY_OTHER |
					 HL_SUMMARY_EVENTS;
	*ret_diff = diff;
	return 0;
}

HL_EXPORT struct hl_diff *hl_diff_free(struct hl_diff *diff)
{
	if (diff) {
		hl_table_unref(diff->before);
		hl_table_unref(diff->after);
		free(diff->changes);
		free(diff);
	}
	return NULL;
}

HL_EXPORT uint32_t hl_diff_nr_changes(const struct hl_diff *diff)
{
	return diff->nr_changes;
}

HL_EXPORT const struct hl_change *hl_diff_get(const struct hl_diff *diff, uint32_t i)
{
	return i < diff->nr_changes ? &diff->changes[i] : NULL;
}

HL_EXPORT uint32_t hl_diff_summary(const struct hl_diff *diff)
{
	return diff->summary;
}
