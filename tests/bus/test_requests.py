# SPDX-License-Identifier: LGPL-2.1-or-later
"""What changes something: the console's owner, and the release of held domains."""

import dbus
import pytest

from conftest import (ACCESS_DENIED, DOMAIN, INVALID_ARGS, LIFECYCLE, MANAGER, NAME, OURS, PATH,
                      Client, call_as_nobody, turn, wait_until)

NOBODY_HAS_IT = 0xffffffff
SET_CONSOLE = NAME + ".set-console-owner"
RELEASE = NAME + ".release"

# Of ok-dynamic-full: domid 2 is control, 4 has the console function, 5 is web, 6 is db, which is held.
CONTROL, CONSOLE, WEB, DB = 2, 4, 5, 6


def set_console(client, domid):
    client.call("SetConsoleOwner", "u", domid)


def release(client, path):
    client.call("Release", interface=LIFECYCLE, path=path)


def refuse_release(client, path, error):
    return client.expect_error(error, "Release", interface=LIFECYCLE, path=path)


def roles(client, name):
    return [str(r) for r in client.domain(name)["Roles"]]


@pytest.fixture
def daemon(launch):
    """As its own user, or root: who may."""
    return launch(options=["--session"])


def test_set_console_owner(daemon, client):
    """All is true when the call returns, and told."""
    web, console = client.path_of("web"), client.path_of("console")
    set_console(client, WEB)
    assert client.get("ConsoleDomid") == WEB
    assert client.call("GetLaunchSummary")["ConsoleDomid"] == WEB
    assert client.call("GetDomainsByRole", "s", "console") == [web]
    assert (roles(client, "web"), roles(client, "console")) == (["console"], [])
    assert client.wait_signal("RoleChanged", PATH)[3] == ("console", CONSOLE, WEB)
    client.wait_property(PATH, "ConsoleDomid", WEB)
    client.wait_property(web, "Roles", ["console"])
    client.wait_property(console, "Roles", [])
    # What the LCM gave it it keeps.
    assert client.domain("console")["Functions"] == 1 << 2
    assert client.domain("console")["Drift"] == []
    assert "give the console to domain 5 (web): done, for :1." in daemon.text()
    last = client.call("GetEvents", "u", 0)[-1]
    assert (last[2], last[3], last[4]) == ("console", WEB, CONSOLE)


def test_the_owner_already(daemon, client):
    events = len(client.call("GetEvents", "u", 0))
    set_console(client, CONSOLE)
    turn(0.3)
    assert client.get("ConsoleDomid") == CONSOLE
    assert client.signals == [] and len(client.call("GetEvents", "u", 0)) == events


def test_a_toolstacks_domain(daemon, client):
    """Whoever made it; and when it goes, the console goes back to whose function it is."""
    daemon.command("domain-add vm domid=70")
    client.wait_signal("DomainAdded")
    set_console(client, 70)
    assert roles(client, "vm") == ["console"]
    daemon.command("console control")
    client.wait_signal("RoleChanged", PATH, lambda role, old, new: (old, new) == (70, CONTROL))
    set_console(client, WEB)
    daemon.command("domain-remove web")
    client.wait_signal("RoleChanged", PATH, lambda role, old, new: (old, new) == (WEB, CONSOLE))
    assert client.get("ConsoleDomid") == CONSOLE


def test_other_roles_change_too(daemon, client):
    daemon.command("domain-remove hw")
    assert client.wait_signal("RoleChanged", PATH)[3] == ("hardware", 20, NOBODY_HAS_IT)


def test_nobody_is_left(launch, client):
    daemon = launch("ok-static-basic", options=["--session"])
    owner = client.get("ConsoleDomid")
    daemon.command(f"domain-remove {owner}")
    client.wait_signal("RoleChanged", PATH, lambda *args: args == ("console", owner, NOBODY_HAS_IT))
    assert client.get("ConsoleDomid") == NOBODY_HAS_IT
    assert client.call("GetDomainsByRole", "s", "console") == []


def test_unknown_domains(daemon, client):
    missing = OURS + "NoSuchDomain"
    assert "77" in client.expect_error(missing, "SetConsoleOwner", "u", 77)
    for domid in (0x7ff0, 0x7ff4, 0x10002, 0xffffffff):
        client.expect_error(INVALID_ARGS, "SetConsoleOwner", "u", domid)
    # The boot domain, which was; and one that has gone.
    assert "reclaimed" in client.expect_error(missing, "SetConsoleOwner", "u", 0x7fef)
    daemon.command("domain-remove web")
    client.expect_error(missing, "SetConsoleOwner", "u", WEB)
    assert client.get("ConsoleDomid") == CONSOLE


def test_dying_domain(daemon, client):
    daemon.command("dying web")
    message = client.expect_error(OURS + "WrongState", "SetConsoleOwner", "u", WEB)
    assert "domain 5 (web)" in message and "dying" in message
    assert client.get("ConsoleDomid") == CONSOLE
    assert client.seen("RoleChanged") == []


@pytest.mark.parametrize("errno, error", [
    ("EPERM", "NotControlDomain"), ("EBUSY", "WrongState"), ("EINVAL", "NotSupported"),
    ("EOPNOTSUPP", "HypervisorTooOld"), ("ESRCH", "NoSuchDomain"), ("EPROTO", "NotSupported"),
    ("ENOMEM", "NoMemory"), ("EIO", "Failed"), ("EALREADY", "WrongState"),
])
def test_what_xen_says(daemon, client, errno, error):
    daemon.command(f"fault set-console {errno} 1")
    assert "web" in client.expect_error(OURS + error, "SetConsoleOwner", "u", WEB)
    daemon.command(f"fault release {errno} 1")
    text = refuse_release(client, client.path_of("db"), OURS + error)
    assert "db" in text and ("not held" in text) == (errno in ("EBUSY", "EALREADY"))
    assert client.get("ConsoleDomid") == CONSOLE
    assert client.domain("db")["State"] == "held"


@pytest.mark.parametrize("kind, error", [("classic", "LcmMissing"), ("unpatched", "HypervisorTooOld")])
def test_no_launch(launch, client, kind, error):
    launch(extra=f",as={kind}", options=["--session"])
    client.expect_error(OURS + error, "SetConsoleOwner", "u", 0)
    refuse_release(client, client.call("GetDomainByDomid", "u", 0), OURS + error)


def test_static_launch(launch, client):
    """Nobody has control: who has the console may hand it on, and does not get it back."""
    launch("ok-static-basic", options=["--session"])
    owner = client.get("ConsoleDomid")
    other = next(r[0] for r in client.call("ListDomains") if r[0] != owner)
    set_console(client, other)
    assert client.get("ConsoleDomid") == other
    client.expect_error(OURS + "NotControlDomain", "SetConsoleOwner", "u", owner)


def test_a_hundred_in_a_row(daemon, client):
    domids = [WEB, CONTROL, CONSOLE, 20] * 25
    for domid in domids:
        set_console(client, domid)
        assert client.get("ConsoleDomid") == domid
    wait_until(lambda: len(client.seen("RoleChanged")) == 100)
    assert [s[3][2] for s in client.seen("RoleChanged")] == domids


def send_all(clients, domids):
    """A call for each domid, none waits for another's answer; what was answered."""
    answers = []
    for i, domid in enumerate(domids):
        call = dbus.lowlevel.MethodCallMessage(NAME, PATH, MANAGER, "SetConsoleOwner")
        call.append(domid, signature="u")
        clients[i % len(clients)].connection.send_message_with_reply(call, answers.append, 60)
    wait_until(lambda: len(answers) == len(domids), 60, lambda: f"{len(answers)} answers")
    return [answer.get_error_name() for answer in answers]


@pytest.mark.parametrize("connections", [1, 10])
def test_fifty_at_once(daemon, client, bus_address, connections):
    """Each is done; what is told is one chain of owners, and its end is the truth."""
    clients = [Client(bus_address) for _ in range(connections)]
    domids = [(WEB, CONTROL, CONSOLE, 20)[i % 4] for i in range(50)]
    assert send_all(clients, domids) == [None] * 50
    turn(0.5)
    chain = [s[3] for s in client.seen("RoleChanged")]
    assert chain[0][1] == CONSOLE and 3 <= len(chain) <= 50
    for before, after in zip(chain, chain[1:]):
        assert before[2] == after[1]
    assert chain[-1][2] == client.get("ConsoleDomid")
    for other in clients:
        other.close()


def test_a_flood(daemon, client):
    """More than can be kept are refused at once, and the rest is done."""
    answers = send_all([client], [(WEB, CONTROL)[i % 2] for i in range(1000)])
    assert set(answers) <= {None, "org.freedesktop.DBus.Error.LimitsExceeded"}
    assert answers.count(None) >= 50
    set_console(client, CONSOLE)
    assert client.get("ConsoleDomid") == CONSOLE


def test_a_line_is_being_typed(daemon, client):
    """Xen says: not yet.  The daemon asks again, and is there for others meanwhile."""
    daemon.command("fault set-console EAGAIN 10")
    answers = []
    call = dbus.lowlevel.MethodCallMessage(NAME, PATH, MANAGER, "SetConsoleOwner")
    call.append(WEB, signature="u")
    client.connection.send_message_with_reply(call, answers.append, 60)
    assert client.get("ConsoleDomid") == CONSOLE and not answers
    wait_until(lambda: answers, 60)
    assert answers[0].get_error_name() is None
    assert client.get("ConsoleDomid") == WEB
    assert [s[3] for s in client.seen("RoleChanged")] == [("console", CONSOLE, WEB)]


def test_those_behind_wait_too(daemon, client):
    daemon.command("fault set-console EAGAIN 10")
    domids = [WEB, CONTROL, CONSOLE, 20]
    assert send_all([client], domids) == [None] * 4
    wait_until(lambda: len(client.seen("RoleChanged")) == 4)
    assert [s[3][2] for s in client.seen("RoleChanged")] == domids


def test_what_goes_wrong_while_it_waits(daemon, client):
    """The call has its error, and the next one its turn."""
    daemon.command("fault set-console EAGAIN 1000000")
    answers = []
    for domid in (WEB, CONTROL):
        call = dbus.lowlevel.MethodCallMessage(NAME, PATH, MANAGER, "SetConsoleOwner")
        call.append(domid, signature="u")
        client.connection.send_message_with_reply(call, answers.append, 60)
    turn(0.2)
    assert not answers
    daemon.command("domain-remove web")
    wait_until(lambda: answers, 60)
    assert answers[0].get_error_name() == OURS + "NoSuchDomain"
    daemon.command("fault set-console EIO 1")
    wait_until(lambda: len(answers) == 2, 60)
    assert answers[1].get_error_name() == OURS + "Failed"
    assert client.get("ConsoleDomid") == CONSOLE


def test_too_many_wait(daemon, client, bus_address):
    daemon.command("fault set-console EAGAIN 100")
    clients = [Client(bus_address) for _ in range(4)]
    answers = send_all(clients, [WEB, CONTROL] * 50)
    assert set(answers) == {None, "org.freedesktop.DBus.Error.LimitsExceeded"}
    assert 64 <= answers.count(None) < 100
    for other in clients:
        other.close()


def test_release(daemon, client):
    db = client.path_of("db")
    release(client, db)
    assert client.get("State", DOMAIN, db) == "started"
    assert client.get("Reason", DOMAIN, db) == ""
    client.wait_property(db, "State", "started")
    assert [e[2] for e in client.call("GetEvents", "u", 0)][-2:] == ["released", "started"]
    assert "not held" in refuse_release(client, db, OURS + "WrongState")


def test_release_of_others(daemon, client):
    daemon.command("domain-add vm domid=70")
    client.wait_signal("DomainAdded")
    for name in ("web", "crash", "vm"):
        assert "not held" in refuse_release(client, client.path_of(name), OURS + "WrongState")
    assert "reclaimed" in refuse_release(client, client.path_of("boot"), OURS + "NoSuchDomain")
    daemon.command("dying db")
    assert "dying" in refuse_release(client, client.path_of("db"), OURS + "WrongState")
    for path in (PATH, PATH + "/domain", PATH + "/domain/d6_1"):
        with pytest.raises(dbus.DBusException) as caught:
            release(client, path)
        assert caught.value.get_dbus_name() in ("org.freedesktop.DBus.Error.UnknownMethod",
                                                "org.freedesktop.DBus.Error.UnknownObject")


def refused(process):
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0 and ACCESS_DENIED in errors, errors
    return errors


def ask_for(bus_address, client, request):
    if request == RELEASE:
        return call_as_nobody(bus_address, "Release", interface=LIFECYCLE, path=client.path_of("db"))
    return call_as_nobody(bus_address, "SetConsoleOwner", str(WEB))


def unchanged(client):
    return client.get("ConsoleDomid") == CONSOLE and client.domain("db")["State"] == "held"


@pytest.mark.parametrize("request_", [SET_CONSOLE, RELEASE])
def test_without_polkit_root_only(launch, client, bus_address, request_):
    launch()
    assert "root" in refused(ask_for(bus_address, client, request_))
    assert unchanged(client)


@pytest.mark.parametrize("request_", [SET_CONSOLE, RELEASE])
def test_polkit_decides(launch, client, polkit, bus_address, request_):
    """Each by its own action."""
    launch()
    mock = polkit()
    mock.SetAllowed([{SET_CONSOLE: RELEASE, RELEASE: SET_CONSOLE}[request_], NAME + ".inspect-sensitive"])
    refused(ask_for(bus_address, client, request_))
    assert unchanged(client)
    mock.SetAllowed([request_])
    process = ask_for(bus_address, client, request_)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert not unchanged(client)


AUTHORITY = ("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
             "org.freedesktop.PolicyKit1.Authority")


def test_polkit_is_told_of_the_domain(launch, client, polkit, bus_address):
    """Rules may allow one domain and not another."""
    launch()
    mock = polkit(AUTHORITY)
    mock.AddMethod(AUTHORITY[2], "CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", "ret = (True, False, {})")
    for request_ in (SET_CONSOLE, RELEASE):
        process = ask_for(bus_address, client, request_)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    asked = [call[1] for call in mock.GetMethodCalls("CheckAuthorization")]
    assert [args[1] for args in asked] == [SET_CONSOLE, RELEASE]
    assert [dict(args[2]) for args in asked] == [
        {"domid": str(WEB), "name": "web", "uuid": client.domain("web")["UUID"]},
        {"domid": str(DB), "name": "db", "uuid": client.domain("db")["UUID"]}]


def test_another_domain_meanwhile(launch, client, polkit, bus_address):
    """Somebody types a password; the domid has gone to another domain when that is done."""
    daemon = launch()
    mock = polkit()
    mock.SetAllowed([SET_CONSOLE])
    mock.SimulateHang(True)
    daemon.command("domain-add one domid=70 uuid=00000000-0000-0000-0000-000000000001")
    client.wait_signal("DomainAdded")
    asking = call_as_nobody(bus_address, "SetConsoleOwner", "70")
    wait_until(mock.HaveHangingCalls, what="the question to polkit")
    daemon.command("domain-remove one")
    daemon.command("domain-add two domid=70 uuid=00000000-0000-0000-0000-000000000002")
    mock.ReleaseHangingCalls()
    _, errors = asking.communicate(timeout=60)
    assert OURS + "NoSuchDomain" in errors
    assert client.get("ConsoleDomid") == CONSOLE


def test_wrong_arguments(daemon, client):
    for signature, args in (("", ()), ("s", ("web",)), ("i", (5,)), ("uu", (5, 5)), ("t", (5,)), ("o", (PATH,))):
        with pytest.raises(dbus.DBusException) as caught:
            client.call("SetConsoleOwner", signature, *args)
        assert caught.value.get_dbus_name() == INVALID_ARGS
    assert client.get("ConsoleDomid") == CONSOLE
