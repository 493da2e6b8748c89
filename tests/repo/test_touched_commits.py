# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which commits of the series ./test compiles: those that do something else than before."""
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "commits"))

import series  # noqa: E402

PATCH = b"Subject: area: %s\n\nBody.\n---\n a.c | 2 +-\n 1 file changed\n\ndiff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -%d,1 +%d,1 @@ f()\n-x\n+%s\n"
BEFORE = {
    "hypervisor/patches/0-a/0001-one.patch": PATCH % (b"one", 1, 1, b"one"),
    "hypervisor/patches/0-a/0002-two.patch": PATCH % (b"two", 1, 1, b"two"),
    "hypervisor/patches/1-b/0101-three.files": b"Subject: area: three\n\nBody.\n---\nxen/a.h\n",
    "hypervisor/files/xen/a.h": b"old\n",
}
ONE, TWO, THREE = sorted(path for path in BEFORE if "patches" in path)


@pytest.mark.parametrize("path, content, touched", [
    (ONE, PATCH % (b"another message", 1, 1, b"one"), []),
    (ONE, PATCH % (b"one", 1000, 1007, b"one"), []),
    (ONE, PATCH % (b"one", 1, 1, b"other"), [ONE]),
    (THREE, b"Subject: area: three\n\nOther.\n---\nxen/a.h\n", []),
    (THREE, b"Subject: area: three\n\nBody.\n---\nxen/a.h\nxen/b.h\n", [THREE]),
    ("hypervisor/files/xen/a.h", b"new\n", [THREE]),
], ids=["message", "line-numbers", "patch", "message-of-files", "list", "file"])
def test_touched_is_what_does_something_else(path, content, touched):
    assert series.touched(BEFORE | {path: content}, BEFORE) == touched


def test_renumbered_items_are_not_touched():
    after = {path.replace("0-a", "2-c").replace("000", "020"): content for path, content in BEFORE.items()}
    assert series.touched(after, BEFORE) == []


@pytest.mark.parametrize("count, chosen", [(0, []), (1, [0]), (5, [0, 1, 2, 3, 4]), (6, [1, 3, 5]), (94, [17, 36, 55, 74, 93])])
def test_spread_takes_some_and_the_last(count, chosen):
    assert series.spread(list(range(count)), 5) == chosen


def git(folder, *arguments):
    return subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b", "-c", "safe.directory=*", *arguments], cwd=folder,
                          stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def commit(folder, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "x")
    return git(folder, "rev-parse", "HEAD")


def test_landed_is_where_the_branch_left_main(tmp_path):
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    first = commit(tmp_path, BEFORE)
    assert series.landed_commit(tmp_path) is None
    second = commit(tmp_path, {ONE: PATCH % (b"one", 1, 1, b"other")})
    assert series.landed_commit(tmp_path) == first
    git(tmp_path, "checkout", "--quiet", "-b", "topic")
    commit(tmp_path, {TWO: PATCH % (b"two", 1, 1, b"third")})
    commit(tmp_path, {"hypervisor/files/xen/a.h": b"new\n"})
    assert series.landed_commit(tmp_path) == second
    assert series.touched(series.now(tmp_path), series.at(tmp_path, second)) == [TWO, THREE]


def test_landed_is_none_without_git(tmp_path):
    assert series.landed_commit(tmp_path) is None
