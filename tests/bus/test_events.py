# SPDX-License-Identifier: LGPL-2.1-or-later
"""What changes is told, once, in the right order."""

import pytest

from conftest import DOMAIN, LAUNCH, MANAGER, OBJECT_MANAGER, PATH, turn, wait_until


def test_the_label_of_a_domain_changes(launch, client):
    """As where a toolstack builds a domain under one label and runs it under another."""
    daemon = launch()
    web = client.path_of("web")
    daemon.command("label web system_u:system_r:domU_t")
    client.wait_property(web, "SecurityLabel", "system_u:system_r:domU_t")


def test_domain_comes_and_goes(launch, client):
    daemon = launch()
    domid = int(daemon.command("domain-add guest"))
    _, _, _, args = client.wait_signal("DomainAdded")
    path = args[2]
    assert args[:2] == (domid, "guest")
    added = client.wait_signal("InterfacesAdded", PATH)
    assert added[1] == OBJECT_MANAGER and added[3][0] == path
    assert added[3][1][DOMAIN]["Name"] == "guest"
    assert added[3][1][DOMAIN]["Origin"] == "post-boot"
    client.wait_property(PATH, "NDomains", 9)

    daemon.command("domain-remove guest")
    _, _, _, args = client.wait_signal("DomainRemoved")
    assert args == (domid, "guest", path, "destroyed")
    removed = client.wait_signal("InterfacesRemoved", PATH)
    assert removed[3][0] == path and DOMAIN in removed[3][1]
    client.wait_property(PATH, "NDomains", 8)
    assert path not in client.objects()
    for member in ("DomainAdded", "DomainRemoved", "InterfacesAdded", "InterfacesRemoved"):
        assert len(client.seen(member)) == 1, member


def test_number_of_events_is_announced(launch, client):
    daemon = launch()
    number = client.get("NEvents", LAUNCH)
    assert number == len(client.call("GetEvents", "u", 0))
    daemon.command("ready web")
    client.wait_property(PATH, "NEvents", number + 1)


def test_domid_used_again(launch, client):
    daemon = launch()
    daemon.command("domain-add one domid=100 uuid=00000000-0000-0000-0000-000000000001")
    daemon.command("domain-remove 100")
    daemon.command("domain-add two domid=100 uuid=00000000-0000-0000-0000-000000000002")
    wait_until(lambda: "two" in client.rows())
    two = client.path_of("two")
    for _, _, _, args in client.seen("DomainAdded"):
        assert (args[1] == "two") == (args[2] == two)


def test_properties_changed(launch, client):
    daemon = launch()
    web = client.path_of("web")
    daemon.command("pause web")
    client.wait_property(web, "State", "paused")
    daemon.command("unpause web")
    client.wait_property(web, "State", "started")
    daemon.command("ready web")
    client.wait_property(web, "State", "ready")
    daemon.command("shutdown web crash")
    client.wait_property(web, "State", "shutdown")
    client.wait_property(web, "Reason", "crash")
    for _, _, _, args in client.seen("PropertiesChanged", web):
        assert args[0] == DOMAIN
        assert set(args[1]) <= {"State", "Reason", "BuiltUSec", "StartedUSec", "ReadyUSec"}


def test_properties_changed_together(launch, client):
    """Changes of one moment come in one signal."""
    daemon = launch()
    hw = client.path_of("hw")
    daemon.command("shutdown hw poweroff")
    client.wait_property(hw, "State", "shutdown")
    changed = [s[3][1] for s in client.seen("PropertiesChanged", hw)]
    assert len(changed) == 1 and set(changed[0]) >= {"State", "Reason"}


def test_rename(launch, client):
    daemon = launch()
    daemon.command("domain-add guest")
    wait_until(lambda: "guest" in client.rows())
    path = client.path_of("guest")
    daemon.command("rename guest other")
    client.wait_property(path, "Name", "other")
    assert client.path_of("other") == path


def test_initial_domain_reclaimed(launch, client):
    """Its row stays, and says so."""
    daemon = launch()
    web = client.path_of("web")
    daemon.command("domain-remove web")
    client.wait_property(web, "State", "reclaimed")
    assert client.seen("DomainRemoved") == []
    assert web in client.objects()


@pytest.mark.parametrize("reason", ["poweroff", "crash", "reboot"])
def test_why_a_domain_was_removed(launch, client, reason):
    daemon = launch()
    daemon.command("domain-add vm domid=70")
    path = client.wait_signal("DomainAdded")[3][2]
    daemon.command(f"shutdown vm {reason}")
    client.wait_property(path, "Reason", reason)
    daemon.command("dying vm")
    client.wait_property(path, "State", "dying")
    daemon.command("domain-remove vm")
    assert client.wait_signal("DomainRemoved")[3] == (70, "vm", path, reason)


def test_launch_state(launch, client):
    daemon = launch()
    daemon.command("state recovery")
    client.wait_property(PATH, "State", "recovery")
    assert client.get("State", LAUNCH) == "recovery"


def test_console_owner(launch, client):
    daemon = launch()
    daemon.command("console control")
    client.wait_property(PATH, "ConsoleOwner", client.path_of("control"))
    assert client.console() == 2


def test_failure(launch, client):
    daemon = launch()
    web = client.path_of("web")
    daemon.command("fail web no-kernel")
    client.wait_property(web, "State", "failed")
    summary = client.launch()
    assert summary["Failed"] == 1 and summary["State"] == "recovery"


def test_memory(launch, client):
    daemon = launch()
    web = client.path_of("web")
    before = client.get("MemoryMax", DOMAIN, web)
    daemon.command(f"memory web {(before >> 10) - 1024}")
    client.wait_property(web, "MemoryMax", before - (1024 << 10))


def test_silence(launch, client):
    """Nothing changes: nothing is told, whoever reads."""
    launch()
    wait_until(lambda: client.get("NDomains") == 8)
    client.signals.clear()
    for _ in range(3):
        turn(1.1)
        client.list()
        client.objects()
    assert [s for s in client.signals if s[1] in (MANAGER, OBJECT_MANAGER)] == []
    assert client.seen("PropertiesChanged") == []


def test_many_at_once(launch, client):
    daemon = launch()
    for i in range(200):
        daemon.command(f"domain-add guest{i} uuid=00000000-0000-0000-0000-{i + 1:012x}")
    wait_until(lambda: len(client.list()) == 208)
    wait_until(lambda: len(client.seen("DomainAdded")) == 200)
    for i in range(200):
        daemon.command(f"domain-remove guest{i}")
    wait_until(lambda: len(client.seen("DomainRemoved")) == 200)
    assert client.get("NDomains") == 8
    assert {s[3][2] for s in client.seen("DomainAdded")} == \
        {s[3][2] for s in client.seen("DomainRemoved")}
