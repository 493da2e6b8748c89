/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a caller wants a domain to be that is made after boot: read from the LCM's language, or from
 * libxl's JSON, and given on as the latter.
 */
#ifndef HYPERLAUNCHD_LIFECYCLE_DEFINITION_H
#define HYPERLAUNCHD_LIFECYCLE_DEFINITION_H

#include <hyperlaunch/hl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/guest-nodes.h"
#include "jobs/job.h"
#include "lifecycle/policy.h"
#include "lifecycle/vm.h"

struct json_object;

#define DEFINITION_MAX (64u << 10) /* bytes */

enum definition_module {
	MODULE_NONE,	 /* it has none, so no descriptor may come */
	MODULE_REQUIRED, /* it has one, which comes as a descriptor */
	MODULE_OPTIONAL, /* it is a descriptor, or the definition names a file */
};

struct definition {
	char name[XS_GUEST_NAME_MAX + 1];
	uint8_t uuid[16]; /* a new one where the caller has given none */
	char uuid_text[HL_UUID_TEXT_SIZE];
	enum definition_module kernel, ramdisk;
	char *kernel_file, *ramdisk_file; /* that an LCM names; NULL: none */
	bool hold;			  /* it stays paused */
	enum vm_sandbox sandbox;	  /* in which it can be made */
	struct policy policy;		  /* without the UUID */
	char *config;			  /* JSON for libxl */
};

/* Of who asks. */
struct definition_rules {
	bool trusted;	     /* may name what is on this host */
	const uint8_t *uuid; /* where the definition has none; NULL: a new one */
};

struct definition_refusal {
	enum job_error error;
	char why[1024];
};

/*
 * One domain, which needs nothing that a domain has from Xen's launch only.  0, or a negative
 * errno, with `ret_refusal`.
 */
int definition_from_lcm(const void *blob, size_t size, const struct definition_rules *rules,
			struct definition *ret_definition, struct definition_refusal *ret_refusal);

/*
 * trusted, here as above: it may have a label of XSM, which is what its domain is allowed, and name
 * files, scripts and devices of the host.  Values are libxl's matter, which looks at them when the
 * domain is made.
 */
int definition_from_json(const char *text, size_t size, const struct definition_rules *rules,
			 struct definition *ret_definition, struct definition_refusal *ret_refusal);

/* Of either language. */
int definition_read(bool json, const void *data, size_t size, const struct definition_rules *rules,
		    struct definition *ret_definition, struct definition_refusal *ret_refusal);

/*
 * libxl's JSON of one device, of what `type` says: "disk" or "nic"; as one of a whole domain is
 * looked at.  *ret_config: the caller's
 */
int definition_device(const char *type, const char *text, bool trusted, char **ret_config,
		      struct definition_refusal *ret_refusal);

/* What an initial domain has that is not in the LCM. */
struct definition_launched {
	uint32_t index; /* in the LCM */
	const char *name;
	uint8_t uuid[16];
	uint32_t host_cpus;
	const char *label; /* of XSM, or its type; NULL: none */
};

/*
 * An initial domain as it was launched, but for its number, and for the wait for others.  It may
 * have no permission, and no function but CONSOLE.
 */
int definition_from_launch(const struct hl_lcm *lcm, const struct definition_launched *launched,
			   struct definition *ret_definition,
			   struct definition_refusal *ret_refusal);

void definition_clear(struct definition *definition);

/* For both readers. */
int definition_refuse(struct definition_refusal *refusal, enum job_error error, const char *format,
		      ...) __attribute__((format(printf, 3, 4)));
int definition_set_name(struct definition *definition, const char *name,
			struct definition_refusal *refusal);
/*
 * Of a domain with a device model, b_info["type.hvm"].  What one may have there whose caller may
 * not name files, programs and addresses of this host; and what it has where its caller says
 * nothing, because libxl's own defaults are none that a caller would expect.
 */
int definition_check_hvm(struct json_object *variant, struct definition_refusal *refusal);
/* -ENOMEM */
int definition_complete_hvm(struct json_object *variant);

/* Nil: that of the rules. */
int definition_set_uuid(struct definition *definition, const uint8_t uuid[16],
			const struct definition_rules *rules, struct definition_refusal *refusal);

#endif
