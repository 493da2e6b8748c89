/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hlctl: asks hyperlaunchd over D-Bus, and shows the answer. */
#ifndef HLCTL_H
#define HLCTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "common/cleanup.h"
#include "common/dbus-names.h"
#include "common/exit-code.h"

enum bus_kind { BUS_KIND_SYSTEM, BUS_KIND_SESSION, BUS_KIND_ADDRESS, BUS_KIND_HOST };

#define ESCAPE_DEFAULT 0 /* cannot be typed as one */
#define ESCAPE_NONE    (-1)

/* What the command line says. */
struct options {
	enum bus_kind bus;
	const char *address; /* of BUS_KIND_ADDRESS, or the host of BUS_KIND_HOST */
	bool json, quiet, no_legend, no_pager, no_ask_password;
	bool null;	      /* names only */
	bool value;	      /* properties without their names */
	size_t nr_properties; /* 0: all */
	char **properties;
	const char *role;   /* NULL: not given */
	const char *format; /* NULL: not given */
	uint32_t since;
	bool follow;
	uint32_t seconds;		/* of a hand-off; 0: for good */
	uint32_t timeout;		/* in seconds, of what a guest is asked; 0: not given */
	bool force;			/* also where other domains depend on it */
	bool or_destroy;		/* a guest that does not go by then */
	bool console;			/* a hand-off of a domain's console, not of Xen's */
	bool read_only, exclusive, log; /* of a console */
	uint32_t replay;		/* bytes */
	bool openmetrics, vcpus;	/* of figures */
	int escape;			/* a character, ESCAPE_DEFAULT, or ESCAPE_NONE */
	bool paused;			/* a created domain is not started */
	const char *kernel, *ramdisk;	/* files of a created domain; NULL: the definition's */
	size_t nr_after;		/* of a defined domain: what it is started after */
	char **after;
	bool enabled;	    /* it is, or those that are, started with the host */
	bool all;	    /* of a verb about domains: those that hyperlaunchd has made */
	bool replace;	    /* what is defined already */
	const char *domain; /* the verb's argument; NULL: none */
	size_t nr_domains;  /* where it takes more than one */
	char **domains;
};

enum exit_code verb_list(const struct options *options, sd_bus *bus);
enum exit_code verb_status(const struct options *options, sd_bus *bus);
enum exit_code verb_show(const struct options *options, sd_bus *bus);
enum exit_code verb_roles(const struct options *options, sd_bus *bus);
enum exit_code verb_lcm(const struct options *options, sd_bus *bus);
enum exit_code verb_events(const struct options *options, sd_bus *bus);
enum exit_code verb_modules(const struct options *options, sd_bus *bus);
enum exit_code verb_monitor(const struct options *options, sd_bus *bus);
enum exit_code verb_handoff(const struct options *options, sd_bus *bus);
enum exit_code handoff_console(const struct options *options, sd_bus *bus);
enum exit_code verb_console(const struct options *options, sd_bus *bus);
enum exit_code verb_release(const struct options *options, sd_bus *bus);
enum exit_code verb_create(const struct options *options, sd_bus *bus);
enum exit_code verb_destroy(const struct options *options, sd_bus *bus);
enum exit_code verb_definitions(const struct options *options, sd_bus *bus);
enum exit_code verb_define(const struct options *options, sd_bus *bus);
enum exit_code verb_undefine(const struct options *options, sd_bus *bus);
enum exit_code verb_enable(const struct options *options, sd_bus *bus);
enum exit_code verb_disable(const struct options *options, sd_bus *bus);
enum exit_code verb_edit(const struct options *options, sd_bus *bus);
enum exit_code verb_start(const struct options *options, sd_bus *bus);
enum exit_code verb_rebuild(const struct options *options, sd_bus *bus);
enum exit_code verb_pause(const struct options *options, sd_bus *bus);
enum exit_code verb_unpause(const struct options *options, sd_bus *bus);
enum exit_code verb_shutdown(const struct options *options, sd_bus *bus);
enum exit_code verb_reboot(const struct options *options, sd_bus *bus);
enum exit_code verb_rename(const struct options *options, sd_bus *bus);
enum exit_code verb_set_memory(const struct options *options, sd_bus *bus);
enum exit_code verb_set_vcpus(const struct options *options, sd_bus *bus);
enum exit_code verb_attach(const struct options *options, sd_bus *bus);
enum exit_code verb_detach(const struct options *options, sd_bus *bus);
enum exit_code verb_host(const struct options *options, sd_bus *bus);
enum exit_code verb_dmesg(const struct options *options, sd_bus *bus);
enum exit_code verb_stats(const struct options *options, sd_bus *bus);
enum exit_code verb_jobs(const struct options *options, sd_bus *bus);
enum exit_code verb_cancel(const struct options *options, sd_bus *bus);

/* error.c: one sentence to standard error; returns code, to be returned on. */
enum exit_code report_error(enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void no_memory(void) __attribute__((noreturn));

#endif /* HLCTL_H */
