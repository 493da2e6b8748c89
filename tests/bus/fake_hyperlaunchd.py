# SPDX-License-Identifier: LGPL-2.1-or-later
"""fake_hyperlaunchd.py ADDRESS STATE CALLS: answers in hyperlaunchd's place on a bus.

STATE, read at each call: JSON with "names" of domains, and "defined" ones, which may be any text, and "errors",
{method: [D-Bus error, text]}.  Each method that is called is a line in CALLS, with its flags.
"""
import json
import sys

import dbus.bus
import dbus.lowlevel
import dbus.mainloop.glib
from gi.repository import GLib

NAME = "org.xenproject.Hyperlaunch1"
PATH = "/org/xenproject/Hyperlaunch1"
DOMAIN = NAME + ".Domain"
UUID = "8d5a104e-6c2b-4f0a-9b1e-%012d"
NOT_HANDLED, HANDLED = dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED, dbus.lowlevel.HANDLER_RESULT_HANDLED


def path_of(domid):
    return f"{PATH}/domain/d{domid}_0"


def properties(domid, name):
    texts = {"Name": name, "UUID": UUID % domid, "Handle": UUID % domid, "Origin": "boot", "State": "started"}
    numbers = {"Domid": domid, "VcpusMax": 1, "VcpusOnline": 1}
    sizes = {"Generation": 0, "MemoryPlanned": 1 << 27, "MemoryMax": 1 << 27, "MemoryCurrent": 1 << 27}
    return {**texts, "Roles": dbus.Array([], "s"), **{key: dbus.UInt32(value) for key, value in numbers.items()},
            **{key: dbus.UInt64(value) for key, value in sizes.items()}}


def figures(domid, name):
    sizes = {"TimestampUSec": 10**6, "CpuTimeNSec": domid * 1500000001, "MemoryCurrent": 1 << 27, "MemoryMax": 2**64 - 1,
             "MemoryOutstanding": 0, "MemoryShared": 4096, "MemoryPaged": 0}
    return {"Domid": dbus.UInt32(domid), "UUID": UUID % domid, "Name": name, "State": "dreaming", "VcpusOnline": dbus.UInt32(1),
            "VcpusMax": dbus.UInt32(2), **{key: dbus.UInt64(value) for key, value in sizes.items()}}


class Fake:
    """The methods; each gives the answer's signature and values, or None for no such domain."""

    def __init__(self, names, defined):
        self.names = dict(enumerate(names, 1))
        self.defined = defined

    def ListDefinitions(self, _path):
        return "a(sa{sv})", [[(name, {"Format": "dts"}) for name in self.defined]]

    def ListDomains(self, _path):
        return "a(oussssastua{sv})", [[(path_of(domid), domid, UUID % domid, name, "started", "boot", [], 1 << 27, 1, {})
                                       for domid, name in self.names.items()]]

    def find(self, condition):
        return next((("o", [path_of(domid)]) for domid, name in self.names.items() if condition(domid, name)), None)

    def GetDomainByName(self, _path, wanted):
        return self.find(lambda _domid, name: name == wanted)

    def GetDomainByDomid(self, _path, wanted):
        return self.find(lambda domid, _name: domid == wanted)

    def GetDomainByUUID(self, _path, wanted):
        return self.find(lambda domid, _name: UUID % domid == wanted)

    def GetAll(self, path, _interface):
        for domid, name in self.names.items():
            if path == path_of(domid):
                return "a{sv}", [properties(domid, name)]
        return "a{sv}", [{"ConsoleOwner": dbus.ObjectPath(path_of(1)), "State": "complete"}]

    def Get(self, _path, _interface, wanted):
        return "v", ["started" if wanted == "State" else dbus.ObjectPath(path_of(1))]

    def GetManagedObjects(self, _path):
        return "a{oa{sa{sv}}}", [{path_of(domid): {DOMAIN: properties(domid, name)} for domid, name in self.names.items()}]

    def GetStats(self, path, _options):
        if path == PATH:
            return "a(oa{sv})", [[(path_of(domid), figures(domid, name)) for domid, name in self.names.items()]]
        return next((("a{sv}", [figures(domid, name)]) for domid, name in self.names.items() if path == path_of(domid)), None)

    def SetConsoleOwner(self, _path, _domain, _options):
        return "o", [path_of(1)]

    def Release(self, _path, _options):
        return "", []


def answer(message, state):
    member = message.get_member()
    if member in state["errors"]:
        name, text = state["errors"][member]
        return dbus.lowlevel.ErrorMessage(message, name, text)
    got = getattr(Fake(state["names"], state.get("defined", [])), member)(message.get_path(), *message.get_args_list())
    if got is None:
        return dbus.lowlevel.ErrorMessage(message, NAME + ".Error.NoSuchDomain", "There is no such domain.")
    reply = dbus.lowlevel.MethodReturnMessage(message)
    if got[0]:
        reply.append(*got[1], signature=got[0])
    return reply


def main(address, state_path, calls_path):
    def on_message(connection, message):
        if not isinstance(message, dbus.lowlevel.MethodCallMessage):
            return NOT_HANDLED
        with open(calls_path, "a", encoding="utf-8") as calls:
            print(message.get_member() + ("" if message.get_auto_start() else " (no-auto-start)"), file=calls)
        with open(state_path, encoding="utf-8") as state:
            connection.send_message(answer(message, json.load(state)))
        return HANDLED

    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    connection = dbus.bus.BusConnection(address)
    connection.add_message_filter(on_message)
    connection.request_name(NAME)
    GLib.MainLoop().run()


main(*sys.argv[1:])
