# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an LCM may say, where Xen has a part in it: vcpu nodes, its size, and what is refused before anything is built."""
import pytest

import elf
import lcm
import short_boot

PV_KERNEL = 2
PV_LONG = lcm.PV | lcm.LONG
GUEST = f"{short_boot.NODE}/guest"


def vcpu(number, cpus):
    """A vcpu node."""
    return f'vcpu@{number} {{ compatible = "xen,vcpu"; id = <{number}>; hard-affinity = "{cpus}"; }};'


def guest(name="guest", mode=lcm.LONG, more="", **others):
    return lcm.domain(name, '"64M"', kernel=PV_KERNEL if mode & lcm.PV else 1, ramdisk=None, mode=mode, bootargs="idle",
                      more=more, **others)


def in_tree(text, root="", chosen=""):
    """A launch in a tree that has more in it."""
    return text.replace("chosen {", f"{root} chosen {{ {chosen}", 1)


BOARD = "".join(f'device@{i:x} {{ compatible = "board,device"; data = "{"x" * 200}"; }};' for i in range(400))
PINNED = [guest("pvh", cpus=2, more=vcpu(0, "1") + vcpu(1, "0-1")), guest("pv", PV_LONG, vcpu(0, "0"))]
LAUNCHES = {
    # name: (source, the error, or None)
    "pinned": (lcm.source(short_boot.hardware(cpus=2)[:-2] + vcpu(1, "1") + " };", *PINNED), None),
    "pinned-beyond": (lcm.source(short_boot.hardware(), guest(more=vcpu(0, "0,2"))),
                      ("cpu-host", f"{GUEST}/vcpu@0", "hard-affinity")),
    "host-tree": (in_tree(lcm.source(short_boot.hardware(), guest()), root=BOARD), None),
    "too-large": (in_tree(lcm.source(short_boot.hardware(), guest()), chosen=BOARD), ("size", "/", None)),
    "device-model": (lcm.source(short_boot.hardware(), guest(mode=6)), ("unsupported", GUEST, "mode")),
    "boot-with-control": (lcm.source(guest(more="permissions = <1>; functions = <1>;"), short_boot.hardware()),
                          ("unsupported", GUEST, "permissions")),
    "pci-pvh": (lcm.source(short_boot.hardware(), guest(
        more='pci { compatible = "xen,pci-passthrough"; bdf = "0000:00:1f.0"; };')),
                ("pci-pvh", f"{GUEST}/pci", "compatible")),
}


@pytest.fixture(scope="module")
def logs(request, images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lcm")
    (folder / "pv").write_bytes(elf.kernel(elf.pv_notes()))

    def run(name):
        (folder / name).mkdir()
        return short_boot.boot(f"lcm-{name}", LAUNCHES[name][0], folder / name, [f"{images}/probe", folder / "pv"], cpus=2)
    return short_boot.run_all(request, "name", run)


@pytest.mark.parametrize("name", LAUNCHES)
def test_launch(logs, name):
    log, expected = logs[name].result(), LAUNCHES[name][1]
    assert (short_boot.error(log) if expected else short_boot.outcome(log)) == (expected or "complete"), log.path
    if expected:
        # All of it is checked before any of it is built.
        assert '" built' not in log.text and "Building" not in log.text, log.path
    if name == "pinned":
        for line in ("d1v1: hard affinity 1", "d2v0: hard affinity 1", "d2v1: hard affinity 0-1", "d3v0: hard affinity 0"):
            assert f"hyperlaunch: {line}" in log.text.replace("\r", "\n"), log.path
        assert log.text.count(": hard affinity ") == 4
    if name == "pinned-beyond":
        assert "the host has no such CPU: 2 [cpu-host]" in log.text


def test_padding_is_no_content(images, tmp_path):
    path = tmp_path / "padded.dtb"
    lcm.compile_lcm(lcm.source(short_boot.hardware(), guest()), str(path))
    small = path.read_bytes()
    padded = small[:4] + (128 << 10).to_bytes(4, "big") + small[8:] + bytes((128 << 10) - len(small))
    log = short_boot.boot("lcm-padding", padded, tmp_path, [f"{images}/probe"])
    assert short_boot.outcome(log) == "complete", log.path


def test_legacy_dom0_is_not_beside_a_hardware_domain(images, tmp_path):
    """What has both roles alone may be the crash domain; with another's hardware it would be domain 0."""
    (tmp_path / "pv").write_bytes(elf.kernel(elf.pv_notes()))
    apart = lcm.domain("hw", '"64M"', kernel=1, ramdisk=None, bootargs="idle", more="permissions = <2>;")
    source = lcm.source(apart, guest(mode=PV_LONG, more="functions = <0x80000000>;"))
    log = short_boot.boot("lcm-legacy", source, tmp_path, [f"{images}/probe", tmp_path / "pv"])
    (error,) = log.errors()
    assert (error["name"], error["node"], error["property"]) == (
        "legacy-hardware", f"{short_boot.NODE}/hw", "permissions"), log.path
    assert short_boot.outcome(log) == "recovery" and not [line for line in log.hyperlaunch_lines() if '"hw"' in line], log.path
