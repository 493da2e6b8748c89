// SPDX-License-Identifier: LGPL-2.1-or-later
/* hyperlaunchd: puts the parts together, and runs the loop until it is stopped. */
#include <dirent.h>
#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/connection.h"
#include "common/cleanup.h"
#include "common/exit-code.h"
#include "console/console-domain.h"
#include "console/consoles.h"
#include "console/early.h"
#include "console/handoff.h"
#include "console/owner.h"
#include "console/relay.h"
#include "console/stream-keep.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "launch/complete.h"
#include "lifecycle/create.h"
#include "lifecycle/destroy.h"
#include "lifecycle/device.h"
#include "lifecycle/module-search.h"
#include "lifecycle/pause.h"
#include "lifecycle/policy.h"
#include "lifecycle/rebuild.h"
#include "lifecycle/release.h"
#include "lifecycle/rename.h"
#include "lifecycle/resize.h"
#include "lifecycle/restart.h"
#include "lifecycle/shutdown.h"
#include "lifecycle/vm.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/notify.h"
#include "options.h"
#include "peers/local.h"
#include "peers/peer.h"

/* Where helpers in this domain listen, each at a socket with the name of its kind. */
#define PEERS_DIR "/run/hyperlaunch/peer"

struct daemon {
	struct loop *loop;
	struct hl_ctx *hl;
	struct manager *manager;
	struct completer *completer;
	struct jobs *jobs;
	struct vms vms;
	char *definitions;
	struct consoles *consoles;
	struct early *early;
	struct relays *relays;
	struct stream_keep *stream_keep;
	struct console_domain *console_domain;
	struct manager_observer observer;
	struct consoles_listener on_consoles;
	struct bus *bus;
	struct notify *notify;
};

static void daemon_clear(struct daemon *daemon)
{
	notify_free(daemon->notify);
	if (daemon->manager)
		manager_unobserve(daemon->manager, &daemon->observer);
	policies_free(daemon->vms.policies);
	if (daemon->jobs)
		jobs_end(daemon->jobs);
	early_free(daemon->early);
	relays_free(daemon->relays);
	stream_keep_free(daemon->stream_keep);
	console_domain_free(daemon->console_domain);
	if (daemon->consoles)
		consoles_stop(daemon->consoles);
	bus_free(daemon->bus);
	consoles_free(daemon->consoles);
	jobs_free(daemon->jobs);
	module_searcher_free(daemon->vms.modules);
	completer_free(daemon->completer);
	manager_free(daemon->manager);
	hl_unref(daemon->hl);
	loop_free(daemon->loop);
	free(daemon->definitions);
}

static void on_library_message(void *data, int priority, const char *text)
{
	log_msg(priority, "%s", text);
}

static void on_heartbeat(void *userdata)
{
	manager_heartbeat(userdata);
}

/* Units that start after this one find the initial domains complete, where that can be. */
static void on_settled(void *userdata)
{
	const struct daemon *daemon = userdata;

	notify_ready();
	log_info("ready: %" PRIu32 " domains", hl_table_nr_domains(manager_table(daemon->manager)));
}

static int explain_no_hypervisor(const struct options *options, int r)
{
	if (r == -ENODEV) {
		log_error("there is no Xen on this machine; to work without one, name a launch "
			  "control module: --hypervisor sim:FILE.dtb");
		return EXIT_NO_XEN;
	}
	if (r == -EACCES)
		log_error("Xen's device may not be opened: run as root");
	else if (r == -EINVAL)
		log_error("%s: no launch control module, or an option that sim does not know",
			  options->hypervisor);
	else
		log_error("cannot use the hypervisor \"%s\": %s", options->hypervisor,
			  strerror(-r));
	return EXIT_FAILED;
}

/* What this Xen cannot do is told once, at the start. */
static void explain_limits(struct hl_ctx *hl)
{
	struct hl_launch launch;
	int r = hl_get_launch(hl, &launch);

	if (r == -EOPNOTSUPP)
		log_warning("this Xen has no XEN_SYSCTL_hyperlaunch (it is not built with "
			    "CONFIG_HYPERLAUNCH): domains are listed, their roles are unknown");
	else if (r == -EPERM)
		log_warning("Xen does not tell this domain about the launch: run hyperlaunchd in "
			    "a domain with the control permission");
	else if (r == -EPROTO)
		log_warning("this Xen speaks another version of XEN_SYSCTL_hyperlaunch: domains "
			    "are listed, their roles are unknown");
	else if (r < 0)
		log_warning("cannot read the state of the launch: %s", strerror(-r));
	else if (launch.state == HL_LAUNCH_NONE)
		log_notice("Xen was booted without a launch control module");
}

static int explain_bus(int r, const char *step)
{
	if (r == -EEXIST)
		log_error("cannot %s: another hyperlaunchd has it", step);
	else if (r == -ENOMEDIUM)
		log_error("cannot %s: there is no session bus here; dbus-run-session starts one",
			  step);
	else if (r == -EACCES || r == -EPERM)
		log_error("cannot %s: the policy of the bus forbids it (is " BUS_NAME ".conf "
			  "installed, and are we root?)",
			  step);
	else
		log_error("cannot %s: %s", step, strerror(-r));
	return EXIT_FAILED;
}

static void on_domains_changed(void *userdata)
{
	const struct daemon *daemon = userdata;

	jobs_poke(daemon->jobs);
}

static void on_consoles_changed(void *userdata)
{
	const struct daemon *daemon = userdata;

	jobs_poke(daemon->jobs);
}

static bool is_simulated(const struct daemon *daemon)
{
	return strcmp(hl_backend(daemon->hl), "xen") != 0;
}

/* A simulated hypervisor has helpers only where they are named. */
static const char *peers_dir(const struct daemon *daemon, const struct options *options)
{
	return options->peers || is_simulated(daemon) ? options->peers : PEERS_DIR;
}

/* The administrator's directory; without a service manager there is none. */
static int find_definitions(struct daemon *daemon)
{
	const char *configuration = getenv("CONFIGURATION_DIRECTORY");

	if (!configuration)
		return 0;
	return asprintf(&daemon->definitions, "%s/domains", configuration) < 0 ? -ENOMEM : 0;
}

/* Records are kept in the directory that the service manager preserves. */
static int start_jobs(struct daemon *daemon, const struct options *options)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY");
	_cleanup_(freep) char *dir = NULL;
	int r;

	if (runtime && asprintf(&dir, "%s/jobs", runtime) < 0)
		return -ENOMEM;
	r = find_definitions(daemon);
	if (r < 0)
		return r;
	daemon->vms = (struct vms){
		.loop = daemon->loop,
		.manager = daemon->manager,
		.peers = peers_dir(daemon, options),
		.definitions = daemon->definitions,
	};
	r = jobs_new(daemon->loop, dir, &daemon->jobs);
	if (r == 0)
		r = module_searcher_new(daemon->loop, options->modules, &daemon->vms.modules);
	if (r == 0)
		r = console_owner_register(daemon->jobs, daemon->manager);
	if (r == 0)
		r = release_register(daemon->jobs, daemon->manager);
	if (r == 0)
		r = create_register(daemon->jobs, &daemon->vms);
	if (r == 0)
		r = destroy_register(daemon->jobs, &daemon->vms);
	if (r == 0)
		r = restart_register(daemon->jobs, &daemon->vms);
	if (r == 0)
		r = resize_register(daemon->jobs, &daemon->vms);
	if (r == 0)
		r = device_register(daemon->jobs, &daemon->vms);
	if (r == 0)
		r = rebuild_register(daemon->jobs, &daemon->vms);
	if (r == 0)
		r = console_handoff_register(daemon->jobs, daemon->consoles);
	if (r == 0)
		r = pause_register(daemon->jobs, daemon->manager);
	if (r == 0)
		r = shutdown_register(daemon->jobs, &daemon->vms);
	if (r == 0)
		r = rename_register(daemon->jobs, daemon->manager);
	return r;
}

/* After the jobs that an earlier daemon has left. */
static int start_policies(struct daemon *daemon)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY");
	_cleanup_(freep) char *dir = NULL;

	if (runtime && asprintf(&dir, "%s/vm", runtime) < 0)
		return -ENOMEM;
	return policies_new(daemon->loop, daemon->manager, daemon->jobs, dir,
			    &daemon->vms.policies);
}

static int add_helper(struct daemon *daemon, const char *dir, uint32_t domid)
{
	struct peer_config way = {.carrier = NULL};
	_cleanup_(freep) char *socket = NULL;
	int r = domid == HL_NO_DOMID ? asprintf(&socket, "%s/console", dir)
				     : asprintf(&socket, "%s/%" PRIu32 "/console", dir, domid);

	if (r < 0)
		return -ENOMEM;
	r = local_new(daemon->loop, socket, &way.carrier);
	return r < 0 ? r : consoles_add_helper(daemon->consoles, &way, domid, NULL);
}

/* A simulated domain has no xenstore to be reached by: sub-directories are named for the domids of
 * those that have a helper. */
static int add_simulated_helpers(struct daemon *daemon, const char *peers)
{
	DIR *dir = opendir(peers);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return 0;
	while (r == 0 && (entry = readdir(dir))) {
		char *end;
		unsigned long domid = strtoul(entry->d_name, &end, 10);

		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && *end == '\0' &&
		    domid < HL_NO_DOMID)
			r = add_helper(daemon, peers, (uint32_t)domid);
	}
	closedir(dir);
	return r;
}

static int start_consoles(struct daemon *daemon, const struct options *options)
{
	bool simulated = is_simulated(daemon);
	const char *peers = peers_dir(daemon, options);
	int r = consoles_new(daemon->loop, daemon->manager, &daemon->consoles);

	if (r == 0)
		r = early_new(daemon->manager, daemon->consoles, &daemon->early);
	if (r == 0)
		r = relays_new(daemon->manager, daemon->consoles, &daemon->relays);
	if (r == 0)
		r = stream_keep_new(daemon->consoles, &daemon->stream_keep);
	if (r == 0 && peers)
		r = add_helper(daemon, peers, HL_NO_DOMID);
	if (r == 0 && peers && simulated)
		r = add_simulated_helpers(daemon, peers);
	return r < 0 ? r
		     : console_domain_new(daemon->loop, daemon->manager, daemon->consoles,
					  &daemon->console_domain);
}

static int start(struct daemon *daemon, const struct options *options)
{
	struct bus_config bus = {.address = options->address, .session = options->session};
	struct bus_subjects subjects;
	const char *step;
	int r = loop_new(&daemon->loop);

	if (r < 0) {
		log_error("cannot make the main loop: %s", strerror(-r));
		return EXIT_FAILED;
	}
	r = hl_new(options->hypervisor, on_library_message, NULL, &daemon->hl);
	if (r < 0)
		return explain_no_hypervisor(options, r);
	explain_limits(daemon->hl);
	r = manager_new(daemon->loop, daemon->hl, &daemon->manager);
	if (r < 0) {
		log_error("cannot read the state of the domains: %s", strerror(-r));
		return EXIT_FAILED;
	}
	r = start_consoles(daemon, options);
	if (r < 0) {
		log_error("cannot look for the back end of consoles: %s", strerror(-r));
		return EXIT_FAILED;
	}
	r = start_jobs(daemon, options);
	if (r < 0) {
		log_error("cannot begin to work: %s", strerror(-r));
		return EXIT_FAILED;
	}
	subjects = (struct bus_subjects){daemon->manager, daemon->jobs, daemon->consoles,
					 &daemon->vms};
	r = bus_new(daemon->loop, &subjects, &bus, &daemon->bus, &step);
	if (r < 0)
		return explain_bus(r, step);
	/* After the bus: who waits for a job has had the signals of the change when it ends. */
	daemon->on_consoles =
		(struct consoles_listener){.reported = on_consoles_changed, .userdata = daemon};
	consoles_listen(daemon->consoles, &daemon->on_consoles);
	daemon->observer =
		(struct manager_observer){.done = on_domains_changed, .userdata = daemon};
	manager_observe(daemon->manager, &daemon->observer);
	jobs_resume(daemon->jobs);
	r = start_policies(daemon);
	if (r < 0) {
		log_error("cannot follow the ends of domains: %s", strerror(-r));
		return EXIT_FAILED;
	}
	r = completer_new(daemon->loop, daemon->manager, on_settled, daemon, &daemon->completer);
	if (r < 0) {
		log_error("cannot follow the domains: %s", strerror(-r));
		return EXIT_FAILED;
	}
	r = notify_new(daemon->loop, on_heartbeat, daemon->manager, &daemon->notify);
	if (r < 0) {
		log_error("cannot set up the watchdog: %s", strerror(-r));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

static int run(const struct options *options)
{
	struct daemon daemon = {.loop = NULL};
	int r, status = start(&daemon, options);

	if (status != EXIT_OK) {
		daemon_clear(&daemon);
		return status;
	}
	r = loop_run(daemon.loop);
	notify_stopping();
	daemon_clear(&daemon);
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
	struct options options;
	int r = options_parse(argc, argv, &options);

	if (r < 0)
		return EXIT_USAGE;
	if (r == 0)
		return EXIT_OK;
	log_set_level(options.log_level);
	return run(&options);
}
