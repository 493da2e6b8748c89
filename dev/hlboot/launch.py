# SPDX-License-Identifier: LGPL-2.1-or-later
"""A launch, linked: its LCM, the modules in order, and what it asks for."""
import base64
import json
import os
import subprocess

import libfdt
from errors import FAILED, LAUNCH_FAILED, USAGE, BootError

CONTROL_RAMDISK = "control.cpio.gz"
RAM_CONTROL_RAMDISK = "control-ram.cpio.gz"
GUEST_RAMDISKS = ("guest.cpio.gz", "store.cpio.gz", "console.cpio.gz")
RAM_FLOOR, RAM_CEILING, RAM_SPARE = 3 << 30, 8 << 30, 1 << 30
# Linux takes as much, the ending zero included.
COMMAND_LINE_SIZE = 2048


def _boots(domain, *ramdisks):
    """Whether one of the domain's modules is one of these files."""
    return any(os.path.basename(module["file"] or "") in ramdisks for module in domain["modules"])


class Launch:
    """What lcmtool made of a source LCM.

    lcm: path of the linked blob; modules: paths in the order of the chain, from
    index 1; shown: what lcmtool says of the LCM.
    """

    def __init__(self, lcm, modules, shown):
        self.lcm, self.modules = lcm, modules
        self.domains = shown.get("domains", [])
        self.dynamic = shown.get("dynamic", False)

    def _first(self, ramdisks, having=(), lacking=()):
        """The first domain that boots one of these, and has those permissions; or None."""
        return next((domain for domain in self.domains
                     if _boots(domain, *ramdisks) and set(having) <= set(domain["permission_names"])
                     and not set(lacking) & set(domain["permission_names"])), None)

    def port(self):
        """The name of the domain that answers at the second serial port; or None."""
        domain = self._first((CONTROL_RAMDISK, RAM_CONTROL_RAMDISK), having=("hardware",))
        return domain and domain["name"]

    def toolstack(self):
        """The name of a control domain that answers at the second serial port; or None."""
        domain = self._first((CONTROL_RAMDISK, RAM_CONTROL_RAMDISK), having=("control", "hardware"))
        return domain and domain["name"]

    def reporter(self):
        """The name of a control domain that has no such port, and reports by itself; or None."""
        domain = self._first((RAM_CONTROL_RAMDISK,), having=("control",), lacking=("hardware",))
        return None if self.toolstack() else domain and domain["name"]

    def runner(self):
        """The name of the domain that runs commands for us: one with control, where there is one; or None."""
        return (self.toolstack() or self.reporter()) if self.dynamic else self.port()

    def telling(self):
        """The names of the domains that have Xen print READY when they are up: by an I/O port, which PV has not."""
        return {domain["name"] for domain in self.domains
                if _boots(domain, *GUEST_RAMDISKS) and "pv" not in domain["mode_names"]}

    def console_owner(self):
        """The name of the domain that has the Xen console when the launch is complete."""
        for names, wanted in (("function_names", "console"), ("permission_names", "control"),
                              ("permission_names", "hardware")):
            for domain in self.domains:
                if wanted in domain[names]:
                    return domain["name"]
        return self.domains[0]["name"] if self.domains else None

    def ask(self, commands):
        """Has the reporter run these: they are put on its kernel's command line."""
        reporter = next(domain for domain in self.domains if domain["name"] == self.reporter())
        kernel = next(module for module in reporter["modules"] if module["type"] == "kernel")
        words = [f"hl.run={base64.b64encode(command.encode()).decode()}" for command in commands]
        line = " ".join([kernel["bootargs"] or "", *words]).strip()
        if len(line.encode()) >= COMMAND_LINE_SIZE:
            raise BootError(f"--run: the commands for {reporter['name']} do not fit on its kernel's command line, "
                            f"which is where a domain without a serial port gets them", USAGE)
        with open(self.lcm, "rb") as file:
            blob = libfdt.Fdt(file.read())
        blob.resize(blob.totalsize() + len(line.encode()) + 64)
        blob.setprop_str(blob.path_offset(kernel["node"]), "bootargs", line)
        blob.pack()
        with open(self.lcm, "wb") as file:
            file.write(blob.as_bytearray())

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


def folders(source, search):
    """Those that link() has to be given, each once: it looks in the source's own first."""
    found = [os.path.realpath(os.path.dirname(os.path.abspath(source)))]
    for place in map(os.path.realpath, search):
        if place not in found:
            found.append(place)
    return found[1:]


def link(source, search, folder):
    """Has lcmtool link `source`; its files are looked for in its own folder, then in those of `search`."""
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
    return Launch(lcm, modules, json.loads(shown.stdout))
