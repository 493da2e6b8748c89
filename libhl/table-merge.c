// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Merges LCM, launch records and live domains into a table.  Pure.
 *
 * A launch record claims the live domain with its domid, unless the domain failed or
 * was reclaimed; live domains without such a record are post-boot.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "drift.h"
#include "snapshot.h"
#include "table.h"
#include "text.h"

static_assert(LCM_MAX_DOMAINS <= 64, "merge.recorded has a bit for each domain");

struct merge {
	const struct hl_snapshot *s;
	struct hl_table *table;
	struct hl_domain *rows; /* where new_row() adds: nr_rows so far */
	uint32_t nr_rows;
	bool *claimed;	   /* [s->nr_live] */
	uint64_t recorded; /* bit i: Xen has a record of the LCM's domain i */
};

static const char *text(struct merge *m, const char *string)
{
	return *string ? arena_utf8(&m->table->arena, string) : "";
}

static bool ended(enum hl_domain_state state)
{
	return state == HL_DOMAIN_FAILED || state == HL_DOMAIN_RECLAIMED;
}

/* Returns the live domain that belongs to a record, marked as claimed, or NULL. */
static const struct hl_live_domain *claim(struct merge *m, const struct hl_launch_domain *record,
					  const char **ret_name)
{
	size_t i;

	if (record->domid == HL_NO_DOMID || record->state == HL_DOMAIN_PLANNED ||
	    ended(record->state))
		return NULL;
	i = snapshot_find_live(m->s, record->domid);
	if (i == m->s->nr_live)
		return NULL;
	m->claimed[i] = true;
	*ret_name = m->s->names[i] ? m->s->names[i] : m->s->live[i].name;
	return &m->s->live[i];
}

static void set_state(struct hl_domain *row, enum hl_domain_state state, const char *reason)
{
	row->state = state;
	row->reason = reason;
}

/* Sets the states that only Xen's list of domains has; these override the record's. */
static bool live_state(struct hl_domain *row, const struct hl_live_domain *live)
{
	if (live->dying)
		set_state(row, HL_DOMAIN_DYING,
			  live->shutdown ? hl_shutdown_name(live->shutdown_code) : "");
	else if (live->shutdown)
		set_state(row, HL_DOMAIN_SHUTDOWN, hl_shutdown_name(live->shutdown_code));
	else
		return false;
	return true;
}

static void waiting_state(struct hl_domain *row, const struct hl_live_domain *live,
			  enum hl_domain_state state, const char *reason)
{
	if (live->paused)
		set_state(row, state, reason);
	else
		set_state(row, HL_DOMAIN_STARTED, "unpaused by a toolstack");
}

static void existing_state(struct hl_domain *row, const struct hl_launch_domain *record,
			   const struct hl_live_domain *live)
{
	if (live_state(row, live))
		return;
	switch (record->state) {
	case HL_DOMAIN_BUILT:
		waiting_state(row, live, HL_DOMAIN_BUILT,
			      record->adoption ? "adopted, waits for its toolstack"
					       : "waits for the launch to complete");
		break;
	case HL_DOMAIN_HELD:
		waiting_state(row, live, HL_DOMAIN_HELD, "held by the LCM");
		break;
	case HL_DOMAIN_PAUSED:
		waiting_state(row, live, HL_DOMAIN_PAUSED, "kept for a failed launch");
		break;
	default:
		if (live->paused)
			set_state(row, HL_DOMAIN_PAUSED, "paused by a toolstack");
		else
			set_state(row, record->state, "");
		break;
	}
}

static void initial_state(struct hl_domain *row, const struct hl_launch_domain *record,
			  const struct hl_live_domain *live)
{
	if (record->state == HL_DOMAIN_FAILED)
		set_state(row, HL_DOMAIN_FAILED, row->error_text);
	else if (record->state == HL_DOMAIN_RECLAIMED)
		set_state(row, HL_DOMAIN_RECLAIMED,
			  record->functions & HL_FUNC_BOOT ? "the boot domain has finished"
							   : "destroyed");
	else if (record->state == HL_DOMAIN_PLANNED)
		set_state(row, HL_DOMAIN_PLANNED, "");
	else if (live)
		existing_state(row, record, live);
	else
		set_state(row, HL_DOMAIN_RECLAIMED, "no longer exists");
}

static void post_boot_state(struct hl_domain *row, const struct hl_live_domain *live)
{
	if (live_state(row, live))
		return;
	set_state(row, live->paused ? HL_DOMAIN_PAUSED : HL_DOMAIN_RUNNING, "");
}

static uint32_t role_if(bool holds, enum hl_role role)
{
	return holds ? 1u << role : 0;
}

/*
 * A role that one domain has at a time: holder is Xen's answer; without one, bit
 * decides, which is set if the record has the permission or function.
 */
static uint32_t single_role(const struct hl_domain *row, uint32_t holder, bool bit,
			    enum hl_role role)
{
	if (holder == HL_NO_DOMID || row->domid == HL_NO_DOMID)
		return role_if(bit, role);
	return role_if(holder == row->domid, role);
}

/*
 * The console role belongs to the console owner, not to the domain with the console
 * function, unless Xen does not report the owner.
 */
static uint32_t console_role(const struct hl_domain *row, const struct hl_launch *launch)
{
	bool moves = launch->state != HL_LAUNCH_NONE && launch->state != HL_LAUNCH_UNKNOWN;

	if (moves && row->domid != HL_NO_DOMID)
		return role_if(launch->console_owner == row->domid, HL_ROLE_CONSOLE);
	return single_role(row, launch->console_domid, row->functions & HL_FUNC_CONSOLE,
			   HL_ROLE_CONSOLE);
}

static uint32_t roles(const struct hl_domain *row, const struct hl_launch *launch)
{
	uint32_t p = row->permissions, f = row->functions;

	if (ended(row->state))
		return 0;
	return role_if(p & HL_PERM_CONTROL, HL_ROLE_CONTROL) |
	       role_if(f & HL_FUNC_LEGACY_DOM0, HL_ROLE_LEGACY_DOM0) |
	       single_role(row, launch->hardware_domid, p & HL_PERM_HARDWARE, HL_ROLE_HARDWARE) |
	       single_role(row, launch->boot_domid, f & HL_FUNC_BOOT, HL_ROLE_BOOT) |
	       single_role(row, launch->crash_domid, f & HL_FUNC_CRASH, HL_ROLE_CRASH) |
	       console_role(row, launch) |
	       single_role(row, launch->xenstore_domid, f & HL_FUNC_XENSTORE, HL_ROLE_XENSTORE);
}

static void set_live(struct merge *m, struct hl_domain *row, const struct hl_live_domain *live)
{
	row->live = true;
	row->memory_max = live->memory_max;
	row->memory_current = live->memory_current;
	row->memory_outstanding = live->memory_outstanding;
	row->memory_shared = live->memory_shared;
	row->memory_paged = live->memory_paged;
	row->vcpus_max = live->vcpus_max;
	row->vcpus_online = live->vcpus_online;
	row->cpu_time_ns = live->cpu_time_ns;
	row->ssidref = live->ssidref;
	if (live->label[0])
		row->security_label = text(m, live->label);
	memcpy(row->handle, live->handle, sizeof(row->handle));
	hl_uuid_to_text(row->handle, row->handle_text);
}

static const struct hl_launch_module *find_module(const struct hl_snapshot *s, uint32_t index)
{
	return index && index != HL_NO_INDEX && index <= s->launch.nr_modules
		       ? &s->modules[index - 1]
		       : NULL;
}

static void add_module(struct merge *m, struct hl_domain *row,
		       const struct hl_domain_module **modules, enum hl_module_type type,
		       uint32_t index, uint64_t size)
{
	const struct hl_launch_module *loaded = find_module(m->s, index);
	struct hl_domain_module *module = arena_alloc(&m->table->arena, 1, sizeof(*module));

	if (!module)
		return;
	modules[row->nr_modules++] = module;
	*module = (struct hl_domain_module){.type = type, .index = index, .size = size};
	if (loaded) {
		module->size = loaded->size;
		memcpy(module->sha256, loaded->sha256, sizeof(module->sha256));
	}
}

/* Adds the modules that the LCM has for the domain; without the LCM, those of the record. */
static void add_modules(struct merge *m, struct hl_domain *row,
			const struct hl_launch_domain *record, bool planned)
{
	const struct hl_lcm *lcm = planned ? m->s->lcm : NULL;
	const struct hl_domain_module **modules;

	modules = arena_alloc(&m->table->arena, lcm ? hl_lcm_nr_modules(lcm) : 2, sizeof(*modules));
	if (!modules)
		return;
	row->modules = modules;
	if (!lcm) {
		if (record->kernel != HL_NO_INDEX)
			add_module(m, row, modules, HL_MODULE_KERNEL, record->kernel, 0);
		if (record->ramdisk != HL_NO_INDEX)
			add_module(m, row, modules, HL_MODULE_RAMDISK, record->ramdisk, 0);
		return;
	}
	for (uint32_t i = 0; i < hl_lcm_nr_modules(lcm); i++) {
		const struct hl_lcm_module *lm = hl_lcm_get_module(lcm, i);

		if (lm->domain == row->index)
			add_module(m, row, modules, lm->type, lm->index, lm->size);
	}
}

static void set_error(struct merge *m, struct hl_domain *row, const struct hl_launch_domain *record)
{
	row->error = record->error;
	row->errnum = record->errnum;
	if (!record->error)
		return;
	row->error_text = hl_error_text(record->error);
	row->error_node = row->lcm_node;
	row->error_prop = text(m, record->error_prop);
}

static struct hl_domain *new_row(struct merge *m)
{
	struct hl_domain *row = &m->rows[m->nr_rows++];

	*row = (struct hl_domain){
		.domid = HL_NO_DOMID,
		.index = HL_NO_INDEX,
		.requested_domid = HL_NO_DOMID,
		.name = "",
		.reason = "",
		.security_label = "",
		.lcm_node = "",
		.error_text = "",
		.error_node = "",
		.error_prop = "",
		.store_gfn = HL_NO_GFN,
		.console_gfn = HL_NO_GFN,
	};
	return row;
}

static void copy_record(struct hl_domain *row, const struct hl_launch_domain *record)
{
	row->origin = HL_ORIGIN_BOOT;
	row->index = record->index;
	row->domid = record->domid;
	row->generation = record->domid == HL_NO_DOMID ? record->index : record->adoption;
	row->adopted = record->adoption;
	row->requested_domid = record->requested_domid;
	row->permissions = record->permissions;
	row->functions = record->functions;
	row->mode = record->mode;
	row->memory_planned_kib = record->memory_kib;
	row->vcpus_planned = record->cpus;
	row->ssidref = record->ssidref;
	row->store_port = record->store_port;
	row->store_gfn = record->store_gfn;
	row->console_port = record->console_port;
	row->console_gfn = record->console_gfn;
	row->built_ns = record->built_ns;
	row->started_ns = record->started_ns;
	row->ready_ns = record->ready_ns;
	memcpy(row->uuid, record->uuid, sizeof(row->uuid));
	hl_uuid_to_text(row->uuid, row->uuid_text);
}

/*
 * Returns the index in the LCM of a record's domain, or HL_NO_INDEX.  The record's own
 * index does not do: after a recovery Xen has a record of the crash domain only.
 * Names are unique in an LCM.
 */
static uint32_t planned_index(const struct hl_lcm *lcm, const struct hl_launch_domain *record)
{
	for (uint32_t i = 0; lcm && i < hl_lcm_nr_domains(lcm); i++)
		if (!strcmp(hl_lcm_get_domain(lcm, i)->name, record->name))
			return i;
	return HL_NO_INDEX;
}

static void add_initial(struct merge *m, const struct hl_launch_domain *record)
{
	uint32_t index = planned_index(m->s->lcm, record);
	struct hl_domain *row = new_row(m);
	const struct hl_lcm_domain *planned = NULL;
	const struct hl_live_domain *live;
	const char *name = "";

	copy_record(row, record);
	if (index != HL_NO_INDEX) {
		planned = hl_lcm_get_domain(m->s->lcm, index);
		row->index = index;
		if (row->domid == HL_NO_DOMID)
			row->generation = index;
		m->recorded |= 1ull << index;
		row->lcm_node = text(m, planned->node);
		row->security_label = text(m, planned->security_id ? planned->security_id : "");
	}
	set_error(m, row, record);
	live = claim(m, record, &name);
	row->name = text(m, *name ? name : record->name);
	initial_state(row, record, live);
	if (live)
		set_live(m, row, live);
	row->roles = roles(row, &m->s->launch);
	add_modules(m, row, record, planned);
	if (planned)
		drift_find(&m->table->arena, m->s, planned, record, live, row);
}

/* FNV-1a, folded to 32 bits to keep D-Bus object paths short. */
static uint64_t handle_generation(const uint8_t handle[16])
{
	uint64_t hash = 0xcbf29ce484222325;

	for (int i = 0; i < 16; i++)
		hash = (hash ^ handle[i]) * 0x100000001b3;
	hash = (hash ^ hash >> 32) & UINT32_MAX;
	return hash | UINT32_C(1) << 31; /* lower ones are for initial domains */
}

/* After a boot without an LCM dom0 has each role that Xen reports for no other domain. */
static void classic_roles(struct hl_domain *row, const struct hl_launch *launch)
{
	uint32_t hardware = launch->hardware_domid;

	if (row->domid == 0)
		row->permissions |= HL_PERM_CONTROL;
	if (row->domid == (hardware == HL_NO_DOMID ? 0 : hardware))
		row->permissions |= HL_PERM_HARDWARE;
	if (row->domid == launch->console_domid)
		row->functions |= HL_FUNC_CONSOLE;
	if (row->domid == launch->xenstore_domid)
		row->functions |= HL_FUNC_XENSTORE;
}

static void add_post_boot(struct merge *m, const struct hl_live_domain *live, const char *name)
{
	bool dom0 = live->domid == 0 && (!m->s->available || m->s->launch.state == HL_LAUNCH_NONE);
	struct hl_domain *row = new_row(m);

	row->domid = live->domid;
	row->origin = dom0 ? HL_ORIGIN_BOOT : HL_ORIGIN_POST_BOOT;
	row->generation = dom0 ? 0 : handle_generation(live->handle);
	row->name = text(m, name ? name : live->name);
	row->mode = live->hvm ? 0 : HL_MODE_PV;
	set_live(m, row, live);
	memcpy(row->uuid, row->handle, sizeof(row->uuid));
	memcpy(row->uuid_text, row->handle_text, sizeof(row->uuid_text));
	post_boot_state(row, live);
	if (m->s->available && m->s->launch.state == HL_LAUNCH_NONE)
		classic_roles(row, &m->s->launch);
	if (live->xenstore)
		row->functions |= HL_FUNC_XENSTORE;
	row->roles = roles(row, &m->s->launch);
}

static int compare_rows(const void *a, const void *b)
{
	return domain_compare(a, b);
}

/* Adds domains of the LCM that Xen has no record of, because it rejected the LCM. */
static void add_planned(struct merge *m)
{
	for (uint32_t i = 0; m->s->lcm && i < hl_lcm_nr_domains(m->s->lcm); i++) {
		struct hl_launch_domain record;

		if (m->recorded & 1ull << i)
			continue;
		lcm_planned(m->s->lcm, i, &record);
		add_initial(m, &record);
	}
}

/*
 * Adds all domains, by rising domid: the live ones are in that order, so only the initial
 * ones, which are few, have to be sorted and go in between.  A domid's initial domain
 * precedes the one that has it now.
 */
static void merge_rows(struct merge *m, const struct hl_domain *initial, uint32_t nr_initial)
{
	uint32_t next = 0;

	for (size_t i = 0; i < m->s->nr_live; i++) {
		const struct hl_live_domain *live = &m->s->live[i];

		if (m->claimed[i])
			continue;
		while (next < nr_initial && initial[next].domid <= live->domid)
			m->rows[m->nr_rows++] = initial[next++];
		add_post_boot(m, live, m->s->names[i]);
	}
	while (next < nr_initial)
		m->rows[m->nr_rows++] = initial[next++];
}

/* Returns 0, or -EBADMSG: two rows have the same domid and generation. */
static int check_order(const struct hl_table *t)
{
	for (uint32_t i = 1; i < t->nr_domains; i++)
		if (domain_compare(&t->domains[i - 1], &t->domains[i]) >= 0)
			return -EBADMSG;
	return 0;
}

/* initial: room for the initial domains, until they have their places in the table. */
static void add_rows(struct merge *m, struct hl_domain *initial)
{
	uint32_t nr_initial;

	m->rows = initial;
	for (uint32_t i = 0; i < m->s->launch.nr_domains; i++)
		add_initial(m, &m->s->domains[i]);
	add_planned(m);
	nr_initial = m->nr_rows;
	qsort(initial, nr_initial, sizeof(*initial), compare_rows);
	m->rows = m->table->domains;
	m->nr_rows = 0;
	merge_rows(m, initial, nr_initial);
	m->table->nr_domains = m->nr_rows;
}

static int make_rows(struct merge *m)
{
	const struct hl_snapshot *s = m->s;
	struct hl_table *t = m->table;
	size_t max_initial = s->launch.nr_domains + (s->lcm ? hl_lcm_nr_domains(s->lcm) : 0);
	struct hl_domain *initial;

	t->domains = reallocarray(NULL, max_initial + s->nr_live + 1, sizeof(*t->domains));
	m->claimed = arena_alloc(&t->arena, s->nr_live, sizeof(*m->claimed));
	if (!t->domains || !m->claimed)
		return -ENOMEM;
	initial = calloc(max_initial + 1, sizeof(*initial));
	if (!initial)
		return -ENOMEM;
	add_rows(m, initial);
	free(initial);
	return check_order(t);
}

/* Sets the names of the domains whose bit is set in users. */
static void module_users(struct merge *m, uint32_t users, struct hl_table_module *module)
{
	const char **names =
		arena_alloc(&m->table->arena, (size_t)__builtin_popcount(users), sizeof(*names));

	for (uint32_t i = 0; names && i < m->s->launch.nr_domains && i < 32; i++)
		if (users & (1u << i))
			names[module->nr_domains++] = text(m, m->s->domains[i].name);
	module->domains = names;
}

static int make_modules(struct merge *m)
{
	const struct hl_snapshot *s = m->s;
	struct hl_table *t = m->table;

	t->modules = arena_alloc(&t->arena, s->launch.nr_modules, sizeof(*t->modules));
	if (!t->modules)
		return -ENOMEM;
	t->nr_modules = s->launch.nr_modules;
	for (uint32_t i = 0; i < t->nr_modules; i++) {
		const struct hl_launch_module *loaded = &s->modules[i];
		struct hl_table_module *module = &t->modules[i];

		*module = (struct hl_table_module){
			.index = loaded->index,
			.type = loaded->type,
			.size = loaded->size,
		};
		memcpy(module->sha256, loaded->sha256, sizeof(module->sha256));
		module_users(m, loaded->users, module);
	}
	return 0;
}

static bool was_built(const struct hl_launch_domain *record)
{
	switch (record->state) {
	case HL_DOMAIN_PLANNED:
	case HL_DOMAIN_FAILED:
	case HL_DOMAIN_UNKNOWN:
		return record->built_ns;
	default:
		return true;
	}
}

static void count(struct merge *m, struct hl_summary *sum)
{
	const struct hl_snapshot *s = m->s;

	sum->expected = s->lcm ? hl_lcm_nr_domains(s->lcm) : s->launch.nr_domains;
	for (uint32_t i = 0; i < s->launch.nr_domains; i++) {
		sum->built += was_built(&s->domains[i]);
		sum->failed += s->domains[i].state == HL_DOMAIN_FAILED;
		sum->dynamic |= (s->domains[i].permissions & HL_PERM_CONTROL) != 0;
	}
	if (s->lcm)
		sum->dynamic = hl_lcm_is_dynamic(s->lcm);
}

static const char *domain_node(struct merge *m, uint32_t index)
{
	const struct hl_lcm_domain *d =
		m->s->lcm && index != HL_NO_INDEX ? hl_lcm_get_domain(m->s->lcm, index) : NULL;

	return d ? text(m, d->node) : "";
}

/*
 * The error that Xen reports, else the one that libhl finds in the LCM.  If both are
 * the same, the node is libhl's: Xen's may be cut off.
 */
static void summary_error(struct merge *m, struct hl_summary *sum)
{
	const struct hl_launch *launch = &m->s->launch;
	const struct hl_lcm_error *mine = &m->s->lcm_error;
	bool same = launch->error == mine->code;

	sum->error_text = sum->error_node = sum->error_prop = "";
	sum->error = launch->error ? launch->error : mine->code;
	if (!sum->error)
		return;
	sum->error_text = hl_error_text(sum->error);
	sum->error_prop = text(m, launch->error ? launch->error_prop : mine->prop);
	if (launch->error && launch->error_node[0] && !(same && mine->node[0]))
		sum->error_node = text(m, launch->error_node);
	else if (!launch->error || same)
		sum->error_node = text(m, mine->node);
	else
		sum->error_node = domain_node(m, launch->error_domain);
}

static void summary_warnings(struct merge *m, struct hl_summary *sum)
{
	uint32_t nr = m->s->lcm ? hl_lcm_nr_warnings(m->s->lcm) : 0;
	const char **warnings = arena_alloc(&m->table->arena, nr, sizeof(*warnings));

	if (!warnings)
		return;
	for (uint32_t i = 0; i < nr; i++)
		warnings[i] = text(m, hl_lcm_get_warning(m->s->lcm, i));
	sum->warnings = warnings;
	sum->nr_warnings = nr;
}

static const char *source(const struct hl_snapshot *s)
{
	if (!s->available || s->launch.state == HL_LAUNCH_NONE)
		return "none";
	return strcmp(s->backend, "sim") ? "hypervisor" : "simulated";
}

static void make_summary(struct merge *m)
{
	const struct hl_launch *launch = &m->s->launch;
	struct hl_summary *sum = &m->table->summary;

	*sum = (struct hl_summary){
		.state = launch->state,
		.available = m->s->available,
		.source = source(m->s),
		.form = m->s->lcm ? hl_lcm_form(m->s->lcm) : "",
		.hardware_domid = launch->hardware_domid,
		.boot_domid = launch->boot_domid,
		.crash_domid = launch->crash_domid,
		.console_domid = launch->console_domid,
		.xenstore_domid = launch->xenstore_domid,
		.console_owner = launch->console_owner,
		.self_domid = m->s->available ? launch->self_domid : HL_NO_DOMID,
		.weak_hardware = launch->weak_hardware,
		.lcm_size = launch->lcm_size,
		.start_ns = launch->start_ns,
		.end_ns = launch->end_ns,
		.nr_events = launch->nr_events,
	};
	memcpy(sum->lcm_sha256, launch->lcm_sha256, sizeof(sum->lcm_sha256));
	count(m, sum);
	summary_error(m, sum);
	summary_warnings(m, sum);
}

HL_EXPORT int hl_table_new(const struct hl_snapshot *snapshot, struct hl_table **ret_table)
{
	struct hl_table *table = calloc(1, sizeof(*table));
	struct merge m = {.s = snapshot, .table = table};
	int r;

	if (!table)
		return -ENOMEM;
	table->refs = 1;
	r = make_rows(&m);
	if (!r)
		r = make_modules(&m);
	if (!r)
		make_summary(&m);
	if (!r && table->arena.failed)
		r = -ENOMEM;
	if (r) {
		hl_table_unref(table);
		return r;
	}
	*ret_table = table;
	return 0;
}
