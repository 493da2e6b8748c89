# SPDX-License-Identifier: LGPL-2.1-or-later
"""lcmtool for its tests: where it is, how it is run, and files to link."""
import os
import pathlib
import subprocess
import sys

TOOL = os.environ["LCMTOOL"]
FIXTURES = pathlib.Path(os.environ["LCM_FIXTURES"])
SOURCES = pathlib.Path(os.environ["LCM_SOURCES"])
EXAMPLES = pathlib.Path(os.environ["EXAMPLES"])
ROOT = EXAMPLES.parent

sys.path.insert(0, str(ROOT / "tests" / "xen"))

import elf  # noqa: E402

KERNELS = ("vmlinuz", "bootdom", "probe")
OTHERS = ("guest.cpio.gz", "store.cpio.gz", "console.cpio.gz", "control.cpio.gz", "control-ram.cpio.gz")


def run(*args, **kwargs):
    """Output is text unless the call says otherwise."""
    kwargs.setdefault("text", True)
    # ./shell names folders with images.
    kwargs.setdefault("env", {name: value for name, value in os.environ.items() if name != "LCMTOOL_MODULES"})
    return subprocess.run([TOOL, *map(str, args)], capture_output=True, check=False,
                          timeout=60, **kwargs)


def kernel(name="kernel", notes=None):
    """An ELF kernel for PV and PVH, of its own bytes."""
    return elf.kernel(notes or {**elf.pv_notes(), **elf.pvh_notes()}) + name.encode()


def write_images(folder):
    """What the examples' launches name, in small."""
    folder.mkdir()
    for name in KERNELS:
        (folder / name).write_bytes(kernel(name))
    for name in OTHERS:
        (folder / name).write_bytes(name.encode() * 100)
    return folder
