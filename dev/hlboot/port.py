# SPDX-License-Identifier: LGPL-2.1-or-later
"""A port of the machine: a socket that hlboot listens at, and QEMU connects."""
import socket


class Port:
    """Bytes to and from the machine; nothing waits but send()."""

    def __init__(self, path):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(1)
        self._listener.setblocking(False)
        self._connection = None

    def close(self):
        """Ends the connection."""
        for end in (self._connection, self._listener):
            if end is not None:
                end.close()

    def fileno(self):
        """For select()."""
        return self._connection.fileno()

    def receive(self, most):
        """Returns what has come; None: nothing, b"": the machine has closed it."""
        if self._connection is None:
            try:
                self._connection, _ = self._listener.accept()
            except BlockingIOError:
                return None
            self._connection.setblocking(False)
        try:
            return self._connection.recv(most)
        except BlockingIOError:
            return None
        except ConnectionError:
            return b""

    def send(self, text):
        """Sends all of it."""
        self._connection.setblocking(True)
        try:
            self._connection.sendall(text)
        finally:
            self._connection.setblocking(False)
