/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a process was about to attach when it was killed: a file beside the locks of VMs, which is
 * there from before libxl makes anything of the device until it is whole, or gone again.
 */
#ifndef VMD_INTENT_H
#define VMD_INTENT_H

#include <stdint.h>

#define INTENT_DEVICE_MAX 63

struct order;

struct intent {
	uint32_t domid;
	char type[8];
	char device[INTENT_DEVICE_MAX + 1]; /* its name, as an order to detach it has it */
};

/* Of the VM that the order is about, whose lock is held.  @dir: of all VMs. */
int intent_write(const char *dir, const struct order *order, const struct intent *intent);
/* -ENOENT: there is none; -EBADMSG: the file is none of ours. */
int intent_read(const char *dir, const struct order *order, struct intent *ret_intent);
/* 0 where there is none, too. */
int intent_remove(const char *dir, const struct order *order);

#endif
