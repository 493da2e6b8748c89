# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mutations of the examples' LCMs: each boots to a clear end, and to the one that lcmtool foretells.

60 in ./test and 300 with those of ./test long, or as many as HL_MUTANTS says.
"""
import os
import random
import re
import struct
import subprocess

import pytest

import agreement
import harness
import short_boot

EACH_DAY, ALL = 60, 300
SEEDS = range(1, int(os.environ.get("HL_MUTANTS", ALL)) + 1)
LONG = [] if "HL_MUTANTS" in os.environ else SEEDS[EACH_DAY:]
MODULES = 5
EXAMPLES = sorted(os.listdir(os.path.join(harness.ROOT, "examples")))
# Each is one thing to do to a source; an LCM gets up to three.
CELLS = (0, 1, 2, 3, 5, 7, 8, 31, 32, 62, 63, 64, 0x7fef, 0x7ff0, 0x7ff5, 0xffff, 0x40000000, 0x80000000, 0xc0000006, 0xffffffff)
SIZES = ('"0K"', '"4K"', '"1M"', '"3M"', '"64G"', '"99999999T"', '"64"', "<0>", "<3>", "<0xffffffff>", "<0 0x10000>",
         "<0xffffffff 0xffffffff>", '"8M", "8M"', "[00 40]")
NUMBERED = re.compile(r"(domid|permissions|functions|mode|cpus|mb-index|boot-timeout-ms) = <[^>]*>;")
PROPERTY = re.compile(r"^\s*([\w#,-]+)( = [^;]*)?;$", re.MULTILINE)
NODE = re.compile(r"^\t\t\t([\w@-]+) \{$", re.MULTILINE)


def one(rng, found):
    found = list(found)
    return rng.choice(found) if found else None


def replace(text, match, by):
    return text[:match.start()] + by + text[match.end():] if match else text


def set_number(rng, text):
    match = one(rng, NUMBERED.finditer(text))
    return replace(text, match, f"{match[1]} = <{rng.choice(CELLS):#x}>;")


def set_memory(rng, text):
    return replace(text, one(rng, re.finditer(r"memory = [^;]*;", text)), f"memory = {rng.choice(SIZES)};")


def drop_property(rng, text):
    return replace(text, one(rng, PROPERTY.finditer(text)), "")


def swap_values(rng, text):
    """One property's value as another's."""
    a, b = one(rng, PROPERTY.finditer(text)), one(rng, PROPERTY.finditer(text))
    return replace(text, a, f"{a[1]}{b[2] or ''};")


def change_length(rng, text):
    """A cell more, or bytes in its place."""
    match = one(rng, NUMBERED.finditer(text))
    return replace(text, match, match[1] + rng.choice((" = <1 2>;", " = [01];", ";", ' = "1";', " = <1 2 3 4 5>;")))


def double_name(rng, text):
    first, other = one(rng, NODE.finditer(text)), one(rng, NODE.finditer(text))
    return replace(text, first, f"\t\t\t{other[1]}@7 {{")


def change_word(rng, text):
    words = ("hypervisor,xen", "xen,domain", "xen,config", "module,kernel", "module,ramdisk", "module,config", "module,x")
    return replace(text, one(rng, re.finditer(r'"(hypervisor|xen|module),[\w-]+"', text)), f'"{rng.choice(words)}"')


def add_property(rng, text):
    """Of another place, or none that there is."""
    more = ("hold;", 'start-after = "web";', "domain-uuid = [00 11];", "digest-sha256 = [00];", 'capability = "x";',
            "capabilities = <7>;", "reg = <0 0>;", 'security-id = "x";', "#address-cells = <9>;", "module-addr = <1 1>;",
            "boot-timeout-ms = <300>;", 'unknown = "x";', f"digest-sha256 = [{'00' * 32}];")
    match = one(rng, re.finditer(r"^\s*compatible = [^;]*;$", text, re.MULTILINE))
    return replace(text, match, f"{match[0]} {rng.choice(more)}")


def change_bytes(rng, blob):
    """The blob's own header and structure."""
    blob = bytearray(blob)
    for _ in range(rng.randrange(1, 4)):
        at = rng.choice((rng.randrange(4, 40), rng.randrange(4, len(blob))))
        blob[at] = rng.choice((0, 1, 0x7f, 0x80, 0xff, blob[at] ^ 1 << rng.randrange(8)))
    return bytes(blob)


def cut(rng, blob):
    """Short of its end, and perhaps with a header that agrees."""
    blob = blob[:rng.randrange(48, len(blob))]
    return blob if rng.randrange(2) else blob[:4] + struct.pack(">I", len(blob)) + blob[8:]


EDITS = (set_number, set_number, set_number, set_memory, set_memory, drop_property, swap_values, change_length, double_name,
         change_word, add_property, add_property)


def small(text):
    """The same launch of probes: quick to build, and quiet."""
    text = re.sub(r'memory = "\d+[MG]"', 'memory = "16M"', text)
    text = re.sub(r"mode = <5>", "mode = <4>", text)
    text = re.sub(r"(permissions = <[23]>;[^}]*?)memory = \"16M\"", r'\1memory = "64M"', text)
    text = re.sub(r'bootargs = "[^"]*"', 'bootargs = "idle"', text)
    text = re.sub(r"\bcpus = <\d+>", "cpus = <1>", text)
    names = {name: 1 + i for i, name in enumerate(("bootdom", "vmlinuz", "guest.cpio.gz", "control.cpio.gz", "bootdom.conf"))}
    return re.sub(r'file = "([^"]*)"', lambda match: f"mb-index = <{names.get(match[1], 2)}>", text)


def mutant(seed):
    """The blob."""
    rng = random.Random(seed)
    example = EXAMPLES[(seed + seed // 10) % len(EXAMPLES)]
    with open(os.path.join(harness.ROOT, "examples", example, "launch.dts"), encoding="utf-8") as source:
        text = re.sub(r"\s*//.*", "", small(source.read()))
    bytewise = seed % 5 == 0
    for _ in range(0 if bytewise else rng.randrange(1, 4)):
        text = rng.choice(EDITS)(rng, text)
    made = subprocess.run(["dtc", "-f", "-q", "-q", "-I", "dts", "-O", "dtb", "-o", "-", "-"], input=text.encode(),
                          stdout=subprocess.PIPE, check=True).stdout
    return rng.choice((change_bytes, cut))(rng, made) if bytewise else made


@pytest.fixture(scope="module")
def files(images, tmp_path_factory):
    """What the modules' indices stand for."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "ramdisk").write_bytes(b"nothing" * 100)
    (folder / "conf").write_text("ready-timeout-ms 500\n")
    return [f"{images}/bootdom", f"{images}/probe", folder / "ramdisk", folder / "ramdisk", folder / "conf"]


@pytest.fixture(scope="module")
def outcomes(request, files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mutants")

    def run(seed):
        place = folder / str(seed)
        place.mkdir()
        made = mutant(seed)
        expected = agreement.foretold(short_boot.blob(made, place), MODULES, short_boot.RAM)
        # No launch in it any more: to Xen a module like any other.
        if expected and expected[0] == "no-hypervisor":
            return None, expected
        return short_boot.boot(f"mutant-{seed}", made, place, files), expected
    return short_boot.run_all(request, "seed", run)


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.long] * (seed in LONG)) for seed in SEEDS])
def test_mutant(outcomes, seed):
    log, expected = outcomes[seed].result()
    if log is not None:
        agreement.check(log, expected)


def test_mutants_end_in_each_way(outcomes):
    """Else they would be too wild, or too tame, to say anything."""
    if len(outcomes) >= EACH_DAY:
        results = [future.result() for future in outcomes.values()]
        assert {short_boot.outcome(log) for log, _ in results if log} == {"complete", "recovery", "stopped"}
        assert 0.1 < sum(expected is None for _, expected in results) / len(results) < 0.8
