# SPDX-License-Identifier: LGPL-2.1-or-later
"""start-after on the control domain: others start once its D-Bus API answers, and hlboot's report waits for them."""
import json

import harness
import lcm

SOURCE = lcm.source(
    "boot-timeout-ms = <300000>;",
    lcm.domain("boot", '"32M"', kernel="bootdom", ramdisk=None, bootargs="",
               more=f'functions = <1>; domid = <0x7ff5>; {lcm.module("config", "boot.conf")}'),
    lcm.domain("web", bootargs="console=hvc0 quiet", more='start-after = "dom0";'),
    lcm.dom0(bootargs="console=hvc0 root=/dev/nvme0n1 rw quiet"))


def test_guest_starts_after_the_control_domain_is_ready(tmp_path):
    (tmp_path / "launch.dts").write_text(SOURCE)
    (tmp_path / "boot.conf").write_text("ready-timeout-ms 240000\n")
    done = harness.hlboot(str(tmp_path / "launch.dts"), "--report", str(tmp_path / "r.json"), "--log", str(tmp_path / "log"),
                          "--timeout", "400", "--until", "d32751: reclaimed")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "r.json").read_text())
    assert told["launch"]["state"] == "complete"
    states = {domain["name"]: domain["state"] for domain in told["domains"]}
    # The boot domain ends once it has started web; the report may come while its memory is being cleared.
    assert states["dom0"] == "ready" and states["web"] in ("started", "ready") and states["boot"] in ("dying", "reclaimed")
    log = (tmp_path / "log").read_text()
    assert -1 < log.index("d0: ready") < log.index("d1: started")
