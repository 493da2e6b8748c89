// SPDX-License-Identifier: LGPL-2.1-or-later
/* The backend for the Xen that this machine runs on. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "affinity.h"
#include "ctx.h"
#include "xen/decode.h"
#include "xen/host.h"
#include "xen/private.h"
#include "xen/xtl.h"

#include <xenctrl.h>
#include <xenevtchn.h>

#define LIVE_BATCH 64

struct xen {
	struct xlog xlog;
	struct xcall *xcall;
	xc_interface *xch;
	xenevtchn_handle *evtchn; /* NULL: get_fd() has not been called */
};

static void xen_close(void *backend)
{
	struct xen *xen = backend;

	xenevtchn_close(xen->evtchn);
	if (xen->xch)
		xc_interface_close(xen->xch);
	xcall_close(xen->xcall);
	free(xen);
}

static int get_launch(void *backend, struct hl_launch *ret_launch)
{
	struct xen *xen = backend;
	struct xen_hyperlaunch_info info;
	uint32_t written;
	int rc;

	rc = xcall_hyperlaunch(xen->xcall, XEN_HYPERLAUNCH_GET_INFO, 0, 0, &info, sizeof(info),
			       &written);
	if (rc == -ENOBUFS)
		return -EPROTO;
	if (rc)
		return rc;
	if (written != sizeof(info))
		return -EBADMSG;
	return decode_launch(&info, ret_launch);
}

static int get_record(struct xen *xen, uint32_t op, uint32_t index, void *record, uint32_t size)
{
	uint32_t written;
	int rc = xcall_hyperlaunch(xen->xcall, op, index, 0, record, size, &written);

	if (rc == -ENOBUFS)
		return -EPROTO;
	if (rc)
		return rc;
	return written == size ? 0 : -EBADMSG;
}

static int get_domain(void *backend, uint32_t index, struct hl_launch_domain *ret_domain)
{
	struct xen_hyperlaunch_domain domain;
	int rc = get_record(backend, XEN_HYPERLAUNCH_GET_DOMAIN, index, &domain, sizeof(domain));

	return rc ? rc : decode_domain(&domain, index, ret_domain);
}

static int get_module(void *backend, uint32_t index, struct hl_launch_module *ret_module)
{
	struct xen_hyperlaunch_module module;
	int rc = get_record(backend, XEN_HYPERLAUNCH_GET_MODULE, index, &module, sizeof(module));

	return rc ? rc : decode_module(&module, index, ret_module);
}

static int read_lcm(void *backend, void **ret_blob, size_t *ret_size)
{
	_cleanup_(freep) uint8_t *blob = NULL;
	struct xen *xen = backend;
	struct hl_launch launch;
	uint32_t done = 0;
	int rc;

	rc = get_launch(xen, &launch);
	if (rc)
		return rc;
	if (!launch.lcm_size)
		return -ENOENT;
	blob = malloc(launch.lcm_size);
	if (!blob)
		return -ENOMEM;
	while (done < launch.lcm_size) {
		uint32_t left = launch.lcm_size - done, written;

		rc = xcall_hyperlaunch(xen->xcall, XEN_HYPERLAUNCH_READ_LCM, 0, done, blob + done,
				       left < XCALL_MAX_BYTES ? left : XCALL_MAX_BYTES, &written);
		if (rc)
			return rc;
		if (!written)
			return -EBADMSG; /* shorter than lcm_size */
		done += written;
	}
	*ret_size = done;
	*ret_blob = steal(&blob);
	return 0;
}

/* Appends events from *seq on and advances it.  Returns their number, or an error. */
static int read_events(struct xen *xen, uint32_t *seq, struct hl_event **events, size_t *nr)
{
	struct xen_hyperlaunch_event batch[XCALL_MAX_BYTES / sizeof(struct xen_hyperlaunch_event)];
	struct hl_event *grown;
	uint32_t written, count;
	int rc;

	rc = xcall_hyperlaunch(xen->xcall, XEN_HYPERLAUNCH_GET_EVENTS, *seq, 0, batch,
			       sizeof(batch), &written);
	if (rc)
		return rc;
	count = written / (uint32_t)sizeof(batch[0]);
	if (written % sizeof(batch[0]))
		return -EBADMSG;
	if (!count)
		return 0;
	grown = reallocarray(*events, *nr + count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*events = grown;
	for (uint32_t i = 0; i < count; i++) {
		/* Sequence numbers must rise, else the loop of the caller would not end. */
		if (batch[i].seq < *seq || batch[i].seq == UINT32_MAX)
			return -EBADMSG;
		rc = decode_event(&batch[i], &grown[*nr]);
		if (rc)
			return rc;
		++*nr;
		*seq = batch[i].seq + 1;
	}
	return (int)count;
}

static int get_events(void *backend, uint32_t since, struct hl_event **ret_events, size_t *ret_nr)
{
	_cleanup_(freep) struct hl_event *events = NULL;
	struct xen *xen = backend;
	struct hl_launch launch;
	size_t nr = 0;
	int rc;

	rc = get_launch(xen, &launch);
	if (rc)
		return rc;
	if (launch.state == HL_LAUNCH_NONE)
		return -ENOENT;
	if (since < launch.first_event)
		since = launch.first_event;
	while (since < launch.nr_events) {
		rc = read_events(xen, &since, &events, &nr);
		if (rc < 0)
			return rc;
		if (!rc)
			break;
		if (nr > MAX_EVENTS)
			return -EBADMSG;
	}
	*ret_nr = nr;
	*ret_events = steal(&events);
	return 0;
}

static uint64_t pages_to_bytes(uint64_t pages)
{
	/* Xen keeps the maximum in 32 bits; all ones mean no limit. */
	return pages >= UINT32_MAX ? HL_UNLIMITED : pages << XC_PAGE_SHIFT;
}

static void fill_live(struct xen *xen, const xc_domaininfo_t *info, struct hl_live_domain *live)
{
	*live = (struct hl_live_domain){
		.domid = info->domain,
		.hvm = info->flags & XEN_DOMINF_hvm_guest,
		.dying = info->flags & XEN_DOMINF_dying,
		.shutdown = info->flags & XEN_DOMINF_shutdown,
		.paused = info->flags & XEN_DOMINF_paused,
		.running = info->flags & XEN_DOMINF_running,
		.blocked = info->flags & XEN_DOMINF_blocked,
		.xenstore = info->flags & XEN_DOMINF_xs_domain,
		.memory_max = pages_to_bytes(info->max_pages),
		.memory_current = pages_to_bytes(info->tot_pages),
		.vcpus_max =
			info->max_vcpu_id == XEN_INVALID_MAX_VCPU_ID ? 0 : info->max_vcpu_id + 1,
		.vcpus_online = info->nr_online_vcpus,
		.cpu_time_ns = info->cpu_time,
		.ssidref = info->ssidref,
	};
	if (live->shutdown)
		live->shutdown_code =
			info->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
	memcpy(live->handle, info->handle, sizeof(live->handle));
	/* The ssidref is 0 without FLASK; one that FLASK cannot translate is no error. */
	if (live->ssidref &&
	    xc_flask_sid_to_context(xen->xch, live->ssidref, live->label, sizeof(live->label) - 1))
		live->label[0] = '\0';
}

/* EACCES: Xen's domctls have another version. */
static int domctl_error(void)
{
	return errno == EACCES ? -EPROTO : -errno;
}

/* Credit2 and credit are the schedulers that have weights; -EINVAL: another one runs. */
static int get_scheduling(void *backend, uint32_t domid, struct hl_scheduling *ret)
{
	struct xen *xen = backend;
	struct xen_domctl_sched_credit2 credit2;
	struct xen_domctl_sched_credit credit;

	if (!xc_sched_credit2_domain_get(xen->xch, domid, &credit2)) {
		ret->weight = credit2.weight;
		ret->cap = credit2.cap;
		return 0;
	}
	if (errno != EINVAL)
		return domctl_error();
	if (!xc_sched_credit_domain_get(xen->xch, domid, &credit)) {
		ret->weight = credit.weight;
		ret->cap = credit.cap;
		return 0;
	}
	return errno == EINVAL ? 0 : domctl_error();
}

/* Fails if a vCPU is gone, or this domain may not read its affinity. */
static int read_affinity(struct xen *xen, uint32_t domid, uint32_t nr_vcpus, size_t stride,
			 uint8_t *hard, uint8_t *soft)
{
	for (uint32_t i = 0; i < nr_vcpus; i++)
		if (xc_vcpu_getaffinity(xen->xch, domid, (int)i, hard + i * stride,
					soft + i * stride,
					XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT))
			return domctl_error();
	return 0;
}

static int get_affinity(void *backend, uint32_t domid, uint32_t nr_vcpus, struct hl_affinity *ret)
{
	struct xen *xen = backend;
	const int nr_cpus = xc_get_max_cpus(xen->xch), stride = xc_get_cpumap_size(xen->xch);
	struct affinities affinities = {.nr_vcpus = nr_vcpus};
	_cleanup_(freep) uint8_t *hard = NULL;
	uint8_t *soft;
	size_t size;
	int rc;

	if (nr_cpus <= 0 || stride <= 0)
		return domctl_error();
	if (!nr_vcpus)
		return 0;
	affinities.nr_cpus = (uint32_t)nr_cpus;
	affinities.stride = (size_t)stride;
	size = nr_vcpus * affinities.stride;
	hard = calloc(2, size);
	if (!hard)
		return -ENOMEM;
	soft = hard + size;
	rc = read_affinity(xen, domid, nr_vcpus, affinities.stride, hard, soft);
	if (rc)
		return rc;
	affinities.maps = hard;
	affinity_text(&affinities, ret->hard, sizeof(ret->hard));
	affinities.maps = soft;
	affinity_text(&affinities, ret->soft, sizeof(ret->soft));
	return 0;
}

static int add_live(struct xen *xen, const xc_domaininfo_t *infos, size_t count,
		    struct hl_live_domain **domains, size_t *nr)
{
	struct hl_live_domain *grown = reallocarray(*domains, *nr + count, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*domains = grown;
	for (size_t i = 0; i < count; i++)
		fill_live(xen, &infos[i], &grown[(*nr)++]);
	return 0;
}

static int list_live(void *backend, struct hl_live_domain **ret_domains, size_t *ret_nr)
{
	_cleanup_(freep) struct hl_live_domain *domains = NULL;
	xc_domaininfo_t infos[LIVE_BATCH];
	struct xen *xen = backend;
	uint32_t first = 0;
	size_t nr = 0;
	int count, rc;

	do {
		count = xc_domain_getinfolist(xen->xch, first, LIVE_BATCH, infos);
		if (count < 0)
			return errno == EACCES ? -EPROTO : -errno;
		if (!count)
			break;
		if (count > LIVE_BATCH || nr > MAX_LIVE_DOMAINS || infos[count - 1].domain < first)
			return -EBADMSG;
		rc = add_live(xen, infos, (size_t)count, &domains, &nr);
		if (rc)
			return rc;
		first = infos[count - 1].domain + 1u;
	} while (count == LIVE_BATCH);
	*ret_nr = nr;
	*ret_domains = steal(&domains);
	return 0;
}

static int get_host(void *backend, struct hl_host *ret_host)
{
	struct xen *xen = backend;

	return xen_get_host(xen->xch, ret_host);
}

static int read_log(void *backend, char **ret_text, size_t *ret_size)
{
	struct xen *xen = backend;

	return xen_read_log(xen->xch, ret_text, ret_size);
}

static int set_console(void *backend, uint32_t domid, uint32_t loan_ms)
{
	struct xen *xen = backend;

	return xcall_hyperlaunch_do(xen->xcall, XEN_HYPERLAUNCH_SET_CONSOLE, domid, loan_ms);
}

static int move_console_backend(void *backend, uint32_t domid, uint32_t server)
{
	struct xen *xen = backend;

	return xcall_hyperlaunch_do(xen->xcall, XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND, domid,
				    server);
}

static int release(void *backend, uint32_t domid)
{
	struct xen *xen = backend;

	return xcall_hyperlaunch_do(xen->xcall, XEN_HYPERLAUNCH_RELEASE, domid, 0);
}

static int ready(void *backend)
{
	struct xen *xen = backend;

	return xcall_hyperlaunch_do(xen->xcall, XEN_HYPERLAUNCH_READY, 0, 0);
}

static int bind_virq(struct xen *xen, uint32_t virq)
{
	xenevtchn_handle *evtchn = xenevtchn_open(&xen->xlog.vtable, 0);
	int fd, flags, rc;

	if (!evtchn)
		return -errno;
	fd = xenevtchn_fd(evtchn);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    xenevtchn_bind_virq(evtchn, virq) < 0) {
		rc = -errno;
		xenevtchn_close(evtchn);
		return rc;
	}
	xen->evtchn = evtchn;
	return 0;
}

static int get_fd(void *backend)
{
	struct xen *xen = backend;
	struct hl_launch launch;
	int rc;

	if (!xen->evtchn) {
		rc = get_launch(xen, &launch);
		if (rc)
			return rc;
		if (!launch.virq)
			return -EOPNOTSUPP;
		rc = bind_virq(xen, launch.virq);
		if (rc)
			return rc;
	}
	return xenevtchn_fd(xen->evtchn);
}

static int process(void *backend)
{
	struct xen *xen = backend;
	int port;

	if (!xen->evtchn)
		return -EOPNOTSUPP;
	port = xenevtchn_pending(xen->evtchn);
	if (port < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (xenevtchn_unmask(xen->evtchn, (evtchn_port_t)port) < 0)
		return -errno;
	return 1;
}

static int xen_open(const char *rest, const struct logger *logger, void **ret_backend)
{
	struct xen *xen = calloc(1, sizeof(*xen));
	int rc;

	(void)rest;
	if (!xen)
		return -ENOMEM;
	*ret_backend = xen;
	xlog_init(&xen->xlog, logger);
	rc = xcall_open(logger, &xen->xcall);
	if (rc)
		return rc;
	xen->xch = xc_interface_open(&xen->xlog.vtable, NULL, XC_OPENFLAG_NON_REENTRANT);
	return xen->xch ? 0 : -ENODEV;
}

const struct backend_ops xen_backend = {
	.name = "xen",
	.open = xen_open,
	.close = xen_close,
	.get_fd = get_fd,
	.process = process,
	.get_launch = get_launch,
	.get_domain = get_domain,
	.get_module = get_module,
	.get_host = get_host,
	.read_log = read_log,
	.read_lcm = read_lcm,
	.get_events = get_events,
	.list_live = list_live,
	.get_scheduling = get_scheduling,
	.get_affinity = get_affinity,
	.set_console = set_console,
	.move_console_backend = move_console_backend,
	.release = release,
	.ready = ready,
};
