// SPDX-License-Identifier: LGPL-2.1-or-later
/* The backend for the Xen that this machine runs on. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "ctx.h"
#include "xen/decode.h"
#include "xen/host.h"
#include "xen/live.h"
#include "xen/private.h"
#include "xen/xtl.h"

#include <xenevtchn.h>

struct xen {
	struct xlog xlog;
	struct xcall *xcall;
	xenevtchn_handle *evtchn; /* NULL: get_fd() has not been called */
};

static void xen_close(void *backend)
{
	struct xen *xen = backend;

	xenevtchn_close(xen->evtchn);
	xcall_close(xen->xcall);
	free(xen);
}

static int get_launch(void *backend, struct hl_launch *ret_launch)
{
	struct xen *xen = backend;
	struct xen_hyperlaunch_info info;
	uint32_t written;
	int r;

	r = xcall_hyperlaunch(xen->xcall, XEN_HYPERLAUNCH_GET_INFO, 0, 0, &info, sizeof(info),
			      &written);
	if (r == -ENOBUFS)
		return -EPROTO;
	if (r)
		return r;
	if (written != sizeof(info))
		return -EBADMSG;
	return decode_launch(&info, ret_launch);
}

static int get_record(struct xen *xen, uint32_t op, uint32_t index, void *record, uint32_t size)
{
	uint32_t written;
	int r = xcall_hyperlaunch(xen->xcall, op, index, 0, record, size, &written);

	if (r == -ENOBUFS)
		return -EPROTO;
	if (r)
		return r;
	return written == size ? 0 : -EBADMSG;
}

static int get_domain(void *backend, uint32_t index, struct hl_launch_domain *ret_domain)
{
	struct xen_hyperlaunch_domain domain;
	int r = get_record(backend, XEN_HYPERLAUNCH_GET_DOMAIN, index, &domain, sizeof(domain));

	return r ? r : decode_domain(&domain, index, ret_domain);
}

static int get_module(void *backend, uint32_t index, struct hl_launch_module *ret_module)
{
	struct xen_hyperlaunch_module module;
	int r = get_record(backend, XEN_HYPERLAUNCH_GET_MODULE, index, &module, sizeof(module));

	return r ? r : decode_module(&module, index, ret_module);
}

static int read_lcm(void *backend, void **ret_blob, size_t *ret_size)
{
	_cleanup_(freep) uint8_t *blob = NULL;
	struct xen *xen = backend;
	struct hl_launch launch;
	uint32_t done = 0;
	int r;

	r = get_launch(xen, &launch);
	if (r)
		return r;
	if (!launch.lcm_size)
		return -ENOENT;
	blob = malloc(launch.lcm_size);
	if (!blob)
		return -ENOMEM;
	while (done < launch.lcm_size) {
		uint32_t left = launch.lcm_size - done, written;

		r = xcall_hyperlaunch(xen->xcall, XEN_HYPERLAUNCH_READ_LCM, 0, done, blob + done,
				      left < XCALL_MAX_BYTES ? left : XCALL_MAX_BYTES, &written);
		if (r)
			return r;
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
	int r;

	r = xcall_hyperlaunch(xen->xcall, XEN_HYPERLAUNCH_GET_EVENTS, *seq, 0, batch, sizeof(batch),
			      &written);
	if (r)
		return r;
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
		r = decode_event(&batch[i], &grown[*nr]);
		if (r)
			return r;
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
	int r;

	r = get_launch(xen, &launch);
	if (r)
		return r;
	if (launch.state == HL_LAUNCH_NONE)
		return -ENOENT;
	if (since < launch.first_event)
		since = launch.first_event;
	while (since < launch.nr_events) {
		r = read_events(xen, &since, &events, &nr);
		if (r < 0)
			return r;
		if (!r)
			break;
		if (nr > MAX_EVENTS)
			return -EBADMSG;
	}
	*ret_nr = nr;
	*ret_events = steal(&events);
	return 0;
}

static int list_live(void *backend, struct hl_live_domain **ret_domains, size_t *ret_nr)
{
	struct xen *xen = backend;

	return xen_list_live(xen->xcall, ret_domains, ret_nr);
}

static int get_scheduling(void *backend, uint32_t domid, struct hl_scheduling *ret)
{
	struct xen *xen = backend;

	return xen_get_scheduling(xen->xcall, domid, ret);
}

static int get_affinity(void *backend, uint32_t domid, uint32_t nr_vcpus, struct hl_affinity *ret)
{
	struct xen *xen = backend;

	return xen_get_affinity(xen->xcall, domid, nr_vcpus, ret);
}

static int get_vcpu(void *backend, uint32_t domid, uint32_t vcpu, struct hl_vcpu *ret_vcpu)
{
	struct xen *xen = backend;

	return xen_get_vcpu(xen->xcall, domid, vcpu, ret_vcpu);
}

static int get_host(void *backend, struct hl_host *ret_host)
{
	struct xen *xen = backend;

	return xen_get_host(xen->xcall, ret_host);
}

static int read_log(void *backend, char **ret_text, size_t *ret_size)
{
	struct xen *xen = backend;

	return xen_read_log(xen->xcall, ret_text, ret_size);
}

static int set_console(void *backend, uint32_t domid, uint32_t loan_ms)
{
	struct xen *xen = backend;

	return xcall_hyperlaunch_do(xen->xcall, XEN_HYPERLAUNCH_SET_CONSOLE, domid, loan_ms);
}

static int move_console_backend(void *backend, uint32_t domid, uint32_t port, uint32_t server)
{
	struct xen *xen = backend;

	return xcall_hyperlaunch_do(xen->xcall, XEN_HYPERLAUNCH_MOVE_CONSOLE_BACKEND, domid,
				    (uint64_t)port << 32 | server);
}

/* Reads the bytes from *done on that fit a record into text, and advances *done. */
static int read_console_part(struct xen *xen, uint32_t domid, char *text, uint32_t *done,
			     uint32_t *ret_kept, uint64_t *ret_dropped)
{
	struct xen_hyperlaunch_console record;
	uint32_t written;
	int r = xcall_hyperlaunch(xen->xcall, XEN_HYPERLAUNCH_READ_CONSOLE, domid, *done, &record,
				  sizeof(record), &written);

	if (r == -ENOBUFS)
		return -EPROTO;
	if (r)
		return r;
	if (written != sizeof(record))
		return -EBADMSG;
	r = check_console(&record, *done);
	if (r)
		return r;
	memcpy(text + *done, record.data, record.size);
	*done += record.size;
	*ret_kept = record.kept;
	*ret_dropped = record.dropped;
	return 0;
}

/* @text: has room for all that Xen may have kept. */
static int read_console_parts(struct xen *xen, uint32_t domid, char *text, size_t *ret_size,
			      uint64_t *ret_dropped)
{
	uint32_t done = 0, kept;
	uint64_t dropped;
	int r;

	do {
		r = read_console_part(xen, domid, text, &done, &kept, &dropped);
		if (r)
			return r;
	} while (done < kept);
	*ret_size = done;
	*ret_dropped = dropped;
	return 0;
}

static int read_console(void *backend, uint32_t domid, char **ret_text, size_t *ret_size,
			uint64_t *ret_dropped)
{
	char *text = malloc(XEN_HYPERLAUNCH_CONSOLE_KEPT + 1);
	int r;

	if (!text)
		return -ENOMEM;
	r = read_console_parts(backend, domid, text, ret_size, ret_dropped);
	if (r) {
		free(text);
		return r;
	}
	text[*ret_size] = '\0';
	*ret_text = text;
	return 0;
}

static int release(void *backend, uint32_t domid)
{
	struct xen *xen = backend;

	return xcall_hyperlaunch_do(xen->xcall, XEN_HYPERLAUNCH_RELEASE, domid, 0);
}

static int adopt(void *backend, uint32_t index, uint32_t domid)
{
	struct xen *xen = backend;

	return xcall_hyperlaunch_do(xen->xcall, XEN_HYPERLAUNCH_ADOPT, index, domid);
}

/* Runs a domctl that has no payload. */
static int do_domctl(struct xen *xen, uint32_t cmd, uint32_t domid)
{
	struct xen_domctl domctl;

	memset(&domctl, 0, sizeof(domctl));
	domctl.cmd = cmd;
	domctl.domain = (domid_t)domid;
	return xcall_domctl(xen->xcall, &domctl);
}

static int pause_domain(void *backend, uint32_t domid)
{
	return do_domctl(backend, XEN_DOMCTL_pausedomain, domid);
}

static int unpause_domain(void *backend, uint32_t domid)
{
	return do_domctl(backend, XEN_DOMCTL_unpausedomain, domid);
}

static int set_handle(void *backend, uint32_t domid, const uint8_t handle[16])
{
	struct xen *xen = backend;
	struct xen_domctl domctl;

	memset(&domctl, 0, sizeof(domctl));
	domctl.cmd = XEN_DOMCTL_setdomainhandle;
	domctl.domain = (domid_t)domid;
	memcpy(domctl.u.setdomainhandle.handle, handle, sizeof(domctl.u.setdomainhandle.handle));
	return xcall_domctl(xen->xcall, &domctl);
}

static int ready(void *backend)
{
	struct xen *xen = backend;

	return xcall_hyperlaunch_do(xen->xcall, XEN_HYPERLAUNCH_READY, 0, 0);
}

static int bind_virq(struct xen *xen, uint32_t virq)
{
	xenevtchn_handle *evtchn = xenevtchn_open(&xen->xlog.vtable, 0);
	int fd, flags, r;

	if (!evtchn)
		return -errno;
	fd = xenevtchn_fd(evtchn);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    xenevtchn_bind_virq(evtchn, virq) < 0) {
		r = -errno;
		xenevtchn_close(evtchn);
		return r;
	}
	xen->evtchn = evtchn;
	return 0;
}

static int get_fd(void *backend)
{
	struct xen *xen = backend;
	struct hl_launch launch;
	int r;

	if (!xen->evtchn) {
		r = get_launch(xen, &launch);
		if (r)
			return r;
		if (!launch.virq)
			return -EOPNOTSUPP;
		r = bind_virq(xen, launch.virq);
		if (r)
			return r;
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

	(void)rest;
	if (!xen)
		return -ENOMEM;
	*ret_backend = xen;
	xlog_init(&xen->xlog, logger);
	return xcall_open(logger, &xen->xcall);
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
	.get_vcpu = get_vcpu,
	.set_console = set_console,
	.move_console_backend = move_console_backend,
	.read_console = read_console,
	.release = release,
	.adopt = adopt,
	.pause = pause_domain,
	.unpause = unpause_domain,
	.set_handle = set_handle,
	.ready = ready,
};
