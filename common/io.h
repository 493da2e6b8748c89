/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing of file descriptors that block. */
#ifndef COMMON_IO_H
#define COMMON_IO_H

#include <stddef.h>

/* Writes all of size bytes.  Returns 0, or the negative errno of write(2). */
int write_all(int fd, const void *data, size_t size);

#endif /* COMMON_IO_H */
