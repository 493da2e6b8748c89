# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boots for the tests: hlboot's own parts, driven step by step."""
import base64
import contextlib
import functools
import gzip
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "dev", "hlboot"))

import launch  # noqa: E402
import media  # noqa: E402
import paths  # noqa: E402
import report  # noqa: E402
import slots  # noqa: E402
from machine import CPU, XEN_ARGS, Machine  # noqa: E402

__all__ = ["Boot", "Machine", "NEWER_CPU", "PROBED", "booted", "hlboot", "media", "paths", "ramdisk_with",
           "xen_with_xsm"]
PATIENCE = 420      # seconds; a machine of its own needs a tenth of this
TURN_PATIENCE = 7200
# What a sound Xen never prints, whatever it is given; a debug build looks for more of it.
FAULTS = re.compile(r"Panic on CPU|FATAL TRAP|FATAL PAGE FAULT|Xen BUG|Xen WARN|Assertion .* failed|UBSAN: |CHECKLOCK FAILURE|"
                    r"Xen call trace")
# A report of UBSAN with its call trace.  It is stock Xen's own if none of our functions is in the trace, and so is one
# that one of ours cannot help: vlapic.c shifts the APIC ids of vCPUs from 64 on into the sign of an int.
REPORT = re.compile(r"UBSAN: .*?(?:={40}|\Z)", re.DOTALL)
OURS, STOCK = "hyperlaunch_", "arch/x86/hvm/vlapic.c"
# (domid, row, result) of a probe that has not the console.  Xen prints the owner's long lines in parts, and this one
# may come between.
PROBED = re.compile(r"\(d(\d+)\) (?:\[ *[\d.]+\] )?probe: (?:(\S+) = (\S+)|done)$", re.MULTILINE)
# Xen's variant: "debug" in a second run by ./test long; as released otherwise.
DEBUG = os.environ.get("HL_TEST_XEN") == "debug"


_own = threading.local()

# Xen has a microcode loader for AMD's processors from this family on; of QEMU's own family, 15, Xen writes HWCR as it starts,
# which it may not where it is a guest.
NEWER_CPU = functools.partial(Machine, extra=["-cpu", f"{CPU},family=23"])


class Boot:
    """A machine that runs, with what was launched on it."""

    def __init__(self, machine, linked=None):
        self.machine, self.linked = machine, linked
        self.log = machine.log

    def check_xen(self, panics=False):
        """Fails where Xen crashed, an assertion of its did not hold, or it warned of itself; where it has to, unless it did."""
        if panics:
            assert FAULTS.findall(self.log.text) == ["Panic on CPU"], f"see {self.log.path}"
            return
        own = REPORT.sub(lambda report: report[0] if OURS in report[0] and STOCK not in report[0] else "", self.log.text)
        fault = FAULTS.search(own)
        assert not fault, f"Xen printed '{fault[0]}', see {self.log.path}"

    def shell(self, command, timeout=120):
        """The output of a command in the control domain, which must succeed."""
        code, output = self.machine.run(command, timeout)
        assert code == 0, f"{command}: exit code {code}\n{output}"
        return output

    def copy(self, path, content):
        """A file in the control domain, which can be run there."""
        text = base64.b64encode(gzip.compress(content)).decode()
        self.shell(f"base64 -d <<<'{text}' | gunzip >{path}; chmod +x {path}")

    def wait_shell_says(self, condition):
        """Until a command in the control domain succeeds."""
        self.shell(f"for i in $(seq {2 * PATIENCE}); do {condition} && exit 0; sleep 0.5; done; exit 1", 2 * PATIENCE)

    def json(self, command):
        """What an hlctl verb says with --json."""
        return json.loads(self.shell(f"hlctl {command} --json"))

    def report(self):
        """As hlboot gets it."""
        return report.from_control_domain(self.machine, PATIENCE)

    def wait_log(self, condition, what, seconds=PATIENCE):
        """Until condition(log) holds; a guest that ends in a triple fault meanwhile will not say what is waited for."""
        def holds():
            self.check_xen()
            held = condition(self.log)
            assert held or TRIPLE_FAULT not in self.log.text, f"a triple fault while waiting for {what}, see {self.log.path}"
            return held

        self.machine.wait(holds, time.monotonic() + seconds, what)

    def install_request(self):
        """Puts tests/guests/linux/request.c into the control domain, as /run/request."""
        program = os.path.join(self.machine.folder, "request")
        subprocess.run(["gcc", "-O2", "-s", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include",
                        "-o", program, f"{ROOT}/tests/guests/linux/request.c",
                        f"-L{os.environ['HL_BUILD_MAIN']}/libhl", "-lhl"], check=True)
        with open(program, "rb") as file:
            text = base64.b64encode(file.read()).decode()
        self.shell(f"echo {text} | base64 -d >/run/request; chmod +x /run/request")

    def xl_console(self, name, until, words=""):
        """What xl console shows of a guest, up to that; words are typed at it until then."""
        typed = f"printf '%s\\n' {shlex.quote(words)} >&3" if words else "true"
        return self.shell(
            "cd $(mktemp -d); mkfifo keys; touch said; "
            f"script -qfec 'xl console {name}' said <keys >/dev/null 2>&1 & exec 3>keys; "
            f"for i in $(seq {PATIENCE}); do grep -q '{until}' said && break; {typed}; sleep 1; done; "
            f"kill $!; cat said; grep -q '{until}' said", 2 * PATIENCE)

    def console_until_gone(self, name, until):
        """What xl console shows of a guest, up to that or its end."""
        return self.shell(
            f"cd $(mktemp -d); mkfifo keys; touch said; script -qfec 'xl console {name}' said <keys >/dev/null 2>&1 & exec 3>keys; "
            f"for i in $(seq {PATIENCE}); do grep -q '{until}' said && break; kill -0 $! || break; sleep 1; done; "
            "kill $!; cat said", 2 * PATIENCE)

    def wait_shell(self, seconds=PATIENCE):
        """Until the control domain takes commands."""
        self.machine.wait_ready(time.monotonic() + seconds)


# A QEMU that dev/qemu/qemu.py does not know may lose a guest to a race of its own.  What is no remedy:
# - fewer changes of domain (sched_ratelimit_us=) or one processor of the host for all of QEMU: rarer, and slow;
# - -accel tcg,thread=single: helper_vmrun() leaves the vector of an injected interrupt in exception_index, so a CPU
#   that is kicked before the next #VMEXIT delivers it once more, with interrupts off.  One thread for all CPUs is
#   kicked often: of six guests that only take timer interrupts, five met it within a minute.
TRIPLE_FAULT = "Triple fault"


# To look whether they are up to date takes longer than a short boot: once for each run of the tests is enough.
@functools.cache
def built_images():
    """The directory with what launches boot."""
    return paths.images()


@functools.cache
def built_xen(variant=None):
    """Xen's image: the release build, or a variant of dev/build-xen, such as xsm-debug."""
    return paths.xen(variant)


def xen_with_xsm(module):
    """(Xen's image, words of its command line) for an XSM module; "dummy" is the Xen without the others.

    FLASK is enforcing, as it is unless somebody says otherwise.
    """
    return (None, []) if module == "dummy" else (built_xen("xsm-debug" if DEBUG else "xsm"), [f"xsm={module}"])


def ramdisk_with(base, files, path):
    """A ramdisk with programs, {path in it: bytes}, behind what is in another; its path."""
    with tempfile.TemporaryDirectory() as root:
        for name, content in files.items():
            file = pathlib.Path(root, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(0o755)
        extra = subprocess.run("find . | cpio --quiet -o -H newc -R 0:0 | gzip -9n", shell=True, cwd=root,
                               stdout=subprocess.PIPE, check=True).stdout
    content = pathlib.Path(base).read_bytes()
    # The next archive begins at a multiple of four.
    path.write_bytes(content + bytes(-len(content) % 4) + extra)
    return path


@contextlib.contextmanager
def _counted(name):
    """Who has all machines there may be would wait for itself: for a module's, say, that ends with the module."""
    have = getattr(_own, "machines", 0)
    assert have < slots.room(), f"{name}: this test's own module has {have} machines already, and there is no room for more"
    _own.machines = have + 1
    try:
        yield
    finally:
        _own.machines -= 1


@contextlib.contextmanager
def booted(name, chain=None, source=None, folder=None, search=(), xen=None, words=(), disk=True, ram=None,
           loader="direct", kind=Machine, cpus=2, log=None, panics=False):
    """A Boot of a chain of (file, string), or of a source LCM (text) that is linked first.

    xen: its image; where none is given, as released, or the debug build.  log: where the serial log goes, if not to the others.
    panics: that is how Xen ends here, by what stock Xen does."""
    images = built_images()
    log = log or paths.new_log(name)
    print(f"{name}: serial log {log}")
    with _counted(name), kind(log, disk=os.path.join(images, "control.img") if disk else None, cpus=cpus) as machine:
        linked = None
        if source is not None:
            path = os.path.join(folder or machine.folder, "launch.dts")
            with open(path, "w", encoding="utf-8") as out:
                out.write(source)
            linked = launch.link(path, [*search, images], os.path.join(machine.folder, "link"))
            machine.ram = linked.ram()
            chain = linked.chain()
        machine.ram = ram or machine.ram
        machine.start(media.LOADERS[loader](machine.folder, xen or built_xen("debug" if DEBUG else None), [*XEN_ARGS, *words], chain),
                      f"test {name}", TURN_PATIENCE)
        boot = Boot(machine, linked)
        yield boot
        machine.poll()
        boot.check_xen(panics)


def hlboot(*words, timeout=900):
    """Runs hlboot as its users do; the finished process."""
    return subprocess.run([os.path.join(ROOT, "dev", "hlboot", "hlboot"), *words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout, check=False)
