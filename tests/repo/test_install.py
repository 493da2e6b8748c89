# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where `meson install` puts things, as a user of ./shell configures it."""
import json
import os
import re
import subprocess

import pytest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """{file in the build or the checkout: where it goes}."""
    build = tmp_path_factory.mktemp("build")
    subprocess.run(["meson", "setup", "--prefix=/usr", build, ROOT], stdout=subprocess.PIPE, check=True)
    shown = subprocess.run(["meson", "introspect", "--install-plan", build], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {os.path.relpath(source, build): entry["destination"] for kind in json.loads(shown).values()
            for source, entry in kind.items()}


def place(plan, name):
    """The directory of the one file of that name."""
    places = {os.path.dirname(target) for source, target in plan.items() if os.path.basename(source) == name}
    assert len(places) == 1, places
    return os.path.join("/usr", places.pop().replace("{prefix}", "/usr").replace("{datadir}", "/usr/share"))


def test_library_is_where_the_dynamic_linker_looks(plan):
    known = subprocess.run(["/sbin/ldconfig", "-NXv"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False).stdout
    folders = {os.path.realpath(folder) for folder in re.findall(r"^(/[^:]*):", known, re.MULTILINE)}
    assert place(plan, "libhl.so.0.1.0") in folders


def test_library_is_found_by_pkg_config(plan):
    known = subprocess.run(["pkg-config", "--variable", "pc_path", "pkg-config"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert place(plan, "libhl.pc") in known.strip().split(":")


@pytest.mark.parametrize("file, command", [
    ("hlctl.bash", ["pkg-config", "--variable", "completionsdir", "bash-completion"]),
    ("_hlctl", ["zsh", "-fc", "print -l $fpath"]),
    ("hlctl.fish", ["fish", "--no-config", "-c", "echo $__fish_data_dir/vendor_completions.d"]),
])
def test_completions_are_where_the_shells_look(plan, tmp_path, file, command):
    env = {**os.environ, "HOME": str(tmp_path)}
    known = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert place(plan, file) in known.split()
