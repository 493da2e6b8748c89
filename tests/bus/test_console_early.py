# SPDX-License-Identifier: LGPL-2.1-or-later
"""What initial domains printed before they had a back end goes to the helper, once."""

from conftest import turn, wait_until
from console_support import CONTROL, DB, WEB, consoled, daemon, other, peers, wait_console

LINE = "first"
KEPT = 16384


def requests(server):
    return [request for request in server.requests if request["request"] == "early"]


def domids(server):
    return {request["domid"] for request in requests(server)}


def log_of(server, domid=WEB):
    return bytes(server.consoles[domid].log)


def early_of(server, domid=WEB):
    return server.consoles[domid].early


def test_first_output_comes_in_parts(daemon, consoled, client):
    """16 KiB, and the number of those that came after them."""
    daemon.command(f"output web {LINE} 4000")
    server = consoled()
    server.prints(WEB, b"later\n")
    server.change(WEB, early=False)
    wait_until(lambda: early_of(server))
    expected = (f"{LINE}\n" * 4000).encode()
    assert log_of(server) == expected[:KEPT] + b"later\n"
    assert server.consoles[WEB].dropped == len(expected) - KEPT
    assert len(requests(server)) == -(-KEPT // 1020)
    assert all(len(str(request)) < 2048 for request in requests(server))
    turn(0.2)
    server.change(WEB, dropped=7)
    turn(0.2)
    assert len(requests(server)) == -(-KEPT // 1020)


def test_no_output_is_said_too(daemon, consoled):
    """So that the helper waits for nothing."""
    server = consoled()
    server.change(WEB, early=False)
    wait_until(lambda: early_of(server))
    (request,) = requests(server)
    assert (request["size"], request["offset"], request["dropped"], request["data"]) == (0, 0, 0, "")


def test_binary_output_is_unchanged(daemon, consoled):
    daemon.command("output web \xff\x1b\x01 1")
    server = consoled()
    server.change(WEB, early=False)
    wait_until(lambda: early_of(server))
    assert log_of(server) == "\xff\x1b\x01\n".encode()


def test_each_domain_has_its_own(daemon, consoled):
    """Also where one is broken: its port was bound."""
    daemon.command("output web w 3000")
    daemon.command("output db d 3000")
    server = consoled()
    server.change(WEB, early=False)
    server.add(DB, early=False, state="broken")
    wait_until(lambda: early_of(server) and early_of(server, DB))
    assert (log_of(server), log_of(server, DB)) == (b"w\n" * 3000, b"d\n" * 3000)


def test_nothing_is_sent_where_nothing_is_wanted(daemon, consoled, client):
    """A helper that knows of none, one that has it, a port that is not bound, a domain that a toolstack made."""
    daemon.command(f"output web {LINE} 1")
    daemon.command("domain-add new uuid=00000000-0000-0000-0000-0000000000aa domid=100")
    server = consoled()
    server.add(100, "00000000-0000-0000-0000-0000000000aa", early=False)
    server.add(DB, early=False, state="waiting")
    server.add(CONTROL, early=True)
    wait_console(client, client.path_of("new"))
    turn(0.3)
    assert not requests(server)
    server.change(DB, state="serving")
    wait_until(lambda: requests(server))
    assert domids(server) == {DB}


def test_helper_in_another_domain_gets_that_of_its_domains(other, daemon, consoled):
    daemon.command("output web w 1")
    daemon.command("output db d 1")
    server = consoled()
    other.add(DB, early=False)
    server.change(WEB, early=False)
    wait_until(lambda: early_of(server) and early_of(other, DB))
    assert (log_of(server), log_of(other, DB)) == (b"w\n", b"d\n")
    assert (domids(server), domids(other)) == ({WEB}, {DB})


def test_killed_helper_gets_all_of_it_again(daemon, consoled, peers):
    """It has forgotten the parts that it had."""
    daemon.command(f"output web {LINE} 4000")
    server = consoled()
    seen = []

    def stop_answering(connection, request):
        seen.append(request)
        if request["offset"] < 3000:
            server.answer(connection, request)
    server.overrides["early"] = stop_answering
    server.change(WEB, early=False)
    wait_until(lambda: seen and seen[-1]["offset"] >= 3000)
    server.stop()
    other = consoled()
    other.change(WEB, early=False)
    wait_until(lambda: early_of(other))
    assert log_of(other) == (f"{LINE}\n" * 4000).encode()[:KEPT]


def test_killed_daemon_gives_all_of_it_again(launch, consoled, peers):
    options = ["--session", "--peers", str(peers)]
    daemon = launch(options=options)
    daemon.command(f"output web {LINE} 10")
    server = consoled()
    server.overrides["early"] = lambda connection, request: None
    server.change(WEB, early=False)
    wait_until(lambda: requests(server))
    daemon.process.kill()
    daemon.stop()
    del server.overrides["early"]
    server.change(WEB, state="waiting")
    launch(options=options).command(f"output web {LINE} 10")
    server.change(WEB, state="serving")
    wait_until(lambda: early_of(server))
    assert log_of(server) == f"{LINE}\n".encode() * 10


def test_refusal_is_logged_and_the_next_domain_has_its_turn(daemon, consoled):
    daemon.command("output db d 1")
    server = consoled()

    def refuse_web(connection, request):
        if request["domid"] == WEB:
            server.send(connection, {"id": request["id"], "error": "Failed", "message": "no space"})
        else:
            server.answer(connection, request)
    server.overrides["early"] = refuse_web
    server.change(WEB, early=False)
    server.add(DB, early=False)
    wait_until(lambda: early_of(server, DB))
    assert log_of(server, DB) == b"d\n"
    turn(0.2)
    assert [request["domid"] for request in requests(server)].count(WEB) == 1
    assert "the first output of domain 5 is not in its log: no space" in daemon.text()


def test_xen_without_read_console(daemon, consoled, client):
    daemon.command("fault read-console EPERM 1")
    server = consoled()
    server.change(WEB, early=False)
    server.add(DB, early=False)
    wait_until(lambda: early_of(server, DB))
    assert domids(server) == {DB}
