# SPDX-License-Identifier: LGPL-2.1-or-later
"""GetStats: the resource usage of one domain, and of all in one call."""

import time
import uuid

import dbus
import pytest

from conftest import (DOMAIN, INVALID_ARGS, OURS, PATH, as_nobody, turn, wait_until)

NO_LIMIT = 2**64 - 1
TYPES = {
    "TimestampUSec": dbus.UInt64, "Domid": dbus.UInt32, "UUID": dbus.String, "Name": dbus.String, "State": dbus.String,
    "CpuTimeNSec": dbus.UInt64, "VcpusOnline": dbus.UInt32, "VcpusMax": dbus.UInt32, "MemoryCurrent": dbus.UInt64,
    "MemoryMax": dbus.UInt64, "MemoryOutstanding": dbus.UInt64, "MemoryShared": dbus.UInt64, "MemoryPaged": dbus.UInt64,
}
WEB, DB, BOOT = f"{PATH}/domain/d5_0", f"{PATH}/domain/d6_0", f"{PATH}/domain/d32751_0"
MAX_AGE = 20_000  # microseconds


def stats(client, path, **options):
    return client.call("GetStats", "a{sv}", options, interface=DOMAIN, path=path)


def all_stats(client):
    reply = client.call("GetStats", "a{sv}", {})
    assert reply.signature == "(oa{sv})"
    return {str(path): record for path, record in reply}


def figure(daemon, domain, **figures):
    for name, value in figures.items():
        daemon.command(f"figure {domain} {name.replace('_', '-')} {value}")


def after_the_last(client, path):
    """What is read now, and not at a call before."""
    turn(0.03)
    return stats(client, path)


def test_figures(launch, client):
    daemon = launch()
    figure(daemon, "web", load=0, cpu_time=123_456_789_012_345, current=100, outstanding=8, shared=12, paged=16, online=1)
    daemon.command("memory web 200")
    record = after_the_last(client, WEB)
    assert {key: type(value) for key, value in record.items()} == TYPES
    del record["TimestampUSec"]
    assert record == {
        "Domid": 5, "UUID": "8d5a104e-6c2b-4f0a-9b1e-000000000006", "Name": "web", "State": "started",
        "CpuTimeNSec": 123_456_789_012_345, "VcpusOnline": 1, "VcpusMax": 2, "MemoryCurrent": 100 << 10, "MemoryMax": 200 << 10,
        "MemoryOutstanding": 8 << 10, "MemoryShared": 12 << 10, "MemoryPaged": 16 << 10}
    # Without anything that announces it, as in Xen.
    figure(daemon, "web", cpu_time=NO_LIMIT, current=101)
    record = after_the_last(client, WEB)
    assert (record["CpuTimeNSec"], record["MemoryCurrent"]) == (NO_LIMIT, 101 << 10)


def test_no_limit_of_memory(launch, client):
    launch(extra=",as=classic")
    path = client.call("GetDomainByDomid", "u", 0)
    assert stats(client, path)["MemoryMax"] == NO_LIMIT


def test_cpu_time_moves_with_the_time_stamp(launch, client):
    daemon = launch()
    figure(daemon, "web", load=200)
    first = after_the_last(client, WEB)
    turn(0.3)
    second = stats(client, WEB)
    passed = (second["TimestampUSec"] - first["TimestampUSec"]) * 1000
    assert passed >= 300_000_000
    assert (second["CpuTimeNSec"] - first["CpuTimeNSec"]) / passed == pytest.approx(2, abs=0.2)
    daemon.command("pause web")
    first = after_the_last(client, WEB)
    assert first["State"] == "paused"
    assert after_the_last(client, WEB)["CpuTimeNSec"] == first["CpuTimeNSec"]


def test_the_time_stamp_is_true(launch, client):
    """At most 20 ms old when it is asked for; and Xen is not asked again before that."""
    launch()
    seen = []
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        before = time.monotonic_ns() // 1000
        seen.append(stats(client, WEB)["TimestampUSec"])
        assert before - MAX_AGE <= seen[-1] <= time.monotonic_ns() // 1000
    moments = sorted(set(seen))
    assert moments == list(dict.fromkeys(seen)), "it goes back"
    assert len(moments) > 3
    gaps = [later - earlier for earlier, later in zip(moments, moments[1:])]
    assert min(gaps) >= MAX_AGE, gaps


def test_all_in_one_call(launch, client):
    daemon = launch()
    daemon.command("domain-add vm domid=60 memory=2048 vcpus=3")
    client.wait_signal("DomainAdded")
    for name in ("web", "vm"):
        figure(daemon, name, load=0)
    turn(0.03)
    found = all_stats(client)
    assert {record["TimestampUSec"] for record in found.values()} == {found[WEB]["TimestampUSec"]}
    assert [int(record["Domid"]) for record in found.values()] == [1, 2, 3, 4, 5, 6, 20, 60]
    assert {record["Name"]: str(record["State"]) for record in found.values()} == {
        row.name: row.state for row in client.list() if row.path != BOOT}
    vm = found[client.path_of("vm")]
    assert (vm["VcpusMax"], vm["MemoryMax"], vm["State"]) == (3, 2 << 20, "running")
    for path in (WEB, client.path_of("vm")):
        assert stats(client, path) | {"TimestampUSec": 0} == found[path] | {"TimestampUSec": 0}


def test_vcpus_on_request_only(launch, client):
    daemon = launch()
    figure(daemon, "web", load=0, cpu_time=1001)
    turn(0.03)
    assert "Vcpus" not in stats(client, WEB, Vcpus=False)
    record = stats(client, WEB, Vcpus=True)
    assert set(record) == {*TYPES, "Vcpus"}
    assert record["Vcpus"].signature == "(usuta{sv})"
    assert record["Vcpus"] == [(0, "running", 0, 501, {}), (1, "blocked", 1, 500, {})]
    figure(daemon, "web", online=1)
    assert [str(vcpu[1]) for vcpu in stats(client, WEB, Vcpus=True)["Vcpus"]] == ["running", "offline"]
    daemon.command("pause web")
    assert [str(vcpu[1]) for vcpu in stats(client, WEB, Vcpus=True)["Vcpus"]] == ["runnable", "offline"]
    # One that is not there is left out; what else goes wrong is said.
    daemon.command("fault get-vcpu ESRCH 1")
    assert [int(vcpu[0]) for vcpu in stats(client, WEB, Vcpus=True)["Vcpus"]] == [1]
    daemon.command("fault get-vcpu EPERM 1")
    client.expect_error(OURS + "NotControlDomain", "GetStats", "a{sv}", {"Vcpus": True}, interface=DOMAIN, path=WEB)


@pytest.mark.parametrize("options", [{"Vcpu": True}, {"": True}, {"Vcpus": dbus.UInt64(1)}, {"Vcpus": True, "Names": True}])
def test_wrong_options(launch, client, options):
    launch()
    client.expect_error(INVALID_ARGS, "GetStats", "a{sv}", options, interface=DOMAIN, path=WEB)
    client.expect_error(INVALID_ARGS, "GetStats", "a{sv}", options)


def test_the_manager_has_no_option(launch, client):
    launch()
    assert "this method has none" in client.expect_error(INVALID_ARGS, "GetStats", "a{sv}", {"Vcpus": True})


def test_domains_that_do_not_exist(launch, client):
    daemon = launch()
    assert "reclaimed" in client.expect_error(OURS + "WrongState", "GetStats", "a{sv}", {}, interface=DOMAIN, path=BOOT)
    daemon.command("domain-add vm")
    client.wait_signal("DomainAdded")
    vm = client.path_of("vm")
    assert stats(client, vm)["Name"] == "vm"
    daemon.command("domain-remove vm")
    daemon.command("domain-remove web")
    with pytest.raises(dbus.DBusException) as caught:
        stats(client, vm)
    assert caught.value.get_dbus_name() == "org.freedesktop.DBus.Error.UnknownObject"
    client.expect_error(OURS + "WrongState", "GetStats", "a{sv}", {}, interface=DOMAIN, path=WEB)
    assert not {vm, WEB} & set(all_stats(client))


def test_a_domain_that_goes_unannounced(launch, client):
    """As on a Xen that announces nothing: the call itself finds out."""
    daemon = launch()
    daemon.command("domain-add vm")
    client.wait_signal("DomainAdded")
    vm = client.path_of("vm")
    daemon.command("announce off")
    turn(0.05)
    client.list()
    daemon.command("domain-remove vm")
    turn(0.03)
    client.expect_error(OURS + "NoSuchDomain", "GetStats", "a{sv}", {}, interface=DOMAIN, path=vm)
    assert vm not in all_stats(client)


def test_xen_that_does_not_answer(launch, client):
    """Old figures are not passed off as new ones."""
    daemon = launch()
    stats(client, WEB)
    turn(0.03)
    daemon.command("fault list-live EPERM 1000000")
    turn(0.05)
    client.expect_error(OURS + "NotControlDomain", "GetStats", "a{sv}", {}, interface=DOMAIN, path=WEB)
    client.expect_error(OURS + "NotControlDomain", "GetStats", "a{sv}", {})
    daemon.command("fault list-live EPERM 0")
    assert stats(client, WEB)["Name"] == "web"


def test_no_right_is_needed(launch, bus_address):
    launch()
    for path, interface in ((PATH, "Manager"), (WEB, "Domain")):
        done = as_nobody(bus_address, "call", "org.xenproject.Hyperlaunch1", path, f"org.xenproject.Hyperlaunch1.{interface}",
                         "GetStats", "a{sv}", "0")
        assert done.returncode == 0 and "CpuTimeNSec" in done.stdout, done.stderr


def test_cpu_time_is_a_property_that_is_not_announced(launch, client):
    daemon = launch()
    for row in client.list():
        if row.path != BOOT:
            figure(daemon, row.domid, load=1000)
    turn(0.1)
    client.signals.clear()
    before = client.get("CpuTimeNSec", DOMAIN, WEB)
    for _ in range(20):
        turn(0.06)
        stats(client, WEB)
    assert client.get("CpuTimeNSec", DOMAIN, WEB) - before > 1_000_000_000
    assert client.get("CpuTimeNSec", DOMAIN, BOOT) == 0
    assert client.signals == []


def test_a_thousand_domains(launch, client):
    daemon = launch()
    for number in range(8, 1000):
        daemon.command(f"domain-add vm{number} uuid={uuid.UUID(int=number)}")
    wait_until(lambda: client.get("NDomains") == 1000, what="1000 domains")
    wait_until(lambda: len(all_stats(client)) == 999, what="all but the boot domain")
    found = all_stats(client)
    domids = [int(record["Domid"]) for record in found.values()]
    assert domids == sorted(domids) and len(set(domids)) == 999
    assert len({int(record["TimestampUSec"]) for record in found.values()}) == 1
    begin = time.monotonic()
    client.call("GetStats", "a{sv}", {})
    assert time.monotonic() - begin < 5
