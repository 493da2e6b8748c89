# SPDX-License-Identifier: LGPL-2.1-or-later
"""What lcmtool says of files that are no LCM, and which file it names."""
import gzip
import json
import lzma
import struct
import subprocess

import pytest

from lcmtool import EXAMPLES, FIXTURES, SOURCES, run

GOOD = (FIXTURES / "ok-classic-dom0.dtb").read_bytes()
SOURCE = (SOURCES / "ok-classic-dom0.dts").read_text(encoding="utf-8")
OVERLAY = """/dts-v1/;
/plugin/;
&chosen { domD { compatible = "xen,domain"; memory = <0x0 0x80000>; cpus = <1>; }; };
"""


def uboot_image(kind):
    """A legacy image of U-Boot's: its header, and a body."""
    return struct.pack(">7I4B32s", 0x27051956, 0, 0, 4, 0, 0, 0, 5, 2, kind, 0, b"boot") + b"body"


def bzimage():
    return bytes(0x202) + b"HdrS" + bytes(512)


INPUTS = {
    "json": (b'{ "modules": [ "kernel" ],\n "domains": [] }', "it is JSON"),
    "json-list": (b'[ { "name": "web" } ]', "it is JSON"),
    "xml": (b"<domain type='xen'><name>web</name></domain>", "it is XML"),
    "gzip": (gzip.compress(GOOD), "it is gzip-compressed data"),
    "xz": (lzma.compress(GOOD), "it is xz-compressed data"),
    "zstd": (b"\x28\xb5\x2f\xfd" + GOOD, "it is zstd-compressed data"),
    "empty": (b"", "it is an empty file"),
    "blank": (b"\n \n", "it is blank"),
    "bzimage": (bzimage(), "it is a Linux kernel (bzImage)"),
    "elf": (b"\x7fELF" + bytes(60), "it is an ELF program or kernel"),
    "ramdisk": (b"070701" + b"0" * 104, "it is a cpio archive, such as a ramdisk"),
    "script-image": (uboot_image(6), "it is a U-Boot script"),
    "other-image": (uboot_image(2), "it is a U-Boot image"),
    "script": (b"fdt addr ${fdt_addr}\nfdt mknod /chosen domU1\n", "it is a U-Boot script"),
    "no-version": (SOURCE.replace("/dts-v1/;", "").encode(), 'it is device-tree source without "/dts-v1/;" at its start'),
    "xl": (b'# a guest\nname = "web"\nmemory = 128\n', "it is an xl guest configuration"),
    "grub": (b"menuentry 'Xen' {\n multiboot2 /boot/xen.gz\n}\n", "it is a GRUB configuration"),
    "text": (b"Dear Xen,\nplease start two domains.\n", "it is text"),
    "bytes": (bytes(range(1, 200)), "it is data of an unknown format"),
    "cut": (GOOD[:-20], f"the file is truncated after {len(GOOD) - 20} of {len(GOOD)} bytes"),
    "cut-early": (GOOD[:20], "the file is truncated after 20 bytes"),
}


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("verb", [["check"], ["show"], ["show", "--format", "dts"]], ids=" ".join)
def test_not_a_device_tree_says_what_it_is(name, verb, tmp_path):
    content, said = INPUTS[name]
    path = tmp_path / "input"
    path.write_bytes(content)
    done = run(*verb, path)
    assert done.returncode == 1
    assert f": {said} (libfdt: FDT_ERR_" in done.stderr
    assert done.stderr.startswith(f"{path}: /: ") and done.stderr.endswith(" [fdt]\n")
    assert done.stdout == ""


@pytest.mark.parametrize("at", [8, 12, 32, 56])
def test_damaged_device_tree_has_the_reason_of_libfdt(at, tmp_path):
    path = tmp_path / "damaged.dtb"
    path.write_bytes(GOOD[:at] + b"\xff\xff\xff\xff" + GOOD[at + 4:])
    done = run("check", path)
    assert done.returncode == 1 and " (libfdt: FDT_ERR_" in done.stderr and "it is" not in done.stderr


def test_overlay_is_said_to_be_one(tmp_path):
    (tmp_path / "guest.dts").write_text(OVERLAY)
    done = run("check", tmp_path / "guest.dts")
    assert done.returncode == 1
    assert "it is an overlay: apply it to its tree with fdtoverlay" in done.stderr and "[no-hypervisor]" in done.stderr
    subprocess.run(["dtc", "-q", "-o", tmp_path / "guest.dtbo", tmp_path / "guest.dts"], check=True)
    assert "it is an overlay" in run("check", tmp_path / "guest.dtbo").stderr


def test_fit_image_is_said_to_be_one(tmp_path):
    (tmp_path / "image.dts").write_text("/dts-v1/; / { images { }; configurations { }; };")
    assert "it is a U-Boot FIT image" in run("check", tmp_path / "image.dts").stderr


def test_other_tree_is_said_to_be_nothing_else(tmp_path):
    (tmp_path / "board.dts").write_text("/dts-v1/; / { chosen { }; };")
    done = run("check", tmp_path / "board.dts")
    assert done.returncode == 1 and "it is" not in done.stderr and done.stderr.endswith(" [no-hypervisor]\n")


@pytest.mark.parametrize("name", ["launch.dts", "with space.dts", "of'quote.dts"])
def test_error_of_dtc_names_the_file(name, tmp_path):
    path = tmp_path / name
    path.write_text("/dts-v1/;\n/ {\n\tchosen { ; };\n};\n")
    done = run("check", path)
    assert done.returncode == 1
    assert f"{path}:3." in done.stderr and "<stdin>" not in done.stderr


def test_error_of_dtc_names_standard_input():
    done = run("check", "-", input="/dts-v1/;\n/ {\n\tchosen { ; };\n};\n")
    assert done.returncode == 1 and "<stdin>:3." in done.stderr


def test_include_of_a_neighbour(tmp_path):
    (tmp_path / "more.dtsi").write_text(SOURCE.replace("/dts-v1/;", ""))
    (tmp_path / "launch.dts").write_text('/dts-v1/;\n/include/ "more.dtsi"\n')
    assert run("check", tmp_path / "launch.dts", cwd="/").returncode == 0
    (tmp_path / "more.dtsi").write_text("/ { ; };")
    assert f"{tmp_path}/more.dtsi:1." in run("check", tmp_path / "launch.dts").stderr


def test_module_beyond_what_xen_takes():
    source = SOURCE.replace("mb-index = <1>", "mb-index = <64>")
    assert source != SOURCE
    done = run("check", "-", input=source)
    assert done.returncode == 1
    assert "mb-index: no boot loader can pass so many modules: Xen takes 63 modules, of which the LCM" in done.stderr
    done = run("check", "-", "--modules", 1, input=SOURCE.replace("mb-index = <1>", "mb-index = <5>"))
    assert "there is no module with this number: 5; modules after the LCM: 1 [index-range]" in done.stderr


def test_good_is_one_line():
    done = run("check", EXAMPLES / "dynamic-full/launch.dts")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout == f"{EXAMPLES}/dynamic-full/launch.dts: valid: 8 domains, 16 modules\n"
    done = run("check", FIXTURES / "ok-seed-x86.dtb")
    assert done.stdout.count("\n") == 1 and done.stdout.endswith("; 2 warnings\n")
    assert json.loads(run("show", FIXTURES / "ok-seed-x86.dtb", "--format", "json").stdout)["domains"]
