# SPDX-License-Identifier: LGPL-2.1-or-later
"""lcmtool new: a template for each configuration, which is the example in other words."""
import re
import subprocess

import pytest

from lcmtool import EXAMPLES, ROOT, run

# The configurations of the design; examples/ may have more than these.
NAMES = ("classic-dom0", "classic-extended", "classic-basic-cloud", "classic-cloud", "static-basic", "static-standard",
         "static-disaggregated", "dynamic-hardware", "dynamic-flexible", "dynamic-full")


def compiled(path):
    return subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", "-", path], stdout=subprocess.PIPE, check=True).stdout


def test_new_lists_the_configurations():
    done = run("new")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(NAMES)
    assert all(len(line.split()) > 5 for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", NAMES)
def test_new_is_the_example(name, tmp_path, images):
    out = tmp_path / "mine"
    done = run("new", name, out)
    files = ["launch.dts"] + [path.name for path in (EXAMPLES / name).glob("bootdom.conf")]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{out}/{file}" for file in files]
    assert sorted(path.name for path in out.iterdir()) == sorted(files)
    # So it boots as the example does.
    assert compiled(out / "launch.dts") == compiled(EXAMPLES / name / "launch.dts")
    assert run("check", out / "launch.dts").returncode == 0
    done = run("link", out / "launch.dts", "--modules", images, "--output", tmp_path / "linked")
    assert done.returncode == 0, done.stderr
    text = (out / "launch.dts").read_text()
    assert "SPDX" not in text and f"`lcmtool new {name}`" in text and "More properties of a domain" in text


def test_new_in_a_folder_of_its_name(tmp_path):
    assert run("new", "static-basic", cwd=tmp_path).stdout == "static-basic/launch.dts\n"
    assert (tmp_path / "static-basic/launch.dts").exists()


def test_new_what_else_a_domain_may_say_is_accepted():
    """The comment at the end, put into a domain of a launch that has all it names."""
    more = (ROOT / "tools/lcmtool/more.dts").read_text()
    lines = [line[2:] for line in more.splitlines() if line.startswith("//\t")]
    assert len(lines) > 10
    source = (EXAMPLES / "dynamic-full/launch.dts").read_text()
    guest = re.search(r"\t\t\tweb \{\n.*?(?=\t\t\t\tkernel)", source, re.DOTALL)
    changed = guest[0].replace("mode = <4>", "mode = <5>") + "\n".join(lines) + "\n"
    done = run("check", "-", input=source.replace(guest[0], changed))
    assert done.returncode == 0, done.stderr
    shown = run("show", "-", input=source.replace(guest[0], changed)).stdout
    assert "0000:01:00.0" in shown and "6e3f0a51-" in shown


@pytest.mark.parametrize("there", ["launch.dts", "bootdom.conf"])
def test_new_leaves_what_is_there(there, tmp_path):
    (tmp_path / there).write_text("mine")
    done = run("new", "classic-cloud", tmp_path)
    assert done.returncode == 2 and f"{tmp_path}/{there} already exists" in done.stderr
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(there, "mine")]


@pytest.mark.parametrize("args,said", [
    (["classic"], "no such configuration: classic"),
    (["classic-dom0", "a", "b"], "one NAME and at most one DIR"),
    (["classic-dom0", "/nonexistent/a"], "/nonexistent/a: No such file"),
    (["--nonsense"], "nonsense"),
])
def test_new_wrong_use(args, said):
    done = run("new", *args)
    assert done.returncode == 2 and done.stdout == "" and said in done.stderr
