# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Xen does without an LCM, and still does: a late hardware domain, and a classic dom0 with a PV guest on the pv-shim."""
import re

import pytest

import harness
import lcm
import short_boot

pytestmark = pytest.mark.release

QUIET = "console=hvc0 quiet"
LATE = '''name="late"
type="pv"
memory=192
passthrough="enabled"
kernel="/usr/lib/hyperlaunch/vmlinuz"
ramdisk="/root/guest.cpio.gz"
extra="console=hvc0 quiet"
'''
# In the place of the agent: its serial port goes to domain 1 with the other devices.
MAKE_LATE = '''#!/bin/bash
exec >/dev/hvc0 2>&1
systemctl start xen-init-dom0 xenconsoled
xl create -q /root/late.cfg
xl debug-keys Q
mkfifo /run/keys
sleep infinity >/run/keys &
exec script -qfec 'xl console late' /dev/null </run/keys
'''
UNIT = """[Unit]
DefaultDependencies=no
[Service]
ExecStart=/root/make-late
[Install]
WantedBy=sysinit.target
"""
SEES = '''#!/bin/sh
echo "pci=$(ls /sys/bus/pci/devices | xargs | tr ' ' ,)"
grep -q '16550A port:000002F8' /proc/tty/driver/serial && echo serial=COM2
'''


def late_ramdisk(images, folder):
    """The control domain's, which needs no disk, with a guest that tells what devices it sees."""
    guest = harness.ramdisk_with(f"{images}/guest.cpio.gz", {"etc/hl.d/sees": SEES.encode()}, folder / "guest.cpio.gz")
    return harness.ramdisk_with(f"{images}/control-ram.cpio.gz", {
        "overlay/root/guest.cpio.gz": guest.read_bytes(), "overlay/root/late.cfg": LATE.encode(),
        "overlay/root/make-late": MAKE_LATE.encode(), "overlay/etc/systemd/system/hl-agent.service": UNIT.encode(),
    }, folder / "control.cpio.gz")


def owners(log):
    """Of PCI devices, as Xen's debug key has them: address, domain."""
    return dict(re.findall(r"(\d{4}:[0-9a-f:.]+) - (\S+) - node", log.text))


def test_late_hardware_domain(images, tmp_path):
    """Dom0 leaves the devices alone; domain 1 becomes the hardware domain, and gets them all."""
    chain = [(f"{images}/vmlinuz", f"{QUIET} pci=off"), (late_ramdisk(images, tmp_path), "")]
    with harness.booted("late-hardware-domain", chain, xen=harness.built_xen("xsm"), disk=False,
                        words=["hardware_dom=1", "dom0_mem=768M", "dom0_max_vcpus=1"]) as boot:
        boot.wait_log(lambda log: "READY" in log.text or log.stopped(), "domain 1")
    assert "Initialising hardware domain 1" in boot.log.text
    devices = owners(boot.log)
    # The IOMMU is Xen's own.
    assert len(devices) > 3 and set(devices.values()) == {"d1", "d[XEN]"}, devices
    assert not re.findall(r"owning", boot.log.text)
    seen = dict(re.findall(r"(\w+)=(\S+)", re.search(r"HL-PART (.*)", boot.log.text)[1]))
    assert set(seen["pci"].split(",")) == set(devices)
    assert seen["serial"] == "COM2"


def test_launch_has_no_late_hardware_domain(images, tmp_path):
    """It says itself who has the hardware: a guest does not become it by its number."""
    source = lcm.source(short_boot.hardware(), lcm.domain("guest", '"16M"', kernel=1, ramdisk=None, bootargs="idle", more="domid = <7>;"))
    log = short_boot.boot("late-launch", source, tmp_path, [f"{images}/probe"], xen=harness.built_xen("xsm"), words=["hardware_dom=7"])
    assert short_boot.outcome(log) == "complete"
    hardware, guest = log.domains()
    assert guest["domid"] == 7
    # Xen says it of each hardware domain that it makes.
    assert re.findall(r"(d\d+) has maximum \d+ PIRQs", log.text) == [f"d{hardware['domid']}"]
    assert any("hardware_dom=7 is not in use" in line for line in log.hyperlaunch_lines())


SHIM = '''name="nested"
type="pvh"
pvshim=1
pvshim_path="/root/shim"
memory=384
kernel="/usr/lib/hyperlaunch/vmlinuz"
ramdisk="/usr/lib/hyperlaunch/guest.cpio.gz"
extra="console=hvc0 quiet"
on_reboot="destroy"
on_crash="destroy"
'''


# From here on one machine stays up; no other gets a turn.
@pytest.fixture(scope="module")
def classic(images, tmp_path_factory):
    with open(harness.built_xen("shim"), "rb") as shim:
        ramdisk = harness.ramdisk_with(f"{images}/control.cpio.gz", {
            "overlay/root/shim": shim.read(), "overlay/root/shim.cfg": SHIM.encode(),
        }, tmp_path_factory.mktemp("shim") / "control.cpio.gz")
    chain = [(f"{images}/vmlinuz", "console=hvc0 quiet"), (ramdisk, "")]
    with harness.booted("classic", chain, xen=harness.built_xen(), words=["dom0_mem=512M"], kind=harness.NEWER_CPU) as boot:
        boot.wait_shell()
        yield boot


def test_classic_boot_has_no_launch(classic):
    classic.shell("systemctl start hyperlaunchd", harness.PATIENCE)
    assert classic.json("status")["state"] == "none"
    domain, = classic.json("list")["domains"]
    assert domain["domid"] == 0


def test_pv_guest_on_the_shim(classic):
    """To dom0 it is a PVH domain; its own Linux is a PV guest of the Xen that runs in there."""
    classic.shell("systemctl start xen-init-dom0 xenconsoled", harness.PATIENCE)
    classic.shell("xl create -q /root/shim.cfg", harness.PATIENCE)
    said = classic.console_until_gone("nested", "READY")
    assert "HL-GUEST cpus=1 " in said and "READY" in said, said
    assert "type=PV" in classic.xl_console("nested", "type=PV", "echo type=$(cat /sys/hypervisor/guest_type)")
    # The shim has the same console.
    assert "(XEN) *** Building a PV Dom" in said
    assert re.search(r"^pvh$", classic.shell("xenstore-read /libxl/$(xl domid nested)/type"), re.MULTILINE)
