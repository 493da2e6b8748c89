# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlctl create and destroy: definitions in files, their modules, and what goes wrong with them."""
import json
import os
import pty
import select
import subprocess
import sys
import threading

import pytest

from conftest import ROOT
from hlctl_support import read_terminal

sys.path.insert(0, str(ROOT / "tools" / "hlsim"))
import vms  # noqa: E402

HLCTL = os.environ["HLCTL"]
FAILED, USAGE, NOT_FOUND, UNSUPPORTED = 1, 2, 3, 5
DEFINITION = """/dts-v1/;
/ { chosen { hypervisor { compatible = "hypervisor,xen";
    NAME { compatible = "xen,domain"; memory = "64M"; MORE
        kernel { compatible = "module,kernel"; file = "files/vmlinuz"; };
        ramdisk { compatible = "module,ramdisk"; file = "files/initrd"; };
    }; }; }; };
"""


@pytest.fixture
def folder(place):
    """A definition and its modules."""
    (place / "vms" / "files").mkdir(parents=True)
    for name in ("vmlinuz", "initrd", "other"):
        (place / "vms" / "files" / name).write_text(f"content of {name}")
    write(place / "vms", "vm")
    return place / "vms"


def write(folder, name, more="", text=DEFINITION):
    path = folder / f"{name}.dts"
    path.write_text(text.replace("NAME", name).replace("MORE", more))
    return path


@pytest.fixture
def vmd(launch, place):
    (place / "peers").mkdir()
    daemon = launch(options=["--session", "--peers", str(place / "peers")])
    server = vms.Vmd(str(place / "peers"), daemon.command)
    server.modules = []

    def note(order):
        server.modules.append({name: os.pread(fd, 100, 0).decode() for name, fd in order.fds.items() if name != "config"})
        server.create(order)
    server.overrides["create"] = note
    yield server
    server.stop()


@pytest.fixture
def hlctl(bus_address, search_path):
    """hlctl(ARGS..., code=0): its output; or, with another code, its errors."""
    def run(*args, code=0, cwd="/"):
        done = subprocess.run([HLCTL, "--address", bus_address, *map(str, args)], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=False, env={**os.environ, "PATH": search_path})
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout
    return run


def test_nothing_is_warned_of_what_hyperlaunchd_does(vmd, folder):
    """That the definition has no control domain, of which a launch would need one."""
    write(folder, "vm", more='mode = <4>; restart = "on-failure"; hold;')
    done = subprocess.run([os.environ["LCMTOOL"], "show", "--format", "dtb", folder / "vm.dts"], capture_output=True, check=True)
    assert done.stderr == b""


def test_create_and_destroy(hlctl, vmd, folder):
    assert hlctl("create", folder / "vm.dts") == "Domain 7 (vm) is running.\n"
    assert vmd.modules == [{"kernel": "content of vmlinuz", "ramdisk": "content of initrd"}]
    assert hlctl("destroy", "vm") == "Domain 7 (vm) is destroyed.\n"
    hlctl("destroy", "vm", code=NOT_FOUND)


def test_files_are_beside_the_definition_and_options_begin_here(hlctl, vmd, folder):
    hlctl("create", "vm.dts", "--kernel", "other", "--paused", cwd=folder / "files", code=FAILED)
    told = json.loads(hlctl("create", "../vm.dts", "--kernel", "other", "--paused", "--json", cwd=folder / "files"))
    assert vmd.modules == [{"kernel": "content of other", "ramdisk": "content of initrd"}]
    assert (told["name"], told["state"], told["domid"]) == ("vm", "paused", 7)
    assert len(told["uuid"]) == 36
    assert hlctl("destroy", told["uuid"], "--quiet") == ""


def test_blob_and_standard_input_of_lcmtool(hlctl, vmd, folder):
    blob = subprocess.run([os.environ["LCMTOOL"], "show", "--format", "dtb", folder / "vm.dts"], stdout=subprocess.PIPE, check=True).stdout
    (folder / "vm.dtb").write_bytes(blob)
    hlctl("create", folder / "vm.dtb")


@pytest.mark.parametrize("args, why", [
    (["nowhere.dts"], "nowhere.dts"), (["files/vmlinuz"], "files/vmlinuz"), (["vm.dts", "--kernel", "nowhere"], "nowhere"),
    (["vm.dts", "--ramdisk", "/dev/null"], "no regular file"), (["vm.dts", "--kernel", "files"], "regular file"),
    (["no-file.dts"], "--kernel FILE"), (["two.dts"], "2 domains"), (["taken.dts"], '"web"'), (["empty.dts"], "domain"),
])
def test_what_is_wrong_is_named(hlctl, vmd, folder, args, why):
    write(folder, "no-file", text=DEFINITION.replace('file = "files/vmlinuz";', "mb-index = <1>;"))
    text = DEFINITION.replace("NAME {", "two { compatible = \"xen,domain\"; memory = \"8M\"; kernel { compatible = \"module,kernel\"; "
                              "file = \"files/vmlinuz\"; }; }; NAME {")
    write(folder, "two", text=text.replace("NAME", "twin"))
    (folder / "taken.dts").write_text(DEFINITION.replace("NAME", "web").replace("MORE", ""))
    (folder / "empty.dts").write_text('/dts-v1/; / { chosen { hypervisor { compatible = "hypervisor,xen"; }; }; };')
    code = USAGE if args == ["no-file.dts"] else FAILED
    assert why in hlctl("create", *args, code=code, cwd=folder)
    assert vmd.modules == []


def test_usage(hlctl, vmd, folder):
    for args in (["create"], ["create", "a", "b"], ["create", "vm.dts", "--force"], ["destroy"], ["destroy", "web", "--paused"],
                 ["list", "--kernel", "x"]):
        hlctl(*args, code=USAGE, cwd=folder)


def test_what_is_not_supported(hlctl, vmd, folder):
    assert "permissions" in hlctl("create", write(folder, "again", "permissions = <1>;"), code=UNSUPPORTED)
    assert "hyperlaunchd runs in" in hlctl("destroy", "control", code=UNSUPPORTED)
    assert "Force" in hlctl("destroy", "store", code=UNSUPPORTED)


def test_error_of_vmd(hlctl, vmd, folder):
    vmd.overrides["create"] = lambda order: order.failed("NoMemory", "it needs 70000 KiB, and Xen has 5 KiB free")
    assert "it needs 70000 KiB" in hlctl("create", folder / "vm.dts", code=FAILED)


def test_name_of_a_file_that_looks_like_an_option(hlctl, vmd, folder):
    os.rename(folder / "vm.dts", folder / "--format.dts")
    hlctl("create", "--", "--format.dts", cwd=folder)


def test_no_lcmtool(bus_address, vmd, folder, place):
    (place / "none").mkdir()
    done = subprocess.run([HLCTL, "--address", bus_address, "create", folder / "vm.dts"], capture_output=True, text=True, timeout=60,
                          check=False, env={**os.environ, "PATH": str(place / "none")})
    assert done.returncode == FAILED and "lcmtool" in done.stderr


def test_rebuild(hlctl, vmd):
    assert "control domain" in hlctl("rebuild", "control", "--force", code=UNSUPPORTED)
    assert "no digest of its kernel" in hlctl("rebuild", "web", "--force", code=UNSUPPORTED)
    assert "not shut down" in hlctl("rebuild", "web", code=FAILED)
    hlctl("rebuild", "nobody", code=NOT_FOUND)
    for args in (["rebuild"], ["rebuild", "web", "db"], ["rebuild", "web", "--paused"]):
        hlctl(*args, code=USAGE)


def test_progress_on_a_terminal(bus_address, vmd, folder, search_path):
    """The order is held until both stages have been seen."""
    seen = threading.Event()

    def slow(order):
        order.stage("build")
        assert seen.wait(20)
        vmd.create(order)
    vmd.overrides["create"] = slow
    leader, follower = pty.openpty()
    process = subprocess.Popen([HLCTL, "--address", bus_address, "create", folder / "vm.dts"], stdout=subprocess.PIPE, stderr=follower,
                               stdin=subprocess.DEVNULL, env={**os.environ, "PATH": search_path}, text=True)
    os.close(follower)
    shown = b""
    while b"[##                  ] build" not in shown:
        assert select.select([leader], [], [], 20)[0], shown
        shown += os.read(leader, 4096)
    seen.set()
    assert process.communicate(timeout=60)[0] == "Domain 7 (vm) is running.\n"
    shown += read_terminal(leader)
    assert shown.endswith(b"\r\x1b[K")


def test_memory_and_vcpus(hlctl, vmd, folder):
    hlctl("create", write(folder, "vm", "cpus = <2>;"))
    assert hlctl("set-memory", "vm", "32M") == "Domain 7 (vm) may use 32768 KiB.\n"
    assert hlctl("set-vcpus", "vm", "1") == "Domain 7 (vm) may use 1 vCPUs.\n"
    assert vmd.orders[-2]["memory"] == 32 << 10 and vmd.orders[-1]["vcpus"] == 1
    told = json.loads(hlctl("set-memory", "vm", "1024K", "--json"))
    assert (told["domid"], told["name"], told["memory_kib"]) == (7, "vm", 1024)
    assert json.loads(hlctl("set-vcpus", "vm", "2", "--json"))["vcpus"] == 2
    assert hlctl("set-vcpus", "vm", "2", "--quiet") == ""
    assert "65536 KiB at most" in hlctl("set-memory", "vm", "1G", code=FAILED)
    assert "from 1 to 2" in hlctl("set-vcpus", "vm", "3", code=FAILED)
    hlctl("set-memory", "nobody", "32M", code=NOT_FOUND)
    vmd.tell("handle web 00000000-0000-0000-0000-000000000000")
    assert "UUID" in hlctl("set-memory", "web", "32M", code=UNSUPPORTED)


@pytest.mark.parametrize("args", [
    ["set-memory"], ["set-memory", "vm"], ["set-memory", "vm", "32"], ["set-memory", "vm", "M"], ["set-memory", "vm", "32MB"],
    ["set-memory", "vm", "-1M"], ["set-memory", "vm", "16777216T"], ["set-memory", "vm", "99999999999999999999K"], ["set-memory", "vm", "1M", "x"],
    ["set-vcpus", "vm"], ["set-vcpus", "vm", "two"], ["set-vcpus", "vm", "4294967296"], ["set-vcpus", "vm", "1M"]], ids=" ".join)
def test_sizes_that_are_none(hlctl, vmd, args):
    hlctl(*args, code=USAGE)


DISK = '{"pdev_path": "/dev/loop0", "vdev": "xvdb", "backend": "phy", "format": "raw"}'


@pytest.fixture
def vm_in_domain_0(launch, place, hlctl, folder):
    """Of a Xen whose only initial domain is 0, from where devices are changed; the order's server."""
    (place / "peers").mkdir()
    daemon = launch(extra=",as=classic", options=["--session", "--peers", str(place / "peers")])
    server = vms.Vmd(str(place / "peers"), daemon.command)
    hlctl("create", folder / "vm.dts")
    yield server
    server.stop()


def test_attach_and_detach(hlctl, vm_in_domain_0, folder):
    assert hlctl("attach", "vm", "disk", DISK) == "Domain 1 (vm) has the disk now.\n"
    (folder / "nic.json").write_text('{"mac": "00:16:3e:01:02:03"}')
    told = json.loads(hlctl("attach", "vm", "nic", folder / "nic.json", "--json"))
    assert (told["domid"], told["name"]) == (1, "vm")
    assert hlctl("detach", "vm", "disk", "xvdb", "--force") == "Domain 1 (vm) has the disk no more.\n"
    assert vm_in_domain_0.orders[-1]["force"] is True
    assert "no nic 5" in hlctl("detach", "vm", "nic", "5", code=FAILED)
    assert hlctl("detach", "vm", "nic", "00:16:3e:01:02:03", "--quiet") == ""


def test_devices_that_are_none(hlctl, vm_in_domain_0, folder):
    assert "/nowhere" in hlctl("attach", "vm", "disk", "/nowhere", code=FAILED)
    assert str(folder) in hlctl("attach", "vm", "disk", folder, code=FAILED)
    (folder / "zero.json").write_bytes(b"{\0}")
    assert "zero byte" in hlctl("attach", "vm", "disk", folder / "zero.json", code=FAILED)
    (folder / "large.json").write_text(" " * 100000)
    assert "bytes; it may have" in hlctl("attach", "vm", "disk", folder / "large.json", code=FAILED)
    assert "JSON" in hlctl("attach", "vm", "disk", "{", code=FAILED)
    assert "phy" in hlctl("attach", "vm", "disk", "{}", code=UNSUPPORTED)
    assert '"nic"' in hlctl("attach", "vm", "usb", "{}", code=FAILED)
    for args in (["attach"], ["attach", "vm"], ["attach", "vm", "disk"], ["attach", "vm", "disk", "{}", "x"], ["attach", "vm", "disk", "{}", "--force"],
                 ["detach", "vm", "disk"]):
        hlctl(*args, code=USAGE)
    assert [order["request"] for order in vm_in_domain_0.orders] == ["create"]
