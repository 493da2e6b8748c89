# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tiny ELF kernels for Xen, sound or with any field of their headers changed."""
import struct

LOAD, NOTE = 1, 4
SYMTAB, STRTAB, SHT_NOTE = 2, 3, 7
NOTES, SECTIONS, STRINGS, TEXT = 0x400, 0x800, 0xc00, 0x1000
TEXT_SIZE = 0x1000
PADDR = 0x200000
BASE = 0xffffffff80000000      # where a PV kernel is mapped
# Types of Xen's notes.
ENTRY, HYPERCALL_PAGE, VIRT_BASE, PADDR_OFFSET, XEN_VERSION, GUEST_OS, LOADER = 1, 2, 3, 4, 5, 6, 8
BSD_SYMTAB, INIT_P2M, PHYS32_ENTRY, PHYS32_RELOC = 11, 15, 18, 19
HALT = b"\xf3\x90\xeb\xfc"     # pause, and again; the same in 32 and 64 bits


def number(value, size=8):
    return value.to_bytes(size, "little")


def note(kind, desc, name=b"Xen\0", namesz=None, descsz=None):
    """One note; its sizes may lie."""
    head = struct.pack("<III", len(name) if namesz is None else namesz,
                       len(desc) if descsz is None else descsz, kind)
    return head + name + desc + b"\0" * (-len(desc) % 4)


def pvh_notes(**changed):
    """{type: note}, one for each, of a PVH kernel."""
    return {PHYS32_ENTRY: note(PHYS32_ENTRY, number(PADDR, 4)), **changed}


def pv_notes():
    """The same of a PV kernel."""
    return {GUEST_OS: note(GUEST_OS, b"linux\0"), XEN_VERSION: note(XEN_VERSION, b"xen-3.0\0"),
            LOADER: note(LOADER, b"generic\0"), VIRT_BASE: note(VIRT_BASE, number(BASE)),
            PADDR_OFFSET: note(PADDR_OFFSET, number(0)), ENTRY: note(ENTRY, number(BASE + PADDR)),
            HYPERCALL_PAGE: note(HYPERCALL_PAGE, number(BASE + PADDR + 0x1000))}


def segment(**changed):
    """A program header: the text, unless something is changed."""
    fields = {"type": LOAD, "flags": 7, "offset": TEXT, "vaddr": PADDR, "paddr": PADDR, "filesz": TEXT_SIZE,
              "memsz": 2 * TEXT_SIZE, "align": 0x1000, **changed}
    return struct.pack("<IIQQQQQQ", *fields.values())


def section(kind, offset=STRINGS, size=0x100, link=0, entsize=0):
    """A section header."""
    return struct.pack("<IIQQQQIIQQ", 0, kind, 0, 0, offset, size, link, 0, 1, entsize)


def kernel(notes, segments=None, sections=(), ident=None, **changed):
    """An image; changed: fields of the ELF header."""
    notes = notes if isinstance(notes, bytes) else b"".join(notes.values())
    segments = segments if segments is not None else [
        segment(), segment(type=NOTE, offset=NOTES, filesz=len(notes), memsz=len(notes))]
    head = {"ident": ident or b"\x7fELF\x02\x01\x01" + b"\0" * 9, "type": 2, "machine": 62, "version": 1, "entry": PADDR,
            "phoff": 64, "shoff": SECTIONS if sections else 0, "flags": 0, "ehsize": 64, "phentsize": 56,
            "phnum": len(segments), "shentsize": 64, "shnum": len(sections), "shstrndx": 0, **changed}
    image = bytearray(TEXT + TEXT_SIZE)
    for offset, data in ((0, struct.pack("<16sHHIQQQIHHHHHH", *head.values())), (64, b"".join(segments)),
                         (NOTES, notes[:SECTIONS - NOTES]), (SECTIONS, b"".join(sections)), (TEXT, HALT)):
        image[offset:offset + len(data)] = data
    return bytes(image)
