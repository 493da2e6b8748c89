# SPDX-License-Identifier: LGPL-2.1-or-later
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import harness  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: runs in ./test long only")
    config.addinivalue_line("markers", "release: boots Xen as released, whichever is asked for: not in the debug build's run")


def is_chosen(item):
    """./test's PATTERN is a part of its name, and it runs in what was asked for."""
    is_long = item.get_closest_marker("long") is not None
    if harness.DEBUG and item.get_closest_marker("release"):
        return False
    return os.environ.get("HL_TEST_PATTERN", "") in item.nodeid and is_long == bool(os.environ.get("HL_TEST_LONG"))


def pytest_collection_modifyitems(config, items):
    chosen = [item for item in items if is_chosen(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def pytest_report_header(config):
    return f"serial logs: {os.path.join(os.environ['HL_CACHE'], 'boots')}"


@pytest.fixture(scope="session")
def images():
    """The directory with kernels and ramdisks."""
    return harness.built_images()


@pytest.fixture(scope="session")
def probe_ramdisk(images, tmp_path_factory):
    """The guests' ramdisk with a program that asks Xen what a guest must not ask."""
    folder = tmp_path_factory.mktemp("probe")
    here = os.path.join(harness.ROOT, "tests", "guests", "linux")
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s",
                    f"-I{harness.ROOT}/hypervisor/files/xen/include/public",
                    "-o", folder / "ask", f"{here}/ask.c"], check=True)
    return harness.ramdisk_with(f"{images}/guest.cpio.gz", {"etc/hl.d/ask": (folder / "ask").read_bytes()},
                                folder / "probe.cpio.gz")
