/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The simulator: a hypervisor inside the process, for the development of toolstacks without Xen and
 * for tests.  It launches the LCM in FILE as Xen does, but at once: after hl_new()
 * all domains are built and, except held and crash domains, started; a boot domain
 * has finished and is reclaimed.  An LCM with an error ends as in Xen: in state
 * recovery with the crash domain alone, or failed, with the error in the records.
 * The clock starts at 1 s and advances by 1 ms per event, so that two runs make the
 * same records.  Modules have no content: their size is 0, and their digest is the
 * LCM's digest-sha256.  Requests are made as the first domain with the control
 * permission, or, if there is none, as the hardware domain; self=DOMID: as that one.
 *
 * as=classic: a Xen that booted a dom0 without an LCM; FILE may be empty.
 * as=unpatched: the same, with a Xen that has no Hyperlaunch.
 * control=PATH: hl_process() accepts commands on a Unix datagram socket at PATH
 * (mode 0600; a stale socket is replaced; hl_unref() removes it).  Each datagram is
 * one command, and is answered by one datagram to its sender: "ok", "ok TEXT", or
 * "error ERRNO TEXT".  FILE and PATH cannot contain commas.
 *
 * Commands.  DOMAIN is a domid or the name of a domain.
 *   domain-add NAME [uuid=UUID] [domid=N] [memory=KIB] [vcpus=N] [pv] [paused]
 *                           creates a running post-boot domain; replies with its
 *                           domid; NAME -: no name, as in Xen, which has none; paused:
 *                           it has not run yet
 *   domain-remove DOMAIN    destroys it; an initial domain becomes reclaimed
 *   shutdown DOMAIN REASON  poweroff, reboot, suspend, crash, watchdog, soft-reset
 *   dying DOMAIN            its teardown begins; it is still listed
 *   pause DOMAIN, unpause DOMAIN    as often as it was paused; Xen counts
 *   rename DOMAIN NAME      the name that a toolstack sets in xenstore
 *   handle DOMAIN UUID      the handle that a toolstack sets
 *   label DOMAIN TEXT       FLASK's context
 *   memory DOMAIN KIB       new maximum
 *   weight DOMAIN N         in the scheduler; 256 by default
 *   cap DOMAIN PERCENT      0: none
 *   affinity DOMAIN TEXT    hard affinity, as in struct hl_affinity, without blanks
 *   figure DOMAIN FIGURE N  resource usage, which is not announced: cpu-time, in ns;
 *                           load, percent of a CPU that it uses while it runs, 5 by
 *                           default; current, outstanding, shared or paged, memory in
 *                           KiB; online, vCPUs
 *   ready DOMAIN            an initial domain reports that it is ready
 *   release DOMAIN          releases a held domain
 *   adopt DOMAIN NAME       DOMAIN takes the place of the reclaimed initial domain that
 *                           the LCM names NAME, as by hl_adopt()
 *   console DOMAIN          new owner of the Xen console, without a loan
 *   output DOMAIN TEXT N    an initial domain prints TEXT N times, a line each, and Xen
 *                           takes the output from its console ring
 *   fail DOMAIN CODE PROP   the build of an initial domain fails after the fact: CODE
 *                           as hl_error_name(), PROP may be absent; the launch ends
 *                           in recovery, or failed without a crash domain
 *   state STATE             of the launch, by name
 *   announce WHAT           off: changes no longer make the descriptor readable, as
 *                           with a Xen that does not announce them; on: they do
 *   weak-hwdom WHAT         on: the host has no IOMMU to confine the hardware domain,
 *                           which has no CONTROL; off: it has one
 *   typing WHAT             on: begins a line of input for the console owner; off: ends
 *                           it.  A hand-off waits for its end, for 2 s at most
 *   kill WHEN OP            kills this process in OP: set-console, move-console-backend,
 *                           release, adopt, pause or unpause; WHEN: before or after it
 *   fault OP ERRNO COUNT    the next COUNT calls of OP fail with ERRNO; OP: get-info,
 *                           get-domain, get-module, read-lcm, get-events, list-live,
 *                           set-console, move-console-backend, read-console, release,
 *                           adopt, ready, set-handle, get-host, read-log, pause, unpause,
 *                           get-vcpu, get-fd, process;
 *                           ERRNO by name (EPERM) or number; COUNT 0 ends it
 */
#ifndef HYPERLAUNCH_SIMULATOR_H
#define HYPERLAUNCH_SIMULATOR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Runs one command.
 * @ret_reply: set to the reply that the socket would send, on success and on failure,
 *             for the caller to free(); NULL: no memory.  May be NULL itself.
 *
 * Returns 0, the error of the command, -EINVAL: no such command, or invalid
 * arguments; or -EOPNOTSUPP, with *ret_reply untouched: ctx is not a simulator.
 * Since: 0.1
 */
int hl_sim_command(struct hl_ctx *ctx, const char *command, char **ret_reply);

#ifdef __cplusplus
}
#endif

#endif /* HYPERLAUNCH_SIMULATOR_H */
