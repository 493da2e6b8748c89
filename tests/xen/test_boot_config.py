# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the boot domain may set on domains that have not started, and what Xen refuses to it."""
import re

import pytest

import lcm
import short_boot

HW, WAITING, HELD, CRASH, STARTED = range(1, 6)
BOOT = 0x7fef
UNKNOWN = 99
RAW = re.compile(r"^probe: (\S+) = (\S+)$", re.MULTILINE)
SETTINGS = ("pin=0", "weight=300", "cap=50", "limit=16384")
MEMORY_KIB = 8 << 10
CPUS = 1


def probe(name, domid, words="idle", roles="", memory='"8M"'):
    return lcm.domain(name, memory, kernel=1, ramdisk=None, bootargs=words, more=f"domid = <{domid:#x}>; {roles}")


def launch(words):
    """A boot domain that does these words, and the domains they are about."""
    return lcm.source(
        probe("boot", 0x7ff5, words, "functions = <1>;"),
        probe("hw", HW, roles=f"permissions = <3>; functions = <{lcm.CONSOLE}>;", memory='"64M"'),
        probe("waiting", WAITING), probe("held", HELD, roles="hold;"), probe("crash", CRASH, roles="functions = <2>;"),
        probe("started", STARTED))


# Of whom the words of a case are, what comes before them, and how Xen answers each.
CASES = {
    "waiting": (WAITING, "", ["ok"] * 4),
    "held": (HELD, "", ["ok"] * 4),
    "hardware": (HW, "", ["ok"] * 3 + ["EINVAL"]),       # it has more than that
    "crash": (CRASH, "", ["EPERM"] * 4),
    "itself": (BOOT, "", ["EPERM"] * 4),
    "unknown": (UNKNOWN, "", ["ESRCH"] * 4),
    "started": (STARTED, f"unpause={STARTED}", ["EPERM"] * 4),
}


@pytest.fixture(scope="module")
def answers(request, images, tmp_path_factory):
    def run(case):
        domid, before, _ = CASES[case]
        folder = tmp_path_factory.mktemp(case)
        log = short_boot.boot(f"boot-config-{case}", launch(f"{before} other={domid} {' '.join(SETTINGS)} boot-done"), folder,
                              [f"{images}/probe"])
        assert short_boot.outcome(log) == "complete"
        return dict(RAW.findall(log.text))
    return short_boot.run_all(request, "case", run)


@pytest.mark.parametrize("case", CASES)
def test_by_domain(case, answers):
    said = answers[case].result()
    assert [said[word] for word in SETTINGS] == CASES[case][2]


# A limit below what the domain has, a CPU and a cap that there are not.
LIMITS = {f"limit={MEMORY_KIB - 4}": "EINVAL", "limit=0": "EINVAL", f"limit={MEMORY_KIB + 64}": "ok",
          f"limit={(1 << 64) - 1}": "ok", "pin=1": "EINVAL", "pin=1023": "EINVAL", "cap=100": "ok", "cap=101": "EINVAL",
          "cap=0": "ok", "weight=1": "ok"}


def test_limits(images, tmp_path):
    log = short_boot.boot("boot-config-limits", launch(f"other={WAITING} {' '.join(LIMITS)} boot-done"), tmp_path, [f"{images}/probe"])
    assert short_boot.outcome(log) == "complete"
    said = dict(RAW.findall(log.text))
    assert {word: said[word] for word in LIMITS} == LIMITS


# The reference boot domain's file, and what it prints where Xen does not take a line.
REFUSED = {
    "crash": ("weight waiting 300\n\nweight crash 300\n", "line 3: crash: weight: EPERM"),
    "itself": ("cap boot 10\n", "line 1: boot: cap: EPERM"),
    "limit": ("# too small\nmemory-limit waiting 4M\n", "line 2: waiting: memory-limit: EINVAL"),
    "cpu": ("hard-affinity waiting all 0-1\n", "line 1: waiting: hard-affinity: some of these CPUs are not available"),
    "no-cpu": ("hard-affinity waiting 0 7\n", "line 1: waiting: hard-affinity: EINVAL"),
    "cap": ("cap waiting 101\n", "line 1: waiting: cap: EINVAL"),
    "word": ("weight waiting\n", "line 1: too few words"),
}
TAKEN = ("hard-affinity waiting 0 0\nsoft-affinity waiting all 0\nweight waiting 300\ncap waiting 50\nmemory-limit waiting 16M\n"
         "weight held 2\n")


def configured():
    """A launch whose boot domain is the reference one."""
    return lcm.source(
        lcm.domain("boot", '"4M"', kernel=2, ramdisk=None, bootargs="",
                   more=f"domid = <0x7ff5>; functions = <1>; {lcm.module('config', 3)}"),
        probe("hw", HW, roles=f"permissions = <3>; functions = <{lcm.CONSOLE}>;", memory='"64M"'),
        probe("waiting", WAITING), probe("held", HELD, roles="hold;"), probe("crash", CRASH, roles="functions = <2>;"))


def boot_with(name, text, images, folder, **others):
    (folder / "bootdom.conf").write_text(text)
    return short_boot.boot(f"boot-config-{name}", configured(), folder,
                           [f"{images}/probe", f"{images}/bootdom", folder / "bootdom.conf"], **others)


@pytest.mark.parametrize("name", REFUSED)
def test_a_line_that_xen_refuses_fails_the_launch(name, images, tmp_path):
    text, says = REFUSED[name]
    log = boot_with(f"refused-{name}", text, images, tmp_path)
    assert f"bootdom: configuration: {says}\nbootdom: failed\n" in log.text
    assert short_boot.outcome(log) == "recovery"
    assert [error["node"] for error in log.errors()] == [f"{short_boot.NODE}/boot"]
    assert not re.search(f"hyperlaunch: d({HW}|{WAITING}|{HELD}): started", log.text)


@pytest.mark.parametrize("scheduler", ["credit2", "credit"])
def test_all_lines_are_taken(scheduler, images, tmp_path):
    log = boot_with(f"taken-{scheduler}", TAKEN, images, tmp_path, words=f"sched={scheduler}")
    assert "bootdom: configuration: 6 settings applied\n" in log.text
    assert short_boot.outcome(log) == "complete"
