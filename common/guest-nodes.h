/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One initial domain's place in xenstore: the nodes that a toolstack would have
 * made for it, and its introduction to xenstored.
 */
#ifndef COMMON_GUEST_NODES_H
#define COMMON_GUEST_NODES_H

#include <stdint.h>

#include "common/xs-ops.h"

#define XS_GUEST_NAME_MAX 63

struct xs_guest {
	uint32_t domid;
	uint32_t toolstack_domid; /* ours: owns what the guest may only read */
	uint32_t console_domid;	  /* serves the PV console */
	const char *name;	  /* 1 to XS_GUEST_NAME_MAX bytes, no control characters */
	const char *uuid;	  /* canonical text; a nil UUID is refused */
	const char *type;	  /* "pvh" or "pv" */
	uint64_t memory_kib;
	uint32_t vcpus;
	uint64_t start_usec; /* of the wall clock */
	uint32_t store_port; /* the guest's own ports; 0: it has no ring to xenstored */
	uint64_t store_gfn;
	uint32_t console_port; /* 0: no console */
	uint64_t console_gfn;
};

/* -EINVAL: something in it cannot stand in xenstore; *ret_field names it. */
int xs_guest_check(const struct xs_guest *guest, const char **ret_field);

/*
 * Writes the nodes in one transaction, all of them or none, unless they are
 * there already, and then introduces the domain, if it has a ring, unless it is
 * introduced.  It may be stopped at any point and called again.
 *
 * 1: introduced (without a ring: named) now; 0: was before, nothing done.  -EINVAL as above;
 * -EAGAIN: others changed the same nodes again and again; else what xenstored says.
 */
int xs_guest_introduce(const struct xs_ops *ops, struct xs_handle *h, const struct xs_guest *guest);

#endif /* COMMON_GUEST_NODES_H */
