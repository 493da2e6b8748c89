# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the things are that a boot needs; they are built when they are missing."""
import os
import subprocess
import time

from errors import BootError

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))
KEPT_LOGS = 200


def _script(*words):
    """The one line that a script of scripts/ prints: a directory."""
    done = subprocess.run([os.path.join(ROOT, "scripts", words[0]), *words[1:]],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BootError(f"scripts/{' '.join(words)} failed with exit code {done.returncode}")
    return done.stdout.strip()


def images():
    """The directory with kernels, ramdisks and the control domain's disk."""
    return os.environ.get("HL_IMAGES") or _script("images")


def xen(variant=None):
    """The Xen image to boot; variant: None, or a word of scripts/xen's."""
    return os.path.join(_script("xen", *([f"--{variant}"] if variant else [])), "xen")


def new_log(name):
    """A path for a new serial log, in the cache; the oldest logs make room."""
    folder = os.path.join(os.environ.get("HL_LOGS") or os.path.join(os.environ["HL_CACHE"], "boots"))
    os.makedirs(folder, exist_ok=True)
    logs = sorted((os.path.join(folder, f) for f in os.listdir(folder)), key=os.path.getmtime)
    for old in logs[:-KEPT_LOGS]:
        os.unlink(old)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return os.path.join(folder, f"{stamp}-{name}-{os.getpid()}.log")
