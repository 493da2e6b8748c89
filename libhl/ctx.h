/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The context, and what a backend has to offer. */
#ifndef LIBHL_CTX_H
#define LIBHL_CTX_H

#include "bounds.h"
#include "util.h"

struct logger {
	hl_log_fn fn;
	void *data;
};

void logger_say(const struct logger *logger, int priority, const char *format, ...)
	HL_PRINTF(3, 4);

/* Each call as the function of hl.h that has its name. */
struct backend_ops {
	const char *name;
	/*
	 * rest: of the spec, after the name and its colon.  *ret_backend is set as
	 * soon as there is something for close(), on failure too.
	 */
	int (*open)(const char *rest, const struct logger *logger, void **ret_backend);
	void (*close)(void *backend);
	int (*get_fd)(void *backend);
	int (*process)(void *backend);
	int (*get_launch)(void *backend, struct hl_launch *ret_launch);
	int (*get_domain)(void *backend, uint32_t index, struct hl_launch_domain *ret_domain);
	int (*get_module)(void *backend, uint32_t index, struct hl_launch_module *ret_module);
	int (*read_lcm)(void *backend, void **ret_blob, size_t *ret_size);
	int (*get_events)(void *backend, uint32_t since, struct hl_event **ret_events,
			  size_t *ret_nr);
	int (*list_live)(void *backend, struct hl_live_domain **ret_domains, size_t *ret_nr);
	int (*set_console)(void *backend, uint32_t domid);
	int (*move_console_backend)(void *backend, uint32_t domid, uint32_t server);
	int (*release)(void *backend, uint32_t domid);
	int (*ready)(void *backend);
	int (*command)(void *backend, const char *command, char **ret_reply); /* or NULL */
};

struct hl_ctx {
	unsigned int refs;
	struct logger logger;
	const struct backend_ops *ops;
	void *backend;

	/* An LCM is parsed once: it does not change while Xen runs. */
	bool have_lcm;
	uint8_t lcm_sha256[HL_SHA256_SIZE];
	struct hl_lcm *lcm;		/* NULL: it does not parse */
	struct hl_lcm_error lcm_error;
};

extern const struct backend_ops xen_backend, sim_backend;

#endif /* LIBHL_CTX_H */
