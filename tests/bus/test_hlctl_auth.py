# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlctl and polkit: when the user may be asked, by which agent, and for how long."""

import os
import pty
import subprocess
import time


import pytest

from conftest import IS_ROOT, NOBODY, wait_until
from hlctl_support import (DENIED, HLCTL, OK, fake, hlctl, public_hlctl, read_terminal, run_on_terminal,
                           scripts)

AUTHORITY = ("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority")
INTERACTION_REQUIRED = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
VERBS = ["handoff web", "release db", "lcm"]
AGENT = """#!/bin/sh
echo "started $*" >>{place}/agent
trap 'echo ended >>{place}/agent; exit' TERM
eval "exec $2>&-"
while :; do sleep 0.05; done
"""

needs_nobody = pytest.mark.skipif(not IS_ROOT, reason="needs a second user")


@pytest.fixture
def as_nobody(public_hlctl, bus_address):
    """as_nobody(ARGS...): the running hlctl of a user without rights."""
    def start(*args, path=os.environ["PATH"], env=None, **kwargs):
        command = [*public_hlctl, "--address", bus_address, *args]
        return subprocess.Popen(command, stderr=subprocess.PIPE, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", text=True,
                                env={**os.environ, "PATH": path, **(env or {})},
                                **{"stdout": subprocess.PIPE, "stdin": subprocess.DEVNULL, **kwargs})
    return start


@pytest.fixture
def asking_polkit(polkit):
    """A polkit that would have to ask the user: it allows what may be asked."""
    mock = polkit(AUTHORITY)
    mock.AddMethod("", "CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})",
                   "ret = (bool(args[3] & 1), not args[3] & 1, dbus.Dictionary({}, signature='ss'))")
    return mock


@needs_nobody
@pytest.mark.parametrize("verb", VERBS)
def test_polkit_may_ask_the_user(launch, asking_polkit, as_nobody, verb):
    launch()
    process = as_nobody(*verb.split())
    _, errors = process.communicate(timeout=60)
    assert process.returncode == OK, errors


@needs_nobody
@pytest.mark.parametrize("verb", VERBS)
def test_polkit_may_not_ask_the_user(launch, asking_polkit, as_nobody, verb):
    launch()
    process = as_nobody("--no-ask-password", *verb.split())
    process.communicate(timeout=60)
    assert process.returncode == DENIED


@needs_nobody
def test_polkit_may_take_longer_than_other_calls(launch, polkit, as_nobody):
    launch()
    mock = polkit()
    mock.SetAllowed(["org.xenproject.Hyperlaunch1.release"])
    mock.SimulateHang(True)
    process = as_nobody("release", "db", env={"SYSTEMD_BUS_TIMEOUT": "1s"})
    wait_until(mock.HaveHangingCalls, what="the question to polkit")
    time.sleep(1.5)
    assert process.poll() is None
    mock.ReleaseHangingCalls()
    _, errors = process.communicate(timeout=30)
    assert process.returncode == OK, errors


@pytest.mark.parametrize("method, verb", [("SetConsoleOwner", "handoff web"), ("Release", "release web"), ("GetLCM", "lcm")])
def test_authentication_is_required(fake, hlctl, method, verb):
    fake.set("web", errors={method: [INTERACTION_REQUIRED, "Interactive authentication required."]})
    for options in ([], ["--no-ask-password"]):
        said = hlctl(*options, *verb.split(), code=DENIED)
        assert "authenticat" in said and "root" in said
        assert ("--no-ask-password" in said) == bool(options)


def on_own_terminal(as_nobody, *args, **kwargs):
    """hlctl where a user types; exit code, what it wrote, what it complained of."""
    leader, follower = pty.openpty()
    process = as_nobody(*args, stdin=follower, stdout=follower, start_new_session=True, **kwargs)
    os.close(follower)
    shown = read_terminal(leader).decode()
    _, errors = process.communicate(timeout=60)
    return process.returncode, shown, errors


@needs_nobody
def test_agent_on_a_terminal(launch, asking_polkit, as_nobody, scripts, place):
    launch()
    place.chmod(0o777)
    path = scripts("pkttyagent", AGENT.format(place=place))
    code, shown, errors = on_own_terminal(as_nobody, "release", "db", path=path)
    assert (code, errors) == (OK, "") and "started" in shown
    started, ended = (place / "agent").read_text().splitlines()
    words = started.split()
    assert words[:2] == ["started", "--notify-fd"] and words[2].isdigit() and words[3:] == ["--fallback"]
    assert ended == "ended"


@needs_nobody
@pytest.mark.parametrize("verb, options, terminal", [
    ("release db", [], False), ("release db", ["--no-ask-password"], True), ("list", [], True), ("status db", [], True),
], ids=["no-terminal", "not-to-ask", "list", "status"])
def test_no_agent(launch, asking_polkit, as_nobody, scripts, place, verb, options, terminal):
    launch()
    place.chmod(0o777)
    path = scripts("pkttyagent", AGENT.format(place=place))
    if terminal:
        on_own_terminal(as_nobody, *options, *verb.split(), path=path)
    else:
        as_nobody(*options, *verb.split(), path=path).communicate(timeout=60)
    assert not (place / "agent").exists()


@needs_nobody
@pytest.mark.parametrize("script", [None, "#!/bin/sh\nexit 1\n", "#!/nonexistent\n"], ids=["absent", "fails", "cannot-run"])
def test_agent_that_does_not_come_is_no_error(launch, asking_polkit, as_nobody, scripts, place, script):
    launch()
    scripts("env", '#!/bin/sh\nexec /usr/bin/env "$@"\n')
    path = scripts("pkttyagent" if script else "other", script or "").split(":", maxsplit=1)[0]
    code, _, errors = on_own_terminal(as_nobody, "release", "db", path=path)
    assert (code, errors) == (OK, "")


def test_root_needs_no_agent(fake, scripts, place, bus_address):
    if not IS_ROOT:
        pytest.skip("needs root")
    fake.set("web")
    path = scripts("pkttyagent", AGENT.format(place=place))
    run_on_terminal([HLCTL, "--address", bus_address, "release", "web"], stdin=True, env={**os.environ, "PATH": path})
    assert not (place / "agent").exists()
