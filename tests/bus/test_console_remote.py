# SPDX-License-Identifier: LGPL-2.1-or-later
"""The back end of consoles in another domain, by nodes of a xenstored: docs/dev/peers.md, "In another domain".

This test plays the helper; hyperlaunchd has libxenstore, and xenstored is the test's own or one of Debian's.
"""
import itertools
import json
import re
import secrets
import signal

import pytest

from conftest import OURS, turn, wait_until
from console_support import CONSOLE_DOMAIN, CONTROL, WEB, has_console, properties, refuse, wait_console
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
        self.sent = itertools.count(1)

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

    def serve(self, domid=CONSOLE_DOMAIN):
        self.connect()
        self.send(hello="console", version=1, domid=domid)
        self.console(WEB)
        self.send(event="ready")
        return self


@pytest.fixture
def started(launch, store):
    """The daemon, when it awaits the helper."""
    if hasattr(store, "become"):
        store.become(CONTROL)
    store.start()
    daemon = launch(LCM, env={"XENSTORED_PATH": store.path}, options=["--session"])
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


def test_terminals_and_logs_are_not_opened_from_here(started, store, client):
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
