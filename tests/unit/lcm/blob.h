/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device-tree blobs for tests: from files, and made on the spot. */
#ifndef TEST_BLOB_H
#define TEST_BLOB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <xen/lib/hyperlaunch/lcm.h>

/* Exactly as large as its content, so that a sanitizer sees each byte read beyond. */
struct blob {
	char *data;
	size_t size;
};

/* DIR/NAME; fails the test where it can't be read. */
struct blob blob_read(const char *dir, const char *name);
struct blob blob_copy(const void *data, size_t size);
void blob_free(struct blob *blob);

/*
 * /chosen/hypervisor, compatible, with `domains` sound domains, the first with
 * HARDWARE, `pci` pci nodes in it, and below the root a chain of `depth` nodes.
 */
struct blob blob_make(unsigned int domains, unsigned int pci, unsigned int depth);

/* Where the fixtures are: sources, and compiled. */
extern const char *fixture_source_dir, *fixture_dir;

/* Takes them from the command line of a test program. */
void fixture_dirs(int argc, char *argv[]);

#endif /* TEST_BLOB_H */
