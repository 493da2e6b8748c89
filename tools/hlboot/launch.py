# SPDX-License-Identifier: LGPL-2.1-or-later
"""A launch, linked: its LCM, the modules in order, and what it asks for."""
import json
import os
import subprocess

from errors import FAILED, LAUNCH_FAILED, USAGE, BootError

CONTROL_RAMDISK = "control.cpio.gz"
RAM_CONTROL_RAMDISK = "control-ram.cpio.gz"
RAM_FLOOR, RAM_CEILING, RAM_SPARE = 3 << 30, 8 << 30, 1 << 30


def _boots(domain, *ramdisks):
    """Whether one of the domain's modules is one of these files."""
    return any(os.path.basename(module["file"] or "") in ramdisks for module in domain["modules"])


class Launch:
    """What lcmtool made of a source LCM.

    lcm: path of the linked blob; modules: paths in the order of the chain, from
    index 1; domains: what the LCM says of each.
    """

    def __init__(self, lcm, modules, domains):
        self.lcm, self.modules, self.domains = lcm, modules, domains

    def has_agent(self):
        """Whether the domain with the second serial port boots the control domain's image."""
        return any("hardware" in domain["permission_names"] and _boots(domain, CONTROL_RAMDISK, RAM_CONTROL_RAMDISK)
                   for domain in self.domains)

    def toolstack(self):
        """The name of the domain that boots the control domain's image, may control others, and has
        the serial port over which it is asked; or None."""
        return next((domain["name"] for domain in self.domains
                     if {"control", "hardware"} <= set(domain["permission_names"])
                     and _boots(domain, CONTROL_RAMDISK, RAM_CONTROL_RAMDISK)), None)

    def reporter(self):
        """The name of a control domain that has no such port, and reports by itself; or None."""
        return next((domain["name"] for domain in self.domains
                     if "control" in domain["permission_names"] and "hardware" not in domain["permission_names"]
                     and _boots(domain, RAM_CONTROL_RAMDISK)), None)

    def ram(self):
        """Bytes of memory for a machine that is to run this."""
        asked = sum(domain.get("memory_kib", 0) for domain in self.domains) << 10
        return min(max(asked + RAM_SPARE, RAM_FLOOR), RAM_CEILING)

    def chain(self):
        """(file, string) for each boot module; the LCM is the first."""
        return [(self.lcm, "")] + [(path, "") for path in self.modules]


def _lcmtool(*words):
    try:
        return subprocess.run(["lcmtool", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        raise BootError("no lcmtool on PATH; run this through ./shell hlboot") from None


def link(source, search, folder):
    """Has lcmtool link `source`, with `search` as the places of its files."""
    if not os.path.isfile(source):
        raise BootError(f"{source}: no such file", USAGE)
    words = ["link", source, "--output", folder]
    for place in search:
        words += ["--modules", place]
    done = _lcmtool(*words)
    if done.returncode:
        # An LCM with an error in it is a launch that failed; all else is not.
        code = {1: LAUNCH_FAILED, 2: USAGE}.get(done.returncode, FAILED)
        raise BootError(done.stderr.strip() or f"lcmtool link failed with exit code {done.returncode}", code)
    lcm = os.path.join(folder, "launch.dtb")
    with open(os.path.join(folder, "modules"), encoding="utf-8") as listing:
        # index, path, SHA-256, size
        modules = [line.split("\t")[1] for line in listing if line.strip()]
    # The source names files where the linked LCM has numbers.
    shown = _lcmtool("show", "--format", "json", source)
    if shown.returncode:
        raise BootError(f"lcmtool show: {shown.stderr.strip()}")
    return Launch(lcm, modules, json.loads(shown.stdout).get("domains", []))
