# SPDX-License-Identifier: LGPL-2.1-or-later
"""The QEMU that boots: the installed one, without a race of its own that costs guests their lives.

In QEMU 10 each FPU restore on any emulated CPU clears a bit of CPU 0's hflags2 (cpu_clear_ignne()), with no lock, while
CPU 0's thread keeps there whether it is in a guest and by which page tables. An update that gets lost writes Xen's
registers into the guest's VMCB, or walks the guest's tables as the host's: a triple fault. The bit is for DOS programs.
So a copy is run in which that one instruction does nothing; docs/dev/qemu.md has the details.
"""
import hashlib
import os
import re
import shutil
import sys
import tempfile

NAME = "qemu-system-x86_64"
# andl $~0x80, OFFSET(%rax), and nearby its counterpart, orl $0x80, OFFSET(%rbx): the one place where both are.
CLEAR = re.compile(rb"\x81\xa0(....)\x7f\xff\xff\xff", re.DOTALL)
SET = rb"\x81[\x88-\x8f]%s\x80\x00\x00\x00"
NEARBY = 256
# As long: nopw %cs:0(%rax,%rax,1)
NOTHING = bytes.fromhex("662e0f1f840000000000")


def mend(binary):
    """The program with that instruction taken out; None where it is not found just once."""
    found = [match for match in CLEAR.finditer(binary)
             if re.search(SET % re.escape(match[1]), binary[match.end():match.end() + NEARBY], re.DOTALL)]
    if len(found) != 1:
        return None
    return binary[:found[0].start()] + NOTHING + binary[found[0].end():]


def _install(folder, program):
    """Writes it where QEMU finds its data by its own place: beside share and lib."""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    new = tempfile.mkdtemp(prefix="qemu.", dir=os.path.dirname(folder))
    os.mkdir(os.path.join(new, "bin"))
    for name in ("share", "lib"):
        os.symlink(os.path.join("/usr", name), os.path.join(new, name))
    path = os.path.join(new, "bin", NAME)
    with open(path, "wb") as out:
        out.write(program)
    os.chmod(path, 0o755)
    os.chmod(new, 0o755)
    try:
        os.rename(new, folder)
    except OSError:     # somebody was faster
        shutil.rmtree(new)


def program_for(cpus):
    """The program to run for that many CPUs; HL_QEMU names another, which is run as it is."""
    if "HL_QEMU" in os.environ:
        return os.environ["HL_QEMU"]
    installed = shutil.which(NAME)
    if not installed or cpus == 1:
        return installed or NAME
    with open(installed, "rb") as file:
        binary = file.read()
    folder = os.path.join(os.environ["HL_CACHE"], f"qemu-{hashlib.sha256(binary).hexdigest()[:16]}")
    path = os.path.join(folder, "bin", NAME)
    if not os.path.exists(path):
        program = mend(binary)
        if program is None:
            print("hlboot: this QEMU is another than the one whose race between CPUs is known: guests may be lost to"
                  " triple faults; --cpus 1 is safe", file=sys.stderr)
            return installed
        _install(folder, program)
    return path
