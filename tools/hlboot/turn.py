# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines take turns: emulation starves where more run than there are processors for.

One for each two processors of this host, or as many as HL_MACHINES says.  A turn
ends with the process that has it.
"""
import fcntl
import os
import sys
import time

CPUS_PER_MACHINE = 2


class Turn:
    """Held from take() to release()."""

    def __init__(self):
        self._file = None

    def _try(self, folder, slots):
        for slot in range(slots):
            candidate = open(os.path.join(folder, f"machine-{slot}"), "w", encoding="ascii")
            try:
                fcntl.flock(candidate, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                candidate.close()
                continue
            self._file = candidate
            return True
        return False

    def take(self):
        """Waits until fewer machines run than there is room for."""
        folder = os.path.join(os.environ["HL_CACHE"], "lock")
        os.makedirs(folder, exist_ok=True)
        slots = int(os.environ.get("HL_MACHINES") or max(1, len(os.sched_getaffinity(0)) // CPUS_PER_MACHINE))
        told = False
        while not self._try(folder, slots):
            if not told:
                print("hlboot: another machine runs; waiting for it to end", file=sys.stderr, flush=True)
                told = True
            time.sleep(0.2)

    def release(self):
        """The next one's turn."""
        if self._file is not None:
            self._file.close()
            self._file = None
