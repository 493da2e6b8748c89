# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source made of a tree compiles to the same tree: same nodes, properties and bytes.

usage: test-dts.py FDT-TO-DTS DTC DIRECTORY
"""
import pathlib
import struct
import subprocess
import sys

BEGIN_NODE, END_NODE, PROP, NOP, END = 1, 2, 3, 4, 9


def tokens(blob):
    """The tree as a list: names of nodes, properties with their bytes, ends of nodes."""
    _, _, structure, strings, rsvmap = struct.unpack_from(">5I", blob)
    found = [("reserved", blob[rsvmap:structure] if rsvmap < structure else b"")]
    at = structure
    while True:
        (token,) = struct.unpack_from(">I", blob, at)
        at += 4
        if token == END:
            return found
        if token == BEGIN_NODE:
            end = blob.index(b"\0", at)
            found.append(("node", blob[at:end]))
            at = (end + 4) & ~3
        elif token == PROP:
            length, name = struct.unpack_from(">II", blob, at)
            at += 8
            name = blob[strings + name:blob.index(b"\0", strings + name)]
            found.append(("property", name, blob[at:at + length]))
            at = (at + length + 3) & ~3
        elif token == END_NODE:
            found.append(("end",))
        elif token != NOP:
            raise ValueError(f"token {token}")


def there_and_back(tool, dtc, blob):
    source = subprocess.run([tool], input=blob, stdout=subprocess.PIPE, check=True).stdout
    # -f: some of the fixtures are wrong on purpose.
    return subprocess.run([dtc, "-q", "-q", "-f", "-I", "dts", "-O", "dtb", "-"],
                          input=source, stdout=subprocess.PIPE, check=True).stdout


ODD = rb"""/dts-v1/;
/memreserve/ 0x1000 0x2000;
/ {
    empty; quote = "a\"b\\c"; list = "one", "two"; zero = "";
    gap = "a", "", "b"; tail = [61 62]; cells = <0x41424300>; domid = <0x41424300>;
    high = [c3 a4 00]; newline = "a\nb"; long = <0 0 0 0 0xffffffff>; odd,name+x_y.z? = <1>;
    #address-cells = <2>; domain-uuid = [30 31 32 00]; module-addr = [01 02 03];
    node@1 { inner { deep = <1>; }; }; node@2 { };
};
"""


def main():
    tool, dtc, directory = sys.argv[1:]
    blobs = {path.name: path.read_bytes() for path in sorted(pathlib.Path(directory).glob("*.dtb"))}
    assert len(blobs) > 50, f"too few fixtures in {directory}"
    blobs["odd"] = subprocess.run([dtc, "-q", "-q", "-I", "dts", "-O", "dtb", "-"], input=ODD,
                                  stdout=subprocess.PIPE, check=True).stdout
    wrong = [name for name, blob in blobs.items()
             if tokens(there_and_back(tool, dtc, blob)) != tokens(blob)]
    # A name that source cannot express is refused, not mangled.
    bad = blobs["odd"].replace(b"cells\0", b"ce{ls\0").replace(b"#address-ce{ls", b"#address-cells")
    assert subprocess.run([tool], input=bad, capture_output=True).returncode == 1
    print(f"{len(blobs)} trees, {len(wrong)} changed {wrong}")
    return 1 if wrong else 0


sys.exit(main())
