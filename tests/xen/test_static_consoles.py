# SPDX-License-Identifier: LGPL-2.1-or-later
"""A launch without a control domain: the domain with CONSOLE serves and logs the guests, from their first output on."""
import os
import re

import pytest

import harness

pytestmark = pytest.mark.long

QUIET = '''bootargs = "console=hvc0 quiet";'''


def source():
    """examples/static-basic, but that the guests' kernels print more than a ring holds before anybody serves them."""
    with open(os.path.join(harness.ROOT, "examples", "static-basic", "launch.dts"), encoding="utf-8") as file:
        text = file.read()
    assert text.count(QUIET) == 2
    return text.replace(QUIET, QUIET.replace(" quiet", ""))


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    with harness.booted("static-consoles", source=source(), folder=tmp_path_factory.mktemp("static")) as boot:
        boot.wait_shell()
        for name in ("web", "db"):
            boot.wait_shell_says(f"hldom console log {name} | grep -q READY")
        yield boot


def test_each_guest_is_served(launched):
    rows = [line.split() for line in launched.shell("hldom console list").splitlines()[1:]]
    assert {row[1]: row[2] for row in rows} == {"web": "serving", "db": "serving"}


@pytest.mark.parametrize("name", ["web", "db"])
def test_log_has_the_first_output(launched, name):
    launched.wait_shell_says(f"hldom console log {name} | head -c 200 | grep -q 'Linux version'")
    log = launched.shell(f"hldom console log {name}").replace("\r", "")
    assert re.match(r"\[ +0\.000000\] Linux version", log), log[:200]
    times = [float(time) for time in re.findall(r"^\[ *(\d+\.\d+)\] ", log[:log.index("READY")], re.MULTILINE)]
    assert len(times) > 50 and times == sorted(times)
    assert log.count("Linux version") == log.count("READY") == 1


def test_units(launched):
    """Without control hyperlaunchd does not run, and what it would do for the logs another unit does."""
    said = launched.shell("systemctl is-active hyperlaunchd hyperlaunch-consoled hyperlaunch-early || true").split()
    assert said == ["inactive", "active", "active"]


def test_it_goes_on_after_consoled_was_killed(launched):
    old = launched.shell("systemctl show --value -p MainPID hyperlaunch-consoled").strip()
    launched.shell(f"kill -9 {old}")
    launched.wait_shell_says("systemctl is-active -q hyperlaunch-consoled && systemctl is-active -q hyperlaunch-early "
                             f"&& [ $(systemctl show --value -p MainPID hyperlaunch-consoled) != {old} ]")
    assert launched.shell("hldom console log web").count("Linux version") == 1
