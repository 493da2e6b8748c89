# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many VMs made and ended, half of them cancelled somewhere in between; and what that may not leave anywhere."""
import json
import os

import harness

CONFIG = {"c_info": {"type": "pvh", "name": "churn"},
          "b_info": {"max_vcpus": 1, "max_memkb": 24 << 10, "target_memkb": 24 << 10, "kernel": "/run/probe", "cmdline": "count=1"}}
# By $RANDOM, which is seeded: the same sequence each time.
LOOP = """
RANDOM=%d
for i in $(seq %d); do
    if ((RANDOM %% 2)); then
        hlctl create --quiet /run/churn.json && echo made
    else
        hlctl create --quiet /run/churn.json 2>/dev/null & create=$!
        sleep 0.$((RANDOM %% 10))
        for job in $(hlctl jobs --json | sed -n 's/.*"job": *\\([0-9]*\\).*/\\1/p'); do hlctl cancel --quiet $job 2>/dev/null; done
        wait $create && echo made || echo cancelled
    fi
    ! xl domid churn >/dev/null 2>&1 || hlctl destroy --quiet churn
done | sort | uniq -c
"""
# Descriptors of each process that takes part; nodes and watches of xenstore; grants, loop devices, and processes.
COUNTED = """
for unit in hyperlaunchd hyperlaunch-consoled xenstored dbus; do
    pid=$(systemctl show --value -p MainPID $unit); echo $unit $(ls /proc/$pid/fd | wc -l) $(ls /proc/$pid/task | wc -l)
done
echo nodes $(xenstore-ls -f / | wc -l)
echo loops $(losetup -a | wc -l)
echo processes $(pgrep -c 'hyperlaunch-vmd|qemu')
echo domains $(xl list | wc -l)
echo files $(ls /var/lib/xen /run/xen /run/hyperlaunch/jobs /run/hyperlaunch/vm | grep -v domid-history | wc -l)
"""
RESIDENT = "grep VmRSS /proc/$(systemctl show --value -p MainPID hyperlaunchd)/status | grep -oE '[0-9]+'"


class Left:
    """What there is, how many MiB Xen has free, and KiB that hyperlaunchd has resident."""

    def __init__(self, shell):
        self.counted = dict(line.split(" ", 1) for line in shell(COUNTED, 120).splitlines())
        self.free = int(shell("sleep 3; xl info | sed -n 's/^free_memory *: *//p'", 120))
        self.resident = int(shell(RESIDENT, 120))

    def __repr__(self):
        return f"{self.counted}, {self.free} MiB free, {self.resident} KiB resident"


def prepare(boot):
    """The probe there, and one VM for what the first one leaves for all others."""
    with open(os.path.join(harness.built_images(), "probe"), "rb") as file:
        boot.copy("/run/probe", file.read())
    boot.copy("/run/churn.json", json.dumps(CONFIG).encode())
    boot.shell("hlctl create --quiet /run/churn.json; hlctl destroy --quiet churn", harness.PATIENCE)


def churn(shell, cycles, seed=1):
    """How many were made, and how many cancelled; each is gone then."""
    found = dict(reversed(line.split()) for line in shell(LOOP % (seed, cycles), 60 + 30 * cycles).splitlines())
    return int(found.get("made", 0)), int(found.get("cancelled", 0))
