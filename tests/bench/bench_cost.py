# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one more guest costs at the least: its memory scrubbed, its kernel and ramdisk copied."""
import os
import struct

MIB = 1 << 20
PT_LOAD = 1
_EHDR = struct.Struct("<16xHHIQQQIHHHHHH")
_PHDR = struct.Struct("<IIQQQQQQ")


def loaded_bytes(path):
    """Bytes that a loader copies of a 64-bit ELF file."""
    with open(path, "rb") as file:
        head = file.read(_EHDR.size)
        if head[:5] != b"\x7fELF\x02":
            raise ValueError(f"{path}: not a 64-bit ELF file")
        fields = _EHDR.unpack(head)
        offset, size, count = fields[4], fields[8], fields[9]
        if size != _PHDR.size:
            raise ValueError(f"{path}: program headers of {size} bytes")
        file.seek(offset)
        headers = [_PHDR.unpack(file.read(size)) for _ in range(count)]
    return sum(header[5] for header in headers if header[0] == PT_LOAD)


class Bytes:
    """What clearing and copying costs on this machine (seconds for each MiB), and how much of it a guest needs."""

    def __init__(self, words, guest_mib, kernel, ramdisk):
        told = dict(zip(words[::2], words[1::2]))
        self.clear, self.copy = int(told["clear"]) / 1e9, int(told["copy"]) / 1e9
        self.scrubbed_mib = guest_mib
        self.copied_mib = (loaded_bytes(kernel) + os.path.getsize(ramdisk)) / MIB

    def least(self):
        """Seconds that one guest's bytes cost."""
        return self.scrubbed_mib * self.clear + self.copied_mib * self.copy


def per_domain(built):
    """Seconds that each domain after the first took, of [(domid, time when it was built)]."""
    stamps = [stamp for _, stamp in built]
    return [later - earlier for earlier, later in zip(stamps, stamps[1:])]


def growth(costs):
    """How much dearer the last quarter of the domains is than the first one; 1.0: not at all."""
    part = max(1, len(costs) // 4)
    return (sum(costs[-part:]) / part) / (sum(costs[:part]) / part)
