# SPDX-License-Identifier: LGPL-2.1-or-later
"""What changes is told, once, in the right order."""

import time

from conftest import DOMAIN, MANAGER, OBJECT_MANAGER, PATH, turn, wait_until


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
    assert args == (domid, "guest", path)
    removed = client.wait_signal("InterfacesRemoved", PATH)
    assert removed[3][0] == path and DOMAIN in removed[3][1]
    client.wait_property(PATH, "NDomains", 8)
    assert path not in client.objects()
    for member in ("DomainAdded", "DomainRemoved", "InterfacesAdded", "InterfacesRemoved"):
        assert len(client.seen(member)) == 1, member


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
        assert set(args[1]) <= {"State", "Reason"}


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


def test_end_of_the_dying(launch, client):
    """Nothing tells that a domain is gone at last: it is looked for while it is dying."""
    daemon = launch()
    daemon.command("domain-add vm domid=70")
    path = client.wait_signal("DomainAdded")[3][2]
    daemon.command("dying vm")
    client.wait_property(path, "State", "dying")
    daemon.command("announce off")
    turn(0.5)
    daemon.command("domain-remove vm")
    # Nobody reads meanwhile, which would be a look at the domains too.
    began = time.monotonic()
    assert client.wait_signal("DomainRemoved")[3] == (70, "vm", path)
    assert time.monotonic() - began < 5


def test_launch_state(launch, client):
    daemon = launch()
    daemon.command("state recovery")
    assert client.wait_signal("LaunchStateChanged", PATH)[3] == ("complete", "recovery")
    client.wait_property(PATH, "LaunchState", "recovery")
    assert client.get("LaunchState") == "recovery"


def test_console_owner(launch, client):
    daemon = launch()
    daemon.command("console control")
    client.wait_property(PATH, "ConsoleDomid", 2)
    assert client.call("GetLaunchSummary")["ConsoleDomid"] == 2


def test_failure(launch, client):
    daemon = launch()
    web = client.path_of("web")
    daemon.command("fail web no-kernel")
    client.wait_property(web, "State", "failed")
    summary = client.call("GetLaunchSummary")
    assert summary["Failed"] == 1 and summary["LaunchState"] == "recovery"


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
        client.call("ListDomains")
        client.objects()
    assert [s for s in client.signals if s[1] in (MANAGER, OBJECT_MANAGER)] == []
    assert client.seen("PropertiesChanged") == []


def test_many_at_once(launch, client):
    daemon = launch()
    for i in range(200):
        daemon.command(f"domain-add guest{i} uuid=00000000-0000-0000-0000-{i + 1:012x}")
    wait_until(lambda: len(client.call("ListDomains")) == 208)
    wait_until(lambda: len(client.seen("DomainAdded")) == 200)
    for i in range(200):
        daemon.command(f"domain-remove guest{i}")
    wait_until(lambda: len(client.seen("DomainRemoved")) == 200)
    assert client.get("NDomains") == 8
    assert {s[3][2] for s in client.seen("DomainAdded")} == \
        {s[3][2] for s in client.seen("DomainRemoved")}
