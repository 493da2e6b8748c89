# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source LCMs for the boot tests, from what differs in them."""
import subprocess

CONTROL, HARDWARE = 1, 2
CRASH, CONSOLE, XENSTORE, LEGACY_DOM0 = 2, 4, 1 << 30, 1 << 31
PV, LONG = 1, 4


def module(kind, locator, bootargs=None):
    """A module node; locator: a file's name, or an index in the chain."""
    where = f"mb-index = <{locator}>;" if isinstance(locator, int) else f'file = "{locator}";'
    args = f' bootargs = "{bootargs}";' if bootargs is not None else ""
    return f'{kind} {{ compatible = "module,{kind}"; {where}{args} }};'


def domain(name, memory='"128M"', cpus=1, kernel="vmlinuz", ramdisk="guest.cpio.gz",
           bootargs="console=hvc0", mode=LONG, more=""):
    """A domain node; memory and `more` are written as in the source."""
    modules = module("kernel", kernel, bootargs) if kernel is not None else ""
    modules += module("ramdisk", ramdisk) if ramdisk is not None else ""
    return (f'{name} {{ compatible = "xen,domain"; mode = <{mode}>; cpus = <{cpus}>;'
            f" memory = {memory}; {more} {modules} }};")


def dom0(memory='"512M"', cpus=1, mode=PV | LONG, ramdisk="control.cpio.gz", bootargs="console=hvc0",
         more="", **others):
    """The domain that is everything; it boots the control domain's image."""
    return domain("dom0", memory, cpus, mode=mode, ramdisk=ramdisk, bootargs=bootargs,
                  more=f"functions = <{LEGACY_DOM0:#x}>; {more}", **others)


def config(**modules):
    """The config node, with modules of type=file; "_" stands for "-"."""
    return ('config { compatible = "xen,config"; ' +
            " ".join(module(kind.replace("_", "-"), file) for kind, file in modules.items()) + " };")


def source(*domains, more=""):
    """A whole source LCM."""
    return ('/dts-v1/; / { chosen { hypervisor { compatible = "hypervisor,xen";\n'
            + "\n".join(domains) + f"\n{more} }}; }}; }};\n")


def compile_lcm(text, path):
    """Writes the blob; what lcmtool would refuse to link goes this way."""
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path, "-"],
                   input=text, text=True, check=True)
    return path
