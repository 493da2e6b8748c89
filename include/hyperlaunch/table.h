/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Table: one row per domain. */
#ifndef HYPERLAUNCH_TABLE_H
#define HYPERLAUNCH_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "names.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hl_domain_module {
	enum hl_module_type type;
	uint32_t index;			/* in the boot chain; HL_NO_INDEX: none */
	uint64_t size;			/* as loaded; 0: not known */
	uint8_t sha256[HL_SHA256_SIZE]; /* as loaded; all zero: not known */
};

struct hl_drift {
	/*
	 * "domid", "name", "uuid", "permissions", "functions", "mode", "cpus",
	 * "memory_kib", "security_label", "module N digest"
	 */
	const char *field;
	const char *lcm, *actual; /* "": none */
};

/*
 * domid and generation together identify a row permanently: a domid that is used
 * again has another generation.  The generation of an initial domain is 0, of an adopted
 * one the number of its adoption (see hl_adopt()); without a domid it is the index.  That
 * of a post-boot domain is computed from its handle, so it is the same in each process.
 * (Only a domid and a handle that are used again
 * together identify the same row.)
 *
 * No string is NULL; all are as hl_utf8_dup() makes them.
 */
struct hl_domain {
	uint32_t domid; /* or HL_NO_DOMID */
	uint64_t generation;
	enum hl_origin origin;
	/*
	 * By hl_adopt(): an initial domain that a toolstack has built in the place of the one
	 * that Xen had.  The modules, with their digests, are those of the boot: what this
	 * domain was built of is not known.
	 */
	bool adopted;
	uint32_t index;		  /* in the LCM; HL_NO_INDEX: not from the LCM */
	uint32_t requested_domid; /* 0: the next free one; HL_NO_DOMID: post-boot */
	const char *name;	  /* xenstore's, else the LCM's, else "" */
	/* Initial domains: the LCM's, nil if it has none; post-boot domains: the handle. */
	uint8_t uuid[16];
	char uuid_text[HL_UUID_TEXT_SIZE];
	/* What Xen has now, which toolstacks use as the UUID; nil if not live. */
	uint8_t handle[16];
	char handle_text[HL_UUID_TEXT_SIZE]; /* "" if not live */
	/* For post-boot domains mode has no other bit than PV. */
	uint32_t permissions, functions, mode;
	uint32_t roles; /* bits 1 << enum hl_role; 0 once reclaimed or failed */
	enum hl_domain_state state;
	const char *reason;		     /* why it is in that state; "": nothing to add */
	bool live;			     /* exists now: memory_max to cpu_time_ns are valid */
	uint64_t memory_max, memory_current; /* bytes; memory_max may be HL_UNLIMITED */
	uint64_t memory_outstanding, memory_shared, memory_paged; /* as in struct hl_live_domain */
	uint32_t vcpus_max, vcpus_online;
	uint64_t cpu_time_ns;				  /* that its vCPUs have run, together */
	uint64_t memory_planned_kib;			  /* 0: post-boot */
	uint32_t vcpus_planned;				  /* 0: post-boot */
	uint32_t ssidref;				  /* 0 without FLASK */
	const char *security_label;			  /* the one in effect, else the LCM's */
	const char *lcm_node;				  /* path; "": not from the LCM */
	uint32_t error;					  /* see hl_error_name(); 0: none */
	uint32_t errnum;				  /* positive errno of Xen's builder */
	const char *error_text, *error_node, *error_prop; /* "": none */
	uint32_t store_port, console_port;		  /* 0: none */
	uint64_t store_gfn, console_gfn;		  /* HL_NO_GFN: none */
	uint64_t built_ns, started_ns, ready_ns; /* since Xen's start; 0: not yet or never */
	uint32_t nr_modules;
	const struct hl_domain_module *const *modules; /* [nr_modules] */
	uint32_t nr_drift;
	const struct hl_drift *const *drift; /* [nr_drift] */
};

struct hl_table_module {
	uint32_t index;
	enum hl_module_type type;
	uint64_t size;
	uint8_t sha256[HL_SHA256_SIZE];
	uint32_t nr_domains;
	const char *const *domains; /* names of the domains that use it, in LCM order */
};

/* The launch as a whole.  Strings are as in struct hl_domain. */
struct hl_summary {
	enum hl_launch_state state;
	bool available;	    /* this Xen has Hyperlaunch, and permits to read it */
	const char *source; /* "hypervisor", "simulated", or "none": no LCM */
	const char *form;   /* as hl_lcm_form(); "": not known */
	bool dynamic;	    /* a domain has CONTROL */
	uint32_t expected;  /* number of domains in the LCM */
	uint32_t built;	    /* number of these that were built, existing or not */
	uint32_t failed;    /* number of these in state FAILED */
	uint32_t error;	    /* see hl_error_name(); 0: none */
	const char *error_text, *error_node, *error_prop; /* "": none */
	/* HL_NO_DOMID: none, or not known */
	uint32_t hardware_domid, boot_domid, crash_domid, console_domid, xenstore_domid;
	uint32_t console_owner; /* the domain that has the Xen console now */
	uint32_t self_domid;	/* the domain that this process runs in */
	bool weak_hardware;	/* as in struct hl_launch */
	uint32_t lcm_size;	/* bytes; 0: no LCM */
	uint8_t lcm_sha256[HL_SHA256_SIZE];
	uint64_t start_ns, end_ns; /* since Xen's start; 0: not yet, or never */
	uint32_t nr_events;	   /* sequence number of the next event */
	uint32_t nr_warnings;
	const char *const *warnings;
};

/*
 * Merges LCM, launch records and live domains into a table, with one reference.
 * Equal snapshots make equal tables.  The snapshot may be freed afterwards.
 * Returns 0, or -EBADMSG: the records are inconsistent (two rows have the same domid
 * and generation).
 * Since: 0.1
 */
int hl_table_new(const struct hl_snapshot *snapshot, struct hl_table **ret_table) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_table *hl_table_ref(struct hl_table *table);
struct hl_table *hl_table_unref(struct hl_table *table);

/*
 * Returns the row of the launch as a whole.
 * Since: 0.1
 */
const struct hl_summary *hl_table_summary(const struct hl_table *table);

/*
 * Return the number of rows, and one of them, i from 0; NULL: beyond the last.  They
 * are ordered by domid and generation; domains without a domid come last, in LCM
 * order.
 * Since: 0.1
 */
uint32_t hl_table_nr_domains(const struct hl_table *table);
const struct hl_domain *hl_table_get(const struct hl_table *table, uint32_t i);

/*
 * Return the number of boot modules, and one of them by rising index, i from 0; NULL:
 * beyond the last.
 * Since: 0.1
 */
uint32_t hl_table_nr_modules(const struct hl_table *table);
const struct hl_table_module *hl_table_get_module(const struct hl_table *table, uint32_t i);

/*
 * Find a row by domid, name or UUID, which is compared with the row's uuid and its
 * handle.  The row of a live domain is preferred to that of another.
 * Return 0, or -ENOENT: no such row, always for HL_NO_DOMID, "" and the nil UUID;
 * -ENOTUNIQ: several live domains have that name or UUID, which neither Xen nor
 * toolstacks prevent.
 * Since: 0.1
 */
int hl_table_find_domid(const struct hl_table *table, uint32_t domid,
			const struct hl_domain **ret_domain) HL_MUST_CHECK;
int hl_table_find_name(const struct hl_table *table, const char *name,
		       const struct hl_domain **ret_domain) HL_MUST_CHECK;
int hl_table_find_uuid(const struct hl_table *table, const uint8_t uuid[16],
		       const struct hl_domain **ret_domain) HL_MUST_CHECK;

/*
 * Finds a row by domid and generation.  Returns 0, or -ENOENT: no such row.
 * Since: 0.1
 */
int hl_table_find(const struct hl_table *table, uint32_t domid, uint64_t generation,
		  const struct hl_domain **ret_domain) HL_MUST_CHECK;

/*
 * Iterates over the domains that have a role: returns the first if prev is NULL, else
 * the one after prev; NULL: no more.
 * Since: 0.1
 */
const struct hl_domain *hl_table_next_role(const struct hl_table *table, enum hl_role role,
					   const struct hl_domain *prev);

#ifdef __cplusplus
}
#endif

#endif /* HYPERLAUNCH_TABLE_H */
