# SPDX-License-Identifier: LGPL-2.1-or-later
"""One dom0 and guests of several kinds: what was asked for is what runs, and who says so."""
import errno
import hashlib
import json
import re

import pytest

import harness
import lcm

UUID = "00112233-4455-6677-8899-aabbccddeeff"
NIL = "00000000-0000-0000-0000-000000000000"
GUESTS = {
    # name: requested domid, domid, cpus, KiB, uuid, kernel
    "alpha": (0, 1, 2, 160 << 10, UUID, "vmlinuz"),
    "beta": (9, 9, 1, 140_004, None, "vmlinuz-cloud"),
    "gamma": (0, 2, 3, 192 << 10, None, "vmlinuz"),
}


def guest_source(name, ramdisk, quiet="console=hvc0 quiet"):
    asked, _, cpus, kib, uuid, kernel = GUESTS[name]
    more = f"domid = <{asked}>;" if asked else ""
    if uuid:
        more += f" domain-uuid = [{uuid.replace('-', '')}];"
    memory = f"<0 {kib}>" if name == "beta" else f"<{kib}>"
    return lcm.domain(name, memory, cpus, kernel=kernel, ramdisk=ramdisk, bootargs=quiet, more=more)


SAID = re.compile(r"\(d(\d+)\) (?:\[ *[\d.]+\] )?(.*)$", re.MULTILINE)


def settled(log):
    """Every guest is READY."""
    return sum(line == "READY" for _, line in SAID.findall(log.text)) >= len(GUESTS)


@pytest.fixture(scope="module")
def cloud(probe_ramdisk, tmp_path_factory):
    source = lcm.source(lcm.dom0(bootargs="console=hvc0 quiet"), guest_source("alpha", "guest.cpio.gz"),
                        guest_source("beta", "guest.cpio.gz"), guest_source("gamma", probe_ramdisk.name))
    with harness.booted("cloud", source=source, folder=tmp_path_factory.mktemp("cloud"),
                        search=[probe_ramdisk.parent]) as boot:
        boot.wait_shell()
        boot.wait_log(settled, "all guests to be READY")
        boot.told = boot.report()
        yield boot


def by_name(told):
    return {domain["name"]: domain for domain in told["domains"]}


def test_launch_is_complete(cloud):
    assert cloud.told["launch"]["state"] == "complete"
    assert not cloud.told["launch"]["error"]
    assert set(by_name(cloud.told)) == {"dom0", *GUESTS}


@pytest.mark.parametrize("name", GUESTS)
def test_guest_is_as_asked(cloud, name):
    told = by_name(cloud.told)[name]
    asked, domid, cpus, kib, uuid, _ = GUESTS[name]
    assert told["requested_domid"] == asked
    assert told["domid"] == domid
    assert told["cpus"] == cpus
    assert told["memory_kib"] == kib
    # Who has none gets a handle when it is introduced to xenstore; that is no UUID.
    assert told["uuid"] == (uuid or NIL)
    assert (told["permissions"], told["functions"], told["mode"]) == (0, 0, lcm.LONG)
    assert told["origin"] == "boot"


def test_dom0_has_every_role(cloud):
    told = by_name(cloud.told)["dom0"]
    assert told["domid"] == 0
    assert told["permissions"] == lcm.CONTROL | lcm.HARDWARE
    assert told["functions"] == lcm.LEGACY_DOM0 | lcm.XENSTORE | lcm.CONSOLE | lcm.CRASH
    roles = cloud.json("roles")["roles"]
    for role in ("control", "hardware", "console", "xenstore", "crash", "legacy-dom0"):
        assert [holder["domid"] for holder in roles[role]] == [0], role
    assert roles["boot"] == []


def test_digests_are_the_files(cloud):
    told = {module["index"]: module for module in cloud.told["modules"]}
    assert sorted(told) == list(range(1, len(cloud.linked.modules) + 1))
    for index, path in enumerate(cloud.linked.modules, 1):
        with open(path, "rb") as file:
            content = file.read()
        assert told[index]["sha256"] == hashlib.sha256(content).hexdigest(), path
        assert told[index]["size"] == len(content)


def test_lcm_is_handed_out_as_loaded(cloud):
    with open(cloud.linked.lcm, "rb") as file:
        expected = hashlib.sha256(file.read()).hexdigest()
    assert cloud.shell("hlctl lcm --format dtb | sha256sum").split()[0] == expected
    assert cloud.told["launch"]["lcm_sha256"] == expected


@pytest.fixture(scope="module")
def guests_words(cloud):
    # A line of dom0's that has no end yet may stand before.
    words = {}
    for domid, line in SAID.findall(cloud.log.text):
        words.setdefault(int(domid), []).append(line)
    return words


@pytest.mark.parametrize("name", GUESTS)
def test_guest_sees_what_it_was_given(guests_words, images, name):
    _, domid, cpus, kib, uuid, kernel = GUESTS[name]
    line = next(line for line in guests_words[domid] if line.startswith("HL-GUEST"))
    seen = dict(word.split("=", 1) for word in line.split()[1:])
    assert int(seen["cpus"]) == cpus
    assert kib * 0.6 < int(seen["memkb"]) < kib
    assert uuid in (None, seen["uuid"])
    assert ("cloud" in seen["kernel"]) == (kernel == "vmlinuz-cloud")
    assert "HL-CMDLINE console=hvc0 quiet" in guests_words[domid]


def test_guest_may_not_ask(guests_words):
    line = next(line for line in guests_words[GUESTS["gamma"][1]] if line.startswith("HL-PART"))
    answers = dict(word.split("=") for word in line.split()[1:])
    # That it may say READY shows that it was Xen who refused the others.
    assert answers == {"ready": "0", **{name: str(errno.EPERM) for name in (
        "get-info", "get-domain", "get-module", "read-lcm", "get-events")}}


def test_xl_lists_initial_guests_by_name(cloud):
    rows = [line.split() for line in cloud.shell("xl list").splitlines()[1:]]
    listed = {row[0]: int(row[1]) for row in rows}
    for name, guest in GUESTS.items():
        assert listed[name] == guest[1]


def test_xl_console_reaches_an_initial_guest(cloud):
    assert "hl-42" in cloud.xl_console("alpha", "hl-42", "echo hl-$((40+2))")


def test_list_domains_over_the_bus(cloud):
    answer = json.loads(cloud.shell(
        "busctl --system --json=short call org.xenproject.Hyperlaunch1 /org/xenproject/Hyperlaunch1 "
        "org.xenproject.Hyperlaunch1.Manager ListDomains"))
    rows = {row[3]: row for row in answer["data"][0]}
    assert [row[1] for row in answer["data"][0]] == sorted(row[1] for row in answer["data"][0])
    for name, (_, domid, cpus, kib, uuid, _) in GUESTS.items():
        path, row = rows[name][0], rows[name][1:]
        assert path.startswith(f"/org/xenproject/Hyperlaunch1/domain/d{domid}_")
        assert (row[0], row[1], row[4], row[5], row[7]) == (domid, uuid or "", "boot", [], cpus)
        assert kib <= row[6] >> 10 <= kib + 1024


def test_introspection_names_the_interfaces(cloud):
    answer = cloud.shell("busctl --system introspect org.xenproject.Hyperlaunch1 /org/xenproject/Hyperlaunch1")
    for word in ("org.xenproject.Hyperlaunch1.Manager", "ListDomains", "GetLCM", "DomainAdded",
                 "org.freedesktop.DBus.ObjectManager"):
        assert word in answer


def test_console_changes_hands(cloud):
    alpha = GUESTS["alpha"][1]
    try:
        assert cloud.json("handoff alpha") == {"role": "console", "old": 0, "new": alpha, "name": "alpha"}
        assert cloud.json("status")["console_domid"] == alpha
        assert [holder["name"] for holder in cloud.json("roles")["roles"]["console"]] == ["alpha"]
    finally:
        back = cloud.json("handoff 0")
    assert (back["old"], back["new"]) == (alpha, 0)
    told = [(event["domid"], event["arg"]) for event in cloud.json("events")["events"] if event["event"] == "console"]
    assert told[-2:] == [(alpha, 0), (0, alpha)]


def test_nobody_is_held_here(cloud):
    assert "not held" in cloud.shell("hlctl release alpha 2>&1; [ $? = 1 ]")


def test_kill_9_loses_nothing(cloud):
    def table():
        return [{key: domain[key] for key in ("name", "domid", "uuid", "permissions", "functions", "mode", "cpus")}
                for domain in cloud.json("list")["domains"]]

    before = table()
    old = cloud.shell("systemctl show -p MainPID --value hyperlaunchd").strip()
    cloud.shell("systemctl kill -s KILL hyperlaunchd; for i in $(seq 50); do "
                f"p=$(systemctl show -p MainPID --value hyperlaunchd); [ $p != 0 ] && [ $p != {old} ] && "
                "systemctl is-active -q hyperlaunchd && exit 0; sleep 0.5; done; exit 1")
    assert table() == before


LATE = """name = "late"
type = "pvh"
kernel = "/usr/lib/hyperlaunch/vmlinuz"
ramdisk = "/usr/lib/hyperlaunch/guest.cpio.gz"
memory = 96
vcpus = 1
on_poweroff = "destroy"
"""


def test_xl_create_and_destroy_are_signalled(cloud):
    monitor = "/run/monitor.log"
    cloud.shell(f"systemd-run --quiet --unit=monitor -p StandardOutput=file:{monitor} "
                "gdbus monitor --system --dest org.xenproject.Hyperlaunch1")
    cloud.shell(f"for i in $(seq 60); do grep -q Monitoring {monitor} && exit 0; sleep 0.5; done; exit 1")
    cloud.shell(f"cat >/run/late.cfg <<'END'\n{LATE}END\nxl create -q /run/late.cfg", 240)
    cloud.shell(f"for i in $(seq 60); do grep -q 'DomainAdded.*late' {monitor} && exit 0; sleep 0.5; done; "
                f"cat {monitor}; exit 1", 120)
    late = by_name(cloud.json("list"))["late"]
    assert late["origin"] == "post-boot"
    assert late["domid"] not in {guest[1] for guest in GUESTS.values()}
    cloud.shell("xl destroy late", 120)
    cloud.shell(f"for i in $(seq 60); do grep -q 'DomainRemoved.*late' {monitor} && exit 0; sleep 0.5; done; "
                f"cat {monitor}; exit 1", 120)
    assert "late" not in by_name(cloud.json("list"))
    cloud.shell("systemctl stop monitor")


def test_what_another_toolstack_changes_is_announced(cloud):
    """Without anybody who asks meanwhile: Xen says that something has changed."""
    monitor, alpha = "/run/changes.log", GUESTS["alpha"][1]
    cloud.shell(f"systemd-run --quiet --unit=changes -p StandardOutput=file:{monitor} "
                "gdbus monitor --system --dest org.xenproject.Hyperlaunch1")
    cloud.shell(f"for i in $(seq 60); do grep -q Monitoring {monitor} && exit 0; sleep 0.5; done; exit 1")
    # xl adds a MiB.
    limit = GUESTS["alpha"][3] + 4096
    for command, told in (("pause alpha", "'State': <'paused'>"), ("unpause alpha", "'State': <'started'>\\|'State': <'ready'>"),
                          (f"mem-max alpha {limit >> 10}", f"'MemoryMax': <uint64 {limit + 1024 << 10}>")):
        cloud.shell(f"xl {command}; for i in $(seq 40); do grep -q \"d{alpha}_.*{told}\" {monitor} && exit 0; sleep 0.25; done; "
                    f"cat {monitor}; exit 1", 120)
    cloud.shell("systemctl stop changes")


def test_console_returns_when_an_owner_of_later_ends(cloud):
    """It has no place in the record of the launch."""
    cloud.shell(f"cat >/run/late.cfg <<'END'\n{LATE}END\nxl create -q -p /run/late.cfg", 240)
    late = int(cloud.shell("xl domid late"))
    cloud.shell(f"hlctl handoff {late}")
    assert cloud.json("status")["console_domid"] == late
    cloud.shell("xl destroy late", 120)
    cloud.shell("for i in $(seq 60); do hlctl status --json | grep -q '\"console_domid\": *0\\b' && exit 0; sleep 0.5; done; "
                "hlctl status --json; exit 1", 120)
    told = [(event["domid"], event["arg"]) for event in cloud.json("events")["events"] if event["event"] == "console"]
    assert told[-2:] == [(late, 0), (0, late)]


def test_host_is_as_xl_has_it(cloud):
    told = dict(re.findall(r"^(\w+) *: (.*)$", cloud.shell("xl info"), re.MULTILINE))
    host = cloud.json("host")
    assert (host["xen_version"], host["scheduler"], host["cpus"]) == (told["xen_version"], told["xen_scheduler"], int(told["nr_cpus"]))
    assert host["xen_capabilities"].split() == told["xen_caps"].split()
    assert host["memory_total_kib"] >> 10 == int(told["total_memory"])
    assert abs((host["memory_free_kib"] >> 10) - int(told["free_memory"])) <= 8
    assert cloud.shell("hlctl dmesg | sed 's/[^ -~]/?/g' | md5sum") == cloud.shell("xl dmesg | sed 's/[^ -~]/?/g' | md5sum")


def times_of_xl(cloud, verb, key, memory=None):
    """Of a list of xl's: {number: (vCPUs or state, seconds, MiB where there are any)}."""
    rows = [line.split() for line in cloud.shell(f"xl {verb}").splitlines()[1:]]
    return {int(row[key]): (row[4] if memory is None else int(row[3]), float(row[5]), memory and int(row[memory])) for row in rows}


def test_stats_are_as_xl_has_them(cloud):
    """xl has its figures before and after; it rounds seconds to tenths, and counts what is claimed as memory."""
    before = times_of_xl(cloud, "list", 1, 2)
    stats = {domain["domid"]: domain for domain in cloud.json("stats")["domains"]}
    after = times_of_xl(cloud, "list", 1, 2)
    assert set(stats) == set(before) == set(after)
    for domid, domain in stats.items():
        assert before[domid][1] - 0.1 <= domain["cpu_time_ns"] / 1e9 <= after[domid][1] + 0.1, domain
        assert domain["cpus_online"] in (before[domid][0], after[domid][0]), domain
        mib = [before[domid][2], after[domid][2]]
        assert min(mib) - 1 <= domain["memory_current_kib"] + domain["memory_outstanding_kib"] >> 10 <= max(mib) + 1, domain
    for name, (_, domid, cpus, _, _, _) in GUESTS.items():
        assert (stats[domid]["name"], stats[domid]["cpus"]) == (name, cpus)
        assert stats[domid]["cpu_time_ns"] > 0
    assert cloud.shell("hlctl stats --openmetrics | tail -n 1").strip() == "# EOF"


def test_vcpus_are_as_xl_has_them(cloud):
    before = times_of_xl(cloud, "vcpu-list alpha", 2)
    told, = cloud.json("stats --vcpus alpha")["domains"]
    after = times_of_xl(cloud, "vcpu-list alpha", 2)
    assert [vcpu["vcpu"] for vcpu in told["vcpus"]] == sorted(before) == list(range(GUESTS["alpha"][2]))
    for vcpu in told["vcpus"]:
        nr = vcpu["vcpu"]
        assert before[nr][1] - 0.1 <= vcpu["cpu_time_ns"] / 1e9 <= after[nr][1] + 0.1, vcpu
        assert (vcpu["state"] == "offline") == ("p" in after[nr][0]), vcpu
    # They are read after the sum of them.
    assert 0 <= sum(vcpu["cpu_time_ns"] for vcpu in told["vcpus"]) - told["cpu_time_ns"] < 1e9


def test_who_serves_others_has_more_of_the_processors(cloud):
    rows = re.findall(r"^(\S+) +\d+ +(\d+) +\d+$", cloud.shell("xl sched-credit2"), re.MULTILINE)
    weights = {name: int(weight) for name, weight in rows}
    assert weights == {("Domain-0" if name == "dom0" else name): 1024 if name == "dom0" else 256 for name in ("dom0", *GUESTS)}


def test_daemon_is_idle_when_nothing_happens(cloud):
    pid = cloud.shell("systemctl show -p MainPID --value hyperlaunchd").strip()
    count = f"sed -n 's/^voluntary_ctxt_switches:\\t//p' /proc/{pid}/status"
    before, after = cloud.shell(f"{count}; sleep 10; {count}").split()
    # The watchdog's: every 15 s at most.
    assert int(after) - int(before) <= 2


def xl_states(boot):
    """As xl shows them, such as "--p---"."""
    rows = [line.split() for line in boot.shell("xl list").splitlines()[1:]]
    return {row[0]: row[4] for row in rows}


def wait_for_its_kernel(boot, name):
    """Until it has written that it takes requests."""
    boot.shell(f'for i in $(seq 120); do [ "$(hlctl show -P XenstoreState {name})" = connected ] && exit 0; sleep 0.5; done; '
               f"hlctl status {name}; exit 1", 240)


def state_of(boot, name):
    told = boot.json(f"status {name}")
    return told["state"], told["reason"]


def pause_and_unpause(boot, name, running):
    """xl agrees, and whoever paused it how often does not matter."""
    boot.shell(f"hlctl pause {name}; hlctl pause {name}")
    assert "p" in xl_states(boot)[name] and boot.json(f"status {name}")["state"] == "paused"
    boot.shell(f"xl unpause {name}")
    assert "p" not in xl_states(boot)[name]
    boot.shell(f"xl pause {name}; xl pause {name}; hlctl pause {name}; hlctl unpause {name}")
    assert "p" not in xl_states(boot)[name] and boot.json(f"status {name}")["state"] in running
    boot.shell(f"hlctl unpause {name}")


def test_an_initial_guest_is_paused_and_unpaused(cloud):
    pause_and_unpause(cloud, "alpha", ("started", "ready"))
    # Our own, which Xen refuses too.
    assert "runs in it" in cloud.shell("hlctl pause --force 0 2>&1; [ $? = 5 ]")


def test_an_initial_guest_is_renamed(cloud):
    """xl finds it by its new name, and lists it so."""
    alpha = GUESTS["alpha"][1]
    try:
        cloud.shell("hlctl rename alpha 'an other'")
        assert int(cloud.shell("xl domid 'an other'")) == alpha
        assert by_name(cloud.json("list"))["an other"]["domid"] == alpha
    finally:
        cloud.shell(f"hlctl rename {alpha} alpha")
    assert int(cloud.shell("xl domid alpha")) == alpha


def test_a_guest_of_xl_is_paused_and_rebooted(cloud):
    cloud.shell(f"cat >/run/late.cfg <<'END'\n{LATE}END\nxl create -q /run/late.cfg", 240)
    wait_for_its_kernel(cloud, "late")
    pause_and_unpause(cloud, "late", ("running",))
    before = int(cloud.shell("xl domid late"))
    cloud.shell("hlctl reboot --timeout 200 late", 240)
    # xl makes it again.
    cloud.shell(f'for i in $(seq 120); do d=$(xl domid late 2>/dev/null); [ "$d" ] && [ "$d" != {before} ] && exit 0; sleep 0.5; done; '
                "xl list; exit 1", 240)
    # A PVH guest of libxl acknowledges a shut-down here, and does not power off, whoever has asked it.
    cloud.shell("xl destroy late", 120)


# Both stay as they are: no toolstack has made them.
@pytest.mark.parametrize("verb, name, reason", [("reboot", "beta", "reboot"), ("shutdown", "alpha", "poweroff")])
def test_an_initial_guest_is_shut_down(cloud, verb, name, reason):
    cloud.shell(f"hlctl pause {name}")
    assert "Unpause" in cloud.shell(f"hlctl {verb} {name} 2>&1; [ $? = 1 ]")
    cloud.shell(f"hlctl unpause {name}")
    wait_for_its_kernel(cloud, name)
    assert cloud.shell(f"hlctl {verb} --timeout 200 {name}", 240) == f"Domain {GUESTS[name][1]} ({name}) has shut down.\n"
    assert state_of(cloud, name) == ("shutdown", reason)
    assert "s" in xl_states(cloud)[name]
    assert cloud.shell(f"xenstore-read /local/domain/{GUESTS[name][1]}/control/shutdown").strip() == ""
