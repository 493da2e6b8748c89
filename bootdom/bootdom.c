// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The reference boot domain: verifies modules, configures domains, starts those that
 * start-after requires, in order, and returns control of the launch to Xen.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "config.h"
#include "configure.h"
#include "runtime/console.h"
#include "runtime/errname.h"
#include "runtime/event.h"
#include "runtime/runtime.h"
#include "runtime/sysctl.h"
#include "start-order.h"

#include <xen/domctl.h>

#define NO_INDEX UINT32_C(0xffffffff)
/* If the launch interrupt cannot be bound. */
#define POLL_MS	    100
#define EVENT_CHUNK 16

const char program_name[] = "bootdom";

static uint8_t blob[LCM_MAX_SIZE] __attribute__((aligned(8)));

static struct {
	struct hl_launch launch;
	struct lcm lcm;
	struct hl_launch_domain domains[LCM_MAX_DOMAINS];
	struct config config;
	struct order order;
	uint32_t started, ready; /* sets of domains, as in struct order */
	uint64_t started_ns[LCM_MAX_DOMAINS];
	uint32_t next_event; /* sequence number */
	uint32_t port;	     /* of the launch's virtual interrupt; 0: none */
} self;

/* Ends the launch.  index: the domain that failed, or NO_INDEX; reason: enum lcm_err, or 0. */
static noreturn void fail(uint32_t index, uint32_t reason)
{
	int r;

	log("failed");
	r = launch_command(XEN_HYPERLAUNCH_BOOT_FAILED, index, reason);
	panic("rejected by Xen: %s", errname(r));
}

static noreturn void fail_lcm(const struct lcm_error *err)
{
	char path[LCM_PATH_SIZE] = "the LCM";

	if (err->node != LCM_NONE)
		lcm_path(blob, err->node, path, sizeof(path));
	log("%s: %s%s%s [%s]", path, err->prop ? err->prop : "", err->prop ? ": " : "",
	    lcm_strerror(err->code), lcm_errname(err->code));
	fail(NO_INDEX, err->code);
}

static noreturn void fail_read(const char *what, int r)
{
	log("%s: read failed: %s", what, errname(r));
	fail(NO_INDEX, 0);
}

static void read_lcm(void)
{
	const struct lcm_limits limits = {
		.platform = LCM_PLATFORM_X86,
		.nr_modules = self.launch.nr_modules,
		.no_modules = !self.launch.nr_modules,
	};
	struct lcm_error err;
	int r;

	if (self.launch.lcm_size > sizeof(blob)) {
		log("the LCM: %s", lcm_strerror(LCM_ERR_SIZE));
		fail(NO_INDEX, LCM_ERR_SIZE);
	}
	r = launch_lcm(blob, self.launch.lcm_size);
	if (r)
		fail_read("the LCM", r);
	if (lcm_parse(blob, self.launch.lcm_size, &self.lcm, &err) ||
	    lcm_check(&self.lcm, &limits, &err))
		fail_lcm(&err);
	log("%u domains, %u modules, LCM of %u bytes", self.lcm.nr_domains, self.launch.nr_modules,
	    self.launch.lcm_size);
}

static void read_domain(unsigned int index)
{
	const int r = launch_domain(index, &self.domains[index]);

	if (r)
		fail_read(self.lcm.domains[index].name, r);
}

/* Reads Xen's records, which must be about the domains of the LCM. */
static void read_domains(void)
{
	bool same = self.launch.nr_domains == self.lcm.nr_domains;

	for (unsigned int i = 0; same && i < self.lcm.nr_domains; i++) {
		read_domain(i);
		same = !strcmp(self.domains[i].name, self.lcm.domains[i].name);
	}
	if (same)
		return;
	log("the launch does not have the domains of the LCM");
	fail(NO_INDEX, 0);
}

static void check_digest(const struct lcm_module *module)
{
	struct hl_launch_module record;
	char path[LCM_PATH_SIZE];
	int r;

	lcm_path(blob, module->node, path, sizeof(path));
	if (!module->digest) {
		log("%s: module %u has no digest to check", path, module->index);
		return;
	}
	r = launch_module(module->index, &record);
	if (r)
		fail_read(path, r);
	if (!memcmp(record.sha256, module->digest, sizeof(record.sha256))) {
		log("%s: module %u has the digest in the LCM", path, module->index);
		return;
	}
	log("%s: digest-sha256: %s [%s]", path, lcm_strerror(LCM_ERR_DIGEST),
	    lcm_errname(LCM_ERR_DIGEST));
	fail(module->domain == LCM_NONE ? NO_INDEX : (uint32_t)module->domain, LCM_ERR_DIGEST);
}

/* Xen passes the configuration as the first module, or as the second after a ramdisk. */
static void read_config(const struct pvh_info *info)
{
	const int boot = lcm_find_function(&self.lcm, LCM_FUNC_BOOT);
	const struct lcm_domain *domain = &self.lcm.domains[boot];
	const unsigned int place = domain->ramdisk != LCM_NONE;
	struct config_error err;

	config_default(&self.config);
	if (domain->config == LCM_NONE)
		return;
	if (info->nr_modules <= place) {
		log("Xen did not pass the configuration");
		fail((uint32_t)boot, 0);
	}
	if (config_parse(info->modules[place].data, info->modules[place].size, &self.lcm,
			 &self.config, &err)) {
		log("configuration: line %u: %s", err.line, err.text);
		fail((uint32_t)boot, 0);
	}
}

/* A result other than errnos: some CPUs do not exist, or are not in use. */
#define NO_SUCH_CPU 1

static int set_affinity(const struct config_setting *setting, uint16_t domid, uint32_t vcpu)
{
	struct cpus cpus = setting->cpus;
	int r;

	if (setting->kind == CONFIG_SOFT_AFFINITY)
		return configure_soft_affinity(domid, vcpu, &cpus);
	r = configure_hard_affinity(domid, vcpu, &cpus);
	return !r && !cpus_within(&setting->cpus, &cpus) ? NO_SUCH_CPU : r;
}

static int set_affinities(const struct config_setting *setting, uint16_t domid)
{
	int r = 0;

	if (setting->vcpu != CONFIG_ALL_VCPUS)
		return set_affinity(setting, domid, setting->vcpu);
	for (uint32_t i = 0; !r && i < self.lcm.domains[setting->domain].cpus; i++)
		r = set_affinity(setting, domid, i);
	return r;
}

static int apply(const struct config_setting *setting, uint16_t domid)
{
	switch (setting->kind) {
	case CONFIG_HARD_AFFINITY:
	case CONFIG_SOFT_AFFINITY:
		return set_affinities(setting, domid);
	case CONFIG_WEIGHT:
		return configure_weight(domid, (uint16_t)setting->number);
	case CONFIG_CAP:
		return configure_cap(domid, (uint16_t)setting->number);
	case CONFIG_MEMORY_LIMIT:
		return configure_memory_limit(domid, setting->number);
	}
	return -EINVAL;
}

/* To be called before any domain starts: Xen rejects settings for those that have. */
static void configure(void)
{
	const int boot = lcm_find_function(&self.lcm, LCM_FUNC_BOOT);

	for (unsigned int i = 0; i < self.config.nr_settings; i++) {
		const struct config_setting *setting = &self.config.settings[i];
		const struct hl_launch_domain *domain = &self.domains[setting->domain];
		const int r = apply(setting, (uint16_t)domain->domid);

		if (!r)
			continue;
		log("configuration: line %u: %s: %s: %s", setting->line, domain->name,
		    config_kind_word(setting->kind),
		    r == NO_SUCH_CPU ? "some of these CPUs are not available" : errname(r));
		fail((uint32_t)boot, 0);
	}
	if (self.config.nr_settings)
		log("configuration: %u settings applied", self.config.nr_settings);
}

static void plan(void)
{
	unsigned int index;
	const enum order_fault fault = order_plan(&self.lcm, &self.order, &index);

	if (!fault)
		return;
	log("%s: %s", self.lcm.domains[index].name, order_fault_text(fault));
	fail(index, 0);
}

static void bind_virq(void)
{
	int r;

	if (!self.launch.virq)
		return;
	r = event_bind_virq(self.launch.virq, &self.port);
	if (r)
		log("cannot bind the launch interrupt (%s): polling every %u ms", errname(r),
		    POLL_MS);
}

static uint64_t deadline(unsigned int index)
{
	const uint32_t ms = self.config.ready_timeout_ms[index];

	return ms ? self.started_ns[index] + ms * NS_PER_MS : NEVER;
}

static void start(unsigned int index)
{
	const uint16_t domid = (uint16_t)self.domains[index].domid;
	int r;

	log("starting %s, d%u", self.domains[index].name, domid);
	r = domain_command(XEN_DOMCTL_unpausedomain, domid);
	if (r) {
		log("cannot start %s: %s", self.domains[index].name, errname(r));
		fail(index, 0);
	}
	self.started |= UINT32_C(1) << index;
	self.started_ns[index] = clock_ns();
}

static void start_all(uint32_t mask)
{
	for (unsigned int i = 0; i < self.lcm.nr_domains; i++)
		if (mask & UINT32_C(1) << i)
			start(i);
}

static uint32_t waited_for(void)
{
	return self.order.needed & self.started & ~self.ready;
}

static noreturn void fail_ended(unsigned int index, const char *how)
{
	log("%s: ended (%s) before it was ready", self.domains[index].name, how);
	fail(index, 0);
}

static void look_at(unsigned int index)
{
	read_domain(index);
	switch (self.domains[index].state) {
	case HL_DOMAIN_READY:
		self.ready |= UINT32_C(1) << index;
		log("%s is ready, after %" PRIu64 " ms", self.domains[index].name,
		    (clock_ns() - self.started_ns[index]) / NS_PER_MS);
		return;
	case HL_DOMAIN_FAILED:
	case HL_DOMAIN_RECLAIMED:
		fail_ended(index, hl_domain_state_name(self.domains[index].state));
	default:
		break;
	}
	if (clock_ns() < deadline(index))
		return;
	log("%s: not ready within %u ms", self.domains[index].name,
	    self.config.ready_timeout_ms[index]);
	fail(index, 0);
}

static void look_at_event(const struct hl_event *event)
{
	if (event->type != HL_EVENT_DIED)
		return;
	for (unsigned int i = 0; i < self.lcm.nr_domains; i++)
		if (waited_for() & UINT32_C(1) << i && self.domains[i].domid == event->domid)
			fail_ended(i, hl_shutdown_name(event->arg));
}

/* A domain that shuts down remains STARTED: only the launch log shows it. */
static void look_at_events(void)
{
	struct hl_event events[EVENT_CHUNK];
	size_t nr;

	do {
		const int r = launch_events(&self.next_event, events, EVENT_CHUNK, &nr);

		if (r)
			fail_read("the launch's events", r);
		for (size_t i = 0; i < nr; i++)
			look_at_event(&events[i]);
	} while (nr);
}

/* States first: a domain that ends after it was ready is no failure. */
static void look(void)
{
	for (unsigned int i = 0; i < self.lcm.nr_domains; i++)
		if (waited_for() & UINT32_C(1) << i)
			look_at(i);
	look_at_events();
}

static uint64_t next_deadline(void)
{
	uint64_t until = self.port ? NEVER : clock_ns() + POLL_MS * NS_PER_MS;

	for (unsigned int i = 0; i < self.lcm.nr_domains; i++)
		if (waited_for() & UINT32_C(1) << i && deadline(i) < until)
			until = deadline(i);
	return until;
}

static void start_in_order(void)
{
	start_all(order_next(&self.lcm, &self.order, self.started, self.ready));
	while (waited_for()) {
		event_wait(self.port, next_deadline());
		event_take(self.port);
		look();
		start_all(order_next(&self.lcm, &self.order, self.started, self.ready));
	}
	/* Cannot happen, since lcm_check() finds cycles. */
	if (self.order.wanted & ~self.started) {
		log("start-after: %s", lcm_strerror(LCM_ERR_START_AFTER_CYCLE));
		fail(NO_INDEX, LCM_ERR_START_AFTER_CYCLE);
	}
}

/* Whether this is the boot domain of a launch that is preparing. */
static bool is_ours(void)
{
	const int r = launch_info(&self.launch);

	if (r) {
		log("cannot read the launch: %s", errname(r));
		return false;
	}
	if (self.launch.boot_domid != own_domid()) {
		log("this domain, d%u, is not the boot domain", own_domid());
		return false;
	}
	if (self.launch.state != HL_LAUNCH_PREPARING) {
		log("the launch is %s, there is nothing to prepare",
		    hl_launch_state_name(self.launch.state));
		return false;
	}
	return true;
}

int program(const struct pvh_info *info)
{
	if (!is_ours()) {
		log("nothing to do here");
		return 0;
	}
	self.next_event = self.launch.nr_events;
	read_lcm();
	read_domains();
	for (unsigned int i = 0; i < self.lcm.nr_modules; i++)
		check_digest(&self.lcm.modules[i]);
	read_config(info);
	plan();
	configure();
	bind_virq();
	start_in_order();
	log("done");
	log("rejected by Xen: %s", errname(launch_command(XEN_HYPERLAUNCH_BOOT_DONE, 0, 0)));
	return 1;
}
