# SPDX-License-Identifier: LGPL-2.1-or-later
"""What lcmtool says of an LCM before the boot, and Xen at boot: (name, node, property) of the error, or None."""
import re
import subprocess

import elf
import short_boot

# What only the files, the host and the build of Xen tell: lcmtool check has none of them.
AT_BOOT = {"digest", "image", "kernel-size", "no-memory", "build", "security-label", "xsm-policy",
           "mode-pv32", "boot-failed", "boot-died", "boot-timeout"}
COMPLAINT = re.compile(r"^(?P<node>/[^:]*): (?:(?P<property>[^:\[ ]+): )?.* \[(?P<name>[a-z0-9-]+)\]$")
LOADED = ("preparing", "complete", "recovery")


def kernel():
    """Of PV and PVH, and idle."""
    return elf.kernel({**elf.pv_notes(), **elf.pvh_notes()})


def foretold(path, modules, ram):
    """By lcmtool, of a machine as short_boot.boot() makes it."""
    done = subprocess.run(["lcmtool", "check", "--platform", "x86", f"--modules={modules}", f"--host-memory={ram >> 10}K",
                           "--host-cpus=1", path], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode in (0, 1), done.stderr
    complaints = [line.removeprefix(f"{path}: ") for line in done.stderr.splitlines() if ": warning: " not in line]
    if not done.returncode:
        assert not complaints
        return None
    (complaint,) = complaints
    return tuple(COMPLAINT.match(complaint).group("name", "node", "property"))


def is_decided(log):
    """Xen has built the launch, or has said why not."""
    return log.stopped() or log.state() in LOADED


def said(log):
    """By Xen; the first error is why."""
    errors = log.errors()
    return (errors[0]["name"], errors[0]["node"], errors[0]["property"]) if errors else None


def check(log, expected):
    """Both agree, but for what cannot be known before the boot."""
    told = said(log)
    print(expected, *log.hyperlaunch_lines(), sep="\n")
    if expected is None and told is not None:
        assert told[0] in AT_BOOT, f"lcmtool accepts it, Xen says {told}"
    else:
        assert told == expected
    if told is None:
        assert short_boot.outcome(log) in ("preparing", "complete")
    else:
        assert short_boot.outcome(log) in ("recovery", "stopped")
