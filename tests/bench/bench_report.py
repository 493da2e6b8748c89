# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the figures come to: a table, and each target with what was reached."""


class Target:
    """A ratio that is to be at least, or at most, so much."""

    def __init__(self, what, value, bound, at_least):
        self.what, self.value, self.bound, self.at_least = what, value, bound, at_least
        self.met = value >= bound if at_least else value <= bound

    def line(self):
        """For people."""
        sign = ">=" if self.at_least else "<="
        return f"{'ok  ' if self.met else 'MISS'}  {self.value:8.3f}  ({sign} {self.bound})  {self.what}"

    def record(self):
        """For JSON."""
        return {"what": self.what, "value": self.value, "bound": self.bound, "at_least": self.at_least,
                "met": self.met}


def _floors(figures):
    """Xen and the guests alone; and with the hardware domain that boots beside them."""
    part, guests = figures["floor"], figures["compared"]
    alone = part["xen"] + guests * part["guest"]
    return alone, alone + part["hardware"]


def targets(figures):
    """Each target of the benchmark."""
    guests = figures["compared"]
    peer, ours, alone = figures["xl"][guests], figures["launch"][guests], figures["launch_alone"]
    cost, classic = figures["guest"], figures["classic"]
    bare, whole = _floors(figures)
    return [
        Target(f"the last of {guests} guests starts sooner than with xl, one after the other",
               peer["serial"]["started"] / ours["started"], 12, True),
        Target(f"the last of {guests} guests starts sooner than with xl, all at once",
               peer["parallel"]["started"] / ours["started"], 5, True),
        Target(f"all {guests} in user space sooner than with xl, one after the other",
               peer["serial"]["up"] / ours["up"], 1.4, True),
        Target(f"all {guests} in user space against the floor: Xen's start and the boots of all domains",
               ours["up"] / whole, 1.03, False),
        Target(f"the same, the hardware domain held: Xen's start and the boots of {guests} guests",
               alone["up"] / bare, 1.03, False),
        Target("seconds of CPU for one more guest with a shared kernel", cost["cost"], 0.1, False),
        Target("the same against scrubbing and copying its bytes", cost["cost"] / cost["least"], 1.3, False),
        Target("the last guests of a launch with many against the first ones", cost["growth"], 1.05, False),
        Target("a classic boot until dom0 starts, against stock Xen", classic["ours"] / classic["stock"], 1.005, False),
    ]


def _rows(figures):
    for guests in figures["numbers"]:
        ours = figures["launch"][guests]
        yield guests, "launch", ours["started"], ours["up"], None
        for way, name in (("serial", "xl, one after the other"), ("parallel", "xl, all at once"),
                          ("unpacked", "xl, kernel unpacked beforehand")):
            if way in figures["xl"][guests]:
                peer = figures["xl"][guests][way]
                yield guests, name, peer["started"], peer["up"], peer["cpu_per_guest"]


def table(figures):
    """Lines for people."""
    lines = [f"{'N':>3}  {'way':32}{'last starts':>12}{'all up':>9}{'CPU per guest':>15}"]
    for guests, way, started, up, cpu in _rows(figures):
        cpu = f"{figures['guest']['cost'] if cpu is None else cpu:.3f}"
        lines.append(f"{guests:3}  {way:32}{started:12.3f}{up:9.2f}{cpu:>15}")
    return lines


def details(figures):
    """Where the time goes."""
    cost, part = figures["guest"], figures["floor"]
    bare, whole = _floors(figures)
    lines = [f"{seconds:9.3f}  {what}" for what, seconds in figures["phases"]]
    lines += [
        f"{cost['cost']:9.4f}  one more guest; at the least {cost['least']:.4f}:"
        f" {cost['scrubbed_mib']} MiB cleared at {cost['clear_per_mib'] * 1e6:.0f} us,"
        f" {cost['copied_mib']:.1f} MiB copied at {cost['copy_per_mib'] * 1e6:.0f} us each",
        f"{part['xen']:9.3f}  stock Xen until the hardware domain starts",
        f"{part['hardware']:9.3f}  the hardware domain's own boot, until its toolstack is ready",
        f"{part['guest']:9.3f}  a guest's own boot, alone",
        f"{whole:9.3f}  floor for {figures['compared']} guests; {bare:.3f} without the hardware domain's boot;"
        f" with that held the launch takes {figures['launch_alone']['up']:.3f}",
        f"{figures['classic']['stock']:9.6f}  stock Xen until a classic dom0 starts;"
        f" ours {figures['classic']['ours']:.6f}",
    ]
    return lines
