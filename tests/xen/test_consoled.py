# SPDX-License-Identifier: LGPL-2.1-or-later
"""hyperlaunch-consoled serves an initial and a later guest: xl console, the log, kills, and xenconsoled next to it."""
import re
import time

import pytest

import harness
import lcm

LINES = 4000
# nowatchdog: a guest that waits for room in its ring has its interrupts off, which on a slow machine Linux prints a line about.
CONFIG = """name="late"
type="pvh"
kernel="/usr/lib/hyperlaunch/vmlinuz"
ramdisk="/usr/lib/hyperlaunch/guest.cpio.gz"
cmdline="console=hvc0 quiet nowatchdog"
memory=96
"""
# xl console of a guest, on a terminal, for as long as its keys are open; it types what comes there.
CONSOLE = ("d=/run/console-{name}; mkdir -p $d; cd $d; [ -p keys ] || mkfifo keys; "
           "systemd-run -q --unit=console-{name} -p WorkingDirectory=$d bash -c \"exec 3<>keys; exec script -qfec '{command}' said <keys\"")
# Kills it, and returns when its successor serves.
KILL = ("old=$(systemctl show --value -p MainPID hyperlaunch-consoled); kill -9 $old; "
        "until systemctl is-active -q hyperlaunch-consoled && [ $(systemctl show --value -p MainPID hyperlaunch-consoled) != $old ]; "
        "do sleep 0.2; done")
KILLS = 6


def log_of(name):
    """The path of a domain's log, for the shell."""
    return f"/var/log/hyperlaunch/console/$(basename $(xenstore-read /local/domain/$(xl domid {name})/vm)).log"


def ask(boot, command):
    """Its output; a machine that shares its processor with others takes its time."""
    return boot.shell(command, harness.PATIENCE)


def said(boot, name):
    """What that guest's xl console has shown."""
    return ask(boot, f"cat /run/console-{name}/said").replace("\r", "")


def logged(boot, name):
    return ask(boot, f"cat {log_of(name)}").replace("\r", "")


def type_at(boot, name, words):
    ask(boot, f"printf '%s\\n' '{words}' >/run/console-{name}/keys")


def node(boot, name, path):
    return ask(boot, f"xenstore-read /local/domain/$(xl domid {name})/console/{path}").strip()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    source = lcm.source(lcm.dom0(bootargs="console=hvc0 quiet"), lcm.domain("web", bootargs="console=hvc0 quiet"),
                        lcm.domain("early", bootargs="console=hvc0"))
    with harness.booted("consoled", source=source, folder=tmp_path_factory.mktemp("consoled")) as boot:
        boot.wait_shell()
        boot.shell(f"systemctl start hyperlaunchd; printf '%s' '{CONFIG}' >/run/late.cfg; "
                   "sed s/late/brief/ /run/late.cfg >/run/brief.cfg", harness.PATIENCE)
        boot.wait_shell_says("xl domid web")
        ask(boot, CONSOLE.format(name="late", command="xl create -c /run/late.cfg"))
        ask(boot, CONSOLE.format(name="web", command="xl console web"))
        boot.wait_shell_says("xl domid late")
        for name in ("late", "web", "early"):
            boot.wait_shell_says(f"grep -q READY {log_of(name)}")
        yield boot


def test_xl_console_of_an_initial_guest(served):
    type_at(served, "web", "echo web-$((40+2))")
    served.wait_shell_says("grep -q web-42 /run/console-web/said")


def test_xl_create_attaches_to_a_later_guest(served):
    type_at(served, "late", "echo late-$((40+2))")
    served.wait_shell_says("grep -q late-42 /run/console-late/said")


def test_nodes_say_who_serves(served):
    for name in ("web", "late"):
        assert node(served, name, "type") == "hyperlaunch-consoled"
        assert re.fullmatch(r"/dev/pts/\d+", node(served, name, "tty"))


def times_run(boot):
    """How often any thread of consoled has been given a processor."""
    return ask(boot, "grep -hE '_ctxt_switches' /proc/$(systemctl show --value -p MainPID hyperlaunch-consoled)/task/*/status "
               "| awk '{ n += $2 } END { print n }'")


def test_it_sleeps_while_nothing_is_printed(served):
    """Not even a timer wakes it; a guest may print something of its own, now and then."""
    for _ in range(3):
        before = times_run(served)
        time.sleep(10)
        if times_run(served) == before:
            return
    pytest.fail("consoled ran in each of three times 10 s")


def test_log_begins_with_the_first_output(served):
    """xl create -c was attached before the guest ran, so it has seen all; before that it speaks itself."""
    log, shown = logged(served, "late"), said(served, "late")
    before, found, _ = shown.partition(log[:60])
    assert found
    assert re.fullmatch(r"Script started.*\n(Parsing config.*\n)?\n*", before), before
    assert log.index("HL-GUEST") < log.index("HL-CMDLINE") < log.index("READY")


def test_log_has_what_was_printed_before_it_was_served(served):
    """The guest's kernel has printed more than its ring holds before the control domain ran: Xen has kept it."""
    uuid = ask(served, f"basename {log_of('early')}").strip()
    served.wait_shell_says(f"grep -qx $(xl domid early) /run/hyperlaunch/consoled/early-{uuid}")
    log = logged(served, "early")
    assert re.match(r"\[ +0\.000000\] Linux version", log), log[:200]
    times = [float(time) for time in re.findall(r"^\[ *(\d+\.\d+)\] ", log[:log.index("READY")], re.MULTILINE)]
    assert len(times) > 50 and times == sorted(times)
    assert log.count("Linux version") == log.count("READY") == 1
    served.wait_shell_says("hlctl show early | grep -qx Console.Dropped=0")


def test_hlctl_attaches_by_the_bus(served):
    """With what was printed before; xl console of the same guest goes on; the escape character leaves."""
    ask(served, CONSOLE.format(name="bus", command="hlctl console --replay 65536 late"))
    served.wait_shell_says("grep -q READY /run/console-bus/said")
    served.wait_shell_says("hlctl show late | grep -qx Console.Attached=1")
    type_at(served, "bus", "echo bus-$((40+2))")
    for name in ("bus", "late"):
        served.wait_shell_says(f"grep -q bus-42 /run/console-{name}/said")
    ask(served, "printf '\\035' >/run/console-bus/keys")
    served.wait_shell_says("! systemctl is-active -q console-bus")
    served.wait_shell_says("hlctl show late | grep -qx Console.Attached=0")


def test_hlctl_shows_and_prints_what_consoled_has(served):
    shown = ask(served, "hlctl show web").splitlines()
    assert {"Console.State=serving", "Console.Backend=consoled", "Console.Owner=/org/xenproject/Hyperlaunch1/domain/d0_0",
            f"Console.Tty={node(served, 'web', 'tty')}", "Console.Dropped=0"} <= set(shown)
    assert ask(served, "hlctl console --log web").replace("\r", "") == logged(served, "web")
    answer = ask(served, "hlctl console --log 0 2>&1; echo code $?")
    assert "Domain 0 has no console" in answer and answer.strip().endswith("code 5")


def test_hldom_serves_the_consoles_without_the_bus(served):
    """As in a static launch, where there is no hyperlaunchd; names come from xenstore."""
    listed = [line.split() for line in ask(served, "hldom console list").splitlines()]
    assert listed[0][:3] == ["DOMID", "NAME", "STATE"]
    assert {row[1]: row[2] for row in listed[1:]} == {"web": "serving", "early": "serving", "late": "serving"}
    for name in ("early", ask(served, "xl domid early").strip()):
        assert ask(served, f"hldom console log {name}").replace("\r", "") == logged(served, "early")
    ask(served, CONSOLE.format(name="local", command="hldom console attach --replay 65536 web"))
    served.wait_shell_says("grep -q READY /run/console-local/said")
    type_at(served, "local", "echo local-$((40+2))")
    for name in ("local", "web"):
        served.wait_shell_says(f"grep -q local-42 /run/console-{name}/said")
    ask(served, "printf '\\035' >/run/console-local/keys")
    served.wait_shell_says("! systemctl is-active -q console-local")


def test_log_of_a_domain_that_is_gone(served):
    """By UUID, on the bus and from consoled itself."""
    ask(served, CONSOLE.format(name="brief", command="xl create -c /run/brief.cfg"))
    served.wait_shell_says("xl domid brief")
    uuid = ask(served, f"basename {log_of('brief')} .log").strip()
    served.wait_shell_says(f"grep -q READY {log_of('brief')}")
    ask(served, "xl destroy brief")
    served.wait_shell_says("! xl domid brief")
    served.wait_shell_says("! hldom console list | grep -q brief")
    for command in (f"hlctl console --log {uuid}", f"hldom console log {uuid}"):
        assert "READY" in ask(served, command)


def numbers(text):
    return [int(number) for number in re.findall(r"^n-(\d+)$", text, re.MULTILINE)]


def test_kills_lose_nothing(served):
    """While a guest prints: xl console goes on, each line is in the log once."""
    tty = node(served, "late", "tty")
    type_at(served, "late", f"i=0; while [ $i -lt {LINES} ]; do echo n-$i; i=$((i+1)); done")
    served.wait_shell_says(f"grep -q '^n-10' {log_of('late')}")
    served.shell(f"for i in $(seq {KILLS}); do {KILL}; done", 2 * harness.PATIENCE)
    served.wait_shell_says(f"grep -q '^n-{LINES - 1}' {log_of('late')}")
    served.wait_shell_says(f"grep -q '^n-{LINES - 1}' /run/console-late/said")
    log = logged(served, "late")
    printed = log[log.index("\nn-0\n") + 1:log.rindex(f"n-{LINES - 1}\n")]
    other = [line for line in printed.splitlines() if not re.fullmatch(r"n-\d+", line)]
    assert not other
    assert numbers(log) == list(range(LINES))
    shown = numbers(said(served, "late"))
    # In order; the last ones before a kill may come twice.
    assert sorted(set(shown)) == list(range(LINES))
    assert len([1 for old, new in zip(shown, shown[1:]) if new != old + 1]) <= KILLS
    assert node(served, "late", "tty") == tty
    type_at(served, "late", "echo after-$((40+2))")
    served.wait_shell_says("grep -q after-42 /run/console-late/said")


def test_a_second_one_ends(served):
    answer = ask(served, "hyperlaunch-consoled; echo code $?")
    assert "another hyperlaunch-consoled serves this domain" in answer
    assert answer.strip().endswith("code 75")


def test_restart_keeps_the_consoles(served):
    tty = node(served, "web", "tty")
    ask(served, "systemctl restart hyperlaunch-consoled")
    served.wait_shell_says("hlctl show web | grep -qx Console.State=serving")
    type_at(served, "web", "echo again-$((40+2))")
    served.wait_shell_says("grep -q again-42 /run/console-web/said")
    assert node(served, "web", "tty") == tty


def test_the_socket_speaks(served):
    """By hand: hello, all consoles, ready."""
    answer = ask(served, """python3 - <<'END'
import json, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("/run/hyperlaunch/peer/console")
while True:
    packet = json.loads(s.recv(2048))
    print(json.dumps(packet))
    if packet.get("event") == "ready":
        break
END
""")
    assert '{"hello": "console", "version": 1, "domid": 0}' in answer
    assert answer.count('"state": "serving"') == 3


def test_xenconsoled_leaves_our_consoles_alone(served):
    tty = node(served, "web", "tty")
    ask(served, "systemctl start xenconsoled; sleep 3")
    assert (node(served, "web", "type"), node(served, "web", "tty")) == ("hyperlaunch-consoled", tty)
    type_at(served, "web", "echo both-$((40+2))")
    served.wait_shell_says("grep -q both-42 /run/console-web/said")
    served.wait_shell_says(f"grep -q both-42 {log_of('web')}")


# Two requests of one job at a time, as hyperlaunchd sends them; the input travels from one to the other.
HAND_OFFS = 20
PASS_ON = """python3 - <<'END'
import json, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("/run/hyperlaunch/peer/console")
def ask(number, **request):
    s.send(json.dumps({{"id": request["request"] + number, "job": "test-" + number, "domid": {domid}, **request}}).encode())
    while True:
        packet = json.loads(s.recv(2048))
        if packet.get("id"):
            assert "result" in packet, packet
            return packet["result"]
for i in range({times}):
    released = ask(str(i), request="release")
    ask(str(i), request="take", input=released["input"])
print("handed off")
END
"""


def begin_to_print(boot, name, letter):
    """Prints numbered lines until stop_printing(), while the shell does what is typed, and does not echo that."""
    type_at(boot, name, f"stty -echo; touch /tmp/{letter}; "
            f"(i=0; while [ -e /tmp/{letter} ]; do echo {letter}-$i; i=$((i+1)); sleep 0.01; done; echo {letter}-end-$i) &")
    boot.wait_shell_says(f"grep -q '^{letter}-10' {log_of(name)}")


def stop_printing(boot, name, letter):
    """At the xl console of that name."""
    type_at(boot, name, f"rm /tmp/{letter}")
    boot.wait_shell_says(f"grep -Eq '{letter}-end-[0-9]' /run/console-{name}/said")


def check_lines(text, letter):
    """Each once and in order, up to the end; returns how many there are."""
    number = int(re.search(rf"{letter}-end-(\d+)$", text, re.MULTILINE).group(1))
    assert lines_of(text, letter) == list(range(number))
    return number


def type_echoes(boot, name, letter, first, last):
    """Commands, each of which prints a numbered line."""
    ask(boot, f"for i in $(seq {first} {last}); do echo \"echo {letter}-$i\"; done >/run/console-{name}/keys")


def lines_of(text, letter):
    """The numbers; the shell's prompt, which is not answered by an echo, may stand before one."""
    return [int(number) for number in re.findall(rf"(?:^|# ){letter}-(\d+)$", text, re.MULTILINE)]


def test_consoled_hands_off_to_itself_and_loses_nothing(served):
    """Of one consoled to itself, by the requests, while a guest prints and is typed to."""
    begin_to_print(served, "late", "a")
    domid = ask(served, "xl domid late").strip()
    typing = "for i in $(seq 0 19); do echo \"echo b-$i\"; sleep 0.1; done >/run/console-late/keys & "
    answer = served.shell(typing + PASS_ON.format(domid=domid, times=HAND_OFFS) + "wait", 2 * harness.PATIENCE)
    assert "handed off" in answer
    served.wait_shell_says("grep -q 'b-19' /run/console-late/said")
    printed = ask(served, f"tail -n 1 {log_of('late')}")
    stop_printing(served, "late", "a")
    for text in (logged(served, "late"), said(served, "late")):
        assert check_lines(text, "a") > 0
        assert lines_of(text, "b") == list(range(20))
    # It printed all the while.
    assert not re.search(r"a-end-\d", printed)


def test_consoled_hands_off_to_xenconsoled(served):
    """While the guest prints: its log and what xl console shows afterwards are all that was printed; xl console goes on."""
    ask(served, "systemctl start xenconsoled")
    begin_to_print(served, "late", "c")
    type_echoes(served, "late", "d", 0, 9)
    assert "is served by xenconsoled now" in ask(served, "hlctl handoff --console late xenconsoled")
    before = logged(served, "late")
    assert node(served, "late", "type") == "xenconsoled"
    shown = ask(served, "hlctl show late").splitlines()
    assert {"Console.State=released", "Console.Backend=xenconsoled", f"Console.Tty={node(served, 'late', 'tty')}"} <= set(shown)
    type_echoes(served, "late", "d", 10, 19)
    served.wait_shell_says("grep -q 'd-19' /run/console-late/said")
    stop_printing(served, "late", "c")
    assert logged(served, "late") == before
    after, first = said(served, "late"), lines_of(before, "c")
    assert first == list(range(len(first)))
    # The next line may be in both, a part in each.
    last = int(re.search(r"c-end-(\d+)$", after, re.MULTILINE).group(1))
    assert [number for number in lines_of(after, "c") if number > len(first)] == list(range(len(first) + 1, last))
    assert last > len(first) + 10
    assert sorted({*lines_of(before, "d"), *lines_of(after, "d")}) == list(range(20))


def test_consoled_hands_off_back_from_xenconsoled(served):
    """Only once that has ended; without one, consoled keeps what it has."""
    answer = ask(served, "hlctl handoff --console late 0 2>&1; echo code $?")
    assert "xenconsoled serves it still" in answer
    assert node(served, "late", "type") == "xenconsoled"
    ask(served, "systemctl stop xenconsoled")
    assert "is served by domain 0 now" in ask(served, "hlctl handoff --console late 0")
    type_at(served, "late", "echo back-$((40+2))")
    served.wait_shell_says(f"grep -q back-42 {log_of('late')}")
    answer = ask(served, "hlctl handoff --console late xenconsoled 2>&1; echo code $?")
    assert "no xenconsoled has taken it" in answer
    type_at(served, "late", "echo kept-$((40+2))")
    served.wait_shell_says(f"grep -q kept-42 {log_of('late')}")
    ask(served, "systemctl start xenconsoled")


def test_hand_over_to_xenconsoled_and_back(served):
    """The last one: xl console has ended then."""
    ask(served, "systemctl kill -s USR1 hyperlaunch-consoled")
    served.wait_shell_says("[ $(xenstore-read /local/domain/$(xl domid web)/console/type) = xenconsoled ]")
    assert "xen-42" in served.xl_console("web", "xen-42", "echo xen-$((40+2))")
    ask(served, "systemctl stop xenconsoled; systemctl start hyperlaunch-consoled")
    served.wait_shell_says("[ $(xenstore-read /local/domain/$(xl domid web)/console/type) = hyperlaunch-consoled ]")
    assert "back-42" in served.xl_console("web", "back-42", "echo back-$((40+2))")
