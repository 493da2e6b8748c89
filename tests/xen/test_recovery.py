# SPDX-License-Identifier: LGPL-2.1-or-later
"""A boot domain that does not get its work done: the crash domain, which is nothing else, runs with the console."""
import re

import pytest

import harness
import lcm

HW, CRASH, GUEST = 1, 2, 3
# What the boot domain does, how long it may take, and Xen's word for how that ends.
ENDS = {
    "never-done": ("idle", 1500, "boot-timeout"),
    "spins": ("spin", 1500, "boot-timeout"),
    "dies": ("die", 0, "boot-died"),
    "crashes": ("crash", 0, "boot-died"),
    "gives-up": ("boot-failed", 0, "boot-failed"),
    "blames-a-guest": (f"boot-failed-at={GUEST}", 0, "boot-failed"),
}


def probe(name, words, roles, memory='"8M"'):
    return lcm.domain(name, memory, kernel="probe", ramdisk=None, bootargs=words, more=roles)


def launch(words, limit, crash=True):
    domains = [f"boot-timeout-ms = <{limit}>;", probe("boot", words, "domid = <0x7FF5>; functions = <1>;"),
               probe("hw", "idle", f"domid = <{HW}>; permissions = <2>;", '"64M"'),
               probe("crash", "table", f"domid = <{CRASH}>; functions = <2>;") if crash else "",
               probe("guest", "idle", f"domid = <{GUEST}>;")]
    return lcm.source(*domains)


def run(name, source, folder, until):
    """The log of a launch up to there."""
    with harness.booted(f"recovery-{name}", source=source, folder=folder, disk=False) as boot:
        boot.wait_log(lambda log: log.stopped() or re.search(until, log.text), "the launch's end")
        return boot.log


@pytest.mark.parametrize("name", ENDS)
def test_the_crash_domain_runs(name, tmp_path):
    words, limit, error = ENDS[name]
    log = run(name, launch(words, limit), tmp_path, "(?s)crash domain d2 runs.*probe: done")
    blamed = "guest" if name == "blames-a-guest" else "boot"
    assert [(e["node"], e["name"]) for e in log.errors()] == [(f"/chosen/hypervisor/{blamed}", error)]
    assert log.state() == "recovery"
    states = {domain["name"]: domain["state"] for domain in log.domains()}
    # Its table has READY in it.
    assert states == {"boot": "reclaimed", "hw": "built", "crash": "ready", "guest": "built"}
    # It has the console, so nothing of it is prefixed, and is told what went wrong.
    said = dict(re.findall(r"^probe: (\S+) = (\S+)$", log.text, re.MULTILINE))
    assert {said[row] for row in ("hl-get-info", "hl-get-domain", "hl-read-lcm", "hl-get-events", "console-read")} == {"ok"}
    assert {said[row] for row in ("hl-release-self", "sysctl-physinfo", "domctl-createdomain")} == {"EPERM"}


def test_xen_stops_where_there_is_no_crash_domain(tmp_path):
    log = run("none", launch("die", 0, crash=False), tmp_path, "Xen stops here")
    assert [e["name"] for e in log.errors()] == ["boot-died"]
    assert log.state() == "failed"
    assert not re.search(r"hyperlaunch: d\d+: started", log.text.split("boot-died", 1)[1])
