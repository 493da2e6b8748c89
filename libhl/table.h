/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* struct hl_table: made by table-merge.c, immutable afterwards. */
#ifndef LIBHL_TABLE_H
#define LIBHL_TABLE_H

#include <stdatomic.h>

#include "util.h"

struct hl_table {
	atomic_uint refs;
	struct arena arena; /* all strings and the other arrays */
	struct hl_summary summary;
	struct hl_domain *domains; /* [nr_domains], by rising (domid, generation) */
	uint32_t nr_domains;
	struct hl_table_module *modules; /* [nr_modules], by rising index */
	uint32_t nr_modules;
};

/* Compares by (domid, generation), the order of rows.  Returns <0, 0 or >0. */
int domain_compare(const struct hl_domain *a, const struct hl_domain *b);

#endif /* LIBHL_TABLE_H */
