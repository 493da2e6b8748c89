// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which files are found for a module, as they are and unpacked, and what no file can do to the
 * search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/sealed.h"
#include "lifecycle/module-file.h"
#include "lifecycle/module-search.h"
#include "loop/loop.h"
#include "loop/timer.h"

#define CONTENT_MAX (300u << 10)

static char dir[32];
static uint8_t content[CONTENT_MAX];

/* A different one for each kind of block: of zeros, text, and what cannot be packed. */
static void fill(size_t size, unsigned int kind)
{
	uint32_t random = 1;

	for (size_t i = 0; i < size; i++) {
		random = random * 1664525 + 1013904223;
		content[i] = kind == 0	 ? 0
			     : kind == 1 ? "the quick brown fox\n"[(random >> 24) % 20]
					 : (uint8_t)(random >> 24);
	}
}

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static void write_file(const char *name, const void *data, size_t size)
{
	_cleanup_(closep) int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, data, size), 0);
}

static int set_up(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/test-module.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	run("rm -r %s", dir);
	return 0;
}

static struct module_file wanted(const void *data, size_t size)
{
	struct module_file module = {.size = size, .fd = -1};
	SHA2_CTX sha256;

	SHA256Init(&sha256);
	SHA256Update(&sha256, data, size);
	SHA256Final(module.sha256, &sha256);
	return module;
}

static int find(struct module_file *module)
{
	atomic_bool cancelled = false;

	return module_file_find(dir, &cancelled, module, 1);
}

static void assert_content(int fd, const void *data, size_t size)
{
	_cleanup_(freep) uint8_t *read = malloc(size + 1);

	assert_non_null(read);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, read, size + 1, 0), size);
	assert_memory_equal(read, data, size);
	assert_true(is_sealed(fd));
}

static void test_file_as_it_is(void **state)
{
	struct module_file module = wanted("a kernel", 8);
	char path[64];

	write_file("other", "a ramdisk", 9);
	write_file("alike", "a kernal", 8);
	write_file("kernel", "a kernel", 8);
	assert_int_equal(find(&module), 0);
	assert_content(module.fd, "a kernel", 8);
	snprintf(path, sizeof(path), "%s/kernel", dir);
	assert_string_equal(module.path, path);
	assert_false(module.unpacked);
	close(module.fd);
	/* Where the size is not known the digest alone decides. */
	module.size = 0;
	module.fd = -1;
	assert_int_equal(find(&module), 0);
	assert_content(module.fd, "a kernel", 8);
	close(module.fd);
}

static void test_nothing_found(void **state)
{
	struct module_file module = wanted("a kernel", 8);

	assert_int_equal(find(&module), 0);
	assert_int_equal(module.fd, -1);
	write_file("kernel", "a kernex", 8);
	assert_int_equal(find(&module), 0);
	assert_int_equal(module.fd, -1);
}

static void check_packed(size_t size, const char *how)
{
	struct module_file module = wanted(content, size);

	write_file("module", content, size);
	run("cd %s; gzip %s module", dir, how);
	assert_int_equal(find(&module), 0);
	assert_content(module.fd, content, size);
	assert_true(module.unpacked);
	close(module.fd);
	module.fd = -1;
	module.size = 0;
	assert_int_equal(find(&module), 0);
	assert_content(module.fd, content, size);
	close(module.fd);
	run("rm %s/module.gz", dir);
}

static void test_packed_file(void **state)
{
	static const size_t sizes[] = {1, 20, 32767, 32768, 32769, CONTENT_MAX};

	for (unsigned int kind = 0; kind < 3; kind++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			fill(sizes[i], kind);
			check_packed(sizes[i], "-1");
			check_packed(sizes[i], "-9n");
		}
}

/* As the boot loader has it, the packed file itself may be the module. */
static void test_packed_file_as_it_is(void **state)
{
	struct module_file module;
	char path[64];
	_cleanup_(closep) int fd = -1;
	ssize_t n;

	fill(1000, 1);
	write_file("module", content, 1000);
	run("gzip %s/module", dir);
	snprintf(path, sizeof(path), "%s/module.gz", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, content, sizeof(content));
	assert_true(n > 0);
	module = wanted(content, (size_t)n);
	assert_int_equal(find(&module), 0);
	assert_content(module.fd, content, (size_t)n);
	assert_false(module.unpacked);
	close(module.fd);
}

static void test_two_modules_in_two_directories(void **state)
{
	struct module_file modules[] = {wanted("a kernel", 8), wanted("a ramdisk", 9)};
	atomic_bool cancelled = false;
	char path[160];

	run("mkdir %s/one %s/two", dir, dir);
	write_file("one/kernel", "a kernel", 8);
	write_file("two/ramdisk", "a ramdisk", 9);
	snprintf(path, sizeof(path), "/nowhere::%s/one:%s/two:", dir, dir);
	assert_int_equal(module_file_find(path, &cancelled, modules, 2), 0);
	assert_content(modules[0].fd, "a kernel", 8);
	assert_content(modules[1].fd, "a ramdisk", 9);
	close(modules[0].fd);
	close(modules[1].fd);
}

/* A link, a directory, a FIFO, what somebody else owns, or what is in his directory. */
static void test_what_does_not_count(void **state)
{
	struct module_file module = wanted("a kernel", 8);
	bool root = geteuid() == 0;

	run("mkdir %s/below; mkfifo %s/fifo; ln -s below/kernel %s/link", dir, dir, dir);
	write_file("below/kernel", "a kernel", 8);
	if (root) {
		write_file("theirs", "a kernel", 8);
		run("chown 65534 %s/theirs", dir);
	}
	assert_int_equal(find(&module), 0);
	assert_int_equal(module.fd, -1);
	write_file("kernel", "a kernel", 8);
	if (root) {
		run("chown 65534 %s", dir);
		assert_int_equal(find(&module), 0);
		assert_int_equal(module.fd, -1);
		run("chown 0 %s", dir);
	}
	assert_int_equal(find(&module), 0);
	assert_true(module.fd >= 0);
	close(module.fd);
}

/* Cut off, and with any bit of some bytes changed: it is another content, or none. */
static void test_damaged_files(void **state)
{
	static uint8_t packed[CONTENT_MAX];
	struct module_file module;
	char path[64];
	_cleanup_(closep) int fd = -1;
	ssize_t size;

	fill(5000, 1);
	module = wanted(content, 5000);
	module.size = 0;
	write_file("module", content, 5000);
	run("gzip -n %s/module", dir);
	snprintf(path, sizeof(path), "%s/module.gz", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	size = read(fd, packed, sizeof(packed));
	assert_true(size > 100);
	for (ssize_t i = 3; i < size - 8; i += 37) {
		packed[i] ^= 0x10;
		write_file("module.gz", packed, (size_t)size);
		packed[i] ^= 0x10;
		assert_int_equal(find(&module), 0);
		/* Bytes of the header, such as the time, are no content. */
		assert_true(module.fd < 0 || i < 10);
		closep(&module.fd);
		module.fd = -1;
		write_file("module.gz", packed, (size_t)i);
		assert_int_equal(find(&module), 0);
		assert_int_equal(module.fd, -1);
	}
}

/* A size that is a lie costs no more than that. */
static void test_larger_than_it_says(void **state)
{
	static const uint8_t lie[4] = {8};
	struct module_file module = wanted("a kernel", 8);
	char path[64];
	_cleanup_(closep) int fd = -1;

	fill(CONTENT_MAX, 0);
	write_file("module", content, CONTENT_MAX);
	run("gzip %s/module", dir);
	snprintf(path, sizeof(path), "%s/module.gz", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, lie, 4, lseek(fd, 0, SEEK_END) - 4), 4);
	assert_int_equal(find(&module), 0);
	assert_int_equal(module.fd, -1);
}

static void test_cancelled(void **state)
{
	struct module_file module = wanted("a kernel", 8);
	atomic_bool cancelled = true;

	write_file("kernel", "a kernel", 8);
	assert_int_equal(module_file_find(dir, &cancelled, &module, 1), -ECANCELED);
	assert_int_equal(module.fd, -1);
}

struct world {
	struct loop *loop;
	unsigned int nr_done;
};

static void on_done(void *userdata, int result, struct module_file *modules)
{
	struct world *world = userdata;

	assert_int_equal(result, 0);
	assert_content(modules[0].fd, "a kernel", 8);
	world->nr_done++;
}

static void on_time(void *userdata)
{
	struct world *world = userdata;

	loop_stop(world->loop, 0);
}

/* Of three, of which one is given up, two come back. */
static void test_searches_in_a_thread(void **state)
{
	struct module_file module = wanted("a kernel", 8);
	struct module_searcher *searcher;
	struct module_search *searches[3];
	struct world world = {.nr_done = 0};
	struct timer *timer;

	write_file("kernel", "a kernel", 8);
	assert_int_equal(loop_new(&world.loop), 0);
	assert_int_equal(timer_new(world.loop, on_time, &world, &timer), 0);
	assert_int_equal(module_searcher_new(world.loop, dir, &searcher), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			module_search_new(searcher, &module, 1, on_done, &world, &searches[i]), 0);
	module_search_cancel(searches[1]);
	assert_int_equal(timer_set(timer, 500000), 0);
	assert_int_equal(loop_run(world.loop), 0);
	assert_int_equal(world.nr_done, 2);
	module_searcher_free(searcher);
	timer_free(timer);
	loop_free(world.loop);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file_as_it_is),
		TEST(test_nothing_found),
		TEST(test_packed_file),
		TEST(test_packed_file_as_it_is),
		TEST(test_two_modules_in_two_directories),
		TEST(test_what_does_not_count),
		TEST(test_damaged_files),
		TEST(test_larger_than_it_says),
		TEST(test_cancelled),
		TEST(test_searches_in_a_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
