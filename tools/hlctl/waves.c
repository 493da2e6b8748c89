// SPDX-License-Identifier: LGPL-2.1-or-later
/* Puts domains in order, and sends calls wave by wave. */
#include "waves.h"

#include <string.h>

#include "bus.h"

#define UNKNOWN (WAVE_CYCLE - 1)

static struct wave_item *find(struct wave_item *items, uint32_t nr, const char *name)
{
	for (uint32_t i = 0; i < nr; i++)
		if (!strcmp(items[i].name, name))
			return &items[i];
	return NULL;
}

/* UNKNOWN as long as that of one before it is. */
static uint32_t wave_of(struct wave_item *items, uint32_t nr, const struct wave_item *item)
{
	uint32_t wave = 0;

	for (uint32_t i = 0; item->after && i < item->after->nr; i++) {
		const struct wave_item *before = find(items, nr, item->after->names[i]);

		if (before && before->wave == UNKNOWN)
			return UNKNOWN;
		if (before && before->wave >= wave)
			wave = before->wave + 1;
	}
	return wave;
}

void waves_order(struct wave_item *items, uint32_t nr)
{
	bool found = true;

	for (uint32_t i = 0; i < nr; i++)
		items[i].wave = UNKNOWN;
	while (found) {
		found = false;
		for (uint32_t i = 0; i < nr; i++) {
			if (items[i].wave != UNKNOWN)
				continue;
			items[i].wave = wave_of(items, nr, &items[i]);
			found = found || items[i].wave != UNKNOWN;
		}
	}
	for (uint32_t i = 0; i < nr; i++)
		if (items[i].wave == UNKNOWN)
			items[i].wave = WAVE_CYCLE;
}

/* A call that has no answer yet. */
struct sent {
	struct wave_item *item;
	sd_bus_slot *slot;
	sd_bus_message *reply;
};

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct sent *sent = userdata;

	sent->reply = sd_bus_message_ref(m);
	return 0;
}

static int send_one(sd_bus *bus, const struct waves *waves, struct sent *sent)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	uint64_t usec;
	int r = waves->make_call(bus, waves, sent->item, &call);

	if (r < 0 || !call)
		return r;
	r = sd_bus_get_method_call_timeout(bus, &usec);
	if (r >= 0)
		r = sd_bus_call_async(bus, &sent->slot, call, on_reply, sent,
				      usec + waves->work_usec);
	return r;
}

static bool all_answered(const struct sent *sent, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		if (sent[i].slot && !sent[i].reply)
			return false;
	return true;
}

static int wait_for_all(sd_bus *bus, const struct sent *sent, uint32_t nr)
{
	int r = 0;

	while (r >= 0 && !all_answered(sent, nr)) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	return r;
}

static enum exit_code report(const struct sent *sent)
{
	const sd_bus_error *error;

	if (!sent->reply)
		return EXIT_OK;
	sent->item->failed = sd_bus_message_is_method_error(sent->reply, NULL) > 0;
	if (!sent->item->failed)
		return EXIT_OK;
	error = sd_bus_message_get_error(sent->reply);
	warn("%s:", sent->item->name);
	return bus_report_error(error, -sd_bus_message_get_errno(sent->reply));
}

static enum exit_code run_wave(sd_bus *bus, const struct waves *waves, struct sent *sent,
			       uint32_t nr)
{
	enum exit_code code = EXIT_OK, one;
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < nr; i++)
		r = send_one(bus, waves, &sent[i]);
	if (r >= 0)
		r = wait_for_all(bus, sent, nr);
	if (r < 0)
		code = report_error(EXIT_FAILED, "the calls cannot be made: %s", strerror(-r));
	for (uint32_t i = 0; i < nr; i++) {
		one = report(&sent[i]);
		code = code ? code : one;
		sd_bus_slot_unref(sent[i].slot);
		sd_bus_message_unref(sent[i].reply);
	}
	return code;
}

static uint32_t choose(const struct waves *waves, uint32_t wave, struct sent *sent)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < waves->nr; i++)
		if (waves->items[i].wave == wave)
			sent[nr++] = (struct sent){.item = &waves->items[i]};
	return nr;
}

enum exit_code waves_run(sd_bus *bus, struct waves *waves)
{
	struct sent *sent = calloc(waves->nr ? waves->nr : 1, sizeof(*sent));
	enum exit_code code = EXIT_OK, one;

	if (!sent)
		no_memory();
	for (uint32_t i = 0; i < waves->nr; i++) {
		uint32_t wave = waves->last_first ? waves->nr - 1 - i : i;

		one = run_wave(bus, waves, sent, choose(waves, wave, sent));
		code = code ? code : one;
	}
	free(sent);
	return code;
}
