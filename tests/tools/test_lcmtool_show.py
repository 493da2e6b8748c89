# SPDX-License-Identifier: LGPL-2.1-or-later
"""lcmtool show: nothing of an LCM is left out."""
import json

import pytest

from lcmtool import FIXTURES, run

CLASSIC = """/dts-v1/;
/ {{
	chosen {{
		#address-cells = <2>; #size-cells = <2>;
		xen,dom0-bootargs = "console=hvc0";
		{modules}
		web {{
			compatible = "xen,domain"; #address-cells = <2>; #size-cells = <2>;
			memory = <0 131072>; cpus = <1>;
			module@50000000 {{
				compatible = "multiboot,kernel", "multiboot,module";
				reg = <0 0x50000000 0 0x1000000>;
			}};
		}};
	}};
}};
"""


def module(address, *compatible):
    names = ", ".join(f'"{name}"' for name in compatible)
    return f"module@{address:x} {{ compatible = {names}; reg = <0 {address:#x} 0 0x1000>; }};"


def rows(text, heading):
    """The words of each line of one table."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:len(heading)] == heading)
    end = lines.index("", start) if "" in lines[start:] else len(lines)
    return [line.split() for line in lines[start + 1:end]]


def test_show_modes_as_xen_says_them():
    shown = rows(run("show", FIXTURES / "ok-dynamic-full.dtb").stdout, ["NAME"])
    assert {row[0]: row[4] for row in shown} == {
        "boot": "PVH", "store": "PVH", "control": "PVH", "hw": "PV", "crash": "PVH", "console": "PVH", "web": "PVH",
        "db": "PVH"}


@pytest.mark.parametrize("mode,word", [(0, "PVH 32-bit"), (1, "PV 32-bit"), (2, "HVM 32-bit"), (4, "PVH"), (5, "PV"), (6, "HVM")])
def test_show_each_mode(mode, word):
    source = run("show", FIXTURES / "ok-classic-basic-cloud.dtb", "--format", "dts").stdout
    done = run("show", "-", input=source.replace("mode = <0x4>", f"mode = <{mode}>", 1))
    web = next(line for line in done.stdout.splitlines() if line.startswith("web "))
    assert f" {word} " in web and web.split()[-1] == "-"


def test_show_order_hold_uuid_label():
    shown = rows(run("show", FIXTURES / "ok-dynamic-full.dtb").stdout, ["OF", "PROPERTY"])
    assert ["web", "start-after", "store"] in shown and ["web", "start-after", "console"] in shown
    assert ["web", "domain-uuid", "8d5a104e-6c2b-4f0a-9b1e-000000000006"] in shown
    assert ["db", "hold", "until", "a", "control", "domain", "releases", "it"] in shown
    lcm = json.loads(run("show", FIXTURES / "ok-dynamic-full.dtb", "--format", "json").stdout)
    labels = {d["name"]: d["security_id"] for d in lcm["domains"] if d["security_id"]}
    assert labels and all([name, "security-id", label] in shown for name, label in labels.items())
    assert "PROPERTY" not in run("show", FIXTURES / "ok-shared.dtb").stdout


def test_show_devices():
    text = run("show", FIXTURES / "ok-pci.dtb").stdout
    lines = text.splitlines()
    assert lines[-5:-2] == [
        "guest                0000:01:10.1, slot 5, permissive",
        "guest                class 0x020000, vendor 0x8086, device 0x10c9, at most 2, optional",
        "guest                VF 3 of 00a2:01:1f.7"]
    assert ["guest", "hold", "until", "its", "devices", "are", "assigned"] in rows(text, ["OF", "PROPERTY"])


def test_show_digests(linked):
    listed = [line.split("\t") for line in (linked / "modules").read_text().splitlines()]
    shown = rows(run("show", linked / "launch.dtb").stdout, ["OF", "MODULE"])
    assert len(shown) == 8
    for row in shown:
        assert row[4] == listed[int(row[2]) - 1][2]


@pytest.mark.parametrize("modules,types", [
    ((module(0x40000000, "multiboot,kernel", "multiboot,module"),), ["kernel"]),
    ((module(0x40000000, "xen,linux-zimage", "xen,multiboot-module"),
      module(0x42000000, "xen,linux-initrd", "xen,multiboot-module")), ["kernel", "ramdisk"]),
    ((module(0x42000000, "multiboot,ramdisk", "multiboot,module"),
      module(0x40000000, "multiboot,kernel", "multiboot,module")), ["ramdisk", "kernel"]),
    ((module(0x40000000, "multiboot,module"), module(0x42000000, "multiboot,module"),
      module(0x44000000, "xen,xsm-policy", "multiboot,module")), ["kernel", "ramdisk"]),
])
def test_show_classic_dom0_beside_dom0less_domains(modules, types):
    source = CLASSIC.format(modules="\n".join(modules))
    done = run("show", "-", input=source)
    assert done.returncode == 0, done.stderr
    shown = [line.split() for line in done.stdout.splitlines() if line.startswith("(classic dom0)")]
    assert [row[2] for row in shown] == types
    assert "Xen builds a classic dom0, with all permissions" in done.stdout
    lcm = json.loads(run("show", "-", "--format", "json", input=source).stdout)
    assert [m["type"] for m in lcm["classic_dom0"]] == types
    (kernel,) = [m for m in lcm["classic_dom0"] if m["type"] == "kernel"]
    assert (kernel["addr"], kernel["size"], kernel["bootargs"]) == (0x40000000, 0x1000, "console=hvc0")
    assert kernel["node"] == "/chosen/module@40000000"


@pytest.mark.parametrize("modules", [
    "", module(0x42000000, "multiboot,ramdisk", "multiboot,module"), module(0x44000000, "xen,xsm-policy", "multiboot,module"),
])
def test_show_no_classic_dom0(modules):
    source = CLASSIC.format(modules=modules)
    done = run("show", "-", input=source)
    assert done.returncode == 0 and "classic" not in done.stdout
    assert json.loads(run("show", "-", "--format", "json", input=source).stdout)["classic_dom0"] is None


def test_show_vcpus_disks_nics_restart():
    text = run("show", FIXTURES / "ok-devices.dtb").stdout
    assert ["web", "xvda", "raw", "dom0", "/dev/vg/web"] in rows(text, ["OF", "DISK"])
    assert ["web", "sdab12", "qcow2", "dom0", "/srv/data.qcow2,", "read-only"] in rows(text, ["OF", "DISK"])
    assert ["web", "00:16:3e:0a:00:01", "dom0", "br0"] in rows(text, ["OF", "NIC"])
    assert ["web", "any", "net", "-"] in rows(text, ["OF", "NIC"])
    assert ["web", "hold", "until", "its", "devices", "are", "assigned"] in rows(text, ["OF", "PROPERTY"])
    text = run("show", FIXTURES / "ok-vcpu.dtb").stdout
    assert ["pv", "3", "0-3,8,10-15"] in rows(text, ["OF", "VCPU"])
    assert ["any", "0", "any"] in rows(text, ["OF", "VCPU"])
    text = run("show", FIXTURES / "ok-restart.dtb").stdout
    assert ["b", "restart", "on-failure,", "at", "most", "3", "times", "in", "ten", "minutes"] in \
        rows(text, ["OF", "PROPERTY"])
    assert "path 0000:00:1c.0/00.0/1F.7, no reset" in run("show", FIXTURES / "ok-pci.dtb").stdout


def test_show_json_vcpus_disks_nics_restart():
    def domains(name):
        text = run("show", FIXTURES / f"{name}.dtb", "--format", "json").stdout
        return {domain["name"]: domain for domain in json.loads(text)["domains"]}

    web = domains("ok-devices")["web"]
    assert web["disks"][1] == {"vdev": "sdab12", "path": "/srv/data.qcow2", "format": "qcow2", "read_only": True,
                               "backend": "dom0", "node": "/chosen/hypervisor/web/disk@1"}
    assert web["nics"][0] == {"mac": "00:16:3e:0a:00:01", "bridge": "br0", "backend": "dom0",
                              "node": "/chosen/hypervisor/web/nic@0"}
    assert web["nics"][1]["mac"] is None and web["nics"][1]["backend"] == "net"
    assert domains("ok-vcpu")["pv"]["vcpus"][0] == {"id": 3, "hard_affinity": "0-3,8,10-15",
                                                    "node": "/chosen/hypervisor/pv/vcpu@3"}
    assert [(d["restart"], d["restart_limit"]) for d in domains("ok-restart").values()] == [
        ("never", 5), ("never", 5), ("on-failure", 3), ("always", 5)]
    pci = domains("ok-pci")["guest"]["pci"]
    assert pci[3]["path"] == "0000:00:1c.0/00.0/1F.7" and pci[3]["reset"] == "none"
    assert pci[0]["reset"] == "auto" and "path" not in pci[0]
    assert domains("ok-firmware")["win"]["modules"][1]["type"] == "firmware"
