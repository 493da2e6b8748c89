# SPDX-License-Identifier: LGPL-2.1-or-later
"""hldom console list, attach and log: the consoles of guests where no hyperlaunchd runs, from the helper itself."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import termios
import threading

import pytest

from conftest import wait_until
from console_support import DB, WEB, consoled, peers, read_until

HLDOM = os.environ["HLDOM"]
OK, FAILED, USAGE = 0, 1, 2
LEAVE = b"\x1d"
UUID = "00000000-0000-0000-0000-0000000000aa"
OTHER = "00000000-0000-0000-0000-0000000000bb"


@pytest.fixture
def hldom(peers):
    """hldom(ACTION, ARGS..., code=0): its output, or what it reports, as bytes."""
    def run(action, *args, code=OK, **kwargs):
        done = subprocess.run([HLDOM, "console", action, "--peers", str(peers), *args], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60, check=False, **kwargs)
        assert done.returncode == code, done.stderr
        if code == OK:
            return done.stdout
        assert not done.stdout
        return done.stderr.decode()
    return run


@pytest.fixture
def server(consoled):
    return consoled()


class Session:
    """hldom console attach, with a terminal as its standard input and output."""

    def __init__(self, peers, *args, **kwargs):
        self.leader, self.follower = pty.openpty()
        self.before = termios.tcgetattr(self.follower)
        self.process = subprocess.Popen([HLDOM, "console", "attach", "--peers", str(peers), *args], stdin=self.follower,
                                        stdout=self.follower, stderr=subprocess.PIPE, start_new_session=True, **kwargs)

    def raw(self):
        return not termios.tcgetattr(self.follower)[3] & termios.ICANON

    def end(self, code=OK):
        """What it reported; the terminal is as it was."""
        errors = self.process.stderr.read().decode()
        assert self.process.wait(20) == code, errors
        assert termios.tcgetattr(self.follower) == self.before
        os.close(self.leader)
        os.close(self.follower)
        return errors


@pytest.fixture
def session(peers):
    """session(ARGS...): attached, on a terminal that is raw."""
    started = []

    def start(*args):
        started.append(Session(peers, *args))
        wait_until(started[-1].raw)
        return started[-1]
    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


# list

def test_list(server, hldom):
    server.add(DB, UUID)
    server.change(DB, state="broken", dropped=77)
    lines = hldom("list").decode().splitlines()
    assert lines[0].split() == ["DOMID", "NAME", "STATE", "ATTACHED", "DROPPED", "UUID"]
    assert [line.split() for line in lines[1:]] == [[str(WEB), "-", "serving", "0", "0", "-"], [str(DB), "-", "broken", "0", "77", UUID]]


def test_list_without_consoles(server, hldom):
    server.remove(WEB)
    assert len(hldom("list").splitlines()) == 1


def test_hostile_text_is_shown_harmlessly(server, hldom):
    server.change(WEB, state="\x1b[31mred", uuid="\x1b]0;x\x07")
    assert b"\x1b" not in hldom("list") and b"\x07" not in hldom("list")


# attach

def test_attach_types_and_leaves(server, session):
    one = session(str(WEB))
    wait_until(lambda: server.consoles[WEB].clients)
    os.write(one.leader, b"ls\r")
    wait_until(lambda: server.typed(WEB) == b"ls\r")
    server.prints(WEB, b"file\r\n\x1b[0m")
    assert read_until(one.leader, b"file\r\n\x1b[0m")
    os.write(one.leader, LEAVE)
    assert "this is the console of domain 5; ^] leaves it" in one.end()
    wait_until(lambda: not server.consoles[WEB].clients)


@pytest.mark.parametrize("name", [UUID, UUID.upper()])
def test_attach_by_uuid(server, session, name):
    server.add(DB, UUID)
    one = session(name)
    wait_until(lambda: server.consoles[DB].clients)
    assert server.requests[-1]["uuid"] == UUID
    os.write(one.leader, LEAVE)
    one.end()


def test_replay_and_another_escape_character(server, session):
    server.prints(WEB, b"0123456789")
    one = session("--replay", "4", "--escape", "~", str(WEB))
    assert read_until(one.leader, b"6789") == b"6789"
    os.write(one.leader, LEAVE)
    wait_until(lambda: server.typed(WEB) == LEAVE)
    os.write(one.leader, b"~")
    one.end()


def test_second_client_and_readers(server, session, hldom):
    first = session("--exclusive", str(WEB))
    second = session("--read-only", str(WEB))
    os.write(second.leader, b"x")
    server.prints(WEB, b"shown")
    assert read_until(second.leader, b"shown")
    assert not server.typed(WEB)
    assert "another client may type" in hldom("attach", "--exclusive", str(WEB), code=FAILED)
    third = session(str(WEB))
    os.write(third.leader, LEAVE)
    assert "another client types here" in third.end()
    os.write(first.leader, LEAVE)
    first.end()
    second.process.send_signal(signal.SIGTERM)
    second.end()


def test_end_of_the_console_ends_it(server, session):
    one = session(str(WEB))
    wait_until(lambda: server.consoles[WEB].clients)
    server.remove(WEB)
    assert "the console of domain 5 has ended" in one.end()


def test_input_from_a_pipe(server, peers):
    process = subprocess.Popen([HLDOM, "console", "attach", "--peers", str(peers), str(WEB)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    process.stdin.write(b"uptime\n")
    process.stdin.close()
    wait_until(lambda: server.typed(WEB) == b"uptime\n")
    server.prints(WEB, b"up 3 days\n")
    assert process.stdout.readline() == b"up 3 days\n"
    process.terminate()
    assert process.wait(20) == OK


# log

def test_log(server, hldom):
    """Bytes as they are, where no terminal is."""
    server.prints(WEB, b"one\n\x1b[2J\x00\xff" + b"x" * 200000)
    assert hldom("log", str(WEB)) == b"one\n\x1b[2J\x00\xff" + b"x" * 200000


def test_log_on_a_terminal(server, peers):
    server.prints(WEB, b"one\r\n\x1b[2Jtwo\n")
    leader, follower = pty.openpty()
    process = subprocess.Popen([HLDOM, "console", "log", "--peers", str(peers), str(WEB)], stdout=follower)
    assert process.wait(20) == OK
    assert read_until(leader, b"two\r\n") == b"one\r\n?[2Jtwo\r\n"
    os.close(leader)
    os.close(follower)


def test_log_that_is_followed(server, peers):
    server.prints(WEB, b"one\n")
    process = subprocess.Popen([HLDOM, "console", "log", "-F", "--peers", str(peers), str(WEB)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"one\n"
    server.prints(WEB, b"two\n")
    assert process.stdout.readline() == b"two\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == OK


def test_log_of_a_domain_that_is_gone(server, hldom):
    server.add(DB, UUID)
    server.prints(DB, b"last words\n")
    server.remove(DB)
    assert hldom("log", UUID) == b"last words\n"
    assert "no domain with that uuid has a log" in hldom("log", OTHER, code=FAILED)
    assert f"no domain '{UUID}' has a console here" in hldom("attach", UUID, code=FAILED)


# Programs have these names, too.

@pytest.mark.parametrize("args,says", [
    ((), "usage"), (("--",), "usage"), (("attach",), "usage"), (("log",), "usage"), (("list", "x"), "usage"),
    (("attach", "5", "6"), "usage"), (("attach", "--read-only", "--exclusive", "5"), "usage"), (("attach", "--replay", "65537", "5"), "usage"),
    (("attach", "--replay", "-1", "5"), "usage"), (("attach", "--escape", "ab", "5"), "usage"), (("attach", "--follow", "5"), "usage"),
    (("log", "--read-only", "5"), "usage"), (("list", "--follow"), "usage"), (("log", "--nosuch", "5"), "usage"),
])
def test_usage_errors(args, says):
    done = subprocess.run([HLDOM, "console", *args], capture_output=True, text=True, check=False)
    assert done.returncode == USAGE and says in done.stderr


@pytest.mark.parametrize("args", [("--", "list"), ("./list",), ("list-something",)])
def test_other_words_are_programs(args, tmp_path):
    """They get as far as to Xen, which is not there."""
    if os.path.exists("/dev/xen/evtchn"):
        pytest.skip("runs on Xen")
    done = subprocess.run([HLDOM, "console", *args], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == FAILED
    assert re.search(r"^hldom: console: .+\n$", done.stderr, re.MULTILINE) and "consoled" not in done.stderr


# A helper that is not there, or wrong.

def test_unknown_domain(server, hldom):
    for name in ("6", "web", "", "05"):
        assert f"no domain '{name}' has a console here" in hldom("attach", name, code=FAILED)


def test_no_helper(hldom):
    assert "hyperlaunch-consoled does not run here" in hldom("list", code=FAILED)


HELLO = b'{"hello":"console","version":1,"domid":2}'
READY = b'{"event":"ready"}'
CONSOLE = b'{"event":"console","domid":5,"uuid":"","state":"serving","tty":"","attached":0,"writer":false,"dropped":0}'


@pytest.mark.parametrize("packets,says", [
    ([], "ended the connection"),
    ([b"{"], "no valid answer"),
    ([b'{"hello":"pci","version":1,"domid":2}'], "no valid answer"),
    ([b'{"hello":"console","version":2,"domid":2}'], "no valid answer"),
    ([READY], "no valid answer"),
    ([HELLO, b'{"event":7}'], "no valid answer"),
    ([HELLO, CONSOLE.replace(b"5", b"-5", 1)], "no valid answer"),
    ([HELLO, CONSOLE.replace(b'"uuid":""', b'"uuid":7')], "no valid answer"),
    ([HELLO, CONSOLE.replace(b'"uuid":""', b'"uuid":"' + b"x" * 37 + b'"')], "no valid answer"),
    ([HELLO, b"x" * 2049], "no valid answer"),
    ([HELLO, CONSOLE, READY], "ended the connection"),
    ([HELLO, CONSOLE, READY, b'{"id":"other","result":{}}'], "no valid answer"),
    ([HELLO, CONSOLE, READY, b'{"id":"ID","result":[]}'], "no valid answer"),
    ([HELLO, CONSOLE, READY, b'{"id":"ID","result":{"writer":true}}'], "no valid answer"),
    ([HELLO, CONSOLE, READY, b'{"id":"ID","error":"Busy","message":"\\u001b[2J"}'], "?[2J"),
])
def test_helper_that_breaks_the_rules(peers, hldom, packets, says):
    """Each ends with a sentence.  Events between are passed over."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(peers / "console"))
        listener.listen()

        def serve():
            connection = listener.accept()[0]
            number = b""
            for packet in packets:
                connection.send(packet.replace(b"ID", number))
                if packet == READY and len(packets) > 1:
                    number = json.loads(connection.recv(2048))["id"].encode()
                    connection.send(b'{"event":"gone","domid":9}')
            connection.close()
        thread = threading.Thread(target=serve)
        thread.start()
        message = hldom("attach", "5", code=FAILED)
        thread.join(20)
    assert says in message and message.count("\n") == 1
