# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules for every file of the checkout."""
import json
import os
import re
import subprocess

import pytest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
LONGEST_FUNCTION = 100
# Blobs that are inputs of a fuzzer, and texts that are not ours to mark.
BLOBS = re.compile(r"tests/fuzz/corpus/|tests/data/.*\.dtb$")
UNMARKED = re.compile(r"LICENSES/|hypervisor/patches/.*\.(patch|files)$|\.gitignore$|\.editorconfig$|\.json$|libhl\.sym$")
PARSER = re.compile(r"hypervisor/files/xen/(lib/hyperlaunch/|include/xen/lib/hyperlaunch/)")


def licence_of(path):
    """The licences that a file of this place may name."""
    if PARSER.match(path) and not path.endswith("/Makefile"):
        return {"(GPL-2.0-or-later OR BSD-2-Clause)", "GPL-2.0-or-later OR BSD-2-Clause"}
    if path.startswith("hypervisor/files/xen/include/public/"):
        return {"MIT"}
    if path.startswith("hypervisor/files/"):
        return {"GPL-2.0-only"}
    if path.startswith("hypervisor/"):
        return {"GPL-2.0-only", "LGPL-2.1-or-later"}
    return {"LGPL-2.1-or-later"}


def committed():
    """What git has, as it is in the checkout."""
    listed = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"], cwd=ROOT,
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    return [path for path in listed.split("\0") if path and os.path.isfile(os.path.join(ROOT, path))]


def content(path):
    with open(os.path.join(ROOT, path), "rb") as file:
        return file.read()


FILES = committed()


def test_there_are_files():
    assert len(FILES) > 100


def test_each_file_names_its_licence():
    wrong = []
    for path in FILES:
        if UNMARKED.search(path) or BLOBS.search(path):
            continue
        head = content(path)[:600].decode("utf-8", "replace").split("\n")[:4]
        found = [re.search(r"SPDX-License-Identifier: ([^*\n]*?)\s*(\*/|-->|$)", line) for line in head]
        names = [match[1].strip() for match in found if match]
        if not names or names[0] not in licence_of(path):
            wrong.append(f"{path}: {names or 'no SPDX line'}")
    assert not wrong, "\n".join(wrong)


def test_each_licence_is_there():
    for name in ("GPL-2.0-only", "GPL-2.0-or-later", "BSD-2-Clause", "MIT", "LGPL-2.1-or-later"):
        assert f"LICENSES/{name}.txt" in FILES


def test_nothing_built_is_committed():
    wrong = [path for path in FILES if not BLOBS.search(path) and b"\0" in content(path)]
    assert not wrong


def test_no_blanks_at_the_ends_of_lines():
    wrong = []
    for path in FILES:
        if path.startswith(("hypervisor/patches/", "LICENSES/")) or BLOBS.search(path):
            continue
        for number, line in enumerate(content(path).split(b"\n"), 1):
            if line != line.rstrip():
                wrong.append(f"{path}:{number}")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_left_for_later():
    marker = re.compile(rb"\b(TO" rb"DO|FIX" rb"ME|XX" rb"X)\b")
    wrong = [path for path in FILES if not BLOBS.search(path) and not path.startswith("LICENSES/")
             and marker.search(content(path))]
    assert not wrong


@pytest.mark.parametrize("suffix", [".c", ".py"])
def test_functions_are_short(suffix):
    sources = [path for path in FILES if path.endswith(suffix)]
    tags = subprocess.run(["ctags", "--output-format=json", "--fields=+ne", "--kinds-c=f", "--kinds-python=fm",
                           "-o", "-", "-L", "-"], cwd=ROOT, input="\n".join(sources), stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    functions = [json.loads(line) for line in tags.splitlines()]
    assert len(functions) > 100
    long = [f"{f['path']}: {f['name']}: {f['end'] - f['line'] + 1} lines" for f in functions
            if "end" in f and f["end"] - f["line"] + 1 > LONGEST_FUNCTION]
    assert not long, "\n".join(long)


def test_each_file_of_code_has_a_title():
    """What it is for, in a comment after the licence."""
    wrong = [path for path in FILES if re.search(r"\.[ch]$", path) and not path.startswith(("hypervisor/", "tests/data/"))
             and not re.match(rb"(//|/\*) SPDX[^\n]*\n(/\*|//)", content(path))]
    assert not wrong, "\n".join(wrong)


def test_scripts_can_be_run():
    wrong = [path for path in FILES if content(path).startswith(b"#!") and path.split("/")[0] not in ("tests", "docs")
             and not os.access(os.path.join(ROOT, path), os.X_OK)]
    assert not wrong


def test_links_of_the_documents_lead_somewhere():
    wrong = []
    for path in FILES:
        if not path.endswith(".md"):
            continue
        for target in re.findall(r"\]\(([^)#:]+)\)", content(path).decode()):
            if not os.path.exists(os.path.join(ROOT, os.path.dirname(path), target)):
                wrong.append(f"{path}: {target}")
    assert not wrong
