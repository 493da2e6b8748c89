/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs on D-Bus: an object for each that has not ended, and ListJobs. */
#ifndef HYPERLAUNCHD_BUS_JOB_H
#define HYPERLAUNCHD_BUS_JOB_H

#include <systemd/sd-bus.h>

struct bus;

int bus_job_register(struct bus *bus, sd_bus *connection);
/* Sends signals for the jobs from now on, until bus_job_unobserve(). */
void bus_job_observe(struct bus *bus);
void bus_job_unobserve(struct bus *bus);

/* The method handler of Manager.ListJobs; `userdata` is the bus. */
int bus_job_list(sd_bus_message *call, void *userdata, sd_bus_error *error);

#endif
