/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * That the log of a domain has the domain's first output, for a consoled that was stopped, and has
 * no saved state: a file in the runtime directory, which is empty after each boot of this domain.
 */
#ifndef CONSOLED_MARK_H
#define CONSOLED_MARK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * dir: of the marks; log: the log's name.  A failure is reported: the output would come twice if
 * this process were stopped, not only killed.
 */
void mark_set(const char *dir, const char *log, uint32_t domid);

/* Whether it is set for that domid: a uuid may have another domain by now. */
bool mark_is_set(const char *dir, const char *log, uint32_t domid);

#endif
