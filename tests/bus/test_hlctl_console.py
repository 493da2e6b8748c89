# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlctl console: on a terminal and without one, several clients, the log, and what ends it."""

import json
import os
import pty
import signal
import subprocess
import termios
import time

import pytest

from conftest import IS_ROOT, start_as_nobody, wait_until
from console_support import WEB, attach, consoled, daemon, other, peers, properties, read_until, server, wait_console, web
from hlctl_support import (DENIED, FAILED, HLCTL, NOT_FOUND, OK, UNSUPPORTED, USAGE, hlctl, public_hlctl, run_on_terminal, scripts)

LEAVE = b"\x1d"


class Session:
    """hlctl console with a terminal as its standard input and output."""

    def __init__(self, address, *args, stdout=None, **kwargs):
        self.leader, self.follower = pty.openpty()
        self.before = termios.tcgetattr(self.follower)
        self.process = subprocess.Popen([HLCTL, "--address", address, "console", *args], stdin=self.follower,
                                        stdout=stdout or self.follower, stderr=subprocess.PIPE, start_new_session=True, **kwargs)
        self.errors = None

    def raw(self):
        return not termios.tcgetattr(self.follower)[3] & termios.ICANON

    def type(self, keys):
        os.write(self.leader, keys)

    def end(self, code=OK):
        """What it said on standard error; the terminal is as it was."""
        self.errors = self.process.stderr.read().decode()
        assert self.process.wait(20) == code, self.errors
        assert termios.tcgetattr(self.follower) == self.before
        os.close(self.leader)
        os.close(self.follower)
        return self.errors


@pytest.fixture
def session(bus_address, client):
    """session(ARGS...): attached to the domain web."""
    started = []

    def start(*args, attached=1, path=None, **kwargs):
        started.append(Session(bus_address, *args, "web", **kwargs))
        wait_until(lambda: properties(client, client.path_of("web"))["Attached"] == attached, what="the client")
        wait_until(started[-1].raw)
        return started[-1]
    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def test_terminal(web, session):
    """Bytes pass as they are, in both directions; the terminal is raw meanwhile, and as it was after that."""
    server, _ = web
    terminal = session()
    server.prints(WEB, b"\x1b[31mlogin:\x1b[0m\x00\xff\r\n")
    assert read_until(terminal.leader, b"\r\n") == b"\x1b[31mlogin:\x1b[0m\x00\xff\r\n"
    terminal.type(b"root\r\x03\x1a\x04\x13")
    wait_until(lambda: server.typed(WEB) == b"root\r\x03\x1a\x04\x13")
    terminal.process.send_signal(signal.SIGWINCH)
    terminal.type(b"last" + LEAVE + b"lost")
    errors = terminal.end()
    assert "this is the console of domain 5 (web); ^] leaves it" in errors and "left the console" in errors
    wait_until(lambda: server.typed(WEB).endswith(b"\x13last"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_signal_leaves_the_terminal_as_it_was(web, session, number):
    terminal = session("--quiet")
    terminal.process.send_signal(number)
    assert terminal.end() == ""


def test_stop_and_continue(web, session):
    """A shell that takes the terminal back has changed it."""
    server, _ = web
    terminal = session()
    terminal.process.send_signal(signal.SIGSTOP)
    termios.tcsetattr(terminal.follower, termios.TCSANOW, terminal.before)
    terminal.process.send_signal(signal.SIGCONT)
    wait_until(terminal.raw)
    terminal.type(b"x" + LEAVE)
    terminal.end()
    wait_until(lambda: server.typed(WEB) == b"x")


def size_of(server, number=0):
    """Of a client's terminal, as the back end has it: rows and columns."""
    return server.do(lambda: termios.tcgetwinsize(server.consoles[WEB].clients[number].leader))


def test_resize(web, session):
    """The back end's terminal gets the size of ours; a read-only client changes nothing."""
    server, _ = web
    terminal = session()
    termios.tcsetwinsize(terminal.leader, (40, 100))
    # No shell has made it the controlling terminal, which would send this.
    terminal.process.send_signal(signal.SIGWINCH)
    wait_until(lambda: size_of(server) == (40, 100))
    reader = session("--read-only", attached=2)
    termios.tcsetwinsize(reader.leader, (50, 132))
    reader.process.send_signal(signal.SIGWINCH)
    reader.type(LEAVE)
    reader.end()
    assert size_of(server) == (40, 100)
    terminal.type(LEAVE)
    terminal.end()


@pytest.mark.parametrize("option,key,name", [("^A", b"\x01", "^A"), ("~", b"~", "~"), ("^?", b"\x7f", "^?")])
def test_other_escape(web, session, option, key, name):
    server, _ = web
    terminal = session("--escape", option)
    terminal.type(LEAVE + b"a")
    wait_until(lambda: server.typed(WEB) == LEAVE + b"a")
    terminal.type(key)
    assert f"{name} leaves it" in terminal.end()


def test_no_escape(web, session):
    server, _ = web
    terminal = session("--escape", "none")
    terminal.type(LEAVE)
    wait_until(lambda: server.typed(WEB) == LEAVE)
    terminal.process.terminate()
    assert "a signal ends it" in terminal.end()


def test_several_clients(web, session):
    """The second one reads, and types once the first has left."""
    server, _ = web
    first = session()
    second = session(attached=2)
    third = session("--read-only", attached=3)
    server.prints(WEB, b"all")
    for one in (first, second, third):
        assert read_until(one.leader, b"all") == b"all"
    for one in (third, second, first):
        one.type(b"%d" % one.process.pid)
    wait_until(lambda: server.typed(WEB) == b"%d" % first.process.pid)
    first.type(LEAVE)
    assert "another client" not in first.end()
    wait_until(lambda: server.do(lambda: len(server.consoles[WEB].clients)) == 2)
    second.type(b"now")
    wait_until(lambda: server.typed(WEB).endswith(b"now"))
    for one in (second, third):
        one.type(LEAVE)
    assert "another client types here" in second.end()
    assert "another client" not in third.end()


def test_exclusive(web, client, hlctl):
    _, path = web
    terminal, _ = attach(client, path)
    assert "another client may type" in hlctl("console", "--exclusive", "web", code=FAILED, stdin=subprocess.DEVNULL)
    os.close(terminal)


def run(address, *args, **kwargs):
    """Without a terminal."""
    kwargs = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **kwargs}
    return subprocess.Popen([HLCTL, "--address", address, "console", *args], **kwargs)


def test_without_a_terminal(web, bus_address, client):
    """Its input is typed, the escape character too, and its end ends nothing."""
    server, path = web
    process = run(bus_address, "web")
    data = b"".join(b"%07d" % i for i in range(150000)) + LEAVE
    process.stdin.write(data)
    process.stdin.close()
    wait_until(lambda: len(server.typed(WEB)) == len(data))
    assert server.typed(WEB) == data
    server.prints(WEB, b"still there")
    assert read_until(process.stdout.fileno(), b"there") == b"still there"
    process.terminate()
    assert (process.wait(20), process.stderr.read()) == (OK, b"")
    wait_until(lambda: properties(client, path)["Attached"] == 0)


def test_read_only_without_a_terminal(web, bus_address):
    server, _ = web
    process = run(bus_address, "--read-only", "--replay", "5", "web", stdin=subprocess.DEVNULL)
    wait_until(lambda: server.do(lambda: server.consoles[WEB].clients))
    assert server.requests[-1]["read-only"] and server.requests[-1]["replay"] == 5
    server.prints(WEB, b"text")
    assert read_until(process.stdout.fileno(), b"text")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == OK


@pytest.mark.parametrize("args", [[], ["--log", "--follow"]])
def test_nobody_reads_the_output(web, bus_address, args):
    """As in hlctl console web | head: it ends, though the domain prints nothing."""
    server, path = web
    process = run(bus_address, *args, "web", stdin=subprocess.DEVNULL)
    wait_until(lambda: server.do(lambda: server.consoles[WEB].clients + server.consoles[WEB].readers))
    process.stdout.close()
    assert (process.wait(20), process.stderr.read()) == (OK, b"")


def test_output_that_cannot_be_written(web, bus_address):
    server, _ = web
    with open("/dev/full", "wb") as full:
        process = run(bus_address, "web", stdin=subprocess.DEVNULL, stdout=full)
    wait_until(lambda: server.do(lambda: server.consoles[WEB].clients))
    server.prints(WEB, b"text")
    assert process.wait(20) == FAILED
    assert b"No space left" in process.stderr.read()


@pytest.mark.parametrize("how", ["console", "back end"])
def test_other_side_ends(web, session, how):
    """Of a back end it is waited whether it comes back."""
    server, _ = web
    terminal = session()
    server.prints(WEB, b"last words")
    assert read_until(terminal.leader, b"words")
    if how == "console":
        server.remove(WEB)
    else:
        server.stop()
    assert "the console of domain 5 (web) has ended" in terminal.end()


def test_it_goes_on_at_the_next_back_end(other, web, session, hlctl):
    """Which says nothing again that was printed before, and takes what is typed."""
    server, _ = web
    wait_until(lambda: other.do(lambda: len(other.connections)))
    server.prints(WEB, b"early words")
    terminal = session("--replay", "100")
    assert read_until(terminal.leader, b"words")
    hlctl("handoff", "--console", "web", "console")
    other.prints(WEB, b"between")
    server.remove(WEB)
    wait_until(lambda: other.consoles[WEB].clients)
    wait_until(terminal.raw)
    other.prints(WEB, b"later words")
    assert read_until(terminal.leader, b"words") == b"later words"
    terminal.type(b"ls\r")
    wait_until(lambda: other.typed(WEB) == b"ls\r")
    terminal.type(LEAVE)
    assert terminal.end().count("this is the console of domain 5 (web)") == 2


def test_it_goes_on_at_a_back_end_that_was_restarted(consoled, web, session):
    server, _ = web
    terminal = session()
    server.stop()
    after = consoled()
    wait_until(lambda: after.consoles[WEB].clients)
    after.prints(WEB, b"later words")
    assert read_until(terminal.leader, b"words") == b"later words"
    terminal.type(LEAVE)
    terminal.end()


def test_console_that_does_not_read(web, session):
    """One can leave it all the same."""
    server, _ = web
    terminal = session()
    server.do(lambda: server.selector.unregister(server.consoles[WEB].clients[0].leader))
    for _ in range(40):
        terminal.type(b"x" * 1000)
        time.sleep(0.005)
    terminal.type(LEAVE)
    server.do(lambda: server.consoles[WEB].clients.clear())
    terminal.end()


# The log.

LOG = b"boot\r\n\x1b[31mred\x1b[0m\tone\x00\n\xe6\x97\xa5 \xff \xc2\x9b2J\r\nend"


def test_log(web, bus_address, hlctl):
    """Bytes as they are."""
    server, _ = web
    server.prints(WEB, LOG + b"x" * 300000)
    process = run(bus_address, "--log", "web", stdin=subprocess.DEVNULL)
    assert process.communicate(timeout=20) == (LOG + b"x" * 300000, b"")
    assert process.returncode == OK


OLD = "00000000-0000-0000-0000-0000000000aa"


def test_log_of_a_domain_that_is_gone(web, daemon, client, hlctl):
    """By UUID; by name where the launch has it; Attach is not possible."""
    server, _ = web
    server.add(100, OLD)
    server.prints(100, b"last words\n")
    server.remove(100)
    assert hlctl("console", "--log", OLD, code=OK) == "last words\n"
    assert f"there is no domain '{OLD}'" in hlctl("console", OLD, code=NOT_FOUND)
    message = hlctl("console", "--log", OLD.replace("a", "b"), code=NOT_FOUND)
    assert "no domain with that uuid has a log" in message
    uuid = str(client.domain("web")["UUID"])
    server.change(WEB, uuid=uuid)
    server.prints(WEB, b"of web\n")
    server.remove(WEB)
    daemon.command("domain-remove web")
    wait_until(lambda: client.domain("web")["State"] in ("reclaimed", "failed"))
    for name in ("web", uuid):
        assert hlctl("console", "--log", name, code=OK) == "of web\n"
    assert "does not exist now" in hlctl("console", "web", code=NOT_FOUND)


def test_log_on_a_terminal(web, bus_address):
    """Nothing in it acts on the terminal."""
    server, _ = web
    server.prints(WEB, LOG)
    shown = run_on_terminal([HLCTL, "--address", bus_address, "--no-pager", "console", "--log", "web"])
    assert shown == "boot\r\n?[31mred?[0m\tone?\r\n日 ? ?2J\r\nend"


def test_log_in_a_pager(web, bus_address):
    server, _ = web
    server.prints(WEB, LOG)
    shown = run_on_terminal([HLCTL, "--address", bus_address, "console", "--log", "web"],
                            env={**os.environ, "PAGER": "sed s/^/>/", "TERM": "vt100"})
    assert shown == ">boot\r\n>?[31mred?[0m\tone?\r\n>日 ? ?2J\r\n>end"


def test_log_that_is_followed_on_a_terminal(web, bus_address, client):
    """What is cut in the middle of a character is put together."""
    server, _ = web
    leader, follower = pty.openpty()
    process = subprocess.Popen([HLCTL, "--address", bus_address, "console", "--log", "--follow", "web"], stdout=follower,
                               stdin=subprocess.DEVNULL)
    os.close(follower)
    wait_until(lambda: server.do(lambda: server.consoles[WEB].readers))
    for part, shown in ((b"a\xe6\x97", b"a"), (b"\xa5\r", "日".encode()), (b"\nb", b"\r\nb"), (b"\r\r\n", b"?\r\n")):
        server.prints(WEB, part)
        assert read_until(leader, shown) == shown
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == OK
    os.close(leader)


def test_log_that_is_followed_ends_with_the_console(web, bus_address):
    server, _ = web
    process = run(bus_address, "--log", "-F", "web", stdin=subprocess.DEVNULL)
    server.prints(WEB, b"one\n")
    assert read_until(process.stdout.fileno(), b"one\n")
    server.remove(WEB)
    assert process.wait(20) == OK


# Usage errors.

@pytest.mark.parametrize("args,said", [
    (["--follow", "web"], "--follow is for --log"), (["--log", "--read-only", "web"], "with --log there is no"),
    (["--log", "--escape", "none", "web"], "with --log there is no"), (["--read-only", "--exclusive", "web"], "exclude each other"),
    (["--replay", "65537", "web"], "0 to 65536"), (["--replay", "-1", "web"], "0 to 65536"), (["--replay", "", "web"], "0 to 65536"),
    (["--escape", "^", "web"], None), (["--escape", "^a", "web"], "no escape character"), (["--escape", "ab", "web"], "no escape"),
    (["--escape", "", "web"], "no escape"), (["--escape", "^@", "web"], "no escape"), (["--escape", "\x01", "web"], "no escape"),
    (["--json", "web"], "no JSON"), ([], "which domain"), (["web", "db"], "unexpected argument"), (["--role", "boot", "web"], "does not take")])
def test_usage(bus_address, web, hlctl, session, args, said):
    if said is None:        # a printable character
        terminal = session(*args[:-1])
        terminal.type(b"^")
        terminal.end()
    else:
        assert said in hlctl("console", *args, code=USAGE)


def test_other_verbs_take_no_options_of_it(daemon, hlctl):
    for option in (["--log"], ["--read-only"], ["--exclusive"], ["--replay", "1"], ["--escape", "none"]):
        assert f"list does not take {option[0]}" in hlctl("list", *option, code=USAGE)


def test_errors(web, hlctl):
    assert "has no console that is served here" in hlctl("console", "db", code=UNSUPPORTED)
    assert "has no console that is served here" in hlctl("console", "--log", "db", code=UNSUPPORTED)
    assert "there is no domain 'nosuch'" in hlctl("console", "nosuch", code=NOT_FOUND)
    assert "it is reclaimed" in hlctl("console", "boot", code=NOT_FOUND)


def test_another_host(web, bus_address, scripts):
    """Whose bus can be reached; descriptors do not come from there."""
    server, _ = web
    path = scripts("ssh", '#!/bin/sh\nexec systemd-stdio-bridge --bus-path="$HL_TEST_BUS"\n')
    done = subprocess.run([HLCTL, "--host", "other", "console", "web"], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "PATH": path, "HL_TEST_BUS": bus_address})
    assert done.returncode == UNSUPPORTED and "run hlctl console there" in done.stderr
    assert not server.requests


@pytest.mark.skipif(not IS_ROOT, reason="needs a second user")
@pytest.mark.parametrize("args", [[], ["--log"]])
def test_denied(launch, server, peers, client, bus_address, public_hlctl, args):
    launch(options=["--peers", str(peers)])
    wait_console(client, client.path_of("web"))
    process = start_as_nobody([*public_hlctl, "--address", bus_address, "console", *args, "web"])
    _, errors = process.communicate(timeout=60)
    assert process.returncode == DENIED, errors
    assert not server.requests


def test_show_and_monitor(web, bus_address, hlctl):
    """State of the console is another one than that of the domain."""
    server, _ = web
    assert hlctl("show", "-P", "State", "web") == "started\n"
    assert hlctl("show", "-P", "Console.State,Console.Attached", "web") == "serving\n0\n"
    assert "Console." not in hlctl("show", "db")
    process = subprocess.Popen([HLCTL, "--address", bus_address, "monitor"], stdout=subprocess.PIPE, text=True)
    assert "monitoring" in process.stdout.readline()
    server.change(WEB, state="broken")
    assert "Console.State" in process.stdout.readline()
    process.terminate()
    process.wait()


# hlctl handoff --console

def test_handoff_there_and_back(other, web, client, hlctl):
    _, path = web
    wait_until(lambda: other.do(lambda: len(other.connections)))
    assert hlctl("handoff", "--console", "web", "console") == "The console of domain 5 (web) is served by domain 4 now.\n"
    assert properties(client, path)["Owner"] == client.path_of("console")
    done = json.loads(hlctl("--json", "handoff", "--console", "5", "control"))
    assert done == {"domid": 5, "name": "web", "old": 4, "new": 2, "backend": "consoled"}
    assert hlctl("handoff", "-q", "--console", "web", "console") == ""


def test_handoff_to_xenconsoled(web, client, hlctl):
    server, path = web
    server.xenconsoled = "/dev/pts/9"
    assert hlctl("handoff", "--console", "web", "xenconsoled") == "The console of domain 5 (web) is served by xenconsoled now.\n"
    assert properties(client, path)["Backend"] == "xenconsoled"


@pytest.mark.parametrize("args, code, said", [
    (["--console", "web"], USAGE, "to which domain, or xenconsoled?"),
    (["--console"], USAGE, "which domain?"),
    (["--console", "web", "console", "db"], USAGE, "unexpected argument 'db'"),
    (["web", "console"], USAGE, "unexpected argument 'console'"),
    (["--console", "--for", "5", "web", "console"], USAGE, "--console and --for exclude each other"),
    (["--console", "nobody", "console"], NOT_FOUND, "nobody"),
    (["--console", "web", "nobody"], NOT_FOUND, "nobody"),
    (["--console", "web", "db"], UNSUPPORTED, "no back end of consoles runs in domain 6"),
    (["--console", "db", "control"], UNSUPPORTED, "has no console"),
    (["--console", "web", "control"], FAILED, "domain 2 serves it already"),
])
def test_handoff_that_cannot_be(web, hlctl, args, code, said):
    assert said in hlctl("handoff", *args, code=code)
