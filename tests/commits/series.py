# SPDX-License-Identifier: LGPL-2.1-or-later
"""The items of the series in hypervisor/patches, and which of them a change touches."""
import hashlib
import io
import pathlib
import re
import subprocess
import tarfile

PARTS = ("hypervisor/patches", "hypervisor/files")
LINE_NUMBERS = re.compile(rb"^@@ .*", re.MULTILINE)


def now(root):
    """Path and content of each file of the change set, as it is in the checkout."""
    return {str(path.relative_to(root)): path.read_bytes()
            for part in PARTS for path in (pathlib.Path(root) / part).rglob("*") if path.is_file()}


def at(root, commit):
    """The same as it is in a commit."""
    archive = subprocess.run(["git", "-c", "safe.directory=*", "archive", commit, *PARTS], cwd=root, stdout=subprocess.PIPE, check=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}


def does(files, item):
    """A hash of what a commit of the series does: neither its message nor line numbers count."""
    content = files[item].split(b"\n---\n", 1)[-1]
    if item.endswith(".patch"):
        content = LINE_NUMBERS.sub(b"@@", content[content.find(b"diff --git"):])
    else:
        content = b"".join(path + b"\0" + files.get(f"hypervisor/files/{path.decode()}", b"") for path in content.splitlines())
    return hashlib.sha256(content).hexdigest()


def items(files):
    """Those of the series, in order."""
    return sorted(path for path in files if path.startswith("hypervisor/patches/"))


def touched(files, landed):
    """The items of files that do what none of landed does."""
    known = {does(landed, item) for item in items(landed)}
    return [item for item in items(files) if does(files, item) not in known]


def landed_commit(root):
    """Where the branch left main; on main, and where main is not known, the commit before.  None: there is no git."""
    def git(*arguments):
        done = subprocess.run(["git", "-c", "safe.directory=*", *arguments], cwd=root, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    head = git("rev-parse", "--verify", "HEAD")
    for main in ("origin/main", "main"):
        left = git("merge-base", "HEAD", main)
        if left and left != head:
            return left
    return git("rev-parse", "--verify", "HEAD~1")


def spread(chosen, limit):
    """As many of them as that, the last one and others at even distances before it."""
    return chosen[::-max(1, -(-len(chosen) // limit))][::-1]
