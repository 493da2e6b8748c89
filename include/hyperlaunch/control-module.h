/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* struct hl_lcm: a launch control module (LCM), parsed and checked; its export as text. */
#ifndef HYPERLAUNCH_CONTROL_MODULE_H
#define HYPERLAUNCH_CONTROL_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "names.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The first error of an LCM. */
struct hl_lcm_error {
	uint32_t code;		 /* see hl_error_name() */
	uint64_t value;		 /* the invalid value, if it is a number */
	char node[256];		 /* path of the node; "/": the LCM as a whole */
	char other_node[256];	 /* path of the node that it conflicts with; "": none */
	char prop[HL_PROP_SIZE]; /* "": the node itself */
	char text[768];		 /* all of that in one sentence, without a full stop */
};

enum hl_platform {
	HL_PLATFORM_GUESS, /* mb-index: x86; module addresses: Arm */
	HL_PLATFORM_X86,
	HL_PLATFORM_ARM,
};

/* What an LCM is checked against.  0 in a field: not known, so not checked. */
struct hl_lcm_limits {
	enum hl_platform platform;
	uint32_t nr_modules;   /* boot modules after the LCM */
	uint64_t memory_kib;   /* of the host */
	uint32_t max_vcpus;    /* of a domain */
	uint32_t max_vcpus_pv; /* of a PV domain; 0: as max_vcpus */
	uint32_t host_cpus;    /* the host's CPUs are 0..host_cpus - 1 */
	bool no_pv32;	       /* reject 32-bit PV */
	bool strict;	       /* reject what this project's Xen does not build */
	bool source;	       /* a source LCM: a module may be located by `file` */
	bool no_modules;       /* no modules after the LCM: every index is invalid */
	/* A domain that is made after the launch: no domain has to have HARDWARE. */
	bool definition;
};

struct hl_lcm_module {
	enum hl_module_type type;
	uint32_t domain;	      /* index, or HL_NO_INDEX: for Xen itself */
	uint32_t index;		      /* in the boot chain; HL_NO_INDEX: not located by index */
	uint64_t addr, size;	      /* both 0: not located by address */
	const char *file;	      /* NULL: none */
	const char *bootargs;	      /* NULL: none */
	const uint8_t *digest_sha256; /* HL_SHA256_SIZE bytes; NULL: none */
	const char *node;	      /* path */
};

struct hl_lcm_pci {
	uint32_t domain;  /* index */
	const char *bdf;  /* "0000:01:10.0"; NULL: not given by address */
	const char *path; /* "0000:00:1c.0/00.0"; NULL: not given by path */
	const char *pf;	  /* address of the physical function; NULL: not by VF */
	uint32_t vf;	  /* number of the virtual function, from 0; valid with pf */
	/* If bdf, path and pf are NULL: each device that matches; HL_NO_INDEX: any. */
	uint32_t class_code, vendor, device;
	uint32_t count; /* maximum number of devices; 0: no limit */
	uint32_t slot;	/* virtual slot; HL_NO_INDEX: any */
	bool optional, permissive;
	bool no_reset;	  /* false: a device that can't be reset is an error */
	const char *node; /* path */
};

struct hl_lcm_vcpu {
	uint32_t domain;	   /* index */
	uint32_t id;		   /* from 0 */
	const char *hard_affinity; /* "0-3,6": the host's CPUs; NULL: any */
	const char *node;	   /* path */
};

struct hl_lcm_disk {
	uint32_t domain;    /* index */
	const char *path;   /* in the domain of the back end */
	const char *vdev;   /* "xvda" */
	const char *format; /* "raw" */
	/* Index; HL_NO_INDEX: none is given, and there is no hardware domain. */
	uint32_t backend;
	bool read_only;
	const char *node; /* path */
};

struct hl_lcm_nic {
	uint32_t domain;    /* index */
	const char *bridge; /* NULL: the back end's default */
	const char *mac;    /* "00:16:3e:00:00:01"; NULL: any */
	uint32_t backend;   /* as in struct hl_lcm_disk */
	const char *node;   /* path */
};

struct hl_lcm_domain {
	const char *name;		       /* as in the LCM, so not necessarily UTF-8 */
	const char *node;		       /* path */
	uint32_t requested_domid;	       /* 0: the next free one */
	uint32_t domid;			       /* the one that Xen will assign */
	uint32_t permissions, functions, mode; /* implied ones included */
	uint32_t cpus;
	uint64_t memory_kib;
	uint8_t uuid[16];	 /* all zero: none */
	const char *security_id; /* as written; NULL: the default, domu_t */
	bool hold;		 /* held until a control domain releases it */
	uint32_t start_after;	 /* bit i: starts after the domain with index i */
	/* Arguments for hl_lcm_get_module(), or HL_NO_INDEX. */
	uint32_t kernel, ramdisk, device_tree, config, firmware;
	const char *restart;	/* "never", "on-failure" or "always" */
	uint32_t restart_limit; /* maximum number of restarts in ten minutes */
};

/*
 * Parses and checks an LCM, of which it keeps a copy, and makes an object with one
 * reference.
 * @limits: NULL: nothing is known
 * @err: set on -EINVAL only; may be NULL
 *
 * Returns 0, or -EINVAL: the LCM is invalid.
 * Since: 0.1
 */
int hl_lcm_new(const void *blob, size_t size, const struct hl_lcm_limits *limits,
	       struct hl_lcm_error *err, struct hl_lcm **ret_lcm) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_lcm *hl_lcm_ref(struct hl_lcm *lcm);
struct hl_lcm *hl_lcm_unref(struct hl_lcm *lcm);

/*
 * Returns the bytes that the LCM was made from.
 * Since: 0.1
 */
const void *hl_lcm_get_blob(const struct hl_lcm *lcm, size_t *ret_size);

/*
 * Returns "hypervisor" (domains in /chosen/hypervisor) or "dom0less" (xen,domain
 * children of /chosen).
 * Since: 0.1
 */
const char *hl_lcm_form(const struct hl_lcm *lcm);

/*
 * Returns whether any domain has CONTROL: a dynamic launch, else a static one.
 * Since: 0.1
 */
bool hl_lcm_is_dynamic(const struct hl_lcm *lcm);

/*
 * Returns the time in milliseconds that the boot domain may take; 0: no limit.
 * Since: 0.1
 */
uint32_t hl_lcm_boot_timeout_ms(const struct hl_lcm *lcm);

/*
 * Return the number of, and one of: domains in LCM order; modules and other nodes in
 * the order of their nodes; warnings, each a sentence with the path of the node.
 * i is from 0; NULL: beyond the last.
 * Since: 0.1
 */
uint32_t hl_lcm_nr_domains(const struct hl_lcm *lcm);
const struct hl_lcm_domain *hl_lcm_get_domain(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_modules(const struct hl_lcm *lcm);
const struct hl_lcm_module *hl_lcm_get_module(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_pci(const struct hl_lcm *lcm);
const struct hl_lcm_pci *hl_lcm_get_pci(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_vcpus(const struct hl_lcm *lcm);
const struct hl_lcm_vcpu *hl_lcm_get_vcpu(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_disks(const struct hl_lcm *lcm);
const struct hl_lcm_disk *hl_lcm_get_disk(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_nics(const struct hl_lcm *lcm);
const struct hl_lcm_nic *hl_lcm_get_nic(const struct hl_lcm *lcm, uint32_t i);
uint32_t hl_lcm_nr_warnings(const struct hl_lcm *lcm);
const char *hl_lcm_get_warning(const struct hl_lcm *lcm, uint32_t i);

/*
 * Returns a module of /chosen itself in a "dom0less" tree, i from 0: of the dom0 that
 * Xen builds in the classic way, besides the domains of the LCM.  Its domain and
 * index are HL_NO_INDEX.  NULL: beyond the last, or there is no such dom0.
 * Since: 0.1
 */
const struct hl_lcm_module *hl_lcm_get_classic_module(const struct hl_lcm *lcm, uint32_t i);

/*
 * Formats the LCM as JSON: indented, in UTF-8, with a newline at its end.  libhl(3)
 * lists the fields.  The caller has to free(*ret_text).
 * Returns 0, or -ENOMEM.
 * Since: 0.1
 */
int hl_lcm_to_json(const struct hl_lcm *lcm, char **ret_text) HL_MUST_CHECK;

/*
 * Decompiles any flattened device tree to source that dtc(1) compiles to the same
 * tree.  Whether a property is cells, strings or bytes is guessed from its name and
 * content.  The caller has to free(*ret_text).
 * Returns 0, or -EINVAL: not a valid device tree; -EILSEQ: a name in it that source
 * cannot express.
 * Since: 0.1
 */
int hl_fdt_to_dts(const void *blob, size_t size, char **ret_text) HL_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* HYPERLAUNCH_CONTROL_MODULE_H */
