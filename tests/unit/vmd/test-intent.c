// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is recorded of a device that is being attached is what the next process reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "intent.h"
#include "order.h"

#define UUID "0b1e9f5c-3d5e-4c55-9f0a-8c1c1a2b3c4d"

static char dir[] = "/tmp/test-intent.XXXXXX";
static const struct order order = {.uuid_text = UUID};

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

/* Fails where a file was left. */
static int remove_dir(void **state)
{
	return rmdir(dir);
}

static void write_file(const char *text)
{
	_cleanup_(closep) int fd = -1;
	char path[128];

	snprintf(path, sizeof(path), "%s/" UUID ".attach", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static void write_and_read(void **state)
{
	const struct intent intent = {.domid = 7, .type = "nic", .device = "00:16:3e:0a:0b:0c"};
	const struct intent other = {.domid = 0x7fef, .type = "disk", .device = "xvdb"};
	struct intent found;

	assert_int_equal(intent_read(dir, &order, &found), -ENOENT);
	assert_int_equal(intent_write(dir, &order, &intent), 0);
	assert_int_equal(intent_write(dir, &order, &other), 0);
	assert_int_equal(intent_read(dir, &order, &found), 0);
	assert_int_equal(found.domid, 0x7fef);
	assert_string_equal(found.type, "disk");
	assert_string_equal(found.device, "xvdb");
	assert_int_equal(intent_remove(dir, &order), 0);
	assert_int_equal(intent_remove(dir, &order), 0);
	assert_int_equal(intent_read(dir, &order, &found), -ENOENT);
}

/* The longest name that an order may have. */
static void write_longest(void **state)
{
	struct intent intent = {.domid = 1, .type = "disk"}, found;

	memset(intent.device, 'x', INTENT_DEVICE_MAX);
	assert_int_equal(intent_write(dir, &order, &intent), 0);
	assert_int_equal(intent_read(dir, &order, &found), 0);
	assert_string_equal(found.device, intent.device);
	assert_int_equal(intent_remove(dir, &order), 0);
}

static void refuse_other_files(void **state)
{
	static const char *const texts[] = {"",
					    "\n",
					    "7\n",
					    "7 disk\n",
					    "7 disk xvdb",
					    "x disk xvdb\n",
					    "7 disk xvdb more\n",
					    "7 diskdisk xvdb\n"};
	struct intent found;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		write_file(texts[i]);
		assert_int_equal(intent_read(dir, &order, &found), -EBADMSG);
	}
	assert_int_equal(intent_remove(dir, &order), 0);
}

static void no_directory(void **state)
{
	const struct intent intent = {.domid = 7, .type = "nic", .device = "0"};

	assert_int_equal(intent_write("/tmp/test-intent.none", &order, &intent), -ENOENT);
	assert_int_equal(intent_remove("/tmp/test-intent.none", &order), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_and_read),
		cmocka_unit_test(write_longest),
		cmocka_unit_test(refuse_other_files),
		cmocka_unit_test(no_directory),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
