/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The context, and the operations of a backend. */
#ifndef LIBHL_CTX_H
#define LIBHL_CTX_H

#include "bounds.h"
#include "logger.h"
#include "util.h"

/*
 * Unless stated otherwise an operation is the function of <hyperlaunch/hl.h> that has its name,
 * with hl_ before it.
 */
struct backend_ops {
	const char *name;
	/*
	 * rest: the spec without the name and its colon.  *ret_backend is set as soon
	 * as close() has something to free, even if open() then fails.
	 */
	int (*open)(const char *rest, const struct logger *logger, void **ret_backend);
	void (*close)(void *backend);
	int (*get_fd)(void *backend);
	int (*process)(void *backend);
	int (*get_launch)(void *backend, struct hl_launch *ret_launch);
	int (*get_domain)(void *backend, uint32_t index, struct hl_launch_domain *ret_domain);
	int (*get_module)(void *backend, uint32_t index, struct hl_launch_module *ret_module);
	int (*get_host)(void *backend, struct hl_host *ret_host);
	int (*read_log)(void *backend, char **ret_text, size_t *ret_size);
	int (*read_lcm)(void *backend, void **ret_blob, size_t *ret_size);
	/* Events as hl_events_read(), domains that exist by rising domid: for the caller to free().
	 */
	int (*get_events)(void *backend, uint32_t since, struct hl_event **ret_events,
			  size_t *ret_nr);
	int (*list_live)(void *backend, struct hl_live_domain **ret_domains, size_t *ret_nr);
	/* *ret is all zero when these are called. */
	int (*get_scheduling)(void *backend, uint32_t domid, struct hl_scheduling *ret);
	int (*get_affinity)(void *backend, uint32_t domid, uint32_t nr_vcpus,
			    struct hl_affinity *ret);
	int (*get_vcpu)(void *backend, uint32_t domid, uint32_t vcpu, struct hl_vcpu *ret_vcpu);
	int (*set_console)(void *backend, uint32_t domid, uint32_t loan_ms);
	int (*move_console_backend)(void *backend, uint32_t domid, uint32_t port, uint32_t server);
	int (*read_console)(void *backend, uint32_t domid, char **ret_text, size_t *ret_size,
			    uint64_t *ret_dropped);
	int (*release)(void *backend, uint32_t domid);
	int (*adopt)(void *backend, uint32_t index, uint32_t domid);
	int (*pause)(void *backend, uint32_t domid);
	int (*unpause)(void *backend, uint32_t domid);
	int (*set_handle)(void *backend, uint32_t domid, const uint8_t handle[16]);
	int (*ready)(void *backend);
	/* hl_sim_command(); NULL: not a simulator */
	int (*command)(void *backend, const char *command, char **ret_reply);
};

struct hl_ctx {
	unsigned int refs;
	struct logger logger;
	const struct backend_ops *ops;
	void *backend;

	/* The LCM is read and parsed once: it does not change while Xen runs. */
	bool have_lcm; /* the fields below are valid */
	uint8_t lcm_sha256[HL_SHA256_SIZE];
	struct hl_lcm *lcm; /* NULL: invalid, see lcm_error */
	struct hl_lcm_error lcm_error;

	/* Nor do the boot modules, whose records are complete before a domain runs. */
	struct hl_launch_module *modules; /* NULL: not read yet, or there are none */
	uint32_t nr_modules;
};

extern const struct backend_ops xen_backend, sim_backend;

#endif /* LIBHL_CTX_H */
