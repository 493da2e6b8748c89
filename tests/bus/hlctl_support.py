# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of hlctl share: the program, a stand-in for hyperlaunchd, and terminals."""

import json
import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import tempfile

import pytest

from conftest import HERE, stop, wait_until

HLCTL = os.environ["HLCTL"]
OK, FAILED, USAGE, NOT_FOUND, DENIED, UNSUPPORTED, TIMEOUT = range(7)


@pytest.fixture
def hlctl(bus_address):
    """hlctl(ARGS..., code=0): what it printed; its errors are one sentence."""
    def run(*args, code=OK, env=None, **kwargs):
        result = subprocess.run([HLCTL, "--address", bus_address, *args], capture_output=True,
                                env={**os.environ, **(env or {})}, timeout=60, **kwargs)
        errors = result.stderr.decode()
        assert result.returncode == code, errors
        if code:
            assert errors.startswith("hlctl: ") and errors.count("\n") == 1, errors
            return errors
        assert not errors
        return result.stdout.decode()
    return run


@pytest.fixture
def public_hlctl():
    """hlctl where everybody can run it: the build may lie in somebody's home."""
    built = os.path.dirname(HLCTL)
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        for file in (HLCTL, os.path.join(built, "../../libhl/libhl.so.0")):
            shutil.copy(file, place)
        yield ["env", f"LD_LIBRARY_PATH={place}", os.path.join(place, os.path.basename(HLCTL))]


def read_terminal(leader):
    """All that was written before the other end was closed."""
    output = b""
    while select.select([leader], [], [], 1)[0]:
        try:
            output += os.read(leader, 65536)
        except OSError:
            break
    os.close(leader)
    return output


def run_on_terminal(args, stdin=False, **kwargs):
    """What a program writes to a terminal, its exit code asserted to be 0."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(args, stdout=follower, stdin=follower if stdin else subprocess.DEVNULL, **kwargs)
    os.close(follower)
    shown = read_terminal(leader)
    assert process.wait(60) == 0
    return shown.decode()


class Fake:
    """A stand-in for hyperlaunchd, whose domains have any name, and which notes each call."""

    def __init__(self, place, address):
        self.state_path = place / "fake.json"
        self.calls_path = place / "fake.calls"
        self.calls_path.touch()
        self.set()
        self.process = subprocess.Popen([sys.executable, HERE / "fake_hyperlaunchd.py", address,
                                         self.state_path, self.calls_path])

    def set(self, *names, errors=None, defined=()):
        """errors: {method: [D-Bus error, text]}"""
        new = self.state_path.with_suffix(".new")
        new.write_text(json.dumps({"names": names, "errors": errors or {}, "defined": list(defined)}))
        new.rename(self.state_path)

    def calls(self):
        """Methods called since the last question."""
        seen = self.calls_path.read_text().splitlines()
        self.calls_path.write_text("")
        return seen


@pytest.fixture
def fake(place, bus_address, client):
    """Fake(), on the bus."""
    started = Fake(place, bus_address)
    wait_until(client.ready, what="the stand-in")
    yield started
    stop(started.process)


@pytest.fixture
def scripts(place):
    """scripts(NAME, TEXT): an executable on the PATH that this gives, before all others."""
    folder = place / "scripts"
    folder.mkdir(mode=0o755)

    def add(name, text):
        path = pathlib.Path(folder / name)
        path.write_text(text)
        path.chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"
    return add
