#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vm.py DEFINITION.dtb KERNEL [RAMDISK]: a domain's life over D-Bus, as a toolstack would have it.

It needs python3-dbus, and root or polkit; `lcmtool show --format dtb` makes a definition of source.
"""
import sys

import dbus

NAME, PATH = "org.xenproject.Hyperlaunch1", "/org/xenproject/Hyperlaunch1"
WAIT = 1200     # seconds; a call returns when its job has ended


class Domain:
    """One domain's object."""

    def __init__(self, bus, path):
        self.object = bus.get_object(NAME, path, introspect=False)

    def do(self, verb, **options):
        """A verb of the interface Lifecycle."""
        self.object.get_dbus_method(verb, NAME + ".Lifecycle")(dbus.Dictionary(options, signature="sv"), timeout=WAIT)

    def get(self, name):
        """A property of the interface Domain."""
        return self.object.Get(NAME + ".Domain", name, dbus_interface=dbus.PROPERTIES_IFACE)


def main(definition, kernel, ramdisk=None):
    bus = dbus.SystemBus()
    manager = bus.get_object(NAME, PATH, introspect=False)
    options = {"Kernel": dbus.types.UnixFd(open(kernel, "rb"))}
    if ramdisk:
        options["Ramdisk"] = dbus.types.UnixFd(open(ramdisk, "rb"))
    with open(definition, "rb") as file:
        path = manager.CreateDomain(dbus.ByteArray(file.read()), dbus.Dictionary(options, signature="sv"),
                                    dbus_interface=NAME + ".Manager", timeout=WAIT)
    domain = Domain(bus, path)
    print(f"{domain.get('Name')} has UUID {domain.get('UUID')} and is {domain.get('State')}")
    for verb in ("Pause", "Unpause"):
        domain.do(verb)
        print(f"after {verb} it is {domain.get('State')}")
    domain.do("Destroy")
    print("it is gone")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except dbus.DBusException as error:
        sys.exit(f"vm.py: {error.get_dbus_message()}")
