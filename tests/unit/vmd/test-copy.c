// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which descriptors are read, and what becomes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/sealed.h"
#include "copy.h"

static char path[] = "/tmp/test-copy.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "content", 7), 7);
	close(fd);
	return 0;
}

static int remove_file(void **state)
{
	return unlink(path);
}

static void check(int flags, int expected)
{
	_cleanup_(closep) int fd = open(path, flags | O_CLOEXEC);
	off_t size = 0;

	assert_true(fd >= 0);
	assert_int_equal(copy_check(fd, &size), expected);
	assert_int_equal(copy_in_memory(fd), expected);
	if (expected == 0)
		assert_int_equal(size, 7);
}

static void test_how_it_was_opened(void **state)
{
	check(O_RDONLY, 0);
	check(O_RDWR, 0);
	check(O_WRONLY, -EBADF);
	/* It needs no right to the file. */
	check(O_PATH, -EBADF);
}

static void test_what_it_is(void **state)
{
	_cleanup_(closep) int directory = open("/tmp", O_RDONLY | O_CLOEXEC);
	_cleanup_(closep) int device = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int ends[2];
	off_t size;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(copy_check(directory, &size), -EINVAL);
	assert_int_equal(copy_check(device, &size), -EINVAL);
	assert_int_equal(copy_check(ends[0], &size), -EINVAL);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(copy_check(-1, &size), -EBADF);
	assert_int_equal(copy_in_memory(-1), 0);
}

static void test_size(void **state)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	off_t size;

	assert_int_equal(ftruncate(fd, COPY_MAX), 0);
	assert_int_equal(copy_check(fd, &size), 0);
	assert_int_equal(ftruncate(fd, COPY_MAX + 1), 0);
	assert_int_equal(copy_check(fd, &size), -EFBIG);
	assert_int_equal(ftruncate(fd, 7), 0);
}

/* Neither the file nor its position matters any more. */
static void test_copy_is_ours(void **state)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	char text[8] = "";

	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, 3), 3);
	assert_int_equal(copy_in_memory(fd), 0);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 7);
	assert_string_equal(text, "content");
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
}

static ino_t inode_after_copy(int fd)
{
	struct stat st;

	assert_int_equal(copy_in_memory(fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(is_sealed(fd));
	return st.st_ino;
}

/* What nobody can change is not copied once more. */
static void test_sealed(void **state)
{
	_cleanup_(closep) int fd = sealed_memfd("test", "content", 7);
	_cleanup_(closep) int open_file = sealable_memfd("test");
	ino_t copied;

	if (fd < 0 || open_file < 0)
		fail();
	copied = inode_after_copy(open_file);
	assert_true(inode_after_copy(fd) != copied);
	assert_int_equal(inode_after_copy(open_file), copied);
}

/* It became shorter while it was copied. */
static void test_shorter(void **state)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(closep) int to = open("/dev/null", O_WRONLY | O_CLOEXEC);

	assert_int_equal(copy_bytes(fd, 100, to), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_how_it_was_opened),
		cmocka_unit_test(test_what_it_is),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_shorter),
		cmocka_unit_test(test_copy_is_ours),
		cmocka_unit_test(test_sealed),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
