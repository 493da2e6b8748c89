# SPDX-License-Identifier: LGPL-2.1-or-later
"""lcmtool verify: what GRUB would load against what the LCM needs."""
import gzip
import lzma

import pytest

from lcmtool import EXAMPLES, FIXTURES, run


def verify(linked, *args):
    return run("verify", linked / "launch.dtb", "--grub", linked / "grub.cfg", *args)


def change_grub(linked, change):
    path = linked / "grub.cfg"
    lines = path.read_text().splitlines(keepends=True)
    change(lines)
    path.write_text("".join(lines))


def test_verify_order(linked):
    def swap(lines):
        lines[4], lines[5] = lines[5], lines[4]
    change_grub(linked, swap)
    done = verify(linked)
    assert done.returncode == 1
    assert "grub.cfg:5: module 2 is " in done.stderr
    assert "guest.cpio.gz, but /chosen/hypervisor/dom0/ramdisk needs " in done.stderr
    assert "which is module 3" in done.stderr


def test_verify_too_few(linked):
    change_grub(linked, lambda lines: lines.pop(5))
    done = verify(linked)
    assert done.returncode == 1
    assert "/web/ramdisk needs module 3, but only 2 are loaded" in done.stderr


def test_verify_too_many(linked, images):
    change_grub(linked, lambda lines: lines.insert(6, f"\tmodule2 {images}/probe\n"))
    done = verify(linked)
    assert done.returncode == 1 and "uses module 4, " in done.stderr


def test_verify_content(linked, images):
    (images / "guest.cpio.gz").write_text("another")
    done = verify(linked)
    assert done.returncode == 1
    assert "module 3, " in done.stderr and "/web/ramdisk" in done.stderr


def test_verify_missing_file(linked, images):
    (images / "guest.cpio.gz").unlink()
    done = verify(linked)
    assert done.returncode == 1 and "No such file" in done.stderr


def test_verify_string_hides_bootargs(linked):
    change_grub(linked, lambda lines: lines.__setitem__(3, lines[3].rstrip() + " quiet\n"))
    done = verify(linked)
    assert done.returncode == 1 and "overrides the bootargs" in done.stderr


def test_verify_another_lcm(linked):
    (linked / "launch.dtb").rename(linked / "moved.dtb")
    (linked / "launch.dtb").write_bytes((FIXTURES / "ok-classic-dom0.dtb").read_bytes())
    done = run("verify", linked / "moved.dtb", "--grub", linked / "grub.cfg")
    assert done.returncode == 1 and "the first module, " in done.stderr


def test_verify_root(linked, images, tmp_path):
    root = tmp_path / "root"
    (root / "boot").mkdir(parents=True)
    (root / "boot/xen.gz").write_bytes(b"xen")
    for path in (linked / "launch.dtb", images / "vmlinuz", images / "control.cpio.gz",
                 images / "guest.cpio.gz"):
        (root / "boot" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "grub.cfg").write_text(
        "# another entry comes first; module2 'unended in a comment\n"
        "menuentry \"Debian\" { linux /boot/vmlinuz root=/dev/sda1\n}\n"
        "menuentry 'Old Xen' {\n multiboot2 /boot/xen.gz\n module2 /boot/vmlinuz x\n}\n"
        "menuentry 'Xen' { multiboot2 (hd0,gpt1)/boot/xen.gz a b; module2 \"/boot/\"launch.dtb\n"
        " module2 --nounzip (hd0,gpt1)/boot/vmlinuz\n module2 \\\n /boot/control.cpio.gz\n"
        " module2 '/boot/guest.cpio.gz' # not a string\n}\n")
    done = run("verify", linked / "launch.dtb", "--grub", tmp_path / "grub.cfg", "--root", root)
    assert done.returncode == 0, done.stderr


def test_verify_nothing_loaded(linked):
    (linked / "grub.cfg").write_text("set timeout=1\n")
    done = verify(linked)
    assert done.returncode == 1 and "no multiboot2 line" in done.stderr


def test_verify_unreadable_config(linked):
    done = run("verify", linked / "launch.dtb", "--grub", "/nonexistent/grub.cfg")
    assert done.returncode == 2 and "grub.cfg: No such file" in done.stderr
    (linked / "grub.cfg").write_text("multiboot2 /boot/xen.gz\nmodule2 'launch.dtb\n")
    done = verify(linked)
    assert done.returncode == 2 and "grub.cfg:2: unterminated quote" in done.stderr


# --- what GRUB does to a module ---------------------------------------------------


def link_packed(tmp_path, images, content):
    """A launch with a ramdisk of these bytes, linked."""
    (images / "guest.cpio.gz").write_bytes(content)
    (tmp_path / "xen").write_bytes(b"xen")
    out = tmp_path / "packed"
    done = run("link", EXAMPLES / "static-basic/launch.dts", "--output", out, "--modules", images,
               "--xen", tmp_path / "xen")
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.parametrize("pack,name", [
    (gzip.compress, "gzip"),
    (lzma.compress, "xz"),
    (lambda content: b"\x89LZO\0\r\n\x1a\n" + content, "lzo"),
])
def test_verify_module_that_grub_unpacks(pack, name, tmp_path, images):
    out = link_packed(tmp_path, images, pack(b"ramdisk" * 100))
    assert verify(out).returncode == 0
    change_grub(out, lambda lines: lines.__setitem__(slice(None), [line.replace("--nounzip ", "") for line in lines]))
    done = verify(out)
    assert done.returncode == 1
    assert f"guest.cpio.gz ({name}), so it will not have the SHA-256" in done.stderr and "--nounzip" in done.stderr


def test_verify_module_that_grub_leaves_alone(tmp_path, images):
    out = link_packed(tmp_path, images, b"\x28\xb5\x2f\xfd zstd" * 100)
    change_grub(out, lambda lines: lines.__setitem__(slice(None), [line.replace("--nounzip ", "") for line in lines]))
    assert verify(out).returncode == 0


# --- each entry, and Xen itself ------------------------------------------------------


def add_entry(linked, change):
    """A second menu entry, with the same lines but for a change."""
    path = linked / "grub.cfg"
    lines = path.read_text().splitlines(keepends=True)
    more = list(lines)
    change(more)
    path.write_text("".join(lines + more))


def test_verify_second_entry_is_good(linked):
    add_entry(linked, lambda lines: None)
    done = verify(linked)
    assert done.returncode == 0
    assert done.stdout == f"{linked}/launch.dtb: valid: {linked}/grub.cfg loads the modules that it needs in 2 entries\n"


@pytest.mark.parametrize("change,said", [
    (lambda lines: lines.pop(5), "grub.cfg:9: /chosen/hypervisor/web/ramdisk needs module 3, but only 2 are loaded"),
    (lambda lines: lines.__setitem__(4, lines[4].replace("control", "guest")), "grub.cfg:12: module 2, "),
    (lambda lines: lines.__setitem__(1, "\tmultiboot2 /nonexistent/xen.gz\n"),
     "grub.cfg:9: Xen, /nonexistent/xen.gz: No such file"),
])
def test_verify_second_entry_differs(linked, change, said):
    add_entry(linked, change)
    done = verify(linked)
    assert done.returncode == 1 and said in done.stderr


def test_verify_entry_of_another_lcm_is_no_difference(linked):
    (linked / "other.dtb").write_bytes((FIXTURES / "ok-classic-dom0.dtb").read_bytes())
    add_entry(linked, lambda lines: lines.__setitem__(2, f"\tmodule2 {linked}/other.dtb\n"))
    assert verify(linked).returncode == 0


@pytest.mark.parametrize("prepare,said", [
    (lambda xen: xen.unlink(), "No such file"),
    (lambda xen: xen.write_bytes(b""), "the file is empty"),
    (lambda xen: (xen.unlink(), xen.mkdir()), "not a regular file"),
])
def test_verify_xen_itself(linked, prepare, said):
    prepare(linked.parent / "xen.gz")
    done = verify(linked)
    assert done.returncode == 1
    assert f"grub.cfg:2: Xen, {linked.parent}/xen.gz: {said}" in done.stderr


def test_verify_multiboot2_without_a_file(linked):
    change_grub(linked, lambda lines: lines.__setitem__(1, "\tmultiboot2\n"))
    done = verify(linked)
    assert done.returncode == 1 and "grub.cfg:2: multiboot2 has no file" in done.stderr


# --- variables -------------------------------------------------------------------------


@pytest.mark.parametrize("written,read", [
    ("${dir}/vmlinuz", "${dir}/vmlinuz"),
    ("\"${dir}/vm linuz\"", "${dir}/vm linuz"),
    ("/boot/vmlinuz-$version", "/boot/vmlinuz-$version"),
    ("(hd0)$dir/vmlinuz", "$dir/vmlinuz"),
    ("/boot/$1", "/boot/$1"),
    ("/boot/$?", "/boot/$?"),
])
def test_verify_variable_is_said_to_be_one(linked, written, read):
    change_grub(linked, lambda lines: lines.__setitem__(3, f"\tmodule2 --nounzip {written}\n"))
    done = verify(linked)
    assert done.returncode == 1
    assert f"grub.cfg:4: module 1, {read}: contains a variable, which is not expanded\n" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("written", ["'{0}/$vmlinuz'", "{0}/\\$vmlinuz", "\"{0}/\\$vmlinuz\"", "($root){0}/\\$vmlinuz"])
def test_verify_dollar_that_begins_no_variable(linked, images, written):
    (images / "vmlinuz").rename(images / "$vmlinuz")
    change_grub(linked, lambda lines: lines.__setitem__(3, f"\tmodule2 --nounzip {written.format(images)}\n"))
    done = verify(linked)
    assert done.returncode == 0, done.stderr


def test_verify_variable_as_xen(linked):
    change_grub(linked, lambda lines: lines.__setitem__(1, "\tmultiboot2 ${xen} console=com1\n"))
    done = verify(linked)
    assert done.returncode == 1 and "grub.cfg:2: ${xen}: contains a variable, which is not expanded" in done.stderr


def test_verify_variable_as_lcm(linked):
    add_entry(linked, lambda lines: lines.__setitem__(2, "\tmodule2 ${dir}/launch.dtb\n"))
    done = verify(linked)
    assert done.returncode == 0
    said = "grub.cfg:10: warning: not checked: the first module, ${dir}/launch.dtb, contains a variable"
    assert said in done.stderr
    change_grub(linked, lambda lines: lines.__setitem__(slice(0, 7), []))
    done = verify(linked)
    assert done.returncode == 1 and "no entry loads " in done.stderr


def test_verify_good_is_one_line(linked):
    done = verify(linked)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{linked}/launch.dtb: valid: {linked}/grub.cfg loads the modules that it needs\n"
