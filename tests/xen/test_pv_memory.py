# SPDX-License-Identifier: LGPL-2.1-or-later
"""PV domains with memory for just about what they are built from: each is built, or refused before anything is allocated."""
import re

import pytest

import elf
import lcm
import short_boot

PROBE, KERNEL, RAMDISK, LARGE_KERNEL = range(1, 5)
HW, GUEST = f"{short_boot.NODE}/hw", f"{short_boot.NODE}/guest"
PV_LONG = lcm.PV | lcm.LONG
PAGE_KIB = 4
TOO_SMALL = "kernel-size"
# The P2M table has an address of its own, as Linux wants it: 512 GiB, where the image has no page tables.
NOTES = {**elf.pv_notes(), elf.INIT_P2M: elf.note(elf.INIT_P2M, elf.number(1 << 39))}


def kernel(memsz=2 * elf.TEXT_SIZE):
    size = len(b"".join(NOTES.values()))
    return elf.kernel(NOTES, [elf.segment(memsz=memsz), elf.segment(type=elf.NOTE, offset=elf.NOTES, filesz=size, memsz=size)])


@pytest.fixture(scope="module")
def files(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    contents = {KERNEL: kernel(), RAMDISK: bytes(3 * 4096 + 1), LARGE_KERNEL: kernel(LARGE)}
    for index, content in contents.items():
        (folder / str(index)).write_bytes(content)
    return [f"{images}/probe", *[folder / str(index) for index in contents]]


def tables(start, size):
    """Page tables for a mapping that shares none."""
    return sum(((start + size - 1) >> shift) - (start >> shift) + 1 for shift in (21, 30, 39))


def least(image):
    """The least pages with which the builder can do."""
    pages = image
    while pages < image + -(-pages * 8 // 4096) + tables(1 << 39, pages * 8):
        pages += 1
    return pages


# Pages from the kernel's base to behind its stack, in steps of 4 MiB; the ramdisk is among them.  What the P2M needs comes on top.
IMAGE = 1024
LARGE = (1 << 30) - (8 << 20)         # bytes of a kernel of 1 GiB in all, with which the P2M has a superpage
LARGE_IMAGE = 1 << 18
AROUND = range(-4, 9)
SIZES = {
    **{f"{offset:+}": (KERNEL, None, least(IMAGE) + offset) for offset in AROUND},
    **{f"ramdisk{offset:+}": (KERNEL, RAMDISK, least(IMAGE) + offset) for offset in AROUND},
    **{f"hardware{offset:+}": (KERNEL, None, least(IMAGE) + offset) for offset in (-1, 0, 2)},
    **{f"superpage{offset:+}": (LARGE_KERNEL, None, least(LARGE_IMAGE) + offset) for offset in (-2, -1, 0, 1, 3, 5)},
}


def launch(name):
    """The domain in question is the guest, or the hardware domain."""
    index, ramdisk, pages = SIZES[name]
    memory = f"<{pages * PAGE_KIB}>"
    if name.startswith("hardware"):
        return lcm.source(short_boot.hardware(memory, PV_LONG, kernel=index))
    return lcm.source(short_boot.hardware(), lcm.domain("guest", memory, kernel=index, ramdisk=ramdisk, mode=PV_LONG))


@pytest.fixture(scope="module")
def logs(request, files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pv-memory")

    def run(name):
        (folder / name).mkdir()
        ram = 4 << 30 if name.startswith("superpage") else short_boot.RAM
        return short_boot.boot(f"pv-memory-{name}", launch(name), folder / name, files, ram=ram)
    return short_boot.run_all(request, "name", run)


@pytest.mark.parametrize("name", SIZES)
def test_guest_of_about_enough_memory(logs, name):
    log = logs[name].result()
    if int(re.search(r"[+-]\d+$", name)[0]) < 0:
        assert short_boot.error(log) == (TOO_SMALL, HW if name.startswith("hardware") else GUEST, "memory"), log.path
        # Known before the first page is taken.
        assert "PHYSICAL MEMORY" not in log.text
    else:
        assert short_boot.outcome(log) == "complete", log.path


# KiB for the domain before, of the 1 GiB that the machine has: from just so much that vCPUs are short of memory on.
TAKEN = range(924 << 10, 937 << 10, 1 << 10)


@pytest.fixture(scope="module")
def starving(request, files, tmp_path_factory):
    """A guest with more vCPUs than there is memory for beside what others have."""
    folder = tmp_path_factory.mktemp("starving")

    def run(taken):
        (folder / str(taken)).mkdir()
        source = lcm.source(short_boot.hardware(), lcm.domain("large", f"<{taken}>", kernel=PROBE, ramdisk=None, bootargs="idle"),
                            lcm.domain("guest", '"6M"', 600, kernel=KERNEL, ramdisk=None, mode=PV_LONG))
        return short_boot.boot(f"pv-starving-{taken}", source, folder / str(taken), files)
    return short_boot.run_all(request, "taken", run)


@pytest.mark.parametrize("taken", TAKEN)
def test_host_without_memory_for_the_p2m(starving, taken):
    """vCPUs take what is left, so the P2M, made after them, gets so far and no further: an error, and no trace of the guest."""
    log = starving[taken].result()
    if short_boot.outcome(log) != "complete":
        assert short_boot.error(log)[::2] == ("no-memory", "memory"), log.path


def test_host_lacks_memory_for_the_p2m_in_some(starving):
    if len(starving) == len(TAKEN):
        assert any("Not enough RAM for DOM0 P->M table" in log.result().text for log in starving.values())
