/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The LCM as libhl's users see it, over the parser that Xen has too. */
#ifndef LIBHL_LCM_H
#define LIBHL_LCM_H

#include <stdatomic.h>

#include <xen/lib/hyperlaunch/lcm.h>

#include "util.h"

struct hl_lcm {
	atomic_uint refs;
	struct arena arena;		/* all strings and arrays */
	size_t size;
	const void *blob;
	struct lcm lcm;			/* points into blob */
	struct hl_lcm_domain *domains;	/* [lcm.nr_domains] */
	struct hl_lcm_module *modules;	/* [lcm.nr_modules] */
	struct hl_lcm_pci *pci;		/* [lcm.nr_pci] */
	const char **warnings;		/* [lcm.nr_warnings] */
};

/* "0000:01:10.0" */
#define SBDF_TEXT_SIZE 16
void sbdf_to_text(uint32_t sbdf, char text[SBDF_TEXT_SIZE]);

/* err as the parser filled it, for a blob that may be broken. */
void lcm_error_view(const void *blob, const struct lcm_error *err, struct hl_lcm_error *ret_view);

/* Of an LCM that hl_lcm_new() refuses: its crash domain alone, as Xen takes it. */
int lcm_recovery_view(const void *blob, size_t size, struct hl_lcm **ret_lcm);

/* The record that Xen has of a domain before it builds it. */
void lcm_planned(const struct hl_lcm *lcm, uint32_t index, struct hl_launch_domain *ret_record);

enum hl_module_type module_type_view(uint32_t type);

#endif /* LIBHL_LCM_H */
