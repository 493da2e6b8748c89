# SPDX-License-Identifier: LGPL-2.1-or-later
"""hyperlaunch-vmd as a process: which orders it takes, on a machine without Xen."""
import json
import os
import re
import select
import socket
import subprocess

import pytest

VMD = os.environ["VMD"]
UUID = "0b1e9f5c-3d5e-4c55-9f0a-8c1c1a2b3c4d"
# A connection as the service manager passes it: descriptor 3 of a process whose number it has.
START = ["sh", "-c", 'exec env LISTEN_PID=$$ LISTEN_FDS=1 "$0" 3<&0 0</dev/null', VMD]


@pytest.fixture
def vmd(tmp_path):
    """A running one, and our end of its connection."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(20)
    process = subprocess.Popen(START, stdin=its, stderr=subprocess.PIPE, env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)})
    its.close()
    yield process, ours
    ours.close()
    process.kill()
    process.communicate()


def receive(connection):
    data = connection.recv(4096)
    return json.loads(data) if data else None


def order(connection, packet, fds=()):
    """The packets that come after hello."""
    assert receive(connection) == {"hello": "vm", "version": 1}
    data = packet if isinstance(packet, bytes) else json.dumps(packet).encode()
    socket.send_fds(connection, [data], fds)
    found = []
    while (one := receive(connection)) is not None:
        found.append(one)
    return found


@pytest.fixture
def file(tmp_path):
    (tmp_path / "config").write_text("{}")
    fd = os.open(tmp_path / "config", os.O_RDONLY)
    yield fd
    os.close(fd)


def test_order_that_it_takes(vmd):
    process, connection = vmd
    told = order(connection, {"id": "1", "request": "destroy", "uuid": UUID, "domid": 5})
    assert told[0] == {"event": "stage", "stage": "wait"}
    assert (told[1]["id"], told[1]["error"]) == ("1", "Failed") and "libxl cannot be used here" in told[1]["message"]
    assert process.wait(20) == 1


@pytest.mark.parametrize("change, why", [
    ({"request": "other"}, "request"), ({"request": None}, "request"), ({"request": 5}, "request"),
    ({"uuid": None}, "uuid"), ({"uuid": "00000000-0000-0000-0000-000000000000"}, "uuid"), ({"uuid": UUID[:-1]}, "uuid"),
    ({"uuid": UUID + "0"}, "uuid"), ({"domid": -1}, "domid"), ({"domid": 0x7ff0}, "domid"), ({"domid": "5"}, "domid"),
    ({"fds": ["config"]}, "fds"), ({"request": "create", "start": True, "keep": False}, "configuration"), ({"request": "other"}, "request"),
    ({"request": "set-memory"}, "memory"), ({"request": "set-memory", "memory": 0}, "memory"), ({"request": "set-memory", "memory": "5"}, "memory"),
    ({"request": "set-memory", "memory": 1 << 62}, "memory"), ({"request": "set-vcpus", "memory": 5}, "vcpus"),
    ({"request": "set-vcpus", "vcpus": 0}, "vcpus"), ({"request": "set-vcpus", "vcpus": 8193}, "vcpus"),
    ({"request": "attach"}, "type"), ({"request": "attach", "type": "usb"}, "type"), ({"request": "attach", "type": "disk"}, "configuration"),
    ({"request": "detach", "type": "disk", "force": False}, "device"), ({"request": "detach", "type": "disk", "device": "xvdb"}, "force"),
    ({"request": "detach", "type": "nic", "device": "x" * 64, "force": True}, "device"), ({"request": "undo-attach", "uuid": None}, "uuid")])
def test_members_that_do_not_fit(vmd, change, why):
    process, connection = vmd
    packet = {"id": "1", "request": "destroy", "uuid": UUID} | change
    told = order(connection, {key: value for key, value in packet.items() if value is not None})
    assert [(one["id"], one["error"]) for one in told] == [("1", "InvalidArgs")] and why in told[0]["message"]
    assert process.wait(20) == 1


@pytest.mark.parametrize("names, nr, why", [
    (["config", "config"], 2, "fds"), (["config", "other"], 2, "fds"), (["config"], 2, "fds"), (["config", 5], 2, "fds"), (None, 1, "fds"),
    ("config", 1, "fds"), (["kernel"], 1, "configuration"), (["config"], 1, "start or keep")])
def test_descriptors_that_do_not_fit(vmd, file, names, nr, why):
    _, connection = vmd
    told = order(connection, {"id": "1", "request": "create", "uuid": UUID} | ({} if names is None else {"fds": names}), [file] * nr)
    assert [one["error"] for one in told] == ["InvalidArgs"] and why in told[0]["message"]


@pytest.mark.parametrize("request_, names, why", [("attach", ["config", "kernel"], "one"), ("detach", ["config"], "none"), ("undo-attach", ["config"], "none")])
def test_descriptors_of_devices(vmd, file, request_, names, why):
    _, connection = vmd
    told = order(connection, {"id": "1", "request": request_, "uuid": UUID, "type": "disk", "device": "xvdb", "force": False, "fds": names}, [file] * len(names))
    assert [one["error"] for one in told] == ["InvalidArgs"] and why in told[0]["message"]


@pytest.mark.parametrize("packet", [b"", b"[]", b"{", b"{}", b"x" * 3000, b'{"id": 5}', b'{"id": "' + b"x" * 100 + b'"}'])
def test_no_order(vmd, packet):
    process, connection = vmd
    assert order(connection, packet) == []
    assert process.wait(20) == 1


def test_too_many_descriptors(vmd, file):
    process, connection = vmd
    assert order(connection, {"id": "1", "request": "create", "uuid": UUID}, [file] * 6) == []
    assert process.wait(20) == 1


def test_hello_has_the_process(vmd):
    """A descriptor of it: the connection may stay open for longer."""
    process, connection = vmd
    data, fds, _, _ = socket.recv_fds(connection, 4096, 4)
    assert json.loads(data) == {"hello": "vm", "version": 1} and len(fds) == 1
    with open(f"/proc/self/fdinfo/{fds[0]}", encoding="utf-8") as file:
        assert f"\nPid:\t{process.pid}\n" in file.read()
    assert select.select(fds, [], [], 0)[0] == []
    process.kill()
    assert select.select(fds, [], [], 20)[0] == fds
    os.close(fds[0])


def test_connection_that_another_process_has_too_is_ended(tmp_path):
    """As the service manager has it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(20)
    with ours, its, subprocess.Popen(START, stdin=its, stderr=subprocess.DEVNULL, env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)}) as process:
        assert order(ours, {"id": "1", "request": "destroy", "uuid": UUID})[-1]["error"] == "Failed"
        assert process.wait(20) == 1


def ended(folder, note=None):
    if note is not None:
        (folder / "qemu-0123").write_text(note if isinstance(note, str) else json.dumps(note))
    (folder / "qemu-0123.new").write_text("{")
    return subprocess.run([VMD, "--qemu-ended"], env={**os.environ, "RUNTIME_DIRECTORY": str(folder), "INVOCATION_ID": "0123"}, capture_output=True,
                          text=True, timeout=20, check=False)


@pytest.mark.parametrize("note, code, why", [
    (None, 0, ""), ({"uuid": UUID, "cgroup": "/sys/fs/cgroup/x"}, 0, ""), ("", 1, "Bad message"), ("[]", 1, "Bad message"),
    ({"uuid": UUID, "cgroup": "/etc"}, 1, "Bad message"), ({"uuid": UUID, "cgroup": "/sys/fs/cgroup/x", "domid": -1}, 1, "Bad message"),
    ({"uuid": "x", "cgroup": "/sys/fs/cgroup/x", "domid": 1}, 1, "Invalid argument"),
    # There is no Xen here.
    ({"uuid": UUID, "cgroup": "/sys/fs/cgroup/x", "domid": 1}, 1, "Input/output error")], ids=range(8))
def test_end_of_qemu(tmp_path, note, code, why):
    done = ended(tmp_path, note)
    assert (done.returncode, why in done.stderr) == (code, True), done.stderr
    assert not (tmp_path / "qemu-0123.new").exists()
    # Another one of the unit's processes finds the note no more.
    assert (tmp_path / "qemu-0123").exists() == (why == "Bad message")


def test_client_that_leaves_at_once(vmd):
    process, connection = vmd
    connection.close()
    assert process.wait(20) == 1


def test_two_orders_about_one_vm_wait_for_each_other(vmd, tmp_path):
    """Another process has the lock; a client that leaves meanwhile wants nothing any more."""
    process, connection = vmd
    first = tmp_path / "lock"
    holder = subprocess.Popen(["python3", "-c", f"""
import fcntl, struct, sys
file = open({str(first)!r}, "w")
offset = int.from_bytes(bytes.fromhex({UUID.replace('-', '')!r})[:8], sys.byteorder) & 0x7ffffffffffffffe
fcntl.fcntl(file, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, offset, 1, 0))
print("has it", flush=True)
sys.stdin.read()"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"has it\n"
    assert receive(connection)["hello"] == "vm"
    connection.send(json.dumps({"id": "1", "request": "destroy", "uuid": UUID}).encode())
    assert receive(connection) == {"event": "stage", "stage": "wait"}
    connection.settimeout(1)
    with pytest.raises(TimeoutError):
        receive(connection)
    # It would be the process's own: its children, of which one waits for QEMU, do not have it.
    with open("/proc/locks", encoding="utf-8") as locks:
        assert re.search(rf"-> POSIX .* {process.pid} ", locks.read())
    holder.communicate(b"")
    connection.settimeout(20)
    assert receive(connection)["error"] == "Failed"
    assert process.wait(20) == 1


def test_without_a_connection():
    done = subprocess.run([VMD], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2 and "hyperlaunch-vmd.socket" in done.stderr
    assert subprocess.run([VMD, "--other"], capture_output=True, timeout=20, check=False).returncode == 2
    assert subprocess.run([VMD, "more"], capture_output=True, timeout=20, check=False).returncode == 2
