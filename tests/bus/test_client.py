# SPDX-License-Identifier: LGPL-2.1-or-later
"""The client in docs/client, against hyperlaunchd and a simulated Xen."""
import os
import subprocess
import sys

from conftest import ROOT
from test_vm import definition, files, peers, daemon, vmd  # noqa: F401  (fixtures)

CLIENT = ROOT / "docs" / "client" / "vm.py"


def run(bus_address, *args):
    return subprocess.run([sys.executable, CLIENT, *map(str, args)], env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus_address},
                          capture_output=True, text=True, timeout=60, check=False)


def test_life_of_a_domain(daemon, vmd, files, place, bus_address):  # noqa: F811
    (place / "vm.dtb").write_bytes(definition())
    done = run(bus_address, place / "vm.dtb", place / "kernel")
    uuid = vmd.orders[0]["uuid"]
    assert (done.stdout, done.stderr) == (
        f"vm has UUID {uuid} and is running\nafter Pause it is paused\nafter Unpause it is running\nit is gone\n", "")
    assert [order["request"] for order in vmd.orders] == ["create", "destroy"]
    done = run(bus_address, place / "kernel", place / "kernel")
    assert done.returncode == 1 and done.stderr.startswith("vm.py: Cannot create a domain: /: not a valid flattened device tree.")
