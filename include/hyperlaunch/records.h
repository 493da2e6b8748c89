/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records, as Xen keeps them.  Most callers need a snapshot and a table instead, which
 * combine them.
 */
#ifndef HYPERLAUNCH_RECORDS_H
#define HYPERLAUNCH_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "names.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hl_launch {
	enum hl_launch_state state;
	uint32_t nr_domains; /* indexes of hl_get_domain() are 0..nr_domains - 1 */
	uint32_t nr_modules; /* indexes of hl_get_module() are 1..nr_modules */
	/* The domain with each role; HL_NO_DOMID: none.  Several may have control. */
	uint32_t hardware_domid;
	uint32_t boot_domid;
	uint32_t crash_domid;
	uint32_t console_domid; /* the domain with the console function */
	uint32_t xenstore_domid;
	uint32_t console_owner; /* the domain that has the Xen console now */
	uint32_t virq;		/* the interrupt that announces changes; 0: none */
	uint32_t self_domid;	/* the domain that this process runs in */
	uint32_t first_event;	/* sequence number of the oldest event kept */
	uint32_t nr_events;	/* sequence number of the next event */
	uint32_t lcm_size;	/* 0: no LCM */
	uint32_t error;		/* see hl_error_text(); 0: none */
	uint32_t error_domain;	/* index, or HL_NO_INDEX */
	/*
	 * The hardware domain has no CONTROL, and no IOMMU confines it: its devices can
	 * access all memory.
	 */
	bool weak_hardware;
	uint8_t lcm_sha256[HL_SHA256_SIZE];
	uint64_t start_ns; /* time since Xen's start: LCM found; 0: no LCM */
	uint64_t end_ns;   /* complete, recovery or failed; 0: not yet */
	/* Location of the error, as printed on Xen's console; "": not known, or none. */
	char error_node[HL_PATH_SIZE];
	char error_prop[HL_PROP_SIZE];
};

struct hl_launch_domain {
	uint32_t index;		    /* position in the LCM, from 0 */
	enum hl_domain_state state; /* PLANNED..RECLAIMED, or UNKNOWN */
	uint32_t requested_domid;   /* as in the LCM; 0: the next free one */
	uint32_t domid;		    /* HL_NO_DOMID before it is built */
	uint32_t adoption;	    /* 0: Xen has built the domain; else see hl_adopt() */
	uint32_t permissions, functions, mode; /* implied ones included */
	uint32_t cpus;
	uint64_t memory_kib;
	uint8_t uuid[16];	  /* all zero: none */
	uint32_t ssidref;	  /* 0 without FLASK */
	uint32_t error;		  /* see hl_error_text(); 0: none */
	uint32_t errnum;	  /* positive errno of Xen's builder; 0: none */
	uint32_t kernel, ramdisk; /* module index, or HL_NO_INDEX */
	/* The domain's own event channels; 0: none, or not known of an adopted PV domain. */
	uint32_t store_port, console_port;
	uint64_t store_gfn, console_gfn;	 /* HL_NO_GFN: likewise */
	uint64_t built_ns, started_ns, ready_ns; /* since Xen's start; 0: not yet */
	char name[HL_NAME_SIZE];
	char error_prop[HL_PROP_SIZE]; /* "": none */
};

struct hl_launch_module {
	uint32_t index; /* in the boot chain, where the LCM is 0 */
	enum hl_module_type type;
	uint64_t size;			/* as loaded */
	uint8_t sha256[HL_SHA256_SIZE]; /* as loaded, before Xen unpacked it */
	uint32_t users;			/* bit i: the domain with index i uses it */
};

struct hl_event {
	uint64_t time_ns; /* since Xen's start */
	uint32_t seq;	  /* from 0, no gaps */
	enum hl_event_type type;
	uint32_t domid; /* HL_NO_DOMID: concerns the launch as a whole */
	uint32_t arg;	/* see enum hl_event_type */
};

/* A domain that exists now, initial or not. */
struct hl_live_domain {
	uint32_t domid;
	uint8_t handle[16]; /* a UUID set by a toolstack or the LCM; all zero: none */
	bool hvm;	    /* HVM or PVH; else PV */
	bool dying, shutdown, paused, running, blocked;
	bool xenstore;		 /* flagged as the xenstore domain */
	uint32_t shutdown_code;	 /* see hl_shutdown_name(); valid if shutdown */
	uint64_t memory_max;	 /* bytes; HL_UNLIMITED: no limit */
	uint64_t memory_current; /* bytes */
	/*
	 * Bytes that are claimed for it and not allocated yet, that it shares with others, and
	 * that are paged out.
	 */
	uint64_t memory_outstanding, memory_shared, memory_paged;
	uint32_t vcpus_max, vcpus_online;
	uint64_t cpu_time_ns;	 /* that its vCPUs have run, together */
	uint32_t ssidref;	 /* 0 without FLASK */
	char name[HL_NAME_SIZE]; /* "sim" only; "" with "xen", which has no names */
	char label[128];	 /* FLASK's context of ssidref; "" without FLASK */
};

struct hl_scheduling {
	uint32_t weight; /* 0: a scheduler without weights */
	uint32_t cap;	 /* in % of one CPU; 0: none */
};

/*
 * The host's CPUs that a domain's vCPUs may run on (hard) and prefer (soft): "all", "0-1,3",
 * or "0-1: 0; 2: all" if vCPUs differ; "" if it has none.  "..." at the end: cut off.
 */
struct hl_affinity {
	char hard[HL_AFFINITY_SIZE], soft[HL_AFFINITY_SIZE];
};

/*
 * Reads the record of the launch as a whole.  Its state is NONE if Xen booted
 * without an LCM.  Returns 0, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_get_launch(struct hl_ctx *ctx, struct hl_launch *ret_launch) HL_MUST_CHECK;

/*
 * Reads the record of an initial domain, by its position in the LCM, from 0.
 * Returns 0, -ENOENT: beyond the last, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_get_domain(struct hl_ctx *ctx, uint32_t index,
		  struct hl_launch_domain *ret_domain) HL_MUST_CHECK;

/*
 * Reads the record of a boot module, by its index in the boot chain, from 1.
 * Returns 0, -ENOENT: no such module, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_get_module(struct hl_ctx *ctx, uint32_t index,
		  struct hl_launch_module *ret_module) HL_MUST_CHECK;

/* The host as the hypervisor sees it.  Texts are "" where it does not say. */
struct hl_host {
	char version[64];		    /* "4.20.4-pre" */
	char capabilities[128];		    /* guest types: "xen-3.0-x86_64 hvm-3.0-x86_32 ..." */
	char scheduler[16];		    /* "credit2" */
	uint64_t memory_total, memory_free; /* bytes */
	uint32_t cpus;			    /* online */
	uint32_t cpu_khz;		    /* 0: not known */
	bool hvm, iommu;		    /* domains may be HVM or PVH; devices can be assigned */
};

/*
 * Reads the facts above; what changes is as of now.
 * Returns 0, or an error of the hypervisor: -EPERM also if this domain has no control.
 * Since: 0.1
 */
int hl_get_host(struct hl_ctx *ctx, struct hl_host *ret_host) HL_MUST_CHECK;

/*
 * Reads the hypervisor's log, oldest line first, as far as its buffer has it; the
 * caller has to free(*ret_text), which ends in a NUL that *ret_size does not count.
 * It has output of domains too: bytes are as they were written.
 * Returns 0, -ENOMEM, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_read_log(struct hl_ctx *ctx, char **ret_text, size_t *ret_size) HL_MUST_CHECK;

/*
 * Reads the LCM; the caller has to free(*ret_blob).
 * Returns 0, -ENOENT: Xen booted without an LCM, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_read_lcm(struct hl_ctx *ctx, void **ret_blob, size_t *ret_size) HL_MUST_CHECK;

/*
 * Reads the launch log from sequence number since on, or from the oldest event that
 * Xen still keeps.
 * Returns 0, -ENOENT: Xen booted without an LCM, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_events_read(struct hl_ctx *ctx, uint32_t since, struct hl_events **ret_events) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_events *hl_events_free(struct hl_events *events);

/*
 * Return the number of events, and one of them, i from 0, the oldest first; NULL: beyond
 * the last.
 * Since: 0.1
 */
size_t hl_events_nr(const struct hl_events *events);
const struct hl_event *hl_events_get(const struct hl_events *events, size_t i);

/*
 * Read how a live domain is scheduled.  A snapshot does not have it: each domain, and each
 * of its vCPUs, takes a hypercall of its own, and changes are not announced.
 * @nr_vcpus: as vcpus_max in struct hl_live_domain
 * Return 0, -ESRCH: no such domain, or an error of the hypervisor; then *ret is all zero.
 * Since: 0.1
 */
int hl_get_scheduling(struct hl_ctx *ctx, uint32_t domid, struct hl_scheduling *ret) HL_MUST_CHECK;
int hl_get_affinity(struct hl_ctx *ctx, uint32_t domid, uint32_t nr_vcpus,
		    struct hl_affinity *ret) HL_MUST_CHECK;

/* A vCPU of a live domain. */
struct hl_vcpu {
	bool online;  /* not taken off by the domain or a toolstack */
	bool running; /* on a CPU of the host now */
	bool blocked; /* waits for an event; neither: waits for a CPU, or its domain does not run */
	uint32_t cpu; /* of the host, that it runs on or ran on last */
	uint64_t cpu_time_ns;
};

/*
 * Reads a vCPU of a live domain.  A snapshot does not have it: each takes a hypercall of its
 * own.
 * @vcpu: from 0 to vcpus_max - 1 of struct hl_live_domain; not each of these has to exist
 * Returns 0, -ESRCH: no such domain, or it has no such vCPU; or an error of the hypervisor.
 * Since: 0.1
 */
int hl_get_vcpu(struct hl_ctx *ctx, uint32_t domid, uint32_t vcpu,
		struct hl_vcpu *ret_vcpu) HL_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* HYPERLAUNCH_RECORDS_H */
