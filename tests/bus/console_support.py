# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of consoles share: a back end of Python, and clients of terminals."""

import importlib.util
import os
import select
import time

import dbus
import pytest

from conftest import NAME, ROOT, wait_until

CONSOLE = NAME + ".Console"
# Of ok-dynamic-full: their domids.
CONTROL, CONSOLE_DOMAIN, WEB, DB = 2, 4, 5, 6


def load_consoles():
    """hlsim's back end, which is no package."""
    spec = importlib.util.spec_from_file_location("consoles", ROOT / "tools" / "hlsim" / "consoles.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


consoles = load_consoles()
Consoled, Refused = consoles.Consoled, consoles.Refused


@pytest.fixture
def peers(place):
    """The directory where helpers listen."""
    path = place / "peers"
    path.mkdir()
    return path


@pytest.fixture
def consoled(peers):
    """consoled(**kwargs): a back end in the control domain, with a console of web."""
    running = []

    def start(**kwargs):
        running.append(Consoled(peers / "console", domid=CONTROL, **kwargs))
        running[-1].add(WEB)
        return running[-1]
    yield start
    for one in running:
        if one.is_alive():
            one.stop()


@pytest.fixture
def server(consoled):
    """One that is there before the daemon."""
    return consoled()


@pytest.fixture
def other(peers):
    """A back end in the console domain, without consoles; it has to be there before the daemon."""
    (peers / str(CONSOLE_DOMAIN)).mkdir()
    helper = Consoled(peers / str(CONSOLE_DOMAIN) / "console", domid=CONSOLE_DOMAIN)
    yield helper
    if helper.is_alive():
        helper.stop()


@pytest.fixture
def daemon(launch, peers):
    """A daemon that looks for helpers there."""
    return launch(options=["--session", "--peers", str(peers)])


def has_console(client, path):
    return CONSOLE in client.objects().get(path, {})


def wait_console(client, path, present=True):
    wait_until(lambda: has_console(client, path) == present, what=f"the console of {path}")


@pytest.fixture
def web(server, daemon, client):
    """(the back end, the path of the domain web, which has a console)"""
    path = client.path_of("web")
    wait_console(client, path)
    return server, path


def refuse(client, path, error, method="Attach", **options):
    options = dbus.Dictionary(options, signature="sv")
    return client.expect_error(error, method, "a{sv}", options, interface=CONSOLE, path=path)


def properties(client, path):
    return client.get_all(CONSOLE, path)


def attach(client, path, **options):
    """The descriptor and the information."""
    terminal, info = client.call("Attach", "a{sv}", options, interface=CONSOLE, path=path)
    return terminal.take(), info


def open_log(client, path, **options):
    log, info = client.call("OpenLog", "a{sv}", options, interface=CONSOLE, path=path)
    return log.take(), info


def read_until(fd, wanted, timeout=20):
    """All that came until it ended in that."""
    data, end = b"", time.monotonic() + timeout
    while not data.endswith(wanted):
        assert select.select([fd], [], [], max(0, end - time.monotonic()))[0], data
        new = os.read(fd, 65536)
        assert new, data
        data += new
    return data


def read_end(fd):
    """All that comes until the other side is closed."""
    data = b""
    while True:
        assert select.select([fd], [], [], 20)[0], data
        try:
            new = os.read(fd, 65536)
        except OSError:
            new = b""
        if not new:
            os.close(fd)
            return data
        data += new
