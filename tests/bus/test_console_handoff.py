# SPDX-License-Identifier: LGPL-2.1-or-later
"""Console.HandOff: between the back ends of two domains, to xenconsoled, and when somebody ends meanwhile."""

import errno
import signal

import dbus
import dbus.lowlevel
import pytest

from conftest import INVALID_ARGS, NAME, OURS, PATH, turn, wait_until
from console_support import (CONSOLE, CONSOLE_DOMAIN, CONTROL, WEB, Consoled, attach, consoled, has_console, other,
                             peers, properties, server, wait_console, web)
from xenstored import Xenstored

UUID = "00000000-0000-0000-0000-0000000000aa"


def hand_off(client, path, target, **options):
    """target: a domain's name"""
    client.call("HandOff", "oa{sv}", client.path_of(target), options, interface=CONSOLE, path=path)


def refuse(client, path, error, target, **options):
    """target: a domain's name, or a path"""
    options = dbus.Dictionary(options, signature="sv")
    return client.expect_error(OURS + error if "." not in error else error, "HandOff", "oa{sv}",
                               client.path_of(target) if "/" not in target else target, options,
                               interface=CONSOLE, path=path)


def requests_of(one):
    return [r["request"] for r in one.requests]


def owner_is(client, path, name):
    shown = properties(client, path)
    return (shown["State"], shown["Owner"]) == ("serving", client.path_of(name))


def begin(client, path, target, **options):
    """Calls without waiting; the name of the error, or "ok", is put into the list that is returned."""
    answers = []
    call = dbus.lowlevel.MethodCallMessage(NAME, path, CONSOLE, "HandOff")
    call.append(client.path_of(target), dbus.Dictionary(options, signature="sv"), signature="oa{sv}")
    client.connection.send_message_with_reply(call, lambda m: answers.append(m.get_error_name() or "ok"), 60)
    return answers


def jobs(client):
    return client.call("ListJobs")


@pytest.fixture
def daemon(launch, peers, place):
    """One that keeps records."""
    (place / "runtime").mkdir()
    return launch(options=["--session", "--peers", str(peers)], env={"RUNTIME_DIRECTORY": str(place / "runtime")})


@pytest.fixture
def both(other, web, client):
    """Both back ends, and the path of the domain web, which ours serves."""
    server, path = web
    wait_until(lambda: other.do(lambda: len(other.connections)))
    return server, other, path


def test_there_and_back(both, client):
    server, other, path = both
    server.do(lambda: setattr(server.consoles[WEB], "pending", b"typed"))
    hand_off(client, path, "console")
    assert owner_is(client, path, "console")
    # What was not in the ring is put there first by the new one.
    assert other.typed(WEB) == b"typed" and server.typed(WEB) == b""
    assert server.do(lambda: server.consoles[WEB].state) == "released"
    other.do(lambda: setattr(other.consoles[WEB], "pending", b"more"))
    hand_off(client, path, "control")
    assert owner_is(client, path, "control")
    assert server.typed(WEB) == b"more"
    assert not jobs(client)


def later_domain(server, daemon, client):
    """The path of one that a toolstack has made, with a console."""
    daemon.command(f"domain-add new uuid={UUID} domid=100")
    server.add(100, UUID)
    path = wait_until(lambda: next((r.path for r in client.list() if r.name == "new"), None))
    wait_console(client, path)
    return path


def test_domain_made_after_boot(both, daemon, client):
    """Its port is what the old one says, and Xen agrees to."""
    server, other, _ = both
    path = later_domain(server, daemon, client)
    hand_off(client, path, "console")
    assert owner_is(client, path, "console")
    take = next(r for r in other.requests if r["request"] == "take")
    assert (take["domid"], take["uuid"], take["port"], take["ring-ref"]) == (100, UUID, 2, 100)


def test_old_one_names_another_port(both, daemon, client):
    """That of its xenstore ring: Xen refuses, and nobody is made to bind it."""
    server, other, _ = both
    path = later_domain(server, daemon, client)

    def answer(connection, request):
        del server.overrides["release"]
        server.consoles[100].state, server.consoles[100].released = "released", request["job"]
        server.send(connection, {"id": request["id"], "result": {"input": "", "port": 1, "ring-ref": 4}})
    server.overrides["release"] = answer
    assert "named event channel 1, which is not the console's" in refuse(client, path, "Failed", "console")
    assert not other.requests
    assert requests_of(server) == ["release", "take"]


def test_properties_change_before_the_reply(both, client):
    _, _, path = both
    for target in ("console", "control") * 5:
        hand_off(client, path, target)
        assert owner_is(client, path, target)


def test_attach_goes_to_the_new_one(both, client):
    _, other, path = both
    hand_off(client, path, "console")
    attach(client, path)
    assert requests_of(other) == ["take", "attach"]


def test_to_xenconsoled_and_back(both, client):
    server, _, path = both
    server.xenconsoled = "/dev/pts/9"
    hand_off(client, path, "control", Xenconsoled=True)
    shown = properties(client, path)
    assert (shown["State"], shown["Backend"], shown["Tty"], shown["Owner"]) == \
        ("released", "xenconsoled", "/dev/pts/9", client.path_of("control"))
    assert "only by being stopped" in refuse(client, path, "WrongState", "console")
    assert "only by being stopped" in refuse(client, path, "WrongState", "control", Xenconsoled=True)
    server.overrides["take"] = refusing(server)
    assert "xenconsoled serves it still, so stop that" in refuse(client, path, "WrongState", "control")
    assert properties(client, path)["Backend"] == "xenconsoled"
    del server.overrides["take"]
    hand_off(client, path, "control")
    assert owner_is(client, path, "control") and properties(client, path)["Backend"] == "consoled"


def test_no_xenconsoled_runs(both, client):
    """It is not known before: the console comes back."""
    server, _, path = both
    assert "no xenconsoled has taken it: none runs in domain 2" in \
        refuse(client, path, "NotSupported", "control", Xenconsoled=True)
    assert owner_is(client, path, "control")
    assert requests_of(server) == ["release", "take"]


# What cannot be done, and is refused before anything is.

def test_targets_that_cannot(both, daemon, client):
    server, other, path = both
    assert "domain 2 serves it already" in refuse(client, path, "WrongState", "control")
    assert "no back end of consoles runs in domain 6" in refuse(client, path, "NotSupported", "db")
    assert "a domain cannot serve its own console" in refuse(client, path, "WrongState", "web")
    assert "only the xenconsoled there" in refuse(client, path, "NotSupported", "console", Xenconsoled=True)
    daemon.command("pause console")
    assert "which is to serve it, is paused" in refuse(client, path, "WrongState", "console")
    daemon.command("unpause console")
    gone = PATH + "/domain/d99_0"
    assert f"no domain {gone}" in refuse(client, path, "NoSuchDomain", gone)
    assert "There is no domain /" in refuse(client, path, "NoSuchDomain", "/")
    refuse(client, path, INVALID_ARGS, "console", Dance=True)
    refuse(client, path, INVALID_ARGS, "console", Xenconsoled="yes")
    assert not server.requests and not other.requests and not jobs(client)


def test_target_whose_back_end_has_ended(both, client):
    _, other, path = both
    other.stop()
    wait_until(lambda: "no back end of consoles runs in domain 4" in refuse(client, path, "NotSupported", "console"))


@pytest.mark.parametrize("state", ["waiting", "broken"])
def test_console_that_is_not_served(both, client, state):
    server, _, path = both
    server.change(WEB, state=state)
    client.wait_property(path, "State", state)
    assert state in refuse(client, path, "WrongState", "console")
    assert not server.requests


def test_domain_without_a_console(both, client):
    assert "Domain 6 has no console" in refuse(client, client.path_of("db"), "NotSupported", "console")


# What fails on the way: the old one has it again.

def refusing(one, code="Failed", message="no"):
    def answer(connection, request):
        one.send(connection, {"id": request["id"], "error": code, "message": message})
    return answer


@pytest.mark.parametrize("code, error", [("Busy",) * 2, ("WrongState",) * 2, ("NoSuchDomain",) * 2, ("Odd", "Failed")])
def test_old_one_refuses(both, client, code, error):
    server, other, path = both
    server.overrides["release"] = refusing(server, code)
    assert "its back end does not release it: no" in refuse(client, path, error, "console")
    assert not other.requests
    assert owner_is(client, path, "control")


def test_new_one_refuses(both, client):
    server, other, path = both
    server.do(lambda: setattr(server.consoles[WEB], "pending", b"typed"))
    other.overrides["take"] = refusing(other)
    assert "its new back end does not take it: no" in refuse(client, path, "Failed", "console")
    assert owner_is(client, path, "control")
    assert server.typed(WEB) == b"typed"
    assert requests_of(other) == ["take", "release"]


def test_xen_refuses(both, daemon, client):
    server, other, path = both
    daemon.command("fault move-console-backend EPERM 1")
    refuse(client, path, "NotControlDomain", "console")
    assert owner_is(client, path, "control")
    assert not other.requests


def test_nonsense_from_the_old_one(both, client):
    """An answer that breaks the rules: asked again on the next connection, and given back in the end."""
    server, other, path = both
    answers = []

    def answer(connection, request):
        answers.append(request)
        server.send(connection, {"id": request["id"], "result": {"input": 5}})
        del server.overrides["release"]
    server.overrides["release"] = answer
    hand_off(client, path, "console")
    assert owner_is(client, path, "console") and len(answers) == 1
    assert [r["job"] for r in server.requests] == [answers[0]["job"]] * 2


# Two at once, and somebody who ends meanwhile.

def stall(one):
    """Requests are done, in their order, once go() is called."""
    kept = []

    def keep(connection, request):
        kept.append((connection, request))

    def go():
        # Before the next one is read, which must not overtake them.
        one.do(lambda: (one.overrides.clear(), [one.answer(*args) for args in kept]))
    one.overrides.update({"release": keep, "take": keep})
    return kept, go


def test_second_one_is_busy(both, client):
    server, _, path = both
    kept, go = stall(server)
    answer = begin(client, path, "console")
    wait_until(lambda: kept)
    assert "is being handed over" in refuse(client, path, "Busy", "console")
    assert "is being handed over" in refuse(client, path, "Busy", "control")
    go()
    wait_until(lambda: answer)
    assert answer == ["ok"] and owner_is(client, path, "console")


@pytest.mark.parametrize("name", ["release", "take"])
def test_guest_ends_meanwhile(both, daemon, client, name):
    """It is unmapped wherever it was, and nobody is asked to take it."""
    server, other, path = both
    one = server if name == "release" else other
    kept, go = stall(one)
    answer = begin(client, path, "console")
    wait_until(lambda: kept)
    daemon.command("domain-remove web")
    go()
    wait_until(lambda: answer)
    assert answer == [OURS + "NoSuchDomain"]
    assert requests_of(server) == ["release"]
    assert requests_of(other) == ([] if name == "release" else ["take", "release"])
    assert not jobs(client)


@pytest.mark.parametrize("name", ["release", "take"])
def test_cancel(both, client, name):
    server, other, path = both
    kept, go = stall(server if name == "release" else other)
    answer = begin(client, path, "console")
    wait_until(lambda: kept)
    job = jobs(client)[0][0]
    client.call("Cancel", "a{sv}", {}, interface=NAME + ".Job", path=job)
    go()
    wait_until(lambda: answer)
    assert answer == [OURS + "Cancelled"]
    wait_until(lambda: owner_is(client, path, "control"))


def test_old_one_ends_after_its_release(both, consoled, client):
    """Its successor knows that it has released it; here it is the same one again."""
    server, other, path = both
    kept, go = stall(other)
    answer = begin(client, path, "console")
    wait_until(lambda: kept)
    server.stop()
    go()
    wait_until(lambda: answer)
    assert answer == ["ok"]
    assert owner_is(client, path, "console")


def test_new_one_ends_before_it_has_taken_it(both, peers, client):
    """It is asked again when it is back."""
    server, other, path = both
    kept, _ = stall(other)
    answer = begin(client, path, "console")
    wait_until(lambda: kept)
    other.stop()
    back = Consoled(peers / str(CONSOLE_DOMAIN) / "console", domid=CONSOLE_DOMAIN)
    try:
        wait_until(lambda: answer)
        assert answer == ["ok"]
        assert owner_is(client, path, "console") and requests_of(back) == ["take"]
    finally:
        back.stop()


def test_new_one_does_not_come_back(both, client):
    server, other, path = both
    kept, _ = stall(other)
    answer = begin(client, path, "console")
    wait_until(lambda: kept)
    other.stop()
    wait_until(lambda: answer, timeout=30)
    assert answer == [OURS + "Timeout"]
    assert owner_is(client, path, "control")


def restart(daemon, client):
    wait_until(lambda: not client.ready())
    daemon.stop()
    daemon.start()
    wait_until(client.ready)


def one_job(server, other):
    """All requests were those of one job."""
    return len({r["job"] for r in server.requests + other.requests if "job" in r}) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("target", ["console", "nobody"])
def test_daemon_is_killed_when_it_asks_xen(both, daemon, client, when, target):
    """On the way there, and back from a target that does not take it."""
    server, other, path = both
    server.do(lambda: setattr(server.consoles[WEB], "pending", b"typed"))
    if target == "console":
        daemon.command(f"kill {when} move-console-backend")
    else:
        def refuse_and_kill(connection, request):
            daemon.command(f"kill {when} move-console-backend")
            other.send(connection, {"id": request["id"], "error": "Failed", "message": "no"})
        other.overrides["take"] = refuse_and_kill
    begin(client, path, "console")
    assert daemon.process.wait(20) == -signal.SIGKILL
    restart(daemon, client)
    end, one = ("console", other) if target == "console" else ("control", server)
    wait_until(lambda: has_console(client, path) and owner_is(client, path, end))
    wait_until(lambda: not jobs(client))
    assert one.typed(WEB) == b"typed"
    assert one_job(server, other)


def test_daemon_is_killed_while_it_gives_it_back(both, daemon, client):
    """The next one goes on giving back, and does not begin again."""
    server, other, path = both
    server.do(lambda: setattr(server.consoles[WEB], "pending", b"typed"))
    other.overrides["take"] = refusing(other)
    kept = []
    server.overrides["take"] = lambda *args: kept.append(args)
    begin(client, path, "console")
    wait_until(lambda: kept)
    assert jobs(client)[0][3] == "undoing"
    server.overrides.clear()
    daemon.process.kill()
    restart(daemon, client)
    wait_until(lambda: has_console(client, path) and owner_is(client, path, "control"))
    wait_until(lambda: not jobs(client))
    assert server.typed(WEB) == b"typed"
    assert requests_of(other).count("take") == 1 and one_job(server, other)


@pytest.mark.parametrize("name", ["release", "take"])
def test_daemon_is_killed_meanwhile(both, daemon, client, name):
    """The next one asks again, as the same job, and finishes it."""
    server, other, path = both
    server.do(lambda: setattr(server.consoles[WEB], "pending", b"typed"))
    one = server if name == "release" else other
    kept, _ = stall(one)
    begin(client, path, "console")
    wait_until(lambda: kept)
    one.overrides.clear()
    daemon.process.kill()
    restart(daemon, client)
    wait_until(lambda: other.do(lambda: WEB in other.consoles and other.consoles[WEB].state == "serving"))
    wait_until(lambda: has_console(client, path) and owner_is(client, path, "console"))
    wait_until(lambda: not jobs(client))
    assert other.typed(WEB) == b"typed"
    assert one_job(server, other)


# What xenstore says.

@pytest.fixture
def stored(other, launch, peers, place, consoled, client):
    """(store, both back ends, daemon, path of web), of which the console domain has the consoles at first"""
    store = Xenstored(place / "xenstored" / "socket")
    store.become(CONTROL)
    store.start()
    (place / "runtime").mkdir()
    server = consoled()
    server.remove(WEB)
    other.add(WEB)
    daemon = launch(options=["--session", "--peers", str(peers)],
                    env={"RUNTIME_DIRECTORY": str(place / "runtime"), "XENSTORED_PATH": store.path})
    path = client.path_of("web")
    wait_console(client, path)
    wait_until(lambda: store.read(f"/local/domain/{WEB}/console/backend-id"))
    yield store, server, other, daemon, path
    store.stop()


def nodes_of(store):
    """All that has to do with the console of web, with permissions."""
    tops = [f"/local/domain/{WEB}/console", f"/libxl/{WEB}/device/console",
            *(f"/local/domain/{domid}/backend/console/{WEB}" for domid in (CONTROL, CONSOLE_DOMAIN))]
    paths = [path for top in tops for path in [top, *(f"{top}/{node}" for node in store.below(top))]]
    return {path: (store.read(path), store.perms(path)) for path in paths if store.read(path) is not None}


def test_nodes_follow(stored, client):
    """There and back, it is all as it was; in between it is as if it had been made so."""
    store, server, _, _, path = stored
    before = nodes_of(store)
    store.write(f"/local/domain/{WEB}/console/tty", "/dev/pts/3")
    hand_off(client, path, "control")
    take = server.requests[-1]
    assert [take["port"], take["ring-ref"]] == [int(store.read(f"/local/domain/{WEB}/console/{node}"))
                                                for node in ("port", "ring-ref")]
    assert owner_is(client, path, "control")
    between = nodes_of(store)
    new = f"/local/domain/{CONTROL}/backend/console/{WEB}"
    assert between[f"/local/domain/{WEB}/console/backend-id"][0] == str(CONTROL)
    assert between[f"/local/domain/{WEB}/console/backend"][0] == f"{new}/0"
    assert between[f"/local/domain/{WEB}/console/tty"][0] == ""
    assert between[f"/libxl/{WEB}/device/console/0/backend"][0] == f"{new}/0"
    assert between[f"{new}/0/frontend"] == (f"/local/domain/{WEB}/console", [f"n{CONTROL}", f"r{WEB}"])
    for node in ("", "/tty", "/type", "/port", "/ring-ref", "/backend-id"):
        assert between[f"/local/domain/{WEB}/console{node}"][1] == [f"n{CONTROL}", f"r{WEB}"], node
    assert not [p for p in between if p.startswith(f"/local/domain/{CONSOLE_DOMAIN}/")]
    hand_off(client, path, "console")
    after = nodes_of(store)
    # The directory that holds a domain's back ends is made by its first node.
    made = f"/local/domain/{CONSOLE_DOMAIN}/backend/console/{WEB}"
    del before[made], after[made]
    assert after == before


def test_new_back_end_may_read_the_uuid(stored, client):
    """libxl lets only the guest and the control domain read it; without it the back end would take the guest for another one."""
    store, _, _, _, path = stored
    vm = f"/local/domain/{WEB}/vm"
    store.write(vm, "/vm/00000000-0000-0000-0000-0000000000aa")
    hand_off(client, path, "control")
    store.set_perms(vm, [f"n{CONTROL}", f"r{WEB}"])
    hand_off(client, path, "console")
    assert store.perms(vm) == [f"n{CONTROL}", f"r{WEB}", f"r{CONSOLE_DOMAIN}"]
    hand_off(client, path, "control")
    assert store.perms(vm) == [f"n{CONTROL}", f"r{WEB}"]
    # Who may read all needs no entry.
    store.set_perms(vm, [f"r{CONTROL}"])
    hand_off(client, path, "console")
    assert store.perms(vm) == [f"r{CONTROL}"]


def test_others_write_the_nodes_meanwhile(stored, client):
    """The transaction is tried again."""
    store, _, _, _, path = stored
    store.conflicts = 3
    hand_off(client, path, "control")
    assert store.conflicts == 0
    assert store.read(f"/local/domain/{WEB}/console/backend-id") == str(CONTROL)


def test_xenstore_refuses(stored, client):
    store, server, other, _, path = stored
    before = nodes_of(store)
    store.failures[f"/local/domain/{WEB}/console/backend-id"] = errno.ENOSPC
    assert "xenstore: No space left on device" in refuse(client, path, "Failed", "control")
    assert owner_is(client, path, "console")
    assert nodes_of(store) == before
    assert requests_of(server) == ["take", "release"]


def test_console_that_xenstore_gives_to_another(stored, client):
    """A toolstack has changed it."""
    store, _, _, _, path = stored
    store.write(f"/local/domain/{WEB}/console/backend-id", "3")
    refuse(client, path, "Failed", "control")
    assert owner_is(client, path, "console")
    assert store.read(f"/local/domain/{WEB}/console/backend-id") == "3"


def test_daemon_is_killed_when_it_writes_the_nodes(stored, client):
    store, server, _, daemon, path = stored
    store.hang_after = 3
    begin(client, path, "control")
    wait_until(lambda: server.do(lambda: WEB in server.consoles and server.consoles[WEB].state == "serving"))
    wait_until(lambda: store.hangs())
    daemon.process.kill()
    store.resume()
    restart(daemon, client)
    wait_until(lambda: has_console(client, path) and owner_is(client, path, "control"))
    wait_until(lambda: not jobs(client))
    assert store.read(f"/local/domain/{WEB}/console/backend-id") == str(CONTROL)


def test_xenstored_hangs(stored, client):
    """For too long: the old one has it again, and xenstore says so."""
    store, _, _, _, path = stored
    store.hang_after = 0
    answer = begin(client, path, "control")
    wait_until(lambda: answer, timeout=40)
    assert answer == [OURS + "Timeout"]
    assert owner_is(client, path, "console")
    store.resume()
    turn(1)
    assert store.read(f"/local/domain/{WEB}/console/backend-id") == str(CONSOLE_DOMAIN)
