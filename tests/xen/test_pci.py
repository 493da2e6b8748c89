# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domains with pci nodes: they have an IOMMU context from the start, as none can be added later."""
import re

import pytest

import elf
import lcm
import short_boot

PV_KERNEL = 1
PV_LONG = lcm.PV | lcm.LONG
PCI = 'pci {{ compatible = "xen,pci-passthrough"; bdf = "0000:05:00.0"; {more} }};'


def launch(more=""):
    """A PV hardware domain, a guest with a device, and one without."""
    guest = {"memory": '"64M"', "kernel": PV_KERNEL, "ramdisk": None, "mode": PV_LONG}
    return lcm.source(short_boot.hardware(mode=PV_LONG, kernel=PV_KERNEL),
                      lcm.domain("guest", more=PCI.format(more=more), **guest),
                      lcm.domain("plain", **guest))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    path = tmp_path_factory.mktemp("pci") / "pv"
    path.write_bytes(elf.kernel(elf.pv_notes()))
    return [path]


def boot(name, source, tmp_path, files, words=(), **others):
    return short_boot.boot(f"pci-{name}", source, str(tmp_path), files, words=words, **others)


def contexts(log):
    """Ids of the domains of which Xen says that they have an IOMMU context."""
    return [int(domid) for domid in re.findall(r"hyperlaunch: d(\d+): has an IOMMU context", log.text)]


def test_domain_with_a_pci_node_has_an_iommu_context(tmp_path, files):
    log = boot("context", launch(), tmp_path, files)
    assert short_boot.outcome(log) == "complete"
    ids = {domain["name"]: domain["domid"] for domain in log.domains()}
    assert contexts(log) == [ids["guest"]]


def test_launch_with_a_device_needs_an_iommu(tmp_path, files):
    log = boot("none", launch(), tmp_path, files, words=["iommu=off"])
    assert short_boot.error(log) == ("unsupported", f"{short_boot.NODE}/guest/pci", None)


def test_launch_with_an_optional_device_needs_no_iommu(tmp_path, files):
    log = boot("optional", launch("optional;"), tmp_path, files, words=["iommu=off"])
    assert short_boot.outcome(log) == "complete" and not contexts(log)
