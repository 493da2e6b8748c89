# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the boot domain of an example sets is in force, as hlctl shows it and as xl does."""
import json
import os
import re

import pytest

import harness

CLOUD = os.path.join(harness.ROOT, "examples", "classic-cloud")


@pytest.fixture(scope="module")
def cloud():
    with open(os.path.join(CLOUD, "launch.dts"), encoding="utf-8") as source:
        text = source.read()
    with harness.booted("boot-config-shown", source=text, search=[CLOUD]) as boot:
        boot.wait_shell()
        yield boot


def test_hlctl_shows_it(cloud):
    db, web = (json.loads(cloud.shell(f"hlctl status {name} --json")) for name in ("db", "web"))
    assert (db["weight"], db["cap"], db["hard_affinity"], db["soft_affinity"]) == (512, 0, "0", "all")
    assert (web["weight"], web["cap"], web["hard_affinity"], web["memory_max_kib"]) == (256, 90, "all", 256 << 10)
    assert web["memory_current_kib"] < 160 << 10
    text = cloud.shell("hlctl status db")
    assert "Runs on: 0; prefers all" in text and "Scheduler: weight 512, no cap" in text


def test_xl_says_the_same(cloud):
    sched = {row.split()[0]: row.split()[2:4] for row in cloud.shell("xl sched-credit2").splitlines() if re.search(r"\d$", row)}
    assert sched["db"] == ["512", "0"] and sched["web"] == ["256", "90"]
    (row,) = cloud.shell("xl vcpu-list db").splitlines()[1:]
    assert row.split()[-3:] == ["0", "/", "all"]
