/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Context: a hypervisor that is open. */
#ifndef HYPERLAUNCH_CONTEXT_H
#define HYPERLAUNCH_CONTEXT_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Called with each message of the library.
 * @data: as passed to hl_new()
 * @priority: of syslog(3): LOG_DEBUG, or LOG_ERR for a sim file that can't be used
 * @text: valid during the call; no newline at its end
 * Since: 0.1
 */
typedef void (*hl_log_fn)(void *data, int priority, const char *text);

/*
 * Opens a hypervisor and makes a context for it, with one reference.
 * @spec: "xen": the hypervisor that this machine runs on.
 *        "sim:FILE[,control=PATH][,as=classic|unpatched]": a simulated one that
 *        launches the LCM in FILE at once; see simulator.h.
 * @log: called with messages; NULL: they are dropped
 * @data: passed to log
 *
 * "xen" succeeds on a Xen without Hyperlaunch: there a snapshot has the live domains,
 * and hl_get_launch() returns -EOPNOTSUPP.
 *
 * Returns 0, or -EINVAL: spec is invalid, or FILE is not an LCM; -ENOENT, -EACCES
 * and others: FILE can't be read; -EADDRINUSE: another process uses PATH; or an
 * error of the hypervisor.
 * Since: 0.1
 */
int hl_new(const char *spec, hl_log_fn log, void *data, struct hl_ctx **ret_ctx) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_ctx *hl_ref(struct hl_ctx *ctx);
struct hl_ctx *hl_unref(struct hl_ctx *ctx);

/*
 * Returns "xen" or "sim".
 * Since: 0.1
 */
const char *hl_backend(const struct hl_ctx *ctx);

/*
 * Returns a descriptor that becomes readable (POLLIN) when something may have
 * changed: then call hl_process().  The context owns it: do not read or close it.
 * Each call returns the same one; what changed before the first one is not announced.
 *
 * "xen" announces by a virtual interrupt: changes of the launch; of initial domains,
 * and of others once they have run, shutdown, pause, limits of memory and vCPUs, handle
 * and label; and that a domain is gone.  It does not announce that a toolstack has
 * created a domain, for which xenstore has the watch @introduceDomain, nor changes of
 * scheduling, of the memory in use, or of names.  "sim" announces the same, and names.
 *
 * Returns -EOPNOTSUPP if this Xen has no such interrupt; -EEXIST if another process of
 * this domain has it, since a virtual interrupt can be bound once in a domain: one
 * process listens, and others ask that one (hyperlaunchd, on D-Bus); or another error
 * of the hypervisor.
 * Since: 0.1
 */
int hl_get_fd(struct hl_ctx *ctx) HL_MUST_CHECK;

/*
 * Handles what made the descriptor readable, without blocking; "sim" also runs the
 * commands that have arrived on the control socket.
 * Returns 1 if something may have changed, so that a new snapshot is due, 0 if
 * nothing has, or an error as hl_get_fd() does.
 * Since: 0.1
 */
int hl_process(struct hl_ctx *ctx) HL_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* HYPERLAUNCH_CONTEXT_H */
