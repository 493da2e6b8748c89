/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run in a guest without any rights: asks Xen each read of XEN_SYSCTL_hyperlaunch
 * and prints what it got for it, as NAME=ERRNO (0: it was answered), and where it has
 * the rights the flags of the launch.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/sysctl.h>
#include <hyperlaunch.h>

struct privcmd_hypercall {
	uint64_t op;
	uint64_t arg[5];
};

#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

/* The hypercall's argument: a page of its own, locked, as Xen reads it by address. */
struct request {
	struct xen_sysctl sysctl;
	char answer[512];
};

static int ask(int fd, struct request *request, uint32_t op)
{
	struct xen_sysctl_hyperlaunch *hl = (void *)&request->sysctl.u;
	struct privcmd_hypercall call = {
		.op = __HYPERVISOR_sysctl,
		.arg = {(uintptr_t)&request->sysctl},
	};

	memset(request, 0, sizeof(*request));
	request->sysctl.cmd = XEN_SYSCTL_hyperlaunch;
	request->sysctl.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	hl->op = op;
	hl->index = op == XEN_HYPERLAUNCH_GET_MODULE;
	if (op != XEN_HYPERLAUNCH_READY) {
		hl->size = sizeof(request->answer);
		set_xen_guest_handle(hl->buffer, (void *)request->answer);
	}
	return ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &call) < 0 ? errno : 0;
}

int main(void)
{
	static const struct {
		const char *name;
		uint32_t op;
	} asked[] = {
		{"get-info", XEN_HYPERLAUNCH_GET_INFO},
		{"get-domain", XEN_HYPERLAUNCH_GET_DOMAIN},
		{"get-module", XEN_HYPERLAUNCH_GET_MODULE},
		{"read-lcm", XEN_HYPERLAUNCH_READ_LCM},
		{"get-events", XEN_HYPERLAUNCH_GET_EVENTS},
		/* Each may say this: the others are refused by Xen, not by Linux. */
		{"ready", XEN_HYPERLAUNCH_READY},
	};
	struct request *request;
	int fd;

	fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	request = mmap(NULL, sizeof(*request), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	if (fd < 0 || request == MAP_FAILED) {
		perror("ask: privcmd");
		return 1;
	}
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		printf("%s=%d\n", asked[i].name, ask(fd, request, asked[i].op));
	if (!ask(fd, request, XEN_HYPERLAUNCH_GET_INFO)) {
		const struct xen_hyperlaunch_info *info = (const void *)request->answer;

		printf("info-flags=%u\n", info->flags);
	}
	return 0;
}
