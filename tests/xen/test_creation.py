# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each domain is created as: which one is the hardware domain, of which memory, and which node an error blames."""
import re
import subprocess

import pytest

import elf
import harness
import lcm
import short_boot

PROBE, PV_KERNEL, LARGE, RAMDISK = range(1, 5)
HW, GUEST = f"{short_boot.NODE}/hw", f"{short_boot.NODE}/guest"
PV_LONG = lcm.PV | lcm.LONG
MOST_PCI = 64


def domain(name="guest", mode=lcm.LONG, memory='"16M"', kernel=None, ramdisk=None, more="", cpus=1):
    return lcm.domain(name, memory, cpus, kernel=kernel or (PV_KERNEL if mode & lcm.PV else PROBE), ramdisk=ramdisk, mode=mode,
                      bootargs="idle", more=more)


def hardware(mode=lcm.LONG, memory='"64M"', **others):
    return short_boot.hardware(memory, mode, kernel=PV_KERNEL if mode & lcm.PV else PROBE, **others)


@pytest.fixture(scope="module")
def files(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for index, content in ((PV_KERNEL, elf.kernel(elf.pv_notes())), (LARGE, bytes(40 << 20)), (RAMDISK, b"ramdisk" * 3000)):
        (folder / str(index)).write_bytes(content)
    return [f"{images}/probe", *[folder / str(index) for index in (PV_KERNEL, LARGE, RAMDISK)]]


@pytest.fixture
def run(request, files, tmp_path):
    def boot(source, chain=None, **more):
        return short_boot.boot(f"creation-{request.node.name}", source, tmp_path, chain or files, **more)
    return boot


@pytest.mark.parametrize("mode", (PV_LONG, lcm.LONG), ids=("pv", "pvh"))
def test_legacy_dom0_beside_a_hardware_domain_is_refused(run, mode):
    """Xen took the one with id 0 for the hardware domain, though another has HARDWARE.  LEGACY_DOM0 is a crash domain: it runs alone."""
    old = domain("old", mode, more=f"functions = <{lcm.LEGACY_DOM0:#x}>;")
    log = run(lcm.source(old, domain("hw", mode, memory='"64M"', more=f"permissions = <{lcm.HARDWARE}>;")))
    assert short_boot.outcome(log) == "recovery"
    assert [error["name"] for error in log.errors()] == ["legacy-hardware"]
    assert re.findall(r'hyperlaunch: (d\d+) "(\w+)": ', log.text) == [("d0", "old")]


def test_hardware_memory_that_the_host_lacks_is_an_error(run):
    """Xen makes do with what there is for a classic dom0."""
    log = run(lcm.source(hardware(PV_LONG, '"985M"')))
    assert short_boot.error(log) == ("no-memory", HW, "memory")


def test_hardware_memory_that_the_host_lacks_is_an_error_for_pvh(run):
    log = run(lcm.source(hardware(lcm.LONG, '"985M"')))
    assert short_boot.error(log) == ("no-memory", HW, "memory")


def test_domain_that_cannot_be_created_does_not_blame_the_kernel(run):
    """Without HAP there is no PVH guest, whatever its kernel."""
    log = run(lcm.source(hardware(PV_LONG), domain()), words=["hap=0"])
    assert short_boot.error(log) == ("build", GUEST, None)


# It asks Xen for domain 2's HVM_PARAM_TIMER_MODE (10) by HVMOP_get_param (1) of hvm_op (34), and prints it.
TIMER_MODE = """.section .note.Xen, "a", @note
.long 4, 4, 18
.asciz "Xen"
.long start
.text
.code32
.globl start
start: mov $stack, %esp
mov $0x40000002, %eax
cpuid
mov %ebx, %ecx
mov $page, %eax
xor %edx, %edx
wrmsr
mov $1, %ebx
mov $param, %ecx
mov $page + 34 * 32, %eax
mov %eax, %esi
mov $34, %eax
call *%esi
movb value, %al
add $'0', %al
out %al, $0xe9
mov $10, %al
out %al, $0xe9
1: pause
jmp 1b
.align 8
param: .word 2, 0
.long 10
value: .quad 7
.align 4096
page: .fill 4096
.fill 256
stack: .long 0
"""


def test_pvh_guest_has_the_timer_mode_of_a_toolstack(run, tmp_path, images):
    """No delay for missed ticks: 1."""
    (tmp_path / "kernel.S").write_text(TIMER_MODE)
    subprocess.run(["gcc", "-nostdlib", "-static", "-Wl,-Ttext=0x200000", "-Wl,-e,start", "-Wl,--build-id=none", "-Wl,-N",
                    "-o", tmp_path / "kernel", tmp_path / "kernel.S"], check=True)
    printed = re.compile(r"^\(d1\) (?:\[.*?\] )?(\d)$", re.MULTILINE)
    log = run(lcm.source(short_boot.hardware(kernel=2), domain(more="domid = <2>;")), [f"{images}/probe", tmp_path / "kernel"],
              until=lambda log: log.stopped() or printed.search(log.text))
    assert printed.search(log.text)[1] == "1"


def test_digest_of_a_module_of_several_pieces(run, files):
    """Digested piece by piece, as Xen's watchdog wants it."""
    done = subprocess.run(["sha256sum", files[LARGE - 1]], stdout=subprocess.PIPE, text=True, check=True)
    log = run(lcm.source(hardware()))
    assert {module["index"]: module["sha256"] for module in log.modules()}[LARGE] == done.stdout.split()[0]


# --- an LCM that says a lot ------------------------------------------------------


def test_each_module_is_named_by_two_domains(run):
    """Each PV domain has a copy of the ramdisk."""
    pairs = [domain(f"{kind}{number}", mode, ramdisk=RAMDISK) for kind, mode in (("pvh", lcm.LONG), ("pv", PV_LONG))
             for number in range(2)]
    log = run(lcm.source(hardware(PV_LONG), *pairs))
    assert short_boot.outcome(log) == "complete"
    places = re.findall(r"Init\. ramdisk: +([0-9a-f]+)->", log.text.replace("Init. ramdisk: ffffffff", ""))
    assert len(places) == len(set(places)) == 2


TWICE = {
    "kernel": (domain()[:-2] + lcm.module("kernel", PROBE).replace("kernel {", "second {") + " };",
               ("two-kernels", f"{GUEST}/second")),
    "ramdisk": (domain(ramdisk=RAMDISK)[:-2] + lcm.module("ramdisk", RAMDISK).replace("ramdisk {", "second {") + " };",
                ("two-ramdisks", f"{GUEST}/second")),
}


@pytest.mark.parametrize("kind", TWICE)
def test_a_module_is_named_twice_by_one_domain(run, kind):
    guest, expected = TWICE[kind]
    assert short_boot.error(run(lcm.source(hardware(), guest)))[:2] == expected


def test_each_index_is_named_by_both_of_its_names(run):
    source = lcm.source(hardware(PV_LONG), domain(ramdisk=RAMDISK))
    assert short_boot.outcome(run(re.sub(r"mb-index = (<\d+>);", r"mb-index = \1; module-index = \1;", source))) == "complete"


def devices(first, nr):
    """pci nodes, each of a device of its own."""
    node = 'pci{} {{ compatible = "xen,pci-passthrough"; bdf = "0000:{:02x}:{:02x}.0"; }};'
    return " ".join(node.format(number, number // 32 + 1, number % 32) for number in range(first, first + nr))


@pytest.mark.parametrize("guests", (1, 16))
def test_as_many_pci_nodes_as_there_may_be(run, guests):
    """They wait for what the nodes name; nothing else does."""
    each = MOST_PCI // guests
    waiting = [domain(f"g{number}", PV_LONG, memory='"8M"', more=devices(number * each, each)) for number in range(guests)]
    log = run(lcm.source(hardware(PV_LONG), *waiting), until=lambda log: log.stopped() or "init memory" in log.text)
    assert short_boot.outcome(log) == "complete"
    assert re.findall(r"hyperlaunch: d(\d+): started", log.text) == ["1"]


def test_one_pci_node_more(run):
    log = run(lcm.source(hardware(PV_LONG), domain("guest", PV_LONG, more=devices(0, MOST_PCI + 1))))
    assert short_boot.error(log)[:2] == ("too-many-pci", f"{GUEST}/pci{MOST_PCI}")


# --- ucode=scan --------------------------------------------------------------------


def archive(path, content):
    """A cpio archive of one file, as early microcode comes in front of a ramdisk."""
    fields = (1, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path) + 1, 0)
    header = b"070701" + b"".join(b"%08x" % value for value in fields)
    name = header + path + b"\0"
    return name + bytes(-len(name) % 4) + content + bytes(-len(content) % 4)


UCODE = archive(b"kernel/x86/microcode/AuthenticAMD.bin", b"\x5a" * 4096) + archive(b"TRAILER!!!", b"")


@pytest.mark.parametrize("where, found", (("hw", True), ("guest", False), ("none", False)))
def test_ucode_scan_looks_into_the_hardware_domains_ramdisk(run, tmp_path, files, where, found):
    """As it looks into a classic dom0's."""
    (tmp_path / "ucode").write_bytes(UCODE)
    chain = [*files[:RAMDISK - 1], tmp_path / "ucode"]
    hw = hardware(PV_LONG)
    hw = hw[:-2] + lcm.module("ramdisk", RAMDISK) + " };" if where == "hw" else hw
    log = run(lcm.source(hw, domain(ramdisk=RAMDISK if where == "guest" else None)), chain, words=["ucode=scan"],
              kind=harness.NEWER_CPU)
    assert short_boot.outcome(log) == "complete"
    assert ("Wrong microcode patch file magic" in log.text) == found


def test_ucode_scan_looks_at_nothing_that_is_not_as_linked(run, tmp_path, files):
    (tmp_path / "ucode").write_bytes(UCODE)
    ramdisk = lcm.module("ramdisk", RAMDISK).replace("mb-index", f"digest-sha256 = [{'00' * 32}]; mb-index")
    log = run(lcm.source(hardware(PV_LONG)[:-2] + ramdisk + " };"), [*files[:RAMDISK - 1], tmp_path / "ucode"],
              words=["ucode=scan"], kind=harness.NEWER_CPU)
    assert short_boot.error(log) == ("digest", f"{HW}/ramdisk", "digest-sha256")
    assert "Wrong microcode patch file magic" not in log.text
