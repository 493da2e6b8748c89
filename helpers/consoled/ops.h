/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls of Xen's libraries that consoled makes, as tables, so that a test can stand in for Xen
 * and xenstored.  Meanings and errors are those of the libraries' headers.
 */
#ifndef CONSOLED_OPS_H
#define CONSOLED_OPS_H

#include <stdbool.h>
#include <stdint.h>

struct xen_ops {
	/* fd: one of an earlier process, or -1. */
	void *(*evtchn_open)(int fd);
	void (*evtchn_close)(void *evtchn);
	int (*evtchn_fd)(void *evtchn);
	int (*evtchn_bind)(void *evtchn, uint32_t domid, uint32_t remote_port);
	int (*evtchn_unbind)(void *evtchn, uint32_t port);
	int (*evtchn_pending)(void *evtchn);
	int (*evtchn_unmask)(void *evtchn, uint32_t port);
	int (*evtchn_notify)(void *evtchn, uint32_t port);
	void *(*gnttab_open)(void);
	void (*gnttab_close)(void *gnttab);
	/* The grant that is reserved for the console. */
	void *(*gnttab_map)(void *gnttab, uint32_t domid);
	int (*gnttab_unmap)(void *gnttab, void *page);
};

struct store_ops {
	void *(*open)(void);
	void (*close)(void *store);
	int (*fileno)(void *store);
	bool (*watch)(void *store, const char *path, const char *token);
	bool (*unwatch)(void *store, const char *path, const char *token);
	/* NULL with errno EAGAIN: none now.  [0]: path, [1]: token. */
	char **(*check_watch)(void *store);
	char **(*directory)(void *store, const char *path, unsigned int *ret_nr);
	/* t: 0: outside of transactions */
	char *(*read)(void *store, uint32_t t, const char *path);
	bool (*write)(void *store, uint32_t t, const char *path, const char *value);
	bool (*remove)(void *store, const char *path);
	uint32_t (*transaction_start)(void *store);
	bool (*transaction_end)(void *store, uint32_t t, bool abort);
};

/* The libraries themselves. */
extern const struct xen_ops xen_ops_real;
extern const struct store_ops store_ops_real;

#endif
