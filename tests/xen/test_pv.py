# SPDX-License-Identifier: LGPL-2.1-or-later
"""PV guests beside a PVH one: what they were given, how they are reached, and when they can't be built."""
import errno
import os
import re
import subprocess

import pytest

import harness
import lcm

PV_LONG = lcm.PV | lcm.LONG
UUID = "00112233-4455-6677-8899-aabbccddeeff"
QUIET = "console=hvc0 quiet"
NODE = "/chosen/hypervisor/guest"
# An ELF image with an entry note of this type: 18 is PHYS32_ENTRY, which is for PVH; 0 is none that Xen knows.
KERNEL = """.section .note.Xen, "a", @note
.long 4, 4, {note}
.asciz "Xen"
.long start
.text
.globl start
start: hlt
.fill 64
"""


def make_kernel(folder, note):
    """A tiny 64-bit kernel."""
    (folder / "kernel.S").write_text(KERNEL.format(note=note))
    subprocess.run(["gcc", "-nostdlib", "-static", "-Wl,-Ttext=0x200000", "-Wl,-e,start", "-Wl,--build-id=none",
                    "-o", folder / "kernel", folder / "kernel.S"], check=True)
    return folder / "kernel"


def wrong(mode=PV_LONG, memory='"128M"', kernel=1):
    """The guest's mode, memory and kernel: 1 is Linux, 3 is the tiny one."""
    return lcm.domain("guest", memory, kernel=kernel, ramdisk=2, mode=mode)


# name: (guest, note of the tiny kernel, error's name, node, property)
WRONG = {
    "pv-too-small": (wrong(memory='"48M"'), 18, "kernel-size", NODE, "memory"),
    "pv-tiny": (wrong(memory="<8>"), 18, "kernel-size", NODE, "memory"),
    "pvh-too-small": (wrong(mode=lcm.LONG, memory='"24M"'), 18, "kernel-size", NODE, "memory"),
    "kernel-for-pvh": (wrong(kernel=3), 18, "image", f"{NODE}/kernel", None),
    "kernel-without-notes": (wrong(kernel=3), 0, "image", f"{NODE}/kernel", None),
    "pv-32-bit": (wrong(mode=lcm.PV), 18, "mode-pv32", NODE, "mode"),
}


@pytest.mark.parametrize("name", WRONG)
def test_guest_that_cannot_be_built(name, tmp_path, images):
    text, note, error_name, node, prop = WRONG[name]
    # dom0 implies CRASH: it is sound, and runs.
    source = lcm.source(lcm.dom0(kernel=1, ramdisk=2, bootargs=QUIET), text)
    blob = lcm.compile_lcm(source, os.path.join(tmp_path, "launch.dtb"))
    chain = [(blob, ""), (f"{images}/vmlinuz", ""), (f"{images}/guest.cpio.gz", ""), (make_kernel(tmp_path, note), "")]
    with harness.booted(f"wrong-{name}", chain, disk=False) as boot:
        boot.wait_log(lambda log: log.stopped() or "READY" in log.text, "the crash domain")
    assert not boot.log.stopped(), boot.log.hyperlaunch_lines()
    assert boot.log.state() == "recovery"
    error = boot.log.errors()[0]
    assert (error["name"], error["node"], error["property"]) == (error_name, node, prop)


def test_nothing_is_left_of_a_guest_that_failed(tmp_path, images):
    """The crash domain looks around: it is alone, and all memory but its own is free."""
    source = lcm.source(lcm.dom0(kernel=1, ramdisk=3, bootargs=QUIET), wrong(memory='"200M"'),
                        wrong(memory='"48M"').replace("guest {", "small {"))
    blob = lcm.compile_lcm(source, os.path.join(tmp_path, "launch.dtb"))
    chain = [(blob, ""), (f"{images}/vmlinuz", ""), (f"{images}/guest.cpio.gz", ""), (f"{images}/control.cpio.gz", "")]
    with harness.booted("pv-nothing-left", chain) as boot:
        boot.wait_shell()
        rows = boot.shell("xl list").splitlines()[1:]
        info = dict(re.findall(r"(\w+)\s*: (\d+)", boot.shell("xl info")))
    assert len(rows) == 1, rows
    assert int(info["total_memory"]) - int(info["free_memory"]) < 512 + 200


GUESTS = {
    # name: domid, mode, cpus, KiB
    "wide": (1, PV_LONG, 2, 160 << 10),
    "own": (2, PV_LONG, 1, 90_004),   # less than the power of two that Xen looks for
    "pvh": (3, lcm.LONG, 1, 128 << 10),
}


def guest(name, more="", **others):
    _, mode, cpus, kib = GUESTS[name]
    return lcm.domain(name, f"<{kib}>", cpus, mode=mode, bootargs=QUIET, more=more, **others)


# From here on one machine stays up; no other gets a turn.
@pytest.fixture(scope="module")
def mixed(probe_ramdisk, tmp_path_factory):
    # "wide" and "pvh" share both modules, also with dom0; "own" has a ramdisk for itself.
    source = lcm.source(lcm.dom0(bootargs=QUIET),
                        guest("wide", f"domain-uuid = [{UUID.replace('-', '')}];"),
                        guest("own", ramdisk=probe_ramdisk.name), guest("pvh"))
    with harness.booted("pv", source=source, folder=tmp_path_factory.mktemp("pv"), search=[probe_ramdisk.parent]) as boot:
        boot.wait_shell()
        boot.told = {domain["name"]: domain for domain in boot.report()["domains"]}
        yield boot


@pytest.fixture(scope="module")
def words(mixed):
    return {name: mixed.xl_console(name, "READY") for name in ("wide", "own")}


@pytest.mark.parametrize("name", GUESTS)
def test_is_as_asked(mixed, name):
    domid, mode, cpus, kib = GUESTS[name]
    told = mixed.told[name]
    assert (told["domid"], told["mode"], told["cpus"], told["memory_kib"]) == (domid, mode, cpus, kib)
    assert (told["permissions"], told["functions"]) == (0, 0)


@pytest.mark.parametrize("name", ["wide", "own"])
def test_pv_guest_sees_what_it_was_given(words, name):
    _, _, cpus, kib = GUESTS[name]
    seen = dict(re.findall(r"(\w+)=(\S+)", re.search(r"HL-GUEST (.*)", words[name])[1]))
    assert int(seen["cpus"]) == cpus
    assert kib * 0.5 < int(seen["memkb"]) < kib
    assert name != "wide" or seen["uuid"] == UUID
    assert f"HL-CMDLINE {QUIET}" in words[name]


def test_pv_guest_may_not_ask(words):
    answers = dict(re.findall(r"(\S+)=(\d+)", re.search(r"HL-PART (.*)", words["own"])[1]))
    # That it may say READY shows that it was Xen who refused the others.
    assert answers == {"ready": "0", **{name: str(errno.EPERM) for name in (
        "get-info", "get-domain", "get-module", "read-lcm", "get-events")}}


def test_pv_guest_is_one(mixed, words):
    assert "type=PV" in mixed.xl_console("wide", "type=PV", "echo type=$(cat /sys/hypervisor/guest_type)")


def test_pvh_guest_runs_beside(mixed):
    mixed.wait_log(lambda log: re.search(r"\(d3\) .*READY", log.text), "the PVH guest to be READY")
    assert "HL-GUEST cpus=1 " in mixed.log.text


def test_xl_knows_them(mixed):
    rows = [line.split() for line in mixed.shell("xl list").splitlines()[1:]]
    listed = {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}
    for name, (domid, _, cpus, kib) in GUESTS.items():
        assert listed[name] == (domid, kib >> 10, cpus)
    assert mixed.shell("xenstore-read /libxl/1/type /libxl/3/type").split() == ["pv", "pvh"]


def test_pv_guest_goes_and_leaves_nothing(mixed, words):
    """After it has shut itself down, and while it runs."""
    mixed.shell("xl shutdown -w wide", harness.PATIENCE)
    mixed.shell("xl destroy wide && xl destroy own")
    mixed.shell("for i in $(seq 60); do [ $(xl list | wc -l) = 3 ] && exit 0; sleep 0.5; done; xl list; exit 1", 120)
    states = {domain["name"]: domain["state"] for domain in mixed.json("list")["domains"]}
    assert (states["wide"], states["own"]) == ("reclaimed", "reclaimed")
    assert states["pvh"] in ("started", "ready")
