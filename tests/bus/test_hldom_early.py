# SPDX-License-Identifier: LGPL-2.1-or-later
"""hldom console early: where no hyperlaunchd runs, what guests printed before anybody served them goes to the helper, once."""

import json
import os
import subprocess

import pytest

from conftest import turn, wait_until
from console_support import DB, WEB, consoled, peers

HLDOM = os.environ["HLDOM"]
KEPT = 16384
PARTS = -(-KEPT // 1020)
UUID = "00000000-0000-0000-0000-0000000000aa"
OTHER = "00000000-0000-0000-0000-0000000000bb"


@pytest.fixture
def server(consoled):
    return consoled()


@pytest.fixture
def xen(tmp_path):
    """What Xen has: a file per domain."""
    folder = tmp_path / "xen"
    folder.mkdir()
    (folder / str(WEB)).write_bytes(b"first\n")
    return folder


@pytest.fixture
def early(peers, xen):
    """early(**environment): hldom console early, running."""
    running = []

    def start(**environment):
        # AddressSanitizer wants to be the first library, unless it is told that it is not.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        running.append(subprocess.Popen(
            [HLDOM, "console", "early", "--peers", str(peers)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, LD_PRELOAD=os.environ["HL_PRELOAD"], HL_OUTPUT=str(xen), ASAN_OPTIONS=sanitizer, **environment)))
        return running[-1]
    yield start
    for process in running:
        process.kill()
        process.communicate()


def requests(server):
    return [request for request in server.requests if request["request"] == "early"]


def log_of(server, domid=WEB):
    return bytes(server.consoles[domid].log)


def is_given(server, domid=WEB):
    return lambda: server.consoles[domid].early


def end(process):
    """(exit code, what it reported)"""
    _, said = process.communicate(timeout=30)
    return process.returncode, said.decode()


def test_what_was_printed_before_comes_in_parts(server, early, xen):
    output = bytes(range(256)) * (KEPT // 256)
    (xen / str(WEB)).write_bytes(output)
    (xen / f"{WEB}.dropped").write_text("77")
    server.prints(WEB, b"later\n")
    server.change(WEB, early=False)
    early()
    wait_until(is_given(server))
    assert log_of(server) == output + b"later\n" and server.consoles[WEB].dropped == 77
    assert len(requests(server)) == PARTS


def test_guests_that_come_later_have_it_too(server, early, xen):
    """And each of them once."""
    (xen / str(DB)).write_bytes(b"of db\n")
    process = early()
    server.change(WEB, early=False)
    wait_until(is_given(server))
    server.add(DB, UUID, early=False, state="waiting")
    turn(0.2)
    assert len(requests(server)) == 1
    server.change(DB, state="serving")
    wait_until(is_given(server, DB))
    assert log_of(server, DB) == b"of db\n" and requests(server)[-1]["uuid"] == UUID
    server.change(DB, dropped=1)
    turn(0.2)
    assert len(requests(server)) == 2 and process.poll() is None


def test_domid_that_is_used_again(server, early, xen):
    """Also without an event that the earlier domain is gone."""
    server.add(DB, UUID, early=False)
    process = early()
    turn(0.3)
    assert not requests(server)
    (xen / str(DB)).write_bytes(b"second\n")
    server.change(DB, uuid=OTHER)
    wait_until(is_given(server, DB))
    server.remove(DB)
    (xen / str(DB)).write_bytes(b"third\n")
    server.add(DB, OTHER, early=False)
    wait_until(is_given(server, DB))
    assert log_of(server, DB) == b"third\n" and process.poll() is None


def test_no_output_is_said_too(server, early, xen):
    (xen / str(WEB)).write_bytes(b"")
    server.change(WEB, early=False)
    early()
    wait_until(is_given(server))
    assert [(request["size"], request["data"]) for request in requests(server)] == [(0, "")]


def test_nothing_is_sent_where_nothing_is_wanted(server, early, xen):
    """A helper that knows of none, and one that has it."""
    server.add(DB, UUID, early=True)
    (xen / str(DB)).write_bytes(b"x")
    process = early()
    turn(0.3)
    assert not requests(server) and process.poll() is None


def test_refusals_are_told_and_the_next_has_its_turn(server, early, xen):
    (xen / str(WEB)).write_bytes(b"denied")
    (xen / str(DB)).write_bytes(b"of db\n")
    (xen / "7").write_bytes(b"of 7\n")

    def refuse_db(connection, request):
        if request["domid"] == DB:
            server.send(connection, {"id": request["id"], "error": "Failed", "message": "no \x1b[31mspace"})
        else:
            server.answer(connection, request)
    server.overrides["early"] = refuse_db
    server.change(WEB, early=False)
    server.add(DB, UUID, early=False)
    server.add(7, OTHER, early=False)
    process = early()
    wait_until(is_given(server, 7))
    process.terminate()
    said = end(process)[1]
    assert f"cannot read the first output of domain {WEB}: Operation not permitted" in said
    assert f"the first output of domain {DB} is not in its log: no " in said and "\x1b" not in said


def test_helper_that_ends_ends_it(server, early):
    """Its unit starts it again."""
    process = early()
    server.change(WEB, early=False)
    wait_until(is_given(server))
    server.stop()
    code, said = end(process)
    assert code == 1 and "has ended the connection" in said


def test_without_a_helper(early):
    code, said = end(early())
    assert code == 1 and "hyperlaunch-consoled does not run here" in said


def test_without_xen(server, early):
    code, said = end(early(HL_NO_XEN="1"))
    assert code == 1 and "no Xen" in said


@pytest.mark.parametrize("packet", [{"event": "ready"}, {"event": "console", "domid": WEB}, {"event": 5}, {"event": "gone"},
                                    {"event": "gone", "domid": -1}])
def test_nonsense_ends_it(server, early, packet):
    process = early()
    server.change(WEB, early=False)
    wait_until(is_given(server))
    server.send_raw(json.dumps(packet).encode())
    code, said = end(process)
    assert code == 1 and "gave no valid answer" in said


def test_usage(peers):
    for words in (["web"], ["--follow"]):
        done = subprocess.run([HLDOM, "console", "early", "--peers", str(peers), *words], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "usage:" in done.stderr
