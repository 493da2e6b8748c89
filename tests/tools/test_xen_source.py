# SPDX-License-Identifier: LGPL-2.1-or-later
"""dev/fetch-xen: which source of Xen is used, on mirrors in all states that mirrors are found in."""
import hashlib
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = """Package: xen
Binary: xen-utils
Version: {version}-0+deb13u1
Architecture: any
Format: 3.0 (quilt)
Directory: pool/main/x/xen
Files:
 00000000000000000000000000000000 {size} {name}
Checksums-Sha256:
 {sha} {size} {name}
"""


class Source:
    """A made-up tarball, as a mirror has it."""

    def __init__(self, version):
        self.version, self.name = version, f"xen_{version}-gabcdef0123.orig.tar.xz"
        self.content = f"Xen {version}".encode()
        self.sha = hashlib.sha256(self.content).hexdigest()

    def line(self):
        """As hypervisor/bases lists it."""
        return f"{self.version}\t{self.name}\t{self.sha}\n"

    def package(self):
        """As a mirror's index has it."""
        return PACKAGE.format(version=self.name[4:].split(".orig")[0], size=len(self.content), name=self.name, sha=self.sha)


NEW, MIDDLE, OLD, UNLISTED = (Source(f"4.20.{version}") for version in ("4+63", "4+39", "3+127", "5+7"))


class Mirror:
    """A mirror on file:, a checkout whose bases are made up, and an apt that knows only that mirror."""

    def __init__(self, folder):
        self.folder, self.checkout, self.cache = folder / "debian", folder / "checkout", folder / "cache"
        for name in ("dev/env", "hypervisor"):
            (self.checkout / name).mkdir(parents=True)
        for name in ("fetch-xen", "env/lib.sh", "env/mirror.sh"):
            shutil.copy(ROOT / "dev" / name, self.checkout / "dev" / name)
        shutil.copy(ROOT / "hypervisor/lib.sh", self.checkout / "hypervisor/lib.sh")
        (self.checkout / "hypervisor/bases").write_text("# a comment\n" + NEW.line() + MIDDLE.line() + OLD.line())
        for name in ("lists/partial", "archives/partial"):
            (folder / "apt" / name).mkdir(parents=True)
        (folder / "apt/sources.list").write_text(f"deb-src [trusted=yes] file:{self.folder} trixie main\n")
        self.config = folder / "apt/apt.conf"
        self.config.write_text(f'Dir::Etc::SourceList "{folder}/apt/sources.list"; Dir::Etc::SourceParts "/dev/null";\n'
                               f'Dir::State::Lists "{folder}/apt/lists"; Dir::Cache::Archives "{folder}/apt/archives";\n'
                               'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";\n')

    def index(self, *sources):
        """What its index names, read by apt once."""
        place = self.folder / "dists/trixie/main/source"
        place.mkdir(parents=True, exist_ok=True)
        text = "\n".join(source.package() for source in sources)
        (place / "Sources").write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        (self.folder / "dists/trixie/Release").write_text(
            "Suite: trixie\nCodename: trixie\nComponents: main\nArchitectures: amd64\n"
            f"Date: Wed, 25 Nov 2026 00:00:00 UTC\nSHA256:\n {digest} {len(text)} main/source/Sources\n")
        subprocess.run(["apt-get", "update"], env=self.environment(), check=True, stdout=subprocess.DEVNULL)

    def pool(self, *sources, archive="debian/pool/main"):
        """What it really has."""
        place = self.folder.parent / archive / "x/xen"
        place.mkdir(parents=True, exist_ok=True)
        for source in sources:
            (place / source.name).write_bytes(source.content)

    def environment(self, **others):
        """For apt and the script."""
        environment = {name: value for name, value in os.environ.items() if name not in ("XEN_SRC", "HL_XEN_BASE")}
        return dict(environment, APT_CONFIG=str(self.config), HL_CACHE=str(self.cache), HL_IN_TREE="1",
                    **{"HL_MIRROR": f"file:{self.folder}", **others})

    def run(self, *words, **others):
        """The script's finished process."""
        environment = self.environment(**others)
        return subprocess.run([self.checkout / "dev/fetch-xen", *words], env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

    def takes(self, source, **others):
        """Asserts that it prints that source's content; returns what it says besides."""
        done = self.run(**others)
        assert done.returncode == 0, done.stderr
        path = pathlib.Path(done.stdout.strip())
        assert path.read_bytes() == source.content
        assert source.sha[:16] in str(path.parent)
        return done.stderr


@pytest.fixture
def mirror(tmp_path):
    return Mirror(tmp_path)


def test_index_listed_and_in_pool_is_taken(mirror):
    mirror.pool(NEW, MIDDLE, OLD)
    mirror.index(MIDDLE)
    assert mirror.takes(MIDDLE) == "==> fetched Xen 4.20.4+39's source\n"


def test_index_ahead_of_pool_costs_one_line_a_source(mirror):
    mirror.pool(OLD)
    mirror.index(NEW)
    lines = mirror.takes(OLD).splitlines()
    assert [line.split(":")[1] for line in lines[:2]] == [" Xen 4.20.4+63's source cannot be downloaded from the mirror",
                                                          " Xen 4.20.4+39's source cannot be downloaded from the mirror"]
    assert len(lines) == 3


def test_unlisted_index_comes_after_the_listed_in_pool(mirror):
    mirror.pool(UNLISTED, OLD)
    mirror.index(UNLISTED)
    assert "warning" not in mirror.takes(OLD)


def test_unlisted_index_is_taken_with_a_warning_if_there_is_no_other(mirror):
    mirror.pool(UNLISTED)
    mirror.index(UNLISTED)
    assert "warning: Xen 4.20.5+7 is not among hypervisor/bases" in mirror.takes(UNLISTED)


def test_security_archive_is_searched_too(mirror):
    mirror.pool(OLD, archive="debian-security/pool/updates/main")
    mirror.index(NEW)
    mirror.takes(OLD)


def test_mirror_without_sources_uses_its_pool(mirror):
    mirror.pool(OLD)
    mirror.index()
    mirror.takes(OLD)


def test_mirror_with_nothing_fails_with_what_to_do_next(mirror):
    mirror.index()
    done = mirror.run()
    assert done.returncode == 1 and done.stdout == ""
    assert len([line for line in done.stderr.splitlines() if "cannot be downloaded" in line]) == 3
    assert done.stderr.splitlines()[-1].startswith("  next: check the network, set HL_MIRROR to another Debian mirror, or XEN_SRC")


def test_no_network_and_no_index_fails_with_what_to_do_next(mirror):
    done = mirror.run()
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("  next: ")


def test_no_network_is_no_matter_once_it_is_cached(mirror):
    mirror.pool(OLD)
    mirror.index(OLD)
    mirror.takes(OLD)
    shutil.rmtree(mirror.folder)
    assert mirror.takes(OLD) == ""


def test_file_with_another_content_is_never_used(mirror):
    spoilt = Source("4.20.4+63")
    spoilt.content = b"somebody else's Xen"
    mirror.pool(spoilt, OLD)
    mirror.index(NEW)
    mirror.takes(OLD)
    assert not list(mirror.cache.glob(f"xen-tarball-{NEW.sha[:16]}*"))


def test_another_mirror_can_be_named(mirror, tmp_path):
    mirror.index(NEW)
    mirror.pool(NEW, archive="elsewhere/pool/main")
    mirror.takes(NEW, HL_MIRROR=f"file:{tmp_path}/elsewhere")


def test_base_can_be_named(mirror):
    mirror.pool(NEW, MIDDLE, OLD)
    mirror.index(NEW)
    mirror.takes(NEW)
    mirror.takes(OLD, HL_XEN_BASE=OLD.version)
    done = mirror.run(HL_XEN_BASE="4.19")
    assert done.returncode == 1 and "hypervisor/bases has no such version" in done.stderr


def test_bases_are_listed_newest_first(mirror):
    assert mirror.run("--list").stdout.split() == [NEW.version, MIDDLE.version, OLD.version]


def real_bases():
    """Of this checkout."""
    listed = subprocess.run([ROOT / "dev/fetch-xen", "--list"], stdout=subprocess.PIPE, text=True, check=True)
    return listed.stdout.split()


@pytest.mark.parametrize("version", real_bases())
def test_change_set_applies_to_base(version):
    environment = dict(os.environ, HL_XEN_BASE=version)
    environment.pop("XEN_SRC", None)
    had = subprocess.run([ROOT / "dev/fetch-xen"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, check=False)
    if had.returncode:
        pytest.skip(had.stderr.splitlines()[0])
    done = subprocess.run([ROOT / "dev/with-xen", ROOT / "hypervisor/prepare", "--check"], env=environment, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr


def test_some_base_can_be_had():
    assert subprocess.run([ROOT / "dev/fetch-xen"], stdout=subprocess.DEVNULL, check=False).returncode == 0
