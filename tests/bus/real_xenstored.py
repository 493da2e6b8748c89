# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's two xenstoreds, C and OCaml, for tests: what clients see at their sockets, without a Xen (xen-preload.c).

The same interface as xenstored.py's, without its knobs; the process runs in a mount namespace of its own, as the path of
the socket is built in.
"""
import itertools
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import time

import pytest
from xenstored import (DIRECTORY, ERROR, GET_PERMS, HEADER, INTRODUCE, IS_DOMAIN_INTRODUCED, READ, RELEASE, RM, WATCH_EVENT,
                       WRITE)

BINARIES = "/usr/lib/xen-4.20/bin"
PRELOAD = pathlib.Path(__file__).with_name("xen-preload.c")
LONGEST_VALUES = {"oxenstored": 2048, "xenstored": 3000}
PATIENCE = 20


def require(name):
    """Skips where it cannot run."""
    if not os.access(f"{BINARIES}/{name}", os.X_OK):
        pytest.skip(f"{BINARIES}/{name} is not installed")
    if os.geteuid() != 0:
        pytest.skip("only root can give it a /run/xenstored of its own")


def build_preload(place):
    """The library that stands for Xen's."""
    library = place / "preload.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", library, PRELOAD], check=True)
    return library


class Introduced:
    """The domains that it knows, as a set would answer."""

    def __init__(self, ask):
        self._ask = ask

    def __contains__(self, domid):
        return self._ask(IS_DOMAIN_INTRODUCED, str(domid)) == b"T\0"


class RealXenstored:
    """One of them by name."""

    def __init__(self, name, place):
        self.name = name
        self.longest_value = LONGEST_VALUES[name]
        self.folder = place / "xenstored"
        self.path = str(self.folder / "socket")
        self.introduced = Introduced(self._ask)
        self._preload = build_preload(place)
        self._log = place / "xenstored.log"
        self._process = self._client = None
        self._numbers = itertools.count(1)

    def start(self):
        self.folder.mkdir(exist_ok=True)
        command = shlex.join([f"{BINARIES}/{self.name}", "--no-fork"])
        script = (f"mkdir -p /run/xenstored /run/xen /var/lib/xenstored && mount --bind {shlex.quote(str(self.folder))} /run/xenstored && "
                  f"LD_PRELOAD={shlex.quote(str(self._preload))} exec {command}")
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script],
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._connect()
        # As xen-init-dom0 does.
        self.write("/local/domain/0/domid", "0")
        return self

    def _connect(self):
        end = time.monotonic() + PATIENCE
        while True:
            assert self._process.poll() is None, self._log.read_text(errors="replace")
            client = socket.socket(socket.AF_UNIX)
            try:
                client.connect(self.path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                client.close()
                assert time.monotonic() < end, self._log.read_text(errors="replace")
                time.sleep(0.02)
        client.settimeout(PATIENCE)
        self._client = client

    def stop(self):
        """As when it dies: the socket's file stays."""
        if self._process:
            self._client.close()
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    # What tests do

    def write(self, path, value):
        value = value.encode() if isinstance(value, str) else value
        self._must(WRITE, path.encode() + b"\0" + value)

    def remove(self, path):
        self._must(RM, path.encode() + b"\0")

    def read(self, path):
        value = self._ask(READ, path)
        return None if value is None else value.decode()

    def perms(self, path):
        return self._ask(GET_PERMS, path).decode().strip("\0").split("\0")

    def below(self, path):
        found = {}
        children = self._ask(DIRECTORY, path) or b""
        for name in filter(None, children.decode().split("\0")):
            found[name] = self.read(f"{path}/{name}")
            found.update({f"{name}/{node}": value for node, value in self.below(f"{path}/{name}").items()})
        return found

    def introduce(self, domid):
        self._must(INTRODUCE, f"{domid}\0{domid}\0{domid}\0".encode())

    def release(self, domid):
        self._must(RELEASE, f"{domid}\0".encode())

    # The protocol

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            more = self._client.recv(size - len(data))
            assert more, "xenstored closed the connection"
            data += more
        return data

    def _request(self, kind, payload):
        """(kind, payload) of the answer."""
        number = next(self._numbers)
        self._client.sendall(HEADER.pack(kind, number, 0, len(payload)) + payload)
        while True:
            answer, of, _, size = HEADER.unpack(self._exactly(HEADER.size))
            data = self._exactly(size)
            if answer != WATCH_EVENT:
                assert of == number
                return answer, data

    def _ask(self, kind, word):
        """What it answers; None if there is no such node."""
        answer, data = self._request(kind, word.encode() + b"\0")
        if answer == ERROR:
            assert data == b"ENOENT\0", data
            return None
        return data

    def _must(self, kind, payload):
        answer, data = self._request(kind, payload)
        assert answer == kind, data
