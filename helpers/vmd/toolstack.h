/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libxl's context, its messages, and how an operation of it is waited for. */
#ifndef VMD_TOOLSTACK_H
#define VMD_TOOLSTACK_H

#include <libxl.h>
#include <libxl_event.h>
#include <xentoollog.h>

struct client;

struct toolstack {
	xentoollog_logger logger;
	libxl_ctx *ctx;
	struct client *client;
	char problem[256]; /* the first error that libxl has told of since toolstack_forget() */
};

int toolstack_open(struct toolstack *toolstack, struct client *client);
void toolstack_close(struct toolstack *toolstack);

/* What libxl says of an operation that has not begun is that of an earlier one. */
void toolstack_forget(struct toolstack *toolstack);

/* For the answer: what libxl said, else the name of its error. */
const char *toolstack_problem(const struct toolstack *toolstack, int rc);

/* For an operation that toolstack_wait() waits for. */
libxl_asyncop_how toolstack_how(void);

/*
 * Handles libxl's events until the operation, which `rc` says has begun, is over.  Returns its own
 * code.
 * abortable: libxl is asked to end it where the client leaves meanwhile
 */
int toolstack_wait(struct toolstack *toolstack, int rc, const libxl_asyncop_how *how,
		   bool abortable);

/* What libxl has of a domain that is there, as it is now.  @config: initialised, the caller's */
int toolstack_read_config(struct toolstack *toolstack, uint32_t domid, libxl_domain_config *config);

/* Whether a domain has that UUID, a dying one too. */
bool toolstack_has(struct toolstack *toolstack, const uint8_t uuid[16]);

/* ORDER_NO_DOMID: no domain has that UUID, but for dying ones. */
uint32_t toolstack_find(struct toolstack *toolstack, const uint8_t uuid[16]);

#endif
