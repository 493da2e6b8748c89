// SPDX-License-Identifier: LGPL-2.1-or-later
/* Prints a list of records. */
#include "records.h"

#include "bus.h"

static enum exit_code print_json(sd_bus_message *reply, const struct records *records)
{
	struct json_object *object = json_new_object(), *array = json_new_array();
	int r;

	json_put(object, records->key, array);
	r = records->read(reply, array, NULL);
	if (r >= 0)
		return json_print(object);
	json_object_put(object);
	return bus_bad_answer(r);
}

static enum exit_code print_table(sd_bus_message *reply, const struct records *records, bool legend)
{
	struct table *table = table_new(records->headings, records->nr_columns, legend);
	int r = records->read(reply, NULL, table);

	if (r >= 0)
		return table_print(table);
	table_free(table);
	return bus_bad_answer(r);
}

enum exit_code records_print(const struct options *options, sd_bus *bus,
			     const struct records *records)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code = bus_call(bus, BUS_MANAGER, records->method, &reply, "");

	if (code)
		return code;
	return options->json ? print_json(reply, records)
			     : print_table(reply, records, !options->no_legend);
}
