# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long hyperlaunchd's answers take, held against systemd's under the same load."""
import os
import subprocess

import harness

PINGED = ("org.freedesktop.systemd1", "org.xenproject.Hyperlaunch1")


def build_ping(folder):
    """The program, to be copied into the machine."""
    path = os.path.join(folder, "ping")
    subprocess.run(["gcc", "-O2", "-s", "-Wall", "-Wextra", "-Werror", "-o", path, f"{harness.ROOT}/tests/guests/linux/ping.c", "-lsystemd"],
                   check=True)
    with open(path, "rb") as file:
        return file.read()
