# SPDX-License-Identifier: LGPL-2.1-or-later
"""A xenstored for tests: the wire protocol over a socket, and a tree in memory.

libxenstore connects to it as to the real one.  What it adds are knobs: conflicts
to come, calls that fail, a log of what was asked.
"""

import errno
import os
import socket
import struct
import threading
import time

HEADER = struct.Struct("<IIII")

(CONTROL, DIRECTORY, READ, GET_PERMS, WATCH, UNWATCH, TRANSACTION_START, TRANSACTION_END,
 INTRODUCE, RELEASE, GET_DOMAIN_PATH, WRITE, MKDIR, RM, SET_PERMS, WATCH_EVENT, ERROR,
 IS_DOMAIN_INTRODUCED) = range(18)


class StoreError(Exception):
    def __init__(self, number):
        super().__init__(errno.errorcode[number])
        self.name = errno.errorcode[number]


def fail(number):
    raise StoreError(number)


def parent(path):
    return path.rsplit("/", 1)[0] or "/"


def covers(watched, path):
    return path == watched or path.startswith(watched + "/")


class Tree:
    """Nodes by path: value and permissions ("n0", "r5"), new ones as their parent's."""

    def __init__(self, nodes=None):
        self.nodes = dict(nodes) if nodes else {"/": (b"", ["n0"])}
        self.changed = []
        self.base = None            # of a transaction: the nodes it began with

    def make(self, path):
        if path in self.nodes:
            return
        self.make(parent(path))
        self.nodes[path] = (b"", self.nodes[parent(path)][1])

    def write(self, path, value):
        self.make(path)
        self.nodes[path] = (value, self.nodes[path][1])
        self.changed.append(path)

    def read(self, path):
        return self.nodes[path][0] if path in self.nodes else fail(errno.ENOENT)

    def remove(self, path):
        if path not in self.nodes:
            # As xenstored does: no error where the parent is there.
            return None if parent(path) in self.nodes else fail(errno.ENOENT)
        self.nodes = {p: n for p, n in self.nodes.items() if not covers(path, p)}
        self.changed.append(path)

    def set_perms(self, path, perms):
        self.nodes[path] = (self.read(path), perms)
        self.changed.append(path)

    def children(self, path):
        self.read(path)
        prefix = "" if path == "/" else path
        return sorted(p[len(prefix) + 1:] for p in self.nodes
                      if p != "/" and parent(p) == path)


class Connection:
    def __init__(self, server, sock):
        self.server = server
        self.sock = sock
        self.watches = []
        self.transactions = {}
        self.next_transaction = 1

    def send(self, kind, request, transaction, payload):
        header = HEADER.pack(kind, request, transaction, len(payload))
        try:
            self.sock.sendall(header + payload)
        except OSError:
            pass

    def receive(self, size):
        data = b""
        while len(data) < size:
            part = self.sock.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def serve(self):
        try:
            while True:
                kind, request, transaction, size = HEADER.unpack(self.receive(HEADER.size))
                payload = self.receive(size)
                self.server.await_turn()
                with self.server.lock:
                    self.one(kind, request, transaction, payload)
        except (EOFError, OSError):
            pass

    def one(self, kind, request, transaction, payload):
        if self.server.nonsense:
            self.sock.sendall(bytes(range(200, 240)) * 20)
            return
        try:
            reply = self.server.handle(self, kind, transaction, payload)
        except StoreError as error:
            self.send(ERROR, request, transaction, error.name.encode() + b"\0")
            return
        self.send(kind, request, transaction, reply)
        self.server.fire_pending()


class Xenstored:
    longest_value = 3000        # with path and header in one packet of 4096

    def __init__(self, path, self_domid=0):
        self.path = str(path)
        self.self_domid = self_domid
        self.lock = threading.RLock()
        self.tree = Tree()
        self.introduced = {}
        self.connections = []
        self.conflicts = 0          # so many commits end in EAGAIN
        self.failures = {}          # path: errno, of writes there
        self.unreadable = {}        # path: errno, of reads
        self.refuse_watches = 0     # so many watches of domains that come and go fail
        self.backlog = 128          # connections that wait to be taken
        self.accepting = threading.Event()
        self.accepting.set()
        self.refuse_introduce = []  # errnos of the next introductions
        self.pending = []           # paths whose watches fire after the reply
        self.log = []               # (kind, path or domid)
        self.hang_after = None      # so many more requests are answered; None: all
        self.running = threading.Event()
        self.running.set()
        self.nonsense = False       # instead of answers
        self.accepted = 0
        self.commits = 0
        self.listener = None
        self.become(self_domid)

    def become(self, domid):
        """The domain at whose end of the socket we are."""
        self.self_domid = domid
        self.introduced = {domid: None}
        self.tree = Tree()
        self.tree.write(f"/local/domain/{domid}/domid", str(domid).encode())
        self.tree.changed = []

    def start(self):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(self.backlog)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()
        return self

    def accept(self, listener):
        while True:
            self.accepting.wait()
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            connection = Connection(self, sock)
            self.connections.append(connection)
            threading.Thread(target=connection.serve, daemon=True).start()

    def stop(self):
        """As when it dies: the socket's file stays."""
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        for connection in self.connections:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.sock.close()
        self.connections = []

    # What tests do

    def await_turn(self):
        """As if stopped by a signal: connections are taken, requests wait."""
        if self.hang_after is not None:
            if self.hang_after == 0:
                self.running.clear()
            else:
                self.hang_after -= 1
        self.running.wait()

    def pause_accepting(self):
        before = self.accepted
        self.accepting.clear()
        # The thread may wait for one more already; it is given one, which else stays in the queue.
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(self.path)
            time.sleep(0.3)
        assert self.accepted <= before + 1

    def resume_accepting(self):
        self.accepting.set()

    def hangs(self):
        return not self.running.is_set()

    def resume(self):
        self.hang_after = None
        self.running.set()

    def write(self, path, value):
        with self.lock:
            self.tree.write(path, value.encode() if isinstance(value, str) else value)
            self.fire_changes(self.tree)
            self.fire_pending()

    def remove(self, path):
        with self.lock:
            self.tree.remove(path)
            self.fire_changes(self.tree)
            self.fire_pending()

    def read(self, path):
        with self.lock:
            node = self.tree.nodes.get(path)
            return None if node is None else node[0].decode()

    def perms(self, path):
        with self.lock:
            return self.tree.nodes[path][1]

    def set_perms(self, path, perms):
        with self.lock:
            self.tree.set_perms(path, perms)

    def below(self, path):
        with self.lock:
            return {p[len(path) + 1:]: v[0].decode() for p, v in self.tree.nodes.items()
                    if p.startswith(path + "/")}

    def introduce(self, domid):
        with self.lock:
            self.introduced[domid] = None
            self.pending.append("@introduceDomain")
            self.fire_pending()

    def release(self, domid):
        with self.lock:
            self.introduced.pop(domid, None)
            self.pending.append("@releaseDomain")
            self.fire_pending()

    # The protocol

    def fire_changes(self, tree):
        self.pending += tree.changed
        tree.changed = []

    def fire_pending(self):
        pending, self.pending = self.pending, []
        for path in pending:
            for connection in self.connections:
                for watched, token in connection.watches:
                    if covers(watched, path) or covers(path, watched):
                        shown = path if covers(watched, path) else watched
                        connection.send(WATCH_EVENT, 0, 0,
                                        shown.encode() + b"\0" + token + b"\0")

    def absolute(self, path):
        text = path.decode()
        if text.startswith(("/", "@")):
            return text
        return f"/local/domain/{self.self_domid}/{text}"

    def handle(self, connection, kind, transaction, payload):
        parts = payload.split(b"\0")
        tree = self.tree
        if transaction:
            tree = connection.transactions.get(transaction) or fail(errno.ENOENT)
        if kind in (TRANSACTION_START, TRANSACTION_END):
            return self.transaction(connection, kind, transaction, parts[0])
        if kind in (INTRODUCE, RELEASE, IS_DOMAIN_INTRODUCED, GET_DOMAIN_PATH):
            return self.domain(kind, parts)
        path = self.absolute(parts[0])
        self.log.append((kind, path))
        if kind in (WATCH, UNWATCH):
            return self.watch(connection, kind, path, parts[1])
        reply = self.node(tree, kind, path, payload[len(parts[0]) + 1:])
        if not transaction:
            self.fire_changes(tree)
        return reply

    def transaction(self, connection, kind, number, answer):
        if kind == TRANSACTION_START:
            number = connection.next_transaction
            connection.next_transaction += 1
            tree = connection.transactions[number] = Tree(self.tree.nodes)
            tree.base = dict(self.tree.nodes)
            return str(number).encode() + b"\0"
        tree = connection.transactions.pop(number, None) or fail(errno.ENOENT)
        if answer == b"T":
            if self.tree.nodes != tree.base:
                fail(errno.EAGAIN)
            if self.conflicts > 0:
                self.conflicts -= 1
                fail(errno.EAGAIN)
            self.tree.nodes = tree.nodes
            self.commits += 1
            self.fire_changes(tree)
        return b"OK\0"

    def domain(self, kind, parts):
        domid = int(parts[0])
        if kind != IS_DOMAIN_INTRODUCED:
            self.log.append((kind, domid))
        if kind == IS_DOMAIN_INTRODUCED:
            return b"T\0" if domid in self.introduced else b"F\0"
        if kind == GET_DOMAIN_PATH:
            return f"/local/domain/{domid}".encode() + b"\0"
        if kind == INTRODUCE:
            if self.refuse_introduce:
                fail(self.refuse_introduce.pop(0))
            self.introduced[domid] = (int(parts[1]), int(parts[2]))
            self.pending.append("@introduceDomain")
        else:
            self.introduced.pop(domid, None)
            self.pending.append("@releaseDomain")
        return b"OK\0"

    def watch(self, connection, kind, path, token):
        if kind == UNWATCH:
            if (path, token) not in connection.watches:
                fail(errno.ENOENT)
            connection.watches.remove((path, token))
            return b"OK\0"
        if path.startswith("@") and self.refuse_watches > 0:
            self.refuse_watches -= 1
            fail(errno.ENOSPC)
        if (path, token) in connection.watches:
            fail(errno.EEXIST)
        connection.watches.append((path, token))
        self.pending.append(path)
        return b"OK\0"

    def node(self, tree, kind, path, rest):
        if kind in (WRITE, MKDIR, RM, SET_PERMS) and path in self.failures:
            fail(self.failures[path])
        if kind == READ and path in self.unreadable:
            fail(self.unreadable[path])
        if kind == READ:
            return tree.read(path)
        if kind == DIRECTORY:
            return b"".join(c.encode() + b"\0" for c in tree.children(path))
        if kind == GET_PERMS:
            tree.read(path)
            return b"".join(p.encode() + b"\0" for p in tree.nodes[path][1])
        if kind == WRITE:
            tree.write(path, rest)
        elif kind == MKDIR:
            tree.make(path)
        elif kind == RM:
            tree.remove(path)
        elif kind == SET_PERMS:
            tree.set_perms(path, [p.decode() for p in rest.split(b"\0") if p])
        else:
            fail(errno.ENOSYS)
        return b"OK\0"
