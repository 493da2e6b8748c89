# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two back ends of consoles, in two domains: which of them counts for a domain, and which is asked."""

import os

import pytest

from conftest import OURS, turn, wait_until
from console_support import (CONSOLE_DOMAIN, DB, WEB, Consoled, attach, consoled, daemon, has_console, other, peers,
                             properties, refuse, server, wait_console, web)

UUID = "00000000-0000-0000-0000-0000000000aa"


def wait_owner(client, path, owner):
    client.wait_property(path, "Owner", client.path_of(owner))


def test_each_domain_has_the_console_of_its_back_end(other, web, client):
    server, path = web
    other.add(DB)
    db = client.path_of("db")
    wait_console(client, db)
    assert properties(client, path)["Owner"] == client.path_of("control")
    assert properties(client, db)["Owner"] == client.path_of("console")
    for domain, one, domid in ((path, server, WEB), (db, other, DB)):
        terminal, _ = attach(client, domain)
        os.write(terminal, b"x")
        wait_until(lambda: one.typed(domid) == b"x")
        os.close(terminal)
    assert [r["domid"] for r in server.requests] == [WEB] and [r["domid"] for r in other.requests] == [DB]


@pytest.mark.parametrize("higher, lower", [("serving", "broken"), ("broken", "waiting"), ("waiting", "released")])
def test_of_two_reports_the_higher_state_counts(other, web, client, higher, lower):
    """In whatever order they come."""
    server, path = web
    server.change(WEB, state=lower)
    client.wait_property(path, "State", lower)
    other.add(WEB)
    other.change(WEB, state=higher)
    client.wait_property(path, "State", higher)
    assert properties(client, path)["Owner"] == client.path_of("console")
    server.change(WEB, state=higher)
    wait_owner(client, path, "control")
    other.change(WEB, state=lower, dropped=7)
    turn(0.2)
    shown = properties(client, path)
    assert (shown["State"], shown["Owner"], shown["Dropped"]) == (higher, client.path_of("control"), 0)


def test_of_two_that_serve_the_one_in_our_domain_counts(other, web, client):
    server, path = web
    other.add(WEB)
    other.change(WEB, dropped=3)
    turn(0.2)
    assert properties(client, path)["Owner"] == client.path_of("control")
    os.close(attach(client, path)[0])
    assert not other.requests
    server.remove(WEB)
    wait_owner(client, path, "console")
    assert properties(client, path)["Dropped"] == 3
    server.add(WEB)
    wait_owner(client, path, "control")


def test_console_that_was_handed_over(other, web, client):
    """The old one's end changes nothing, the new one's is seen; nothing is missed that another one serves."""
    server, path = web
    other.add(WEB)
    server.change(WEB, state="released")
    wait_owner(client, path, "console")
    server.stop()
    turn(0.2)
    assert properties(client, path)["State"] == "serving"
    other.stop()
    client.wait_property(path, "State", "unavailable")
    assert properties(client, path)["Owner"] == client.path_of("console")
    assert "does not run now" in refuse(client, path, OURS + "NotSupported")


def test_back_end_that_is_gone_leaves_its_consoles_to_the_other(other, web, client):
    server, path = web
    other.add(WEB)
    other.change(WEB, state="waiting")
    server.stop()
    client.wait_property(path, "State", "unavailable")
    other.change(WEB, state="serving")
    wait_owner(client, path, "console")


def test_back_end_elsewhere_chooses_no_terminal_here(other, web, client):
    server, path = web
    other.add(DB)
    other.change(DB, tty="/dev/pts/0", dropped=1)
    db = client.path_of("db")
    wait_console(client, db)
    wait_until(lambda: properties(client, db)["Dropped"] == 1)
    assert properties(client, db)["Tty"] == ""


@pytest.fixture
def liar(peers):
    """One in the console domain that says it is in the hardware domain."""
    (peers / str(CONSOLE_DOMAIN)).mkdir()
    helper = Consoled(peers / str(CONSOLE_DOMAIN) / "console", domid=3)
    yield helper
    helper.stop()


def test_domain_that_a_back_end_says_it_is_in_does_not_count(liar, web, client):
    liar.add(DB)
    db = client.path_of("db")
    wait_console(client, db)
    assert properties(client, db)["Owner"] == client.path_of("console")


def test_reports_of_a_domain_that_comes_later(other, web, daemon, client):
    """Both know of it before hyperlaunchd does; one means an earlier domain with that domid."""
    server, _ = web
    server.add(100, "00000000-0000-0000-0000-0000000000bb")
    other.add(100, UUID)
    other.change(100, state="waiting")
    daemon.command(f"domain-add new uuid={UUID} domid=100")
    path = wait_until(lambda: next((r.path for r in client.list() if r.name == "new"), None))
    wait_console(client, path)
    assert properties(client, path)["State"] == "waiting"
    server.change(100, uuid=UUID)
    client.wait_property(path, "State", "serving")
    assert has_console(client, path)
