// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads all records, consistently. */
#include "snapshot.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "ctx.h"

#define MAX_TRIES 8

/* Parts that this domain may not read, or this Xen does not have, are left out. */
static bool is_gap(int r)
{
	return r == -EPERM || r == -EOPNOTSUPP;
}

static int read_domains(struct hl_ctx *ctx, struct hl_snapshot *s)
{
	s->domains = calloc(s->launch.nr_domains, sizeof(*s->domains));
	if (!s->domains && s->launch.nr_domains)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->launch.nr_domains; i++) {
		int r = hl_get_domain(ctx, i, &s->domains[i]);

		if (r)
			return r;
	}
	return 0;
}

static int cache_modules(struct hl_ctx *ctx, uint32_t nr)
{
	_cleanup_(freep) struct hl_launch_module *modules = calloc(nr, sizeof(*modules));

	if (!modules)
		return -ENOMEM;
	for (uint32_t i = 0; i < nr; i++) {
		int r = hl_get_module(ctx, i + 1, &modules[i]);

		if (r)
			return r;
	}
	free(ctx->modules);
	ctx->modules = steal(&modules);
	ctx->nr_modules = nr;
	return 0;
}

static int read_modules(struct hl_ctx *ctx, struct hl_snapshot *s)
{
	uint32_t nr = s->launch.nr_modules;
	int r = 0;

	if (!nr)
		return 0;
	if (!ctx->modules || ctx->nr_modules != nr)
		r = cache_modules(ctx, nr);
	if (r)
		return r;
	s->modules = calloc(nr, sizeof(*s->modules));
	if (!s->modules)
		return -ENOMEM;
	memcpy(s->modules, ctx->modules, nr * sizeof(*s->modules));
	return 0;
}

static int cache_lcm(struct hl_ctx *ctx, const struct hl_launch *launch)
{
	_cleanup_(freep) void *blob = NULL;
	struct hl_lcm_error error = {0};
	struct hl_lcm *lcm = NULL;
	size_t size;
	int r;

	r = hl_read_lcm(ctx, &blob, &size);
	if (r)
		return r;
	r = hl_lcm_new(blob, size, NULL, &error, &lcm);
	if (r && r != -EINVAL)
		return r;
	if (r)
		logger_log(&ctx->logger, LOG_DEBUG, "LCM: %s", error.text);
	hl_lcm_unref(ctx->lcm);
	ctx->lcm = lcm;
	ctx->lcm_error = error;
	memcpy(ctx->lcm_sha256, launch->lcm_sha256, sizeof(ctx->lcm_sha256));
	ctx->have_lcm = true;
	return 0;
}

static int read_lcm(struct hl_ctx *ctx, struct hl_snapshot *s)
{
	int r;

	if (!s->launch.lcm_size)
		return 0;
	if (!ctx->have_lcm ||
	    memcmp(ctx->lcm_sha256, s->launch.lcm_sha256, sizeof(ctx->lcm_sha256)) != 0) {
		r = cache_lcm(ctx, &s->launch);
		if (r)
			return is_gap(r) ? 0 : r;
	}
	s->lcm = hl_lcm_ref(ctx->lcm);
	s->lcm_error = ctx->lcm_error;
	return 0;
}

static int read_live(struct hl_ctx *ctx, struct hl_snapshot *s)
{
	int r = ctx->ops->list_live(ctx->backend, &s->live, &s->nr_live);

	if (r)
		return r;
	for (size_t i = 1; i < s->nr_live; i++)
		if (s->live[i].domid <= s->live[i - 1].domid)
			return -EBADMSG;
	s->names = calloc(s->nr_live ? s->nr_live : 1, sizeof(*s->names));
	return s->names ? 0 : -ENOMEM;
}

static void no_launch(struct hl_launch *launch)
{
	*launch = (struct hl_launch){
		.state = HL_LAUNCH_UNKNOWN,
		.hardware_domid = HL_NO_DOMID,
		.boot_domid = HL_NO_DOMID,
		.crash_domid = HL_NO_DOMID,
		.console_domid = HL_NO_DOMID,
		.xenstore_domid = HL_NO_DOMID,
		.console_owner = HL_NO_DOMID,
		.error_domain = HL_NO_INDEX,
	};
}

/* Returns 0, or -EAGAIN: something has changed since `before` was read. */
static int check_unchanged(struct hl_ctx *ctx, const struct hl_launch *before)
{
	struct hl_launch now;
	int r = hl_get_launch(ctx, &now);

	if (r)
		return r;
	return now.state == before->state && now.nr_events == before->nr_events &&
			       now.nr_domains == before->nr_domains &&
			       now.nr_modules == before->nr_modules
		       ? 0
		       : -EAGAIN;
}

static int read_launch(struct hl_ctx *ctx, struct hl_snapshot *s)
{
	int r;

	r = hl_get_launch(ctx, &s->launch);
	if (r) {
		no_launch(&s->launch);
		return is_gap(r) ? 0 : r;
	}
	s->available = true;
	r = read_domains(ctx, s);
	if (!r)
		r = read_modules(ctx, s);
	if (!r)
		r = read_lcm(ctx, s);
	/* A record is gone that was there a moment ago. */
	return r == -ENOENT ? -EAGAIN : r;
}

/* On -EAGAIN too *ret_snapshot is set, if all could be read. */
static int read_once(struct hl_ctx *ctx, struct hl_snapshot **ret_snapshot)
{
	struct hl_snapshot *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->backend = hl_backend(ctx);
	r = read_launch(ctx, s);
	if (!r)
		r = read_live(ctx, s);
	if (r) {
		hl_snapshot_free(s);
		return r;
	}
	if (s->available)
		r = check_unchanged(ctx, &s->launch);
	if (r && r != -EAGAIN)
		hl_snapshot_free(s);
	else
		*ret_snapshot = s;
	return r;
}

HL_EXPORT int hl_snapshot_read(struct hl_ctx *ctx, struct hl_snapshot **ret_snapshot)
{
	struct hl_snapshot *s = NULL;
	int r = -EAGAIN;

	for (int i = 0; r == -EAGAIN && i < MAX_TRIES; i++) {
		s = hl_snapshot_free(s);
		r = read_once(ctx, &s);
	}
	/* After too many changes the last snapshot is used, if it is complete. */
	if (r == -EAGAIN)
		r = s ? 0 : -EBADMSG;
	if (!r)
		*ret_snapshot = s;
	return r;
}

HL_EXPORT struct hl_snapshot *hl_snapshot_free(struct hl_snapshot *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; s->names && i < s->nr_live; i++)
		free(s->names[i]);
	free(s->names);
	free(s->live);
	free(s->modules);
	free(s->domains);
	hl_lcm_unref(s->lcm);
	free(s);
	return NULL;
}

HL_EXPORT size_t hl_snapshot_nr_live(const struct hl_snapshot *s)
{
	return s->nr_live;
}

HL_EXPORT const struct hl_live_domain *hl_snapshot_get_live(const struct hl_snapshot *s, size_t i)
{
	return i < s->nr_live ? &s->live[i] : NULL;
}

HL_EXPORT struct hl_lcm *hl_snapshot_lcm(const struct hl_snapshot *s)
{
	return s->lcm;
}

size_t snapshot_find_live(const struct hl_snapshot *s, uint32_t domid)
{
	size_t low = 0, high = s->nr_live;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->live[middle].domid == domid)
			return middle;
		if (s->live[middle].domid < domid)
			low = middle + 1;
		else
			high = middle;
	}
	return s->nr_live;
}

HL_EXPORT int hl_snapshot_set_name(struct hl_snapshot *s, uint32_t domid, const char *name)
{
	size_t i = snapshot_find_live(s, domid);
	char *copy = NULL;

	if (i == s->nr_live)
		return -ENOENT;
	if (name && *name) {
		copy = strdup(name);
		if (!copy)
			return -ENOMEM;
	}
	free(s->names[i]);
	s->names[i] = copy;
	return 0;
}
