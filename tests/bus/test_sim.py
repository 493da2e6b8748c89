# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlsim: one command, as any user, with a session bus or without."""
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import time

import pytest

from conftest import IS_ROOT, NOBODY, ROOT

HLSIM = os.environ["HLSIM"]
EXAMPLE = ROOT / "examples" / "dynamic-full" / "launch.dts"


@pytest.fixture
def programs(place):
    """A folder with the programs, as ./shell has one on PATH."""
    build = pathlib.Path(os.environ["HLCTL"]).parent.parent.parent
    for path in (*(os.environ[name] for name in ("HLSIM", "HLCTL", "HYPERLAUNCHD", "LCMTOOL")), build / "libhl" / "libhl.so.0",
                 ROOT / "tools" / "hlsim" / "consoles.py", ROOT / "tools" / "hlsim" / "vms.py"):
        # Copies, as not everybody may enter the build.
        shutil.copy(path, place)
    return place


@pytest.fixture
def hlsim(programs):
    """hlsim(ARGS...): the finished process."""
    def run(*args, user=None, session=None, cwd="/"):
        env = {key: value for key, value in os.environ.items()
               if not key.startswith("DBUS_") and key not in ("XDG_RUNTIME_DIR", "HL_SIM_CONTROL")}
        if session:
            env["DBUS_SESSION_BUS_ADDRESS"] = session
        env.update(PATH=f"{programs}:{env['PATH']}", LD_LIBRARY_PATH=str(programs))
        who = {"user": user, "group": user, "extra_groups": []} if user else {}
        return subprocess.run(["hlsim", *map(str, args)], env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, check=False, **who)
    return run


def names(listed):
    return [line.split()[1] for line in listed.splitlines()[1:]]


DOMAINS = ["store", "control", "hw", "crash", "console", "web", "db", "boot"]


@pytest.mark.parametrize("with_session", [False, True], ids=["without", "with-session"])
@pytest.mark.parametrize("user", [None, NOBODY], ids=["caller", "nobody"])
def test_one_command(hlsim, bus_address, user, with_session):
    """The session bus that there is stays alone: another hyperlaunchd may be on it."""
    if user and not IS_ROOT:
        pytest.skip("only root can become another")
    done = hlsim(EXAMPLE, "hlctl", "list", user=user, session=bus_address if with_session else None)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert names(done.stdout) == DOMAINS


def test_as_the_readme_has_it(hlsim):
    text = (ROOT / "README.md").read_text()
    commands = re.findall(r"^    \./shell hlsim (\S.*?)(?:   .*)?$", text, re.MULTILINE)
    assert commands
    for command in commands:
        done = hlsim(*shlex.split(command), cwd=ROOT)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert names(done.stdout)


def test_exit_code_is_the_commands(hlsim):
    assert hlsim(EXAMPLE, "sh", "-c", "exit 7").returncode == 7


def test_domains_are_created_and_destroyed(hlsim, programs):
    (programs / "vmlinuz").write_text("a kernel")
    (programs / "vm.dts").write_text("""/dts-v1/; / { chosen { hypervisor { compatible = "hypervisor,xen"; vm { compatible = "xen,domain";
        memory = "64M"; kernel { compatible = "module,kernel"; file = "vmlinuz"; }; }; }; }; };""")
    done = hlsim(EXAMPLE, "sh", "-c", f"hlctl create {programs}/vm.dts && hlctl destroy web && hlctl list")
    assert done.stdout.startswith("Domain 8 (vm) is running.\nDomain 6 (web) is destroyed.\n"), done.stdout + done.stderr
    assert "vm" in names(done.stdout.split("destroyed.\n")[1])


@pytest.mark.parametrize("example", ["dynamic-full", "classic-basic-cloud"])
def test_initial_domain_is_made_again(hlsim, example):
    """Of files for modules that nobody has."""
    launch = ROOT / "examples" / example / "launch.dts"
    done = hlsim(launch, "sh", "-c", "hlsim --tell shutdown web crash; hlctl rebuild web && hlctl status web; hlctl rebuild web; "
                 "hlctl rebuild --force web; hlctl destroy web; hlctl rebuild web")
    text = re.sub(r"^ok\n", "", done.stdout)
    assert re.match(r"Domain \d+ \(web\) is started\.\n", text), done.stdout + done.stderr
    assert re.search(r"Origin: boot, adopted", text) and text.count("is started.") == 3
    assert "has not shut down" in done.stderr and "Force" in done.stderr


def test_simulated_xen_is_told_what_happens(hlsim):
    done = hlsim(EXAMPLE, "sh", "-c", "hlsim --tell ready web && hlctl status web && busctl --system tree org.xenproject.Hyperlaunch1; "
                 "hlsim --tell fail web oops")
    assert re.search(r"^ *State: ready$", done.stdout, re.MULTILINE), done.stdout
    assert "/domain/d6_0" in done.stdout
    assert "error EINVAL no such error; these are: " in done.stdout and "boot-failed" in done.stdout
    assert done.returncode == 1


def test_requests_are_the_callers_right(hlsim):
    """Root's or not: it is their own daemon."""
    done = hlsim(EXAMPLE, "hlctl", "handoff", "web", user=NOBODY if IS_ROOT else None)
    assert done.returncode == 0 and "The console is with" in done.stdout, done.stderr


@pytest.mark.parametrize("text, words", [
    ("/dts-v1/; / { chosen { hypervisor { compatible = \"hypervisor,xen\"; }; }; };", "no-domain"),
    ("nonsense", "flattened device tree"),
])
def test_what_is_no_launch(hlsim, place, text, words):
    (place / "bad.dts").write_text(text)
    done = hlsim(place / "bad.dts", "hlctl", "list")
    assert done.returncode == 1 and not done.stdout
    assert words in done.stderr and done.stderr.splitlines()[-1].startswith("hlsim: ")


def test_wrong_use(hlsim):
    assert hlsim().returncode == 2
    assert hlsim("--tell").returncode == 2
    done = hlsim("--tell", "ready", "web")
    assert done.returncode == 1 and "first: hlsim LCM" in done.stderr
    assert "No such file" in hlsim("/nowhere.dts", "true").stderr


def test_nothing_is_left(hlsim, programs):
    """Of one that is killed, too."""
    before = set(pathlib.Path("/tmp").glob("hlsim.*"))
    hlsim(EXAMPLE, "true")
    assert set(pathlib.Path("/tmp").glob("hlsim.*")) == before
    env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "LD_LIBRARY_PATH": str(programs)}
    process = subprocess.Popen(["hlsim", EXAMPLE, "sh", "-c", "echo $HL_SIM_CONTROL; exec sleep 60"], env=env,
                               stdout=subprocess.PIPE, text=True)
    control = pathlib.Path(process.stdout.readline().strip())
    assert control.is_socket()
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    end = time.monotonic() + 20
    while control.parent.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not control.parent.exists()


TYPE = "printf 'ls\\r' | timeout 20 hlctl console --replay 4096 {domain} | head -c {size}"


@pytest.mark.parametrize("example", ["dynamic-full", "classic-dom0", "static-basic"])
def test_consoles(hlsim, example):
    """Each domain that exists has one, which answers and is logged."""
    launch = ROOT / "examples" / example / "launch.dts"
    served = None
    for name in names(hlsim(launch, "hlctl", "list").stdout):
        shown = hlsim(launch, "sh", "-c", f"hlctl show -P Console.State {name} && hlctl console --log {name}")
        if "there is no property" in shown.stderr:
            assert "reclaimed" in hlsim(launch, "hlctl", "show", "-P", "State", name).stdout
            continue
        assert (shown.returncode, shown.stderr) == (0, ""), shown.stderr
        assert shown.stdout == f"serving\nThis is the simulated console of {name}.\n{name}> "
        served = name
    banner = f"This is the simulated console of {served}.\r\n{served}> "
    answer = f"{banner}ls\r\nThis domain is simulated; you typed: ls\r\n{served}> "
    done = hlsim(launch, "sh", "-c", TYPE.format(domain=served, size=len(answer)))
    assert done.stdout == answer.replace("\r\n", "\n"), done


def test_consoles_come_and_go(hlsim):
    wait = "until hlctl show -P Console.State new 2>/dev/null; do sleep 0.05; done"
    gone = "until ! hlctl show new 2>/dev/null >&2; do sleep 0.05; done"
    done = hlsim(EXAMPLE, "sh", "-c", f"hlsim --tell domain-add new; {wait}; hlsim --tell domain-remove new; {gone}; hlctl jobs")
    assert done.returncode == 0 and "serving" in done.stdout, done
