/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NAME.conf, beside the definition of a domain: what hyperlaunchd, not the domain, needs to know.
 */
#ifndef HYPERLAUNCHD_LIFECYCLE_DEFINITION_SETTINGS_H
#define HYPERLAUNCHD_LIFECYCLE_DEFINITION_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEFINITION_START_AFTER_MAX 64

/* All zero: as where there is no file. */
struct definition_settings {
	bool enabled;		/* it is started when the host is */
	uint8_t uuid[16];	/* of the domain, where the definition has none; nil: likewise */
	char *kernel, *ramdisk; /* absolute paths, in place of the definition's; NULL: those */
	/* Names of domains that are ready, or run, before it is started with the host. */
	char **start_after;
	size_t nr_start_after;
};

/*
 * Takes the text apart.  -EINVAL: `why` names the line and what is wrong with it; -ENOMEM.
 * @ret_settings: definition_settings_clear() whatever is returned
 */
int definition_settings_parse(char *text, struct definition_settings *ret_settings, char *why,
			      size_t size);

/* -EINVAL: no name of a domain, or too many of them; -ENOMEM. */
int definition_settings_add_start_after(struct definition_settings *settings, const char *name);

/* -EINVAL: the path is not absolute, or cannot stand in a line; -ENOMEM. */
int definition_settings_set_path(char **at, const char *path);

/* What is parsed again to the same; NULL: out of memory. */
char *definition_settings_print(const struct definition_settings *settings);

void definition_settings_clear(struct definition_settings *settings);

#endif
