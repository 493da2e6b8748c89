# SPDX-License-Identifier: LGPL-2.1-or-later
"""A control domain without devices, and xenstored in a domain of its own: Linux in each role, served by the others.

There is no domain 0, which stock xl takes for itself and for who serves all others.
"""
import base64
import json
import pathlib
import re

import pytest

import harness
import lcm

STORE, CONTROL, CONSOLE, HARDWARE = "store", "control", "console", "hw"
HANDOFFS = 20   # of a console between two domains, to and fro
UNITS = "etc/systemd/system"
TRY_UNIT = b"[Service]\nExecStart=/root/try-console-domain\n"
WANTS_TRY = b"[Unit]\nWants=try.service\n"
# What the control domain does when it has reported; it has no port on which it could be asked.
TRIED = r"""
for i in $(seq 60); do
	xl list >/run/xl && [ "$(grep -cE '^(store|control|console|hw|web) ' /run/xl)" = 5 ] && break
	sleep 1
done
cat /run/xl
hlctl handoff web && hlctl handoff console
busctl --system --json=short call org.xenproject.Hyperlaunch1 /org/xenproject/Hyperlaunch1 \
	org.xenproject.Hyperlaunch1.Manager ListJobs
/root/try-xl
/root/try-consoles %d
hldom roles
systemctl is-active xenstored hyperlaunch-consoled hyperlaunchd
""" % HANDOFFS


def role(name, permissions=0, functions=0, **others):
    return lcm.domain(name, more=f"permissions = <{permissions}>; functions = <{functions:#x}>;", **others)


def source(mode):
    """mode: the control domain's.  The hardware domain is a probe, as what it does is not the matter here."""
    run = base64.b64encode(TRIED.encode()).decode()
    return lcm.source(
        role(STORE, functions=lcm.XENSTORE, ramdisk="store.cpio.gz", bootargs="quiet"),
        role(CONTROL, lcm.CONTROL, memory='"512M"', mode=mode, ramdisk="control-try.cpio.gz", bootargs=f"quiet hl.run={run}"),
        role(HARDWARE, lcm.HARDWARE, memory='"64M"', kernel="probe", ramdisk=None, bootargs="idle"),
        role(CONSOLE, functions=lcm.CONSOLE, ramdisk="console-try.cpio.gz", bootargs="console=hvc0 quiet"),
        role("web", bootargs="console=hvc0 quiet"))


def domid_of(log, name):
    return next(domain["domid"] for domain in log.domains() if domain["name"] == name)


@pytest.fixture(scope="module", params=[lcm.LONG, pytest.param(lcm.PV | lcm.LONG, marks=pytest.mark.long)], ids=["pvh", "pv"])
def launched(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dynamic")
    programs = pathlib.Path(harness.ROOT, "tests", "guests", "linux")
    harness.ramdisk_with(harness.built_images() + "/control-ram.cpio.gz",
                         {f"overlay/root/{name}": (programs / name).read_bytes() for name in ("try-xl", "try-consoles")},
                         folder / "control-try.cpio.gz")
    harness.ramdisk_with(harness.built_images() + "/console.cpio.gz",
                         {"root/try-console-domain": (programs / "try-console-domain").read_bytes(),
                          f"{UNITS}/try.service": TRY_UNIT, f"{UNITS}/multi-user.target.d/try.conf": WANTS_TRY},
                         folder / "console-try.cpio.gz")
    with harness.booted("dynamic", source=source(request.param), folder=folder, search=[folder]) as boot:
        def answer(number):
            return boot.log.answer(domid_of(boot.log, CONTROL), number)

        boot.wait_log(lambda log: log.state() == "complete", "the launch")
        boot.wait_log(lambda log: answer(1), "the control domain's answers", 2 * harness.PATIENCE)
        boot.told, boot.tried = harness.report.from_answer(*answer(0)), answer(1)
        print(boot.tried[1])
        boot.steps = {name: (int(code), said) for name, said, code in
                      re.findall(r"^step (\w+)\n(.*?)^code (\d+)$", boot.tried[1], re.MULTILINE | re.DOTALL)}
        yield boot


def test_hlctl_reports_from_a_domain_without_devices(launched):
    assert launched.told["launch"]["state"] == "complete"
    assert launched.told["source"] == "hlctl"
    roles = {domain["name"]: (domain["permissions"], domain["functions"]) for domain in launched.told["domains"]}
    assert roles == {STORE: (0, lcm.XENSTORE), CONTROL: (lcm.CONTROL, 0), HARDWARE: (lcm.HARDWARE, 0),
                     CONSOLE: (0, lcm.CONSOLE), "web": (0, 0)}


def test_stock_xl_sees_each_by_name(launched):
    names = re.findall(r"^(\S+) +(\d+) ", launched.tried[1].partition("step ")[0], re.MULTILINE)
    assert {name: int(domid) for name, domid in names if name in (STORE, CONTROL, HARDWARE, CONSOLE, "web")} == {
        domain["name"]: domain["domid"] for domain in launched.log.domains()}


def test_stock_xl_has_a_configuration_of_each_with_a_ring(launched):
    """Those that hldom introduced, in the store's domain, too: their UUIDs are set by who has control."""
    code, said = launched.steps["all"]
    assert code == 0
    told = json.loads(said[said.index("["):])
    names = {entry["config"]["c_info"]["name"]: entry["config"]["c_info"]["uuid"] for entry in told}
    assert set(names) == {CONTROL, CONSOLE, "web"}
    assert "00000000-0000-0000-0000-000000000000" not in names.values()


def test_control_runs_nothing_of_others(launched):
    """But consoled: the guests that it makes have their consoles here."""
    assert launched.tried[1].rstrip().splitlines()[-4:] == ["control", "inactive", "active", "active"]


def test_console_was_handed_over_and_back(launched):
    web, console = domid_of(launched.log, "web"), domid_of(launched.log, CONSOLE)
    assert f"The console is with domain {web} (web) now; domain {console} had it." in launched.tried[1]
    assert f"The console is with domain {console} ({CONSOLE}) now; domain {web} had it." in launched.tried[1]


@pytest.mark.parametrize("name", [STORE, CONSOLE, "web"])
def test_linux_says_that_it_is_ready(launched, name):
    assert f"d{domid_of(launched.log, name)}: ready" in launched.log.hyperlaunch_lines()


def test_store_introduced_the_control_domain(launched):
    """A PV one waits for it, in Xen, so it runs at all."""
    said = re.findall(r"\(d(\d+)\) .*HL-PART (.*)", launched.log.text)
    assert [(int(domid), line) for domid, line in said if "xenstored serves" in line and '"control": introduced' in line
            ] == [(domid_of(launched.log, STORE), said[0][1])]


def test_console_domain_has_a_shell_on_the_console(launched):
    # The shell's prompt is raw output, which Xen takes from the console's owner alone.
    assert re.search(r"^~ # ", launched.log.text, re.MULTILINE)


def test_stock_xl_makes_a_guest(launched):
    code, said = launched.steps["create"]
    assert code == 0
    # That domain 0 owns the new guest's nodes is refused, and what xl says of it cannot be helped.
    assert [line for line in said.splitlines() if "xenstore set permissions failed on" not in line] == []


def test_the_guest_is_served_by_the_store_and_by_control(launched):
    nodes = launched.steps["nodes"][1]
    assert f'backend-id = "{domid_of(launched.log, CONTROL)}"' in nodes
    assert re.search(r'^ tty = "/dev/pts/\d+"', nodes, re.MULTILINE)


def test_stock_xl_console_reaches_the_guest(launched):
    code, said = launched.steps["talk"]
    assert code == 0, said
    assert re.search(r"^READY", said, re.MULTILINE)


def test_stock_xl_pauses_and_unpauses_the_guest(launched):
    assert [launched.steps[name][0] for name in ("pause", "unpause")] == [0, 0]
    paused, unpaused = (launched.steps[name][1].split()[4] for name in ("paused", "unpaused"))
    assert (paused[2], unpaused[2]) == ("p", "-")


def test_the_guest_reads_its_own_nodes(launched):
    code, said = launched.steps["shrink"]
    assert code == 0, said


def test_stock_xl_destroys_the_guest(launched):
    code, said = launched.steps["destroy"]
    assert (code, said) == (0, "")
    assert not re.search(r"^(late|\(null\)) ", launched.steps["gone"][1], re.MULTILINE)
    left = re.findall(r"^(\d+) = ", launched.steps["left"][1], re.MULTILINE)
    assert sorted(map(int, left)) == sorted(domain["domid"] for domain in launched.log.domains())


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
