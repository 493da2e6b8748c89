// SPDX-License-Identifier: LGPL-2.1-or-later
/* libxl writes to xenstore what the guest is to have, which the guest follows as far as it can. */
#include "resize.h"

#include <errno.h>
#include <inttypes.h>
#include <libxl_utils.h>

#include "client.h"
#include "order.h"
#include "target.h"
#include "toolstack.h"

static int fail(struct toolstack *toolstack, struct client *client, const char *code, int rc)
{
	client_tell_error(client, code, "%s", toolstack_problem(toolstack, rc));
	return -EIO;
}

/* Xen's own limit follows the target, so the largest one is known to libxl only. */
static int read_maximum(struct toolstack *toolstack, uint32_t domid, uint64_t *ret_kib)
{
	libxl_domain_config config;
	int rc;

	libxl_domain_config_init(&config);
	rc = toolstack_read_config(toolstack, domid, &config);
	*ret_kib = config.b_info.max_memkb;
	libxl_domain_config_dispose(&config);
	return rc;
}

/* The guest's limit in Xen too, so that it takes no more than that back by itself. */
static int set_memory(struct toolstack *toolstack, struct client *client, const struct order *order,
		      uint32_t domid)
{
	uint64_t max;
	int rc;

	toolstack_forget(toolstack);
	rc = read_maximum(toolstack, domid, &max);
	/* Such as a domain that cannot read xenstore. */
	if (rc != 0)
		return fail(toolstack, client, "NotSupported", rc);
	if (order->memory_kib > max) {
		client_tell_error(client, "InvalidArgs",
				  "it may have %" PRIu64 " KiB at most, not %" PRIu64, max,
				  order->memory_kib);
		return -EINVAL;
	}
	toolstack_forget(toolstack);
	rc = libxl_set_memory_target(toolstack->ctx, domid, (int64_t)order->memory_kib, 0, 1);
	return rc == 0 ? 0
		       : fail(toolstack, client, rc == ERROR_INVAL ? "InvalidArgs" : "Failed", rc);
}

int resize_memory(struct toolstack *toolstack, struct client *client, const struct order *order)
{
	uint32_t domid;
	int r = target_find(toolstack, client, order, &domid);

	if (r == 0)
		r = set_memory(toolstack, client, order, domid);
	if (r == 0)
		client_tell_result(client, NULL);
	return r;
}

/* The first ones, as toolstacks number them. */
static int set_online(struct toolstack *toolstack, uint32_t domid, uint32_t nr)
{
	const libxl_asyncop_how how = toolstack_how();
	libxl_bitmap online;
	int rc;

	libxl_bitmap_init(&online);
	rc = libxl_cpu_bitmap_alloc(toolstack->ctx, &online, (int)nr);
	if (rc != 0)
		return rc;
	for (uint32_t i = 0; i < nr; i++)
		libxl_bitmap_set(&online, (int)i);
	rc = toolstack_wait(toolstack, libxl_set_vcpuonline(toolstack->ctx, domid, &online, &how),
			    &how, false);
	libxl_bitmap_dispose(&online);
	return rc;
}

static int set_vcpus(struct toolstack *toolstack, struct client *client, const struct order *order,
		     uint32_t domid)
{
	libxl_dominfo info;
	uint32_t max;
	int rc;

	toolstack_forget(toolstack);
	libxl_dominfo_init(&info);
	rc = libxl_domain_info(toolstack->ctx, &info, domid);
	max = info.vcpu_max_id + 1;
	libxl_dominfo_dispose(&info);
	if (rc != 0)
		return fail(toolstack, client, "Failed", rc);
	if (order->vcpus > max) {
		client_tell_error(client, "InvalidArgs", "it may have %u vCPUs at most, not %u",
				  max, order->vcpus);
		return -EINVAL;
	}
	rc = set_online(toolstack, domid, order->vcpus);
	return rc == 0 ? 0 : fail(toolstack, client, "Failed", rc);
}

int resize_vcpus(struct toolstack *toolstack, struct client *client, const struct order *order)
{
	uint32_t domid;
	int r = target_find(toolstack, client, order, &domid);

	if (r == 0)
		r = set_vcpus(toolstack, client, order, domid);
	if (r == 0)
		client_tell_result(client, NULL);
	return r;
}
