// SPDX-License-Identifier: LGPL-2.1-or-later
/* Parses and runs the simulator's commands, which <hyperlaunch/simulator.h> lists. */
#include "sim/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/console.h"
#include "sim/domain.h"
#include "sim/output.h"

#define MAX_WORDS 16
#define MAX_LINES 1000000
#define MAX_LOAD  51200 /* percent of one CPU */

struct call {
	struct sim *sim;
	unsigned int nr; /* of words, including the command's name */
	char *words[MAX_WORDS];
	char *reply;	     /* text after "ok"; NULL: none */
	const char *problem; /* why it failed; NULL: the text of the errno */
	char *made;	     /* problem, if it has to be freed */
};

static int problem(struct call *call, int r, const char *text)
{
	call->problem = text;
	return r;
}

/* Reports that a word is not one of name(first) to name(end - 1), and lists these. */
static int no_such(struct call *call, const char *what, const char *(*name)(uint32_t),
		   uint32_t first, uint32_t end)
{
	size_t size;
	FILE *f = open_memstream(&call->made, &size);

	if (!f)
		return -ENOMEM;
	fprintf(f, "no such %s; these are:", what);
	for (uint32_t code = first; code < end; code++)
		fprintf(f, " %s", name(code));
	if (fclose(f))
		return -ENOMEM;
	return problem(call, -EINVAL, call->made);
}

/* Several domains may have a name: returns the first live one, else the first. */
static uint32_t find_by_name(struct sim *sim, const char *name)
{
	for (size_t i = 0; i < sim->nr_live; i++)
		if (!strcmp(sim->live[i].name, name))
			return sim->live[i].domid;
	for (uint32_t i = 0; i < sim->launch.nr_domains; i++)
		if (!strcmp(sim->domains[i].name, name) && sim->domains[i].domid != HL_NO_DOMID)
			return sim->domains[i].domid;
	return HL_NO_DOMID;
}

static int get_domid(struct call *call, uint32_t *ret_domid)
{
	uint64_t number;
	uint32_t domid;

	if (!parse_u64(call->words[1], UINT16_MAX, &number)) {
		*ret_domid = (uint32_t)number;
		return 0;
	}
	domid = find_by_name(call->sim, call->words[1]);
	if (domid == HL_NO_DOMID)
		return problem(call, -ENOENT, "no domain of that name");
	*ret_domid = domid;
	return 0;
}

static int get_number(struct call *call, const char *text, uint64_t max, uint64_t *ret_number)
{
	int r = parse_u64(text, max, ret_number);

	return r ? problem(call, r, r == -ERANGE ? "number too large" : "not a number") : 0;
}

static int get_uuid(struct call *call, const char *text, uint8_t ret_uuid[16])
{
	int r = hl_uuid_from_text(text, ret_uuid);

	return r ? problem(call, r, "not a UUID") : 0;
}

static int add_option(struct call *call, const char *option, struct hl_live_domain *live)
{
	uint64_t number;
	int r;

	if (!strncmp(option, "uuid=", 5))
		return get_uuid(call, option + 5, live->handle);
	if (!strcmp(option, "pv")) {
		live->hvm = false;
		return 0;
	}
	if (!strcmp(option, "paused")) {
		live->paused = true;
		return 0;
	}
	if (!strncmp(option, "domid=", 6)) {
		r = get_number(call, option + 6, LCM_DOMID_MAX, &number);
		if (!r)
			live->domid = (uint32_t)number;
		return r;
	}
	if (!strncmp(option, "memory=", 7)) {
		r = get_number(call, option + 7, UINT32_MAX, &number);
		if (!r)
			live->memory_max = live->memory_current = number << 10;
		return r;
	}
	if (!strncmp(option, "vcpus=", 6)) {
		r = get_number(call, option + 6, 512, &number);
		if (!r)
			live->vcpus_max = live->vcpus_online = (uint32_t)number;
		return r;
	}
	return problem(call, -EINVAL, "unknown option");
}

static int do_domain_add(struct call *call)
{
	struct hl_live_domain live = {
		.domid = HL_NO_DOMID,
		.hvm = true,
		.memory_max = 64u << 20,
		.memory_current = 64u << 20,
		.vcpus_max = 1,
		.vcpus_online = 1,
	};
	uint32_t domid;
	int r = 0;

	if (strlen(call->words[1]) >= sizeof(live.name))
		return problem(call, -ENAMETOOLONG, "name too long");
	if (strcmp(call->words[1], "-") != 0)
		snprintf(live.name, sizeof(live.name), "%s", call->words[1]);
	for (unsigned int i = 2; !r && i < call->nr; i++)
		r = add_option(call, call->words[i], &live);
	if (!r)
		r = sim_domain_add(call->sim, &live, &domid);
	if (!r && asprintf(&call->reply, "%u", domid) < 0) {
		call->reply = NULL;
		r = -ENOMEM;
	}
	return r;
}

/* Runs a command whose only argument is a domain. */
static int for_domain(struct call *call, int (*act)(struct sim *, uint32_t))
{
	uint32_t domid;
	int r = get_domid(call, &domid);

	return r ? r : act(call->sim, domid);
}

static int do_domain_remove(struct call *call)
{
	return for_domain(call, sim_domain_remove);
}

static int do_dying(struct call *call)
{
	return for_domain(call, sim_domain_dying);
}

static int do_ready(struct call *call)
{
	return for_domain(call, sim_domain_ready);
}

static int do_release(struct call *call)
{
	return for_domain(call, sim_domain_release);
}

static int do_adopt(struct call *call)
{
	uint32_t domid, index = 0;
	int r = get_domid(call, &domid);

	while (index < call->sim->launch.nr_domains &&
	       strcmp(call->sim->domains[index].name, call->words[2]) != 0)
		index++;
	if (!r && index == call->sim->launch.nr_domains)
		r = problem(call, -ENOENT, "no initial domain of that name");
	return r ? r : sim_domain_adopt(call->sim, index, domid);
}

static int do_console(struct call *call)
{
	return for_domain(call, sim_set_console);
}

static int do_output(struct call *call)
{
	uint64_t lines;
	uint32_t domid;
	int r = get_domid(call, &domid);

	if (!r)
		r = get_number(call, call->words[3], MAX_LINES, &lines);
	return r ? r : sim_print(call->sim, domid, call->words[2], lines);
}

static int do_pause(struct call *call)
{
	return for_domain(call, sim_domain_pause);
}

static int do_unpause(struct call *call)
{
	return for_domain(call, sim_domain_unpause);
}

static int do_rename(struct call *call)
{
	uint32_t domid;
	int r = get_domid(call, &domid);

	return r ? r : sim_domain_rename(call->sim, domid, call->words[2]);
}

static int do_handle(struct call *call)
{
	uint8_t handle[16];
	uint32_t domid;
	int r = get_domid(call, &domid);

	if (!r)
		r = get_uuid(call, call->words[2], handle);
	return r ? r : sim_domain_handle(call->sim, domid, handle);
}

static int do_label(struct call *call)
{
	uint32_t domid;
	int r = get_domid(call, &domid);

	return r ? r : sim_domain_label(call->sim, domid, call->words[2]);
}

static int do_memory(struct call *call)
{
	uint64_t kib;
	uint32_t domid;
	int r = get_domid(call, &domid);

	if (!r)
		r = get_number(call, call->words[2], UINT64_MAX >> 10, &kib);
	return r ? r : sim_domain_memory(call->sim, domid, kib << 10);
}

/* Runs a command with a domain and a 16-bit number, as weights and caps are in Xen. */
static int set_number(struct call *call, int (*act)(struct sim *, uint32_t, uint32_t))
{
	uint64_t number;
	uint32_t domid;
	int r = get_domid(call, &domid);

	if (!r)
		r = get_number(call, call->words[2], UINT16_MAX, &number);
	return r ? r : act(call->sim, domid, (uint32_t)number);
}

static int do_weight(struct call *call)
{
	return set_number(call, sim_domain_weight);
}

static int do_cap(struct call *call)
{
	return set_number(call, sim_domain_cap);
}

static int do_affinity(struct call *call)
{
	uint32_t domid;
	int r = get_domid(call, &domid);

	return r ? r : sim_domain_affinity(call->sim, domid, call->words[2]);
}

static const char *figure_name(uint32_t figure)
{
	static const char *const figures[SIM_NR_FIGURES] = {
		[SIM_FIGURE_CPU_TIME] = "cpu-time", [SIM_FIGURE_LOAD] = "load",
		[SIM_FIGURE_CURRENT] = "current",   [SIM_FIGURE_OUTSTANDING] = "outstanding",
		[SIM_FIGURE_SHARED] = "shared",	    [SIM_FIGURE_PAGED] = "paged",
		[SIM_FIGURE_ONLINE] = "online",
	};

	return figures[figure];
}

/* Memory is given in KiB, as by other commands. */
static int set_figure(struct call *call, uint32_t domid, enum sim_figure figure)
{
	bool memory = figure >= SIM_FIGURE_CURRENT && figure <= SIM_FIGURE_PAGED;
	uint64_t max = figure == SIM_FIGURE_LOAD ? MAX_LOAD : UINT64_MAX, number;
	int r = get_number(call, call->words[3], memory ? UINT64_MAX >> 10 : max, &number);

	if (r)
		return r;
	r = sim_domain_figure(call->sim, domid, figure, memory ? number << 10 : number);
	return r == -ERANGE ? problem(call, r, "more vCPUs than the domain has") : r;
}

static int do_figure(struct call *call)
{
	uint32_t domid;
	int r = get_domid(call, &domid);

	if (r)
		return r;
	for (uint32_t figure = 0; figure < SIM_NR_FIGURES; figure++)
		if (!strcmp(figure_name(figure), call->words[2]))
			return set_figure(call, domid, figure);
	return no_such(call, "figure", figure_name, 0, SIM_NR_FIGURES);
}

static int do_shutdown(struct call *call)
{
	uint32_t domid, code;
	int r = get_domid(call, &domid);

	if (r)
		return r;
	for (code = 0; strcmp(hl_shutdown_name(code), "unknown") != 0; code++)
		if (!strcmp(hl_shutdown_name(code), call->words[2]))
			return sim_domain_shutdown(call->sim, domid, code);
	return no_such(call, "reason", hl_shutdown_name, 0, code);
}

static int do_fail(struct call *call)
{
	uint32_t domid;
	int r = get_domid(call, &domid);

	if (r)
		return r;
	for (uint32_t code = LCM_OK + 1; code < LCM_NR_ERRS; code++)
		if (!strcmp(hl_error_name(code), call->words[2]))
			return sim_domain_fail(call->sim, domid, code,
					       call->nr > 3 ? call->words[3] : "");
	return no_such(call, "error", hl_error_name, LCM_OK + 1, LCM_NR_ERRS);
}

static const char *state_name(uint32_t state)
{
	return hl_launch_state_name((enum hl_launch_state)state);
}

static int do_state(struct call *call)
{
	for (unsigned int state = 0; state < HL_LAUNCH_UNKNOWN; state++)
		if (!strcmp(hl_launch_state_name((enum hl_launch_state)state), call->words[1]))
			return sim_set_launch_state(call->sim, (enum hl_launch_state)state);
	return no_such(call, "state", state_name, 0, HL_LAUNCH_UNKNOWN);
}

static int get_switch(struct call *call, bool *ret_on)
{
	*ret_on = !strcmp(call->words[1], "on");
	if (!*ret_on && strcmp(call->words[1], "off") != 0)
		return problem(call, -EINVAL, "neither on nor off");
	return 0;
}

static int do_announce(struct call *call)
{
	bool on;
	int r = get_switch(call, &on);

	if (r)
		return r;
	call->sim->silent = !on;
	sim_changed(call->sim);
	return 0;
}

static int do_weak_hwdom(struct call *call)
{
	bool on;
	int r = get_switch(call, &on);

	if (!r)
		r = sim_set_weak_hwdom(call->sim, on);
	return r == -ENOENT ? problem(call, r, "no hardware domain without control") : r;
}

static int do_typing(struct call *call)
{
	bool on;
	int r = get_switch(call, &on);

	return r ? r : sim_set_typing(call->sim, on);
}

/* Parses an errno, given by name or number. */
static int get_errnum(struct call *call, const char *text, int *ret_errnum)
{
	uint64_t number;

	if (!parse_u64(text, 4095, &number) && number) {
		*ret_errnum = (int)number;
		return 0;
	}
	for (int errnum = 1; errnum < 256; errnum++) {
		const char *name = strerrorname_np(errnum);

		if (name && !strcmp(name, text)) {
			*ret_errnum = errnum;
			return 0;
		}
	}
	return problem(call, -EINVAL, "no such errno");
}

static const char *op_name(uint32_t op)
{
	static const char *const ops[SIM_NR_OPS] = {
		[SIM_GET_INFO] = "get-info",
		[SIM_GET_DOMAIN] = "get-domain",
		[SIM_GET_MODULE] = "get-module",
		[SIM_READ_LCM] = "read-lcm",
		[SIM_GET_EVENTS] = "get-events",
		[SIM_LIST_LIVE] = "list-live",
		[SIM_SET_CONSOLE] = "set-console",
		[SIM_MOVE_CONSOLE_BACKEND] = "move-console-backend",
		[SIM_READ_CONSOLE] = "read-console",
		[SIM_RELEASE] = "release",
		[SIM_ADOPT] = "adopt",
		[SIM_SET_HANDLE] = "set-handle",
		[SIM_READY] = "ready",
		[SIM_GET_FD] = "get-fd",
		[SIM_PROCESS] = "process",
		[SIM_GET_HOST] = "get-host",
		[SIM_READ_LOG] = "read-log",
		[SIM_PAUSE] = "pause",
		[SIM_UNPAUSE] = "unpause",
		[SIM_GET_VCPU] = "get-vcpu",
	};

	return ops[op];
}

static int get_op(struct call *call, const char *name, enum sim_op *ret_op)
{
	for (unsigned int op = 0; op < SIM_NR_OPS; op++) {
		if (strcmp(op_name(op), name) != 0)
			continue;
		*ret_op = op;
		return 0;
	}
	return no_such(call, "operation", op_name, 0, SIM_NR_OPS);
}

static int do_fault(struct call *call)
{
	enum sim_op op;
	uint64_t count;
	int errnum, r;

	r = get_errnum(call, call->words[2], &errnum);
	if (!r)
		r = get_number(call, call->words[3], UINT64_MAX, &count);
	if (r)
		return r;
	r = get_op(call, call->words[1], &op);
	if (r)
		return r;
	call->sim->faults[op].errnum = errnum;
	call->sim->faults[op].left = count;
	sim_changed(call->sim);
	return 0;
}

static int do_kill(struct call *call)
{
	bool before = !strcmp(call->words[1], "before");
	enum sim_op op;
	int r = get_op(call, call->words[2], &op);

	if (r)
		return r;
	if (op != SIM_SET_CONSOLE && op != SIM_RELEASE && op != SIM_MOVE_CONSOLE_BACKEND &&
	    op != SIM_ADOPT && op != SIM_PAUSE && op != SIM_UNPAUSE)
		return problem(call, -EOPNOTSUPP,
			       "only set-console, move-console-backend, release, adopt, pause "
			       "and unpause kill");
	if (!before && strcmp(call->words[1], "after") != 0)
		return problem(call, -EINVAL, "neither before nor after");
	call->sim->kills[op] = before ? SIM_KILL_BEFORE : SIM_KILL_AFTER;
	return 0;
}

static const struct {
	const char *name;
	unsigned int min, max; /* words after the name */
	int (*run)(struct call *call);
} commands[] = {
	{"domain-add", 1, MAX_WORDS - 1, do_domain_add},
	{"domain-remove", 1, 1, do_domain_remove},
	{"shutdown", 2, 2, do_shutdown},
	{"dying", 1, 1, do_dying},
	{"pause", 1, 1, do_pause},
	{"unpause", 1, 1, do_unpause},
	{"rename", 2, 2, do_rename},
	{"handle", 2, 2, do_handle},
	{"label", 2, 2, do_label},
	{"memory", 2, 2, do_memory},
	{"weight", 2, 2, do_weight},
	{"cap", 2, 2, do_cap},
	{"affinity", 2, 2, do_affinity},
	{"figure", 3, 3, do_figure},
	{"ready", 1, 1, do_ready},
	{"release", 1, 1, do_release},
	{"adopt", 2, 2, do_adopt},
	{"console", 1, 1, do_console},
	{"output", 3, 3, do_output},
	{"fail", 2, 3, do_fail},
	{"state", 1, 1, do_state},
	{"announce", 1, 1, do_announce},
	{"weak-hwdom", 1, 1, do_weak_hwdom},
	{"typing", 1, 1, do_typing},
	{"fault", 3, 3, do_fault},
	{"kill", 2, 2, do_kill},
};

static int run(struct call *call)
{
	if (!call->nr)
		return problem(call, -EINVAL, "empty command");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, call->words[0]) != 0)
			continue;
		if (call->nr - 1 < commands[i].min)
			return problem(call, -EINVAL, "too few words");
		if (call->nr - 1 > commands[i].max)
			return problem(call, -EINVAL, "too many words");
		return commands[i].run(call);
	}
	return problem(call, -EINVAL, "unknown command");
}

/* Splits text into words; modifies it. */
static int split(struct call *call, char *text)
{
	char *word;

	while ((word = strsep(&text, " \t\n"))) {
		if (!*word)
			continue;
		if (call->nr == MAX_WORDS)
			return problem(call, -EINVAL, "too many words");
		call->words[call->nr++] = word;
	}
	return 0;
}

static char *make_reply(const struct call *call, int r)
{
	char *reply = NULL;
	int length;

	if (!r)
		length = asprintf(&reply, "ok%s%s", call->reply ? " " : "",
				  call->reply ? call->reply : "");
	else
		length = asprintf(&reply, "error %s %s", strerrorname_np(-r),
				  call->problem ? call->problem : strerrordesc_np(-r));
	return length < 0 ? NULL : reply;
}

int sim_command(void *backend, const char *command, char **ret_reply)
{
	struct call call = {.sim = backend};
	char *text = strdup(command);
	int r = text ? split(&call, text) : -ENOMEM;

	if (!r)
		r = run(&call);
	if (ret_reply)
		*ret_reply = make_reply(&call, r);
	free(call.reply);
	free(call.made);
	free(text);
	return r;
}
