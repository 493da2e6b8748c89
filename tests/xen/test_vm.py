# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domains that hyperlaunchd makes and ends after boot, with stock xl looking on."""
import base64
import json
import re

import pytest

import churn
import harness
import lcm

MANAGER = "org.xenproject.Hyperlaunch1 /org/xenproject/Hyperlaunch1 org.xenproject.Hyperlaunch1.Manager"
DEFINITION = """/dts-v1/;
/ { chosen { hypervisor { compatible = "hypervisor,xen";
    %s { compatible = "xen,domain"; memory = "%s"; cpus = <2>; %s
        kernel { compatible = "module,kernel"; file = "/usr/lib/hyperlaunch/vmlinuz"; bootargs = "console=hvc0 quiet said=%s"; };
        ramdisk { compatible = "module,ramdisk"; file = "guest.cpio.gz"; };
    }; }; }; };
"""
# What a VM has or leaves: of Xen, xenstore, libxl, the kernel, and processes.
STATE = ("xl list | awk 'NR > 1 {print $1, $2}'; xenstore-ls -f / | grep -cv /tool/; "
         "xenstore-ls -f /libxl | cut -d/ -f3 | sort -u; ls /var/lib/xen /run/xen /run/hyperlaunch/jobs | grep -v domid-history; "
         "losetup -a; pgrep -c hyperlaunch-vmd; ls /sys/bus/xen-backend/devices")


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    source = lcm.source(lcm.dom0(bootargs="console=hvc0 quiet"), lcm.domain("web", bootargs="console=hvc0 quiet"))
    with harness.booted("vm", source=source, folder=tmp_path_factory.mktemp("vm")) as boot:
        boot.wait_shell()
        boot.wait_shell_says("hlctl list 2>/dev/null | grep -q ' ready '")
        boot.wait_shell_says("xl domid web")
        # The first of each leaves what later ones find, such as libxl's lock files.
        define(boot, "first")
        ask(boot, "hlctl create /run/first.dts && hlctl destroy first")
        yield boot


def ask(boot, command):
    return boot.shell(command, harness.PATIENCE)


def define(boot, name, memory="96M", more="mode = <4>;"):
    text = base64.b64encode((DEFINITION % (name, memory, more, name)).encode()).decode()
    ask(boot, f"ln -sf /usr/lib/hyperlaunch/guest.cpio.gz /run/; echo {text} | base64 -d >/run/{name}.dts")


class State:
    """What there is, and the MiB that Xen has free, of which a page more or less makes another number."""

    def __init__(self, boot, wait):
        self.text = ask(boot, f"sleep {wait}; {STATE}")
        self.free = int(ask(boot, "xl info | sed -n 's/^free_memory *: *//p'"))

    def __eq__(self, other):
        return self.text == other.text and abs(self.free - other.free) <= 2

    def __repr__(self):
        return f"{self.free} MiB free\n{self.text}"


def state(boot):
    """As soon as nothing changes any more: Xen frees memory a little later."""
    before, now = None, State(boot, 0)
    for _ in range(20):
        if before and before.text == now.text and before.free == now.free:
            break
        before, now = now, State(boot, 1)
    return now


def row_of(boot, name):
    rows = {row["name"]: row for row in boot.json("list")["domains"]}
    assert name in rows, rows
    return rows[name]


def log_of(name):
    return f"/var/log/hyperlaunch/console/$(basename $(xenstore-read /local/domain/$(xl domid {name})/vm)).log"


def test_created_runs_and_is_destroyed(launched):
    before = state(launched)
    define(launched, "two")
    assert re.fullmatch(r"Domain \d+ \(two\) is (running|blocked)\.\n", ask(launched, "hlctl create /run/two.dts"))
    launched.wait_shell_says(f"grep -q 'HL-CMDLINE console=hvc0 quiet said=two' {log_of('two')}")
    launched.wait_shell_says(f"grep -q READY {log_of('two')}")
    row = row_of(launched, "two")
    assert (row["origin"], row["cpus"]) == ("post-boot", 2)
    # Stock xl knows it as one of its own.
    listed = json.loads(ask(launched, "xl list -l two"))[0]["config"]
    assert (listed["c_info"]["name"], listed["c_info"]["uuid"], listed["b_info"]["max_memkb"]) == ("two", row["uuid"], 96 << 10)
    assert re.search(r"^two +\d+ +96 +2 ", ask(launched, "xl list"), re.MULTILINE)
    assert ask(launched, "hlctl destroy two") == f"Domain {row['domid']} (two) is destroyed.\n"
    assert state(launched) == before


def test_paused_until_xl_unpauses_it(launched):
    define(launched, "wait")
    assert "paused" in ask(launched, "hlctl create --paused /run/wait.dts")
    assert re.search(r"^wait .* --p---", ask(launched, "xl list"), re.MULTILINE)
    ask(launched, "xl unpause wait")
    launched.wait_shell_says(f"grep -q READY {log_of('wait')}")
    ask(launched, "hlctl destroy wait")


def test_pv(launched):
    define(launched, "oldstyle", more="mode = <5>;")
    ask(launched, "hlctl create /run/oldstyle.dts")
    launched.wait_shell_says(f"grep -q READY {log_of('oldstyle')}")
    assert '"type": "pv"' in ask(launched, "xl list -l oldstyle")
    ask(launched, "hlctl destroy oldstyle")


def refused(boot, command, words):
    before = state(boot)
    said = ask(boot, f"{command} 2>&1 && echo DONE; true")
    assert re.search(words, said) and "DONE" not in said, said
    assert state(boot) == before


def test_what_cannot_be_made_leaves_nothing(launched):
    define(launched, "large", "64G")
    refused(launched, "hlctl create /run/large.dts", r"needs \d+ KiB, and Xen has \d+ KiB free")
    define(launched, "web")
    refused(launched, "hlctl create /run/web.dts", "name \"web\"")
    define(launched, "none")
    refused(launched, "hlctl create --kernel /etc/passwd /run/none.dts", "none")
    refused(launched, "hlctl create --kernel /dev/null /run/none.dts", "regular file")
    refused(launched, "hlctl create --kernel /nowhere /run/none.dts", "/nowhere")
    refused(launched, "hlctl create /etc/passwd", "passwd")
    define(launched, "number", more="mode = <4>; domid = <1>;")
    refused(launched, "hlctl create /run/number.dts", "number")


def begin(boot, name):
    ask(boot, f"systemd-run --quiet --collect --unit=create-{name} -p StandardOutput=file:/run/{name}.said -p StandardError=file:/run/{name}.said "
        f"hlctl create /run/{name}.dts")


def over(name):
    return f"! systemctl is-active -q create-{name} && hlctl jobs --json | tr -d ' \\n' | grep -q '\"jobs\":\\[\\]'"


@pytest.mark.parametrize("what", ["hyperlaunch-vmd", "hyperlaunchd", "cancel"])
def test_ended_in_the_middle(launched, what):
    """Once as soon as the domain is there, and once a little later."""
    before = state(launched)
    domains = len(ask(launched, "xl list").splitlines())
    for number in range(2):
        name = f"mid-{what}-{number}"
        define(launched, name, "256M")
        end = "for j in $(hlctl jobs --json | sed -n 's/.*\"job\": *\\([0-9]*\\).*/\\1/p'); do hlctl cancel $j; done" if what == "cancel" \
            else f"pkill -9 -x {what[:15]}"
        begin(launched, name)
        ask(launched, f"for i in $(seq 600); do [ $(xl list 2>/dev/null | wc -l) -gt {domains} ] && break; sleep 0.05; done; sleep 0.{number}; {end} || true")
        launched.wait_shell_says("hlctl status >/dev/null 2>&1")
        launched.wait_shell_says(over(name))
        # It may have been done by then; where it says that it failed, nothing is there.
        if "is running" in ask(launched, f"cat /run/{name}.said"):
            ask(launched, f"hlctl destroy {name}")
    assert state(launched) == before


def test_ten_at_once(launched):
    before = state(launched)
    for number in range(10):
        define(launched, f"many{number}", "80M")
        begin(launched, f"many{number}")
    for number in range(10):
        launched.wait_shell_says(over(f"many{number}"))
    assert ask(launched, "xl list | grep -c ^many || cat /run/many*.said") == "10\n"
    ask(launched, "for n in $(seq 0 9); do hlctl destroy many$n & done; wait")
    assert state(launched) == before


def test_many_made_and_ended(launched):
    """Half of them are cancelled somewhere; the figures with 500 are the benchmark's."""
    churn.prepare(launched)
    before = churn.Left(launched.shell)
    made, cancelled = churn.churn(launched.shell, 50)
    assert made + cancelled == 50 and made >= 20 and cancelled >= 5
    after = churn.Left(launched.shell)
    assert after.counted == before.counted and abs(after.free - before.free) <= 2
    # Of what the heap grew by in the first ones, most stays; it is not that for each.
    assert after.resident - before.resident < 50 * 16


def test_xls_domain_with_a_disk_is_destroyed(launched):
    """Its hotplug script and the loop device of its disk are taken care of."""
    before = state(launched)
    ask(launched, "modprobe loop; truncate -s 8M /srv/disk.img; printf '%s\\n' 'name=\"xls\"' 'type=\"pvh\"' "
        "'kernel=\"/usr/lib/hyperlaunch/vmlinuz\"' 'ramdisk=\"/usr/lib/hyperlaunch/guest.cpio.gz\"' 'memory=96' "
        "'disk=[\"/srv/disk.img,raw,xvda,w,backendtype=phy\"]' >/run/xls.cfg; xl create -q /run/xls.cfg")
    assert "disk.img" in ask(launched, "losetup -a")
    ask(launched, "hlctl destroy xls; rm /srv/disk.img")
    assert state(launched) == before


def test_busctl_does_the_same(launched):
    define(launched, "plain")
    ask(launched, "lcmtool show --format dtb /run/plain.dts >/run/plain.dtb")
    bytes_ = " ".join(ask(launched, "od -An -v -tu1 /run/plain.dtb").split())
    count = len(bytes_.split())
    said = ask(launched, f"exec 7</usr/lib/hyperlaunch/vmlinuz 8</usr/lib/hyperlaunch/guest.cpio.gz; "
               f"busctl --system call {MANAGER} CreateDomain 'aya{{sv}}' {count} {bytes_} 2 Kernel h 7 Ramdisk h 8")
    assert "domain/d" in said
    ask(launched, "hlctl destroy plain")



def test_guest_that_reboots_is_made_again(launched):
    """Of what was kept, and not of the files; and when it powers off, it is gone."""
    before = state(launched)
    define(launched, "again", more='mode = <4>; restart = "on-failure"; restart-limit = <1>;')
    ask(launched, "cp /usr/lib/hyperlaunch/vmlinuz /run/kernel; hlctl create --kernel /run/kernel /run/again.dts; rm /run/kernel")
    first = row_of(launched, "again")
    launched.wait_shell_says(f"grep -q READY {log_of('again')}")
    ask(launched, "xl sysrq again b")
    launched.wait_shell_says(f"[ $(xl domid again || echo {first['domid']}) != {first['domid']} ]")
    launched.wait_shell_says(f"[ $(grep -c READY {log_of('again')}) = 2 ]")
    second = row_of(launched, "again")
    assert second["uuid"] == first["uuid"]
    # Once more is more than the limit.
    ask(launched, "xl sysrq again b")
    launched.wait_shell_says("journalctl -b -u hyperlaunchd --no-pager | grep -q 'is preserved: it was restarted 1 times'")
    assert re.search(r" ---s", ask(launched, "xl list again"))
    ask(launched, "hlctl destroy again")
    # Linux as a PVH guest has nothing to power off by.
    define(launched, "off", more="mode = <5>;")
    ask(launched, "hlctl create /run/off.dts")
    launched.wait_shell_says(f"grep -q READY {log_of('off')}")
    ask(launched, "xl sysrq off o")
    launched.wait_shell_says("! xl domid off")
    launched.wait_shell_says("! ls /run/hyperlaunch/vm | grep -q -")
    assert state(launched) == before


def test_json_with_a_disk(launched):
    before = state(launched)
    given = {"c_info": {"type": "pvh", "name": "disk"},
             "b_info": {"max_vcpus": 1, "avail_vcpus": [0], "max_memkb": 96 << 10, "target_memkb": 96 << 10, "cmdline": "console=hvc0 quiet",
                        "kernel": "/usr/lib/hyperlaunch/vmlinuz", "ramdisk": "/usr/lib/hyperlaunch/guest.cpio.gz"},
             "disks": [{"pdev_path": "/srv/disk.img", "vdev": "xvda", "backend": "phy", "format": "raw", "readwrite": 1}]}

    def write(name, config):
        text = base64.b64encode(json.dumps(config).encode()).decode()
        ask(launched, f"echo {text} | base64 -d >/run/{name}.json")
    write("disk", given)
    ask(launched, "modprobe -a loop xen-blkback; truncate -s 8M /srv/disk.img; hlctl create /run/disk.json")
    launched.wait_shell_says(f"grep -q READY {log_of('disk')}")
    assert "disk.img" in ask(launched, "losetup -a") and ask(launched, "xl block-list disk | wc -l") == "2\n"
    ask(launched, "hlctl destroy disk")
    assert state(launched) == before
    for change, why in (({"b_info": given["b_info"] | {"max_memkb": "lots"}}, "b_info.max_memkb"),
                        ({"b_info": given["b_info"] | {"typo": 1}}, "b_info.typo"),
                        ({"disks": [given["disks"][0] | {"pdev_path": "/nowhere"}]}, "nowhere|disk")):
        write("wrong", given | change)
        refused(launched, "hlctl create /run/wrong.json", why)
    ask(launched, "rm /srv/disk.img")


def memory_of(boot, name):
    """In MiB: what the domain has, its limit, and what it is asked for."""
    kib = int(ask(boot, f"xenstore-read /local/domain/$(xl domid {name})/memory/target"))
    return [int(ask(boot, f"hlctl show -P Memory{what} {name}")) >> 20 for what in ("Current", "Max")] + [kib >> 10]


def resize(boot, name, less, most):
    """Down and up again, by a guest that follows; and no further than it may."""
    ask(boot, f"hlctl set-memory {name} {less}M")
    boot.wait_shell_says(f"[ $(hlctl show -P MemoryCurrent {name}) -le {(less + 2) << 20} ]")
    current, limit, target = memory_of(boot, name)
    assert target == less and less <= limit <= less + 2 and current <= limit
    ask(boot, f"hlctl set-memory {name} {most}M")
    boot.wait_shell_says(f"[ $(hlctl show -P MemoryCurrent {name}) -ge {(most - 2) << 20} ]")
    assert memory_of(boot, name)[2] == most
    refused(boot, f"hlctl set-memory {name} {most + 1}M", f"{most << 10} KiB at most")


def test_memory_and_vcpus_change(launched):
    define(launched, "size", "128M")
    ask(launched, "hlctl create /run/size.dts")
    launched.wait_shell_says(f"grep -q READY {log_of('size')}")
    resize(launched, "size", 104, 128)
    ask(launched, "hlctl set-vcpus size 1")
    launched.wait_shell_says("[ $(hlctl show -P VcpusOnline size) = 1 ]")
    assert json.loads(ask(launched, "xl list -l size"))[0]["config"]["b_info"]["avail_vcpus"] == [0]
    # Linux leaves it to its udev to take one back, which this guest lacks.
    ask(launched, "hlctl set-vcpus size 2")
    assert ask(launched, "xenstore-read /local/domain/$(xl domid size)/cpu/1/availability") == "online\n"
    refused(launched, "hlctl set-vcpus size 3", "from 1 to 2")
    ask(launched, "hlctl destroy size")
    refused(launched, "hlctl set-memory size 100M", "size")


def test_memory_of_initial_domains_changes(launched):
    most = memory_of(launched, "web")[2]
    resize(launched, "web", most - 24, most)
    # By a UUID vmd finds domains, and Xen gives its dom0 none.
    refused(launched, "hlctl set-memory dom0 400M", "no UUID of it")


def test_defined_domains_are_started_with_the_host_and_shut_down_with_it(launched):
    """By the unit, which is stopped and started as the host would; hyperlaunchd's own sandbox lets it compile and write."""
    before = state(launched)
    for name, more in (("base", ""), ("front", "--after base"), ("idle", "")):
        define(launched, name, more="mode = <5>;")
        ask(launched, f"hlctl define /run/{name}.dts {more} {'' if name == 'idle' else '--enabled'}")
    ask(launched, "systemctl restart hyperlaunch-domains")
    for name in ("base", "front"):
        launched.wait_shell_says(f"grep -q READY {log_of(name)}")
    rows = {row["name"]: row for row in launched.json("list")["domains"]}
    assert rows["base"]["domid"] < rows["front"]["domid"] and "idle" not in rows
    # hyperlaunchd's restart is not the host's end.
    ask(launched, "systemctl restart hyperlaunchd; systemctl is-active hyperlaunch-domains")
    ask(launched, "systemctl stop hyperlaunch-domains")
    launched.wait_shell_says("! xl domid base && ! xl domid front")
    said = ask(launched, "journalctl -b -u hyperlaunchd --no-pager -o cat")
    assert said.rindex("(front): done") < said.rindex("(base): done")
    assert "destroy domain" not in said[said.rindex("shut down domain"):].split("\n")[0]
    ask(launched, "for n in base front idle; do hlctl undefine -q $n; done; systemctl start hyperlaunch-domains")
    assert state(launched) == before


DISK = {"pdev_path": "/srv/disk.img", "vdev": "xvdb", "backend": "phy", "format": "raw", "readwrite": 1}


def attach(name, kind="disk", **change):
    """A command; without the members that are None."""
    device = (DISK if kind == "disk" else {}) | change
    return f"hlctl attach {name} {kind} '{json.dumps({key: value for key, value in device.items() if value is not None})}'"


@pytest.fixture(scope="module")
def guest(launched):
    """One that runs, for devices; and a file to be its disk."""
    define(launched, "dev", more='mode = <4>; restart = "on-failure";')
    ask(launched, "modprobe -a loop xen-blkback; truncate -s 8M /srv/disk.img; hlctl create /run/dev.dts")
    launched.wait_shell_says(f"grep -q READY {log_of('dev')}")
    yield launched
    ask(launched, "hlctl destroy dev; rm /srv/disk.img")


def test_disk_is_attached_and_detached(guest):
    before = state(guest)
    ask(guest, attach("dev"))
    assert "disk.img" in ask(guest, "losetup -a") and ask(guest, "xl block-list dev | wc -l") == "2\n"
    # libxl has it in the domain's configuration.
    assert json.loads(ask(guest, "xl list -l dev"))[0]["config"]["disks"][0]["vdev"] == "xvdb"
    now = state(guest)
    said = ask(guest, f"{attach('dev')} 2>&1 && echo DONE; true")
    assert "has a disk xvdb" in said and "DONE" not in said and state(guest) == now
    # The guest has no driver for disks, so it need not let go of it.
    ask(guest, "hlctl detach dev disk xvdb")
    assert state(guest) == before
    refused(guest, "hlctl detach dev disk xvdb", "no disk xvdb")
    # Another toolstack's.
    ask(guest, "xl block-attach dev /srv/disk.img,raw,xvdc,w,backendtype=phy && hlctl detach dev disk xvdc --force")
    assert state(guest) == before


@pytest.mark.parametrize("change, why", [
    ({"pdev_path": "/nowhere"}, "/nowhere"), ({"pdev_path": None}, "disk.pdev_path"), ({"vdev": None}, "disk.vdev"), ({"vdev": "51728"}, "disk.vdev"),
    ({"typo": 1}, "disk.typo"), ({"readwrite": "w"}, "disk.readwrite"), ({"format": "other"}, "disk.format"), ({"script": "/nowhere"}, "nowhere|script")])
def test_disk_that_cannot_be_attached(guest, change, why):
    refused(guest, attach("dev", **change), why)


@pytest.mark.long
def test_disk_that_another_vm_has(guest):
    """A device, as Debian's script does not find a file in what Debian's losetup prints."""
    before = state(guest)
    ask(guest, f"losetup /dev/loop7 /srv/disk.img; {attach('web', pdev_path='/dev/loop7')}")
    now = state(guest)
    said = ask(guest, f"{attach('dev', pdev_path='/dev/loop7')} 2>&1 && echo DONE; true")
    assert "DONE" not in said and "Device /dev/loop7 is mounted in a guest domain" in said, said
    assert state(guest) == now
    ask(guest, "hlctl detach web disk xvdb --force; losetup -d /dev/loop7")
    assert state(guest) == before


@pytest.mark.long
@pytest.mark.parametrize("what", ["hyperlaunch-vmd", "hyperlaunchd", "cancel"])
def test_attach_that_is_ended_in_the_middle(guest, what):
    """While the hotplug script runs, which takes its time."""
    script = base64.b64encode(b'#!/bin/sh\nsleep 4\nexec /etc/xen/scripts/block "$@"\n').decode()
    ask(guest, f"echo {script} | base64 -d >/run/slow; chmod +x /run/slow")
    before = state(guest)
    end = "hlctl cancel $(hlctl jobs --json | sed -n 's/.*\"job\": *\\([0-9]*\\).*/\\1/p')" if what == "cancel" else f"pkill -9 -x {what[:15]}"
    said = ask(guest, f"{attach('dev', script='/run/slow')} >/run/said 2>&1 & "
               f"for i in $(seq 600); do ls /run/hyperlaunch/vm | grep -q attach && break; sleep 0.1; done; sleep 1; {end}; wait; cat /run/said")
    assert "has the disk" not in said, said
    guest.wait_shell_says("hlctl jobs --json | tr -d ' \\n' | grep -q '\"jobs\":\\[\\]'")
    guest.wait_shell_says("! pgrep hyperlaunch-vmd")
    assert state(guest) == before
    assert ask(guest, "ls /run/hyperlaunch/vm | grep attach || true") == ""
    ask(guest, f"{attach('dev')} && hlctl detach dev disk xvdb --force")


def test_restart_keeps_what_was_attached(guest):
    ask(guest, attach("dev"))
    first = ask(guest, "xl domid dev")
    ask(guest, "xl sysrq dev b")
    guest.wait_shell_says(f"[ $(xl domid dev || echo {first.strip()}) != {first.strip()} ]")
    guest.wait_shell_says(f"[ $(grep -c READY {log_of('dev')}) = 2 ]")
    assert ask(guest, "xl block-list dev | wc -l") == "2\n" and "disk.img" in ask(guest, "losetup -a")
    ask(guest, "hlctl detach dev disk xvdb --force")
    assert "disk.img" not in ask(guest, "losetup -a")


def test_guest_that_does_not_power_off_is_destroyed(launched):
    """A kernel that does not know xenstore."""
    churn.prepare(launched)
    before = state(launched)
    ask(launched, "hlctl create /run/churn.json")
    assert "gone" in ask(launched, "hlctl shutdown --timeout 3 --or-destroy churn")
    assert state(launched) == before


def test_initial_domain_is_destroyed_and_others_are_not(launched):
    refused(launched, "hlctl destroy dom0", "hardware domain")
    ask(launched, "hlctl destroy web")
    rows = {row["name"]: row for row in launched.json("list")["domains"]}
    assert rows["web"]["state"] == "reclaimed"
    assert "web" not in ask(launched, "xl list")
    assert ask(launched, "xenstore-ls -f / | grep -c /local/domain/1/ || true") == "0\n"
