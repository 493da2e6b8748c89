/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager.GetLCM: the LCM as a sealed memfd. */
#ifndef HYPERLAUNCHD_BUS_LCM_H
#define HYPERLAUNCHD_BUS_LCM_H

#include <systemd/sd-bus.h>

int bus_lcm_get(sd_bus_message *call, void *userdata, sd_bus_error *error);

#endif
