/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether xenstored answers on the kernel's device.  It may serve another domain long before ours
 * is introduced to it: a watch would hang in the kernel until then, and what was sent is lost.
 */
#ifndef CONSOLED_DEVICE_H
#define CONSOLED_DEVICE_H

#include <stdbool.h>

/* Waits for a second at most; for any thread.  Once true, it is always. */
bool device_answers(const char *path);

#endif
