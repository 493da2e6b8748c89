# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlboot without a machine: whose turn it is, where logs go, and what a report from the serial log says."""
import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest

HLBOOT = pathlib.Path(os.environ["HLBOOT"])
sys.path.insert(0, str(HLBOOT.parent))

import emulator  # noqa: E402
import errors  # noqa: E402
import paths  # noqa: E402
import report  # noqa: E402
import turn  # noqa: E402
from serial_log import SerialLog  # noqa: E402

USAGE, TIMED_OUT = 2, 4
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
    first, second = turn.Turn(), turn.Turn()
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
    first, second = turn.Turn(), turn.Turn()
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
    turns = [turn.Turn() for _ in range(3)]
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
        turn.Turn().take("/launch.dts", 1)
    assert caught.value.code == USAGE


@pytest.fixture
def hlboot(tmp_path, cache):
    """hlboot(ARGS...) of a launch that links; the machine it would start is none."""
    (tmp_path / "launch.dts").write_text(LAUNCH)
    for name in ("kernel", "xen"):
        (tmp_path / name).write_bytes(b"nothing to boot")

    def run(*args):
        env = {**os.environ, "HL_IMAGES": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        (tmp_path / "lcmtool").unlink(missing_ok=True)
        (tmp_path / "lcmtool").symlink_to(os.environ["LCMTOOL"])
        return subprocess.run([HLBOOT, tmp_path / "launch.dts", "--xen", tmp_path / "xen", *args], env=env,
                              capture_output=True, text=True, timeout=60, check=False)
    return run


def test_timeout_while_another_machine_runs(hlboot, cache):
    other = turn.Turn()
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


CLEARS, SETS = bytes.fromhex("81a0742c00007fffffff"), bytes.fromhex("818b742c000080000000")
RACE = b"\x90" * 40 + CLEARS + b"\xc3" + b"\x90" * 80 + SETS + b"\x90" * 40


def test_race_is_taken_out():
    mended = emulator.mend(RACE)
    assert len(mended) == len(RACE)
    assert mended == RACE.replace(CLEARS, emulator.NOTHING)


@pytest.mark.parametrize("binary", [
    b"", b"\x90" * 400,
    RACE.replace(SETS, b""),                                    # another word's bit
    RACE.replace(SETS, SETS.replace(b"\x74", b"\x75")),
    RACE.replace(b"\xc3", b"\x90" * emulator.NEARBY),           # another function's
    RACE + RACE,
], ids=["empty", "without", "alone", "other-word", "far-apart", "twice"])
def test_what_is_not_known_is_left_alone(binary):
    assert emulator.mend(binary) is None


@pytest.fixture
def installed(tmp_path, monkeypatch, cache):
    """What PATH has for QEMU."""
    program = tmp_path / emulator.NAME
    program.write_bytes(RACE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HL_QEMU", raising=False)
    return program


def test_copy_is_made_once_and_finds_its_data(installed, cache):
    path = pathlib.Path(emulator.qemu(2))
    assert path.is_relative_to(cache) and os.access(path, os.X_OK)
    assert path.read_bytes() == emulator.mend(RACE)
    assert (path.parent.parent / "share").resolve() == pathlib.Path("/usr/share").resolve()
    before = path.stat().st_ino
    assert emulator.qemu(2) == str(path) and path.stat().st_ino == before


def test_one_cpu_races_with_nobody(installed):
    assert emulator.qemu(1) == str(installed)


def test_unknown_qemu_is_warned_of(installed, capsys):
    installed.write_bytes(b"another")
    assert emulator.qemu(2) == str(installed)
    assert "--cpus 1 is safe" in capsys.readouterr().err


def test_named_qemu_is_run_as_it_is(installed, monkeypatch):
    monkeypatch.setenv("HL_QEMU", "/opt/qemu")
    assert emulator.qemu(2) == "/opt/qemu"


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
