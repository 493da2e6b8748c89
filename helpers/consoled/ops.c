// SPDX-License-Identifier: LGPL-2.1-or-later
/* Xen's libraries below ops.h. */
#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/grant_table.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <xen/arch-x86/cpuid.h>
#endif
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "device.h"
#include "util.h"

#define DEVICE "/dev/xen/xenbus"

static void *evtchn_open(int fd)
{
	return fd < 0 ? xenevtchn_open(NULL, 0) : xenevtchn_fdopen(NULL, fd, 0);
}

static void evtchn_close(void *evtchn)
{
	xenevtchn_close(evtchn);
}

static int evtchn_fd(void *evtchn)
{
	return xenevtchn_fd(evtchn);
}

static int evtchn_bind(void *evtchn, uint32_t domid, uint32_t remote_port)
{
	return xenevtchn_bind_interdomain(evtchn, domid, remote_port);
}

static int evtchn_unbind(void *evtchn, uint32_t port)
{
	return xenevtchn_unbind(evtchn, port);
}

static int evtchn_pending(void *evtchn)
{
	return xenevtchn_pending(evtchn);
}

static int evtchn_unmask(void *evtchn, uint32_t port)
{
	return xenevtchn_unmask(evtchn, port);
}

static int evtchn_notify(void *evtchn, uint32_t port)
{
	return xenevtchn_notify(evtchn, port);
}

static void *gnttab_open(void)
{
	return xengnttab_open(NULL, 0);
}

static void gnttab_close(void *gnttab)
{
	xengnttab_close(gnttab);
}

static void *gnttab_map(void *gnttab, uint32_t domid)
{
	return xengnttab_map_grant_ref(gnttab, domid, GNTTAB_RESERVED_CONSOLE,
				       PROT_READ | PROT_WRITE);
}

static int gnttab_unmap(void *gnttab, void *page)
{
	return xengnttab_unmap(gnttab, page, 1);
}

const struct xen_ops xen_ops_real = {
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

/*
 * A connection to xenstored.  The kernel's device knows which domain we are: relative paths are
 * ours, and so are the rights.  A domain that serves xenstore itself may have no such device; on
 * xenstored's socket a relative path would be one of domain 0.
 */
struct store {
	struct xs_handle *h;
	char home[32]; /* "": relative paths are ours */
	char domid[16];
};

#if defined(__x86_64__)
/* Xen's CPUID leaf for PVH and HVM domains; a PV domain that serves xenstore has the device. */
static bool own_domid(uint32_t *ret_domid)
{
	uint32_t eax, ebx, ecx, edx;

	for (uint32_t base = 0x40000000; base < 0x40010000; base += 0x100) {
		__cpuid(base, eax, ebx, ecx, edx);
		if (ebx != XEN_CPUID_SIGNATURE_EBX || ecx != XEN_CPUID_SIGNATURE_ECX ||
		    edx != XEN_CPUID_SIGNATURE_EDX || eax < base + 4)
			continue;
		__cpuid_count(base + 4, 0, eax, ebx, ecx, edx);
		*ret_domid = ecx;
		return eax & XEN_HVM_CPUID_DOMID_PRESENT;
	}
	return false;
}
#else
static bool own_domid(uint32_t *ret_domid)
{
	return false;
}
#endif

/* Whether libxenstore would find a device that works; who sets XENSTORED_PATH has decided that. */
static bool choose_device(void)
{
	int fd;

	if (getenv("XENSTORED_PATH"))
		return true;
	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	close(fd);
	return setenv("XENSTORED_PATH", DEVICE, 1) == 0;
}

static bool uses_device(const struct store *store)
{
	const char *path = getenv("XENSTORED_PATH");

	return store->home[0] == '\0' && path && strcmp(path, DEVICE) == 0;
}

static void *store_open(void)
{
	struct store *store = calloc(1, sizeof(*store));
	uint32_t domid;

	if (!store)
		return NULL;
	if (!choose_device()) {
		if (!own_domid(&domid)) {
			free(store);
			errno = ENODEV;
			return NULL;
		}
		snprintf(store->home, sizeof(store->home), "/local/domain/%" PRIu32 "/", domid);
		snprintf(store->domid, sizeof(store->domid), "%" PRIu32, domid);
	}
	if (uses_device(store) && !device_answers(DEVICE)) {
		free(store);
		errno = EAGAIN;
		return NULL;
	}
	store->h = xs_open(0);
	if (!store->h) {
		free(store);
		return NULL;
	}
	return store;
}

static void store_close(void *userdata)
{
	struct store *store = userdata;

	xs_close(store->h);
	free(store);
}

static int store_fileno(void *userdata)
{
	const struct store *store = userdata;

	return xs_fileno(store->h);
}

/* The path that xenstored gets; NULL: no memory. */
static char *full_path(const struct store *store, const char *path)
{
	char *full;

	return asprintf(&full, "%s%s", path[0] == '/' ? "" : store->home, path) < 0 ? NULL : full;
}

static bool store_watch(void *userdata, const char *path, const char *token)
{
	const struct store *store = userdata;
	_cleanup_(freep) char *full = full_path(store, path);

	return full && xs_watch(store->h, full, token);
}

static bool store_unwatch(void *userdata, const char *path, const char *token)
{
	const struct store *store = userdata;
	_cleanup_(freep) char *full = full_path(store, path);

	return full && xs_unwatch(store->h, full, token);
}

static char **store_check_watch(void *userdata)
{
	const struct store *store = userdata;

	return xs_check_watch(store->h);
}

static char **store_directory(void *userdata, const char *path, unsigned int *ret_nr)
{
	const struct store *store = userdata;
	_cleanup_(freep) char *full = full_path(store, path);

	return full ? xs_directory(store->h, XBT_NULL, full, ret_nr) : NULL;
}

static char *store_read(void *userdata, uint32_t t, const char *path)
{
	const struct store *store = userdata;
	_cleanup_(freep) char *full = full_path(store, path);

	if (store->domid[0] != '\0' && strcmp(path, "domid") == 0)
		return strdup(store->domid);
	return full ? xs_read(store->h, t, full, NULL) : NULL;
}

static bool store_write(void *userdata, uint32_t t, const char *path, const char *value)
{
	const struct store *store = userdata;
	_cleanup_(freep) char *full = full_path(store, path);

	return full && xs_write(store->h, t, full, value, (unsigned int)strlen(value));
}

static bool store_remove(void *userdata, const char *path)
{
	const struct store *store = userdata;
	_cleanup_(freep) char *full = full_path(store, path);

	return full && xs_rm(store->h, XBT_NULL, full);
}

static uint32_t store_transaction_start(void *userdata)
{
	const struct store *store = userdata;

	return xs_transaction_start(store->h);
}

static bool store_transaction_end(void *userdata, uint32_t t, bool abort)
{
	const struct store *store = userdata;

	return xs_transaction_end(store->h, t, abort);
}

const struct store_ops store_ops_real = {
	.open = store_open,
	.close = store_close,
	.fileno = store_fileno,
	.watch = store_watch,
	.unwatch = store_unwatch,
	.check_watch = store_check_watch,
	.directory = store_directory,
	.read = store_read,
	.write = store_write,
	.remove = store_remove,
	.transaction_start = store_transaction_start,
	.transaction_end = store_transaction_end,
};
