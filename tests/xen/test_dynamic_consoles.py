# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests whose consoles a domain with CONSOLE serves, reached from the control domain, and handed from one to the other."""
import base64
import pathlib
import re

import pytest

import harness
import lcm
from test_dynamic import CONSOLE, CONTROL, HARDWARE, STORE, domid_of, role

# XSM's module, and how often a console is handed between two domains, to and fro.
LAUNCHES = [pytest.param(("dummy", 20), id="dummy"), pytest.param(("flask", 200), id="flask", marks=pytest.mark.long)]
UNITS = "etc/systemd/system"
TRY_UNIT = b"[Service]\nExecStart=/root/try-console-domain\n"
WANTS_TRY = b"[Unit]\nWants=try.service\n"
PROGRAMS = pathlib.Path(harness.ROOT, "tests", "guests", "linux")


def source(module, handoffs):
    run = base64.b64encode(f"/root/try-consoles {handoffs}".encode()).decode()
    return lcm.source(
        lcm.config(xsm_policy="xsm-policy") if module == "flask" else "",
        role(STORE, functions=lcm.XENSTORE, label="hl_xenstore_t", ramdisk="store.cpio.gz", bootargs="quiet"),
        role(CONTROL, lcm.CONTROL, label="hl_control_t", memory='"512M"', mode=lcm.LONG, ramdisk="control-try.cpio.gz",
             bootargs=f"quiet hl.run={run}"),
        role(HARDWARE, lcm.HARDWARE, label="hl_hardware_t", memory='"64M"', kernel="probe", ramdisk=None, bootargs="idle"),
        role(CONSOLE, functions=lcm.CONSOLE, label="hl_console_t", ramdisk="console-try.cpio.gz", bootargs="console=hvc0 quiet"),
        role("web", bootargs="console=hvc0 quiet"))


@pytest.fixture(scope="module", params=LAUNCHES)
def launched(request, tmp_path_factory):
    module, handoffs = request.param
    xen, words = harness.xen_with_xsm(module)
    folder = tmp_path_factory.mktemp("consoles")
    images = harness.built_images()
    harness.ramdisk_with(f"{images}/control-ram.cpio.gz", {"overlay/root/try-consoles": (PROGRAMS / "try-consoles").read_bytes()},
                         folder / "control-try.cpio.gz")
    harness.ramdisk_with(f"{images}/console.cpio.gz",
                         {"root/try-console-domain": (PROGRAMS / "try-console-domain").read_bytes(),
                          f"{UNITS}/try.service": TRY_UNIT, f"{UNITS}/multi-user.target.d/try.conf": WANTS_TRY},
                         folder / "console-try.cpio.gz")
    with harness.booted(f"dynamic-consoles-{module}", source=source(module, handoffs), folder=folder, search=[folder], xen=xen,
                        words=words) as boot:
        boot.wait_log(lambda log: log.state() == "complete", "the launch")
        boot.wait_log(lambda log: log.answer(domid_of(log, CONTROL), 1), "the control domain's answers", 4 * harness.PATIENCE + 10 * handoffs)
        said = boot.log.answer(domid_of(boot.log, CONTROL), 1)[1]
        print(said)
        boot.steps = {name: (int(code), text) for name, text, code in
                      re.findall(r"^step (\w+)\n(.*?)^code (\d+)$", said, re.MULTILINE | re.DOTALL)}
        yield boot


def told_there(launched, what):
    """Lines that the console domain told of that."""
    prefix = f"HL-TRY {what} "
    return [line.removeprefix(prefix) for domid, line in launched.log.guests_said()
            if domid == domid_of(launched.log, CONSOLE) and line.startswith(prefix)]


def test_console_domain_serves_initial_guests(launched):
    """Without privileges, and with tools of its own: it lists, logs and attaches."""
    launched.wait_log(lambda _: told_there(launched, "restarts"), "the console domain's answers")
    web = domid_of(launched.log, "web")
    assert [line for line in told_there(launched, "list") if re.match(rf"{web} +web +serving", line)]
    assert [line for line in told_there(launched, "log") if line.endswith("READY")]
    assert told_there(launched, "attach")
    assert told_there(launched, "active") == ["active"]
    assert told_there(launched, "restarts") == ["0"]


def test_control_domain_reads_the_log_of_a_guest_served_there(launched):
    code, said = launched.steps["serving"]
    assert code == 0, said
    code, said = launched.steps["log"]
    assert code == 0, said


@pytest.mark.parametrize("step", ["attach", "attach_here", "attach_again", "named", "xl", "named_again", "xl_again"])
def test_control_domain_attaches_to_it(launched, step):
    """Served there, then here, and there again; by hlctl, and by xl at the terminal that our own consoled has for it."""
    code, said = launched.steps[step]
    assert code == 0, said


def test_xl_console_outlives_the_consoled_that_relays(launched):
    code, said = launched.steps["killed"]
    assert code == 0, said


@pytest.mark.parametrize("step", ["later", "follow_later", "xl_later"])
def test_guest_of_xl_is_handed_over(launched, step):
    """A terminal that is attached goes on where the console goes."""
    code, said = launched.steps[step]
    assert code == 0, said


def test_guest_of_xl_that_is_served_there_leaves_nothing(launched):
    """The ring that the other domain has mapped would keep it as a zombie."""
    code, said = launched.steps["destroy_later"]
    assert code == 0, said


def test_the_console_is_handed_from_domain_to_domain(launched):
    for step in ("over", "back", "hand_over"):
        code, said = launched.steps[step]
        assert code == 0, said
    assert re.search(rf"/domain/d{domid_of(launched.log, CONTROL)}\D", launched.steps["owner"][1])


def is_interleaved(wanted, one, other):
    """Whether `wanted` begins with these two, each in its own order, and nothing else."""
    places = {0}
    for done, char in enumerate(wanted[:len(one) + len(other)]):
        places = {place + 1 for place in places if place < len(one) and one[place] == char} | {
            place for place in places if done - place < len(other) and other[done - place] == char}
    return bool(places)


def test_no_byte_is_lost_or_doubled_in_hand_offs(launched):
    theirs, own = (launched.steps[step][1].removesuffix("\n") for step in ("theirs", "own"))
    theirs = theirs[theirs.index("n-0"):]
    print(len(theirs), len(own), own[-200:], theirs[-200:])
    assert len(own) > 100 and len(theirs) > 100
    numbers = (len(own) + len(theirs)) // 5
    assert is_interleaved("".join(f"n-{number}\r\n" for number in range(numbers)), theirs, own)


def test_nothing_was_denied(launched):
    """What both domains do for a console, rings and streams, FLASK's policy allows."""
    assert not re.findall(r"avc: +denied.*", launched.log.text)
