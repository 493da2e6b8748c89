# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kernels that are cut short, that lie about their size, and whose headers are wild: each is an error of its node."""
import gzip
import random
import struct
import subprocess
import zlib

import pytest

import elf
import lcm
import short_boot

KERNEL = f"{short_boot.NODE}/guest/kernel"
IMAGE = ("image", KERNEL, None)
TOO_BIG = ("kernel-size", f"{short_boot.NODE}/guest", "memory")
TOP, HUGE = 1 << 64, (1 << 32) - 1
PV_LONG = lcm.PV | lcm.LONG


def launch(folder, name, images, image, mode, memory):
    """The log of a launch whose guest has this kernel."""
    folder.mkdir()
    (folder / "kernel").write_bytes(image)
    guest = lcm.domain("guest", memory, kernel=2, ramdisk=None, mode=mode)
    return short_boot.boot(f"kernel-{name}", lcm.source(short_boot.hardware(), guest), folder, [f"{images}/probe", folder / "kernel"])


def notes(*more, base=elf.pvh_notes, **replaced):
    """Notes with some in the place of others, by type, and some behind them."""
    found = {**base(), **{int(key[1:]): value for key, value in replaced.items()}}
    return b"".join([*found.values(), *more])


def pvh(*segments, **changed):
    text = changed.pop("notes", notes())
    head = elf.segment(type=elf.NOTE, offset=elf.NOTES, filesz=len(text), memsz=len(text))
    return elf.kernel(text, [*segments, head] if segments else None, **changed)


def with_symbols(symtab=elf.section(elf.SYMTAB, link=2, entsize=24), strtab=elf.section(elf.STRTAB), base=elf.pvh_notes,
                 **changed):
    """Xen hands a kernel's symbols over that asks for them: they are sections of the file."""
    text = notes(elf.note(elf.BSD_SYMTAB, b"yes\0"), base=base)
    return elf.kernel(text, sections=[elf.section(0), symtab, strtab], **changed)


S = elf.segment
WILD_PVH = {
    "sound": (pvh(), None),
    "overlapping": (pvh(S(), S()), None),
    "symbols": (with_symbols(), None),
    "offset-beyond": (pvh(S(offset=1 << 63)), IMAGE),
    "offset-wraps": (pvh(S(offset=TOP - 0x1000, filesz=0x2000)), IMAGE),
    "filesz-beyond": (pvh(S(filesz=1 << 20, memsz=1 << 20)), IMAGE),
    "filesz-huge": (pvh(S(filesz=TOP - 1, memsz=TOP - 1)), IMAGE),
    "filesz-over-memsz": (pvh(S(memsz=0x800)), IMAGE),
    "memsz-huge": (pvh(S(memsz=1 << 40)), TOO_BIG),
    "memsz-wraps": (pvh(S(memsz=TOP - 1)), IMAGE),
    "paddr-beyond": (pvh(S(paddr=1 << 52)), IMAGE),
    "paddr-far": (pvh(S(), S(paddr=1 << 51)), TOO_BIG),
    "paddr-wraps": (pvh(S(), S(paddr=TOP - 0x1000)), IMAGE),
    "paddr-rings": (pvh(S(), S(paddr=0xfeffd000)), TOO_BIG),
    "many-copies": (pvh(*[S()] * 10), IMAGE),
    "phnum-huge": (pvh(phnum=0xffff), IMAGE),
    "phnum-0": (pvh(phnum=0), IMAGE),
    "phoff-beyond": (pvh(phoff=1 << 40), IMAGE),
    "phoff-wraps": (pvh(phoff=TOP - 56), IMAGE),
    "phentsize-0": (pvh(phentsize=0), IMAGE),
    "phentsize-1": (pvh(phentsize=1), IMAGE),
    "phentsize-huge": (pvh(phentsize=0xffff), IMAGE),
    "shoff-beyond": (pvh(shoff=1 << 40, shnum=4), IMAGE),
    "shoff-wraps": (pvh(shoff=TOP - 64, shnum=2), IMAGE),
    "shnum-huge": (pvh(shoff=elf.SECTIONS, shnum=0xffff), IMAGE),
    "shstrndx-huge": (with_symbols(shstrndx=0xffff), None),
    "symtab-beyond": (with_symbols(elf.section(elf.SYMTAB, 1 << 40, link=2)), IMAGE),
    "symtab-xen": (with_symbols(elf.section(elf.SYMTAB, 1 << 30, 1 << 16, link=2)), IMAGE),
    "symtab-huge": (with_symbols(elf.section(elf.SYMTAB, size=TOP - 1, link=2)), IMAGE),
    "symtab-link": (with_symbols(elf.section(elf.SYMTAB, link=0xffff)), None),
    "strtab-beyond": (with_symbols(strtab=elf.section(elf.STRTAB, 1 << 40)), IMAGE),
    "strtab-huge": (with_symbols(strtab=elf.section(elf.STRTAB, size=1 << 40)), IMAGE),
    "note-segment-beyond": (elf.kernel(notes(), [S(), S(type=elf.NOTE, offset=1 << 40)]), IMAGE),
    "note-segment-huge": (elf.kernel(notes(), [S(), S(type=elf.NOTE, offset=elf.NOTES, filesz=TOP - 1)]), IMAGE),
    "note-name-huge": (pvh(notes=elf.note(18, b"1234", namesz=HUGE)), IMAGE),
    "note-desc-huge": (pvh(notes=elf.note(18, b"1234", descsz=HUGE)), IMAGE),
    "note-desc-0": (pvh(notes=elf.note(18, b"")), IMAGE),
    "note-entry-beyond": (pvh(notes=elf.note(18, b"\xff" * 4)), IMAGE),
    "notes-none": (pvh(notes=b""), IMAGE),
    "reloc-align-0": (pvh(S(paddr=0), notes=notes(_18=elf.note(18, bytes(4)), _19=elf.note(19, bytes(12)))), None),
    "reloc-nowhere": (pvh(S(paddr=1 << 31, vaddr=0), notes=notes(
        _18=elf.note(18, elf.number(1 << 31, 4)), _19=elf.note(19, struct.pack("<III", 3, 0, 0x1000)))), TOO_BIG),
    "big-endian": (pvh(ident=b"\x7fELF\x02\x02\x01" + bytes(9)), IMAGE),
    "class-32": (pvh(ident=b"\x7fELF\x01\x01\x01" + bytes(9)), IMAGE),
    "class-none": (pvh(ident=b"\x7fELF\x07\x01\x01" + bytes(9)), IMAGE),
}




def pv(*segments, base_notes=elf.pv_notes, **replaced):
    """A PV kernel; replaced: values of notes, by their names in elf."""
    found = base_notes()
    for name, value in replaced.items():
        found[getattr(elf, name)] = elf.note(getattr(elf, name), elf.number(value % TOP))
    return pvh(*segments, notes=b"".join(found.values()))


WILD_PV = {
    "pv-sound": (pv(), None),
    "pv-filesz-beyond": (pv(S(filesz=1 << 20, memsz=1 << 20)), IMAGE),
    "pv-memsz-huge": (pv(S(memsz=1 << 36)), IMAGE),
    "pv-memsz-large": (pv(S(memsz=1 << 28)), TOO_BIG),
    "pv-paddr-wraps": (pv(S(), S(paddr=TOP - 0x1000)), IMAGE),
    "pv-base-unaligned": (pv(VIRT_BASE=elf.BASE + 0x123, ENTRY=elf.BASE + elf.PADDR + 0x123), IMAGE),
    "pv-base-in-xen": (pv(VIRT_BASE=0xffff830000000000, ENTRY=0xffff830000200000), IMAGE),
    "pv-base-across-xen": (pv(VIRT_BASE=0xffff7ffffff00000, ENTRY=0xffff800000100000), IMAGE),
    "pv-base-not-canonical": (pv(VIRT_BASE=1 << 47, ENTRY=(1 << 47) + elf.PADDR), IMAGE),
    "pv-base-top": (pv(VIRT_BASE=TOP - 0x400000, ENTRY=TOP - 0x200000), IMAGE),
    "pv-base-0": (pv(VIRT_BASE=0, ENTRY=elf.PADDR, HYPERCALL_PAGE=elf.PADDR + 0x1000), None),
    "pv-offset-wild": (pv(PADDR_OFFSET=1 << 60), IMAGE),
    "pv-entry-beyond": (pv(ENTRY=elf.BASE), IMAGE),
    "pv-hypercall-page-beyond": (pv(HYPERCALL_PAGE=elf.BASE + (1 << 30)), IMAGE),
    "pv-hypercall-page-unaligned": (pv(HYPERCALL_PAGE=elf.BASE + elf.PADDR + 8), IMAGE),
    "pv-hypercall-page-in-xen": (pv(HYPERCALL_PAGE=0xffff82d040200000), IMAGE),
    "pv-p2m-in-xen": (pv(INIT_P2M=0xffff830000000000), IMAGE),
    "pv-p2m-over-kernel": (pv(INIT_P2M=elf.BASE + elf.PADDR), IMAGE),
    "pv-p2m-unaligned": (pv(INIT_P2M=0x1008), IMAGE),
    "pv-p2m-not-canonical": (pv(INIT_P2M=1 << 50), IMAGE),
    "pv-p2m-0": (pv(INIT_P2M=0), None),
    "pv-symbols": (with_symbols(base=elf.pv_notes), None),
    "pv-symtab-xen": (with_symbols(elf.section(elf.SYMTAB, 1 << 30, 1 << 12, link=2), base=elf.pv_notes), IMAGE),
}


def packed(image, data=None, size=None, version=0x20c, offset=0, length=None):
    """A bzImage whose payload is `image` as gzip has it, or `data`, with what it says of its size."""
    data = gzip.compress(image, 9, mtime=0) if data is None else data
    data = data if size is None else data[:-4] + elf.number(size, 4)
    head = bytearray(1024)
    head[0x1f1], head[0x202:0x206], head[0x206:0x208] = 1, b"HdrS", elf.number(version, 2)
    head[0x248:0x250] = struct.pack("<II", offset, len(data) if length is None else length)
    return bytes(head) + data


def squeezed(tool, image):
    """As a kernel's build has it: behind what the tool makes is the size."""
    data = subprocess.run([tool, "-c"], input=image, stdout=subprocess.PIPE, check=True).stdout
    return data + elf.number(len(image), 4)


def bomb(size):
    """So many zeroes, of which a thousandth is in the file; the same for each MiB, as it begins anew there."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    head = b"\x1f\x8b\x08" + bytes(7)
    return head + piece * (size >> 20) + packer.flush() + bytes(4) + elf.number(size % (1 << 32), 4)


def disguised():
    """A kernel that is a bzImage besides, which leads far beyond its end."""
    image = bytearray(GOOD)
    image[0x1f1], image[0x202:0x206], image[0x206:0x208] = 255, b"HdrS", elf.number(0x20c, 2)
    image[0x248:0x250] = struct.pack("<II", 0x7f000000, 0x1000)
    return bytes(image)


GOOD = pvh()
NO_MEMORY = ("no-memory", KERNEL, None)
PACKED = {
    "gzip": (packed(GOOD), None),
    "gzip-alone": (gzip.compress(GOOD), None),
    "bzimage-of-elf": (packed(GOOD, GOOD), None),
    "zstd": (packed(GOOD, squeezed("zstd", GOOD)), None),
    "xz": (packed(GOOD, squeezed("xz", GOOD)), IMAGE),      # of a kind that a kernel's build does not make
    "bomb": (packed(GOOD, bomb(1 << 30)), IMAGE),
    "bomb-alone": (bomb(600 << 20), IMAGE),
    "bomb-that-lies": (packed(GOOD, bomb(8 << 30), size=len(GOOD)), IMAGE),
    "bomb-in-bounds": (packed(GOOD, bomb(200 << 20)), IMAGE),
    "says-too-little": (packed(GOOD, size=0x1000), IMAGE),
    "says-too-much": (packed(GOOD, size=len(GOOD) + 1), IMAGE),
    "says-500m": (packed(GOOD, size=500 << 20), NO_MEMORY),
    "says-4g": (packed(GOOD, size=HUGE), IMAGE),
    "says-100m": (packed(GOOD, size=100 << 20), IMAGE),
    "says-0": (packed(GOOD, size=0), IMAGE),
    "gzip-and-more": (packed(GOOD, gzip.compress(GOOD) + elf.number(len(GOOD) + 0x3000, 4)), IMAGE),
    "zstd-says-too-much": (packed(GOOD, squeezed("zstd", GOOD)[:-4] + elf.number(len(GOOD) + 0x3000, 4)), IMAGE),
    "zstd-says-too-little": (packed(GOOD, squeezed("zstd", GOOD)[:-4] + elf.number(0x1000, 4)), IMAGE),
    "gzip-broken": (packed(GOOD, gzip.compress(GOOD)[:60] + b"\xff" * 40 + elf.number(len(GOOD), 4)), IMAGE),
    "payload-beyond": (packed(GOOD, offset=1 << 20), IMAGE),
    "payload-long": (packed(GOOD, length=1 << 20), IMAGE),
    "payload-wraps": (packed(GOOD, offset=HUGE, length=HUGE), IMAGE),
    "payload-empty": (packed(GOOD, length=0), IMAGE),
    "payload-tiny": (packed(GOOD, length=7), IMAGE),
    "version-old": (packed(GOOD, version=0x207), IMAGE),
    "bzimage-in-elf": (packed(disguised()), IMAGE),
    "elf-as-bzimage": (disguised(), IMAGE),
}
WORDS = random.Random(1).randbytes(0x3000)
LONG = packed(GOOD[:elf.TEXT] + WORDS)
CUT = {f"cut-{kind}-{length}": (image[:length], IMAGE)
       for kind, image, lengths in (("elf", GOOD, (0, 1, 4, 15, 16, 17, 63, 64, 0x400, 0x1000, 0x1fff)),
                                    ("bzimage", LONG, (0x201, 0x24f, 0x250, 1023, 1024, 1032, 0x2000, len(LONG) - 1)))
       for length in lengths}
CASES = {**{name: (*case, lcm.LONG, '"16M"') for name, case in {**WILD_PVH, **PACKED, **CUT}.items()},
         **{name: (*case, PV_LONG, '"64M"') for name, case in WILD_PV.items()}}


@pytest.fixture(scope="module")
def logs(request, images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels")

    def run(name):
        image, _, mode, memory = CASES[name]
        return launch(folder / name, name, images, image, mode, memory)
    return short_boot.run_all(request, "name", run)


@pytest.mark.parametrize("name", CASES)
def test_kernel(logs, name):
    log, expected = logs[name].result(), CASES[name][1]
    assert (short_boot.error(log) if expected else log.state()) == (expected or "complete"), log.path
