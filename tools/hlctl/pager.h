/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standard output, and the pager that shows it on a terminal. */
#ifndef HLCTL_PAGER_H
#define HLCTL_PAGER_H

#include "hlctl.h"

/* The verb's output may be long, and comes to an end. */
void pager_allow(void);

/* Before the first output: starts the pager where it is allowed and standard output is a terminal.
 */
void pager_open(void);

/* After the last output: waits for the pager.  Returns code, or that of a failure to write. */
enum exit_code output_end(enum exit_code code);

#endif /* HLCTL_PAGER_H */
