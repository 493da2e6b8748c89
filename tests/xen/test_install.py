# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/install.md, word by word: its commands run on a bare Debian 13 (dev/build-debian) in emulation.

What differs from a machine of one's own: it has no network, so the packages that the document installs are in apt's cache
already; the archive arrives on a second disk; and dev/images/control/agent runs the commands.
"""
import os
import re
import shutil
import subprocess
import time

import pytest

import harness

pytestmark = [pytest.mark.long, pytest.mark.release]

PATIENCE = 900
GUESTS = {"web", "db", "cache"}
BUILD = "Build an archive"
FIRST_IN_DOM0 = "hlctl status"
LINKED, ENTRIES = "/boot/hyperlaunch/launch.dtb", "/boot/grub/grub.cfg"


def commands():
    """(heading, block) of the document, in order; what is in a block is typed as it stands."""
    with open(os.path.join(harness.ROOT, "docs", "install.md"), encoding="utf-8") as file:
        text = file.read()
    found = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading = part.partition("\n")[0]
        found += [(heading, block) for block in re.findall(r"^```sh\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)]
    return found


def phases():
    """What is typed at the build machine, at the target, and, after the reboot, in dom0."""
    build = [block for heading, block in commands() if heading == BUILD]
    target = [block for heading, block in commands() if heading != BUILD]
    first = next(number for number, block in enumerate(target) if block.startswith(FIRST_IN_DOM0))
    return build, target[:first], target[first:]


class Debian(harness.Machine):
    """A machine that can boot again: writes to its disks last as long as QEMU."""

    def _command(self, medium):
        return [word for word in super()._command(medium) if word != "-no-reboot"]

    def shell(self, block, timeout=PATIENCE):
        """What a shell says that runs this, and stops at the first command that fails."""
        code, output = self.run(f"set -e\n{block}", timeout)
        print(f"$ {block}{output}")
        assert code == 0, f"exit code {code}:\n{block}\n{output}"
        return output

    def reboot(self, block):
        """Types what has it boot again, and waits until that is done."""
        before = self.shell("cat /proc/sys/kernel/random/boot_id")
        self.agent.ready = False
        self.agent.send(f"set -e\n{block}")
        self.wait_ready(time.monotonic() + PATIENCE)
        assert self.shell("cat /proc/sys/kernel/random/boot_id") != before
        self.up()

    def up(self):
        """Until systemd has started what there is to start."""
        self.run("systemctl is-system-running --wait", PATIENCE)


def disk(number, path):
    """QEMU's arguments for a SATA disk: SeaBIOS does not read NVMe disks of a machine with an IOMMU."""
    return ["-drive", f"file={path},if=none,id=disk{number},format=raw,snapshot=on",
            "-device", f"ide-hd,drive=disk{number},bus=ide.{number},serial=disk{number}"]


def build_archive():
    """What the document builds."""
    block, = phases()[0]
    done = subprocess.run(["bash", "-ec", block], cwd=harness.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
    path = done.stdout.strip()
    assert os.path.basename(path) == "hyperlaunch.tar.gz"
    return path


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    """It runs, without Xen, and has the archive in /root."""
    first = harness.paths.debian()
    second = tmp_path_factory.mktemp("second") / "archive"
    shutil.copyfile(build_archive(), second)
    size = second.stat().st_size
    os.truncate(second, -(-size // 512) * 512)
    log = harness.paths.new_log("install")
    print(f"install: serial log {log}")
    with Debian(log, extra=[*disk(0, first), *disk(1, second)]) as machine:
        machine.start([], "test install", harness.TURN_PATIENCE)
        machine.wait_ready(time.monotonic() + PATIENCE)
        machine.up()
        machine.shell(f"head -c {size} /dev/disk/by-id/ata-QEMU_HARDDISK_disk1 >/root/hyperlaunch.tar.gz")
        yield machine


def check_launch(machine):
    """Xen launched what the document says, and completes it: dom0 is this Debian, and the guests are up."""
    machine.shell(f"for i in $(seq {PATIENCE}); do [ $(hlctl list | grep -c ' ready ') -ge {len(GUESTS)} ] && break; sleep 1; done")
    rows = {line.split()[1]: line for line in machine.shell("hlctl list").splitlines()[1:]}
    assert set(rows) == {"dom0", *GUESTS}
    assert all(re.search(r" (started|ready) ", row) for row in rows.values()), rows
    assert re.search(r"^ *Launch: complete$", machine.shell("hlctl status"), re.MULTILINE)
    assert machine.shell("cat /sys/hypervisor/guest_type").strip() == "PV"
    assert GUESTS <= set(machine.shell("xl list").split())
    assert not harness.FAULTS.search(machine.log.text)


def verify(machine):
    """What the document has one type."""
    block, = (line for _, block in commands() for line in block.splitlines() if line.startswith("lcmtool verify"))
    return machine.shell(block + "\n")


def test_install_document_on_bare_debian(debian):
    _, target, dom0 = phases()
    assert target[-1].endswith("systemctl reboot\n")
    for block in target[:-1]:
        debian.shell(block)
    debian.reboot(target[-1])
    debian.shell(dom0[0])
    check_launch(debian)
    # Debian prefers it, and has both.
    running = debian.shell("readlink /proc/$(cat /run/xenstore.pid)/exe; ls /usr/lib/xen-4.20/bin/xenstored").split()
    assert os.path.basename(running[0]) == "oxenstored"
    for block in dom0[1:]:
        debian.shell(block)
    check_update(debian)


def check_update(machine):
    """A new initrd is linked without further ado, and the machine boots it."""
    digest = machine.shell(f"sha256sum {LINKED}")
    entry = verify(machine)
    before = machine.shell("sha256sum /boot/initrd.img")
    machine.shell("printf '#!/bin/sh\\n. /usr/share/initramfs-tools/hook-functions\\ncp /etc/hostname \"$DESTDIR/etc/\"\\n' "
                 ">/etc/initramfs-tools/hooks/changed\nchmod 755 /etc/initramfs-tools/hooks/changed\nupdate-initramfs -u")
    assert machine.shell("sha256sum /boot/initrd.img") != before
    assert machine.shell(f"sha256sum {LINKED}") != digest
    assert verify(machine) == entry
    machine.reboot("systemctl reboot\n")
    check_launch(machine)
