# SPDX-License-Identifier: LGPL-2.1-or-later
"""What hlctl prints, and where: headings, properties, names from anywhere, the pager, another host."""

import json
import os
import re
import subprocess

import pytest

from hlctl_support import (FAILED, HLCTL, NOT_FOUND, OK, UNSUPPORTED, USAGE, fake, hlctl,
                           run_on_terminal, scripts)

UNSAFE = "\x1b[2J\x07\x7f\x9b\u202a\u202e\u2066\u2069\n\r\t"
NAME = f"a{UNSAFE}b日本"
SHOWN = f"a?[2J{'?' * 10}b日本"


def unsafe_in(text):
    """What may move a terminal's cursor, or turn its text around; line ends are the table's own."""
    return [character for character in text if character in UNSAFE.replace("\n", "").replace("[2J", "") or ord(character) >= 0xfffe]


@pytest.mark.parametrize("verb", ["list", "status 1", "roles", "handoff 1", "release 1", "show 1"])
def test_names_from_anywhere_do_not_reach_the_terminal(fake, hlctl, verb):
    fake.set(NAME)
    text = hlctl(*verb.split())
    assert not unsafe_in(text)
    assert SHOWN in text or verb == "roles"


@pytest.mark.parametrize("verb", ["list", "status 1", "show 1", "handoff 1"])
def test_names_from_anywhere_in_json(fake, hlctl, verb):
    """Escaped, so that they are what they are for a program, and harmless on a terminal."""
    fake.set(NAME)
    text = hlctl("--json", *verb.split())
    assert not unsafe_in(text) and json.dumps(NAME, ensure_ascii=False)[:2] in text
    values = json.loads(text)
    for key in ("domains", 0):
        values = values[key] if isinstance(values, list) or key in values else values
    assert NAME in values.values()


@pytest.mark.parametrize("text", ["a\u202eb", "a\u2066b", "a\ufffeb", "a\uffffb", "a\x9bb", "a\x7fb"])
def test_words_of_the_user_in_errors(fake, hlctl, text):
    assert "'a?b'" in hlctl("status", text, code=NOT_FOUND)


def test_errors_of_the_bus_are_shown_safely(fake, hlctl):
    fake.set("web", errors={"ListDomains": ["org.freedesktop.DBus.Error.Failed", "It\u202e is\x1b[2J so."]})
    assert hlctl("list", code=FAILED) == "hlctl: It? is?[2J so.\n"


def test_columns_stand_under_one_another(fake, hlctl):
    """Wide characters take two places, combining ones none."""
    fake.set("日本", "e\u0301\u0301", "web")
    wide, combining, plain = hlctl("list", "--no-legend").splitlines()
    assert plain.index("started") == wide.index("started") + 2 == combining.index("started") - 2


@pytest.mark.parametrize("verb", ["list", "roles", "modules", "events"])
def test_no_legend(launch, hlctl, verb):
    launch()
    heading, *rows = hlctl(verb).splitlines()
    assert heading == heading.upper()
    # Columns may be less wide.
    assert [row.split() for row in hlctl(verb, "--no-legend").splitlines()] == [row.split() for row in rows]


def test_quiet(launch, hlctl):
    launch("ok-dynamic-full", options=["--session"])
    assert hlctl("-q", "handoff", "web") == ""
    assert hlctl("release", "db", "--quiet") == ""
    assert json.loads(hlctl("-q", "-j", "handoff", "control"))["new"] == 2
    assert "'nobody'" in hlctl("-q", "handoff", "nobody", code=NOT_FOUND), "errors are not answers"
    assert len(hlctl("list", "-q").splitlines()) == 9


# --- show ------------------------------------------------------------------------


def pairs(text):
    return dict(line.split("=", 1) for line in text.splitlines())


def test_show_of_a_domain(launch, hlctl, client):
    launch()
    shown = pairs(hlctl("show", "store"))
    assert set(shown) == set(map(str, client.domain("store")))
    assert (shown["Name"], shown["Domid"], shown["Roles"], shown["Generation"]) == ("store", "1", "xenstore", "0")
    assert shown["RequestedDomid"].isdigit() and shown["Reason"] == ""
    assert json.loads(shown["Modules"])[0][0] == "kernel"
    assert shown["Drift"] == ""


def test_show_of_several_domains(launch, hlctl):
    launch()
    assert hlctl("show", "web", "6", "-p", "Name", "-p", "State") == "Name=web\nState=started\n\nName=db\nState=held\n"
    assert hlctl("show", "web", "db", "--property=State,Name", "--value") == "started\nweb\n\nheld\ndb\n"
    assert hlctl("show", "-P", "Domid", "web") == "5\n"


def test_show_of_the_launch(launch, hlctl):
    launch()
    shown = pairs(hlctl("show"))
    assert (shown["State"], shown["NDomains"], shown["Expected"], shown["Dynamic"]) == ("complete", "8", "8", "yes")
    assert shown["ConsoleOwner"].endswith("/d4_0") and shown["Version"] and shown["LCMDigest"] and shown["WeakHardware"] == "no"
    assert hlctl("show", "--value", "-p", "State") == "complete\n"


def test_show_in_json(launch, hlctl):
    launch()
    web, db = json.loads(hlctl("show", "-j", "web", "db"))["domains"]
    assert (web["Name"], web["Domid"], db["State"], web["Roles"], web["Drift"]) == ("web", 5, "held", [], [])
    assert json.loads(hlctl("show", "-j", "-p", "NDomains")) == {"NDomains": 8}


def test_show_errors(launch, hlctl):
    launch()
    assert "'nobody'" in hlctl("show", "web", "nobody", code=NOT_FOUND)
    for domains in ([], ["web"]):
        assert "'Nope'" in hlctl("show", *domains, "-p", "Nope", code=NOT_FOUND)
    for wrong in (["list", "-p", "Name"], ["status", "--value"], ["show", "-p"], ["show", "--value", "--json"], ["show", "-p", ""]):
        assert subprocess.run([HLCTL, *wrong], capture_output=True, check=False).returncode == USAGE, wrong


def test_show_asks_for_nothing_else(fake, hlctl):
    fake.set("web", "db")
    fake.calls()
    hlctl("show", "web")
    # Of the domain, and of its console.
    assert fake.calls() == ["GetDomainByName", "GetAll", "GetAll"]


# --- one domain ------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["status", "handoff", "release"])
@pytest.mark.parametrize("text", ["web", "2", "8d5a104e-6c2b-4f0a-9b1e-000000000002"])
def test_one_domain_is_asked_for(fake, hlctl, verb, text):
    fake.set("db", "web")
    fake.calls()
    hlctl(verb, text)
    called = fake.calls()
    assert "GetManagedObjects" not in called and "ListDomains" not in called
    assert "GetAll" in called and len(called) <= 6


def test_a_domain_that_goes_meanwhile(fake, hlctl):
    fake.set("web", errors={"GetAll": ["org.freedesktop.DBus.Error.UnknownObject", "Unknown object."]})
    assert "'web'" in hlctl("status", "web", code=NOT_FOUND)


def test_names_for_programs(fake, hlctl):
    fake.set(NAME, "web", "")
    fake.calls()
    assert hlctl("list", "--null") == f"{NAME}\0web\0"
    # A shell that completes a word is no reason to start hyperlaunchd.
    assert fake.calls() == ["ListDomains (no-auto-start)"]
    for other in (["--json"], ["--role", "boot"]):
        assert "exclude" in hlctl("list", "--null", *other, code=USAGE)


# --- the pager -------------------------------------------------------------------

PAGER = """#!/bin/sh
echo "less $LESS $*" >>{place}/pager
sed 's/^/paged: /'
"""


@pytest.fixture
def pager(place, scripts, bus_address):
    """pager(NAME, ARGS..., **ENV): what the terminal gets, with a pager of that name."""
    def run(name, *args, **env):
        path = scripts(name, PAGER.format(place=place))
        kept = {key: value for key, value in os.environ.items() if key not in ("PAGER", "HYPERLAUNCH_PAGER", "LESS", "NO_COLOR")}
        return run_on_terminal([HLCTL, "--address", bus_address, *args], env={**kept, "PATH": path, "TERM": "xterm", **env})
    return run


@pytest.mark.parametrize("verb", ["list", "status", "status web", "show", "show web", "roles", "modules", "events", "lcm", "list -j",
                                  "stats", "stats --openmetrics"])
def test_long_output_is_paged(launch, pager, place, verb):
    launch()
    assert all(line.startswith("paged: ") for line in pager("less", *verb.split()).splitlines())
    assert (place / "pager").read_text().split()[:2] == ["less", "FRSX"]


def test_which_pager(launch, pager):
    launch()
    assert "paged: " in pager("mine", "list", PAGER="mine")
    assert "paged: " in pager("mine", "list", HYPERLAUNCH_PAGER="mine -x", PAGER="cat")
    for off in ({"PAGER": ""}, {"PAGER": "cat"}, {"HYPERLAUNCH_PAGER": "", "PAGER": "less"}, {"TERM": "dumb"}):
        assert "paged: " not in pager("less", "list", **off)
    assert "paged: " not in pager("less", "list", "--no-pager")
    assert "paged: " not in pager("less", "handoff", "web")


def test_a_pager_keeps_the_colours(launch, pager):
    launch()
    assert re.search("\033\\[32mstarted *\033\\[0m", pager("less", "list"))


def test_no_pager_off_a_terminal(launch, place, scripts, hlctl):
    launch()
    path = scripts("less", PAGER.format(place=place))
    hlctl("list", env={"PATH": path, "TERM": "xterm"})
    assert not (place / "pager").exists()


def test_a_pager_that_cannot_be_run(launch, bus_address):
    launch()
    result = subprocess.run(["script", "-qec", f"{HLCTL} --address '{bus_address}' list", "/dev/null"], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, env={**os.environ, "PAGER": "/nonexistent/pager", "TERM": "xterm", "NO_COLOR": "1"},
                            check=False)
    assert result.returncode == OK
    assert "/nonexistent/pager" in result.stdout and "web" in result.stdout


def test_a_pager_that_is_left_early(launch, bus_address, scripts):
    """That is the user's matter: no error, no signal."""
    launch()
    path = scripts("less", "#!/bin/sh\nexit 0\n")
    for verb in ("list", "lcm", "status"):
        run_on_terminal([HLCTL, "--address", bus_address, verb], env={**os.environ, "PATH": path, "TERM": "xterm"})


# --- another host ----------------------------------------------------------------


def test_host(launch, scripts, bus_address, place):
    launch()
    path = scripts("ssh", f'#!/bin/sh\necho "$*" >{place}/ssh\nexec systemd-stdio-bridge --bus-path="$HL_TEST_BUS"\n')
    env = {**os.environ, "PATH": path, "HL_TEST_BUS": bus_address}
    for option in (["-H", "root@other"], ["--host=root@other"]):
        result = subprocess.run([HLCTL, *option, "list"], capture_output=True, text=True, env=env, check=False)
        assert result.returncode == OK, result.stderr
        assert "web" in result.stdout and "root@other" in (place / "ssh").read_text()
    result = subprocess.run([HLCTL, "-H", "other", "lcm"], capture_output=True, text=True, env=env, check=False)
    assert result.returncode == UNSUPPORTED and "other host" in result.stderr and result.stderr.count("\n") == 1


def test_host_that_cannot_be_reached(scripts):
    path = scripts("ssh", "#!/bin/sh\nexit 255\n")
    result = subprocess.run([HLCTL, "-H", "nowhere", "list"], capture_output=True, text=True, env={**os.environ, "PATH": path}, check=False)
    assert result.returncode == FAILED and "'nowhere'" in result.stderr and result.stderr.count("\n") == 1
    result = subprocess.run([HLCTL, "-H", "", "list"], capture_output=True, text=True, check=False)
    assert result.returncode == USAGE and result.stderr.count("\n") == 1
