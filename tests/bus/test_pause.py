# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pause and Unpause: of initial domains and later ones, and of those that others depend on."""

import os
import signal

import dbus
import dbus.lowlevel
import pytest

from conftest import DOMAIN, INVALID_ARGS, LIFECYCLE, NAME, OURS, PATH, call_as_nobody, records, turn, wait_until

# Of ok-dynamic-full: 1 is xenstore, 2 is control, where we are, 20 is hardware, 6 is held.
STORE, CONTROL, WEB, DB, HARDWARE = 1, 2, 5, 6, 20
TWO_CONTROLS = """/dts-v1/;
/ {
	chosen {
		hypervisor {
			compatible = "hypervisor,xen";
%s
		};
	};
};
"""
DOMAIN_NODE = """
			%s {
				compatible = "xen,domain";
				permissions = <%d>;
				functions = <%d>;
				mode = <4>;
				memory = "256M";
				kernel {
					compatible = "module,kernel", "multiboot,module";
					mb-index = <1>;
				};
			};
"""


def path_of(domid):
    return f"{PATH}/domain/d{domid}_0"


def options_of(options):
    return dbus.Dictionary(options, signature="sv")


def call(client, method, path, **options):
    client.call(method, "a{sv}", options_of(options), interface=LIFECYCLE, path=path)


def refuse(client, method, path, error, **options):
    return client.expect_error(OURS + error, method, "a{sv}", options_of(options), interface=LIFECYCLE, path=path)


def state(client, path):
    return client.get("State", DOMAIN, path)


@pytest.fixture
def daemon(launch, runtime):
    return launch(options=["--session"], env={"RUNTIME_DIRECTORY": str(runtime)})


def send(client, method, path):
    message = dbus.lowlevel.MethodCallMessage(NAME, path, LIFECYCLE, method)
    message.append({}, signature="a{sv}")
    client.connection.send_message_with_reply(message, lambda answer: None, 60)


def test_pause_and_unpause(daemon, client):
    """All is true when the call returns, and told before."""
    web = path_of(WEB)
    call(client, "Pause", web)
    assert (state(client, web), client.get("Reason", DOMAIN, web)) == ("paused", "paused by a toolstack")
    client.wait_property(web, "State", "paused")
    assert client.wait_signal("JobRemoved", PATH)[3][1:4] == ("pause", web, "done")
    call(client, "Unpause", web)
    assert state(client, web) == "started"
    client.wait_property(web, "State", "started")
    assert [s[3][1] for s in client.seen("JobNew")] == ["pause", "unpause"]
    assert "unpause domain 5 (web): done" in daemon.text()


def test_a_later_domain(daemon, client):
    daemon.command("domain-add vm domid=70")
    client.wait_signal("DomainAdded")
    vm = client.path_of("vm")
    call(client, "Pause", vm)
    assert state(client, vm) == "paused"
    call(client, "Unpause", vm)
    assert state(client, vm) == "running"


def test_an_adopted_domain_waits_for_its_toolstack_alone(daemon, client):
    """Others wait for a launch that never completes."""
    daemon.command("state recovery")
    daemon.command("domain-remove web")
    daemon.command("domain-add web domid=70 paused uuid=8d5a104e-6c2b-4f0a-9b1e-000000000006")
    daemon.command("adopt 70 web")
    web = f"{PATH}/domain/d70_1"
    client.wait_signal("DomainAdded", match=lambda domid, name, path: path == web)
    call(client, "Unpause", web)
    assert state(client, web) == "started"


def test_paused_already(daemon, client):
    """It is no second pause: one unpause of another toolstack lets it run."""
    web = path_of(WEB)
    call(client, "Pause", web)
    call(client, "Pause", web)
    daemon.command("unpause web")
    wait_until(lambda: state(client, web) == "started")
    # Another's pause is enough too.
    daemon.command("pause web")
    call(client, "Pause", web)
    daemon.command("unpause web")
    wait_until(lambda: state(client, web) == "started")


def test_unpause_of_what_several_have_paused(daemon, client):
    web = path_of(WEB)
    for _ in range(255):
        daemon.command("pause web")
    call(client, "Unpause", web)
    assert state(client, web) == "started"
    call(client, "Unpause", web)
    assert state(client, web) == "started"


def test_domains_that_wait(daemon, client):
    """Their pause is the launch's."""
    for method in ("Pause", "Unpause"):
        assert "Release" in refuse(client, method, path_of(DB), "WrongState")
        assert "runs only if the launch fails" in refuse(client, method, client.path_of("crash"), "WrongState")
    assert state(client, path_of(DB)) == "held"
    assert state(client, client.path_of("crash")) == "paused"


def test_released_while_it_was_paused(daemon, client):
    """By another toolstack; the release does not start it then."""
    daemon.command("pause db")
    call(client, "Release", path_of(DB))
    assert state(client, path_of(DB)) == "built"
    call(client, "Pause", path_of(DB))
    call(client, "Unpause", path_of(DB))
    assert state(client, path_of(DB)) == "started"


def test_our_own_domain(daemon, client):
    for options in ({}, {"Force": True}):
        assert "hyperlaunchd runs in it" in refuse(client, "Pause", path_of(CONTROL), "NotSupported", **options)
    call(client, "Unpause", path_of(CONTROL))
    assert state(client, path_of(CONTROL)) == "started"


def test_our_own_domain_where_it_has_the_hardware(launch, client):
    launch("ok-static-basic", options=["--session"])
    own = client.get("SelfDomain")
    assert "hyperlaunchd runs in it" in refuse(client, "Pause", own, "NotSupported", Force=True)


@pytest.mark.parametrize("kind", ["classic", "unpatched"])
def test_without_a_launch(launch, client, kind):
    """Domctls need none; there is one dom0, and we are in it."""
    daemon = launch(extra=f",as={kind}", options=["--session"])
    assert "runs in it" in refuse(client, "Pause", path_of(0), "NotSupported", Force=True)
    daemon.command("domain-add vm domid=70")
    client.wait_signal("DomainAdded")
    vm = client.path_of("vm")
    call(client, "Pause", vm)
    assert state(client, vm) == "paused"
    call(client, "Unpause", vm)
    assert state(client, vm) == "running"


def test_the_hardware_domain(daemon, client):
    """Xen refuses, so no option is named."""
    for options in ({}, {"Force": True}):
        text = refuse(client, "Pause", path_of(HARDWARE), "NotSupported", **options)
        assert "Xen" in text and "Force" not in text
    assert state(client, path_of(HARDWARE)) == "started"


def test_domains_that_others_depend_on(daemon, client):
    text = refuse(client, "Pause", path_of(STORE), "NotSupported")
    assert "xenstore domain" in text and "Force" in text
    refuse(client, "Pause", path_of(STORE), "NotSupported", Force=False)
    assert state(client, path_of(STORE)) == "started"
    call(client, "Pause", path_of(STORE), Force=True)
    assert state(client, path_of(STORE)) == "paused"
    # To let it run needs no force.
    call(client, "Unpause", path_of(STORE))
    assert state(client, path_of(STORE)) == "started"


def test_another_control_domain(launch, client):
    launch(TWO_CONTROLS % "".join(DOMAIN_NODE % row for row in (("one", 3, 0x40000006), ("two", 1, 0))),
           options=["--session"])
    two = client.path_of("two")
    assert two != client.get("SelfDomain")
    text = refuse(client, "Pause", two, "NotSupported")
    assert "control domain" in text and "Force" in text
    call(client, "Pause", two, Force=True)
    assert state(client, two) == "paused"


def test_domains_that_have_ended(daemon, client):
    web, vanished = path_of(WEB), path_of(77)
    daemon.command("shutdown web poweroff")
    for method in ("Pause", "Unpause"):
        assert "shut down (poweroff)" in refuse(client, method, web, "WrongState")
    daemon.command("dying web")
    for method in ("Pause", "Unpause"):
        assert "dying" in refuse(client, method, web, "WrongState")
    daemon.command("domain-remove web")
    for method in ("Pause", "Unpause"):
        assert "reclaimed" in refuse(client, method, web, "NoSuchDomain")
        with pytest.raises(dbus.DBusException) as caught:
            call(client, method, vanished)
        assert caught.value.get_dbus_name() == "org.freedesktop.DBus.Error.UnknownObject"


@pytest.mark.parametrize("errno, error", [("EPERM", "NotControlDomain"), ("ESRCH", "NoSuchDomain"), ("ENOMEM", "NoMemory"),
                                          ("EIO", "Failed"), ("EOPNOTSUPP", "HypervisorTooOld")])
def test_what_xen_says(daemon, client, errno, error):
    web = path_of(WEB)
    daemon.command(f"fault pause {errno} 1")
    assert "pause domain 5 (web)" in refuse(client, "Pause", web, error)
    assert state(client, web) == "started"
    call(client, "Pause", web)
    daemon.command(f"fault unpause {errno} 1")
    refuse(client, "Unpause", web, error)
    assert state(client, web) == "paused"


@pytest.mark.parametrize("method, options, says", [
    ("Pause", {"Force": dbus.UInt32(1)}, "type b"), ("Pause", {"force": True}, "force"), ("Pause", {"Timeout": dbus.UInt64(1)}, "Timeout"),
    ("Unpause", {"Force": True}, "Force"), ("Unpause", {"": 1}, "option"),
])
def test_wrong_options(daemon, client, method, options, says):
    text = client.expect_error(INVALID_ARGS, method, "a{sv}", options_of(options), interface=LIFECYCLE, path=path_of(WEB))
    assert says in text
    assert state(client, path_of(WEB)) == "started"


def test_who_may(launch, client, polkit, bus_address):
    launch()
    mock = polkit()
    mock.SetAllowed([NAME + ".shutdown", NAME + ".force"])

    def as_nobody(method, domid, options="{}"):
        process = call_as_nobody(bus_address, method, options, interface=LIFECYCLE, path=path_of(domid))
        errors = process.communicate(timeout=60)[1]
        return "AccessDenied" in errors if process.returncode else None

    assert as_nobody("Pause", WEB) and as_nobody("Unpause", WEB)
    assert state(client, path_of(WEB)) == "started"
    mock.SetAllowed([NAME + ".pause"])
    assert as_nobody("Pause", WEB) is None
    assert state(client, path_of(WEB)) == "paused"
    assert as_nobody("Unpause", WEB) is None
    # Who may pause a domain may not pause any.
    assert as_nobody("Pause", STORE, "{'Force': <true>}")
    assert state(client, path_of(STORE)) == "started"
    mock.SetAllowed([NAME + ".force"])
    assert as_nobody("Pause", STORE, "{'Force': <true>}") is None


def restart(daemon, client):
    assert daemon.process.wait(20) == -signal.SIGKILL
    wait_until(lambda: not client.ready())
    daemon.start()
    wait_until(client.ready)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_in_a_pause(daemon, client, runtime, when):
    """The next daemon finishes it, and then it is paused once."""
    daemon.command(f"kill {when} pause")
    send(client, "Pause", path_of(WEB))
    restart(daemon, client)
    wait_until(lambda: records(runtime) == [])
    assert state(client, path_of(WEB)) == "paused"
    assert f"for uid {os.geteuid()}" in daemon.text() and "continued after a restart (pause)" in daemon.text()
    daemon.command("unpause web")
    wait_until(lambda: state(client, path_of(WEB)) == "started")


def test_killed_in_a_pause_of_a_domain_that_others_depend_on(daemon, client, runtime):
    """The option is in the record."""
    daemon.command("kill before pause")
    message = dbus.lowlevel.MethodCallMessage(NAME, path_of(STORE), LIFECYCLE, "Pause")
    message.append({"Force": True}, signature="a{sv}")
    client.connection.send_message_with_reply(message, lambda answer: None, 60)
    restart(daemon, client)
    wait_until(lambda: records(runtime) == [])
    assert state(client, path_of(STORE)) == "paused"


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_in_an_unpause(daemon, client, runtime, when):
    daemon.command("pause web")
    daemon.command(f"kill {when} unpause")
    send(client, "Unpause", path_of(WEB))
    restart(daemon, client)
    wait_until(lambda: records(runtime) == [])
    assert state(client, path_of(WEB)) == "started"


def test_many_at_once(daemon, client):
    """Jobs of a domain follow each other, and the last one counts."""
    answers = []
    for i in range(40):
        message = dbus.lowlevel.MethodCallMessage(NAME, path_of(WEB), LIFECYCLE, "Unpause" if i % 2 else "Pause")
        message.append({}, signature="a{sv}")
        client.connection.send_message_with_reply(message, answers.append, 60)
    wait_until(lambda: len(answers) == 40)
    assert {answer.get_error_name() for answer in answers} == {None}
    turn(0.2)
    assert state(client, path_of(WEB)) == "started"
