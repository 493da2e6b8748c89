// SPDX-License-Identifier: LGPL-2.1-or-later
/* Calls each sub-operation of XEN_SYSCTL_hyperlaunch with one invalid input at a time. */
#include <string.h>

#include "probe.h"
#include "runtime/console.h"
#include "runtime/errname.h"
#include "runtime/hypercall.h"

#include <xen/sysctl.h>

#define NR_OPS 15	       /* includes unused numbers */
#define ROOM   UINT32_C(65536) /* more than any sub-operation returns */

struct input {
	const char *name;
	uint32_t version, index, pad, size;
	uint64_t offset;
	uintptr_t buffer; /* 0: a valid one if size is not 0 */
};

#define VERSION XEN_SYSCTL_INTERFACE_VERSION

static const struct input inputs[] = {
	{"version", VERSION + 1, 0, 0, 0, 0, 0},
	{"version-max", UINT32_MAX, 0, 0, 0, 0, 0},
	{"pad", VERSION, 0, 1, ROOM, 0, 0},
	{"index", VERSION, UINT32_MAX, 0, ROOM, 0, 0},
	{"offset", VERSION, 0, 0, ROOM, UINT64_MAX, 0},
	{"size-1", VERSION, 0, 0, 1, 0, 0},
	{"size-max", VERSION, 0, 0, UINT32_MAX, 0, 0},
	{"buffer-nowhere", VERSION, 0, 0, ROOM, 0, 0x7f0000000000},
	{"buffer-not-canonical", VERSION, 0, 0, ROOM, 0, 0x80007f0000000000},
	{"buffer-of-xen", VERSION, 0, 0, ROOM, 0, 0xffff82d040200000},
	{"buffer-wraps", VERSION, 0, 0, ROOM, 0, UINTPTR_MAX - 7},
};

/* Unmapped and non-canonical addresses; of the latter Xen uses the lower bits. */
static const uintptr_t nowhere[] = {0x7f0000000000, 0x80007f0000000000, 0xffff82d040200000,
				    UINTPTR_MAX - 7};

static long call(uint32_t op, const struct input *input)
{
	static uint8_t room[ROOM];
	struct xen_sysctl_hyperlaunch payload = {
		.op = op,
		.index = input->index,
		.offset = input->offset,
		.size = input->size,
		.pad = input->pad,
	};
	struct xen_sysctl sysctl = {.cmd = XEN_SYSCTL_hyperlaunch,
				    .interface_version = input->version};
	void *buffer = input->buffer ? (void *)input->buffer : input->size ? room : NULL;

	set_xen_guest_handle(payload.buffer, buffer);
	memcpy(&sysctl.u, &payload, sizeof(payload));
	return hypercall1(__HYPERVISOR_sysctl, &sysctl);
}

void probe_wild(void)
{
	for (uint32_t op = 0; op < NR_OPS; op++)
		for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
			log("wild-%u-%s = %s", op, inputs[i].name, errname(call(op, &inputs[i])));
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		log("wild-sysctl-%zu = %s", i,
		    errname(hypercall1(__HYPERVISOR_sysctl, (void *)nowhere[i])));
}
