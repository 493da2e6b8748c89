# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest is what Xen's PVH loader takes: small, whole, with its entry, and without a C library.

usage: test-guest.py GUEST
"""
import struct
import subprocess
import sys

LIMIT = 256 << 10       # bytes of memory, all of it; the file without symbols is smaller
LOAD, NOTE = 1, 4
PHYS32_ENTRY = 18

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

_, _, at, _, _, length, _ = next(header for header in headers if header[0] == NOTE)
assert length == 20, "more or less than one note"
assert struct.unpack_from("<III", image, at) == (4, 4, PHYS32_ENTRY)
assert image[at + 12:at + 16] == b"Xen\0"
entry, = struct.unpack_from("<I", image, at + 16)
assert start <= entry < end, "the entry is not in the program"

undefined = subprocess.run(["nm", "--undefined-only", path], stdout=subprocess.PIPE, text=True, check=True).stdout
assert not undefined.strip(), f"not there: {undefined}"
print(f"{end - start} bytes at {start:#x}")
