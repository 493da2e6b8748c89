# SPDX-License-Identifier: LGPL-2.1-or-later
"""The build as a distribution's package does it: without what only the tests need, with its compilers and flags."""
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
NAME = "org.xenproject.Hyperlaunch1"
# Nothing else is on PATH, and nothing else is known to pkg-config but what these require.
PROGRAMS = ("ar", "as", "cc", "clang", "gcc", "gcc-ar", "gcc-nm", "gcc-ranlib", "ld", "make", "meson", "ninja", "nm", "pkg-config",
            "python3", "ranlib", "rm", "sh", "strip", "touch")
PACKAGES = ("json-c", "libevent", "libmd", "libsystemd", "smartcols", "xencall", "xendevicemodel", "xenevtchn", "xengnttab", "xenlight", "xenstore", "xentoollog")
# As dpkg-buildflags prints them with hardening=+all, without the paths; PIE is the default of the compilers.
HARDENED = "-g -O2 -Werror=implicit-function-declaration -fstack-protector-strong -fstack-clash-protection -Wformat" \
    " -Werror=format-security -fcf-protection"
DEFINED = "-Wdate-time -D_FORTIFY_SOURCE=2"
LINKED = "-Wl,-z,relro -Wl,-z,now"
BUILDS = {
    "gcc": ({"CC": "gcc"}, ["--buildtype=debugoptimized"]),
    # With optimize=+lto Debian has LTO in the flags, not in an option of meson's.
    "gcc-debian": ({"CC": "gcc", "CFLAGS": f"{HARDENED} -flto=auto -ffat-lto-objects", "CPPFLAGS": DEFINED,
                    "LDFLAGS": f"{LINKED} -flto=auto -ffat-lto-objects"}, ["--buildtype=plain"]),
    "clang-lto": ({"CC": "clang", "CFLAGS": HARDENED, "CPPFLAGS": DEFINED, "LDFLAGS": LINKED}, ["--buildtype=plain", "-Db_lto=true"]),
}
PROGRAMS_INSTALLED = ("usr/bin/hlctl", "usr/bin/lcmtool", "usr/sbin/hldom", "usr/sbin/hyperlaunch-consoled",
                      "usr/sbin/hyperlaunchd")
# What pkg-config may say on another system, and where that is then.
ELSEWHERE = {
    "systemd": ("systemd_system_unit_dir=${prefix}/units", "hyperlaunchd.service", "/usr/units"),
    "dbus-1": ("system_bus_services_dir=${datadir}/services\ninterfaces_dir=${datadir}/interfaces", f"{NAME}.service",
               "/usr/share/services"),
    "polkit-gobject-1": ("actiondir=${datadir}/actions", f"{NAME}.policy", "/usr/share/actions"),
    "bash-completion": ("completionsdir=${datadir}/bash", "hlctl.bash", "/usr/share/bash"),
}
OPTIONS = {
    "systemdsystemunitdir": "hyperlaunchd.service", "dbuspolicydir": f"{NAME}.conf", "dbussystemservicedir": f"{NAME}.service",
    "dbusinterfacesdir": f"{NAME}.xml", "polkitactiondir": f"{NAME}.policy", "bashcompletiondir": "hlctl.bash",
    "fishcompletiondir": "hlctl.fish", "zshcompletiondir": "_hlctl",
}


def described_in(name):
    """The path of a package's .pc file."""
    folder = subprocess.run(["pkg-config", "--variable=pcfiledir", name], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return os.path.join(folder, f"{name}.pc")


def with_required(names):
    """These packages and those that they name as required."""
    found, left = {}, list(names)
    while left:
        name = left.pop()
        if name not in found:
            found[name] = described_in(name)
            with open(found[name], encoding="utf-8") as file:
                for required in re.findall(r"^Requires(?:\.private)?: *(.*)$", file.read(), re.MULTILINE):
                    left += re.sub(r"[<>=!]+ *[^ ,]+", "", required).replace(",", " ").split()
    return found


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """An environment in which a build finds what it needs, and nothing of what the tests need."""
    folder = tmp_path_factory.mktemp("bare")
    for name in ("bin", "pkgconfig"):
        (folder / name).mkdir()
    for name in PROGRAMS:
        (folder / "bin" / name).symlink_to(shutil.which(name))
    for name, path in with_required(PACKAGES).items():
        (folder / "pkgconfig" / f"{name}.pc").symlink_to(path)
    assert not (folder / "pkgconfig/cmocka.pc").exists()
    environment = {name: value for name, value in os.environ.items() if not re.match(r"(C|CPP|LD)FLAGS$|PKG_CONFIG|CC$", name)}
    return dict(environment, PATH=str(folder / "bin"), PKG_CONFIG_LIBDIR=str(folder / "pkgconfig"))


def run(*words, env):
    done = subprocess.run([str(word) for word in words], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def files_below(folder):
    return {os.path.relpath(os.path.join(place, name), folder) for place, _, names in os.walk(folder) for name in names}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """What git has of the checkout, without that which only its developers need."""
    folder = tmp_path_factory.mktemp("source")
    listed = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--", ":!dev", ":!tests", ":!hypervisor/patches"], cwd=ROOT,
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if os.path.isfile(os.path.join(ROOT, name)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(os.path.join(ROOT, name), folder / name)
    return folder


@pytest.fixture(scope="module", params=BUILDS)
def installed(request, bare, source, tmp_path_factory):
    """(directory with what is installed, build directory)"""
    variables, options = BUILDS[request.param]
    env, folder = dict(bare, **variables), tmp_path_factory.mktemp(request.param)
    run("meson", "setup", "--prefix=/usr", "--libdir=lib/x86_64-linux-gnu", "-Dauto_features=enabled", "-Dtests=disabled", *options,
        folder / "build", source, env=env)
    run("ninja", "-C", folder / "build", env=env)
    run("meson", "install", "--no-rebuild", "-C", folder / "build", "--destdir", folder / "out", env=env)
    return folder / "out", folder / "build"


def test_package_has_all_of_the_product_and_nothing_of_the_tests(installed):
    out, build = installed
    files = files_below(out)
    assert files >= {*PROGRAMS_INSTALLED, "usr/include/hyperlaunch/hl.h", "usr/lib/hyperlaunch/bootdom", "usr/lib/systemd/system/hyperlaunchd.service",
                     "usr/share/man/man5/lcm.5", f"usr/share/dbus-1/system.d/{NAME}.conf", f"usr/share/polkit-1/actions/{NAME}.policy"}
    others = [name for name in files | files_below(build) if re.search(r"\bprobe$|hldom-static|fuzz|\.dtb$|/test[-_]", name)]
    assert not others


def test_programs_of_others_find_the_library_by_pkg_config(installed, tmp_path):
    out, _ = installed
    (tmp_path / "user.c").write_text("#include <hyperlaunch/hl.h>\nint main(void) { return hl_version() == 0; }\n")
    library = out / "usr/lib/x86_64-linux-gnu"
    env = dict(os.environ, PKG_CONFIG_PATH=str(library / "pkgconfig"), PKG_CONFIG_SYSROOT_DIR=str(out), LD_LIBRARY_PATH=str(library))
    flags = run("pkg-config", "--cflags", "--libs", "libhl", env=env).split()
    run("gcc", "-Werror", tmp_path / "user.c", "-o", tmp_path / "user", *flags, env=os.environ)
    run(tmp_path / "user", env=env)


def test_package_is_linked_dynamically(installed):
    out, _ = installed
    for name in PROGRAMS_INSTALLED:
        needed = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-dW", out / name, env=os.environ))
        assert "libc.so.6" in needed, name
        # hlctl talks to the bus alone, but has the texts of libhl too; a helper has nothing of it.
        assert ("libhl.so.0" in needed) == ("consoled" not in name), name


def test_package_outlives_releases_of_xen(installed):
    """libxenctrl and libxenlight have another soname with each."""
    out, _ = installed
    for name in (*PROGRAMS_INSTALLED, "usr/lib/x86_64-linux-gnu/libhl.so.0"):
        needed = re.findall(r"NEEDED.*\[(libxen.*)\]", run("readelf", "-dW", out / name, env=os.environ))
        assert not [library for library in needed if re.search(r"\.so\.4\.", library)], name


def test_package_runs_and_has_one_version(installed):
    out, build = installed
    version = json.loads(run("meson", "introspect", "--projectinfo", build, env=os.environ))["version"]
    env = dict(os.environ, LD_LIBRARY_PATH=str(out / "usr/lib/x86_64-linux-gnu"))
    for name in PROGRAMS_INSTALLED:
        assert run(out / name, "--version", env=env) == f"{os.path.basename(name)} {version}\n"
    assert (out / f"usr/lib/x86_64-linux-gnu/libhl.so.{version}").exists()
    with open(out / "usr/lib/x86_64-linux-gnu/pkgconfig/libhl.pc", encoding="utf-8") as file:
        assert f"\nVersion: {version}\n" in file.read()


def test_package_is_hardened_where_flags_ask_for_it(installed, request):
    out, _ = installed
    if "gcc]" in request.node.name:
        pytest.skip("no such flags")
    for name in PROGRAMS_INSTALLED:
        assert re.search(r"FLAGS_1.*NOW.*PIE", run("readelf", "-dW", out / name, env=os.environ)), name
        assert "GNU_RELRO" in run("readelf", "-lW", out / name, env=os.environ), name


def test_boot_domain_is_bootable_whatever_the_flags(installed):
    out, _ = installed
    run(sys.executable, f"{ROOT}/tests/unit/bootdom/test-guest.py", out / "usr/lib/hyperlaunch/bootdom", env=os.environ)


def places(folder, *options, env):
    """{file: directory where it is installed}, for prefix /usr."""
    run("meson", "setup", "--prefix=/usr", "-Dtests=disabled", *options, folder, ROOT, env=env)
    plan = json.loads(run("meson", "introspect", "--installed", folder, env=env))
    return {os.path.basename(source): os.path.dirname(target) for source, target in plan.items()}


def test_directories_are_those_of_pkg_config(bare, tmp_path):
    for name, (text, _, _) in ELSEWHERE.items():
        (tmp_path / f"{name}.pc").write_text(f"prefix=/elsewhere\ndatadir=/elsewhere/share\n{text}\nName: {name}\nDescription: none\nVersion: 1\n")
    env = dict(bare, PKG_CONFIG_LIBDIR=f"{tmp_path}:{bare['PKG_CONFIG_LIBDIR']}")
    found = places(tmp_path / "build", env=env)
    assert {file: found[file] for _, file, _ in ELSEWHERE.values()} == {file: place for _, file, place in ELSEWHERE.values()}
    assert found[f"{NAME}.xml"] == "/usr/share/interfaces"


def test_directories_are_those_of_the_options(bare, tmp_path):
    found = places(tmp_path / "build", *(f"-D{name}=/of/{name}" for name in OPTIONS), env=bare)
    assert {name: found[file] for name, file in OPTIONS.items()} == {name: f"/of/{name}" for name in OPTIONS}


@pytest.mark.parametrize("part, absent, present", [
    ("daemon", {"hyperlaunchd", f"{NAME}.conf", "hyperlaunchd.service", "hyperlaunchd.8"}, {"hlctl", "hldom", "hyperlaunch-ready.service"}),
    ("tools", {"hlctl", "lcmtool", "hldom", "hlctl.1", "hlctl.bash", "hyperlaunch-ready.service", "hyperlaunch-early.service", "hyperlaunch-domains.service"}, {"hyperlaunchd", "lcm.5"}),
    ("helpers", {"hyperlaunch-consoled", "hyperlaunch-consoled.service", "hyperlaunch-consoled.socket", "hyperlaunch-consoled.8",
                 "hyperlaunch-vmd", "hyperlaunch-vmd.socket", "hyperlaunch-vmd@.service", "hyperlaunch-vmd-devices.socket", "hyperlaunch-vmd-qemu.socket",
                 "hyperlaunch-vmd.8"},
     {"hyperlaunchd", "hlctl"}),
    ("docs", {"hlctl.1", "lcm.5", "hyperlaunchd.8"}, {"hlctl", "hyperlaunchd"}),
])
def test_part_can_be_left_out(bare, tmp_path, part, absent, present):
    found = places(tmp_path / "build", f"-D{part}=disabled", env=bare).keys()
    assert not absent & found and present <= found
