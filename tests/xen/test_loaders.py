# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlboot as its users call it: examples, loaders, report, exit codes."""
import hashlib
import json
import os

import pytest

import harness
import lcm

EXAMPLES = os.path.join(harness.ROOT, "examples")


@pytest.mark.parametrize("example, loader, names", [
    ("classic-dom0", "direct", {"dom0"}),
    ("classic-basic-cloud", "grub", None),
])
def test_example(example, loader, names, tmp_path, images):
    report = tmp_path / "report.json"
    done = harness.hlboot(f"{EXAMPLES}/{example}/launch.dts", "--loader", loader, "--report", report,
                          "--timeout", str(harness.PATIENCE))
    assert done.returncode == 0, done.stderr
    told = json.loads(report.read_text())
    assert told["source"] == "hlctl"
    assert told["launch"]["state"] == "complete"
    if names:
        assert {domain["name"] for domain in told["domains"]} == names
    else:
        assert len(told["domains"]) >= 3
    assert all(domain["state"] in ("started", "ready") for domain in told["domains"])
    digests = set()
    for name in ("vmlinuz", "control.cpio.gz", "guest.cpio.gz"):
        with open(f"{images}/{name}", "rb") as file:
            digests.add(hashlib.sha256(file.read()).hexdigest())
    assert {module["sha256"] for module in told["modules"]} <= digests
    assert os.path.getsize(told["serial_log"]) > 0


# A hardware domain that says READY by itself: no disk, no systemd.
def small_dom0(mode):
    return lcm.source(lcm.dom0(mode=mode, ramdisk="guest.cpio.gz"))


@pytest.mark.parametrize("mode", [pytest.param(lcm.PV | lcm.LONG, id="pv"), pytest.param(lcm.LONG, id="pvh")])
@pytest.mark.parametrize("loader", ["direct", "uefi"])
def test_dom0_starts(loader, mode, tmp_path):
    if loader == "uefi" and mode == lcm.LONG:
        pytest.skip("the mode is one matter and the firmware another: PVH is tried without, UEFI with PV")
    source = tmp_path / "launch.dts"
    source.write_text(small_dom0(mode))
    report = tmp_path / "report.json"
    done = harness.hlboot(source, "--loader", loader, "--until", "^READY|READY$", "--report", report,
                          "--timeout", str(harness.PATIENCE))
    assert done.returncode == 0, done.stderr
    told = json.loads(report.read_text())
    assert told["source"] == "serial log"
    assert told["launch"]["state"] == "complete"
    dom0, = told["domains"]
    assert (dom0["name"], dom0["domid"], dom0["mode_name"]) == ("dom0", 0, "pvh" if mode == lcm.LONG else "pv")


def test_timeout_is_exit_code_4(tmp_path):
    source = tmp_path / "launch.dts"
    source.write_text(small_dom0(lcm.PV | lcm.LONG))
    done = harness.hlboot(source, "--until", "this is never said", "--timeout", "6")
    assert done.returncode == 4, done.stderr
    assert "timed out" in done.stderr


@pytest.mark.parametrize("words", [
    ["/nonexistent.dts"],
    [f"{EXAMPLES}/classic-dom0/launch.dts", "--modules", "/nonexistent"],
    [f"{EXAMPLES}/classic-dom0/launch.dts", "--timeout", "0"],
    [f"{EXAMPLES}/classic-dom0/launch.dts", "--until", "("],
    [f"{EXAMPLES}/classic-dom0/launch.dts", "--loader", "lilo"],
    [],
])
def test_wrong_use_is_exit_code_2(words):
    done = harness.hlboot(*words)
    assert done.returncode == 2
    assert done.stderr


def test_lcm_error_before_the_boot_is_exit_code_3(tmp_path):
    source = tmp_path / "launch.dts"
    source.write_text(lcm.source(lcm.dom0(), lcm.domain("a", more="domid = <5>;"),
                                 lcm.domain("b", more="domid = <5>;")))
    done = harness.hlboot(source)
    assert done.returncode == 3
    assert "domid" in done.stderr and "/chosen/hypervisor/b" in done.stderr
