# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs: their objects and signals, what ends them, and what a killed daemon leaves to the next one."""

import json
import os
import signal

import dbus
import dbus.lowlevel
import pytest

from conftest import (Client, DOMAIN, JOB, LIFECYCLE, MANAGER, NAME, OURS, PATH, call_as_nobody, domid_of, records,
                       turn, wait_until)

CONTROL, CONSOLE, WEB, DB = 2, 4, 5, 6
UNKNOWN_OBJECT = "org.freedesktop.DBus.Error.UnknownObject"


def path_of(domid):
    return f"{PATH}/domain/d{domid}_0"


@pytest.fixture
def daemon(launch, runtime):
    return launch(options=["--session"], env={"RUNTIME_DIRECTORY": str(runtime)})


def begin(client, domid, answers, **options):
    call = dbus.lowlevel.MethodCallMessage(NAME, PATH, MANAGER, "SetConsoleOwner")
    call.append(path_of(domid), dbus.Dictionary(options, signature="sv"), signature="oa{sv}")
    client.connection.send_message_with_reply(call, answers.append, 60)


def jobs(client):
    return client.call("ListJobs")


def cancel(client, path):
    client.call("Cancel", "a{sv}", {}, interface=JOB, path=path)


def test_a_job_that_is_done_at_once(daemon, client, runtime):
    client.call("Release", "a{sv}", {}, interface=LIFECYCLE, path=path_of(DB))
    job, kind, subject = client.wait_signal("JobNew", PATH)[3]
    assert (kind, subject) == ("release", path_of(DB))
    assert client.wait_signal("JobRemoved", PATH)[3] == (job, "release", path_of(DB), "done", "", "")
    assert jobs(client) == [] and records(runtime) == []
    assert client.wait_signal("InterfacesAdded")[3][0] == job
    removed = client.wait_signal("InterfacesRemoved")[3]
    assert removed[0] == job and JOB in removed[1]
    with pytest.raises(dbus.DBusException) as caught:
        client.get("State", JOB, job)
    assert caught.value.get_dbus_name() == UNKNOWN_OBJECT


def test_a_job_that_fails(daemon, client, runtime):
    error = client.expect_error(OURS + "WrongState", "Release", "a{sv}", {}, interface=LIFECYCLE, path=path_of(WEB))
    told = client.wait_signal("JobRemoved", PATH)[3]
    assert told[3:] == ("failed", OURS + "WrongState", error)
    assert records(runtime) == []
    assert "release domain 6" not in daemon.text()
    assert f"release domain 5 (web): failed, for uid {os.geteuid()}, pid {os.getpid()}: it is not held" in daemon.text()


def test_jobs_are_objects(daemon, client, runtime):
    daemon.command("typing on")
    answers = []
    begin(client, WEB, answers)
    begin(client, CONTROL, answers)
    wait_until(lambda: len(jobs(client)) == 2)
    rows = jobs(client)
    assert rows.signature == "(osossa{sv})"
    assert [tuple(row[1:]) for row in rows] == [
        ("set-console-owner", path_of(WEB), "running", "hand-off", {}),
        ("set-console-owner", path_of(CONTROL), "waiting", "", {})]
    first, second = rows[0][0], rows[1][0]
    assert client.get_all(JOB, first) == {"Kind": "set-console-owner", "DomainName": "web", "Subject": path_of(WEB), "State": "running",
                                          "Stage": "hand-off", "Progress": 0}
    assert {first, second} <= set(client.objects())
    xml = client.call("Introspect", path=PATH + "/job", interface="org.freedesktop.DBus.Introspectable")
    assert all(path.rsplit("/", 1)[1] in xml for path in (first, second))
    # Only what has begun is recorded: the caller of the other one is still there to ask again.
    assert records(runtime) == [first.rsplit("/", 1)[1] + ".json"]
    daemon.command("typing off")
    wait_until(lambda: len(answers) == 2)
    assert [domid_of(answer.get_args_list()[0]) for answer in answers] == [CONSOLE, WEB]
    client.wait_property(second, "State", "running")
    assert records(runtime) == []


@pytest.mark.parametrize("name", ["0", "01", "x", "1x", "4294967296", "99", "-1", "+1"])
def test_no_such_job(daemon, client, name):
    path = f"{PATH}/job/" + "".join(c if c.isalnum() else "_" for c in name)
    with pytest.raises(dbus.DBusException) as caught:
        client.get("State", JOB, path)
    assert caught.value.get_dbus_name() == UNKNOWN_OBJECT


def test_cancel(daemon, client):
    """What waits is cancelled; what Xen has been asked for cannot be taken back."""
    daemon.command("typing on")
    answers = []
    begin(client, WEB, answers)
    begin(client, CONTROL, answers)
    wait_until(lambda: len(jobs(client)) == 2)
    running, waiting = (row[0] for row in jobs(client))
    message = client.expect_error(OURS + "WrongState", "Cancel", "a{sv}", {}, interface=JOB, path=running)
    assert "hand-off" in message
    cancel(client, waiting)
    wait_until(lambda: answers)
    assert answers[0].get_error_name() == OURS + "Cancelled"
    told = client.wait_signal("JobRemoved", PATH)[3]
    assert (told[0], told[3], told[4]) == (waiting, "cancelled", OURS + "Cancelled")
    daemon.command("typing off")
    wait_until(lambda: len(answers) == 2)
    assert answers[1].get_error_name() is None and client.console() == WEB
    for path in (running, waiting):
        with pytest.raises(dbus.DBusException) as caught:
            cancel(client, path)
        assert caught.value.get_dbus_name() == UNKNOWN_OBJECT


def test_cancel_takes_the_right_of_the_verb(launch, client, polkit, bus_address):
    daemon = launch()
    mock = polkit()
    mock.SetAllowed([NAME + ".release"])
    daemon.command("typing on")
    answers = []
    begin(client, WEB, answers)
    begin(client, CONTROL, answers)
    wait_until(lambda: len(jobs(client)) == 2)
    waiting = jobs(client)[1][0]
    process = call_as_nobody(bus_address, "Cancel", "{}", interface=JOB, path=waiting)
    assert "AccessDenied" in process.communicate(timeout=60)[1] and process.returncode != 0
    mock.SetAllowed([NAME + ".set-console-owner"])
    process = call_as_nobody(bus_address, "Cancel", "{}", interface=JOB, path=waiting)
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
    wait_until(lambda: answers)
    assert answers[0].get_error_name() == OURS + "Cancelled"


def test_a_caller_that_leaves(daemon, client, bus_address):
    """Its waiting job goes with it, its running one goes on."""
    daemon.command("typing on")
    leaving = Client(bus_address)
    begin(leaving, WEB, [])
    begin(leaving, CONTROL, [])
    wait_until(lambda: len(jobs(client)) == 2)
    leaving.close()
    wait_until(lambda: len(jobs(client)) == 1)
    daemon.command("typing off")
    wait_until(lambda: not jobs(client))
    assert client.console() == WEB
    wait_until(lambda: len(client.seen("JobRemoved")) == 2)
    assert [told[3][3] for told in client.seen("JobRemoved")] == ["cancelled", "done"]


def restart(daemon, client):
    daemon.process.wait()
    wait_until(lambda: not client.ready())
    daemon.start()
    wait_until(client.ready)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_in_a_hand_off(daemon, client, runtime, when):
    """The next daemon finishes it.  (The simulated Xen is a new one: it has not done it.)"""
    daemon.command(f"kill {when} set-console")
    answers = []
    begin(client, WEB, answers, DurationUSec=dbus.UInt64(10**9))
    assert daemon.process.wait(20) == -signal.SIGKILL
    assert len(records(runtime)) == 1
    record = json.loads((runtime / "jobs" / records(runtime)[0]).read_text())
    assert (record["kind"], record["step"], record["subject"]["domid"]) == ("set-console-owner", "hand-off", WEB)
    restart(daemon, client)
    wait_until(lambda: client.console() == WEB)
    wait_until(lambda: records(runtime) == [])
    assert "lend the console to domain 5 (web): continued after a restart (hand-off)" in daemon.text()
    daemon.command("shutdown web poweroff")
    wait_until(lambda: client.console() == CONSOLE)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_in_a_release(daemon, client, runtime, when):
    daemon.command(f"kill {when} release")
    call = dbus.lowlevel.MethodCallMessage(NAME, path_of(DB), LIFECYCLE, "Release")
    call.append({}, signature="a{sv}")
    client.connection.send_message_with_reply(call, lambda answer: None, 60)
    assert daemon.process.wait(20) == -signal.SIGKILL
    restart(daemon, client)
    wait_until(lambda: client.domain("db")["State"] == "started")
    assert records(runtime) == []


def test_killed_while_a_line_is_awaited(daemon, client, runtime):
    daemon.command("typing on")
    begin(client, WEB, [])
    wait_until(lambda: len(jobs(client)) == 1)
    daemon.process.kill()
    restart(daemon, client)
    wait_until(lambda: client.console() == WEB)
    assert records(runtime) == []


def test_ended_while_a_line_is_awaited(daemon, client, runtime):
    """By the service manager: the caller is told, the next daemon continues."""
    daemon.command("typing on")
    answers = []
    begin(client, WEB, answers)
    begin(client, CONTROL, answers)
    wait_until(lambda: len(jobs(client)) == 2)
    daemon.process.terminate()
    wait_until(lambda: len(answers) == 2)
    assert [answer.get_error_name() for answer in answers] == [OURS + "Cancelled"] * 2
    assert "the next one continues it" in answers[0].get_args_list()[0]
    restart(daemon, client)
    wait_until(lambda: client.console() == WEB)


def test_the_domain_has_gone_meanwhile(daemon, client, runtime):
    """Nobody waits for the answer; the log has it, and the record goes."""
    daemon.command("domain-add vm domid=70")
    client.wait_signal("DomainAdded")
    vm = client.path_of("vm")
    daemon.command("kill before set-console")
    call = dbus.lowlevel.MethodCallMessage(NAME, PATH, MANAGER, "SetConsoleOwner")
    call.append(vm, {}, signature="oa{sv}")
    client.connection.send_message_with_reply(call, lambda answer: None, 60)
    assert daemon.process.wait(20) == -signal.SIGKILL
    restart(daemon, client)
    wait_until(lambda: records(runtime) == [])
    wait_until(lambda: "failed, for uid" in daemon.text())
    assert "the domain has gone meanwhile" in daemon.text() and client.console() == CONSOLE


BAD_RECORDS = {
    "1.json": "", "2.json": "{", "3.json": "[]", "4.json": "{}", "5.json": '{"version": 2}', "6.json": "nonsense" * 1000,
    "7.json": json.dumps({"version": 1, "kind": "destroy", "step": "x", "key": "k", "doing": "d", "uid": 0, "pid": 0,
                          "subject": {"domid": 5, "generation": 0, "uuid": "", "name": "web"}}),
    "8.json": json.dumps({"version": 1, "kind": "set-console-owner", "step": "hand-off", "key": "console", "doing": "d", "uid": 0,
                          "pid": 0, "subject": {"domid": 5, "generation": 0, "uuid": "", "name": "web"}, "data": {"loan-ms": -1}}),
    "9.json": json.dumps({"version": 1, "kind": "set-console-owner", "step": "hand-off", "key": "k" * 80, "doing": "d", "uid": 0,
                          "pid": 0, "subject": {"domid": 5, "generation": 0, "uuid": "", "name": "web"}, "data": {"loan-ms": 0}}),
    "10.json": json.dumps({"version": 1, "kind": "set-console-owner", "step": "hand-off", "key": "console", "doing": "d", "uid": 0,
                           "pid": 0, "subject": {"domid": 2**40, "generation": 0, "uuid": "", "name": "web"}, "data": {"loan-ms": 0}}),
    "12.new": "{",
}


def test_records_that_are_none(launch, client, runtime):
    """They are removed, and the daemon says so; what else is there it leaves alone."""
    (runtime / "jobs").mkdir(mode=0o700)
    for name, text in BAD_RECORDS.items():
        (runtime / "jobs" / name).write_text(text)
    (runtime / "jobs" / "11.json").symlink_to("/etc/passwd")
    (runtime / "jobs" / "notes.txt").write_text("mine")
    (runtime / "jobs" / "13.json").mkdir()
    daemon = launch(options=["--session"], env={"RUNTIME_DIRECTORY": str(runtime)})
    assert records(runtime) == ["13.json", "notes.txt"]
    assert client.console() == CONSOLE
    client.call("Release", "a{sv}", {}, interface=LIFECYCLE, path=path_of(DB))
    # A number that a record had is not used again.
    assert int(client.wait_signal("JobNew")[3][0].rsplit("/", 1)[1]) >= 10
    assert daemon.text().count("it is removed") >= 9


def test_a_directory_that_others_may_write(launch, client, runtime):
    """What is in it is not acted upon."""
    (runtime / "jobs").mkdir()
    (runtime / "jobs").chmod(0o777)
    daemon = launch(options=["--session"], env={"RUNTIME_DIRECTORY": str(runtime)})
    assert "jobs are not recorded" in daemon.text()
    client.call("Release", "a{sv}", {}, interface=LIFECYCLE, path=path_of(DB))
    assert records(runtime) == []


def test_no_place_for_records(daemon, client, runtime):
    """Better done without one than not at all."""
    (runtime / "jobs").rmdir()
    client.call("Release", "a{sv}", {}, interface=LIFECYCLE, path=path_of(DB))
    assert client.get("State", DOMAIN, path_of(DB)) == "started"
    assert "cannot record job" in daemon.text()


def test_without_a_runtime_directory(launch, client):
    daemon = launch(options=["--session"])
    daemon.command("typing on")
    answers = []
    begin(client, WEB, answers)
    turn(0.2)
    daemon.command("typing off")
    wait_until(lambda: answers)
    assert client.console() == WEB and "record" not in daemon.text()
