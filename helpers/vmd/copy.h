/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of callers are read by the descriptors that they gave, once, and never opened again by
 * root: a descriptor may say no more than where a file is, and its content may change.
 */
#ifndef VMD_COPY_H
#define VMD_COPY_H

#include <sys/types.h>

#define COPY_MAX ((off_t)512 << 20) /* bytes of a file */

/* -EBADF: it was not opened for reading; -EINVAL: no regular file; -EFBIG: more than COPY_MAX. */
int copy_check(int fd, off_t *ret_size);

/* From its beginning, as much as there was when it was checked. */
int copy_bytes(int from, off_t size, int to);

/*
 * Puts a copy in memory, which nobody can change, under the number of the descriptor; -1 is left
 * alone, and so is a file that nobody can change already.  As copy_check(); another negative errno.
 */
int copy_in_memory(int fd);

/* Has the number of one descriptor stand for another, which is closed. */
int copy_replace(int fd, int by);

#endif
