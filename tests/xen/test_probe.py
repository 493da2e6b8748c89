# SPDX-License-Identifier: LGPL-2.1-or-later
"""The probe as a guest without any role: what it was given, and all that Xen refuses to it."""
import re

import pytest

import harness
import lcm
import short_boot
from errors import BootError

SAID = re.compile(r"\(d(\d+)\) (?:\[ *[\d.]+\] )?(.*)$", re.MULTILINE)
ONE, TWO, REFUSED, WRONG = 1, 2, 3, 4
ODD_OPS = 32
READY = 6

# By row: the result of whoever has no role, about another guest that has none.
PLAIN = {
    "hl-get-info": "EPERM",
    "hl-get-domain": "EPERM",
    "hl-get-module": "EPERM",
    "hl-read-lcm": "EPERM",
    "hl-get-events": "EPERM",
    "hl-ready": "ok",       # it is an initial domain
    "hl-set-console-self": "EPERM",
    "hl-move-console-unknown": "EPERM",
    "hl-release-self": "EPERM",
    "hl-read-console-other": "EPERM",
    "hl-adopt-unknown": "EPERM",
    "hl-unknown": "EPERM",
    "sysctl-physinfo": "EPERM",
    "sysctl-sched-id": "EPERM",
    "sysctl-tbuf-info": "EPERM",
    "sysctl-readconsole": "EPERM",
    "sysctl-debug-keys": "EPERM",
    "sysctl-getdomaininfolist": "EPERM",
    "sysctl-availheap": "EPERM",
    "sysctl-cputopoinfo": "EPERM",
    "sysctl-cpu-hotplug": "EPERM",
    "domctl-getdomaininfo-self": "EPERM",
    "domctl-getdomaininfo-other": "EPERM",
    "domctl-createdomain": "EPERM",
    "domctl-destroydomain-self": "EPERM",
    "domctl-pausedomain-other": "EPERM",
    "domctl-setvcpuaffinity-other": "EPERM",
    "domctl-setnodeaffinity-other": "EPERM",
    "domctl-sched-getinfo-other": "EPERM",
    "domctl-sched-putinfo-other": "EPERM",
    "domctl-sched-putvcpuinfo-other": "EPERM",
    "domctl-max-mem-other": "EPERM",
    "domctl-unpausedomain-other": "EPERM",
    "domctl-max-mem-self": "EPERM",
    "domctl-max-vcpus-other": "EPERM",
    "domctl-getvcpucontext-other": "EPERM",
    "domctl-set-virq-handler-self": "EPERM",
    "domctl-ioport-permission-self": "EPERM",
    "domctl-iomem-permission-self": "EPERM",
    "domctl-assign-device-self": "EPERM",
    "platform-settime": "EPERM",
    "platform-cpuinfo": "EPERM",
    "hypfs-version": "EPERM",
    "xsm-getenforce": "ENOSYS",     # no FLASK
    "version": "ok",
    "version-commandline": "EPERM",
    "memory-maximum-reservation-other": "EPERM",
    "memory-add-to-physmap-other": "EPERM",
    "memory-map-foreign-other": "EPERM",
    "memory-remove-from-physmap-other": "EPERM",
    "memory-acquire-resource-other": "EPERM",
    "memory-claim-self": "EPERM",
    "mmuext-other": "EINVAL",       # of a PVH guest Xen takes no such call about others
    "gnttab-query-size-other": "EPERM",
    "gnttab-get-version-other": "EPERM",
    "gnttab-map-other": "EINVAL",   # may be tried, but nothing was granted
    # Anybody may bind these; Xen sends them to one domain.
    "evtchn-virq-console": "ok",
    "evtchn-virq-dom-exc": "ok",
    "evtchn-virq-con-ring": "ok",
    "evtchn-virq-hyperlaunch": "ok",
    "evtchn-alloc-self": "ok",
    "evtchn-alloc-other": "EPERM",
    "evtchn-status-other": "EPERM",
    "evtchn-bind-unknown-other": "EINVAL",
    "console-write": "EPERM",
    "console-read": "EPERM",
    "physdev-setup-gsi": "ENOSYS",
    "physdev-pci-device-remove": "ENOSYS",
    "physdev-map-pirq-self": "EPERM",
    "hvm-get-param-other": "EPERM",
    "hvm-set-param-other": "EPERM",
    "dm-op-other": "EPERM",
    "port-pci": "ENXIO",
    "port-serial": "ENXIO",
    "platform-firmware": "EPERM",
    "platform-sleep": "EPERM",
    "platform-power": "EPERM",
    "platform-core-parking": "EPERM",
    "platform-memory-type": "EPERM",
    "platform-microcode": "EPERM",
    "platform-quirk": "EPERM",
    "platform-cpu-online": "EPERM",
    "platform-cpu-add": "EPERM",
    "platform-memory-add": "EPERM",
    "platform-resource": "EPERM",
    "platform-symbol": "EPERM",
    "machine-check": "ENOSYS",      # nor kexec and MSI-X are for PVH guests
    "machine-map": "EPERM",
    "kexec-range": "ENOSYS",
    "sysctl-page-offline": "EPERM",
    "sysctl-power-policy": "EPERM",
    "sysctl-livepatch": "EPERM",
    "physdev-apic-read": "ENOSYS",
    "physdev-mmcfg-reserved": "ENOSYS",
    "physdev-prepare-msix": "ENOSYS",
    "domctl-destroydomain-hardware": "EPERM",
    "domctl-soft-reset-hardware": "EPERM",
    "domctl-pausedomain-hardware": "EPERM",
    "sched-shutdown-hardware": "EPERM",
}


def guest(name, memory, words, kernel="probe"):
    return lcm.domain(name, memory, kernel=kernel, ramdisk=None, bootargs=words)


def settled(log):
    """Those that stay are done, and those that end have said why."""
    lines = [line for _, line in SAID.findall(log.text)]
    return (lines.count("probe: done") >= 2 and "bootdom: nothing to do here" in lines
            and any(line.startswith("probe: no such word") for line in lines))


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """By domid: the lines of each guest."""
    source = lcm.source(lcm.dom0('"256M"', ramdisk="guest.cpio.gz", bootargs="console=hvc0 quiet"),
                        guest("one", '"4M"', f"other={TWO} table"), guest("two", '"3500M"', "odd-ops sleep=300 count=60"),
                        guest("refused", '"4M"', "", "bootdom"), guest("wrong", '"4M"', "table sleep=1s"))
    with harness.booted("probe", source=source, folder=tmp_path_factory.mktemp("probe"), disk=False) as boot:
        boot.wait_log(settled, "the probes to be done")
        lines = {}
        for domid, line in SAID.findall(boot.log.text):
            lines.setdefault(int(domid), []).append(line)
        return lines


def results(lines):
    """What was tried, with its result; nothing twice."""
    found = re.findall(r"^probe: (\S+) = (\S+)$", "\n".join(lines), re.MULTILINE)
    assert len(dict(found)) == len(found)
    return dict(found)


def given(lines):
    return dict(re.findall(r"^probe: (\S+) is (.*)$", "\n".join(lines), re.MULTILINE))


def test_table_of_a_guest_without_roles(said):
    table = results(said[ONE])
    assert table.pop(f"other={TWO}") == "ok"
    assert table == PLAIN


def test_what_it_was_given(said):
    one, two = given(said[ONE]), given(said[TWO])
    assert one["domid"] == str(ONE) and two["domid"] == str(TWO)
    assert one["xen"] == "4.20"
    assert one["cmdline"] == f"other={TWO} table"
    assert one["start-info"].startswith("version 0, flags 0x0, rsdp 0xfc000000")
    assert one["ram"] == f"{4 << 10} KiB"
    # The rest of it is above 4 GiB.
    assert two["ram"] == f"{3500 << 10} KiB"
    assert any(" at 0x100000000, type 1" in text for text in two.values())
    assert not any(name.startswith("module-") for name in one)


def test_sub_ops_with_every_input_wrong(said):
    table = results(said[TWO])
    # It may say READY, but not so.
    expected = {f"odd-op-{op}": "EINVAL" if op == READY else "EPERM" for op in range(ODD_OPS)}
    assert {name: table[name] for name in table if name.startswith("odd-op-")} == expected


def test_no_line_is_lost_or_said_twice(said):
    counted = [line for line in said[TWO] if line.startswith("probe: count is ")]
    assert counted == [f"probe: count is {i}" for i in range(1, 61)]
    assert said[TWO][-1] == "probe: done"


def test_boot_domain_without_the_role_refuses(said):
    assert said[REFUSED] == ["bootdom: cannot read the launch: EPERM",
                             "bootdom: nothing to do here"]


def test_unknown_words_are_refused(said):
    assert said[WRONG][-1] == "probe: no such word, or number: sleep=1s"
    assert not results(said[WRONG])


def test_log_of_a_wait_that_ends_has_what_domains_are_at(images, tmp_path):
    """Where a machine does not do what is waited for, its log is all that there is."""
    source = lcm.source(short_boot.hardware())
    chain = [(short_boot.blob(source, tmp_path), ""), (f"{images}/probe", "")]
    with pytest.raises(BootError, match="waiting for what never comes"), \
            harness.booted("waits", chain, disk=False, ram=short_boot.RAM, cpus=1) as boot:
        boot.wait_log(short_boot.is_over, "Xen's verdict")
        boot.wait_log(lambda log: False, "what never comes", 1)
    assert re.search(r"VCPU information and callbacks for domain \d", boot.log.text)
    assert "IRQ information:" in boot.log.text
