// SPDX-License-Identifier: LGPL-2.1-or-later
/* What both languages of definitions have: a name, a UUID, and how one is refused. */
#include "lifecycle/definition.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/uuid.h"
#include "lifecycle/name.h"

int definition_refuse(struct definition_refusal *refusal, enum job_error error, const char *format,
		      ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(refusal->why, sizeof(refusal->why), format, args);
	va_end(args);
	refusal->error = error;
	return error == JOB_ERROR_NO_MEMORY ? -ENOMEM : -EINVAL;
}

int definition_set_name(struct definition *definition, const char *name,
			struct definition_refusal *refusal)
{
	const char *why = name_refusal(name);

	if (why)
		return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS,
					 "the name of the domain cannot be that: %s", why);
	memcpy(definition->name, name, strlen(name) + 1);
	return 0;
}

int definition_set_uuid(struct definition *definition, const uint8_t uuid[16],
			const struct definition_rules *rules, struct definition_refusal *refusal)
{
	const uint8_t *chosen = uuid_is_nil(uuid) && rules->uuid ? rules->uuid : uuid;
	int r = 0;

	memcpy(definition->uuid, chosen, sizeof(definition->uuid));
	if (uuid_is_nil(definition->uuid))
		r = uuid_make_random(definition->uuid);
	if (r < 0)
		return definition_refuse(refusal, JOB_ERROR_FAILED, "no UUID can be made: %s",
					 strerror(-r));
	hl_uuid_to_text(definition->uuid, definition->uuid_text);
	return 0;
}

int definition_read(bool json, const void *data, size_t size, const struct definition_rules *rules,
		    struct definition *ret_definition, struct definition_refusal *ret_refusal)
{
	return json ? definition_from_json(data, size, rules, ret_definition, ret_refusal)
		    : definition_from_lcm(data, size, rules, ret_definition, ret_refusal);
}

void definition_clear(struct definition *definition)
{
	free(definition->config);
	free(definition->kernel_file);
	free(definition->ramdisk_file);
	*definition = (struct definition){.config = NULL};
}
