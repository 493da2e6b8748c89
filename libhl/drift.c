// SPDX-License-Identifier: LGPL-2.1-or-later
/* Compares an initial domain with its description in the LCM. */
#include "drift.h"

#include <inttypes.h>
#include <string.h>

#include "text.h"

/* Xen and toolstacks add some pages of their own to a domain's maximum. */
#define MEMORY_SLACK (2ull << 20)
#define FIXED_FIELDS 9

struct found {
	struct arena *arena;
	const struct hl_drift **drift;
	uint32_t nr;
};

static void add(struct found *found, const char *field, const char *lcm, const char *actual)
{
	struct hl_drift *drift = arena_alloc(found->arena, 1, sizeof(*drift));

	if (!field || !lcm || !actual || !drift)
		return; /* no memory, which the arena has recorded */
	*drift = (struct hl_drift){.field = field, .lcm = lcm, .actual = actual};
	found->drift[found->nr++] = drift;
}

static void compare(struct found *found, const char *field, uint64_t lcm, uint64_t actual, bool hex)
{
	if (lcm == actual)
		return;
	if (hex)
		add(found, field, arena_printf(found->arena, "%#" PRIx64, lcm),
		    arena_printf(found->arena, "%#" PRIx64, actual));
	else
		add(found, field, arena_printf(found->arena, "%" PRIu64, lcm),
		    arena_printf(found->arena, "%" PRIu64, actual));
}

static void compare_domid(struct found *found, const struct hl_lcm_domain *planned,
			  const struct hl_launch_domain *record)
{
	/* LCM_DOMID_BOOT is no domid: Xen assigns another one to the boot domain. */
	if (planned->requested_domid && planned->requested_domid != LCM_DOMID_BOOT &&
	    record->domid != HL_NO_DOMID)
		compare(found, "domid", planned->requested_domid, record->domid, false);
}

static void compare_name(struct found *found, const struct hl_lcm_domain *planned,
			 const struct hl_domain *row)
{
	const char *name = arena_utf8(found->arena, planned->name);

	if (name && strcmp(name, row->name) != 0)
		add(found, "name", name, row->name);
}

static void compare_uuid(struct found *found, const struct hl_lcm_domain *planned,
			 const struct hl_live_domain *live)
{
	char lcm[HL_UUID_TEXT_SIZE], actual[HL_UUID_TEXT_SIZE];

	if (!memcmp(planned->uuid, live->handle, sizeof(live->handle)))
		return;
	/* An LCM without a UUID leaves it to the toolstack. */
	if (all_zero(planned->uuid, sizeof(planned->uuid)))
		return;
	hl_uuid_to_text(planned->uuid, lcm);
	hl_uuid_to_text(live->handle, actual);
	add(found, "uuid", arena_strdup(found->arena, lcm), arena_strdup(found->arena, actual));
}

static void compare_memory(struct found *found, const struct hl_lcm_domain *planned,
			   const struct hl_live_domain *live)
{
	uint64_t lcm = kib_to_bytes(planned->memory_kib), actual = live->memory_max;
	uint64_t gap = lcm > actual ? lcm - actual : actual - lcm;

	if (actual != HL_UNLIMITED && gap > MEMORY_SLACK)
		compare(found, "memory_kib", planned->memory_kib, actual >> 10, false);
}

static void compare_label(struct found *found, const struct hl_lcm_domain *planned,
			  const struct hl_live_domain *live)
{
	const char *prefix = strchr(planned->security_id, ':') ? "" : "system_u:system_r:";
	const char *label = arena_printf(found->arena, "%s%s", prefix, planned->security_id);

	if (label && strcmp(label, live->label) != 0)
		add(found, "security_label", arena_utf8(found->arena, label),
		    arena_utf8(found->arena, live->label));
}

static void compare_live(struct found *found, const struct hl_lcm_domain *planned,
			 const struct hl_live_domain *live)
{
	compare_uuid(found, planned, live);
	compare(found, "cpus", planned->cpus, live->vcpus_max, false);
	compare_memory(found, planned, live);
	/* Without FLASK the label is empty. */
	if (planned->security_id && live->label[0])
		compare_label(found, planned, live);
}

static void compare_digest(struct found *found, const struct hl_lcm_module *module,
			   const struct hl_launch_module *loaded)
{
	char lcm[HL_SHA256_TEXT_SIZE], actual[HL_SHA256_TEXT_SIZE];

	if (!memcmp(module->digest_sha256, loaded->sha256, sizeof(loaded->sha256)) ||
	    all_zero(loaded->sha256, sizeof(loaded->sha256)))
		return;
	hl_sha256_to_text(module->digest_sha256, lcm);
	hl_sha256_to_text(loaded->sha256, actual);
	add(found, arena_printf(found->arena, "module %u digest", module->index),
	    arena_strdup(found->arena, lcm), arena_strdup(found->arena, actual));
}

static void compare_digests(struct found *found, const struct hl_snapshot *s, uint32_t domain)
{
	for (uint32_t i = 0; i < hl_lcm_nr_modules(s->lcm); i++) {
		const struct hl_lcm_module *m = hl_lcm_get_module(s->lcm, i);

		if (m->domain == domain && m->digest_sha256 && m->index != HL_NO_INDEX &&
		    m->index && m->index <= s->launch.nr_modules)
			compare_digest(found, m, &s->modules[m->index - 1]);
	}
}

void drift_find(struct arena *arena, const struct hl_snapshot *snapshot,
		const struct hl_lcm_domain *planned, const struct hl_launch_domain *record,
		const struct hl_live_domain *live, struct hl_domain *row)
{
	struct found found = {.arena = arena};

	found.drift = arena_alloc(arena, FIXED_FIELDS + hl_lcm_nr_modules(snapshot->lcm),
				  sizeof(*found.drift));
	if (!found.drift)
		return;
	compare_domid(&found, planned, record);
	compare_name(&found, planned, row);
	compare(&found, "permissions", planned->permissions, record->permissions, true);
	compare(&found, "functions", planned->functions, record->functions, true);
	compare(&found, "mode", planned->mode, record->mode, true);
	if (live)
		compare_live(&found, planned, live);
	compare_digests(&found, snapshot, row->index);
	row->drift = found.drift;
	row->nr_drift = found.nr;
}
