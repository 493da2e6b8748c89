/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests: functions that change something in the hypervisor.
 *
 * They return, besides the errors of the hypervisor: -ENOENT: Xen booted without an
 * LCM; -EINVAL: this Xen does not support the request; -ESRCH: no such domain, or
 * it is dying.  Changes are announced by hl_get_fd() and are in the next snapshot.
 */
#ifndef HYPERLAUNCH_REQUESTS_H
#define HYPERLAUNCH_REQUESTS_H

#include <stdint.h>

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes a domain the owner of the Xen console: of its input, its interrupt, raw
 * output, and the permission to use it, all of which the previous owner loses.  No
 * effect if it is the owner already.  Allowed for control domains and for the owner.
 * @loan_ms: 0: no loan, else the time in milliseconds after which the hypervisor
 *           returns the console to the previous owner
 *
 * An owner that is destroyed or shuts down is succeeded by the domain with the
 * console function, else by a control domain, else by the hardware domain.  So is
 * the lender, if it is gone when its loan ends.  A loan is over early when its
 * borrower is gone, or by another request; a console that is lent again is returned
 * to the first lender.  An owner without the control permission cannot extend its
 * loan.
 *
 * The console changes owners between two lines of input only.  -EAGAIN: a line is
 * being typed, or the owner has not read it yet, and is still delivered to the
 * owner; the hand-off follows by itself at its end, after 500 ms without input, or
 * after 2 s, whichever is first.  Repeat the request to find out: it returns 0 once
 * the hand-off is done.
 *
 * Returns 0, or -EAGAIN: see above; -EBUSY: another domain gets the console at the
 * next line end; -ENXIO: the domain is a crash domain that does not run, or it has
 * shut down; or an error as listed for all requests.
 * Since: 0.1
 */
int hl_set_console(struct hl_ctx *ctx, uint32_t domid, uint32_t loan_ms) HL_MUST_CHECK;

/*
 * Makes another domain the console back end of a domain, which does not notice the
 * change.  Allowed for control domains.
 * @domid: the domain whose PV console ring is served
 * @backend: the domain that is to serve it
 *
 * Returns 0, or -ENOENT: also if domid has no console ring; -EBUSY: the present back
 * end has not released the ring; or an error as listed for all requests.
 * Since: 0.1
 */
int hl_move_console_backend(struct hl_ctx *ctx, uint32_t domid, uint32_t backend) HL_MUST_CHECK;

/*
 * Starts an initial domain that is held.  Allowed for control domains.
 * Returns 0, or -ESRCH: also if it is not an initial domain; -EBUSY: it is not held;
 * or an error as listed for all requests.
 * Since: 0.1
 */
int hl_release(struct hl_ctx *ctx, uint32_t domid) HL_MUST_CHECK;

/*
 * Sets the handle of a domain, which toolstacks take for its UUID.  Works on a Xen
 * without Hyperlaunch too.  Allowed for control domains.
 * Returns 0, -ESRCH: no such domain, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_set_handle(struct hl_ctx *ctx, uint32_t domid, const uint8_t handle[16]) HL_MUST_CHECK;

/*
 * Reports to Xen that the domain which this process runs in is ready.  Allowed for
 * each initial domain; no effect from the second time on.
 * Returns 0, or -EPERM: this is not an initial domain; or an error as listed for all
 * requests.
 * Since: 0.1
 */
int hl_ready(struct hl_ctx *ctx) HL_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* HYPERLAUNCH_REQUESTS_H */
