# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of VMs share: a vmd of Python, definitions, and how a VM is made."""
import os
import subprocess
import sys

import dbus
import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools" / "hlsim"))
import vms  # noqa: E402

NAMED = "0b1e9f5c-3d5e-4c55-9f0a-8c1c1a2b3c4d"
# Of ok-dynamic-full: their domids.
STORE, CONTROL, CONSOLE, WEB, DB, HARDWARE = 1, 2, 4, 5, 6, 20
CREATE = "aya{sv}"
KERNEL = 'kernel { compatible = "module,kernel"; file = "vmlinuz"; bootargs = "console=hvc0 one two"; };'
RAMDISK = 'ramdisk { compatible = "module,ramdisk"; file = "initrd"; };'


def definition(name="vm", more="", memory='"64M"', modules=KERNEL):
    """A source LCM of one domain, compiled."""
    source = f"""/dts-v1/;
/ {{ chosen {{ hypervisor {{ compatible = "hypervisor,xen"; {name} {{ compatible = "xen,domain"; memory = {memory}; {more}
    {modules} }}; }}; }}; }};"""
    return compile_source(source)


def compile_source(source):
    return subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-"], input=source.encode(), stdout=subprocess.PIPE, check=True).stdout


@pytest.fixture
def peers(place):
    folder = place / "peers"
    folder.mkdir()
    return folder


@pytest.fixture
def daemon(launch, runtime, peers):
    return launch(options=["--session", "--peers", str(peers)], env={"RUNTIME_DIRECTORY": str(runtime)})


@pytest.fixture
def vmd(daemon, peers):
    server = vms.Vmd(str(peers), daemon.command)
    yield server
    server.stop()


@pytest.fixture
def files(place):
    """Descriptors of a kernel and a ramdisk."""
    fds = {}
    for name in ("kernel", "ramdisk"):
        (place / name).write_bytes(f"this is the {name}".encode())
        fds[name] = os.open(place / name, os.O_RDONLY)
    yield fds
    for fd in fds.values():
        os.close(fd)


def options(files, ramdisk=False, **more):
    found = {"Kernel": dbus.types.UnixFd(files["kernel"])}
    if ramdisk:
        found["Ramdisk"] = dbus.types.UnixFd(files["ramdisk"])
    return dbus.Dictionary(found | more, signature="sv")


def create(client, files, blob=None, ramdisk=False, **more):
    return client.call("CreateDomain", CREATE, dbus.ByteArray(definition() if blob is None else blob), options(files, ramdisk, **more))


def jobs(client):
    return client.call("ListJobs")


def hold(vmd, request):
    """The orders of that kind that have come, each of which waits for a word to its method."""
    held = []

    def method(order):
        order.stage("build")
        held.append(order)
        order.wait_left()
    vmd.overrides[request] = method
    return held


@pytest.fixture
def handles(daemon):
    """Each initial domain has a UUID, as hyperlaunchd gives them on Xen."""
    for domid in (STORE, CONTROL, CONSOLE, WEB, DB, HARDWARE):
        daemon.command(f"handle {domid} 00000000-0000-4000-8000-0000000000{domid:02}")


def config(name="vm", **more):
    """JSON of libxl."""
    return {"c_info": {"type": "pvh", "name": name}, "b_info": {"max_vcpus": 1, "max_memkb": 65536, "target_memkb": 65536}} | more
