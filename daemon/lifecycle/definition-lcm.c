// SPDX-License-Identifier: LGPL-2.1-or-later
/* The LCM's own parser reads it, and what vmd cannot do with it is refused here. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "domains/libxl-json.h"
#include "lifecycle/definition.h"

static void lcm_unrefp(struct hl_lcm **lcm)
{
	hl_lcm_unref(*lcm);
}

/* Why only Xen's launch makes such a domain; NULL: it can be made later. */
static const char *find_unsupported(const struct hl_lcm *lcm, const struct hl_lcm_domain *domain)
{

	if (domain->permissions || domain->functions)
		return "permissions and functions are given to initial domains only";
	if (domain->mode & HL_MODE_DEVICE_MODEL)
		return "mode: a domain with a device model";
	if (!(domain->mode & HL_MODE_LONG))
		return "mode: a 32-bit domain";
	if (hl_lcm_nr_pci(lcm) || hl_lcm_nr_disks(lcm) || hl_lcm_nr_nics(lcm))
		return "devices: pci, disk and nic";
	if (hl_lcm_nr_vcpus(lcm))
		return "vcpu: affinity";
	if (domain->device_tree != HL_NO_INDEX || domain->config != HL_NO_INDEX ||
	    domain->firmware != HL_NO_INDEX)
		return "modules but kernel and ramdisk";
	for (uint32_t i = 0; i < hl_lcm_nr_modules(lcm); i++)
		if (hl_lcm_get_module(lcm, i)->digest_sha256)
			return "digest-sha256";
	return NULL;
}

/* A bare type stands for the usual user and role, as in an LCM that Xen reads. */
static int make_label(const char *security_id, char **ret_label)
{
	*ret_label = NULL;
	if (!security_id)
		return 0;
	if (strchr(security_id, ':'))
		*ret_label = strdup(security_id);
	else if (asprintf(ret_label, "system_u:system_r:%s", security_id) < 0)
		*ret_label = NULL;
	return *ret_label ? 0 : -ENOMEM;
}

static int make_config(const struct hl_lcm *lcm, const struct hl_lcm_domain *domain,
		       struct definition *definition)
{
	_cleanup_(json_putp) json_object *config = NULL;
	_cleanup_(freep) char *label = NULL;
	struct libxl_guest guest = {
		.type = domain->mode & HL_MODE_PV ? "pv" : "pvh",
		.name = definition->name,
		.uuid = definition->uuid_text,
		.vcpus = domain->cpus,
		.memory_kib = domain->memory_kib,
		.command_line = hl_lcm_get_module(lcm, domain->kernel)->bootargs,
		.domid = domain->requested_domid,
	};
	const char *text;
	int r = make_label(domain->security_id, &label);

	guest.label = label;
	if (r == 0)
		r = libxl_json_make(&guest, &config);
	if (r < 0)
		return r;
	text = json_object_to_json_string_ext(config, JSON_C_TO_STRING_PLAIN |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	definition->config = text ? strdup(text) : NULL;
	return definition->config ? 0 : -ENOMEM;
}

static int note_file(const struct hl_lcm *lcm, uint32_t module, char **ret_file)
{
	const char *file = module == HL_NO_INDEX ? NULL : hl_lcm_get_module(lcm, module)->file;

	*ret_file = file ? strdup(file) : NULL;
	return file && !*ret_file ? -ENOMEM : 0;
}

static int note_files(const struct hl_lcm *lcm, const struct hl_lcm_domain *domain,
		      struct definition *definition)
{
	int r = note_file(lcm, domain->kernel, &definition->kernel_file);

	return r < 0 ? r : note_file(lcm, domain->ramdisk, &definition->ramdisk_file);
}

/* never: it is gone when it has ended. */
static int fill_policy(const struct hl_lcm_domain *domain, struct policy *policy,
		       struct definition_refusal *refusal)
{
	bool always = strcmp(domain->restart, "always") == 0;
	bool failure = always || strcmp(domain->restart, "on-failure") == 0;

	policy->actions[POLICY_POWEROFF] = always ? POLICY_RESTART : POLICY_DESTROY;
	policy->actions[POLICY_REBOOT] = failure ? POLICY_RESTART : POLICY_DESTROY;
	policy->actions[POLICY_CRASH] = failure ? POLICY_RESTART : POLICY_DESTROY;
	policy->limit = domain->restart_limit;
	if (domain->restart_limit > POLICY_LIMIT_MAX)
		return definition_refuse(refusal, JOB_ERROR_NOT_SUPPORTED,
					 "%s: restart-limit: hyperlaunchd counts up to %d",
					 domain->node, POLICY_LIMIT_MAX);
	return 0;
}

static int fill(const struct hl_lcm *lcm, const struct definition_rules *rules,
		struct definition *definition, struct definition_refusal *refusal)
{
	const struct hl_lcm_domain *domain = hl_lcm_get_domain(lcm, 0);
	const char *unsupported;
	int r;

	if (hl_lcm_nr_domains(lcm) != 1)
		return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS,
					 "the definition has %" PRIu32 " domains in place of one",
					 hl_lcm_nr_domains(lcm));
	r = definition_set_name(definition, domain->name, refusal);
	if (r == 0)
		r = definition_set_uuid(definition, domain->uuid, rules, refusal);
	if (r < 0)
		return r;
	unsupported = find_unsupported(lcm, domain);
	if (unsupported)
		return definition_refuse(
			refusal, JOB_ERROR_NOT_SUPPORTED,
			"%s: a domain that is made after boot cannot have that: %s", domain->node,
			unsupported);
	if (domain->security_id && !rules->trusted)
		return definition_refuse(
			refusal, JOB_ERROR_INVALID_ARGS,
			"%s: security-id may be given by root only: it is what the "
			"domain is allowed",
			domain->node);
	r = fill_policy(domain, &definition->policy, refusal);
	if (r < 0)
		return r;
	definition->kernel = MODULE_REQUIRED;
	definition->ramdisk = domain->ramdisk == HL_NO_INDEX ? MODULE_NONE : MODULE_REQUIRED;
	definition->hold = domain->hold;
	definition->sandbox = VM_PLAIN;
	if (make_config(lcm, domain, definition) < 0 || note_files(lcm, domain, definition) < 0)
		return definition_refuse(refusal, JOB_ERROR_NO_MEMORY, "out of memory");
	return 0;
}

int definition_from_lcm(const void *blob, size_t size, const struct definition_rules *rules,
			struct definition *ret_definition, struct definition_refusal *ret_refusal)
{
	/* Modules are named by file there, or by whatever else: descriptors come with it. */
	const struct hl_lcm_limits limits = {
		.platform = HL_PLATFORM_X86, .source = true, .definition = true};
	_cleanup_(lcm_unrefp) struct hl_lcm *lcm = NULL;
	struct hl_lcm_error error;
	int r;

	*ret_definition = (struct definition){.config = NULL};
	if (size > DEFINITION_MAX)
		return definition_refuse(ret_refusal, JOB_ERROR_INVALID_ARGS,
					 "the definition has %zu bytes; it may have %u", size,
					 DEFINITION_MAX);
	r = hl_lcm_new(blob, size, &limits, &error, &lcm);
	if (r == -EINVAL)
		return definition_refuse(ret_refusal, JOB_ERROR_INVALID_ARGS, "%s", error.text);
	if (r < 0)
		return definition_refuse(ret_refusal, JOB_ERROR_NO_MEMORY, "%s", strerror(-r));
	return fill(lcm, rules, ret_definition, ret_refusal);
}
