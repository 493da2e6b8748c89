// SPDX-License-Identifier: LGPL-2.1-or-later
/* Emits PropertiesChanged for the fields of a diff. */
#include "bus/property.h"

#include <assert.h>

/* Properties of an interface that can change; each has few. */
#define MAX_CHANGES 32

int bus_property_emit_changed(sd_bus *connection, const char *path, const char *interface,
			      const struct bus_property_change *changes, size_t nr, uint32_t fields)
{
	const char *names[MAX_CHANGES + 1] = {NULL};
	size_t nr_names = 0;

	assert(nr <= MAX_CHANGES);
	for (size_t i = 0; i < nr; i++)
		if (fields & changes[i].fields)
			names[nr_names++] = changes[i].property;
	if (nr_names == 0)
		return 0;
	return sd_bus_emit_properties_changed_strv(connection, path, interface, (char **)names);
}
