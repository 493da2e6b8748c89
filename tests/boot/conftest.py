# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import booting  # noqa: E402


def pytest_collection_modifyitems(config, items):
    """./test's PATTERN: a part of the name."""
    pattern = os.environ.get("HL_TEST_PATTERN", "")
    chosen = [item for item in items if pattern in item.nodeid]
    config.hook.pytest_deselected(items=[item for item in items if pattern not in item.nodeid])
    items[:] = chosen


def pytest_report_header(config):
    return f"serial logs: {os.path.join(os.environ['HL_CACHE'], 'boots')}"


@pytest.fixture(scope="session")
def images():
    """The directory with kernels and ramdisks."""
    return booting.built_images()


@pytest.fixture(scope="session")
def probe_ramdisk(images, tmp_path_factory):
    """The guests' ramdisk with a program that asks Xen what a guest must not ask."""
    folder = tmp_path_factory.mktemp("probe")
    here = os.path.join(os.path.dirname(__file__), "guest")
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s",
                    f"-I{booting.ROOT}/hypervisor/files/xen/include/public",
                    "-o", folder / "ask", f"{here}/ask.c"], check=True)
    return booting.ramdisk_with(f"{images}/guest.cpio.gz", {"etc/hl.d/ask": (folder / "ask").read_bytes()},
                                folder / "probe.cpio.gz")
