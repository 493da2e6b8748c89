# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boots without an LCM: as with stock Xen."""
import functools
import json
import re

import pytest

import harness

pytestmark = pytest.mark.release

# The command line, the same for both: no time stamps, as those differ in every boot.
WORDS = ["console_timestamps=none", "dom0_mem=512M"]
VOLATILE = [
    (re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,16}\b", re.I), "HEX"),
    (re.compile(r"\d+(\.\d+)? ?(MHz|kHz|Hz|KiB|kB|MB|KB|ns|us|ms|s|bytes|pages)\b"), "SIZE"),
    (re.compile(r"\d+"), "N"),
    (re.compile(r"\s+"), " "),
]
# Lines that are stamps of the build, or say how long something took.  A loaded host is slow to take a character.
STAMPS = re.compile(r"Xen version|Latest ChangeSet|build-id|Detected .* processor|Platform timer|TSC|"
                    r"checksum|Brought up|\.{3,}|Scrubbing|Console output is|Freed .* init|"
                    r"uart interrupt taking more than")


def xen_lines(log):
    """What Xen itself said until dom0 ran, without what may differ."""
    lines = []
    for line in log.text.splitlines():
        if not line.startswith("(XEN) ") or STAMPS.search(line):
            continue
        for pattern, word in VOLATILE:
            line = pattern.sub(word, line)
        lines.append(line.strip())
    return lines


def classic_chain(images, ramdisk):
    return [(f"{images}/vmlinuz", "console=hvc0 quiet"), (f"{images}/{ramdisk}", "")]


@functools.cache
def classic_lines(images, variant, mode):
    """What Xen says of a dom0 of that mode, which reaches user space."""
    with harness.booted(f"classic-{variant or 'ours'}-{mode}", classic_chain(images, "guest.cpio.gz"),
                        xen=harness.built_xen(variant), words=[*WORDS, f"dom0={mode}"], disk=False) as boot:
        boot.wait_log(lambda log: "READY" in log.text, "dom0")
    assert f"*** Building a {mode.upper()} Dom0 ***" in boot.log.text
    return xen_lines(boot.log)


@pytest.mark.parametrize("variant, mode", [(None, "pv"), (None, "pvh"), ("classic", "pv")])
def test_serial_log_is_that_of_stock_xen(images, variant, mode):
    stock = classic_lines(images, "stock", mode)
    assert len(stock) > 60
    assert classic_lines(images, variant, mode) == stock


# From here on one machine stays up; no other gets a turn.
@pytest.fixture(scope="module")
def unpatched(images):
    with harness.booted("unpatched", classic_chain(images, "control.cpio.gz"), xen=harness.paths.xen("stock"),
                        words=["dom0_mem=512M"]) as boot:
        boot.wait_shell()
        boot.shell("systemctl start hyperlaunchd", harness.PATIENCE)
        yield boot


def test_unpatched_xen_is_told(unpatched):
    said = unpatched.shell("journalctl -b -u hyperlaunchd --no-pager; hlctl status")
    assert "XEN_SYSCTL_hyperlaunch" in said


def test_unpatched_xen_still_lists_domains(unpatched):
    domain, = json.loads(unpatched.shell("hlctl list --json"))["domains"]
    assert domain["domid"] == 0
    assert domain["roles"] == []
