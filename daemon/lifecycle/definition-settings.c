// SPDX-License-Identifier: LGPL-2.1-or-later
/* Lines of KEY=VALUE, as in files of systemd; comments begin with # or ;. */
#include "lifecycle/definition-settings.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/uuid.h"
#include "lifecycle/name.h"

#define BLANKS " \t\r"

/* Blanks at its ends would be lost when the line is read again. */
static bool fits_line(const char *value)
{
	size_t length = strlen(value);

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)value[i] < ' ' || value[i] == 0x7f)
			return false;
	return length > 0 && !strchr(BLANKS, value[0]) && !strchr(BLANKS, value[length - 1]);
}

int definition_settings_add_start_after(struct definition_settings *settings, const char *name)
{
	char **grown;

	if (name_refusal(name) || !fits_line(name) ||
	    settings->nr_start_after == DEFINITION_START_AFTER_MAX)
		return -EINVAL;
	grown = reallocarray(settings->start_after, settings->nr_start_after + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	settings->start_after = grown;
	grown[settings->nr_start_after] = strdup(name);
	if (!grown[settings->nr_start_after])
		return -ENOMEM;
	settings->nr_start_after++;
	return 0;
}

int definition_settings_set_path(char **at, const char *path)
{
	char *copy;

	if (path[0] != '/' || !fits_line(path))
		return -EINVAL;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	free(*at);
	*at = copy;
	return 0;
}

static int set_enabled(struct definition_settings *settings, const char *value)
{
	settings->enabled = strcmp(value, "yes") == 0;
	return settings->enabled || strcmp(value, "no") == 0 ? 0 : -EINVAL;
}

/* -ENOENT: there is no such setting */
static int set(struct definition_settings *settings, const char *key, const char *value)
{
	if (strcmp(key, "Enabled") == 0)
		return set_enabled(settings, value);
	if (strcmp(key, "UUID") == 0)
		return hl_uuid_from_text(value, settings->uuid);
	if (strcmp(key, "StartAfter") == 0)
		return definition_settings_add_start_after(settings, value);
	if (strcmp(key, "Kernel") == 0)
		return definition_settings_set_path(&settings->kernel, value);
	if (strcmp(key, "Ramdisk") == 0)
		return definition_settings_set_path(&settings->ramdisk, value);
	return -ENOENT;
}

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, BLANKS);
	length = strlen(text);
	while (length > 0 && strchr(BLANKS, text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

static int parse_line(char *line, size_t number, struct definition_settings *settings, char *why,
		      size_t size)
{
	char *key = trim(line), *equals = strchr(key, '=');
	int r = -ENOENT;

	if (key[0] == '\0' || key[0] == '#' || key[0] == ';')
		return 0;
	if (equals) {
		*equals = '\0';
		key = trim(key);
		r = set(settings, key, trim(equals + 1));
	}
	if (r == -ENOENT)
		snprintf(why, size,
			 "line %zu: \"%.64s\": the settings are Enabled=, UUID=, StartAfter=, "
			 "Kernel= and Ramdisk=",
			 number, key);
	else
		snprintf(why, size, "line %zu: %s= takes %s", number, key,
			 strcmp(key, "Enabled") == 0	  ? "yes or no"
			 : strcmp(key, "UUID") == 0	  ? "a UUID"
			 : strcmp(key, "StartAfter") == 0 ? "the name of a domain; there may be 64"
							  : "an absolute path");
	return r == -ENOENT ? -EINVAL : r;
}

int definition_settings_parse(char *text, struct definition_settings *ret_settings, char *why,
			      size_t size)
{
	size_t number = 1;
	char *next;
	int r = 0;

	*ret_settings = (struct definition_settings){.enabled = false};
	for (; r == 0 && text; text = next) {
		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		r = parse_line(text, number++, ret_settings, why, size);
	}
	return r;
}

char *definition_settings_print(const struct definition_settings *settings)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	char uuid[HL_UUID_TEXT_SIZE];

	if (!out)
		return NULL;
	fprintf(out,
		"# hyperlaunchd writes this file anew where hlctl or a client changes it.\n"
		"Enabled=%s\n",
		settings->enabled ? "yes" : "no");
	if (!uuid_is_nil(settings->uuid)) {
		hl_uuid_to_text(settings->uuid, uuid);
		fprintf(out, "UUID=%s\n", uuid);
	}
	if (settings->kernel)
		fprintf(out, "Kernel=%s\n", settings->kernel);
	if (settings->ramdisk)
		fprintf(out, "Ramdisk=%s\n", settings->ramdisk);
	for (size_t i = 0; i < settings->nr_start_after; i++)
		fprintf(out, "StartAfter=%s\n", settings->start_after[i]);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

void definition_settings_clear(struct definition_settings *settings)
{
	for (size_t i = 0; i < settings->nr_start_after; i++)
		free(settings->start_after[i]);
	free(settings->start_after);
	free(settings->kernel);
	free(settings->ramdisk);
	*settings = (struct definition_settings){.enabled = false};
}
