# SPDX-License-Identifier: LGPL-2.1-or-later
"""No xenstored when hyperlaunchd starts: it waits, says so, and goes on when that comes."""
import pytest

import harness
import lcm

START = "/usr/lib/xen-4.20/bin/xenstored --pid-file /run/xenstored.pid && /usr/lib/xen-4.20/bin/xen-init-dom0"
STATE = ("busctl --system get-property org.xenproject.Hyperlaunch1 /org/xenproject/Hyperlaunch1 "
         "org.xenproject.Hyperlaunch1.Manager XenstoreState")


@pytest.fixture(scope="module")
def late(tmp_path_factory):
    source = lcm.source(lcm.dom0(bootargs="console=hvc0 quiet hl.no-xenstored"),
                        lcm.domain("guest", bootargs="console=hvc0 quiet"))
    with harness.booted("no-xenstored", source=source, folder=tmp_path_factory.mktemp("late")) as boot:
        boot.wait_shell()
        boot.shell("systemctl start hyperlaunchd", harness.PATIENCE)
        yield boot


def test_says_that_it_waits_and_goes_on(late):
    assert late.shell(STATE).strip() != 's "connected"'
    assert "xenstore" in late.shell("journalctl -b -u hyperlaunchd --no-pager")
    assert {domain["name"] for domain in late.json("list")["domains"]} == {"dom0", "guest"}

    late.shell(f"mkdir -p /run/xenstored /run/xen /var/lib/xenstored; {START}")
    late.shell("for i in $(seq 60); do [ \"$(xenstore-read /local/domain/1/name 2>/dev/null)\" = guest ] && exit 0; "
               "sleep 0.5; done; journalctl -b -u hyperlaunchd --no-pager; exit 1", 240)
    assert late.shell(STATE).strip() == 's "connected"'
