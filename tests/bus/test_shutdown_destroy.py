# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shutdown and Reboot with the option Destroy: what becomes of a guest that does not go in time."""
import json

import pytest

from conftest import LIFECYCLE, NAME, OURS, PATH, call_as_nobody, records, turn, wait_until
from test_shutdown import LCM, begin, each_verb, introduced, make_ready, milliseconds, node, outcome, refuse, stage
from test_xenstore import store  # a fixture, pylint: disable=unused-import
from vm_support import hold, vms
from vm_support import peers  # a fixture, pylint: disable=unused-import

UUID = "0b1e9f5c-3d5e-4c55-9f0a-8c1c1a2b3c4d"


@pytest.fixture
def daemon(launch, store, runtime, peers):
    store.start()
    return launch(LCM, options=["--session", "--peers", str(peers)], env={"XENSTORED_PATH": store.path, "RUNTIME_DIRECTORY": str(runtime)})


@pytest.fixture
def vmd(daemon, peers):
    server = vms.Vmd(str(peers), daemon.command)
    yield server
    server.stop()


@pytest.fixture
def web(daemon, client, store):
    path = introduced(client, "web")
    daemon.command(f"handle web {UUID}")
    make_ready(store, path)
    return path


def ask(client, store, method, word, path, time):
    answers = []
    begin(client, method, path, answers, Destroy=True, **milliseconds(time))
    wait_until(lambda: store.read(node(path)) == word)
    return answers


@each_verb
@pytest.mark.parametrize("acknowledges", [True, False])
def test_guest_that_is_late(daemon, client, vmd, store, web, runtime, method, word, acknowledges):
    answers = ask(client, store, method, word, web, 1500)
    if acknowledges:
        store.write(node(web), "")
        wait_until(lambda: stage(client) == "end")
    assert outcome(answers) is None
    assert [(order["request"], order["uuid"], order["kind"]) for order in vmd.orders] == [("destroy", UUID, "vm-devices")]
    assert client.rows()["web"].state == "reclaimed" and records(runtime) == []
    assert "has not within 1500 ms, and is destroyed" in daemon.text()


def test_guest_that_goes(daemon, client, vmd, store, web):
    answers = ask(client, store, "Shutdown", "poweroff", web, 20000)
    store.write(node(web), "")
    wait_until(lambda: stage(client) == "end")
    daemon.command("shutdown web poweroff")
    assert outcome(answers) is None
    assert vmd.orders == [] and client.rows()["web"].state == "shutdown"


def test_no_vmd(daemon, client, store, web):
    """What the guest has not taken is taken back."""
    answers = ask(client, store, "Shutdown", "poweroff", web, 1000)
    name, text = outcome(answers)
    assert name == "NotSupported" and "hyperlaunch-vmd.socket" in text
    assert store.read(node(web)) == "" and client.rows()["web"].state == "started"


def test_vmd_fails(daemon, client, vmd, store, web):
    vmd.overrides["destroy"] = lambda order: order.failed("Failed", "libxl does not end it")
    name, text = outcome(ask(client, store, "Shutdown", "poweroff", web, 1000))
    assert name == "Failed" and "shut down domain 1 (web): libxl does not end it" in text


def test_daemon_that_is_killed(daemon, client, vmd, store, web, runtime):
    held = hold(vmd, "destroy")
    ask(client, store, "Shutdown", "poweroff", web, 1000)
    wait_until(lambda: held)
    record = json.loads((runtime / "jobs" / records(runtime)[0]).read_text())
    assert "'late': True" in str(record)
    # It may have been done half by now.
    client.expect_error(OURS + "WrongState", "Cancel", "a{sv}", {}, interface=NAME + ".Job", path=client.call("ListJobs")[0][0])
    vmd.overrides.clear()
    daemon.process.kill()
    daemon.process.wait()
    wait_until(lambda: not client.ready())
    daemon.start()
    wait_until(client.ready)
    # This Xen is a new one, where web has no UUID until it is introduced again.
    wait_until(lambda: records(runtime) == [])
    wait_until(lambda: "continued after a restart (destroy)" in daemon.text())


def test_domains_that_are_not_destroyed(daemon, client, vmd, store, web):
    path = f"{PATH}/domain/d0_0"
    for options in ({}, {"Force": True}):
        text = refuse(client, "Shutdown", path, "NotSupported", Destroy=True, **options)
        assert "hardware domain" in text or "hyperlaunchd runs in it" in text
    daemon.command("handle web 00000000-0000-0000-0000-000000000000")
    assert "UUID" in refuse(client, "Shutdown", web, "NotSupported", Destroy=True)
    turn(0.2)
    assert vmd.orders == [] and store.read(node(web)) == ""


def test_who_may(launch, store, client, polkit, bus_address, peers):
    """Who may destroy the domain."""
    store.start()
    daemon = launch(LCM, options=["--peers", str(peers)], env={"XENSTORED_PATH": store.path})
    path = introduced(client, "web")
    daemon.command(f"handle web {UUID}")
    mock = polkit()
    options = "{'Destroy': <true>, 'TimeoutUSec': <uint64 500000>}"
    mock.SetAllowed([NAME + ".shutdown"])
    process = call_as_nobody(bus_address, "Shutdown", options, interface=LIFECYCLE, path=path)
    assert "AccessDenied" in process.communicate(timeout=60)[1]
    mock.SetAllowed([NAME + ".destroy-domain"])
    process = call_as_nobody(bus_address, "Shutdown", options, interface=LIFECYCLE, path=path)
    assert "hyperlaunch-vmd.socket" in process.communicate(timeout=60)[1]
