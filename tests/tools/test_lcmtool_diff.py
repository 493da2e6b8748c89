# SPDX-License-Identifier: LGPL-2.1-or-later
"""lcmtool diff: nodes and properties, by what they mean; exit codes as diff(1) has them."""
import json
import re

import pytest

from lcmtool import EXAMPLES, FIXTURES, run

SOURCE = (EXAMPLES / "dynamic-full/launch.dts").read_text()
NODE = "/chosen/hypervisor"


def domain(name):
    """The source of one domain of it."""
    return re.search(rf"\t\t\t{name} \{{\n.*?\n\t\t\t\}};\n", SOURCE, re.DOTALL)[0]


WEB = domain("web")


def changed(old, new):
    """The launch with a change in web."""
    assert old in WEB
    return SOURCE.replace(WEB, WEB.replace(old, new, 1))


def diff(tmp_path, a, b, *args):
    (tmp_path / "a.dts").write_text(a)
    (tmp_path / "b.dts").write_text(b)
    return run("diff", tmp_path / "a.dts", tmp_path / "b.dts", *args)


CHANGES = {
    "memory": ('memory = "128M"', 'memory = "1G"', "web: memory: 128 MiB -> 1 GiB"),
    "memory-cells": ('memory = "128M"', "memory = <0 1001>", "web: memory: 128 MiB -> 1001 KiB"),
    "memory-cell": ('memory = "128M"', "memory = <2048>", "web: memory: 128 MiB -> 2 MiB"),
    "memory-wrong": ('memory = "128M"', 'memory = "much"', 'web: memory: 128 MiB -> "much"'),
    "cpus": ("cpus = <1>", "cpus = <16>", "web: cpus: 1 -> 16"),
    "mode": ("mode = <4>", "mode = <5>", "web: mode: PVH -> PV"),
    "mode-words": ("mode = <4>", 'mode = "pv", "32bit"', "web: mode: PVH -> PV 32-bit"),
    "permissions": ("mode = <4>;", "mode = <4>; permissions = <3>;", "web: permissions: added: control,hardware"),
    "functions": ("mode = <4>;", "mode = <4>; functions = <0x80000002>;", "web: functions: added: crash,legacy-dom0"),
    "no-functions": ("mode = <4>;", "mode = <4>; functions = <0>;", "web: functions: added: none"),
    "bits": ("mode = <4>;", "mode = <4>; permissions = <0x100>;", "web: permissions: added: bit-8"),
    "hold": ("mode = <4>;", "mode = <4>; hold;", "web: hold: added"),
    "uuid": ("mode = <4>;", "mode = <4>; domain-uuid = [00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff];",
             "web: domain-uuid: added: 00112233-4455-6677-8899-aabbccddeeff"),
    "order": ("mode = <4>;", 'mode = <4>; start-after = "store", "console";',
              'web: start-after: added: "store", "console"'),
    "bootargs": ('bootargs = "console=hvc0 quiet"', 'bootargs = "console=hvc0"',
                 'web/kernel: bootargs: "console=hvc0 quiet" -> "console=hvc0"'),
    "index": ('file = "vmlinuz"', "mb-index = <2>", "web/kernel: mb-index: added: 2"),
    "empty-to-value": ('file = "vmlinuz"', "file", 'web/kernel: file: "vmlinuz" -> set'),
    "unknown-cells": ("mode = <4>;", "mode = <4>; vendor,x = <1 0x20>;", "web: vendor,x: added: 0x1 0x20"),
    "unknown-bytes": ("mode = <4>;", "mode = <4>; vendor,x = [01 02 03];", "web: vendor,x: added: 010203"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_diff_property(name, tmp_path):
    old, new, said = CHANGES[name]
    done = diff(tmp_path, SOURCE, changed(old, new))
    assert (done.returncode, done.stderr) == (1, "")
    assert f"{NODE}/{said}\n" in done.stdout
    back = diff(tmp_path, changed(old, new), SOURCE)
    assert back.returncode == 1 and back.stdout.count("\n") == done.stdout.count("\n")
    if ": added" in said:
        assert f"{NODE}/{said.replace(': added', ': removed')}\n" in back.stdout


SAME = {
    "memory-in-another-unit": ('memory = "128M"', 'memory = "131072K"'),
    "memory-in-cells": ('memory = "128M"', "memory = <0 131072>"),
    "memory-in-one-cell": ('memory = "128M"', "memory = <131072>"),
    "mode-by-name": ("mode = <4>;", 'mode = "long";'),
    "order-of-properties": ('mode = <4>; // 64-bit PVH\n\t\t\t\tcpus = <1>;', "cpus = <1>; mode = <4>;"),
    "comment": ("mode = <4>;", "mode = <4>; // what else"),
}


@pytest.mark.parametrize("name", SAME)
def test_diff_same_meaning(name, tmp_path):
    done = diff(tmp_path, SOURCE, changed(*SAME[name]))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("prop,mask,words", [
    ("permissions", "<3>", '"control", "hardware"'), ("functions", "<0x80000005>", '"boot", "console", "legacy-dom0"'),
    ("mode", "<5>", '"pv"'), ("mode", "<6>", '"device-model"'), ("mode", "<1>", '"pv", "32bit"')])
def test_diff_names_are_masks(prop, mask, words, tmp_path):
    done = diff(tmp_path, *(changed("mode = <4>;", f"{prop} = {value};") for value in (mask, words)))
    assert (done.returncode, done.stdout) == (0, "")


def test_diff_nodes(tmp_path):
    without = SOURCE.replace(domain("db"), "")
    done = diff(tmp_path, SOURCE, without)
    assert (done.returncode, done.stdout) == (1, f"{NODE}/db: removed\n")
    done = diff(tmp_path, without, SOURCE)
    assert (done.returncode, done.stdout) == (1, f"{NODE}/db: added\n")


def test_diff_names_with_an_address_are_other_nodes(tmp_path):
    done = diff(tmp_path, SOURCE, SOURCE.replace("\t\t\tweb {", "\t\t\tweb@1 {"))
    assert (done.returncode, done.stdout) == (1, f"{NODE}/web: removed\n{NODE}/web@1: added\n")


def test_diff_order_of_domains(tmp_path):
    moved = SOURCE.replace(domain("db"), "").replace(WEB, domain("db") + WEB)
    done = diff(tmp_path, SOURCE, moved)
    assert (done.returncode, done.stdout.count("\n")) == (1, 1)
    assert done.stdout.startswith(f"{NODE}: order changed: boot, ") and done.stdout.endswith(", db, web\n")


def test_diff_json(tmp_path):
    done = diff(tmp_path, SOURCE, changed('memory = "128M"', 'memory = "1G"').replace(domain("db"), ""), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == [
        {"node": f"{NODE}/web", "property": "memory", "change": "changed", "a": "128 MiB", "b": "1 GiB"},
        {"node": f"{NODE}/db", "property": None, "change": "removed", "a": None, "b": None}]
    done = diff(tmp_path, SOURCE, SOURCE, "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_diff_what_link_does(linked):
    done = run("diff", EXAMPLES / "classic-basic-cloud/launch.dts", linked / "launch.dtb")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert {line.split(": ")[1] for line in lines} == {"file", "mb-index", "digest-sha256"} and len(lines) == 24


def test_diff_dom0less(tmp_path):
    source = run("show", FIXTURES / "ok-dom0less.dtb", "--format", "dts").stdout
    done = diff(tmp_path, source, source.replace("cpus = <0x1>", "cpus = <0x3>", 1))
    assert done.returncode == 1 and re.fullmatch(r"/chosen/[^/]+: cpus: 1 -> 3\n", done.stdout)


def test_diff_of_an_lcm_that_is_refused(tmp_path):
    """What is wrong with one of them may be what one looks for."""
    done = diff(tmp_path, SOURCE, changed('memory = "128M";', ""))
    assert (done.returncode, done.stdout) == (1, f"{NODE}/web: memory: removed: 128 MiB\n")


@pytest.mark.parametrize("a,b,said", [
    ("{json}", "good", "it is JSON"), ("good", "/ { };", "no /chosen node"), ("good", "/ { ; };", "dtc cannot compile"),
])
def test_diff_trouble(a, b, said, tmp_path):
    texts = {"good": SOURCE, "{json}": '{ "a": 1 }'}
    done = diff(tmp_path, *(texts.get(text, f"/dts-v1/; {text}") for text in (a, b)))
    assert done.returncode == 2 and said in done.stderr and done.stdout == ""


@pytest.mark.parametrize("args", [[], ["a"], ["a", "b", "c"], ["--nonsense", "a", "b"]])
def test_diff_wrong_use(args):
    done = run("diff", *args)
    assert done.returncode == 2 and "usage: " in done.stderr
