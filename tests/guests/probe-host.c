// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rows: operations on the physical host, and those that would end the hardware domain. */
#include "probe.h"
#include "runtime/hypercall.h"
#include "runtime/sysctl.h"

#include <xen/arch-x86/xen-mca.h>
#include <xen/domctl.h>
#include <xen/kexec.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>

#define ABSURD 0xffffffffU /* invalid as CPU, operation and flags */

static long platform_op(struct xen_platform_op op, uint32_t cmd)
{
	op.cmd = cmd;
	op.interface_version = XENPF_INTERFACE_VERSION;
	return hypercall1(__HYPERVISOR_platform_op, &op);
}

static long platform_firmware(const struct probe *probe)
{
	return platform_op((struct xen_platform_op){.u.firmware_info.type = ABSURD},
			   XENPF_firmware_info);
}

static long platform_sleep(const struct probe *probe)
{
	return platform_op((struct xen_platform_op){.u.enter_acpi_sleep.flags =
							    ABSURD & ~XENPF_ACPI_SLEEP_EXTENDED},
			   XENPF_enter_acpi_sleep);
}

static long platform_power(const struct probe *probe)
{
	return platform_op((struct xen_platform_op){.u.set_pminfo.type = ABSURD},
			   XENPF_set_processor_pminfo);
}

static long platform_core_parking(const struct probe *probe)
{
	return platform_op((struct xen_platform_op){.u.core_parking.type = ABSURD},
			   XENPF_core_parking);
}

static long platform_memory_type(const struct probe *probe)
{
	return platform_op((struct xen_platform_op){.u.read_memtype.reg = ABSURD},
			   XENPF_read_memtype);
}

static long platform_microcode(const struct probe *probe)
{
	return platform_op((struct xen_platform_op){0}, XENPF_microcode_update);
}

static long platform_quirk(const struct probe *probe)
{
	return platform_op((struct xen_platform_op){.u.platform_quirk.quirk_id = ABSURD},
			   XENPF_platform_quirk);
}

static long platform_cpu_online(const struct probe *probe)
{
	return platform_op((struct xen_platform_op){.u.cpu_ol.cpuid = ABSURD}, XENPF_cpu_online);
}

static long platform_cpu_add(const struct probe *probe)
{
	return platform_op((struct xen_platform_op){.u.cpu_add = {ABSURD, ABSURD, ABSURD}},
			   XENPF_cpu_hotadd);
}

static long platform_memory_add(const struct probe *probe)
{
	return platform_op((struct xen_platform_op){.u.mem_add = {.spfn = 1, .epfn = 0}},
			   XENPF_mem_hotadd);
}

static long platform_resource(const struct probe *probe)
{
	return platform_op((struct xen_platform_op){.u.resource_op.nr_entries = ABSURD},
			   XENPF_resource_op);
}

static long platform_symbol(const struct probe *probe)
{
	return platform_op((struct xen_platform_op){.u.symdata.symnum = ABSURD}, XENPF_get_symbol);
}

static long machine_check(const struct probe *probe)
{
	struct xen_mc mc = {.cmd = ABSURD, .interface_version = XEN_MCA_INTERFACE_VERSION};

	return hypercall1(__HYPERVISOR_mca, &mc);
}

static long kexec_range(const struct probe *probe)
{
	xen_kexec_range_t range = {.range = (int)ABSURD};

	return hypercall2(__HYPERVISOR_kexec_op, KEXEC_CMD_kexec_get_range, &range);
}

/* With a buffer of no entries. */
static long machine_map(const struct probe *probe)
{
	struct xen_memory_map map = {0};

	return hypercall2(__HYPERVISOR_memory_op, XENMEM_machine_memory_map, &map);
}

static long do_sysctl(struct xen_sysctl sysctl, uint32_t cmd)
{
	sysctl.cmd = cmd;
	sysctl.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return hypercall1(__HYPERVISOR_sysctl, &sysctl);
}

static long page_offline(const struct probe *probe)
{
	return do_sysctl(
		(struct xen_sysctl){.u.page_offline = {.cmd = sysctl_page_offline, .start = 1}},
		XEN_SYSCTL_page_offline_op);
}

static long power_policy(const struct probe *probe)
{
	return do_sysctl((struct xen_sysctl){.u.pm_op = {.cmd = ABSURD, .cpuid = ABSURD}},
			 XEN_SYSCTL_pm_op);
}

static long livepatch(const struct probe *probe)
{
	return do_sysctl((struct xen_sysctl){.u.livepatch.cmd = ABSURD}, XEN_SYSCTL_livepatch_op);
}

static long apic_read(const struct probe *probe)
{
	struct physdev_apic apic = {0};

	return hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_apic_read, &apic);
}

static long mmcfg_reserved(const struct probe *probe)
{
	const struct physdev_pci_mmcfg_reserved region = {.segment = 0xffff, .flags = ABSURD};

	return hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_pci_mmcfg_reserved, &region);
}

static long prepare_msix(const struct probe *probe)
{
	const struct physdev_pci_device device = {.seg = 0xffff, .bus = 0xff, .devfn = 0xff};

	return hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_prepare_msix, &device);
}

static long destroy_hardware(const struct probe *probe)
{
	return domain_command(XEN_DOMCTL_destroydomain, probe->hardware);
}

static long soft_reset_hardware(const struct probe *probe)
{
	return domain_command(XEN_DOMCTL_soft_reset, probe->hardware);
}

static long pause_hardware(const struct probe *probe)
{
	return domain_command(XEN_DOMCTL_pausedomain, probe->hardware);
}

static long shut_down_hardware(const struct probe *probe)
{
	const struct sched_remote_shutdown shutdown = {.domain_id = probe->hardware,
						       .reason = SHUTDOWN_poweroff};

	return hypercall2(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, &shutdown);
}

static const struct probe_row rows[] = {
	{"platform-firmware", platform_firmware},
	{"platform-sleep", platform_sleep},
	{"platform-power", platform_power},
	{"platform-core-parking", platform_core_parking},
	{"platform-memory-type", platform_memory_type},
	{"platform-microcode", platform_microcode},
	{"platform-quirk", platform_quirk},
	{"platform-cpu-online", platform_cpu_online},
	{"platform-cpu-add", platform_cpu_add},
	{"platform-memory-add", platform_memory_add},
	{"platform-resource", platform_resource},
	{"platform-symbol", platform_symbol},
	{"machine-check", machine_check},
	{"machine-map", machine_map},
	{"kexec-range", kexec_range},
	{"sysctl-page-offline", page_offline},
	{"sysctl-power-policy", power_policy},
	{"sysctl-livepatch", livepatch},
	{"physdev-apic-read", apic_read},
	{"physdev-mmcfg-reserved", mmcfg_reserved},
	{"physdev-prepare-msix", prepare_msix},
	{"domctl-destroydomain-hardware", destroy_hardware},
	{"domctl-soft-reset-hardware", soft_reset_hardware},
	{"domctl-pausedomain-hardware", pause_hardware},
	{"sched-shutdown-hardware", shut_down_hardware},
};

const struct probe_rows probe_host_rows = PROBE_ROWS(rows);
