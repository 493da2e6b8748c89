# SPDX-License-Identifier: LGPL-2.1-or-later
"""The back end of consoles in another domain, by nodes of a xenstored: docs/dev/peers.md, "In another domain".

This test plays the helper; hyperlaunchd has libxenstore, and xenstored is the test's own or one of Debian's.
"""
import itertools
import json
import os
import pty
import re
import secrets
import select
import signal
import tty

import pytest

from conftest import NAME, OURS, PATH, Client, turn, wait_until
from console_support import CONSOLE, CONSOLE_DOMAIN, CONTROL, WEB, Consoled, consoles, has_console, properties, refuse, wait_console
from console_support import peers  # a fixture, pylint: disable=unused-import
from test_xenstore import each_xenstored, store  # fixtures, pylint: disable=unused-import

LCM = "ok-dynamic-full"
TOP = "/tool/hyperlaunch/peer"
DIR = f"{TOP}/{CONSOLE_DOMAIN}/console"
SESSION = r"[0-9a-f]{16}"


class Helper:
    """One process of it; what is left out of the protocol the test does."""

    def __init__(self, store):
        self.store = store
        self.own = self.client = None
        self.sent, self.read = itertools.count(1), itertools.count(1)

    def _is_connected(self):
        """Answers each session of the client with one of its own, until that is taken."""
        session = (self.store.read(f"{DIR}/client/session") or "").split()
        if session and session[0] != self.client:
            assert all(re.fullmatch(SESSION, one) for one in session)
            self.client, self.own = session[0], secrets.token_hex(8)
            self.store.write(f"{DIR}/helper/session", f"{self.own} {self.client}")
        return session == [self.client, self.own]

    def connect(self):
        wait_until(self._is_connected)

    def send(self, **packet):
        self.store.write(f"{DIR}/helper/{self.own}/{next(self.sent)}", json.dumps(packet))

    def console(self, domid, **members):
        self.send(**({"event": "console", "domid": domid, "uuid": "", "state": "serving", "tty": "/dev/pts/0", "attached": 0,
                      "writer": False, "dropped": 0} | members))

    def request(self):
        """The next one of hyperlaunchd's."""
        number = next(self.read)
        text = wait_until(lambda: self.store.read(f"{DIR}/client/{self.client}/{number}"), what=f"request {number}")
        self.store.write(f"{DIR}/helper/{self.own}/ack", str(number))
        return json.loads(text)

    def serve(self, domid=CONSOLE_DOMAIN):
        self.connect()
        self.send(hello="console", version=1, domid=domid)
        self.console(WEB)
        self.send(event="ready")
        return self


@pytest.fixture
def started(launch, store, peers):
    """The daemon, when it awaits the helper."""
    if hasattr(store, "become"):
        store.become(CONTROL)
    store.start()
    daemon = launch(LCM, env={"XENSTORED_PATH": store.path}, options=["--session", "--peers", str(peers)])
    wait_until(lambda: store.read(f"{DIR}/client/session"))
    return daemon


def wait_state(client, state):
    wait_until(lambda: properties(client, client.path_of("web"))["State"] == state, what=f"state {state}")


@each_xenstored
def test_only_the_two_domains_have_the_directories(started, store):
    assert store.perms(f"{TOP}/{CONSOLE_DOMAIN}") == [f"n{CONTROL}", f"r{CONSOLE_DOMAIN}"]
    for name, owner, reader in (("client", CONTROL, CONSOLE_DOMAIN), ("helper", CONSOLE_DOMAIN, CONTROL)):
        assert store.perms(f"{DIR}/{name}") == [f"n{owner}", f"r{reader}"]
    assert store.perms(f"{DIR}/client/session") == [f"n{CONTROL}", f"r{CONSOLE_DOMAIN}"]
    Helper(store).serve()
    session = store.read(f"{DIR}/client/session").split()[0]
    ack = wait_until(lambda: store.read(f"{DIR}/client/{session}/ack") == "3" and f"{DIR}/client/{session}/ack")
    assert store.perms(ack) == [f"n{CONTROL}", f"r{CONSOLE_DOMAIN}"]


@each_xenstored
def test_console_served_there_is_published(started, store, client):
    helper = Helper(store).serve()
    web = client.path_of("web")
    wait_console(client, web)
    shown = properties(client, web)
    assert (shown["State"], shown["Backend"], shown["Owner"]) == ("serving", "consoled", client.path_of("console"))
    assert shown["Tty"] == ""
    helper.console(WEB, dropped=7)
    client.wait_property(web, "Dropped", 7)
    helper.send(event="gone", domid=WEB)
    wait_console(client, web, present=False)


class Streams(Consoled):
    """Our own domain's back end, without consoles: it makes the ends of streams that are here."""

    def __init__(self, peers):
        super().__init__(peers / "console", domid=CONTROL)
        self.ends = []      # that the other domain's bytes come to
        self.overrides["stream"] = self.make

    def make(self, connection, request):
        theirs, ours = pty.openpty() if request["type"] == "terminal" else os.pipe()[::-1]
        if request["type"] == "terminal":
            tty.setraw(ours)
        self.ends.append(theirs)
        self.send(connection, {"id": request["id"], "result": {"path": f"/tool/hyperlaunch/vchan/{len(self.ends)}"}}, ours)
        os.close(ours)

    def is_ended(self, number):
        """Whether hyperlaunchd and its client have closed their end."""
        poll = select.poll()
        poll.register(self.ends[number], 0)
        return bool(poll.poll(0))


@pytest.fixture
def streams(peers, started):
    helper = Streams(peers)
    yield helper
    for end in helper.ends:
        os.close(end)
    helper.stop()


class Call:
    """One that is answered later."""

    def __init__(self, client, method, path, **options):
        self.result = self.error = None
        client.connection.call_async(NAME, path, CONSOLE, method, "a{sv}", (options,), self.on_reply, self.on_error)

    def on_reply(self, *result):
        self.result = result

    def on_error(self, error):
        self.error = error.get_dbus_name(), error.get_dbus_message()


@pytest.fixture
def served(started, store, client, streams):
    """The helper there, which serves web, and the path of that."""
    helper = Helper(store).serve()
    web = client.path_of("web")
    wait_console(client, web)
    wait_until(lambda: streams.connections)
    turn(0.1)
    return helper, web


@pytest.mark.parametrize("method, request_name, kind, result, info", [
    ("Attach", "attach", "terminal", {"writer": True}, {"Writer": True}), ("OpenLog", "log", "pipe", {"size": 3}, {"Size": 3})])
def test_bytes_come_through_a_stream(served, client, streams, method, request_name, kind, result, info):
    helper, web = served
    call = Call(client, method, web)
    request = helper.request()
    assert (request["request"], request["domid"]) == (request_name, WEB)
    assert request["stream"] == {"domid": CONTROL, "path": "/tool/hyperlaunch/vchan/1"}
    asked = streams.requests[-1]
    assert (asked["request"], asked["domid"], asked["type"]) == ("stream", CONSOLE_DOMAIN, kind)
    helper.send(id=request["id"], result=result)
    wait_until(lambda: call.result)
    end = call.result[0].take()
    assert os.isatty(end) == (kind == "terminal") and call.result[1] == info
    os.write(streams.ends[0], b"abc")
    assert os.read(end, 3) == b"abc"
    os.close(end)


OLD = "00000000-0000-0000-0000-0000000000aa"


def refuse_log(streams, code="NoSuchDomain", text="no domain with that uuid has a log"):
    """Our own helper does not have it."""
    streams.overrides["log"] = lambda connection, request: streams.send(connection, {"id": request["id"], "error": code, "message": text})


class ManagersCall(Call):
    """The same, of OpenConsoleLog."""

    def __init__(self, client, uuid):  # pylint: disable=super-init-not-called
        self.result = self.error = None
        client.connection.call_async(NAME, PATH, NAME + ".Manager", "OpenConsoleLog", "sa{sv}", (uuid, {}), self.on_reply, self.on_error)


def test_log_of_a_domain_that_is_gone_and_was_served_there(served, client, streams):
    """Our own helper does not have it."""
    helper, _ = served
    refuse_log(streams)
    call = ManagersCall(client, OLD)
    request = helper.request()
    assert (request["request"], request["uuid"], request.get("domid")) == ("log", OLD, None)
    helper.send(id=request["id"], result={"size": 3})
    wait_until(lambda: call.result)
    os.write(streams.ends[0], b"abc")
    assert os.read(call.result[0].take(), 3) == b"abc"


def test_log_that_nobody_has(served, client, streams):
    helper, _ = served
    refuse_log(streams)
    call = ManagersCall(client, OLD)
    helper.send(id=helper.request()["id"], error="NoSuchDomain", message="not here")
    wait_until(lambda: call.error)
    assert call.error[0] == OURS + "NoSuchDomain" and OLD in call.error[1]
    wait_until(lambda: streams.is_ended(0))


def test_log_that_cannot_be_opened_here_is_not_looked_for_there(served, client, streams):
    refuse_log(streams, "Failed", "the log cannot be read")
    call = ManagersCall(client, OLD)
    wait_until(lambda: call.error)
    assert call.error[0] == OURS + "Failed" and not streams.ends


def test_log_while_the_other_side_is_away(served, client, streams, store):
    """It is not waited for."""
    refuse_log(streams)
    store.write(f"{DIR}/helper/session", "")
    wait_state(client, "unavailable")
    call = ManagersCall(client, OLD)
    wait_until(lambda: call.error)
    assert call.error[0] == OURS + "NoSuchDomain" and not streams.ends


@pytest.mark.parametrize("answer, error", [
    ({"error": "Busy", "message": "another one types"}, "Busy"), ({"result": {}}, "Failed"),
    ({"error": "Failed", "message": "the stream between the domains cannot be opened"}, "Failed")])
def test_what_the_other_domain_refuses_ends_the_stream(served, client, streams, answer, error):
    helper, web = served
    call = Call(client, "Attach", web)
    helper.send(id=helper.request()["id"], **answer)
    wait_until(lambda: call.error)
    assert call.error[0] == OURS + error
    wait_until(lambda: streams.is_ended(0))


@pytest.mark.parametrize("path", [None, "x" * 65, 7])
def test_stream_without_a_path(served, client, streams, path):
    def make(connection, request):
        streams.send(connection, {"id": request["id"], "result": {} if path is None else {"path": path}}, os.open("/dev/null", os.O_RDONLY))
    streams.overrides["stream"] = make
    assert "gave no valid answer" in refuse(client, served[1], OURS + "Failed")


def test_no_stream_can_be_made_here(served, client, streams):
    def make(connection, request):
        streams.send(connection, {"id": request["id"], "error": "Failed", "message": "no vchan"})
    streams.overrides["stream"] = make
    assert "no vchan" in refuse(client, served[1], OURS + "Failed")


def test_other_domain_ends_while_the_stream_is_made(served, started, client, streams):
    asked = []
    streams.overrides["stream"] = lambda *args: asked.append(args)
    call = Call(client, "Attach", served[1])
    wait_until(lambda: asked)
    started.command(f"domain-remove {CONSOLE_DOMAIN}")
    wait_console(client, served[1], present=False)
    streams.do(lambda: streams.make(*asked[0]))
    wait_until(lambda: call.error)
    assert "has ended meanwhile" in call.error[1]
    wait_until(lambda: streams.is_ended(0))


def test_streams_to_a_domain_that_is_gone_are_ended(served, started, streams):
    """Xen does not announce it to the helpers, so hyperlaunchd does."""
    assert streams.kept == [[CONSOLE_DOMAIN]]
    started.command(f"domain-remove {CONSOLE_DOMAIN}")
    wait_until(lambda: streams.kept == [[CONSOLE_DOMAIN], []])
    turn(0.2)
    assert len(streams.kept) == 2


def test_each_new_hyperlaunchd_tells_it(served, started, streams):
    """A domain may have gone while none ran."""
    started.process.send_signal(signal.SIGKILL)
    started.process.wait()
    started.start()
    wait_until(lambda: streams.kept == [[CONSOLE_DOMAIN]] * 2)


def test_helper_that_cannot_end_streams_is_not_asked_again_and_again(served, started, streams, client):
    helper, web = served

    def refuse_it(connection, request):
        streams.send(connection, {"id": request["id"], "error": "NotSupported", "message": "no such request"})
    streams.overrides["keep-streams"] = refuse_it
    started.command(f"domain-remove {CONSOLE_DOMAIN}")
    wait_until(lambda: streams.kept[-1:] == [[]])
    turn(0.3)
    assert len(streams.kept) == 2


def test_caller_that_leaves_ends_the_stream(served, bus_address, streams):
    helper, web = served
    other = Client(bus_address)
    call = Call(other, "Attach", web)
    request = helper.request()
    other.close()
    turn(0.1)
    helper.send(id=request["id"], result={"writer": True})
    wait_until(lambda: streams.is_ended(0))
    assert not call.result


class Relay(consoles.Console):
    """A terminal for a console that the other domain serves."""

    def event(self):
        return super().event() | {"backend": CONSOLE_DOMAIN}


class Relays(Streams):
    """It makes terminals for xl console, too."""

    def __init__(self, peers):
        self.wanted, self.unrelayed = [], []
        super().__init__(peers)
        self.overrides |= {"relay": self.relay, "unrelay": self.unrelay}

    def tell(self, state):
        console = self.consoles.setdefault(WEB, Relay(WEB, ""))
        console.state, console.tty = state, "/dev/pts/77"
        self.announce(console)

    def relay(self, connection, request):
        self.wanted.append(request)
        self.tell("relayed")
        self.send(connection, {"id": request["id"], "result": {"path": f"/tool/hyperlaunch/vchan/r{len(self.wanted)}"}})

    def unrelay(self, connection, request):
        self.unrelayed.append(request["domid"])
        self.consoles.pop(request["domid"])
        self.broadcast({"event": "gone", "domid": request["domid"]})
        self.send(connection, {"id": request["id"], "result": {}})


@pytest.fixture
def relays(peers, started):
    helper = Relays(peers)
    yield helper
    helper.stop()


@pytest.fixture
def relayed(started, store, client, relays):
    """The helper there, and the path of web, for which there is a terminal here."""
    helper = Helper(store).serve()
    request = helper.request()
    assert (request["request"], request["domid"], request["terminal"]) == ("attach", WEB, True)
    assert request["stream"] == {"domid": CONTROL, "path": "/tool/hyperlaunch/vchan/r1"}
    helper.send(id=request["id"], result={"writer": True})
    assert [(one["domid"], one["backend"]) for one in relays.wanted] == [(WEB, CONSOLE_DOMAIN)]
    web = client.path_of("web")
    wait_until(lambda: has_console(client, web) and properties(client, web)["Tty"] == "/dev/pts/77")
    return helper, web


def test_console_served_there_has_a_terminal_here(relayed, client):
    shown = properties(client, relayed[1])
    assert (shown["State"], shown["Backend"], shown["Owner"]) == ("serving", "consoled", client.path_of("console"))


def test_terminal_is_connected_again(relayed, client, relays):
    helper, web = relayed
    relays.do(lambda: relays.tell("detached"))
    request = helper.request()
    assert request["stream"]["path"] == "/tool/hyperlaunch/vchan/r2"
    helper.send(id=request["id"], error="Failed", message="there is no such path")
    turn(0.2)
    assert len(relays.wanted) == 2 and properties(client, web)["Tty"] == "/dev/pts/77"


def test_terminal_stays_while_the_other_side_is_away(relayed, store, client, relays):
    helper, web = relayed
    relays.do(lambda: relays.tell("detached"))
    helper.request()
    store.write(f"{DIR}/helper/session", "0123456789abcdef 0123456789abcdef")
    wait_state(client, "unavailable")
    turn(0.2)
    assert not relays.unrelayed
    again = Helper(store).serve()
    wait_state(client, "serving")
    relays.do(lambda: relays.tell("detached"))
    assert again.request()["terminal"]


def test_terminal_ends_with_its_console(relayed, client, relays):
    helper, web = relayed
    helper.send(event="gone", domid=WEB)
    wait_until(lambda: relays.unrelayed == [WEB])
    wait_console(client, web, present=False)


def test_terminal_ends_with_its_domain(relayed, started, relays):
    started.command(f"domain-remove {WEB}")
    wait_until(lambda: relays.unrelayed == [WEB])


def test_terminals_outlive_hyperlaunchd(relayed, started, store, client, relays):
    started.process.send_signal(signal.SIGKILL)
    started.process.wait()
    started.start()
    Helper(store).serve()
    wait_until(client.ready)
    web = client.path_of("web")
    wait_until(lambda: has_console(client, web) and properties(client, web)["Tty"] == "/dev/pts/77")
    turn(0.2)
    assert len(relays.wanted) == 1


def test_without_a_back_end_here_nothing_is_opened(started, store, client):
    Helper(store).serve()
    web = client.path_of("web")
    wait_console(client, web)
    for method in ("Attach", "OpenLog"):
        message = refuse(client, web, OURS + "NotSupported", method)
        assert f"is served in domain {CONSOLE_DOMAIN} (console)" in message


@each_xenstored
def test_either_side_is_killed(started, store, client):
    Helper(store).serve()
    wait_console(client, client.path_of("web"))
    for _ in range(2):
        Helper(store).serve()
        wait_state(client, "serving")
    started.process.send_signal(signal.SIGKILL)
    started.process.wait()
    started.start()
    Helper(store).serve()
    wait_until(client.ready)
    wait_console(client, client.path_of("web"))


def test_xenstored_is_killed(started, store, client):
    Helper(store).serve()
    wait_console(client, client.path_of("web"))
    store.stop()
    wait_state(client, "unavailable")
    store.start()
    Helper(store).serve()
    wait_state(client, "serving")


@pytest.mark.parametrize("name, value", [("session", "nonsense"), ("4", "nonsense"), ("4", "x" * 2000), ("ack", "5"), ("4", "")])
def test_what_breaks_the_rules_ends_the_connection(started, store, client, name, value):
    helper = Helper(store).serve()
    wait_console(client, client.path_of("web"))
    store.write(f"{DIR}/helper/{name}" if name == "session" else f"{DIR}/helper/{helper.own}/{name}", value)
    wait_state(client, "unavailable")
    assert f"the connection to the helper console in domain {CONSOLE_DOMAIN} is ended: it breaks the rules" in started.text()
    Helper(store).serve()
    wait_state(client, "serving")


def test_helper_that_says_it_is_elsewhere(started, store, client):
    Helper(store).serve(domid=WEB)
    wait_until(lambda: "is ended: it breaks the rules" in started.text())
    assert not has_console(client, client.path_of("web"))


def test_flood_of_events(started, store, client):
    """It is read at a bounded rate, and D-Bus answers meanwhile."""
    helper = Helper(store).serve()
    wait_console(client, client.path_of("web"))
    for number in range(300):
        helper.console(WEB, dropped=number)
        store.write(f"{DIR}/helper/anything", str(number))
        if number % 30 == 0:
            client.call("Ping", interface="org.freedesktop.DBus.Peer")
    wait_until(lambda: properties(client, client.path_of("web"))["Dropped"] == 299)


def test_helper_of_a_domain_that_has_gone(started, store, client):
    Helper(store).serve()
    wait_console(client, client.path_of("web"))
    started.command(f"domain-remove {CONSOLE_DOMAIN}")
    wait_console(client, client.path_of("web"), present=False)
    wait_until(lambda: store.read(f"{DIR}/client/session") is None)
    turn(0.1)
    assert store.read(f"{DIR}/helper/session") is None
