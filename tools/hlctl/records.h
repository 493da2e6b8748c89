/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of records that a method of the manager returns, as a table or as JSON. */
#ifndef HLCTL_RECORDS_H
#define HLCTL_RECORDS_H

#include "json.h"
#include "table.h"

struct records {
	const char *method; /* of the manager, without arguments */
	const char *key;    /* in JSON, of the array */
	const char *const *headings;
	size_t nr_columns;
	/*
	 * Reads all records of the answer, into one of both; the other is NULL.
	 * Returns a negative errno on failure.
	 */
	int (*read)(sd_bus_message *m, struct json_object *array, struct table *table);
};

enum exit_code records_print(const struct options *options, sd_bus *bus,
			     const struct records *records);

#endif /* HLCTL_RECORDS_H */
