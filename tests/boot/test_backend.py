# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest's console ring goes to another server, while the guest prints: refused while the old one has it."""
import base64
import os
import re
import subprocess

import pytest

import booting
import lcm

GUEST, SERVER = 1, 2
LOG = "/var/log/xen/console/guest-guest.log"
# xenconsoled, so that what it has read stays.
LOGGING = ("d=/run/systemd/system/xenconsoled.service.d; mkdir -p $d; "
           "sed -n 's/--log=none/--log=guest/; s/^ExecStart=/[Service]\\nExecStart=\\n&/p' "
           "/etc/systemd/system/xenconsoled.service >$d/log.conf; systemctl daemon-reload; systemctl restart xenconsoled")
SAID = re.compile(rf"\(d{SERVER}\) \[ *[\d.]+\] probe: served is (.*)\n")


def install_mover(boot, folder):
    """The program that asks; hlctl has no word for it."""
    built = os.environ["HL_BUILD_MAIN"]
    subprocess.run(["gcc", "-O2", "-s", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", f"-I{booting.ROOT}/include",
                    "-o", folder / "move", f"{booting.ROOT}/tests/boot/guest/move.c", f"-L{built}/libhl", "-lhl"], check=True)
    program = base64.b64encode((folder / "move").read_bytes()).decode()
    boot.shell(f"echo {program} | base64 -d >/run/move; chmod +x /run/move")


def wait_shell(boot, condition):
    boot.shell(f"for i in $(seq 240); do {condition} && exit 0; sleep 0.25; done; exit 1")


def move_about(boot, folder):
    """What Xen said at each step; the ring has room for what is printed between two servers."""
    install_mover(boot, folder)
    boot.shell(LOGGING)
    wait_shell(boot, f"[ $(grep -c chatter {LOG}) -ge 20 ]")
    boot.answers = [boot.shell(f"/run/move {GUEST} {SERVER}").strip()]
    boot.answers += boot.shell(f"systemctl stop xenconsoled; /run/move {GUEST} {SERVER}").split()
    boot.wait_log(lambda log: len(SAID.findall(log.text)) > 20, "the new server")
    boot.answers.append(boot.shell(f"/run/move {GUEST} 0").strip())
    boot.printed = boot.shell(f"cat {LOG}").replace("\r", "") + "\n".join(SAID.findall(boot.log.text))


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backend")
    source = lcm.source(lcm.dom0(bootargs="console=hvc0 quiet"),
                        lcm.domain("guest", '"8M"', kernel="probe", ramdisk=None, bootargs="chatter=100 echo"),
                        lcm.domain("server", '"8M"', kernel="probe", ramdisk=None, bootargs=f"other={GUEST} serve=2"))
    for _ in range(booting.TRIES):
        with booting.booted("backend", source=source, folder=folder) as boot:
            boot.wait_shell()
            move_about(boot, folder)
            if not booting.spoilt(boot.log):
                yield boot
                return
    pytest.fail(f"a guest ended in a triple fault {booting.TRIES} times")


def test_it_moves_when_the_old_server_has_let_go(moved):
    assert moved.answers == ["EBUSY", "ok", "EBUSY"]


def test_no_line_is_lost(moved):
    """What the old server has read, and after it what the new one has."""
    lines = [int(number) for number in re.findall(r"probe: chatter is (\d+)$", moved.printed, re.MULTILINE)]
    assert len(lines) > 40
    assert lines == list(range(lines[0], lines[0] + len(lines)))
