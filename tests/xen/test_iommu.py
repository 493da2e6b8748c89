# SPDX-License-Identifier: LGPL-2.1-or-later
"""What keeps a hardware domain without CONTROL from the memory of others: the IOMMU, or else nothing, and then that is said."""
import pathlib
import subprocess

import pytest

import harness
import iommu
import lcm
import short_boot

PV = lcm.PV | lcm.LONG
NO_IOMMU = ["iommu=0"]
WEAK = "weak-hwdom: there is no IOMMU, its devices can access all memory"
STRICT = "strict IOMMU context"


def short(name, folder, images, words=(), permissions=lcm.HARDWARE, mode=PV, crash=False, functions=0, until=short_boot.is_over):
    """The log of a launch with such a hardware domain, until Xen has said how it ends; nothing of it need run."""
    domains = [lcm.domain("hw", '"256M"', kernel=1, ramdisk=None, mode=mode,
                          more=f"permissions = <{permissions}>; functions = <{functions}>;")]
    if crash:
        domains.append(lcm.domain("crash", '"8M"', kernel=2, ramdisk=None, bootargs="idle",
                                  more=f"functions = <{lcm.CRASH}>;"))
    return short_boot.boot(f"iommu-{name}", lcm.source(*domains), folder, [f"{images}/vmlinuz", f"{images}/probe"], until=until,
                           words=words)


def said(log, text):
    return [line for line in log.hyperlaunch_lines() if text in line]


@pytest.mark.parametrize("words", [NO_IOMMU, [*NO_IOMMU, "hyperlaunch=weak"]], ids=["no-word", "wrong-word"])
def test_without_an_iommu_the_launch_is_refused(tmp_path, images, words):
    log = short("refused", tmp_path, images, words)
    assert short_boot.error(log) == ("no-iommu", f"{short_boot.NODE}/hw", "permissions")
    assert ("hyperlaunch=weak" in log.text.split("Command line:", 1)[1].split("hyperlaunch:")[0]) == (len(words) > 1)


def test_the_crash_domain_runs_where_the_launch_is_refused(tmp_path, images):
    """The hardware domain is not built; Xen, which needs one, has a stand-in that never runs."""
    log = short("crash", tmp_path, images, NO_IOMMU, crash=True, until=lambda log: log.stopped() or said(log, ": started"))
    assert log.state() == "recovery"
    assert not said(log, WEAK)
    assert [e["name"] for e in log.errors()] == ["no-iommu"]
    assert {d["name"]: d["state"] for d in log.domains()} == {"crash": "started"}


def test_a_crash_domain_with_the_devices_is_refused_too(tmp_path, images):
    log = short("crash-hw", tmp_path, images, NO_IOMMU, functions=lcm.CRASH)
    assert log.stopped()
    assert {e["name"] for e in log.errors()} == {"no-iommu"}
    assert not log.domains()


@pytest.mark.parametrize("option", ["weak-hwdom", "fallback,weak-hwdom"])
def test_weak_hwdom_accepts_it_and_xen_says_so(tmp_path, images, option):
    log = short("weak", tmp_path, images, [*NO_IOMMU, f"hyperlaunch={option}"])
    assert log.state() == "complete"
    assert said(log, WEAK)
    assert not said(log, STRICT)


def test_weak_hwdom_weakens_nothing_where_there_is_an_iommu(tmp_path, images):
    log = short("strong", tmp_path, images, ["hyperlaunch=weak-hwdom"])
    assert log.state() == "complete"
    assert said(log, STRICT)
    assert not said(log, WEAK)


@pytest.mark.parametrize("words", [[], NO_IOMMU], ids=["iommu", "no-iommu"])
def test_with_control_all_is_as_the_command_line_says(tmp_path, images, words):
    log = short("control", tmp_path, images, words, permissions=lcm.CONTROL | lcm.HARDWARE)
    assert log.state() == "complete"
    assert not said(log, STRICT) and not said(log, WEAK)


@pytest.mark.parametrize("words, warned", [([], False), (["iommu=no-intremap"], True)], ids=["on", "off"])
def test_no_interrupt_remapping_is_warned_of(tmp_path, images, words, warned):
    log = short("intremap", tmp_path, images, words)
    assert log.state() == "complete"
    assert bool(said(log, "no interrupt remapping")) == warned


# --- Linux in the hardware domain, and a device that it has look for another domain's memory ---

RAM = 1 << 30
# With the line's end, a page has room for a whole number of them.
OWN, OTHER, SECRET = "the first page.", "the other page.", "another domain."
SECRET_PAGES = 2048


def write_lines(line, path):
    """A page of that line, written line by line, so that only the file's own page holds it."""
    return f'i=0; while [ $i -lt 256 ]; do echo "{line}"; i=$((i + 1)); done >{path}'


@pytest.fixture(scope="module")
def ramdisks(images, probe_ramdisk, tmp_path_factory):
    """A folder with ramdisks for the hardware domain and for the other one."""
    folder = tmp_path_factory.mktemp("edu")
    here = f"{harness.ROOT}/tests/guests/linux"
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-o", folder / "edu", f"{here}/edu.c"], check=True)
    hold_secret = f'#!/bin/sh\nyes "{SECRET}" | head -c {SECRET_PAGES * iommu.PAGE} >/secret\n'
    harness.ramdisk_with(f"{images}/guest.cpio.gz", {"etc/hl.d/agent": pathlib.Path(here, "agent").read_bytes(),
                                                     "bin/edu": (folder / "edu").read_bytes()}, folder / "hw.cpio.gz")
    harness.ramdisk_with(probe_ramdisk, {"etc/hl.d/secret": hold_secret.encode()}, folder / "secret.cpio.gz")
    return folder


class Attack:
    """A hardware domain that runs, with pages of its own, and another domain's pages."""

    def __init__(self, boot):
        self.boot = boot
        boot.wait_shell()
        boot.shell(write_lines(OWN, "/own") + "; " + write_lines(OTHER, "/other"))
        self.memory = iommu.Memory(boot.machine.memory)
        (self.own,), (self.other,) = self.memory.pages_of(OWN), self.memory.pages_of(OTHER)
        self.secrets = self.memory.pages_of(SECRET)
        assert len(self.secrets) >= SECRET_PAGES

    def copy(self, source, target):
        """Has the device do it; what is in the target then."""
        self.boot.shell(f"edu {source:#x} {target:#x}")
        return self.memory.page(target)

    def a_secret(self):
        """The address of one of the other domain's pages."""
        address = self.secrets[SECRET_PAGES // 2]
        assert self.memory.page(address).startswith(SECRET.encode())
        return address

    def reads(self):
        """Whether the other domain's memory can be read."""
        assert self.copy(self.own, self.other).startswith(OWN.encode()), "the device can't even copy its own domain's memory"
        return self.copy(self.a_secret(), self.other).startswith(SECRET.encode())

    def writes(self):
        """Whether it can be written."""
        return self.copy(self.own, self.a_secret()).startswith(OWN.encode())

    def reach(self):
        """The pages of RAM to which the IOMMU lets the device."""
        table = self.boot.machine.device_table()
        return iommu.pages_in(self.memory.reach(table, self.boot.machine.EDU), RAM)


def attacked(name, permissions, folder, ramdisks, words, guest=0):
    """A Boot of a hardware domain and a guest that has something to hide, with these permissions."""
    source = lcm.source(
        lcm.domain("hw", '"256M"', mode=PV, ramdisk="hw.cpio.gz", bootargs="console=hvc0 quiet",
                   more=f"permissions = <{permissions}>; functions = <{lcm.CONSOLE}>;"),
        lcm.domain("guest", ramdisk="secret.cpio.gz", bootargs="console=hvc0 quiet", more=f"permissions = <{guest}>;"))
    return harness.booted(f"edu-{name}", source=source, folder=folder, search=[ramdisks], disk=False, ram=RAM, words=words,
                          kind=iommu.OpenMachine)


def test_the_iommu_keeps_a_hardware_domain_from_the_memory_of_others(tmp_path, ramdisks):
    """Whatever Xen's command line would give to a dom0."""
    with attacked("strict", lcm.HARDWARE, tmp_path, ramdisks, ["dom0-iommu=passthrough,map-inclusive"]) as boot:
        boot.wait_log(lambda log: log.text.count("READY") >= 2, "both guests")
        attack = Attack(boot)
        assert not attack.reads()
        assert not attack.writes()
        reach = attack.reach()
        assert {attack.own, attack.other} <= reach
        assert not reach & set(attack.secrets)
        # Nor to that of Xen, or of anything else: no more than it has.
        assert len(reach) <= (256 << 20) // iommu.PAGE


def test_with_control_the_device_reaches_them(tmp_path, ramdisks):
    """So this test would notice; and a dom0 is what it was."""
    with attacked("classic", lcm.CONTROL | lcm.HARDWARE, tmp_path, ramdisks, []) as boot:
        boot.wait_log(lambda log: log.text.count("READY") >= 2, "both guests")
        attack = Attack(boot)
        assert set(attack.secrets) <= attack.reach()
        assert attack.reads()
        assert attack.writes()


def test_a_weak_hardware_domain_reaches_them_and_get_info_says_so(tmp_path, ramdisks):
    with attacked("weak", lcm.HARDWARE, tmp_path, ramdisks, [*NO_IOMMU, "hyperlaunch=weak-hwdom"], guest=lcm.CONTROL) as boot:
        boot.wait_log(lambda log: "info-flags=" in log.text and log.text.count("READY") >= 2, "both guests")
        assert "info-flags=1 " in boot.log.text
        attack = Attack(boot)
        assert attack.reads()
        assert attack.writes()
