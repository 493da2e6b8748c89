# SPDX-License-Identifier: LGPL-2.1-or-later
"""hypervisor/patches is a series that a maintainer of Xen can take, and it ends in the tree that prepare makes."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERIES, FILES = ROOT / "hypervisor/patches", ROOT / "hypervisor/files"
ITEMS = sorted(str(path.relative_to(SERIES)) for path in SERIES.rglob("*") if path.is_file())
IDENTITY = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "A Submitter"), ("EMAIL", "submitter@example.org"))}
PERSON = re.compile(r"^(From|Date|Author|Signed-off-by|Co-authored-by|Reviewed-by|Acked-by):", re.MULTILINE)


def text(item):
    return (SERIES / item).read_bytes().decode("latin-1")


def message(item):
    """Its lines, up to the one that ends it."""
    return text(item).split("\n---\n")[0].split("\n")


def test_each_number_is_used_once_and_in_order():
    names = [re.fullmatch(r"(\d)-[a-z0-9]+/(\d{4})-[\w=-]+\.(?:patch|files)", item) for item in ITEMS]
    assert len(ITEMS) > 50 and all(names), [item for item, name in zip(ITEMS, names) if not name]
    numbers = [int(name[2]) for name in names]
    assert numbers == sorted(set(numbers))
    assert [int(name[1]) for name in names] == [number // 100 for number in numbers]


@pytest.mark.parametrize("item", ITEMS)
def test_commit_has_a_message(item):
    subject, blank, *body = message(item)
    assert re.fullmatch(r"Subject: [\w, /]+: \S.*[^. ]", subject), subject
    assert len(subject) - len("Subject: ") <= 72
    assert not blank and body and body[0] and body[-1]
    assert max(map(len, body)) <= 75
    assert all(" " <= letter <= "~" for line in [subject, *body] for letter in line)


@pytest.mark.parametrize("item", ITEMS)
def test_commit_has_one_subject_and_no_author(item):
    assert len(re.findall("^Subject:", text(item), re.MULTILINE)) == 1
    assert not PERSON.search(text(item))


def test_subjects_differ():
    assert len({message(item)[0] for item in ITEMS}) == len(ITEMS)


def test_each_file_comes_with_one_commit():
    listed = [line for item in ITEMS if item.endswith(".files") for line in text(item).split("\n---\n")[1].splitlines()]
    assert sorted(listed) == sorted(str(path.relative_to(FILES)) for path in FILES.rglob("*") if path.is_file())


def run(*command, **environment):
    return subprocess.run(command, env=dict(os.environ, **environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="latin-1", check=False)


def git(repository, *arguments):
    done = run("git", "-c", "safe.directory=*", "-C", repository, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series") / "xen"
    done = run(ROOT / "dev/with-xen", ROOT / "hypervisor/export-series", folder, **IDENTITY)
    assert done.returncode == 0, done.stderr
    return folder


def commits(repository):
    return git(repository, "rev-list", "--reverse", "base..hyperlaunch").split()


def test_series_ends_in_the_prepared_tree(exported, tmp_path):
    done = run(ROOT / "dev/with-xen", ROOT / "hypervisor/prepare", tmp_path / "xen")
    assert done.returncode == 0, done.stderr
    assert run("diff", "-rq", "--exclude=.git", "--exclude=.hyperlaunch-*", exported, tmp_path / "xen").stdout == ""


def test_each_item_is_a_commit(exported):
    subjects = git(exported, "log", "--reverse", "--format=%s", "base..hyperlaunch").splitlines()
    assert subjects == [message(item)[0].removeprefix("Subject: ") for item in ITEMS]
    assert git(exported, "status", "--porcelain", "--ignored") == ""


def test_patches_are_as_git_writes_them_with_three_lines_of_context(exported):
    """So there is no fuzz, and nothing but the patch in them."""
    wrong = [item for item, commit in zip(ITEMS, commits(exported)) if item.endswith(".patch")
             and run(ROOT / "hypervisor/export-series", "--patch", exported, commit).stdout != text(item)]
    assert not wrong


def test_author_is_who_exports(exported):
    who = set(git(exported, "log", "--format=%an <%ae> %cn <%ce>", "hyperlaunch").splitlines())
    assert who == {"A Submitter <submitter@example.org> A Submitter <submitter@example.org>"}


def test_patch_of_a_commit_has_no_sign_off(exported):
    signed = git(exported, "-c", "user.name=A", "-c", "user.email=a@b", "commit-tree", "-p", "hyperlaunch~1", "-m",
                 "area: subject", "-m", "Body.", "-m", "Signed-off-by: A <a@b>", "hyperlaunch^{tree}").strip()
    shown = run(ROOT / "hypervisor/export-series", "--patch", exported, signed).stdout
    assert shown.startswith("Subject: area: subject\n\nBody.\n---\n xen/")
    assert not PERSON.search(shown)


def test_export_without_an_identity_says_what_to_do(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in (*IDENTITY, "EMAIL")}
    environment |= {"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "",
                    "GIT_CONFIG_KEY_1": "user.email", "GIT_CONFIG_VALUE_1": ""}
    done = subprocess.run([ROOT / "hypervisor/export-series", tmp_path / "xen"], env=environment, stderr=subprocess.PIPE,
                          text=True, check=False)
    assert done.returncode == 1
    assert "git does not know whose commits these are to be" in done.stderr
    assert "user.email" in done.stderr


def test_change_set_needs_nothing_else_of_the_checkout(tmp_path):
    shutil.copytree(ROOT / "hypervisor", tmp_path / "hypervisor")
    done = run(ROOT / "dev/with-xen", tmp_path / "hypervisor/prepare", "--check", tmp_path / "xen")
    assert (done.returncode, done.stderr) == (1, f"hyperlaunch: {tmp_path}/xen is not up to date\n")
    done = run(ROOT / "dev/with-xen", tmp_path / "hypervisor/prepare", "--check")
    assert done.returncode == 0 and "the change set applies to Xen 4.20" in done.stderr, done.stderr


@pytest.mark.parametrize("source", ["", "/nowhere", "/dev/null"])
def test_prepare_without_a_source_says_what_to_do(tmp_path, source):
    done = run(ROOT / "hypervisor/prepare", tmp_path / "xen", XEN_SRC=source)
    assert done.returncode == 1 and "dev/with-xen" in done.stderr
    assert not os.listdir(tmp_path)


def test_export_leaves_a_directory_with_something_in_it(tmp_path):
    (tmp_path / "mine").write_text("")
    done = run(ROOT / "hypervisor/export-series", tmp_path, **IDENTITY)
    assert done.returncode == 1 and "is not empty" in done.stderr
    assert os.listdir(tmp_path) == ["mine"]
