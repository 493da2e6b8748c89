# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rename: the name that all toolstacks see, in xenstore."""

import dbus.lowlevel
import pytest

from conftest import DOMAIN, INVALID_ARGS, NAME, OURS, PATH, call_as_nobody, records, turn, wait_until
from test_xenstore import each_xenstored, store  # fixtures, pylint: disable=unused-import

LCM = "ok-classic-basic-cloud"


@pytest.fixture
def start(launch, store, runtime):
    """start(): a daemon whose guests are introduced."""
    def started(lcm=LCM, own=0):
        if own:
            store.become(own)
        store.start()
        return launch(lcm, options=["--session"], env={"XENSTORED_PATH": store.path, "RUNTIME_DIRECTORY": str(runtime)})
    return started


def introduced(client, name):
    path = client.path_of(name)
    wait_until(lambda: client.get("XenstoreState", DOMAIN, path) in ("introduced", "connected"))
    return path


def rename(client, path, name):
    client.call("Rename", "sa{sv}", name, {}, interface=DOMAIN, path=path)


def refuse(client, path, name, error):
    return client.expect_error(error, "Rename", "sa{sv}", name, {}, interface=DOMAIN, path=path)


@each_xenstored
def test_all_have_the_new_name(start, store, client, runtime):
    """Before the call returns."""
    daemon = start()
    path = introduced(client, "web")
    vm = store.read("/local/domain/1/vm")
    rename(client, path, "www")
    assert client.get("Name", DOMAIN, path) == "www" and client.path_of("www") == path
    assert store.read("/local/domain/1/name") == store.read(f"{vm}/name") == "www"
    client.wait_property(path, "Name", "www")
    assert client.wait_signal("JobRemoved", PATH)[3][1:4] == ("rename", path, "done")
    assert records(runtime) == [] and "rename domain 1 (web): done" in daemon.text()
    # Who may read it is as before.
    assert store.perms("/local/domain/1/name") == ["n0", "r1"]
    assert [tuple(row[:3]) for row in client.get("Drift", DOMAIN, path)] == [("name", "web", "www")]
    rename(client, path, "www")
    rename(client, path, "web")
    assert client.get("Name", DOMAIN, path) == "web" and client.get("Drift", DOMAIN, path) == []


def test_the_name_changes_before_the_reply(start, store, client):
    start()
    path = introduced(client, "web")
    for i in range(10):
        order = []
        match = client.connection.add_signal_receiver(lambda _interface, changed, _gone, order=order: order.extend(changed),
                                                      "PropertiesChanged", path=path)
        client.connection.call_async(NAME, path, DOMAIN, "Rename", "sa{sv}", (f"web-{i}", {}),
                                     lambda order=order: order.append("reply"), lambda error, order=order: order.append(error))
        wait_until(lambda order=order: "reply" in order and "Name" in order, what=lambda order=order: order)
        assert order.index("Name") < order.index("reply")
        match.remove()


def test_a_later_domain(start, store, client):
    daemon = start()
    uuid = "00112233-4455-6677-8899-aabbccddeeff"
    store.write(f"/vm/{uuid}/name", "vm")
    for name, value in (("name", "vm"), ("vm", f"/vm/{uuid}")):
        store.write(f"/local/domain/70/{name}", value)
    daemon.command("domain-add vm domid=70")
    store.introduce(70)
    client.wait_signal("DomainAdded")
    path = introduced(client, "vm")
    rename(client, path, "Ünïcode name")
    assert store.read("/local/domain/70/name") == store.read(f"/vm/{uuid}/name") == "Ünïcode name"


@pytest.mark.parametrize("vm", ["/local/domain/2", "/vm/../local/domain/2", "/vm/x", "", "/vm/" + "0" * 200])
def test_a_path_that_is_none_of_vm(start, store, client, vm):
    """Nothing is written where it points."""
    daemon = start()
    introduced(client, "db")
    store.write("/local/domain/70/name", "vm")
    store.write("/local/domain/70/vm", vm)
    daemon.command("domain-add vm domid=70")
    store.introduce(70)
    client.wait_signal("DomainAdded")
    rename(client, introduced(client, "vm"), "other")
    assert store.read("/local/domain/70/name") == "other" and store.read("/local/domain/2/name") == "db"


@pytest.mark.parametrize("name", ["", "x" * 64, "é" * 32, "a/b", "5", "4294967296", "a\nb", "\x1b[2J", "a\u202eb",
                                  "00112233-4455-6677-8899-aabbccddeeff"])
def test_names_that_are_none(start, store, client, name):
    start()
    path = introduced(client, "web")
    refuse(client, path, name, INVALID_ARGS)
    assert store.read("/local/domain/1/name") == "web"


def test_wrong_calls(start, store, client):
    start()
    path = introduced(client, "web")
    text = client.expect_error(INVALID_ARGS, "Rename", "sa{sv}", "x", {"Force": True}, interface=DOMAIN, path=path)
    assert "Force" in text
    assert "domain 2 has that name" in refuse(client, path, "db", OURS + "WrongState")
    assert store.read("/local/domain/1/name") == "web"


def test_domains_that_have_ended(start, store, client):
    daemon = start()
    path = introduced(client, "web")
    daemon.command("dying web")
    assert "dying" in refuse(client, path, "x", OURS + "WrongState")
    daemon.command("domain-remove web")
    refuse(client, path, "x", OURS + "NoSuchDomain")


def test_a_domain_without_a_name_there(start, store, client):
    """No nodes are made for it."""
    daemon = start()
    daemon.command("domain-add vm domid=70")
    client.wait_signal("DomainAdded")
    assert "no name in xenstore" in refuse(client, client.path_of("vm"), "x", OURS + "WrongState")
    assert store.below("/local/domain/70") == {}


def test_without_xenstore(launch, client):
    launch(options=["--session"])
    assert "no xenstore" in refuse(client, client.path_of("web"), "x", OURS + "NotSupported")


def test_xenstored_does_not_run(launch, store, client):
    launch(LCM, options=["--session"], env={"XENSTORED_PATH": store.path})
    assert "does not run now" in refuse(client, client.path_of("web"), "x", OURS + "Failed")


def test_what_xenstored_says(start, store, client):
    start()
    path = introduced(client, "web")
    store.failures["/local/domain/1/name"] = 13
    assert "does not let" in refuse(client, path, "x", OURS + "NotSupported")
    store.failures["/local/domain/1/name"] = 28
    assert "cannot be written" in refuse(client, path, "x", OURS + "Failed")
    store.failures.clear()
    store.conflicts = 5
    rename(client, path, "x")


def begin(client, path, name):
    message = dbus.lowlevel.MethodCallMessage(NAME, path, DOMAIN, "Rename")
    message.append(name, {}, signature="sa{sv}")
    answers = []
    client.connection.send_message_with_reply(message, answers.append, 60)
    return answers


def test_xenstored_ends_meanwhile(start, store, client):
    start()
    path = introduced(client, "web")
    store.hang_after = 0
    answers = begin(client, path, "x")
    turn(0.3)
    store.stop()
    store.resume()
    turn(0.3)
    assert not answers
    store.start()
    wait_until(lambda: answers)
    assert answers[0].get_error_name() is None and client.get("Name", DOMAIN, path) == "x"


def test_killed_before_it_is_written(start, store, client, runtime):
    daemon = start()
    path = introduced(client, "web")
    store.hang_after = 0
    begin(client, path, "x")
    wait_until(lambda: records(runtime))
    daemon.process.kill()
    daemon.process.wait()
    store.stop()
    store.resume()
    store.start()
    wait_until(lambda: not client.ready())
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: client.get("Name", DOMAIN, path) == "x")
    wait_until(lambda: records(runtime) == [])


def test_who_may(launch, store, client, polkit, bus_address):
    store.start()
    launch(LCM, env={"XENSTORED_PATH": store.path})
    path = introduced(client, "web")
    mock = polkit()

    def as_nobody():
        process = call_as_nobody(bus_address, "Rename", "x", "{}", interface=DOMAIN, path=path)
        return process.communicate(timeout=60)[1]

    mock.SetAllowed([NAME + ".pause"])
    assert "AccessDenied" in as_nobody()
    mock.SetAllowed([NAME + ".rename"])
    assert as_nobody() == "" and client.get("Name", DOMAIN, path) == "x"
