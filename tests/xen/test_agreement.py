# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each fixture of the parser: Xen accepts or refuses it at boot as lcmtool foretells, for the same rule at the same place."""
import os
import re
import time

import pytest

import agreement
import harness
import short_boot

FIXTURES = os.path.join(harness.ROOT, "tests", "data", "lcm")
MOST_MODULES = 62       # after the LCM
RAM = 2 << 30


def listed():
    """{name: modules in its chain} of the fixtures, as the lists of what they mean have it."""
    result = {}
    for file in ("expect.txt", "expect-ok.txt"):
        with open(os.path.join(FIXTURES, file), encoding="utf-8") as lines:
            for line in lines:
                name = re.match(r"(?:launch )?((?:bad|ok)-\S+) ", line)
                modules = re.search(r"--modules=(\d+)", line)
                if name:
                    result[name[1]] = int(modules[1]) if modules else MOST_MODULES
    return result


CHAINS = listed()


def blob(name):
    """The fixture, compiled as the unit tests have it."""
    path = os.path.join(os.environ["HL_BUILD_MAIN"], "tests", "data", "lcm", f"{name}.dtb")
    with open(path, "rb") as file:
        return file.read()


@pytest.fixture(scope="module")
def outcomes(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("agreement")
    (folder / "kernel").write_bytes(agreement.kernel())

    def run(name):
        place = folder / name
        place.mkdir()
        expected_path = short_boot.blob(blob(name), place)
        expected = agreement.foretold(expected_path, CHAINS[name], RAM)
        # To Xen a tree without a launch is a module like any other: there is nothing to compare.
        if expected and expected[0] == "no-hypervisor":
            return None, expected
        log = short_boot.boot(f"agreement-{name}", blob(name), place, [folder / "kernel"] * CHAINS[name], until=agreement.is_decided,
                              ram=RAM)
        return log, expected
    return short_boot.run_all(request, "name", run)


@pytest.mark.parametrize("name", CHAINS)
def test_fixture(outcomes, name):
    log, expected = outcomes[name].result()
    if log is not None:
        agreement.check(log, expected)


def test_tree_without_a_launch_is_nothing_to_xen(tmp_path):
    """It prints nothing about it, and takes it for a kernel, as without Hyperlaunch."""
    (tmp_path / "kernel").write_bytes(agreement.kernel())
    path = short_boot.blob(blob("bad-no-hypervisor"), tmp_path)
    assert agreement.foretold(path, 1, RAM)[0] == "no-hypervisor"
    with harness.booted("agreement-none", [(path, ""), (str(tmp_path / "kernel"), "")], disk=False, ram=RAM, cpus=1,
                        log=os.path.join(tmp_path, "serial.log"), panics=True) as machine:
        # That is how stock Xen refuses a dom0.
        machine.machine.wait(machine.log.stopped, time.monotonic() + harness.PATIENCE, "Xen's end")
    assert machine.log.hyperlaunch_lines() == []


def test_fixtures_are_of_each_kind(outcomes):
    """Else the comparison would say little."""
    if len(outcomes) == len(CHAINS):
        ended = {agreement.said(log) is None for log, _ in (future.result() for future in outcomes.values()) if log}
        assert ended == {True, False}
