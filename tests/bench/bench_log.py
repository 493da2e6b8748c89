# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a serial log says, in seconds on Xen's clock."""
import re

_STAMP = r"\[ *(\d+\.\d+)\]"
_XEN = re.compile(rf"\(XEN\) {_STAMP} (.*)")
_UP = re.compile(rf"\(d(\d+)\) {_STAMP} BENCH-UP")
_MARK = re.compile(r"^BENCH (\S+) (\d+)(?: (.*))?$", re.M)
_CPU = re.compile(r"^BENCH (\S+) cpu (\d+) (\d+)$", re.M)
_MODULE = re.compile(r"hyperlaunch: module (\d+): (\d+) bytes")
_BUILT = re.compile(r"hyperlaunch: d(\d+) \"")
_START = re.compile(r"Freed \d+kB init memory")
_SYNC = re.compile(r"TSC (not marked|marked|has constant)")


class Log:
    """A whole log, and its text; what it does not say is None, or empty."""

    def __init__(self, text):
        self.text = text
        self._lines = [(float(stamp), line) for stamp, line in _XEN.findall(text)]

    def stamp_of(self, pattern):
        """When Xen first printed a line that matches."""
        return next((stamp for stamp, line in self._lines if re.search(pattern, line)), None)

    def started(self):
        """When Xen was done and domains began to run."""
        return self.stamp_of(_START)

    def up(self):
        """When each guest was in user space, by domid."""
        return {int(domid): float(stamp) for domid, stamp in _UP.findall(self.text)}

    def _offset(self):
        """Xen's clock less the control domain's."""
        synced = [int(ns) for name, ns, _ in _MARK.findall(self.text) if name == "ready"]
        stamps = [stamp for stamp, line in self._lines if _SYNC.match(line)]
        # Xen says something alike when it starts.
        return stamps[-1] - synced[0] / 1e9

    def marks(self, name):
        """The times of the control domain's marks of a name."""
        offset = self._offset()
        return [int(ns) / 1e9 + offset for mark, ns, _ in _MARK.findall(self.text) if mark == name]

    def words(self, name):
        """The words of the first mark of a name."""
        return next(words.split() for mark, _, words in _MARK.findall(self.text) if mark == name)

    def cpu(self, name):
        """The processor time of each domain, in seconds, at a mark."""
        return {int(domid): int(ns) / 1e9 for mark, domid, ns in _CPU.findall(self.text) if mark == name}

    def digested(self):
        """(bytes, when it was done) for each module."""
        return [(int(found[2]), stamp) for stamp, line in self._lines if (found := _MODULE.search(line))]

    def built(self):
        """When each domain was built, in the order of building: (domid, time)."""
        return [(int(found[1]), stamp) for stamp, line in self._lines if (found := _BUILT.search(line))]

    def launch(self, state):
        """When the launch came to that state."""
        return self.stamp_of(f"hyperlaunch: {state}$")
