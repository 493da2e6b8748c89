# SPDX-License-Identifier: LGPL-2.1-or-later
"""Layers: which directories a directory may use; no two files of the hypervisor use each other, and their names have a prefix."""
import json
import os
import re
import subprocess

import pytest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
XEN = os.path.join(ROOT, "hypervisor", "files", "xen")
PARSER = "hypervisor/files/xen/include"
# What each directory may include and compile besides its own files.  common has libhl's cleanup only, bootdom some of libhl's pure files
# (test-layering.py lists them).
MAY_USE = {
    "libhl": {"include", PARSER},
    "common": {"include", "libhl"},
    "daemon": {"common", "include"},
    "helpers": {"common", "include"},
    "tools": {"common", "include", "examples", PARSER},
    "bootdom": {"include", "libhl", PARSER},
}
# Where the compiler looks for a header: the directories that meson.build files name.
INCLUDE_DIRECTORIES = ("", "include", PARSER, "libhl", "daemon", "bootdom")
# Directories whose files form one layering, and the prefixes of what they define for each other and for Xen.
LAYERINGS = {
    "xen": (("common/hyperlaunch", "arch/x86/hyperlaunch"), ("hyperlaunch_", "arch_hyperlaunch_")),
    "parser": (("lib/hyperlaunch",), ("lcm_",)),
}
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"', re.DOTALL)
DEFINED_BY_MACRO = re.compile(r"^DEFINE_\w+\((\w+)\)", re.MULTILINE)
# ctags takes these for global.
STATIC_WITHOUT_TAG = re.compile(r"^static struct \{.*?^\} ?(\w+)", re.MULTILINE | re.DOTALL)


def files_of(directory, suffixes):
    return sorted(os.path.relpath(os.path.join(place, name), ROOT) for place, _, names in os.walk(os.path.join(ROOT, directory))
                  for name in names if name.endswith(suffixes))


def included(path):
    """Headers of the checkout that a file includes."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        names = re.findall(r'^#include [<"]([^>"]+)[>"]', file.read(), re.MULTILINE)
    for name in names:
        for directory in (os.path.dirname(path), *INCLUDE_DIRECTORIES):
            found = os.path.normpath(os.path.join(directory, name))
            if os.path.isfile(os.path.join(ROOT, found)):
                yield found
                break


def named_by_meson(path):
    """Files and directories outside its own that a meson.build names, and the directory whose variables begin with hyperlaunchd_."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    yield from (os.path.normpath(os.path.join(os.path.dirname(path), name)) for name in re.findall(r"'(\.\./[^']*)'", text))
    yield from ("daemon" for _ in re.findall(r"\bhyperlaunchd_", text))


@pytest.mark.parametrize("directory", [name for name in MAY_USE if os.path.isdir(os.path.join(ROOT, name))])
def test_directory_uses_only_those_below_it(directory):
    allowed = MAY_USE[directory] | {directory}
    used = {path: set(included(path)) for path in files_of(directory, (".c", ".h"))}
    assert sum(map(len, used.values())) > 3
    used |= {path: set(named_by_meson(path)) - {"."} for path in files_of(directory, "meson.build")}
    wrong = [f"{path}: {other}" for path, others in used.items() for other in others
             if os.path.join(ROOT, other) != ROOT and not any(f"{other}/".startswith(f"{name}/") for name in allowed)]
    assert not wrong


# Everything that is not for developing this project.
PRODUCT = ("bootdom", "common", "daemon", "docs/meson.build", "examples", "helpers", "hypervisor", "include", "libhl", "tools", "units")
PATH_INTO_DEV = re.compile(r"""(?:\$HL_ROOT/|\$\{HL_ROOT\}/|\.\./|project_source_root\(\) / '|^|['"])(?:dev|tests)/[a-z]""", re.MULTILINE)


def test_nothing_uses_dev_or_tests():
    """Code of the product names no path there; comments and messages to people may."""
    listed = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", *PRODUCT], cwd=ROOT, stdout=subprocess.PIPE,
                            text=True, check=True).stdout
    wrong = []
    for path in listed.split("\0"):
        if not path or path.endswith((".md", ".patch")) or not os.path.isfile(os.path.join(ROOT, path)):
            continue
        with open(os.path.join(ROOT, path), encoding="latin-1") as file:
            text = re.sub(r"^\s*#(?!include).*", "", re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL), flags=re.MULTILINE)
        wrong += [f"{path}: {found}" for found in PATH_INTO_DEV.findall(text)]
    assert not wrong


def sources(directories):
    return [os.path.join(XEN, directory, name) for directory in directories
            for name in sorted(os.listdir(os.path.join(XEN, directory))) if name.endswith(".c")]


def code(path):
    with open(path, encoding="utf-8") as file:
        return NOT_CODE.sub(" ", file.read())


def definitions(paths):
    """The file of each function and variable that is not static."""
    tags = subprocess.run(["ctags", "--output-format=json", "--languages=C", "--kinds-C=fv", "--fields=+f", "--extras=-F",
                           "-I", "__init,__initdata,__read_mostly,noreturn", "-o", "-", *paths],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    found = {tag["name"]: tag["path"] for tag in map(json.loads, tags.splitlines()) if not tag.get("file")}
    found.update({name: path for path in paths for name in DEFINED_BY_MACRO.findall(code(path))})
    static = {name for path in paths for name in STATIC_WITHOUT_TAG.findall(code(path))}
    return {name: path for name, path in found.items() if name not in static}


def uses(paths, defined):
    """For each file, the others that define what it names."""
    return {path: {defined[name] for name in set(re.findall(r"\w+", code(path))) & defined.keys()} - {path}
            for path in paths}


def below(graph, path):
    """All files that this one uses, by way of others too."""
    found, todo = set(), [path]
    while todo:
        new = graph[todo.pop()] - found
        found |= new
        todo += new
    return found


@pytest.mark.parametrize("layering", LAYERINGS)
def test_files_form_no_circle(layering):
    paths = sources(LAYERINGS[layering][0])
    graph = uses(paths, definitions(paths))
    assert sum(len(used) for used in graph.values()) > len(paths)
    circle = [os.path.relpath(path, XEN) for path in paths if path in below(graph, path)]
    assert not circle


@pytest.mark.parametrize("layering", LAYERINGS)
def test_global_names_have_a_prefix(layering):
    directories, prefixes = LAYERINGS[layering]
    names = definitions(sources(directories))
    assert len(names) > 50
    assert not [name for name in names if not name.startswith(prefixes)]
