/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completes initial domains after boot: gives each its nodes in xenstore and
 * introduces it, gives it a UUID where the LCM has none, writes libxl's file, and
 * lets guests of a toolstack read their own nodes where there is no domain 0.
 */
#ifndef HYPERLAUNCHD_LAUNCH_COMPLETE_H
#define HYPERLAUNCHD_LAUNCH_COMPLETE_H

struct completer;
struct loop;
struct manager;

/*
 * settled: called once, when no domain that can be completed is left to be, or
 * when that takes longer than a few seconds; from the loop.
 */
int completer_new(struct loop *loop, struct manager *manager, void (*settled)(void *userdata),
		  void *userdata, struct completer **ret_completer);
struct completer *completer_free(struct completer *completer);

#endif
