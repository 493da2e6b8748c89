# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlboot's command line."""
import argparse
import re

SIZE_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def size(text):
    """A size such as 3G or 512M in bytes; a bare number is in MiB, as in QEMU."""
    match = re.fullmatch(r"(\d+)([KMGkmg]?)[bB]?", text)
    if not match or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no size such as 3G or 512M")
    return int(match[1]) * SIZE_UNITS[match[2].upper() or "M"]


def seconds(text):
    """A positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is no positive number of seconds")
    return value


def regex(text):
    """A compiled regular expression."""
    try:
        return re.compile(text, re.MULTILINE)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{text}' is no regular expression: {error}")


def parser():
    """The argument parser; its errors end the program with exit code 2."""
    args = argparse.ArgumentParser(
        prog="hlboot",
        allow_abbrev=False,
        description="Link a launch, boot it on Xen in QEMU, and report what became of it.",
        epilog="Exit code: 0 the launch is complete; 1 something else failed; 2 usage; "
               "3 recovery or an error in the LCM; 4 time-out.",
    )
    args.add_argument("launch", metavar="LAUNCH.dts", help="source LCM, as .dts or .dtb")
    args.add_argument("--loader", choices=("direct", "grub", "uefi"), default="direct",
                      help="QEMU's own Multiboot loader, GRUB on BIOS, or GRUB on UEFI")
    args.add_argument("--modules", metavar="DIR", action="append", default=[],
                      help="look here for the files the launch names, after the launch's own "
                           "directory and before the built images; may be repeated")
    args.add_argument("--ram", metavar="SIZE", type=size,
                      help="memory of the machine (default: what the launch asks for and 1G, "
                           "at least 3G and at most 8G)")
    args.add_argument("--cpus", metavar="N", type=int, default=2, help="the machine's (default 2)")
    args.add_argument("--qemu-arg", metavar="ARG", action="append", default=[],
                      help="one more argument for QEMU; may be repeated")
    args.add_argument("--xen", metavar="FILE", help="boot this Xen (default: the one built here)")
    args.add_argument("--xen-arg", metavar="ARG", action="append", default=[],
                      help="one more word for Xen's command line; may be repeated")
    args.add_argument("--timeout", metavar="S", type=seconds, default=300.0,
                      help="seconds until giving up (default 300); as many before, where other "
                           "machines run, for their end")
    args.add_argument("--until", metavar="REGEX", type=regex,
                      help="go on until the serial log matches this, too")
    args.add_argument("--run", metavar="CMD", action="append", default=[],
                      help="then run this in the control domain, or in the hardware domain of a static "
                           "launch; may be repeated")
    args.add_argument("--show", action="store_true",
                      help="print what Xen's log says of the launch, the report as a table, and what guests say")
    args.add_argument("--icount", action="store_true",
                      help="time counts instructions: one CPU, repeatable to the byte")
    args.add_argument("--report", metavar="FILE", help="write the report, JSON, here")
    args.add_argument("--log", metavar="FILE", help="keep the serial log here")
    args.add_argument("--interactive", action="store_true",
                      help="then a shell on the machine's console; Ctrl-A X ends it")
    return args
