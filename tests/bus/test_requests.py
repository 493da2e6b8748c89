# SPDX-License-Identifier: LGPL-2.1-or-later
"""What changes something: the console's owner, and the release of held domains."""

import os
import re
import time

import dbus
import dbus.lowlevel
import pytest

from conftest import (ACCESS_DENIED, DOMAIN, INVALID_ARGS, LIFECYCLE, MANAGER, NAME, OURS, PATH,
                      NO_DOMID, Client, call_as_nobody, domid_of, turn, wait_until)

SET_CONSOLE = NAME + ".set-console-owner"
RELEASE = NAME + ".release"

# What each of them sends, even where nothing changes.
JOB_SIGNALS = {"InterfacesAdded", "JobNew", "PropertiesChanged", "JobRemoved", "InterfacesRemoved"}

# Of ok-dynamic-full: domid 2 is control, 4 has the console function, 5 is web, 6 is db, which is held.
CONTROL, CONSOLE, WEB, DB = 2, 4, 5, 6


def path_of(client, domid):
    return client.call("GetDomainByDomid", "u", domid)


def set_console(client, domid, **options):
    """The domid of the owner before."""
    return domid_of(client.call("SetConsoleOwner", "oa{sv}", path_of(client, domid), options))


def refuse_console(client, domid, error, **options):
    options = dbus.Dictionary(options, signature="sv")
    return client.expect_error(error, "SetConsoleOwner", "oa{sv}", path_of(client, domid), options)


def release(client, path):
    client.call("Release", "a{sv}", {}, interface=LIFECYCLE, path=path)


def refuse_release(client, path, error):
    return client.expect_error(error, "Release", "a{sv}", {}, interface=LIFECYCLE, path=path)


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
    assert client.console() == WEB
    assert client.console() == WEB
    assert client.call("GetDomainsByRole", "s", "console") == [web]
    assert (roles(client, "web"), roles(client, "console")) == (["console"], [])
    assert client.wait_signal("RoleChanged", PATH)[3] == ("console", CONSOLE, WEB)
    client.wait_property(PATH, "ConsoleOwner", web)
    client.wait_property(web, "Roles", ["console"])
    client.wait_property(console, "Roles", [])
    # What the LCM gave it it keeps.
    assert client.domain("console")["Functions"] == 1 << 2
    assert client.domain("console")["Drift"] == []
    assert re.search(rf"give the console to domain 5 \(web\): done, for uid {os.geteuid()}, pid {os.getpid()}\n",
                     daemon.text())
    last = client.call("GetEvents", "u", 0)[-1]
    assert (last[2], last[3], last[4]) == ("console", WEB, CONSOLE)


def test_properties_change_before_the_reply(daemon, client):
    """A client that keeps properties has the new one when the call returns."""
    order = []
    client.connection.add_signal_receiver(lambda _interface, changed, _gone: order.extend(changed),
                                          "PropertiesChanged", path=PATH)
    client.connection.call_async(NAME, PATH, MANAGER, "SetConsoleOwner", "oa{sv}", (path_of(client, WEB), {}),
                                 lambda _previous: order.append("reply"), lambda error: order.append(error))
    wait_until(lambda: "reply" in order and "ConsoleOwner" in order, what=lambda: order)
    assert order.index("ConsoleOwner") < order.index("reply")


def test_the_owner_already(daemon, client):
    events = len(client.call("GetEvents", "u", 0))
    set_console(client, CONSOLE)
    turn(0.3)
    assert client.console() == CONSOLE
    assert {s[2] for s in client.signals} <= JOB_SIGNALS and len(client.call("GetEvents", "u", 0)) == events


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
    assert client.console() == CONSOLE


def test_other_roles_change_too(daemon, client):
    daemon.command("domain-remove hw")
    assert client.wait_signal("RoleChanged", PATH)[3] == ("hardware", 20, NO_DOMID)


def test_nobody_is_left(launch, client):
    daemon = launch("ok-static-basic", options=["--session"])
    owner = client.console()
    daemon.command(f"domain-remove {owner}")
    client.wait_signal("RoleChanged", PATH, lambda *args: args == ("console", owner, NO_DOMID))
    assert client.console() == NO_DOMID
    assert client.call("GetDomainsByRole", "s", "console") == []


def test_unknown_domains(daemon, client):
    missing = OURS + "NoSuchDomain"
    for path in ("/", PATH, PATH + "/domain/d77_0", PATH + "/domain/d5_1", PATH + "/domain/d05_0", PATH + "/job/1"):
        assert path in client.expect_error(missing, "SetConsoleOwner", "oa{sv}", path, {})
    # The boot domain, which was; and one that has gone.
    assert "reclaimed" in refuse_console(client, 0x7fef, missing)
    daemon.command("domain-remove web")
    refuse_console(client, WEB, missing)
    assert client.console() == CONSOLE


def test_dying_domain(daemon, client):
    daemon.command("dying web")
    message = refuse_console(client, WEB, OURS + "WrongState")
    assert "domain 5 (web)" in message and "dying" in message
    assert client.console() == CONSOLE
    assert client.seen("RoleChanged") == []


@pytest.mark.parametrize("errno, error", [
    ("EPERM", "NotControlDomain"), ("EBUSY", "WrongState"), ("EINVAL", "NotSupported"),
    ("EOPNOTSUPP", "HypervisorTooOld"), ("ESRCH", "NoSuchDomain"), ("EPROTO", "NotSupported"),
    ("ENOMEM", "NoMemory"), ("EIO", "Failed"), ("EALREADY", "WrongState"),
])
def test_what_xen_says(daemon, client, errno, error):
    daemon.command(f"fault set-console {errno} 1")
    if errno != "EBUSY":
        assert "web" in refuse_console(client, WEB, OURS + error)
    daemon.command(f"fault release {errno} 1")
    text = refuse_release(client, client.path_of("db"), OURS + error)
    assert "db" in text and ("not held" in text) == (errno in ("EBUSY", "EALREADY"))
    assert client.console() == CONSOLE
    assert client.domain("db")["State"] == "held"


@pytest.mark.parametrize("kind, error", [("classic", "LCMMissing"), ("unpatched", "HypervisorTooOld")])
def test_no_launch(launch, client, kind, error):
    launch(extra=f",as={kind}", options=["--session"])
    refuse_console(client, 0, OURS + error)
    refuse_release(client, client.call("GetDomainByDomid", "u", 0), OURS + error)


def test_static_launch(launch, client):
    """Nobody has control: who has the console may hand it on, and does not get it back."""
    launch("ok-static-basic", options=["--session"])
    owner = client.console()
    other = next(r.domid for r in client.list() if r.domid != owner)
    set_console(client, other)
    assert client.console() == other
    refuse_console(client, owner, OURS + "NotControlDomain")


def test_console_is_lent(daemon, client):
    """It returns by itself, and that is told."""
    set_console(client, WEB, DurationUSec=dbus.UInt64(300000))
    assert client.console() == WEB
    assert "lend the console to domain 5 (web): done" in daemon.text()
    client.wait_signal("RoleChanged", PATH, lambda role, old, new: (old, new) == (WEB, CONSOLE))
    assert client.console() == CONSOLE


def test_loan_ends_with_the_domain(daemon, client):
    set_console(client, CONTROL)
    set_console(client, WEB, DurationUSec=dbus.UInt64(3600 * 10**6))
    daemon.command("shutdown web crash")
    client.wait_signal("RoleChanged", PATH, lambda role, old, new: (old, new) == (WEB, CONTROL))
    refuse_console(client, WEB, OURS + "WrongState")


def test_loan_is_made_one_for_good(daemon, client):
    set_console(client, WEB, DurationUSec=dbus.UInt64(400000))
    set_console(client, WEB)
    turn(0.8)
    assert client.console() == WEB
    assert len(client.seen("RoleChanged")) == 1


@pytest.mark.parametrize("options, says", [
    ({"DurationUSec": dbus.UInt64(0)}, "DurationUSec"), ({"DurationUSec": dbus.UInt64(2**64 - 1)}, "4294967295000"),
    ({"DurationUSec": dbus.UInt32(5)}, "type t"), ({"DurationUSec": "5"}, "type t"), ({"Duration": dbus.UInt64(5)}, "Duration"),
    ({"": 1}, "option"),
])
def test_wrong_options(daemon, client, options, says):
    assert says in refuse_console(client, WEB, INVALID_ARGS, **options)
    options = dbus.Dictionary(options, signature="sv")
    client.expect_error(INVALID_ARGS, "Release", "a{sv}", options, interface=LIFECYCLE, path=path_of(client, DB))
    assert client.console() == CONSOLE


def test_a_hundred_in_a_row(daemon, client):
    domids = [WEB, CONTROL, CONSOLE, 20] * 25
    for domid in domids:
        set_console(client, domid)
        assert client.console() == domid
    wait_until(lambda: len(client.seen("RoleChanged")) == 100)
    assert [s[3][2] for s in client.seen("RoleChanged")] == domids


def client_path(domid):
    """Of an initial domain."""
    return f"{PATH}/domain/d{domid}_0"


def send(client, path, answers):
    call = dbus.lowlevel.MethodCallMessage(NAME, PATH, MANAGER, "SetConsoleOwner")
    call.append(path, {}, signature="oa{sv}")
    client.connection.send_message_with_reply(call, answers.append, 60)


def send_all(clients, domids):
    """A call for each domid, none waits for another's answer; what was answered."""
    answers = []
    for i, domid in enumerate(domids):
        send(clients[i % len(clients)], client_path(domid), answers)
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
    assert chain[-1][2] == client.console()
    for other in clients:
        other.close()


def test_a_flood(daemon, client):
    """More than can be kept are refused at once, and the rest is done."""
    answers = send_all([client], [(WEB, CONTROL)[i % 2] for i in range(1000)])
    assert set(answers) <= {None, "org.freedesktop.DBus.Error.LimitsExceeded"}
    assert answers.count(None) >= 50
    set_console(client, CONSOLE)
    assert client.console() == CONSOLE


def test_a_line_is_being_typed(daemon, client):
    """Xen says: not yet.  The daemon waits to be told, without asking again, and is there for others meanwhile."""
    daemon.command("typing on")
    answers = []
    send(client, client_path(WEB), answers)
    turn(0.2)
    assert client.console() == CONSOLE and not answers
    before = len(daemon.text())
    turn(0.5)
    assert len(daemon.text()) == before
    daemon.command("typing off")
    wait_until(lambda: answers, 60)
    assert answers[0].get_error_name() is None
    assert domid_of(answers[0].get_args_list()[0]) == CONSOLE
    assert client.console() == WEB
    assert [s[3] for s in client.seen("RoleChanged")] == [("console", CONSOLE, WEB)]


def test_a_line_that_never_ends(daemon, client):
    daemon.command("typing on")
    began = time.monotonic()
    assert set_console(client, WEB) == CONSOLE
    assert 1.9 <= time.monotonic() - began < 4
    assert client.console() == WEB


def test_those_behind_wait_too(daemon, client):
    daemon.command("typing on")
    answers, domids = [], [WEB, CONTROL, CONSOLE, 20]
    for domid in domids:
        send(client, client_path(domid), answers)
    turn(0.2)
    assert not answers
    daemon.command("typing off")
    wait_until(lambda: len(answers) == 4)
    assert [answer.get_error_name() for answer in answers] == [None] * 4
    wait_until(lambda: len(client.seen("RoleChanged")) == 4)
    assert [s[3][2] for s in client.seen("RoleChanged")] == domids


def test_another_hand_off_comes_first(daemon, client):
    """Not ours: of another control domain, or the end of a loan."""
    daemon.command("fault set-console EBUSY 1")
    turn(0.2)
    answers = []
    send(client, client_path(WEB), answers)
    turn(0.2)
    assert not answers
    daemon.command("console control")
    wait_until(lambda: answers)
    assert domid_of(answers[0].get_args_list()[0]) == CONTROL
    assert client.console() == WEB


def test_the_owner_ends_while_its_line_is_awaited(daemon, client):
    """Xen forgets the request, and is asked again."""
    daemon.command("typing on")
    answers = []
    send(client, client_path(WEB), answers)
    turn(0.2)
    daemon.command("domain-remove console")
    wait_until(lambda: answers)
    assert answers[0].get_error_name() is None
    assert client.console() == WEB


def test_the_next_owner_shuts_down_while_a_line_is_awaited(daemon, client):
    """Xen forgets the request without a word."""
    daemon.command("typing on")
    answers = []
    send(client, client_path(WEB), answers)
    turn(0.2)
    daemon.command("shutdown web poweroff")
    wait_until(lambda: answers, timeout=1.5)
    assert answers[0].get_error_name() == OURS + "WrongState"
    assert client.console() == CONSOLE


def test_a_loan_that_is_over_before_it_is_seen(daemon, client):
    daemon.command("typing on")
    answers = []
    call = dbus.lowlevel.MethodCallMessage(NAME, PATH, MANAGER, "SetConsoleOwner")
    call.append(client_path(WEB), {"DurationUSec": dbus.UInt64(1000)}, signature="oa{sv}")
    client.connection.send_message_with_reply(call, answers.append, 60)
    turn(0.2)
    daemon.command("typing off")
    wait_until(lambda: answers, timeout=1.5)
    assert answers[0].get_error_name() is None
    wait_until(lambda: client.console() == CONSOLE)
    turn(0.3)
    assert [e[3] for e in client.call("GetEvents", "u", 0) if e[2] == "console"][-2:] == [WEB, CONSOLE]


def test_xen_that_announces_nothing(daemon, client):
    """As where another process has the interrupt: the job looks again before it gives up."""
    daemon.command("announce off")
    daemon.command("typing on")
    assert set_console(client, WEB) == CONSOLE
    assert client.console() == WEB


def test_what_goes_wrong_while_it_waits(daemon, client):
    """The call has its error, and the next one its turn."""
    daemon.command("typing on")
    answers = []
    for domid in (WEB, CONTROL):
        send(client, client_path(domid), answers)
    turn(0.2)
    assert not answers
    daemon.command("domain-remove web")
    wait_until(lambda: answers, 60)
    assert answers[0].get_error_name() == OURS + "NoSuchDomain"
    # Which is announced, so the other one asks again.
    daemon.command("fault set-console EIO 1")
    wait_until(lambda: len(answers) == 2, 60)
    assert answers[1].get_error_name() == OURS + "Failed"
    assert client.console() == CONSOLE


def test_too_many_wait(daemon, client, bus_address):
    daemon.command("typing on")
    clients = [Client(bus_address) for _ in range(4)]
    # To one domain: the first one waits for the line's end, and the others have then nothing to wait for.
    answers = send_all(clients, [WEB] * 100)
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
        return call_as_nobody(bus_address, "Release", "{}", interface=LIFECYCLE, path=client.path_of("db"))
    return call_as_nobody(bus_address, "SetConsoleOwner", client_path(WEB), "{}")


def unchanged(client):
    return client.console() == CONSOLE and client.domain("db")["State"] == "held"


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
    asking = call_as_nobody(bus_address, "SetConsoleOwner", path_of(client, 70), "{}")
    wait_until(mock.HaveHangingCalls, what="the question to polkit")
    daemon.command("domain-remove one")
    daemon.command("domain-add two domid=70 uuid=00000000-0000-0000-0000-000000000002")
    mock.ReleaseHangingCalls()
    _, errors = asking.communicate(timeout=60)
    assert OURS + "NoSuchDomain" in errors
    assert client.console() == CONSOLE


def test_wrong_arguments(daemon, client):
    web = client_path(WEB)
    for signature, args in (("", ()), ("s", ("web",)), ("ua{sv}", (WEB, {})), ("oo", (web, web)), ("o", (web,)), ("oa{ss}", (web, {})),
                            ("sa{sv}", (web, {}))):
        with pytest.raises(dbus.DBusException) as caught:
            client.call("SetConsoleOwner", signature, *args)
        assert caught.value.get_dbus_name() == INVALID_ARGS
    assert client.console() == CONSOLE
