/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* json-c, without its null-or-failure riddles: no memory ends the program. */
#ifndef HLCTL_JSON_H
#define HLCTL_JSON_H

#include <json-c/json.h>

#include "hlctl.h"

struct json_object *json_new_object(void);
struct json_object *json_new_array(void);
void json_put(struct json_object *object, const char *key, struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);
void json_put_text(struct json_object *object, const char *key, const char *text);
/* "" is null */
void json_put_text_or_null(struct json_object *object, const char *key, const char *text);
void json_put_number(struct json_object *object, const char *key, uint64_t number);
/* UINT32_MAX, the bus's "none", is null */
void json_put_id(struct json_object *object, const char *key, uint32_t id);
/* UINT64_MAX, the bus's "no limit", is null */
void json_put_kib(struct json_object *object, const char *key, uint64_t bytes);
void json_put_bool(struct json_object *object, const char *key, bool truth);
struct json_object *json_text(const char *text);

/* The next complete type in m, whatever it is; negative errno. */
int json_from_message(sd_bus_message *m, struct json_object **ret_value);

/*
 * To standard output.  What a terminal would not show as it is, is written as \uXXXX, which means
 * the same.  All but the first free the object.
 */
void json_print_value(struct json_object *value);
enum exit_code json_print(struct json_object *object);
/* On one line, flushed. */
enum exit_code json_print_line(struct json_object *object);

#endif /* HLCTL_JSON_H */
