# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that lcmtool links, and what it made of them."""
import pytest


@pytest.fixture(name="images")
def make_images(tmp_path):
    from lcmtool import write_images
    return write_images(tmp_path / "images")


@pytest.fixture(name="linked")
def make_linked(tmp_path, images):
    """examples/classic-basic-cloud, linked, with a Xen that is there."""
    from lcmtool import EXAMPLES, run
    out = tmp_path / "out"
    (tmp_path / "xen.gz").write_bytes(b"\x1f\x8b\x08 is Xen")
    done = run("link", EXAMPLES / "classic-basic-cloud/launch.dts", "--output", out, "--modules", images,
               "--xen", tmp_path / "xen.gz", "--xen-args", "console=com1 loglvl=all")
    assert done.returncode == 0, done.stderr
    return out
