# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is booted: stock Xen with a toolstack, and our Xen with a launch of the same guests."""
import os
import re
import subprocess
import sys
import tempfile
import threading

from bench_boot import RAM_MIB, ROOT
from bench_log import Log

sys.path.insert(0, os.path.join(ROOT, "dev", "hlboot"))
sys.path.insert(0, os.path.join(ROOT, "tests", "xen"))

import launch as linker  # noqa: E402
import lcm  # noqa: E402
from harness import built_images  # noqa: E402

PEER_MIB = 1024
HARDWARE_MIB = 256
GUEST_MIB = 128
GUEST_BOOTARGS = "quiet"
KEEPER_MIB = 8
DOM0_BOOTARGS = "console=hvc0 quiet"
STARTED = re.compile(r"Freed \d+kB init memory")


def _script(*words):
    done = subprocess.run([os.path.join(ROOT, "dev", words[0]), *words[1:]], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def _all_up(guests):
    return lambda text: text.count("BENCH-UP") >= guests


def _source(guests, hardware_held, guests_held):
    """The source LCM of a hardware domain and so many guests that share its kernel."""
    hold = {True: "hold;", False: ""}
    hardware = lcm.dom0(f'"{HARDWARE_MIB}M"', ramdisk="toolstack.cpio.gz", bootargs=DOM0_BOOTARGS,
                        more=hold[hardware_held])
    # Somebody has to be there who could release it; this one halts at once.
    keeper = [lcm.domain("keeper", f'"{KEEPER_MIB}M"', kernel="probe", ramdisk=None, bootargs="idle",
                         more=f"permissions = <{lcm.CONTROL}>;")] * hardware_held
    return lcm.source(hardware, *keeper, *(lcm.domain(f"g{number + 1}", f'"{GUEST_MIB}M"', ramdisk="guest.cpio",
                                             bootargs=GUEST_BOOTARGS, more=hold[guests_held])
                                  for number in range(guests)))


class Setups:
    """Each method boots one set-up and gives its Log."""

    def __init__(self, boots):
        self._boots = boots
        self.images = _script("build-bench-images")
        self._stock = os.path.join(_script("build-xen", "--stock"), "xen")
        self._ours = os.path.join(_script("build-xen"), "xen")
        self._folder = tempfile.TemporaryDirectory(prefix="bench.")
        self._ramdisks = {}
        self._making = threading.Lock()

    def image(self, name):
        """The path of what is booted under that name."""
        return os.path.join(self.images, name)

    def _ramdisk(self, kernel):
        """The toolstack's ramdisk with that kernel for its guests."""
        with self._making:
            if kernel not in self._ramdisks:
                self._ramdisks[kernel] = self._make_ramdisk(kernel)
            return self._ramdisks[kernel]

    def _make_ramdisk(self, kernel):
        path = os.path.join(self._folder.name, f"{kernel}.cpio")
        with open(path, "wb") as out:
            # In this order: Linux finds an archive that is not compressed at a multiple of four only.
            for part in (f"guests-{kernel}.cpio", "toolstack.cpio.gz"):
                with open(self.image(part), "rb") as file:
                    out.write(file.read())
        return path

    def _classic(self, name, until, xen, words="", kernel="vmlinuz", mib=PEER_MIB, ramdisk=None):
        chain = [(self.image("vmlinuz"), f"{DOM0_BOOTARGS} {words}".strip()),
                 (ramdisk or self._ramdisk(kernel), "")]
        return Log(self._boots.run(name, xen, chain, until, [f"dom0_mem={mib}M,max:{mib}M"]))

    def peer(self, guests, order, kernel="vmlinuz"):
        """Stock Xen, where xl starts so many guests."""
        def over(text):
            return _all_up(guests)(text) and f"BENCH done cpu {guests} " in text
        return self._classic(f"peer-{order}-{kernel}-{guests}", over, self._stock,
                             f"bench.guests={guests} bench.order={order}", kernel)

    def idle(self):
        """Stock Xen with the launch's hardware domain, and what clearing and copying costs."""
        return self._classic("stock-idle", lambda text: "BENCH done cpu 0 " in text, self._stock, "bench.bytes",
                             mib=HARDWARE_MIB, ramdisk=self.image("toolstack.cpio.gz"))

    def classic(self, ours):
        """A classic boot until dom0 starts."""
        return self._classic(f"classic-{'ours' if ours else 'stock'}", STARTED.search,
                             self._ours if ours else self._stock)

    def launched(self, name, guests, until=None, hardware_held=False, guests_held=False, ram_mib=RAM_MIB):
        """Our Xen with a launch of a hardware domain and so many guests."""
        folder = os.path.join(self._folder.name, f"{name}-{guests}")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "launch.dts")
        with open(path, "w", encoding="utf-8") as out:
            out.write(_source(guests, hardware_held, guests_held))
        linked = linker.link(path, [self.images, built_images()], os.path.join(folder, "link"))
        return Log(self._boots.run(f"launch-{name}-{guests}", self._ours, linked.chain(), until or _all_up(guests),
                                   ram_mib=ram_mib))
