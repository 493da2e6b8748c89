// SPDX-License-Identifier: LGPL-2.1-or-later
/* The properties of the interface Launch. */
#include "bus/launch.h"

#include "bus/connection.h"
#include "bus/property.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "domains/manager.h"

/* `userdata` of all getters is the bus. */
static const struct hl_summary *summary_of(const struct bus *bus)
{
	return hl_table_summary(manager_table(bus_manager_of(bus)));
}

#define SUMMARY_GETTER(name, signature, value)  \
	BUS_VALUE_GETTER(get_##name, signature, \
			 const struct hl_summary *summary = summary_of(userdata), value)

SUMMARY_GETTER(state, "s", hl_launch_state_name(summary->state))
SUMMARY_GETTER(source, "s", summary->source)
SUMMARY_GETTER(form, "s", summary->form)
SUMMARY_GETTER(dynamic, "b", summary->dynamic)
SUMMARY_GETTER(lcm_size, "u", summary->lcm_size)
SUMMARY_GETTER(expected, "u", summary->expected)
SUMMARY_GETTER(built, "u", summary->built)
SUMMARY_GETTER(failed, "u", summary->failed)
SUMMARY_GETTER(error, "s", summary->error_text)
SUMMARY_GETTER(error_node, "s", summary->error_node)
SUMMARY_GETTER(error_property, "s", summary->error_prop)
SUMMARY_GETTER(weak_hardware, "b", summary->weak_hardware)
SUMMARY_GETTER(start, "t", summary->start_ns / NSEC_PER_USEC)
SUMMARY_GETTER(end, "t", summary->end_ns / NSEC_PER_USEC)
SUMMARY_GETTER(nr_events, "u", summary->nr_events)

BUS_GETTER(get_digest)
{
	char digest[HL_SHA256_TEXT_SIZE];

	hl_sha256_to_text(summary_of(userdata)->lcm_sha256, digest);
	return sd_bus_message_append(reply, "s", digest);
}

BUS_GETTER(get_warnings)
{
	const struct hl_summary *s = summary_of(userdata);
	int r = sd_bus_message_open_container(reply, 'a', "s");

	for (uint32_t i = 0; r >= 0 && i < s->nr_warnings; i++)
		r = sd_bus_message_append_basic(reply, 's', s->warnings[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	BUS_PROPERTY("State", "s", get_state),
	BUS_CONST_PROPERTY("Source", "s", get_source),
	BUS_CONST_PROPERTY("Form", "s", get_form),
	BUS_CONST_PROPERTY("Dynamic", "b", get_dynamic),
	BUS_CONST_PROPERTY("LCMSize", "u", get_lcm_size),
	BUS_CONST_PROPERTY("LCMDigest", "s", get_digest),
	BUS_PROPERTY("Expected", "u", get_expected),
	BUS_PROPERTY("Built", "u", get_built),
	BUS_PROPERTY("Failed", "u", get_failed),
	BUS_PROPERTY("Error", "s", get_error),
	BUS_PROPERTY("ErrorNode", "s", get_error_node),
	BUS_PROPERTY("ErrorProperty", "s", get_error_property),
	BUS_CONST_PROPERTY("Warnings", "as", get_warnings),
	BUS_CONST_PROPERTY("WeakHardware", "b", get_weak_hardware),
	BUS_CONST_PROPERTY("StartUSec", "t", get_start),
	BUS_PROPERTY("EndUSec", "t", get_end),
	BUS_PROPERTY("NEvents", "u", get_nr_events),
	SD_BUS_VTABLE_END,
};

int bus_launch_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_object_vtable(connection, NULL, BUS_ROOT, BUS_LAUNCH, vtable, bus);
}

int bus_launch_emit_changed(sd_bus *connection, uint32_t fields)
{
	static const struct bus_property_change changes[] = {
		{HL_SUMMARY_STATE, "State"},	     {HL_SUMMARY_COUNTS, "Expected"},
		{HL_SUMMARY_COUNTS, "Built"},	     {HL_SUMMARY_COUNTS, "Failed"},
		{HL_SUMMARY_ERROR, "Error"},	     {HL_SUMMARY_ERROR, "ErrorNode"},
		{HL_SUMMARY_ERROR, "ErrorProperty"}, {HL_SUMMARY_OTHER, "EndUSec"},
		{HL_SUMMARY_EVENTS, "NEvents"},
	};

	return bus_property_emit_changed(connection, BUS_ROOT, BUS_LAUNCH, changes,
					 ARRAY_SIZE(changes), fields);
}
