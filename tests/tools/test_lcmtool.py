# SPDX-License-Identifier: LGPL-2.1-or-later
"""lcmtool as its users call it: good runs, bad LCMs, and usage errors."""
import hashlib
import json
import os
import pathlib
import re
import subprocess

import pytest

from lcmtool import EXAMPLES, FIXTURES, SOURCES, TOOL, kernel, run

# Rules that need to be told of a host: arguments of the unit test, not of the tool.
UNIT_ONLY = ("--no-pv32", "--max-vcpus", "--no-modules", "--platform=x86")
# What the tool says where the platform is named.
STRICT = {"--strict": "--platform=x86"}


def read_expected():
    for line in (SOURCES / "expect.txt").read_text().splitlines():
        if line.startswith("bad-"):
            name, code, node, prop, *args = line.split()
            if not any(arg.startswith(UNIT_ONLY) for arg in args):
                yield name, code, node, prop, args


def read_good():
    for line in (SOURCES / "expect-ok.txt").read_text().splitlines():
        if line.startswith("launch "):
            name = line.split()[1]
            args = [arg for arg in line.split()[6:] if not arg.startswith(UNIT_ONLY)]
            yield name, args


def host_memory(args):
    """The unit test says KiB, the tool wants a unit; and strict goes with the platform."""
    return [arg + "K" if arg.startswith("--host-memory=") else STRICT.get(arg, arg) for arg in args]


# --- check ------------------------------------------------------------------


@pytest.mark.parametrize("name,code,node,prop,args", read_expected(), ids=lambda v: str(v)[:40])
def test_check_names_the_place(name, code, node, prop, args):
    path = FIXTURES / f"{name}.dtb"
    done = run("check", path, *host_memory(args))
    assert done.returncode == 1
    assert done.stdout == ""
    errors = [line for line in done.stderr.splitlines() if ": warning: " not in line]
    assert len(errors) == 1
    place = f"{path}: {node}: " + ("" if prop == "-" else f"{prop}: ")
    assert errors[0].startswith(place)
    assert errors[0].endswith(f" [{code}]")
    assert len(errors[0]) > len(place) + len(code) + 10


@pytest.mark.parametrize("name,args", read_good(), ids=lambda v: str(v)[:40])
def test_check_good(name, args):
    done = run("check", FIXTURES / f"{name}.dtb", *host_memory(args))
    assert done.returncode == 0, done.stderr


def test_check_warns():
    done = run("check", FIXTURES / "ok-seed-x86.dtb")
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert "/chosen/hypervisor/domain@1: mode: warning: " in lines[0]
    assert "/chosen/hypervisor/domain@0: domain-uuid: warning: " in lines[1]


def test_check_standard_input():
    blob = (FIXTURES / "ok-classic-dom0.dtb").read_bytes()
    assert run("check", "-", input=blob, text=False).returncode == 0
    done = run("check", "-", input=blob[:-20], text=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"-: /: ") and done.stderr.endswith(b" [fdt]\n")


def test_check_source_text():
    source = EXAMPLES / "classic-basic-cloud/launch.dts"
    assert run("check", source).returncode == 0
    assert run("check", "-", input=source.read_text()).returncode == 0


def test_check_source_needs_linking(tmp_path):
    blob = tmp_path / "source.dtb"
    subprocess.run(["dtc", "-q", "-o", blob, EXAMPLES / "classic-dom0/launch.dts"], check=True)
    done = run("check", blob)
    assert done.returncode == 1
    assert "dom0/kernel: file: " in done.stderr and "[not-linked]" in done.stderr
    assert run("check", blob, "--source").returncode == 0


def test_check_source_that_does_not_compile():
    done = run("check", "-", input="/dts-v1/;\n/ { chosen { ; };\n")
    assert done.returncode == 1
    assert "-: dtc cannot compile this source" in done.stderr


def test_check_source_without_dtc():
    done = run("check", EXAMPLES / "classic-dom0/launch.dts", env={"PATH": "/nonexistent"})
    assert done.returncode == 2
    assert "needs dtc (package device-tree-compiler)" in done.stderr


def test_check_limits():
    path = FIXTURES / "ok-classic-basic-cloud.dtb"
    assert run("check", path, "--modules", "3", "--host-memory", "1G").returncode == 0
    done = run("check", path, "--modules", "2")
    assert done.returncode == 1 and "[index-range]" in done.stderr
    done = run("check", path, "--modules", "0")
    assert done.returncode == 1 and "[index-range]" in done.stderr
    done = run("check", path, "--host-memory", "600M")
    assert done.returncode == 1 and "/cache: memory: " in done.stderr
    done = run("check", path, "--platform", "arm")
    assert done.returncode == 1 and "module-addr: " in done.stderr


def test_check_vcpus_of_xen(tmp_path):
    for cpus, mode, code in ((128, 4, 0), (129, 4, 1), (129, 5, 0), (8193, 5, 1)):
        text = (SOURCES / "ok-shared.dts").read_text()
        text = text.replace("mode = <4>;", f"mode = <{mode}>; cpus = <{cpus}>;", 1)
        done = run("check", "-", input=text)
        assert done.returncode == code
        assert ("[cpus-limit]" in done.stderr) == bool(code)


# --- show -------------------------------------------------------------------


@pytest.mark.parametrize("name,_args", read_good(), ids=lambda v: str(v)[:40])
def test_show_dts_goes_round(name, _args, tmp_path):
    path = FIXTURES / f"{name}.dtb"
    done = run("show", path, "--format", "dts")
    assert done.returncode == 0, done.stderr
    again = tmp_path / "again.dtb"
    subprocess.run(["dtc", "-q", "-o", again, "-"], input=done.stdout, text=True, check=True)
    # Same tree: dtc writes both in the same form.
    forms = [subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dtb", "-o", "-", blob],
                            capture_output=True, check=True).stdout for blob in (path, again)]
    assert forms[0] == forms[1]


def test_show_json():
    done = run("show", FIXTURES / "ok-dynamic-full.dtb", "--format", "json")
    assert done.returncode == 0
    lcm = json.loads(done.stdout)
    assert (lcm["form"], lcm["dynamic"], lcm["boot_timeout_ms"]) == ("hypervisor", True, 60000)
    assert [d["name"] for d in lcm["domains"]] == [
        "boot", "store", "control", "hw", "crash", "console", "web", "db"]
    boot, hw, web = (lcm["domains"][i] for i in (0, 3, 6))
    assert (boot["requested_domid"], boot["domid"]) == (0x7FF5, 0x7FEF)
    assert boot["function_names"] == ["boot"]
    assert (hw["permissions"], hw["permission_names"]) == (2, ["hardware"])
    assert (hw["mode"], hw["mode_names"]) == (5, ["pv", "long"])
    assert web["start_after"] == ["store", "console"]
    assert web["uuid"] == "8d5a104e-6c2b-4f0a-9b1e-000000000006"
    assert (web["cpus"], web["memory_kib"]) == (2, 131072)
    assert [(m["type"], m["index"]) for m in web["modules"]] == [("kernel", 1), ("ramdisk", 2)]
    assert [m["type"] for m in lcm["modules"]] == ["xsm-policy"]
    assert lcm["domains"][7]["hold"] is True


def test_show_table():
    done = run("show", FIXTURES / "ok-classic-basic-cloud.dtb")
    assert done.returncode == 0
    rows = done.stdout.splitlines()
    assert rows[0].split() == ["NAME", "DOMID", "VCPUS", "MEMORY/KiB", "MODE", "PERMISSIONS",
                               "FUNCTIONS"]
    assert rows[1].split() == ["dom0", "0", "1", "262144", "PV", "control,hardware",
                               "crash,console,xenstore,legacy-dom0"]
    assert rows[3].split()[:2] == ["db", "2"]


def test_show_bad():
    done = run("show", FIXTURES / "bad-domid-duplicate.dtb")
    assert done.returncode == 1 and done.stdout == "" and "[domid-duplicate]" in done.stderr
    done = run("show", "-", "--format", "dts", input=b"\xd0\x0d\xfe\xed", text=False)
    assert done.returncode == 1 and done.stderr.endswith(b" [fdt]\n")


def test_show_to_a_full_disk():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([TOOL, "show", FIXTURES / "ok-pci.dtb"], stdout=full,
                              stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 2 and b"standard output" in done.stderr


# --- link -------------------------------------------------------------------


@pytest.mark.parametrize("example", sorted(p.name for p in EXAMPLES.iterdir() if p.is_dir()))
def test_link_each_example(example, tmp_path, images):
    out = tmp_path / "out"
    done = run("link", EXAMPLES / example / "launch.dts", "--output", out, "--modules", images)
    assert done.returncode == 0, done.stderr
    count = len((out / "modules").read_text().splitlines())
    assert run("check", out / "launch.dtb", "--modules", count).returncode == 0
    done = run("check", out / "launch.dtb", "--modules", count - 1)
    assert done.returncode == 1 and "[index-range]" in done.stderr
    (out / "grub.cfg").write_text((out / "grub.cfg").read_text().replace("/boot/xen.gz", str(images / "vmlinuz")))
    done = run("verify", out / "launch.dtb", "--grub", out / "grub.cfg")
    assert done.returncode == 0, done.stderr


def test_link_lists_agree(linked, images):
    rows = [line.split("\t") for line in (linked / "modules").read_text().splitlines()]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert [row[1] for row in rows] == [
        str(images / name) for name in ("vmlinuz", "control.cpio.gz", "guest.cpio.gz")]
    for _, path, digest, size in rows:
        content = pathlib.Path(path).read_bytes()
        assert digest == hashlib.sha256(content).hexdigest()
        assert int(size) == len(content)
    words = [line.split() for line in (linked / "grub.cfg").read_text().splitlines()]
    assert words[1] == ["multiboot2", f"'{linked.parent / 'xen.gz'}'", "console=com1", "loglvl=all"]
    assert [w[1:] for w in words if w[0] == "module2"] == [
        [f"'{linked / 'launch.dtb'}'"], *[["--nounzip", f"'{row[1]}'"] for row in rows]]

    lcm = json.loads(run("show", linked / "launch.dtb", "--format", "json").stdout)
    for domain in lcm["domains"]:
        for module in domain["modules"]:
            row = rows[module["index"] - 1]
            assert module["digest_sha256"] == row[2]
            assert module["file"] is None
    assert [[m["index"] for m in d["modules"]] for d in lcm["domains"]] == [
        [1, 2], [1, 3], [1, 3], [1, 3]]


def write_source(path, *modules, extra=""):
    nodes = "".join(f'{name} {{ compatible = "module,{kind}"; {props} }};'
                    for name, kind, props in modules)
    path.write_text('/dts-v1/; / { chosen { hypervisor { compatible = "hypervisor,xen"; hw {'
                    ' compatible = "xen,domain"; permissions = <2>; mode = <4>;'
                    f' memory = "64M"; {nodes} }}; {extra} }}; }}; }};')
    return path


def test_link_shares_one_real_file(tmp_path, images):
    (images / "same").symlink_to("vmlinuz")
    os.link(images / "vmlinuz", images / "hard")
    (images / "twin").write_bytes((images / "vmlinuz").read_bytes())
    guests = "".join(f"""{name} {{ compatible = "xen,domain"; mode = <4>; memory = "64M";
        k {{ compatible = "module,kernel"; file = "{name}"; }}; }};""" for name in ("same", "hard", "twin"))
    source = write_source(tmp_path / "s.dts", ("k", "kernel", 'file = "vmlinuz";'), extra=guests)
    done = run("link", source, "--output", tmp_path / "out", "--modules", images)
    assert done.returncode == 0, done.stderr
    lcm = json.loads(run("show", tmp_path / "out/launch.dtb", "--format", "json").stdout)
    assert [d["modules"][0]["index"] for d in lcm["domains"]] == [1, 1, 1, 2]


def test_link_refuses_one_file_as_two_types(tmp_path, images):
    (images / "same").symlink_to("vmlinuz")
    for name, prop in (("vmlinuz", "file"), ("same", "mb-index")):
        source = write_source(tmp_path / "s.dts", ("k", "kernel", 'file = "vmlinuz";'),
                              ("r", "ramdisk", f'file = "{name}";'))
        done = run("link", source, "--output", tmp_path / "out", "--modules", images)
        assert done.returncode == 1
        assert f"/hw/r: {prop}: another node uses the same module as another type" in done.stderr
        assert done.stderr.endswith("; see /chosen/hypervisor/hw/k [two-types]\n")
        assert not (tmp_path / "out").exists()


def test_link_keeps_the_name_it_was_given(tmp_path, images):
    (images / "by-content").mkdir()
    (images / "vmlinuz").rename(images / "by-content/0123")
    (images / "vmlinuz").symlink_to("by-content/0123")
    source = write_source(tmp_path / "s.dts", ("k", "kernel", 'file = "vmlinuz";'))
    assert run("link", source, "--output", tmp_path / "out", "--modules", images).returncode == 0
    assert f"\t{images}/vmlinuz\t" in (tmp_path / "out/modules").read_text()


def test_link_replaces_an_old_index(tmp_path, images):
    source = write_source(tmp_path / "s.dts",
                          ("k", "kernel", 'file = "vmlinuz"; mb-index = <9>; module-index = <9>;'),
                          ("r", "ramdisk", 'file = "probe"; mb-index = <1>;'))
    assert run("link", source, "--output", tmp_path / "out", "--modules",
               images).returncode == 0
    text = run("show", tmp_path / "out/launch.dtb", "--format", "dts").stdout
    assert re.findall(r"(mb-index|module-index) = <(0x\d+)>", text) == [
        ("mb-index", "0x1"), ("module-index", "0x1"), ("mb-index", "0x2")]


def test_link_searches_the_source_folder_first(tmp_path, images):
    (tmp_path / "vmlinuz").write_bytes(kernel("nearer"))
    source = write_source(tmp_path / "s.dts", ("k", "kernel", 'file = "vmlinuz";'))
    assert run("link", source, "--output", tmp_path / "out", "--modules",
               images).returncode == 0
    assert str(tmp_path / "vmlinuz") in (tmp_path / "out/modules").read_text()


def test_link_digest_in_source(tmp_path, images):
    digest = hashlib.sha256((images / "vmlinuz").read_bytes()).hexdigest()
    good = write_source(tmp_path / "good.dts",
                        ("k", "kernel", f'file = "vmlinuz"; digest-sha256 = [{digest}];'))
    assert run("link", good, "--output", tmp_path / "out", "--modules",
               images).returncode == 0
    bad = write_source(tmp_path / "bad.dts",
                       ("k", "kernel", f'file = "vmlinuz"; digest-sha256 = [{"00" * 32}];'))
    done = run("link", bad, "--output", tmp_path / "none", "--modules", images)
    assert done.returncode == 1
    assert "/hw/k: digest-sha256: " in done.stderr and digest in done.stderr
    assert not (tmp_path / "none").exists()


def test_link_missing_file_writes_nothing(tmp_path, images):
    (images / "vmlinuz").unlink()
    (images / "guest.cpio.gz").unlink()
    out = tmp_path / "out"
    done = run("link", EXAMPLES / "classic-basic-cloud/launch.dts", "--output", out,
               "--modules", images)
    assert done.returncode == 1
    assert "/chosen/hypervisor/dom0/kernel: file: vmlinuz not found" in done.stderr
    assert "/chosen/hypervisor/web/ramdisk: file: guest.cpio.gz not found" in done.stderr
    assert str(images) in done.stderr
    assert not out.exists()


@pytest.mark.parametrize("prepare,said", [
    (lambda p: p.mkdir(), "not a regular file"),
    (os.mkfifo, "not a regular file"),
    (lambda p: p.write_bytes(b""), "is empty"),
])
def test_link_odd_files(tmp_path, images, prepare, said):
    (images / "vmlinuz").unlink()
    prepare(images / "vmlinuz")
    source = write_source(tmp_path / "s.dts", ("k", "kernel", 'file = "vmlinuz";'))
    done = run("link", source, "--output", tmp_path / "out", "--modules", images)
    assert done.returncode == 1
    assert "/hw/k: file: " in done.stderr and said in done.stderr


def test_link_module_without_file(tmp_path, images):
    source = write_source(tmp_path / "s.dts", ("k", "kernel", "mb-index = <1>;"))
    done = run("link", source, "--output", tmp_path / "out", "--modules", images)
    assert done.returncode == 1 and "/hw/k: no file" in done.stderr


def test_link_too_many_modules(tmp_path, images):
    domains = ""
    for i in range(31):
        for kind in ("kernel", "ramdisk"):
            (images / f"{kind}{i}").write_bytes(kernel(f"{kind}{i}"))
        domains += (f'd{i} {{ compatible = "xen,domain"; mode = <4>; memory = "8M";'
                    f' k {{ compatible = "module,kernel"; file = "kernel{i}"; }};'
                    f' r {{ compatible = "module,ramdisk"; file = "ramdisk{i}"; }}; }};')
    source = write_source(tmp_path / "s.dts", ("k", "kernel", 'file = "vmlinuz";'),
                          extra=domains)
    done = run("link", source, "--output", tmp_path / "out", "--modules", images)
    assert done.returncode == 1
    assert "/d30/r: file: " in done.stderr and "supports only 62" in done.stderr


def test_link_keeps_the_old_on_failure(linked, images):
    before = (linked / "launch.dtb").read_bytes()
    (images / "guest.cpio.gz").unlink()
    done = run("link", EXAMPLES / "classic-basic-cloud/launch.dts", "--output", linked,
               "--modules", images)
    assert done.returncode == 1
    assert (linked / "launch.dtb").read_bytes() == before
    assert sorted(p.name for p in linked.iterdir()) == ["grub.cfg", "launch.dtb", "modules"]


def test_link_output_is_a_file(tmp_path, images):
    (tmp_path / "out").write_text("in the way")
    done = run("link", EXAMPLES / "classic-dom0/launch.dts", "--output", tmp_path / "out",
               "--modules", images)
    assert done.returncode == 2 and "lcmtool: " in done.stderr
    assert (tmp_path / "out").read_text() == "in the way"


# --- usage errors -----------------------------------------------------------


@pytest.mark.parametrize("args,said", [
    ([], "usage: "),
    (["frobnicate"], "no such verb: frobnicate"),
    (["check"], "expected one FILE"),
    (["check", "a", "b"], "expected one FILE"),
    (["check", "--nonsense", "a"], "nonsense"),
    (["check", "--platform", "riscv", "a"], "invalid value: riscv"),
    (["check", "--modules", "63", "a"], "invalid value: 63"),
    (["check", "--modules", "-1", "a"], "invalid value: -1"),
    (["check", "--modules", "2x", "a"], "invalid value: 2x"),
    (["check", "--host-memory", "much", "a"], "invalid value: much"),
    (["check", "--host-memory", "0", "a"], "invalid value: 0"),
    (["show"], "expected one FILE"),
    (["show", "--format", "yaml", "a"], "no such format: yaml"),
    (["link", "a.dts"], "--output DIR"),
    (["link", "--output", "d"], "one SOURCE"),
    (["link", "a.dts", "--output", "d", "--xen", "/a'b"], "--xen"),
    (["verify", "a.dtb"], "--grub FILE"),
])
def test_wrong_use(args, said):
    done = run(*args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr and "usage: " in done.stderr


@pytest.mark.parametrize("args", [
    ["check", "/nonexistent/x.dtb"],
    ["check", "/"],
    ["check", "/dev/zero"],
    ["show", "/nonexistent/x.dtb"],
    ["link", "/nonexistent/x.dts", "--output", "/nonexistent/out"],
    ["verify", "/nonexistent/x.dtb", "--grub", "/nonexistent/grub.cfg"],
])
def test_unreadable(args):
    done = run(*args)
    assert done.returncode == 2
    assert done.stderr.startswith(f"lcmtool: {args[1]}: ")


def test_manual_page_has_all_options():
    page = (EXAMPLES.parent / "docs/man/lcmtool.1").read_text()
    options = set(re.findall(r"--([a-z-]+)", run("--help").stdout))
    assert set(re.findall(r"Fl -([a-z-]+)", page)) | {"version"} == options
    assert "version" in page


def test_help_and_version():
    done = run("--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: ") and done.stderr == ""
    done = run("--version")
    assert done.returncode == 0 and done.stdout.startswith("lcmtool ")
