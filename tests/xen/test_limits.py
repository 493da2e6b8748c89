# SPDX-License-Identifier: LGPL-2.1-or-later
"""As much as there can be, one more, next to nothing, and what is not as the LCM says: each launch has its clear end."""
import hashlib

import pytest

import elf
import lcm
import short_boot

PROBE, PV_KERNEL, EMPTY, BYTE, TEXT, LARGE = range(1, 7)
GUEST, HW = f"{short_boot.NODE}/guest", f"{short_boot.NODE}/hw"
PV_LONG = lcm.PV | lcm.LONG
MOST_MODULES = 62       # beside the LCM


def guest(name="guest", memory='"16M"', mode=lcm.LONG, ramdisk=None, config=None, bootargs="idle", more="", cpus=1):
    more += lcm.module("config", config) if config else ""
    return lcm.domain(name, memory, cpus, kernel=PV_KERNEL if mode & lcm.PV else PROBE, ramdisk=ramdisk, mode=mode,
                      bootargs=bootargs, more=more)


def pv(memory='"64M"', **others):
    return guest(memory=memory, mode=PV_LONG, **others)


def hardware(memory='"64M"', mode=lcm.LONG, **others):
    return short_boot.hardware(memory, mode, kernel=PV_KERNEL if mode & lcm.PV else PROBE, **others)


def wrong_digest(text, kind):
    """That module with another's digest."""
    head, tail = text.split(f'"module,{kind}";', 1)
    return f'{head}"module,{kind}"; digest-sha256 = [{hashlib.sha256(b"other").hexdigest()}];{tail}'


CONFIG_NODE = f'config {{ compatible = "xen,config"; {lcm.module("microcode", TEXT)} {lcm.module("xsm-policy", BYTE)} }};'
WITH_ALL = guest(ramdisk=TEXT, config=BYTE)
LAUNCHES = {
    # name: (domains, the error, or None)
    "ramdisk-empty": ([guest(ramdisk=EMPTY)], None),
    "ramdisk-byte": ([guest(ramdisk=BYTE)], None),
    "pv-ramdisk-empty": ([pv(ramdisk=EMPTY)], None),
    "pv-ramdisk-byte": ([pv(ramdisk=BYTE)], None),
    "pv-ramdisk-byte-shared": ([pv(ramdisk=BYTE), guest("other", ramdisk=BYTE)], None),
    "config-empty": ([guest(config=EMPTY)], None),
    "config-large": ([guest(config=LARGE)], ("build", f"{GUEST}/config", None)),
    "config-of-pv": ([pv(config=TEXT)], ("config-pv", f"{GUEST}/config", "compatible")),
    "kernel-is-ramdisk": ([guest(ramdisk=PROBE)], ("two-types", f"{GUEST}/ramdisk", "mb-index")),
    "pv-kernel-is-ramdisk": ([pv(ramdisk=PV_KERNEL)], ("two-types", f"{GUEST}/ramdisk", "mb-index")),
    "ramdisk-is-large": ([guest(ramdisk=LARGE, memory='"3M"')], ("kernel-size", GUEST, "memory")),
    "bootargs-long": ([guest(bootargs="idle " + "a" * 30000)], None),
    "pv-bootargs-long": ([pv(bootargs="a" * 30000)], None),
    "memory-4k": ([guest(memory='"4K"')], ("kernel-size", GUEST, "memory")),
    "memory-1k": ([guest(memory='"1K"')], ("kernel-size", GUEST, "memory")),
    "pv-memory-4k": ([pv(memory='"4K"')], ("kernel-size", GUEST, "memory")),
    "pv-memory-1m": ([pv(memory='"1M"')], ("kernel-size", GUEST, "memory")),
    "cpus-32": ([guest(cpus=32)], None),
    "cpus-128": ([guest(cpus=128)], None),
    "cpus-129": ([guest(cpus=129)], ("cpus-limit", GUEST, "cpus")),
    "pv-cpus-32": ([pv(cpus=32)], None),
    "pv-cpus-512": ([pv(cpus=512)], None),
    "pv-cpus-8193": ([pv(cpus=8193)], ("cpus-limit", GUEST, "cpus")),
    "digest-kernel": ([wrong_digest(WITH_ALL, "kernel")], ("digest", f"{GUEST}/kernel", "digest-sha256")),
    "digest-ramdisk": ([wrong_digest(WITH_ALL, "ramdisk")], ("digest", f"{GUEST}/ramdisk", "digest-sha256")),
    "digest-config": ([wrong_digest(WITH_ALL, "config")], ("digest", f"{GUEST}/config", "digest-sha256")),
    "digest-microcode": ([wrong_digest(CONFIG_NODE, "microcode")], ("digest", f"{short_boot.NODE}/config/microcode", "digest-sha256")),
    "digest-policy": ([wrong_digest(CONFIG_NODE, "xsm-policy")],
                      ("digest", f"{short_boot.NODE}/config/xsm-policy", "digest-sha256")),
}
MACHINES = {
    # name: (the hardware domain, the error, or None)
    "hw-memory-4k": (hardware('"4K"'), ("kernel-size", HW, "memory")),
    "hw-memory-2m": (hardware('"2M"'), None),
    "hw-pv": (hardware(mode=PV_LONG), None),
    "hw-pv-memory-4k": (hardware('"4K"', PV_LONG), ("kernel-size", HW, "memory")),
    "hw-pv-memory-1m": (hardware('"1M"', PV_LONG), ("kernel-size", HW, "memory")),
    "hw-cpus-32": (hardware(cpus=32), None),
    "hw-pv-cpus-32": (hardware(mode=PV_LONG, cpus=32), None),
    "hw-config": (hardware()[:-2] + lcm.module("config", TEXT) + " };", ("unsupported", f"{HW}/config", None)),
}
CASES = {**{name: (lcm.source(hardware(), *domains), end) for name, (domains, end) in LAUNCHES.items()},
         **{name: (lcm.source(domain, guest()), end) for name, (domain, end) in MACHINES.items()}}


@pytest.fixture(scope="module")
def files(images, tmp_path_factory):
    """What the indices stand for."""
    folder = tmp_path_factory.mktemp("files")
    contents = {PV_KERNEL: elf.kernel(elf.pv_notes()), EMPTY: b"", BYTE: b"b", TEXT: b"text\n", LARGE: bytes(2 << 20)}
    for index, content in contents.items():
        (folder / str(index)).write_bytes(content)
    return [f"{images}/probe", *[folder / str(index) for index in contents]]


@pytest.fixture(scope="module")
def logs(request, files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("limits")

    def run(name):
        (folder / name).mkdir()
        return short_boot.boot(f"limits-{name}", CASES[name][0], folder / name, files)
    return short_boot.run_all(request, "name", run)


@pytest.mark.parametrize("name", CASES)
def test_launch(logs, name):
    log, expected = logs[name].result(), CASES[name][1]
    assert (short_boot.error(log) if expected else short_boot.outcome(log)) == (expected or "complete"), log.path


def each_its_own():
    """32 domains of one vCPU, of which nearly all have a kernel and a ramdisk of their own."""
    guests = [lcm.domain(f"g{number}", '"8M"', kernel=2 * number + 2, ramdisk=2 * number + 3 if number < 30 else None, bootargs="idle")
              for number in range(31)]
    return lcm.source(short_boot.hardware(), *guests)


def chain(folder, images, nr):
    """So many modules: the first is a kernel, then a kernel and a ramdisk in turn; each is like no other."""
    with open(f"{images}/probe", "rb") as file:
        kernel = file.read()
    for number in range(nr):
        (folder / f"m{number}").write_bytes((b"ramdisk" if number and not number % 2 else kernel) + b"%d" % number)
    return [folder / f"m{number}" for number in range(nr)]


def test_63_modules_and_32_domains_that_run(images, tmp_path):
    modules = chain(tmp_path, images, MOST_MODULES)
    log = short_boot.boot("most-modules", each_its_own(), tmp_path, modules,
                          lambda log: log.stopped() or log.text.count("probe: done") == 32)
    assert short_boot.outcome(log) == "complete"
    assert {module["index"]: module["sha256"] for module in log.modules()} == {
        number + 1: hashlib.sha256(path.read_bytes()).hexdigest() for number, path in enumerate(modules)}
    assert [(domain["cpus"], domain["state"]) for domain in log.domains()] == [(1, "started")] * 32


@pytest.mark.parametrize("more, expected", [(0, "complete"), (1, ("index-range", f"{GUEST}/kernel", "mb-index"))])
def test_one_module_more(images, tmp_path, more, expected):
    """Xen takes no more: who needs it is told, nobody else suffers."""
    modules = chain(tmp_path, images, MOST_MODULES + 1)
    source = lcm.source(short_boot.hardware(), guest().replace(f"mb-index = <{PROBE}>", f"mb-index = <{62 + more}>"))
    log = short_boot.boot(f"one-module-more-{more}", source, tmp_path, modules)
    assert (short_boot.error(log) if more else short_boot.outcome(log)) == expected


# MiB for the domain before the last, of the 1024 that the machine has; from well within to well beyond what Xen has left.
TAKEN = (800, 928, 930, 931, 932, 934, 936, 937, 938, 960)


@pytest.fixture(scope="module")
def givers(request, files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory")

    def run(taken):
        (folder / str(taken)).mkdir()
        source = lcm.source(short_boot.hardware(), guest("large", f'"{taken}M"'), guest("last", '"4M"'))
        return short_boot.boot(f"memory-{taken}", source, folder / str(taken), files)
    return short_boot.run_all(request, "taken", run)


@pytest.mark.parametrize("taken", TAKEN)
def test_memory_given_away(givers, taken):
    """It is enough, or there is an error of a domain's memory: never a launch that lacks somebody."""
    log = givers[taken].result()
    if short_boot.outcome(log) != "complete":
        name, node, prop = short_boot.error(log)
        assert name in ("no-memory", "memory-host") and prop == "memory"
        assert node in (f"{short_boot.NODE}/large", f"{short_boot.NODE}/last")


def test_memory_is_enough_up_to_a_point(givers):
    if len(givers) == len(TAKEN):
        complete = [taken for taken, log in givers.items() if short_boot.outcome(log.result()) == "complete"]
        assert complete and complete == [taken for taken in TAKEN if taken <= max(complete)] != list(TAKEN)
        assert {short_boot.error(log.result())[1] for taken, log in givers.items() if taken not in complete} >= {f"{short_boot.NODE}/large"}
