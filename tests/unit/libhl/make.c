// SPDX-License-Identifier: LGPL-2.1-or-later
/* Makes contexts, tables and records for tests. */
#include "make.h"

#include <stdio.h>
#include <string.h>

#define MAX_FIXTURE (1u << 20)

const char *fixture_dir;

int set_fixture_dir(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY-OF-FIXTURES\n", argv[0]);
		return 0;
	}
	fixture_dir = argv[1];
	return 1;
}

struct hl_ctx *sim_of(const char *name, const char *options)
{
	struct hl_ctx *ctx;
	char spec[512];

	snprintf(spec, sizeof(spec), "sim:%s/%s.dtb%s", fixture_dir, name, options);
	assert_return_code(hl_new(spec, NULL, NULL, &ctx), 0);
	return ctx;
}

void command(struct hl_ctx *ctx, const char *text)
{
	char *reply;

	if (hl_sim_command(ctx, text, &reply))
		fail_msg("'%s': %s", text, reply);
	free(reply);
}

struct hl_table *table_of(struct hl_ctx *ctx)
{
	struct hl_snapshot *snapshot;
	struct hl_table *table;

	assert_return_code(hl_snapshot_read(ctx, &snapshot), 0);
	assert_return_code(hl_table_new(snapshot, &table), 0);
	hl_snapshot_free(snapshot);
	return table;
}

const struct hl_domain *row_named(const struct hl_table *table, const char *name)
{
	const struct hl_domain *row;

	if (hl_table_find_name(table, name, &row))
		fail_msg("no row named '%s'", name);
	return row;
}

void *load_fixture(const char *name, size_t *ret_size)
{
	char path[512];
	void *blob, *exact;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.dtb", fixture_dir, name);
	file = fopen(path, "rb");
	if (!file) {
		fail_msg("cannot open %s", path);
		return NULL;
	}
	blob = malloc(MAX_FIXTURE);
	assert_non_null(blob);
	*ret_size = fread(blob, 1, MAX_FIXTURE, file);
	assert_in_range(*ret_size, 1, MAX_FIXTURE - 1);
	fclose(file);
	/* Exact, so that the sanitizers see what lies beyond. */
	exact = malloc(*ret_size);
	assert_non_null(exact);
	memcpy(exact, blob, *ret_size);
	free(blob);
	return exact;
}

struct hl_snapshot *make_snapshot(uint32_t nr_domains, uint32_t nr_modules, size_t nr_live)
{
	struct hl_snapshot *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->backend = "xen";
	s->available = true;
	s->launch = (struct hl_launch){
		.state = HL_LAUNCH_COMPLETE,
		.nr_domains = nr_domains,
		.nr_modules = nr_modules,
		.hardware_domid = HL_NO_DOMID,
		.boot_domid = HL_NO_DOMID,
		.crash_domid = HL_NO_DOMID,
		.console_domid = HL_NO_DOMID,
		.xenstore_domid = HL_NO_DOMID,
		.console_owner = HL_NO_DOMID,
		.error_domain = HL_NO_INDEX,
	};
	s->domains = calloc(nr_domains + 1, sizeof(*s->domains));
	s->modules = calloc(nr_modules + 1, sizeof(*s->modules));
	s->live = calloc(nr_live + 1, sizeof(*s->live));
	s->names = calloc(nr_live + 1, sizeof(*s->names));
	s->nr_live = nr_live;
	assert_true(s->domains && s->modules && s->live && s->names);
	for (uint32_t i = 0; i < nr_modules; i++)
		s->modules[i].index = i + 1;
	return s;
}

void make_record(struct hl_snapshot *s, uint32_t index, const char *name, uint32_t domid,
		 enum hl_domain_state state)
{
	struct hl_launch_domain *record = &s->domains[index];

	assert_true(index < s->launch.nr_domains);
	*record = (struct hl_launch_domain){
		.index = index,
		.state = state,
		.domid = domid,
		.cpus = 1,
		.memory_kib = 65536,
		.kernel = HL_NO_INDEX,
		.ramdisk = HL_NO_INDEX,
		.store_gfn = HL_NO_GFN,
		.console_gfn = HL_NO_GFN,
	};
	snprintf(record->name, sizeof(record->name), "%s", name);
}

struct hl_live_domain *make_live(struct hl_snapshot *s, size_t i, uint32_t domid)
{
	assert_true(i < s->nr_live);
	s->live[i] = (struct hl_live_domain){
		.domid = domid,
		.hvm = true,
		.running = true,
		.memory_max = 64u << 20,
		.memory_current = 64u << 20,
		.vcpus_max = 1,
		.vcpus_online = 1,
	};
	return &s->live[i];
}
