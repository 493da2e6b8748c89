# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlctl against hyperlaunchd: every verb, its JSON, its errors and exit codes."""

import hashlib
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from conftest import NOBODY, IS_ROOT, compile_lcm, wait_until

HLCTL = os.environ["HLCTL"]
OK, FAILED, USAGE, NOT_FOUND, DENIED, UNSUPPORTED, TIMEOUT = range(7)
DOMAIN_KEYS = {
    "name", "domid", "requested_domid", "uuid", "handle", "permissions", "permission_names", "functions",
    "function_names", "mode", "mode_names", "cpus", "cpus_online", "memory_kib", "memory_max_kib",
    "memory_current_kib", "state", "reason", "origin", "generation", "roles", "path", "lcm_node",
    "security_label", "xenstore_state", "modules", "drift",
}
STATUS_KEYS = {
    "state", "source", "form", "dynamic", "error", "error_node", "error_property", "expected",
    "built", "failed", "lcm_size", "lcm_sha256", "console_domid", "hardware_domid",
    "xenstore_domid", "start_usec", "end_usec", "warnings",
}


@pytest.fixture
def hlctl(bus_address):
    """hlctl(ARGS..., code=0): what it printed; its errors are one sentence."""
    def run(*args, code=OK, env=None, **kwargs):
        result = subprocess.run([HLCTL, "--address", bus_address, *args], capture_output=True,
                                env={**os.environ, **(env or {})}, timeout=60, **kwargs)
        errors = result.stderr.decode()
        assert result.returncode == code, errors
        if code:
            assert errors.startswith("hlctl: ") and errors.count("\n") == 1, errors
            return errors
        assert not errors
        return result.stdout.decode()
    return run


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
    launch()
    lines = hlctl("list").splitlines()
    assert lines[0].split() == ["DOMID", "NAME", "STATE", "CPUS", "MEMORY", "ORIGIN", "ROLES",
                                "UUID"]
    assert len(lines) == 9
    assert lines[5].split() == ["5", "web", "started", "2", "128", "M", "boot", "-",
                                "8d5a104e-6c2b-4f0a-9b1e-000000000006"]
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


def test_status_of_a_domain(launch, hlctl):
    daemon = launch()
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


def read_terminal(leader):
    """All that was written before the other end was closed."""
    output = b""
    while select.select([leader], [], [], 1)[0]:
        try:
            output += os.read(leader, 65536)
        except OSError:
            break
    os.close(leader)
    return output


def on_terminal(args, env):
    leader, follower = pty.openpty()
    subprocess.run(args, stdout=follower, check=True, env={**os.environ, **env})
    os.close(follower)
    return read_terminal(leader)


def test_colours(launch, bus_address):
    launch()
    args = [HLCTL, "--address", bus_address, "list"]
    assert b"\033[32mstarted\033[0m" in on_terminal(args, {"TERM": "xterm", "NO_COLOR": ""})
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
    def __init__(self, bus_address, *args):
        self.process = subprocess.Popen([HLCTL, "--address", bus_address, "monitor", *args],
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
    monitor.wait_event(event="property-changed", property="Drift", value=[["name", "web", "www"]])
    daemon.command("domain-remove vm")
    monitor.wait_event(event="domain-removed", domid=60)
    daemon.command("console control")
    monitor.wait_event(event="role-changed", role="console", old=4, new=2)
    monitor.wait_event(event="property-changed", property="ConsoleDomid", value=2)
    daemon.command("domain-remove control")
    monitor.wait_event(event="role-changed", role="console", old=2, new=4)
    daemon.command("domain-remove hw")
    monitor.wait_event(event="role-changed", role="hardware", old=20, new=None)
    daemon.command("state recovery")
    monitor.wait_event(event="launch-state-changed", old="complete", new="recovery")
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


def test_monitor_ends_with_the_bus(place):
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
        monitor = Monitor(address, "--json")
        monitor.wait_event(event="monitoring")
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
                 "release web"):
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


@pytest.fixture
def public_hlctl():
    """hlctl where everybody can run it: the build may lie in somebody's home."""
    built = os.path.dirname(HLCTL)
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        for file in (HLCTL, os.path.join(built, "../../libhl/libhl.so.0")):
            shutil.copy(file, place)
        yield ["env", f"LD_LIBRARY_PATH={place}", os.path.join(place, os.path.basename(HLCTL))]


@pytest.mark.skipif(not IS_ROOT, reason="needs a second user")
@pytest.mark.parametrize("verb, code", [("lcm", DENIED), ("list", OK), ("handoff web", DENIED),
                                        ("release db", DENIED)])
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
    ["release", "--role", "control", "a"],
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


@pytest.mark.parametrize("verb", ["status", "handoff", "release"])
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
                 "release", "--json", "--address"):
        assert word in text
    version = subprocess.run([HLCTL, "-V"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("hlctl 0.")


def test_full_disk(launch, bus_address):
    launch()
    for args in (["list"], ["list", "--json"], ["lcm"], ["roles"], ["status"], ["status", "web"],
                 ["handoff", "web"]):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([HLCTL, "--address", bus_address, *args], stdout=full,
                                    stderr=subprocess.PIPE)
        assert result.returncode == FAILED, args
        assert b"cannot write" in result.stderr


def test_completion(launch, bus_address, tmp_path):
    """What bash would offer."""
    launch()
    script = os.environ["HLCTL_COMPLETION"]

    def complete(*words):
        code = (f'PATH={os.path.dirname(HLCTL)}:$PATH; source "$1"; shift; COMP_WORDS=("$@"); '
                "COMP_CWORD=$(($# - 1)); _hlctl; printf '%s\\n' \"${COMPREPLY[@]}\"")
        return subprocess.run(["bash", "-c", code, "-", script, *words], capture_output=True,
                              text=True, check=True).stdout.split()

    assert complete("hlctl", "st") == ["status"]
    assert complete("hlctl", "list", "--role", "x") == ["xenstore"]
    assert "--format" in complete("hlctl", "lcm", "--")
    assert "--format" not in complete("hlctl", "list", "--")
    assert complete("hlctl", "--address", bus_address, "status", "w") == ["web"]
    assert complete("hlctl", "--address", bus_address, "list", "w") == []
    assert complete("hlctl", "ha") == ["handoff"]
    for verb in ("handoff", "release"):
        assert complete("hlctl", "--address", bus_address, verb, "d") == ["db"]
