# SPDX-License-Identifier: LGPL-2.1-or-later
"""A back end of consoles that is hostile, silent, or gone: what is asked of it fails, and nothing else does."""

import os
import signal
import socket
import subprocess
import sys
import time

import dbus
import pytest

from conftest import NAME, OURS, Client, turn, wait_until
from console_support import (CONSOLE, DB, WEB, attach, consoled, daemon, has_console, peers, properties, read_end, read_until, refuse,
                             server, wait_console, web)

LIMITS = "org.freedesktop.DBus.Error.LimitsExceeded"

def test_silence(web, client):
    """The call ends after 5 s, and what is answered later goes nowhere; the connection stays."""
    server, path = web
    late = []
    server.overrides["attach"] = lambda connection, request: late.append((connection, request))
    start = time.monotonic()
    assert "does not answer" in refuse(client, path, OURS + "Timeout")
    assert 4 < time.monotonic() - start < 10
    server.overrides.clear()
    server.do(lambda: server.answer(*late[0]))
    # Its terminal was closed, which detached.
    wait_until(lambda: properties(client, path)["Attached"] == 0)
    os.close(attach(client, path)[0])


def test_too_many_calls(web, bus_address, client):
    """A silent back end does not make the daemon keep any number of them."""
    server, path = web
    # Answers come in order, so that no other request is open after that.
    wait_until(lambda: server.kept)
    os.close(attach(client, path)[0])
    del server.requests[:]
    server.overrides["attach"] = lambda connection, request: None
    errors, clients = [], [Client(bus_address) for _ in range(12)]
    for other in clients:
        for _ in range(50):     # of one sender 64 can wait for the bus
            other.connection.call_async(NAME, path, CONSOLE, "Attach", "a{sv}", ({},), None,
                                        lambda error: errors.append(error.get_dbus_name()))
        turn(0.05)
    wait_until(lambda: len(errors) == 600, what=lambda: len(errors))
    # The back end has 32 of them at a time, and answers none: the connection ends.
    assert len(server.requests) == 32
    assert [errors.count(name) for name in (LIMITS, OURS + "Timeout", OURS + "Failed")] == [600 - 512, 32, 512 - 32]
    server.overrides.clear()
    wait_until(lambda: properties(client, path)["State"] == "serving")
    os.close(attach(client, path)[0])
    for other in clients:
        other.close()


@pytest.mark.parametrize("code,error", [
    ("NoSuchDomain", OURS + "NoSuchDomain"), ("WrongState", OURS + "WrongState"), ("Busy", OURS + "Busy"),
    ("NotSupported", OURS + "NotSupported"), ("LimitsExceeded", LIMITS), ("Nosuch", OURS + "Failed"), ("", OURS + "Failed")])
def test_errors_of_the_back_end(web, client, code, error):
    server, path = web
    server.overrides["attach"] = lambda connection, request: server.send(
        connection, {"id": request["id"], "error": code, "message": "evil \x1b[2J \u202e text"})
    message = refuse(client, path, error)
    assert "evil ?[2J ? text" in message


def files(kind):
    """A descriptor that is not what was asked for."""
    if kind == "terminal":
        return os.openpty()[1]
    if kind == "pipe":
        return os.pipe()[0]
    return os.open({"file": "/etc/hostname", "null": "/dev/null", "directory": "/"}[kind], os.O_RDONLY)


@pytest.mark.parametrize("method,kind", [("Attach", "pipe"), ("Attach", "file"), ("Attach", "null"), ("Attach", None),
                                         ("OpenLog", "terminal"), ("OpenLog", "file"), ("OpenLog", "directory"), ("OpenLog", None)])
def test_wrong_descriptors(web, daemon, client, method, kind):
    server, path = web
    result = {"writer": True, "size": 1}
    name = {"Attach": "attach", "OpenLog": "log"}[method]
    server.overrides[name] = lambda connection, request: server.send(
        connection, {"id": request["id"], "result": result}, files(kind) if kind else None)
    assert "gave no valid answer" in refuse(client, path, OURS + "Failed", method)
    wait_until(lambda: "it breaks the rules" in daemon.text())
    server.overrides.clear()
    # It may try again.
    wait_until(lambda: properties(client, path)["State"] == "serving")
    os.close(attach(client, path)[0])


EVENT = '{"event": "console", "domid": 5, "uuid": "", "state": "serving", "tty": "", "attached": 0, "writer": false, "dropped": 0}'


@pytest.mark.parametrize("packet", [
    b"", b"nonsense", b"[]", b"{", b"\xff\xfe", b'{"event": 1}', b"x" * 5000,
    *[EVENT.replace(old, new).encode() for old, new in [
        ('"domid": 5', '"domid": 32752'), ('"domid": 5', '"domid": -1'), ('"domid": 5', '"domid": "5"'),
        ('"domid": 5', '"domid": 99999999999999999999999'), ('"serving"', '"unavailable"'), ('"serving"', '"\\u0000"'),
        ('"serving"', '7'), ('"tty": ""', '"tty": "/etc/passwd"'), ('"tty": ""', '"tty": "/dev/../etc/passwd"'),
        ('"tty": ""', '"tty": "/dev/' + "x" * 70 + '"'), ('"tty": ""', '"tty": "/dev/\\u001b"'), ('"uuid": ""', '"uuid": "zz"'),
        ('"attached": 0', '"attached": 4294967296'), ('"attached": 0, ', ''), ('"writer": false', '"writer": 0'),
        ('"dropped": 0', '"dropped": -1'), ('"dropped": 0', '"dropped": 1.5')]]])
def test_nonsense(web, daemon, client, packet):
    """It ends the connection, and nothing else; a new one brings all back."""
    server, path = web
    server.send_raw(packet)
    client.wait_property(path, "State", "unavailable")
    assert "does not run now" in refuse(client, path, OURS + "NotSupported")
    client.wait_property(path, "State", "serving")
    assert daemon.text().count("the helper console is connected") == 2


def test_descriptors_of_an_event(web, daemon, client):
    server, path = web
    server.send_raw(EVENT.encode(), fds=[0])
    client.wait_property(path, "State", "unavailable")
    assert len(os.listdir(f"/proc/{daemon.process.pid}/fd")) < 30


def test_consoles_of_nobody(web, daemon, client):
    """As many as a helper likes, of domains that are not there."""
    server, path = web
    for domid in range(1000, 4000):
        server.do(lambda domid=domid: server.broadcast({**server.consoles[WEB].event(), "domid": domid}))
    assert properties(client, path)["State"] == "serving"
    assert len([p for p, interfaces in client.objects().items() if CONSOLE in interfaces]) == 1


def ping_times(client, seconds):
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.monotonic()
        client.call("Ping", interface="org.freedesktop.DBus.Peer")
        times.append(time.monotonic() - start)
    return sorted(times)


FLOOD = """
import socket, sys, threading, time
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(sys.argv[1])
listener.listen()
connection = listener.accept()[0]
connection.send(b'{"hello": "console", "version": 1, "domid": 2}')
connection.send(b'{"event": "ready"}')
print("ready", flush=True)
sys.stdin.readline()
number = 0
while True:
    number += 1
    connection.send(b'{"event": "console", "domid": 5, "uuid": "", "state": "serving", "tty": "", "attached": 0,'
                    b' "writer": false, "dropped": %d, "more": "%s"}' % (number, b"x" * 1500))
"""


def test_flood(daemon, peers, client):
    """Ping takes as long as without it; the flood is what waits."""
    flood = subprocess.Popen([sys.executable, "-c", FLOOD, str(peers / "console")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert flood.stdout.readline() == b"ready\n"
        before = ping_times(client, 2)
        flood.stdin.write(b"\n")
        flood.stdin.flush()
        wait_until(lambda: "sends too much" in daemon.text())
        during = ping_times(client, 3)
        path = client.path_of("web")
        assert properties(client, path)["Dropped"] > 0
    finally:
        flood.kill()
        flood.wait()
    median = len(during) // 2
    assert during[median] < 3 * before[len(before) // 2] + 0.002, (before[len(before) // 2], during[median])
    assert during[len(during) * 99 // 100] < 0.5


def test_back_end_ends_while_attached(web, consoled, client):
    """Terminal and call end; the domain's console is unavailable, and comes back with the back end."""
    server, path = web
    terminal, _ = attach(client, path)
    server.stop()
    assert read_end(terminal) == b""
    client.wait_property(path, "State", "unavailable")
    assert properties(client, path)["Attached"] == 0
    assert "does not run now" in refuse(client, path, OURS + "NotSupported")
    server = consoled()
    client.wait_property(path, "State", "serving")
    os.close(attach(client, path)[0])


def test_consoles_that_the_next_back_end_has_not(web, consoled, client):
    server, path = web
    server.add(DB)
    db = client.path_of("db")
    wait_console(client, db)
    server.stop()
    client.wait_property(db, "State", "unavailable")
    consoled()
    wait_console(client, db, present=False)
    assert has_console(client, path)


def test_back_end_ends_in_the_middle_of_a_call(web, client):
    server, path = web
    server.overrides["attach"] = lambda connection, request: server.disconnect(connection)
    assert "has ended meanwhile" in refuse(client, path, OURS + "Failed")


def test_client_ends_in_the_middle_of_a_call(web, bus_address, client):
    """What the back end answers then is closed, so that nobody stays attached."""
    server, path = web
    held = []
    server.overrides["attach"] = lambda connection, request: held.append((connection, request))
    other = Client(bus_address)
    other.connection.call_async(NAME, path, CONSOLE, "Attach", "a{sv}", ({},), None, None)
    wait_until(lambda: held)
    other.close()
    turn(0.1)
    server.do(lambda: server.answer(*held[0]))
    client.wait_property(path, "Attached", 1)
    wait_until(lambda: properties(client, path)["Attached"] == 0)


def test_daemon_is_killed_while_attached(web, daemon, client):
    """The terminal is the client's and the back end's; the next daemon finds all again."""
    server, path = web
    terminal, _ = attach(client, path)
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()
    wait_until(lambda: not client.ready())
    server.prints(WEB, b"still there")
    assert read_until(terminal, b"there")
    daemon.start()
    wait_until(client.ready)
    wait_console(client, path)
    assert properties(client, path)["Attached"] == 1
    assert not attach(client, path)[1]["Writer"]
    os.close(terminal)


def test_daemon_ends_while_calls_are_open(web, daemon, client):
    server, path = web
    server.overrides["attach"] = lambda connection, request: None
    errors = []
    client.connection.call_async(NAME, path, CONSOLE, "Attach", "a{sv}", ({},), None, errors.append)
    wait_until(lambda: server.requests)
    daemon.stop()
    wait_until(lambda: errors)


def test_silent_back_end_delays_nobody(daemon, peers, client):
    """One that accepts, and says nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(peers / "console"))
        listener.listen()
        turn(1.5)
        # A daemon that waited for it would do so for seconds.
        assert ping_times(client, 0.5)[-1] < 2
        assert "no back end of consoles runs here" in refuse(client, client.path_of("web"), OURS + "NotSupported")
