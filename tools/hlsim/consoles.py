# SPDX-License-Identifier: LGPL-2.1-or-later
"""A back end of consoles that needs no Xen: it speaks docs/dev/peers.md, and the guests are Python.

hlsim has one for its simulated domains, and the tests of hyperlaunchd and hlctl use it too.
"""
import array
import base64
import collections
import json
import os
import pty
import selectors
import socket
import threading
import tty

PACKET_MAX = 2048
LOG_MAX = 1 << 20
CHUNK = 4096


class Refused(Exception):
    """An answer that is an error: its code and its text."""


class Console:
    """What there is to know of one guest's console."""

    def __init__(self, domid, uuid, early=None):
        self.domid, self.uuid = domid, uuid
        self.early, self.parts = early, b""     # whether its first output was given; None: it takes none
        self.state, self.tty, self.dropped = "serving", "", 0
        self.log = bytearray()
        self.typed = bytearray()
        self.pending = b""      # that was typed, and is not in the ring
        self.clients = []
        self.readers = []
        self.released, self.taken = None, None     # by which jobs

    def writer(self):
        """The client that may type: the first one that asked for it."""
        return next((client for client in self.clients if not client.read_only), None)

    def is_held(self):
        """Whether no other client may type."""
        return any(client.exclusive for client in self.clients)

    def event(self):
        event = {"event": "console", "domid": self.domid, "uuid": self.uuid, "state": self.state, "tty": self.tty,
                 "attached": len(self.clients), "writer": bool(self.writer()), "dropped": self.dropped}
        return event if self.early is None else event | {"early": self.early}


class Client:
    """One that has attached: our side of its terminal."""

    def __init__(self, console, leader, read_only, exclusive):
        self.console, self.leader = console, leader
        self.read_only, self.exclusive = read_only, exclusive


class LogReader:
    """One that reads the log: our side of its pipe, and what it has yet to get."""

    def __init__(self, console, end, content, follow):
        self.console, self.end, self.follow = console, end, follow
        self.rest = bytearray(content)


class Consoled(threading.Thread):
    """Serves the socket `path` until stop().  Methods can be called from any thread."""

    def __init__(self, path, domid=None, guest=None):
        """guest: what a domain (its domid) prints when that (bytes) is typed to it

        domid: our own; None: not known yet, and clients wait for introduce()"""
        super().__init__(daemon=True)
        self.path, self.domid, self.guest = str(path), domid, guest
        self.consoles = {}
        self.old_logs = {}      # of consoles that have ended, by uuid
        self.connections = []
        self.waiting = []       # for hello
        self.requests = []      # all that came about consoles
        self.kept = []          # lists of domains that streams may still go to
        self.xenconsoled = ""   # the terminal that one writes which takes a console; "": none runs
        self.overrides = {}     # by request: called in place of the method, with connection and request
        self.calls = collections.deque()
        self.ended = False
        self.selector = selectors.DefaultSelector()
        self.wake, waker = socket.socketpair()
        self.waker = waker
        self.selector.register(self.wake, selectors.EVENT_READ, self.on_wake)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener.bind(self.path)
        self.listener.listen()
        self.selector.register(self.listener, selectors.EVENT_READ, self.on_connection)
        self.start()

    def run(self):
        while not self.ended:
            for key, events in self.selector.select():
                # An earlier one may have closed it.
                if self.selector.get_map().get(key.fd) is key:
                    key.data(key.fileobj, events)
        for connection in self.connections + self.waiting:
            connection.close()
        for console in list(self.consoles.values()):
            self.close_console(console)
        for sock in (self.listener, self.wake, self.waker):
            sock.close()
        self.selector.close()

    def on_wake(self, sock, _events):
        sock.recv(CHUNK)
        while self.calls:
            self.calls.popleft()()

    def do(self, function):
        """Runs it in the thread, and returns what it does."""
        done, result = threading.Event(), []

        def call():
            result.append(function())
            done.set()
        self.calls.append(call)
        self.waker.send(b"x")
        assert done.wait(20)
        return result[0]

    def stop(self):
        """Ends it, and all terminals and pipes with it."""
        def end():
            self.ended = True
        self.do(end)
        self.join()
        os.unlink(self.path)

    def introduce(self, domid):
        """Greets those that wait, and all that come."""
        def call():
            self.domid = domid
            while self.waiting:
                self.greet(self.waiting.pop())
        self.do(call)

    # What the guests do.

    def add(self, domid, uuid="", early=None, state="serving"):
        """A domain has a console."""
        def call():
            self.consoles[domid] = Console(domid, uuid, early)
            self.consoles[domid].state = state
            self.announce(self.consoles[domid])
        self.do(call)

    def remove(self, domid):
        """It has ended."""
        def call():
            console = self.consoles.pop(domid)
            self.close_console(console)
            if console.uuid:
                self.old_logs[console.uuid] = console
            self.broadcast({"event": "gone", "domid": domid})
        self.do(call)

    def change(self, domid, **members):
        """Other values of state, tty, dropped, uuid."""
        def call():
            for name, value in members.items():
                setattr(self.consoles[domid], name, value)
            self.announce(self.consoles[domid])
        self.do(call)

    def prints(self, domid, data):
        """The guest prints that."""
        self.do(lambda: self.output(self.consoles[domid], data))

    def typed(self, domid):
        """All that was typed to it."""
        return self.do(lambda: bytes(self.consoles[domid].typed))

    def send_raw(self, data, fds=()):
        """To all that are connected."""
        def call():
            for connection in self.connections:
                connection.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
        self.do(call)

    # The protocol.

    def on_connection(self, listener, _events):
        connection = listener.accept()[0]
        if self.domid is None:
            self.waiting.append(connection)
        else:
            self.greet(connection)

    def greet(self, connection):
        """What a client is sent first."""
        self.connections.append(connection)
        self.selector.register(connection, selectors.EVENT_READ, self.on_packet)
        self.send(connection, {"hello": "console", "version": 1, "domid": self.domid})
        for console in self.consoles.values():
            self.send(connection, console.event())
        self.send(connection, {"event": "ready"})

    def disconnect(self, connection):
        if connection in self.connections:
            self.connections.remove(connection)
            self.selector.unregister(connection)
            connection.close()

    def send(self, connection, packet, fd=None):
        fds = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        try:
            connection.sendmsg([json.dumps(packet).encode()], fds)
        except OSError:
            self.disconnect(connection)

    def broadcast(self, packet):
        for connection in self.connections[:]:
            self.send(connection, packet)

    def announce(self, console):
        self.broadcast(console.event())

    def on_packet(self, connection, _events):
        try:
            data = connection.recv(PACKET_MAX)
        except OSError:
            data = b""
        if not data:
            self.disconnect(connection)
            return
        request = json.loads(data)
        if request["request"] == "keep-streams":
            self.kept.append(request["domids"])
        else:
            self.requests.append(request)
        if request["request"] in self.overrides:
            self.overrides[request["request"]](connection, request)
        else:
            self.answer(connection, request)

    def answer(self, connection, request):
        """As it should be."""
        if request["request"] == "keep-streams":
            self.send(connection, {"id": request["id"], "result": {}})
            return
        methods = {"attach": self.attach, "early": self.take_early, "log": self.open_log, "release": self.release, "take": self.take}
        try:
            if request["request"] not in methods:
                raise Refused("NotSupported", f"there is no request {request['request']}")
            console = self.find(request)
            result, fd = methods[request["request"]](console, request)
        except Refused as refused:
            code, text = refused.args
            self.send(connection, {"id": request["id"], "error": code, "message": text})
            return
        if console.domid in self.consoles:
            self.announce(console)
        self.send(connection, {"id": request["id"], "result": result}, fd)
        if fd is not None:
            os.close(fd)

    def find(self, request):
        """The console, or one that has ended, where only its log is asked for."""
        if "domid" not in request:
            console = next((console for console in self.consoles.values() if console.uuid == request["uuid"]),
                           self.old_logs.get(request["uuid"]))
            if not console or request["request"] != "log":
                raise Refused("NoSuchDomain", "no domain with that uuid has a log")
            return console
        console = self.consoles.get(request["domid"])
        if not console and request["request"] == "take" and "port" in request:
            console = self.consoles[request["domid"]] = Console(request["domid"], request.get("uuid", ""))
            console.state = "waiting"
        if not console or request.get("uuid", console.uuid) != console.uuid:
            raise Refused("NoSuchDomain", "it has no console here")
        return console

    def release(self, console, request):
        if console.state == "released" and console.released != request["job"]:
            raise Refused("Busy", "another one has it")
        if console.state not in ("serving", "released"):
            raise Refused("WrongState", "its console is not being served")
        if console.state != "released" and request.get("to") == "xenconsoled":
            console.tty = self.xenconsoled
        console.state, console.released = "released", request["job"]
        return {"input": base64.b64encode(console.pending).decode(), "port": 2, "ring-ref": console.domid}, None

    def take(self, console, request):
        if console.state == "serving" and console.taken != request["job"]:
            raise Refused("WrongState", "its console is being served already")
        if console.state != "serving":
            console.typed += base64.b64decode(request["input"])
        console.state, console.taken, console.tty = "serving", request["job"], ""
        return {}, None

    def attach(self, console, request):
        if request["exclusive"] and console.writer():
            raise Refused("Busy", "another client may type")
        leader, follower = pty.openpty()
        tty.setraw(follower)
        os.set_blocking(leader, False)
        client = Client(console, leader, request["read-only"] or console.is_held(), request["exclusive"])
        console.clients.append(client)
        self.selector.register(leader, selectors.EVENT_READ, lambda *_: self.on_typed(client))
        replay = bytes(console.log[-request["replay"]:]) if request["replay"] else b""
        if replay:
            os.write(leader, replay)
        return {"writer": console.writer() is client}, follower

    def on_typed(self, client):
        try:
            data = os.read(client.leader, CHUNK)
        except OSError:
            data = b""
        if not data:
            self.detach(client)
        elif client.console.writer() is client:
            client.console.typed += data
            if self.guest:
                self.output(client.console, self.guest(client.console.domid, data))

    def detach(self, client):
        self.selector.unregister(client.leader)
        os.close(client.leader)
        client.console.clients.remove(client)
        self.announce(client.console)

    def take_early(self, console, request):
        data = base64.b64decode(request["data"], validate=True)
        if request["offset"] == 0:
            console.parts = b""
        if request["offset"] != len(console.parts):
            raise Refused("WrongState", "another part is to come")
        console.parts += data
        if len(console.parts) == request["size"] and not console.early:
            console.log[:0] = console.parts
            console.dropped += request["dropped"]
            console.early = True
        return {}, None

    def open_log(self, console, request):
        end, own = os.pipe()
        os.set_blocking(own, False)
        reader = LogReader(console, own, console.log, request["follow"] and console.domid in self.consoles)
        console.readers.append(reader)
        self.selector.register(own, selectors.EVENT_WRITE, lambda *_: self.on_log(reader))
        return {"size": len(console.log)}, end

    def on_log(self, reader):
        """The pipe takes more; what there is not yet comes with the next output."""
        try:
            while reader.rest:
                del reader.rest[:os.write(reader.end, reader.rest[:CHUNK])]
        except BlockingIOError:
            return
        except OSError:
            reader.rest.clear()
            reader.follow = False
        if not reader.follow:
            self.close_log(reader)
        else:
            self.selector.unregister(reader.end)

    def close_log(self, reader):
        if reader.end in self.selector.get_map():
            self.selector.unregister(reader.end)
        os.close(reader.end)
        reader.console.readers.remove(reader)

    def output(self, console, data):
        console.log += data
        del console.log[:-LOG_MAX]
        for client in console.clients:
            try:
                os.write(client.leader, data)
            except BlockingIOError:
                pass    # it is too slow, and misses that
        for reader in [reader for reader in console.readers if reader.follow]:
            reader.rest += data
            if reader.end not in self.selector.get_map():
                self.selector.register(reader.end, selectors.EVENT_WRITE, lambda *_, reader=reader: self.on_log(reader))

    def close_console(self, console):
        for client in console.clients[:]:
            self.selector.unregister(client.leader)
            os.close(client.leader)
        for reader in console.readers[:]:
            self.close_log(reader)
        console.clients.clear()
