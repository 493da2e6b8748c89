/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hlctl: asks hyperlaunchd over D-Bus, and shows the answer. */
#ifndef HLCTL_H
#define HLCTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#define BUS_NAME	"org.xenproject.Hyperlaunch1"
#define BUS_PATH	"/org/xenproject/Hyperlaunch1"
#define BUS_MANAGER	BUS_NAME ".Manager"
#define BUS_DOMAIN	BUS_NAME ".Domain"
#define BUS_LIFECYCLE	BUS_NAME ".Lifecycle"

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

/* What the command line says. */
struct options {
	enum { BUS_SYSTEM, BUS_SESSION, BUS_ADDRESS } bus;
	const char *address;		/* BUS_ADDRESS */
	bool json;
	const char *role;		/* NULL: not given */
	const char *format;		/* NULL: not given */
	uint32_t since;
	const char *domain;		/* the verb's argument; NULL: none */
};

struct verb {
	const char *name;
	const char *help;
	enum exit_code (*run)(const struct options *options, sd_bus *bus);
	const char *extra;		/* letters of the options it takes beside the common ones */
	enum { NO_DOMAIN, MAY_HAVE_DOMAIN, NEEDS_DOMAIN } argument;
};

enum exit_code verb_list(const struct options *options, sd_bus *bus);
enum exit_code verb_status(const struct options *options, sd_bus *bus);
enum exit_code verb_roles(const struct options *options, sd_bus *bus);
enum exit_code verb_lcm(const struct options *options, sd_bus *bus);
enum exit_code verb_events(const struct options *options, sd_bus *bus);
enum exit_code verb_modules(const struct options *options, sd_bus *bus);
enum exit_code verb_monitor(const struct options *options, sd_bus *bus);
enum exit_code verb_handoff(const struct options *options, sd_bus *bus);
enum exit_code verb_release(const struct options *options, sd_bus *bus);

/* main.c: one sentence to standard error; returns code, to be returned on. */
enum exit_code complain(enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void no_memory(void) __attribute__((noreturn));

static inline void freep(void *p)
{
	free(*(void **)p);
}

#endif /* HLCTL_H */
