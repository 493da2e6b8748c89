// SPDX-License-Identifier: LGPL-2.1-or-later
/* Manager.GetLCM in its formats. */
#include "bus/lcm.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <stdlib.h>
#include <string.h>

#include "bus/auth.h"
#include "bus/connection.h"
#include "bus/error.h"
#include "common/sealed.h"
#include "common/cleanup.h"
#include "domains/manager.h"

struct content {
	void *data;
	size_t size;
};

typedef int (*convert_t)(const void *blob, size_t size, struct content *ret_content,
			 sd_bus_error *error);

static int to_dtb(const void *blob, size_t size, struct content *ret_content, sd_bus_error *error)
{
	void *copy = malloc(size);

	if (!copy)
		return bus_error_set_hypervisor(error, -ENOMEM, "copy the LCM");
	memcpy(copy, blob, size);
	ret_content->data = copy;
	ret_content->size = size;
	return 0;
}

static int to_dts(const void *blob, size_t size, struct content *ret_content, sd_bus_error *error)
{
	char *text;
	int r = hl_fdt_to_dts(blob, size, &text);

	if (r == -EINVAL)
		return bus_error_set(error, BUS_ERROR_LCM_INVALID,
				     "The LCM is no sound device tree");
	if (r < 0)
		return bus_error_set_hypervisor(error, r, "write the LCM as source");
	*ret_content = (struct content){text, strlen(text)};
	return 0;
}

static int to_json(const void *blob, size_t size, struct content *ret_content, sd_bus_error *error)
{
	struct hl_lcm_error wrong = {.code = 0};
	struct hl_lcm *lcm;
	char *text;
	int r = hl_lcm_new(blob, size, NULL, &wrong, &lcm);

	if (r == -EINVAL) {
		_cleanup_(freep) char *why = hl_utf8_dup(wrong.text);

		return bus_error_set(error, BUS_ERROR_LCM_INVALID, "The LCM is wrong: %s",
				     why ? why : hl_error_text(wrong.code));
	}
	if (r < 0)
		return bus_error_set_hypervisor(error, r, "parse the LCM");
	r = hl_lcm_to_json(lcm, &text);
	hl_lcm_unref(lcm);
	if (r < 0)
		return bus_error_set_hypervisor(error, r, "write the LCM as JSON");
	*ret_content = (struct content){text, strlen(text)};
	return 0;
}

static convert_t converter(const char *format)
{
	static const struct {
		const char *format;
		convert_t convert;
	} formats[] = {{"dtb", to_dtb}, {"dts", to_dts}, {"json", to_json}};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i].format, format) == 0)
			return formats[i].convert;
	return NULL;
}

static int reply_content(sd_bus_message *call, const struct content *content, sd_bus_error *error)
{
	_cleanup_(closep) int fd = sealed_memfd("lcm", content->data, content->size);

	if (fd < 0)
		return bus_error_set(error, BUS_ERROR_FAILED, "Cannot make a memory file: %s",
				     strerror(-fd));
	return sd_bus_reply_method_return(call, "h", fd);
}

/* The caller may have it. */
static int run(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	struct hl_ctx *hl = manager_hl(bus_manager_of(userdata));
	_cleanup_(freep) void *blob = NULL;
	struct content content = {.data = NULL};
	const char *format;
	size_t size;
	int r = sd_bus_message_rewind(allowed->call, 1);

	if (r < 0)
		return r;
	r = sd_bus_message_read(allowed->call, "s", &format);
	if (r < 0)
		return r;
	r = hl_read_lcm(hl, &blob, &size);
	if (r < 0)
		return bus_error_set_hypervisor(error, r, "read the LCM");
	r = converter(format)(blob, size, &content, error);
	if (r < 0)
		return r;
	r = reply_content(allowed->call, &content, error);
	free(content.data);
	return r;
}

int bus_lcm_get(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct bus_auth_question question = {
		.action = BUS_ACTION_INSPECT_SENSITIVE,
		.run = run,
		.userdata = userdata,
	};
	const char *format;
	int r = sd_bus_message_read(call, "s", &format);

	if (r < 0)
		return r;
	if (!converter(format))
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "The format must be dtb, dts or json");
	return bus_auth_call(bus_auth_of(userdata), call, &question, error);
}
