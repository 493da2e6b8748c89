/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hypervisor inside the process.  hl.h describes it ("Simulator").
 *
 * sim.c          the backend
 * sim-launch.c   from an LCM to records
 * sim-domain.c   what can happen to a domain afterwards
 * sim-request.c  what a caller in one of its domains may change
 * sim-command.c  everything by words, as if done by the domains it is about
 * sim-control.c  the words by a socket
 */
#ifndef LIBHL_SIM_H
#define LIBHL_SIM_H

#include "ctx.h"
#include "lcm.h"

#define SIM_MAX_POST_BOOT 4096

enum sim_op {
	SIM_GET_INFO,
	SIM_GET_DOMAIN,
	SIM_GET_MODULE,
	SIM_READ_LCM,
	SIM_GET_EVENTS,
	SIM_LIST_LIVE,
	SIM_SET_CONSOLE,
	SIM_MOVE_CONSOLE_BACKEND,
	SIM_RELEASE,
	SIM_READY,
	SIM_NR_OPS
};

enum sim_kind {
	SIM_LAUNCHED,
	SIM_CLASSIC,		/* no LCM */
	SIM_UNPATCHED,		/* no Hyperlaunch */
};

struct sim {
	struct logger logger;
	enum sim_kind kind;
	void *blob;		/* the LCM */
	size_t blob_size;

	struct hl_launch launch;
	struct hl_launch_domain domains[LCM_MAX_DOMAINS];	/* [launch.nr_domains] */
	struct hl_launch_module *modules;	/* [launch.nr_modules], the first has index 1 */
	struct hl_event *events;
	size_t nr_events;
	struct hl_live_domain *live;		/* by rising domid */
	size_t nr_live;

	uint64_t clock_ns;
	uint32_t next_domid;
	bool silent;		/* changes are not announced */
	struct {
		int errnum;
		uint64_t left;
	} faults[SIM_NR_OPS];

	int epoll_fd, event_fd, control_fd;	/* -1: none */
	char *control_path;			/* NULL: none */
};

/* sim.c: everything that changes something says so; -ENOMEM is the only failure. */
int sim_event(struct sim *sim, enum hl_event_type type, uint32_t domid, uint32_t arg);
int sim_set_launch_state(struct sim *sim, enum hl_launch_state state);
struct hl_live_domain *sim_find_live(struct sim *sim, uint32_t domid);
int sim_add_live(struct sim *sim, const struct hl_live_domain *live);
void sim_remove_live(struct sim *sim, uint32_t domid);
void sim_changed(struct sim *sim);
/* What a call of op has to fail with, if it has to. */
int sim_fault(struct sim *sim, enum sim_op op);

/* sim-launch.c */
int sim_launch(struct sim *sim);
int sim_boot_classic(struct sim *sim);
int sim_start(struct sim *sim, struct hl_launch_domain *domain);
int sim_recover(struct sim *sim);
int sim_move_console(struct sim *sim, uint32_t domid);

/* sim-domain.c: the initial domain that runs (or ran) as domid, or NULL */
struct hl_launch_domain *sim_initial(struct sim *sim, uint32_t domid);
/* The same, if it has not been destroyed. */
struct hl_launch_domain *sim_initial_live(struct sim *sim, uint32_t domid);
/* The first that lives and has one of these; HL_NO_DOMID: none. */
uint32_t sim_find_holder(struct sim *sim, uint32_t permissions, uint32_t functions);
int sim_domain_add(struct sim *sim, const struct hl_live_domain *wanted, uint32_t *ret_domid);
int sim_domain_remove(struct sim *sim, uint32_t domid);
int sim_domain_shutdown(struct sim *sim, uint32_t domid, uint32_t code);
int sim_domain_dying(struct sim *sim, uint32_t domid);
int sim_domain_pause(struct sim *sim, uint32_t domid, bool paused);
int sim_domain_rename(struct sim *sim, uint32_t domid, const char *name);
int sim_domain_handle(struct sim *sim, uint32_t domid, const uint8_t handle[16]);
int sim_domain_memory(struct sim *sim, uint32_t domid, uint64_t bytes);
int sim_domain_ready(struct sim *sim, uint32_t domid);
int sim_domain_release(struct sim *sim, uint32_t domid);
int sim_domain_fail(struct sim *sim, uint32_t domid, uint32_t code, const char *prop);
int sim_set_console(struct sim *sim, uint32_t domid);

/* sim-request.c: the domain that this process would run in, or HL_NO_DOMID */
uint32_t sim_self(struct sim *sim);
int sim_request_console(void *backend, uint32_t domid);
int sim_request_console_backend(void *backend, uint32_t domid, uint32_t server);
int sim_request_release(void *backend, uint32_t domid);
int sim_request_ready(void *backend);

/* sim-command.c */
int sim_command(void *backend, const char *command, char **ret_reply);

/* sim-control.c */
int sim_control_open(struct sim *sim, const char *path);
void sim_control_close(struct sim *sim);
void sim_control_serve(struct sim *sim);

#endif /* LIBHL_SIM_H */
