# SPDX-License-Identifier: LGPL-2.1-or-later
"""The journal's fields, at a socket in the place of journald's; on a terminal plain text."""

import errno
import os
import re
import socket
import struct
import subprocess

import pytest

from conftest import DOMAIN, IS_ROOT, Daemon, compile_lcm, wait_until
from xenstored import Xenstored

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
# In the build environment, a chroot in a mount namespace of its own, propagation can not be changed and need not.
UNSHARE = [["unshare", "--mount", *propagation, *user] for propagation in ([], ["--propagation=unchanged"])
           for user in ([] if IS_ROOT else ["--map-current-user", "--keep-caps"],)]
# The daemon has a /run of its own, with the test's socket where libsystemd looks for journald's.
IN_NAMESPACE = 'mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && mount --bind "$0" /run/systemd/journal && exec "$@"'


def fields_of(datagram):
    """Of the journal's native protocol: NAME=value lines, and values with newlines behind their length."""
    found = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length = struct.unpack("<Q", rest[:8])[0]
            value, rest = rest[8:8 + length], rest[8 + length + 1:]
        found[name.decode()] = value.decode()
        datagram = rest
    return found


class Journal:
    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "socket"))
        os.chmod(folder / "socket", 0o666)
        self.socket.setblocking(False)
        self.entries = []

    def find(self, text):
        """The first entry that has the text in its message, or None."""
        while True:
            try:
                self.entries.append(fields_of(self.socket.recv(65536)))
            except BlockingIOError:
                break
        return next((entry for entry in self.entries if text in entry["MESSAGE"]), None)

    def wait(self, text):
        return wait_until(lambda: self.find(text), what=lambda: f"{text} in {self.entries}")


def can_mount(command):
    return subprocess.run([*command, "mount", "-t", "tmpfs", "tmpfs", "/run"], stderr=subprocess.DEVNULL, check=False).returncode == 0


@pytest.fixture(scope="module")
def unshare():
    command = next(filter(can_mount, UNSHARE), None)
    if not command:
        pytest.skip("no mount namespaces here")
    return command


@pytest.fixture
def journal(place):
    journal = Journal(place / "journal")
    yield journal
    journal.socket.close()


@pytest.fixture
def store(place):
    server = Xenstored(place / "xenstored" / "socket")
    yield server
    server.stop()


@pytest.fixture
def daemon(unshare, place, bus_address, journal, store):
    """Its stderr is the journal's, as the service manager says."""
    daemon = Daemon(place, bus_address, compile_lcm(place, "ok-dynamic-full"), env={"XENSTORED_PATH": store.path})
    store.become(2)
    daemon.log_path.touch()
    stream = os.stat(daemon.log_path)
    daemon.env["JOURNAL_STREAM"] = f"{stream.st_dev}:{stream.st_ino}"
    daemon.args = [*unshare, "sh", "-c", IN_NAMESPACE, str(journal.folder), *daemon.args]
    yield daemon
    daemon.stop()


def message_ids():
    with open(f"{ROOT}/daemon/loop/log.h", encoding="utf-8") as file:
        return dict(re.findall(r'#define LOG_ID_(\w+)\s+"([0-9a-f]{32})"', file.read()))


def test_messages_about_a_domain(daemon, journal, store, client):
    store.start()
    daemon.start()
    entry = journal.wait("introduced to xenstored")
    domain = client.domain(entry["DOMAIN_NAME"])
    assert entry["DOMID"] == str(domain["Domid"]) and entry["PRIORITY"] == "6" and "JOB_ID" not in entry
    assert entry["MESSAGE"] == f"domain {entry['DOMID']}: introduced to xenstored, as {entry['DOMAIN_NAME']}"
    assert entry["MESSAGE_ID"] == message_ids()["DOMAIN_INTRODUCED"]
    assert entry["SYSLOG_IDENTIFIER"] == "hyperlaunchd"
    # Of this file the reader learns nothing.
    assert "CODE_FILE" not in entry


def test_message_about_none(daemon, journal, client):
    daemon.start()
    entry = journal.wait("xenstored is not there yet")
    assert entry["PRIORITY"] == "5" and not {"DOMID", "DOMAIN_NAME", "JOB_ID", "MESSAGE_ID"} & entry.keys()
    assert "ready:" not in daemon.text() and "xenstored" not in daemon.text()


def test_loss_of_xenstored(daemon, journal, store, client):
    store.start()
    daemon.start()
    journal.wait("introduced to xenstored")
    store.stop()
    assert journal.wait("is lost")["MESSAGE_ID"] == message_ids()["XENSTORE_LOST"]


def test_introduction_that_is_given_up(daemon, journal, store, client):
    store.refuse_introduce = [errno.EINVAL]
    store.start()
    daemon.start()
    entry = journal.wait("not introduced to xenstored")
    assert entry["MESSAGE_ID"] == message_ids()["DOMAIN_NOT_INTRODUCED"] and entry["DOMID"] and entry["PRIORITY"] == "3"


def test_messages_about_a_job(daemon, journal, client):
    daemon.start()
    wait_until(client.ready)
    path = client.path_of("db")
    client.call("Release", "a{sv}", {}, interface="org.xenproject.Hyperlaunch1.Lifecycle", path=path)
    entry = journal.wait("release domain")
    assert entry["MESSAGE_ID"] == message_ids()["JOB_DONE"] and entry["JOB_KIND"] == "release" and int(entry["JOB_ID"]) >= 1
    assert (entry["DOMID"], entry["DOMAIN_NAME"]) == (str(client.get("Domid", path=path, interface=DOMAIN)), "db")
    assert (entry["CALLER_UID"], entry["CALLER_PID"]) == (str(os.geteuid()), str(os.getpid()))


def test_a_terminal_gets_text(place, bus_address, client):
    daemon = Daemon(place, bus_address, compile_lcm(place, "ok-static-basic")).start()
    wait_until(client.ready)
    daemon.stop()
    assert re.search(r"^hyperlaunchd: ready: \d+ domains$", daemon.text(), re.MULTILINE)


def test_manual_has_the_message_ids_and_fields():
    with open(f"{ROOT}/docs/man/hyperlaunchd.8", encoding="utf-8") as file:
        manual = file.read()
    with open(f"{ROOT}/daemon/loop/log.c", encoding="utf-8") as file:
        fields = set(re.findall(r'"([A-Z_]+)=', file.read())) - {"PRIORITY", "SYSLOG_IDENTIFIER", "MESSAGE"}
    assert len(fields) >= 6 and not [name for name in fields if name not in manual]
    assert not [number for number in message_ids().values() if number not in manual]
