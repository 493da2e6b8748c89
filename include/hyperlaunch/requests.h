/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests: functions that the hypervisor permits by role; all but hl_read_console()
 * change something there.
 *
 * They return, besides the errors of the hypervisor: -ENOENT: Xen booted without an
 * LCM; -EINVAL: this Xen does not support the request; -ESRCH: no such domain, or
 * it is dying.  Changes are announced by hl_get_fd() and are in the next snapshot.
 */
#ifndef HYPERLAUNCH_REQUESTS_H
#define HYPERLAUNCH_REQUESTS_H

#include <stddef.h>
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
 * @port: its own event channel for the console, as its console/port in xenstore has it,
 *        of any domain; 0: the one that Xen opened, of an initial domain
 * @backend: the domain that is to serve it
 *
 * Event channel and grant of the ring move together, or neither does.  A port that is
 * named has to wait for the domain that the ring is granted to, and not be the one of
 * the domain's xenstore ring.  The new back end has 10 s to bind it; if the domain is an
 * initial one, Xen takes output from the ring after that.
 *
 * Returns 0, or -ENOENT: also if domid has no console ring, or no such port; -EBUSY: the
 * present back end has not released the ring; -EINVAL: domid and backend are the same, or
 * the port is not that of the console; -EPERM: also if XSM does not let the new back end
 * serve this domain; or an error as listed for all requests.
 * Since: 0.1
 */
int hl_move_console_backend(struct hl_ctx *ctx, uint32_t domid, uint32_t port,
			    uint32_t backend) HL_MUST_CHECK;

/*
 * Reads the first output of an initial domain: what Xen took from its PV console ring
 * before a back end bound it, so that the domain did not have to wait.  Allowed for
 * control domains, and for the back end of that ring.
 * @ret_text: set to the bytes, as the domain wrote them, for the caller to free(); they
 *            are followed by a NUL that *ret_size does not count
 * @ret_size: set to their number, up to 16384
 * @ret_dropped: set to the number of bytes that Xen has taken and did not keep: those
 *               after the first 16384, and what it took when the ring had had no back end
 *               for 10 s.  May be NULL
 *
 * What is still in the ring comes after all of these.  Both numbers stay as they are
 * while the ring's event channel is bound.
 *
 * Returns 0, or -ESRCH: also if domid is not an initial domain; -ENOENT: also if it has no
 * ring; or an error as listed for all requests.
 * Since: 0.1
 */
int hl_read_console(struct hl_ctx *ctx, uint32_t domid, char **ret_text, size_t *ret_size,
		    uint64_t *ret_dropped) HL_MUST_CHECK;

/*
 * Starts an initial domain that is held.  Allowed for control domains.
 * Returns 0, or -ESRCH: also if it is not an initial domain; -EBUSY: it is not held;
 * or an error as listed for all requests.
 * Since: 0.1
 */
int hl_release(struct hl_ctx *ctx, uint32_t domid) HL_MUST_CHECK;

/*
 * Makes a domain that a toolstack has created the initial domain of a record whose own
 * domain is gone: it may call hl_ready(), its events are logged, it is in the table with
 * the LCM's name, roles and node, and the CONSOLE function is in effect if the LCM has it
 * for that record.  Call it when the domain is complete and before it is unpaused the
 * first time; nothing is started by this.  Allowed for control domains.
 * @index: of the record, as in hl_get_domain()
 * @domid: the domain that takes its place; it may differ from the record's, which then
 *         has this one
 *
 * Xen checks that the record is RECLAIMED and has none of the roles control, hardware,
 * boot, crash and xenstore; and that the domain has never run, is not initial, has the
 * record's type (PVH, or PV of as many bits) and XSM label, and its UUID as the handle, if
 * the record has one.  It cannot check what the domain was built of: the digests of the
 * record's modules are those of the boot.  So the record, an event and struct hl_domain
 * report the adoption.
 *
 * Adoptions are numbered from 1 on in each boot: hl_launch_domain.adoption is the number
 * of the record's last one, and the generation of the row.  So the table then has another
 * row: the one of the record's former domain, and the domain's own as a post-boot one, are
 * removed.
 *
 * Returns 0, or -ENOENT: also if there is no such record; -EBUSY: the record's domain is
 * not reclaimed, or the launch has failed; -EPERM: also if the record has one of those
 * roles; -EEXIST: the domain is an initial one already; -ENXIO: it has run, or is
 * shut down; -EINVAL: also if UUID, type or label are not the record's; or an error as
 * listed for all requests.  Nothing is changed by a request that fails.
 * Since: 0.1
 */
int hl_adopt(struct hl_ctx *ctx, uint32_t index, uint32_t domid) HL_MUST_CHECK;

/*
 * Pauses a domain, which keeps its vCPUs from running until hl_unpause() has been called
 * as often: Xen counts the pauses, up to 255, whichever domain makes them.  Works on a Xen
 * without Hyperlaunch, and on a dying domain, too.  Allowed for control domains.
 * Returns 0, or -ESRCH: no such domain; -EINVAL: it is the domain that this process runs
 * in; -EPERM: also if it is the hardware domain of a launch; -EOVERFLOW: it has been paused
 * 255 times; or an error of the hypervisor.
 * Since: 0.1
 */
int hl_pause(struct hl_ctx *ctx, uint32_t domid) HL_MUST_CHECK;

/*
 * Takes back one pause; a domain without any runs.  That of a launch, which a held domain
 * and the crash domain have, is one of them, so these start.  Works on a Xen without
 * Hyperlaunch, and on a dying domain, too.  Allowed for control domains.
 * Returns 0, or -ESRCH: no such domain; -EINVAL: it is not paused; or an error of the
 * hypervisor.
 * Since: 0.1
 */
int hl_unpause(struct hl_ctx *ctx, uint32_t domid) HL_MUST_CHECK;

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
