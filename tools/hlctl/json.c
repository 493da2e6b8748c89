// SPDX-License-Identifier: LGPL-2.1-or-later
/* Makes and prints JSON. */
#include "json.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <stdio.h>
#include <string.h>

#include "pager.h"

#define UTF8_MAX 4 /* bytes of a character */

static struct json_object *made(struct json_object *object)
{
	if (!object)
		no_memory();
	return object;
}

struct json_object *json_new_object(void)
{
	return made(json_object_new_object());
}

struct json_object *json_new_array(void)
{
	return made(json_object_new_array());
}

struct json_object *json_text(const char *text)
{
	return made(json_object_new_string(text));
}

void json_put(struct json_object *object, const char *key, struct json_object *value)
{
	if (json_object_object_add(object, key, value))
		no_memory();
}

void json_append(struct json_object *array, struct json_object *value)
{
	if (json_object_array_add(array, value))
		no_memory();
}

void json_put_text(struct json_object *object, const char *key, const char *text)
{
	json_put(object, key, json_text(text));
}

void json_put_text_or_null(struct json_object *object, const char *key, const char *text)
{
	json_put(object, key, *text ? json_text(text) : NULL);
}

void json_put_number(struct json_object *object, const char *key, uint64_t number)
{
	json_put(object, key, made(json_object_new_uint64(number)));
}

void json_put_id(struct json_object *object, const char *key, uint32_t id)
{
	json_put(object, key, id == UINT32_MAX ? NULL : made(json_object_new_int64(id)));
}

void json_put_kib(struct json_object *object, const char *key, uint64_t bytes)
{
	if (bytes == UINT64_MAX)
		json_put(object, key, NULL);
	else
		json_put_number(object, key, bytes >> 10);
}

void json_put_bool(struct json_object *object, const char *key, bool truth)
{
	json_put(object, key, made(json_object_new_boolean(truth)));
}

static int basic_from_message(sd_bus_message *m, char type, struct json_object **ret_value)
{
	union {
		const char *s;
		uint8_t y;
		int b;
		int16_t n;
		uint16_t q;
		int32_t i;
		uint32_t u;
		int64_t x;
		uint64_t t;
		double d;
	} v;
	int r;

	if (type == 'h')
		return -EOPNOTSUPP;
	r = sd_bus_message_read_basic(m, type, &v);
	if (r < 0)
		return r;
	switch (type) {
	case 'y':
		*ret_value = made(json_object_new_uint64(v.y));
		return 0;
	case 'b':
		*ret_value = made(json_object_new_boolean(v.b));
		return 0;
	case 'n':
		*ret_value = made(json_object_new_int64(v.n));
		return 0;
	case 'q':
		*ret_value = made(json_object_new_uint64(v.q));
		return 0;
	case 'i':
		*ret_value = made(json_object_new_int64(v.i));
		return 0;
	case 'u':
		*ret_value = made(json_object_new_uint64(v.u));
		return 0;
	case 'x':
		*ret_value = made(json_object_new_int64(v.x));
		return 0;
	case 't':
		*ret_value = made(json_object_new_uint64(v.t));
		return 0;
	case 'd':
		*ret_value = made(json_object_new_double(v.d));
		return 0;
	default: /* s o g */
		*ret_value = json_text(v.s);
		return 0;
	}
}

/* a{s...}, whose entries become members. */
static int dictionary_from_message(sd_bus_message *m, struct json_object **ret_value)
{
	struct json_object *object = json_new_object(), *value;
	const char *key;
	int r = sd_bus_message_enter_container(m, 'a', NULL);

	while (r >= 0 && (r = sd_bus_message_at_end(m, false)) == 0) {
		r = sd_bus_message_enter_container(m, 'e', NULL);
		if (r >= 0)
			r = sd_bus_message_read_basic(m, 's', &key);
		if (r >= 0)
			r = json_from_message(m, &value);
		if (r >= 0)
			json_put(object, key, value);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r < 0) {
		json_object_put(object);
		return r;
	}
	*ret_value = object;
	return 0;
}

static int container_from_message(sd_bus_message *m, char type, const char *contents,
				  struct json_object **ret_value)
{
	struct json_object *array = NULL, *value;
	int r = sd_bus_message_enter_container(m, type, contents);

	if (r < 0)
		return r;
	if (type == 'v')
		r = json_from_message(m, &array);
	else
		array = json_new_array();
	while (type != 'v' && r >= 0 && !(r = sd_bus_message_at_end(m, false))) {
		r = json_from_message(m, &value);
		if (r >= 0)
			json_append(array, value);
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r < 0) {
		json_object_put(array);
		return r;
	}
	*ret_value = array;
	return 0;
}

int json_from_message(sd_bus_message *m, struct json_object **ret_value)
{
	const char *contents;
	char type;
	int r = sd_bus_message_peek_type(m, &type, &contents);

	if (r < 0)
		return r;
	if (!r)
		return -ENXIO;
	if (type == 'a' && strncmp(contents, "{s", 2) == 0)
		return dictionary_from_message(m, ret_value);
	if (strchr("avre", type))
		return container_from_message(m, type, contents, ret_value);
	return basic_from_message(m, type, ret_value);
}

/* Bytes of the character at s, which is valid UTF-8; *ret_code: 0 where it needs four. */
static size_t decode(const char *text, unsigned int *ret_code)
{
	const unsigned char *s = (const unsigned char *)text;

	if (s[0] < 0x80) {
		*ret_code = s[0];
		return 1;
	}
	if (s[0] < 0xe0) {
		*ret_code = (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
		return 2;
	}
	*ret_code = s[0] < 0xf0 ? (s[0] & 0xfu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu) : 0;
	return s[0] < 0xf0 ? 3 : 4;
}

/* Whether a terminal shows it as it is. */
static bool is_plain(const char *character, size_t length)
{
	_cleanup_(freep) char *shown = NULL;
	char alone[UTF8_MAX + 1] = "";

	memcpy(alone, character, length);
	shown = hl_utf8_dup(alone);
	if (!shown)
		no_memory();
	return !strcmp(alone, shown);
}

/* json-c escapes controls below the blank; sd-bus lets nothing but valid UTF-8 through. */
static void print_escaped(const char *json)
{
	unsigned int code;
	size_t length;

	for (; *json; json += length) {
		length = decode(json, &code);
		if (code < 0x7f || !code || is_plain(json, length))
			(void)fwrite(json, 1, length, stdout);
		else
			printf("\\u%04x", code);
	}
}

static void print(struct json_object *object, int flags)
{
	const char *text =
		json_object_to_json_string_ext(object, flags | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text)
		no_memory();
	pager_open();
	print_escaped(text);
}

void json_print_value(struct json_object *value)
{
	print(value, 0);
}

enum exit_code json_print(struct json_object *object)
{
	print(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	putchar('\n');
	json_object_put(object);
	return EXIT_OK;
}

enum exit_code json_print_line(struct json_object *object)
{
	print(object, JSON_C_TO_STRING_PLAIN);
	putchar('\n');
	json_object_put(object);
	return fflush(stdout) ? report_error(EXIT_FAILED, "cannot write: %s", strerror(errno))
			      : EXIT_OK;
}
