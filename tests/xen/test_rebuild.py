# SPDX-License-Identifier: LGPL-2.1-or-later
"""Initial domains that crash are made again, by hyperlaunchd, libxl and Xen: on demand, and by themselves."""
import json
import re

import pytest

import harness
import lcm

UUID = "0b1e9f5c-3d5e-4c55-9f0a-8c1c1a2b3c4d"
BYTES = " ".join(re.findall("..", UUID.replace("-", "")))
WEB = f'domain-uuid = [{BYTES}]; vcpu {{ compatible = "xen,vcpu"; id = <1>; hard-affinity = "0"; }};'
# Debian's kernel takes no "c" of sysrq otherwise, which is a crash.
CRASHES = "console=hvc0 quiet sysrq_always_enabled"
SAID = f"{CRASHES} said=web"


@pytest.fixture(scope="module")
def launched(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rebuild")
    # The very one that the guests boot with; that of the control domain's disk has fewer programs.
    with open(f"{images}/guest.cpio.gz", "rb") as guest:
        harness.ramdisk_with(f"{images}/control.cpio.gz", {"overlay/root/guest.cpio.gz": guest.read()}, folder / "control-guest.cpio.gz")
    source = lcm.source(
        lcm.dom0(ramdisk="control-guest.cpio.gz", bootargs="console=hvc0 quiet"), lcm.domain("web", '"96M"', cpus=2, bootargs=SAID, more=WEB),
        lcm.domain("auto", '"96M"', mode=lcm.PV | lcm.LONG, bootargs=CRASHES, more='restart = "on-failure"; restart-limit = <1>;'))
    with harness.booted("rebuild", source=source, folder=folder, search=[folder]) as boot:
        boot.wait_shell()
        for name in ("web", "auto"):
            wait_ready(boot, name)
        yield boot


def ask(boot, command):
    return boot.shell(command, harness.PATIENCE)


def row_of(boot, name):
    return next(row for row in boot.json("list")["domains"] if row["name"] == name)


def wait_state(boot, name, state):
    boot.wait_shell_says(f"hlctl list | grep -q '^[0-9]* *{name} *{state} '")


def wait_ready(boot, name):
    """Xen says so, and xenstore has what xl needs."""
    wait_state(boot, name, "ready")
    boot.wait_shell_says(f"xl domid {name}")


def log_of(uuid):
    return f"/var/log/hyperlaunch/console/{uuid}.log"


def crash(boot, name):
    """It shuts down with that reason."""
    ask(boot, f"xl sysrq {name} c")


def events(boot):
    return [event["event"] for event in boot.json("events")["events"]]


def test_nothing_happens_where_a_module_is_not_found(launched):
    crash(launched, "web")
    wait_state(launched, "web", "shutdown")
    before = row_of(launched, "web")
    assert before["reason"] == "crash"
    said = ask(launched, "hlctl rebuild web 2>&1 && echo DONE; true")
    digest = next(module["sha256"] for module in launched.json("modules")["modules"] if "web" in module["domains"] and module["type"] == "kernel")
    assert digest in said and "/boot" in said and "DONE" not in said, said
    assert row_of(launched, "web") == before


def test_crashed_domain_is_made_again(launched):
    before = row_of(launched, "web")
    ask(launched, "mkdir -p /boot; cp /usr/lib/hyperlaunch/vmlinuz /boot/; cp /root/guest.cpio.gz /boot/")
    assert re.fullmatch(r"Domain \d+ \(web\) is (started|ready)\.\n", ask(launched, "hlctl rebuild web"))
    wait_ready(launched, "web")
    row = row_of(launched, "web")
    assert (row["origin"], row["uuid"], row["adopted"], row["memory_kib"], row["cpus"]) == ("boot", UUID, True, before["memory_kib"], 2), row
    assert row["lcm_node"] == "/chosen/hypervisor/web" and row["domid"] != before["domid"]
    assert events(launched).count("adopted") == 1
    # The same command line; what it prints is in the same log.
    launched.wait_shell_says(f"[ $(grep -c READY {log_of(UUID)}) = 2 ]")
    assert ask(launched, f"grep -c 'HL-CMDLINE {SAID}' {log_of(UUID)}") == "2\n"
    assert ask(launched, "hlctl show -P HardAffinity web") == "0: all; 1: 0\n"
    listed = json.loads(ask(launched, "xl list -l web"))[0]["config"]
    assert (listed["c_info"]["uuid"], listed["b_info"]["max_memkb"], listed["b_info"]["max_vcpus"]) == (UUID, 96 << 10, 2)
    # Nothing of the former one is left.
    assert ask(launched, f"xl list | grep -c web; xenstore-ls -f /local/domain | grep -c '/name = \"web\"'; ls /run/hyperlaunch/jobs | wc -l") == "1\n1\n0\n"


def test_domain_with_restart_is_made_again_by_itself(launched):
    """As often as it may; and then it stays for a look."""
    before = row_of(launched, "auto")
    crash(launched, "auto")
    launched.wait_shell_says(f"[ $(xl domid auto || echo {before['domid']}) != {before['domid']} ]")
    wait_ready(launched, "auto")
    row = row_of(launched, "auto")
    assert (row["adopted"], row["handle"]) == (True, before["handle"]) and row["handle"]
    crash(launched, "auto")
    launched.wait_shell_says("journalctl -b -u hyperlaunchd --no-pager | grep -q 'is preserved: it was restarted 1 times'")
    assert row_of(launched, "auto")["state"] == "shutdown"
    ask(launched, "hlctl rebuild auto")
    wait_ready(launched, "auto")


@pytest.mark.long
@pytest.mark.parametrize("what", ["hyperlaunchd", "hyperlaunch-vmd"])
def test_killed_in_the_middle(launched, what):
    """Of hyperlaunchd the next one goes on; without vmd nothing stays, and it can be asked for again."""
    ask(launched, "hlctl destroy web; systemd-run --quiet --collect --unit=again -p StandardError=file:/run/again.said hlctl rebuild web; "
        f"for i in $(seq 600); do xl list 2>/dev/null | grep -q web && break; sleep 0.05; done; pkill -9 -x {what[:15]} || true")
    launched.wait_shell_says("hlctl status >/dev/null 2>&1")
    launched.wait_shell_says("! systemctl is-active -q again && hlctl jobs --json | tr -d ' \\n' | grep -q '\"jobs\":\\[\\]'")
    if row_of(launched, "web")["state"] == "reclaimed":
        assert what == "hyperlaunch-vmd"
        assert ask(launched, "xl list | grep -c web; true") == "0\n"
        ask(launched, "hlctl rebuild web")
    wait_ready(launched, "web")
    assert (row_of(launched, "web")["uuid"], ask(launched, "xl list | grep -c web")) == (UUID, "1\n")


def test_running_domain_takes_force(launched):
    assert "Force" in ask(launched, "hlctl rebuild web 2>&1; true")
    before = row_of(launched, "web")
    ask(launched, "hlctl rebuild --force web")
    wait_ready(launched, "web")
    assert row_of(launched, "web")["domid"] != before["domid"]
    assert "hardware domain" in ask(launched, "hlctl rebuild --force dom0 2>&1; true")
