# SPDX-License-Identifier: LGPL-2.1-or-later
"""A private bus, hyperlaunchd with a simulated Xen on it, and a client."""

import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import typing

import dbus
import dbus.bus
import dbus.lowlevel
import dbus.mainloop.glib
import pytest
from gi.repository import GLib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LCM_DATA = ROOT / "tests" / "data" / "lcm"
POLICY = ROOT / "units" / "dbus" / "org.xenproject.Hyperlaunch1.conf"

NAME = "org.xenproject.Hyperlaunch1"
PATH = "/org/xenproject/Hyperlaunch1"
MANAGER = NAME + ".Manager"
DOMAIN = NAME + ".Domain"
LAUNCH = NAME + ".Launch"
HOST = NAME + ".Host"
LIFECYCLE = NAME + ".Lifecycle"
JOB = NAME + ".Job"
NO_DOMID = 0xffffffff
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
NOBODY = 65534
IS_ROOT = os.geteuid() == 0

dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  {policy}
</busconfig>
"""

# The shipped policy lets root only have the name.
ANYBODY = '<policy context="default"><allow own="*"/><allow send_destination="*"/></policy>'


def wait_until(condition, timeout=20, what="condition"):
    """Turns the main loop, so that signals arrive meanwhile."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        turn(0.02)
    raise AssertionError(f"not within {timeout} s: {what() if callable(what) else what}")


def turn(seconds):
    loop = GLib.MainLoop()
    GLib.timeout_add(max(1, int(seconds * 1000)), loop.quit)
    loop.run()


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def place():
    """A directory that other users may enter, with a short name for sockets."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="hl-bus-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def runtime(place):
    """What RUNTIME_DIRECTORY says to a daemon whose records are looked at."""
    directory = place / "runtime"
    directory.mkdir()
    return directory


@pytest.fixture
def search_path(place):
    """A value of PATH, by which the lcmtool of this build is found."""
    (place / "bin").mkdir()
    (place / "bin" / "lcmtool").symlink_to(os.environ["LCMTOOL"])
    return f"{place}/bin:{os.environ['PATH']}"


def records(runtime):
    """The jobs that have a record there."""
    return sorted(path.name for path in (runtime / "jobs").iterdir())


@pytest.fixture
def bus_address(place):
    config = place / "bus.conf"
    path = place / "bus"
    policy = f"<include>{POLICY}</include>" if IS_ROOT else ANYBODY
    config.write_text(BUS_CONFIG.format(socket=path, policy=policy))
    daemon = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork",
                               "--nopidfile", "--print-address=1"],
                              stdout=subprocess.PIPE, text=True)
    address = daemon.stdout.readline().strip()
    assert address, "dbus-daemon did not start"
    yield address
    stop(daemon)


def compile_lcm(place, source):
    """The blob of an LCM of tests/data, or of source text."""
    blob = place / "launch.dtb"
    if "\n" in source:
        text = source
    else:
        text = (LCM_DATA / f"{source}.dts").read_text()
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", blob, "-"], input=text,
                   text=True, check=True, cwd=LCM_DATA)
    return blob


class Daemon:
    """One hyperlaunchd, its simulated Xen's control socket, its log."""

    def __init__(self, place, address, lcm, extra="", options=(), env=None):
        self.place = place
        self.control_path = place / "control"
        self.log_path = place / "log"
        self.args = [os.environ["HYPERLAUNCHD"], "--address", address, "--log-level", "debug",
                     "--hypervisor", f"sim:{lcm},control={self.control_path}{extra}", *options]
        self.env = {**os.environ, **(env or {})}
        self.process = None

    def start(self):
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(self.args, env=self.env, stderr=self.log)
        return self

    def stop(self):
        if self.process:
            stop(self.process)
            self.log.close()
            # The sanitizers', and what a crash looks like.
            code, self.process = self.process.returncode, None
            assert code in (0, -signal.SIGKILL), self.text()

    def text(self):
        return self.log_path.read_text(errors="replace")

    def command(self, text):
        """Over the control socket; the answer without its "ok". Threads have an address each."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            own = self.place / f"reply-{threading.get_ident()}"
            own.unlink(missing_ok=True)
            sock.bind(str(own))
            sock.sendto(text.encode(), str(self.control_path))
            assert select.select([sock], [], [], 20)[0], f"no answer to {text}"
            reply = sock.recv(65536).decode()
            own.unlink()
        assert reply.split()[0] == "ok", f"{text}: {reply}"
        return reply[3:].strip()


class Row(typing.NamedTuple):
    """Of ListDomains."""
    path: str
    domid: int
    uuid: str
    name: str
    state: str
    origin: str
    roles: list
    memory: int
    vcpus: int
    more: dict


def domid_of(path):
    """Of a domain's object; "/" stands for none."""
    match = re.fullmatch(PATH + r"/domain/d(\d+)_\d+", path)
    assert match or path == "/", path
    return int(match[1]) if match else NO_DOMID


class Client:
    """Calls and signals of one connection."""

    def __init__(self, address):
        self.connection = dbus.bus.BusConnection(address)
        self.connection.set_exit_on_disconnect(False)
        self.signals = []
        self.connection.add_signal_receiver(self.on_signal, bus_name=NAME,
                                            interface_keyword="interface",
                                            member_keyword="member", path_keyword="path")

    def on_signal(self, *args, interface, member, path):
        if member == "RoleChanged":
            args = (str(args[0]), domid_of(args[1]), domid_of(args[2]))
        self.signals.append((path, interface, member, args))

    def call(self, method, signature="", *args, interface=MANAGER, path=PATH, timeout=20):
        return self.connection.call_blocking(NAME, path, interface, method, signature, args,
                                             timeout=timeout)

    def get(self, name, interface=MANAGER, path=PATH):
        return self.call("Get", "ss", interface, name, interface=PROPERTIES, path=path)

    def get_all(self, interface=MANAGER, path=PATH):
        return self.call("GetAll", "s", interface, interface=PROPERTIES, path=path)

    def objects(self):
        return self.call("GetManagedObjects", interface=OBJECT_MANAGER)

    def still_objects(self):
        """Without what changes by itself: equal where nothing has happened."""
        return {path: {name: {key: value for key, value in properties.items() if key != "CpuTimeNSec"}
                       for name, properties in interfaces.items()} for path, interfaces in self.objects().items()}

    def list(self):
        return [Row(*row) for row in self.call("ListDomains")]

    def rows(self):
        return {str(row.name): row for row in self.list()}

    def launch(self):
        return self.get_all(LAUNCH)

    def console(self):
        """The domid of its owner."""
        return domid_of(self.get("ConsoleOwner"))

    def path_of(self, name):
        return self.call("GetDomainByName", "s", name)

    def domain(self, name):
        return self.get_all(DOMAIN, self.path_of(name))

    def seen(self, member, path=None):
        return [s for s in self.signals if s[2] == member and path in (None, s[0])]

    def wait_signal(self, member, path=None, match=lambda *args: True):
        def find():
            return next((s for s in self.seen(member, path) if match(*s[3])), None)
        return wait_until(find, what=lambda: f"signal {member}, seen: {self.signals}")

    def wait_property(self, path, name, value):
        self.wait_signal("PropertiesChanged", path,
                         lambda _interface, changed, _gone: changed.get(name) == value)

    def expect_error(self, name, method, signature="", *args, **kwargs):
        with pytest.raises(dbus.DBusException) as caught:
            self.call(method, signature, *args, **kwargs)
        assert caught.value.get_dbus_name() == name, caught.value
        message = caught.value.get_dbus_message()
        assert message.endswith(".") and len(message) > 20, message
        return message

    def ready(self):
        return self.connection.name_has_owner(NAME)

    def close(self):
        self.connection.close()


OURS = NAME + ".Error."
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"
ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied"


@pytest.fixture
def client(bus_address):
    client = Client(bus_address)
    yield client
    client.close()


@pytest.fixture
def launch(place, bus_address, client):
    """launch(lcm, ...): a running daemon, its name on the bus."""
    daemons = []

    def start(lcm="ok-dynamic-full", **kwargs):
        blob = compile_lcm(place, lcm)
        daemon = Daemon(place, bus_address, blob, **kwargs).start()
        daemons.append(daemon)
        wait_until(lambda: client.ready() or daemon.process.poll() is not None,
                   what="hyperlaunchd")
        assert daemon.process.poll() is None, daemon.text()
        return daemon

    yield start
    for daemon in daemons:
        daemon.stop()


def start_as_nobody(args):
    """A command of somebody without rights; its output is to be read."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if IS_ROOT else {}
    return subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            cwd="/", **user)


def as_nobody(bus_address, *args):
    """busctl of somebody without rights; the completed process."""
    process = start_as_nobody(["busctl", f"--address={bus_address}", "--json=short", *args])
    output, errors = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def call_as_nobody(bus_address, method, *args, interface=MANAGER, path=PATH):
    """The command; it shows an error's name and text, as busctl does not for all."""
    return start_as_nobody(["gdbus", "call", f"--address={bus_address}", f"--dest={NAME}",
                            f"--object-path={path}", "--timeout=60",
                            f"--method={interface}.{method}", *args])


def get_lcm_as_nobody(bus_address):
    return call_as_nobody(bus_address, "GetLCM", "dtb")


@pytest.fixture
def polkit(bus_address):
    """polkit(): the mock of dbusmock, denying until told otherwise."""
    processes = []

    def start(what=("--template", "polkitd")):
        env = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus_address,
               "DBUS_SESSION_BUS_ADDRESS": bus_address}
        processes.append(subprocess.Popen([sys.executable, "-m", "dbusmock", "--system", *what],
                                          env=env))
        connection = dbus.bus.BusConnection(bus_address)
        wait_until(lambda: connection.name_has_owner("org.freedesktop.PolicyKit1"),
                   what="the mock of polkit")
        mock = connection.get_object("org.freedesktop.PolicyKit1",
                                     "/org/freedesktop/PolicyKit1/Authority")
        return dbus.Interface(mock, "org.freedesktop.DBus.Mock")

    yield start
    for process in processes:
        stop(process)
