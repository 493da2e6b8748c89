# SPDX-License-Identifier: LGPL-2.1-or-later
"""dev/env/lib.sh: a cache entry is whole, or it is not there."""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def build(cache, commands):
    """The finished process of a script that asks for an entry, which these commands make in the directory $1."""
    script = f'. {ROOT}/dev/env/lib.sh; make() {{ {commands}; }}; entry=$(cache_entry thing 0123456789abcdef "a thing" make); echo "$entry"'
    return subprocess.run(["bash", "-c", script], env=dict(os.environ, HL_CACHE=str(cache)), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)


def test_entry_is_kept(tmp_path):
    done = build(tmp_path, 'echo whole >"$1/file"')
    assert done.returncode == 0, done.stderr
    assert pathlib.Path(done.stdout.strip(), "file").read_text() == "whole\n"


@pytest.mark.parametrize("commands", ['false; echo rest >"$1/file"', 'kill -9 $BASHPID; echo rest >"$1/file"',
                                      'false | cat; echo rest >"$1/file"', 'echo rest >"$1/file"; exit 3'])
def test_entry_that_failed_half_way_is_not_kept(tmp_path, commands):
    done = build(tmp_path, commands)
    assert done.returncode != 0 and done.stdout == ""
    assert "failed: a thing" in done.stderr
    assert not (tmp_path / "thing-0123456789abcdef").exists()
