# SPDX-License-Identifier: LGPL-2.1-or-later
"""./demo, as somebody runs it who has just come: each example tells of itself, and its console has a shell."""
import os
import pty
import re
import select
import subprocess
import time

import pytest

import harness
import slots

pytestmark = pytest.mark.release

DEMO = os.path.join(harness.ROOT, "demo")
PATIENCE = 900
BOOT = "reclaimed"      # the state of a boot domain, in the end
# The domains of each example, as hlctl or the report lists them: {name: what it may and has}.
DOM0 = "control, hardware, crash, console, xenstore, legacy-dom0"
EXAMPLES = {
    "classic-dom0": {"dom0": DOM0},
    "classic-extended": {"dom0": DOM0, "boot": BOOT},
    "classic-basic-cloud": {"dom0": DOM0, "web": "-", "db": "-", "cache": "-"},
    "classic-cloud": {"dom0": DOM0, "web": "-", "db": "-", "boot": BOOT},
    "static-basic": {"hw": "hardware, crash, console, xenstore", "web": "-", "db": "-"},
    "static-standard": {"hw": "hardware, crash, console, xenstore", "web": "-", "db": "-", "boot": BOOT},
    "static-disaggregated": {"store": "xenstore", "hw": "hardware", "crash": "crash", "console": "console",
                             "web": "-", "db": "-", "boot": BOOT},
    "dynamic-hardware": {"control": "control, crash, console, xenstore", "hw": "hardware"},
    "dynamic-flexible": {"control": "control, crash, console, xenstore", "hw": "hardware", "web": "-", "db": "-", "boot": BOOT},
    "dynamic-full": {"store": "xenstore", "control": "control", "hw": "hardware", "crash": "crash", "console": "console",
                     "web": "-", "db": "-", "boot": BOOT},
}
# One of each kind but classic; the others take too long for each day.
DAILY = ("static-basic", "dynamic-hardware")


def examples():
    return [pytest.param(name, marks=() if name in DAILY else pytest.mark.long) for name in EXAMPLES]


def answers(output):
    """{command: what it printed}."""
    parts = re.split(r"^# (.*)\n", output, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def roles(row):
    """What a row of a table has of roles, whichever table it is."""
    return ", ".join(re.findall(r"control|hardware|boot(?=,|$)|crash|console|xenstore|legacy-dom0", row)) or "-"


def listed(table, names, columns):
    """{name: roles} of a table; of a boot domain that is gone its state."""
    rows = {}
    for line in table.splitlines()[1:]:
        words = re.split(r"  +", line.strip())
        rows[words[1]] = BOOT if words[2] == BOOT else roles("  ".join(words[columns:]))
    assert set(rows) == set(names)
    return rows


@pytest.mark.parametrize("name", examples())
def test_example_tells_of_itself(name):
    done = subprocess.run([DEMO, name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=harness.TURN_PATIENCE, check=False)
    print(done.stdout + done.stderr)
    assert done.returncode == 0
    told, expected = answers(done.stdout), EXAMPLES[name]
    if name.startswith("static"):
        check_static(name, told, expected)
        assert "control domain is up" not in done.stderr
    else:
        runner = "dom0" if name.startswith("classic") else "control"
        assert f"hlctl has answered in {runner}" in done.stderr
        check_dynamic(told, expected)


def check_dynamic(told, expected):
    """What hlctl and busctl say, in the control domain."""
    assert re.search(r"^ *Launch: complete$", told["hlctl status"], re.MULTILINE)
    assert listed(told["hlctl list"], expected, 7) == expected
    call, tree = (text for command, text in told.items() if command.startswith("busctl"))
    for domain in expected:
        assert f'"{domain}"' in call
    assert tree.count("/domain/d") == len(expected)


def check_static(name, told, expected):
    """What is known from outside; what hldom says within."""
    assert "  complete" in told["Xen's log"].splitlines()
    assert listed(told["The report (serial log)"], expected, 6) == expected
    said = told["What the guests say of themselves"]
    assert re.search(r"^  web +READY$", said, re.MULTILINE)
    inside = told["hldom roles || true"]
    if name == "static-disaggregated":
        assert "Xen answers only CONTROL, XENSTORE and BOOT domains" in inside
        assert re.search(r"^  store +HL-PART .*xenstored serves", said, re.MULTILINE)
    else:
        assert set(inside.split()) == set(expected["hw"].split(", "))
        assert re.search(r"^\d+ +web ", told["hldom console list || true"], re.MULTILINE)


class User:
    """Somebody at a terminal, in front of ./demo --interactive."""

    def __init__(self, example):
        self._leader, follower = pty.openpty()
        self.process = subprocess.Popen([DEMO, "--interactive", example], stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        self.text = ""

    def until(self, pattern):
        """Reads until that is on the screen after what was asked for last; the text up to there."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < end, self.text
            if select.select([self._leader], [], [], 0.2)[0]:
                self.text += os.read(self._leader, 4096).decode("utf-8", "replace")
        said, self.text = self.text[:found.end()], self.text[found.end():]
        return said

    def type(self, text):
        os.write(self._leader, text.encode())

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self._leader)


@pytest.fixture
def user(request):
    """A machine at a terminal takes no turn by itself."""
    mine = slots.Turn()
    mine.take(f"test {request.node.name}", harness.TURN_PATIENCE)
    user = User(request.param)
    yield user
    user.close()
    mine.release()


@pytest.mark.parametrize("user, prompt", [
    ("classic-dom0", "dom0"),
    pytest.param("dynamic-hardware", "control", marks=pytest.mark.long),
    pytest.param("dynamic-full", "control", marks=pytest.mark.long),
], indirect=["user"])
def test_interactive(user, prompt):
    """Says what happens when, is quiet meanwhile, and each prompt has the way out in it."""
    boot = user.until(rf"{prompt} \(Ctrl-A X ends it\) # ")
    for words in ("a shell follows", "the machine boots", "Xen has the LCM", f"{prompt} is up", "Ctrl-A X ends the machine"):
        assert words in boot
    # Before that, what is built is counted in seconds.
    boot = boot.partition("the machine boots")[2]
    assert "(XEN)" not in boot and "hl-agent" not in boot and boot.count("\n") < 25, boot
    user.type("hlctl status\r")
    user.until("Launch:.*complete")
    user.until(r"\(Ctrl-A X ends it\) # ")
    user.type("echo $((40 + 2))\r")
    user.until(r"\n(.*\r)?42\r*\n")
    user.type("\x01x")
    user.until("the machine has ended")
    assert user.process.wait(60) == 0
