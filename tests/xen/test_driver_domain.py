# SPDX-License-Identifier: LGPL-2.1-or-later
"""A PV hardware domain whose store is another domain's: it runs once it is introduced, and its back ends serve a guest."""
import base64
import lzma
import pathlib
import re
import subprocess

import pytest

import harness
import lcm

PV = lcm.PV | lcm.LONG
FRONT_ENDS = ("xen-blkfront", "xen-netfront")
HARDWARE_ADDRESS, GUEST_ADDRESS = "10.9.0.1", "10.9.0.2"
ON_DISK, BY_THE_GUEST = "from the hardware domain", "written by the guest"
# In the control domain: a guest with a disk and a network interface that the hardware domain serves.
CREATE = r"""
cat >/run/front.cfg <<'END'
name = "front"
type = "pvh"
kernel = "/usr/lib/hyperlaunch/vmlinuz"
ramdisk = "/root/front.cpio.gz"
cmdline = "console=hvc0 quiet"
memory = 128
disk = ["format=raw,vdev=xvda,access=rw,backend=hw,target=/dev/loop0"]
vif = ["mac=00:16:3e:00:00:01,backend=hw,script=vif-alone"]
END
cat >/run/front.json <<'END'
{"c_info": {"type": "pvh", "name": "front"},
 "b_info": {"max_vcpus": 1, "max_memkb": 131072, "target_memkb": 131072, "cmdline": "console=hvc0 quiet",
            "kernel": "/usr/lib/hyperlaunch/vmlinuz", "ramdisk": "/root/front.cpio.gz"},
 "disks": [{"backend_domname": "hw", "pdev_path": "/dev/loop0", "vdev": "xvda", "backend": "phy", "format": "raw", "readwrite": 1}],
 "nics": [{"backend_domname": "hw", "mac": "00:16:3e:00:00:01", "script": "vif-alone"}]}
END
# wait_for COMMAND...
wait_for() {
	for i in $(seq 600); do
		"$@" >/dev/null 2>&1 && return
		sleep 1
	done
	return 1
}
reached() {
	hlctl console --log front | grep -q 'packets received'
}
served() {
	[ "$(xenstore-read "/local/domain/$(xl domid hw)/data/devd")" = ready ]
}
wait_for served
xl create -q /run/front.cfg
echo "created $?"
wait_for reached
xl destroy front
echo "left by xl: $(xenstore-ls -f / | grep -c "/backend/v")"
hlctl create /run/front.json
echo "created by hlctl $?"
wait_for reached
echo "reached $?"
hlctl destroy front
echo "destroyed $?"
xenstore-ls -f / | grep /backend/v
"""
# In the hardware domain.
SERVE = rf"""
set -e
modprobe -a xen-blkback xen-netback loop
truncate -s 1M /run/disk
printf '%s' '{ON_DISK}' | dd of=/run/disk conv=notrunc status=none
losetup /dev/loop0 /run/disk
cat >/etc/xen/scripts/vif-alone <<'END'
#!/bin/bash
. "$(dirname "$0")/vif-common.sh"
if [ "$command" = online ]; then
	ip addr add {HARDWARE_ADDRESS}/24 dev "$dev"
	ip link set dev "$dev" up
	success
fi
END
chmod +x /etc/xen/scripts/vif-alone
mkdir -p /run/lock /var/lib/xen
xl devd
xenstore-write data/devd ready
"""
# In the guest: one line of output, of which Xen makes several where it is long.
USE = f"""#!/bin/sh
i=0
until [ -b /dev/xvda ] && [ -e /sys/class/net/eth0 ]; do
	i=$((i + 1))
	[ $i -lt 600 ] || break
	sleep 0.1
done
echo "disk: $(head -c {len(ON_DISK)} /dev/xvda)"
printf '%s' '{BY_THE_GUEST}' | dd of=/dev/xvda bs=512 seek=1 conv=fsync 2>/dev/null
ifconfig eth0 {GUEST_ADDRESS} netmask 255.255.255.0 up
echo "ping: $(ping -q -c 2 -w 60 {HARDWARE_ADDRESS} | grep -o '[0-9]* packets received')"
"""


def front_end_files():
    """{path in a ramdisk: bytes} of the drivers that a guest needs for its disk and its network interface."""
    kernel = subprocess.run([f"{harness.ROOT}/dev/fetch-kernel", "amd64"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    (release,) = pathlib.Path(kernel, "lib", "modules").iterdir()
    found = subprocess.run([f"{harness.ROOT}/dev/images/modules", kernel, *FRONT_ENDS], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.split()
    files = {}
    for path in found:
        content = (release / path).read_bytes()
        name = pathlib.Path(path).name
        if name.endswith(".xz"):
            content, name = lzma.decompress(content), name[:-3]
        files[f"modules/{release.name}/{name}"] = content
    order = "".join(f"{pathlib.Path(path).name.removesuffix('.xz')}\n" for path in found)
    return {**files, f"modules/{release.name}/order-front": order.encode()}


@pytest.fixture(scope="module")
def served(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("driver")
    front = harness.ramdisk_with(f"{images}/guest.cpio.gz", {**front_end_files(), "etc/hl.d/use": USE.encode()}, folder / "front.cpio.gz")
    harness.ramdisk_with(f"{images}/control-ram.cpio.gz", {"overlay/root/front.cpio.gz": front.read_bytes()},
                         folder / "control-front.cpio.gz")
    run = base64.b64encode(CREATE.encode()).decode()
    # libxl finds out its own domain's id by its ring to the store, so control is not what serves it.
    source = lcm.source(
        lcm.domain("store", ramdisk="store.cpio.gz", bootargs="quiet", more=f"functions = <{lcm.XENSTORE:#x}>;"),
        lcm.domain("control", '"640M"', ramdisk="control-front.cpio.gz", bootargs=f"quiet hl.run={run}",
                   more=f"permissions = <{lcm.CONTROL}>; functions = <{lcm.CONSOLE | lcm.CRASH:#x}>;"),
        lcm.domain("hw", '"512M"', mode=PV, ramdisk="control.cpio.gz", bootargs="quiet", more=f"permissions = <{lcm.HARDWARE}>;"))
    with harness.booted("driver-domain", source=source, folder=folder, search=[folder], ram=2 << 30) as boot:
        boot.wait_shell(2 * harness.PATIENCE)
        print(boot.shell(SERVE, harness.PATIENCE))
        control, hardware = (next(d["domid"] for d in boot.log.domains() if d["name"] == name) for name in ("control", "hw"))
        boot.wait_log(lambda log: log.answer(control, 1), "the control domain's answer", 2 * harness.PATIENCE)
        boot.told, boot.created = harness.report.from_answer(*boot.log.answer(control, 0)), boot.log.answer(control, 1)
        print(boot.created[1], boot.shell(f"xenstore-ls /local/domain/{hardware}/backend"))
        boot.wait_log(lambda log: re.search(r"HL-PART .*packets received", log.text), "the guest", 2 * harness.PATIENCE)
        boot.part = re.search(r"HL-PART (.*packets received.*)", boot.log.text)[1]
        yield boot


def test_xl_creates_a_guest_with_back_ends_in_the_hardware_domain(served):
    said = served.created[1]
    before, created, _ = said.partition("created 0\n")
    assert created, said
    # That domain 0 owns the new guest's nodes is refused, and what xl says of it cannot be helped.
    assert [line for line in before.splitlines() if "xenstore set permissions failed on" not in line] == []


def test_hlctl_does_the_same_and_leaves_nothing(served):
    """The same guest once more: its disk and its network interface are served, and gone with it."""
    said = served.created[1].partition("left by xl")[2]
    created = re.search(r"^Domain (\d+) \(front\) is (?:running|blocked)\.\ncreated by hlctl 0\nreached 0\n", said, re.MULTILINE)
    assert created, said
    # Of the one that xl destroyed there is something left.
    left = said.partition("destroyed 0\n")[2]
    assert not re.search(rf"/v(bd|if)/{created[1]}[/ ]", left), left
    parts = re.findall(r"HL-PART (.*packets received.*)", served.log.text)
    assert len(parts) == 2 and f"disk: {ON_DISK} " in parts[1] and re.search(r"ping: [12] packets received", parts[1])


def test_the_guest_reads_and_writes_its_disk(served):
    assert f"disk: {ON_DISK} " in served.part
    assert served.shell(f"dd if=/run/disk bs=512 skip=1 count=1 status=none | head -c {len(BY_THE_GUEST)}") == BY_THE_GUEST


def test_the_guest_reaches_the_hardware_domain(served):
    assert re.search(r"ping: [12] packets received", served.part)


def test_the_hardware_domain_is_introduced(served):
    assert served.told["launch"]["state"] == "complete"
    (hardware,) = (d for d in served.told["domains"] if d["name"] == "hw")
    # The report may come before its Linux has connected.
    assert hardware["xenstore_state"] in ("introduced", "connected")


def test_the_hardware_domain_starts_once_it_is_introduced(served):
    """What Xen says first of its kernel comes after what the store's domain says of xenstored."""
    assert 0 < served.log.text.find("xenstored serves") < served.log.text.find("PCI add device")
