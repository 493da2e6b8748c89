# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands in the control domain, over its second serial port.

The other end is dev/images/control/agent, which says how the lines look.
"""
import base64
import binascii
import re

from port import Port

READY = "hl-agent: ready"
BEGIN = re.compile(r"hl-agent: begin (\d+)$")
END = re.compile(r"hl-agent: end (\d+) (\d+)$")


class Agent:
    """The control domain's end of the port is a program that runs commands."""

    def __init__(self, path):
        self._port = Port(path)
        self._pending = ""
        self._next = 1
        self._open = None       # id of the answer whose lines come now
        self._body = []
        self.ready = False
        self.answers = {}

    def close(self):
        """Ends the connection."""
        self._port.close()

    def poll(self):
        """Takes in what has come."""
        self._pending += (self._port.receive(65536) or b"").decode("ascii", "replace")
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
        self._port.send(line.encode())
        return number
