/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells our own helper which domains its streams may still go to: Xen tells neither side of a vchan
 * that the domain of the other one is gone.
 */
#ifndef HYPERLAUNCHD_CONSOLE_STREAM_KEEP_H
#define HYPERLAUNCHD_CONSOLE_STREAM_KEEP_H

struct consoles;
struct stream_keep;

int stream_keep_new(struct consoles *consoles, struct stream_keep **ret_keep);

/* Before the consoles are stopped. */
struct stream_keep *stream_keep_free(struct stream_keep *keep);

#endif
