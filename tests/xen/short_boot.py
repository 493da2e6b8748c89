# SPDX-License-Identifier: LGPL-2.1-or-later
"""Launches that are over in a second: of tiny guests, on one processor, watched until Xen says how they end."""
import concurrent.futures
import os
import re

import harness
import lcm

RAM = 1 << 30
NODE = "/chosen/hypervisor"


def hardware(memory='"64M"', mode=lcm.LONG, kernel=1, **others):
    """Who has the devices, and all else but CRASH: with no crash domain Xen stops at an error."""
    return lcm.domain("hw", memory, kernel=kernel, ramdisk=None, mode=mode, bootargs="idle",
                      more=f"permissions = <3>; functions = <{lcm.XENSTORE | lcm.CONSOLE:#x}>;", **others)


def is_over(log):
    """Xen has said how the launch ends."""
    return log.stopped() or log.state() in ("complete", "recovery")


def blob(source, folder):
    """An LCM's bytes, from its source or its bytes, as a file."""
    path = os.path.join(folder, "launch.dtb")
    if isinstance(source, str):
        return lcm.compile_lcm(source, path)
    with open(path, "wb") as out:
        out.write(source)
    return path


def boot(name, source, folder, files, until=is_over, ram=RAM, cpus=1, **others):
    """The log of a launch, in which Xen did not crash; it is in the folder.

    files: what the indices from 1 on name."""
    chain = [(blob(source, folder), "")] + [(str(file), "") for file in files]
    with harness.booted(name, chain, disk=False, ram=ram, cpus=cpus, log=os.path.join(folder, "serial.log"), **others) as machine:
        machine.wait_log(until, "Xen's verdict")
    return machine.log


def outcome(log):
    """How it ended: complete, recovery or stopped."""
    return "stopped" if log.stopped() else log.state()


def error(log):
    """(name, node, property) of the one error of a launch that Xen gave up before anybody ran."""
    assert log.stopped(), log.hyperlaunch_lines()
    assert not re.search(r"hyperlaunch: d\d+: started", log.text)
    (found,) = log.errors()
    return found["name"], found["node"], found["property"]


def run_all(request, parameter, run):
    """{name: future of run(name)}, a boot on each processor, for the chosen tests that have this parameter."""
    names = [item.callspec.params[parameter] for item in request.session.items
             if item.module is request.module and parameter in getattr(item, "callspec", item).__dict__.get("params", {})]
    before = os.environ.get("HL_MACHINES")
    os.environ["HL_MACHINES"] = before or str(os.cpu_count())
    try:
        with concurrent.futures.ThreadPoolExecutor(int(os.environ["HL_MACHINES"])) as pool:
            return {name: pool.submit(run, name) for name in names}
    finally:
        if before is None:
            del os.environ["HL_MACHINES"]
