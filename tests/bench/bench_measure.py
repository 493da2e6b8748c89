# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boots all set-ups and takes the figures out of their logs.  Seconds of virtual time throughout."""
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bench_cost import Bytes, growth, per_domain
from bench_setups import GUEST_MIB, STARTED

MANY = 31               # guests beside the hardware domain: an LCM's limit
MANY_RAM_MIB = 6144
# The number of guests that targets are about; there a kernel unpacked beforehand is tried as well.
COMPARED = 8


def xl(setups, guests, order, kernel="vmlinuz"):
    """One boot of the peer."""
    log = setups.peer(guests, order, kernel)
    toolstack = log.cpu("done")[0] - log.cpu("ready")[0]
    return {"ready": log.marks("ready")[0], "started": max(log.marks("created")), "up": max(log.up().values()),
            "cpu_per_guest": toolstack / guests}


def xl_rows(setups, numbers):
    """Every boot of the peer, by number of guests and way."""
    rows = {}
    for guests in numbers:
        rows[guests] = {"serial": xl(setups, guests, "serial")}
        # One guest is the same both ways.
        rows[guests]["parallel"] = xl(setups, guests, "parallel") if guests > 1 else rows[guests]["serial"]
        if guests == COMPARED:
            rows[guests]["unpacked"] = xl(setups, guests, "serial", "vmlinux")
    return rows


def launch(setups, name, guests, **options):
    """One boot of ours."""
    log = setups.launched(name, guests, **options)
    return {"started": log.started(), "up": max(log.up().values())}


def phases(log):
    """Where Xen's time goes until the domains start, as [what, seconds]."""
    digested = log.digested()
    stamps = [log.launch("building"), digested[-1][1], log.stamp_of("Building a PV Dom0"), log.built()[0][1],
              log.built()[-1][1], log.started()]
    names = [f"digests of {sum(size for size, _ in digested)} bytes", "unpacking the kernel",
             "building the hardware domain", f"building {len(log.built()) - 1} guests", "linking and starting"]
    return [["Xen itself", stamps[0]]] + [[name, later - earlier]
                                          for name, earlier, later in zip(names, stamps, stamps[1:])]


def many(setups, guests):
    """A launch with many guests, all held: what each of them costs, and Xen's phases."""
    def over(text):
        return "hyperlaunch: complete" in text and STARTED.search(text)
    return setups.launched("many", guests, until=over, guests_held=True, ram_mib=MANY_RAM_MIB)


def one_guest(setups, log, words):
    """What one more guest costs, and what it costs at the least."""
    costs = per_domain(log.built())
    least = Bytes(words, GUEST_MIB, setups.image("vmlinux"), setups.image("guest.cpio"))
    return {"cost": sum(costs) / len(costs), "growth": growth(costs), "least": least.least(),
            "scrubbed_mib": least.scrubbed_mib, "copied_mib": least.copied_mib,
            "clear_per_mib": least.clear, "copy_per_mib": least.copy}


def floor(setups, idle):
    """Xen's own start, the hardware domain's own boot, and a guest's own boot, each alone on the machine."""
    alone = launch(setups, "alone", 1, hardware_held=True)
    return {"xen": idle.started(), "hardware": idle.marks("ready")[0] - idle.started(),
            "guest": alone["up"] - alone["started"]}


def boot_all(setups, numbers, compared, guests):
    """Every boot that the figures are taken from, each once, as many side by side as there are processors:
    virtual time does not notice."""
    alone = {1, compared}
    boots = [setups.idle, partial(many, setups, guests), partial(setups.classic, False), partial(setups.classic, True),
             *(partial(launch, setups, "alone", number, hardware_held=True) for number in alone),
             *(partial(launch, setups, "all", number) for number in numbers),
             *(partial(xl_rows, setups, [number]) for number in reversed(numbers))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for boot in [pool.submit(boot) for boot in boots]:
            boot.result()


def measure(setups, numbers, quick=False):
    """All figures, as JSON has them."""
    compared = COMPARED if COMPARED in numbers else numbers[0]
    boot_all(setups, numbers, compared, 4 if quick else MANY)
    idle = setups.idle()
    log = many(setups, 4 if quick else MANY)
    return {
        "numbers": numbers, "compared": compared,
        "classic": {"stock": setups.classic(False).started(), "ours": setups.classic(True).started()},
        "phases": phases(log),
        "guest": one_guest(setups, log, idle.words("bytes")),
        "floor": floor(setups, idle),
        "launch": {guests: launch(setups, "all", guests) for guests in numbers},
        "launch_alone": launch(setups, "alone", compared, hardware_held=True),
        "xl": xl_rows(setups, numbers),
    }
