/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The probe's table: each row is one operation that some role permits or must deny, chosen
 * to be harmless if it is permitted.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

/* The domids that rows act on; the name of a row ends in which of them it uses. */
struct probe {
	uint16_t self, other, hardware;
};

struct probe_row {
	const char *name;
	long (*run)(const struct probe *probe); /* 0 or more, or a negative errno */
};

struct probe_rows {
	const struct probe_row *rows;
	size_t nr;
};

#define PROBE_ROWS(rows) {(rows), sizeof(rows) / sizeof((rows)[0])}

/* The rows of each file probe-*.c. */
extern const struct probe_rows probe_launch_rows, probe_control_rows, probe_memory_rows,
	probe_event_rows, probe_device_rows, probe_host_rows;

/* The functions below return 0 or more, or a negative errno, as rows do. */

/* probe-invalid-args.c: calls each sub-operation with invalid inputs, and prints the results. */
void probe_wild(void);

/* probe-memory.c: maps a frame of another domain at probe_window(); of PVH domains. */
long probe_map_frame(uint16_t domid, unsigned long from);
/* probe-memory.c: keeps a page of a domain mapped, so that it stays dying when destroyed. */
long probe_keep_page(uint16_t domid);

/* probe-control.c: passes nr debug keys, which have no effect, in one sysctl. */
long probe_long_sysctl(uint32_t nr);
/* probe-control.c: creates a domain without memory. */
long probe_create(uint16_t domid, bool pv);

/* probe-event.c: closes this domain's console port, and reuses its number for remote. */
long probe_reuse_console(uint16_t remote);
/* probe-event.c: sends the first event to a domain's store port, as xenstored does. */
long probe_introduce(uint16_t domid);

/* probe-domain.c: unpauses a domain, repeatedly until Xen permits it. */
long probe_insist(uint16_t domid);
/* probe-domain.c: enables dirty page logging for a domain, reads the log and disables it. */
long probe_log_dirty(uint16_t domid);
/* probe-domain.c: sets the handle of a domain to zeroes and this last byte. */
long probe_set_uuid(uint16_t domid, uint8_t last);
/* probe-domain.c: prints the hard and soft affinity of vCPU 0 of a domain. */
long probe_affinity(uint16_t domid);

/* A frame number that no guest uses: between its tables and its rings. */
#define PROBE_FREE_GFN 0xfe000UL

/* Returns the address at which a page of another domain can be mapped. */
void *probe_window(void);

/*
 * probe-console-backend.c: serves the console ring of a domain, once Xen permits it, and
 * prints the output.  Releases it after ms; 0: never.
 */
void serve_console(uint16_t domid, uint32_t remote_port, uint64_t ms);
/* probe-console-backend.c: binds a port of another domain. */
long probe_bind(uint16_t domid, uint32_t remote_port, uint32_t *ret_port);

/*
 * probe-console-ring.c: writes nr numbered lines to this domain's own console ring, one
 * in gap_ms, and waits while it is full, as Linux does; prints each wait of waits_ms or more,
 * unless that is 0.
 */
long probe_flood(uint32_t nr, uint64_t gap_ms, uint64_t waits_ms);
/*
 * probe-console-ring.c: reads what Xen took from another domain's ring, and prints how
 * much that is, and the last one of the lines that probe_flood() wrote without a gap.
 */
long probe_read_console(uint16_t domid);

/*
 * probe-later-domain.c: creates a PVH domain that never runs, with the ports and grants of
 * store and console rings for this domain, as libxl does.
 */
long probe_make(uint16_t domid, uint16_t backend);
/* probe-later-domain.c: creates a PV domain likewise, but without grants. */
long probe_make_pv(uint16_t domid, uint16_t backend);
/* probe-later-domain.c: changes the domain that its console ring is granted to. */
long probe_grant_console(uint16_t backend);
/* probe-later-domain.c: changes the port that its HVM parameter names for the console. */
long probe_name_console(uint16_t domid, uint32_t port);

#endif /* PROBE_H */
