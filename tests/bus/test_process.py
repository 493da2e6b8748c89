# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process: options, exit codes, restarts, what the service manager hears, idleness."""

import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

from conftest import NAME, Daemon, compile_lcm, turn, wait_until


def run(*args, env=None):
    return subprocess.run([os.environ["HYPERLAUNCHD"], *args], capture_output=True, text=True,
                          timeout=60, check=False, env={**os.environ, **(env or {})})


def test_help_and_version():
    done = run("--help")
    assert done.returncode == 0
    for word in ("--hypervisor", "sim:FILE", "--session", "--address", "--log-level", "69"):
        assert word in done.stdout
    assert run("--version").stdout == "hyperlaunchd 0.1.0\n"


@pytest.mark.parametrize("args", [("--nosuch",), ("extra",), ("--hypervisor",),
                                  ("--hypervisor", "kvm"), ("--hypervisor", "sim:"),
                                  ("--log-level", "loud"), ("--log-level", "8")])
def test_wrong_use(args):
    done = run(*args)
    assert done.returncode == 2
    assert "--help" in done.stderr


@pytest.mark.skipif(os.path.exists("/dev/xen/privcmd"), reason="there is a Xen here")
def test_no_xen(bus_address):
    done = run("--address", bus_address)
    assert done.returncode == 69
    assert "no Xen" in done.stderr and "--hypervisor sim:FILE" in done.stderr


def test_sim_without_file(bus_address, place):
    done = run("--address", bus_address, "--hypervisor", f"sim:{place}/nosuch.dtb")
    assert done.returncode == 1
    assert "nosuch.dtb" in done.stderr and "No such file" in done.stderr


def test_sim_of_nonsense(bus_address, place):
    (place / "x.dtb").write_bytes(b"this is no device tree" * 100)
    done = run("--address", bus_address, "--hypervisor", f"sim:{place}/x.dtb")
    assert done.returncode == 1
    assert "x.dtb" in done.stderr


def test_no_bus(place):
    blob = compile_lcm(place, "ok-classic-dom0")
    done = run("--address", f"unix:path={place}/nosuch", "--hypervisor", f"sim:{blob}")
    assert done.returncode == 1
    assert "bus" in done.stderr


def test_second_one(launch, place, bus_address):
    launch()
    done = run("--address", bus_address, "--hypervisor", f"sim:{place}/launch.dtb")
    assert done.returncode == 1
    assert NAME in done.stderr and "another hyperlaunchd" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_by_signal(launch, client, number):
    daemon = launch()
    daemon.process.send_signal(number)
    assert daemon.process.wait(20) == 0
    wait_until(lambda: not client.ready())  # the bus hears of it a moment later


def test_bus_goes_away(place, bus_address, launch):
    """The bus is everything: without it the daemon ends, to be started again."""
    daemon = launch()
    with open(place / "pid", "w", encoding="ascii"):
        pass
    buses = subprocess.run(["pgrep", "-f", f"config-file={place}/bus.conf"], capture_output=True,
                           text=True, check=True).stdout.split()
    for pid in buses:
        os.kill(int(pid), signal.SIGKILL)
    assert daemon.process.wait(20) == 1
    assert "connection to the bus is lost" in daemon.text()
    daemon.process = None


def table(client):
    return (client.call("ListDomains"), client.call("GetLaunchSummary"),
            client.call("ListModules"), client.call("GetEvents", "u", 0), client.objects(),
            client.get_all())


def test_kill_and_restart(launch, client):
    daemon = launch()
    before = table(client)
    for _ in range(3):
        daemon.process.kill()
        daemon.process.wait()
        wait_until(lambda: not client.ready())
        daemon.start()
        wait_until(client.ready)
        assert table(client) == before


def test_kill_in_a_storm(launch, client):
    """Killed amid calls, at moments of its own choosing."""
    daemon = launch()
    before = table(client)
    for i in range(8):
        for _ in range(20):
            client.connection.call_async(NAME, "/org/xenproject/Hyperlaunch1", NAME + ".Manager",
                                         "ListDomains", "", (), None, None)
        turn(0.005 * i)
        daemon.process.kill()
        daemon.process.wait()
        wait_until(lambda: not client.ready())
        daemon.start()
        wait_until(client.ready)
    assert table(client) == before


class ServiceManager:
    """What sd_notify() tells, as the service manager hears it."""

    def __init__(self, place):
        self.path = place / "notify"
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(self.path))
        self.sock.setblocking(False)
        self.heard = []

    def listen(self):
        while True:
            try:
                self.heard.append((time.monotonic(), self.sock.recv(4096).decode()))
            except BlockingIOError:
                return [text for _, text in self.heard]

    def wait(self, text):
        wait_until(lambda: any(text in h for h in self.listen()), what=text)


def test_notify(place, launch, client):
    manager = ServiceManager(place)
    env = {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "400000"}
    daemon = launch(env=env)
    manager.wait("READY=1")
    assert client.ready()
    manager.wait("WATCHDOG=1")
    turn(1.2)
    beats = [t for t, text in manager.heard if text == "WATCHDOG=1"]
    manager.listen()
    beats = [t for t, text in manager.heard if text == "WATCHDOG=1"]
    assert 4 <= len(beats) <= 12
    daemon.command("domain-add guest")
    manager.wait("STATUS=launch complete, 9 domains")
    daemon.process.terminate()
    manager.wait("STOPPING=1")


def test_ready_means_ready(place, bus_address, client):
    """After READY=1 the very first call finds the whole table."""
    manager = ServiceManager(place)
    blob = compile_lcm(place, "ok-dynamic-full")
    daemon = Daemon(place, bus_address, blob, env={"NOTIFY_SOCKET": str(manager.path)}).start()
    manager.wait("READY=1")
    assert len(client.call("ListDomains")) == 8
    daemon.stop()


def switches(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text()
        total += sum(int(line.split()[1]) for line in status.splitlines()
                     if "ctxt_switches" in line)
    return total


def test_idle(launch, client):
    """Nothing to do: not one wake-up."""
    daemon = launch()
    client.call("ListDomains")
    turn(0.5)
    before = switches(daemon.process.pid)
    turn(3)
    # Each look at /proc may take a slice from it on a busy machine; a loop would take hundreds.
    assert switches(daemon.process.pid) - before <= 2


def test_no_descriptor_is_lost(launch, client):
    daemon = launch(options=["--session"])
    fds = pathlib.Path(f"/proc/{daemon.process.pid}/fd")
    os.close(client.call("GetLCM", "s", "dtb").take())
    before = len(list(fds.iterdir()))
    for form in ("dtb", "dts", "json") * 30:
        os.close(client.call("GetLCM", "s", form).take())
    # The last answers may still be on their way out.
    wait_until(lambda: len(list(fds.iterdir())) <= before)
