// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * LD_PRELOAD for Debian's two xenstoreds: what they need of Xen, without one.  Every domain exists,
 * its ring is a page of its own that stays empty, and no event ever comes; what is left is the
 * server that clients see at its socket.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

static char handle[1];
static evtchn_port_t last_port;
static int events[2] = {-1, -1};

/* --- what Linux has of domain 0's own ring: its port and its page -----------
 * The C xenstored cannot be told to go without them. */

static int open_memory(const char *content, off_t size)
{
	int fd = memfd_create("xsd", MFD_CLOEXEC);
	size_t length = strlen(content);

	if (fd < 0)
		return -1;
	if (ftruncate(fd, size) || pwrite(fd, content, length, 0) != (ssize_t)length) {
		close(fd);
		return -1;
	}
	return fd;
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (!strcmp(path, "/proc/xen/xsd_port"))
		return open_memory("1", 1);
	if (!strcmp(path, "/proc/xen/xsd_kva"))
		return open_memory("", XC_PAGE_SIZE);
	va_start(args, flags);
	if (flags & (O_CREAT | __O_TMPFILE))
		mode = va_arg(args, mode_t);
	va_end(args);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

/* oxenstored raises its limit of open files, and ends where it may not. */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limits)
{
	(void)resource, (void)limits;
	return 0;
}

/* --- libxenctrl ------------------------------------------------------------ */

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild_logger,
				unsigned int open_flags)
{
	(void)logger, (void)dombuild_logger, (void)open_flags;
	return (xc_interface *)handle;
}

int xc_interface_close(xc_interface *xch)
{
	(void)xch;
	return 0;
}

int xc_domain_getinfo_single(xc_interface *xch, uint32_t domid, xc_domaininfo_t *info)
{
	(void)xch;
	memset(info, 0, sizeof(*info));
	info->domain = (domid_t)domid;
	return 0;
}

static void *new_page(void)
{
	void *page = mmap(NULL, XC_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

void *xc_map_foreign_range(xc_interface *xch, uint32_t domid, int size, int prot, unsigned long mfn)
{
	(void)xch, (void)domid, (void)size, (void)prot, (void)mfn;
	return new_page();
}

/* --- libxengnttab ---------------------------------------------------------- */

xengnttab_handle *xengnttab_open(xentoollog_logger *logger, unsigned open_flags)
{
	(void)logger, (void)open_flags;
	return (xengnttab_handle *)handle;
}

int xengnttab_close(xengnttab_handle *xgt)
{
	(void)xgt;
	return 0;
}

int xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t nr_grants)
{
	(void)xgt, (void)nr_grants;
	return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
	(void)xgt, (void)domid, (void)ref, (void)prot;
	return new_page();
}

int xengnttab_unmap(xengnttab_handle *xgt, void *start_address, uint32_t count)
{
	(void)xgt;
	return munmap(start_address, (size_t)count * XC_PAGE_SIZE);
}

/* --- libxenevtchn ---------------------------------------------------------- */

xenevtchn_handle *xenevtchn_open(xentoollog_logger *logger, unsigned int flags)
{
	(void)logger, (void)flags;
	return pipe(events) ? NULL : (xenevtchn_handle *)handle;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
	(void)xce;
	return 0;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
	(void)xce;
	return events[0];
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce, (void)port;
	return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid,
						     evtchn_port_t remote_port)
{
	(void)xce, (void)domid, (void)remote_port;
	return (xenevtchn_port_or_error_t)++last_port;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
	(void)xce, (void)virq;
	return (xenevtchn_port_or_error_t)++last_port;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce, (void)port;
	return 0;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce, (void)port;
	return 0;
}
