# SPDX-License-Identifier: LGPL-2.1-or-later
"""A D-Bus client that does not unpack what it gets, by sd-bus, and the least that a server of sd-bus takes."""
import ctypes
import os
import pathlib
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent / "bus-floor.c"
TIMEOUT = ctypes.c_uint64(60_000_000)
MATCH = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


def check(result):
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


class Connection:
    def __init__(self, address):
        self.lib = ctypes.CDLL("libsystemd.so.0")
        self.bus = ctypes.c_void_p()
        self.matches = []
        check(self.lib.sd_bus_new(ctypes.byref(self.bus)))
        check(self.lib.sd_bus_set_address(self.bus, address.encode()))
        check(self.lib.sd_bus_set_bus_client(self.bus, 1))
        check(self.lib.sd_bus_start(self.bus))

    def call(self, *where, options=False):
        """where: destination, path, interface, method; options: none of them.  The reply's body is not looked at."""
        message, reply = ctypes.c_void_p(), ctypes.c_void_p()
        check(self.lib.sd_bus_message_new_method_call(self.bus, ctypes.byref(message), *(text.encode() for text in where)))
        try:
            if options:
                check(self.lib.sd_bus_message_append(message, b"a{sv}", ctypes.c_uint(0)))
            check(self.lib.sd_bus_call(self.bus, message, TIMEOUT, None, ctypes.byref(reply)))
        finally:
            self.lib.sd_bus_message_unref(message)
            self.lib.sd_bus_message_unref(reply)

    def get(self, *where):
        """A property, a text or a number: destination, path, interface, name."""
        places = [text.encode() for text in where]
        text, number = ctypes.c_char_p(), ctypes.c_uint32()
        if self.lib.sd_bus_get_property_string(self.bus, *places, None, ctypes.byref(text)) >= 0:
            return text.value.decode()
        check(self.lib.sd_bus_get_property_trivial(self.bus, *places, None, ctypes.c_char(b"u"), ctypes.byref(number)))
        return number.value

    def count_signals(self, member):
        """A function that returns how many came since."""
        counted = [0]

        def on_signal(*_args):
            counted[0] += 1
            return 0

        def count():
            while check(self.lib.sd_bus_process(self.bus, None)):
                pass
            return counted[0]

        self.matches.append(MATCH(on_signal))
        check(self.lib.sd_bus_match_signal(self.bus, None, None, None, None, member.encode(), self.matches[-1], None))
        count()
        counted[0] = 0
        return count


class Floor:
    """A server that only has this method, and as many rows."""

    NAME, PATH = "org.xenproject.HyperlaunchFloor1", "/org/xenproject/HyperlaunchFloor1"

    def __init__(self, address, rows):
        self.address, self.rows = address, rows
        self.process = self.place = None

    def __enter__(self):
        self.place = tempfile.TemporaryDirectory(prefix="hl-floor-")
        program = pathlib.Path(self.place.name) / "bus-floor"
        subprocess.run(["cc", "-O2", "-g", "-Wall", "-Werror", "-D_GNU_SOURCE", SOURCE, "-o", program, "-lsystemd"], check=True)
        self.process = subprocess.Popen([program, self.address, self.NAME, self.PATH, str(self.rows)], stdout=subprocess.PIPE)
        if not self.process.stdout.readline():
            raise SystemExit("bus-floor does not start")
        return self

    def __exit__(self, *_error):
        self.process.terminate()
        self.process.wait()
        self.place.cleanup()

    @property
    def pid(self):
        return self.process.pid

    def ping(self, connection):
        connection.call(self.NAME, self.PATH, "org.freedesktop.DBus.Peer", "Ping")

    def list_domains(self, connection):
        connection.call(self.NAME, self.PATH, self.NAME + ".Manager", "ListDomains")
