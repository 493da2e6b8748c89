# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the things are that a boot needs; they are built when they are missing."""
import contextlib
import os
import subprocess
import time

from errors import BootError

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))
KEPT_LOGS = 200


def _script(*words):
    """The one line that a command of dev/ prints: a directory."""
    done = subprocess.run([os.path.join(ROOT, "dev", words[0]), *words[1:]],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BootError(f"dev/{' '.join(words)} failed with exit code {done.returncode}")
    return done.stdout.strip()


def images():
    """The directory with kernels, ramdisks and the control domain's disk."""
    return os.environ.get("HL_IMAGES") or _script("build-images")


def xen(variant=None):
    """The Xen image to boot; variant: None, or words of dev/build-xen's with "-" between them."""
    return os.path.join(_script("build-xen", *(f"--{word}" for word in (variant or "").split("-") if word)), "xen")


def debian():
    """The disk of a bare Debian, without anything of ours."""
    return os.path.join(_script("build-debian"), "disk.img")


def _by_age(folder):
    """The files there, the oldest first.  Others may be making room just now."""
    ages = []
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        with contextlib.suppress(FileNotFoundError):
            ages.append((os.path.getmtime(path), path))
    return [path for _, path in sorted(ages)]


def new_log(name):
    """A path for a new serial log, in the cache; the oldest logs make room."""
    folder = os.path.join(os.environ.get("HL_LOGS") or os.path.join(os.environ["HL_CACHE"], "boots"))
    os.makedirs(folder, exist_ok=True)
    for old in _by_age(folder)[:-KEPT_LOGS]:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(old)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return os.path.join(folder, f"{stamp}-{name}-{os.getpid()}.log")
