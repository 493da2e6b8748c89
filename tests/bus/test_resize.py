# SPDX-License-Identifier: LGPL-2.1-or-later
"""How much a domain may use, set while it runs: SetMemory and SetVcpus; and Save, Restore and Migrate, which no domain can."""
import os
import signal

import dbus
import dbus.lowlevel
import pytest

from conftest import (DOMAIN, INVALID_ARGS, JOB, LIFECYCLE, NAME, OURS, PATH, call_as_nobody, records, turn, wait_until)
from vm_support import CONTROL, HARDWARE, STORE, WEB, create, definition, hold, jobs
from vm_support import daemon, files, handles, peers, vmd  # fixtures, pylint: disable=unused-import

MIB = 1 << 20
METHODS = {"SetMemory": ("t", "memory", 128 * MIB, 128 << 10), "SetVcpus": ("u", "vcpus", 1, 1)}


def call(client, method, path, value, **options):
    client.call(method, METHODS[method][0] + "a{sv}", value, dbus.Dictionary(options, signature="sv"), interface=LIFECYCLE, path=path)


def refuse(client, method, path, value, error, **options):
    return client.expect_error(error, method, METHODS[method][0] + "a{sv}", value, dbus.Dictionary(options, signature="sv"),
                               interface=LIFECYCLE, path=path)


def test_memory(client, vmd, files, runtime):
    path = create(client, files)
    call(client, "SetMemory", path, 32 * MIB)
    order = vmd.orders[-1]
    assert {key: order[key] for key in ("kind", "request", "uuid", "memory")} == {
        "kind": "vm", "request": "set-memory", "uuid": client.rows()["vm"].uuid, "memory": 32 << 10}
    assert (client.get("MemoryMax", DOMAIN, path), client.get("MemoryCurrent", DOMAIN, path)) == (32 * MIB, 32 * MIB)
    client.wait_property(path, "MemoryMax", 32 * MIB)
    assert client.wait_signal("JobRemoved", PATH, lambda _job, kind, *_: kind == "set-memory")[3][2:] == (path, "done", "", "")
    assert records(runtime) == []
    # Back to what it was made with, and no further.
    call(client, "SetMemory", path, 64 * MIB)
    text = refuse(client, "SetMemory", path, 65 * MIB, INVALID_ARGS)
    assert "65536 KiB at most" in text and "set the memory of domain" in text


def test_vcpus(client, vmd, files):
    path = create(client, files, definition(more="cpus = <3>;"))
    call(client, "SetVcpus", path, 2)
    assert (vmd.orders[-1]["request"], vmd.orders[-1]["vcpus"]) == ("set-vcpus", 2)
    assert (client.get("VcpusOnline", DOMAIN, path), client.get("VcpusMax", DOMAIN, path)) == (2, 3)
    call(client, "SetVcpus", path, 3)
    nr = len(vmd.orders)
    assert "from 1 to 3" in refuse(client, "SetVcpus", path, 4, INVALID_ARGS)
    assert "1 vCPU at least" in refuse(client, "SetVcpus", path, 0, INVALID_ARGS)
    assert len(vmd.orders) == nr


def test_initial_domains(handles, client, vmd):
    web = client.path_of("web")
    call(client, "SetMemory", web, 64 * MIB)
    call(client, "SetVcpus", web, 1)
    assert [order["request"] for order in vmd.orders] == ["set-memory", "set-vcpus"] and vmd.orders[0]["uuid"].endswith("5")
    assert vmd.orders[0]["domid"] == WEB
    # Its own domain and the hardware domain too, as xl does for dom0; but not to their end.
    for domid in (STORE, CONTROL, HARDWARE):
        path = f"{PATH}/domain/d{domid}_0"
        call(client, "SetMemory", path, 128 * MIB)
        assert "134217728 bytes at least" in refuse(client, "SetMemory", path, 127 * MIB, INVALID_ARGS)


def test_domain_without_a_uuid(daemon, client, vmd):
    """As the classic dom0."""
    daemon.command("handle web 00000000-0000-0000-0000-000000000000")
    assert "UUID" in refuse(client, "SetMemory", client.path_of("web"), 64 * MIB, OURS + "NotSupported")
    assert vmd.orders == []


@pytest.mark.parametrize("method, value, options, why", [
    ("SetMemory", 0, {}, "1048576"), ("SetMemory", MIB - 4096, {}, "1048576"), ("SetMemory", MIB + 1, {}, "multiple"),
    ("SetMemory", (1 << 64) - 4096, {}, "9223372036854771712"), ("SetMemory", MIB, {"Force": True}, "Force"),
    ("SetVcpus", 1, {"TimeoutUSec": dbus.UInt64(5)}, "TimeoutUSec"), ("SetVcpus", 0xffffffff, {}, "from 1 to"),
])
def test_what_no_domain_can_have(handles, client, vmd, method, value, options, why):
    assert why in refuse(client, method, client.path_of("web"), value, INVALID_ARGS, **options)
    assert vmd.orders == [] and jobs(client) == []


def test_domains_that_have_ended(daemon, handles, client, vmd):
    web = client.path_of("web")
    daemon.command("shutdown web poweroff")
    for method, (_, _, value, _) in METHODS.items():
        assert "shut down (poweroff)" in refuse(client, method, web, value, OURS + "WrongState")
    daemon.command("dying web")
    refuse(client, "SetVcpus", web, 1, OURS + "WrongState")
    daemon.command("domain-remove web")
    refuse(client, "SetVcpus", web, 1, OURS + "NoSuchDomain")
    assert vmd.orders == []


@pytest.mark.parametrize("code, name", [("NotSupported", OURS + "NotSupported"), ("InvalidArgs", INVALID_ARGS), ("Failed", OURS + "Failed"),
                                        ("NoSuchDomain", OURS + "NoSuchDomain")])
@pytest.mark.parametrize("method", METHODS)
def test_vmd_refuses(handles, client, vmd, method, code, name):
    vmd.overrides[f"set-{METHODS[method][1]}"] = lambda order: order.failed(code, "libxl has no node of it")
    assert "libxl has no node of it" in refuse(client, method, client.path_of("web"), METHODS[method][2], name)


def test_vmd_that_is_killed(handles, client, vmd):
    vmd.overrides["set-memory"] = lambda order: None
    assert "ended before it was done" in refuse(client, "SetMemory", client.path_of("web"), MIB, OURS + "Failed")
    assert [order["request"] for order in vmd.orders] == ["set-memory"] and jobs(client) == []


def test_no_vmd(handles, client):
    assert "hyperlaunch-vmd.socket" in refuse(client, "SetMemory", client.path_of("web"), MIB, OURS + "NotSupported")


@pytest.mark.parametrize("method", METHODS)
def test_daemon_that_is_killed(daemon, handles, client, vmd, runtime, method):
    """The next one does it again."""
    signature, member, value, ordered = METHODS[method]
    path = client.path_of("web")
    held = hold(vmd, f"set-{member}")
    message = dbus.lowlevel.MethodCallMessage(NAME, path, LIFECYCLE, method)
    message.append(value, {}, signature=signature + "a{sv}")
    client.connection.send_message_with_reply(message, lambda answer: None, 60)
    wait_until(lambda: held)
    # What is under way cannot be taken back.
    client.expect_error(OURS + "WrongState", "Cancel", "a{sv}", {}, interface=JOB, path=jobs(client)[0][0])
    assert len(records(runtime)) == 1
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()
    vmd.overrides.clear()
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: records(runtime) == [])
    wait_until(lambda: "continued after a restart (resize)" in daemon.text())
    # This Xen is a new one, whose domain has another UUID or none; with the first one it was ordered.
    assert vmd.orders[0][member] == ordered


def test_jobs_of_a_domain_follow_each_other(handles, client, vmd):
    path = client.path_of("web")
    held, answers = hold(vmd, "set-memory"), []
    for value in (64 * MIB, 128 * MIB):
        message = dbus.lowlevel.MethodCallMessage(NAME, path, LIFECYCLE, "SetMemory")
        message.append(dbus.UInt64(value), {}, signature="ta{sv}")
        client.connection.send_message_with_reply(message, answers.append, 60)
    wait_until(lambda: held)
    turn(0.2)
    assert len(held) == 1 and [row[3] for row in jobs(client)] == ["running", "waiting"]
    held[0].done()
    wait_until(lambda: len(held) == 2)
    held[1].done()
    wait_until(lambda: len(answers) == 2)
    assert {answer.get_error_name() for answer in answers} == {None}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
def test_who_may(launch, client, polkit, bus_address, peers):
    daemon = launch(options=["--peers", str(peers)])
    daemon.command("handle web 00000000-0000-4000-8000-000000000005")
    mock = polkit()
    mock.SetAllowed([NAME + ".shutdown", NAME + ".force"])

    def errors_of(method, value):
        process = call_as_nobody(bus_address, method, value, "{}", interface=LIFECYCLE, path=client.path_of("web"))
        return process.communicate(timeout=60)[1]
    for method, value in (("SetMemory", "67108864"), ("SetVcpus", "1")):
        assert "AccessDenied" in errors_of(method, value)
    mock.SetAllowed([NAME + ".resize"])
    for method, value in (("SetMemory", "67108864"), ("SetVcpus", "1")):
        assert "hyperlaunch-vmd.socket is not started" in errors_of(method, value)


def test_what_is_not_there_yet(daemon, client, place):
    """Whoever asks, and whatever for."""
    path = client.path_of("web")
    with open(place / "state", "wb") as file:
        fd = dbus.types.UnixFd(file)
        assert "save" in client.expect_error(OURS + "NotSupported", "Save", "ha{sv}", fd, {}, interface=LIFECYCLE, path=path)
        assert "restore" in client.expect_error(OURS + "NotSupported", "Restore", "ha{sv}", fd, {})
    text = client.expect_error(OURS + "NotSupported", "Migrate", "sa{sv}", "other.example", {"Live": True}, interface=LIFECYCLE, path=path)
    assert "migrate" in text and jobs(client) == []
