# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlboot without a machine: turns, logs, reports; a program that prints a serial log stands in for QEMU."""
import base64
import gzip
import json
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import threading
import time

import pytest

HLBOOT = pathlib.Path(os.environ["HLBOOT"])
sys.path[:0] = [str(HLBOOT.parent), str(HLBOOT.parents[1] / "qemu"), str(HLBOOT.parents[2] / "tests" / "xen")]

import elf  # noqa: E402
import errors  # noqa: E402
import launch  # noqa: E402
import paths  # noqa: E402
import qemu  # noqa: E402
import report  # noqa: E402
import slots  # noqa: E402
from serial_log import SerialLog  # noqa: E402

USAGE, LAUNCH_FAILED, TIMED_OUT = 2, 3, 4
EXAMPLES = pathlib.Path(os.environ["EXAMPLES"])
NIL = "00000000-0000-0000-0000-000000000000"
LAUNCH = """/dts-v1/;
/ { chosen { hypervisor { compatible = "hypervisor,xen"; dom0 {
    compatible = "xen,domain"; functions = <0x80000000>; memory = "64M";
    kernel { compatible = "module,kernel"; file = "kernel"; };
}; }; }; };
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HL_MACHINES", "1")
    return tmp_path / "cache"


def test_second_waits_for_the_first(cache, capsys):
    first, second = slots.Turn(), slots.Turn()
    first.take("/first.dts", 1)
    threading.Timer(1, first.release).start()
    began = time.monotonic()
    second.take("/second.dts", 30)
    assert 0.9 < time.monotonic() - began < 20
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"/first.dts (process {os.getpid()})" in said
    second.release()


def test_waiting_has_an_end(cache):
    first, second = slots.Turn(), slots.Turn()
    first.take("/first.dts", 1)
    began = time.monotonic()
    with pytest.raises(errors.BootError) as caught:
        second.take("/second.dts", 0.5)
    assert 0.5 <= time.monotonic() - began < 15
    assert caught.value.code == TIMED_OUT
    assert "0.5 s" in str(caught.value) and "/first.dts" in str(caught.value)
    assert "HL_MACHINES" in str(caught.value)
    first.release()
    second.take("/second.dts", 0.5)
    second.release()


def test_room_for_two(cache, monkeypatch):
    monkeypatch.setenv("HL_MACHINES", "2")
    turns = [slots.Turn() for _ in range(3)]
    turns[0].take("/0.dts", 1)
    turns[1].take("/1.dts", 1)
    with pytest.raises(errors.BootError, match=r"/0\.dts.*/1\.dts"):
        turns[2].take("/2.dts", 0.1)
    for taken in turns:
        taken.release()


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "\u0663"])
def test_machines_that_are_no_number(cache, monkeypatch, number):
    monkeypatch.setenv("HL_MACHINES", number)
    with pytest.raises(errors.BootError, match="HL_MACHINES") as caught:
        slots.Turn().take("/launch.dts", 1)
    assert caught.value.code == USAGE


@pytest.fixture
def hlboot(tmp_path, cache):
    """hlboot(ARGS...) of a launch that links; the machine it would start is none, or prints what `qemu` says."""
    (tmp_path / "launch.dts").write_text(LAUNCH)
    for name in ("xen", *IMAGES):
        (tmp_path / name).write_bytes(b"nothing to boot")
    for name in ("kernel", "vmlinuz", "bootdom"):
        (tmp_path / name).write_bytes(elf.kernel({**elf.pv_notes(), **elf.pvh_notes()}))
    (tmp_path / "lcmtool").symlink_to(os.environ["LCMTOOL"])

    def command(*args, qemu=None, source=tmp_path / "launch.dts"):
        env = {**os.environ, "HL_IMAGES": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        if qemu is not None:
            (tmp_path / "serial").write_text(qemu)
            (tmp_path / "qemu").write_text(QEMU.format(python=sys.executable, serial=tmp_path / "serial"))
            (tmp_path / "qemu").chmod(0o755)
            env["HL_QEMU"] = str(tmp_path / "qemu")
        return [HLBOOT, source, "--xen", tmp_path / "xen", *args], env

    def run(*args, **others):
        words, env = command(*args, **others)
        return subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    run.command = command
    return run


IMAGES = ("guest.cpio.gz", "store.cpio.gz", "console.cpio.gz", "control.cpio.gz", "control-ram.cpio.gz", "control.img")
# Prints its serial log where hlboot has the console, and stays; at a socket, it says what is typed there as well.
QEMU = """#!{python}
import re, socket, sys, time
place = next(word for word in sys.argv if "id=console" in word)
said = open("{serial}", "rb").read()
path = re.search("path=([^,]*)", place)[1]
if place.startswith("file"):
    open(path, "wb").write(said)
    time.sleep(60)
console = socket.socket(socket.AF_UNIX)
console.connect(path)
console.sendall(said)
while typed := console.recv(100):
    if b"x" in typed:
        break
    console.sendall(b"<" + typed + b">")
"""


def test_timeout_while_another_machine_runs(hlboot, cache):
    other = slots.Turn()
    other.take("/other.dts", 1)
    began = time.monotonic()
    done = hlboot("--timeout", "1")
    assert time.monotonic() - began < 20
    other.release()
    assert done.returncode == TIMED_OUT, done.stderr
    lines = done.stderr.splitlines()
    assert all(line.startswith("hlboot: ") for line in lines)
    assert "waiting for the turn of: /other.dts" in lines[0]
    assert "timed out after 1 s" in lines[-1] and "/other.dts" in lines[-1]
    assert not list((cache / "boots").glob("*")), "nothing was started"


SERIAL = """\
(XEN) [    1.000] hyperlaunch: module 1: 15 bytes, sha256 {digest}
(XEN) [    1.100] hyperlaunch: d0 "dom0": PV, 1 vCPU, 65536 KiB, permissions 0x3, functions 0x80000000, uuid {nil}
(XEN) [    1.200] hyperlaunch: complete
"""


@pytest.mark.parametrize("line,expected", [
    ("/chosen/hypervisor/web: memory: a domain needs memory [memory-zero]", ("/chosen/hypervisor/web", "memory", "memory-zero")),
    ("/chosen/hypervisor/@1: not a name: 1 to 63 letters [name]", ("/chosen/hypervisor/@1", None, "name")),
    ("/: the launch is described by a hypervisor node and by domains [both-forms] (see /chosen/web)",
     ("/", None, "both-forms")),
])
def test_error_of_the_serial_log(line, expected, tmp_path):
    """A sentence with a colon in it has no property."""
    path = tmp_path / "serial"
    path.write_text(f"(XEN) [    1.000] hyperlaunch: error: {line}\n")
    log = SerialLog(path)
    log.read()
    (error,) = log.errors()
    assert (error["node"], error["property"], error["name"]) == expected


def test_uuid_from_the_serial_log(tmp_path):
    """As hlctl has it: one without is all zero."""
    path = tmp_path / "serial"
    path.write_text(SERIAL.format(digest="0" * 64, nil=NIL))
    log = SerialLog(path)
    log.read()
    log.close()
    told = report.from_serial_log(log, [])
    assert told["domains"][0]["uuid"] == NIL
    assert told["launch"]["state"] == "complete"


@pytest.mark.parametrize("name, runner, reporter, owner", [
    ("classic-dom0", "dom0", None, "dom0"), ("classic-extended", "dom0", None, "dom0"),
    ("classic-basic-cloud", "dom0", None, "dom0"), ("classic-cloud", "dom0", None, "dom0"),
    ("static-basic", "hw", None, "hw"), ("static-standard", "hw", None, "hw"),
    ("static-disaggregated", "hw", None, "console"), ("dynamic-hardware", "control", "control", "control"),
    ("dynamic-flexible", "control", "control", "control"), ("dynamic-full", "control", "control", "console"),
])
def test_domain_that_runs_commands(name, runner, reporter, owner, tmp_path, hlboot, monkeypatch):
    """Never the hardware domain where another has control."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    linked = launch.link(EXAMPLES / name / "launch.dts", [tmp_path], tmp_path / "link")
    assert (linked.runner(), linked.reporter(), linked.console_owner()) == (runner, reporter, owner)
    assert linked.dynamic == (not name.startswith("static"))


@pytest.fixture
def linked(tmp_path, hlboot, monkeypatch):
    """dynamic-full, whose control domain has no port."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return launch.link(EXAMPLES / "dynamic-full" / "launch.dts", [tmp_path], tmp_path / "link")


def bootargs(linked):
    """Those of each kernel in the blob."""
    shown = subprocess.run([os.environ["LCMTOOL"], "show", "--format", "json", linked.lcm],
                           stdout=subprocess.PIPE, text=True, check=True).stdout
    return {domain["name"]: domain["modules"][0]["bootargs"] for domain in json.loads(shown)["domains"]}


def test_commands_are_on_the_command_line_of_the_control_domain(linked):
    before = bootargs(linked)
    linked.ask(["hlctl list", "hlctl status 'x y'"])
    after = bootargs(linked)
    words = after.pop("control").split()
    assert words[:2] == before.pop("control").split() == ["console=hvc0", "quiet"]
    assert [base64.b64decode(word.removeprefix("hl.run=")).decode() for word in words[2:]] == ["hlctl list", "hlctl status 'x y'"]
    assert after == before, "nothing else is changed"


def test_commands_that_do_not_fit_are_refused(linked):
    before = bootargs(linked)
    with pytest.raises(errors.BootError, match="do not fit.*command line") as caught:
        linked.ask(["true"] * 200)
    assert caught.value.code == USAGE and bootargs(linked) == before


def test_run_where_no_domain_runs_it(hlboot, cache):
    done = hlboot("--run", "hlctl list")
    assert done.returncode == USAGE
    assert "--run: no control domain" in done.stderr and "control-ram.cpio.gz" in done.stderr
    assert not list((cache / "boots").glob("*")), "nothing was started"


def test_interactive_without_a_terminal(hlboot, cache):
    done = hlboot("--interactive")
    assert done.returncode == USAGE and "--interactive" in done.stderr and "terminal" in done.stderr
    assert not list((cache / "boots").glob("*")), "nothing was started"


def test_folders_that_were_searched_are_named_once(hlboot, tmp_path):
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        folder.mkdir()
    (own / "launch.dts").write_text(LAUNCH)
    (tmp_path / "kernel").unlink()
    done = hlboot("--modules", own, "--modules", other, "--modules", other, source=own / "launch.dts")
    assert done.returncode == LAUNCH_FAILED
    folders = done.stderr.split("searched:")[1]
    assert [folders.count(f"{folder}\n") for folder in (own, other, tmp_path)] == [1, 1, 1], done.stderr


GAVE_UP = """\
(XEN) [    1.000] hyperlaunch: d1 "dom0": PV, 1 vCPU, 65536 KiB, permissions 0x3, functions 0x80000000, uuid {nil}
(XEN) [    1.100] hyperlaunch: preparing
bootdom: starting db
(d2) READY
(XEN) [    1.200] hyperlaunch: d2: ready
bootdom: bootdom.conf, line 3: no such domain: dc
(XEN) [    1.300] hyperlaunch: error: /chosen/hypervisor/boot: the boot domain reported a failure [boot-failed]
(XEN) [    1.400] hyperlaunch: recovery
crash domain: a shell
(XEN) [    1.500] hyperlaunch: d3: started
(XEN) [    1.100] hyperlaunch: d3 "crash": PVH, 1 vCPU, 65536 KiB, permissions 0, functions 0x2, uuid {nil}
"""


def test_what_the_boot_domain_said(tmp_path):
    path = tmp_path / "serial"
    path.write_text(GAVE_UP.format(nil=NIL))
    log = SerialLog(path)
    log.read()
    log.close()
    assert log.boot_domain_said() == ["bootdom: starting db", "bootdom: bootdom.conf, line 3: no such domain: dc"]


@pytest.mark.parametrize("name", ["classic-cloud", "dynamic-full", "static-standard"])
def test_recovery_tells_what_was_dropped_and_why(name, hlboot, tmp_path):
    done = hlboot("--run", "hlctl list", "--run", "hlctl roles", "--report", tmp_path / "r.json",
                  qemu=GAVE_UP.format(nil=NIL), source=EXAMPLES / name / "launch.dts")
    assert done.returncode == LAUNCH_FAILED, done.stderr
    assert "the boot domain said: bootdom: bootdom.conf, line 3: no such domain: dc" in done.stderr
    runner = {"classic": "dom0", "dynamic": "control", "static": "hw"}[name.split("-")[0]]
    assert f"not run, as {runner} does not run: hlctl list; hlctl roles" in done.stderr
    assert json.loads((tmp_path / "r.json").read_text())["boot_domain_said"][-1].endswith("no such domain: dc")


def told(domid, number, code, text):
    """As dev/images/control/agent prints it."""
    packed = base64.b64encode(gzip.compress(text.encode())).decode()
    lines = [f"data {number} {packed[at:at + 76]}" for at in range(0, len(packed), 76)] + [f"end {number} {code}"]
    return "".join(f"(d{domid}) hl-agent: {line}\n" for line in lines)


LAUNCHED = """\
(XEN) [    1.000] hyperlaunch: d1 "control": PVH, 1 vCPU, 65536 KiB, permissions 0x1, functions 0x40000006, uuid {nil}
(XEN) [    1.000] hyperlaunch: d2 "hw": PV, 1 vCPU, 65536 KiB, permissions 0x2, functions 0x0, uuid {nil}
(XEN) [    1.200] hyperlaunch: complete
"""
REPORT = json.dumps({"state": "complete"}) + json.dumps({"domains": []}) + json.dumps({"modules": []})


def test_commands_run_in_a_control_domain_without_a_port(hlboot):
    said = LAUNCHED.format(nil=NIL) + told(1, 0, 0, REPORT) + told(2, 1, 0, "of another") + told(1, 1, 0, "one\n") + told(1, 2, 7, "two")
    done = hlboot("--run", "first", "--run", "second", qemu=said, source=EXAMPLES / "dynamic-hardware" / "launch.dts")
    assert done.stdout == "# first\none\n# second\ntwo\n"
    assert done.returncode == 1 and "exit code 7 in control: second" in done.stderr
    assert "hlctl has answered in control" in done.stderr


def test_show(hlboot):
    said = SERIAL.format(digest="0" * 64, nil=NIL) + "(d1) READY\n(d1) HL-PART x y\n"
    done = hlboot("--show", qemu=said)
    assert done.returncode == 0, done.stderr
    assert '  d0 "dom0": PV, 1 vCPU' in done.stdout
    assert re.search(r"^  0 +dom0 +built +pv +1 +64M +control,hardware +", done.stdout, re.MULTILINE)
    assert re.search(r"^  d1 +HL-PART x y$", done.stdout, re.MULTILINE)


class OnTerminal:
    """hlboot with a terminal of its own."""

    def __init__(self, words, env):
        self._leader, follower = pty.openpty()
        self.process = subprocess.Popen(words, env=env, stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._leader)

    def until(self, what, seconds=60):
        end = time.monotonic() + seconds
        while what not in self.text:
            assert time.monotonic() < end, self.text
            if select.select([self._leader], [], [], 0.2)[0]:
                self.text += os.read(self._leader, 4096).decode()

    def type(self, text):
        os.write(self._leader, text)


def test_interactive_is_quiet_until_there_is_a_shell(hlboot, cache):
    said = LAUNCHED.format(nil=NIL) + told(1, 0, 0, REPORT) + "hl-console: ready\r\nthe banner\r\n# "
    with OnTerminal(*hlboot.command("--interactive", qemu=said, source=EXAMPLES / "dynamic-hardware" / "launch.dts")) as user:
        user.until("the banner\r\n# ")
        assert "Ctrl-C ends it" in user.text and "Xen has the LCM" in user.text
        assert "(XEN)" not in user.text and "hl-agent" not in user.text and "hl-console" not in user.text
        user.type(b"\x03a")
        user.until("<\x03a>")
        user.type(b"x")
        user.until("the machine has ended")
        assert user.process.wait(20) == 0
    logged, = (cache / "boots").glob("*")
    assert logged.read_bytes() == said.encode() + b"<\x03a>", "all that came, once"


def test_interactive_shows_the_console_of_a_domain_that_runs_no_shell_of_ours(hlboot):
    with OnTerminal(*hlboot.command("--interactive", qemu=GAVE_UP.format(nil=NIL),
                                    source=EXAMPLES / "dynamic-full" / "launch.dts")) as user:
        user.until("the console of console follows")
        assert "the boot domain said" in user.text and "Ctrl-A X" in user.text
        user.type(b"a")
        user.until("<a>")
        user.type(b"x")
        assert user.process.wait(20) == LAUNCH_FAILED


@pytest.fixture
def console_shell(tmp_path):
    """console_shell(COMMAND, has_for): what hlctl is given there, and what is printed."""
    def run(command, has_for=True):
        fake = tmp_path / "hlctl"
        fake.write_text(f"#!/bin/sh\n[ $1 = --help ] && echo '{'--for' if has_for else ''}' || echo given: \"$@\"\n")
        fake.chmod(0o755)
        done = subprocess.run(["bash", "-c", f". {RC}; {command}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HL_NAME": "dom0"}, check=True)
        given = [line.removeprefix("given: ") for line in done.stdout.splitlines() if line.startswith("given: ")]
        return given, done.stdout, done.stderr
    return run


RC = HLBOOT.parents[2] / "dev" / "images" / "control" / "console.bashrc"


def test_handoff_of_the_only_shell_has_an_end(console_shell):
    given, said, warned = console_shell("hlctl --json handoff web")
    assert given == ["--json handoff web --for 60"] and "comes back after 60 s" in warned
    assert "hl-console: ready" in said and "Ctrl-A X ends" in said


@pytest.mark.parametrize("command", ["hlctl handoff web --for 5", "hlctl -t 5 handoff web", "hlctl handoff dom0", "hlctl list"])
def test_what_needs_no_end_is_left_alone(console_shell, command):
    given, _, warned = console_shell(command)
    assert (given, warned) == ([command.removeprefix("hlctl ")], "")


def test_hlctl_without_loans(console_shell):
    assert console_shell("hlctl handoff web", has_for=False)[0] == ["handoff web"]


CLEARS, SETS = bytes.fromhex("81a0742c00007fffffff"), bytes.fromhex("818b742c000080000000")
RACE = b"\x90" * 40 + CLEARS + b"\xc3" + b"\x90" * 80 + SETS + b"\x90" * 40


def test_race_is_taken_out():
    mended = qemu.mend(RACE)
    assert len(mended) == len(RACE)
    assert mended == RACE.replace(CLEARS, qemu.NOTHING)


@pytest.mark.parametrize("binary", [
    b"", b"\x90" * 400,
    RACE.replace(SETS, b""),                                    # another word's bit
    RACE.replace(SETS, SETS.replace(b"\x74", b"\x75")),
    RACE.replace(b"\xc3", b"\x90" * qemu.NEARBY),           # another function's
    RACE + RACE,
], ids=["empty", "without", "alone", "other-word", "far-apart", "twice"])
def test_what_is_not_known_is_left_alone(binary):
    assert qemu.mend(binary) is None


@pytest.fixture
def installed(tmp_path, monkeypatch, cache):
    """What PATH has for QEMU."""
    program = tmp_path / qemu.NAME
    program.write_bytes(RACE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HL_QEMU", raising=False)
    return program


def test_copy_is_made_once_and_finds_its_data(installed, cache):
    path = pathlib.Path(qemu.program_for(2))
    assert path.is_relative_to(cache) and os.access(path, os.X_OK)
    assert path.read_bytes() == qemu.mend(RACE)
    assert (path.parent.parent / "share").resolve() == pathlib.Path("/usr/share").resolve()
    before = path.stat().st_ino
    assert qemu.program_for(2) == str(path) and path.stat().st_ino == before


def test_one_cpu_races_with_nobody(installed):
    assert qemu.program_for(1) == str(installed)


def test_unknown_qemu_is_warned_of(installed, capsys):
    installed.write_bytes(b"another")
    assert qemu.program_for(2) == str(installed)
    assert "--cpus 1 is safe" in capsys.readouterr().err


def test_named_qemu_is_run_as_it_is(installed, monkeypatch):
    monkeypatch.setenv("HL_QEMU", "/opt/qemu")
    assert qemu.program_for(2) == "/opt/qemu"


@pytest.fixture
def logs(tmp_path, monkeypatch):
    """A folder with three logs more than are kept; the first is the oldest."""
    monkeypatch.setenv("HL_LOGS", str(tmp_path))
    for number in range(paths.KEPT_LOGS + 3):
        path = tmp_path / f"{number:04}.log"
        path.touch()
        os.utime(path, (number, number))
    return tmp_path


def test_oldest_logs_make_room(logs):
    assert not os.path.exists(paths.new_log("mine"))
    left = sorted(path.name for path in logs.iterdir())
    assert len(left) == paths.KEPT_LOGS and left[0] == "0003.log"


def test_two_may_make_room_at_once(logs, monkeypatch):
    """A log that is gone before its age is known, and others before they are removed."""
    listed = [*os.listdir(logs), "gone.log"]
    monkeypatch.setattr(os, "listdir", lambda _: listed)
    (logs / "0000.log").unlink()
    unlink = os.unlink

    def unlink_after_the_other(path):
        unlink(path)
        unlink(path)

    monkeypatch.setattr(os, "unlink", unlink_after_the_other)
    paths.new_log("mine")
    monkeypatch.undo()
    assert len(list(logs.iterdir())) == paths.KEPT_LOGS
