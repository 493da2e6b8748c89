# SPDX-License-Identifier: LGPL-2.1-or-later
"""A console's ring goes only to a domain that may serve it, and one that was refused changes nothing."""
import re

import pytest

import harness
import lcm
import short_boot

HW, CONTROL, CONSOLE, GUEST, STRANGER = range(1, 6)
CONSOLE_PORT = 1        # the guest's first: there is no store
REFUSALS = ("EPERM", "EACCES")


def launch(module):
    """The console domain, which is to serve the ring, is held until control has tried to give that to another guest."""
    def probe(name, domid, words, roles="", label=None, memory='"8M"'):
        label = f'security-id = "{label}";' if label and module == "flask" else ""
        return lcm.domain(name, memory, kernel=1, ramdisk=None, bootargs=words, more=f"domid = <{domid}>; {roles} {label}")
    back = f"move-console={CONSOLE}" if module == "dummy" else ""
    return lcm.source(
        probe("hw", HW, "idle", "permissions = <2>;", "hl_hardware_t", '"64M"'),
        probe("control", CONTROL, f"other={GUEST} move-console={STRANGER} {back} release={CONSOLE}", "permissions = <1>;", "hl_control_t"),
        probe("console", CONSOLE, f"other={GUEST} serve={CONSOLE_PORT}", "functions = <4>; hold;", "hl_console_t"),
        probe("guest", GUEST, "chatter=100 echo"), probe("stranger", STRANGER, "idle"))


@pytest.mark.parametrize("module", ["dummy", "silo", "flask"])
def test_ring_stays_where_it_is_if_its_new_backend_may_not_serve_it(module, images, tmp_path):
    """The dummy module lets any two domains share a ring, SILO none that serves nobody, FLASK goes by labels."""
    xen, words = harness.xen_with_xsm(module)
    log = short_boot.boot(f"ring-{module}", launch(module), tmp_path, [f"{images}/probe"],
                          lambda log: "probe: serve = ok" in log.text or log.stopped() or
                          re.search(rf"avc: *denied.*{{ bind }}(?s:.*)d{CONSOLE}: started(?s:.*)avc: *denied.*{{ bind }}", log.text),
                          xen=xen, words=words)
    said = dict(re.findall(rf"\(d{CONTROL}\).*probe: (\S+) = (\S+)$", log.text, re.MULTILINE))
    assert (said[f"move-console={STRANGER}"] in REFUSALS) == (module != "dummy")
    assert said[f"release={CONSOLE}"] == "ok"
    assert "probe: serve = ok" in log.text
