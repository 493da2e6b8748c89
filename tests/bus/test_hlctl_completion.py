# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion of hlctl in bash, zsh and fish: each candidate is text, and no shell runs what it holds."""

import os
import pathlib
import pty
import select
import shlex
import shutil
import subprocess
import time

import pytest

from hlctl_support import HLCTL, fake

COMPLETIONS = pathlib.Path(os.environ["HLCTL_COMPLETIONS"])
HOSTILE = [
    "$(touch${IFS}marker)", "`touch marker`", "$(touch marker)", "a;touch marker;", "with space", " before", "after ",
    'quo"te', "apo'strophe", "';touch marker;'", "new\nline", "new\n;touch marker;", "tab\there", "\x1b[2J", "back\\slash",
    "glob*", "[ab]", "~root", "!event", "a:b=c@d", "{x,y}", "#hash", "&", "|", "<in", ">marker", "日本", "\u202egnp",
    "x" * 2000, "%s%n", "-dash", "--json", "$HOME", "${HOME}", "((touch marker))", "=ls", "^a^b", "?",
]

BASH = """
HISTFILE=
bind 'set enable-bracketed-paste off'
bind 'set completion-query-items 0'
bind 'set page-completions off'
. {completions}/hlctl.bash
"""
ZSH = """
HISTFILE=
setopt no_list_beep
fpath=({completions} $fpath)
autoload -Uz compinit && compinit -u -D
"""
# What the line calls, in place of the program; completion calls that.
SHOW = 'hlctl() {{ printf "%s\\0" "$@" >{place}/arguments.part; mv {place}/arguments.part {place}/arguments; }}\n'


def environment(home, address):
    """That of a user on that bus."""
    return {"PATH": f"{os.path.dirname(HLCTL)}:{os.environ['PATH']}", "TERM": "dumb", "LC_ALL": "C.UTF-8", "HOME": str(home),
            "DBUS_SYSTEM_BUS_ADDRESS": address, **{key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}}


class Shell:
    """A shell on a terminal, in a folder where a name that is run leaves a file."""

    def __init__(self, args, start, place, address):
        self.folder = place / "shell"
        self.folder.mkdir()
        self.place = place
        env = {**environment(self.folder, address), "PS1": "> "}
        self.leader, follower = pty.openpty()
        self.process = subprocess.Popen(args, stdin=follower, stdout=follower, stderr=follower, cwd=self.folder, env=env,
                                        start_new_session=True)
        os.close(follower)
        (place / "start").write_text((start + SHOW).format(completions=COMPLETIONS, place=place))
        self.type(f". {place}/start\n")
        assert self.line("hlctl ready") == ["ready"]

    def type(self, keys):
        data = keys.encode()
        while data:
            self.read(0)
            if select.select([], [self.leader], [], 1)[1]:
                data = data[os.write(self.leader, data[:256]):]

    def read(self, seconds):
        shown = b""
        while select.select([self.leader], [], [], seconds)[0]:
            shown += os.read(self.leader, 65536)
        return shown.decode(errors="replace")

    def line(self, keys):
        """The arguments that the line has in the end."""
        told = self.place / "arguments"
        told.unlink(missing_ok=True)
        self.type(keys + "\n")
        end = time.monotonic() + 20
        while not told.exists():
            assert time.monotonic() < end, f"{keys!r}: {self.read(0.1)}"
            self.read(0.01)
        return told.read_text().split("\0")[:-1]

    def completed(self, rest):
        return self.line(f"hlctl {rest}\t")

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.leader)
        assert os.listdir(self.folder) in ([], [".zcompdump"]), "something was run"


@pytest.fixture(params=["bash", "zsh"])
def shell(request, place, fake, bus_address):
    path = shutil.which(request.param)
    if not path:
        pytest.skip(f"no {request.param} here")
    args, start = {"bash": ([path, "--norc", "--noprofile", "-i"], BASH), "zsh": ([path, "-f", "-i"], ZSH)}[request.param]
    started = Shell(args, start, place, bus_address)
    yield started
    started.end()


def bash_quoted(text):
    return subprocess.run(["bash", "-c", 'printf %q "$1"', "-", text], stdout=subprocess.PIPE, text=True, check=True).stdout


def test_completion_of_any_name(shell, fake):
    """The line has the very name, of which nothing was typed, and of which the first characters were."""
    for name in HOSTILE:
        fake.set(name)
        dashes = ["--"] if name.startswith("-") else []
        assert shell.completed(shlex.join(["status", *dashes]) + " ") == ["status", *dashes, name]
    for name in ("$(touch${IFS}marker)", "`touch marker`", "with space", 'quo"te', "a;touch marker;", "back\\slash", "a:b=c@d",
                 "x" * 2000, "apo'strophe"):
        fake.set(name, "other")
        for length in (1, 4, 5):
            assert shell.completed(f"handoff {bash_quoted(name[:length])}") == ["handoff", name], (name, length)


def test_completion_inside_quotes_runs_nothing(shell, fake):
    """What is inserted there may be no name, but it is never a command."""
    for name in HOSTILE:
        fake.set(name, "web")
        for quote in "'\"":
            shell.type(f"hlctl status {quote}{name[:1] if name[:1] not in '-!`$' else ''}\t")
            shell.type("\x15")
    fake.set(*HOSTILE, "web")
    for quote in "'\"":
        assert shell.completed(f"status {quote}we")[-1] == "web"


def test_names_that_begin_with_a_dash_are_no_options(shell, fake):
    fake.set("-dash")
    assert shell.completed("status -d") == ["status", "-d"]
    assert shell.completed("status -- -d") == ["status", "--", "-dash"]


def test_all_names_are_listed_without_running_any(shell, fake):
    fake.set(*HOSTILE)
    shell.type("hlctl status \t\t\x15")
    assert shell.line("hlctl done") == ["done"]


@pytest.mark.parametrize("typed, words", [
    ("statu", ["status"]), ("mod", ["modules"]), ("list --ro", ["list", "--role"]), ("list --role xen", ["list", "--role", "xenstore"]),
    ("lcm --format dtb", ["lcm", "--format", "dtb"]), ("list -r ha", ["list", "-r", "hardware"]), ("lcm -f js", ["lcm", "-f", "json"]),
    ("handoff --fo", ["handoff", "--for"]), ("handoff --cons", ["handoff", "--console"]),
    ("handoff --console web xen", ["handoff", "--console", "web", "xenconsoled"]), ("handoff web xen", ["handoff", "web", "xen"]),
    ("handoff --console w", ["handoff", "--console", "web"]), ("handoff --console web d", ["handoff", "--console", "web", "db"]),
    ("--no-a", ["--no-ask-password"]), ("events --fol", ["events", "--follow"]),
    ("show w", ["show", "web"]), ("show web d", ["show", "web", "db"]), ("show --val", ["show", "--value"]),
    ("list w", ["list", "w"]), ("status web d", ["status", "web", "d"]), ("list --form", ["list", "--form"]),
    ("st", ["sta"]), ("stat", ["stat"]), ("def", ["defin"]), ("start --en", ["start", "--enabled"]), ("define --af", ["define", "--after"]), ("start w", ["start", "web-vm"]), ("edit web-vm ", ["edit", "web-vm"]), ("enable d", ["enable", "db-vm"]), ("stats w", ["stats", "web"]), ("stats web d", ["stats", "web", "db"]), ("stats --op", ["stats", "--openmetrics"]),
    ("stats --vc", ["stats", "--vcpus"]), ("list --op", ["list", "--op"]),
    ("--json release d", ["--json", "release", "db"]), ("handoff --for 5 we", ["handoff", "--for", "5", "web"]),
    ("unp", ["unpause"]), ("pause d", ["pause", "db"]), ("unpause w", ["unpause", "web"]), ("pause --fo", ["pause", "--force"]),
    ("shutdown --timeout 5 w", ["shutdown", "--timeout", "5", "web"]), ("reboot --ti", ["reboot", "--timeout"]),
    ("rename w", ["rename", "web"]), ("rename web d", ["rename", "web", "d"]), ("reboot --force d", ["reboot", "--force", "db"]), ("unpause --fo", ["unpause", "--fo"]),
])
def test_completion_of_verbs_options_and_domains(shell, fake, typed, words):
    fake.set("web", "db", defined=["web-vm", "db-vm"])
    assert shell.completed(typed) == words


def test_completion_on_the_bus_that_the_line_names(shell, fake, bus_address):
    fake.set("web")
    for option in ("--address ", "--address="):
        assert shell.completed(f"{option}{bus_address} status w")[-2:] == ["status", "web"]
        assert shell.completed(f"{option}unix:path=/nonexistent status w")[-2:] == ["status", "w"]
    # Another host may ask for a password.
    assert shell.completed("-H other status w") == ["-H", "other", "status", "w"]


def test_completion_without_a_daemon(shell, fake):
    """Nothing is offered, and nothing complains."""
    fake.set("web", errors={"ListDomains": ["org.freedesktop.DBus.Error.Failed", "No."]})
    assert shell.completed("status we") == ["status", "we"]


def test_completion_asks_for_the_rows_only(shell, fake):
    fake.set("web")
    fake.calls()
    shell.completed("status w")
    assert set(fake.calls()) == {"ListDomains (no-auto-start)"}


@pytest.fixture
def fish(place, bus_address):
    """fish(LINE): what fish offers for the line's last word."""
    path = shutil.which("fish")
    if not path:
        pytest.skip("no fish here")
    folder = place / "fish"
    folder.mkdir()
    env = environment(folder, bus_address)

    def offered(line):
        done = subprocess.run([path, "--no-config", "-c", 'source $argv[1]; complete -C $argv[2]', COMPLETIONS / "hlctl.fish",
                               f"hlctl {line}"], cwd=folder, env=env, capture_output=True, text=True, check=True)
        assert not done.stderr
        return [candidate.split("\t")[0] for candidate in done.stdout.splitlines()]
    yield offered
    assert set(os.listdir(folder)) <= {".config", ".local", ".cache"}, "something was run"


def test_fish_completes_names(fish, fake):
    """fish quotes what it inserts; names that hold a line break cannot be offered line by line."""
    fake.set(*HOSTILE)
    offered = fish("status ")
    expected = [name for name in HOSTILE if name.isprintable() and name[0] != "-" and name != "\u202egnp"]
    assert sorted(offered) == sorted(expected)
    assert fish("status -- -d") == ["-dash"]


@pytest.mark.parametrize("typed, offered", [
    ("statu", ["status"]), ("list --role xen", ["xenstore"]), ("lcm --format js", ["json"]), ("list --ro", ["--role"]),
    ("show w", ["web"]), ("show web d", ["db"]), ("stats web d", ["db"]), ("stats --openm", ["--openmetrics"]), ("list w", []), ("status web d", []), ("release d", ["db"]), ("list --form", []),
    ("handoff --for 5 w", ["web"]), ("handoff --console web d", ["db"]), ("handoff --console web xenc", ["xenconsoled"]),
    ("handoff web d", []), ("pause d", ["db"]), ("unpause w", ["web"]), ("shutdown --timeout 5 w", ["web"]), ("reboot --force d", ["db"]),
    ("reboot --ti", ["--timeout"]), ("pause --forc", ["--force"]), ("rename w", ["web"]), ("rename web d", []), ("reboot web d", []), ("enable d", ["db-vm"]), ("start w", ["web-vm"]), ("undefine web-vm d", []),
])
def test_fish_completes_verbs_options_and_domains(fish, fake, typed, offered):
    fake.set("web", "db", defined=["web-vm", "db-vm"])
    # fish adds options that have these letters in the middle.
    assert fish(typed)[:1] == offered


@pytest.mark.parametrize("shell_name, file", [("bash", "hlctl.bash"), ("zsh", "_hlctl"), ("fish", "hlctl.fish")])
def test_syntax(shell_name, file):
    if not shutil.which(shell_name):
        pytest.skip(f"no {shell_name} here")
    subprocess.run([shell_name, "-n", COMPLETIONS / file], check=True)
