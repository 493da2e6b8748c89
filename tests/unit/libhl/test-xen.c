// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The backend that asks Xen, over Xen's libraries as functions of this file: what
 * goes out, what each answer means, and how changes are heard of.
 */
#include "make.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ctx.h"
#include "xen-abi.h"

#include <xen/domctl.h>
#include <xen/sysctl.h>
#include <xen/version.h>
#include <xen/xsm/flask_op.h>
#include <xencall.h>
#include <xenevtchn.h>

#define PORT 7

/* What the Xen of this file does, and what it was asked. */
static struct {
	int errnum;    /* 0: the call works */
	uint16_t virq; /* of the launch */
	int bind_errnum;
	unsigned int nr_calls, nr_binds, nr_open, nr_unmasked;
	uint32_t kept;	/* bytes of READ_CONSOLE */
	uint32_t extra; /* of these that are said to be in a record, and are not */
	struct xen_sysctl last;
	struct xen_sysctl_hyperlaunch payload;
	uint32_t bound;
	int event_fd;
	uint32_t nr_domains; /* with the domids from 1 on */
	uint32_t scheduler;
	bool no_affinity;			/* this domain may not read it */
	struct xen_domctl_getdomaininfo counts; /* of the last domain, what is not 0 in it */
	struct xen_domctl_getvcpuinfo vcpu;
	const char *log;
	uint32_t handle_domid;	       /* the last one that got a handle */
	uint32_t domctl, domctl_domid; /* the last one without a payload */
	uint8_t handle[16];
} xen;

xencall_handle *xencall_open(struct xentoollog_logger *logger, unsigned open_flags)
{
	return (xencall_handle *)&xen;
}

int xencall_close(xencall_handle *handle)
{
	return 0;
}

void *xencall_alloc_buffer(xencall_handle *handle, size_t size)
{
	return calloc(1, size);
}

void xencall_free_buffer(xencall_handle *handle, void *buffer)
{
	free(buffer);
}

static void give_info(struct xen_sysctl_hyperlaunch *payload)
{
	struct xen_hyperlaunch_info info = {
		.version = XEN_HYPERLAUNCH_VERSION,
		.state = XEN_HYPERLAUNCH_STATE_COMPLETE,
		.virq = xen.virq,
		.error_domain = UINT32_MAX,
	};

	assert_true(payload->size >= sizeof(info));
	memcpy(payload->buffer.p, &info, sizeof(info));
	payload->size = sizeof(info);
}

static int refuse(int errnum)
{
	errno = errnum;
	return -1;
}

static void give_counts(struct xen_domctl_getdomaininfo *info)
{
	info->outstanding_pages = xen.counts.outstanding_pages;
	info->shr_pages = xen.counts.shr_pages;
	info->paged_pages = xen.counts.paged_pages;
	if (xen.counts.tot_pages)
		info->tot_pages = xen.counts.tot_pages;
	if (xen.counts.nr_online_vcpus)
		info->nr_online_vcpus = xen.counts.nr_online_vcpus;
}

static int give_domains(struct xen_sysctl_getdomaininfolist *list)
{
	struct xen_domctl_getdomaininfo *infos = (void *)list->buffer.p;
	uint32_t first = list->first_domain ? list->first_domain : 1;

	list->num_domains = 0;
	for (uint32_t domid = first;
	     domid <= xen.nr_domains && list->num_domains < list->max_domains; domid++) {
		infos[list->num_domains++] = (struct xen_domctl_getdomaininfo){
			.domain = (domid_t)domid,
			.flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_shutdown |
				 3u << XEN_DOMINF_shutdownshift,
			.tot_pages = 256,
			.max_pages = domid == 1 ? UINT32_MAX : 512,
			.cpu_time = 1000 + domid,
			.nr_online_vcpus = domid == 2 ? 0 : 1,
			.max_vcpu_id = domid == 2 ? XEN_INVALID_MAX_VCPU_ID : 1,
			.ssidref = domid == 1 ? 5 : 0,
			.handle = {(uint8_t)domid},
		};
		if (domid == xen.nr_domains)
			give_counts(&infos[list->num_domains - 1]);
	}
	return 0;
}

static int give_log(struct xen_sysctl_readconsole *request)
{
	size_t left = strlen(xen.log + request->index);

	assert_int_equal(request->clear, 0);
	assert_int_equal(request->incremental, 1);
	if (request->count > left)
		request->count = (uint32_t)left;
	memcpy((char *)request->buffer.p, xen.log + request->index, request->count);
	request->index += request->count;
	return 0;
}

static int give_physinfo(struct xen_sysctl_physinfo *info)
{
	info->nr_cpus = 2;
	info->max_cpu_id = 3;
	info->cpu_khz = 2000000;
	info->capabilities = XEN_SYSCTL_PHYSCAP_hvm;
	info->total_pages = 1000;
	info->free_pages = 10;
	return 0;
}

static int do_domctl(struct xen_domctl *domctl)
{
	struct xen_domctl_scheduler_op *op = &domctl->u.scheduler_op;
	struct xen_domctl_vcpuaffinity *affinity = &domctl->u.vcpuaffinity;

	assert_int_equal(domctl->interface_version, XEN_DOMCTL_INTERFACE_VERSION);
	switch (domctl->cmd) {
	case XEN_DOMCTL_scheduler_op:
		assert_int_equal(op->cmd, XEN_DOMCTL_SCHEDOP_getinfo);
		if (op->sched_id != xen.scheduler)
			return refuse(EINVAL);
		if (op->sched_id == XEN_SCHEDULER_CREDIT2) {
			op->u.credit2.weight = 512;
			op->u.credit2.cap = 50;
		} else {
			op->u.credit.weight = 128;
			op->u.credit.cap = 25;
		}
		return 0;
	case XEN_DOMCTL_getvcpuaffinity:
		if (xen.no_affinity)
			return refuse(EPERM);
		assert_int_equal(affinity->cpumap_hard.nr_bits, 4);
		assert_int_equal(affinity->cpumap_soft.nr_bits, 4);
		*(uint8_t *)affinity->cpumap_hard.bitmap.p = 0x3;
		*(uint8_t *)affinity->cpumap_soft.bitmap.p = (uint8_t)(1 << affinity->vcpu);
		return 0;
	case XEN_DOMCTL_pausedomain:
	case XEN_DOMCTL_unpausedomain:
		if (xen.errnum)
			return refuse(xen.errnum);
		xen.domctl = domctl->cmd;
		xen.domctl_domid = domctl->domain;
		return 0;
	case XEN_DOMCTL_getvcpuinfo:
		if (xen.errnum)
			return refuse(xen.errnum);
		assert_int_equal(domctl->domain, 5);
		assert_int_equal(domctl->u.getvcpuinfo.vcpu, 3);
		domctl->u.getvcpuinfo = xen.vcpu;
		return 0;
	case XEN_DOMCTL_setdomainhandle:
		if (xen.errnum)
			return refuse(xen.errnum);
		xen.handle_domid = domctl->domain;
		memcpy(xen.handle, domctl->u.setdomainhandle.handle, sizeof(xen.handle));
		return 0;
	default:
		fail_msg("domctl %u", domctl->cmd);
		return -1;
	}
}

static int do_flask(struct xen_flask_op *op)
{
	static const char label[] = "system_u:system_r:hl_control_t";

	assert_int_equal(op->cmd, FLASK_SID_TO_CONTEXT);
	assert_int_equal(op->interface_version, XEN_FLASK_INTERFACE_VERSION);
	assert_int_equal(op->u.sid_context.sid, 5);
	assert_true(op->u.sid_context.size >= sizeof(label));
	memcpy((char *)op->u.sid_context.context.p, label, sizeof(label));
	return 0;
}

int xencall2(xencall_handle *handle, unsigned int op, uint64_t arg1, uint64_t arg2)
{
	char *data = (void *)(uintptr_t)arg2;

	assert_int_equal(op, __HYPERVISOR_xen_version);
	if (arg1 == XENVER_version)
		return 4 << 16 | 20;
	if (arg1 == XENVER_extraversion) {
		memcpy(data, ".4-pre", 7);
		return 0;
	}
	assert_int_equal(arg1, XENVER_capabilities);
	if (xen.no_affinity)
		return refuse(EPERM);
	memcpy(data, "xen-3.0-x86_64 ", 16);
	return 0;
}

/* The bytes are 'a' to 'z', again and again. */
static void give_console(struct xen_sysctl_hyperlaunch *payload)
{
	struct xen_hyperlaunch_console record = {.dropped = 77, .kept = xen.kept};
	const uint64_t left = xen.kept - payload->offset;

	assert_true(payload->size >= sizeof(record) && payload->offset <= xen.kept);
	record.size = (uint32_t)(left < sizeof(record.data) ? left : sizeof(record.data));
	for (uint32_t i = 0; i < record.size; i++)
		record.data[i] = (uint8_t)('a' + (payload->offset + i) % 26);
	record.size += xen.extra;
	memcpy(payload->buffer.p, &record, sizeof(record));
	payload->size = sizeof(record);
}

int xencall1(xencall_handle *handle, unsigned int op, uint64_t arg1)
{
	struct xen_sysctl *sysctl = (void *)(uintptr_t)arg1;

	xen.nr_calls++;
	if (op == __HYPERVISOR_domctl)
		return do_domctl((void *)(uintptr_t)arg1);
	if (op == __HYPERVISOR_xsm_op)
		return do_flask((void *)(uintptr_t)arg1);
	assert_int_equal(op, __HYPERVISOR_sysctl);
	xen.last = *sysctl;
	memcpy(&xen.payload, sysctl->u.pad, sizeof(xen.payload));
	if (xen.errnum)
		return refuse(xen.errnum);
	assert_int_equal(sysctl->interface_version, XEN_SYSCTL_INTERFACE_VERSION);
	switch (sysctl->cmd) {
	case XEN_SYSCTL_getdomaininfolist:
		return give_domains(&sysctl->u.getdomaininfolist);
	case XEN_SYSCTL_physinfo:
		return give_physinfo(&sysctl->u.physinfo);
	case XEN_SYSCTL_sched_id:
		sysctl->u.sched_id.sched_id = xen.scheduler;
		return 0;
	case XEN_SYSCTL_readconsole:
		return give_log(&sysctl->u.readconsole);
	default:
		assert_int_equal(sysctl->cmd, XEN_SYSCTL_hyperlaunch);
	}
	if (xen.payload.op == XEN_HYPERLAUNCH_GET_INFO ||
	    xen.payload.op == XEN_HYPERLAUNCH_READ_CONSOLE) {
		struct xen_sysctl_hyperlaunch answer = xen.payload;

		if (xen.payload.op == XEN_HYPERLAUNCH_GET_INFO)
			give_info(&answer);
		else
			give_console(&answer);
		memcpy(sysctl->u.pad, &answer, sizeof(answer));
	}
	return 0;
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	xen.event_fd = eventfd(0, 0);
	assert_true(xen.event_fd >= 0);
	xen.nr_open++;
	return (xenevtchn_handle *)&xen;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
	if (xce) {
		close(xen.event_fd);
		xen.nr_open--;
	}
	return 0;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
	return xen.event_fd;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
	xen.nr_binds++;
	if (xen.bind_errnum) {
		errno = xen.bind_errnum;
		return -1;
	}
	xen.bound = virq;
	return PORT;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
	eventfd_t ignored;

	return eventfd_read(xen.event_fd, &ignored) < 0 ? -1 : PORT;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	assert_int_equal(port, PORT);
	xen.nr_unmasked++;
	return 0;
}

static struct hl_ctx *open_xen(void)
{
	struct hl_ctx *ctx;

	memset(&xen, 0, sizeof(xen));
	assert_int_equal(hl_new("xen", NULL, NULL, &ctx), 0);
	assert_string_equal(hl_backend(ctx), "xen");
	return ctx;
}

/* The ABI has it that all but these two is zero. */
static void check_request(uint32_t op, uint32_t index, uint64_t offset)
{
	static const uint8_t zero[sizeof(xen.last.u.pad)];

	assert_int_equal(xen.last.cmd, XEN_SYSCTL_hyperlaunch);
	assert_int_equal(xen.last.interface_version, XEN_SYSCTL_INTERFACE_VERSION);
	assert_int_equal(xen.payload.op, op);
	assert_int_equal(xen.payload.index, index);
	assert_int_equal(xen.payload.offset, offset);
	assert_int_equal(xen.payload.size, 0);
	assert_int_equal(xen.payload.pad, 0);
	assert_null(xen.payload.buffer.p);
	assert_memory_equal(xen.last.u.pad + sizeof(xen.payload), zero,
			    sizeof(zero) - sizeof(xen.payload));
}

static void requests(void **state)
{
	struct hl_ctx *ctx = open_xen();

	assert_int_equal(hl_set_console(ctx, 5, 0), 0);
	check_request(XEN_HYPERLAUNCH_SET_CONSOLE, 5, 0);
	assert_int_equal(hl_set_console(ctx, 0, 1500), 0);
	check_request(XEN_HYPERLAUNCH_SET_CONSOLE, 0, 1500);
	assert_int_equal(hl_move_console_backend(ctx, 5, 0, 3), 0);
	check_request(XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND, 5, 3);
	assert_int_equal(hl_move_console_backend(ctx, 5, 2, 3), 0);
	check_request(XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND, 5, UINT64_C(2) << 32 | 3);
	assert_int_equal(hl_release(ctx, 0x7fef), 0);
	check_request(XEN_HYPERLAUNCH_RELEASE, 0x7fef, 0);
	assert_int_equal(hl_adopt(ctx, 3, 0x7fee), 0);
	check_request(XEN_HYPERLAUNCH_ADOPT, 3, 0x7fee);
	assert_int_equal(hl_ready(ctx), 0);
	check_request(XEN_HYPERLAUNCH_READY, 0, 0);
	assert_int_equal(xen.nr_calls, 7);
	hl_unref(ctx);
}

static void console_read(void **state)
{
	static const uint32_t sizes[] = {0, 1, 1007, 1008, 1009, 16384};
	struct hl_ctx *ctx = open_xen();
	uint64_t dropped;
	size_t size;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		xen.kept = sizes[i];
		xen.nr_calls = 0;
		assert_int_equal(hl_read_console(ctx, 5, &text, &size, &dropped), 0);
		assert_int_equal(xen.payload.index, 5);
		assert_int_equal(xen.nr_calls, sizes[i] ? (sizes[i] + 1007) / 1008 : 1);
		assert_int_equal(size, sizes[i]);
		assert_int_equal(dropped, 77);
		assert_int_equal(text[size], '\0');
		for (size_t at = 0; at < size; at++)
			assert_int_equal(text[at], 'a' + at % 26);
		free(text);
	}
	assert_int_equal(hl_read_console(ctx, 5, &text, &size, NULL), 0);
	free(text);
	assert_int_equal(hl_read_console(ctx, 0x7ff0, &text, &size, NULL), -ESRCH);
	hl_unref(ctx);
}

static void console_read_badly(void **state)
{
	struct hl_ctx *ctx = open_xen();
	size_t size;
	char *text;

	xen.kept = 16385;
	assert_int_equal(hl_read_console(ctx, 5, &text, &size, NULL), -EBADMSG);
	xen.kept = 100;
	xen.extra = 1;
	assert_int_equal(hl_read_console(ctx, 5, &text, &size, NULL), -EBADMSG);
	xen.extra = (uint32_t)-1;
	assert_int_equal(hl_read_console(ctx, 5, &text, &size, NULL), -EBADMSG);
	xen.errnum = EPERM;
	assert_int_equal(hl_read_console(ctx, 5, &text, &size, NULL), -EPERM);
	hl_unref(ctx);
}

static void requests_refused(void **state)
{
	static const struct {
		int errnum, r;
	} answers[] = {
		{ESRCH, -ESRCH},   {EALREADY, -EALREADY},     {EBUSY, -EBUSY},
		{EPERM, -EPERM},   {ENOENT, -ENOENT},	      {EINVAL, -EINVAL},
		{EEXIST, -EEXIST}, {EOPNOTSUPP, -EOPNOTSUPP}, {ENOSYS, -EOPNOTSUPP},
		{EACCES, -EPROTO},
	};
	struct hl_ctx *ctx = open_xen();

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		xen.errnum = answers[i].errnum;
		assert_int_equal(hl_set_console(ctx, 1, 0), answers[i].r);
		assert_int_equal(hl_move_console_backend(ctx, 1, 0, 2), answers[i].r);
		assert_int_equal(hl_release(ctx, 1), answers[i].r);
		assert_int_equal(hl_adopt(ctx, 0, 1), answers[i].r);
		assert_int_equal(hl_ready(ctx), answers[i].r);
	}
	hl_unref(ctx);
}

/* 0x7ff0 is "self" to Xen, and so on. */
static void only_domids_reach_xen(void **state)
{
	static const uint32_t none[] = {0x7ff0, 0x7ff1,	 0x7ff4,  0x7ff5,
					0x8000, 0x10000, 0x10001, HL_NO_DOMID};
	struct hl_ctx *ctx = open_xen();

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		assert_int_equal(hl_set_console(ctx, none[i], 0), -ESRCH);
		assert_int_equal(hl_release(ctx, none[i]), -ESRCH);
		assert_int_equal(hl_adopt(ctx, 0, none[i]), -ESRCH);
		assert_int_equal(hl_move_console_backend(ctx, none[i], 0, 1), -ESRCH);
		assert_int_equal(hl_move_console_backend(ctx, 1, 0, none[i]), -ESRCH);
	}
	assert_int_equal(xen.nr_calls, 0);
	hl_unref(ctx);
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void changes_are_heard(void **state)
{
	struct hl_ctx *ctx = open_xen();
	int fd;

	xen.virq = XEN_HYPERLAUNCH_VIRQ;
	assert_int_equal(hl_process(ctx), -EOPNOTSUPP);
	fd = hl_get_fd(ctx);
	assert_int_equal(fd, xen.event_fd);
	assert_int_equal(xen.bound, XEN_HYPERLAUNCH_VIRQ);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_false(readable(fd));
	assert_int_equal(hl_process(ctx), 0);
	assert_int_equal(xen.nr_unmasked, 0);
	for (unsigned int i = 1; i <= 3; i++) {
		assert_int_equal(eventfd_write(fd, 1), 0);
		assert_true(readable(fd));
		assert_int_equal(hl_process(ctx), 1);
		assert_int_equal(xen.nr_unmasked, i);
		assert_int_equal(hl_process(ctx), 0);
	}
	assert_int_equal(hl_get_fd(ctx), fd);
	assert_int_equal(xen.nr_binds, 1);
	hl_unref(ctx);
	assert_int_equal(xen.nr_open, 0);
}

static void no_interrupt(void **state)
{
	struct hl_ctx *ctx = open_xen();

	assert_int_equal(hl_get_fd(ctx), -EOPNOTSUPP);
	assert_int_equal(hl_process(ctx), -EOPNOTSUPP);
	assert_int_equal(xen.nr_open, 0);
	xen.errnum = EPERM;
	assert_int_equal(hl_get_fd(ctx), -EPERM);
	xen.errnum = 0;
	/* Somebody else in this domain has it: nothing is left open, and later it may be free. */
	xen.virq = XEN_HYPERLAUNCH_VIRQ;
	xen.bind_errnum = EEXIST;
	assert_int_equal(hl_get_fd(ctx), -EEXIST);
	assert_int_equal(xen.nr_open, 0);
	xen.bind_errnum = 0;
	assert_true(hl_get_fd(ctx) >= 0);
	hl_unref(ctx);
	assert_int_equal(xen.nr_open, 0);
}

static void live_domains(void **state)
{
	struct hl_ctx *ctx = open_xen();
	struct hl_live_domain *live;
	size_t nr;

	xen.nr_domains = 3;
	assert_int_equal(ctx->ops->list_live(ctx->backend, &live, &nr), 0);
	assert_int_equal(nr, 3);
	assert_int_equal(live[0].domid, 1);
	assert_true(live[0].hvm && live[0].shutdown && !live[0].dying);
	assert_int_equal(live[0].shutdown_code, 3);
	assert_true(live[0].memory_max == HL_UNLIMITED);
	assert_true(live[0].memory_current == 1 << 20);
	assert_true(live[0].cpu_time_ns == 1001);
	assert_int_equal(live[0].vcpus_max, 2);
	assert_int_equal(live[0].handle[0], 1);
	assert_string_equal(live[0].label, "system_u:system_r:hl_control_t");
	/* Without vCPUs. */
	assert_int_equal(live[1].vcpus_max, 0);
	assert_string_equal(live[1].label, "");
	assert_true(live[2].memory_max == 2 << 20);
	free(live);
	hl_unref(ctx);
}

static void live_domains_in_batches(void **state)
{
	struct hl_ctx *ctx = open_xen();
	struct hl_live_domain *live;
	size_t nr;

	xen.nr_domains = 200;
	assert_int_equal(ctx->ops->list_live(ctx->backend, &live, &nr), 0);
	assert_int_equal(nr, 200);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(live[i].domid, i + 1);
	free(live);
	xen.errnum = EACCES;
	assert_int_equal(ctx->ops->list_live(ctx->backend, &live, &nr), -EPROTO);
	hl_unref(ctx);
}

static void live_counts(void **state)
{
	struct hl_ctx *ctx = open_xen();
	struct hl_live_domain *live;
	size_t nr;

	xen.nr_domains = 1;
	xen.counts.outstanding_pages = 3;
	xen.counts.shr_pages = 5;
	xen.counts.paged_pages = UINT32_MAX;
	assert_int_equal(ctx->ops->list_live(ctx->backend, &live, &nr), 0);
	assert_true(live->memory_outstanding == 3 << 12 && live->memory_shared == 5 << 12);
	assert_true(live->memory_paged == (uint64_t)UINT32_MAX << 12);
	assert_int_equal(live->vcpus_online, 1);
	free(live);
	hl_unref(ctx);
}

/* Each by itself, in the last domain of several batches: nothing is left behind either. */
static void live_counts_out_of_range(void **state)
{
	const uint64_t many = UINT64_C(1) << 32;
	const struct xen_domctl_getdomaininfo wrong[] = {
		{.outstanding_pages = many}, {.shr_pages = UINT64_MAX}, {.paged_pages = many},
		{.tot_pages = many},	     {.nr_online_vcpus = 3},
	};
	struct hl_ctx *ctx = open_xen();
	struct hl_live_domain *live;
	size_t nr;

	xen.nr_domains = 130;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		xen.counts = wrong[i];
		assert_int_equal(ctx->ops->list_live(ctx->backend, &live, &nr), -EBADMSG);
	}
	xen.counts = (struct xen_domctl_getdomaininfo){.nr_online_vcpus = 2};
	assert_int_equal(ctx->ops->list_live(ctx->backend, &live, &nr), 0);
	free(live);
	hl_unref(ctx);
}

static void vcpu(void **state)
{
	struct hl_ctx *ctx = open_xen();
	struct hl_vcpu v;

	xen.vcpu = (struct xen_domctl_getvcpuinfo){
		.vcpu = 3, .online = 1, .running = 1, .cpu_time = UINT64_MAX, .cpu = 7};
	assert_int_equal(hl_get_vcpu(ctx, 5, 3, &v), 0);
	assert_true(v.online && v.running && !v.blocked && v.cpu == 7);
	assert_true(v.cpu_time_ns == UINT64_MAX);
	xen.vcpu = (struct xen_domctl_getvcpuinfo){.vcpu = 3, .blocked = 1};
	assert_int_equal(hl_get_vcpu(ctx, 5, 3, &v), 0);
	assert_true(!v.online && !v.running && v.blocked);
	xen.vcpu.blocked = 2;
	assert_int_equal(hl_get_vcpu(ctx, 5, 3, &v), -EBADMSG);
	xen.vcpu = (struct xen_domctl_getvcpuinfo){.online = 0x80};
	assert_int_equal(hl_get_vcpu(ctx, 5, 3, &v), -EBADMSG);
	xen.vcpu = (struct xen_domctl_getvcpuinfo){.running = 2};
	assert_int_equal(hl_get_vcpu(ctx, 5, 3, &v), -EBADMSG);
	xen.errnum = ESRCH;
	assert_int_equal(hl_get_vcpu(ctx, 5, 3, &v), -ESRCH);
	/* Beyond the last one. */
	xen.errnum = EINVAL;
	assert_int_equal(hl_get_vcpu(ctx, 5, 3, &v), -ESRCH);
	xen.errnum = EPERM;
	assert_int_equal(hl_get_vcpu(ctx, 5, 3, &v), -EPERM);
	assert_int_equal(hl_get_vcpu(ctx, 0x7ff0, 3, &v), -ESRCH);
	hl_unref(ctx);
}

static void scheduling(void **state)
{
	struct hl_ctx *ctx = open_xen();
	struct hl_scheduling s;
	struct hl_affinity a;

	xen.scheduler = XEN_SCHEDULER_CREDIT2;
	assert_int_equal(hl_get_scheduling(ctx, 1, &s), 0);
	assert_true(s.weight == 512 && s.cap == 50);
	xen.scheduler = XEN_SCHEDULER_CREDIT;
	assert_int_equal(hl_get_scheduling(ctx, 1, &s), 0);
	assert_true(s.weight == 128 && s.cap == 25);
	xen.scheduler = XEN_SCHEDULER_NULL;
	assert_int_equal(hl_get_scheduling(ctx, 1, &s), 0);
	assert_true(s.weight == 0 && s.cap == 0);
	assert_int_equal(hl_get_affinity(ctx, 1, 2, &a), 0);
	assert_string_equal(a.hard, "0-1");
	assert_string_equal(a.soft, "0: 0; 1: 1");
	assert_int_equal(hl_get_affinity(ctx, 1, 0, &a), 0);
	assert_string_equal(a.hard, "");
	xen.no_affinity = true;
	assert_int_equal(hl_get_affinity(ctx, 1, 2, &a), -EPERM);
	assert_string_equal(a.hard, "");
	hl_unref(ctx);
}

static void handle_set(void **state)
{
	static const uint8_t handle[16] = {1, 2, 3, [15] = 16};
	struct hl_ctx *ctx = open_xen();

	assert_int_equal(hl_set_handle(ctx, 5, handle), 0);
	assert_int_equal(xen.handle_domid, 5);
	assert_memory_equal(xen.handle, handle, sizeof(handle));
	xen.errnum = ESRCH;
	assert_int_equal(hl_set_handle(ctx, 6, handle), -ESRCH);
	assert_int_equal(hl_set_handle(ctx, 0x7ff0, handle), -ESRCH);
	hl_unref(ctx);
}

static void pauses(void **state)
{
	struct hl_ctx *ctx = open_xen();

	assert_int_equal(hl_pause(ctx, 5), 0);
	assert_true(xen.domctl == XEN_DOMCTL_pausedomain && xen.domctl_domid == 5);
	assert_int_equal(hl_unpause(ctx, 6), 0);
	assert_true(xen.domctl == XEN_DOMCTL_unpausedomain && xen.domctl_domid == 6);
	assert_int_equal(xen.nr_calls, 2);
	assert_int_equal(hl_pause(ctx, 0x7ff0), -ESRCH);
	assert_int_equal(hl_unpause(ctx, 0x7ff0), -ESRCH);
	assert_int_equal(xen.nr_calls, 2);
	xen.errnum = EINVAL;
	assert_int_equal(hl_pause(ctx, 5), -EINVAL);
	assert_int_equal(hl_unpause(ctx, 5), -EINVAL);
	hl_unref(ctx);
}

static void host(void **state)
{
	struct hl_ctx *ctx = open_xen();
	struct hl_host host;

	xen.scheduler = XEN_SCHEDULER_CREDIT2;
	assert_int_equal(hl_get_host(ctx, &host), 0);
	assert_string_equal(host.version, "4.20.4-pre");
	assert_string_equal(host.capabilities, "xen-3.0-x86_64 ");
	assert_string_equal(host.scheduler, "credit2");
	assert_true(host.memory_total == 1000 << 12 && host.memory_free == 10 << 12);
	assert_int_equal(host.cpus, 2);
	assert_int_equal(host.cpu_khz, 2000000);
	assert_true(host.hvm && !host.iommu);
	xen.errnum = EPERM;
	assert_int_equal(hl_get_host(ctx, &host), -EPERM);
	hl_unref(ctx);
}

static void whole_log(void **state)
{
	struct hl_ctx *ctx = open_xen();
	char *sent = malloc(40001), *text;
	size_t size;

	assert_non_null(sent);
	for (size_t i = 0; i < 40000; i++)
		sent[i] = (char)('a' + i % 23);
	sent[40000] = '\0';
	xen.log = sent;
	assert_int_equal(hl_read_log(ctx, &text, &size), 0);
	assert_int_equal(size, 40000);
	assert_string_equal(text, sent);
	free(text);
	free(sent);
	hl_unref(ctx);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(console_read),
		cmocka_unit_test(console_read_badly),
		cmocka_unit_test(requests_refused),
		cmocka_unit_test(only_domids_reach_xen),
		cmocka_unit_test(changes_are_heard),
		cmocka_unit_test(no_interrupt),
		cmocka_unit_test(live_domains),
		cmocka_unit_test(live_domains_in_batches),
		cmocka_unit_test(live_counts),
		cmocka_unit_test(live_counts_out_of_range),
		cmocka_unit_test(vcpu),
		cmocka_unit_test(scheduling),
		cmocka_unit_test(handle_set),
		cmocka_unit_test(pauses),
		cmocka_unit_test(host),
		cmocka_unit_test(whole_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
