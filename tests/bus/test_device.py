# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks and NICs of a running domain: AttachDevice and DetachDevice, their jobs, and a vmd that does anything."""
import json
import os
import signal
import subprocess
import sys

import dbus
import dbus.lowlevel
import pytest

from conftest import (INVALID_ARGS, JOB, LIFECYCLE, NAME, NOBODY, OURS, PATH, call_as_nobody, domid_of, records, wait_until)
from vm_support import create, definition, hold, jobs
from vm_support import files, peers, vmd  # fixtures, pylint: disable=unused-import

DISK = {"pdev_path": "/dev/loop0", "vdev": "xvdb", "backend": "phy", "format": "raw", "readwrite": 1}
NIC = {"mac": "00:16:3e:01:02:03", "bridge": "xenbr0"}


@pytest.fixture
def daemon(launch, runtime, peers):
    """In domain 0, as libxl wants it."""
    return launch(extra=",as=classic", options=["--session", "--peers", str(peers)], env={"RUNTIME_DIRECTORY": str(runtime)})


@pytest.fixture
def vm(client, vmd, files):
    return create(client, files)


def text_of(device):
    return device if isinstance(device, str) else json.dumps(device)


def attach(client, path, kind, device, **options):
    client.call("AttachDevice", "ssa{sv}", kind, text_of(device), dbus.Dictionary(options, signature="sv"), interface=LIFECYCLE, path=path)


def detach(client, path, kind, name, **options):
    client.call("DetachDevice", "ssa{sv}", kind, name, dbus.Dictionary(options, signature="sv"), interface=LIFECYCLE, path=path)


def refuse(client, method, path, error, *args, **options):
    return client.expect_error(error, method, "ssa{sv}", *args, dbus.Dictionary(options, signature="sv"), interface=LIFECYCLE, path=path)


def begin(client, method, path, *args, answers=None):
    message = dbus.lowlevel.MethodCallMessage(NAME, path, LIFECYCLE, method)
    message.append(*args, {}, signature="ssa{sv}")
    client.connection.send_message_with_reply(message, ([] if answers is None else answers).append, 60)


def test_disk(client, vmd, vm, runtime):
    attach(client, vm, "disk", DISK)
    order = vmd.orders[-1]
    uuid = client.rows()["vm"].uuid
    assert {key: order[key] for key in ("kind", "request", "uuid", "domid", "type", "fds")} == {
        "kind": "vm-devices", "request": "attach", "uuid": uuid, "domid": domid_of(vm), "type": "disk", "fds": ["config"]}
    assert vmd.devices == {uuid: {("disk", "xvdb"): DISK}}
    job = client.wait_signal("JobRemoved", PATH, lambda _job, kind, *_: kind == "attach-device")[3]
    assert job[2:] == (vm, "done", "", "")
    client.wait_property(job[0], "Stage", "attach")
    assert "has a disk xvdb" in refuse(client, "AttachDevice", vm, OURS + "WrongState", "disk", text_of(DISK))
    detach(client, vm, "disk", "xvdb")
    assert (vmd.orders[-1]["request"], vmd.orders[-1]["device"], vmd.orders[-1]["force"]) == ("detach", "xvdb", False)
    assert vmd.devices[uuid] == {} and records(runtime) == []
    assert "no disk xvdb" in refuse(client, "DetachDevice", vm, INVALID_ARGS, "disk", "xvdb")


def test_nic(client, vmd, vm):
    attach(client, vm, "nic", NIC)
    detach(client, vm, "nic", NIC["mac"], Force=True)
    assert (vmd.orders[-1]["type"], vmd.orders[-1]["device"], vmd.orders[-1]["force"]) == ("nic", NIC["mac"], True)
    # vmd chooses what is not given.
    attach(client, vm, "nic", {})
    assert vmd.orders[-1]["request"] == "attach"


@pytest.mark.parametrize("kind, device, error, why", [
    ("usb", "{}", INVALID_ARGS, '"disk" or "nic"'), ("", "{}", INVALID_ARGS, "type"), ("disk", "", INVALID_ARGS, "JSON"), ("disk", "[]", INVALID_ARGS, "JSON"),
    ("disk", "{} x", INVALID_ARGS, "JSON"), ("nic", "[" * 60000, INVALID_ARGS, "JSON"), ("nic", " " * 65536 + "{}", INVALID_ARGS, "65538 bytes"),
    ("disk", DISK | {"backend": "qdisk"}, OURS + "NotSupported", "phy"), ("disk", {"vdev": "xvdb"}, OURS + "NotSupported", "phy"),
], ids=range(9))
def test_device_that_is_none(client, vmd, vm, kind, device, error, why):
    nr = len(vmd.orders)
    assert why in refuse(client, "AttachDevice", vm, error, kind, text_of(device))
    assert len(vmd.orders) == nr and jobs(client) == []


@pytest.mark.parametrize("kind, name", [("usb", "x"), ("disk", ""), ("disk", "a b"), ("disk", "x" * 64), ("nic", "x\ny"), ("nic", "\xe9")])
def test_name_that_is_none(client, vmd, vm, kind, name):
    nr = len(vmd.orders)
    refuse(client, "DetachDevice", vm, INVALID_ARGS, kind, name)
    assert len(vmd.orders) == nr


def test_options(client, vmd, vm):
    assert "none" in refuse(client, "AttachDevice", vm, INVALID_ARGS, "disk", text_of(DISK), Force=True)
    assert "Force" in refuse(client, "DetachDevice", vm, INVALID_ARGS, "disk", "xvdb", Now=True)
    assert "type b" in refuse(client, "DetachDevice", vm, INVALID_ARGS, "disk", "xvdb", Force="yes")


def test_domains_that_have_ended(daemon, client, vmd, files):
    """One that hyperlaunchd has not made stays for a look."""
    daemon.command("domain-add xls uuid=0b1e9f5c-3d5e-4c55-9f0a-8c1c1a2b3c4d")
    daemon.command("shutdown xls poweroff")
    path = wait_until(lambda: client.rows().get("xls")).path
    for method, args in (("AttachDevice", ("disk", text_of(DISK))), ("DetachDevice", ("disk", "xvdb"))):
        assert "shut down (poweroff)" in refuse(client, method, path, OURS + "WrongState", *args)
        assert "UUID" in refuse(client, method, f"{PATH}/domain/d0_0", OURS + "NotSupported", *args)
    assert vmd.orders == []


def test_elsewhere_than_in_domain_0(launch, client, peers, files):
    launch(options=["--session", "--peers", str(peers)])
    assert "domain 0 only" in refuse(client, "AttachDevice", client.path_of("web"), OURS + "NotSupported", "disk", text_of(DISK))
    assert "domain 0 only" in refuse(client, "DetachDevice", client.path_of("web"), OURS + "NotSupported", "disk", "xvdb")


@pytest.mark.parametrize("code, name", [("WrongState", OURS + "WrongState"), ("InvalidArgs", INVALID_ARGS), ("Failed", OURS + "Failed"),
                                        ("Busy", OURS + "Busy")])
def test_vmd_refuses(client, vmd, vm, code, name):
    vmd.overrides |= {request: lambda order: order.failed(code, "/nowhere cannot be opened") for request in ("attach", "detach")}
    nr = len(vmd.orders)
    assert "/nowhere" in refuse(client, "AttachDevice", vm, name, "disk", text_of(DISK))
    assert "/nowhere" in refuse(client, "DetachDevice", vm, name, "disk", "xvdb")
    # It took back itself what it had made.
    assert [order["request"] for order in vmd.orders[nr:]] == ["attach", "detach"]


def test_vmd_that_is_killed(client, vmd, vm):
    vmd.overrides["attach"] = lambda order: order.stage("attach")
    assert "ended before" in refuse(client, "AttachDevice", vm, OURS + "Failed", "disk", text_of(DISK))
    wait_until(lambda: vmd.orders[-1]["request"] == "undo-attach")
    assert vmd.orders[-1]["uuid"] == vmd.orders[-2]["uuid"] and vmd.orders[-1]["kind"] == "vm-devices"
    wait_until(lambda: not jobs(client))
    vmd.overrides["detach"] = lambda order: None
    refuse(client, "DetachDevice", vm, OURS + "Failed", "disk", "xvdb")
    assert vmd.orders[-1]["request"] == "detach"


def test_cancelled(client, vmd, vm):
    held, answers = hold(vmd, "attach"), []
    begin(client, "AttachDevice", vm, "disk", text_of(DISK), answers=answers)
    wait_until(lambda: held)
    client.call("Cancel", "a{sv}", {}, interface=JOB, path=jobs(client)[0][0])
    wait_until(lambda: answers)
    assert answers[0].get_error_name() == OURS + "Cancelled"
    assert [order["request"] for order in vmd.orders[-2:]] == ["attach", "undo-attach"]
    # The guest is about to let go of one that is detached.
    held = hold(vmd, "detach")
    begin(client, "DetachDevice", vm, "disk", "xvdb")
    wait_until(lambda: held)
    client.expect_error(OURS + "WrongState", "Cancel", "a{sv}", {}, interface=JOB, path=jobs(client)[0][0])
    held[0].done()
    wait_until(lambda: not jobs(client))


def restart(daemon, client):
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()
    daemon.start()
    wait_until(client.ready)


@pytest.mark.parametrize("method, request_, args", [("AttachDevice", "attach", ("disk", text_of(DISK))), ("DetachDevice", "detach", ("disk", "xvdb"))])
def test_daemon_that_is_killed(daemon, client, vmd, vm, runtime, method, request_, args):
    """What was being attached is undone by the next one."""
    held = hold(vmd, request_)
    begin(client, method, vm, *args)
    wait_until(lambda: held)
    nr = len(vmd.orders)
    restart(daemon, client)
    wait_until(lambda: records(runtime) == [])
    # Its simulated Xen is another one: the domain has gone, which ends the second job.
    if request_ == "attach":
        wait_until(lambda: "restarted while the device was being attached" in daemon.text())
        assert [order["request"] for order in vmd.orders[nr:]] == ["undo-attach"]
    else:
        wait_until(lambda: "has gone meanwhile" in daemon.text())
        assert vmd.orders[nr:] == []


def test_no_vmd(daemon, client):
    daemon.command("domain-add xls uuid=0b1e9f5c-3d5e-4c55-9f0a-8c1c1a2b3c4d")
    path = wait_until(lambda: client.rows().get("xls")).path
    assert "hyperlaunch-vmd.socket" in refuse(client, "AttachDevice", path, OURS + "NotSupported", "disk", text_of(DISK))


def test_descriptors_are_not_kept(daemon, client, vmd, vm):
    def count():
        return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
    before = count()
    for _ in range(20):
        attach(client, vm, "disk", DISK)
        detach(client, vm, "disk", "xvdb")
    vmd.overrides["attach"] = lambda order: None
    for _ in range(5):
        refuse(client, "AttachDevice", vm, OURS + "Failed", "disk", text_of(DISK))
    wait_until(lambda: count() <= before)


CALL = """
import sys, dbus, dbus.bus
try:
    dbus.bus.BusConnection(sys.argv[1]).call_blocking("org.xenproject.Hyperlaunch1", sys.argv[2], "org.xenproject.Hyperlaunch1.Lifecycle",
                                                      "AttachDevice", "ssa{sv}", (sys.argv[3], sys.argv[4], {}), timeout=60)
except dbus.DBusException as error:
    sys.exit(str(error))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
def test_who_is_not_root_names_nothing_of_this_host(launch, bus_address, peers, client, polkit):
    """Whatever polkit says."""
    mock = polkit()
    daemon = launch(extra=",as=classic", options=["--peers", str(peers)])
    daemon.command("domain-add xls uuid=0b1e9f5c-3d5e-4c55-9f0a-8c1c1a2b3c4d")
    path = wait_until(lambda: client.rows().get("xls")).path
    mock.SetAllowed([NAME + ".create-domain", NAME + ".force"])
    process = call_as_nobody(bus_address, "DetachDevice", "disk", "xvdb", "{}", interface=LIFECYCLE, path=path)
    assert "AccessDenied" in process.communicate(timeout=60)[1]
    mock.SetAllowed([NAME + ".change-devices"])

    def as_nobody(kind, device):
        return subprocess.run([sys.executable, "-c", CALL, bus_address, path, kind, text_of(device)], capture_output=True, text=True,
                              timeout=60, check=False, user=NOBODY, group=NOBODY, extra_groups=[]).stderr
    for kind, device, why in (("disk", DISK, "disks"), ("nic", NIC | {"script": "/tmp/x"}, "nics.script"), ("nic", {"backend_domid": 5}, "backend_domid")):
        told = as_nobody(kind, device)
        assert why in told and "root only" in told
    assert "no name of a bridge" in as_nobody("nic", NIC | {"bridge": "xenbr0,script=/tmp/x"})
    # This is as far as it gets without a vmd.
    assert "hyperlaunch-vmd.socket" in as_nobody("nic", NIC)
