/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls of libxenstore that write a guest's nodes, as a table, so that a
 * test can stand in for xenstored.  Meanings and errors are those of <xenstore.h>.
 */
#ifndef COMMON_XS_OPS_H
#define COMMON_XS_OPS_H

#include <stdbool.h>
#include <xenstore.h>

struct xs_ops {
	xs_transaction_t (*transaction_start)(struct xs_handle *h);
	bool (*transaction_end)(struct xs_handle *h, xs_transaction_t t, bool abort);
	void *(*read)(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len);
	bool (*write)(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
		      unsigned int len);
	bool (*mkdir)(struct xs_handle *h, xs_transaction_t t, const char *path);
	bool (*rm)(struct xs_handle *h, xs_transaction_t t, const char *path);
	bool (*set_permissions)(struct xs_handle *h, xs_transaction_t t, const char *path,
				struct xs_permissions *perms, unsigned int nr);
	bool (*introduce_domain)(struct xs_handle *h, unsigned int domid, unsigned long gfn,
				 unsigned int port);
	bool (*is_domain_introduced)(struct xs_handle *h, unsigned int domid);
};

/* libxenstore itself. */
extern const struct xs_ops xs_ops_real;

#endif /* COMMON_XS_OPS_H */
