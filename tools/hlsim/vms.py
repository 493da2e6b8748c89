# SPDX-License-Identifier: LGPL-2.1-or-later
"""Orders about VMs, done by a simulated Xen: it speaks docs/dev/peers.md as hyperlaunch-vmd does.

hlsim has one for its simulated domains, and the tests of hyperlaunchd and hlctl use it too.
"""
import contextlib
import json
import os
import socket
import threading

PACKET_MAX = 2048
FDS_MAX = 4
KINDS = ("vm", "vm-devices", "vm-qemu")


class Refused(Exception):
    """An answer that is an error: its code and its text."""


class Order:
    """One connection, and what was ordered on it."""

    def __init__(self, connection, greets=True):
        self.connection = connection
        if greets:
            self.greet_with(None)
        data, fds, _, _ = socket.recv_fds(connection, PACKET_MAX, FDS_MAX)
        self.packet = json.loads(data) if data else {}
        self.fds = dict(zip(self.packet.get("fds", []), fds))

    def greet_with(self, fd):
        """hello, with a descriptor where one is given."""
        socket.send_fds(self.connection, [json.dumps({"hello": "vm", "version": 1}).encode()], [] if fd is None else [fd])

    def close(self):
        self.connection.close()
        for fd in self.fds.values():
            os.close(fd)

    def send(self, packet):
        self.connection.send(json.dumps(packet).encode())

    def stage(self, name):
        self.send({"event": "stage", "stage": name})

    def done(self, **result):
        self.send({"id": self.packet["id"], "result": result})

    def failed(self, code, message):
        self.send({"id": self.packet["id"], "error": code, "message": message})

    def wait_left(self):
        """Until hyperlaunchd closes the connection."""
        return self.connection.recv(1) == b""

    def config(self):
        return json.loads(os.pread(self.fds["config"], 1 << 20, 0))


class Vmd:
    """Listens for orders in a directory until stop(); a thread for each."""

    def __init__(self, folder, tell):
        """tell: sends a command to the simulated Xen and gives back its answer, without "ok"."""
        self.tell = tell
        self.orders = []        # packets, in the order in which they came
        self.overrides = {}     # by request: called in place of the method, with the order
        self.greets = True      # whether hello is sent before a method is called
        self.domids = {}        # of domains made here, by UUID
        self.kept = {}          # their configurations, likewise
        self.devices = {}       # of each: {(type, name): configuration}, of those that were attached
        self.listeners = []
        for kind in KINDS:
            path = os.path.join(folder, kind)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            listener.bind(path)
            listener.listen(64)
            self.listeners.append(listener)
            threading.Thread(target=self.listen, args=(listener, kind), daemon=True).start()

    def stop(self):
        for listener in self.listeners:
            # A thread that waits in accept() is not woken by close().
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def listen(self, listener, kind):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self.serve, args=(connection, kind), daemon=True).start()

    def serve(self, connection, kind):
        with contextlib.suppress(OSError):
            order = Order(connection, self.greets)
            try:
                if order.packet:
                    self.orders.append(order.packet | {"kind": kind})
                    self.do(order)
            finally:
                order.close()

    def do(self, order):
        methods = {"create": self.create, "destroy": self.destroy, "restart": self.restart,
                   "set-memory": self.set_memory, "set-vcpus": self.set_vcpus,
                   "attach": self.attach, "detach": self.detach, "undo-attach": self.undo_attach} | self.overrides
        try:
            methods[order.packet["request"]](order)
        except Refused as error:
            order.failed(*error.args)

    def create(self, order):
        self.kept[order.packet["uuid"]] = order.config()
        self.make(order, order.config())

    def restart(self, order):
        uuid = order.packet["uuid"]
        order.stage("destroy")
        if uuid in self.domids:
            self.tell(f"domain-remove {self.domids.pop(uuid)}")
        self.make(order, self.kept[uuid])

    def make(self, order, config):
        create, build = config["c_info"], config["b_info"]
        order.stage("check")
        order.stage("build")
        start = order.packet.get("start", True)
        domid = int(self.tell(f"domain-add {create['name'].replace(' ', '_')} uuid={create['uuid']} memory={build['max_memkb']} "
                              f"vcpus={build['max_vcpus']}" + (" pv" if create["type"] == "pv" else "") + ("" if start else " paused")))
        self.domids[create["uuid"]] = domid
        if start:
            order.stage("start")
        order.done(domid=domid)

    def set_memory(self, order):
        domid, kib, config = order.packet["domid"], order.packet["memory"], self.kept.get(order.packet["uuid"])
        if config and kib > config["b_info"]["max_memkb"]:
            raise Refused("InvalidArgs", f"it may have {config['b_info']['max_memkb']} KiB at most, not {kib}")
        self.tell(f"memory {domid} {kib}")
        # A guest that follows at once.
        self.tell(f"figure {domid} current {kib}")
        order.done()

    def set_vcpus(self, order):
        self.tell(f"figure {order.packet['domid']} online {order.packet['vcpus']}")
        order.done()

    def attach(self, order):
        order.stage("check")
        kind, device = order.packet["type"], order.config()
        devices = self.devices.setdefault(order.packet["uuid"], {})
        name = device.get("vdev", "") if kind == "disk" else device.get("mac", f"00:16:3e:00:00:{len(devices):02x}")
        if (kind, name) in devices:
            raise Refused("WrongState", f"it has a {kind} {name}")
        order.stage("attach")
        devices[kind, name] = device
        order.done()

    def detach(self, order):
        kind, name = order.packet["type"], order.packet["device"]
        order.stage("detach")
        if self.devices.get(order.packet["uuid"], {}).pop((kind, name), None) is None:
            raise Refused("InvalidArgs", f"it has no {kind} {name}")
        order.done()

    def undo_attach(self, order):
        """It is done, or was not begun: nobody kills this one."""
        order.done()

    def destroy(self, order):
        order.stage("destroy")
        domid = order.packet.get("domid", self.domids.get(order.packet["uuid"]))
        if domid is not None:
            self.tell(f"domain-remove {domid}")
            self.domids.pop(order.packet["uuid"], None)
            self.devices.pop(order.packet["uuid"], None)
        order.done()
