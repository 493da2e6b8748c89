# SPDX-License-Identifier: LGPL-2.1-or-later
"""lcmtool link: kernels that Xen can start and others, and where files are looked for."""
import bz2
import gzip
import lzma
import os
import shutil
import struct
import subprocess

import pytest

import lcmtool
from lcmtool import EXAMPLES, elf, run

PV, PVH = elf.pv_notes(), elf.pvh_notes()
BOTH = {**PV, **PVH}
MODES = {"PV": 5, "PV 32-bit": 1, "PVH": 4}


def bzimage(payload, version=0x20f, offset=0):
    """As Linux makes it; the payload follows the setup code, with its size behind it."""
    head = bytearray(1024)
    head[0x1f1] = 1
    head[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", head, 0x206, version)
    struct.pack_into("<II", head, 0x248, offset, len(payload))
    return bytes(head) + payload


def sized(pack):
    """A payload with the size of what is in it behind it, as Linux makes all but gzip's."""
    return lambda image: pack(image) + struct.pack("<I", len(image))


def zstd(image):
    return subprocess.run(["zstd", "-qc"], input=image, stdout=subprocess.PIPE, check=True).stdout


def link_one(tmp_path, content, mode=4):
    """A launch of one hardware domain that runs this file."""
    (tmp_path / "kernel").write_bytes(content)
    (tmp_path / "launch.dts").write_text(
        '/dts-v1/; / { chosen { hypervisor { compatible = "hypervisor,xen"; hw { compatible = "xen,domain";'
        f' permissions = <2>; mode = <{mode}>; memory = "64M";'
        ' k { compatible = "module,kernel"; file = "kernel"; }; }; }; }; };')
    return run("link", tmp_path / "launch.dts", "--output", tmp_path / "out")


GOOD = {
    "elf": lambda image: image,
    "gzip": gzip.compress,
    "bzimage-elf": bzimage,
    "bzimage-gzip": lambda image: bzimage(gzip.compress(image)),
    "bzimage-xz": lambda image: bzimage(sized(lzma.compress)(image)),
    "bzimage-lzma": lambda image: bzimage(sized(lambda i: lzma.compress(i, format=lzma.FORMAT_ALONE))(image)),
    "bzimage-zstd": lambda image: bzimage(sized(zstd)(image)),
    "xz": sized(lzma.compress),
}


@pytest.mark.parametrize("pack", GOOD)
@pytest.mark.parametrize("notes,mode,lacks", [
    (BOTH, "PVH", None), (BOTH, "PV", None), (PVH, "PVH", None), (PV, "PV", None),
    (PV, "PVH", "no PVH entry point (CONFIG_PVH in Linux), but its domain is PVH"),
    (PVH, "PV", "no PV entry point (CONFIG_XEN_PV in Linux), but its domain is PV"),
    (BOTH, "PV 32-bit", "64-bit code, but its PV domain is 32-bit"),
    ({}, "PVH", "no PVH entry point"), ({}, "PV", "no PV entry point"),
], ids=str)
def test_link_kernel_and_mode(pack, notes, mode, lacks, tmp_path):
    done = link_one(tmp_path, GOOD[pack](elf.kernel(notes)), MODES[mode])
    if lacks is None:
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert done.returncode == 1
        assert f"/chosen/hypervisor/hw/k: file: {tmp_path}/kernel has {lacks}" in done.stderr
        assert done.stderr.endswith(" [image]\n") and not (tmp_path / "out").exists()


def test_link_notes_in_sections(tmp_path):
    notes = b"".join(PVH.values())
    image = elf.kernel(notes, segments=[elf.segment()], sections=[elf.section(elf.SHT_NOTE, offset=elf.NOTES, size=len(notes))])
    assert link_one(tmp_path, image).returncode == 0


@pytest.mark.parametrize("content,said", [
    (b"console=hvc0 root=/dev/xvda\n", "it is text"),
    (b"#!/bin/sh\nexit 0\n", "it is text"),
    (b"070701" + b"0" * 200, "it is a cpio archive, such as a ramdisk"),
    (gzip.compress(b"070701" + b"0" * 200), "it is compressed data that contains no kernel"),
    (gzip.compress(elf.kernel(BOTH))[:200], "it is corrupt compressed data"),
    (bzimage(elf.kernel(BOTH))[:2000], "it is a truncated bzImage"),
    (bzimage(elf.kernel(BOTH), version=0x207), "it is a bzImage from before Linux 2.6.24"),
    (bzimage(elf.kernel(BOTH), offset=0xffffff00), "it is a truncated bzImage"),
    (bzimage(b"Linux" * 100), "it is text"),
    (bytes(range(256)) * 4, "it is data of an unknown format"),
    (elf.kernel(BOTH)[:40], "it is a truncated ELF file"),
    (elf.kernel(BOTH, ident=b"\x7fELF\x02\x02\x01" + bytes(9)), "it is an ELF file for another architecture"),
    (elf.kernel(BOTH, machine=183), "it is an ELF file for another architecture"),
    (bytes(0x38) + b"ARM\x64" + bytes(100), "it is a Linux kernel (Image)"),
], ids=range(14))
def test_link_no_kernel(content, said, tmp_path):
    done = link_one(tmp_path, content)
    assert done.returncode == 1
    assert f"/chosen/hypervisor/hw/k: file: {tmp_path}/kernel: kernel image format not supported: {said}" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("changed", [
    {"phoff": 0xffffffffffffffff}, {"phoff": 1 << 62, "phnum": 0xffff}, {"phentsize": 1}, {"phentsize": 0xffff},
    {"shoff": 0xfffffffffffffff0, "shnum": 3},
], ids=str)
def test_link_kernel_with_tables_that_are_not_there(changed, tmp_path):
    done = link_one(tmp_path, elf.kernel({}, **changed))
    assert done.returncode == 1 and "no PVH entry point" in done.stderr


@pytest.mark.parametrize("notes", [
    elf.note(elf.PHYS32_ENTRY, b"1234", namesz=0xffffffff), elf.note(elf.PHYS32_ENTRY, b"1234", descsz=0xfffffffe),
    elf.note(elf.PHYS32_ENTRY, b"1234", name=b"Xenon\0\0\0"), b"\x04",
], ids=range(4))
def test_link_kernel_with_notes_that_lie(notes, tmp_path):
    done = link_one(tmp_path, elf.kernel(notes))
    assert done.returncode == 1 and "no PVH entry point" in done.stderr


def test_link_says_which_kernel_it_could_not_look_at(tmp_path):
    """Without the program that unpacks it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dtc").symlink_to(shutil.which("dtc"))
    (tmp_path / "kernel").write_bytes(bz2.compress(elf.kernel(BOTH)) + bytes(4))
    link_one(tmp_path, (tmp_path / "kernel").read_bytes())
    done = run("link", tmp_path / "launch.dts", "--output", tmp_path / "out", env={"PATH": str(programs)})
    assert done.returncode == 0
    assert "k: file: warning: " in done.stderr and "bzip2 is needed to decompress it" in done.stderr


def test_link_kernel_that_unpacks_to_too_much(tmp_path):
    bomb = subprocess.run("head -c 600M /dev/zero | gzip -1", shell=True, stdout=subprocess.PIPE, check=True).stdout
    done = link_one(tmp_path, bomb)
    assert done.returncode == 1 and "it is larger than Xen can decompress" in done.stderr


# --- where files are ---------------------------------------------------------------


def test_link_finds_files_of_the_environment(tmp_path, images):
    environment = dict(os.environ, LCMTOOL_MODULES=f"/nonexistent::{images}")
    done = run("link", EXAMPLES / "dynamic-full/launch.dts", "--output", tmp_path / "out", env=environment)
    assert done.returncode == 0, done.stderr


def test_link_prefers_the_command_line(tmp_path, images):
    other = lcmtool.write_images(tmp_path / "other")
    environment = dict(os.environ, LCMTOOL_MODULES=str(images))
    done = run("link", EXAMPLES / "static-basic/launch.dts", "--output", tmp_path / "out", "--modules", other, env=environment)
    assert done.returncode == 0, done.stderr
    assert str(images) not in (tmp_path / "out/modules").read_text()


def test_link_says_what_to_do_where_files_are_missing(tmp_path):
    done = run("link", EXAMPLES / "dynamic-full/launch.dts", "--output", tmp_path / "out", "--modules", "/nonexistent",
               env={"PATH": os.environ["PATH"]})
    assert done.returncode == 1
    assert "  /nonexistent (no such directory)\n" in done.stderr
    (advice,) = [line for line in done.stderr.splitlines() if line.startswith("lcmtool: ")]
    assert "--modules DIR" in advice and "LCMTOOL_MODULES" in advice and "dev/build-images" in advice
