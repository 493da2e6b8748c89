# SPDX-License-Identifier: LGPL-2.1-or-later
"""What memory held before a launch is not shown to its domains, and what is zero already is not cleared again."""
import functools
import re

import pytest

import harness
import lcm
import short_boot

GUEST, HW = 1, 2
RAM = 512 << 20
GUEST_KIB, LARGE_KIB, HW_KIB = 160 << 10, 320 << 10, 96 << 10
LEFT = 0xa5a5_a5a5_a5a5_a5a5
# As Xen prints them.
CLEARED = re.compile(r"hyperlaunch: d(\d+): cleared (\d+) of (\d+) KiB in \d+ us, (\d+) CPUs")
ZERO = re.compile(r"probe: clean is (\d+) KiB$", re.MULTILINE)
OK = re.compile(r"probe: (?:zero|without=\S+) = ok$", re.MULTILINE)
# Of Xen's command line: which memory Xen has scrubbed, and whether it knows that.
SCRUBS = ("idle", "on", "off")


def source(guest_kib=GUEST_KIB):
    """A hardware domain without control, into whose memory Xen puts tables as well, and a guest; both look at it."""
    return lcm.source(
        lcm.domain("hw", f'"{HW_KIB}K"', kernel=1, ramdisk=None, bootargs=f"without={LEFT:#x}", more=f"domid = <{HW}>; permissions = <2>;"),
        lcm.domain("guest", f'"{guest_kib}K"', kernel=1, ramdisk=None, bootargs="zero", more=f"domid = <{GUEST}>;"))


def is_over(log):
    return log.stopped() or len(re.findall("probe: (?:zero|without=\\S+) = ", log.text)) >= 2


@pytest.fixture(scope="module")
def dirty(tmp_path_factory):
    """A machine whose memory is full of what somebody left there."""
    path = tmp_path_factory.mktemp("ram") / "ram"
    with open(path, "wb") as file:
        for _ in range(RAM >> 20):
            file.write(b"\xa5" * (1 << 20))
    yield functools.partial(harness.Machine, extra=[
        "-object", f"memory-backend-file,id=ram,size={RAM},mem-path={path},share=off", "-machine", "memory-backend=ram"])
    path.unlink()


@pytest.fixture(scope="module")
def logs(request, dirty, images, tmp_path_factory):
    def run(scrub):
        return short_boot.boot(f"zero-{scrub}", source(), tmp_path_factory.mktemp(scrub), [f"{images}/probe"], is_over, ram=RAM,
                               kind=dirty, words=[f"bootscrub={scrub}"])
    return short_boot.run_all(request, "scrub", run)


def cleared(log):
    """{domid: (KiB cleared, KiB of all)}"""
    return {int(domid): (int(kib), int(of)) for domid, kib, of, _ in CLEARED.findall(log.text)}


@pytest.mark.parametrize("scrub", SCRUBS)
def test_memory_is_zero(scrub, logs):
    log = logs[scrub].result()
    assert "not clean" not in log.text
    assert len(OK.findall(log.text)) == 2
    # All of it but the first 4 MiB, what Xen keeps of the host's map for itself, and a guest's own pages beside its RAM.
    seen = sorted(int(kib) for kib in ZERO.findall(log.text))
    assert seen[1] == GUEST_KIB - 4096 and HW_KIB - 8192 < seen[0] < HW_KIB


@pytest.mark.parametrize("scrub", SCRUBS)
def test_one_processor_clears_all(scrub, logs):
    # Nothing else had time to scrub, and a part that was is not known to be so.
    found = cleared(logs[scrub].result())
    assert found[GUEST] == (GUEST_KIB, GUEST_KIB) and found[HW][0] == found[HW][1] >= HW_KIB - 4096


def test_what_the_other_processor_has_scrubbed_is_not_cleared(dirty, images, tmp_path):
    """It scrubs from when it is up, while the first one digests a large module."""
    (tmp_path / "unused").write_bytes(bytes(64 << 20))
    # Not by a debug build, which does not trust the scrubbing.
    log = short_boot.boot("zero-two", source(LARGE_KIB), tmp_path, [f"{images}/probe", tmp_path / "unused"], is_over, ram=RAM, kind=dirty,
                          words=["bootscrub=idle"], cpus=2, xen=harness.built_xen())
    assert "not clean" not in log.text and len(OK.findall(log.text)) == 2
    # Without a line where it was all of a domain's; the first processor by itself would clear HW_KIB more.
    assert sum(kib for kib, _ in cleared(log).values()) < LARGE_KIB
