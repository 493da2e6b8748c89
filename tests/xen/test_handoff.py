# SPDX-License-Identifier: LGPL-2.1-or-later
"""The console changes hands, a hundred times under load: no line is lost, torn, or somebody else's as well."""
import re
import threading
import time

import pytest

import harness
import lcm

CONTROL, OPS = 0, 1
TIMES = 100
TYPED, PRINTED = "/run/typed", "/run/printed"
# Raw, so that what is typed is what is read, and what is written is one call of Xen's.
READER = f"exec </dev/hvc0; stty raw -echo; exec cat >{TYPED}"
# A pause without a process for each.
PRINTER = (f"exec 9<> <(:); exec >/dev/hvc0; n=0; until [ -e /run/enough ]; do n=$((n + 1)); "
           f"echo \"<control $n lortnoc>\"; read -rt 0.03 -u 9; done; echo $n >{PRINTED}")
HANDS = f"for i in $(seq {TIMES // 2}); do hlctl handoff {OPS} && hlctl handoff {CONTROL} || exit 1; done"
# Xen waits no longer for anybody; a loaded host is slower.
LIMIT, SLACK = 2, 20


class Typist(threading.Thread):
    """Types numbered lines until it is told to stop."""

    def __init__(self, machine, pause):
        super().__init__(daemon=True)
        self._machine, self._pause, self._enough = machine, pause, threading.Event()
        self.lines = 0

    def run(self):
        while not self._enough.is_set():
            self.lines += 1
            for part in (f"<typed {self.lines} ", "depyt>", "\n"):
                self._machine.type(part)
                time.sleep(self._pause)

    def stop(self):
        self._enough.set()
        self.join()


def start(boot, name, command):
    boot.shell(f"systemd-run --quiet --unit={name} bash -c '{command}'")


@pytest.fixture(scope="module")
def handed(tmp_path_factory):
    """A boot after the hundred."""
    source = lcm.source(lcm.dom0(bootargs="console=hvc0 quiet"),
                        lcm.domain("ops", '"8M"', kernel="probe", ramdisk=None, bootargs="chatter=30 echo"))
    with harness.booted("handoff", source=source, folder=tmp_path_factory.mktemp("handoff")) as boot:
        boot.wait_shell()
        hand_about(boot)
        yield boot


def hand_about(boot):
    """While the typist types and both domains print."""
    start(boot, "reader", READER)
    boot.wait_shell_says(f"[ -e {TYPED} ]")
    start(boot, "printer", PRINTER)
    typist = Typist(boot.machine, 0.004)
    typist.start()
    boot.shell(HANDS, harness.PATIENCE)
    typist.stop()
    boot.machine.type("<typed 0 depyt>\n")
    boot.shell("touch /run/enough")
    boot.wait_shell_says(f"[ -s {PRINTED} ] && grep -q '<typed 0 depyt>' {TYPED}")
    boot.typed, boot.printed = typist.lines, int(boot.shell(f"cat {PRINTED}"))
    boot.control_read = boot.shell(f"cat {TYPED}")
    boot.said = boot.log.text


def numbers(word, text):
    return [int(number) for number in re.findall(rf"<{word} (\d+) {word[::-1]}>", text)]


def test_each_typed_line_has_one_reader(handed):
    control = numbers("typed", handed.control_read)
    ops = numbers("typed", "\n".join(re.findall(r"probe: typed is (.*)", handed.said)))
    assert min(len(control), len(ops)) > TIMES
    assert sorted(control + ops) == list(range(handed.typed + 1))


def test_each_reader_has_nothing_but_lines(handed):
    """Nothing torn, and each in the order in which it was typed."""
    read = handed.control_read.splitlines()
    assert [line for line in read if not re.fullmatch(r"<typed \d+ depyt>", line)] == []
    ops = re.findall(r"probe: typed is (.*)", handed.said)
    assert [line for line in ops if not re.fullmatch(r"<typed \d+ depyt>", line)] == []
    for text in ("\n".join(read[:-1]), "\n".join(ops)):
        assert numbers("typed", text) == sorted(numbers("typed", text))


def test_each_printed_line_is_there_once(handed):
    assert numbers("control", handed.said) == list(range(1, handed.printed + 1))
    chatter = [int(number) for number in re.findall(r"probe: chatter is (\d+)\n", handed.said)]
    assert chatter == list(range(1, len(chatter) + 1))


def test_both_printed_as_owner_and_as_guest(handed):
    """As the owner prints a line nothing stands before it."""
    for line in (r"<control \d+ lortnoc>", r"probe: chatter is \d+"):
        assert len(re.findall(rf"\(d\d\) \[ *[\d.]+\] {line}\n", handed.said)) > TIMES
        assert len(re.findall(rf"^{line}\n", handed.said, re.MULTILINE)) > TIMES


def test_a_hundred_are_in_the_log(handed):
    told = [(event["domid"], event["arg"]) for event in handed.json("events")["events"] if event["event"] == "console"]
    assert told[-TIMES:] == [(OPS, CONTROL), (CONTROL, OPS)] * (TIMES // 2)


def timed(boot, command):
    """Seconds that it took in the control domain."""
    before, after = boot.shell(f"cat /proc/uptime; {command} >&2 || exit 1; cat /proc/uptime").splitlines()[::2]
    return float(after.split()[0]) - float(before.split()[0])


def wait_said(boot, text):
    boot.wait_log(lambda log: text in log.text, text)


def test_a_slow_typist_is_not_waited_for(handed):
    """The rest of the line is the new owner's."""
    handed.machine.type("one-half")
    handed.wait_shell_says(f"grep -q one-half {TYPED}")
    time.sleep(1)
    handed.shell(f"hlctl handoff {OPS}")
    handed.machine.type("-other-half\n")
    wait_said(handed, "probe: typed is -other-half\n")
    handed.shell(f"hlctl handoff {CONTROL}")
    assert handed.shell(f"tail -n 1 {TYPED}") == "one-half"


def test_an_owner_that_does_not_read(handed):
    """What it left is the next one's, once, and nobody waits long for it."""
    handed.shell(f"hlctl handoff {OPS}; xl pause {OPS}")
    handed.machine.type("left one\nleft two\n")
    time.sleep(1)
    assert timed(handed, f"hlctl handoff {CONTROL}") < LIMIT + SLACK
    handed.wait_shell_says(f"grep -q 'left two' {TYPED}")
    handed.shell(f"xl unpause {OPS}")
    assert handed.shell(f"cat {TYPED}").count("left one\nleft two\n") == 1
    assert "probe: typed is left" not in handed.log.text


def test_what_xen_says_meanwhile(handed):
    """Of three requests in a row; then again until the console has changed hands by itself."""
    handed.install_request()
    handed.shell(f"hlctl handoff {OPS}; xl pause {OPS}")
    handed.machine.type("unread\n")
    time.sleep(1)
    answers = handed.shell(f"/run/request console={CONTROL} console={CONTROL} console={OPS} console=99").split()
    assert answers == ["EAGAIN", "EAGAIN", "EBUSY", "EBUSY"]
    handed.wait_shell_says(f"[ $(hlctl status --json | tr -d ' ' | grep -c '\"console_domid\":{CONTROL}') = 1 ]")
    assert handed.shell(f"/run/request console={CONTROL} console=99").split() == ["ok", "ESRCH"]
    handed.shell(f"xl unpause {OPS}")


def test_the_owners_end_is_not_waited_for(handed):
    handed.shell(f"hlctl handoff {OPS}; xl pause {OPS}")
    handed.machine.type("for nobody\n")
    time.sleep(1)
    handed.shell(f"xl destroy {OPS}", harness.PATIENCE)
    handed.wait_shell_says(f"grep -q 'for nobody' {TYPED}")
    assert handed.json("status")["console_domid"] == CONTROL
    handed.machine.type("after it all\n")
    handed.wait_shell_says(f"grep -q 'after it all' {TYPED}")
