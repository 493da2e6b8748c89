# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines take turns: emulation starves where more run than there are processors for.

One for each two processors of this host, or as many as HL_MACHINES says.  A turn
ends with the process that has it; its file says who that is.
"""
import fcntl
import os
import sys
import time

from errors import TIMED_OUT, USAGE, BootError

CPUS_PER_MACHINE = 2
LOOK_SECONDS = 0.2


def room():
    """How many machines may run at once."""
    asked = os.environ.get("HL_MACHINES")
    if not asked:
        return max(1, len(os.sched_getaffinity(0)) // CPUS_PER_MACHINE)
    if not asked.isascii() or not asked.isdigit() or int(asked) == 0:
        raise BootError(f"HL_MACHINES: '{asked}' is no number of machines, from 1 on", USAGE)
    return int(asked)


class Turn:
    """Held from take() to release()."""

    def __init__(self, folder=None):
        self._folder = folder or os.path.join(os.environ["HL_CACHE"], "lock")
        self._file = None

    def _try(self, path, holder):
        """Whether the turn at `path` is ours now; if not, who has it: empty, while that is being written."""
        candidate = open(path, "a+", encoding="utf-8")
        try:
            fcntl.flock(candidate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with candidate:
                candidate.seek(0)
                return False, candidate.read().strip()
        candidate.truncate(0)
        candidate.write(f"{holder} (process {os.getpid()})\n")
        candidate.flush()
        self._file = candidate
        return True, None

    def _try_all(self, slots, holder):
        """Who has the turns; nobody: one is ours now."""
        holders = []
        for slot in range(slots):
            taken, by = self._try(os.path.join(self._folder, f"machine-{slot}"), holder)
            if taken:
                return []
            holders.append(by)
        return holders

    def take(self, holder, patience):
        """Waits until fewer machines run than there is room for.

        holder: what others are told that they wait for.  patience: seconds; BootError when they are over.
        """
        slots = room()
        os.makedirs(self._folder, exist_ok=True)
        deadline = time.monotonic() + patience
        told = set()
        while holders := self._try_all(slots, holder):
            names = ", ".join(name or "another machine" for name in holders)
            if time.monotonic() > deadline:
                raise BootError(f"timed out after {patience:g} s, waiting for the turn of: {names} "
                                f"(machines at once: {slots}; HL_MACHINES is another number)", TIMED_OUT)
            if set(filter(None, holders)) - told:
                print(f"hlboot: waiting for the turn of: {names}", file=sys.stderr, flush=True)
                told = set(holders)
            time.sleep(LOOK_SECONDS)

    def release(self):
        """The next one's turn."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None
