# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source LCMs: names in place of bit masks, and the C preprocessor."""
import json
import os
import subprocess
import time

import pytest

from lcmtool import FIXTURES, TOOL, run, write_images

KERNEL = 'k { compatible = "module,kernel"; file = "vmlinuz"; };'


def launch(props, head="", more=""):
    return f"""/dts-v1/;
{head}
/ {{ chosen {{ hypervisor {{ compatible = "hypervisor,xen";
hw {{ compatible = "xen,domain"; permissions = "control", "hardware"; mode = "pv"; memory = "64M"; {KERNEL} }};
web {{ compatible = "xen,domain"; memory = "64M";
{props}
{KERNEL} }};
{more} }}; }}; }};
"""


def domain(source, name="web", **kwargs):
    done = run("show", "-", "--format", "json", input=source, **kwargs)
    assert done.returncode == 0, done.stderr
    return {d["name"]: d for d in json.loads(done.stdout)["domains"]}[name]


# --- names -------------------------------------------------------------------


@pytest.mark.parametrize("prop,names,bits", [
    ("permissions", ["control"], 1),
    ("functions", ["crash"], 2),
    ("functions", ["console", "xenstore", "crash"], 0x40000006),
    ("functions", ["boot"], 1),
    ("mode", ["pv"], 5),
    ("mode", ["device-model"], 6),
    ("mode", ["32bit"], 0),
    ("mode", ["32bit", "pv"], 1),
], ids=str)
def test_names_are_masks(prop, names, bits):
    words = ", ".join(f'"{name}"' for name in names)
    assert domain(launch(f"{prop} = {words};"))[prop] == bits


def test_legacy_dom0_by_name():
    source = launch("").replace('permissions = "control", "hardware";', 'functions = "legacy-dom0";')
    assert domain(source, "hw")["functions"] & 0xffffffff == 0xc0000006 | 0x80000000
    assert domain(source, "hw")["domid"] == 0


@pytest.mark.parametrize("prop,word,names", [
    ("permissions", "contol", "control, hardware"),
    ("permissions", "boot", "control, hardware"),
    ("functions", "control", "boot, crash, console, xenstore, legacy-dom0"),
    ("mode", "pvh", "pv, device-model, 32bit"),
    ("mode", "PV", "pv, device-model, 32bit"),
])
def test_unknown_name(prop, word, names):
    for verb in ("check", "show"):
        done = run(verb, "-", input=launch(f'{prop} = "{word}";'))
        assert done.returncode == 1
        assert f'/chosen/hypervisor/web: {prop}: unknown name "{word}"; known are: {names} [word]\n' in done.stderr


def test_each_unknown_name_is_said():
    done = run("check", "-", input=launch('permissions = "x1"; functions = "crash", "y1"; mode = "z1";'))
    assert done.returncode == 1 and done.stderr.count("[word]") == 3


def test_linked_lcm_has_no_names(tmp_path):
    source, blob = tmp_path / "s.dts", tmp_path / "s.dtb"
    source.write_text(launch('mode = "pv";').replace('file = "vmlinuz"', "mb-index = <1>"))
    subprocess.run(["dtc", "-q", "-o", blob, source], check=True)
    assert run("check", source).returncode == 0
    assert run("check", blob, "--source").returncode == 0
    done = run("check", blob)
    assert done.returncode == 1
    assert "/hw: permissions: names are for source: `lcmtool link` writes the bit mask [names]" in done.stderr


def test_link_writes_masks(tmp_path):
    images = tmp_path / "images"
    write_images(images)
    source = tmp_path / "s.dts"
    source.write_text(launch('mode = "pv"; functions = "crash", "console";'))
    done = run("link", source, "--output", tmp_path / "out", "--modules", images)
    assert done.returncode == 0, done.stderr
    text = run("show", tmp_path / "out/launch.dtb", "--format", "dts").stdout
    assert "permissions = <0x3>;" in text and "functions = <0x6>;" in text and text.count("mode = <0x5>;") == 2
    assert run("check", tmp_path / "out/launch.dtb", "--platform", "x86").returncode == 0
    # The source itself is shown as it is.
    assert 'functions = "crash", "console";' in run("show", source, "--format", "dts").stdout


def test_names_survive_what_is_no_tree():
    for data in (b"", b"\xd0\x0d\xfe\xed" + bytes(60), (FIXTURES / "bad-depth.dtb").read_bytes()):
        assert run("check", "-", "--source", input=data, text=False).returncode == 1


# --- the preprocessor --------------------------------------------------------


def test_include_and_constants(tmp_path):
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc/roles.h").write_text("#ifndef ROLES_H\n#define ROLES_H\n#define PERM_CONTROL 1\n#define CPUS(n) (n * 2)\n#endif\n")
    (tmp_path / "inc/common.dtsi").write_text('#include "roles.h"\n')
    source = tmp_path / "launch.dts"
    source.write_text(launch("permissions = <PERM_CONTROL>; cpus = <CPUS(2)>;", '#include "inc/common.dtsi"'))
    # Wherever it is called from; by path, relative path and on standard input.
    for args, cwd in ((source, "/"), ("launch.dts", tmp_path), ("../" + tmp_path.name + "/launch.dts", tmp_path)):
        done = run("show", args, "--format", "json", cwd=cwd)
        assert done.returncode == 0, done.stderr
        web = json.loads(done.stdout)["domains"][1]
        assert web["permissions"] == 1 and web["cpus"] == 4
    assert domain(source.read_text(), cwd=tmp_path)["cpus"] == 4


def test_cells_properties_are_no_directives():
    assert domain(launch("#address-cells = <2>;\n# size-cells = <1>;".replace("# size", "#size")))["cpus"] == 1
    assert domain(launch("#address-cells = <2>;\ncpus = <N>;", "#define N 3"))["cpus"] == 3
    # An apostrophe in a comment is none of the preprocessor's business.
    assert domain(launch("// that's it\ncpus = <N>;", "#define N 3"))["cpus"] == 3


def test_the_included_file_comes_before_one_of_the_current_folder(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "here/n.h").write_text("#define N 2\n")
    (tmp_path / "there/n.h").write_text("#define N 3\n")
    source = tmp_path / "there/launch.dts"
    source.write_text(launch("cpus = <N>;", '#include "n.h"'))
    done = run("show", source, "--format", "json", cwd=tmp_path / "here")
    assert json.loads(done.stdout)["domains"][1]["cpus"] == 3


def test_include_loop_ends(tmp_path):
    source = tmp_path / "launch.dts"
    source.write_text(launch("", '#include "a.dtsi"'))
    (tmp_path / "a.dtsi").write_text('#include "b.dtsi"\n')
    (tmp_path / "b.dtsi").write_text('#include "a.dtsi"\n')
    done = run("check", source)
    assert done.returncode == 1
    assert "#include nested depth" in done.stderr
    assert done.stderr.endswith(f"{source}: cpp cannot preprocess this source; includes can be nested up to 16 deep\n")


def test_include_of_itself_many_times_ends_soon(tmp_path):
    """Each level three times the one above it: that is cut off by the first file that is too deep."""
    source = tmp_path / "launch.dts"
    source.write_text(launch("", '#include "a.dtsi"'))
    (tmp_path / "a.dtsi").write_text('#include "a.dtsi"\n' * 3)
    begin = time.monotonic()
    assert run("check", source).returncode == 1
    # As deep as it may be, and wide: the time is bounded.
    for level in range(12):
        (tmp_path / f"w{level}.dtsi").write_text(f'#include "w{level + 1}.dtsi"\n' * 40)
    (tmp_path / "w12.dtsi").write_text("\n")
    source.write_text(launch("", '#include "w0.dtsi"'))
    done = run("check", source)
    assert done.returncode == 1 and "cpp" in done.stderr
    assert time.monotonic() - begin < 55


def test_expansion_is_bounded(tmp_path):
    lines = ['#define A0 "' + "x" * 100 + '"'] + [f"#define A{i} A{i - 1} A{i - 1} A{i - 1} A{i - 1}" for i in range(1, 12)]
    source = tmp_path / "launch.dts"
    source.write_text(launch("label = A11;", "\n".join(lines)))
    done = run("check", source)
    assert done.returncode == 1 and "too large" in done.stderr


def test_missing_include(tmp_path):
    source = tmp_path / "launch.dts"
    source.write_text(launch("", '#include "none.h"'))
    done = run("check", source)
    assert done.returncode == 1
    assert f"{source}:2:" in done.stderr and "none.h" in done.stderr
    assert done.stderr.endswith("deep\n")


def test_errors_name_the_included_file(tmp_path):
    (tmp_path / "bad.dtsi").write_text("\n\n/ { chosen { ; };\n")
    source = tmp_path / "launch.dts"
    source.write_text(launch("", '#include "bad.dtsi"'))
    done = run("check", source)
    assert done.returncode == 1
    assert "bad.dtsi:3." in done.stderr and "dtc cannot compile this source" in done.stderr


def test_no_header_of_the_system():
    done = run("check", "-", input=launch("", "#include <stdio.h>"))
    assert done.returncode == 1 and "stdio.h" in done.stderr
    # Nor its macros: `linux` is a name like any other.
    assert domain(launch('security-id = "linux"; cpus = <linux>;', "#define linux 2"))["cpus"] == 2


def test_without_cpp(tmp_path):
    (tmp_path / "dtc").symlink_to("/usr/bin/dtc")
    env = {**os.environ, "PATH": str(tmp_path)}
    done = run("check", "-", input=launch("", "#define N 2"), env=env)
    assert done.returncode == 2
    assert done.stderr == "lcmtool: -: source with #include or #define needs cpp (package cpp)\n"
    assert run("check", "-", input=launch(""), env=env).returncode == 0


def test_from_a_pipe(tmp_path):
    source = launch("cpus = <N>;", "#define N 2")
    done = subprocess.run(["bash", "-c", '"$0" check <(printf %s "$1")', TOOL, source], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
