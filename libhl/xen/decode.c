// SPDX-License-Identifier: LGPL-2.1-or-later
/* Checks and converts the records of the sysctl. */
#include "xen/decode.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lcm-view.h"
#include "bounds.h"

/*
 * The layout is ABI.  Each size is the sum of the fields, so there is no implicit
 * padding, and 32-bit callers have the same layout.
 */
static_assert(sizeof(struct xen_hyperlaunch_info) == 4 * 4 + 8 * 2 + 6 * 4 + 32 + 2 * 8 + 128 + 32,
	      "info");
static_assert(sizeof(struct xen_hyperlaunch_domain) == 8 * 4 + 8 + 16 + 8 * 4 + 5 * 8 + 64 + 32,
	      "domain");
static_assert(sizeof(struct xen_hyperlaunch_module) == 2 * 4 + 8 + 32 + 2 * 4, "module");
static_assert(sizeof(struct xen_hyperlaunch_event) == 8 + 4 + 2 * 2 + 2 * 4, "event");
static_assert(sizeof(struct xen_hyperlaunch_console) == 8 + 2 * 4 + 1008, "console");
static_assert(sizeof(struct xen_sysctl_hyperlaunch) == 2 * 4 + 8 + 2 * 4 + 8, "payload");
static_assert(HL_NAME_SIZE == XEN_HYPERLAUNCH_NAME_SIZE &&
		      HL_PROP_SIZE == XEN_HYPERLAUNCH_PROP_SIZE &&
		      HL_PATH_SIZE == XEN_HYPERLAUNCH_PATH_SIZE,
	      "strings");

/* Equal numbers, so that they need no conversion. */
static_assert(HL_LAUNCH_NONE == XEN_HYPERLAUNCH_STATE_NONE &&
		      HL_LAUNCH_BUILDING == XEN_HYPERLAUNCH_STATE_BUILDING &&
		      HL_LAUNCH_PREPARING == XEN_HYPERLAUNCH_STATE_PREPARING &&
		      HL_LAUNCH_FINALIZING == XEN_HYPERLAUNCH_STATE_FINALIZING &&
		      HL_LAUNCH_COMPLETE == XEN_HYPERLAUNCH_STATE_COMPLETE &&
		      HL_LAUNCH_RECOVERY == XEN_HYPERLAUNCH_STATE_RECOVERY &&
		      HL_LAUNCH_FAILED == XEN_HYPERLAUNCH_STATE_FAILED,
	      "launch states");
static_assert(HL_DOMAIN_PLANNED == XEN_HYPERLAUNCH_DOM_PLANNED &&
		      HL_DOMAIN_BUILT == XEN_HYPERLAUNCH_DOM_BUILT &&
		      HL_DOMAIN_HELD == XEN_HYPERLAUNCH_DOM_HELD &&
		      HL_DOMAIN_PAUSED == XEN_HYPERLAUNCH_DOM_PAUSED &&
		      HL_DOMAIN_STARTED == XEN_HYPERLAUNCH_DOM_STARTED &&
		      HL_DOMAIN_READY == XEN_HYPERLAUNCH_DOM_READY &&
		      HL_DOMAIN_FAILED == XEN_HYPERLAUNCH_DOM_FAILED &&
		      HL_DOMAIN_RECLAIMED == XEN_HYPERLAUNCH_DOM_RECLAIMED,
	      "domain states");
static_assert((int)HL_EVENT_LCM_FOUND == XEN_HYPERLAUNCH_EV_LCM_FOUND &&
		      (int)HL_EVENT_BUILT == XEN_HYPERLAUNCH_EV_BUILT &&
		      (int)HL_EVENT_BUILD_FAILED == XEN_HYPERLAUNCH_EV_BUILD_FAILED &&
		      (int)HL_EVENT_STATE == XEN_HYPERLAUNCH_EV_STATE &&
		      (int)HL_EVENT_STARTED == XEN_HYPERLAUNCH_EV_STARTED &&
		      (int)HL_EVENT_READY == XEN_HYPERLAUNCH_EV_READY &&
		      (int)HL_EVENT_CONSOLE == XEN_HYPERLAUNCH_EV_CONSOLE &&
		      (int)HL_EVENT_DIED == XEN_HYPERLAUNCH_EV_DIED &&
		      (int)HL_EVENT_RELEASED == XEN_HYPERLAUNCH_EV_RELEASED &&
		      (int)HL_EVENT_RECLAIMED == XEN_HYPERLAUNCH_EV_RECLAIMED &&
		      (int)HL_EVENT_BOOT_FAILED == XEN_HYPERLAUNCH_EV_BOOT_FAILED &&
		      (int)HL_EVENT_ADOPTED == XEN_HYPERLAUNCH_EV_ADOPTED,
	      "events");
static_assert(HL_NO_INDEX == XEN_HYPERLAUNCH_NO_MODULE, "modules");
static_assert(HL_NO_GFN == XEN_HYPERLAUNCH_NO_GFN, "frames");

static uint32_t domid(uint32_t value)
{
	return value == XEN_HYPERLAUNCH_NO_DOMID ? HL_NO_DOMID : value;
}

static bool terminated(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

int decode_launch(const struct xen_hyperlaunch_info *info, struct hl_launch *ret_launch)
{
	if (info->version != XEN_HYPERLAUNCH_VERSION)
		return -EPROTO;
	if (info->nr_domains > MAX_DOMAIN_RECORDS || info->nr_modules > MAX_MODULE_RECORDS ||
	    info->lcm_size > MAX_LCM_BYTES || info->first_event > info->nr_events ||
	    (info->flags & ~XEN_HYPERLAUNCH_INFO_WEAK_HWDOM) ||
	    !terminated(info->error_path, sizeof(info->error_path)) ||
	    !terminated(info->error_prop, sizeof(info->error_prop)))
		return -EBADMSG;
	*ret_launch = (struct hl_launch){
		.state = info->state <= XEN_HYPERLAUNCH_STATE_FAILED
				 ? (enum hl_launch_state)info->state
				 : HL_LAUNCH_UNKNOWN,
		.nr_domains = info->nr_domains,
		.nr_modules = info->nr_modules,
		.hardware_domid = domid(info->hwdom_domid),
		.boot_domid = domid(info->boot_domid),
		.crash_domid = domid(info->crash_domid),
		.console_domid = domid(info->console_domid),
		.xenstore_domid = domid(info->xenstore_domid),
		.console_owner = domid(info->console_owner),
		.virq = info->virq,
		.self_domid = info->self_domid,
		.first_event = info->first_event,
		.nr_events = info->nr_events,
		.lcm_size = info->lcm_size,
		.error = info->error,
		.error_domain = info->error_domain,
		.weak_hardware = info->flags & XEN_HYPERLAUNCH_INFO_WEAK_HWDOM,
		.start_ns = info->start_ns,
		.end_ns = info->end_ns,
	};
	memcpy(ret_launch->lcm_sha256, info->lcm_sha256, sizeof(info->lcm_sha256));
	memcpy(ret_launch->error_node, info->error_path, sizeof(info->error_path));
	memcpy(ret_launch->error_prop, info->error_prop, sizeof(info->error_prop));
	return 0;
}

int decode_domain(const struct xen_hyperlaunch_domain *d, uint32_t index,
		  struct hl_launch_domain *ret_domain)
{
	if (d->index != index || !terminated(d->name, sizeof(d->name)) ||
	    !terminated(d->error_prop, sizeof(d->error_prop)))
		return -EBADMSG;
	*ret_domain = (struct hl_launch_domain){
		.index = d->index,
		.state = d->state <= XEN_HYPERLAUNCH_DOM_RECLAIMED ? (enum hl_domain_state)d->state
								   : HL_DOMAIN_UNKNOWN,
		.requested_domid = d->requested_domid,
		.domid = domid(d->domid),
		.adoption = d->adoption,
		.permissions = d->permissions,
		.functions = d->functions,
		.mode = d->mode,
		.cpus = d->cpus,
		.memory_kib = d->memory_kib,
		.ssidref = d->ssidref,
		.error = d->error,
		.errnum = d->errnum,
		.kernel = d->kernel,
		.ramdisk = d->ramdisk,
		.store_port = d->store_port,
		.console_port = d->console_port,
		.store_gfn = d->store_gfn,
		.console_gfn = d->console_gfn,
		.built_ns = d->built_ns,
		.started_ns = d->started_ns,
		.ready_ns = d->ready_ns,
	};
	memcpy(ret_domain->uuid, d->uuid, sizeof(d->uuid));
	memcpy(ret_domain->name, d->name, sizeof(d->name));
	memcpy(ret_domain->error_prop, d->error_prop, sizeof(d->error_prop));
	return 0;
}

int decode_module(const struct xen_hyperlaunch_module *m, uint32_t index,
		  struct hl_launch_module *ret_module)
{
	if (m->index != index || m->pad)
		return -EBADMSG;
	*ret_module = (struct hl_launch_module){
		.index = m->index,
		.type = module_type_view(m->type),
		.size = m->size,
		.users = m->users,
	};
	memcpy(ret_module->sha256, m->sha256, sizeof(m->sha256));
	return 0;
}

int decode_event(const struct xen_hyperlaunch_event *e, struct hl_event *ret_event)
{
	if (e->pad)
		return -EBADMSG;
	*ret_event = (struct hl_event){
		.time_ns = e->time_ns,
		.seq = e->seq,
		.type = e->event < HL_NR_EVENT_TYPES ? (enum hl_event_type)e->event
						     : HL_EVENT_UNKNOWN,
		.domid = domid(e->domid),
		.arg = e->event == XEN_HYPERLAUNCH_EV_CONSOLE ? domid(e->arg) : e->arg,
	};
	return 0;
}

int check_console(const struct xen_hyperlaunch_console *c, uint32_t offset)
{
	uint32_t left;

	if (c->kept > XEN_HYPERLAUNCH_CONSOLE_KEPT || offset > c->kept)
		return -EBADMSG;
	left = c->kept - offset;
	return c->size == (left < sizeof(c->data) ? left : sizeof(c->data)) ? 0 : -EBADMSG;
}
