# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is installed beside the program: bus policy, polkit actions, the unit."""

import re
import subprocess
import xml.etree.ElementTree as ET

import pytest

from conftest import IS_ROOT, NAME, ROOT, start_as_nobody

UNITS = ROOT / "units"
OWN = """
import sys, dbus.bus
try:
    print(dbus.bus.BusConnection(sys.argv[1]).request_name(sys.argv[2]))
except dbus.DBusException as error:
    print(error.get_dbus_name())
"""


@pytest.mark.skipif(not IS_ROOT, reason="needs a second user")
def test_only_root_may_have_the_name(bus_address):
    taking = start_as_nobody(["python3", "-c", OWN, bus_address, NAME])
    output, _ = taking.communicate(timeout=60)
    assert output.strip() == "org.freedesktop.DBus.Error.AccessDenied"
    done = subprocess.run(["python3", "-c", OWN, bus_address, NAME], capture_output=True,
                          text=True, timeout=60, check=True)
    assert done.stdout.strip() == "1"


def test_actions_are_those_of_the_code():
    actions = {a.get("id") for a in
               ET.parse(UNITS / "polkit" / f"{NAME}.policy").getroot().iter("action")}
    used = set()
    for source in (ROOT / "daemon").rglob("*.h"):
        used |= set(re.findall(rf'BUS_ACTION_\w+\s+"({NAME}[.\w-]+)"', source.read_text()))
    assert actions == used and used


def test_actions_are_not_for_everybody():
    for default in ET.parse(UNITS / "polkit" / f"{NAME}.policy").getroot().iter("defaults"):
        assert all(value.text.startswith("auth_admin") for value in default)


# What the hotplug scripts of disks and NICs need, and QEMU.
EXPOSURE = {"hyperlaunch-vmd-devices@.service": 4.0, "hyperlaunch-vmd-qemu@.service": 4.0}
NAMES = sorted(path.name.removesuffix(".in") for path in (UNITS / "systemd").glob("*.service.in"))


def unit(place, name):
    text = (UNITS / "systemd" / f"{name}.in").read_text()
    path = place / name
    path.write_text(re.sub("@s?bindir@/(hyperlaunchd|hyperlaunch-consoled|hyperlaunch-vmd|hldom|hlctl)", "/bin/true", text))
    # What it needs is looked for beside it.
    for socket in (UNITS / "systemd").glob("*.socket"):
        (place / socket.name).write_text(socket.read_text())
    return path


@pytest.mark.parametrize("name", NAMES)
def test_unit_is_hardened(place, name):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={round(EXPOSURE.get(name, 1.0) * 10)}",
                           "--no-pager", unit(place, name)], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Overall exposure level" in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_unit_is_valid(place, name):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit(place, name)],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_activation_goes_through_the_unit():
    text = (UNITS / "dbus" / f"{NAME}.service").read_text()
    service = re.search(r"^SystemdService=(.*)$", text, re.M).group(1)
    assert f"Alias={service}\n" in (UNITS / "systemd" / "hyperlaunchd.service.in").read_text()
    assert f"BusName={NAME}\n" in (UNITS / "systemd" / "hyperlaunchd.service.in").read_text()
    assert f"Name={NAME}\n" in text


def test_every_error_says_what_to_do():
    """One table of errors, each with a name of its own and a sentence."""
    text = (ROOT / "daemon" / "bus" / "error.c").read_text()
    table = text[text.index("} errors["):text.index("int bus_error_set(")]
    rows = re.findall(r'\[(BUS_ERROR_\w+)\]\s*=\s*\{\s*(?:OURS "(\w+)"|(SD_BUS_ERROR_\w+)),\s*"(.*?)"\s*\}',
                      table, re.S)
    declared = re.findall(r"^\t(BUS_ERROR_\w+)", (ROOT / "daemon" / "bus" / "error.h").read_text(),
                          re.M)
    assert [r[0] for r in rows] == declared
    assert len({r[1] or r[2] for r in rows}) == len(rows)
    for _, ours, theirs, advice in rows:
        assert advice.endswith(".") or theirs == "SD_BUS_ERROR_INVALID_ARGS", ours
