// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rows: operations of a toolstack on the host and on domains. */
#include <errno.h>

#include "probe.h"
#include "runtime/hypercall.h"
#include "runtime/sysctl.h"

#include <string.h>

#include <xen/domctl.h>
#include <xen/hypfs.h>
#include <xen/platform.h>
#include <xen/sysctl.h>
#include <xen/version.h>
#include <xen/xsm/flask_op.h>

#define ABSURD	      0xffffffffU /* invalid as CPU, operation and flags */
#define MAX_KEYS      (1u << 16)
#define SSIDREF_GUEST 12 /* FLASK's SID for guests, in each policy */

static long do_sysctl(struct xen_sysctl *sysctl, uint32_t cmd)
{
	sysctl->cmd = cmd;
	sysctl->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return hypercall1(__HYPERVISOR_sysctl, sysctl);
}

static long sysctl_physinfo(const struct probe *probe)
{
	struct xen_sysctl sysctl = {0};

	return do_sysctl(&sysctl, XEN_SYSCTL_physinfo);
}

static long sysctl_sched_id(const struct probe *probe)
{
	struct xen_sysctl sysctl = {0};

	return do_sysctl(&sysctl, XEN_SYSCTL_sched_id);
}

static long sysctl_tbuf_info(const struct probe *probe)
{
	struct xen_sysctl sysctl = {.u.tbuf_op.cmd = XEN_SYSCTL_TBUFOP_get_info};

	return do_sysctl(&sysctl, XEN_SYSCTL_tbuf_op);
}

static long sysctl_readconsole(const struct probe *probe)
{
	struct xen_sysctl sysctl = {0};
	char buf[16];

	sysctl.u.readconsole.count = sizeof(buf);
	set_xen_guest_handle(sysctl.u.readconsole.buffer, buf);
	return do_sysctl(&sysctl, XEN_SYSCTL_readconsole);
}

static long sysctl_debug_keys(const struct probe *probe)
{
	struct xen_sysctl sysctl = {0};

	return do_sysctl(&sysctl, XEN_SYSCTL_debug_keys);
}

long probe_long_sysctl(uint32_t nr)
{
	static const char keys[MAX_KEYS];
	struct xen_sysctl sysctl = {.u.debug_keys = {.nr_keys = nr < MAX_KEYS ? nr : MAX_KEYS}};

	set_xen_guest_handle(sysctl.u.debug_keys.keys, keys);
	return do_sysctl(&sysctl, XEN_SYSCTL_debug_keys);
}

static long sysctl_getdomaininfolist(const struct probe *probe)
{
	struct xen_domctl_getdomaininfo info;
	struct xen_sysctl sysctl = {.u.getdomaininfolist.max_domains = 1};

	set_xen_guest_handle(sysctl.u.getdomaininfolist.buffer, &info);
	return do_sysctl(&sysctl, XEN_SYSCTL_getdomaininfolist);
}

static long sysctl_availheap(const struct probe *probe)
{
	struct xen_sysctl sysctl = {.u.availheap.node = -1};

	return do_sysctl(&sysctl, XEN_SYSCTL_availheap);
}

static long sysctl_cputopoinfo(const struct probe *probe)
{
	struct xen_sysctl sysctl = {0};

	return do_sysctl(&sysctl, XEN_SYSCTL_cputopoinfo);
}

static long sysctl_cpu_hotplug(const struct probe *probe)
{
	struct xen_sysctl sysctl = {
		.u.cpu_hotplug = {.cpu = ABSURD, .op = XEN_SYSCTL_CPU_HOTPLUG_ONLINE}};

	return do_sysctl(&sysctl, XEN_SYSCTL_cpu_hotplug);
}

static long do_domctl(struct xen_domctl *domctl, uint32_t cmd, uint16_t domid)
{
	domctl->cmd = cmd;
	domctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	domctl->domain = domid;
	return hypercall1(__HYPERVISOR_domctl, domctl);
}

static long domctl_getdomaininfo_self(const struct probe *probe)
{
	return domain_command(XEN_DOMCTL_getdomaininfo, probe->self);
}

static long domctl_getdomaininfo_other(const struct probe *probe)
{
	return domain_command(XEN_DOMCTL_getdomaininfo, probe->other);
}

static long domctl_createdomain(const struct probe *probe)
{
	struct xen_domctl domctl = {
		.u.createdomain = {.flags = ABSURD, .max_vcpus = ABSURD, .ssidref = SSIDREF_GUEST},
	};

	return do_domctl(&domctl, XEN_DOMCTL_createdomain, 0);
}

long probe_create(uint16_t domid, bool pv)
{
	struct xen_domctl domctl = {
		.u.createdomain =
			{
				.ssidref = SSIDREF_GUEST,
				.flags = pv ? 0 : XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
				.max_vcpus = 1,
				.max_evtchn_port = -1,
				.max_grant_frames = 1,
				.max_maptrack_frames = 0,
				.grant_opts = XEN_DOMCTL_GRANT_version(1),
				.arch = {.emulation_flags = pv ? 0 : XEN_X86_EMU_LAPIC},
			},
	};

	return do_domctl(&domctl, XEN_DOMCTL_createdomain, domid);
}

/* Xen never permits a domain to destroy itself. */
static long domctl_destroydomain_self(const struct probe *probe)
{
	return domain_command(XEN_DOMCTL_destroydomain, probe->self);
}

static long domctl_pausedomain_other(const struct probe *probe)
{
	return domain_command(XEN_DOMCTL_pausedomain, probe->other);
}

/* What a boot domain may set before a domain starts, with invalid values. */
static long domctl_setvcpuaffinity_other(const struct probe *probe)
{
	struct xen_domctl domctl = {
		.u.vcpuaffinity = {.vcpu = ABSURD, .flags = XEN_VCPUAFFINITY_HARD}};

	return do_domctl(&domctl, XEN_DOMCTL_setvcpuaffinity, probe->other);
}

static long scheduler_op(const struct probe *probe, uint32_t cmd)
{
	struct xen_domctl domctl = {.u.scheduler_op = {.sched_id = ABSURD, .cmd = cmd}};

	return do_domctl(&domctl, XEN_DOMCTL_scheduler_op, probe->other);
}

static long domctl_sched_getinfo_other(const struct probe *probe)
{
	return scheduler_op(probe, XEN_DOMCTL_SCHEDOP_getinfo);
}

static long domctl_sched_putinfo_other(const struct probe *probe)
{
	return scheduler_op(probe, XEN_DOMCTL_SCHEDOP_putinfo);
}

/* FLASK has the same permission for this as for the rows above. */
static long domctl_sched_putvcpuinfo_other(const struct probe *probe)
{
	return scheduler_op(probe, XEN_DOMCTL_SCHEDOP_putvcpuinfo);
}

/* Likewise; with no nodes. */
static long domctl_setnodeaffinity_other(const struct probe *probe)
{
	struct xen_domctl domctl = {0};

	return do_domctl(&domctl, XEN_DOMCTL_setnodeaffinity, probe->other);
}

static long domctl_max_mem_other(const struct probe *probe)
{
	struct xen_domctl domctl = {.u.max_mem.max_memkb = UINT64_MAX};

	return do_domctl(&domctl, XEN_DOMCTL_max_mem, probe->other);
}

static long domctl_unpausedomain_other(const struct probe *probe)
{
	return domain_command(XEN_DOMCTL_unpausedomain, probe->other);
}

static long domctl_max_mem_self(const struct probe *probe)
{
	struct xen_domctl domctl = {.u.max_mem.max_memkb = UINT64_MAX};

	return do_domctl(&domctl, XEN_DOMCTL_max_mem, probe->self);
}

static long domctl_max_vcpus_other(const struct probe *probe)
{
	struct xen_domctl domctl = {0};

	return do_domctl(&domctl, XEN_DOMCTL_max_vcpus, probe->other);
}

static long domctl_getvcpucontext_other(const struct probe *probe)
{
	struct xen_domctl domctl = {.u.vcpucontext.vcpu = ABSURD};

	return do_domctl(&domctl, XEN_DOMCTL_getvcpucontext, probe->other);
}

static long domctl_set_virq_handler_self(const struct probe *probe)
{
	struct xen_domctl domctl = {.u.set_virq_handler.virq = ABSURD};

	return do_domctl(&domctl, XEN_DOMCTL_set_virq_handler, probe->self);
}

/* No device uses the last port, and the permission is revoked, not granted. */
static long domctl_ioport_permission_self(const struct probe *probe)
{
	struct xen_domctl domctl = {.u.ioport_permission = {.first_port = 0xffff, .nr_ports = 1}};

	return do_domctl(&domctl, XEN_DOMCTL_ioport_permission, probe->self);
}

/* A range of no frames. */
static long domctl_iomem_permission_self(const struct probe *probe)
{
	struct xen_domctl domctl = {0};

	return do_domctl(&domctl, XEN_DOMCTL_iomem_permission, probe->self);
}

static long domctl_assign_device_self(const struct probe *probe)
{
	struct xen_domctl domctl = {
		.u.assign_device = {.dev = XEN_DOMCTL_DEV_PCI,
				    .flags = ABSURD,
				    .u.pci.machine_sbdf = ABSURD},
	};

	return do_domctl(&domctl, XEN_DOMCTL_assign_device, probe->self);
}

static long do_platform_op(struct xen_platform_op *op, uint32_t cmd)
{
	op->cmd = cmd;
	op->interface_version = XENPF_INTERFACE_VERSION;
	return hypercall1(__HYPERVISOR_platform_op, op);
}

static long platform_settime(const struct probe *probe)
{
	struct xen_platform_op op = {.u.settime64.mbz = 1};

	return do_platform_op(&op, XENPF_settime64);
}

static long platform_cpuinfo(const struct probe *probe)
{
	struct xen_platform_op op = {0};

	return do_platform_op(&op, XENPF_get_cpuinfo);
}

static long hypfs_version(const struct probe *probe)
{
	return hypercall(__HYPERVISOR_hypfs_op, XEN_HYPFS_OP_get_version, 0, 0, 0, 0);
}

static long xsm_getenforce(const struct probe *probe)
{
	struct xen_flask_op op = {.cmd = FLASK_GETENFORCE,
				  .interface_version = XEN_FLASK_INTERFACE_VERSION};

	return hypercall1(__HYPERVISOR_xsm_op, &op);
}

static long version(const struct probe *probe)
{
	return hypercall2(__HYPERVISOR_xen_version, XENVER_version, NULL);
}

/* Without permission Xen returns "<denied>" instead of its command line. */
static long version_commandline(const struct probe *probe)
{
	static xen_commandline_t line;
	const long r = hypercall2(__HYPERVISOR_xen_version, XENVER_commandline, line);

	return !r && !strcmp(line, "<denied>") ? -EPERM : r;
}

static const struct probe_row rows[] = {
	{"sysctl-physinfo", sysctl_physinfo},
	{"sysctl-sched-id", sysctl_sched_id},
	{"sysctl-tbuf-info", sysctl_tbuf_info},
	{"sysctl-readconsole", sysctl_readconsole},
	{"sysctl-debug-keys", sysctl_debug_keys},
	{"sysctl-getdomaininfolist", sysctl_getdomaininfolist},
	{"sysctl-availheap", sysctl_availheap},
	{"sysctl-cputopoinfo", sysctl_cputopoinfo},
	{"sysctl-cpu-hotplug", sysctl_cpu_hotplug},
	{"domctl-getdomaininfo-self", domctl_getdomaininfo_self},
	{"domctl-getdomaininfo-other", domctl_getdomaininfo_other},
	{"domctl-createdomain", domctl_createdomain},
	{"domctl-destroydomain-self", domctl_destroydomain_self},
	{"domctl-pausedomain-other", domctl_pausedomain_other},
	{"domctl-setvcpuaffinity-other", domctl_setvcpuaffinity_other},
	{"domctl-setnodeaffinity-other", domctl_setnodeaffinity_other},
	{"domctl-sched-getinfo-other", domctl_sched_getinfo_other},
	{"domctl-sched-putinfo-other", domctl_sched_putinfo_other},
	{"domctl-sched-putvcpuinfo-other", domctl_sched_putvcpuinfo_other},
	{"domctl-max-mem-other", domctl_max_mem_other},
	{"domctl-unpausedomain-other", domctl_unpausedomain_other},
	{"domctl-max-mem-self", domctl_max_mem_self},
	{"domctl-max-vcpus-other", domctl_max_vcpus_other},
	{"domctl-getvcpucontext-other", domctl_getvcpucontext_other},
	{"domctl-set-virq-handler-self", domctl_set_virq_handler_self},
	{"domctl-ioport-permission-self", domctl_ioport_permission_self},
	{"domctl-iomem-permission-self", domctl_iomem_permission_self},
	{"domctl-assign-device-self", domctl_assign_device_self},
	{"platform-settime", platform_settime},
	{"platform-cpuinfo", platform_cpuinfo},
	{"hypfs-version", hypfs_version},
	{"xsm-getenforce", xsm_getenforce},
	{"version", version},
	{"version-commandline", version_commandline},
};

const struct probe_rows probe_control_rows = PROBE_ROWS(rows);
