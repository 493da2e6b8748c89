// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads a{sv}, and refuses keys that the method does not have. */
#include "bus/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bus/error.h"

static int unknown(const char *name, const struct bus_option *options, size_t nr,
		   sd_bus_error *error)
{
	if (nr == 0)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "There is no option \"%.128s\"; this method has none", name);
	return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
			     "There is no option \"%.128s\"; %s is one", name, options[0].name);
}

static const char *signature_of(const struct bus_option *option)
{
	return option->number ? "t"
	       : option->flag ? "b"
	       : option->fd   ? "h"
	       : option->list ? "as"
			      : "s";
}

/* A key that comes twice has its last value, as the others have. */
static int read_list(sd_bus_message *call, char ***list)
{
	int r = sd_bus_message_enter_container(call, 'v', "as");

	if (r < 0)
		return r;
	for (size_t i = 0; *list && (*list)[i]; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	r = sd_bus_message_read_strv(call, list);
	return r < 0 ? r : sd_bus_message_exit_container(call);
}

static int read_value(sd_bus_message *call, const struct bus_option *option)
{
	int flag, r;

	if (option->number)
		return sd_bus_message_read(call, "v", "t", option->number);
	if (option->fd)
		return sd_bus_message_read(call, "v", "h", option->fd);
	if (option->list)
		return read_list(call, option->list);
	if (option->text)
		return sd_bus_message_read(call, "v", "s", option->text);
	r = sd_bus_message_read(call, "v", "b", &flag);
	if (r > 0)
		*option->flag = flag;
	return r;
}

static int read_option(sd_bus_message *call, const struct bus_option *options, size_t nr,
		       sd_bus_error *error)
{
	const struct bus_option *option;
	const char *name;
	size_t i = 0;
	int r = sd_bus_message_read(call, "s", &name);

	if (r < 0)
		return r;
	while (i < nr && strcmp(options[i].name, name) != 0)
		i++;
	if (i == nr)
		return unknown(name, options, nr, error);
	option = &options[i];
	r = read_value(call, option);
	if (r == -ENXIO)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS, "%s must have the type %s",
				     option->name, signature_of(option));
	if (r < 0 || !option->number)
		return r;
	if (*option->number < option->min || *option->number > option->max)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "%s must be from %" PRIu64 " to %" PRIu64, option->name,
				     option->min, option->max);
	return 0;
}

int bus_options_read(sd_bus_message *call, const struct bus_option *options, size_t nr,
		     sd_bus_error *error)
{
	int r = sd_bus_message_enter_container(call, 'a', "{sv}");

	while (r >= 0) {
		r = sd_bus_message_enter_container(call, 'e', "sv");
		if (r == 0)
			return sd_bus_message_exit_container(call);
		if (r > 0)
			r = read_option(call, options, nr, error);
		if (r >= 0)
			r = sd_bus_message_exit_container(call);
	}
	return r;
}
