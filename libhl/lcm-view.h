/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * struct hl_lcm: the LCM as <hyperlaunch/control-module.h> presents it, on top of the
 * parser shared with Xen.
 */
#ifndef LIBHL_LCM_VIEW_H
#define LIBHL_LCM_VIEW_H

#include <stdatomic.h>

#include <xen/lib/hyperlaunch/lcm.h>

#include "util.h"

#define HL_CLASSIC_MODULES 2 /* a kernel and a ramdisk */

struct hl_lcm {
	atomic_uint refs;
	struct arena arena; /* all strings and arrays */
	size_t size;
	const void *blob;
	struct lcm lcm;		       /* points into blob */
	struct hl_lcm_domain *domains; /* [lcm.nr_domains] */
	struct hl_lcm_module *modules; /* [lcm.nr_modules] */
	struct hl_lcm_pci *pci;	       /* [lcm.nr_pci] */
	struct hl_lcm_vcpu *vcpus;     /* [lcm.nr_vcpus] */
	struct hl_lcm_disk *disks;     /* [lcm.nr_disks] */
	struct hl_lcm_nic *nics;       /* [lcm.nr_nics] */
	const char **warnings;	       /* [lcm.nr_warnings] */
	uint32_t nr_classic;	       /* see lcm_find_classic() */
	struct hl_lcm_module classic[HL_CLASSIC_MODULES];
};

/* Formats a PCI address: "0000:01:10.0". */
#define SBDF_TEXT_SIZE 16
void sbdf_to_text(uint32_t sbdf, char text[SBDF_TEXT_SIZE]);

/* Converts an error of the parser about blob, which may be any bytes. */
void lcm_error_view(const void *blob, const struct lcm_error *err, struct hl_lcm_error *ret_view);

/*
 * Parses an LCM that hl_lcm_new() rejects as Xen does for recovery: with its crash
 * domain alone.  Returns 0, -ENOMEM, or -EINVAL: no valid crash domain.
 */
int lcm_recovery_view(const void *blob, size_t size, struct hl_lcm **ret_lcm);

/* Makes the record that Xen has of the domain with this index before it builds it. */
void lcm_planned(const struct hl_lcm *lcm, uint32_t index, struct hl_launch_domain *ret_record);

/* Sets classic[] to the modules of the dom0 of a dom0less tree, if there is one. */
void lcm_find_classic(struct hl_lcm *lcm);

/* Converts LCM_MODULE_*; HL_MODULE_UNUSED for others. */
enum hl_module_type module_type_view(uint32_t type);

#endif /* LIBHL_LCM_VIEW_H */
