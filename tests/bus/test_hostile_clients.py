# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that mean no good."""

import os
import pathlib
import signal
import socket
import subprocess
import time
import xml.etree.ElementTree as ET

import dbus
import dbus.lowlevel
import pytest

from conftest import (DOMAIN, HOST, INVALID_ARGS, JOB, LAUNCH, MANAGER, NAME, PATH, PROPERTIES, ROOT, Client,
                      wait_until)
from console_support import consoled, daemon, peers, server, web

# The address sanitizer keeps what is freed for a while, and all of it takes more.
MEGABYTE = (16 if "asan" in os.environ["HYPERLAUNCHD"] else 1) << 20


def rss(daemon):
    """Bytes."""
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines()
                if line.startswith("VmRSS"))


def message(method, signature="", *args, path=PATH, interface=MANAGER):
    call = dbus.lowlevel.MethodCallMessage(NAME, path, interface, method)
    if signature:
        call.append(*args, signature=signature)
    return call


FLOODS = (
    ("ListDomains", ""),
    ("GetDomainByName", "s", "x" * 4096),
    ("GetEvents", "u", 0),
    ("NoSuch", ""),
)


def test_flood_without_reading(launch, client, bus_address):
    """Thousands of calls whose answers nobody takes; others are served all the same."""
    daemon = launch()
    quiet = rss(daemon)
    flooders = [Client(bus_address) for _ in range(3)]
    slowest = 0
    for round_ in range(10):
        for flooder in flooders:
            for call in FLOODS:
                for _ in range(50):
                    flooder.connection.send_message(message(*call))
        begin = time.monotonic()
        assert client.get("NDomains") == 8
        slowest = max(slowest, time.monotonic() - begin)
        assert daemon.process.poll() is None, (round_, daemon.text())
    assert slowest < 15
    wait_until(lambda: client.get("NDomains") == 8)
    grown = rss(daemon) - quiet
    assert grown < 8 * MEGABYTE, grown
    for flooder in flooders:
        flooder.close()
    assert client.get("NDomains") == 8


def test_flood_leaves_no_memory_behind(launch, client, bus_address):
    daemon = launch()

    def burst():
        flooder = Client(bus_address)
        for _ in range(2000):
            flooder.connection.send_message(message("ListDomains"))
        flooder.connection.flush()
        assert client.get("NDomains") == 8
        flooder.close()

    burst()
    first = rss(daemon)
    for _ in range(5):
        burst()
    assert rss(daemon) - first < 2 * MEGABYTE


def test_answers_that_nobody_carries(launch, client, bus_address, place):
    """The bus itself stands still: requests wait where they are, answers don't pile up."""
    daemon = launch()
    for i in range(1200):
        daemon.command(f"domain-add guest{i} domid={1000 + i}")
    wait_until(lambda: client.get("NDomains") == 1208)
    client.list()
    quiet = rss(daemon)
    clients = [Client(bus_address) for _ in range(2)]
    buses = subprocess.run(["pgrep", "-f", f"config-file={place}/bus.conf"], capture_output=True,
                           text=True, check=True).stdout.split()
    daemon.process.send_signal(signal.SIGSTOP)
    for each in clients:
        for _ in range(100):
            each.connection.send_message(message("ListDomains"))
        each.connection.flush()
    time.sleep(1)
    for pid in buses:
        os.kill(int(pid), signal.SIGSTOP)
    daemon.process.send_signal(signal.SIGCONT)
    time.sleep(2)
    grown = rss(daemon) - quiet
    for pid in buses:
        os.kill(int(pid), signal.SIGCONT)
    # Those that are on their way have some 140 KB each.
    assert grown < 5 * MEGABYTE, grown
    assert client.get("NDomains") == 1208
    for each in clients:
        each.close()


def test_big_arguments(launch, client):
    daemon = launch()
    for method, signature, arg in (("GetDomainByName", "s", "n" * (1 << 20)),
                                   ("GetDomainByUUID", "s", "u" * (1 << 20)),
                                   ("GetDomainsByRole", "s", "r" * (1 << 20)),
                                   ("GetLCM", "s", "f" * (1 << 20))):
        try:
            client.call(method, signature, arg)
            raise AssertionError(method)
        except dbus.DBusException as error:
            assert len(error.get_dbus_message()) < 2000
    assert daemon.process.poll() is None


SAMPLES = {
    "": (), "u": (5,), "s": ("5",), "i": (-1,), "t": (5,), "o": (PATH,), "b": (True,), "d": (5.0,),
    "y": (5,), "n": (-5,), "x": (-1,), "v": (dbus.UInt32(5, variant_level=1),), "as": (["5"],),
    "au": ([5],), "a{sv}": ({},), "uu": (5, 5), "us": (5, "x"), "ss": ("a", "b"), "(u)": ((5,),), "g": ("u",),
}


def refuse_other_types(client, interface, path):
    for method in interface.iter("method"):
        taken = "".join(a.get("type") for a in method.iter("arg") if a.get("direction") == "in")
        for signature, args in SAMPLES.items():
            if signature == taken:
                continue
            with pytest.raises(dbus.DBusException) as caught:
                client.call(method.get("name"), signature, *args, interface=interface.get("name"), path=path)
            assert caught.value.get_dbus_name() == INVALID_ARGS, (method.get("name"), signature)


def interfaces():
    tree = ET.parse(ROOT / "docs" / "dbus" / "org.xenproject.Hyperlaunch1.xml").getroot()
    return {i.get("name"): i for i in tree.iter("interface")}


def test_every_method_with_every_type(web, client):
    """What it does not take is refused, by D-Bus' own name for that, and nothing happens."""
    _, domain = web
    before = client.still_objects(), client.get_all()
    for name, interface in interfaces().items():
        if name != JOB:
            refuse_other_types(client, interface, PATH if name in (MANAGER, LAUNCH, HOST) else domain)
    assert (client.still_objects(), client.get_all()) == before


def test_every_method_of_a_job_with_every_type(launch, client):
    """There is one until the end of the line."""
    daemon = launch(options=["--session"])
    daemon.command("typing on")
    call = dbus.lowlevel.MethodCallMessage(NAME, PATH, MANAGER, "SetConsoleOwner")
    call.append(client.path_of("web"), {}, signature="oa{sv}")
    answers = []
    client.connection.send_message_with_reply(call, answers.append, 60)
    refuse_other_types(client, interfaces()[JOB], client.wait_signal("JobNew")[3][0])
    daemon.command("typing off")
    wait_until(lambda: answers)


def test_descriptors_that_nobody_wants(launch, client):
    """Calls that carry fds where none belong: refused, and the fds closed."""
    daemon = launch()
    fds = pathlib.Path(f"/proc/{daemon.process.pid}/fd")
    before = len(list(fds.iterdir()))
    ours, theirs = socket.socketpair()
    for _ in range(50):
        call = message("GetDomainByName", "h", dbus.types.UnixFd(theirs.fileno()))
        client.connection.send_message(call)
    assert client.get("NDomains") == 8
    assert len(list(fds.iterdir())) <= before
    ours.close()
    theirs.close()


def test_forged_signals_and_replies(launch, client):
    """Signals in our own name, and answers to nothing."""
    launch()
    forged = dbus.lowlevel.SignalMessage(PATH, MANAGER, "DomainRemoved")
    forged.append(2, "control", PATH + "/domain/d2_0", signature="uso")
    forged.set_destination(NAME)
    client.connection.send_message(forged)
    changed = dbus.lowlevel.SignalMessage("/org/freedesktop/DBus", "org.freedesktop.DBus",
                                          "NameOwnerChanged")
    changed.append(NAME, ":1.1", "", signature="sss")
    changed.set_destination(NAME)
    client.connection.send_message(changed)
    assert "control" in client.rows()


def test_hostile_domain_names(launch, client):
    """Names that a toolstack gave: nothing of them breaks a reply."""
    daemon = launch()
    for i, name in enumerate((b"\xff\xfe\xfd", b"\x1b[31mred", b"%s%n", b"../../x", b"\xc3\x28",
                              "\u202eevil".encode(), b"x" * 63)):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"domain-add " + name + f" domid={200 + i}".encode(),
                        str(daemon.control_path))
    wait_until(lambda: len(client.list()) >= 8 + 5)
    for row in client.list():
        assert not any(ord(c) < 32 for c in row.name)
        assert client.get("Name", DOMAIN, row.path) == row.name
    assert len(client.objects()) == client.get("NDomains")


def test_properties_of_everything(launch, client):
    """GetAll on paths that are nearly right."""
    launch()
    for path in ("/", "/org", PATH + "/domain", PATH + "/job", PATH + "/domain/d"):
        try:
            client.call("GetAll", "s", DOMAIN, interface=PROPERTIES, path=path)
        except dbus.DBusException as error:
            assert error.get_dbus_name().startswith("org.freedesktop.DBus.Error.Unknown")
    assert client.get("NDomains") == 8


def test_faults_of_the_hypervisor(launch, client):
    """Xen refuses for a while: the table stays, the log tells it once, and it goes on."""
    daemon = launch()
    before = client.list()
    daemon.command("fault list-live EIO 3")
    for _ in range(4):
        time.sleep(1.1)
        assert client.list() == before
    assert daemon.text().count("cannot read the state of the domains") == 1
    assert daemon.text().count("can be read again") == 1
    daemon.command("domain-add after")
    wait_until(lambda: "after" in client.rows())
