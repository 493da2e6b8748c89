/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The simulator's state and the primitives that change it.
 *
 * The files of libhl/sim, each of which uses only those above it:
 *
 * state.c    records, live domains, events, injected faults
 * launch.c   from an LCM to records
 * console.c  ownership of the Xen console after the launch
 * output.c   output that Xen takes from console rings
 * domain.c   what can happen to a domain after the launch
 * request.c  the sub-operations that change something, with their permission checks
 * command.c  the commands that <hyperlaunch/simulator.h> lists
 * control.c  the control socket: one command per datagram
 * backend.c  struct backend_ops
 *
 * Functions that change the state announce it (sim_changed()).  Unless stated
 * otherwise they return 0 or -ENOMEM.
 */
#ifndef LIBHL_SIM_STATE_H
#define LIBHL_SIM_STATE_H

#include "lcm-view.h"
#include "logger.h"

#define SIM_MAX_POST_BOOT 4096
#define SIM_CPUS	  8   /* of the host */
#define SIM_WEIGHT	  256 /* scheduler weight of a new domain */
#define SIM_DEFAULT_LOAD  5   /* percent of a CPU that a new domain uses */

/* Operations that `fault` can make fail. */
enum sim_op {
	SIM_GET_INFO,
	SIM_GET_DOMAIN,
	SIM_GET_MODULE,
	SIM_READ_LCM,
	SIM_GET_EVENTS,
	SIM_LIST_LIVE,
	SIM_SET_CONSOLE,
	SIM_MOVE_CONSOLE_BACKEND,
	SIM_READ_CONSOLE,
	SIM_RELEASE,
	SIM_ADOPT,
	SIM_READY,
	SIM_SET_HANDLE,
	SIM_GET_FD,
	SIM_PROCESS,
	SIM_GET_HOST,
	SIM_READ_LOG,
	SIM_PAUSE,
	SIM_UNPAUSE,
	SIM_GET_VCPU,
	SIM_NR_OPS
};

enum sim_kind {
	SIM_LAUNCHED,
	SIM_CLASSIC,   /* no LCM */
	SIM_UNPATCHED, /* no Hyperlaunch */
};

/* When an operation kills this process, as a crash of it would. */
enum sim_kill {
	SIM_KILL_NEVER,
	SIM_KILL_BEFORE,
	SIM_KILL_AFTER,
};

/* What is not in the list of live domains. */
struct sim_placement {
	struct hl_scheduling scheduling;
	struct hl_affinity affinity;
	unsigned int more_pauses; /* of a paused domain, besides the first */
	uint32_t load;		  /* percent of a CPU that it uses while it runs */
	bool ran;		  /* since settled_ns */
	bool has_run;		  /* a domain made after boot has been unpaused */
};

/* What Xen took from a domain's console ring. */
struct sim_output {
	char *text; /* NULL: nothing */
	size_t size;
	uint64_t dropped;
};

struct sim {
	struct logger logger;
	enum sim_kind kind;
	uint32_t self; /* as which requests are made; HL_NO_DOMID: the first with control */
	void *blob;    /* the LCM; NULL: none */
	size_t blob_size;

	struct hl_launch launch;
	struct hl_launch_domain domains[LCM_MAX_DOMAINS]; /* [launch.nr_domains] */
	struct sim_output outputs[LCM_MAX_DOMAINS];	  /* [launch.nr_domains] */
	struct hl_launch_module *modules; /* [launch.nr_modules]; modules[0] has index 1 */
	struct hl_event *events;	  /* [nr_events] */
	size_t nr_events;
	struct hl_live_domain *live;	  /* [nr_live], by rising domid */
	struct sim_placement *placements; /* [nr_live], of the same domains */
	size_t nr_live;

	uint64_t clock_ns;   /* advances with each event only */
	uint64_t settled_ns; /* CLOCK_MONOTONIC; CPU times are as of then */
	uint32_t adoptions;  /* so far */
	uint32_t next_domid; /* where the search for a free domid starts */
	bool silent;	     /* changes are not announced */
	struct {
		int errnum;
		uint64_t left; /* calls that are still to fail */
	} faults[SIM_NR_OPS];
	enum sim_kill kills[SIM_NR_OPS];

	bool typing;		  /* the console owner has an incomplete line */
	uint32_t pending_owner;	  /* gets the console after that line; HL_NO_DOMID: none */
	uint32_t pending_loan_ms; /* of its request, as is pending_keeps_loan */
	bool pending_keeps_loan;
	int handoff_fd; /* timerfd: the line is not waited for longer; -1: not open */

	bool lent;	 /* a console loan is running */
	uint32_t lender; /* valid while lent; HL_NO_DOMID: destroyed meanwhile */

	int epoll_fd, event_fd, control_fd; /* -1: not open */
	bool bound;			    /* somebody listens to changes */
	int loan_fd;			    /* timerfd: end of the loan; -1: not open */
	char *control_path;		    /* NULL: no control socket to remove */
};

/* Adds to CPU times what domains have used since the last call. */
void sim_settle(struct sim *sim);
/* Settles, and makes the descriptor readable, unless announcements are off. */
void sim_changed(struct sim *sim);

/* Appends to the launch log and advances the clock. */
int sim_event(struct sim *sim, enum hl_event_type type, uint32_t domid, uint32_t arg);
int sim_set_launch_state(struct sim *sim, enum hl_launch_state state);

/* The domain that exists now as domid, or NULL. */
struct hl_live_domain *sim_find_live(struct sim *sim, uint32_t domid);
/* The same; its placement. */
struct sim_placement *sim_find_placement(struct sim *sim, uint32_t domid);
/* Copies *live; pointers from sim_find_live() become invalid. */
int sim_add_live(struct sim *sim, const struct hl_live_domain *live);
/* No effect if there is no such domain; pointers from sim_find_live() become invalid. */
void sim_remove_live(struct sim *sim, uint32_t domid);

/* The record of the initial domain that has this domid, else one that had it, or NULL. */
struct hl_launch_domain *sim_initial(struct sim *sim, uint32_t domid);
/* The same, but NULL if the domain failed or has been reclaimed. */
struct hl_launch_domain *sim_initial_live(struct sim *sim, uint32_t domid);
/*
 * The first live initial domain that has one of these permissions or functions and
 * is not dying; HL_NO_DOMID: none.
 */
uint32_t sim_find_holder(struct sim *sim, uint32_t permissions, uint32_t functions);

/* The negative errno that this call of op has to fail with, or 0; counts the call. */
int sim_fault(struct sim *sim, enum sim_op op);
/* Kills this process if that was requested; to be called before and after an operation. */
void sim_maybe_kill(struct sim *sim, enum sim_op op, enum sim_kill when);

#endif /* LIBHL_SIM_STATE_H */
