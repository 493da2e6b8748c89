# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest's console ring goes to another server, while the guest prints: refused while the old one has it."""
import re

import pytest

import harness
import lcm

GUEST, SERVER = 1, 2
LOG = f"/var/log/hyperlaunch/console/$(basename $(xenstore-read /local/domain/{GUEST}/vm)).log"
LINE = re.compile(r"probe: chatter is (\d+)$", re.MULTILINE)
SAID = re.compile(rf"\(d{SERVER}\) \[ *[\d.]+\] probe: served is (.*)\n")


def move_about(boot):
    """What Xen said at each step; the ring has room for what is printed between two servers."""
    boot.install_request()
    # What was printed while nobody served the ring is not all there.
    boot.wait_shell_says(f"grep -q 'chatter is' {LOG}")
    boot.first = int(LINE.findall(boot.log.text)[-1]) + 60
    boot.wait_shell_says(f"grep -q 'chatter is {boot.first}$' {LOG}")
    boot.answers = [boot.shell(f"/run/request backend={GUEST},{SERVER}").strip()]
    boot.answers += boot.shell(f"systemctl stop hyperlaunch-consoled.socket hyperlaunch-consoled.service; /run/request backend={GUEST},{SERVER}").split()
    boot.wait_log(lambda log: len(SAID.findall(log.text)) > 20, "the new server")
    boot.answers.append(boot.shell(f"/run/request backend={GUEST},0").strip())
    boot.printed = boot.shell(f"cat {LOG}").replace("\r", "") + "\n".join(SAID.findall(boot.log.text))


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    source = lcm.source(lcm.dom0(bootargs="console=hvc0 quiet"),
                        lcm.domain("guest", '"8M"', kernel="probe", ramdisk=None, bootargs="chatter=100 echo"),
                        lcm.domain("server", '"8M"', kernel="probe", ramdisk=None, bootargs=f"other={GUEST} serve=2"))
    with harness.booted("backend", source=source, folder=tmp_path_factory.mktemp("backend")) as boot:
        boot.wait_shell()
        move_about(boot)
        yield boot


def test_it_moves_when_the_old_server_has_let_go(moved):
    assert moved.answers == ["EBUSY", "ok", "EBUSY"]


def test_no_line_is_lost(moved):
    """What the old server has read, and after it what the new one has."""
    lines = [int(number) for number in LINE.findall(moved.printed)]
    lines = lines[lines.index(moved.first):]
    assert len(lines) > 20
    assert lines == list(range(moved.first, moved.first + len(lines)))
