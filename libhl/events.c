// SPDX-License-Identifier: LGPL-2.1-or-later
/* The launch log, as a list of events. */
#include <errno.h>

#include "ctx.h"

struct hl_events {
	struct hl_event *list; /* [nr] */
	size_t nr;
};

HL_EXPORT int hl_events_read(struct hl_ctx *ctx, uint32_t since, struct hl_events **ret_events)
{
	struct hl_events *events = calloc(1, sizeof(*events));
	int r;

	if (!events)
		return -ENOMEM;
	r = ctx->ops->get_events(ctx->backend, since, &events->list, &events->nr);
	if (r)
		hl_events_free(events);
	else
		*ret_events = events;
	return r;
}

HL_EXPORT struct hl_events *hl_events_free(struct hl_events *events)
{
	if (events) {
		free(events->list);
		free(events);
	}
	return NULL;
}

HL_EXPORT size_t hl_events_nr(const struct hl_events *events)
{
	return events->nr;
}

HL_EXPORT const struct hl_event *hl_events_get(const struct hl_events *events, size_t i)
{
	return i < events->nr ? &events->list[i] : NULL;
}
