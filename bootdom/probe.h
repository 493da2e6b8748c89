/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The probe's table: each row is one operation that a role could open or must keep shut,
 * chosen so that it does no harm where it is let through.
 */
#ifndef BOOTDOM_PROBE_H
#define BOOTDOM_PROBE_H

#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

/* On whom rows act that are about another domain; each row's name ends in whom it is about. */
struct probe {
	uint16_t self, other;
};

struct probe_row {
	const char *name;
	long (*run)(const struct probe *probe);	/* 0 or more, or a negative errno */
};

struct probe_rows {
	const struct probe_row *rows;
	size_t nr;
};

#define PROBE_ROWS(rows) { (rows), sizeof(rows) / sizeof((rows)[0]) }

/* One for each file probe-*.c. */
extern const struct probe_rows probe_launch_rows, probe_control_rows, probe_memory_rows, probe_event_rows,
	probe_device_rows;

/* probe-wild.c: prints its results itself. */
void probe_wild(void);

/* probe-memory.c: keeps a page of a domain's mapped, so that it stays, dying, when it is destroyed. */
long probe_keep_page(uint16_t domid);

/* No frame of a guest's: between its tables and its rings. */
#define PROBE_FREE_GFN 0xfe000UL

/* Prints what that domain writes to its console, whose port it is, from when Xen lets it. */
noreturn void serve_console(uint16_t domid, uint32_t remote_port);

#endif /* BOOTDOM_PROBE_H */
