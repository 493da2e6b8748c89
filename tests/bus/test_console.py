# SPDX-License-Identifier: LGPL-2.1-or-later
"""The interface Console: its properties, attach, log, and who may."""

import os
import stat

import dbus
import pytest

from conftest import ACCESS_DENIED, INVALID_ARGS, IS_ROOT, NAME, OURS, PATH, Client, call_as_nobody, turn, wait_until
from console_support import (CONSOLE, WEB, attach, consoled, daemon, has_console, open_log, peers, properties, read_end, read_until,
                             refuse, server, wait_console, web)

UNKNOWN_OBJECT = "org.freedesktop.DBus.Error.UnknownObject"
ATTACH = NAME + ".attach-console"
READ_LOG = NAME + ".read-console-log"


# Properties, and when there are any.

def test_properties(web, client):
    server, path = web
    assert properties(client, path) == {"State": "serving", "Owner": client.path_of("control"), "Backend": "consoled", "Tty": "",
                                        "Attached": 0, "Dropped": 0}
    server.change(WEB, tty="/dev/pts/7", dropped=2**40)
    client.wait_property(path, "Tty", "/dev/pts/7")
    client.wait_property(path, "Dropped", 2**40)
    for state in ("waiting", "broken"):
        server.change(WEB, state=state)
        client.wait_property(path, "State", state)
        assert properties(client, path)["Backend"] == "consoled"
    server.change(WEB, state="released", tty="")
    client.wait_property(path, "State", "released")
    client.wait_property(path, "Owner", "/")
    client.wait_property(path, "Backend", "")
    assert (properties(client, path)["Owner"], properties(client, path)["Backend"]) == ("/", "")


def test_interface_comes_and_goes(web, client):
    server, path = web
    client.wait_signal("InterfacesAdded", match=lambda p, interfaces: p == path and list(interfaces) == [CONSOLE])
    added = [s for s in client.seen("InterfacesAdded") if CONSOLE in s[3][1]]
    assert added[0][3][1][CONSOLE]["State"] == "serving"
    server.remove(WEB)
    client.wait_signal("InterfacesRemoved", match=lambda p, interfaces: p == path and interfaces == [CONSOLE])
    assert not has_console(client, path)
    assert "has no console" in refuse(client, path, OURS + "NotSupported")


def test_changes_come_together(web, client):
    """A helper that reports each byte makes no signal for each."""
    server, path = web
    client.signals.clear()
    for dropped in range(1, 401):
        server.change(WEB, dropped=dropped)
    client.wait_property(path, "Dropped", 400)
    assert len(client.seen("PropertiesChanged", path)) < 100


def test_domain_without_a_console(web, client):
    _, path = web
    db = client.path_of("db")
    assert has_console(client, path) and not has_console(client, db)
    for method in ("Attach", "OpenLog"):
        assert "Domain 6 has no console that is served here" in refuse(client, db, OURS + "NotSupported", method)
    assert CONSOLE not in client.call("Introspect", interface="org.freedesktop.DBus.Introspectable", path=db)


def test_no_back_end(daemon, client):
    message = refuse(client, client.path_of("web"), OURS + "NotSupported")
    assert "no back end of consoles runs here" in message


def test_without_helpers(launch, client):
    launch(options=["--session"])
    assert "no back end of consoles runs here" in refuse(client, client.path_of("web"), OURS + "NotSupported")


def test_domain_that_is_not_there(web, client):
    refuse_path = PATH + "/domain/d99_0"
    with pytest.raises(dbus.DBusException) as caught:
        client.call("Attach", "a{sv}", {}, interface=CONSOLE, path=refuse_path)
    assert caught.value.get_dbus_name() == UNKNOWN_OBJECT


def test_domain_that_ends(web, daemon, client):
    """Of an initial domain the object stays, without the interface."""
    _, path = web
    daemon.command("domain-remove web")
    client.wait_signal("InterfacesRemoved", match=lambda p, interfaces: p == path and interfaces == [CONSOLE])
    assert not has_console(client, path)


def test_domain_that_comes_later(web, daemon, client):
    """The helper may know of it first; the console is the new domain's, and goes with it."""
    server, _ = web
    server.add(100, "00000000-0000-0000-0000-0000000000aa")
    daemon.command("domain-add new uuid=00000000-0000-0000-0000-0000000000aa domid=100")
    path = wait_until(lambda: next((r.path for r in client.list() if r.name == "new"), None))
    wait_console(client, path)
    daemon.command("domain-remove new")
    client.wait_signal("InterfacesRemoved", match=lambda p, interfaces: p == path and CONSOLE in interfaces)
    wait_until(lambda: path not in client.objects())


def test_console_of_another_domain(web, daemon, client):
    """A domid that is used again: the console that is reported is that of the one with the uuid."""
    server, _ = web
    daemon.command("domain-add new uuid=00000000-0000-0000-0000-0000000000aa domid=100")
    path = wait_until(lambda: next((r.path for r in client.list() if r.name == "new"), None))
    server.add(100, "00000000-0000-0000-0000-0000000000bb")
    turn(0.2)
    assert not has_console(client, path)
    server.change(100, uuid="00000000-0000-0000-0000-0000000000aa")
    wait_console(client, path)


# Attach and OpenLog.

def test_attach(web, client):
    server, path = web
    terminal, info = attach(client, path)
    assert info == {"Writer": True}
    # The property has changed, and was told, before the reply.
    assert properties(client, path)["Attached"] == 1
    client.wait_property(path, "Attached", 1)
    server.prints(WEB, b"login: \x1b[1m")
    assert read_until(terminal, b"[1m") == b"login: \x1b[1m"
    os.write(terminal, b"root\r\x03")
    wait_until(lambda: server.typed(WEB) == b"root\r\x03")
    os.close(terminal)
    client.wait_property(path, "Attached", 0)


def test_properties_change_before_the_reply(web, client):
    """A client that keeps properties has the new one when the call returns."""
    _, path = web
    order, terminals = [], []

    def on_reply(terminal, _info):
        terminals.append(terminal)      # attached for as long as it is kept
        order.append("reply")
    client.connection.add_signal_receiver(lambda _interface, changed, _gone: order.extend(map(str, changed.values())),
                                          "PropertiesChanged", path=path)
    for attached in range(1, 6):
        client.connection.call_async(NAME, path, CONSOLE, "Attach", "a{sv}", ({},), on_reply, order.append)
        wait_until(lambda: len(order) >= 2, what=lambda: order)
        assert order == [str(attached), "reply"]
        order.clear()


def test_request_is_as_documented(web, client):
    server, path = web
    uuid = str(client.domain("web")["UUID"])
    server.change(WEB, uuid=uuid)
    os.close(attach(client, path, ReadOnly=True, Replay=dbus.UInt64(7))[0])
    os.close(open_log(client, path, Follow=True)[0])
    first, second = server.requests
    assert first.pop("id") != second.pop("id")
    wanted = {"domid": WEB, "uuid": uuid}
    assert first == {"request": "attach", "read-only": True, "exclusive": False, "replay": 7, **wanted}
    assert second == {"request": "log", "follow": True, **wanted}


def test_several_clients(web, client):
    """All read; the first one types."""
    server, path = web
    clients = [attach(client, path) for _ in range(3)]
    assert [bool(info["Writer"]) for _, info in clients] == [True, False, False]
    server.prints(WEB, b"all\n")
    for terminal, _ in clients:
        assert read_until(terminal, b"\n") == b"all\n"
    os.write(clients[1][0], b"no")
    os.write(clients[0][0], b"yes")
    wait_until(lambda: server.typed(WEB) == b"yes")
    for terminal, _ in clients:
        os.close(terminal)


def test_exclusive(web, client):
    _, path = web
    reader, _ = attach(client, path, ReadOnly=True)
    terminal, info = attach(client, path, Exclusive=True)
    assert info["Writer"]
    message = refuse(client, path, OURS + "Busy", Exclusive=True)
    assert "another client may type" in message and "domain 5" in message
    os.close(terminal)
    client.wait_property(path, "Attached", 1)
    wait_until(lambda: properties(client, path)["Attached"] == 1)
    os.close(attach(client, path, Exclusive=True)[0])
    os.close(reader)


def test_replay(web, client):
    server, path = web
    server.prints(WEB, b"0123456789")
    terminal, _ = attach(client, path, Replay=dbus.UInt64(4))
    assert read_until(terminal, b"9") == b"6789"
    os.close(terminal)


def test_log(web, client):
    server, path = web
    server.prints(WEB, b"x" * 200000)
    log, info = open_log(client, path)
    assert info == {"Size": 200000} and stat.S_ISFIFO(os.fstat(log).st_mode)
    assert read_end(log) == b"x" * 200000


OLD = "00000000-0000-0000-0000-0000000000aa"


def old_log(client, uuid, **options):
    log, info = client.call("OpenConsoleLog", "sa{sv}", uuid, dbus.Dictionary(options, signature="sv"))
    return read_end(log.take()), info


def test_log_of_a_domain_that_is_gone(web, client):
    """By its UUID, in any case of letters."""
    server, _ = web
    server.add(100, OLD)
    server.prints(100, b"last words\n")
    server.remove(100)
    assert old_log(client, OLD) == (b"last words\n", {"Size": 11})
    assert old_log(client, OLD.upper(), Follow=True)[0] == b"last words\n"
    assert server.requests[-1]["uuid"] == OLD
    server.add(101, OLD)
    server.prints(101, b"another\n")
    assert old_log(client, OLD)[0] == b"another\n"


def test_log_by_uuid_is_refused(web, client, daemon):
    server, _ = web

    def refused(error, uuid, **options):
        options = dbus.Dictionary(options, signature="sv")
        return client.expect_error(error, "OpenConsoleLog", "sa{sv}", uuid, options)
    message = refused(OURS + "NoSuchDomain", OLD)
    assert OLD in message and "no domain with that uuid has a log" in message
    for uuid in ("", "5", "../../etc/passwd", OLD + "0"):
        refused(INVALID_ARGS, uuid)
    refused(INVALID_ARGS, OLD, Other=True)
    server.stop()
    wait_until(lambda: "does not run now" in refused(OURS + "NotSupported", OLD))


def test_log_that_is_followed(web, client):
    server, path = web
    server.prints(WEB, b"one\n")
    log, _ = open_log(client, path, Follow=True)
    read_until(log, b"one\n")
    server.prints(WEB, b"two\n")
    assert read_until(log, b"two\n") == b"two\n"
    server.remove(WEB)
    assert read_end(log) == b""


@pytest.mark.parametrize("method,options,said", [
    ("Attach", {"Nosuch": True}, "There is no option"), ("OpenLog", {"ReadOnly": True}, "There is no option"),
    ("Attach", {"ReadOnly": dbus.UInt32(1)}, "ReadOnly must have the type b"),
    ("Attach", {"Replay": dbus.UInt32(1)}, "Replay must have the type t"),
    ("Attach", {"Replay": dbus.UInt64(65537)}, "Replay must be from 0 to 65536"),
    ("Attach", {"ReadOnly": True, "Exclusive": True}, "exclude each other"),
    ("OpenLog", {"Follow": "yes"}, "Follow must have the type b")])
def test_wrong_options(web, client, method, options, said):
    server, path = web
    assert said in refuse(client, path, INVALID_ARGS, method, **options)
    assert not server.requests


def test_200_attaches(web, bus_address, client):
    """By one client one after the other, and by 200 at once: none is lost."""
    server, path = web
    terminals = [attach(client, path)[0] for _ in range(200)]
    wait_until(lambda: properties(client, path)["Attached"] == 200)
    server.prints(WEB, b"!")
    assert all(read_until(terminal, b"!") == b"!" for terminal in terminals)
    for terminal in terminals:
        os.close(terminal)
    wait_until(lambda: properties(client, path)["Attached"] == 0)
    replies = []
    clients = [Client(bus_address) for _ in range(200)]
    for other in clients:
        other.connection.call_async(NAME, path, CONSOLE, "Attach", "a{sv}", ({},), lambda *args: replies.append(args),
                                    replies.append)
    wait_until(lambda: len(replies) == 200)
    assert all(isinstance(reply, tuple) for reply in replies), replies
    del replies
    for other in clients:
        other.close()


# Who may.

@pytest.mark.skipif(not IS_ROOT, reason="needs a second user")
@pytest.mark.parametrize("method,action", [("Attach", ATTACH), ("OpenLog", READ_LOG)])
def test_others_need_polkit(launch, consoled, peers, client, bus_address, polkit, method, action):
    launch(options=["--peers", str(peers)])
    server = consoled()
    path = client.path_of("web")
    wait_console(client, path)
    for mock in (None, polkit()):
        if mock:
            mock.SetAllowed(dbus.Array([], signature="s"))
        process = call_as_nobody(bus_address, method, "{}", interface=CONSOLE, path=path)
        assert ACCESS_DENIED in wait_output(process)
    assert not server.requests
    mock.SetAllowed([action])
    process = call_as_nobody(bus_address, method, "{}", interface=CONSOLE, path=path)
    wait_output(process)
    assert process.returncode == 0
    assert [request["request"] for request in server.requests] == [{"Attach": "attach", "OpenLog": "log"}[method]]


@pytest.mark.skipif(not IS_ROOT, reason="needs a second user")
def test_log_by_uuid_needs_polkit(launch, consoled, peers, client, bus_address, polkit):
    launch(options=["--peers", str(peers)])
    server = consoled()
    wait_console(client, client.path_of("web"))
    mock = polkit()
    mock.SetAllowed(dbus.Array([], signature="s"))
    for uuid in (OLD, client.domain("web")["UUID"]):
        assert ACCESS_DENIED in wait_output(call_as_nobody(bus_address, "OpenConsoleLog", uuid, "{}"))
    assert not server.requests
    mock.SetAllowed([READ_LOG])
    assert "no domain with that uuid" in wait_output(call_as_nobody(bus_address, "OpenConsoleLog", OLD, "{}"))
    assert [request["request"] for request in server.requests] == ["log"]


def wait_output(process):
    """The main loop turns meanwhile."""
    wait_until(lambda: process.poll() is not None)
    output, errors = process.communicate()
    return output + errors
