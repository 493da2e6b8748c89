# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every method, property and error of the read side, and the interface file."""

import fcntl
import hashlib
import json
import os
import subprocess
import xml.etree.ElementTree as ET

import dbus
import pytest

from conftest import (ACCESS_DENIED, DOMAIN, HOST, INVALID_ARGS, JOB, LAUNCH, LIFECYCLE, MANAGER, OURS, PATH, PROPERTIES, ROOT,
                      wait_until)
from console_support import CONSOLE, consoled, daemon, peers, server, web

NONE = 0xffffffff
ROLES = {  # of ok-dynamic-full
    "control": ["control"], "hardware": ["hw"], "boot": [], "crash": ["crash"],
    "console": ["console"], "xenstore": ["store"], "legacy-dom0": [],
}


def test_list_domains(launch, client):
    launch()
    rows = client.list()
    assert client.call("ListDomains").signature == "(oussssastua{sv})"
    assert [str(r.name) for r in rows] == ["store", "control", "crash", "console", "web", "db",
                                         "hw", "boot"]
    by_name = client.rows()
    assert by_name["control"] == (PATH + "/domain/d2_0", 2, "8d5a104e-6c2b-4f0a-9b1e-000000000002", "control",
                                  "started", "boot", ["control"], 512 << 20, 2, {})
    assert by_name["store"].roles == ["xenstore"]
    assert by_name["boot"].state == "reclaimed" and by_name["boot"].uuid == ""
    assert by_name["db"].state == "held"


def test_memory_in_the_list(launch, client):
    """The limit, or where there is none, what the LCM plans."""
    daemon = launch()
    daemon.command("memory web 4096")
    wait_until(lambda: client.rows()["web"].memory == 4096 << 10)
    daemon.command(f"memory web {(2**64 - 1) >> 10}")
    assert client.rows()["boot"].memory == client.domain("boot")["MemoryPlanned"]


def test_get_domain(launch, client):
    launch()
    for row in client.list():
        domid, uuid, name, path = row.domid, row.uuid, row.name, row.path
        assert client.call("GetDomainByDomid", "u", domid) == path
        assert client.call("GetDomainByName", "s", name) == path
        if uuid:
            assert client.call("GetDomainByUUID", "s", uuid) == path
            assert client.call("GetDomainByUUID", "s", uuid.upper()) == path


def test_handle(launch, client):
    """The UUID is the LCM's, whatever handle Xen has; each finds the domain."""
    daemon = launch()
    web, uuid = client.path_of("web"), client.domain("web")["UUID"]
    handle = "00112233-4455-6677-8899-aabbccddeeff"
    daemon.command(f"handle web {handle}")
    client.wait_property(web, "Handle", handle)
    assert client.get("UUID", DOMAIN, web) == uuid
    assert client.call("GetDomainByUUID", "s", uuid) == web
    assert client.call("GetDomainByUUID", "s", handle) == web
    assert client.domain("boot")["UUID"] == ""
    assert client.domain("boot")["Handle"] == ""
    daemon.command("domain-remove web")
    client.wait_property(web, "Handle", "")
    assert client.call("GetDomainByUUID", "s", uuid) == web
    client.expect_error(OURS + "NoSuchDomain", "GetDomainByUUID", "s", handle)


def test_get_domain_errors(launch, client):
    launch()
    missing = OURS + "NoSuchDomain"
    assert "77" in client.expect_error(missing, "GetDomainByDomid", "u", 77)
    assert "nosuch" in client.expect_error(missing, "GetDomainByName", "s", "nosuch")
    client.expect_error(missing, "GetDomainByUUID", "s", "00000000-0000-0000-0000-000000000001")
    for domid in (0x7ff0, 0x7ff4, 0xffffffff):
        client.expect_error(INVALID_ARGS, "GetDomainByDomid", "u", domid)
    for uuid in ("", "x", "00000000-0000-0000-0000-000000000000", "8d5a104e" * 4,
                 "8d5a104e-6c2b-4f0a-9b1e-00000000000g", "8d5a104e-6c2b-4f0a-9b1e-000000000002 "):
        client.expect_error(INVALID_ARGS, "GetDomainByUUID", "s", uuid)
    client.expect_error(INVALID_ARGS, "GetDomainByName", "s", "")


def test_hostile_names(launch, client):
    launch()
    for name in ("../../etc", "%s%n%s%n", "a" * 100000, "\u202e\u0000"[:1], "\x01\x1b[2J", "'\"`"):
        message = client.expect_error(OURS + "NoSuchDomain", "GetDomainByName", "s", name)
        assert len(message) < 600
        assert "\x1b" not in message


def test_long_names_in_errors(launch, client):
    """Shortened within a character: the error is still one that D-Bus can carry."""
    daemon = launch(options=["--session"])
    for name in ("\u00e9" * 100, "x" + "\u00e9" * 100, "\U0001f600" * 40, "xx" + "\U0001f600" * 40):
        assert "There is no" in client.expect_error(OURS + "NoSuchDomain", "GetDomainByName", "s", name)
    daemon.command("domain-add x" + "\u00e9" * 30 + " domid=70")
    daemon.command("dying 70")
    client.expect_error(OURS + "WrongState", "SetConsoleOwner", "oa{sv}", client.call("GetDomainByDomid", "u", 70), {})


def test_ambiguous_name(launch, client):
    daemon = launch("ok-classic-dom0")
    for _ in range(2):
        daemon.command("domain-add twin")
    wait_until(lambda: [r.name for r in client.list()].count("twin") == 2)
    message = client.expect_error(OURS + "AmbiguousName", "GetDomainByName", "s", "twin")
    assert "UUID" in message


@pytest.mark.parametrize("role", ROLES)
def test_roles(launch, client, role):
    launch()
    paths = client.call("GetDomainsByRole", "s", role)
    assert paths.signature == "o"
    assert [str(client.get("Name", DOMAIN, p)) for p in paths] == ROLES[role]


def test_role_errors(launch, client):
    launch()
    for role in ("", "Control", "dom0", "control ", "unknown"):
        assert "legacy-dom0" in client.expect_error(INVALID_ARGS, "GetDomainsByRole", "s", role)


def test_summary(launch, client):
    daemon = launch()
    summary = client.launch()
    blob = (daemon.place / "launch.dtb").read_bytes()
    assert summary["State"] == "complete"
    assert summary["Source"] == "simulated"
    assert summary["LCMSize"] == len(blob)
    assert summary["LCMDigest"] == hashlib.sha256(blob).hexdigest()
    assert summary["Form"] == "hypervisor"
    assert summary["Dynamic"]
    assert (summary["Expected"], summary["Built"], summary["Failed"]) == (8, 8, 0)
    assert (summary["Error"], summary["ErrorNode"], summary["ErrorProperty"]) == ("", "", "")
    assert 0 < summary["StartUSec"] < summary["EndUSec"]
    assert summary["Warnings"] == dbus.Array([], signature="s")
    assert not summary["WeakHardware"]
    assert set(summary) == {
        "State", "Source", "LCMSize", "LCMDigest", "Form", "Dynamic", "Expected", "Built",
        "Failed", "Error", "ErrorNode", "ErrorProperty", "WeakHardware", "StartUSec", "EndUSec",
        "Warnings", "NEvents"}


def test_summary_of_a_bad_lcm(launch, client):
    launch("bad-memory-zero")
    summary = client.launch()
    assert summary["State"] in ("failed", "recovery")
    assert "memory" in summary["Error"] or summary["ErrorProperty"] == "memory"
    assert summary["ErrorProperty"] == "memory"
    assert summary["ErrorNode"].startswith("/chosen")


def test_warnings(launch, client):
    launch("ok-unknown-bits")
    warnings = client.launch()["Warnings"]
    assert warnings.signature == "s" and len(warnings) > 0
    assert all("/chosen" in w for w in warnings)


def test_events(launch, client):
    launch()
    events = client.call("GetEvents", "u", 0)
    assert events.signature == "(utsuua{sv})"
    assert [e[0] for e in events] == list(range(len(events)))
    assert [e[1] for e in events] == sorted(e[1] for e in events)
    assert events[0][2] == "lcm-found"
    assert [e[2] for e in events].count("built") == 8
    assert client.call("GetEvents", "u", 5) == events[5:]
    assert client.call("GetEvents", "u", 0xffffffff) == []


def test_modules(launch, client):
    launch()
    modules = client.call("ListModules")
    assert modules.signature == "(ustsasa{sv})"
    assert [m[0] for m in modules] == [1, 2, 3, 4, 5, 6]
    assert modules[1][1] == "ramdisk" and modules[1][4] == ["web", "db"]


def read_memfd(client, form):
    fd = client.call("GetLCM", "s", form).take()
    try:
        seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
        assert os.lseek(fd, 0, os.SEEK_CUR) == 0
        return seals, os.read(fd, 1 << 20), fd
    except BaseException:
        os.close(fd)
        raise


ALL_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


@pytest.fixture
def allowed(launch):
    """As the user that may read the LCM."""
    return launch("ok-dynamic-full", options=["--session"])


def test_lcm_dtb(allowed, client):
    seals, data, fd = read_memfd(client, "dtb")
    assert data == (allowed.place / "launch.dtb").read_bytes()
    assert seals & ALL_SEALS == ALL_SEALS
    for attempt in (lambda: os.write(fd, b"x"), lambda: os.ftruncate(fd, 1),
                    lambda: os.ftruncate(fd, 1 << 20),
                    lambda: fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)):
        with pytest.raises(PermissionError):
            attempt()
    os.close(fd)


def test_lcm_dts(allowed, client):
    _, data, fd = read_memfd(client, "dts")
    os.close(fd)
    again = subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], input=data,
                           capture_output=True, check=True).stdout
    decompile = ["dtc", "-q", "-I", "dtb", "-O", "dts", "-s"]
    blob = (allowed.place / "launch.dtb").read_bytes()
    assert subprocess.run(decompile, input=again, capture_output=True, check=True).stdout == \
        subprocess.run(decompile, input=blob, capture_output=True, check=True).stdout


def test_lcm_json(allowed, client):
    _, data, fd = read_memfd(client, "json")
    os.close(fd)
    names = [d["name"] for d in json.loads(data)["domains"]]
    assert sorted(names) == sorted(client.rows())


def test_lcm_errors(allowed, client):
    for form in ("", "DTB", "xml", "dtb\n"):
        assert "json" in client.expect_error(INVALID_ARGS, "GetLCM", "s", form)


def test_lcm_invalid(launch, client):
    launch("bad-memory-zero", options=["--session"])
    message = client.expect_error(OURS + "LCMInvalid", "GetLCM", "s", "json")
    assert "/chosen" in message and "memory" in message
    _, data, fd = read_memfd(client, "dtb")
    os.close(fd)
    assert data.startswith(b"\xd0\x0d\xfe\xed")


def test_lcm_missing(launch, client):
    launch(extra=",as=classic", options=["--session"])
    client.expect_error(OURS + "LCMMissing", "GetLCM", "s", "dtb")
    client.expect_error(OURS + "LCMMissing", "GetEvents", "u", 0)
    assert client.get("State", LAUNCH) == "none"
    assert client.launch()["Source"] == "none"


def test_unpatched_xen(launch, client):
    daemon = launch(extra=",as=unpatched", options=["--session"])
    assert "XEN_SYSCTL_hyperlaunch" in daemon.text()
    for method, signature, arg in (("GetLCM", "s", "dtb"), ("GetEvents", "u", 0)):
        assert "XEN_SYSCTL_hyperlaunch" in client.expect_error(OURS + "HypervisorTooOld", method,
                                                               signature, arg)
    assert client.get("State", LAUNCH) == "unknown"
    rows = client.list()
    assert len(rows) >= 1
    for row in rows:
        assert row.roles == []
        assert (client.get("Permissions", DOMAIN, row.path), client.get("Functions", DOMAIN, row.path)) == (0, 0)
    daemon.command("domain-add later")
    wait_until(lambda: "later" in client.rows())


def test_manager_properties(launch, client):
    launch()
    assert client.get_all() == {
        "Version": "0.1.0", "ApiLevel": 3, "SelfDomain": f"{PATH}/domain/d2_0", "ConsoleOwner": f"{PATH}/domain/d4_0",
        "HardwareDomain": f"{PATH}/domain/d20_0", "XenstoreDomain": f"{PATH}/domain/d1_0",
        "BootDomain": "/", "CrashDomain": f"{PATH}/domain/d3_0", "NDomains": 8, "XenstoreState": "none"}


def test_domain_properties(launch, client):
    launch()
    domain = client.domain("control")
    assert domain == {
        "Domid": 2, "Generation": 0, "RequestedDomid": 0, "Name": "control",
        "UUID": "8d5a104e-6c2b-4f0a-9b1e-000000000002",
        "Handle": "8d5a104e-6c2b-4f0a-9b1e-000000000002", "Origin": "boot", "Adopted": False, "Permissions": 1,
        "Functions": 0, "Roles": ["control"], "Mode": 4, "State": "started", "Reason": "",
        "MemoryPlanned": 512 << 20, "MemoryMax": 512 << 20, "MemoryCurrent": 512 << 20,
        "VcpusMax": 2, "VcpusOnline": 2, "CpuTimeNSec": domain["CpuTimeNSec"], "SchedulerWeight": 256, "SchedulerCap": 0,
        "HardAffinity": "all", "SoftAffinity": "all", "SecurityLabel": domain["SecurityLabel"],
        "Modules": [("kernel", 1, 0, "", {}), ("ramdisk", 3, 0, "", {})], "Drift": [],
        "LCMNode": "/chosen/hypervisor/control", "XenstoreState": "page-ready", "XenstoreError": "",
        "BuiltUSec": domain["BuiltUSec"], "StartedUSec": domain["StartedUSec"], "ReadyUSec": 0}
    assert 0 < domain["BuiltUSec"] < domain["StartedUSec"]


def test_adopted_domain_is_another_object(launch, client):
    daemon = launch()
    uuid = "8d5a104e-6c2b-4f0a-9b1e-000000000006"
    modules = client.domain("web")["Modules"]
    daemon.command("domain-remove web")
    daemon.command(f"domain-add web domid=70 paused uuid={uuid}")
    wait_until(lambda: any(row.domid == 70 for row in client.list()))
    toolstacks, = [row.path for row in client.list() if row.domid == 70]
    assert not client.get("Adopted", DOMAIN, toolstacks)
    daemon.command("adopt 70 web")
    assert client.wait_signal("DomainRemoved", match=lambda domid, *_: domid == 5)[3] == (
        5, "web", f"{PATH}/domain/d5_0", "destroyed")
    assert client.wait_signal("DomainRemoved", match=lambda domid, *_: domid == 70)[3] == (70, "web", toolstacks, "adopted")
    client.wait_signal("DomainAdded", match=lambda *args: args == (70, "web", f"{PATH}/domain/d70_1"))
    domain = client.domain("web")
    assert (domain["Domid"], domain["Generation"], domain["Origin"], domain["Adopted"]) == (70, 1, "boot", True)
    assert (domain["UUID"], domain["State"], domain["Reason"]) == (uuid, "built", "adopted, waits for its toolstack")
    assert (domain["Modules"], domain["LCMNode"]) == (modules, "/chosen/hypervisor/web")
    daemon.command("unpause web")
    wait_until(lambda: client.domain("web")["State"] == "started")


def test_post_boot_properties(launch, client):
    daemon = launch()
    daemon.command("domain-add guest uuid=00000000-0000-0000-0000-0000000000aa memory=65536 "
                   "vcpus=3 pv")
    wait_until(lambda: "guest" in client.rows())
    domain = client.domain("guest")
    assert domain["Origin"] == "post-boot"
    assert domain["RequestedDomid"] == NONE
    assert domain["State"] == "running"
    assert (domain["VcpusMax"], domain["MemoryMax"]) == (3, 65536 << 10)
    assert domain["MemoryPlanned"] == 0
    assert domain["UUID"] == domain["Handle"] == "00000000-0000-0000-0000-0000000000aa"
    assert domain["LCMNode"] == "" and domain["Modules"] == [] and domain["Roles"] == []
    assert domain["XenstoreState"] == "none"
    assert client.path_of("guest").endswith(f"d{domain['Domid']}_{domain['Generation']}")


def test_managed_objects_are_all_there_is(launch, client):
    launch()
    objects = client.objects()
    assert sorted(objects) == sorted(r.path for r in client.list())
    for path, interfaces in objects.items():
        # CPU times differ where a second passes between the calls.
        assert interfaces[DOMAIN] | {"CpuTimeNSec": 0} == client.get_all(DOMAIN, path) | {"CpuTimeNSec": 0}
        assert interfaces[LIFECYCLE] == {"OnPoweroff": "", "OnReboot": "", "OnCrash": "", "Restarts": 0}


def test_no_such_object(launch, client):
    launch()
    for name in ("d2", "d2_1", "d02_0", "d2_00", "d2_0x", "d+2_0", "d 2_0", "x",
                 "d4294967298_0", "d2_0/x"):
        path = f"{PATH}/domain/" + "".join(c if c.isalnum() or c in "_/" else "_" for c in name)
        with pytest.raises(dbus.DBusException) as caught:
            client.get("Name", DOMAIN, path)
        assert caught.value.get_dbus_name() == "org.freedesktop.DBus.Error.UnknownObject", name


def test_wrong_calls(launch, client):
    launch()
    cases = (
        ("NoSuchMethod", "", (), MANAGER, "UnknownMethod"),
        ("ListDomains", "s", ("x",), MANAGER, "InvalidArgs"),
        ("GetDomainByDomid", "s", ("1",), MANAGER, "InvalidArgs"),
        ("GetDomainByDomid", "", (), MANAGER, "InvalidArgs"),
        ("ListDomains", "", (), DOMAIN, "UnknownMethod"),
        ("Set", "ssv", (MANAGER, "Version", "x"), PROPERTIES, "PropertyReadOnly"),
        ("Get", "ss", (MANAGER, "Nothing"), PROPERTIES, "UnknownProperty"),
        ("GetAll", "s", (MANAGER + "x",), PROPERTIES, "UnknownInterface"),
    )
    for method, signature, args, interface, error in cases:
        with pytest.raises(dbus.DBusException) as caught:
            client.call(method, signature, *args, interface=interface)
        assert caught.value.get_dbus_name() == "org.freedesktop.DBus.Error." + error, method
    assert client.get("ApiLevel") == 3
    assert ACCESS_DENIED not in str(client.signals)


def shape(interface):
    """Everything of an interface that a client sees."""
    shapes = set()
    for member in interface:
        if member.tag not in ("method", "signal", "property"):
            continue
        direction = "out" if member.tag == "signal" else "in"
        args = tuple((a.get("name"), a.get("type"), a.get("direction", direction))
                     for a in member if a.tag == "arg")
        notes = frozenset((a.get("name"), a.get("value")) for a in member if a.tag == "annotation"
                          and a.get("name") != "org.freedesktop.systemd1.Privileged")
        shapes.add((member.tag, member.get("name"), member.get("type"), member.get("access"), args,
                    notes))
    return shapes


def test_introspection_is_the_file(web, client):
    _, web_path = web
    tree = ET.parse(ROOT / "docs" / "dbus" / "org.xenproject.Hyperlaunch1.xml").getroot()
    files = {i.get("name"): shape(i) for i in tree.iter("interface")}
    assert set(files) == {MANAGER, LAUNCH, HOST, DOMAIN, LIFECYCLE, CONSOLE, JOB}
    for interfaces, path in (({MANAGER, LAUNCH, HOST}, PATH), ({DOMAIN, LIFECYCLE}, client.path_of("control")),
                             ({DOMAIN, LIFECYCLE, CONSOLE}, web_path)):
        xml = client.call("Introspect", path=path,
                          interface="org.freedesktop.DBus.Introspectable")
        live = {i.get("name"): shape(i) for i in ET.fromstring(xml).iter("interface")}
        ours = {n for n in live if n.startswith("org.xenproject")}
        assert ours == interfaces
        for interface in interfaces:
            assert live[interface] == files[interface]


def test_introspection_lists_the_domains(launch, client):
    launch()
    xml = client.call("Introspect", path=PATH + "/domain",
                      interface="org.freedesktop.DBus.Introspectable")
    nodes = {n.get("name") for n in ET.fromstring(xml).iter("node") if n.get("name")}
    assert nodes == {r.path.rsplit("/", 1)[1] for r in client.list()}


def test_host(launch, client):
    daemon = launch()
    host = client.get_all(HOST)
    assert host == {"XenVersion": "4.20.0-sim", "XenCapabilities": "xen-3.0-x86_64 hvm-3.0-x86_64", "Scheduler": "credit2",
                    "Cpus": 8, "CpuKHz": 2000000, "MemoryTotal": host["MemoryTotal"], "MemoryFree": 4 << 30, "HVM": True,
                    "IOMMU": True}
    current = sum(client.get("MemoryCurrent", DOMAIN, row.path) for row in client.list())
    assert host["MemoryTotal"] - host["MemoryFree"] == current > 0
    daemon.command("weak-hwdom on")
    assert not client.get("IOMMU", HOST)


def test_host_that_xen_does_not_describe(launch, client):
    """The properties of the other interfaces are not lost with it."""
    daemon = launch()
    daemon.command("fault get-host EPERM 100")
    assert client.get("XenVersion", HOST) == "" and client.get("MemoryTotal", HOST) == 0
    everything = client.get_all("")
    assert everything["ApiLevel"] == 3 and everything["Cpus"] == 0 and everything["State"] == "complete"


def test_log_of_xen(allowed, client):
    fd = client.call("ReadLog", "a{sv}", {}, interface=HOST).take()
    text = os.read(fd, 1 << 20)
    assert text.startswith(b"(XEN)") and b"lcm-found" in text and text.count(b"\n") == len(client.call("GetEvents", "u", 0))
    assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) & ALL_SEALS == ALL_SEALS
    with pytest.raises(PermissionError):
        os.write(fd, b"x")
    os.close(fd)
    allowed.command("fault read-log EPERM 1")
    client.expect_error(OURS + "NotControlDomain", "ReadLog", "a{sv}", {}, interface=HOST)
