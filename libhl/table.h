/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table from the inside: merge.c makes one, nothing changes it. */
#ifndef LIBHL_TABLE_H
#define LIBHL_TABLE_H

#include <stdatomic.h>

#include "util.h"

struct hl_table {
	atomic_uint refs;
	struct arena arena;		/* all strings and arrays */
	struct hl_summary summary;
	struct hl_domain *domains;	/* by rising (domid, generation) */
	uint32_t nr_domains;
	struct hl_table_module *modules;
	uint32_t nr_modules;
};

/* <0, 0, >0: the order of rows */
int domain_compare(const struct hl_domain *a, const struct hl_domain *b);

#endif /* LIBHL_TABLE_H */
