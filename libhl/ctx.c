// SPDX-License-Identifier: LGPL-2.1-or-later
/* The context: chooses the backend and passes calls on to it. */
#include "ctx.h"

#include <errno.h>
#include <string.h>

static int open_backend(struct hl_ctx *ctx, const char *spec)
{
	if (!strcmp(spec, "xen")) {
		ctx->ops = &xen_backend;
		spec = "";
	} else if (!strncmp(spec, "sim:", 4)) {
		ctx->ops = &sim_backend;
		spec += 4;
	} else {
		return -EINVAL;
	}
	return ctx->ops->open(spec, &ctx->logger, &ctx->backend);
}

HL_EXPORT int hl_new(const char *spec, hl_log_fn log, void *data, struct hl_ctx **ret_ctx)
{
	struct hl_ctx *ctx = calloc(1, sizeof(*ctx));
	int r;

	if (!ctx)
		return -ENOMEM;
	ctx->refs = 1;
	ctx->logger = (struct logger){.fn = log, .data = data};
	r = open_backend(ctx, spec);
	if (r) {
		hl_unref(ctx);
		return r;
	}
	*ret_ctx = ctx;
	return 0;
}

HL_EXPORT struct hl_ctx *hl_ref(struct hl_ctx *ctx)
{
	if (ctx)
		ctx->refs++;
	return ctx;
}

HL_EXPORT struct hl_ctx *hl_unref(struct hl_ctx *ctx)
{
	if (ctx && !--ctx->refs) {
		if (ctx->backend)
			ctx->ops->close(ctx->backend);
		hl_lcm_unref(ctx->lcm);
		free(ctx->modules);
		free(ctx);
	}
	return NULL;
}

HL_EXPORT const char *hl_backend(const struct hl_ctx *ctx)
{
	return ctx->ops->name;
}

HL_EXPORT int hl_get_fd(struct hl_ctx *ctx)
{
	return ctx->ops->get_fd(ctx->backend);
}

HL_EXPORT int hl_process(struct hl_ctx *ctx)
{
	return ctx->ops->process(ctx->backend);
}

HL_EXPORT int hl_get_launch(struct hl_ctx *ctx, struct hl_launch *ret_launch)
{
	return ctx->ops->get_launch(ctx->backend, ret_launch);
}

HL_EXPORT int hl_get_domain(struct hl_ctx *ctx, uint32_t index, struct hl_launch_domain *ret_domain)
{
	return ctx->ops->get_domain(ctx->backend, index, ret_domain);
}

HL_EXPORT int hl_get_module(struct hl_ctx *ctx, uint32_t index, struct hl_launch_module *ret_module)
{
	return ctx->ops->get_module(ctx->backend, index, ret_module);
}

HL_EXPORT int hl_get_host(struct hl_ctx *ctx, struct hl_host *ret_host)
{
	return ctx->ops->get_host(ctx->backend, ret_host);
}

HL_EXPORT int hl_read_log(struct hl_ctx *ctx, char **ret_text, size_t *ret_size)
{
	return ctx->ops->read_log(ctx->backend, ret_text, ret_size);
}

HL_EXPORT int hl_read_lcm(struct hl_ctx *ctx, void **ret_blob, size_t *ret_size)
{
	return ctx->ops->read_lcm(ctx->backend, ret_blob, ret_size);
}

/* Reserved domids (DOMID_SELF and others) have other meanings in Xen: do not pass them on. */
static int check_domid(uint32_t domid)
{
	return domid <= MAX_DOMID ? 0 : -ESRCH;
}

HL_EXPORT int hl_get_scheduling(struct hl_ctx *ctx, uint32_t domid, struct hl_scheduling *ret)
{
	int r = check_domid(domid);

	*ret = (struct hl_scheduling){0};
	return r ? r : ctx->ops->get_scheduling(ctx->backend, domid, ret);
}

HL_EXPORT int hl_get_affinity(struct hl_ctx *ctx, uint32_t domid, uint32_t nr_vcpus,
			      struct hl_affinity *ret)
{
	int r = check_domid(domid);

	*ret = (struct hl_affinity){0};
	return r ? r : ctx->ops->get_affinity(ctx->backend, domid, nr_vcpus, ret);
}

HL_EXPORT int hl_get_vcpu(struct hl_ctx *ctx, uint32_t domid, uint32_t vcpu,
			  struct hl_vcpu *ret_vcpu)
{
	int r = check_domid(domid);

	return r ? r : ctx->ops->get_vcpu(ctx->backend, domid, vcpu, ret_vcpu);
}

HL_EXPORT int hl_set_console(struct hl_ctx *ctx, uint32_t domid, uint32_t loan_ms)
{
	int r = check_domid(domid);

	return r ? r : ctx->ops->set_console(ctx->backend, domid, loan_ms);
}

HL_EXPORT int hl_move_console_backend(struct hl_ctx *ctx, uint32_t domid, uint32_t port,
				      uint32_t backend)
{
	int r = check_domid(domid);

	if (!r)
		r = check_domid(backend);
	return r ? r : ctx->ops->move_console_backend(ctx->backend, domid, port, backend);
}

HL_EXPORT int hl_read_console(struct hl_ctx *ctx, uint32_t domid, char **ret_text, size_t *ret_size,
			      uint64_t *ret_dropped)
{
	uint64_t dropped = 0;
	int r = check_domid(domid);

	if (!r)
		r = ctx->ops->read_console(ctx->backend, domid, ret_text, ret_size, &dropped);
	if (!r && ret_dropped)
		*ret_dropped = dropped;
	return r;
}

HL_EXPORT int hl_release(struct hl_ctx *ctx, uint32_t domid)
{
	int r = check_domid(domid);

	return r ? r : ctx->ops->release(ctx->backend, domid);
}

HL_EXPORT int hl_adopt(struct hl_ctx *ctx, uint32_t index, uint32_t domid)
{
	int r = check_domid(domid);

	return r ? r : ctx->ops->adopt(ctx->backend, index, domid);
}

HL_EXPORT int hl_pause(struct hl_ctx *ctx, uint32_t domid)
{
	int r = check_domid(domid);

	return r ? r : ctx->ops->pause(ctx->backend, domid);
}

HL_EXPORT int hl_unpause(struct hl_ctx *ctx, uint32_t domid)
{
	int r = check_domid(domid);

	return r ? r : ctx->ops->unpause(ctx->backend, domid);
}

HL_EXPORT int hl_set_handle(struct hl_ctx *ctx, uint32_t domid, const uint8_t handle[16])
{
	int r = check_domid(domid);

	return r ? r : ctx->ops->set_handle(ctx->backend, domid, handle);
}

HL_EXPORT int hl_ready(struct hl_ctx *ctx)
{
	return ctx->ops->ready(ctx->backend);
}

HL_EXPORT int hl_sim_command(struct hl_ctx *ctx, const char *command, char **ret_reply)
{
	if (!ctx->ops->command)
		return -EOPNOTSUPP;
	return ctx->ops->command(ctx->backend, command, ret_reply);
}
