// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl host, hlctl dmesg: the machine, and Xen's log. */
#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus.h"
#include "json.h"
#include "pager.h"
#include "table.h"

struct host {
	const char *version, *capabilities, *scheduler;
	uint32_t cpus, khz;
	uint64_t memory_total, memory_free;
	bool hvm, iommu;
};

#define FIELD(key, type, member) {key, type, offsetof(struct host, member), NULL}

static const struct bus_field fields[] = {
	FIELD("XenVersion", "s", version),
	FIELD("XenCapabilities", "s", capabilities),
	FIELD("Scheduler", "s", scheduler),
	FIELD("Cpus", "u", cpus),
	FIELD("CpuKHz", "u", khz),
	FIELD("MemoryTotal", "t", memory_total),
	FIELD("MemoryFree", "t", memory_free),
	FIELD("HVM", "b", hvm),
	FIELD("IOMMU", "b", iommu),
};

static enum exit_code host_json(const struct host *host)
{
	struct json_object *object = json_new_object();

	json_put_text(object, "xen_version", host->version);
	json_put_text(object, "xen_capabilities", host->capabilities);
	json_put_text(object, "scheduler", host->scheduler);
	json_put_number(object, "cpus", host->cpus);
	json_put_number(object, "cpu_khz", host->khz);
	json_put_number(object, "memory_total_kib", host->memory_total >> 10);
	json_put_number(object, "memory_free_kib", host->memory_free >> 10);
	json_put_bool(object, "hvm", host->hvm);
	json_put_bool(object, "iommu", host->iommu);
	return json_print(object);
}

static enum exit_code host_text(const struct host *host)
{
	print_pair("Xen", PLAIN, "%s", *host->version ? host->version : "-");
	if (*host->capabilities)
		print_pair("Domains", PLAIN, "%s", host->capabilities);
	print_pair("CPUs", PLAIN, "%u, %u MHz", host->cpus, host->khz / 1000);
	print_pair("Scheduler", PLAIN, "%s", *host->scheduler ? host->scheduler : "-");
	print_pair("Memory", PLAIN, "%" PRIu64 " M, %" PRIu64 " M free", host->memory_total >> 20,
		   host->memory_free >> 20);
	print_pair("HVM", PLAIN, "%s", host->hvm ? "yes" : "no");
	print_pair("IOMMU", PLAIN, "%s", host->iommu ? "yes" : "no");
	return EXIT_OK;
}

enum exit_code verb_host(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct host host = {.version = "", .capabilities = "", .scheduler = ""};
	enum exit_code code = bus_get_all(bus, BUS_ROOT, BUS_HOST, &reply);
	int r;

	if (code)
		return code;
	r = bus_read_fields(reply, fields, ARRAY_SIZE(fields), &host);
	if (r < 0)
		return bus_bad_answer(r);
	return options->json ? host_json(&host) : host_text(&host);
}

/* Domains write to it too: nothing in a line acts on the terminal. */
static void print_log_line(const char *line)
{
	_cleanup_(freep) char *shown = hl_utf8_dup(line);

	if (!shown)
		no_memory();
	puts(shown);
}

static enum exit_code print_log(int fd)
{
	_cleanup_(freep) char *text = NULL;
	struct stat st;
	char *rest, *line;

	if (fstat(fd, &st))
		return report_error(EXIT_FAILED, "cannot read the log: %s", strerror(errno));
	text = calloc((size_t)st.st_size + 1, 1);
	if (!text)
		no_memory();
	if (pread(fd, text, (size_t)st.st_size, 0) != st.st_size)
		return report_error(EXIT_FAILED, "cannot read the log: %s", strerror(errno));
	for (off_t i = 0; i < st.st_size; i++)
		if (!text[i])
			text[i] = '?';
	pager_open();
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line || rest)
			print_log_line(line);
	return EXIT_OK;
}

enum exit_code verb_dmesg(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code;
	int fd, r;

	if (options->json)
		return report_error(EXIT_USAGE, "dmesg: the log is text; it has no JSON");
	if (options->bus == BUS_KIND_HOST)
		return report_error(
			EXIT_UNSUPPORTED,
			"the log comes as a file descriptor, which no other host can pass; "
			"run hlctl dmesg there");
	code = bus_call_privileged(options, bus, BUS_ROOT, BUS_HOST, "ReadLog", &reply, "a{sv}", 0);
	if (code)
		return code;
	r = sd_bus_message_read_basic(reply, 'h', &fd);
	return r < 0 ? bus_bad_answer(r) : print_log(fd);
}
