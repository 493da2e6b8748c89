// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bus/launch.h"

#include <errno.h>
#include <string.h>

#include "bus/connection.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "domains/manager.h"

/* `userdata` is the bus. */
#define GETTER(name)                                                                       \
	static int get_##name(sd_bus *connection, const char *path, const char *interface, \
			      const char *property, sd_bus_message *reply, void *userdata, \
			      sd_bus_error *error)

static const struct hl_summary *summary_of(const struct bus *bus)
{
	return hl_table_summary(manager_table(bus_manager_of(bus)));
}

GETTER(text)
{
	const struct hl_summary *s = summary_of(userdata);
	const struct {
		const char *property;
		const char *value;
	} values[] = {
		{"State", hl_launch_state_name(s->state)},
		{"Source", s->source},
		{"Form", s->form},
		{"Error", s->error_text},
		{"ErrorNode", s->error_node},
		{"ErrorProperty", s->error_prop},
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (strcmp(values[i].property, property) == 0)
			return sd_bus_message_append(reply, "s", values[i].value);
	return -EINVAL;
}

GETTER(number)
{
	const struct hl_summary *s = summary_of(userdata);
	const struct {
		const char *property;
		uint32_t value;
	} values[] = {
		{"LCMSize", s->lcm_size}, {"Expected", s->expected}, {"Built", s->built},
		{"Failed", s->failed},	  {"NEvents", s->nr_events},
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (strcmp(values[i].property, property) == 0)
			return sd_bus_message_append(reply, "u", values[i].value);
	return -EINVAL;
}

GETTER(time)
{
	const struct hl_summary *s = summary_of(userdata);
	uint64_t ns = strcmp(property, "StartUSec") == 0 ? s->start_ns : s->end_ns;

	return sd_bus_message_append(reply, "t", ns / NSEC_PER_USEC);
}

GETTER(switch)
{
	const struct hl_summary *s = summary_of(userdata);

	return sd_bus_message_append(
		reply, "b", strcmp(property, "Dynamic") == 0 ? s->dynamic : s->weak_hardware);
}

GETTER(digest)
{
	char digest[HL_SHA256_TEXT_SIZE];

	hl_sha256_to_text(summary_of(userdata)->lcm_sha256, digest);
	return sd_bus_message_append(reply, "s", digest);
}

GETTER(warnings)
{
	const struct hl_summary *s = summary_of(userdata);
	int r = sd_bus_message_open_container(reply, 'a', "s");

	for (uint32_t i = 0; r >= 0 && i < s->nr_warnings; i++)
		r = sd_bus_message_append_basic(reply, 's', s->warnings[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

#define CONST_PROPERTY(name, type, getter) \
	SD_BUS_PROPERTY(name, type, getter, 0, SD_BUS_VTABLE_PROPERTY_CONST)
#define PROPERTY(name, type, getter) \
	SD_BUS_PROPERTY(name, type, getter, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	PROPERTY("State", "s", get_text),
	CONST_PROPERTY("Source", "s", get_text),
	CONST_PROPERTY("Form", "s", get_text),
	CONST_PROPERTY("Dynamic", "b", get_switch),
	CONST_PROPERTY("LCMSize", "u", get_number),
	CONST_PROPERTY("LCMDigest", "s", get_digest),
	PROPERTY("Expected", "u", get_number),
	PROPERTY("Built", "u", get_number),
	PROPERTY("Failed", "u", get_number),
	PROPERTY("Error", "s", get_text),
	PROPERTY("ErrorNode", "s", get_text),
	PROPERTY("ErrorProperty", "s", get_text),
	CONST_PROPERTY("Warnings", "as", get_warnings),
	CONST_PROPERTY("WeakHardware", "b", get_switch),
	CONST_PROPERTY("StartUSec", "t", get_time),
	PROPERTY("EndUSec", "t", get_time),
	PROPERTY("NEvents", "u", get_number),
	SD_BUS_VTABLE_END,
};

int bus_launch_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_object_vtable(connection, NULL, BUS_ROOT, BUS_LAUNCH, vtable, bus);
}

int bus_launch_emit_changed(sd_bus *connection, uint32_t fields)
{
	static const struct {
		uint32_t fields;
		const char *property;
	} map[] = {
		{HL_SUMMARY_STATE, "State"},	     {HL_SUMMARY_COUNTS, "Expected"},
		{HL_SUMMARY_COUNTS, "Built"},	     {HL_SUMMARY_COUNTS, "Failed"},
		{HL_SUMMARY_ERROR, "Error"},	     {HL_SUMMARY_ERROR, "ErrorNode"},
		{HL_SUMMARY_ERROR, "ErrorProperty"}, {HL_SUMMARY_OTHER, "EndUSec"},
		{HL_SUMMARY_EVENTS, "NEvents"},
	};
	const char *names[ARRAY_SIZE(map) + 1] = {NULL};
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (fields & map[i].fields)
			names[nr++] = map[i].property;
	if (nr == 0)
		return 0;
	return sd_bus_emit_properties_changed_strv(connection, BUS_ROOT, BUS_LAUNCH,
						   (char **)names);
}
