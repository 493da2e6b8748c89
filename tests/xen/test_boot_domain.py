# SPDX-License-Identifier: LGPL-2.1-or-later
"""The boot domain runs first and alone, starts others in the order of start-after, and is gone; or fails, and says why."""
import re

import pytest

import harness
import lcm

BOOT = 1


CONFIG = "bootdom.conf"


def boot(config=False):
    return lcm.domain("boot", '"4M"', kernel="bootdom", ramdisk=None, bootargs="",
                      more=f"domid = <0x7FF5>; functions = <{BOOT}>; {lcm.module('config', CONFIG) if config else ''}")


def dom0():
    return lcm.dom0('"256M"', ramdisk="guest.cpio.gz", bootargs="console=hvc0 quiet")


def guest(name, words, more=""):
    return lcm.domain(name, '"4M"', kernel="probe", ramdisk=None, bootargs=words, more=more)


def after(*names):
    return "start-after = " + ", ".join(f'"{name}"' for name in names) + ";"


def run(name, folder, until, *domains):
    """The serial log's text of a launch up to there."""
    with harness.booted(name, source=lcm.source(*domains), folder=folder, disk=False) as machine:
        machine.wait_log(lambda log: log.stopped() or until(log), "the launch's end")
        return machine.log.text


def places(text, *lines):
    """Where these lines are, each of which is there once."""
    found = [[match.start() for match in re.finditer(line, text, re.MULTILINE)] for line in lines]
    assert all(len(at) == 1 for at in found), list(zip(lines, found))
    return [at[0] for at in found]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boot")
    (folder / CONFIG).write_text("ready-timeout-ms 20000 # each\n")
    return run("boot-domain", folder,
               lambda log: log.text.count("probe: done") == 4 and "HL-GUEST" in log.text,
               boot(config=True), dom0(), guest("web", "idle", after("db", "cache")), guest("db", "sleep=1000 ready", after("cache")),
               guest("cache", "sleep=200 ready"), guest("later", "idle"))


def test_order_of_start_after(good):
    order = places(good, r"^bootdom: starting cache, d3$", r"\(d3\) .*probe: sleep=200 = ok", r"^bootdom: cache is ready, ",
                   r"^bootdom: starting db, d2$", r"\(d2\) .*probe: sleep=1000 = ok", r"^bootdom: db is ready, ",
                   r"^bootdom: starting web, d1$", r"^bootdom: done$", r"hyperlaunch: complete$",
                   r"\(d4\) .*probe: domid is 4")
    assert order == sorted(order)


def test_others_are_left_to_xen(good):
    assert re.findall(r"^bootdom: starting (\w+),", good, re.MULTILINE) == ["cache", "db", "web"]
    assert "bootdom: failed" not in good


def test_modules_are_checked(good):
    # The kernel of all guests is one module, which each of them has checked.
    assert len(re.findall(r"^bootdom: \S+/kernel: module \d+ has the digest in the LCM$", good, re.MULTILINE)) == 6


# How the domain that another waits for fails, or the configuration; what is said of it, and of whom Xen says it.
FAULTS = {
    "dies": ("sleep=300 die", "", "", r"^bootdom: db: ended \(poweroff\) before it was ready$", "db"),
    "crashes": ("fault", "", "", r"^bootdom: db: ended \(crash\) before it was ready$", "db"),
    "late": ("sleep=60000 ready", "", "ready-timeout-ms 90000\nready-timeout-ms db 700\n",
             r"^bootdom: db: not ready within 700 ms$", "db"),
    "config": ("ready", "", "# of whom?\nready-timeout-ms bd 700\n", r"^bootdom: configuration: line 2: no such domain$",
               "boot"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_failure_is_told_and_ends_in_recovery(fault, tmp_path):
    words, more, config, says, culprit = FAULTS[fault]
    (tmp_path / CONFIG).write_text(config)
    text = run(f"boot-domain-{fault}", tmp_path, lambda log: "HL-GUEST" in log.text,
               boot(bool(config)), dom0(), guest("web", "idle", after("db")), guest("db", words, more))
    order = places(text, says, r"^bootdom: failed$", f"hyperlaunch: error: /chosen/hypervisor/{culprit}: ",
                   r"hyperlaunch: recovery$")
    assert order == sorted(order)
    assert "bootdom: done" not in text
    # Who waited was not started.
    assert "probe: domid is 1\n" not in text
