# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands in the control domain, over its second serial port.

The other end is dev/images/control/agent, which says how the lines look.
"""
import base64
import binascii
import re
import socket

READY = "hl-agent: ready"
BEGIN = re.compile(r"hl-agent: begin (\d+)$")
END = re.compile(r"hl-agent: end (\d+) (\d+)$")


class Agent:
    """Listens at a socket to which QEMU connects the port."""

    def __init__(self, path):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(1)
        self._listener.setblocking(False)
        self._port = None
        self._pending = ""
        self._next = 1
        self._open = None       # id of the answer whose lines come now
        self._body = []
        self.ready = False
        self.answers = {}

    def close(self):
        """Ends the connection."""
        for end in (self._port, self._listener):
            if end is not None:
                end.close()

    def poll(self):
        """Takes in what has come."""
        if self._port is None:
            try:
                self._port, _ = self._listener.accept()
            except BlockingIOError:
                return
            self._port.setblocking(False)
        try:
            more = self._port.recv(65536)
        except (BlockingIOError, ConnectionError):
            return
        self._pending += more.decode("ascii", "replace")
        *lines, self._pending = self._pending.split("\n")
        for line in lines:
            self._line(line.strip("\r\0 "))

    def _line(self, line):
        begin, end = BEGIN.search(line), END.search(line)
        if line.endswith(READY):
            self.ready = True
        elif begin:
            self._open, self._body = int(begin[1]), []
        elif end and self._open == int(end[1]):
            self.answers[self._open] = (int(end[2]), self._decode())
            self._open = None
        elif self._open is not None:
            self._body.append(line)

    def _decode(self):
        try:
            return base64.b64decode("".join(self._body), validate=True).decode("utf-8", "replace")
        except binascii.Error as error:
            return f"hlboot: the serial port garbled this answer: {error}"

    def send(self, command):
        """Has a command run; its answer will stand in answers[the id given back]."""
        number = self._next
        self._next += 1
        line = f"{number} {base64.b64encode(command.encode()).decode()}\n"
        self._port.setblocking(True)
        self._port.sendall(line.encode())
        self._port.setblocking(False)
        return number
