# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlctl define, undefine, enable, disable, edit, definitions, and start, of one and of all that are enabled."""
import json
import os
import re
import stat
import subprocess
import threading

import pytest

from conftest import LIFECYCLE, NAME, turn
from test_definitions import by_hand, daemon, environment, etc  # fixtures, pylint: disable=unused-import
from test_hlctl_vm import FAILED, NOT_FOUND, USAGE
from test_hlctl_vm import folder, hlctl  # fixtures, pylint: disable=unused-import
from vm_support import config
from vm_support import peers, vmd  # fixtures, pylint: disable=unused-import


@pytest.fixture
def started(vmd):
    """The names of domains, in the order in which they were asked for; those of `broken` fail."""
    names, broken, lock = [], set(), threading.Lock()

    def make(order):
        name = order.config()["c_info"]["name"]
        if name in broken:
            order.failed("Failed", "it is broken")
            return
        with lock:
            names.append(name)
        vmd.create(order)
    vmd.overrides["create"] = make
    return names, broken


def shown(hlctl):
    return {one["name"]: one for one in json.loads(hlctl("definitions", "--json"))["definitions"]}


def test_from_definition_to_domain(hlctl, started, folder):
    assert hlctl("define", folder / "vm.dts", "--after", "web", "--after", "db") == "vm is defined; 'hlctl start' makes it.\n"
    one = shown(hlctl)["vm"]
    assert (one["format"], one["enabled"], one["state"], one["start_after"], one["problem"]) == ("dts", False, None, ["web", "db"], None)
    assert (one["kernel"], one["ramdisk"]) == (f"{folder}/files/vmlinuz", f"{folder}/files/initrd")
    assert hlctl("start", "vm", "--paused") == "Domain 7 (vm) is paused.\n"
    assert hlctl("definitions") == ("NAME  FORMAT  ENABLED  STATE   START AFTER\n"
                                    "vm    dts     no       paused  web, db\n")
    hlctl("start", "vm", code=FAILED)
    assert hlctl("enable", "vm") == "vm is started with the host from now on.\n"
    assert shown(hlctl)["vm"]["enabled"]
    assert hlctl("disable", "vm", "--quiet") == ""
    assert hlctl("undefine", "vm") == "vm is no longer defined.\n"
    assert shown(hlctl) == {} and "Domain" not in hlctl("definitions")
    for verb in ("start", "undefine", "enable", "disable", "edit"):
        assert "vm" in hlctl(verb, "vm", code=NOT_FOUND)


def test_json_and_other_files(hlctl, started, folder):
    (folder / "box.json").write_text(json.dumps(config("box")))
    told = json.loads(hlctl("define", "box.json", "--kernel", "files/other", "--enabled", "--json", cwd=folder))
    assert told == {"name": "box"} and shown(hlctl)["box"]["kernel"] == f"{folder}/files/other"
    assert "Replace" in hlctl("define", "box.json", cwd=folder, code=FAILED)
    hlctl("define", "box.json", "--replace", cwd=folder)
    assert shown(hlctl)["box"]["kernel"] is None and not shown(hlctl)["box"]["enabled"]


@pytest.mark.parametrize("args, code, why", [
    (["define"], USAGE, "FILE"), (["define", "nowhere.dts"], FAILED, "nowhere.dts"), (["define", "vm.dts", "--kernel", "nowhere"], FAILED, "nowhere"),
    (["define", "no-file.dts"], FAILED, "Kernel"), (["define", "vm.dts", "--after", "a/b"], FAILED, "a/b"), (["define", "vm.dts", "--paused"], USAGE, "--paused"),
    (["start"], USAGE, "hlctl definitions"), (["start", "vm", "--enabled"], USAGE, "exclude"), (["start", "--enabled", "--paused"], USAGE, "exclude"),
    (["enable"], USAGE, "hlctl definitions"), (["undefine", "a", "b"], USAGE, "'b'"), (["list", "--enabled"], USAGE, "--enabled"),
    (["start", "a/b"], FAILED, "slash"),
])
def test_wrong_use(hlctl, started, folder, args, code, why):
    text = (folder / "vm.dts").read_text()
    (folder / "no-file.dts").write_text(text.replace('file = "files/vmlinuz";', "mb-index = <1>;"))
    assert why in hlctl(*args, code=code, cwd=folder)
    assert shown(hlctl) == {}


@pytest.fixture
def editor(place, monkeypatch):
    """editor(SHELL COMMAND): what VISUAL does with the file "$1"."""
    def choose(command):
        path = place / "editor"
        path.write_text(f"#!/bin/sh\n{command}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("VISUAL", str(path))
        monkeypatch.setenv("TMPDIR", str(place))
    return choose


def test_edited(hlctl, started, folder, editor, place):
    hlctl("define", folder / "vm.dts", "--after", "web", "--enabled")
    before = shown(hlctl)["vm"]
    editor("true")
    assert hlctl("edit", "vm") == "vm is unchanged.\n"
    editor("""sed -i 's/memory = .*/memory = "32M";/' "$1" """)
    assert "vm is defined" in hlctl("edit", "vm")
    assert shown(hlctl)["vm"] == before
    assert hlctl("start", "vm") == "Domain 7 (vm) is running.\n"
    assert json.loads(hlctl("list", "--json"))["domains"][-1]["memory_kib"] == 32 << 10
    editor("echo nonsense >\"$1\"")
    told = hlctl("edit", "vm", code=FAILED)
    left = told.rsplit(" ", 1)[1].strip()
    assert left.startswith(str(place)) and open(left, encoding="ascii").read() == "nonsense\n"
    editor("exit 3")
    assert "VISUAL" in hlctl("edit", "vm", code=FAILED)
    assert [path.name for path in place.glob("hlctl-*")] == [os.path.basename(os.path.dirname(left))]


def test_enabled_ones_in_order(hlctl, started, by_hand):
    names, _ = started
    after = {"a": ["b", "web"], "b": ["c"], "c": [], "d": ["a", "nobody"], "off": []}
    for name, others in after.items():
        by_hand(f"{name}.json", json.dumps(config(name)))
        by_hand(f"{name}.conf", f"Enabled={'no' if name == 'off' else 'yes'}\n" + "".join(f"StartAfter={other}\n" for other in others))
    assert hlctl("start", "--enabled") == "4 of 4 started.\n"
    assert names == ["c", "b", "a", "d"]
    assert hlctl("start", "--enabled") == "0 of 0 started.\n"
    hlctl("destroy", "b")
    assert hlctl("start", "--enabled", "--quiet") == "" and names[-1] == "b"


def test_one_that_fails_and_a_circle(hlctl, started, by_hand):
    names, broken = started
    broken.add("b")
    after = {"a": ["b"], "b": [], "c": ["d"], "d": ["e"], "e": ["c"], "f": ["f"], "g": ["c"]}
    for name, others in after.items():
        by_hand(f"{name}.json", json.dumps(config(name)))
        by_hand(f"{name}.conf", "Enabled=yes\n" + "".join(f"StartAfter={other}\n" for other in others))
    by_hand("h.json", "{")
    by_hand("h.conf", "Enabled=yes\n")
    told = hlctl("start", "--enabled", code=FAILED)
    assert names == ["a"] and "it is broken" in told and "b:" in told and "h:" in told
    for name in "cdefg":
        assert f"{name} is not started" in told


def test_many_at_once(hlctl, started, by_hand):
    names, _ = started
    for number in range(20):
        by_hand(f"m{number}.json", json.dumps(config(f"m{number}")))
        by_hand(f"m{number}.conf", "Enabled=yes\n" + (f"StartAfter=m{number % 10}\n" if number > 9 else ""))
    assert hlctl("start", "--enabled") == "20 of 20 started.\n"
    for number in range(10, 20):
        assert names.index(f"m{number % 10}") < names.index(f"m{number}")


def test_launch_comes_first(hlctl, daemon, started, by_hand):
    """It waits as long as the launch is under way, and starts nothing where that has failed."""
    names, _ = started
    by_hand("a.json", json.dumps(config("a")))
    by_hand("a.conf", "Enabled=yes\n")
    daemon.command("state preparing")
    told = []
    thread = threading.Thread(target=lambda: told.append(hlctl("start", "--enabled")))
    thread.start()
    turn(1.5)
    assert thread.is_alive() and names == []
    daemon.command("state complete")
    thread.join(30)
    assert told == ["1 of 1 started.\n"] and names == ["a"]
    daemon.command("state failed")
    assert "failed" in hlctl("start", "--enabled", code=FAILED)


def test_all_are_shut_down_in_order(hlctl, daemon, vmd, started, by_hand):
    """The guests here cannot be asked, as nothing is in xenstore: they are destroyed.  Those of others stay."""
    ended = []

    def note(order):
        ended.append(domids[order.packet["domid"]])
        vmd.destroy(order)
    vmd.overrides["destroy"] = note
    after = {"a": ["b"], "b": ["c"], "c": [], "r": ["s"], "s": ["r"]}
    for name, others in after.items():
        by_hand(f"{name}.json", json.dumps(config(name)))
        by_hand(f"{name}.conf", "".join(f"StartAfter={other}\n" for other in others))
        hlctl("start", name)
    hlctl("start", "a", code=FAILED)
    by_hand("alone.json", json.dumps(config("alone")))
    hlctl("start", "alone")
    hlctl("undefine", "alone")
    daemon.command("domain-add others")
    rows = {one["name"]: one for one in json.loads(hlctl("list", "--json"))["domains"]}
    domids = {rows[name]["domid"]: name for name in (*after, "alone")}
    assert hlctl("shutdown", "--all") == "6 shut down.\n"
    assert [name for name in ended if name in "abc"] == ["a", "b", "c"] and ended[0] == "alone" and sorted(ended[-3:]) == ["c", "r", "s"]
    left = [one["name"] for one in json.loads(hlctl("list", "--json"))["domains"]]
    assert "others" in left and "web" in left and not set(left) & {*after, "alone"}
    assert hlctl("shutdown", "--all") == "0 shut down.\n"


def test_none_is_made_again_at_the_end(hlctl, bus_address, vmd, started, by_hand):
    """When the first one is ended, no other one is made again, whatever it does."""
    by_hand("again.json", json.dumps(config("again", on_poweroff="restart", on_reboot="preserve", on_crash="restart")))
    hlctl("start", "again")
    path = next(one["path"] for one in json.loads(hlctl("list", "--json"))["domains"] if one["name"] == "again")

    def actions():
        """A process of its own, as the thread that asks has no connection."""
        said = subprocess.run(["busctl", f"--address={bus_address}", "get-property", NAME, path, LIFECYCLE, "OnPoweroff", "OnReboot", "OnCrash"],
                              stdout=subprocess.PIPE, text=True, check=True).stdout
        return re.findall('"(.*)"', said)
    assert actions() == ["restart", "preserve", "restart"]
    seen = []

    def end(order):
        seen.extend(actions())
        vmd.destroy(order)
    vmd.overrides["destroy"] = end
    assert hlctl("shutdown", "--all") == "1 shut down.\n"
    assert seen == ["destroy"] * 3


def test_wrong_use_of_all(hlctl, daemon):
    for args in (["--all", "web"], ["--all", "--force"], ["--all", "--or-destroy"]):
        assert "--all" in hlctl("shutdown", *args, code=USAGE)
