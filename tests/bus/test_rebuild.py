# SPDX-License-Identifier: LGPL-2.1-or-later
"""Initial domains that are made again: Rebuild, what `restart` of the LCM has done by itself, and what goes wrong on the way."""
import gzip
import hashlib
import os
import re
import signal

import dbus
import dbus.lowlevel
import pytest

from conftest import (JOB, LIFECYCLE, NAME, OURS, PATH, call_as_nobody, domid_of, records, turn, wait_until)
from vm_support import hold, jobs, vms

WEB, DB = "0b1e9f5c-3d5e-4c55-9f0a-8c1c1a2b3c4d", "00000000-0000-4000-8000-0000000000db"
KERNEL, RAMDISK = b"this is the kernel", b"this is the ramdisk, which is longer"
FORCE = dbus.Dictionary({"Force": True}, signature="sv")
NONE = dbus.Dictionary({}, signature="sv")


def sha(content):
    return hashlib.sha256(content).hexdigest()


def digest(content):
    return " ".join(sha(content)[i:i + 2] for i in range(0, 64, 2))


def module(kind, index, content, more=""):
    return f"""{kind} {{ compatible = "module,{kind}"; mb-index = <{index}>; digest-sha256 = [{digest(content)}]; {more} }};"""


MODULES = module("kernel", 1, KERNEL, 'bootargs = "console=hvc0 one two";') + module("ramdisk", 2, RAMDISK)


def node(name, more="", modules=MODULES, memory="64M"):
    return f"""{name} {{ compatible = "xen,domain"; memory = "{memory}"; {more} {modules} }};"""


def uuid_cells(uuid):
    return "[" + re.sub("(..)", r"\1 ", uuid.replace("-", "")) + "]"


DOM0 = node("dom0", "permissions = <3>; mode = <5>; functions = <0x40000000>;", module("kernel", 1, KERNEL))
CRASH = node("crash", "functions = <2>; mode = <4>;")
# Besides web, which has all that there is, what cannot be made again, and what has no UUID.
OTHERS = node("plain", "mode = <4>;") + node("bare", "mode = <4>;", module("kernel", 1, KERNEL))


def source(more="", restart="", dom0=DOM0, others=OTHERS):
    web = node("web", f"mode = <4>; cpus = <3>; domain-uuid = {uuid_cells(WEB)}; {restart}", memory="96M",
               modules=MODULES + 'vcpu { compatible = "xen,vcpu"; id = <1>; hard-affinity = "0-2,5"; };')
    db = node("db", f"mode = <5>; domain-uuid = {uuid_cells(DB)}; {restart}")
    return f"""/dts-v1/;
/ {{ chosen {{ hypervisor {{ compatible = "hypervisor,xen";
    {dom0} {web} {db} {others} {more} }}; }}; }};"""


@pytest.fixture
def files(place):
    folder = place / "modules"
    folder.mkdir()
    (folder / "vmlinuz").write_bytes(KERNEL)
    (folder / "initrd").write_bytes(RAMDISK)
    (folder / "other").write_bytes(b"this is no kernel.")
    return folder


@pytest.fixture
def start(launch, runtime, place, files):
    """start(SOURCE): the daemon with its vmd; each initial domain but "plain" and "bare" has its UUID as handle."""
    peers = place / "peers"
    peers.mkdir()
    servers = []

    def run(text=None):
        daemon = launch(text or source(), options=["--session", "--peers", str(peers), "--module-path", f"/nowhere:{files}"],
                        env={"RUNTIME_DIRECTORY": str(runtime)})
        daemon.vmd = vms.Vmd(str(peers), daemon.command)
        servers.append(daemon.vmd)
        return daemon
    yield run
    for server in servers:
        server.stop()


@pytest.fixture
def daemon(start):
    return start()


@pytest.fixture
def vmd(daemon):
    return daemon.vmd


def rebuild(client, name, options=NONE):
    return client.call("Rebuild", "a{sv}", options, interface=LIFECYCLE, path=client.path_of(name))


def refused(client, name, error, options=NONE):
    return client.expect_error(error, "Rebuild", "a{sv}", options, interface=LIFECYCLE, path=client.path_of(name))


def begin(client, name, answers, options=NONE):
    call = dbus.lowlevel.MethodCallMessage(NAME, client.path_of(name), LIFECYCLE, "Rebuild")
    call.append(options, signature="a{sv}")
    client.connection.send_message_with_reply(call, answers.append, 60)


def requests(vmd):
    return [order["request"] for order in vmd.orders]


def handle_of(client, name):
    return client.domain(name)["Handle"]


def test_crashed_domain_is_made_again(daemon, client, vmd, runtime):
    seen = {}

    def look(order):
        seen.update(config=order.config(), **{name: os.pread(fd, 100, 0) for name, fd in order.fds.items() if name != "config"})
        vmd.create(order)
    vmd.overrides["create"] = look
    before = client.rows()["web"]
    daemon.command("shutdown web crash")
    path = rebuild(client, "web")
    row = client.rows()["web"]
    assert row.path == path != before.path
    assert (row.uuid, row.state, row.origin, row.memory, row.vcpus, row.roles) == (WEB, "started", "boot", 96 << 20, 3, before.roles)
    domain = client.domain("web")
    assert domain["Adopted"] and domain["LCMNode"] == "/chosen/hypervisor/web" and domain["Handle"] == WEB
    assert seen["config"] == {
        "c_info": {"type": "pvh", "name": "web", "uuid": WEB},
        "b_info": {"max_vcpus": 3, "avail_vcpus": [0, 1, 2], "max_memkb": 96 << 10, "target_memkb": 96 << 10, "cmdline": "console=hvc0 one two",
                   "vcpu_hard_affinity": [list(range(8)), [0, 1, 2, 5], list(range(8))], "type.pvh": {}}}
    assert (seen["kernel"], seen["ramdisk"]) == (KERNEL, RAMDISK)
    destroyed, created = vmd.orders
    assert (destroyed["request"], destroyed["uuid"], destroyed["domid"]) == ("destroy", WEB, before.domid)
    assert (created["request"], created["start"], created["keep"], created["kind"]) == ("create", False, False, "vm")
    daemon.command("ready web")
    wait_until(lambda: client.rows()["web"].state == "ready")
    assert [event[2] for event in client.call("GetEvents", "u", 0)].count("adopted") == 1
    job, kind, subject = client.wait_signal("JobNew", PATH)[3]
    assert (kind, subject) == ("rebuild", before.path)
    assert client.wait_signal("JobRemoved", PATH)[3] == (job, "rebuild", before.path, "done", "", "")
    assert records(runtime) == []
    assert f"rebuild domain {before.domid} (web): done" in daemon.text()


def test_again_and_again(daemon, client, vmd):
    """Also one that is adopted, in each way to end it."""
    for reason in ("crash", "poweroff", "reboot", "watchdog"):
        daemon.command(f"shutdown web {reason}")
        rebuild(client, "web")
        assert client.rows()["web"].state == "started" and handle_of(client, "web") == WEB
    client.call("Destroy", "a{sv}", NONE, interface=LIFECYCLE, path=client.path_of("web"))
    assert client.rows()["web"].state == "reclaimed"
    rebuild(client, "web")
    assert client.rows()["web"].state == "started"
    # What is gone is not destroyed once more.
    assert requests(vmd) == ["destroy", "create"] * 4 + ["destroy", "create"]


def test_running_domain_takes_force(daemon, client, vmd):
    assert "Force" in refused(client, "db", OURS + "WrongState")
    assert vmd.orders == []
    rebuild(client, "db", FORCE)
    assert client.rows()["db"].state == "started" and client.domain("db")["Adopted"]
    assert vmd.orders[1]["uuid"] == DB


def test_domain_without_uuid(daemon, client, vmd):
    """It gets one before it is ended, as an order is about a UUID; one that is gone gets a new one."""
    daemon.command("shutdown plain crash")
    rebuild(client, "plain")
    uuid = vmd.orders[0]["uuid"]
    assert uuid == vmd.orders[1]["uuid"] == handle_of(client, "plain") and uuid[14] == "4"
    daemon.command("shutdown plain crash")
    rebuild(client, "plain")
    assert handle_of(client, "plain") == uuid


def test_domain_without_ramdisk(daemon, client, vmd):
    daemon.command("shutdown bare poweroff")
    rebuild(client, "bare")
    assert vmd.orders[1]["fds"] == ["config", "kernel"]


def test_packed_files(daemon, client, vmd, files):
    """As GRUB unpacks them; vmd gets what is in them."""
    seen = {}

    def look(order):
        seen.update({name: os.pread(fd, 100, 0) for name, fd in order.fds.items() if name != "config"})
        vmd.create(order)
    vmd.overrides["create"] = look
    for name, content in (("vmlinuz", KERNEL), ("initrd", RAMDISK)):
        (files / name).unlink()
        (files / f"{name}.gz").write_bytes(gzip.compress(content))
    daemon.command("shutdown web crash")
    rebuild(client, "web")
    assert seen == {"kernel": KERNEL, "ramdisk": RAMDISK}
    assert f"is what is in {files}/vmlinuz.gz" in daemon.text()


@pytest.mark.parametrize("name, content", [("vmlinuz", KERNEL), ("initrd", RAMDISK)])
@pytest.mark.parametrize("how", ["missing", "changed", "link"])
def test_module_that_is_not_found(daemon, client, vmd, files, name, content, how):
    (files / name).unlink()
    if how == "changed":
        (files / name).write_bytes(content[::-1])
    elif how == "link":
        (files.parent / "elsewhere").write_bytes(content)
        (files / name).symlink_to(files.parent / "elsewhere")
    daemon.command("shutdown web crash")
    message = refused(client, "web", OURS + "Failed")
    assert sha(content) in message and str(files) in message and "is not found" in message
    # Nothing was done to it.
    assert vmd.orders == [] and client.rows()["web"].state == "shutdown"


def test_what_is_not_made_again(start, client):
    daemon = start(source(more=CRASH))
    for name, why in (("dom0", "hardware domain"), ("crash", "crash domain")):
        assert why in refused(client, name, OURS + "NotSupported", FORCE)
    daemon.command("domain-add later")
    assert "no initial domain" in refused(client, "later", OURS + "NotSupported", FORCE)
    assert daemon.vmd.orders == [] and jobs(client) == []


@pytest.mark.parametrize("name, why", [("store", "xenstore domain"), ("control", "control domain"), ("hw", "hardware domain"), ("boot", "boot domain"),
                                       ("crash", "crash domain")])
def test_roles_that_only_a_launch_gives(start, client, name, why):
    daemon = start("ok-dynamic-full")
    assert why in refused(client, name, OURS + "NotSupported", FORCE)
    assert daemon.vmd.orders == []


DEVICE = 'device { compatible = "xen,pci-passthrough"; bdf = "0000:01:00.0"; };'


@pytest.mark.parametrize("other, why", [
    (node("other", "mode = <5>;", MODULES + DEVICE), "pci"),
    (node("other", "mode = <4>;", MODULES + module("config", 3, b"")), "config"),
    (node("other", "mode = <4>;", 'kernel { compatible = "module,kernel"; mb-index = <3>; };'), "no digest of its kernel"),
], ids=["pci", "config", "digest"])
def test_what_vmd_cannot_give(start, client, other, why):
    daemon = start(source(more=other))
    daemon.command("shutdown other crash")
    assert why in refused(client, "other", OURS + "NotSupported")
    assert daemon.vmd.orders == []


def test_static_launch(start, client):
    daemon = start(source(dom0=node("dom0", "permissions = <2>; functions = <0x40000000>; mode = <5>;", module("kernel", 1, KERNEL))))
    daemon.command("shutdown web crash")
    assert "CONTROL" in refused(client, "web", OURS + "NotSupported")


def test_what_others_have_taken(daemon, client, vmd):
    client.call("Destroy", "a{sv}", NONE, interface=LIFECYCLE, path=client.path_of("web"))
    path = client.path_of("web")
    other = daemon.command("domain-add web")
    message = client.expect_error(OURS + "WrongState", "Rebuild", "a{sv}", NONE, interface=LIFECYCLE, path=path)
    assert f"domain {other} has its name" in message
    daemon.command(f"domain-remove {other}")
    other = daemon.command(f"domain-add thief uuid={WEB}")
    message = client.expect_error(OURS + "WrongState", "Rebuild", "a{sv}", NONE, interface=LIFECYCLE, path=path)
    assert f"domain {other} (thief) has its UUID" in message
    assert requests(vmd) == ["destroy"]


def test_name_that_it_has_by_then(daemon, client, vmd):
    for _ in range(2):
        daemon.command("rename web shop")
        daemon.command("shutdown shop crash")
        rebuild(client, "shop")
        assert client.domain("shop")["LCMNode"] == "/chosen/hypervisor/web"
        # Without the domain nothing knows that name any more.
        client.call("Destroy", "a{sv}", NONE, interface=LIFECYCLE, path=client.path_of("shop"))
        rebuild(client, "web")


def test_options(client, vmd):
    for wrong in ({"Force": "yes"}, {"Other": True}):
        refused(client, "web", "org.freedesktop.DBus.Error.InvalidArgs", dbus.Dictionary(wrong, signature="sv"))


@pytest.mark.parametrize("code", ["NoMemory", "Failed"])
def test_vmd_cannot_make_it(daemon, client, vmd, code):
    vmd.overrides["create"] = lambda order: order.failed(code, "it needs 5 KiB, and there are 3")
    daemon.command("shutdown web crash")
    assert "there are 3" in refused(client, "web", OURS + code)
    assert client.rows()["web"].state == "reclaimed" and jobs(client) == []
    # An answer ends the matter; and it can be tried again.
    assert requests(vmd) == ["destroy", "create"]
    del vmd.overrides["create"]
    rebuild(client, "web")
    assert client.rows()["web"].state == "started"


def test_vmd_cannot_end_it(daemon, client, vmd):
    vmd.overrides["destroy"] = lambda order: order.done()
    daemon.command("shutdown web crash")
    assert "Xen still has it" in refused(client, "web", OURS + "Failed")
    assert requests(vmd) == ["destroy"] and client.rows()["web"].state == "shutdown"


def test_vmd_that_is_killed(daemon, client, vmd):
    """What it had made by then is ended by its UUID."""
    def half(order):
        vmd.domids[WEB] = int(vmd.tell(f"domain-add web uuid={WEB} paused"))
    vmd.overrides["create"] = half
    daemon.command("shutdown web crash")
    assert "ended before" in refused(client, "web", OURS + "Failed")
    assert requests(vmd) == ["destroy", "create", "destroy"]
    assert [row.state for row in client.list() if row.name == "web"] == ["reclaimed"]


@pytest.mark.parametrize("errno", ["EPERM", "EINVAL", "EBUSY"])
def test_xen_does_not_adopt_it(daemon, client, vmd, errno):
    daemon.command(f"fault adopt {errno} 1")
    daemon.command("shutdown web crash")
    with pytest.raises(dbus.DBusException):
        rebuild(client, "web")
    assert requests(vmd) == ["destroy", "create", "destroy"]
    assert [row.state for row in client.list() if row.name == "web"] == ["reclaimed"] and jobs(client) == []


def test_xen_does_not_start_it(daemon, client, vmd):
    """Adopted or not, it is ended."""
    daemon.command("fault unpause EPERM 1")
    daemon.command("shutdown web crash")
    with pytest.raises(dbus.DBusException):
        rebuild(client, "web")
    assert requests(vmd) == ["destroy", "create", "destroy"]
    assert [row.state for row in client.list() if row.name == "web"] == ["reclaimed"] and jobs(client) == []


def test_cancelled(daemon, client, vmd):
    held, answers = hold(vmd, "create"), []
    daemon.command("shutdown web crash")
    begin(client, "web", answers)
    wait_until(lambda: held)
    job = jobs(client)[0][0]
    client.call("Cancel", "a{sv}", {}, interface=JOB, path=job)
    wait_until(lambda: answers)
    assert answers[0].get_error_name() == OURS + "Cancelled"
    assert requests(vmd) == ["destroy", "create", "destroy"] and client.rows()["web"].state == "reclaimed"


def test_cancelled_search(daemon, client, vmd, files):
    """A large file keeps it busy for a while; what is cancelled then does nothing more."""
    with open(files / "large", "wb") as file:
        file.truncate(500 << 20)
    (files / "initrd").unlink()
    answers = []
    daemon.command("shutdown web crash")
    begin(client, "web", answers)
    listed = wait_until(lambda: [job for job in jobs(client) if job[4] == "modules"] or answers)
    assert not answers
    client.call("Cancel", "a{sv}", {}, interface=JOB, path=listed[0][0])
    wait_until(lambda: answers)
    assert answers[0].get_error_name() == OURS + "Cancelled"
    assert vmd.orders == [] and client.rows()["web"].state == "shutdown"


def test_destroy_cannot_be_cancelled(daemon, client, vmd):
    held, answers = hold(vmd, "destroy"), []
    daemon.command("shutdown web crash")
    begin(client, "web", answers)
    wait_until(lambda: held)
    client.expect_error(OURS + "WrongState", "Cancel", "a{sv}", {}, interface=JOB, path=jobs(client)[0][0])
    vmd.destroy(held[0])
    wait_until(lambda: answers)
    assert answers[0].get_type() == dbus.lowlevel.MESSAGE_TYPE_METHOD_RETURN


def test_name_is_taken_meanwhile(daemon, client, vmd, files):
    held, answers = hold(vmd, "create"), []
    daemon.command("shutdown web crash")
    begin(client, "web", answers)
    wait_until(lambda: held)
    path = client.path_of("web")
    answers2 = []
    call = dbus.lowlevel.MethodCallMessage(NAME, path, LIFECYCLE, "Rebuild")
    call.append(NONE, signature="a{sv}")
    client.connection.send_message_with_reply(call, answers2.append, 60)
    # It waits for the first one, and then there is no such object any more.
    turn(0.2)
    assert not answers2 and len(jobs(client)) == 2
    vmd.create(held[0])
    wait_until(lambda: answers and answers2)
    assert answers[0].get_type() == dbus.lowlevel.MESSAGE_TYPE_METHOD_RETURN
    assert answers2[0].get_error_name() == OURS + "NoSuchDomain"


def kill(daemon):
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()


@pytest.mark.parametrize("request_", ["destroy", "create"])
def test_daemon_that_is_killed(daemon, client, vmd, runtime, request_):
    """The next one goes on: it finds the modules again, and ends what was begun."""
    held, answers = hold(vmd, request_), []
    daemon.command("shutdown web crash")
    begin(client, "web", answers)
    wait_until(lambda: held)
    assert len(records(runtime)) == 1
    kill(daemon)
    del vmd.overrides[request_]
    vmd.orders.clear()
    # The simulated Xen has ended too: that of the next one has its first domain of that UUID.
    vmd.domids[WEB] = 2
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: jobs(client) == [] and records(runtime) == [])
    # Whatever an earlier daemon may have begun is ended by its UUID.
    assert requests(vmd) == {"destroy": ["destroy", "destroy", "create"], "create": ["destroy", "create"]}[request_], daemon.text()
    row = client.rows()["web"]
    assert (row.state, client.domain("web")["Adopted"]) == ("started", True)
    assert re.search(r"rebuild domain \d+ \(web\): done", daemon.text())


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["adopt", "unpause"])
def test_daemon_that_is_killed_in_xen(daemon, client, vmd, runtime, when, operation):
    """What is recorded by then does not exist in the Xen of the next one, so that undoes it."""
    daemon.command("shutdown web crash")
    daemon.command(f"kill {when} {operation}")
    begin(client, "web", [])
    wait_until(lambda: daemon.process.poll() is not None)
    assert len(records(runtime)) == 1
    vmd.domids.clear()
    daemon.process.wait()
    wait_until(lambda: not client.ready())
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: jobs(client) == [] and records(runtime) == [])
    assert requests(vmd) == ["destroy", "create", "destroy"] and vmd.orders[-1]["uuid"] == WEB
    assert "gone meanwhile" in daemon.text()


def test_no_vmd(launch, client, files, runtime):
    daemon = launch(source(), options=["--session", "--module-path", str(files)], env={"RUNTIME_DIRECTORY": str(runtime)})
    daemon.command("shutdown web crash")
    assert "hyperlaunch-vmd.socket" in refused(client, "web", OURS + "NotSupported")
    assert client.rows()["web"].state == "shutdown"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
def test_not_allowed(launch, bus_address, client):
    launch(source())
    process = call_as_nobody(bus_address, "Rebuild", "{}", interface=LIFECYCLE, path=client.path_of("web"))
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0 and "AccessDenied" in errors, errors


def test_descriptors_are_not_kept(daemon, client, vmd, files):
    def count():
        return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))

    def again(good):
        daemon.command("shutdown web crash")
        if good:
            rebuild(client, "web")
        else:
            refused(client, "web", OURS + "Failed")
            del vmd.overrides["create"]
            rebuild(client, "web")
    again(True)
    before = count()
    for _ in range(5):
        again(True)
        vmd.overrides["create"] = lambda order: None
        again(False)
    wait_until(lambda: count() <= before)


def rebuilt(daemon, client, times):
    """Until it has been made again that often."""
    wait_until(lambda: len(daemon.vmd.orders) == 2 * times and client.rows()["web"].state == "started" and not jobs(client))


def restarts(client, name="web"):
    return client.get("Restarts", LIFECYCLE, client.path_of(name))


@pytest.mark.parametrize("restart, reason, again", [
    ("never", "crash", False), ("on-failure", "poweroff", False), ("on-failure", "crash", True), ("on-failure", "watchdog", True),
    ("on-failure", "reboot", True), ("always", "poweroff", True), ("always", "suspend", False)])
def test_what_the_lcm_says(start, client, restart, reason, again):
    daemon = start(source(restart=f'restart = "{restart}";'))
    policy = [client.get(f"On{event}", LIFECYCLE, client.path_of("web")) for event in ("Poweroff", "Reboot", "Crash")]
    assert policy == {"never": ["", "", ""], "on-failure": ["preserve", "restart", "restart"], "always": ["restart"] * 3}[restart]
    daemon.command(f"shutdown web {reason}")
    if again:
        rebuilt(daemon, client, 1)
        assert client.domain("web")["Adopted"] and restarts(client) == 1
        assert requests(daemon.vmd) == ["destroy", "create"]
    else:
        turn(0.5)
        assert client.rows()["web"].state == "shutdown" and daemon.vmd.orders == []


def test_limit_of_restarts(start, client):
    """It is preserved then; another domain has a limit of its own."""
    daemon = start(source(restart='restart = "on-failure"; restart-limit = <2>;'))
    for number in range(2):
        daemon.command("shutdown web crash")
        rebuilt(daemon, client, number + 1)
        assert restarts(client) == number + 1
    daemon.command("shutdown web crash")
    wait_until(lambda: "is preserved: it was restarted 2 times" in daemon.text())
    turn(0.3)
    assert client.rows()["web"].state == "shutdown" and len(daemon.vmd.orders) == 4
    # What somebody asks for is not counted.
    rebuild(client, "web")
    assert (client.rows()["web"].state, restarts(client), restarts(client, "db")) == ("started", 2, 0)


def test_restarts_are_counted_by_the_next_daemon_too(start, client, runtime):
    daemon = start(source(restart='restart = "on-failure"; restart-limit = <1>;'))
    daemon.command("shutdown web crash")
    rebuilt(daemon, client, 1)
    assert restarts(client) == 1
    assert [path.name for path in (runtime / "vm").iterdir()] == ["initial-1"]
    kill(daemon)
    daemon.start()
    wait_until(client.ready)
    assert restarts(client) == 1
    daemon.command("shutdown web crash")
    wait_until(lambda: "is preserved: it was restarted 1 times" in daemon.text())
    assert requests(daemon.vmd) == ["destroy", "create"]


@pytest.mark.parametrize("name, text", [("initial-1", "{"), ("initial-1", "{}"), ("initial-9", None)], ids=["broken", "empty", "nobodys"])
def test_counts_that_are_none(start, client, runtime, name, text):
    """They are removed; a directory of another name stays."""
    good = '{"poweroff": "restart", "reboot": "restart", "crash": "restart", "limit": 5, "restarts": []}'
    for other in (name, "initial-01", "initial-x"):
        (runtime / "vm" / other).mkdir(parents=True)
        (runtime / "vm" / other / "policy").write_text(text or good)
    daemon = start(source(restart='restart = "on-failure";'))
    wait_until(lambda: sorted(path.name for path in (runtime / "vm").iterdir()) == ["initial-01", "initial-x"])
    assert text is None or "initial-1/policy cannot be read" in daemon.text()
    assert restarts(client) == 0


def test_restart_that_fails_is_not_tried_again(start, client, files):
    daemon = start(source(restart='restart = "always";'))
    (files / "vmlinuz").unlink()
    daemon.command("shutdown web poweroff")
    wait_until(lambda: sha(KERNEL) in daemon.text())
    turn(0.5)
    assert client.rows()["web"].state == "shutdown" and daemon.vmd.orders == []


def test_destroyed_domain_is_not_restarted(start, client):
    daemon = start(source(restart='restart = "always";'))
    client.call("Destroy", "a{sv}", NONE, interface=LIFECYCLE, path=client.path_of("web"))
    turn(0.5)
    assert client.rows()["web"].state == "reclaimed" and requests(daemon.vmd) == ["destroy"]


def test_restart_of_what_cannot_be_rebuilt(start, client):
    daemon = start(source(dom0=node("dom0", 'permissions = <3>; functions = <0x40000000>; mode = <5>; restart = "always";',
                                    module("kernel", 1, KERNEL))))
    assert "/chosen/hypervisor/dom0: restart has no effect" in daemon.text()
    assert client.get("OnCrash", LIFECYCLE, client.path_of("dom0")) == ""


@pytest.mark.parametrize("wrong", ["relative", "", "/a:b", "/a:"])
def test_module_path_that_is_none(wrong, place):
    import subprocess
    done = subprocess.run([os.environ["HYPERLAUNCHD"], "--module-path", wrong], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "absolute" in done.stderr


def test_object_of_the_former_domain_is_gone(daemon, client, vmd):
    before = client.path_of("web")
    daemon.command("shutdown web crash")
    path = rebuild(client, "web")
    client.wait_signal("DomainRemoved", PATH, lambda domid, *_: domid == domid_of(before))
    client.wait_signal("DomainAdded", PATH, lambda domid, *_: domid == domid_of(path))
    assert client.call("GetDomainByUUID", "s", WEB) == path
