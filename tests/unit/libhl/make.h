/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of libhl have in common. */
#ifndef TEST_MAKE_H
#define TEST_MAKE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "snapshot.h"

/* The directory of the compiled fixtures: argv[1]. */
extern const char *fixture_dir;
int set_fixture_dir(int argc, char **argv);

/* A simulator of the fixture NAME.dtb; options such as ",control=PATH", or "". */
struct hl_ctx *sim_of(const char *name, const char *options);

/* Runs a simulator's command that has to succeed. */
void command(struct hl_ctx *ctx, const char *text);

struct hl_table *table_of(struct hl_ctx *ctx);
const struct hl_domain *row_named(const struct hl_table *table, const char *name);

/* The bytes of a fixture; the caller frees them. */
void *load_fixture(const char *name, size_t *ret_size);

/*
 * Snapshots by hand.  make_snapshot() has room for so many records and live
 * domains, in no particular state; all belong to hl_snapshot_free().
 */
struct hl_snapshot *make_snapshot(uint32_t nr_domains, uint32_t nr_modules, size_t nr_live);
void make_record(struct hl_snapshot *s, uint32_t index, const char *name, uint32_t domid,
		 enum hl_domain_state state);
struct hl_live_domain *make_live(struct hl_snapshot *s, size_t i, uint32_t domid);

#endif /* TEST_MAKE_H */
