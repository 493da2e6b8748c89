# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may read the LCM; everybody may read the rest."""

import os
import subprocess
import sys
import time

import pytest

from conftest import (ACCESS_DENIED, HOST, IS_ROOT, MANAGER, NAME, PATH, as_nobody, call_as_nobody, get_lcm_as_nobody,
                      start_as_nobody, wait_until)

ACTION = "org.xenproject.Hyperlaunch1.inspect-sensitive"


def denied(bus_address):
    """Somebody without rights asks for the LCM and gets this error text."""
    process = get_lcm_as_nobody(bus_address)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert ACCESS_DENIED in errors, errors
    return errors


def allowed(bus_address):
    process = get_lcm_as_nobody(bus_address)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and "handle" in output, errors


@pytest.mark.skipif(not IS_ROOT, reason="needs root")
def test_root_needs_no_polkit(launch, client):
    launch()
    os.close(client.call("GetLCM", "s", "dtb").take())


def test_without_polkit_nobody_else(launch, bus_address):
    launch()
    text = denied(bus_address)
    assert "polkit cannot be asked" in text and "root" in text


def test_polkit_denies(launch, polkit, bus_address):
    launch()
    polkit()
    assert "polkit does not allow it" in denied(bus_address)


def test_polkit_allows(launch, polkit, bus_address):
    launch()
    polkit().SetAllowed([ACTION])
    allowed(bus_address)


def test_polkit_allows_another_action(launch, polkit, bus_address):
    launch()
    polkit().SetAllowed([ACTION + "x", "org.freedesktop.machine1.manage-machines"])
    denied(bus_address)


def test_polkit_may_take_its_time(launch, polkit, bus_address, client):
    """Others are served meanwhile."""
    launch()
    mock = polkit()
    mock.SetAllowed([ACTION])
    mock.SimulateHang(True)
    asking = get_lcm_as_nobody(bus_address)
    wait_until(mock.HaveHangingCalls, what="the question to polkit")
    assert client.get("NDomains") == 8
    assert asking.poll() is None
    mock.ReleaseHangingCalls()
    output, _ = asking.communicate(timeout=30)
    assert asking.returncode == 0, output


POLKIT = ("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
          "org.freedesktop.PolicyKit1.Authority")
NEEDED = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"


def polkit_that_says(polkit, answer):
    """Of whatever it is asked; cancelling is a call that it has."""
    mock = polkit(POLKIT)
    mock.AddMethod(POLKIT[2], "CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", f"ret = {answer}")
    mock.AddMethod(POLKIT[2], "CancelCheckAuthorization", "s", "", "")
    return mock


def test_a_person_would_have_to_be_asked(launch, polkit, bus_address):
    """As systemd's services answer it: the client may call again, and allow that."""
    launch()
    polkit_that_says(polkit, "(False, True, {})")
    process = get_lcm_as_nobody(bus_address)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0 and NEEDED in errors, errors


ASK_OFTEN = """
import sys, dbus, dbus.bus, dbus.lowlevel
connection = dbus.bus.BusConnection(sys.argv[1])
calls = []
for _ in range(20):
    call = dbus.lowlevel.MethodCallMessage(sys.argv[2], sys.argv[3], sys.argv[4], "GetLCM")
    call.append("dtb", signature="s")
    calls.append(connection.send_message_with_reply(call, lambda reply: None, 600))
print(connection.call_blocking(sys.argv[2], sys.argv[3], "org.freedesktop.DBus.Properties", "Get",
                               "ss", (sys.argv[4], "NDomains")), flush=True)
call = dbus.lowlevel.MethodCallMessage(sys.argv[2], sys.argv[3], sys.argv[4], "GetLCM")
call.append("dtb", signature="s")
try:
    connection.send_message_with_reply_and_block(call, 30)
except dbus.DBusException as error:
    print(error.get_dbus_name(), flush=True)
"""


def test_too_many_questions(launch, polkit, bus_address):
    """One client cannot pile up calls that wait for polkit."""
    launch()
    mock = polkit()
    mock.SimulateHang(True)
    asking = start_as_nobody([sys.executable, "-c", ASK_OFTEN, bus_address, NAME, PATH, MANAGER])
    output, _ = asking.communicate(timeout=60)
    assert output.split() == ["8", "org.freedesktop.DBus.Error.LimitsExceeded"]
    assert mock.HaveHangingCalls() <= 8


ASK_FROM_MANY = """
import sys, time, dbus, dbus.bus, dbus.lowlevel
connections = [dbus.bus.BusConnection(sys.argv[1]) for _ in range(9)]
for connection in connections:
    for _ in range(8):
        call = dbus.lowlevel.MethodCallMessage(sys.argv[2], sys.argv[3], sys.argv[4], "GetLCM")
        call.append("dtb", signature="s")
        connection.send_message(call)
    connection.flush()
print("asked", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not IS_ROOT, reason="needs a second user")
def test_one_user_does_not_use_up_what_there_is_for_all(launch, polkit, bus_address):
    """However many connections it has."""
    launch()
    mock = polkit()
    mock.SimulateHang(True)
    asking = start_as_nobody([sys.executable, "-c", ASK_FROM_MANY, bus_address, NAME, PATH, MANAGER])
    assert asking.stdout.readline() == "asked\n"
    wait_until(mock.HaveHangingCalls, what="questions to polkit")
    other = subprocess.Popen(["busctl", f"--address={bus_address}", "call", NAME, PATH, MANAGER, "GetLCM", "s", "dtb"],
                             user="daemon", group="daemon", extra_groups=[], cwd="/", stderr=subprocess.PIPE, text=True)
    time.sleep(2)
    assert other.poll() is None, other.communicate()
    asking.kill()
    other.kill()
    for process in (asking, other):
        process.communicate()


def test_polkit_hears_that_the_caller_has_left(launch, polkit, bus_address, client):
    launch()
    mock = polkit()
    mock.SimulateHang(True)
    asking = get_lcm_as_nobody(bus_address)
    wait_until(mock.HaveHangingCalls, what="the question to polkit")
    mock.AddMethod(POLKIT[2], "CancelCheckAuthorization", "s", "", "")
    asking.kill()
    asking.communicate()
    wait_until(lambda: mock.GetMethodCalls("CancelCheckAuthorization"), what="the cancellation")
    ((_, (cancelled,)),) = mock.GetMethodCalls("CancelCheckAuthorization")
    assert cancelled.startswith("hyperlaunch-")
    mock.ReleaseHangingCalls()
    assert client.get("NDomains") == 8


def test_the_caller_goes_away(launch, polkit, bus_address, client):
    """A question for somebody who has left is answered to nobody, and forgotten."""
    launch()
    mock = polkit()
    mock.SimulateHang(True)
    asking = get_lcm_as_nobody(bus_address)
    wait_until(mock.HaveHangingCalls, what="the question to polkit")
    asking.kill()
    asking.wait()
    mock.SetAllowed([ACTION])
    mock.ReleaseHangingCalls()
    assert client.get("NDomains") == 8


def test_reading_needs_no_rights(launch, bus_address):
    launch()
    for method in ("ListDomains", "ListModules", "ListJobs"):
        done = as_nobody(bus_address, "call", NAME, PATH, MANAGER, method)
        assert done.returncode == 0, done.stderr
    assert as_nobody(bus_address, "get-property", NAME, PATH, MANAGER, "NDomains").returncode == 0
    assert as_nobody(bus_address, "introspect", NAME, PATH).returncode == 0
    done = as_nobody(bus_address, "call", NAME, PATH, "org.freedesktop.DBus.ObjectManager",
                     "GetManagedObjects")
    assert done.returncode == 0, done.stderr


def test_a_bad_format_comes_before_rights(launch, bus_address):
    launch()
    done = as_nobody(bus_address, "call", NAME, PATH, MANAGER, "GetLCM", "s", "pdf")
    assert "dtb, dts or json" in done.stderr


@pytest.mark.skipif(not IS_ROOT, reason="needs a second user")
def test_session_is_for_its_own_user(launch, bus_address, client):
    launch(options=["--session"])
    os.close(client.call("GetLCM", "s", "dtb").take())
    assert "another user" in denied(bus_address)


def test_log_of_xen_takes_rights(launch, client, bus_address):
    """Domains write to it."""
    launch()
    process = call_as_nobody(bus_address, "ReadLog", "{}", interface=HOST)
    assert "AccessDenied" in process.communicate(timeout=60)[1] and process.returncode != 0
