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

static const char *find_unsupported_mode(const struct hl_lcm_domain *domain)
{
	if (domain->mode & HL_MODE_DEVICE_MODEL)
		return "mode: a domain with a device model";
	return domain->mode & HL_MODE_LONG ? NULL : "mode: a 32-bit domain";
}

/* Why only Xen's launch makes such a domain; NULL: it can be made later. */
static const char *find_unsupported(const struct hl_lcm *lcm, const struct hl_lcm_domain *domain)
{
	const char *mode = find_unsupported_mode(domain);

	if (domain->permissions || domain->functions)
		return "permissions and functions are given to initial domains only";
	if (mode)
		return mode;
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

/* What the node says, but for the label; with the definition's name and UUID. */
static struct libxl_guest guest_of(const struct hl_lcm *lcm, const struct hl_lcm_domain *domain,
				   const struct definition *definition)
{
	return (struct libxl_guest){
		.type = domain->mode & HL_MODE_PV ? "pv" : "pvh",
		.name = definition->name,
		.uuid = definition->uuid_text,
		.vcpus = domain->cpus,
		.memory_kib = domain->memory_kib,
		.command_line = hl_lcm_get_module(lcm, domain->kernel)->bootargs,
		.domid = domain->requested_domid,
	};
}

static int make_config(struct libxl_guest *guest, const char *security_id,
		       struct definition *definition)
{
	_cleanup_(json_putp) json_object *config = NULL;
	_cleanup_(freep) char *label = NULL;
	const char *text;
	int r = make_label(security_id, &label);

	guest->label = label;
	if (r == 0)
		r = libxl_json_make(guest, &config);
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

static int check_limit(const struct hl_lcm_domain *domain, struct definition_refusal *refusal)
{
	if (domain->restart_limit <= POLICY_LIMIT_MAX)
		return 0;
	return definition_refuse(refusal, JOB_ERROR_NOT_SUPPORTED,
				 "%s: restart-limit: hyperlaunchd counts up to %d", domain->node,
				 POLICY_LIMIT_MAX);
}

/* Kernel and ramdisk come as descriptors. */
static void expect_modules(const struct hl_lcm_domain *domain, struct definition *definition)
{
	definition->kernel = MODULE_REQUIRED;
	definition->ramdisk = domain->ramdisk == HL_NO_INDEX ? MODULE_NONE : MODULE_REQUIRED;
	definition->sandbox = VM_PLAIN;
}

static int fill(const struct hl_lcm *lcm, const struct definition_rules *rules,
		struct definition *definition, struct definition_refusal *refusal)
{
	const struct hl_lcm_domain *domain = hl_lcm_get_domain(lcm, 0);
	struct libxl_guest guest;
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
	r = check_limit(domain, refusal);
	if (r < 0)
		return r;
	policy_from_lcm(domain, POLICY_DESTROY, &definition->policy);
	expect_modules(domain, definition);
	definition->hold = domain->hold;
	guest = guest_of(lcm, domain, definition);
	if (make_config(&guest, domain->security_id, definition) < 0 ||
	    note_files(lcm, domain, definition) < 0)
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

/* What the launch has given to it, and vmd cannot. */
static const char *find_lost(const struct hl_lcm *lcm, const struct definition_launched *launched)
{
	const struct hl_lcm_domain *domain = hl_lcm_get_domain(lcm, launched->index);

	if (domain->permissions || domain->functions & ~HL_FUNC_CONSOLE)
		return "permissions, and functions but CONSOLE";
	if (domain->config != HL_NO_INDEX || domain->firmware != HL_NO_INDEX)
		return "a module of the type config or firmware";
	for (uint32_t i = 0; i < hl_lcm_nr_pci(lcm); i++)
		if (hl_lcm_get_pci(lcm, i)->domain == launched->index)
			return "pci: devices";
	for (uint32_t i = 0; i < hl_lcm_nr_disks(lcm); i++)
		if (hl_lcm_get_disk(lcm, i)->domain == launched->index)
			return "disks";
	for (uint32_t i = 0; i < hl_lcm_nr_nics(lcm); i++)
		if (hl_lcm_get_nic(lcm, i)->domain == launched->index)
			return "network interfaces";
	return find_unsupported_mode(domain);
}

/* NULL: none of its vCPUs has a node that keeps it from a CPU; or, with -ENOMEM, no memory. */
static int list_affinities(const struct hl_lcm *lcm, const struct definition_launched *launched,
			   const char ***ret_affinities)
{
	uint32_t cpus = hl_lcm_get_domain(lcm, launched->index)->cpus;
	const char **affinities = NULL;

	*ret_affinities = NULL;
	for (uint32_t i = 0; i < hl_lcm_nr_vcpus(lcm); i++) {
		const struct hl_lcm_vcpu *vcpu = hl_lcm_get_vcpu(lcm, i);

		if (vcpu->domain != launched->index || !vcpu->hard_affinity || vcpu->id >= cpus)
			continue;
		if (!affinities)
			affinities = calloc(cpus, sizeof(*affinities));
		if (!affinities)
			return -ENOMEM;
		affinities[vcpu->id] = vcpu->hard_affinity;
	}
	*ret_affinities = affinities;
	return 0;
}

static int make_launched_config(const struct hl_lcm *lcm,
				const struct definition_launched *launched,
				struct definition *definition)
{
	const struct hl_lcm_domain *domain = hl_lcm_get_domain(lcm, launched->index);
	struct libxl_guest guest = guest_of(lcm, domain, definition);
	_cleanup_(freep) const char **affinities = NULL;
	int r = list_affinities(lcm, launched, &affinities);

	/* libxl gives no number again for a while. */
	guest.domid = 0;
	guest.affinities = affinities;
	guest.host_cpus = launched->host_cpus;
	return r < 0 ? r : make_config(&guest, launched->label, definition);
}

int definition_from_launch(const struct hl_lcm *lcm, const struct definition_launched *launched,
			   struct definition *ret_definition,
			   struct definition_refusal *ret_refusal)
{
	const struct hl_lcm_domain *domain = hl_lcm_get_domain(lcm, launched->index);
	const struct definition_rules rules = {.trusted = true};
	const char *lost = find_lost(lcm, launched);
	int r;

	*ret_definition = (struct definition){.config = NULL};
	if (lost)
		return definition_refuse(
			ret_refusal, JOB_ERROR_NOT_SUPPORTED,
			"%s: only Xen's launch gives it what it has, so it cannot be rebuilt: %s",
			domain->node, lost);
	if (strlen(launched->name) > XS_GUEST_NAME_MAX)
		return definition_refuse(ret_refusal, JOB_ERROR_NOT_SUPPORTED,
					 "%s: its name is too long for libxl", domain->node);
	memcpy(ret_definition->name, launched->name, strlen(launched->name) + 1);
	r = definition_set_uuid(ret_definition, launched->uuid, &rules, ret_refusal);
	if (r < 0)
		return r;
	expect_modules(domain, ret_definition);
	policy_from_lcm(domain, POLICY_PRESERVE, &ret_definition->policy);
	r = make_launched_config(lcm, launched, ret_definition);
	if (r < 0)
		return definition_refuse(ret_refusal, JOB_ERROR_FAILED,
					 "%s: it cannot be described to libxl: %s", domain->node,
					 strerror(-r));
	return 0;
}
