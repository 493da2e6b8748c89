# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people wrote, and what is to be said of it.

Each file of tests/data/cases says so itself: EXPECT is the verdict, with node and property of
a rejected one; DOMAIN is name, domid, vCPUs and KiB of a domain of an accepted one; ARGS are
options of `lcmtool check`.
"""
import json
import os
import pathlib
import re
import subprocess

import pytest

from lcmtool import run

CASES = pathlib.Path(os.environ["LCM_CASES"])

# What must be said besides the verdict, by the case's number.
SAID = {
    "10": ["/chosen/guest1: memory: warning: too little for most kernels: 10 KiB\n"],
    "13": ["the value has a wrong length: 12 bytes, expected 16 [length]\n"],
    "14": ["/chosen/app: the domain has no kernel: xen,linux-zimage is an old word for multiboot,kernel; "
           "see /chosen/app/kern@4a000000 [no-kernel]\n"],
    "25b": ["[config-pv]\n"],
    "26": ["module-addr: the value has a wrong length: 8 bytes, expected 12 [length]\n"],
    "26b": ["/dom0/r: mb-index: another node uses the same module as another type; "
            "see /chosen/hypervisor/dom0/k [two-types]\n"],
    "28": ["/web: vcpus: warning: this property is not read; probably meant: cpus\n",
           "/web: maxmem: warning: this property is not read; probably meant: memory\n",
           "/web: security_id: warning: this property is not read; probably meant: security-id\n",
           "/web: start_after: warning: this property is not read; probably meant: start-after\n",
           "/web/kernel: cmdline: warning: this property is not read; probably meant: bootargs\n"],
    "33": ["another node names the same device; see /chosen/hypervisor/first/pci [pci-duplicate]\n"],
    "35": ["/Domain-0: warning: toolstacks use this name for domain 0\n"],
    "36": ["/0: warning: toolstacks read a number as a domid\n"],
    "39": ["Xen takes 63 modules", "[index-range]\n"],
    "41": ["/win: mode: warning: valid, but Xen 4.20 can't build it on x86\n"],
    "42": ["/starter: permissions: warning: valid, but Xen 4.20 can't build it on x86\n"],
}
# Of a dialect without `mode`, and of properties of others, nothing is said.
SILENT = {"04"}


def read_case(path):
    """The verdict, the domains and the options that a case names."""
    lines = re.findall(r"^// (EXPECT|DOMAIN|ARGS): (.*)$", path.read_text(), re.MULTILINE)
    found = {key: [value.split() for name, value in lines if name == key] for key, _ in lines}
    return found["EXPECT"][0], found.get("DOMAIN", []), found.get("ARGS", [[]])[0]


def number_of(path):
    return path.name.split("-")[0]


PATHS = sorted(CASES.glob("*.dts"))


def test_all_cases_are_there():
    assert len(PATHS) == 15
    assert set(SAID) | SILENT == {number_of(path) for path in PATHS} - {"11"}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_case(path):
    verdict, domains, args = read_case(path)
    done = run("check", path, *args)
    errors = [line for line in done.stderr.splitlines() if ": warning: " not in line]
    assert done.returncode == (0 if verdict[0] == "accept" else 1), done.stderr
    assert len(errors) == (0 if verdict[0] == "accept" else 1), done.stderr
    if verdict[1:]:
        assert f"{path}: {': '.join(verdict[1:])}: " in done.stderr
    for text in SAID.get(number_of(path), []):
        assert text in done.stderr
    if number_of(path) in SILENT:
        assert done.stderr == ""
    if domains:
        shown = {d["name"]: d for d in json.loads(run("show", path, "--format", "json").stdout)["domains"]}
        for name, domid, vcpus, kib in domains:
            assert [shown[name][key] for key in ("domid", "cpus", "memory_kib")] == [int(domid), int(vcpus), int(kib)]


@pytest.mark.parametrize("number,node,prop", [("41", "win", "mode"), ("42", "starter", "permissions")])
def test_what_this_xen_refuses_is_an_error_with_its_platform(number, node, prop):
    path = next(path for path in PATHS if number_of(path) == number)
    done = run("check", path, *read_case(path)[2], "--platform", "x86")
    assert done.returncode == 1
    assert f"{path}: /chosen/hypervisor/{node}: {prop}: valid, but " in done.stderr
    assert done.stderr.endswith(" [unsupported]\n")
    assert len(done.stderr.splitlines()) == 1


def test_32_bit_pv_is_an_error_with_its_platform(tmp_path):
    path = tmp_path / "old.dts"
    source = """/dts-v1/; / { chosen { hypervisor { compatible = "hypervisor,xen"; hw {
        compatible = "xen,domain"; permissions = <2>; mode = <1>; memory = "64M";
        k { compatible = "module,kernel"; mb-index = <1>; }; }; }; }; };"""
    path.write_text(source)
    done = run("check", path)
    assert done.returncode == 0 and "/hw: mode: warning: valid, but " in done.stderr
    done = run("check", path, "--platform", "x86")
    assert done.returncode == 1 and done.stderr.endswith("[mode-pv32]\n")


def test_host_cpus(tmp_path):
    path = tmp_path / "pinned.dts"
    path.write_text("""/dts-v1/; / { chosen { hypervisor { compatible = "hypervisor,xen"; hw {
        compatible = "xen,domain"; permissions = <2>; mode = <5>; memory = "64M";
        vcpu { compatible = "xen,vcpu"; id = <0>; hard-affinity = "0,3"; };
        k { compatible = "module,kernel"; mb-index = <1>; }; }; }; }; };""")
    assert run("check", path).returncode == 0
    assert run("check", path, "--host-cpus", 4).returncode == 0
    done = run("check", path, "--host-cpus", 3)
    assert done.returncode == 1
    assert "/hw/vcpu: hard-affinity: the host has no such CPU: 3 [cpu-host]\n" in done.stderr
    for wrong in ("0", "-1", "x", "16385"):
        assert run("check", path, "--host-cpus", wrong).returncode == 2


def test_padding_and_host_trees_are_no_content(tmp_path):
    path = next(path for path in PATHS if number_of(path) == "41")
    padded = tmp_path / "padded.dtb"
    made = run("show", path, "--format", "dts")
    (tmp_path / "lcm.dts").write_text(made.stdout)
    subprocess.run(["dtc", "-q", "-S", "131072", "-o", padded, tmp_path / "lcm.dts"], check=True)
    assert padded.stat().st_size == 131072
    assert run("check", padded).returncode == 0
    nodes = "".join(f'device@{i} {{ data = "{"x" * 200}"; }};' for i in range(400))
    board = tmp_path / "board.dts"
    board.write_text(next(path for path in PATHS if number_of(path) == "04").read_text()
                     .replace("chosen {", nodes + "chosen {", 1))
    assert board.stat().st_size > 83 << 10
    assert run("check", board).returncode == 0
