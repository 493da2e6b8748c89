# SPDX-License-Identifier: LGPL-2.1-or-later
"""One QEMU machine with Xen in it: started, watched, ended."""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time

from agent import Agent
from errors import TIMED_OUT, BootError
from serial_log import SerialLog
from slots import Turn
from terminal import Terminal

sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "qemu"))

import qemu  # noqa: E402  (found by the line above)

XEN_ARGS = ("com1=115200,8n1", "console=com1", "loglvl=all", "guest_loglvl=all",
            "console_timestamps=boot", "bootscrub=0")
POLL_SECONDS = 0.1
# Typed where a machine does not do what is waited for: to Xen, and its keys for dom0's registers, all vCPUs, event
# channels and interrupts.  Of two that come at once Xen answers the second.
QUESTIONS, ANSWER_SECONDS = (b"\x01\x01\x01", b"0", b"q", b"e", b"i"), 1
# invtsc: the time stamp counter runs at one rate, as on real processors.  Without that flag, which TCG has to be forced
# to offer, Xen traps each read of it by a guest, and a boot takes twice as long.
CPU = "qemu64,+svm,+npt,+rdrand,+invtsc,x-force-features=on"
# What is deterministic about --icount: one CPU, time by instructions, one date.
ICOUNT = ("-icount", "shift=1,sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm")


class Machine:
    """A context manager; QEMU never outlives it, nor this process."""

    def __init__(self, log_path, disk=None, cpus=2, icount=False, extra=(), interactive=False):
        self.log = SerialLog(log_path)
        self._disk, self._cpus, self._icount = disk, cpus, icount
        self.ram = 3 << 30
        self._extra, self._interactive = list(extra), interactive
        self._process = None
        self._turn = Turn()
        self.agent = self.terminal = None
        self.folder = tempfile.mkdtemp(prefix="hlboot.", dir="/tmp")
        self.started = None
        self._keyboard = None if interactive else self._open_keyboard()

    def _open_keyboard(self):
        path = os.path.join(self.folder, "keyboard")
        os.mkfifo(path)
        # QEMU's end opens only where there is another one.
        return os.open(path, os.O_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def _command(self, medium):
        cpus = 1 if self._icount else self._cpus
        command = ["setpriv", "--pdeathsig", "KILL", qemu.program_for(cpus),
                   "-accel", "tcg", "-cpu", CPU, "-M", "q35", "-device", "amd-iommu",
                   "-m", f"{self.ram >> 20}M", "-smp", str(cpus),
                   "-nodefaults", "-display", "none", "-no-reboot"]
        if self._icount:
            command += ICOUNT
        if self._interactive:
            # mux: Ctrl-A X is QEMU's own then, and ends it.
            command += ["-chardev", f"socket,id=console,path={self.folder}/console,mux=on",
                        "-mon", "chardev=console"]
        else:
            command += ["-chardev", f"file,id=console,path={self.log.path},input-path={self.folder}/keyboard"]
        command += ["-serial", "chardev:console",
                    "-chardev", f"socket,id=agent,path={self.folder}/agent", "-serial", "chardev:agent"]
        if self._disk:
            # snapshot=on: writes go to an overlay that is gone with QEMU.
            command += ["-drive", f"file={self._disk},if=none,id=root,format=raw,snapshot=on",
                        "-device", "nvme,drive=root,serial=root"]
        return command + medium + self._extra

    def start(self, medium, name, patience):
        """Starts QEMU; `medium` are its arguments that say what to boot.

        name: what other machines are told that they wait for.  patience: seconds to wait for them.
        """
        if not self._interactive:
            self._turn.take(name, patience)
        self.agent = Agent(os.path.join(self.folder, "agent"))
        os.makedirs(os.path.dirname(os.path.abspath(self.log.path)), exist_ok=True)
        # What an earlier boot left there would be taken for this one's.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.log.path)
        if self._interactive:
            self.terminal = Terminal(os.path.join(self.folder, "console"), self.log.path)
        self.started = time.monotonic()
        self._process = subprocess.Popen(self._command(medium), stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def elapsed(self):
        """Seconds since QEMU's start."""
        return time.monotonic() - self.started

    def running(self):
        """Whether QEMU is."""
        return self._process.poll() is None

    def poll(self):
        """Takes in what the machine said."""
        self.agent.poll()
        if self.terminal:
            self.terminal.poll()
        self.log.read()

    def wait(self, condition, deadline, what):
        """Until condition() is true; BootError when QEMU ends or time is up."""
        while True:
            over = not self.running()
            self.poll()
            if condition():
                return
            if over:
                raise BootError(f"the machine ended while waiting for {what}{self._last_words()}")
            if time.monotonic() > deadline:
                self._question_xen()
                raise BootError(f"timed out after {self.elapsed():.0f} s, waiting for {what}", TIMED_OUT)
            time.sleep(POLL_SECONDS)

    def type(self, text):
        """At the console, as if by hand."""
        os.write(self._keyboard, text.encode())

    def _question_xen(self):
        """Has Xen print what its domains are at, for the serial log."""
        if self._keyboard is None:
            return
        for key in QUESTIONS:
            os.write(self._keyboard, key)
            time.sleep(ANSWER_SECONDS)
            self.poll()

    def _last_words(self):
        said = b""
        if self._process.stdout:
            said = self._process.stdout.read().strip()
        return f": {said.decode('utf-8', 'replace')}" if said else ""

    def wait_ready(self, deadline):
        """Until the control domain takes commands."""
        self.wait(lambda: self.agent.ready, deadline, "the control domain")

    def run(self, command, timeout=60.0):
        """(exit code, output) of a shell command in the control domain."""
        number = self.agent.send(command)
        self.wait(lambda: number in self.agent.answers, time.monotonic() + timeout,
                  f"the control domain's answer to: {command}")
        return self.agent.answers.pop(number)

    def end(self):
        """Ends QEMU and removes what only the boot needed; the log stays."""
        if self._process and self.running():
            self._process.kill()
            self._process.wait()
        self._turn.release()
        if self._process and self._process.stdout:
            self._process.stdout.close()
        if self.agent:
            self.agent.close()
            self.agent = None
        if self.terminal:
            self.terminal.poll()
            self.terminal.close()
            self.terminal = None
        if self._keyboard is not None:
            os.close(self._keyboard)
            self._keyboard = None
        self.log.read()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
