# SPDX-License-Identifier: LGPL-2.1-or-later
"""Initial domains get their place in xenstore; names and domains are followed there.

libxenstore is the real one; the server is xenstored.py, and in tests that need no knob of it the real ones too.
"""

import errno
import os
import shutil
import socket
import subprocess
import time

import dbus
import pytest

import real_xenstored
from conftest import DOMAIN, INVALID_ARGS, PATH, turn, wait_until
from xenstored import INTRODUCE, RM, WATCH, WRITE, Xenstored

# Without UUIDs, xenstored in domain 0; with UUIDs, xenstored in 1 and we in 2.
LCM = "ok-classic-basic-cloud"
DYNAMIC = "ok-dynamic-full"


@pytest.fixture
def store(request, place):
    """The one of these tests, or by name one of Debian's."""
    name = getattr(request, "param", "test's")
    if name == "test's":
        server = Xenstored(place / "xenstored" / "socket")
    else:
        real_xenstored.require(name)
        server = real_xenstored.RealXenstored(name, place)
    yield server
    server.stop()


# With the test's own, and with those that Debian has, of which it prefers oxenstored.
each_xenstored = pytest.mark.parametrize("store", ["test's", "xenstored", "oxenstored"], indirect=True)


@pytest.fixture
def with_store(launch, store):
    def start(lcm=LCM, **kwargs):
        return launch(lcm, env={"XENSTORED_PATH": store.path}, **kwargs)
    return start


def initial(client, self_domid=0):
    """Rows of initial domains that want an introduction."""
    return [r for r in client.list()
            if r.origin == "boot" and r.state != "reclaimed" and r.domid != self_domid and "xenstore" not in r.roles]


def all_introduced(store, rows):
    return all(int(r.domid) in store.introduced for r in rows)


def tree_of(store, domid):
    return store.below(f"/local/domain/{domid}")


@pytest.mark.parametrize("lcm, self_domid", [(LCM, 0), (DYNAMIC, 2)])
def test_introduces_the_guests(with_store, store, client, lcm, self_domid):
    store.become(self_domid)
    store.start()
    with_store(lcm)
    rows = initial(client, self_domid)
    assert len(rows) >= 2
    wait_until(lambda: all_introduced(store, rows))
    for _, domid, uuid, name, *_ in rows:
        gfn, port = store.introduced[int(domid)]
        assert gfn > 0 and port > 0
        tree = tree_of(store, domid)
        assert tree["name"] == name
        assert tree["domid"] == str(domid)
        vm = tree["vm"]
        assert vm == f"/vm/{uuid}" if uuid else vm.startswith("/vm/")
        assert store.read(f"{vm}/name") == name
        assert store.read(f"{vm}/uuid") == vm[4:]
        assert float(store.read(f"{vm}/start_time")) > 1.6e9
        assert (tree["store/ring-ref"], tree["store/port"]) == (str(gfn), str(port))
        domain = client.domain(name)
        assert store.read(f"/libxl/{domid}/type") == ("pv" if domain["Mode"] & 1 else "pvh")
        kib = domain["MemoryMax"] >> 10
        assert (tree["memory/static-max"], tree["memory/target"]) == (str(kib), str(kib))
        vcpus = [k for k in tree if k.startswith("cpu/") and k.endswith("/availability")]
        assert len(vcpus) == domain["VcpusMax"]
        assert {tree[k] for k in vcpus} == {"online"}
    turn(0.5)
    assert set(store.introduced) == {self_domid} | {int(r.domid) for r in rows}


def test_the_toolstack_owns_its_nodes(with_store, store, client):
    """Not domain 0 where the daemon does not run in domain 0."""
    store.become(2)
    store.start()
    with_store(DYNAMIC)
    wait_until(lambda: all_introduced(store, initial(client, 2)))
    assert store.perms("/local/domain/5") == ["n2", "r5"]
    assert store.perms("/libxl/5") == ["n2"]
    # The console domain of this launch serves the consoles.
    assert store.read("/local/domain/5/console/backend") == "/local/domain/4/backend/console/5/0"
    assert store.perms("/local/domain/5/console") == ["n4", "r5"]
    assert store.perms("/local/domain/4/backend/console/5/0") == ["n4", "r5"]


@each_xenstored
def test_console(with_store, store, client):
    store.start()
    with_store()
    rows = initial(client)
    wait_until(lambda: all_introduced(store, rows))
    for _, domid, *_ in rows:
        console = store.below(f"/local/domain/{domid}/console")
        assert console["type"] == "xenconsoled"
        assert console["tty"] == ""
        assert int(console["port"]) > 0 and int(console["ring-ref"]) > 0
        backend = console["backend"]
        assert backend == f"/local/domain/0/backend/console/{domid}/0"
        assert store.read(f"{backend}/frontend") == f"/local/domain/{domid}/console"
        assert store.read(f"/libxl/{domid}/device/console/0/backend") == backend
        # The guest must not choose what terminal an administrator opens.
        for node in ("", "/tty", "/type", "/limit", "/ring-ref", "/port", "/backend-id"):
            assert store.perms(f"/local/domain/{domid}/console{node}") == ["n0", f"r{domid}"]


GUEST_OWNS = {"device/suspend/event-channel", "control/shutdown", "control/feature-poweroff",
              "control/feature-reboot", "control/feature-suspend", "control/sysrq", "data",
              "drivers", "feature", "attr", "error"}


@each_xenstored
def test_permissions(with_store, store, client):
    store.start()
    with_store()
    rows = initial(client)
    wait_until(lambda: all_introduced(store, rows))
    for _, domid, *_ in rows:
        home = f"/local/domain/{domid}"
        for node in tree_of(store, domid):
            perms = store.perms(f"{home}/{node}")
            if node in GUEST_OWNS:
                assert perms == [f"n{domid}"], node
            else:
                assert perms == ["n0", f"r{domid}"], node
        assert store.perms(home) == ["n0", f"r{domid}"]
        assert GUEST_OWNS <= set(tree_of(store, domid))
        for node in store.below(f"/libxl/{domid}"):
            assert store.perms(f"/libxl/{domid}/{node}") == ["n0"], node
        vm = tree_of(store, domid)["vm"]
        assert store.perms(f"{vm}/uuid") == ["n0", f"r{domid}"]


@each_xenstored
def test_properties_follow(with_store, store, client):
    with_store()
    assert client.get("XenstoreState") == "unavailable"
    rows = initial(client)
    for row in rows:
        assert client.get("XenstoreState", DOMAIN, row.path) == "page-ready"
    store.start()
    client.wait_property(PATH, "XenstoreState", "connected")
    for row in rows:
        client.wait_property(row.path, "XenstoreState", "introduced")
    domid, path = rows[0].domid, rows[0].path
    store.write(f"/local/domain/{domid}/control/feature-poweroff", "1")
    client.wait_property(path, "XenstoreState", "connected")
    assert client.get("XenstoreState", DOMAIN, path) == "connected"


@each_xenstored
def test_waits_for_it(with_store, store, client):
    """No xenstored: said once, everything else works, and it goes on by itself."""
    daemon = with_store()
    turn(1.5)
    assert len(client.list()) >= 3
    assert daemon.text().count("xenstored is not there yet") == 1
    begin = os.times().elapsed
    store.start()
    wait_until(lambda: all_introduced(store, initial(client)))
    assert os.times().elapsed - begin < 5
    assert daemon.text().count("xenstored is there") == 1


def test_waits_without_polling(with_store, store, client, place):
    """Neither a directory that comes late nor a socket without a listener spins the loop."""
    daemon = with_store()
    client.list()
    turn(0.5)

    def cpu():
        fields = open(f"/proc/{daemon.process.pid}/stat", encoding="ascii").read().split()
        return int(fields[13]) + int(fields[14])

    before = cpu()
    turn(2)
    assert cpu() - before <= 2
    store.start()
    store.stop()
    turn(2)
    assert cpu() - before <= 6
    store.start()
    wait_until(lambda: all_introduced(store, initial(client)))
    assert (place / "xenstored").is_dir()


def test_directory_comes_and_goes(with_store, store, client, place):
    with_store()
    turn(0.3)
    for _ in range(3):
        (place / "xenstored").mkdir()
        turn(0.1)
        shutil.rmtree(place / "xenstored")
        turn(0.1)
    store.start()
    wait_until(lambda: all_introduced(store, initial(client)))


def test_lost_and_found(with_store, store, client):
    """xenstored dies and comes back, empty: domains are introduced again, as far as it lets us."""
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    store.stop()
    store.introduced = {0: None}
    store.refuse_introduce = [errno.EINVAL]
    client.signals.clear()
    store.start()
    wait_until(lambda: len(store.introduced) >= 2, what="introduced again")
    assert "connection to xenstored is lost" in daemon.text()
    wait_until(lambda: client.get("XenstoreState") == "connected")
    assert daemon.process.poll() is None


def sanitized():
    """The sanitizers' runtime has pthread_create() before a preloaded library does."""
    with open(os.environ["HYPERLAUNCHD"], "rb") as file:
        return b"__asan_init" in file.read()


@pytest.mark.skipif(sanitized(), reason="a library cannot be preloaded")
def test_the_environment_stays_as_it_is_beside_threads(launch, store, client, place):
    """Which connection libxenstore opens is told it by a variable; the threads of an earlier one may read those."""
    guard = place / "guard.so"
    source = os.path.join(os.path.dirname(__file__), "environment-guard.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", guard, source], check=True)
    store.start()
    daemon = launch(LCM, env={"XENSTORED_PATH": store.path, "LD_PRELOAD": str(guard)})
    wait_until(lambda: all_introduced(store, initial(client)))
    client.signals.clear()
    store.stop()
    client.wait_property(PATH, "XenstoreState", "unavailable")
    client.signals.clear()
    store.start()
    client.wait_property(PATH, "XenstoreState", "connected")
    assert "environment-guard: the first thread" in daemon.text()
    assert daemon.process.poll() is None


@pytest.mark.parametrize("store", ["xenstored", "oxenstored"], indirect=True)
def test_comes_back_empty(with_store, store, client):
    """Killed and started again it knows nothing: all is done once more."""
    store.start()
    with_store()
    rows = initial(client)
    wait_until(lambda: all_introduced(store, rows))
    whole = {r.domid: set(tree_of(store, r.domid)) for r in rows}
    store.stop()
    client.wait_property(PATH, "XenstoreState", "unavailable")
    store.start()
    client.wait_property(PATH, "XenstoreState", "connected")
    wait_until(lambda: all_introduced(store, rows))
    assert {r.domid: set(tree_of(store, r.domid)) for r in rows} == whole


@each_xenstored
def test_dies_at_once(with_store, store, client):
    """It takes the connection and goes away before it answers, time and again."""
    daemon = with_store()
    for _ in range(5):
        store.start()
        store.stop()
    store.start()
    wait_until(lambda: all_introduced(store, initial(client)))
    assert daemon.process.poll() is None


@each_xenstored
def test_loss_shows(with_store, store, client):
    store.start()
    env_beat = {"WATCHDOG_USEC": "400000", "NOTIFY_SOCKET": "@hl-nobody-listens"}
    daemon = with_store()
    daemon.stop()
    daemon.env.update(env_beat)
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: client.get("XenstoreState") == "connected")
    store.stop()
    client.wait_property(PATH, "XenstoreState", "unavailable")


def test_introduced_ones_are_left_alone(with_store, store, client):
    store.start()
    store.introduced.update({1: (7, 8), 2: (9, 10), 3: (11, 12)})
    store.write("/local/domain/1/name", "mine")
    with_store()
    assert {int(r.domid) for r in initial(client)} == {1, 2, 3}
    wait_until(lambda: client.get("XenstoreState") == "connected")
    turn(0.5)
    assert store.introduced[1] == (7, 8)
    assert tree_of(store, 1) == {"name": "mine"}
    assert [entry for entry in store.log if entry[0] in (WRITE, RM)] == []


def test_restart_does_nothing_again(with_store, store, client):
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    turn(0.3)
    before = {r.domid: tree_of(store, r.domid) for r in initial(client)}
    daemon.process.kill()
    daemon.process.wait()
    wait_until(lambda: not client.ready())
    store.log.clear()
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: client.get("XenstoreState") == "connected")
    turn(0.5)
    assert {r.domid: tree_of(store, r.domid) for r in initial(client)} == before
    assert [e for e in store.log if e[0] in (WRITE, RM, INTRODUCE)] == []


def test_killed_between_nodes_and_introduction(with_store, store, client):
    """The nodes are there, xenconsoled has put its tty among them: only the rest is done."""
    store.start()
    store.refuse_introduce = [errno.EBUSY] * 100
    daemon = with_store()
    wait_until(lambda: store.read("/local/domain/1/name"))
    wait_until(lambda: "cannot introduce it" in daemon.text())
    daemon.process.kill()
    daemon.process.wait()
    wait_until(lambda: not client.ready())
    store.write("/local/domain/1/console/tty", "/dev/pts/7")
    store.refuse_introduce = []
    daemon.start()
    wait_until(client.ready)
    wait_until(lambda: all_introduced(store, initial(client)))
    assert store.read("/local/domain/1/console/tty") == "/dev/pts/7"


def test_killed_at_every_step(with_store, store, client):
    """Stopped after each single request in turn, the next start completes the rest."""
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    rows = initial(client)
    whole = {r.domid: set(tree_of(store, r.domid)) for r in rows}
    for stop_after in range(1, 120, 17):
        daemon.process.kill()
        daemon.process.wait()
        wait_until(lambda: not client.ready())
        with store.lock:
            store.tree.nodes = {p: n for p, n in store.tree.nodes.items()
                                if p in ("/", "/local", "/local/domain")}
            store.introduced = {0: None}
            store.log.clear()
        daemon.start()
        wait_until(lambda: len(store.log) >= stop_after or all_introduced(store, rows))
        daemon.process.kill()
        daemon.process.wait()
        wait_until(lambda: not client.ready())
        # All of a domain's nodes or none.
        for row in rows:
            assert set(tree_of(store, row.domid)) in (set(), whole[row.domid]), stop_after
        daemon.start()
        wait_until(client.ready)
        wait_until(lambda: all_introduced(store, rows))
        for row in rows:
            assert set(tree_of(store, row.domid)) == whole[row.domid], stop_after


def test_conflicts(with_store, store, client):
    store.start()
    store.conflicts = 9
    with_store()
    wait_until(lambda: all_introduced(store, initial(client)))


def test_conflicts_without_end(with_store, store, client):
    """Not tried for ever in one go, told once, done when the trouble is over."""
    store.start()
    store.conflicts = 10 ** 9
    daemon = with_store()
    wait_until(lambda: "cannot introduce it" in daemon.text())
    assert client.get("NDomains") >= 3
    assert store.below("/local/domain/1") == {}
    store.conflicts = 0
    wait_until(lambda: all_introduced(store, initial(client)))
    assert daemon.text().count("domain 1: cannot introduce it") == 1


def test_nothing_half_done(with_store, store, client):
    store.start()
    store.failures["/local/domain/1/control/sysrq"] = errno.ENOSPC
    daemon = with_store()
    wait_until(lambda: 2 in store.introduced)
    wait_until(lambda: "domain 1: cannot introduce it" in daemon.text())
    assert 1 not in store.introduced
    assert tree_of(store, 1) == {}
    assert "No space left" in daemon.text()
    store.failures.clear()
    wait_until(lambda: 1 in store.introduced)


def test_gives_up_on_what_cannot_be(with_store, store, client):
    store.start()
    store.refuse_introduce = [errno.EINVAL]
    daemon = with_store()
    wait_until(lambda: "domain 1: not introduced" in daemon.text())
    wait_until(lambda: 2 in store.introduced)
    turn(1.5)
    assert 1 not in store.introduced
    assert daemon.text().count("domain 1: not introduced") == 1


@each_xenstored
def test_name_goes_first(with_store, store, client):
    """xl removes a domain's nodes before Xen has removed the domain: it keeps its name until then."""
    store.start()
    daemon = with_store()
    daemon.command("domain-add - domid=70 uuid=00000000-0000-0000-0000-000000000070")
    path = client.wait_signal("DomainAdded")[3][2]
    store.write("/local/domain/70/name", "vm")
    client.wait_property(path, "Name", "vm")
    daemon.command("dying 70")
    store.remove("/local/domain/70")
    client.wait_property(path, "State", "dying")
    turn(0.5)
    assert client.get("Name", DOMAIN, path) == "vm"
    assert client.path_of("vm") == path
    daemon.command("domain-remove 70")
    assert client.wait_signal("DomainRemoved")[3] == (70, "vm", path, "destroyed")


@each_xenstored
def test_post_boot_names(with_store, store, client):
    """As xl does it: the domain, then its name, then its introduction."""
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    store.write("/local/domain/55/name", "fromxl")
    daemon.command("domain-add simname domid=55")
    wait_until(lambda: "fromxl" in client.rows())
    turn(0.3)
    assert client.domain("fromxl")["XenstoreState"] == "none"
    store.introduce(55)
    added = client.wait_signal("DomainAdded")
    assert added[3][:2] == (55, "fromxl")
    path = added[3][2]
    assert client.domain("fromxl")["Origin"] == "post-boot"
    wait_until(lambda: client.get("XenstoreState", DOMAIN, path) == "introduced")
    store.write("/local/domain/55/name", "renamed")
    client.wait_property(path, "Name", "renamed")
    assert client.path_of("renamed") == path
    daemon.command("domain-remove 55")
    store.remove("/local/domain/55")
    store.release(55)
    client.wait_signal("DomainRemoved")
    assert "renamed" not in client.rows()


@each_xenstored
def test_name_that_comes_late(with_store, store, client):
    store.start()
    daemon = with_store()
    daemon.command("domain-add x domid=56")
    wait_until(lambda: client.seen("DomainAdded"))
    path = client.seen("DomainAdded")[0][3][2]
    store.write("/local/domain/56/name", "late")
    client.wait_property(path, "Name", "late")


def test_figures_do_not_wait_for_names(with_store, store, client):
    """While a new domain waits for its name, those of others are fresh, and its own are not there yet."""
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    turn(0.3)
    store.hang_after = 0
    daemon.command("domain-add x domid=58")
    cpu_times = {}
    end = time.monotonic() + 20
    while not client.seen("DomainAdded"):
        assert time.monotonic() < end
        records = {int(record["Domid"]): record for _, record in client.call("GetStats", "a{sv}", {})}
        turn(0.005)
        if 58 not in records:
            cpu_times[records[0]["TimestampUSec"]] = records[0]["CpuTimeNSec"]
        else:
            assert client.seen("DomainAdded")
    assert len(set(cpu_times.values())) == len(cpu_times) > 1
    path = client.seen("DomainAdded")[0][3][2]
    assert path in dict(client.call("GetStats", "a{sv}", {}))


def test_post_boot_ones_are_not_introduced(with_store, store, client):
    store.start()
    daemon = with_store()
    daemon.command("domain-add x domid=57")
    wait_until(lambda: client.seen("DomainAdded"))
    turn(0.5)
    assert 57 not in store.introduced
    assert tree_of(store, 57) == {}


def test_an_adopted_one_is_left_to_its_toolstack(with_store, store, client):
    """It is initial, and has been introduced by the toolstack that has built it, or will be."""
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    daemon.command("domain-remove web")
    daemon.command("domain-add web domid=57 paused")
    daemon.command("adopt web web")
    wait_until(lambda: any(row.domid == 57 and row.origin == "boot" for row in client.list()))
    turn(0.5)
    assert 57 not in store.introduced
    assert tree_of(store, 57) == {}


def test_watches_are_dropped(with_store, store, client):
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))

    def watches():
        return sum(len(c.watches) for c in store.connections)

    turn(0.5)
    before = watches()
    for i in range(20):
        daemon.command(f"domain-add g{i} domid={300 + i}")
    wait_until(lambda: watches() == before + 40)
    for i in range(20):
        daemon.command(f"domain-remove {300 + i}")
    wait_until(lambda: watches() == before)


@each_xenstored
def test_hostile_values(with_store, store, client):
    """Names of no sense in xenstore: shown harmless, nothing else suffers."""
    store.start()
    daemon = with_store()
    for domid, name in ((60, b"\xff\xfe"), (61, b"\x1b[2J"), (62, b"a\0b"), (63, b"n" * store.longest_value),
                        (64, "\uffff".encode()), (65, "\ufdd0\U0001fffe".encode()), (66, "\u202eevil\u2066".encode()),
                        (67, b"$(touch x)`id`")):
        daemon.command(f"domain-add plain{domid} domid={domid}")
        store.write(f"/local/domain/{domid}/name", name)
    turn(0.5)
    rows = {int(r.domid): str(r.name) for r in client.list()}
    assert set(rows) >= set(range(60, 68))
    assert (rows[64], rows[65], rows[66], rows[67]) == ("?", "??", "?evil?", "$(touch x)`id`")
    assert len({s[3][0] for s in client.seen("DomainAdded")}) == 8
    assert not any(ord(c) < 32 for name in rows.values() for c in name)
    assert len(client.objects()) == client.get("NDomains")


@each_xenstored
def test_guest_that_writes_all_the_time(with_store, store, client):
    """A guest may write its own nodes as often as it likes; the daemon stays with it."""
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    for i in range(3000):
        store.write("/local/domain/1/control/feature-poweroff", str(i % 7))
    assert client.get("NDomains") >= 3
    assert daemon.process.poll() is None


@each_xenstored
def test_dom0_keeps_its_name(with_store, store, client):
    """Xen's tools call it Domain-0; the launch control module's name stands."""
    store.start()
    store.write("/local/domain/0/name", "Domain-0")
    with_store("ok-classic-dom0")
    wait_until(lambda: client.get("XenstoreState") == "connected")
    turn(0.3)
    row = client.list()[0]
    assert row.domid == 0 and row.name != "Domain-0" and row.name


@each_xenstored
def test_nil_uuid(with_store, store, client):
    """A domain without UUID gets one of its own in xenstore."""
    store.start()
    with_store()
    rows = initial(client)
    assert {r.uuid for r in rows} == {""}
    wait_until(lambda: all_introduced(store, rows))
    vms = [tree_of(store, r.domid)["vm"] for r in rows]
    assert len(set(vms)) == len(rows)
    for vm in vms:
        assert vm[18] == "4" and vm[23] in "89ab" and set(vm[4:]) - set("0-4")
    assert {r.uuid for r in initial(client)} == {""}


def test_handle_wins(with_store, store, client):
    """In xenstore is what toolstacks take for the UUID: what Xen has."""
    daemon = with_store(DYNAMIC)
    handle = "00112233-4455-6677-8899-aabbccddeeff"
    daemon.command(f"handle web {handle}")
    wait_until(lambda: client.domain("web")["Handle"] == handle)
    store.start()
    wait_until(lambda: 5 in store.introduced)
    assert tree_of(store, 5)["vm"] == f"/vm/{handle}"


def test_watches_come_first(with_store, store):
    """What happens while the domains are being read is not missed."""
    store.start()
    with_store()
    wait_until(lambda: [entry[0] for entry in store.log].count(WATCH) >= 2)
    kinds = [entry for entry in store.log if entry[0] == WATCH]
    assert kinds[0][1] == "@introduceDomain" and kinds[1][1] == "@releaseDomain"


def xl_makes(store, domid, own):
    """The nodes of a guest as libxl leaves them where there is no domain 0; `own`: who serves the store."""
    home, vm = f"/local/domain/{domid}", f"/vm/{UUID}"
    store.write(f"{home}/vm", vm)
    for node in ("name", "memory/target", "device/suspend/event-channel", "control/shutdown", "console/tty", "data/deep/own"):
        store.write(f"{home}/{node}", "x")
    store.write(f"{vm}/uuid", UUID)
    for node in list(store.tree.nodes):
        if node.startswith((home, vm)):
            store.tree.set_perms(node, [f"n{own}"])
    for node in ("device/suspend/event-channel", "control/shutdown", "data"):
        store.tree.set_perms(f"{home}/{node}", [f"n{domid}"])
    for node in ("console", "console/tty"):
        store.tree.set_perms(f"{home}/{node}", ["n2", f"r{domid}"])


UUID = "00000000-0000-0000-0000-000000000077"


def test_a_guest_of_xl_reads_its_own_nodes(with_store, store, client):
    """xl says that domain 0 owns them; where there is none xenstored refuses that, and nobody opens them to the guest."""
    store.become(2)
    store.start()
    daemon = with_store(DYNAMIC)
    wait_until(lambda: all_introduced(store, initial(client, 2)))
    xl_makes(store, 77, 1)
    store.conflicts = 2
    daemon.command(f"domain-add xl domid=77 uuid={UUID}")
    turn(0.5)
    # Not before xl has introduced it: until then its nodes may be on the way.
    assert store.perms("/local/domain/77") == ["n1"]
    store.introduce(77)
    wait_until(lambda: store.perms("/local/domain/77") == ["n2", "r77"])
    for node in ("", "/name", "/memory/target", "/device", "/device/suspend", "/control", "/vm"):
        assert store.perms(f"/local/domain/77{node}") == ["n2", "r77"], node
    assert store.perms(f"/vm/{UUID}/uuid") == ["n2", "r77"]
    # The guest's own, and what is below.
    for node in ("device/suspend/event-channel", "control/shutdown", "data"):
        assert store.perms(f"/local/domain/77/{node}") == ["n77"], node
    assert store.perms("/local/domain/77/data/deep/own") == ["n1"]
    assert store.perms("/local/domain/77/console/tty") == ["n2", "r77"]
    assert "domain 77: may read its own nodes" in daemon.text()


def test_a_guest_of_xl_in_a_classic_launch_is_left_alone(with_store, store, client):
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    xl_makes(store, 77, 0)
    daemon.command(f"domain-add xl domid=77 uuid={UUID}")
    wait_until(lambda: "xl" in client.rows() or "x" in client.rows())
    store.introduce(77)
    turn(0.5)
    assert store.perms("/local/domain/77") == ["n0"]


def test_nodes_that_cannot_be_opened_are_told_of(with_store, store, client):
    store.become(2)
    store.start()
    daemon = with_store(DYNAMIC)
    wait_until(lambda: all_introduced(store, initial(client, 2)))
    xl_makes(store, 77, 1)
    store.failures["/local/domain/77/memory/target"] = errno.EACCES
    daemon.command(f"domain-add xl domid=77 uuid={UUID}")
    wait_until(lambda: "x" in client.rows())
    store.introduce(77)
    wait_until(lambda: "domain 77: cannot let it read its own nodes" in daemon.text())
    assert store.perms("/local/domain/77") == ["n1"]
    assert client.get("NDomains") >= 3


def ping(client, seconds):
    """Milliseconds of each answer of the daemon's in so many seconds, beside other calls."""
    taken, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        client.call("Ping", interface="org.freedesktop.DBus.Peer")
        client.list()
        taken.append((time.monotonic() - begin) * 1000)
        turn(0.01)
    return sorted(taken)


def threads(daemon):
    """Ours, and libxenstore's two for each connection."""
    return len(os.listdir(f"/proc/{daemon.process.pid}/task"))


def ends(daemon):
    """By SIGTERM, soon."""
    daemon.process.terminate()
    return daemon.process.wait(5) == 0


@pytest.mark.parametrize("after", [0, 1, 5, 20, 80])
def test_a_xenstored_that_stops_answering(with_store, store, client, after):
    """After so many requests: D-Bus is served, the state is told, and it goes on when xenstored does."""
    store.start()
    store.hang_after = after
    daemon = with_store()
    taken = ping(client, 7)
    # One that waits for xenstored does so for its deadline of 5 s.  A busy machine takes its time too.
    assert taken[-1] < 2500 and taken[len(taken) // 2] < 250
    assert client.get("XenstoreState") == ("unresponsive" if store.hangs() else "connected")
    assert not store.hangs() or daemon.text().count("does not answer") + daemon.text().count("is not there yet") == 1
    store.resume()
    wait_until(lambda: client.get("XenstoreState") == "connected")
    wait_until(lambda: all_introduced(store, initial(client)))
    assert threads(daemon) <= 3
    assert ends(daemon)


def test_it_ends_while_xenstored_hangs(with_store, store, client):
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    store.hang_after = 0
    daemon.command("domain-add vm domid=70")
    client.wait_signal("DomainAdded")
    assert ends(daemon)


def test_a_hanging_xenstored_is_seen_without_anything_to_ask(with_store, store, client):
    """By the watchdog's beat."""
    store.start()
    env_beat = {"WATCHDOG_USEC": "400000", "NOTIFY_SOCKET": "@hl-nobody-listens"}
    daemon = with_store()
    daemon.stop()
    daemon.env.update(env_beat)
    daemon.start()
    wait_until(lambda: client.ready() and client.get("XenstoreState") == "connected")
    store.hang_after = 0
    client.wait_property(PATH, "XenstoreState", "unresponsive")
    store.resume()
    client.wait_property(PATH, "XenstoreState", "connected")


@each_xenstored
def test_the_end_of_xenstored_is_seen_at_once(with_store, store, client):
    """Without any request, and without a watchdog."""
    store.start()
    with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    turn(0.5)
    store.stop()
    begin = time.monotonic()
    client.wait_property(PATH, "XenstoreState", "unavailable")
    assert time.monotonic() - begin < 1


def test_a_xenstored_that_answers_nonsense(with_store, store, client):
    """It is asked again, and not all the time."""
    store.start()
    store.nonsense = True
    daemon = with_store()
    turn(3)
    assert len(client.rows()) >= 3
    assert store.accepted < 60
    store.nonsense = False
    wait_until(lambda: all_introduced(store, initial(client)), timeout=40, what=daemon.text)
    assert threads(daemon) <= 3
    assert ends(daemon)


@each_xenstored
def test_a_guest_that_toggles_its_node(with_store, store, client):
    """It is connected once, and what it writes after that concerns nobody."""
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    turn(0.3)
    client.signals.clear()
    begin = time.monotonic()
    for i in range(1500):
        store.write("/local/domain/1/control/feature-poweroff", "1" if i % 2 else "")
        time.sleep(0.001)       # its answers come from this process
    taken = time.monotonic() - begin
    turn(0.5)
    assert len(client.seen("PropertiesChanged")) <= 50 * taken + 2
    assert client.get("XenstoreState", DOMAIN, client.path_of("web")) == "connected"
    assert daemon.process.poll() is None


@each_xenstored
def test_a_domain_that_ends_has_no_place_any_more(with_store, store, client):
    """Its row stays, as it was launched; what xenstore knew of it is gone, and that is announced."""
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    web = client.path_of("web")
    client.wait_property(web, "XenstoreState", "introduced")
    client.signals.clear()
    daemon.command("domain-remove web")
    client.wait_property(web, "XenstoreState", "none")
    assert client.get("XenstoreState", DOMAIN, web) == "none"


def test_a_domain_that_cannot_be_read_is_read_again(with_store, store, client):
    store.unreadable["/local/domain/1/name"] = errno.EIO
    store.start()
    daemon = with_store()
    wait_until(lambda: "domain 1: cannot read its nodes" in daemon.text())
    wait_until(lambda: {2, 3} <= set(store.introduced))
    turn(2.5)
    assert daemon.text().count("cannot read its nodes") == 1
    store.unreadable.clear()
    wait_until(lambda: 1 in store.introduced)


def test_a_full_queue_of_connections_is_an_unresponsive_xenstored(with_store, store, client):
    """As that of the real one, which is short, while it hangs."""
    store.backlog = 0
    store.start()
    store.pause_accepting()
    waiting = []
    for _ in range(4):
        client_socket = socket.socket(socket.AF_UNIX)
        client_socket.setblocking(False)
        last = client_socket.connect_ex(store.path)
        waiting.append(client_socket)
    assert last == errno.EAGAIN
    daemon = with_store()
    wait_until(lambda: client.get("XenstoreState") == "unresponsive", timeout=3, what=daemon.text)
    assert "Resource temporarily unavailable" in daemon.text()
    for client_socket in waiting:
        client_socket.close()
    store.resume_accepting()
    wait_until(lambda: all_introduced(store, initial(client)))


def test_watches_that_are_refused_are_asked_for_again(with_store, store, client):
    store.refuse_watches = 2
    store.start()
    daemon = with_store()
    wait_until(lambda: all_introduced(store, initial(client)))
    assert "cannot watch for domains in xenstore" in daemon.text()
    daemon.command("domain-add vm domid=70")
    store.write("/local/domain/70/name", "vm")
    store.introduce(70)
    wait_until(lambda: "vm" in client.rows() and client.domain("vm")["XenstoreState"] == "introduced")


@each_xenstored
def test_a_name_of_an_initial_domain_that_goes_gives_way_to_the_lcms(with_store, store, client):
    store.start()
    with_store("ok-classic-dom0")
    lcm_name = str(client.list()[0].name)
    store.write("/local/domain/0/name", "other")
    wait_until(lambda: "other" in client.rows())
    store.write("/local/domain/0/name", "Domain-0")
    wait_until(lambda: lcm_name in client.rows())


def test_a_failed_introduction_says_why(with_store, store, client):
    """And is tried again when somebody says so, before its time."""
    store.start()
    store.failures["/local/domain/1/control/sysrq"] = errno.ENOSPC
    daemon = with_store()
    path = client.call("GetDomainByDomid", "u", 1)
    wait_until(lambda: client.get("XenstoreError", DOMAIN, path) == os.strerror(errno.ENOSPC))
    client.wait_property(path, "XenstoreError", os.strerror(errno.ENOSPC))
    wait_until(lambda: daemon.text().count("cannot introduce it") == 1)
    # The next tries are after 1, 2 and 4 seconds.
    turn(3.5)
    store.failures.clear()
    client.call("Reconcile", "a{sv}", {})
    wait_until(lambda: 1 in store.introduced, timeout=2)
    client.wait_property(path, "XenstoreError", "")
    client.expect_error(INVALID_ARGS, "Reconcile", "a{sv}", dbus.Dictionary({"x": 1}, signature="sv"))
