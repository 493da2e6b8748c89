# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each commit of the series compiles: in ./test those that a change touches, in ./test long all."""
import os
import pathlib
import re
import subprocess

import pytest

import series

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A commit takes up to a minute and a half; what a change usually touches is one or two.
LIMIT = 5
FILES = series.now(ROOT)
ITEMS = series.items(FILES)
LANDED = series.landed_commit(ROOT)
TOUCHED = series.touched(FILES, series.at(ROOT, LANDED)) if LANDED else []
CHOSEN = ITEMS if os.environ.get("HL_TEST_LONG") else series.spread(TOUCHED, LIMIT)


def built_config(*arguments):
    """The configuration of a Xen that dev/build-xen builds."""
    done = subprocess.run([ROOT / "dev/build-xen", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (pathlib.Path(done.stdout.strip()) / "config").read_text()


def has_hyperlaunch(config):
    return re.search("^CONFIG_HYPERLAUNCH=y$", config, re.MULTILINE) is not None


@pytest.mark.parametrize("item", [item.removeprefix("hypervisor/patches/") for item in CHOSEN])
def test_commit_compiles(item):
    """CONFIG_HYPERLAUNCH is on where it exists, which is in the last one."""
    assert has_hyperlaunch(built_config("--commit", item)) == ITEMS[-1].endswith(item)


@pytest.mark.parametrize("arguments, on", [([], True), (["--classic"], False)], ids=["on", "off"])
def test_end_of_series_compiles_with_hyperlaunch(arguments, on):
    assert has_hyperlaunch(built_config(*arguments)) == on


@pytest.mark.skipif(len(TOUCHED) <= len(CHOSEN), reason="all are compiled")
def test_others_that_changed_compile():
    pytest.skip(f"{len(TOUCHED) - len(CHOSEN)} more commits have changed: ./test long compiles them")
