# SPDX-License-Identifier: LGPL-2.1-or-later
"""One boot in virtual time: it takes as long as its instructions, whatever else this host does.

So a boot of the same files with the same words gives the same serial log, to the
byte, and its log can be kept in place of another boot.
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "dev", "hlboot"))

import media  # noqa: E402
from machine import ICOUNT  # noqa: E402

XEN_WORDS = ("com1=115200,8n1", "console=com1", "loglvl=all", "guest_loglvl=all", "console_timestamps=boot")
CPU = "qemu64,+svm,+npt,+rdrand"
QEMU = ("qemu-system-x86_64", "-accel", "tcg", "-M", "q35", "-smp", "1", "-nodefaults", "-display", "none",
        "-no-reboot", *ICOUNT)
RAM_MIB = 4096
PATIENCE = 3600         # seconds of this host's time, for a boot that has gone wrong
POLL_SECONDS = 0.5
FAILED = "BENCH-FAILED"


class BenchError(Exception):
    """A boot that did not come to its end; the text names its log."""


class Boots:
    """Runs boots, none of them twice.

    Logs stay in `folder`; reuse: those of earlier runs are taken as well.  cpu: what the
    machine's processor has besides, as "+FEATURE,...".
    """

    def __init__(self, folder, reuse=False, cpu=""):
        self._folder, self._reuse = folder, reuse
        self._qemu = (*QEMU, "-cpu", f"{CPU},{cpu}" if cpu else CPU)
        self._digests, self._ran = {}, set()
        os.makedirs(folder, exist_ok=True)

    def _digest(self, path):
        """Of a file; the large ones come in many boots."""
        path = os.path.realpath(path)
        if path not in self._digests:
            with open(path, "rb") as file:
                self._digests[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._digests[path]

    def _key(self, xen, words, chain, ram_mib):
        version = subprocess.run([QEMU[0], "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
        parts = [version, *self._qemu, self._digest(xen), *words, str(ram_mib)]
        for path, string in chain:
            parts += [self._digest(path), string]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def run(self, name, xen, chain, until, words=(), ram_mib=RAM_MIB):
        """The text of the serial log, as soon as until(text) holds."""
        words = (*XEN_WORDS, *words)
        log = os.path.join(self._folder, f"{name}-{self._key(xen, words, chain, ram_mib)}.log")
        text = _read(log)
        if (self._reuse or log in self._ran) and until(text):
            return text
        start = time.monotonic()
        text = _boot([*self._qemu, "-m", f"{ram_mib}M"], log, xen, chain, until, words)
        print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        self._ran.add(log)
        return text


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().replace("\r", "")
    except FileNotFoundError:
        return ""


def _boot(qemu, log, xen, chain, until, words):
    folder = tempfile.mkdtemp(prefix="bench.", dir="/tmp")
    command = ["setpriv", "--pdeathsig", "KILL", *qemu, "-serial", f"file:{log}",
               *media.direct(folder, xen, words, chain)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    try:
        return _watch(process, log, until)
    finally:
        process.kill()
        process.communicate()
        shutil.rmtree(folder)


def _watch(process, log, until):
    deadline = time.monotonic() + PATIENCE
    while True:
        over = process.poll() is not None
        text = _read(log)
        if until(text):
            return text
        if over:
            raise BenchError(f"QEMU ended: {process.stdout.read().strip()}; its log is {log}")
        if FAILED in text or "hyperlaunch: error" in text:
            raise BenchError(f"the boot failed, see the end of {log}")
        if time.monotonic() > deadline:
            raise BenchError(f"no end after {PATIENCE} s, see the end of {log}")
        time.sleep(POLL_SECONDS)
