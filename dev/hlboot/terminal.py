# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine's console at a socket, and later the user's terminal at its other end.

QEMU's own stdio would show all of the boot, hundreds of lines, with what one needs to know above them. The serial
log is written here, too: QEMU's own has bytes twice that it had to offer twice, where we were slow to take them.
"""
import os
import select
import sys
import termios
import tty

from errors import USAGE, BootError
from port import Port

KEPT = 1 << 16
LOOK_SECONDS = 0.2


def check():
    """A BootError where there is no terminal to be given to the machine."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BootError("--interactive: standard input and output must be a terminal", USAGE)


class Terminal:
    """The console, of which the last bytes are kept, and all are written to a log."""

    def __init__(self, path, log):
        self._port = Port(path)
        self._log = open(log, "wb", buffering=0)
        self._over = False
        self.seen = b""         # the last of what came

    def close(self):
        """Ends the connection."""
        self._port.close()
        self._log.close()

    def poll(self):
        """Takes in what has come; gives it back."""
        more = self._port.receive(KEPT)
        if more is None:
            return b""
        self._over = not more
        self._log.write(more)
        self.seen = (self.seen + more)[-KEPT:]
        return more

    def relay(self, shown, running):
        """Shows `shown` and all that comes from now on, and passes on what is typed; until the machine ends."""
        before = termios.tcgetattr(sys.stdin)
        try:
            # What was typed already counts, too.
            tty.setraw(sys.stdin, termios.TCSADRAIN)
            _write(shown)
            while not self._over and running():
                ready, _, _ = select.select([self._port, sys.stdin], [], [], LOOK_SECONDS)
                if self._port in ready:
                    _write(self.poll())
                if sys.stdin in ready:
                    self._type(os.read(sys.stdin.fileno(), 1024))
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

    def _type(self, text):
        try:
            self._port.send(text)
        except ConnectionError:
            self._over = True


def _write(text):
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()
