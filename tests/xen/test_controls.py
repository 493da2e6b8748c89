# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two control domains, one the other's subject; and the processors of a hardware domain that is not domain 0."""
import functools
import re

import pytest

import harness
import lcm
import short_boot

HW, CONTROL, SECOND = 1, 2, 3
NUMA = ["-object", "memory-backend-ram,size=512M,id=m0", "-object", "memory-backend-ram,size=512M,id=m1",
        "-numa", "node,memdev=m0,cpus=0", "-numa", "node,memdev=m1,cpus=1"]


def probe(name, domid, words, roles, memory='"8M"'):
    return lcm.domain(name, memory, kernel=1, ramdisk=None, bootargs=words, more=f"domid = <{domid}>; {roles}")


def done(log):
    """The domain that has the console, whose lines have no prefix."""
    return log.stopped() or re.search("^probe: done", log.text, re.MULTILINE)


def test_control_domain_logs_what_another_writes(images, tmp_path):
    """What a live migration does. Xen copies the result to one while it holds locks of the other."""
    source = lcm.source(
        probe("hw", HW, "idle", "permissions = <2>;", '"64M"'),
        probe("control", CONTROL, f"log-dirty={SECOND} log-dirty={HW}", "permissions = <1>; functions = <4>;"),
        probe("second", SECOND, "idle", "permissions = <1>;"))
    log = short_boot.boot("two-controls", source, tmp_path, [f"{images}/probe"],
                          lambda log: re.search("^probe: done", log.text, re.MULTILINE))
    said = dict(re.findall(r"^probe: (\S+) = (\S+)$", log.text, re.MULTILINE))
    assert said[f"log-dirty={SECOND}"] == "ok"


@pytest.mark.parametrize("option, affinity", [
    ("dom0_vcpus_pin", ("0x[12]", "0x3")), ("dom0_nodes=1", ("0x2", "0x3")), ("dom0_nodes=1,relaxed", ("0x3", "0x2"))])
def test_dom0s_processors_are_the_hardware_domains(option, affinity, images, tmp_path):
    """Whatever its id; no other domain is bound by these options."""
    source = lcm.source(
        probe("hw", HW, f"affinity={HW} affinity={CONTROL}", "permissions = <3>; functions = <4>;", '"64M"'),
        probe("guest", CONTROL, "idle", ""))
    kind = functools.partial(harness.Machine, extra=NUMA)
    log = short_boot.boot(f"affinity-{option}", source, tmp_path, [f"{images}/probe"], done, words=[option], cpus=2, kind=kind)
    found = {int(domid): masks for domid, *masks in re.findall(r"affinity of (\d+) is hard (\S+), soft (\S+)$", log.text, re.MULTILINE)}
    for mask, expected in zip(found[HW], affinity):
        assert re.fullmatch(expected, mask), found
    assert "0x2" not in found[CONTROL] and "0x1" not in found[CONTROL]
