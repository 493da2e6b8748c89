// SPDX-License-Identifier: LGPL-2.1-or-later
/* Holds a domain's record and its node in the LCM against what vmd and Xen can do. */
#include "lifecycle/rebuild-check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "lifecycle/check.h"
#include "lifecycle/create.h"
#include "lifecycle/definition.h"
#include "lifecycle/module-file.h"
#include "lifecycle/restart.h"

static void lcm_unrefp(struct hl_lcm **lcm)
{
	hl_lcm_unref(*lcm);
}

/* Those of its record: one that is gone has no roles any more. */
static int check_roles(struct job *job, const struct hl_domain *domain)
{
	static const struct {
		uint32_t permission, function;
		const char *why;
	} roles[] = {
		{HL_PERM_HARDWARE, HL_FUNC_LEGACY_DOM0,
		 "it is the hardware domain: Xen gives it the devices of the host at boot"},
		{HL_PERM_CONTROL, 0, "it is a control domain: only Xen gives that permission"},
		{0, HL_FUNC_XENSTORE,
		 "it is the xenstore domain: what the others have there is lost with it"},
		{0, HL_FUNC_BOOT, "it is the boot domain, which a launch needs once"},
		{0, HL_FUNC_CRASH, "it is the crash domain, which waits for a launch to fail"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (domain->permissions & roles[i].permission ||
		    domain->functions & roles[i].function)
			return job_fail(job, JOB_ERROR_NOT_SUPPORTED, "%s", roles[i].why);
	return 0;
}

static int check_launch(struct job *job, const struct manager *manager)
{
	const struct hl_summary *summary = hl_table_summary(manager_table(manager));

	if (!summary->dynamic)
		return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				"no domain of this launch has CONTROL, which making domains needs");
	if (summary->state != HL_LAUNCH_COMPLETE)
		return job_fail(job, JOB_ERROR_WRONG_STATE, "the launch is not complete: it is %s",
				hl_launch_state_name(summary->state));
	return 0;
}

static int check_state(struct job *job, const struct hl_domain *domain, bool force)
{
	if (domain->state == HL_DOMAIN_DYING)
		return job_fail(job, JOB_ERROR_WRONG_STATE, "it is dying");
	if (!domain->live && domain->state != HL_DOMAIN_RECLAIMED)
		return job_fail(job, JOB_ERROR_WRONG_STATE, "Xen has not built it: it is %s",
				hl_domain_state_name(domain->state));
	if (domain->live && domain->state != HL_DOMAIN_SHUTDOWN && !force)
		return job_fail(job, JOB_ERROR_WRONG_STATE,
				"it has not shut down: it is %s; with the option Force it is ended "
				"first",
				hl_domain_state_name(domain->state));
	return 0;
}

/* Names and UUIDs are not Xen's: others may have taken them when it was gone. */
static int check_others(struct job *job, const struct manager *manager,
			const struct hl_domain *domain)
{
	const struct hl_table *table = manager_table(manager);

	for (uint32_t i = 0; i < hl_table_nr_domains(table); i++) {
		const struct hl_domain *other = hl_table_get(table, i);

		if (other == domain || !other->live)
			continue;
		if (strcmp(other->name, job->subject.name) == 0)
			return job_fail(job, JOB_ERROR_WRONG_STATE,
					"domain %" PRIu32 " has its name", other->domid);
		if (strcmp(other->handle_text, job->subject.uuid) == 0)
			return job_fail(job, JOB_ERROR_WRONG_STATE,
					"domain %" PRIu32 " (%.64s) has its UUID", other->domid,
					other->name);
	}
	for (const struct job *other = jobs_first(job->jobs); other; other = other->next)
		if (other != job &&
		    (strcmp(other->type->kind, CREATE_JOB) == 0 ||
		     strcmp(other->type->kind, RESTART_JOB) == 0) &&
		    strcmp(other->subject.name, job->subject.name) == 0)
			return job_fail(job, JOB_ERROR_BUSY,
					"job %" PRIu32 " makes a domain of its name", other->id);
	return 0;
}

int rebuild_check(struct job *job, const struct manager *manager, const struct hl_domain *domain,
		  bool force)
{
	int r;

	if (domain->origin != HL_ORIGIN_BOOT || domain->index == HL_NO_INDEX)
		return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				"it is no initial domain: nothing says what it was made of");
	r = check_roles(job, domain);
	if (r == 0)
		r = check_is_acting(job, manager);
	if (r == 0)
		r = check_launch(job, manager);
	if (r == 0)
		r = check_state(job, domain, force);
	return r < 0 ? r : check_others(job, manager, domain);
}

static int read_lcm(struct job *job, struct hl_ctx *hl, struct hl_lcm **ret_lcm)
{
	_cleanup_(freep) void *blob = NULL;
	struct hl_lcm_error error = {.code = 0};
	size_t size;
	int r = hl_read_lcm(hl, &blob, &size);

	if (r < 0)
		return job_fail_hypervisor(job, r);
	r = hl_lcm_new(blob, size, NULL, &error, ret_lcm);
	if (r == -EINVAL)
		return job_fail(job, JOB_ERROR_FAILED, "the LCM is invalid: %.128s", error.text);
	return r < 0 ? job_fail(job, JOB_ERROR_NO_MEMORY, "out of memory") : 0;
}

/* Without FLASK there are no labels, and libxl would warn of one. */
static const char *label_of(const struct hl_domain *domain)
{
	if (domain->ssidref == 0)
		return NULL;
	return domain->security_label[0] ? domain->security_label : "domu_t";
}

int rebuild_define(struct job *job, const struct manager *manager, const struct hl_domain *domain,
		   struct definition *ret_definition)
{
	struct definition_launched launched = {
		.index = domain->index,
		.name = job->subject.name,
		.label = label_of(domain),
	};
	_cleanup_(lcm_unrefp) struct hl_lcm *lcm = NULL;
	struct definition_refusal refusal;
	struct hl_host host;
	int r = read_lcm(job, manager_hl(manager), &lcm);

	if (r < 0)
		return r;
	r = hl_get_host(manager_hl(manager), &host);
	if (r < 0)
		return job_fail_hypervisor(job, r);
	launched.host_cpus = host.cpus;
	r = hl_uuid_from_text(job->subject.uuid, launched.uuid);
	if (r < 0)
		return job_fail(job, JOB_ERROR_FAILED, "it has no UUID");
	r = definition_from_launch(lcm, &launched, ret_definition, &refusal);
	return r < 0 ? job_fail(job, refusal.error, "%s", refusal.why) : 0;
}

static int set_module(struct job *job, const struct hl_domain_module *from,
		      struct module_file *module)
{
	static const uint8_t none[HL_SHA256_SIZE];

	if (memcmp(from->sha256, none, sizeof(none)) == 0)
		return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				"Xen has no digest of its %s, by which it could be found",
				hl_module_type_name(from->type));
	*module = (struct module_file){.size = from->size, .fd = -1};
	memcpy(module->sha256, from->sha256, sizeof(module->sha256));
	return 0;
}

int rebuild_list_modules(struct job *job, const struct hl_domain *domain,
			 struct module_file *modules, size_t *ret_nr)
{
	bool found = false;
	int r = 0;

	*ret_nr = 1;
	for (uint32_t i = 0; r == 0 && i < domain->nr_modules; i++) {
		const struct hl_domain_module *module = domain->modules[i];

		if (module->type == HL_MODULE_KERNEL) {
			r = set_module(job, module, &modules[0]);
			found = true;
		} else if (module->type == HL_MODULE_RAMDISK) {
			r = set_module(job, module, &modules[1]);
			*ret_nr = 2;
		}
	}
	if (r == 0 && !found)
		r = job_fail(job, JOB_ERROR_NOT_SUPPORTED, "Xen has no record of its kernel");
	return r;
}
