# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domains that are made and ended after boot: CreateDomain, Destroy, their jobs, and a vmd that does anything."""
import json
import os
import signal
import socket
import subprocess
import sys
import time

import dbus
import dbus.lowlevel
import pytest

from conftest import (Client, INVALID_ARGS, JOB, LIFECYCLE, MANAGER, NAME, NOBODY, OURS, PATH, call_as_nobody, domid_of, records, turn,
                      wait_until)
from vm_support import (CREATE, KERNEL, NAMED, RAMDISK, compile_source, config, create, definition, hold, jobs,
                        options, vms)
from vm_support import daemon, files, handles, peers, vmd  # fixtures, pylint: disable=unused-import


def begin(client, files, answers, blob=None, timeout=60, **more):
    call = dbus.lowlevel.MethodCallMessage(NAME, PATH, MANAGER, "CreateDomain")
    call.append(dbus.ByteArray(definition() if blob is None else blob), options(files, **more), signature=CREATE)
    client.connection.send_message_with_reply(call, answers.append, timeout)


def refused(client, files, error, blob=None, ramdisk=False, **more):
    return client.expect_error(error, "CreateDomain", CREATE, dbus.ByteArray(definition() if blob is None else blob), options(files, ramdisk, **more))


def destroy(client, path, **more):
    client.call("Destroy", "a{sv}", dbus.Dictionary(more, signature="sv"), interface=LIFECYCLE, path=path)


def test_created(daemon, client, vmd, files, runtime):
    blob = definition("second", more='cpus = <2>; domain-uuid = [0b 1e 9f 5c 3d 5e 4c 55 9f 0a 8c 1c 1a 2b 3c 4d]; '
                      'security-id = "domu_t";', modules=KERNEL + RAMDISK)
    seen = {}

    def look(order):
        seen.update(config=order.config(), packet=order.packet, order=order,
                    **{name: os.pread(fd, 100, 0) for name, fd in order.fds.items() if name != "config"})
        vmd.create(order)
    vmd.overrides["create"] = look
    path = create(client, files, blob, ramdisk=True)
    row = client.rows()["second"]
    assert (row.path, row.uuid, row.origin, row.state, row.memory, row.vcpus) == (path, NAMED, "post-boot", "running", 64 << 20, 2)
    assert seen["config"] == {
        "c_info": {"type": "pvh", "name": "second", "uuid": NAMED, "ssid_label": "system_u:system_r:domu_t"},
        "b_info": {"max_vcpus": 2, "avail_vcpus": [0, 1], "max_memkb": 65536, "target_memkb": 65536, "cmdline": "console=hvc0 one two",
                   "type.pvh": {}}}
    assert (seen["kernel"], seen["ramdisk"]) == (b"this is the kernel", b"this is the ramdisk")
    assert {key: seen["packet"][key] for key in ("request", "uuid", "start", "keep", "fds")} == {
        "request": "create", "uuid": NAMED, "start": True, "keep": False, "fds": ["config", "kernel", "ramdisk"]}
    assert vmd.orders[-1]["kind"] == "vm"
    job, kind, subject = client.wait_signal("JobNew", PATH)[3]
    assert (kind, subject) == ("create", "/")
    assert client.wait_signal("JobRemoved", PATH)[3] == (job, "create", "/", "done", "", "")
    client.wait_property(job, "Stage", "build")
    assert records(runtime) == []
    assert 'create domain "second": done' in daemon.text()


def test_created_paused_and_by_default_with_another_uuid_each(client, vmd, files):
    first = create(client, files, definition("one"), Start=False)
    second = create(client, files, definition("two", more="hold; mode = <5>;"))
    rows = client.rows()
    assert (rows["one"].path, rows["two"].path) == (first, second)
    assert (rows["one"].state, rows["two"].state) == ("paused", "paused")
    assert rows["one"].uuid != rows["two"].uuid and all(rows[name].uuid[14] == "4" for name in ("one", "two"))


@pytest.mark.parametrize("blob, why", [
    (b"", "device tree"), (b"\xd0\r\xfe\xed" + bytes(60), "device tree"), (bytes(65537), "65537 bytes"),
    (definition(modules=""), "kernel"), (definition(memory="<0 0>"), "memory"),
    (definition("a" * 64), "memory|name|node"),
    (definition("one") .replace(b"one\0", b"o\x1be\0"), "name"),
    (compile_source('/dts-v1/; / { chosen { hypervisor { compatible = "hypervisor,xen"; ' + "".join(
        f'{name} {{ compatible = "xen,domain"; memory = "8M"; {KERNEL} }}; ' for name in ("a", "b")) + "}; }; };"), "2 domains"),
], ids=["empty", "zeros", "large", "no-kernel", "no-memory", "long-name", "control-character", "two"])
def test_definition_that_is_none(daemon, client, vmd, files, blob, why):
    message = refused(client, files, INVALID_ARGS, blob)
    assert any(word in message for word in why.split("|")), message
    assert vmd.orders == [] and jobs(client) == []


@pytest.mark.parametrize("more, modules, why", [
    ("permissions = <1>;", KERNEL, "permissions"), ("functions = <2>;", KERNEL, "functions"), ("mode = <6>;", KERNEL, "device model"), ("restart-limit = <65>;", KERNEL, "restart-limit"),
    ("", KERNEL.replace("file", "digest-sha256 = [" + "ab " * 32 + "]; file"), "digest"),
    ("mode = <5>;", KERNEL + 'device { compatible = "xen,pci-passthrough"; bdf = "0000:01:00.0"; };', "pci"),
    ("", KERNEL + 'vcpu { compatible = "xen,vcpu"; id = <0>; hard-affinity = "0"; };', "vcpu"),
], ids=["permissions", "functions", "mode", "restart", "digest", "pci", "vcpu"])
def test_what_only_a_launch_gives(daemon, client, vmd, files, more, modules, why):
    assert why in refused(client, files, OURS + "NotSupported", definition(more=more, modules=modules))
    assert vmd.orders == []


def test_descriptors_that_do_not_fit(client, vmd, files):
    assert "Ramdisk" in refused(client, files, INVALID_ARGS, definition(modules=KERNEL + RAMDISK))
    assert "Ramdisk" in refused(client, files, INVALID_ARGS, ramdisk=True)
    client.expect_error(INVALID_ARGS, "CreateDomain", CREATE, dbus.ByteArray(definition()), dbus.Dictionary({}, signature="sv"))
    for wrong in ({"Kernel": "path"}, {"Start": dbus.UInt64(1)}, {"Other": True}):
        client.expect_error(INVALID_ARGS, "CreateDomain", CREATE, dbus.ByteArray(definition()), dbus.Dictionary(wrong, signature="sv"))
    assert vmd.orders == []


def test_names_and_uuids_that_are_taken(client, vmd, files):
    blob = definition("one", more="domain-uuid = [0b 1e 9f 5c 3d 5e 4c 55 9f 0a 8c 1c 1a 2b 3c 4d];")
    create(client, files, blob)
    assert '"one"' in refused(client, files, OURS + "AlreadyExists", definition("one"))
    assert '"web"' in refused(client, files, OURS + "AlreadyExists", definition("web"))
    assert NAMED in refused(client, files, OURS + "AlreadyExists", blob.replace(b"one\0", b"two\0"))
    assert len(vmd.orders) == 1


def test_call_that_is_made_again(client, vmd, files):
    first = create(client, files, RequestId="mine")
    assert create(client, files, RequestId="mine") == first and len(vmd.orders) == 1
    refused(client, files, OURS + "AlreadyExists", RequestId="other")
    refused(client, files, OURS + "AlreadyExists")
    assert '"vm"' in refused(client, files, INVALID_ARGS, definition("two"), RequestId="mine")
    destroy(client, first)
    again = create(client, files, RequestId="mine")
    assert again != first and client.rows()["vm"].path == again


def test_call_that_is_made_again_too_soon(bus_address, client, vmd, files):
    """All get the one answer, but for who has left meanwhile."""
    held, answers = hold(vmd, "create"), []
    begin(client, files, answers, RequestId="mine")
    wait_until(lambda: held)
    other = Client(bus_address)
    begin(other, files, [], RequestId="mine")
    for _ in range(2):
        begin(client, files, answers, RequestId="mine")
    turn(0.3)
    other.close()
    turn(0.3)
    refused(client, files, OURS + "Busy", RequestId="other")
    vmd.create(held[0])
    wait_until(lambda: len(answers) == 3)
    assert {str(answer.get_args_list()[0]) for answer in answers} == {client.rows()["vm"].path} and len(vmd.orders) == 1


def test_call_that_is_made_again_after_it_failed(client, vmd, files):
    vmd.overrides["create"] = lambda order: order.failed("Failed", "not today")
    refused(client, files, OURS + "Failed", RequestId="mine")
    del vmd.overrides["create"]
    create(client, files, RequestId="mine")
    assert client.rows()["vm"].state == "running"


def test_call_that_is_made_again_of_another_daemon(launch, client, runtime, peers, files):
    """The domain is one that is there when the daemon starts, and has that UUID."""
    daemon = launch(options=["--session"])
    uuid = client.rows()["web"].uuid
    daemon.stop()
    (runtime / "vm" / uuid).mkdir(parents=True)
    (runtime / "vm" / uuid / "policy").write_text(json.dumps({
        "poweroff": "destroy", "reboot": "destroy", "crash": "destroy", "limit": 1, "restarts": [], "request": "mine", "uid": os.geteuid()}))
    daemon = launch(options=["--session", "--peers", str(peers)], env={"RUNTIME_DIRECTORY": str(runtime)})
    daemon.command(f"handle web {uuid}")
    assert create(client, files, definition("web"), RequestId="mine") == client.path_of("web")
    assert '"web"' in refused(client, files, INVALID_ARGS, RequestId="mine")
    refused(client, files, OURS + "AlreadyExists", definition("web"), RequestId="other")


def test_what_is_kept_of_a_request(client, vmd, files, runtime):
    create(client, files, RequestId="mine")
    create(client, files, definition("two"))
    kept = sorted((json.loads((runtime / "vm" / name / "policy").read_text()) for name in directories(runtime)), key=lambda one: "request" in one)
    assert "request" not in kept[0] and (kept[1]["request"], kept[1]["uid"]) == ("mine", os.geteuid())


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb", "\u00e4"])
def test_request_ids_that_are_none(client, vmd, files, name):
    assert "RequestId" in refused(client, files, INVALID_ARGS, RequestId=name)
    assert vmd.orders == []


def test_two_at_once_with_one_name(client, vmd, files):
    held, answers = hold(vmd, "create"), []
    begin(client, files, answers)
    wait_until(lambda: held)
    assert "Job" in refused(client, files, OURS + "Busy", definition())
    vmd.create(held[0])
    wait_until(lambda: answers)
    assert answers[0].get_type() == dbus.lowlevel.MESSAGE_TYPE_METHOD_RETURN


@pytest.mark.parametrize("code, name", [
    ("NoMemory", OURS + "NoMemory"), ("InvalidArgs", INVALID_ARGS), ("Failed", OURS + "Failed"), ("Strange", OURS + "Failed"),
    ("WrongState", OURS + "WrongState")])
def test_vmd_refuses(client, vmd, files, code, name):
    def refuse(order):
        order.failed(code, "it needs 5 KiB, and \x1b there are 3\n")
    vmd.overrides["create"] = refuse
    message = refused(client, files, name)
    assert 'create domain "vm"' in message and "it needs 5 KiB, and ? there are 3?" in message
    # It took back itself what it had made: an order about that UUID might be about another domain by now.
    turn(0.2)
    assert [order["request"] for order in vmd.orders] == ["create"] and jobs(client) == []


def send(packet):
    return lambda order: order.connection.send(packet if isinstance(packet, bytes) else json.dumps(packet).encode())


@pytest.mark.parametrize("behave, why", [
    (lambda order: None, "ended before"),
    (send(b"no json"), "message"), (send({"id": "2", "result": {}}), "message"), (send({"id": "1"}), "message"),
    (send({"event": 5}), "message"), (send({"event": "stage"}), "message"), (send({"id": "1", "error": "Failed"}), "message"),
    (send(b"x" * 3000), "message"),
], ids=["left", "no-json", "other-id", "no-result", "event", "stage", "error", "long"])
def test_vmd_breaks_the_rules(daemon, client, vmd, files, behave, why):
    vmd.overrides["create"] = behave
    message = refused(client, files, OURS + "Failed").lower()
    assert why in message, message
    # Whatever it had made is ended by its UUID.
    wait_until(lambda: [order["request"] for order in vmd.orders] == ["create", "destroy"])
    assert vmd.orders[0]["uuid"] == vmd.orders[1]["uuid"]
    assert jobs(client) == []


def test_too_many_orders(client, peers, files, daemon):
    """The service manager accepts the connection and closes it: before the order was sent, or after."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(peers / "vm"))
    listener.listen()
    for _ in range(20):
        answers = []
        begin(client, files, answers)
        listener.accept()[0].close()
        wait_until(lambda answers=answers: answers)
        assert answers[0].get_error_name() == OURS + "Busy"
        assert "too many" in answers[0].get_args_list()[0]
    listener.close()


def test_descriptors_of_refused_calls_are_not_kept(daemon, client, vmd, files):
    """Where no job can be made at all."""
    held, answers = hold(vmd, "create"), []
    for number in range(64):
        begin(client, files, answers, definition(f"many{number}"))
    wait_until(lambda: len(held) == 64)
    before = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
    for number in range(10):
        refused(client, files, "org.freedesktop.DBus.Error.LimitsExceeded", definition(f"more{number}"))
    # The last call's are closed after its answer.
    wait_until(lambda: len(os.listdir(f"/proc/{daemon.process.pid}/fd")) <= before)
    for order in held:
        order.failed("Failed", "enough")
    wait_until(lambda: len(answers) == 64)


def test_half_made_by_a_vmd_that_is_killed(client, vmd, files):
    def half(order):
        vmd.domids[order.packet["uuid"]] = int(vmd.tell(f"domain-add vm uuid={order.packet['uuid']}"))
    vmd.overrides["create"] = half
    refused(client, files, OURS + "Failed")
    assert "vm" not in client.rows()


def test_cancelled(client, vmd, files):
    held, answers = hold(vmd, "create"), []
    begin(client, files, answers)
    wait_until(lambda: held)
    job = jobs(client)[0][0]
    wait_until(lambda: jobs(client)[0][4] == "build")
    client.call("Cancel", "a{sv}", {}, interface=JOB, path=job)
    wait_until(lambda: answers)
    assert answers[0].get_error_name() == OURS + "Cancelled"
    assert [order["request"] for order in vmd.orders] == ["create", "destroy"]


def test_client_that_leaves(bus_address, client, vmd, files):
    """What it wanted is made all the same."""
    held, other = hold(vmd, "create"), Client(bus_address)
    begin(other, files, [])
    wait_until(lambda: held)
    other.close()
    turn(0.2)
    vmd.create(held[0])
    wait_until(lambda: "vm" in client.rows())


def test_daemon_that_is_killed(daemon, client, vmd, files, runtime):
    held, answers = hold(vmd, "create"), []
    begin(client, files, answers)
    wait_until(lambda: held)
    uuid = held[0].packet["uuid"]
    assert len(records(runtime)) == 1
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: [order["request"] for order in vmd.orders] == ["create", "destroy"])
    assert vmd.orders[1]["uuid"] == uuid
    wait_until(lambda: jobs(client) == [] and records(runtime) == [])
    assert "restarted while it was being made" in daemon.text()


def test_no_vmd(daemon, client, files):
    assert "hyperlaunch-vmd.socket" in refused(client, files, OURS + "NotSupported")
    path = client.path_of("web")
    client.expect_error(OURS + "NotSupported", "Destroy", "a{sv}", {}, interface=LIFECYCLE, path=path)


def test_no_helpers_at_all(launch, client, files):
    launch(options=["--session"])
    refused(client, files, OURS + "NotSupported")


TWO_CONTROLS = """/dts-v1/;
/ { chosen { hypervisor { compatible = "hypervisor,xen"; NAMES }; }; };
""".replace("NAMES", " ".join(f"""{name} {{ compatible = "xen,domain"; memory = "64M"; domid = <{domid}>; permissions = <{permissions}>; functions = <{functions}>;
    {KERNEL.replace('file = "vmlinuz"', "mb-index = <1>")} }};""" for name, domid, permissions, functions in (
        ("store", 1, 0, 8), ("one", 2, 1, 4), ("two", 3, 3, 0))))


@pytest.mark.parametrize("own", [2, 3])
def test_first_control_domain_acts(launch, client, peers, files, own):
    daemon = launch(TWO_CONTROLS, extra=f",self={own}", options=["--session", "--peers", str(peers)])
    server = vms.Vmd(str(peers), daemon.command)
    if own == 3:
        assert "domain 2 (one)" in refused(client, files, OURS + "NotSupported")
        daemon.command("domain-add other")
        assert "domain 2 (one)" in client.expect_error(OURS + "NotSupported", "Destroy", "a{sv}", dbus.Dictionary({}, signature="sv"),
                                                       interface=LIFECYCLE, path=client.path_of("other"))
        daemon.command("domain-remove one")
    assert server.orders == []
    create(client, files)
    assert client.rows()["vm"].state == "running"
    server.stop()


def test_destroyed(daemon, client, vmd, files):
    path = create(client, files)
    uuid = client.rows()["vm"].uuid
    destroy(client, path)
    assert "vm" not in client.rows()
    order = vmd.orders[-1]
    assert (order["kind"], order["request"], order["uuid"], order["domid"]) == ("vm-devices", "destroy", uuid, domid_of(path))
    client.wait_signal("DomainRemoved", PATH, lambda domid, *_: domid == domid_of(path))
    with pytest.raises(dbus.DBusException) as caught:
        destroy(client, path)
    assert caught.value.get_dbus_name() == "org.freedesktop.DBus.Error.UnknownObject"


def test_initial_domain_is_destroyed(handles, client, vmd):
    destroy(client, client.path_of("web"))
    assert client.rows()["web"].state == "reclaimed"
    assert vmd.orders[-1]["uuid"].endswith("5")


def test_what_the_host_needs(handles, client, vmd):
    rows = client.rows()
    for name in ("control", "hw"):
        client.expect_error(OURS + "NotSupported", "Destroy", "a{sv}", {"Force": True}, interface=LIFECYCLE, path=rows[name].path)
    for name in ("store",):
        message = client.expect_error(OURS + "NotSupported", "Destroy", "a{sv}", {}, interface=LIFECYCLE, path=rows[name].path)
        assert "Force" in message
    assert vmd.orders == []
    destroy(client, rows["store"].path, Force=True)
    assert client.rows()["store"].state == "reclaimed"


def test_destroy_fails(handles, client, vmd):
    vmd.overrides["destroy"] = lambda order: order.failed("Failed", "the disk is in use")
    message = client.expect_error(OURS + "Failed", "Destroy", "a{sv}", {}, interface=LIFECYCLE, path=client.path_of("web"))
    assert "the disk is in use" in message
    vmd.overrides["destroy"] = lambda order: order.done()
    message = client.expect_error(OURS + "Failed", "Destroy", "a{sv}", {}, interface=LIFECYCLE, path=client.path_of("web"))
    assert "Xen still has it" in message
    assert client.rows()["web"].state == "started"


def test_destroy_is_continued(handles, daemon, client, vmd, runtime):
    held, answers = hold(vmd, "destroy"), []
    call = dbus.lowlevel.MethodCallMessage(NAME, client.path_of("web"), LIFECYCLE, "Destroy")
    call.append({}, signature="a{sv}")
    client.connection.send_message_with_reply(call, answers.append, 60)
    wait_until(lambda: held)
    job = jobs(client)[0][0]
    client.expect_error(OURS + "WrongState", "Cancel", "a{sv}", {}, interface=JOB, path=job)
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()
    del vmd.overrides["destroy"]
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: jobs(client) == [] and records(runtime) == [])
    assert "destroy domain 5 (web): done" in daemon.text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
def test_not_allowed(launch, bus_address, peers, client):
    launch(options=["--peers", str(peers)])
    for method, args, where in (("CreateDomain", ("[byte 0x00]", "{}"), {}),
                                ("Destroy", ("{}",), {"interface": LIFECYCLE, "path": client.path_of("web")})):
        process = call_as_nobody(bus_address, method, *args, **where)
        _, errors = process.communicate(timeout=60)
        assert process.returncode != 0 and ("AccessDenied" in errors or "InvalidArgs" in errors), errors


def test_descriptors_are_not_kept(daemon, client, vmd, files):
    def count():
        return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
    create(client, files)
    before = count()
    for number in range(20):
        path = create(client, files, definition(f"vm{number}", modules=KERNEL + RAMDISK), ramdisk=True)
        destroy(client, path)
    vmd.overrides["create"] = lambda order: None
    for number in range(10):
        refused(client, files, OURS + "Failed", definition(f"no{number}"))
    wait_until(lambda: count() <= before)


def create_json(client, files, given, kernel=True, **more):
    fd = {"Kernel": dbus.types.UnixFd(files["kernel"])} if kernel else {}
    text = given if isinstance(given, bytes) else json.dumps(given).encode()
    return client.call("CreateDomain", CREATE, dbus.ByteArray(text), dbus.Dictionary({"Format": "json"} | fd | more, signature="sv"))


def test_json_goes_to_vmd_as_it_is(client, vmd, files):
    seen = []
    vmd.overrides["create"] = lambda order: (seen.append((order.config(), sorted(order.fds))), vmd.create(order))
    given = config(disks=[{"pdev_path": "/dev/loop0", "vdev": "xvda", "backend": "phy", "format": "raw"}], nics=[{"devid": 0, "mac": "x"}])
    path = create_json(client, files, given)
    uuid = client.rows()["vm"].uuid
    assert client.rows()["vm"].path == path and uuid[14] == "4"
    assert seen == [(given | {"c_info": given["c_info"] | {"uuid": uuid}, "b_info": given["b_info"] | {"type.pvh": {}}}, ["config", "kernel"])]
    assert vmd.orders[-1]["kind"] == "vm-devices"
    # Root may name a kernel of this host.
    given = config("two")
    given["b_info"]["kernel"] = "/boot/vmlinuz"
    create_json(client, files, given, kernel=False)
    assert vmd.orders[-1]["kind"] == "vm" and seen[-1][1] == ["config"]
    assert create_json(client, files, config("three", c_info={"type": "pv", "name": "three", "uuid": NAMED}))
    assert client.rows()["three"].uuid == NAMED


@pytest.mark.parametrize("given, error, why", [
    (b"", INVALID_ARGS, "JSON"), (b"[]", INVALID_ARGS, "JSON"), (b"{} x", INVALID_ARGS, "JSON"), (b'{"a": "\xff"}', INVALID_ARGS, "JSON"),
    (b"[" * 60000, INVALID_ARGS, "JSON"), (b"{}", INVALID_ARGS, "c_info.type"), ({"c_info": {"type": "pvh"}}, INVALID_ARGS, "c_info.name"),
    ({"c_info": {"type": "pvh", "name": 5}}, INVALID_ARGS, "c_info.name"), ({"c_info": []}, INVALID_ARGS, "object"),
    (config("a\nb"), INVALID_ARGS, "name"), (config("a\x7f"), INVALID_ARGS, "name"), (config("a" * 64), INVALID_ARGS, "name"), (config("5"), INVALID_ARGS, "number"), (config("a/b"), INVALID_ARGS, "slash"),
    (config(c_info={"type": "xen", "name": "vm"}), OURS + "NotSupported", "hvm"),
    (config(c_info={"type": "pvh", "name": "vm", "uuid": "5"}), INVALID_ARGS, "uuid"),
    (config(disks={}), INVALID_ARGS, "disks"), (config(disks=[5]), OURS + "NotSupported", "disks.0"),
    (config(disks=[{"vdev": "xvda"}]), OURS + "NotSupported", "phy"), (config(pcidevs=[]), OURS + "NotSupported", "pcidevs"),
    (config(b_info={"type.pv": {}}), INVALID_ARGS, "type.pv"), (config(b_info={"type.pvh": 5}), INVALID_ARGS, "type.pvh"),
    (config(b_info={"dm_restrict": "True"}), OURS + "NotSupported", "dm_restrict"), (config(disks=[{"backend": "tap"}]), OURS + "NotSupported", "qdisk"), (config(b_info={"type.hvm": {}}), INVALID_ARGS, "type.hvm"),
    (config(on_reboot="rename-restart"), OURS + "NotSupported", "on_reboot"), (config(on_crash=5), INVALID_ARGS, "on_crash"),
], ids=range(27))
def test_json_that_is_refused(client, vmd, files, given, error, why):
    with pytest.raises(dbus.DBusException) as caught:
        create_json(client, files, given)
    assert caught.value.get_dbus_name() == error and why in caught.value.get_dbus_message(), caught.value
    assert vmd.orders == []


def hvm(name="vm", variant=None, **more):
    return config(name, c_info={"type": "hvm", "name": name}, **({} if variant is None else {"b_info": config()["b_info"] | {"type.hvm": variant}}), **more)


@pytest.fixture
def daemon_of_dom0(launch, runtime, peers):
    return launch("ok-classic-dom0", options=["--session", "--peers", str(peers)], env={"RUNTIME_DIRECTORY": str(runtime)})


@pytest.fixture
def dom0(daemon_of_dom0, peers):
    """The vmd of a hyperlaunchd in domain 0."""
    server = vms.Vmd(str(peers), daemon_of_dom0.command)
    yield server
    server.stop()


@pytest.mark.parametrize("given, kernel, kind, keep", [
    (hvm(), False, "vm-qemu", False), (hvm(), True, "vm-qemu", True), (hvm(disks=[{"backend": "phy"}]), False, "vm-qemu", False),
    (config(disks=[{"backend": "qdisk"}]), False, "vm-qemu", False), (config(disks=[{"backend": "phy"}, {"backend": "qdisk"}]), True, "vm-qemu", True),
    (config(disks=[{"backend": "phy"}]), True, "vm-devices", False), (config(), True, "vm", False)], ids=range(7))
def test_what_qemu_serves_is_made_where_qemu_can_stay(client, dom0, files, given, kernel, kind, keep):
    """QEMU opens modules by name, so they are kept for it."""
    create_json(client, files, given, kernel=kernel)
    assert (dom0.orders[-1]["kind"], dom0.orders[-1]["keep"]) == (kind, keep)


def test_hvm_has_a_serial_port_and_no_vnc_unless_its_caller_says_so(client, dom0, files):
    seen = []
    dom0.overrides["create"] = lambda order: (seen.append(order.config()["b_info"]["type.hvm"]), dom0.create(order))
    create_json(client, files, hvm("one"), kernel=False)
    create_json(client, files, hvm("two", {"bios": "ovmf", "serial": "none", "vnc": {"enable": "True", "listen": "::1"}}), kernel=False)
    create_json(client, files, hvm("three", {"serial_list": ["pty", "null"]}), kernel=False)
    off = {"vnc": {"enable": "False"}}
    assert seen == [off | {"serial": "pty"}, {"bios": "ovmf", "serial": "none", "vnc": {"enable": "True", "listen": "::1"}},
                    off | {"serial_list": ["pty", "null"]}]


def test_qemu_needs_domain_0(client, vmd, files):
    for given in (hvm(), config(disks=[{"backend": "qdisk"}])):
        with pytest.raises(dbus.DBusException) as caught:
            create_json(client, files, given)
        assert caught.value.get_dbus_name() == OURS + "NotSupported" and "domain 0" in caught.value.get_dbus_message()
    assert vmd.orders == [] and jobs(client) == []


@pytest.mark.parametrize("given, kind", [(hvm(on_poweroff="restart"), "vm-qemu"), (config(on_poweroff="restart"), "vm-devices")], ids=["hvm", "pvh"])
def test_qemu_of_a_restart_can_stay_too(daemon_of_dom0, client, dom0, files, runtime, given, kind):
    """By what is recorded of it, as hyperlaunchd may be another one by then."""
    create_json(client, files, given)
    policy = json.loads((runtime / "vm" / client.rows()["vm"].uuid / "policy").read_text())
    assert policy["qemu"] == (kind == "vm-qemu")
    daemon_of_dom0.command("shutdown vm poweroff")
    wait_until(lambda: dom0.orders[-1]["request"] == "restart" and not jobs(client))
    assert dom0.orders[-1]["kind"] == kind


def test_process_that_ends_before_its_connection(client, vmd, files):
    """QEMU has the connection open too; what the process has sent is read first."""
    def leave(order, last):
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        pidfd = os.pidfd_open(child.pid)
        order.greet_with(pidfd)
        last(order)
        child.communicate()
        order.wait_left()
    vmd.greets = False
    vmd.overrides["create"] = lambda order: leave(order, lambda order: order.stage("build"))
    vmd.overrides["destroy"] = lambda order: (order.greet_with(None), order.done())
    assert "ended before" in refused(client, files, OURS + "Failed")
    wait_until(lambda: [order["request"] for order in vmd.orders] == ["create", "destroy"])
    vmd.overrides["create"] = lambda order: leave(order, vmd.create)
    create(client, files)


def test_descriptor_that_is_no_process(client, vmd, files):
    vmd.greets = False
    vmd.overrides["create"] = lambda order: (order.greet_with(files["kernel"]), vmd.create(order))
    vmd.overrides["destroy"] = lambda order: (order.greet_with(None), order.done())
    assert "message" in refused(client, files, OURS + "Failed").lower()


def test_other_format(client, vmd, files):
    assert "Format" in refused(client, files, INVALID_ARGS, Format="xml")


CALL = """
import sys, dbus, dbus.bus
bus = dbus.bus.BusConnection(sys.argv[1])
kernel = dbus.types.UnixFd(open(sys.argv[3], "rb"))
try:
    bus.call_blocking("org.xenproject.Hyperlaunch1", "/org/xenproject/Hyperlaunch1", "org.xenproject.Hyperlaunch1.Manager", "CreateDomain",
                      "aya{sv}", (dbus.ByteArray(bytes.fromhex(sys.argv[2])), {"Format": sys.argv[4], "Kernel": kernel}), timeout=60)
except dbus.DBusException as error:
    sys.exit(str(error))
"""


def create_as_nobody(bus_address, given, kernel):
    form = "dtb" if isinstance(given, bytes) else "json"
    text = given.hex() if form == "dtb" else json.dumps(given).encode().hex()
    return subprocess.run([sys.executable, "-c", CALL, bus_address, text, str(kernel), form], capture_output=True, text=True,
                          timeout=60, check=False, user=NOBODY, group=NOBODY, extra_groups=[])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
def test_who_is_not_root_names_nothing_of_this_host(launch, bus_address, place, peers, client, polkit):
    """Whatever polkit says."""
    polkit().SetAllowed([NAME + ".create-domain"])
    daemon = launch(options=["--peers", str(peers)])
    server = vms.Vmd(str(peers), daemon.command)
    (place / "kernel").write_text("kernel")
    (place / "kernel").chmod(0o644)
    for number, (given, why) in enumerate([
            (config(disks=[{"backend": "phy", "pdev_path": "/etc/shadow"}]), "disks"), (config(nics=[{"script": "/tmp/x"}]), "nics.script"),
            (config(b_info={"kernel": "/etc/shadow"}), "b_info.kernel"), (config(b_info={"bootloader": "/bin/sh"}), "b_info.bootloader"),
            (config(b_info={"device_model": "/bin/sh"}), "b_info.device_model"), (config(c_info={"type": "pvh", "name": "vm", "xsdata": {}}), "xsdata"),
            (config(c_info={"type": "pv", "name": "vm"}, b_info={"type.pv": {"ramdisk": "/etc/shadow"}}), "type.pv"),
            (config(b_info={"type.pvh": {"pvshim_path": "/etc/shadow"}}), "type.pvh"),
            (config(c_info={"type": "pvh", "name": "vm", "ssid_label": "system_u:system_r:hl_control_t"}), "ssid_label"),
            (hvm(variant={"vnc": {"enable": "True"}}), "type.hvm.vnc"), (hvm(variant={"bios": "ovmf"}), "type.hvm.bios"),
            (hvm(variant={"serial": "file:/etc/x"}), "type.hvm.serial"), (hvm(variant={"boot": "c,splash=/etc/shadow"}), "type.hvm.boot"),
            (hvm(variant={"vga": {"kind": "std", "more": 1}}), "type.hvm.vga"), (hvm(variant={"keymap": "/etc/shadow"}), "type.hvm.keymap"),
            (hvm(b_info={"extra": ["-x"]}), "b_info.extra"), (hvm(disks=[{"backend": "qdisk"}]), "disks"),
            (hvm(nics=[{"model": "e1000"}]), "nics.model"),
            (definition(more='security-id = "hl_control_t";'), "security-id")]):
        done = create_as_nobody(bus_address, given, place / "kernel")
        assert done.returncode != 0 and why in done.stderr and "root only" in done.stderr, (number, done.stderr)
    done = create_as_nobody(bus_address, hvm(nics=[{"bridge": "xenbr0,script=/tmp/x"}]), place / "kernel")
    assert done.returncode != 0 and "nics.0.bridge is no name" in done.stderr, done.stderr
    # What is left of HVM is none of this host, but there is no QEMU here.
    variant = {"bios": "seabios", "serial": "pty", "boot": "cd", "vga": {"kind": "cirrus"}, "acpi": "True"}
    assert "domain 0" in create_as_nobody(bus_address, hvm(variant=variant), place / "kernel").stderr
    assert server.orders == []
    done = create_as_nobody(bus_address, config("theirs", nics=[{"mac": "00:16:3e:00:00:01", "bridge": "xenbr0"}]), place / "kernel")
    assert done.returncode == 0, done.stderr
    assert client.rows()["theirs"].state == "running"
    server.stop()


def directories(runtime):
    return sorted(path.name for path in (runtime / "vm").iterdir())


@pytest.mark.parametrize("restart, reason, ends_in", [
    ("never", "poweroff", "destroy"), ("never", "reboot", "destroy"), ("never", "crash", "destroy"), ("never", "watchdog", "destroy"),
    ("on-failure", "poweroff", "destroy"), ("on-failure", "reboot", "restart"), ("on-failure", "crash", "restart"),
    ("on-failure", "watchdog", "restart"), ("always", "poweroff", "restart")])
def test_what_becomes_of_a_domain_that_ends(daemon, client, vmd, files, runtime, restart, reason, ends_in):
    path = create(client, files, definition(more=f'restart = "{restart}";'))
    uuid = client.rows()["vm"].uuid
    assert vmd.orders[-1]["keep"] == (restart != "never")
    assert client.get(f"On{reason.replace('watchdog', 'crash').capitalize()}", LIFECYCLE, path) == ends_in
    assert directories(runtime) == [uuid]
    daemon.command(f"shutdown vm {reason}")
    wait_until(lambda: vmd.orders[-1]["request"] == ends_in and not jobs(client))
    if ends_in == "destroy":
        assert "vm" not in client.rows()
        wait_until(lambda: directories(runtime) == [])
    else:
        row = client.rows()["vm"]
        assert (row.uuid, row.state) == (uuid, "running") and row.path != path
        assert client.get("Restarts", LIFECYCLE, row.path) == 1
        assert directories(runtime) == [uuid]
        destroy(client, row.path)
        wait_until(lambda: directories(runtime) == [])


def test_json_says_what_becomes_of_it(daemon, client, vmd, files):
    create_json(client, files, config(on_poweroff="restart", on_crash="preserve"))
    assert vmd.orders[-1]["keep"] is True
    daemon.command("shutdown vm poweroff")
    wait_until(lambda: vmd.orders[-1]["request"] == "restart" and not jobs(client))
    daemon.command("shutdown vm crash")
    turn(0.5)
    assert client.rows()["vm"].state == "shutdown" and len(vmd.orders) == 2


@pytest.mark.parametrize("reason", ["suspend", "soft-reset"])
def test_ends_that_are_nobodys(daemon, client, vmd, files, reason):
    create(client, files, definition(more='restart = "always";'))
    daemon.command(f"shutdown vm {reason}")
    turn(0.5)
    assert len(vmd.orders) == 1


def test_guest_that_crashes_at_once(daemon, client, vmd, files, runtime):
    """It is made again as often as it may, and then stays for a look."""
    create(client, files, definition(more='restart = "on-failure"; restart-limit = <3>;'))
    for number in range(3):
        daemon.command("shutdown vm crash")
        wait_until(lambda number=number: [order["request"] for order in vmd.orders].count("restart") == number + 1 and not jobs(client))
    daemon.command("shutdown vm crash")
    wait_until(lambda: "is preserved: it was restarted 3 times" in daemon.text())
    turn(0.3)
    assert client.rows()["vm"].state == "shutdown" and len(vmd.orders) == 4
    destroy(client, client.rows()["vm"].path)
    wait_until(lambda: directories(runtime) == [])


@pytest.mark.skipif(time.monotonic() < 700, reason="this machine has not been up for as long as the test looks back")
@pytest.mark.parametrize("ago, ends_in", [(590, None), (601, "restart")])
def test_restarts_that_an_earlier_daemon_counted(launch, client, runtime, peers, ago, ends_in):
    """For ten minutes.  The domain is one that is there when the daemon starts, and has that UUID."""
    before = int((time.monotonic() - ago) * 1e6)
    daemon = launch(options=["--session"])
    uuid = next(row.uuid for row in client.list() if row.name == "web")
    daemon.stop()
    assert uuid
    (runtime / "vm" / uuid).mkdir(parents=True)
    (runtime / "vm" / uuid / "policy").write_text(json.dumps({
        "poweroff": "destroy", "reboot": "destroy", "crash": "restart", "limit": 1, "restarts": [before]}))
    daemon = launch(options=["--session", "--peers", str(peers)], env={"RUNTIME_DIRECTORY": str(runtime)})
    server = vms.Vmd(str(peers), daemon.command)
    server.overrides["restart"] = lambda order: order.failed("Failed", "not here")
    daemon.command(f"handle web {uuid}")
    daemon.command("shutdown web crash")
    if ends_in:
        wait_until(lambda: [order["request"] for order in server.orders] == [ends_in])
    else:
        wait_until(lambda: "is preserved: it was restarted 1 times" in daemon.text())
        assert server.orders == []
    server.stop()


def test_restart_waits_for_a_place_among_jobs(daemon, client, vmd, files):
    create(client, files, definition(more='restart = "always";'))
    held, answers = hold(vmd, "create"), []
    for number in range(64):
        begin(client, files, answers, definition(f"many{number}"))
    wait_until(lambda: len(held) == 64)
    daemon.command("shutdown vm poweroff")
    wait_until(lambda: "cannot restart domain" in daemon.text())
    for order in held:
        order.failed("Failed", "enough")
    wait_until(lambda: "restart" in [order["request"] for order in vmd.orders] and not jobs(client))
    assert client.get("Restarts", LIFECYCLE, client.path_of("vm")) == 1


def test_restart_whose_vmd_is_killed_leaves_nothing(daemon, client, vmd, files):
    create(client, files, definition(more='restart = "always";'))
    vmd.overrides["restart"] = lambda order: None
    daemon.command("shutdown vm poweroff")
    wait_until(lambda: [order["request"] for order in vmd.orders] == ["create", "restart", "destroy"] and not jobs(client))
    assert "vm" not in client.rows()


def test_name_and_uuid_of_a_domain_that_restarts(daemon, client, vmd, files):
    blob = definition(more='restart = "always"; domain-uuid = [0b 1e 9f 5c 3d 5e 4c 55 9f 0a 8c 1c 1a 2b 3c 4d];')
    create(client, files, blob)
    held = hold(vmd, "restart")
    daemon.command("shutdown vm poweroff")
    wait_until(lambda: held)
    daemon.command("domain-remove vm")
    refused(client, files, OURS + "Busy", blob)
    refused(client, files, OURS + "Busy", definition())
    vmd.domids.clear()
    vmd.make(held[0], vmd.kept[NAMED])
    wait_until(lambda: not jobs(client))
    assert client.rows()["vm"].uuid == NAMED


def test_domains_of_others_stay_theirs(daemon, client, vmd):
    daemon.command("domain-add xls")
    for name in ("xls", "web"):
        daemon.command(f"shutdown {name} poweroff")
    turn(0.5)
    assert vmd.orders == [] and client.rows()["xls"].state == "shutdown"
    assert [client.get(name, LIFECYCLE, client.path_of("xls")) for name in ("OnPoweroff", "OnReboot", "OnCrash", "Restarts")] == ["", "", "", 0]


def test_restart_that_fails_is_not_tried_again(daemon, client, vmd, files):
    def fail(order):
        order.failed("NoMemory", "no memory any more")
    create(client, files, definition(more='restart = "always";'))
    vmd.overrides["restart"] = fail
    daemon.command("shutdown vm poweroff")
    wait_until(lambda: "no memory any more" in daemon.text())
    turn(0.5)
    assert [order["request"] for order in vmd.orders] == ["create", "restart"]
    assert client.rows()["vm"].state == "shutdown"


def test_domain_that_ended_while_no_daemon_ran(daemon, client, vmd, files, runtime):
    create(client, files, definition(more='restart = "never";'))
    uuid = vmd.orders[0]["uuid"]
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()
    daemon.start()
    wait_until(client.ready)
    # This Xen has no such domain, so nothing is left of it.
    wait_until(lambda: directories(runtime) == [])
    assert uuid not in {row.uuid for row in client.list()}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"poweroff": "explode", "reboot": "destroy", "crash": "destroy", "limit": 5, "restarts": []}',
                                  '{"poweroff": "destroy", "reboot": "destroy", "crash": "destroy", "limit": 65, "restarts": []}',
                                  '{"poweroff": "destroy", "reboot": "destroy", "crash": "destroy", "limit": 5, "restarts": [-1]}',
                                  '{"poweroff": "destroy", "reboot": "destroy", "crash": "destroy", "limit": 5, "restarts": [], "request": "x"}',
                                  '{"poweroff": "destroy", "reboot": "destroy", "crash": "destroy", "limit": 5, "restarts": [], "request": 1, "uid": 0}'],
                         ids=range(9))
def test_policies_that_are_none(launch, client, runtime, peers, text):
    """They are removed, and the log says so; what is none of ours stays."""
    (runtime / "vm" / NAMED).mkdir(parents=True)
    (runtime / "vm" / NAMED / "policy").write_text(text)
    (runtime / "vm" / "lock").write_text("")
    (runtime / "vm" / "other").mkdir()
    daemon = launch(options=["--session", "--peers", str(peers)], env={"RUNTIME_DIRECTORY": str(runtime)})
    # The name on the bus comes first.
    wait_until(lambda: directories(runtime) == ["lock", "other"])
    assert f"{NAMED}/policy cannot be read" in daemon.text()


def set_policy(client, path, **actions):
    client.call("SetPolicy", "a{sv}", dbus.Dictionary(actions, signature="sv"), interface=LIFECYCLE, path=path)


def refuse_policy(client, path, error, **actions):
    return client.expect_error(error, "SetPolicy", "a{sv}", dbus.Dictionary(actions, signature="sv"), interface=LIFECYCLE, path=path)


def policy_of(client, path):
    return [client.get(name, LIFECYCLE, path) for name in ("OnPoweroff", "OnReboot", "OnCrash")]


def test_policy_that_is_changed(daemon, client, vmd, files, runtime):
    path = create(client, files, definition(more='restart = "always";'))
    uuid = client.rows()["vm"].uuid
    set_policy(client, path, OnCrash="preserve", OnPoweroff="destroy")
    assert policy_of(client, path) == ["destroy", "restart", "preserve"]
    client.wait_signal("PropertiesChanged", path, lambda interface, changed, _gone: (interface, changed.get("OnCrash")) == (LIFECYCLE, "preserve"))
    kept = json.loads((runtime / "vm" / uuid / "policy").read_text())
    assert (kept["poweroff"], kept["reboot"], kept["crash"]) == ("destroy", "restart", "preserve")
    # It goes on after a restart, and is acted upon.
    daemon.command("shutdown vm reboot")
    wait_until(lambda: vmd.orders[-1]["request"] == "restart" and not jobs(client))
    path = client.path_of("vm")
    assert policy_of(client, path) == ["destroy", "restart", "preserve"] and client.get("Restarts", LIFECYCLE, path) == 1
    daemon.command("shutdown vm poweroff")
    wait_until(lambda: vmd.orders[-1]["request"] == "destroy" and not jobs(client))


def test_domain_that_has_ended_already(daemon, client, vmd, files):
    path = create_json(client, files, config(on_crash="preserve"))
    daemon.command("shutdown vm crash")
    turn(0.3)
    set_policy(client, path, OnCrash="destroy")
    turn(0.3)
    assert len(vmd.orders) == 1 and client.rows()["vm"].state == "shutdown"


def test_restart_of_what_was_not_kept(daemon, client, vmd, files, runtime):
    path = create(client, files)
    assert vmd.orders[-1]["keep"] is False
    assert "nothing was kept" in refuse_policy(client, path, OURS + "NotSupported", OnCrash="restart", OnReboot="preserve")
    assert policy_of(client, path) == ["destroy", "destroy", "destroy"]
    set_policy(client, path, OnReboot="preserve")
    # As vmd keeps it.
    (runtime / "vm" / client.rows()["vm"].uuid / "config").write_text("{}")
    set_policy(client, path, OnCrash="restart")
    assert policy_of(client, path) == ["destroy", "preserve", "restart"]


def test_policies_that_are_not_set(daemon, client, vmd, files):
    path = create(client, files)
    assert "needed" in refuse_policy(client, path, INVALID_ARGS)
    assert "OnCrash" in refuse_policy(client, path, INVALID_ARGS, OnCrash="explode")
    assert "type s" in refuse_policy(client, path, INVALID_ARGS, OnCrash=1)
    assert "OnWatchdog" in refuse_policy(client, path, INVALID_ARGS, OnWatchdog="destroy")
    assert policy_of(client, path) == ["destroy", "destroy", "destroy"]
    assert "not made by hyperlaunchd" in refuse_policy(client, client.path_of("web"), OURS + "NotSupported", OnCrash="destroy")


def test_policy_that_cannot_be_recorded(daemon, client, vmd, files, runtime):
    """Root writes where it must not, but not in a place that is a file."""
    path = create(client, files)
    place = runtime / "vm" / client.rows()["vm"].uuid
    (place / "policy.new").mkdir()
    assert "cannot be recorded" in refuse_policy(client, path, OURS + "Failed", OnCrash="preserve")
    assert policy_of(client, path) == ["destroy", "destroy", "destroy"]
    (place / "policy.new").rmdir()
    set_policy(client, path, OnCrash="preserve")


def test_who_may_set_a_policy(launch, bus_address, client, polkit, peers):
    launch(options=["--peers", str(peers)])
    mock = polkit()
    path = client.path_of("web")

    def errors_of():
        return call_as_nobody(bus_address, "SetPolicy", "{'OnCrash': <'destroy'>}", interface=LIFECYCLE, path=path).communicate(timeout=60)[1]
    mock.SetAllowed([NAME + ".create-domain"])
    assert "AccessDenied" in errors_of()
    mock.SetAllowed([NAME + ".set-policy"])
    assert "not made by hyperlaunchd" in errors_of()
