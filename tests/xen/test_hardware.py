# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hardware domain ends with the host: a control domain apart from it can't end, stop or replace it."""
import re

import pytest

import harness
import lcm
import short_boot

HW, CONTROL = 1, 2
ATTEMPTS = ("domctl-destroydomain-hardware", "domctl-soft-reset-hardware", "domctl-pausedomain-hardware", "sched-shutdown-hardware")
DONE = "probe: done"


def launch(module):
    """Control has the console, so its lines have no prefix; the hardware domain prints for as long as it lives."""
    def probe(name, domid, label, words, roles, memory='"8M"'):
        label = f'security-id = "{label}";' if module == "flask" else ""
        return lcm.domain(name, memory, kernel=1, ramdisk=None, bootargs=words, more=f"domid = <{domid}>; {label} {roles}")
    return lcm.source(
        probe("hw", HW, "hl_hardware_t", "chatter=100 echo", "permissions = <2>;", '"64M"'),
        probe("control", CONTROL, "hl_manager_t", f"hardware={HW} table create={HW} create=0", "permissions = <1>; functions = <4>;"))


def lives(log):
    """It has printed since control was done."""
    head, done, tail = log.text.partition(f"\n{DONE}\n")
    return done and len(re.findall(rf"\(d{HW}\).*chatter is", tail)) > 2 or "destroydomain-hardware = ok" in head


@pytest.mark.parametrize("module", ["dummy", "silo", "flask"])
def test_hardware_domain_ends_with_the_host(module, images, tmp_path):
    xen, words = harness.xen_with_xsm(module)
    log = short_boot.boot(f"hardware-{module}", launch(module), tmp_path, [f"{images}/probe"], lives, xen=xen, words=words)
    said = dict(re.findall(r"^probe: (\S+) = (\S+)$", log.text, re.MULTILINE))
    for attempt in ATTEMPTS:
        assert (attempt, said[attempt] in ("EPERM", "EACCES")) == (attempt, True)
    assert said[f"create={HW}"] == "EEXIST"
    # No domain 0 is made: the id says "any" there.
    assert said["create=0"] == "ok"
    assert f"d{HW} is the hardware domain: it can only end with the host" in log.text
    states = {domain["name"]: domain["state"] for domain in log.domains()}
    assert states == {"hw": "started", "control": "ready"}
