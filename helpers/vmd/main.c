// SPDX-License-Identifier: LGPL-2.1-or-later
/* hyperlaunch-vmd: does what the one order on its socket says, and ends. */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "attach.h"
#include "client.h"
#include "common/cleanup.h"
#include "common/exit-code.h"
#include "common/json-write.h"
#include "create.h"
#include "destroy.h"
#include "ended.h"
#include "intent.h"
#include "lock.h"
#include "order.h"
#include "resize.h"
#include "toolstack.h"

/* Seconds: longer than any order may take, and those that it waits for.  QEMU, which stays in the
 * unit, has no such limit. */
#define ORDER_MAX (90 * 60)

static int help(void)
{
	puts("hyperlaunch-vmd\n"
	     "Make, change or end a VM, as the order says that comes on the socket which the "
	     "service "
	     "manager\n"
	     "passes.  hyperlaunchd sends it; see hyperlaunch-vmd(8).\n"
	     "\n"
	     "  --qemu-ended       see to the VM whose QEMU has ended; for its unit\n"
	     "  --version          print the version\n"
	     "  -h, --help         print this\n"
	     "\n"
	     "Exit codes: 0 done, 1 failed, 2 usage error.");
	return EXIT_OK;
}

static const char *kept_dir(void)
{
	const char *dir = getenv("RUNTIME_DIRECTORY");

	return dir ? dir : "/run/hyperlaunch/vm";
}

/* Negative: go on. */
static int parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"qemu-ended", no_argument, NULL, 'q'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int c = getopt_long(argc, argv, "h", options, NULL);

	if (c == 'h')
		return help();
	if (c == 'V') {
		puts("hyperlaunch-vmd " HL_VERSION);
		return EXIT_OK;
	}
	if (c == 'q' && optind == argc)
		return ended_run(kept_dir()) < 0 ? EXIT_FAILED : EXIT_OK;
	if (c >= 0 || optind < argc) {
		fputs("Try hyperlaunch-vmd --help.\n", stderr);
		return EXIT_USAGE;
	}
	return -1;
}

/* What was half attached is gone with the domain. */
static int forget_attached(const struct order *order, const char *dir, int r)
{
	if (r == 0)
		(void)intent_remove(dir, order);
	return r;
}

static int do_with(struct toolstack *toolstack, struct client *client, struct order *order,
		   const char *dir)
{
	switch (order->verb) {
	case ORDER_CREATE:
		return create_run(toolstack, client, order, dir);
	case ORDER_DESTROY:
		return forget_attached(order, dir, destroy_run(toolstack, client, order, dir));
	case ORDER_RESTART:
		return forget_attached(order, dir, create_again(toolstack, client, order, dir));
	case ORDER_SET_MEMORY:
		return resize_memory(toolstack, client, order);
	case ORDER_SET_VCPUS:
		return resize_vcpus(toolstack, client, order);
	case ORDER_ATTACH:
		return attach_run(toolstack, client, order, dir);
	case ORDER_DETACH:
		return attach_detach(toolstack, client, order, dir);
	case ORDER_UNDO_ATTACH:
		return attach_undo(toolstack, client, order, dir);
	}
	return -EINVAL; /* order_parse() lets no other in */
}

static int do_order(struct client *client, struct order *order, const char *dir)
{
	struct toolstack toolstack;
	int r = toolstack_open(&toolstack, client);

	if (r < 0) {
		client_tell_error(client, "Failed", "libxl cannot be used here: %s",
				  toolstack_problem(&toolstack, ERROR_FAIL));
		return r;
	}
	r = do_with(&toolstack, client, order, dir);
	toolstack_close(&toolstack);
	return r;
}

/* An order that has waited for another one may be nobody's by now. */
static int lock_and_do(struct client *client, struct order *order)
{
	const char *dir = kept_dir();
	_cleanup_(closep) int lock = -1;

	client_tell_stage(client, "wait");
	lock = lock_take(dir, order->uuid);
	if (lock < 0) {
		client_tell_error(client, "Failed", "cannot lock the VM: %s", strerror(-lock));
		return lock;
	}
	return client_has_left(client) ? -ECONNRESET : do_order(client, order, dir);
}

static int serve(struct client *client)
{
	_cleanup_(json_putp) json_object *packet = NULL;
	int fds[PACKET_FDS_MAX] = {-1, -1, -1, -1};
	struct order order;
	const char *why;
	size_t nr = 0;
	int r = client_greet(client);

	if (r == 0)
		r = client_read(client, &packet, fds, &nr);
	if (r < 0) {
		fprintf(stderr, "<5>no order has come: %s\n", strerror(-r));
		return r;
	}
	r = order_parse(packet, fds, nr, &order, &why);
	if (r < 0)
		client_tell_error(client, "InvalidArgs", "%s", why);
	else
		r = lock_and_do(client, &order);
	for (size_t i = 0; i < nr; i++)
		close(fds[i]);
	/* The service manager has it open as long as QEMU runs. */
	(void)shutdown(client->fd, SHUT_RDWR);
	return r;
}

int main(int argc, char **argv)
{
	struct client client = {.fd = SD_LISTEN_FDS_START};
	int code = parse_options(argc, argv);

	if (code >= 0)
		return code;
	if (sd_listen_fds(1) != 1 ||
	    sd_is_socket_unix(client.fd, SOCK_SEQPACKET, 0, NULL, 0) <= 0) {
		fputs("hyperlaunch-vmd: the service manager has passed no connection;\n"
		      "it is started by hyperlaunch-vmd.socket, for each order\n",
		      stderr);
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	(void)alarm(ORDER_MAX);
	return serve(&client) < 0 ? EXIT_FAILED : EXIT_OK;
}
