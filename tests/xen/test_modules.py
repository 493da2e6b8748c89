# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which domain gets which module: the LCM's choice only, and never a module that is not as linked."""
import hashlib
import re

import pytest

import elf
import lcm
import short_boot

PROBE, PV_KERNEL, POLICY, SMALL, LARGE = range(1, 6)
HW, GUEST, CRASH = (f"{short_boot.NODE}/{name}" for name in ("hw", "guest", "crash"))
CONFIG = f"{short_boot.NODE}/config"
PV_LONG = lcm.PV | lcm.LONG
SIZES = {POLICY: 18623, SMALL: 5000, LARGE: 1 << 20}
# A PVH kernel prints the number of modules that its start_info, at ebx, has.
COUNT_PVH = b"\x8a\x43\x0c\x04\x30\xe6\xe9\xb0\x0a\xe6\xe9" + elf.HALT      # mov al,[ebx+12]; add al,'0'; out; newline; halt


def config(kind, index, more=""):
    """The config node with one module."""
    return f'config {{ compatible = "xen,config"; {lcm.module(kind, index).replace("mb-index", more + " mb-index")} }};'


def domain(name, mode=lcm.LONG, kernel=None, ramdisk=None, memory='"32M"', more=""):
    return lcm.domain(name, memory, kernel=kernel or (PV_KERNEL if mode & lcm.PV else PROBE), ramdisk=ramdisk, mode=mode,
                      bootargs="idle", more=more)


def hardware(mode=lcm.LONG, **others):
    return short_boot.hardware(mode=mode, kernel=others.pop("kernel", PV_KERNEL if mode & lcm.PV else PROBE), **others)


def crash(**others):
    return domain("crash", more=f"functions = <{lcm.CRASH}>;", **others)


@pytest.fixture(scope="module")
def files(images, tmp_path_factory):
    """What the indices stand for."""
    folder = tmp_path_factory.mktemp("files")
    contents = {PV_KERNEL: elf.kernel(elf.pv_notes()), **{index: b"%d" % index * SIZES[index] for index in SIZES}}
    for index, content in contents.items():
        (folder / str(index)).write_bytes(content[:SIZES.get(index)])
    return [f"{images}/probe", *[folder / str(index) for index in contents]]


@pytest.fixture
def run(request, files, tmp_path):
    """The log of a launch of these files, or of others in their place, {index: content}."""
    def boot(source, others=None, **more):
        chain = list(files)
        for index, content in (others or {}).items():
            chain[index - 1] = tmp_path / f"other-{index}"
            chain[index - 1].write_bytes(content)
        return short_boot.boot(f"modules-{request.node.name}", source, tmp_path, chain, **more)
    return boot


def ramdisks(log):
    """Sizes of what PV domains were given as ramdisks, in the order of building; None: nothing."""
    found = []
    for text in re.split(r"\*\*\* Building a PV Dom\d+ \*\*\*", log.text)[1:]:
        at = re.search(r"^.*Init\. ramdisk: +([0-9a-f]+)->([0-9a-f]+)", text.split("VIRTUAL MEMORY")[0], re.MULTILINE)
        found.append(int(at[2], 16) - int(at[1], 16) if at else None)
    return found


CONFIGS = {
    # No XSM module that takes a policy, and QEMU's processor has no microcode loader: neither is claimed.
    "policy": config("xsm-policy", POLICY),
    "microcode": config("microcode", POLICY),
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_unclaimed_config_module_is_no_ramdisk(run, kind):
    log = run(lcm.source(CONFIGS[kind], hardware(PV_LONG), domain("a", PV_LONG), domain("b", PV_LONG)))
    assert short_boot.outcome(log) == "complete"
    assert ramdisks(log) == [None] * 3


@pytest.mark.parametrize("kind", CONFIGS)
def test_unclaimed_config_module_does_not_displace_ramdisks(run, kind):
    log = run(lcm.source(CONFIGS[kind], hardware(PV_LONG), domain("a", PV_LONG, ramdisk=SMALL),
                         domain("b", PV_LONG, ramdisk=LARGE)))
    assert short_boot.outcome(log) == "complete"
    assert ramdisks(log) == [None, SIZES[SMALL], SIZES[LARGE]]


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("ramdisk", (None, LARGE))
def test_unclaimed_config_module_is_not_for_a_pvh_hardware_domain(run, kind, ramdisk):
    image = bytearray(elf.kernel(elf.pvh_notes()))
    image[elf.TEXT:elf.TEXT + len(COUNT_PVH)] = COUNT_PVH
    hw = hardware(kernel=PV_KERNEL)
    hw = hw if ramdisk is None else hw[:-2] + lcm.module("ramdisk", ramdisk) + " };"
    printed = re.compile(r"^\(d1\) (?:\[.*?\] )?(\d)$", re.MULTILINE)
    log = run(lcm.source(CONFIGS[kind], hw), {PV_KERNEL: bytes(image)}, until=lambda log: log.stopped() or printed.search(log.text))
    assert printed.search(log.text)[1] == ("0" if ramdisk is None else "1")


@pytest.mark.parametrize("locator, name", (("module-addr = <0 0x1000 0x1000>;", "no-locator"), ('file = "policy";', "not-linked")))
def test_config_module_without_an_index_takes_no_other(run, locator, name):
    """The LCM, module 0, is no ramdisk of the crash domain."""
    node = config("xsm-policy", POLICY).replace(f"mb-index = <{POLICY}>;", locator)
    log = run(lcm.source(node, hardware(PV_LONG), domain("crash", PV_LONG, more=f"functions = <{lcm.CRASH}>;")))
    assert short_boot.outcome(log) == "recovery"
    assert [error["name"] for error in log.errors()] == [name]
    assert set(ramdisks(log)) == {None}


# --- digests -------------------------------------------------------------------


def digest(text):
    """The property."""
    return f"digest-sha256 = [{hashlib.sha256(text).hexdigest()}];"


def spoil(text, kind):
    """A domain or a config node whose module of that kind is not as linked."""
    return text.replace(f'"module,{kind}";', f'"module,{kind}"; {digest(b"another")}')


MISMATCHES = {
    # name: (domains, the node of the error); the crash domain is as linked.
    "guest-kernel": ([hardware(), spoil(domain("guest"), "kernel"), crash()], f"{GUEST}/kernel"),
    "guest-ramdisk": ([hardware(), spoil(domain("guest", ramdisk=LARGE), "ramdisk"), crash()], f"{GUEST}/ramdisk"),
    "pv-guest-ramdisk": ([hardware(PV_LONG), spoil(domain("guest", PV_LONG, ramdisk=LARGE), "ramdisk"), crash()],
                         f"{GUEST}/ramdisk"),
    "hardware-kernel": ([spoil(hardware(), "kernel"), crash()], f"{HW}/kernel"),
    "pv-hardware-kernel": ([spoil(hardware(PV_LONG), "kernel"), crash()], f"{HW}/kernel"),
    "policy": ([spoil(config("xsm-policy", POLICY), "xsm-policy"), hardware(), crash()], f"{CONFIG}/xsm-policy"),
    "microcode": ([spoil(config("microcode", POLICY), "microcode"), hardware(), crash()], f"{CONFIG}/microcode"),
}


@pytest.mark.parametrize("name", MISMATCHES)
@pytest.mark.parametrize("words", ([], ["hyperlaunch=fallback"]), ids=("", "fallback"))
def test_mismatch_ends_in_the_crash_domain(run, name, words):
    domains, node = MISMATCHES[name]
    log = run(lcm.source(*domains), words=words,
              until=lambda log: log.stopped() or re.search(r"d\d+: started|init memory", log.text))
    assert [(error["name"], error["node"]) for error in log.errors()] == [("digest", node)]
    assert log.state() == "recovery"
    (started,) = re.findall(r"hyperlaunch: (d\d+): started", log.text)
    assert re.search(rf"hyperlaunch: recovery: the crash domain {started} runs", log.text)
    # Nothing else was filled from a module, but where the crash domain needs it first.
    assert re.search(rf'hyperlaunch: {started} "crash"', log.text)


def test_mismatch_of_the_crash_domain_too_stops(run):
    log = run(lcm.source(hardware(), spoil(domain("guest"), "kernel"), spoil(crash(), "kernel")))
    assert log.stopped() and not re.search(r"d\d+: started", log.text)
    assert {error["name"] for error in log.errors()} == {"digest"}


def test_mismatch_of_the_hardware_domain_builds_nothing_of_it(run):
    log = run(lcm.source(spoil(hardware(PV_LONG), "kernel"), crash()))
    assert short_boot.outcome(log) == "recovery"
    assert "Building a PV Dom" not in log.text


def linked(text, kind, content):
    """With the digest of what is there."""
    return text.replace(f'"module,{kind}";', f'"module,{kind}"; {digest(content)}')


def classic(log):
    """Whether Xen started a classic dom0; it has said which."""
    return "hyperlaunch=fallback: starting a classic dom0" in log.text


FALLBACK = ["hyperlaunch=fallback", "dom0_mem=64M"]
KERNEL = elf.kernel(elf.pv_notes())
RAMDISK = b"ramdisk" * 1000
OTHER = b"other" * 1000
# Modules of these tests: 1 and 2 are what a fallback boots, 3 is what somebody else has.
HW_BOTH = hardware(PV_LONG, kernel=1)[:-2] + lcm.module("ramdisk", 2) + " };"
LINKED_BOTH = linked(linked(HW_BOTH, "kernel", KERNEL), "ramdisk", RAMDISK)
SPOILT_GUEST = spoil(domain("guest", PV_LONG, kernel=1, ramdisk=3), "ramdisk")
NO_MEMORY = domain("guest", PV_LONG, kernel=1, ramdisk=3, memory="<0>")
FALLBACKS = {
    # name: (domains, is there a classic dom0?)
    "no-digest-of-its-own": ([HW_BOTH, SPOILT_GUEST], False),
    "as-linked": ([LINKED_BOTH, SPOILT_GUEST], True),
    "kernel-of-which-nothing-is-said": ([linked(HW_BOTH, "ramdisk", RAMDISK), SPOILT_GUEST], False),
    "ramdisk-of-which-nothing-is-said": ([linked(HW_BOTH, "kernel", KERNEL), SPOILT_GUEST], False),
    "kernel-not-as-linked": ([spoil(HW_BOTH, "kernel")], False),
    "ramdisk-not-as-linked": ([spoil(HW_BOTH, "ramdisk")], False),
    "other-error": ([HW_BOTH, NO_MEMORY], True),
    "other-error-and-as-linked": ([LINKED_BOTH, NO_MEMORY], True),
    "other-error-and-kernel-not-as-linked": ([spoil(HW_BOTH, "kernel"), NO_MEMORY], False),
    "other-error-and-ramdisk-not-as-linked": ([spoil(HW_BOTH, "ramdisk"), NO_MEMORY], False),
    "other-error-and-digest-too-short": (
        [HW_BOTH.replace("mb-index = <1>;", "mb-index = <1>; digest-sha256 = [00];"), NO_MEMORY], False),
    "other-error-and-kernel-by-its-other-name": ([spoil(HW_BOTH, "kernel").replace("mb-index", "module-index"), NO_MEMORY], False),
}


@pytest.mark.parametrize("name", FALLBACKS)
def test_fallback_boots_what_is_as_linked(run, name):
    domains, dom0 = FALLBACKS[name]
    log = run(lcm.source(*domains), {1: KERNEL, 2: RAMDISK, 3: OTHER}, words=FALLBACK,
              until=lambda log: log.stopped() or "init memory" in log.text)
    assert classic(log) == dom0, log.path
    assert log.stopped() != dom0
    assert ramdisks(log) == ([len(RAMDISK)] if dom0 else [])


def test_fallback_ramdisk_is_no_module_for_xen(run):
    log = run(lcm.source(config("xsm-policy", 2), hardware(PV_LONG, kernel=1), NO_MEMORY), {1: KERNEL, 2: OTHER, 3: RAMDISK},
              words=FALLBACK, until=lambda log: log.stopped() or "init memory" in log.text)
    assert classic(log)
    assert ramdisks(log) == [None]


def test_fallback_after_a_begun_hardware_domain_is_classic(run):
    """Without HAP Xen can't create a PVH domain, of which it knows no earlier than in domain_create()."""
    hw = hardware(kernel=1).replace("permissions = <3>;", "permissions = <2>; domid = <5>;")
    log = run(lcm.source(hw), {1: KERNEL, 2: RAMDISK}, words=[*FALLBACK, "hap=0"],
              until=lambda log: log.stopped() or "init memory" in log.text)
    assert classic(log)
    assert re.findall(r"Building a PV Dom(\d+)", log.text) == ["0"]


# --- other errors beside a crash domain that is sound ----------------------------


def test_hardware_domain_that_is_no_image_leaves_the_crash_domain(run):
    log = run(lcm.source(hardware(kernel=LARGE), crash()))
    assert short_boot.outcome(log) == "recovery"
    assert [(error["name"], error["node"]) for error in log.errors()] == [("image", f"{HW}/kernel")]


def test_hardware_domain_that_xen_cannot_build_leaves_the_crash_domain(run):
    log = run(lcm.source(hardware(), domain("crash", PV_LONG, more=f"functions = <{lcm.CRASH}>;")), words=["iommu=0"])
    assert short_boot.outcome(log) == "recovery"
    assert [(error["name"], error["node"]) for error in log.errors()] == [("unsupported", HW)]
