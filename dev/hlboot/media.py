# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the machine boots from: QEMU's own loader, or a GRUB disc.

A chain is Xen, its words, and modules as (file, string) in order.
"""
import os
import shutil
import subprocess

from errors import BootError

OVMF_CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd"


def _doubled(text):
    """QEMU separates modules by commas; one within a module is doubled."""
    return text.replace(",", ",,")


def direct(folder, xen, words, modules):
    """Arguments that have QEMU load Xen and its modules (Multiboot 1)."""
    entries = []
    for number, (path, string) in enumerate(modules):
        # A path of QEMU's ends at its first blank, so these have none.
        link = os.path.join(folder, f"m{number}")
        os.symlink(os.path.abspath(path), link)
        entries.append(_doubled(f"{link} {string}".strip()))
    image = os.path.join(folder, "xen")
    os.symlink(os.path.abspath(xen), image)
    return ["-kernel", image, "-append", " ".join(words),
            *(["-initrd", ",".join(entries)] if entries else [])]


def _grub_quote(text):
    return "'" + text.replace("'", "'\\''") + "'" if text else ""


def grub_config(words, modules):
    """GRUB's configuration for a chain whose files are /boot/mN on the disc.

    --nounzip: a module is to arrive as it is, or its digest is not the file's.
    """
    lines = ["serial --unit=0 --speed=115200", "terminal_input serial", "terminal_output serial", "set timeout=0",
             "menuentry 'Xen' {", f"\tmultiboot2 /boot/xen {' '.join(map(_grub_quote, words))}"]
    lines += [f"\tmodule2 --nounzip /boot/m{number} {_grub_quote(string)}".rstrip()
              for number, (_, string) in enumerate(modules)]
    return "\n".join(lines + ["}", ""])


def _disc(folder, xen, words, modules):
    """The path of a new ISO image with GRUB, Xen and the modules."""
    boot = os.path.join(folder, "disc", "boot")
    os.makedirs(os.path.join(boot, "grub"))
    shutil.copyfile(xen, os.path.join(boot, "xen"))
    for number, (path, _) in enumerate(modules):
        shutil.copyfile(path, os.path.join(boot, f"m{number}"))
    with open(os.path.join(boot, "grub", "grub.cfg"), "w", encoding="utf-8") as config:
        config.write(grub_config(words, modules))
    image = os.path.join(folder, "disc.iso")
    done = subprocess.run(["grub-mkrescue", "-o", image, os.path.join(folder, "disc")],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode:
        raise BootError(f"grub-mkrescue failed:\n{done.stdout}")
    shutil.rmtree(os.path.join(folder, "disc"))
    return image


def grub(folder, xen, words, modules):
    """Arguments that have the machine's BIOS start GRUB from a disc."""
    return ["-cdrom", _disc(folder, xen, words, modules), "-boot", "d"]


def uefi(folder, xen, words, modules):
    """Arguments that have UEFI firmware start GRUB from a disc."""
    if not os.path.exists(OVMF_CODE):
        raise BootError(f"no UEFI firmware at {OVMF_CODE} (package ovmf)")
    store = os.path.join(folder, "vars.fd")
    shutil.copyfile(OVMF_VARS, store)
    return ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF_CODE}",
            "-drive", f"if=pflash,format=raw,file={store}",
            "-cdrom", _disc(folder, xen, words, modules)]


LOADERS = {"direct": direct, "grub": grub, "uefi": uefi}
