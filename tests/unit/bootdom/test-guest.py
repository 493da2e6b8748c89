# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest is what Xen's loaders take: small, whole, with its PVH entry, the PV one too or not, and without a C library.

usage: test-guest.py GUEST
"""
import struct
import subprocess
import sys

LIMIT = 512 << 10       # bytes of memory, all of it; the file without symbols is smaller
LOAD, NOTE = 1, 4
ENTRY, HYPERCALL_PAGE, VIRT_BASE, PHYS32_ENTRY = 1, 2, 3, 18

path = sys.argv[1]
with open(path, "rb") as file:
    image = file.read()
assert image[:6] == b"\x7fELF\x02\x01", "not a 64-bit little-endian ELF file"
kind, machine = struct.unpack_from("<HH", image, 16)
assert (kind, machine) == (2, 62), "not an x86-64 program with fixed addresses"
offset, = struct.unpack_from("<Q", image, 32)
size, number = struct.unpack_from("<HH", image, 54)
headers = [struct.unpack_from("<IIQQQQQ", image, offset + size * i) for i in range(number)]
assert {header[0] for header in headers} == {LOAD, NOTE}, "it needs a loader's help"

loads = [header for header in headers if header[0] == LOAD]
start, end = min(h[4] for h in loads), max(h[4] + h[6] for h in loads)
assert all(h[3] == h[4] for h in loads), "addresses are not physical ones"
assert start >= 1 << 20, "it lies in the first megabyte"
assert end - start < LIMIT, f"{end - start} bytes, more than {LIMIT}"


def read_notes(at, limit):
    """{type: value} of Xen's notes; what is a text has no meaning as a number."""
    found = {}
    while at < limit:
        name, length, kind = struct.unpack_from("<III", image, at)
        assert (name, image[at + 12:at + 16]) == (4, b"Xen\0"), "a note that is not Xen's"
        assert kind not in found, f"note {kind} is there twice"
        found[kind] = int.from_bytes(image[at + 16:at + 16 + length], "little")
        at += 16 + (length + 3) // 4 * 4
    return found


_, _, place, _, _, room, _ = next(header for header in headers if header[0] == NOTE)
notes = read_notes(place, place + room)
assert start <= notes[PHYS32_ENTRY] < end, "the entry is not in the program"
if len(notes) > 1:
    assert start <= notes[ENTRY] < end, "the PV entry is not in the program"
    assert start <= notes[HYPERCALL_PAGE] < end and notes[HYPERCALL_PAGE] % 4096 == 0, "no page for hypercalls"
    assert notes[VIRT_BASE] == 0, "PV addresses are not those of PVH"

undefined = subprocess.run(["nm", "--undefined-only", path], stdout=subprocess.PIPE, text=True, check=True).stdout
assert not undefined.strip(), f"not there: {undefined}"
print(f"{end - start} bytes at {start:#x}")
