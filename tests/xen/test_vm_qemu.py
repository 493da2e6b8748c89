# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domains that QEMU serves, made and ended after boot: HVM, and disks with backend qdisk."""
import base64
import json
import pathlib
import re
import subprocess

import pytest

import harness
import lcm

SAID = "HVM-DISK it is read"
# What a VM has or leaves: of Xen, xenstore, libxl, the kernel, units and processes.
STATE = ("xl list | awk 'NR > 1 {print $1, $2}'; xenstore-ls -f / | grep -cv /tool/; xenstore-ls -f /libxl | cut -d/ -f3 | sort -u; "
         "ls /var/lib/xen /run/xen /run/hyperlaunch/jobs /run/hyperlaunch/vm | grep -v domid-history; losetup -a; "
         "pgrep -c 'hyperlaunch-vmd|xen-qemu'; ls /sys/bus/xen-backend/devices; systemctl list-units --all --plain --no-legend 'hyperlaunch-vmd*service'")
ROOT = pathlib.Path(harness.ROOT)
UNIT = "hyperlaunch-vmd-qemu@*.service"


def disk_image(folder):
    """A sector that a BIOS boots, and what it prints."""
    subprocess.run(["gcc", "-m32", "-c", "-x", "assembler-with-cpp", "-o", folder / "boot.o", ROOT / "tests/guests/boot-sector.S"], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o", folder / "boot", folder / "boot.o"], check=True)
    return (folder / "boot").read_bytes() + SAID.encode() + b"\r\n\0"


def control_ramdisk(folder):
    """The control domain's, with QEMU."""
    model = subprocess.run([ROOT / "dev/build-device-model"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    with open(folder / "control.cpio.gz", "wb") as out:
        for file in (pathlib.Path(harness.built_images(), "control.cpio.gz"), pathlib.Path(model, "device-model.cpio.gz")):
            out.write(file.read_bytes())


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("qemu")
    control_ramdisk(folder)
    image = base64.b64encode(disk_image(folder)).decode()
    source = lcm.source(lcm.dom0(bootargs="console=hvc0 quiet"))
    with harness.booted("vm-qemu", source=source, folder=folder, search=[str(folder)]) as boot:
        boot.wait_shell()
        boot.wait_shell_says("hlctl list 2>/dev/null | grep -q ' ready '")
        ask(boot, f"modprobe -a loop xen-blkback; echo {image} | base64 -d >/srv/disk.img; truncate -s 1M /srv/disk.img")
        # The first one leaves what later ones find, such as libxl's lock files and QEMU's log.
        write(boot, "first", hvm("first"))
        ask(boot, "hlctl create /run/first.json && hlctl destroy first")
        yield boot


def ask(boot, command):
    return boot.shell(command, 2 * harness.PATIENCE)


def state(boot):
    """As soon as nothing changes any more, and no unit is about to end."""
    boot.wait_shell_says("! systemctl list-units --plain --no-legend 'hyperlaunch-vmd*service' | grep -q deactivating")
    before, now = None, ask(boot, STATE)
    for _ in range(20):
        if now == before:
            break
        before, now = now, ask(boot, f"sleep 1; {STATE}")
    return now


def write(boot, name, config):
    text = base64.b64encode(json.dumps(config).encode()).decode()
    ask(boot, f"echo {text} | base64 -d >/run/{name}.json")


def hvm(name, **more):
    disk = {"pdev_path": "/srv/disk.img", "vdev": "hda", "backend": "qdisk", "format": "raw", "readwrite": 1}
    return {"c_info": {"type": "hvm", "name": name}, "disks": [disk],
            "b_info": {"max_vcpus": 1, "avail_vcpus": [0], "max_memkb": 48 << 10, "target_memkb": 48 << 10, "type.hvm": {"vga": {"kind": "none"}}}} | more


def begin(boot, name, config=None):
    """hlctl create, of which the words and the end are asked for later."""
    write(boot, name, config or hvm(name))
    ask(boot, f"systemd-run --quiet --collect --unit=create-{name} -p StandardOutput=file:/run/{name}.said -p StandardError=file:/run/{name}.said "
        f"hlctl create /run/{name}.json")


def boots(boot, name, config=None):
    """Made, with somebody at its serial port before it runs: QEMU keeps nothing of what nobody reads."""
    write(boot, name, config or hvm(name))
    ask(boot, f"hlctl create --paused /run/{name}.json")
    listen(boot, name)
    ask(boot, f"hlctl unpause {name}")
    boot.wait_shell_says(f"grep -q '{SAID}' /run/{name}.serial")


def listen(boot, name):
    ask(boot, f"tty=$(xenstore-read /local/domain/$(xl domid {name})/serial/0/tty); stty -F $tty raw -echo; "
        f"systemd-run --quiet --collect sh -c \"exec cat $tty >>/run/{name}.serial\"")


def units(boot):
    return ask(boot, f"systemctl list-units --plain --no-legend '{UNIT}'").split("\n")[:-1]


def uuid_of(boot, name):
    return next(row["uuid"] for row in boot.json("list")["domains"] if row["name"] == name)


def test_hvm_boots_from_its_disk_and_is_destroyed(launched):
    before = state(launched)
    boots(launched, "one")
    row = next(row for row in launched.json("list")["domains"] if row["name"] == "one")
    assert (row["origin"], row["state"]) == ("post-boot", "running")
    # The order is done, and its unit has QEMU alone.
    assert ask(launched, "pgrep -c hyperlaunch-vmd || true") == "0\n" and len(units(launched)) == 1
    pid = int(ask(launched, "xenstore-read /local/domain/$(xl domid one)/image/device-model-pid"))
    assert ask(launched, f"cat /sys/fs/cgroup/machine.slice/{UNIT}/cgroup.procs") == f"{pid}\n"
    # What is typed at its serial port arrives.
    ask(launched, "echo abc >$(xenstore-read /local/domain/$(xl domid one)/serial/0/tty)")
    launched.wait_shell_says("grep -q abc /run/one.serial")
    assert ask(launched, "hlctl destroy one") == f"Domain {row['domid']} (one) is destroyed.\n"
    assert state(launched) == before


def test_domain_whose_qemu_is_killed_has_crashed(launched):
    before = state(launched)
    # QEMU lets no other one write to its disk.
    write(launched, "stays", hvm("stays", on_crash="preserve", disks=[hvm("stays")["disks"][0] | {"pdev_path": "/srv/other.img"}]))
    ask(launched, "cp /srv/disk.img /srv/other.img; hlctl create /run/first.json && hlctl create /run/stays.json")
    # The signal comes to both at once.
    ask(launched, "pkill -9 -x xen-qemu-system")
    launched.wait_shell_says("! xl domid first")
    launched.wait_shell_says("hlctl list --json | tr -d ' \\n' | grep -q '\"state\":\"shutdown\"'")
    row = next(row for row in launched.json("list")["domains"] if row["name"] == "stays")
    assert (row["state"], row["reason"]) == ("shutdown", "crash")
    assert "has ended, and the domain has not" in ask(launched, "journalctl -b --no-pager -p3")
    ask(launched, "hlctl destroy stays; rm /srv/other.img")
    assert state(launched) == before


@pytest.mark.long
def test_qemu_that_does_not_end_is_killed(launched):
    before = state(launched)
    ask(launched, "hlctl create /run/first.json; pkill -STOP -x xen-qemu-system; hlctl destroy first")
    assert "QEMU was killed, as it did not end" in ask(launched, "journalctl -b --no-pager -p4")
    assert state(launched) == before


@pytest.mark.long
@pytest.mark.parametrize("what", ["hyperlaunch-vmd", "hyperlaunchd", "cancel"])
@pytest.mark.parametrize("when", ["domain", "qemu"])
def test_ended_in_the_middle(launched, what, when):
    """As soon as the domain is there, and as soon as QEMU is, which has the connection too."""
    before = state(launched)
    name = f"mid-{what[-4:]}-{when}"
    there = "pgrep -x xen-qemu-system" if when == "qemu" else "[ $(xl list 2>/dev/null | wc -l) -gt 2 ]"
    end = "hlctl cancel $(hlctl jobs --json | sed -n 's/.*\"job\": *\\([0-9]*\\).*/\\1/p')" if what == "cancel" else f"pkill -9 -x {what[:15]}"
    begin(launched, name)
    ask(launched, f"for i in $(seq 1200); do {there} >/dev/null && break; sleep 0.05; done; {end} || true")
    launched.wait_shell_says("hlctl status >/dev/null 2>&1")
    launched.wait_shell_says(f"! systemctl is-active -q create-{name} && hlctl jobs --json | tr -d ' \\n' | grep -q '\"jobs\":\\[\\]'")
    said = ask(launched, f"cat /run/{name}.said")
    # It may have been done by then; where it says that it failed, nothing is there.
    if "is running" in said:
        ask(launched, f"hlctl destroy {name}")
    assert state(launched) == before, said


@pytest.mark.long
def test_reset_makes_it_again_with_another_qemu(launched):
    before = state(launched)
    boots(launched, "again", hvm("again", on_reboot="restart"))
    uuid, unit = uuid_of(launched, "again"), units(launched)
    ask(launched, "domid=$(xl domid again); echo r >$(xenstore-read /local/domain/$domid/serial/0/tty); "
        f"for i in $(seq {harness.PATIENCE}); do [ $(xl domid again || echo $domid) != $domid ] && break; sleep 1; done")
    launched.wait_shell_says("hlctl jobs --json | tr -d ' \\n' | grep -q '\"jobs\":\\[\\]'")
    assert uuid_of(launched, "again") == uuid
    launched.wait_shell_says(f"[ $(systemctl list-units --plain --no-legend '{UNIT}' | wc -l) = 1 ]")
    assert units(launched) != unit
    assert ask(launched, "pgrep -c -x xen-qemu-system") == "1\n"
    ask(launched, "hlctl destroy again")
    assert state(launched) == before


def test_disk_that_qemu_serves_to_a_pvh_domain(launched):
    before = state(launched)
    build = {"max_vcpus": 1, "avail_vcpus": [0], "max_memkb": 96 << 10, "target_memkb": 96 << 10, "cmdline": "console=hvc0 quiet",
             "kernel": "/usr/lib/hyperlaunch/vmlinuz", "ramdisk": "/usr/lib/hyperlaunch/guest.cpio.gz"}
    write(launched, "pvh", {"c_info": {"type": "pvh", "name": "pvh"}, "b_info": build, "disks": hvm("pvh")["disks"]})
    ask(launched, "sed -i s/hda/xvda/ /run/pvh.json; hlctl create /run/pvh.json")
    assert len(units(launched)) == 1 and ask(launched, "xl block-list pvh | wc -l") == "2\n"
    launched.wait_shell_says(f"grep -q READY /var/log/hyperlaunch/console/{uuid_of(launched, 'pvh')}.log")
    ask(launched, "hlctl destroy pvh")
    assert state(launched) == before


@pytest.mark.long
def test_what_cannot_be_made_leaves_nothing(launched):
    before = state(launched)
    disk = hvm("no")["disks"][0]
    for number, (config, why) in enumerate([
            (hvm("no", disks=[disk | {"pdev_path": "/nowhere"}]), "qemu-dm-NAME.log"),
            (hvm("no", b_info=hvm("no")["b_info"] | {"device_model": "/bin/false"}), ".")]):
        write(launched, f"no{number}", config)
        said = ask(launched, f"hlctl create /run/no{number}.json 2>&1 && echo DONE; true")
        assert re.search(why, said) and "DONE" not in said, said
        assert state(launched) == before, said
