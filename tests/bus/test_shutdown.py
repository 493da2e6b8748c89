# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shutdown and Reboot: what a guest is asked by xenstore, and what it makes of it."""

import json
import signal
import time

import dbus
import dbus.lowlevel
import pytest

from conftest import (DOMAIN, INVALID_ARGS, JOB, LIFECYCLE, NAME, OURS, PATH, call_as_nobody, domid_of, records,
                       turn, wait_until)
from test_xenstore import each_xenstored, store  # fixtures, pylint: disable=unused-import
from xenstored import READ, UNWATCH, WATCH, WRITE

# The first has xenstored in domain 0, where we are; the second in 1, and we are in 2.
LCM, DYNAMIC = "ok-classic-basic-cloud", "ok-dynamic-full"
STORE, CONTROL, WEB, DB, HARDWARE = 1, 2, 5, 6, 20
WORDS = [("Shutdown", "poweroff"), ("Reboot", "reboot")]
each_verb = pytest.mark.parametrize("method, word", WORDS)


@pytest.fixture
def start(launch, store, runtime):
    """start(lcm): a daemon that is connected to xenstored, with its guests introduced."""
    def started(lcm=LCM, own=0, **kwargs):
        if own:
            store.become(own)
        store.start()
        return launch(lcm, options=["--session"], env={"XENSTORED_PATH": store.path, "RUNTIME_DIRECTORY": str(runtime)}, **kwargs)
    return started


def introduced(client, name):
    """The path of a guest that has its nodes."""
    path = client.path_of(name)
    wait_until(lambda: client.get("XenstoreState", DOMAIN, path) in ("introduced", "connected"))
    return path


def node(path, name="shutdown"):
    return f"/local/domain/{domid_of(path)}/control/{name}"


def make_ready(store, path):
    """Its kernel takes requests."""
    for word in ("poweroff", "reboot"):
        store.write(node(path, f"feature-{word}"), "1")


def options_of(options):
    return dbus.Dictionary(options, signature="sv")


def begin(client, method, path, answers, **options):
    message = dbus.lowlevel.MethodCallMessage(NAME, path, LIFECYCLE, method)
    message.append(options_of(options), signature="a{sv}")
    client.connection.send_message_with_reply(message, answers.append, 120)


def refuse(client, method, path, error, **options):
    return client.expect_error(OURS + error, method, "a{sv}", options_of(options), interface=LIFECYCLE, path=path)


def ask(client, store, method, path, **options):
    """A call that has reached the guest's node; its answers."""
    answers = []
    begin(client, method, path, answers, **options)
    word = dict(WORDS)[method]
    wait_until(lambda: store.read(node(path)) == word or answers, what=lambda: store.read(node(path)))
    assert not answers, answers[0].get_args_list()
    return answers


def outcome(answers, timeout=20):
    """The name of the error, and its text."""
    wait_until(lambda: answers, timeout)
    name = answers[0].get_error_name()
    return (name.rsplit(".", 1)[1], str(answers[0].get_args_list()[0])) if name else None


def stage(client):
    """Of the only job."""
    jobs = client.call("ListJobs")
    return str(jobs[0][4]) if jobs else None


def milliseconds(number):
    return {"TimeoutUSec": dbus.UInt64(number * 1000)}


@each_xenstored
@each_verb
def test_it_does(start, store, client, runtime, method, word):
    daemon = start()
    path = introduced(client, "web")
    make_ready(store, path)
    answers = ask(client, store, method, path)
    assert [tuple(row[1:5]) for row in client.call("ListJobs")] == [(method.lower(), path, "running", "request")]
    assert len(records(runtime)) == 1
    store.write(node(path), "")
    wait_until(lambda: stage(client) == "end")
    turn(0.2)
    assert not answers
    daemon.command(f"shutdown web {word}")
    assert outcome(answers) is None
    assert (client.get("State", DOMAIN, path), client.get("Reason", DOMAIN, path)) == ("shutdown", word)
    assert client.wait_signal("JobRemoved", PATH)[3][1:4] == (method.lower(), path, "done")
    assert records(runtime) == [] and store.read(node(path)) == ""


def test_a_later_domain(start, store, client):
    """As libxl makes it."""
    daemon = start()
    for name, value in (("name", "vm"), ("control/shutdown", ""), ("control/feature-poweroff", "1")):
        store.write(f"/local/domain/70/{name}", value)
    daemon.command("domain-add vm domid=70")
    store.introduce(70)
    client.wait_signal("DomainAdded")
    path = introduced(client, "vm")
    answers = ask(client, store, "Shutdown", path)
    store.write(node(path), "")
    wait_until(lambda: stage(client) == "end")
    # xl destroys it at once.
    daemon.command("domain-remove 70")
    store.remove("/local/domain/70")
    assert outcome(answers) is None


@pytest.mark.parametrize("acknowledges", [True, False])
def test_gone_after_a_reboot(start, store, client, acknowledges):
    """Its toolstack makes it again, as another domain; some guests end without a word."""
    daemon = start()
    path = introduced(client, "web")
    answers = ask(client, store, "Reboot", path)
    if acknowledges:
        store.write(node(path), "")
        wait_until(lambda: stage(client) == "end")
    daemon.command("domain-remove web")
    assert outcome(answers) is None


def test_a_guest_that_has_removed_the_node(start, store, client):
    daemon = start()
    path = introduced(client, "web")
    answers = ask(client, store, "Shutdown", path)
    store.remove(node(path))
    wait_until(lambda: stage(client) == "end")
    daemon.command("shutdown web poweroff")
    assert outcome(answers) is None


def test_a_node_that_the_guest_removed_before(start, store, client):
    """It is made again, and the guest's."""
    start()
    path = introduced(client, "web")
    store.remove(node(path))
    ask(client, store, "Shutdown", path, **milliseconds(1000))
    assert store.perms(node(path)) == [f"n{domid_of(path)}"]


@each_xenstored
@each_verb
def test_a_guest_that_ignores_it(start, store, client, method, word):
    """The request is taken back, as it would be acted on much later."""
    start()
    path = introduced(client, "web")
    make_ready(store, path)
    answers = ask(client, store, method, path, **milliseconds(2500))
    name, text = outcome(answers)
    assert name == "Timeout" and "not acknowledged the request within 2500 ms" in text and "booting" not in text
    assert store.read(node(path)) == "" and client.get("State", DOMAIN, path) == "started"


def test_a_guest_that_is_booting(start, store, client):
    """It takes the request once it is up; where it does not come up, that is said."""
    daemon = start()
    path = introduced(client, "web")
    answers = ask(client, store, "Shutdown", path, **milliseconds(1000))
    name, text = outcome(answers)
    assert name == "Timeout" and "booting still" in text
    answers = ask(client, store, "Shutdown", path)
    make_ready(store, path)
    store.write(node(path), "")
    daemon.command("shutdown web poweroff")
    assert outcome(answers) is None


@each_verb
def test_a_guest_that_does_not_take_requests(start, store, client, method, word):
    """As it says itself; then nothing is written."""
    start()
    path = introduced(client, "web")
    store.write(node(path, f"feature-{word}"), "0")
    begun = time.monotonic()
    assert f"control/feature-{word}" in refuse(client, method, path, "NotSupported")
    assert time.monotonic() - begun < 5
    assert (WRITE, node(path)) not in store.log[-6:] and store.read(node(path)) == ""
    # Of another toolstack, which it keeps.
    store.write(node(path), word)
    refuse(client, method, path, "NotSupported")
    turn(0.2)
    assert store.read(node(path)) == word


def test_a_guest_that_never_ends(start, store, client):
    start()
    path = introduced(client, "web")
    answers = ask(client, store, "Shutdown", path, **milliseconds(1500))
    store.write(node(path), "")
    name, text = outcome(answers)
    assert name == "Timeout" and "has acknowledged the request, but has not shut down within 1500 ms" in text


@each_verb
def test_a_guest_that_ends_otherwise(start, store, client, method, word):
    daemon = start()
    path = introduced(client, "web")
    answers = ask(client, store, method, path)
    daemon.command("shutdown web crash")
    name, text = outcome(answers)
    assert name == "Failed" and "with the reason crash" in text


@pytest.mark.parametrize("garbage", ["suspend", "x" * 2000, "poweroff\0", "poweroffx", "\u20ac", " "])
def test_a_guest_that_writes_garbage(start, store, client, garbage):
    """That is no acknowledgement, and it is left as it is."""
    start()
    path = introduced(client, "web")
    make_ready(store, path)
    answers = ask(client, store, "Shutdown", path, **milliseconds(1500))
    store.write(node(path), garbage)
    name, text = outcome(answers)
    assert name == "Timeout" and "something else" in text
    assert store.read(node(path)) == garbage


def test_a_guest_that_writes_without_end(start, store, client):
    """It is looked at now and then, and the daemon is there for others."""
    daemon = start()
    path = introduced(client, "web")
    make_ready(store, path)
    answers = ask(client, store, "Shutdown", path, **milliseconds(3000))
    before, begun = daemon.text().count("\n"), time.monotonic()
    for i in range(2000):
        store.write(node(path), "poweroff" if i % 2 else "nonsense")
        if i % 20 == 0:
            turn(0.002)
    asked = time.monotonic()
    client.list()
    assert time.monotonic() - asked < 2
    assert store.log.count((READ, node(path))) <= 10 + 50 * (time.monotonic() - begun)
    store.write(node(path), "")
    wait_until(lambda: stage(client) == "end")
    daemon.command("shutdown web poweroff")
    assert outcome(answers) is None
    assert daemon.text().count("\n") - before < 100


def test_a_request_that_is_there_already(start, store, client):
    """Of another toolstack: the last one counts."""
    daemon = start()
    path = introduced(client, "web")
    store.write(node(path), "reboot")
    answers = ask(client, store, "Shutdown", path)
    store.write(node(path), "")
    daemon.command("shutdown web poweroff")
    assert outcome(answers) is None


def test_conflicts_with_other_writers(start, store, client):
    start()
    path = introduced(client, "web")
    store.conflicts = 5
    ask(client, store, "Shutdown", path, **milliseconds(1000))
    wait_until(lambda: store.read(node(path)) == "")
    store.conflicts = 1000
    assert "cannot be written" in refuse(client, "Shutdown", path, "Failed")


def test_a_node_that_we_may_not_write(start, store, client):
    start()
    path = introduced(client, "web")
    store.failures[node(path)] = 13
    assert "xenstored does not let" in refuse(client, "Shutdown", path, "NotSupported")


def test_paused_domains(start, store, client):
    """They cannot answer."""
    daemon = start()
    path = introduced(client, "web")
    daemon.command("pause web")
    assert "Unpause" in refuse(client, "Shutdown", path, "WrongState")
    client.call("Unpause", "a{sv}", {}, interface=LIFECYCLE, path=path)
    # Other verbs do not wait for the guest.
    answers = ask(client, store, "Shutdown", path, **milliseconds(2000))
    client.call("Pause", "a{sv}", {}, interface=LIFECYCLE, path=path)
    name, text = outcome(answers)
    assert name == "Timeout" and "it is paused" in text


def test_held_and_dying_and_ended_domains(start, store, client):
    daemon = start(DYNAMIC, own=CONTROL)
    web, db = introduced(client, "web"), introduced(client, "db")
    assert "Release" in refuse(client, "Shutdown", db, "WrongState")
    daemon.command("shutdown web poweroff")
    client.call("Shutdown", "a{sv}", {}, interface=LIFECYCLE, path=web)
    assert "shut down (poweroff)" in refuse(client, "Reboot", web, "WrongState")
    daemon.command("shutdown web crash")
    assert "reason crash" in refuse(client, "Shutdown", web, "Failed")
    daemon.command("dying web")
    assert "dying" in refuse(client, "Shutdown", web, "WrongState")
    daemon.command("domain-remove web")
    refuse(client, "Shutdown", web, "NoSuchDomain")
    assert store.read(node(db)) == "" and store.read(node(web)) == ""


def test_domains_that_others_depend_on(start, store, client):
    daemon = start(DYNAMIC, own=CONTROL)
    introduced(client, "web")
    for domid, says in ((HARDWARE, "hardware domain"), (STORE, "xenstore domain")):
        text = refuse(client, "Shutdown", f"{PATH}/domain/d{domid}_0", "NotSupported")
        assert says in text and "Force" in text
    own = f"{PATH}/domain/d{CONTROL}_0"
    for method in ("Shutdown", "Reboot"):
        assert "hyperlaunchd runs in it" in refuse(client, method, own, "NotSupported", Force=True)
    hw = introduced(client, "hw")
    answers = ask(client, store, "Shutdown", hw, Force=True)
    daemon.command("shutdown hw poweroff")
    assert outcome(answers) is None


def test_a_domain_without_nodes(start, store, client):
    daemon = start()
    path = introduced(client, "web")
    daemon.command("domain-add vm domid=70")
    client.wait_signal("DomainAdded")
    vm = client.path_of("vm")
    assert "not been introduced" in refuse(client, "Shutdown", vm, "WrongState")
    store.introduce(70)
    wait_until(lambda: client.get("XenstoreState", DOMAIN, vm) == "introduced")
    assert "no node" in refuse(client, "Shutdown", vm, "NotSupported")
    # Nothing is made for it.
    assert store.below("/local/domain/70") == {} and store.read(node(path)) == ""


def test_without_xenstore(launch, client):
    launch(options=["--session"])
    assert "no xenstore" in refuse(client, "Shutdown", client.path_of("web"), "NotSupported")


def test_xenstored_does_not_run(launch, store, client):
    daemon = launch(LCM, options=["--session"], env={"XENSTORED_PATH": store.path})
    assert "does not run now" in refuse(client, "Shutdown", client.path_of("web"), "Failed")
    assert daemon.process.poll() is None


def test_xenstored_ends_meanwhile(start, store, client):
    """What the new one does not know is asked again."""
    daemon = start()
    path = introduced(client, "web")
    answers = ask(client, store, "Shutdown", path)
    store.stop()
    wait_until(lambda: client.get("XenstoreState") == "unavailable")
    turn(0.3)
    assert not answers
    store.become(0)
    store.start()
    # The guest's nodes are made again, empty, which is no acknowledgement.
    wait_until(lambda: store.read(node(path)) == "poweroff" or answers)
    assert not answers
    store.write(node(path), "")
    wait_until(lambda: stage(client) == "end")
    daemon.command("shutdown web poweroff")
    assert outcome(answers) is None


def test_xenstored_ends_for_good(start, store, client):
    start()
    path = introduced(client, "web")
    answers = ask(client, store, "Shutdown", path, **milliseconds(1500))
    store.stop()
    name, text = outcome(answers, 30)
    assert name == "Timeout" and "xenstored does not answer" in text


def test_xenstored_hangs(start, store, client):
    daemon = start()
    path = introduced(client, "web")
    answers = ask(client, store, "Shutdown", path, **milliseconds(1500))
    store.hang_after = 0
    client.list()
    name, text = outcome(answers, 40)
    assert name == "Timeout"
    assert "cannot be taken back" in daemon.text()
    store.resume()


def test_cancel(start, store, client, runtime):
    """Until the guest has taken the request."""
    daemon = start()
    path = introduced(client, "web")
    make_ready(store, path)
    answers = ask(client, store, "Shutdown", path)
    job = client.call("ListJobs")[0][0]
    client.call("Cancel", "a{sv}", {}, interface=JOB, path=job)
    assert outcome(answers)[0] == "Cancelled"
    assert store.read(node(path)) == "" and records(runtime) == []
    answers = ask(client, store, "Shutdown", path)
    store.write(node(path), "")
    wait_until(lambda: stage(client) == "end")
    job = client.call("ListJobs")[0][0]
    client.expect_error(OURS + "WrongState", "Cancel", "a{sv}", {}, interface=JOB, path=job)
    daemon.command("shutdown web poweroff")
    assert outcome(answers) is None


def test_watches_are_taken_back(start, store, client):
    start()
    path = introduced(client, "web")
    ask(client, store, "Shutdown", path, **milliseconds(1000))
    wait_until(lambda: (UNWATCH, node(path)) in store.log)
    assert store.log.count((WATCH, node(path))) == store.log.count((UNWATCH, node(path))) == 1


def test_two_at_once(start, store, client):
    """The second one finds that it is done."""
    daemon = start()
    path = introduced(client, "web")
    answers = ask(client, store, "Shutdown", path)
    second = []
    begin(client, "Shutdown", path, second)
    wait_until(lambda: len(client.call("ListJobs")) == 2)
    store.write(node(path), "")
    daemon.command("shutdown web poweroff")
    assert outcome(answers) is None and outcome(second) is None


@pytest.mark.parametrize("options, says", [
    (milliseconds(0), "TimeoutUSec must be from 1"), (milliseconds(3600001), "3600000"), ({"TimeoutUSec": dbus.UInt32(5)}, "type t"),
    ({"TimeoutUSec": "5"}, "type t"), ({"Force": 1}, "type b"), ({"Wait": True}, "Wait"),
])
def test_wrong_options(start, store, client, options, says):
    start()
    path = introduced(client, "web")
    for method in ("Shutdown", "Reboot"):
        text = client.expect_error(INVALID_ARGS, method, "a{sv}", options_of(options), interface=LIFECYCLE, path=path)
        assert says in text
    assert store.read(node(path)) == ""


def test_who_may(launch, store, client, polkit, bus_address):
    store.start()
    daemon = launch(LCM, env={"XENSTORED_PATH": store.path})
    path = introduced(client, "web")
    mock = polkit()

    def as_nobody(method, options="{}"):
        return call_as_nobody(bus_address, method, options, interface=LIFECYCLE, path=path)

    for method, allowed in (("Shutdown", "reboot"), ("Reboot", "shutdown"), ("Shutdown", "pause")):
        mock.SetAllowed([f"{NAME}.{allowed}"])
        assert "AccessDenied" in as_nobody(method).communicate(timeout=60)[1]
    mock.SetAllowed([NAME + ".shutdown"])
    assert "AccessDenied" in as_nobody("Shutdown", "{'Force': <true>}").communicate(timeout=60)[1]
    assert store.read(node(path)) == ""
    process = as_nobody("Shutdown")
    wait_until(lambda: store.read(node(path)) == "poweroff")
    daemon.command("shutdown web poweroff")
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0


def restart(daemon, client):
    daemon.process.kill()
    daemon.process.wait()
    wait_until(lambda: not client.ready())
    daemon.start()
    wait_until(client.ready)


@each_xenstored
def test_killed_while_the_guest_has_not_taken_it(start, store, client, runtime):
    """The next daemon waits on, and until the same time."""
    daemon = start()
    path = introduced(client, "web")
    make_ready(store, path)
    ask(client, store, "Shutdown", path)
    wait_until(lambda: data_of(runtime)["written"])
    restart(daemon, client)
    wait_until(lambda: stage(client) == "request")
    assert "shut down domain 1 (web): continued after a restart (request)" in daemon.text()
    store.write(node(path), "")
    wait_until(lambda: stage(client) == "end")
    assert store.read(node(path)) == ""
    restart(daemon, client)
    wait_until(lambda: stage(client) == "end")
    daemon.command("shutdown web poweroff")
    wait_until(lambda: records(runtime) == [])
    wait_until(lambda: "shut down domain 1 (web): done" in daemon.text())


def data_of(runtime):
    """Of the only record."""
    record = json.loads((runtime / "jobs" / records(runtime)[0]).read_text())
    assert (record["kind"], record["step"], record["data"]["asked"]) == ("shutdown", "request", True)
    return record["data"]


def test_acknowledged_while_no_daemon_runs(start, store, client, runtime):
    """It is not asked again."""
    daemon = start()
    path = introduced(client, "web")
    ask(client, store, "Shutdown", path)
    wait_until(lambda: data_of(runtime)["written"])
    daemon.process.kill()
    daemon.process.wait()
    store.write(node(path), "")
    store.log.clear()
    wait_until(lambda: not client.ready())
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: stage(client) == "end")
    assert (WRITE, node(path)) not in store.log
    daemon.command("shutdown web poweroff")
    wait_until(lambda: records(runtime) == [])


def test_xenstored_has_ended_too(start, store, client, runtime):
    """A new one has empty nodes, which the next daemon makes; that is no acknowledgement."""
    daemon = start()
    path = introduced(client, "web")
    ask(client, store, "Shutdown", path)
    wait_until(lambda: data_of(runtime)["written"])
    daemon.process.kill()
    daemon.process.wait()
    store.stop()
    store.become(0)
    store.start()
    wait_until(lambda: not client.ready())
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: store.read(node(path)) == "poweroff")
    store.write(node(path), "")
    wait_until(lambda: stage(client) == "end")
    daemon.command("shutdown web poweroff")
    wait_until(lambda: records(runtime) == [])


def test_killed_before_the_request(start, store, client, runtime):
    """As where the record is written and the node is not."""
    daemon = start()
    path = introduced(client, "web")
    # No task of xenstored's comes to its end any more.
    store.hang_after = 0
    begin(client, "Shutdown", path, [])
    wait_until(lambda: stage(client) == "request")
    daemon.process.kill()
    daemon.process.wait()
    store.stop()
    store.resume()
    turn(0.2)
    store.write(node(path), "")
    store.start()
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: store.read(node(path)) == "poweroff")
    daemon.command("shutdown web poweroff")
    wait_until(lambda: records(runtime) == [])


def test_killed_and_the_time_is_over(start, store, client, runtime):
    """The next daemon takes the request back."""
    daemon = start()
    path = introduced(client, "web")
    ask(client, store, "Shutdown", path, **milliseconds(4000))
    daemon.process.kill()
    daemon.process.wait()
    turn(4.2)
    assert store.read(node(path)) == "poweroff"
    wait_until(lambda: not client.ready())
    daemon.start()
    wait_until(client.ready)
    # Not as long as it had at first.
    wait_until(lambda: store.read(node(path)) == "", 3)
    wait_until(lambda: records(runtime) == [])
    wait_until(lambda: "not acknowledged" in daemon.text())


def test_killed_while_it_is_taken_back(start, store, client, runtime):
    daemon = start()
    path = introduced(client, "web")
    ask(client, store, "Shutdown", path)
    record = runtime / "jobs" / records(runtime)[0]
    store.hang_after = 0
    job = client.call("ListJobs")[0][0]
    client.call("Cancel", "a{sv}", {}, interface=JOB, path=job)
    wait_until(lambda: "undoing" in json.loads(record.read_text()))
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()
    store.stop()
    store.resume()
    turn(0.2)
    store.write(node(path), "poweroff")
    store.start()
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: store.read(node(path)) == "")
    wait_until(lambda: records(runtime) == [])
    wait_until(lambda: "shut down domain 1 (web): cancelled" in daemon.text())


def test_ended_while_it_waits(start, store, client, runtime):
    """By the service manager: the caller is told, the next daemon continues."""
    daemon = start()
    path = introduced(client, "web")
    answers = ask(client, store, "Shutdown", path)
    daemon.process.terminate()
    assert "the next one continues it" in outcome(answers)[1]
    daemon.process.wait()
    wait_until(lambda: not client.ready())
    daemon.start()
    wait_until(client.ready)
    daemon.command("shutdown web poweroff")
    wait_until(lambda: records(runtime) == [])
