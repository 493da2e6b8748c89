// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rows: event channels and virtual interrupts. */
#include "event.h"
#include "hypercall.h"
#include "probe.h"

#include <xen/event_channel.h>

#define ABSURD_PORT 0x7fffffff

static long bind(uint32_t virq)
{
	uint32_t port;
	const int rc = event_bind_virq(virq, &port);

	if (!rc)
		event_close(port);
	return rc;
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
	struct evtchn_alloc_unbound alloc = { .dom = domid, .remote_dom = remote };
	const long rc = hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &alloc);

	*ret_port = alloc.port;
	return rc;
}

static long alloc_self(const struct probe *probe)
{
	uint32_t port;
	const long rc = alloc_unbound(DOMID_SELF, probe->other, &port);

	if (!rc)
		event_close(port);
	return rc;
}

/* Where it is let through the other has a port more: nobody but itself can close it. */
static long alloc_other(const struct probe *probe)
{
	uint32_t port;

	return alloc_unbound(probe->other, DOMID_SELF, &port);
}

static long status(const struct probe *probe)
{
	struct evtchn_status arg = { .dom = probe->other, .port = 1 };

	return hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &arg);
}

static long bind_interdomain(const struct probe *probe)
{
	struct evtchn_bind_interdomain arg = { .remote_dom = probe->other, .remote_port = ABSURD_PORT };

	return hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &arg);
}

static const struct probe_row rows[] = {
	{ "evtchn-virq-console", virq_console },
	{ "evtchn-virq-dom-exc", virq_dom_exc },
	{ "evtchn-virq-con-ring", virq_con_ring },
	{ "evtchn-virq-hyperlaunch", virq_hyperlaunch },
	{ "evtchn-alloc-self", alloc_self },
	{ "evtchn-alloc-other", alloc_other },
	{ "evtchn-status-other", status },
	{ "evtchn-bind-unknown-other", bind_interdomain },
};

const struct probe_rows probe_event_rows = PROBE_ROWS(rows);
