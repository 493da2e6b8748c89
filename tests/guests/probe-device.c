// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rows: operations on the console, devices, and the platform of HVM guests. */
#include <errno.h>

#include "probe.h"
#include "runtime/console.h"
#include "runtime/hypercall.h"

#include <string.h>

#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/physdev.h>

#define PCI_ADDRESS_PORT   0xcf8
#define PCI_DATA_PORT	   0xcfc
#define PCI_ENABLE	   (1U << 31)
#define SERIAL_STATUS_PORT 0x3fd
#define TIMER_GSI	   0
#define ABSURD		   0x7fffffff

static long console_write_row(const struct probe *probe)
{
	static const char line[] = "probe: output to Xen's console\n";

	return hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, strlen(line), (uintptr_t)line, 0,
			 0);
}

/* Reads 0 bytes, so that no input is lost. */
static long console_read_row(const struct probe *probe)
{
	char buf;

	return console_read(&buf, 0);
}

/* Xen uses this interrupt itself: no effect.  FLASK has labels for existing ones only. */
static long setup_gsi(const struct probe *probe)
{
	const struct physdev_setup_gsi gsi = {.gsi = TIMER_GSI};

	return hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_setup_gsi, &gsi);
}

static long pci_device_remove(const struct probe *probe)
{
	const struct physdev_pci_device device = {.seg = 0xffff, .bus = 0xff, .devfn = 0xff};

	return hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_pci_device_remove, &device);
}

static long map_pirq(const struct probe *probe)
{
	struct physdev_map_pirq map = {
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = ABSURD, .pirq = -1};

	return hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_map_pirq, &map);
}

static long get_param(const struct probe *probe)
{
	struct xen_hvm_param param = {.domid = probe->other, .index = HVM_PARAM_CONSOLE_PFN};

	return hypercall2(__HYPERVISOR_hvm_op, HVMOP_get_param, &param);
}

/* Writes the present value; without permission to read it, that is not known. */
static long set_param(const struct probe *probe)
{
	struct xen_hvm_param param = {.domid = probe->other, .index = HVM_PARAM_CONSOLE_PFN};

	(void)hypercall2(__HYPERVISOR_hvm_op, HVMOP_get_param, &param);
	return hypercall2(__HYPERVISOR_hvm_op, HVMOP_set_param, &param);
}

static long dm_op(const struct probe *probe)
{
	struct xen_dm_op op = {.op = XEN_DMOP_get_ioreq_server_info,
			       .u.get_ioreq_server_info.id = 0xffff};
	struct xen_dm_op_buf buf = {.size = sizeof(op)};

	set_xen_guest_handle(buf.h, (void *)&op);
	return hypercall(__HYPERVISOR_dm_op, probe->other, 1, (uintptr_t)&buf, 0, 0);
}

/* Without a device all bits are set. */
static long port_pci(const struct probe *probe)
{
	uint32_t value;

	__asm__ volatile("outl %0, %w1" : : "a"(PCI_ENABLE), "d"(PCI_ADDRESS_PORT));
	__asm__ volatile("inl %w1, %0" : "=a"(value) : "d"(PCI_DATA_PORT));
	return value == UINT32_MAX ? -ENXIO : 0;
}

static long port_serial(const struct probe *probe)
{
	uint8_t value;

	__asm__ volatile("inb %w1, %0" : "=a"(value) : "d"(SERIAL_STATUS_PORT));
	return value == UINT8_MAX ? -ENXIO : 0;
}

static const struct probe_row rows[] = {
	{"console-write", console_write_row},
	{"console-read", console_read_row},
	{"physdev-setup-gsi", setup_gsi},
	{"physdev-pci-device-remove", pci_device_remove},
	{"physdev-map-pirq-self", map_pirq},
	{"hvm-get-param-other", get_param},
	{"hvm-set-param-other", set_param},
	{"dm-op-other", dm_op},
	{"port-pci", port_pci},
	{"port-serial", port_serial},
};

const struct probe_rows probe_device_rows = PROBE_ROWS(rows);
