// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * bus-floor ADDRESS NAME PATH N: answers ListDomains with N rows that are always the same,
 * by the least calls of sd-bus that make such a reply.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define ROW "oussssastua{sv}"

static int append(sd_bus_message *m, const char *text)
{
	size_t length = strlen(text);
	char *space;
	int r = sd_bus_message_append_string_space(m, length, &space);

	if (r >= 0)
		memcpy(space, text, length);
	return r;
}

static int append_empty(sd_bus_message *m, const char *type)
{
	int r = sd_bus_message_open_container(m, 'a', type);

	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_row(sd_bus_message *m)
{
	const uint64_t memory = 64 << 20;
	const uint32_t domid = 500, vcpus = 1;
	int r = sd_bus_message_open_container(m, 'r', ROW);

	if (r >= 0)
		r = sd_bus_message_append_basic(
			m, 'o', "/org/xenproject/Hyperlaunch1/domain/d500_3906960348");
	if (r >= 0)
		r = sd_bus_message_append_basic(m, 'u', &domid);
	if (r >= 0)
		r = append(m, "00000000-0000-0000-0000-0000000001f4");
	if (r >= 0)
		r = append(m, "d500");
	if (r >= 0)
		r = append(m, "running");
	if (r >= 0)
		r = append(m, "post-boot");
	if (r >= 0)
		r = append_empty(m, "s");
	if (r >= 0)
		r = sd_bus_message_append_basic(m, 't', &memory);
	if (r >= 0)
		r = sd_bus_message_append_basic(m, 'u', &vcpus);
	if (r >= 0)
		r = append_empty(m, "{sv}");
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int list_domains(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const int *nr = userdata;
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(call, &reply);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(" ROW ")");
	for (int i = 0; r >= 0 && i < *nr; i++)
		r = append_row(reply);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("ListDomains", "", "a(" ROW ")", list_domains, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static int serve(const char *address, const char *name, const char *path, int *nr)
{
	char interface[256];
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	snprintf(interface, sizeof(interface), "%s.Manager", name);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, 1);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, path, interface, vtable, nr);
	if (r >= 0)
		r = sd_bus_request_name(bus, name, 0);
	if (r >= 0 && (puts("ready") < 0 || fflush(stdout) != 0))
		r = -1;
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	sd_bus_unref(bus);
	return r;
}

int main(int argc, char **argv)
{
	int nr = argc == 5 ? atoi(argv[4]) : 0;

	if (nr <= 0) {
		fprintf(stderr, "usage: bus-floor ADDRESS NAME PATH N\n");
		return 2;
	}
	return serve(argv[1], argv[2], argv[3], &nr) < 0;
}
