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
/root/try-vm
hlctl pause web && hlctl unpause web
hlctl pause --force hw 2>&1
hlctl pause store 2>&1
hlctl shutdown --timeout 200 web
hldom roles
systemctl is-active xenstored hyperlaunch-consoled hyperlaunchd
"""


def role(name, permissions=0, functions=0, label=None, **others):
    """label: FLASK's, if not a guest's."""
    label = f'security-id = "{label}";' if label else ""
    return lcm.domain(name, more=f"permissions = <{permissions}>; functions = <{functions:#x}>; {label}", **others)


def source(mode):
    """mode: the control domain's.  The hardware domain is a probe, as what it does is not the matter here."""
    run = base64.b64encode(TRIED.encode()).decode()
    return lcm.source(
        role(STORE, functions=lcm.XENSTORE, ramdisk="store.cpio.gz", bootargs="quiet"),
        role(CONTROL, lcm.CONTROL, memory='"512M"', mode=mode, ramdisk="control-try.cpio.gz", bootargs=f"quiet hl.run={run}"),
        role(HARDWARE, lcm.HARDWARE, memory='"64M"', kernel="probe", ramdisk=None, bootargs="idle"),
        role(CONSOLE, functions=lcm.CONSOLE, bootargs="console=hvc0 quiet"),
        role("web", bootargs="console=hvc0 quiet"))


def domid_of(log, name):
    return next(domain["domid"] for domain in log.domains() if domain["name"] == name)


@pytest.fixture(scope="module", params=[lcm.LONG, lcm.PV | lcm.LONG], ids=["pvh", "pv"])
def launched(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dynamic")
    linux = pathlib.Path(harness.ROOT, "tests", "guests", "linux")
    harness.ramdisk_with(harness.built_images() + "/control-ram.cpio.gz",
                         {f"overlay/root/{name}": (linux / name).read_bytes() for name in ("try-xl", "try-vm")}, folder / "control-try.cpio.gz")
    with harness.booted("dynamic", source=source(request.param), folder=folder, search=[folder]) as boot:
        def answer(number):
            return boot.log.answer(domid_of(boot.log, CONTROL), number)

        boot.wait_log(lambda log: log.state() == "complete", "the launch")
        boot.wait_log(lambda log: answer(1), "the control domain's answers", 2 * harness.PATIENCE)
        boot.told, boot.tried = harness.report.from_answer(*answer(0)), answer(1)
        print(boot.tried[1])
        boot.steps = {name: (int(code), said) for name, said, code in
                      re.findall(r"^step ([\w-]+)\n(.*?)^code (\d+)$", boot.tried[1], re.MULTILINE | re.DOTALL)}
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


def test_vm_is_made_boots_and_is_made_again_when_it_reboots(launched):
    code, said = launched.steps["vm-create"]
    assert code == 0 and re.fullmatch(r"Domain \d+ \(vm\) is (running|blocked)\.\n", said), said
    assert launched.steps["vm-booted"][0] == 0
    code, said = launched.steps["vm-again"]
    first, second = re.fullmatch(r"(?s).*from (\d+) to (\d+)\n", said).groups()
    assert code == 0 and first != second
    nodes = launched.steps["vm-nodes"][1]
    assert f'backend-id = "{domid_of(launched.log, CONTROL)}"' in nodes


def test_vm_is_destroyed_and_leaves_nothing(launched):
    assert launched.steps["vm-destroy"][0] == 0
    assert not re.search(r"^(vm|\(null\)) ", launched.steps["vm-gone"][1], re.MULTILINE)
    domids = {str(domain["domid"]) for domain in launched.log.domains()}
    for line in launched.steps["vm-left"][1].splitlines():
        path = line.partition(" = ")[0]
        found = re.match(r"/(?:local/domain|libxl|vm)/([^/ ]+)", path)
        assert not found or found[1] in domids or path.startswith("/vm/"), path
        found = re.search(r"/backend/console/(\d+)", path)
        assert not found or found[1] in domids, path
    assert not re.search(r"^[0-9a-f]{8}-", launched.steps["vm-files"][1], re.MULTILINE)


def test_vm_that_is_defined_is_started(launched):
    assert [launched.steps[name][0] for name in ("vm-define", "vm-start", "vm-end")] == [0, 0, 0], launched.steps["vm-start"]


def test_a_control_domain_without_hardware_pauses_and_shuts_down_others(launched):
    """xenstored, in another domain, lets it write what the guest owns."""
    said = launched.tried[1].rpartition("\ncode ")[2]
    web = f"Domain {domid_of(launched.log, 'web')} (web)"
    assert f"{web} is paused.\n" in said and re.search(f"^{re.escape(web)} is (started|ready)\\.$", said, re.MULTILINE)
    assert f"{web} has shut down.\n" in said
    assert "which Xen lets no other domain pause" in said and "with the option Force" in said
