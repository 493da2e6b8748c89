// SPDX-License-Identifier: LGPL-2.1-or-later
/* Event channels and rings, in shared memory. */
#include "fake-xen.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct fake_domain {
	_Alignas(4096) struct xencons_interface page;
	_Alignas(4096) bool bound, masked, pending, taken, refused, closed;
	int mapped;
	unsigned int notified;
};

struct fake_xen {
	pthread_mutex_t mutex;
	int events[2]; /* a pipe of ports */
	struct fake_domain domains[FAKE_DOMAINS];
};

static struct fake_xen *xen;
/* What a test has no use for. */
static int the_evtchn, the_gnttab;
static int evtchn = -1;

/* A process that is killed leaves the mutex. */
static void lock(void)
{
	if (pthread_mutex_lock(&xen->mutex) == EOWNERDEAD)
		pthread_mutex_consistent(&xen->mutex);
}

static void unlock(void)
{
	pthread_mutex_unlock(&xen->mutex);
}

void fake_xen_reset(void)
{
	pthread_mutexattr_t attributes;
	int ends[2];

	if (xen) {
		close(xen->events[0]);
		close(xen->events[1]);
		munmap(xen, sizeof(*xen));
	}
	xen = mmap(NULL, sizeof(*xen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(xen != MAP_FAILED);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&xen->mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	assert(pipe2(ends, O_CLOEXEC) == 0);
	for (int i = 0; i < 2; i++) {
		xen->events[i] = fcntl(ends[i], F_DUPFD_CLOEXEC, FAKE_FD);
		close(ends[i]);
	}
}

static struct fake_domain *domain(uint32_t domid)
{
	assert(domid < FAKE_DOMAINS);
	return &xen->domains[domid];
}

static struct fake_domain *domain_of(uint32_t port)
{
	assert(port >= FAKE_PORT);
	return domain(port - FAKE_PORT);
}

/* With the lock: as Linux' driver, which masks a port until it is written. */
static void raise_event(struct fake_domain *d)
{
	uint32_t port = FAKE_PORT + (uint32_t)(d - xen->domains);

	d->pending = true;
	if (!d->bound || d->masked)
		return;
	d->masked = true;
	d->pending = false;
	assert(write(xen->events[1], &port, sizeof(port)) == sizeof(port));
}

static void *evtchn_open(int fd)
{
	evtchn = fd < 0 ? dup(xen->events[0]) : fd;
	return &the_evtchn;
}

static void evtchn_close(void *handle)
{
	close(evtchn);
	evtchn = -1;
}

static int evtchn_fd(void *handle)
{
	return evtchn;
}

static int evtchn_bind(void *handle, uint32_t domid, uint32_t remote_port)
{
	struct fake_domain *d = domain(domid);
	int r = -1;

	lock();
	if (remote_port == FAKE_REMOTE && !d->bound && !d->taken && !d->closed) {
		d->bound = true;
		d->masked = false;
		raise_event(d);
		r = FAKE_PORT + (int)domid;
	}
	unlock();
	errno = EINVAL;
	return r;
}

static int evtchn_unbind(void *handle, uint32_t port)
{
	struct fake_domain *d = domain_of(port);
	bool bound;

	lock();
	bound = d->bound;
	d->bound = false;
	unlock();
	errno = ENOTCONN;
	return bound ? 0 : -1;
}

static int evtchn_pending(void *handle)
{
	uint32_t port;

	return read(evtchn, &port, sizeof(port)) == sizeof(port) ? (int)port : -1;
}

static int evtchn_unmask(void *handle, uint32_t port)
{
	struct fake_domain *d = domain_of(port);

	lock();
	if (d->masked) {
		d->masked = false;
		if (d->pending)
			raise_event(d);
	}
	unlock();
	return 0;
}

static int evtchn_notify(void *handle, uint32_t port)
{
	lock();
	domain_of(port)->notified++;
	unlock();
	return 0;
}

static void *gnttab_open(void)
{
	return &the_gnttab;
}

static void gnttab_close(void *handle)
{
}

static void *gnttab_map(void *handle, uint32_t domid)
{
	errno = EINVAL;
	if (domid >= FAKE_DOMAINS || domain(domid)->refused)
		return NULL;
	domain(domid)->mapped++;
	return &domain(domid)->page;
}

static int gnttab_unmap(void *handle, void *page)
{
	struct fake_domain *d = page;

	d->mapped--;
	return 0;
}

const struct xen_ops fake_xen_ops = {
	.evtchn_open = evtchn_open,
	.evtchn_close = evtchn_close,
	.evtchn_fd = evtchn_fd,
	.evtchn_bind = evtchn_bind,
	.evtchn_unbind = evtchn_unbind,
	.evtchn_pending = evtchn_pending,
	.evtchn_unmask = evtchn_unmask,
	.evtchn_notify = evtchn_notify,
	.gnttab_open = gnttab_open,
	.gnttab_close = gnttab_close,
	.gnttab_map = gnttab_map,
	.gnttab_unmap = gnttab_unmap,
};

struct xencons_interface *fake_page(uint32_t domid)
{
	return &domain(domid)->page;
}

void fake_refuse_grant(uint32_t domid, bool refuse)
{
	domain(domid)->refused = refuse;
}

void fake_take_port(uint32_t domid, bool taken)
{
	domain(domid)->taken = taken;
}

bool fake_is_bound(uint32_t domid)
{
	return domain(domid)->bound;
}

bool fake_is_mapped(uint32_t domid)
{
	return domain(domid)->mapped > 0;
}

unsigned int fake_notified(uint32_t domid)
{
	return domain(domid)->notified;
}

void fake_notify(uint32_t domid)
{
	lock();
	raise_event(domain(domid));
	unlock();
}

void fake_close(uint32_t domid)
{
	lock();
	domain(domid)->bound = false;
	domain(domid)->closed = true;
	unlock();
}

size_t fake_print(uint32_t domid, const void *data, size_t size)
{
	struct xencons_interface *page = fake_page(domid);
	uint32_t prod = page->out_prod;
	uint32_t room =
		sizeof(page->out) - (prod - __atomic_load_n(&page->out_cons, __ATOMIC_ACQUIRE));

	if (size > room)
		size = room;
	for (size_t i = 0; i < size; i++)
		page->out[prod++ % sizeof(page->out)] = ((const char *)data)[i];
	__atomic_store_n(&page->out_prod, prod, __ATOMIC_RELEASE);
	if (size > 0)
		fake_notify(domid);
	return size;
}

size_t fake_read(uint32_t domid, void *data, size_t size)
{
	struct xencons_interface *page = fake_page(domid);
	uint32_t cons = page->in_cons;
	size_t nr = 0;

	while (nr < size && cons != __atomic_load_n(&page->in_prod, __ATOMIC_ACQUIRE))
		((char *)data)[nr++] = page->in[cons++ % sizeof(page->in)];
	__atomic_store_n(&page->in_cons, cons, __ATOMIC_RELEASE);
	if (nr > 0)
		fake_notify(domid);
	return nr;
}
