# SPDX-License-Identifier: LGPL-2.1-or-later
"""The example of lcm(5) boots as it stands there, and stock xl shows the CPUs that its vCPUs are pinned to."""
import os
import re

import pytest

import harness


def example():
    """The launch in the page."""
    with open(os.path.join(harness.ROOT, "docs/man/lcm.5"), encoding="utf-8") as page:
        return re.search(r"^\.Bd -literal\n(/dts-v1/;.*?)^\.Ed$", page.read(), re.MULTILINE | re.DOTALL)[1]


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    with harness.booted("manual", source=example(), folder=tmp_path_factory.mktemp("manual")) as boot:
        boot.wait_shell()
        boot.wait_log(lambda log: log.state() == "complete", "the launch to be complete")
        yield boot


def test_hard_affinity_is_what_xl_shows(launch):
    """NAME ID VCPU CPU STATE TIME AFFINITY, of a PVH and of a PV domain; each vCPU without a node may run anywhere."""
    # Names are there once hyperlaunchd has completed the launch.
    launch.wait_shell_says("xl list | grep -q '^db '")
    shown = launch.shell("xl vcpu-list")
    rows = {(row.split()[0], row.split()[2]): row.split()[6:] for row in shown.splitlines()[1:] if row.strip()}
    hard = {key: " ".join(words).split(" / ")[0] for key, words in rows.items()}
    assert hard == {("Domain-0", "0"): "all", ("web", "0"): "all", ("web", "1"): "1", ("db", "0"): "0"}, shown


def test_xen_pinned_them_before_they_ran(launch):
    text = launch.log.text
    pinned = [text.index(f"hyperlaunch: {vcpu}: hard affinity {cpus}") for vcpu, cpus in (("d1v1", "1"), ("d2v0", "0"))]
    assert max(pinned) < text.index("hyperlaunch: d0: started")
