/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hlctl: asks hyperlaunchd over D-Bus, and shows the answer. */
#ifndef HLCTL_H
#define HLCTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#define BUS_NAME	   "org.xenproject.Hyperlaunch1"
#define BUS_PATH	   "/org/xenproject/Hyperlaunch1"
#define BUS_MANAGER	   BUS_NAME ".Manager"
#define BUS_DOMAIN	   BUS_NAME ".Domain"
#define BUS_LAUNCH	   BUS_NAME ".Launch"
#define BUS_LIFECYCLE	   BUS_NAME ".Lifecycle"
#define BUS_JOB		   BUS_NAME ".Job"
#define BUS_HOST_INTERFACE BUS_NAME ".Host"

#define CLEANUP(func) __attribute__((cleanup(func)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Documented in hlctl(1). */
enum exit_code {
	EXIT_OK,
	EXIT_FAILED,
	EXIT_USAGE,
	EXIT_NOT_FOUND,
	EXIT_DENIED,
	EXIT_UNSUPPORTED,
	EXIT_TIMEOUT,
};

enum bus_kind { BUS_SYSTEM, BUS_SESSION, BUS_ADDRESS, BUS_HOST };

/* What the command line says. */
struct options {
	enum bus_kind bus;
	const char *address; /* of BUS_ADDRESS, or the host of BUS_HOST */
	bool json, quiet, no_legend, no_pager, no_ask_password;
	bool null;	      /* names only */
	bool value;	      /* properties without their names */
	size_t nr_properties; /* 0: all */
	char **properties;
	const char *role;   /* NULL: not given */
	const char *format; /* NULL: not given */
	uint32_t since;
	bool follow;
	uint32_t seconds;   /* of a hand-off; 0: for good */
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
enum exit_code verb_release(const struct options *options, sd_bus *bus);
enum exit_code verb_host(const struct options *options, sd_bus *bus);
enum exit_code verb_dmesg(const struct options *options, sd_bus *bus);
enum exit_code verb_jobs(const struct options *options, sd_bus *bus);
enum exit_code verb_cancel(const struct options *options, sd_bus *bus);

/* error.c: one sentence to standard error; returns code, to be returned on. */
enum exit_code report_error(enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void no_memory(void) __attribute__((noreturn));

static inline void freep(void *p)
{
	free(*(void **)p);
}

#endif /* HLCTL_H */
