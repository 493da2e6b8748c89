/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vchans without Xen: both ends are in this process, and find each other by the path. */
#ifndef TESTS_FAKE_VCHAN_H
#define TESTS_FAKE_VCHAN_H

#include <stdbool.h>

#include "vchan.h"

extern const struct vchan_ops fake_vchan_ops;

/* What is opened next cannot be. */
void fake_vchan_refuse(bool refuse);

/* Ends that are open; 0 where nothing was leaked. */
unsigned int fake_vchan_open(void);

/* The bytes that one end may be behind: the smaller ring. */
#define FAKE_VCHAN_ROOM 1024

#endif
