// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rows: operations on event channels and virtual interrupts. */
#include <errno.h>

#include "probe.h"
#include "runtime/event.h"
#include "runtime/hypercall.h"

#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#define ABSURD_PORT 0x7fffffff
#define STORE_PORT  1 /* the first port that Xen allocates */

static long bind(uint32_t virq)
{
	uint32_t port;
	const int r = event_bind_virq(virq, &port);

	if (!r)
		event_close(port);
	return r;
}

static long virq_console(const struct probe *probe)
{
	return bind(VIRQ_CONSOLE);
}

static long virq_dom_exc(const struct probe *probe)
{
	return bind(VIRQ_DOM_EXC);
}

static long virq_con_ring(const struct probe *probe)
{
	return bind(VIRQ_CON_RING);
}

static long virq_hyperlaunch(const struct probe *probe)
{
	return bind(XEN_HYPERLAUNCH_VIRQ);
}

static long alloc_unbound(uint16_t domid, uint16_t remote, uint32_t *ret_port)
{
	struct evtchn_alloc_unbound alloc = {.dom = domid, .remote_dom = remote};
	const long r = hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &alloc);

	*ret_port = alloc.port;
	return r;
}

static long alloc_self(const struct probe *probe)
{
	uint32_t port;
	const long r = alloc_unbound(DOMID_SELF, probe->other, &port);

	if (!r)
		event_close(port);
	return r;
}

long probe_reuse_console(uint16_t remote)
{
	struct xen_hvm_param param = {.domid = DOMID_SELF, .index = HVM_PARAM_CONSOLE_EVTCHN};
	long r = hypercall2(__HYPERVISOR_hvm_op, HVMOP_get_param, &param);
	uint32_t port = 0;

	if (r)
		return r;
	event_close((uint32_t)param.value);
	/* Xen allocates the lowest free port. */
	r = alloc_unbound(DOMID_SELF, remote, &port);
	if (r || port != param.value)
		return r ? r : -EEXIST;
	event_send(port);
	return 0;
}

/* If this is permitted, the other domain has one more port, which only itself can close. */
static long alloc_other(const struct probe *probe)
{
	uint32_t port;

	return alloc_unbound(probe->other, DOMID_SELF, &port);
}

static long status(const struct probe *probe)
{
	struct evtchn_status arg = {.dom = probe->other, .port = 1};

	return hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &arg);
}

static long bind_interdomain(const struct probe *probe)
{
	struct evtchn_bind_interdomain arg = {.remote_dom = probe->other,
					      .remote_port = ABSURD_PORT};

	return hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &arg);
}

long probe_introduce(uint16_t domid)
{
	struct evtchn_bind_interdomain arg = {.remote_dom = domid, .remote_port = STORE_PORT};
	const long r = hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &arg);

	if (!r)
		event_send(arg.local_port);
	return r;
}

static const struct probe_row rows[] = {
	{"evtchn-virq-console", virq_console},	 {"evtchn-virq-dom-exc", virq_dom_exc},
	{"evtchn-virq-con-ring", virq_con_ring}, {"evtchn-virq-hyperlaunch", virq_hyperlaunch},
	{"evtchn-alloc-self", alloc_self},	 {"evtchn-alloc-other", alloc_other},
	{"evtchn-status-other", status},	 {"evtchn-bind-unknown-other", bind_interdomain},
};

const struct probe_rows probe_event_rows = PROBE_ROWS(rows);
