/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Puts a guest's first output into its log, before what this process and those before it have
 * logged of the same console: a copy of the file in which that begins, with the output in it,
 * gets the file's place.
 *
 * There are two steps, between which the caller records the slot.  A process that is killed after
 * that has the second one done by the next one; before that, nothing has happened.
 */
#ifndef CONSOLED_INSERT_H
#define CONSOLED_INSERT_H

#include <stddef.h>
#include <stdint.h>

#include "log.h"

#define INSERT_FILE_SIZE (UINT64_C(64) << 20) /* a larger file is not copied: consoles wait */

/*
 * Makes the copy, and names it in slot->early_ino.
 * ret_length: bytes in the log that it has more
 * Returns 0; -ENOENT: that part of the log was removed; -E2BIG: that file is too large; or another
 * error of files.
 */
int insert_prepare(struct console_log *log, const uint8_t *data, size_t size, uint64_t dropped,
		   struct saved_slot *slot, size_t *ret_length);

/*
 * Gives the copy its place.  Returns 0, also if it has it already: the slot says so, and where the
 * log ends; or an error of files: the copy is removed, and the slot says that there is none; or an
 * error of the directory: the slot is as it was.
 */
int insert_finish(struct log_dir *dir, const char *name, struct saved_slot *slot);

#endif
