# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process: options, exit codes, restarts, what the service manager hears, idleness."""

import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

from xenstored import Xenstored
from conftest import LCM_DATA, NAME, Daemon, compile_lcm, turn, wait_until


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


@pytest.mark.parametrize("compiled,said", [(False, "device-tree source"), (True, "a source LCM")])
def test_sim_of_a_source(compiled, said, bus_address, place):
    """Which is what a newcomer has."""
    path = place / "source"
    example = LCM_DATA / "ok-source.dts"
    if compiled:
        subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path, example], check=True)
    else:
        path.write_bytes(example.read_bytes())
    done = run("--address", bus_address, "--hypervisor", f"sim:{path}")
    assert done.returncode == 1
    assert f"{path}: {said}" in done.stderr and "`lcmtool link`" in done.stderr


def test_no_bus(place):
    blob = compile_lcm(place, "ok-classic-dom0")
    done = run("--address", f"unix:path={place}/nosuch", "--hypervisor", f"sim:{blob}")
    assert done.returncode == 1
    assert "bus" in done.stderr


def test_no_session_bus(place):
    """As for root: what to do about it is said."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("DBUS_") and key != "XDG_RUNTIME_DIR"}
    result = subprocess.run([os.environ["HYPERLAUNCHD"], "--session", "--hypervisor", f"sim:{compile_lcm(place, 'ok-static-basic')}"],
                            env=env, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert "no session bus here; dbus-run-session" in result.stderr


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
    return (client.list(), client.launch(),
            client.call("ListModules"), client.call("GetEvents", "u", 0), client.still_objects(),
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
    assert len(client.list()) == 8
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
    client.list()
    turn(0.5)
    before = switches(daemon.process.pid)
    turn(3)
    # Each look at /proc may take a slice from it on a busy machine; a loop would take hundreds.
    assert switches(daemon.process.pid) - before <= 2


def main_switches(pid):
    """Of the main thread alone."""
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/status").read_text()
    return int(text.split("\nvoluntary_ctxt_switches:")[1].split()[0])


def test_a_beat_of_the_watchdog_costs_two_wake_ups(launch, client, place):
    """The timer's, and the answer of xenstored that it asks for."""
    store = Xenstored(place / "xenstored" / "socket").start()
    beat = {"WATCHDOG_USEC": "500000", "NOTIFY_SOCKET": "@hl-nobody-listens", "XENSTORED_PATH": store.path}
    daemon = launch("ok-classic-dom0", env=beat)
    wait_until(lambda: client.get("XenstoreState") == "connected")
    turn(1)

    def count():
        return daemon.text().count("cannot reach the service manager"), main_switches(daemon.process.pid)

    beats, taken = count()
    turn(10)
    beats, taken = (after - before for before, after in zip((beats, taken), count()))
    store.stop()
    assert beats > 20
    # One may be under way at either end, and a thread may lose its processor with the lock held.
    assert taken <= 2 * beats + 4


def test_a_domain_that_never_finishes_dying(launch, client):
    """Xen announces when it does; until then nothing is done."""
    daemon = launch()
    daemon.command("dying web")
    client.wait_property(client.path_of("web"), "State", "dying")
    turn(1)
    before = switches(daemon.process.pid)
    turn(4)
    assert switches(daemon.process.pid) - before <= 2
    daemon.command("domain-remove web")
    client.wait_property(client.path_of("web"), "State", "reclaimed")


@pytest.mark.parametrize("kind", ["unpatched", "classic"])
def test_a_domain_that_dies_where_nothing_was_launched(launch, client, kind):
    """Xen does not announce that: it is looked at again, ever more rarely; the end of the next one is seen soon."""
    daemon = launch("ok-classic-dom0", extra=f",as={kind}")
    for name in ("one", "two"):
        daemon.command(f"domain-add {name}")
        client.wait_signal("DomainAdded", match=lambda _domid, added, _path, wanted=name: added == wanted)
    daemon.command("dying one")
    client.wait_property(client.path_of("one"), "State", "dying")
    # After 0.2, 0.6, 1.4 and 3 s; then after 6.2.
    turn(3.6)
    before = switches(daemon.process.pid)
    turn(2)
    assert switches(daemon.process.pid) - before <= 2
    daemon.command("announce off")
    turn(0.2)
    daemon.command("dying two")
    wait_until(lambda: client.rows()["two"].state == "dying")
    daemon.command("domain-remove two")
    client.wait_signal("DomainRemoved", match=lambda _domid, removed, *_: removed == "two")


def test_a_hypervisor_that_fails_ends_it(launch, client):
    """The service manager starts it again; without news of the launch it would show what was."""
    daemon = launch()
    process = daemon.process
    daemon.command("fault process EIO 1")
    # By itself, so that it takes another look, which is the one that fails: it is not answered.
    turn(0.3)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"announce on", str(daemon.control_path))
    assert process.wait(20) == 1
    daemon.process = None
    assert "cannot receive notifications" in daemon.text()


def test_no_descriptor_is_lost(launch, client):
    daemon = launch(options=["--session"])
    fds = pathlib.Path(f"/proc/{daemon.process.pid}/fd")
    os.close(client.call("GetLCM", "s", "dtb").take())
    before = len(list(fds.iterdir()))
    for form in ("dtb", "dts", "json") * 30:
        os.close(client.call("GetLCM", "s", form).take())
    # The last answers may still be on their way out.
    wait_until(lambda: len(list(fds.iterdir())) <= before)
