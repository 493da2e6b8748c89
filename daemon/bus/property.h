/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Properties in the tables of sd-bus.  Where the object that find() returns has the
 * value as a member, sd-bus reads it by the member's offset; other values have a getter
 * each, which is an expression.
 */
#ifndef HYPERLAUNCHD_BUS_PROPERTY_H
#define HYPERLAUNCHD_BUS_PROPERTY_H

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* PropertiesChanged: has nothing, has the new value, or does not tell that it changes. */
#define BUS_CONST_PROPERTY(name, type, getter) \
	SD_BUS_PROPERTY(name, type, getter, 0, SD_BUS_VTABLE_PROPERTY_CONST)
#define BUS_PROPERTY(name, type, getter) \
	SD_BUS_PROPERTY(name, type, getter, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)
#define BUS_SILENT_PROPERTY(name, type, getter) SD_BUS_PROPERTY(name, type, getter, 0, 0)

/* The offset of a member, whose type must be c_type. */
#define BUS_OFFSET(object, member, c_type)                                                  \
	(offsetof(object, member) +                                                         \
	 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((object *)NULL)->member), \
						      c_type)                               \
				 ? 1                                                        \
				 : -1]))

/* Rows of a vtable for members: flags are SD_BUS_VTABLE_PROPERTY_*, or 0. */
#define BUS_MEMBER_U32(name, object, member, flags) \
	SD_BUS_PROPERTY(name, "u", NULL, BUS_OFFSET(object, member, uint32_t), flags)
#define BUS_MEMBER_U64(name, object, member, flags) \
	SD_BUS_PROPERTY(name, "t", NULL, BUS_OFFSET(object, member, uint64_t), flags)
#define BUS_MEMBER_TEXT(name, object, member, flags) \
	SD_BUS_PROPERTY(name, "s", NULL, BUS_OFFSET(object, member, const char *), flags)

/* The head of a getter. */
#define BUS_GETTER(name)                                                             \
	static int name(sd_bus *connection, const char *path, const char *interface, \
			const char *property, sd_bus_message *reply, void *userdata, \
			sd_bus_error *error)

/*
 * A getter of one value.
 * @signature: of the value, of a basic type
 * @declaration: a variable that is set from `userdata`
 * @value: what the property is, an expression with that variable
 */
#define BUS_VALUE_GETTER(name, signature, declaration, value)          \
	BUS_GETTER(name)                                               \
	{                                                              \
		declaration;                                           \
                                                                       \
		return sd_bus_message_append(reply, signature, value); \
	}

/* Which property changes with which fields of a diff. */
struct bus_property_change {
	uint32_t fields; /* any of them */
	const char *property;
};

/* Emits PropertiesChanged for the properties that change with `fields`; nothing if there are none.
 */
int bus_property_emit_changed(sd_bus *connection, const char *path, const char *interface,
			      const struct bus_property_change *changes, size_t nr,
			      uint32_t fields);

#endif
