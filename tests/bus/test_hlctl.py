# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlctl against hyperlaunchd: every verb, its JSON, its errors and exit codes."""

import hashlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import dbus.lowlevel
import pytest

from conftest import DOMAIN, IS_ROOT, MANAGER, NOBODY, PATH, compile_lcm, wait_until
from hlctl_support import (DENIED, FAILED, HLCTL, NOT_FOUND, OK, TIMEOUT, UNSUPPORTED, USAGE,
                           hlctl, public_hlctl, read_terminal)
from xenstored import Xenstored

DOMAIN_KEYS = {
    "name", "domid", "requested_domid", "uuid", "handle", "permissions", "permission_names", "functions",
    "function_names", "mode", "mode_names", "cpus", "cpus_online", "cpu_time_ns", "memory_kib", "memory_max_kib",
    "memory_current_kib", "weight", "cap", "hard_affinity", "soft_affinity", "state", "reason", "origin", "adopted", "generation",
    "roles", "path", "lcm_node",
    "security_label", "xenstore_state", "xenstore_error", "modules", "drift",
}
STATUS_KEYS = {
    "state", "source", "form", "dynamic", "error", "error_node", "error_property", "expected",
    "built", "failed", "lcm_size", "lcm_sha256", "console_domid", "hardware_domid",
    "xenstore_domid", "weak_hardware", "start_usec", "end_usec", "warnings",
}


def in_json(text):
    return json.loads(text)


def test_list_json(launch, hlctl):
    launch()
    domains = in_json(hlctl("list", "--json"))["domains"]
    assert [d["domid"] for d in domains] == [1, 2, 3, 4, 5, 6, 20, 32751]
    for domain in domains:
        assert set(domain) == DOMAIN_KEYS
    by_name = {d["name"]: d for d in domains}
    web = by_name["web"]
    assert web["uuid"] == "8d5a104e-6c2b-4f0a-9b1e-000000000006"
    assert web["requested_domid"] == 0
    assert (web["cpus"], web["memory_kib"]) == (2, 128 << 10)
    assert (web["permissions"], web["functions"], web["mode"]) == (0, 0, 4)
    assert web["mode_names"] == ["long"]
    assert (web["state"], web["origin"], web["generation"]) == ("started", "boot", 0)
    assert web["lcm_node"] == "/chosen/hypervisor/web"
    assert web["modules"] == [{"type": "kernel", "index": 1, "size": 0, "sha256": None},
                              {"type": "ramdisk", "index": 2, "size": 0, "sha256": None}]
    assert by_name["control"]["permission_names"] == ["control"]
    assert by_name["store"]["functions"] == 1 << 30
    assert by_name["store"]["roles"] == by_name["store"]["function_names"] == ["xenstore"]
    assert by_name["store"]["security_label"] == "system_u:system_r:xenstore_t"
    assert by_name["boot"]["requested_domid"] == 0x7ff5
    assert web["handle"] == web["uuid"]
    assert by_name["boot"]["uuid"] == "00000000-0000-0000-0000-000000000000"
    assert by_name["boot"]["handle"] is None
    assert by_name["boot"]["state"] == "reclaimed"
    assert by_name["db"]["reason"] == "held by the LCM"
    assert by_name["hw"]["mode_names"] == ["pv", "long"]


def test_memory_is_the_lcms(launch, hlctl):
    """Xen and toolstacks add to the maximum; memory_kib stays what was asked for."""
    daemon = launch()
    daemon.command("memory web 131200")
    daemon.command("domain-add vm memory=2048")
    wait_until(lambda: "vm" in hlctl("list"), what="vm")
    domains = {d["name"]: d for d in in_json(hlctl("list", "--json"))["domains"]}
    assert domains["web"]["memory_kib"] == 131072
    assert domains["web"]["memory_max_kib"] == 131200
    assert domains["vm"]["memory_kib"] == domains["vm"]["memory_max_kib"] == 2048
    assert domains["vm"]["requested_domid"] is None
    assert domains["vm"]["lcm_node"] is None
    assert domains["vm"]["origin"] == "post-boot"
    assert domains["vm"]["generation"] > 0


def test_list_table(launch, hlctl):
    daemon = launch()
    for words in ("load 0", "cpu-time 1299000000"):
        daemon.command(f"figure web {words}")
    time.sleep(0.03)
    lines = hlctl("list").splitlines()
    assert lines[0].split() == ["DOMID", "NAME", "STATE", "CPUS", "MEMORY", "TIME", "ORIGIN", "ROLES",
                                "UUID"]
    assert len(lines) == 9
    assert lines[5].split() == ["5", "web", "started", "2", "128", "M", "1.2", "s", "boot", "-",
                                "8d5a104e-6c2b-4f0a-9b1e-000000000006"]
    # One that does not exist has none.
    assert lines[8].split()[:7] == ["32751", "boot", "reclaimed", "1", "32", "M", "-"]
    # Columns stand under one another.
    at = lines[0].index("ORIGIN")
    assert {line[at - 2:at + 6] for line in lines[1:]} == {"  boot  "}
    assert "\033" not in "".join(lines)


def test_list_role(launch, hlctl):
    launch()
    for role, name in (("control", "control"), ("hardware", "hw"), ("console", "console"),
                       ("xenstore", "store"), ("crash", "crash")):
        domains = in_json(hlctl("list", "--role", role, "-j"))["domains"]
        assert [d["name"] for d in domains] == [name]
    assert in_json(hlctl("--json", "list", "--role=boot")) == {"domains": []}
    assert len(hlctl("list", "--role", "boot").splitlines()) == 1
    assert "'king'" in hlctl("list", "--role", "king", code=USAGE)


def test_planned_domains_have_no_domid(launch, hlctl):
    daemon = launch()
    daemon.command("fail web no-memory memory")
    wait_until(lambda: "recovery" in hlctl("status"), what="recovery")
    web = in_json(hlctl("status", "web", "--json"))
    assert (web["state"], web["roles"]) == ("failed", [])
    status = in_json(hlctl("status", "--json"))
    assert status["failed"] == 1
    assert status["error_node"] == "/chosen/hypervisor/web"
    assert status["error_property"] == "memory"


def test_status_json(launch, hlctl, place):
    launch()
    status = in_json(hlctl("status", "--json"))
    blob = (place / "launch.dtb").read_bytes()
    assert set(status) == STATUS_KEYS
    assert status["state"] == "complete"
    assert status["source"] == "simulated"
    assert status["form"] == "hypervisor"
    assert status["dynamic"] is True
    assert (status["error"], status["error_node"], status["error_property"]) == ("", "", "")
    assert (status["expected"], status["built"], status["failed"]) == (8, 8, 0)
    assert status["lcm_size"] == len(blob)
    assert status["lcm_sha256"] == hashlib.sha256(blob).hexdigest()
    assert (status["console_domid"], status["hardware_domid"], status["xenstore_domid"]) == (4, 20, 1)
    assert 0 < status["start_usec"] < status["end_usec"]
    assert status["warnings"] == []
    assert status["weak_hardware"] is False
    assert "Isolation" not in hlctl("status")


def test_status_of_a_weak_hardware_domain(launch, hlctl):
    launch().command("weak-hwdom on")
    wait_until(lambda: in_json(hlctl("status", "--json"))["weak_hardware"], what="the flag")
    assert "Isolation" in hlctl("status")


def test_status_of_a_bad_lcm(launch, hlctl):
    launch("bad-domid-duplicate")
    status = in_json(hlctl("status", "--json"))
    assert status["state"] == "failed"
    assert status["error"]
    assert status["error_node"].startswith("/chosen/hypervisor/")
    assert status["error_property"] == "domid"
    assert status["hardware_domid"] is None and status["console_domid"] is None
    text = hlctl("status")
    assert status["error"] in text and status["error_node"] in text
    assert in_json(hlctl("list", "--json")) == {"domains": []}


def test_status_text(launch, hlctl):
    launch()
    text = hlctl("status")
    assert "Launch: complete" in text
    assert "8 expected, 8 built, 0 failed" in text
    text = hlctl("status", "db")
    assert "State: held (held by the LCM)" in text
    assert "LCM node: /chosen/hypervisor/db" in text


def test_status_shows_how_a_domain_is_scheduled(launch, hlctl):
    daemon = launch()
    text = hlctl("status", "web")
    assert "Runs on: all; prefers all" in text and "Scheduler: weight 256, no cap" in text
    for command in ("weight web 512", "cap web 50", "affinity web 0:0;1:all"):
        daemon.command(command)
    wait_until(lambda: "Runs on: 0:0;1:all; prefers all" in hlctl("status", "web"), what="the affinity")
    assert "Scheduler: weight 512, at most 50% of a CPU" in hlctl("status", "web")
    web = in_json(hlctl("status", "web", "--json"))
    assert (web["weight"], web["cap"], web["hard_affinity"], web["soft_affinity"]) == (512, 50, "0:0;1:all", "all")


def test_status_of_a_domain(launch, hlctl):
    daemon = launch()
    daemon.command("figure web load 0")
    time.sleep(0.03)
    hlctl("stats")
    expected = in_json(hlctl("status", "web", "--json"))
    assert set(expected) == DOMAIN_KEYS
    assert expected["domid"] == 5
    for text in ("5", "8d5a104e-6c2b-4f0a-9b1e-000000000006",
                 "8D5A104E-6C2B-4F0A-9B1E-000000000006"):
        assert in_json(hlctl("status", text, "--json")) == expected
    daemon.command("handle web 00112233-4455-6677-8899-AABBCCDDEEFF")
    wait_until(lambda: "Handle: 00112233" in hlctl("status", "web"), what="the handle")
    by_handle = in_json(hlctl("status", "00112233-4455-6677-8899-aabbccddeeff", "--json"))
    assert by_handle["uuid"] == expected["uuid"] and by_handle["domid"] == 5
    assert in_json(hlctl("status", expected["uuid"], "--json")) == by_handle
    for text in ("nobody", "77", "", "00000000-0000-0000-0000-000000000000", "05"):
        assert f"'{text}'" in hlctl("status", text, code=NOT_FOUND)
    daemon.command("domain-add twin domid=50 uuid=00000000-0000-0000-0000-000000000001")
    daemon.command("domain-add twin domid=51 uuid=00000000-0000-0000-0000-000000000002")
    daemon.command("domain-add 7 domid=52 uuid=00000000-0000-0000-0000-000000000003")
    wait_until(lambda: hlctl("list").count("twin") == 2, what="twins")
    assert "several" in hlctl("status", "twin", code=FAILED)
    assert in_json(hlctl("status", "51", "--json"))["name"] == "twin"
    # A number that is no domid may still be a name.
    assert in_json(hlctl("status", "7", "--json"))["domid"] == 52


def test_no_uuid(launch, hlctl):
    """Zeros for programs, a dash for people, whatever handle Xen has."""
    daemon = launch("ok-classic-basic-cloud")
    nil = "00000000-0000-0000-0000-000000000000"
    domains = in_json(hlctl("list", "--json"))["domains"]
    assert {d["uuid"] for d in domains} == {d["handle"] for d in domains} == {nil}
    name = domains[-1]["name"]
    daemon.command(f"handle {name} 00112233-4455-6677-8899-AABBCCDDEEFF")
    wait_until(lambda: in_json(hlctl("status", name, "--json"))["handle"] != nil, what="the handle")
    assert in_json(hlctl("status", name, "--json"))["uuid"] == nil
    assert {line.split()[-1] for line in hlctl("list").splitlines()[1:]} == {"-"}
    hlctl("status", nil, code=NOT_FOUND)


def test_reused_domid(launch, hlctl):
    daemon = launch()
    daemon.command("domain-remove web")
    daemon.command("domain-add new domid=5 uuid=00000000-0000-0000-0000-000000000001")
    wait_until(lambda: "new" in hlctl("list"), what="new")
    assert in_json(hlctl("status", "5", "--json"))["name"] == "new"
    assert in_json(hlctl("status", "web", "--json"))["state"] == "reclaimed"


def test_adopted(launch, hlctl):
    daemon = launch()
    assert in_json(hlctl("status", "web", "--json"))["adopted"] is False
    assert "adopted" not in hlctl("status", "web")
    daemon.command("domain-remove web")
    daemon.command("domain-add web domid=70 paused uuid=8d5a104e-6c2b-4f0a-9b1e-000000000006")
    daemon.command("adopt 70 web")
    wait_until(lambda: in_json(hlctl("status", "web", "--json"))["adopted"], what="the adoption")
    assert "Origin: boot, adopted: the modules are those of the boot" in hlctl("status", "web")
    assert "Adopted=yes" in hlctl("show", "web").splitlines()
    adopted, = [line.split() for line in hlctl("events").splitlines() if " adopted " in line]
    assert adopted[2:] == ["adopted", "70", "number", "6", "in", "the", "LCM"]


def test_drift(launch, hlctl):
    daemon = launch()
    daemon.command("rename web www")
    wait_until(lambda: "www" in hlctl("list"), what="www")
    assert in_json(hlctl("status", "www", "--json"))["drift"] == [
        {"field": "name", "lcm": "web", "actual": "www"}]
    assert "Drift: name: web in the LCM, now www" in hlctl("status", "www")


def test_roles(launch, hlctl):
    launch()
    roles = in_json(hlctl("roles", "--json"))["roles"]
    assert list(roles) == ["control", "hardware", "boot", "crash", "console", "xenstore",
                           "legacy-dom0"]
    assert [(h["domid"], h["name"]) for h in roles["hardware"]] == [(20, "hw")]
    assert roles["boot"] == roles["legacy-dom0"] == []
    lines = [line.split() for line in hlctl("roles").splitlines()]
    assert ["xenstore", "1", "store", "started"] in lines
    assert ["legacy-dom0", "-", "-", "-"] in lines


def test_lcm(launch, hlctl, bus_address, place):
    launch()
    blob = (place / "launch.dtb").read_bytes()
    raw = subprocess.run([HLCTL, "--address", bus_address, "lcm", "--format", "dtb"],
                         stdout=subprocess.PIPE, check=True).stdout
    assert raw == blob
    source = hlctl("lcm")
    assert source == hlctl("lcm", "-f", "dts")
    assert source.startswith("/dts-v1/;") and 'compatible = "xen,domain"' in source
    lcm = in_json(hlctl("lcm", "--json"))
    assert lcm == in_json(hlctl("lcm", "--format", "json"))
    assert len(lcm["domains"]) == 8
    assert "xml" in hlctl("lcm", "--format", "xml", code=USAGE)
    hlctl("lcm", "--json", "--format", "dts", code=USAGE)


def test_no_blob_to_a_terminal(launch, bus_address):
    launch()
    leader, follower = pty.openpty()
    result = subprocess.run([HLCTL, "--address", bus_address, "lcm", "--format", "dtb"],
                            stdout=follower, stderr=subprocess.PIPE)
    os.close(follower)
    assert result.returncode == USAGE
    assert b"terminal" in result.stderr
    assert read_terminal(leader) == b""


def on_terminal(args, env):
    leader, follower = pty.openpty()
    subprocess.run(args, stdout=follower, check=True, env={**os.environ, **env})
    os.close(follower)
    return read_terminal(leader)


def test_colours(launch, bus_address):
    launch()
    args = [HLCTL, "--address", bus_address, "--no-pager", "list"]
    assert re.search(rb"\033\[32mstarted *\033\[0m", on_terminal(args, {"TERM": "xterm", "NO_COLOR": ""}))
    assert b"\033" not in on_terminal(args, {"TERM": "xterm", "NO_COLOR": "1"})
    assert b"\033" not in on_terminal(args, {"TERM": "dumb", "NO_COLOR": ""})
    assert b"\033" not in on_terminal([*args, "--json"], {"TERM": "xterm", "NO_COLOR": ""})


def test_handoff(launch, hlctl):
    launch("ok-dynamic-full", options=["--session"])
    assert in_json(hlctl("handoff", "web", "--json")) == {"role": "console", "old": 4, "new": 5, "name": "web"}
    assert in_json(hlctl("status", "--json"))["console_domid"] == 5
    assert in_json(hlctl("roles", "--json"))["roles"]["console"][0]["name"] == "web"
    assert hlctl("handoff", "5") == "The console is with domain 5 (web), as before.\n"
    assert hlctl("handoff", "control") == "The console is with domain 2 (control) now; domain 5 had it.\n"
    uuid = "8d5a104e-6c2b-4f0a-9b1e-000000000006"
    assert in_json(hlctl("handoff", uuid, "--json"))["new"] == 5


def test_handoff_for_a_time(launch, hlctl):
    launch("ok-dynamic-full", options=["--session"])
    assert hlctl("handoff", "web", "--for", "1") == "The console is with domain 5 (web) for 1 s; domain 4 had it.\n"
    wait_until(lambda: in_json(hlctl("status", "--json"))["console_domid"] == 4)
    told = in_json(hlctl("handoff", "web", "-t", "4294967", "--json"))
    assert told == {"role": "console", "old": 4, "new": 5, "name": "web", "seconds": 4294967}
    # For good after all.
    assert "seconds" not in in_json(hlctl("handoff", "web", "--json"))


def test_handoff_errors(launch, hlctl):
    daemon = launch("ok-dynamic-full", options=["--session"])
    for domain in ("nobody", "77", "-", ""):
        assert f"'{domain}'" in hlctl("handoff", domain, code=NOT_FOUND)
    # It was there, and its domid may be another's by now.
    daemon.command("domain-remove web")
    daemon.command("domain-add new domid=5 uuid=00000000-0000-0000-0000-000000000001")
    wait_until(lambda: "new" in hlctl("list"), what="new")
    assert "reclaimed" in hlctl("handoff", "web", code=NOT_FOUND)
    assert in_json(hlctl("status", "--json"))["console_domid"] == 4
    daemon.command("dying hw")
    assert "dying" in hlctl("handoff", "hw", code=FAILED)
    daemon.command("fault set-console EPERM 1")
    hlctl("handoff", "control", code=UNSUPPORTED)
    daemon.command("fault set-console EOPNOTSUPP 1")
    hlctl("handoff", "control", code=UNSUPPORTED)


def test_handoff_to_a_held_domain(launch, hlctl):
    """It could not read what is typed."""
    launch("ok-dynamic-full", options=["--session"])
    said = hlctl("handoff", "db", code=FAILED)
    assert "(db) is held" in said and "hlctl release" in said
    assert in_json(hlctl("status", "--json"))["console_domid"] == 4
    hlctl("release", "db")
    hlctl("handoff", "db")


def handoff_on_terminal(bus_address, domain, **env):
    """What hlctl says on a terminal, before its answer."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([HLCTL, "--address", bus_address, "handoff", domain], stdin=follower,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env})
    answer, warning = process.communicate(timeout=60)
    for end in (leader, follower):
        os.close(end)
    assert process.returncode == 0 and answer.startswith("The console is with")
    return warning


def test_handoff_of_ones_own_terminal_is_warned_of(launch, bus_address, hlctl):
    launch("ok-dynamic-full", options=["--session"])
    assert not handoff_on_terminal(bus_address, "web")
    assert not handoff_on_terminal(bus_address, "web", HLDOM_CONSOLE="1"), "it has it already"
    warning = handoff_on_terminal(bus_address, "control", HLDOM_CONSOLE="1")
    assert "this terminal is the Xen console" in warning and "domain 2 (control)" in warning
    assert not hlctl("handoff", "web", "--json", env={"HLDOM_CONSOLE": "1"}).startswith("hlctl:"), "no terminal"


def test_release(launch, hlctl, client):
    daemon = launch("ok-dynamic-full", options=["--session"])
    assert "not held" in hlctl("release", "web", code=FAILED)
    assert "reclaimed" in hlctl("release", "boot", code=NOT_FOUND)
    hlctl("release", "nobody", code=NOT_FOUND)
    path = in_json(hlctl("status", "db", "--json"))["path"]
    assert in_json(hlctl("release", "db", "--json")) == {
        "domid": 6, "name": "db", "state": "started", "path": path}
    assert in_json(hlctl("status", "db", "--json"))["state"] == "started"
    daemon.stop()
    daemon.start()
    wait_until(client.ready, what="the daemon")
    assert hlctl("release", "6") == "Domain 6 (db) is started.\n"


def test_pause_and_unpause(launch, hlctl):
    launch("ok-dynamic-full", options=["--session"])
    path = in_json(hlctl("status", "web", "--json"))["path"]
    assert hlctl("pause", "web") == "Domain 5 (web) is paused.\n"
    assert hlctl("pause", "5", "--quiet") == ""
    assert in_json(hlctl("unpause", "web", "--json")) == {"domid": 5, "name": "web", "state": "started", "path": path}
    assert "Release" in hlctl("unpause", "db", code=FAILED)
    assert "reclaimed" in hlctl("pause", "boot", code=NOT_FOUND)
    hlctl("pause", "nobody", code=NOT_FOUND)
    assert "Force" in hlctl("pause", "store", code=UNSUPPORTED)
    assert hlctl("pause", "store", "--force") == "Domain 1 (store) is paused.\n"
    assert "runs in it" in hlctl("pause", "control", "--force", code=UNSUPPORTED)


@pytest.mark.parametrize("verb, word", [("shutdown", "poweroff"), ("reboot", "reboot")])
def test_what_a_guest_is_asked(launch, hlctl, bus_address, client, place, verb, word):
    """The timeout is the guest's: the call waits that long."""
    store = Xenstored(place / "xenstored" / "socket").start()
    daemon = launch("ok-classic-basic-cloud", options=["--session"], env={"XENSTORED_PATH": store.path})
    wait_until(lambda: client.get("XenstoreState", DOMAIN, client.path_of("web")) == "introduced")
    node = "/local/domain/1/control/shutdown"
    message = hlctl(verb, "web", "--timeout", "2", code=TIMEOUT, env={"SYSTEMD_BUS_TIMEOUT": "1s"})
    assert "not acknowledged the request within 2000 ms" in message and store.read(node) == ""
    assert "runs in it" in hlctl(verb, "0", "--force", code=UNSUPPORTED)
    process = subprocess.Popen([HLCTL, "--address", bus_address, verb, "web"], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: store.read(node) == word)
    store.write(node, "")
    daemon.command(f"shutdown web {word}")
    assert process.communicate(timeout=60)[0] == "Domain 1 (web) has shut down.\n" and process.returncode == 0
    # A later domain is gone by then.
    store.write("/local/domain/70/control/shutdown", "")
    daemon.command("domain-add vm domid=70")
    store.introduce(70)
    wait_until(lambda: "vm" in client.rows())
    process = subprocess.Popen([HLCTL, "--address", bus_address, verb, "70", "--json"], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: store.read("/local/domain/70/control/shutdown") == word)
    daemon.command("domain-remove 70")
    told = in_json(process.communicate(timeout=60)[0])
    assert (told["domid"], told["state"], process.returncode) == (70, None, 0)
    store.stop()


def test_rename(launch, hlctl, client, place):
    store = Xenstored(place / "xenstored" / "socket").start()
    launch("ok-classic-basic-cloud", options=["--session"], env={"XENSTORED_PATH": store.path})
    wait_until(lambda: client.get("XenstoreState", DOMAIN, client.path_of("web")) == "introduced")
    path = str(client.path_of("web"))
    assert hlctl("rename", "web", "new name") == "Domain 1 (web) has the name new name now.\n"
    assert in_json(hlctl("rename", "new name", "www", "--json")) == {"domid": 1, "name": "www", "path": path}
    assert hlctl("rename", "1", "web", "--quiet") == "" and store.read("/local/domain/1/name") == "web"
    assert "domain 2 has that name" in hlctl("rename", "web", "db", code=FAILED)
    hlctl("rename", "nobody", "x", code=NOT_FOUND)
    assert "no name of a domain" in hlctl("rename", "web", "a/b", code=FAILED)
    store.stop()


def test_requests_without_a_launch(launch, hlctl):
    launch("ok-static-basic", extra=",as=classic", options=["--session"])
    hlctl("handoff", "0", code=NOT_FOUND)
    hlctl("release", "0", code=NOT_FOUND)


def test_events(launch, hlctl):
    launch()
    events = in_json(hlctl("events", "--json"))["events"]
    assert [e["seq"] for e in events] == list(range(len(events)))
    assert events[0] == {"seq": 0, "time_usec": 1001000, "event": "lcm-found", "domid": None,
                         "arg": events[0]["arg"]}
    console = [e for e in events if e["event"] == "console"]
    assert [(e["domid"], e["arg"]) for e in console] == [(32751, None), (4, 32751)]
    last = len(events) - 1
    assert in_json(hlctl("events", "--since", str(last), "--json"))["events"] == events[last:]
    assert in_json(hlctl("events", "--since", "4294967295", "--json"))["events"] == []
    text = hlctl("events")
    assert "from domain 32751" in text and "complete" in text
    for bad in ("x", "-1", "", "4294967296", "1x"):
        hlctl("events", "--since", bad, code=USAGE)


def test_modules(launch, hlctl):
    launch()
    modules = in_json(hlctl("modules", "--json"))["modules"]
    assert [m["index"] for m in modules] == [1, 2, 3, 4, 5, 6]
    assert modules[1] == {"index": 2, "type": "ramdisk", "size": 0, "sha256": None,
                          "domains": ["web", "db"]}
    assert modules[5]["type"] == "xsm-policy"
    assert "web, db" in hlctl("modules")


class Monitor:
    def __init__(self, bus_address, *args, verb="monitor"):
        self.process = subprocess.Popen([HLCTL, "--address", bus_address, verb, *args],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.seen = []
        self.buffer = b""

    def lines(self):
        while select.select([self.process.stdout], [], [], 0)[0]:
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                break
            self.buffer += data
        *done, self.buffer = self.buffer.split(b"\n")
        self.seen += [line.decode() for line in done]
        return self.seen

    def wait(self, condition, what):
        return wait_until(lambda: next((l for l in self.lines() if condition(l)), None),
                          what=what)

    def wait_event(self, **wanted):
        def matches(line):
            event = json.loads(line)
            return all(event.get(key) == value for key, value in wanted.items())
        return json.loads(self.wait(matches, str(wanted)))

    def end(self, number):
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors.decode()


def test_monitor_json(launch, bus_address, hlctl):
    daemon = launch()
    monitor = Monitor(bus_address, "--json")
    monitor.wait_event(event="monitoring", launch_state="complete")
    daemon.command("domain-add vm domid=60")
    added = monitor.wait_event(event="domain-added", domid=60, name="vm")
    assert added["path"] == in_json(hlctl("status", "vm", "--json"))["path"]
    assert abs(added["time_usec"] / 1e6 - time.time()) < 60
    daemon.command("pause web")
    monitor.wait_event(event="property-changed", domid=5, property="State", value="paused")
    daemon.command("rename web www")
    monitor.wait_event(event="property-changed", property="Drift", value=[["name", "web", "www", {}]])
    daemon.command("domain-remove vm")
    monitor.wait_event(event="domain-removed", domid=60)
    daemon.command("console control")
    monitor.wait_event(event="role-changed", role="console", old=4, new=2)
    monitor.wait_event(event="property-changed", property="ConsoleOwner", value="/org/xenproject/Hyperlaunch1/domain/d2_0")
    daemon.command("domain-remove control")
    monitor.wait_event(event="role-changed", role="console", old=2, new=4)
    daemon.command("domain-remove hw")
    monitor.wait_event(event="role-changed", role="hardware", old=20, new=None)
    daemon.command("state recovery")
    monitor.wait_event(event="launch-state-changed", new="recovery")
    assert monitor.end(signal.SIGINT) == (OK, "")


def test_monitor_text(launch, bus_address):
    daemon = launch()
    monitor = Monitor(bus_address)
    monitor.wait(lambda l: "monitoring" in l, "start")
    daemon.command("domain-add vm domid=60")
    monitor.wait(lambda l: 'domain-added domid=60 name="vm"' in l, "vm")
    assert monitor.end(signal.SIGTERM) == (OK, "")


def test_monitor_outlives_the_daemon(launch, bus_address):
    daemon = launch()
    monitor = Monitor(bus_address, "--json")
    monitor.wait_event(event="monitoring")
    daemon.stop()
    monitor.wait_event(event="daemon-stopped")
    daemon.start()
    monitor.wait_event(event="daemon-started")
    assert monitor.end(signal.SIGINT) == (OK, "")


def test_follow_events(launch, bus_address, hlctl):
    daemon = launch()
    before = in_json(hlctl("events", "--json"))["events"]
    follower = Monitor(bus_address, "--follow", "--json", verb="events")
    follower.wait_event(seq=len(before) - 1)
    for command in ("ready web", "console web", "console control", "shutdown web crash"):
        daemon.command(command)
    died = follower.wait_event(event="died")
    daemon.command("ready hw")
    follower.wait_event(event="ready", seq=died["seq"] + 1)
    assert follower.end(signal.SIGINT) == (0, "")
    seen = [json.loads(line) for line in follower.seen]
    assert seen == in_json(hlctl("events", "--json"))["events"], "each once, in order"
    assert [e["event"] for e in seen[len(before):]] == ["ready", "console", "console", "died", "ready"]


def test_follow_events_as_text(launch, bus_address):
    daemon = launch()
    follower = Monitor(bus_address, "--follow", "--since", "3", verb="events")
    follower.wait(lambda line: line.split() == ["SEQ", "TIME", "EVENT", "DOMID"], "the heading")
    assert follower.wait(lambda line: True, "a line").split()[0] == "SEQ"
    daemon.command("shutdown web crash")
    line = follower.wait(lambda line: "died" in line, "the last")
    assert line.split()[2:] == ["died", "5", "crash"]
    assert follower.seen[1].split()[0] == "3"
    # Columns stand under one another.
    at = follower.seen[0].index("EVENT")
    assert all(line[at - 1] == " " != line[at] for line in follower.seen), follower.seen
    assert follower.end(signal.SIGTERM) == (0, "")


def test_follow_outlives_the_daemon(launch, bus_address, hlctl):
    daemon = launch()
    follower = Monitor(bus_address, "--follow", "--json", verb="events")
    follower.wait_event(event="state", arg=4)
    daemon.stop()
    launch()
    nr = len(in_json(hlctl("events", "--json"))["events"])
    daemon.command("ready web")
    follower.wait_event(event="ready", seq=nr)
    assert follower.end(signal.SIGINT) == (0, "")


@pytest.mark.parametrize("verb, first", [(["monitor"], {"event": "monitoring"}), (["events", "--follow"], {"event": "state", "arg": 4})],
                         ids=["monitor", "follow"])
def test_what_goes_on_ends_with_the_bus(place, verb, first):
    """A bus of its own, to be killed."""
    config = place / "own.conf"
    config.write_text("<busconfig><listen>unix:path=%s</listen><policy context='default'>"
                      "<allow user='*'/><allow own='*'/><allow send_destination='*'/>"
                      "<allow receive_sender='*'/></policy></busconfig>" % (place / "own"))
    bus = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile",
                            "--print-address=1"], stdout=subprocess.PIPE, text=True)
    address = bus.stdout.readline().strip()
    blob = compile_lcm(place, "ok-static-basic")
    daemon = subprocess.Popen([os.environ["HYPERLAUNCHD"], "--address", address, "--hypervisor",
                               f"sim:{blob}"], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: subprocess.run([HLCTL, "--address", address, "status"],
                                          capture_output=True).returncode == 0, what="daemon")
        monitor = Monitor(address, "--json", *verb[1:], verb=verb[0])
        monitor.wait_event(**first)
        bus.kill()
        bus.wait()
        _, errors = monitor.process.communicate(timeout=20)
        assert monitor.process.returncode == FAILED
        assert errors.decode() == "hlctl: the connection to the bus broke\n"
    finally:
        bus.kill()
        daemon.kill()
        daemon.wait()


def test_no_daemon(hlctl):
    for verb in ("list", "status", "roles", "lcm", "events", "modules", "monitor", "handoff web",
                 "release web", "stats", "stats web"):
        assert "not running" in hlctl(*verb.split(), code=FAILED)


def test_no_bus():
    result = subprocess.run([HLCTL, "--address", "unix:path=/nonexistent/bus", "list"],
                            capture_output=True, text=True)
    assert result.returncode == FAILED
    assert "unix:path=/nonexistent/bus" in result.stderr
    for rubbish in ("rubbish", "unix:", "unix:what=ever"):
        result = subprocess.run([HLCTL, "--address", rubbish, "list"], capture_output=True,
                                text=True)
        assert result.returncode in (FAILED, USAGE)
        assert f"'{rubbish}'" in result.stderr


def test_no_session_bus():
    env = {key: value for key, value in os.environ.items() if not key.startswith("DBUS_") and key != "XDG_RUNTIME_DIR"}
    result = subprocess.run([HLCTL, "--session", "list"], env=env, capture_output=True, text=True)
    assert result.returncode == FAILED
    assert "no session bus here; dbus-run-session" in result.stderr and result.stderr.count("\n") == 1


def test_a_daemon_that_does_not_answer(launch, hlctl):
    daemon = launch()
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        message = hlctl("list", code=TIMEOUT, env={"SYSTEMD_BUS_TIMEOUT": "1s"})
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    assert "in time" in message


def test_no_lcm(launch, hlctl):
    launch("ok-static-basic", extra=",as=classic")
    assert in_json(hlctl("status", "--json"))["state"] == "none"
    assert in_json(hlctl("list", "--json"))["domains"][0]["domid"] == 0
    hlctl("lcm", code=NOT_FOUND)
    hlctl("events", code=NOT_FOUND)
    assert in_json(hlctl("modules", "--json")) == {"modules": []}


def test_xen_without_hyperlaunch(launch, hlctl):
    launch("ok-static-basic", extra=",as=unpatched")
    assert in_json(hlctl("status", "--json"))["state"] == "unknown"
    assert in_json(hlctl("list", "--json"))["domains"][0]["state"] == "running"
    hlctl("events", code=UNSUPPORTED)
    hlctl("lcm", code=UNSUPPORTED)


@pytest.mark.skipif(not IS_ROOT, reason="needs a second user")
@pytest.mark.parametrize("verb, code", [("lcm", DENIED), ("list", OK), ("handoff web", DENIED),
                                        ("release db", DENIED), ("stats", OK), ("stats --vcpus web", OK)])
def test_denied(launch, bus_address, public_hlctl, verb, code):
    launch()
    result = subprocess.run([*public_hlctl, "--address", bus_address, *verb.split()],
                            capture_output=True, text=True, user=NOBODY, group=NOBODY,
                            extra_groups=[], cwd="/")
    assert result.returncode == code, result.stderr


@pytest.mark.parametrize("args", [
    [], ["nonsense"], ["list", "web"], ["status", "a", "b"], ["--bogus"], ["list", "--since", "1"],
    ["status", "--role", "control"], ["lcm", "--role", "control"], ["events", "-f", "dts"],
    ["--role"], ["list", "--json=1"], ["handoff"], ["release"], ["handoff", "a", "b"],
    ["release", "--role", "control", "a"], ["release", "--for", "5", "a"], ["handoff", "a", "--for"],
    ["rename"], ["rename", "a"], ["rename", "a", "b", "c"], ["pause"], ["pause", "a", "b"], ["pause", "--timeout", "5", "a"], ["unpause", "--force", "a"], ["release", "--force", "a"],
    *(["shutdown", "a", "--timeout", seconds] for seconds in ("0", "-1", "1.5", "", "5s", "3601", "99999999999999999999")),
    *(["handoff", "a", "--for", seconds] for seconds in ("0", "-1", "1.5", "", "5s", "4294968", "99999999999999999999")),
])
def test_usage(args):
    result = subprocess.run([HLCTL, *args], capture_output=True, text=True)
    assert result.returncode == USAGE
    assert result.stderr.startswith("hlctl: ") and result.stderr.count("\n") == 1
    assert not result.stdout


@pytest.mark.parametrize("args, words", [
    (["list", "--bogus"], "'--bogus' is no option"), (["list", "--json=1"], "'--json=1': this option takes no value"),
    (["list", "--role"], "'--role' needs a value"), (["list", "-r"], "'-r' needs a value"),
    (["--json", "handoff", "-5"], "no option -5"), (["--json", "status", "-5j"], "no option -5"),
    (["status", "--system=x"], "'--system=x'"), (["--s"], "'--s'"),
])
def test_wrong_options(args, words):
    """Each is named, and a negative domid gets a hint."""
    result = subprocess.run([HLCTL, *args], capture_output=True, text=True)
    assert result.returncode == USAGE
    assert result.stderr.startswith("hlctl: ") and result.stderr.count("\n") == 1
    assert words in result.stderr
    assert ("after --" in result.stderr) == ("-5" in words)


@pytest.mark.parametrize("verb", ["status", "handoff", "release", "pause", "shutdown"])
def test_nonsense_for_a_domain(launch, hlctl, verb):
    """One line, whatever was typed; no control character of it, and not all of a long one."""
    launch("ok-dynamic-full", options=["--session"])
    for text in ("-1", " ", "0x5", "5.0", "5 ", "99999999999999999999", "4294967295", "%s%n", "../5", "*"):
        assert f"'{text}'" in hlctl(verb, "--", text, code=NOT_FOUND)
    assert "'a?b?[2J'" in hlctl(verb, "a\nb\x1b[2J", code=NOT_FOUND)
    assert "'??x'" in hlctl(verb, b"\xff\xfex", code=NOT_FOUND)
    assert 1000 < len(hlctl(verb, "x" * 100000, code=NOT_FOUND)) < 2000
    hlctl(verb, "\u00e9x" * 10000, code=NOT_FOUND)
    assert in_json(hlctl("status", "--json"))["console_domid"] == 4


def test_help_and_version():
    text = subprocess.run([HLCTL, "--help"], capture_output=True, text=True, check=True).stdout
    for word in ("list", "status", "roles", "lcm", "events", "modules", "monitor", "handoff",
                 "release", "pause", "unpause", "shutdown", "reboot", "rename", "stats", "--json", "--address"):
        assert word in text
    version = subprocess.run([HLCTL, "-V"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("hlctl 0.")


def test_full_disk(launch, bus_address):
    launch()
    for args in (["list"], ["list", "--json"], ["stats"], ["stats", "--openmetrics"], ["lcm"], ["roles"], ["status"], ["status", "web"],
                 ["handoff", "web"]):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([HLCTL, "--address", bus_address, *args], stdout=full,
                                    stderr=subprocess.PIPE)
        assert result.returncode == FAILED, args
        assert b"cannot write" in result.stderr


def test_monitor_takes_no_signals_of_others(launch, bus_address, client):
    """Which a user may send to its connection alone, as if they were hyperlaunchd's."""
    daemon = launch(options=["--session"])
    monitor = Monitor(bus_address, "--json")
    monitor.wait_event(event="monitoring")
    names = [name for name in client.connection.list_names() if name.startswith(":")]
    for name in names:
        forged = dbus.lowlevel.SignalMessage(PATH, MANAGER, "DomainAdded")
        forged.append(66, "forged", f"{PATH}/domain/d66_0", signature="uso")
        forged.set_destination(name)
        client.connection.send_message(forged)
    client.connection.flush()
    daemon.command("domain-add vm domid=60")
    monitor.wait_event(event="domain-added", domid=60)
    assert not any("forged" in line for line in monitor.lines())
    monitor.end(signal.SIGINT)


def test_jobs(launch, hlctl, bus_address):
    """What waits for the end of a line, and what waits behind it."""
    daemon = launch(options=["--session"])
    assert hlctl("jobs").split() == ["JOB", "KIND", "STATE", "STAGE", "DOMID"]
    assert in_json(hlctl("jobs", "--json")) == {"jobs": []}
    monitor = Monitor(bus_address, "--json")
    monitor.wait_event(event="monitoring")
    daemon.command("typing on")
    handoffs = [subprocess.Popen([HLCTL, "--address", bus_address, "handoff", name], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True) for name in ("web", "control")]
    wait_until(lambda: len(in_json(hlctl("jobs", "--json"))["jobs"]) == 2, what="two jobs")
    first, second = in_json(hlctl("jobs", "--json"))["jobs"]
    assert (first["kind"], first["state"], first["stage"]) == ("set-console-owner", "running", "hand-off")
    assert (second["state"], second["stage"]) == ("waiting", None) and {first["domid"], second["domid"]} == {2, 5}
    assert hlctl("jobs", "--no-legend").splitlines()[1].split() == [str(second["job"]), "set-console-owner", "waiting", "-",
                                                                   str(second["domid"])]
    assert "hand-off" in hlctl("cancel", str(first["job"]), code=FAILED)
    assert hlctl("cancel", str(second["job"])) == f"Job {second['job']} is cancelled.\n"
    daemon.command("typing off")
    ends = {process.wait(60): process.communicate() for process in handoffs}
    assert set(ends) == {OK, FAILED} and "it was cancelled" in ends[FAILED][1]
    monitor.wait_event(event="job-removed", path=second["path"], result="cancelled")
    monitor.wait_event(event="job-removed", path=first["path"], result="done", error="")
    monitor.end(signal.SIGINT)


def test_monitor_of_jobs(launch, hlctl, bus_address):
    """As `hlctl jobs` shows them, from the first to the last."""
    daemon = launch(options=["--session"])
    monitor, text = Monitor(bus_address, "--json"), Monitor(bus_address)
    monitor.wait_event(event="monitoring")
    text.wait(lambda line: "monitoring" in line, "start")
    daemon.command("typing on")
    handoffs = []
    for nr, name in enumerate(("web", "control"), 1):
        handoffs.append(subprocess.Popen([HLCTL, "--address", bus_address, "handoff", name], stdout=subprocess.DEVNULL))
        wait_until(lambda: len(in_json(hlctl("jobs", "--json"))["jobs"]) == nr, what="the job")
    _, waiting = in_json(hlctl("jobs", "--json"))["jobs"]
    daemon.command("typing off")
    assert [process.wait(60) for process in handoffs] == [OK, OK]
    identity = {key: waiting[key] for key in ("job", "path")}
    gone = monitor.wait_event(event="job-removed", **identity)
    seen = [event for event in map(json.loads, monitor.lines()) if event.get("job") == waiting["job"]]
    for event in seen:
        assert event.pop("time_usec") > 0
    about = {"kind": "set-console-owner", "domid": 2, "subject": waiting["subject"], **identity}
    assert seen[0] == {"event": "job-new", **about}
    assert seen[1:-1] == [{"event": "job-changed", "state": "running", "stage": "hand-off", "progress": 0, **identity}]
    assert seen[-1] == {"event": "job-removed", "result": "done", "error": "", "message": "", **about}
    assert gone["job"] == waiting["job"] == 2
    # Not as properties that look like the domain's.
    assert not any('"State"' in line for line in monitor.lines())
    line = text.wait(lambda line: "job-changed job=2" in line, "the change")
    assert line.split()[1:] == ["job-changed", "job=2", f'path="{waiting["path"]}"', 'state="running"', 'stage="hand-off"', "progress=0"]
    text.wait(lambda line: "job-removed job=2" in line and 'result="done"' in line, "the end")
    for each in (monitor, text):
        assert each.end(signal.SIGINT) == (OK, "")


def test_cancel_wrongly(launch, hlctl):
    launch(options=["--session"])
    assert "which job" in hlctl("cancel", code=USAGE)
    for text in ("", "0", "01", "-1", "1x", "99999999999", "web", "../domain/d5_0"):
        assert "no number of a job" in hlctl("cancel", "--", text, code=USAGE)
    assert "no job 77" in hlctl("cancel", "77", code=NOT_FOUND)
    assert "no job 4294967296" in hlctl("cancel", "4294967296", code=NOT_FOUND)
    assert "unexpected argument" in hlctl("cancel", "1", "2", code=USAGE)


def test_host(launch, hlctl):
    daemon = launch(options=["--session"])
    text = hlctl("host")
    assert "Xen: 4.20.0-sim" in text and "CPUs: 8, 2000 MHz" in text and "IOMMU: yes" in text
    host = in_json(hlctl("host", "--json"))
    assert (host["xen_version"], host["cpus"], host["memory_free_kib"], host["hvm"]) == ("4.20.0-sim", 8, 4 << 20, True)
    daemon.command("fault get-host EPERM 100")
    assert "Xen: -" in hlctl("host")


def test_dmesg(launch, hlctl):
    daemon = launch(options=["--session"])
    lines = hlctl("dmesg").splitlines()
    assert lines[0].startswith("(XEN)") and "lcm-found" in lines[0] and len(lines) > 8
    assert "no JSON" in hlctl("dmesg", "--json", code=USAGE)
    daemon.command("fault read-log EPERM 1")
    assert "control permission" in hlctl("dmesg", code=UNSUPPORTED)
