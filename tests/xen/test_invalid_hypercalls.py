# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that must not be: by a boot domain, by a guest without a role, and by who may do everything."""
import re

import pytest

import harness
import lcm
import short_boot

HW, PLAIN, HELD, CRASH, DYING, TAKER = range(1, 7)
BOOT = 0x7fef
UNKNOWN = 99
RAW = re.compile(r"^probe: (\S+) = (\S+)$", re.MULTILINE)
BOOT_WORDS = (f"unpause={CRASH} unpause={BOOT:#x} unpause={HELD} unpause={UNKNOWN} unpause={PLAIN} unpause={PLAIN} release={HELD} "
              f"set-console={HW} boot-done boot-done")
CONTROL_WORDS = (f"wild-ops release={CRASH} release={UNKNOWN} set-console={UNKNOWN} set-console={CRASH} keep-page={DYING} "
                 f"destroy={DYING} set-console={DYING} unpause={DYING} release={DYING} boot-done boot-failed destroy=self "
                 f"set-console={TAKER} count=1 destroy={TAKER} count=2")
READS, READ_WITH_INDEX, READ_LCM = range(1, 6), (2, 3, 5), 4
READY, DONE, GIVE_UP, SET_CONSOLE, MOVE, RELEASE, READ_CONSOLE, ADOPT = range(6, 14)


def probe(name, domid, words, roles="", memory='"8M"'):
    return lcm.domain(name, memory, kernel=1, ramdisk=None, bootargs=words, more=f"domid = <{domid:#x}>; {roles}")


def launch(boot_words=BOOT_WORDS):
    return lcm.source(
        probe("boot", 0x7ff5, boot_words, "functions = <1>;"),
        probe("hw", HW, f"sleep=1500 {CONTROL_WORDS}", "permissions = <3>; functions = <4>;", '"64M"'),
        probe("plain", PLAIN, "wild-ops odd-ops boot-done set-console=self release=self"), probe("held", HELD, "idle", "hold;"),
        probe("crash", CRASH, "idle", "functions = <2>;"), probe("dying", DYING, "idle"), probe("taker", TAKER, "sleep=60000"))


def is_over(log):
    return log.stopped() or (
        "probe: done" in log.text.split("hyperlaunch: complete", 1)[-1].splitlines()
        and any(int(domid) == PLAIN and not row for domid, row, _ in harness.PROBED.findall(log.text)))


@pytest.fixture(scope="module")
def log(images, tmp_path_factory):
    return short_boot.boot("wrong-calls", launch(), tmp_path_factory.mktemp("calls"), [f"{images}/probe"], is_over)


@pytest.fixture(scope="module")
def said(log):
    """{domid: {word: result}}; the boot domain and the control domain have the console in turn."""
    before, after = log.text.split("hyperlaunch: finalizing", 1)
    found = {BOOT: RAW.findall(before), HW: RAW.findall(after)}
    for domid, row, result in harness.PROBED.findall(log.text):
        if row:
            found.setdefault(int(domid), []).append((row, result))
    return {domid: dict(rows) for domid, rows in found.items()}


def test_boot_domain(said):
    assert said[BOOT] == {
        f"unpause={CRASH}": "EPERM", f"unpause={BOOT:#x}": "EPERM", f"unpause={HELD}": "EPERM", f"unpause={UNKNOWN}": "ESRCH",
        # The second time it runs already.
        f"unpause={PLAIN}": "EPERM", f"release={HELD}": "EPERM", f"set-console={HW}": "EPERM"}


def test_done_is_done(log):
    """It does not live to say it again, and the launch ends once."""
    assert log.hyperlaunch_lines().count("complete") == 1
    assert "boot-done" not in log.text.split("hyperlaunch: finalizing", 1)[0].split("probe: set-console", 1)[1]
    states = {domain["name"]: domain["state"] for domain in log.domains()}
    assert states == {"boot": "reclaimed", "hw": "started", "plain": "started", "held": "held", "crash": "paused",
                      "dying": "reclaimed", "taker": "reclaimed"}


def wild(name):
    """Of those who may: what each sub-op says to each wild input."""
    op, kind = int(name.split("-")[1]), name.split("-", 2)[2]
    reads = op in READS
    if kind.startswith("version"):
        return "EACCES"
    if kind == "pad" or not 1 <= op <= ADOPT or (kind == "index" and op in (1, READ_LCM, READY, DONE)):
        return "EINVAL"
    if op == READ_CONSOLE:
        return "ESRCH"          # no domain 0
    if kind == "offset" or not reads:
        return "EINVAL"
    if kind == "index":
        return "EINVAL" if op == 5 else "ENOENT"
    if op == 3:
        return "ENOENT"         # module 0 is the LCM itself
    if kind.startswith("buffer"):
        return "EFAULT"
    if kind == "size-1":
        return "ENOBUFS" if op < 4 else "ok"
    return "ok"


def test_wild_calls_of_a_control_domain(said):
    found = {name: result for name, result in said[HW].items() if name.startswith("wild-")}
    calls = {name: result for name, result in found.items() if not name.startswith("wild-sysctl")}
    assert len(calls) == 15 * 11
    assert calls == {name: wild(name) for name in calls}
    assert [found[f"wild-sysctl-{i}"] for i in range(4)] == ["EFAULT"] * 4


def test_wild_calls_of_a_plain_guest(said):
    found = {name: result for name, result in said[PLAIN].items() if name.startswith("wild-")}
    assert len(found) == 15 * 11 + 4
    for name, result in found.items():
        ready = name.startswith(f"wild-{READY}-")
        expected = ("EFAULT" if name.startswith("wild-sysctl") else "EACCES" if "-version" in name
                    else "EINVAL" if ready else "EPERM")
        assert (name, result) == (name, expected)
    assert {said[PLAIN][word] for word in ("boot-done", "set-console=self", "release=self")} == {"EPERM"}


def test_console_goes_to_nobody_who_can_not_have_it(said):
    assert said[HW][f"set-console={UNKNOWN}"] == "ESRCH"
    assert said[HW][f"set-console={CRASH}"] == "ENXIO"
    assert (said[HW][f"keep-page={DYING}"], said[HW][f"destroy={DYING}"]) == ("ok", "ok")
    assert said[HW][f"set-console={DYING}"] == said[HW][f"release={DYING}"] == "ESRCH"
    assert said[HW][f"unpause={DYING}"] == "EINVAL"


def test_console_returns_from_who_ends(log):
    """Its owner's lines are as they are; all others' have a prefix."""
    after = log.text.split(f"probe: set-console={TAKER} = ok", 1)[1]
    assert re.search(rf"\(d{HW}\).* probe: count is 1$", after, re.MULTILINE)
    assert re.findall(r"^probe: count is \d$", after.split(f"destroy={TAKER}", 1)[1], re.MULTILINE) == [
        "probe: count is 1", "probe: count is 2"]


def test_what_a_control_domain_can_not_do(said):
    assert said[HW][f"release={CRASH}"] == "EBUSY"      # it is not held
    assert said[HW][f"release={UNKNOWN}"] == "ESRCH"
    assert said[HW]["boot-done"] == said[HW]["boot-failed"] == "EPERM"
    assert said[HW]["destroy=self"] == "EINVAL"
