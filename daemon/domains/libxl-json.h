/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration of a domain as libxl has it in JSON: the type libxl_domain_config. */
#ifndef HYPERLAUNCHD_DOMAINS_LIBXL_JSON_H
#define HYPERLAUNCHD_DOMAINS_LIBXL_JSON_H

#include <stdint.h>

struct json_object;

struct libxl_guest {
	const char *type; /* "pv" or "pvh" */
	const char *name;
	const char *uuid;
	uint32_t vcpus;
	uint64_t memory_kib;
	const char *command_line; /* NULL: none */
	const char *label;	  /* of XSM; NULL: libxl's default */
	uint32_t domid;		  /* 0: the next free one */
	/* The host's CPUs that each vCPU may run on, as "0-3,6"; NULL in it: any.  NULL: no vCPU
	 * is kept from any. */
	const char *const *affinities; /* [vcpus] */
	uint32_t host_cpus;	       /* with affinities only */
};

/* -ENOMEM; -EINVAL: an affinity that is none. */
int libxl_json_make(const struct libxl_guest *guest, struct json_object **ret_config);

#endif
