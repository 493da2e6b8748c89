# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/install.md: what it has one type works."""
import os
import re
import subprocess

import pytest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
LINKED = """menuentry 'Xen hyperlaunch' {
\tmultiboot2 '/boot/xen-hyperlaunch' console=vga
\tmodule2 '/boot/hyperlaunch/launch.dtb'
\tmodule2 --nounzip '/boot/vmlinuz-6.12'
\tmodule2 --nounzip '/boot/guests/web'
}
"""
# What grub-mkconfig's library does on a machine with disks.
LIBRARY = """make_system_path_relative_to_its_root() {{ echo {boot}; }}
prepare_grub_to_access_device() {{ echo "search --no-floppy --fs-uuid --set=root 1234"; }}
"""


def text():
    with open(f"{ROOT}/docs/install.md", encoding="utf-8") as file:
        return file.read()


def blocks():
    """What it has one type."""
    return re.findall(r"^```sh\n(.*?)^```", text(), re.MULTILINE | re.DOTALL)


def scripts():
    """{path: content} of what it has one write to files."""
    return dict(re.findall(r"^cat >(\S+) <<'END'\n(.*?)^END\n", "".join(blocks()), re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("boot, prefix", [("/", ""), ("/boot", "/boot"), ("/@rootfs/boot", "/@rootfs/boot")],
                         ids=["partition", "directory", "subvolume"])
def test_entry_of_grub(tmp_path, boot, prefix):
    """Its paths are GRUB's, and GRUB can read it."""
    library, linked, probe = (tmp_path / name for name in ("grub-mkconfig_lib", "grub.cfg", "grub-probe"))
    library.write_text(LIBRARY.format(boot=boot))
    linked.write_text(LINKED)
    probe.write_text("#!/bin/sh\necho /dev/sda1\n")
    probe.chmod(0o755)
    script = scripts()["/etc/grub.d/42_hyperlaunch"].replace("/boot/hyperlaunch/grub.cfg", str(linked))
    done = subprocess.run(["sh", "-c", script], env={"pkgdatadir": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"},
                          stdout=subprocess.PIPE, text=True, check=True)
    assert f"\tmultiboot2 '{prefix}/xen-hyperlaunch' console=vga\n" in done.stdout
    assert f"\tmodule2 '{prefix}/hyperlaunch/launch.dtb'\n" in done.stdout
    assert f"\tmodule2 --nounzip '{prefix}/vmlinuz-6.12'\n" in done.stdout
    assert f"\tmodule2 --nounzip '{prefix}/guests/web'\n" in done.stdout
    assert "search --no-floppy" in done.stdout and done.stdout.endswith("}\n")
    subprocess.run(["grub-script-check"], input=done.stdout, text=True, check=True)


def test_functions_of_grub_are_there():
    with open("/usr/share/grub/grub-mkconfig_lib", encoding="utf-8") as file:
        library = file.read()
    for name in ("make_system_path_relative_to_its_root", "prepare_grub_to_access_device"):
        assert re.search(rf"^{name} *\(\)", library, re.MULTILINE)


def test_scripts_are_valid():
    assert set(scripts()) == {"/etc/grub.d/42_hyperlaunch", "/etc/kernel/postinst.d/zz-hyperlaunch"}
    for script in [*scripts().values(), *(f"#!/bin/sh\n{block}" for block in blocks())]:
        subprocess.run(["shellcheck", "-e", "SC1090,SC1091", "-"], input=script, text=True, check=True)


def test_each_command_is_in_a_block():
    """One kind of block, whose commands are typed as they stand."""
    assert not re.search(r"^(    |\t)\S", re.sub(r"^```sh\n.*?^```", "", text(), flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    assert text().count("```") == 2 * len(blocks())


def test_options_of_lcmtool_are_there():
    told = subprocess.run(["lcmtool", "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    used = set(re.findall(r"--[a-z-]+", " ".join(re.findall(r"lcmtool (?:link|check)(?:.*\\\n)*.*|lcmtool verify [^$]*", text()))))
    assert used == {"--output", "--xen", "--xen-args", "--grub", "--root"} and used <= set(re.findall(r"--[a-z-]+", told))


def test_packages_are_those_of_the_control_domain():
    with open(f"{ROOT}/dev/images/control/packages", encoding="utf-8") as file:
        known = set(file.read().split())
    asked = {word for word in re.search(r"^apt-get install (.*)", text(), re.MULTILINE)[1].split() if not word.startswith("-")}
    assert asked <= known


def test_readme_fits_and_points_to_it():
    with open(f"{ROOT}/README.md", encoding="utf-8") as file:
        readme = file.read()
    assert len(readme.splitlines()) <= 60
    assert "(docs/install.md)" in readme and "./test" in readme
