# SPDX-License-Identifier: LGPL-2.1-or-later
"""Launches that cannot be: Xen says what is wrong and where, and starts nothing that was not asked for."""
import os
import re

import pytest

import harness
import lcm

KERNEL, RAMDISK, NO_KERNEL = 1, 2, 3      # indices in the chain of these tests


def dom0(more="", kernel=KERNEL, memory='"512M"', name="dom0"):
    """All but the crash domain, which LEGACY_DOM0 would imply: with none, Xen stops."""
    return lcm.domain(name, memory, kernel=kernel, ramdisk=RAMDISK, mode=lcm.PV | lcm.LONG,
                      more=f"permissions = <3>; functions = <{lcm.XENSTORE | lcm.CONSOLE:#x}>; {more}")


def guest(name="guest", memory='"64M"', kernel=KERNEL, more="", cpus=1):
    return lcm.domain(name, memory, cpus, kernel=kernel, ramdisk=RAMDISK, more=more)


def deep(levels):
    return "".join(f"n{i} {{ " for i in range(levels)) + "}; " * levels


NODE = "/chosen/hypervisor"
# name: (LCM, the error's name, node, property)
WRONG = {
    "index-beyond-chain": (lcm.source(dom0(), guest(kernel=7)), "index-range", f"{NODE}/guest/kernel", "mb-index"),
    "same-domid": (lcm.source(dom0(), guest("a", more="domid = <5>;"), guest("b", more="domid = <5>;")),
                   "domid-duplicate", f"{NODE}/b", "domid"),
    "memory-beyond-host": (lcm.source(dom0(), guest(memory='"64G"')), "memory-host", f"{NODE}/guest", "memory"),
    "memory-not-there": (lcm.source(dom0(), guest("a", '"1500M"'), guest("b", '"1500M"')), "memory-host", None, "memory"),
    "no-kernel-image": (lcm.source(dom0(), guest(kernel=NO_KERNEL)), "image", f"{NODE}/guest/kernel", None),
    "no-dom0-kernel-image": (lcm.source(dom0(kernel=NO_KERNEL)), "image", None, None),
    "nested-1000-deep": (lcm.source(dom0(), deep(1000)), "depth", None, None),
    "wrong-digest": (lcm.source(dom0(), guest().replace(
        f"mb-index = <{RAMDISK}>;", f"mb-index = <{RAMDISK}>; digest-sha256 = [{'00' * 32}];")),
                     "digest", f"{NODE}/guest/ramdisk", "digest-sha256"),
    "no-hardware-domain": (lcm.source(guest()), "no-hardware", None, None),
    "two-hardware-domains": (lcm.source(dom0(), dom0(name="other")), "two-hardware", f"{NODE}/other", "permissions"),
    "no-memory-given": (lcm.source(dom0(), guest().replace(' memory = "64M";', "")), "missing", f"{NODE}/guest",
                        "memory"),
}


def chain(text, folder, images):
    blob = lcm.compile_lcm(text, os.path.join(folder, "launch.dtb"))
    other = os.path.join(folder, "no-kernel")
    with open(other, "wb") as out:
        out.write(b"not a kernel\n" * 1000)
    return [(blob, ""), (f"{images}/vmlinuz", ""), (f"{images}/guest.cpio.gz", ""), (other, "")]


@pytest.mark.parametrize("name", WRONG)
def test_wrong_launch_is_refused(name, tmp_path, images):
    text, error_name, node, prop = WRONG[name]
    with harness.booted(f"wrong-{name}", chain(text, tmp_path, images), disk=False, ram=3 << 30) as boot:
        boot.wait_log(lambda log: log.stopped() or log.state() in ("complete", "recovery"), "Xen's verdict")
        boot.machine.poll()
    assert boot.log.stopped(), boot.log.hyperlaunch_lines()
    error = boot.log.errors()[0]
    assert error_name in (None, error["name"])
    assert node in (None, error["node"])
    assert prop in (None, error["property"])
    # Nothing of it ran.
    assert "Linux version" not in boot.log.text


def test_damaged_blob_is_no_classic_boot(tmp_path, images):
    """An LCM whose end is lost is refused by the loader's count of bytes, and ends in no dom0."""
    links = chain(lcm.source(dom0()), tmp_path, images)
    with open(links[0][0], "r+b") as blob:
        blob.truncate(os.path.getsize(links[0][0]) - 40)
    with harness.booted("wrong-truncated", links, disk=False) as boot:
        boot.wait_log(lambda log: log.stopped() or "Linux version" in log.text, "Xen's verdict")
    assert "Linux version" not in boot.log.text


def test_crash_domain_runs_when_another_cannot(tmp_path, images):
    text = lcm.source(
        lcm.dom0(kernel=KERNEL, ramdisk=RAMDISK),
        guest(kernel=NO_KERNEL), guest("sound"))
    with harness.booted("crash-domain", chain(text, tmp_path, images), disk=False) as boot:
        boot.wait_log(lambda log: log.stopped() or log.state() == "recovery", "Xen's verdict")
        boot.wait_log(lambda log: log.stopped() or "READY" in log.text, "the crash domain")
    # LEGACY_DOM0 implies CRASH: it is sound on its own.
    assert boot.log.state() == "recovery", boot.log.hyperlaunch_lines()
    assert boot.log.errors()[0]["node"].startswith(f"{NODE}/guest")
    # It alone: the guest that is sound was not asked to run without the other.
    assert not re.search(r"^\(d\d+\) .*READY", boot.log.text, re.MULTILINE)


def test_fallback_is_only_on_request(tmp_path, images):
    text = lcm.source(dom0(memory="<0>"))
    with harness.booted("fallback", chain(text, tmp_path, images), disk=False,
                        words=["hyperlaunch=fallback", "dom0_mem=512M"]) as boot:
        boot.wait_log(lambda log: log.stopped() or "READY" in log.text, "the classic dom0")
    assert not boot.log.stopped()
    assert boot.log.errors()[0]["name"] == "memory-zero"
