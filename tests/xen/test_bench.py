# SPDX-License-Identifier: LGPL-2.1-or-later
"""The benchmarks work, and what that of launches rests on holds; their figures are in tests/bench/README.md."""
import hashlib
import json
import os
import re
import subprocess
import sys

import pytest

import harness

BENCH = os.path.join(harness.ROOT, "tests", "bench")
sys.path.insert(0, BENCH)

from bench_boot import BenchError, Boots  # noqa: E402
from bench_log import Log  # noqa: E402
from bench_measure import many  # noqa: E402
from bench_setups import Setups  # noqa: E402

pytestmark = pytest.mark.release


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "figures.json"
    done = subprocess.run([f"{BENCH}/launch", "--quick", "--json", path], stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0
    return json.loads(path.read_text())


@pytest.mark.long
def test_each_number_of_guests_was_started_both_ways(figures):
    assert figures["numbers"] == [1, 2]
    for number in ("1", "2"):
        ours = figures["launch"][number]
        for peer in figures["xl"][number].values():
            # The peer's guests start when its toolstack is ready, ours when Xen is.
            assert 0 < ours["started"] < peer["ready"] < peer["started"] < peer["up"]
            assert peer["cpu_per_guest"] > figures["guest"]["cost"]
        assert ours["started"] < ours["up"]


@pytest.mark.long
def test_every_target_is_told(figures):
    assert len(figures["targets"]) == 9
    assert all(target["value"] > 0 for target in figures["targets"])


@pytest.mark.long
def test_phases_are_all_of_xens_time(figures):
    assert all(seconds > 0 for _, seconds in figures["phases"])
    # The guests of that boot are more than those of the smallest launch.
    assert sum(seconds for _, seconds in figures["phases"]) > figures["launch"]["1"]["started"]


def run_json(tmp_path, program, *words):
    """The figures of a benchmark, which has reached all targets."""
    done = subprocess.run([f"{BENCH}/{program}", *words, "--require", "--json", tmp_path / "figures.json"], stdout=subprocess.PIPE, text=True,
                          check=False)
    print(done.stdout)
    assert done.returncode == 0
    return json.loads((tmp_path / "figures.json").read_text())


@pytest.mark.long
def test_hand_off_of_a_console_is_short(tmp_path):
    figures = run_json(tmp_path, "handoff", "--handoffs", "10")
    # The guest did wait, or it was not printing.
    assert len(figures["waits"]) == 5 and max(figures["waits"]) > 0


@pytest.mark.long
def test_consoles_of_many_guests(tmp_path):
    figures = run_json(tmp_path, "consoles", "--domains", "10", "--printing", "4")
    assert len(figures["printed"]) == 4 and figures["whole"] == 16


@pytest.mark.long
def test_vms_after_boot(tmp_path):
    figures = run_json(tmp_path, "vms", "--pairs", "3", "--domains", "20", "--cycles", "20")
    assert len(figures["seconds"]["xl"]) == 3 and sum(figures["cycles"]) == 20


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    return many(Setups(Boots(tmp_path_factory.mktemp("short"))), 1).text


def test_a_boot_again_says_the_same_to_the_byte(tmp_path, short):
    again = many(Setups(Boots(tmp_path)), 1).text
    # A log ends wherever it was when somebody looked, after what was waited for.
    both = min(len(again), len(short))
    assert "hyperlaunch: complete" in short[:both]
    assert again[:both] == short[:both]


def told_digests(text):
    return re.findall(r"hyperlaunch: module \d: \d+ bytes, sha256 ([0-9a-f]{64})", text)


def test_digests_are_the_same_by_instructions_for_them(tmp_path, short):
    setups = Setups(Boots(tmp_path, cpu="+sha-ni,+ssse3,+sse4.1"))
    fast = many(setups, 1)
    files = (setups.image(name) for name in ("vmlinuz", "toolstack.cpio.gz", "guest.cpio"))
    assert told_digests(short) == [hashlib.sha256(open(name, "rb").read()).hexdigest() for name in files]
    assert told_digests(fast.text) == told_digests(short)
    # They were used: all of Xen's start is shorter.
    assert fast.started() < 0.9 * Log(short).started()


def test_a_boot_that_fails_is_told(tmp_path):
    setups = Setups(Boots(tmp_path))
    with pytest.raises(BenchError, match="the boot failed"):
        # More than the machine has.
        setups.launched("too-much", 31, ram_mib=1024)
