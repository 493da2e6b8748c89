/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls about several domains at once, some after others. */
#ifndef HLCTL_WAVES_H
#define HLCTL_WAVES_H

#include "definitions.h"

#define WAVE_CYCLE UINT32_MAX

/* One domain. */
struct wave_item {
	const char *name;
	const struct defined_after *after; /* NULL: nothing */
	uint32_t wave;			   /* from 0 on; WAVE_CYCLE: it comes after itself */
	bool failed;
	const void *data; /* the caller's */
};

/* Each comes in the wave behind those that it is after; others than the items do not count. */
void waves_order(struct wave_item *items, uint32_t nr);

struct waves {
	struct wave_item *items;
	uint32_t nr;
	bool last_first;
	uint64_t work_usec; /* how long hyperlaunchd may take for one */
	/* The call for an item; NULL in *ret_call: none is needed.  Negative errno. */
	int (*make_call)(sd_bus *bus, const struct waves *waves, const struct wave_item *item,
			 sd_bus_message **ret_call);
};

/* Sends the calls of a wave at once, and waits for all answers before the next.  Errors are
 * reported with the name; the code is that of the first one. */
enum exit_code waves_run(sd_bus *bus, struct waves *waves);

#endif /* HLCTL_WAVES_H */
