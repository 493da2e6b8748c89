# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domains that persist: Define, Undefine, Enable, Disable, Start, and the files that the administrator writes himself."""
import json
import os
import subprocess

import dbus
import dbus.lowlevel
import pytest

from conftest import INVALID_ARGS, MANAGER, NAME, OURS, PATH, call_as_nobody, turn, wait_until
from vm_support import KERNEL, NAMED, RAMDISK, config, definition, vms
from vm_support import peers, vmd  # fixtures, pylint: disable=unused-import

UUID = "domain-uuid = [0b 1e 9f 5c 3d 5e 4c 55 9f 0a 8c 1c 1a 2b 3c 4d];"


@pytest.fixture
def etc(place):
    """What CONFIGURATION_DIRECTORY says."""
    (place / "etc").mkdir()
    return place / "etc"


@pytest.fixture
def environment(etc, runtime, search_path):
    return {"RUNTIME_DIRECTORY": str(runtime), "CONFIGURATION_DIRECTORY": str(etc), "PATH": search_path}


@pytest.fixture
def daemon(launch, environment, peers):
    return launch(options=["--session", "--peers", str(peers)], env=environment)


@pytest.fixture
def modules(place):
    """Paths of a kernel and a ramdisk, for options of Define."""
    for name in ("kernel", "ramdisk"):
        (place / name).write_text(f"this is the {name}")
    return {"Kernel": str(place / "kernel"), "Ramdisk": str(place / "ramdisk")}


def variants(options):
    return dbus.Dictionary(options, signature="sv")


def define(client, blob, **options):
    return client.call("Define", "aya{sv}", dbus.ByteArray(blob), variants(options))


def refuse(client, error, blob, **options):
    return client.expect_error(error, "Define", "aya{sv}", dbus.ByteArray(blob), variants(options))


def call(client, method, name, **options):
    return client.call(method, "sa{sv}", name, variants(options))


def start_fails(client, error, name):
    return client.expect_error(error, "Start", "sa{sv}", name, variants({}))


def listed(client):
    return {str(name): {str(key): value for key, value in settings.items()} for name, settings in client.call("ListDefinitions")}


def changes(client, nr):
    """What the first signals of definitions have said."""
    wait_until(lambda: len(client.seen("DefinitionChanged")) >= nr)
    turn(0.2)
    return [(str(name), str(change)) for name, change in (signal[3] for signal in client.seen("DefinitionChanged"))]


def files(etc):
    return sorted(path.name for path in (etc / "domains").iterdir())


def orders(vmd):
    """What each order to create brought, by the name of its descriptor."""
    seen = []

    def note(order):
        seen.append({name: os.pread(fd, 100, 0).decode() for name, fd in order.fds.items() if name != "config"} | order.config())
        vmd.create(order)
    vmd.overrides["create"] = note
    return seen


def test_defined_started_and_undefined(daemon, client, vmd, etc, modules):
    seen = orders(vmd)
    assert listed(client) == {}
    assert define(client, definition("db2", modules=KERNEL + RAMDISK), **modules) == "db2"
    assert files(etc) == ["db2.conf", "db2.dts"]
    settings = listed(client)["db2"]
    assert (settings["Format"], settings["Enabled"], list(settings["StartAfter"])) == ("dts", False, [])
    path = call(client, "Start", "db2")
    row = client.rows()["db2"]
    assert (row.path, row.uuid, row.state) == (path, settings["UUID"], "running")
    assert (seen[0]["kernel"], seen[0]["ramdisk"]) == ("this is the kernel", "this is the ramdisk")
    assert seen[0]["b_info"]["cmdline"] == "console=hvc0 one two"
    assert '"db2"' in start_fails(client, OURS + "AlreadyExists", "db2")
    call(client, "Undefine", "db2")
    assert files(etc) == [] and listed(client) == {} and client.rows()["db2"].state == "running"
    for method in ("Start", "Undefine", "Enable", "Disable", "GetDefinition"):
        assert "db2" in client.expect_error(OURS + "NoSuchDomain", method, "sa{sv}", "db2", variants({}))
    assert changes(client, 2) == [("db2", "defined"), ("db2", "undefined")]


def test_json_with_a_kernel_that_vmd_opens(daemon, client, vmd, etc):
    seen = orders(vmd)
    given = config("web2", b_info={"max_memkb": 65536, "max_vcpus": 1, "kernel": "/boot/vmlinuz"})
    define(client, json.dumps(given).encode(), Format="json")
    assert files(etc) == ["web2.conf", "web2.json"] and json.loads((etc / "domains" / "web2.json").read_text()) == given
    call(client, "Start", "web2", Start=False)
    assert seen[0]["b_info"]["kernel"] == "/boot/vmlinuz" and "kernel" not in seen[0]
    assert seen[0]["c_info"]["uuid"] == listed(client)["web2"]["UUID"]


def test_uuid_stays(daemon, client, vmd, modules):
    kernel = modules["Kernel"]
    define(client, definition("a"), Kernel=kernel)
    first = listed(client)["a"]["UUID"]
    define(client, definition("a", memory='"32M"'), Kernel=kernel, Replace=True)
    assert listed(client)["a"]["UUID"] == first
    call(client, "Start", "a")
    assert (client.rows()["a"].uuid, client.rows()["a"].memory) == (first, 32 << 20)
    define(client, definition("b", more=UUID), Kernel=kernel)
    call(client, "Start", "b")
    assert client.rows()["b"].uuid == NAMED


def test_what_is_defined_comes_back_as_it_was(daemon, client, modules):
    blob = definition("a", more="cpus = <2>; " + UUID)
    define(client, blob, Kernel=modules["Kernel"], StartAfter=["web", "my db"], Enabled=True)
    text, settings = call(client, "GetDefinition", "a")
    assert (settings["Enabled"], list(settings["StartAfter"]), settings["Kernel"]) == (True, ["web", "my db"], modules["Kernel"])
    again = subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-"], input=bytes(text), stdout=subprocess.PIPE, check=True).stdout
    define(client, again, Kernel=modules["Kernel"], Replace=True)
    assert call(client, "GetDefinition", "a")[0] == text


def test_enabled_and_disabled(daemon, client, etc, modules):
    define(client, definition("a"), Kernel=modules["Kernel"], StartAfter=["web"])
    for method, enabled in (("Enable", True), ("Enable", True), ("Disable", False)):
        call(client, method, "a")
        assert listed(client)["a"]["Enabled"] == enabled
    assert list(listed(client)["a"]["StartAfter"]) == ["web"]
    assert changes(client, 3) == [("a", "defined"), ("a", "enabled"), ("a", "disabled")]


@pytest.mark.parametrize("blob, options, error, why", [
    (b"nothing", {}, INVALID_ARGS, "device tree"), (b"{", {"Format": "json"}, INVALID_ARGS, "JSON"),
    (definition(), {"Format": "dts"}, INVALID_ARGS, "Format"), (definition(), {}, INVALID_ARGS, "Kernel"),
    (definition(), {"Kernel": "boot/vmlinuz"}, INVALID_ARGS, "Kernel"), (definition(), {"Kernel": "/a\nEnabled=yes"}, INVALID_ARGS, "Kernel"),
    (definition(), {"Kernel": "/a", "Ramdisk": "/b"}, INVALID_ARGS, "Ramdisk"),
    (definition(modules=KERNEL + RAMDISK), {"Kernel": "/a"}, INVALID_ARGS, "Ramdisk"),
    (definition(), {"Kernel": "/a", "StartAfter": ["web", "a/b"]}, INVALID_ARGS, "a/b"),
    (definition(), {"Kernel": "/a", "StartAfter": ["web"] * 65}, INVALID_ARGS, "64"),
    (definition(), {"Kernel": "/a", "StartAfter": [" web"]}, INVALID_ARGS, "web"),
    (definition(more="functions = <2>;"), {"Kernel": "/a"}, OURS + "NotSupported", "functions"),
    (json.dumps(config(".hidden")).encode(), {"Format": "json"}, INVALID_ARGS, "dot"),
    (json.dumps(config("../../x")).encode(), {"Format": "json"}, INVALID_ARGS, "slash"),
    (json.dumps(config("x ")).encode(), {"Format": "json"}, INVALID_ARGS, "blank"),
    (definition(), {"Enable": True}, INVALID_ARGS, "Enable"), (definition(), {"StartAfter": "web"}, INVALID_ARGS, "as"),
])
def test_wrong_definitions(daemon, client, etc, blob, options, error, why):
    assert why in refuse(client, error, blob, **options)
    assert not (etc / "domains").exists()


def test_second_of_one_name(daemon, client, etc, modules):
    define(client, definition("a"), Kernel=modules["Kernel"])
    assert "Replace" in refuse(client, OURS + "AlreadyExists", definition("a"), Kernel=modules["Kernel"])
    define(client, json.dumps(config("a")).encode(), Format="json", Replace=True)
    assert files(etc) == ["a.conf", "a.json"]


@pytest.fixture
def by_hand(etc):
    """by_hand(NAME.ENDING, TEXT): what an administrator has put there."""
    (etc / "domains").mkdir()
    return lambda name, text: (etc / "domains" / name).write_text(text)


def source(name="mine", more="", kernel="kernel"):
    return f"""/dts-v1/;
/* by hand */
/ {{ chosen {{ hypervisor {{ compatible = "hypervisor,xen"; {name} {{ compatible = "xen,domain"; memory = "64M"; {more}
    kernel {{ compatible = "module,kernel"; file = "{kernel}"; }}; }}; }}; }}; }};
"""


def test_file_of_the_administrator(daemon, client, vmd, by_hand, etc, modules):
    seen = orders(vmd)
    by_hand("mine.dts", "#define MEGABYTES 64\n" + source(kernel=modules["Kernel"]).replace('"64M"', "<0 (MEGABYTES * 1024)>"))
    by_hand("README", "no definition")
    by_hand(".new.dts", "no definition")
    assert list(listed(client)) == ["mine"] and "UUID" not in listed(client)["mine"]
    call(client, "Start", "mine")
    assert (seen[0]["kernel"], seen[0]["b_info"]["max_memkb"]) == ("this is the kernel", 65536)
    uuid = client.rows()["mine"].uuid
    assert listed(client)["mine"]["UUID"] == uuid and "/* by hand */" in (etc / "domains" / "mine.dts").read_text()


@pytest.mark.parametrize("name, text, error, why", [
    ("mine.dts", "/dts-v1/; / { ", INVALID_ARGS, "mine.dts"), ("mine.dts", source(), INVALID_ARGS, "absolute path"),
    ("mine.dts", source("other", kernel="/a"), INVALID_ARGS, '"other"'), ("mine.dts", source(kernel="/nowhere"), OURS + "Failed", "/nowhere"),
    ("mine.dts", source(kernel="/dev/null"), INVALID_ARGS, "regular"), ("mine.json", "{}", INVALID_ARGS, "c_info"),
    ("mine.json", "{\"c_info\"", INVALID_ARGS, "JSON"), ("mine.dts", "x" * 70000, OURS + "Failed", "mine.dts"), ("mine.dts", "a\0b", OURS + "Failed", "zero"),
    ("mine.dts", "#include \"/etc/shadow\"\n" + source(), INVALID_ARGS, "/etc/shadow:1"),
])
def test_files_that_are_wrong(daemon, client, vmd, by_hand, name, text, error, why):
    by_hand(name, text)
    assert why in start_fails(client, error, "mine")
    assert vmd.orders == [] and client.call("ListJobs") == []


@pytest.mark.parametrize("text, why", [
    ("Enabled=maybe", "line 1"), ("# fine\n\nKernal=/boot", "line 3"), ("Kernel=vmlinuz", "absolute"), ("StartAfter=", "StartAfter"), ("Enabled", "Enabled"),
    ("UUID=1", "UUID"), ("x" * 70000, "large"),
])
def test_settings_that_are_wrong(daemon, client, vmd, by_hand, text, why):
    by_hand("mine.dts", source(kernel="/a"))
    by_hand("mine.conf", text)
    assert why in listed(client)["mine"]["Problem"] and "mine.conf" in listed(client)["mine"]["Problem"]
    for method in ("Start", "Enable", "GetDefinition"):
        assert "mine.conf" in client.expect_error(OURS + "Failed" if len(text) > 60000 else INVALID_ARGS, method, "sa{sv}", "mine", variants({}))
    call(client, "Undefine", "mine")
    assert listed(client) == {}


def test_settings_with_blanks_and_comments(daemon, client, by_hand):
    by_hand("mine.json", json.dumps(config("mine")))
    by_hand("mine.conf", "# mine\r\n ; yours\n\n  Enabled = yes \nStartAfter=web\n\tStartAfter = my db\nRamdisk=/a b")
    settings = listed(client)["mine"]
    assert (settings["Enabled"], list(settings["StartAfter"]), settings["Ramdisk"], settings["Format"]) == (True, ["web", "my db"], "/a b", "json")


def test_two_files_of_one_name(daemon, client, by_hand):
    by_hand("a.dts", source("a", kernel="/a"))
    by_hand("a.e.dts", source("a.e", kernel="/a"))
    by_hand("a.json", json.dumps(config("a")))
    # One row, though it has two files.
    assert sorted(str(name) for name, _ in client.call("ListDefinitions")) == ["a", "a.e"]
    assert "a.json" in listed(client)["a"]["Problem"] and "Problem" not in listed(client)["a.e"]
    assert "a.json" in start_fails(client, INVALID_ARGS, "a")


def test_file_that_is_none(daemon, client, by_hand, etc):
    (etc / "domains" / "dir.dts").mkdir()
    (etc / "domains" / "gone.dts").symlink_to("/nowhere")
    os.mkfifo(etc / "domains" / "pipe.json")
    by_hand("fine.json", json.dumps(config("fine")))
    problems = {name: settings.get("Problem", "") for name, settings in listed(client).items()}
    assert sorted(problems) == ["dir", "fine", "pipe"]
    assert "regular" in problems["dir"] and "regular" in problems["pipe"] and not problems["fine"]


def test_directory_that_cannot_be_written(launch, environment, peers, client, etc, modules):
    (etc / "domains").write_text("a file")
    daemon = launch(options=["--session", "--peers", str(peers)], env=environment)
    refuse(client, OURS + "Failed", definition("a"), Kernel=modules["Kernel"])
    client.expect_error(OURS + "Failed", "ListDefinitions")
    start_fails(client, OURS + "Failed", "a")
    assert daemon.process.poll() is None


def test_without_a_directory(launch, client, modules):
    launch(options=["--session"])
    assert listed(client) == {}
    refuse(client, OURS + "NotSupported", definition("a"), Kernel=modules["Kernel"])
    for method in ("Start", "Undefine", "Enable", "GetDefinition"):
        client.expect_error(OURS + "NotSupported", method, "sa{sv}", "a", variants({}))


def test_lcmtool_that_is_missing_or_hangs(launch, environment, peers, client, place, etc, by_hand):
    (place / "bin" / "lcmtool").unlink()
    daemon = launch(options=["--session", "--peers", str(peers)], env=environment | {"PATH": f"{place}/bin"})
    by_hand("mine.dts", source(kernel="/a"))
    assert "lcmtool" in start_fails(client, OURS + "NotSupported", "mine")
    (place / "bin" / "lcmtool").write_text("#!/bin/sh\nexec /bin/sleep 1000\n")
    (place / "bin" / "lcmtool").chmod(0o755)
    message = dbus.lowlevel.MethodCallMessage(NAME, PATH, MANAGER, "Start")
    message.append("mine", variants({}), signature="sa{sv}")
    client.connection.send_message_with_reply(message, lambda reply: None, 60)
    # It goes on meanwhile, and ends when it is told to.
    wait_until(lambda: subprocess.run(["pgrep", "-P", str(daemon.process.pid)], stdout=subprocess.DEVNULL, check=False).returncode == 0)
    assert list(listed(client)) == ["mine"]
    daemon.stop()
    subprocess.run(["pkill", "-f", "sleep 1000"], check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
def test_rights(launch, bus_address, environment, peers, client, polkit, by_hand):
    mock = polkit()
    daemon = launch(options=["--peers", str(peers)], env=environment)
    server = vms.Vmd(str(peers), daemon.command)
    by_hand("mine.json", json.dumps(config("mine")))
    calls = {"enable": "Enable", "inspect-sensitive": "GetDefinition", "start": "Start", "define": "Undefine"}
    for allowed, method in calls.items():
        mock.SetAllowed([f"{NAME}.{action}" for action in calls if action != allowed])
        assert "AccessDenied" in call_as_nobody(bus_address, method, "'mine'", "{}").communicate(timeout=60)[1]
        mock.SetAllowed([f"{NAME}.{allowed}"])
        done = call_as_nobody(bus_address, method, "'mine'", "{}")
        assert done.communicate(timeout=60)[1] == "" and done.returncode == 0
    assert listed(client) == {} and client.rows()["mine"].state == "running"
    server.stop()
