# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine whose memory can be looked at from outside, and the tables of its IOMMU in it."""
import mmap
import os
import re
import socket
import struct

import harness
from machine import Machine

PAGE = 4096
IOMMU_REGISTERS = 0xfed80000        # QEMU's amd-iommu
ADDRESS = 0x000ffffffffff000
PRESENT, TRANSLATED = 1, 2
READ, WRITE = 1 << 61, 1 << 62


class OpenMachine(Machine):
    """Its memory is a file, QEMU's monitor a socket, and it has an edu device."""

    def _command(self, medium):
        command = super()._command(medium)
        self.memory = os.path.join(self.folder, "memory")
        self._monitor = os.path.join(self.folder, "monitor")
        return command + [
            "-object", f"memory-backend-file,id=memory,size={self.ram},mem-path={self.memory},share=on",
            "-machine", "memory-backend=memory", "-monitor", f"unix:{self._monitor},server=on,wait=off",
            "-device", "edu,addr=0x10,dma_mask=0xffffffffffffffff"]

    EDU = 0x10 << 3                 # bus 0, function 0

    def ask_monitor(self, command):
        """What QEMU's monitor says to a command."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(harness.PATIENCE)
            monitor.connect(self._monitor)
            said = self._until_prompt(monitor)
            monitor.sendall(f"{command}\n".encode())
            said = self._until_prompt(monitor)
        return said

    @staticmethod
    def _until_prompt(monitor):
        said = b""
        while not said.endswith(b"(qemu) "):
            said += monitor.recv(4096)
        return said.decode("ascii", "replace")

    def device_table(self):
        """Where the IOMMU has its device table."""
        said = self.ask_monitor(f"xp /1gx {IOMMU_REGISTERS:#x}")
        return int(re.search(r"^0*fed80000: 0x([0-9a-f]{16})", said, re.MULTILINE)[1], 16) & ADDRESS


class Memory:
    """The machine's memory, by host physical address: there is none above 2 GiB that would lie elsewhere."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def page(self, address):
        """The bytes of one."""
        return self._bytes[address:address + PAGE]

    def words(self, address, count):
        """So many 64-bit ones."""
        return struct.unpack_from(f"<{count}Q", self._bytes, address)

    def pages_of(self, line):
        """Addresses of the pages in which there is nothing but that line of text, again and again."""
        line = f"{line}\n".encode()
        assert PAGE % len(line) == 0
        full = line * (PAGE // len(line))
        return [at for at in range(0, len(self._bytes), PAGE)
                if self._bytes[at:at + len(line)] == line and self.page(at) == full]

    def _walk(self, table, level, ranges):
        for entry in self.words(table, PAGE // 8):
            if not entry & PRESENT:
                continue
            following = entry >> 9 & 7
            assert following < level, "an entry of a kind that Xen does not make"
            if following:
                self._walk(entry & ADDRESS, following, ranges)
            elif entry & (READ | WRITE):
                ranges.append((entry & ADDRESS, PAGE << 9 * (level - 1)))

    def reach(self, device_table, device):
        """(address, size) of each piece of memory to which the IOMMU lets that device; None: it stops nothing."""
        root = self.words(device_table + 32 * device, 1)[0]
        levels = root >> 9 & 7
        if not root & PRESENT or not levels:
            return None
        assert root & TRANSLATED
        ranges = []
        self._walk(root & ADDRESS, levels, ranges)
        return ranges


def pages_in(ranges, end):
    """The pages of those below an address."""
    return {page for start, size in ranges for page in range(start, min(start + size, end), PAGE)}
