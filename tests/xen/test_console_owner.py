# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Xen console's owner when it ends, lends, or is another domain of the same number; and what a release and a role are then."""
import re

import pytest

import harness
import lcm
import short_boot

CONTROL, HARDWARE = lcm.CONTROL, lcm.HARDWARE
A, B, C, D = 1, 2, 3, 4
NONE = -1


def probe(name, domid, words, roles="", memory='"8M"'):
    return lcm.domain(name, memory, kernel=1, ramdisk=None, bootargs=words, more=f"domid = <{domid:#x}>; {roles}")


def has(permissions=0, functions=0):
    return f"permissions = <{permissions}>; functions = <{functions:#x}>;"


def owner_says(log, words):
    """Whether a domain that owns the console printed that: nothing stands before it."""
    return re.search(rf"^probe: {words}$", log.text, re.MULTILINE)


def rows(log):
    """[(word, result)] of all probes, as they came."""
    return re.findall(r"probe: (\S+) = (\S+)$", log.text, re.MULTILINE)


@pytest.fixture
def boot(images, tmp_path):
    def run(name, until, *domains, **others):
        return short_boot.boot(name, lcm.source(*domains), tmp_path, [f"{images}/probe"], until, **others)
    return run


# An owner's end, and whether it is one where a control domain is there, or none.
REASONS = {"die": (True, True), "crash": (True, True), "reboot": (True, True), "suspend": (False, True)}


@pytest.mark.parametrize("reason", REASONS)
def test_console_of_an_owner_that_ends_in_a_static_launch(boot, reason):
    """No domain may take it away or destroy the owner: Xen gives it to the next one."""
    boot(f"owner-{reason}", lambda log: owner_says(log, r"chatter is \d+"),
         probe("hw", A, "chatter=200 echo", has(HARDWARE), '"64M"'), probe("con", B, f"sleep=300 {reason}", has(0, lcm.CONSOLE)))


@pytest.mark.parametrize("reason", REASONS)
def test_console_of_an_owner_that_ends_in_a_dynamic_launch(boot, reason):
    """A control domain can resume one that is suspended: it stays the owner until it is destroyed."""
    log = boot(f"dynamic-owner-{reason}", lambda log: "probe: count is 2" in log.text,
               probe("hw", A, "idle", has(HARDWARE), '"64M"'), probe("con", B, f"sleep=300 {reason}", has(0, lcm.CONSOLE)),
               probe("ctl", C, "sleep=2500 count=1 destroy=2 count=2", has(CONTROL)))
    says = "\n".join(line for line in log.text.splitlines() if "probe: count is" in line)
    first, *others = says.splitlines()
    assert first.startswith("probe: ") == REASONS[reason][0]
    assert all(line.startswith("probe: ") for line in others)


def test_console_is_not_given_to_a_domain_that_is_shut_down(boot):
    log = boot("owner-down", lambda log: "probe: count is 1" in log.text,
               probe("ctl", A, "sleep=1500 set-console=3 count=1", has(CONTROL | HARDWARE), '"64M"'), probe("down", C, "die"))
    assert ("set-console=3", "ENXIO") in rows(log)
    assert owner_says(log, "count is 1")


def test_next_candidate_that_is_shut_down_is_passed_over(boot):
    boot("owner-next", lambda log: owner_says(log, r"chatter is \d+"),
         probe("hw", A, "chatter=200 echo", has(HARDWARE), '"64M"'), probe("con", B, "sleep=1500 die", has(0, lcm.CONSOLE)),
         probe("ctl", C, "die", has(CONTROL)))


def test_crash_domain_that_has_crashed_is_none(boot):
    """The boot domain started it, as it has another function, too."""
    log = boot("crashed-crash", lambda log: log.stopped(),
               probe("boot", 0x7ff5, f"unpause={B} sleep=800 boot-failed", has(0, 1)), probe("hw", A, "idle", has(HARDWARE), '"64M"'),
               probe("crash", B, "crash", has(0, lcm.CRASH | lcm.CONSOLE)))
    assert log.state() == "failed"


def test_hardware_domain_that_ends_while_the_boot_domain_runs(boot):
    """Its end is the host's, as ever; nothing else starts."""
    log = boot("hardware-ends", lambda log: "halting machine" in log.text,
               probe("boot", 0x7ff5, f"unpause={A} spin", has(0, 1)), probe("hw", A, "die", has(HARDWARE), '"64M"'),
               probe("guest", B, "idle"))
    assert log.state() == "preparing"
    assert not re.search(rf"hyperlaunch: d{B}: started", log.text)


def test_boot_timeout_of_zero_is_none(boot):
    """And the boot domain's end ends no timer that never was."""
    log = boot("no-timeout", short_boot.is_over, "boot-timeout-ms = <0>;", probe("boot", 0x7ff5, "sleep=200 boot-done", has(0, 1)),
               probe("hw", A, "idle", has(HARDWARE), '"64M"'))
    assert log.state() == "complete"


def test_roles_of_a_domain_that_is_gone(boot):
    log = boot("gone-roles", lambda log: log.text.count("probe: hardware is") == 2,
               probe("ctl", A, "roles destroy=2 destroy=3 destroy=4 create=2 roles", has(CONTROL | HARDWARE), '"64M"'),
               probe("con", B, "idle", has(0, lcm.CONSOLE)), probe("store", C, "idle", has(0, lcm.XENSTORE)),
               probe("crash", D, "idle", has(0, lcm.CRASH)))
    told = re.findall(r"hardware is (-?\d+), crash is (-?\d+), console is (-?\d+), xenstore is (-?\d+)", log.text)
    assert [tuple(map(int, line)) for line in told] == [(A, D, B, C), (A, NONE, NONE, NONE)]
    assert ("create=2", "ok") in rows(log)


def test_release_is_of_the_launchs_own_hold(boot):
    """A toolstack that has paused the domain as well keeps its pause, however often it is released."""
    log = boot("release-twice", lambda log: "probe: done" in log.text and "d2: started" in log.text,
               probe("ctl", A, "pause=2 release=2 release=2 sleep=300 count=1 unpause=2", has(CONTROL | HARDWARE), '"64M"'),
               probe("held", B, "idle", "hold;"))
    assert [result for word, result in rows(log) if word == "release=2"] == ["ok", "EBUSY"]
    assert log.text.index("count is 1") < log.text.index("d2: started")


def test_ready_does_not_wait_for_another_sysctl(boot):
    """A guest that never sleeps, so that it needs no timer of the CPU on which the long one runs."""
    log = boot("ready-sysctl", lambda log: "long-sysctl=50000 =" in log.text,
               probe("ctl", A, "sleep=300 long-sysctl=50000", has(CONTROL | HARDWARE), '"64M"'), probe("guest", B, "ready " * 4000),
               cpus=2)
    during = log.text.split("long-sysctl begins", 1)[1].split("long-sysctl=50000 =", 1)[0]
    assert during.count("probe: ready = ok") > 2


def test_port_of_a_closed_console_is_no_console(boot):
    log = boot("reused-port", lambda log: "move-console=1 =" in log.text,
               probe("ctl", A, "sleep=1500 other=2 move-console=1", has(CONTROL | HARDWARE), '"64M"'),
               probe("guest", B, "other=1 reuse-console"))
    assert ("reuse-console", "ok") in rows(log)
    assert ("move-console=1", "ENOENT") in rows(log)



def test_heir_that_dies_leaves_nothing_to_its_number(boot, images, tmp_path):
    """The console waits for its owner to read; meanwhile the domain that is to get it goes, and another one has its number."""
    source = lcm.source(
        probe("ctl", A, "sleep=2500 set-console=3 destroy=3 create=3 sleep=3000 roles", has(CONTROL | HARDWARE), '"64M"'),
        probe("con", B, "idle", has(0, lcm.CONSOLE)), probe("heir", C, "idle"))
    with harness.booted("heir", [(short_boot.blob(source, tmp_path), ""), (f"{images}/probe", "")], disk=False, ram=short_boot.RAM, cpus=1) as machine:
        machine.wait_log(short_boot.is_over, "the launch's end")
        machine.machine.type("left\n")
        machine.wait_log(lambda log: "owner is" in log.text, "the roles")
    assert {("set-console=3", "EAGAIN"), ("destroy=3", "ok"), ("create=3", "ok")} <= set(rows(machine.log))
    assert f"owner is {B}" in machine.log.text


# What the control domain does, what the domain with the CONSOLE function, and a guest; whether the control domain, which prints
# its one line at last, has the console then.
LOANS = {
    "returns": ("set-console=1 loan=500 set-console=3 sleep=3500", "idle", "idle", True),
    "to-the-lender": ("loan=500 set-console=3 sleep=3500", "idle", "idle", False),
    "for-good": ("set-console=1 loan=1500 set-console=3 loan=0 set-console=3 sleep=4500", "idle", "idle", False),
    "again": ("set-console=1 loan=1000 set-console=3 loan=60000 set-console=3 sleep=3500", "idle", "idle", False),
    "lent-on": ("set-console=1 loan=60000 set-console=3 loan=500 set-console=2 sleep=3500", "idle", "idle", True),
    "given-back": ("set-console=1 loan=2000 set-console=3 set-console=1 loan=0 set-console=3 sleep=4500", "idle", "idle", False),
    "to-itself": ("set-console=1 loan=500 set-console=1 sleep=2500", "idle", "idle", True),
    "kept": ("set-console=1 loan=3000 set-console=3 sleep=7000", "idle", "sleep=1500 set-console=3 loan=90000 set-console=3", True),
    "given-on": ("set-console=1 loan=3000 set-console=3 sleep=7000", "idle", "sleep=1500 set-console=2", True),
    "holder-ends": ("set-console=1 loan=90000 set-console=3 sleep=5000", "idle", "sleep=1500 die", True),
    "holder-destroyed": ("set-console=1 loan=90000 set-console=3 destroy=3 sleep=1000", "idle", "idle", True),
    "lender-gone": ("loan=1500 set-console=3 destroy=2 sleep=5000", "idle", "idle", True),
    "lender-ends": ("sleep=500 loan=3000 set-console=3 sleep=7000", "sleep=1500 die", "idle", True),
}


@pytest.mark.parametrize("name", LOANS)
def test_console_is_lent(boot, name):
    control, console, guest, returns = LOANS[name]
    log = boot(f"loan-{name}", lambda log: "probe: count is 1" in log.text,
               probe("ctl", A, f"{control} count=1", has(CONTROL | HARDWARE), '"64M"'),
               probe("con", B, console, has(0, lcm.CONSOLE)), probe("guest", C, guest))
    assert not [row for row in rows(log) if row[0].startswith(("set-console", "destroy")) and row[1] != "ok"]
    assert bool(owner_says(log, "count is 1")) == returns


def test_loan_outlives_the_domain_that_asked_for_it(boot):
    """The timer is Xen's; the hardware domain prints, and had the console."""
    log = boot("loan-asker-gone",
               lambda log: re.search(r"\(d1\) .*probe: chatter(?s:.*)^probe: chatter", log.text.split("set-console=3 = ok", 1)[-1],
                                     re.MULTILINE),
               probe("hw", A, "chatter=200 echo", has(HARDWARE), '"64M"'),
               probe("ctl", B, "set-console=1 sleep=700 loan=1500 set-console=3 die", has(CONTROL)), probe("guest", C, "idle"))
    assert ("set-console=3", "ok") in rows(log)
