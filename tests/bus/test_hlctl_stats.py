# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlctl stats: tables, JSON, and OpenMetrics text, which a parser of its rules reads."""

import json
import math
import re
import subprocess

import pytest

from conftest import turn, wait_until
from hlctl_support import FAILED, HLCTL, NOT_FOUND, UNSUPPORTED, USAGE, fake, hlctl, run_on_terminal

KEYS = {"domid", "name", "uuid", "state", "timestamp_usec", "cpu_time_ns", "cpus", "cpus_online", "memory_current_kib", "memory_max_kib",
        "memory_outstanding_kib", "memory_shared_kib", "memory_paged_kib", "path"}
WEB_UUID = "8d5a104e-6c2b-4f0a-9b1e-000000000006"
HOSTILE = ['quo"te', "back\\slash", "new\nline", '\\"', "\\n", "\\", '"} 1\n# EOF\n', '",x="', "a{b=\"c\"} 5", "tab\there", "\x1b[2J",
           "\u202egnp", "日本", " ", "", "# HELP", "x" * 2000, "%s%n"]
STATES = ["planned", "built", "held", "paused", "started", "ready", "failed", "reclaimed", "running", "shutdown", "dying", "unknown"]


def shown(name):
    """Of a name: what no terminal obeys."""
    return "".join("?" if not c.isprintable() and c != "\n" else c for c in name)


# --- a parser of OpenMetrics 1.0 text ----------------------------------------------

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
SAMPLE = re.compile(rf"({NAME})\{{(.*)\}} (\S+)$")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?([eE][+-]?\d+)?|Inf)$|NaN$")
SUFFIXES = {"counter": {"_total"}, "gauge": {""}, "stateset": {""}}


def unescape(text):
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), text)


def parse_labels(text):
    labels, at = {}, 0
    while True:
        match = LABEL.match(text, at)
        assert match, f"no label: {text[at:]!r}"
        assert match[1] not in labels, f"twice: {match[1]}"
        labels[match[1]] = unescape(match[2])
        at = match.end()
        if at == len(text):
            return labels
        assert text[at] == ",", text[at:]
        at += 1


class Family:
    def __init__(self):
        self.type = self.unit = self.help = None
        self.samples = {}


def parse_metadata(line, families, current):
    keyword, name, rest = re.fullmatch(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)", line).groups()
    if name != current:
        assert name not in families, f"{name} is interleaved"
        families[name] = Family()
    family = families[name]
    assert not family.samples, f"{line}: after samples"
    assert getattr(family, keyword.lower()) is None, f"{line}: twice"
    setattr(family, keyword.lower(), rest)
    if keyword == "UNIT":
        assert name.endswith("_" + rest)
    return name


def parse_openmetrics(text):
    """{family: Family}; asserts each rule that the specification has for what is used here."""
    assert text.endswith("\n# EOF\n") and text.count("\n# EOF\n") == 1
    assert "\r" not in text
    families, current = {}, None
    for line in text.split("\n")[:-2]:
        assert line and line == line.strip()
        if line.startswith("#"):
            current = parse_metadata(line, families, current)
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, number = match[1], parse_labels(match[2]), match[3]
        family = families[current]
        assert name.startswith(current) and name[len(current):] in SUFFIXES[family.type], name
        assert NUMBER.fullmatch(number), number
        value = float(number)
        assert family.type != "counter" or 0 <= value < math.inf
        key = tuple(sorted(labels.items()))
        assert key not in family.samples, f"{line}: twice"
        family.samples[key] = value
    for name, family in families.items():
        check_stateset(name, family)
        assert family.help and "\\" not in family.help
    return families


def check_stateset(name, family):
    if family.type != "stateset":
        return
    sums = {}
    for labels, value in family.samples.items():
        assert value in (0, 1) and name in dict(labels)
        rest = tuple(label for label in labels if label[0] != name)
        sums[rest] = sums.get(rest, 0) + value
    assert set(sums.values()) <= {1}, "one state at a time"


@pytest.mark.parametrize("text", [
    "# TYPE a gauge\na{x=\"1\"} 1\n", "a{x=\"1\"} 1\n# EOF\n", "# TYPE a gauge\na{x=\"1\"y=\"2\"} 1\n# EOF\n",
    "# TYPE a gauge\na{x=\"\\q\"} 1\n# EOF\n", "# TYPE a gauge\na{x=\"\"\"} 1\n# EOF\n", "# TYPE a gauge\na{x=\"1\"} one\n# EOF\n",
    "# TYPE a counter\na{x=\"1\"} 1\n# EOF\n", "# TYPE a gauge\n# HELP a A.\na{x=\"1\"} 1\na{x=\"1\"} 1\n# EOF\n",
    "# TYPE a gauge\n# UNIT a bytes\n# EOF\n", "# TYPE a gauge\n# HELP a A.\n# TYPE b gauge\n# HELP b B.\n# HELP a A.\n# EOF\n",
    "# TYPE a counter\n# HELP a A.\na_total{x=\"1\"} -1\n# EOF\n", "# TYPE a stateset\n# HELP a A.\na{a=\"1\"} 0\n# EOF\n",
])
def test_the_parser_is_strict(text):
    with pytest.raises((AssertionError, AttributeError, KeyError)):
        parse_openmetrics(text)


def of_domain(family, domid, **more):
    found = [value for labels, value in family.samples.items()
             if dict(labels).get("domid") == str(domid) and more.items() <= dict(labels).items()]
    assert len(found) == 1, found
    return found[0]


def set_figures(daemon):
    for words in ("load 0", "cpu-time 123456789012345", "current 1025", "outstanding 8192", "shared 12", "paged 16", "online 1"):
        daemon.command(f"figure web {words}")
    turn(0.05)


def test_openmetrics(launch, hlctl):
    daemon = launch()
    set_figures(daemon)
    families = parse_openmetrics(hlctl("stats", "--openmetrics"))
    assert {name: (family.type, family.unit) for name, family in families.items()} == {
        "xen_domain_state": ("stateset", None), "xen_domain_cpu_seconds": ("counter", "seconds"),
        "xen_domain_vcpu_cpu_seconds": ("counter", "seconds"), "xen_domain_vcpus_online": ("gauge", None),
        "xen_domain_vcpus_max": ("gauge", None), "xen_domain_memory_bytes": ("gauge", "bytes"),
        "xen_domain_memory_max_bytes": ("gauge", "bytes"), "xen_domain_memory_outstanding_bytes": ("gauge", "bytes"),
        "xen_domain_memory_shared_bytes": ("gauge", "bytes"), "xen_domain_memory_paged_bytes": ("gauge", "bytes")}
    values = {name: of_domain(family, 5) for name, family in families.items() if family.type != "stateset" and "vcpu_" not in name}
    assert values == {
        "xen_domain_cpu_seconds": 123456.789012345, "xen_domain_vcpus_online": 1, "xen_domain_vcpus_max": 2,
        "xen_domain_memory_bytes": 1025 << 10, "xen_domain_memory_max_bytes": 128 << 20,
        "xen_domain_memory_outstanding_bytes": 8 << 20, "xen_domain_memory_shared_bytes": 12 << 10,
        "xen_domain_memory_paged_bytes": 16 << 10}
    states = families["xen_domain_state"]
    assert {state: of_domain(states, 5, xen_domain_state=state) for state in STATES} == {state: int(state == "started") for state in STATES}
    assert of_domain(states, 6, xen_domain_state="held") == 1
    # Seven domains exist, each once in each family; the boot domain is no more.
    assert {len(family.samples) for name, family in families.items() if name not in ("xen_domain_state", "xen_domain_vcpu_cpu_seconds")} == {7}
    assert {dict(labels)["name"]: dict(labels)["uuid"] for labels in families["xen_domain_memory_bytes"].samples}["web"] == WEB_UUID


def test_openmetrics_of_vcpus(launch, hlctl):
    daemon = launch()
    daemon.command("figure web load 0")
    daemon.command("figure web cpu-time 3000000001")
    turn(0.05)
    families = parse_openmetrics(hlctl("stats", "--openmetrics", "--vcpus", "web"))
    vcpus = families["xen_domain_vcpu_cpu_seconds"]
    assert [of_domain(vcpus, 5, vcpu=str(nr)) for nr in range(2)] == [1.500000001, 1.5]
    assert len(families["xen_domain_cpu_seconds"].samples) == 1


def test_openmetrics_without_a_limit(launch, hlctl):
    launch("ok-static-basic", extra=",as=classic")
    families = parse_openmetrics(hlctl("stats", "--openmetrics"))
    assert of_domain(families["xen_domain_memory_max_bytes"], 0) == math.inf


def test_openmetrics_of_hostile_names(fake, hlctl):
    """Each name is one label, and no sample or line of its own; an unheard-of state is unknown."""
    fake.set(*HOSTILE)
    text = hlctl("stats", "--openmetrics")
    families = parse_openmetrics(text)
    for name, family in families.items():
        if name == "xen_domain_vcpu_cpu_seconds":
            continue
        told = {int(dict(labels)["domid"]): dict(labels)["name"] for labels in family.samples}
        assert told == {domid: shown(name) for domid, name in enumerate(HOSTILE, 1)}
    for domid in range(1, len(HOSTILE) + 1):
        assert of_domain(families["xen_domain_state"], domid, xen_domain_state="unknown") == 1
        assert of_domain(families["xen_domain_cpu_seconds"], domid) == domid * 1.500000001
    assert "\x1b" not in text and "\u202e" not in text
    again = fake.set() or parse_openmetrics(hlctl("stats", "--openmetrics"))
    assert set(again) == set(families) and not any(family.samples for family in again.values())


def test_a_name_of_a_toolstack(launch, hlctl):
    """Through hyperlaunchd: what it lets through still needs its escapes."""
    daemon = launch()
    daemon.command('rename web we\\"b\\')
    wait_until(lambda: "we" in hlctl("list"), what="the name")
    families = parse_openmetrics(hlctl("stats", "--openmetrics"))
    assert of_domain(families["xen_domain_vcpus_max"], 5, name='we\\"b\\') == 2


# --- JSON and tables ---------------------------------------------------------------


def test_json(launch, hlctl):
    daemon = launch()
    set_figures(daemon)
    domains = json.loads(hlctl("stats", "--json"))["domains"]
    assert [d["domid"] for d in domains] == [1, 2, 3, 4, 5, 6, 20]
    assert {frozenset(d) for d in domains} == {frozenset(KEYS)}
    web = domains[4]
    assert web.pop("timestamp_usec") > 0
    assert web == {
        "domid": 5, "name": "web", "uuid": WEB_UUID, "state": "started", "cpu_time_ns": 123456789012345, "cpus": 2, "cpus_online": 1,
        "memory_current_kib": 1025, "memory_max_kib": 128 << 10, "memory_outstanding_kib": 8192, "memory_shared_kib": 12,
        "memory_paged_kib": 16, "path": "/org/xenproject/Hyperlaunch1/domain/d5_0"}
    # Fields of the same name mean the same elsewhere.
    status = json.loads(hlctl("status", "web", "--json"))
    assert {key: status[key] for key in web.keys() & status.keys()} == {key: web[key] for key in web.keys() & status.keys()}


def test_no_limit_is_null(launch, hlctl):
    launch("ok-static-basic", extra=",as=classic")
    domain, = json.loads(hlctl("stats", "--json"))["domains"]
    assert domain["memory_max_kib"] is None


def test_table(launch, hlctl):
    daemon = launch()
    set_figures(daemon)
    lines = hlctl("stats").splitlines()
    assert lines[0].split() == ["DOMID", "NAME", "STATE", "CPUS", "TIME", "MEMORY", "MAXIMUM", "OUTSTANDING", "SHARED", "PAGED"]
    assert len(lines) == 8
    assert lines[5].split() == ["5", "web", "started", "1", "123456.7", "s", "1025", "K", "128", "M", "8", "M", "12", "K", "16", "K"]
    assert len(hlctl("stats", "--no-legend").splitlines()) == 7


def test_list_and_status_have_cpu_time(launch, hlctl):
    daemon = launch()
    set_figures(daemon)
    assert "123456.7 s" in next(line for line in hlctl("list").splitlines() if " web " in line)
    assert "CPU time: 123456.7 s" in hlctl("status", "web")
    assert json.loads(hlctl("status", "web", "--json"))["cpu_time_ns"] == 123456789012345


def test_some_domains(launch, hlctl):
    """In the order in which they are named, each once."""
    launch()
    for names in (["db", "5", "web", WEB_UUID], ["db", "web"]):
        assert [d["name"] for d in json.loads(hlctl("stats", "-j", *names))["domains"]] == ["db", "web"]
        parse_openmetrics(hlctl("stats", "--openmetrics", *names))
    assert [line.split()[1] for line in hlctl("stats", "--no-legend", "db", "web").splitlines()] == ["db", "web"]


def test_vcpus(launch, hlctl):
    daemon = launch()
    for words in ("load 0", "cpu-time 3000000001"):
        daemon.command(f"figure web {words}")
    turn(0.05)
    web, db = json.loads(hlctl("stats", "--json", "--vcpus", "web", "db"))["domains"]
    assert set(web) == KEYS | {"vcpus"} == set(db)
    assert web["vcpus"] == [{"vcpu": 0, "state": "running", "cpu": 0, "cpu_time_ns": 1500000001},
                            {"vcpu": 1, "state": "blocked", "cpu": 1, "cpu_time_ns": 1500000000}]
    lines = [line.split() for line in hlctl("stats", "--vcpus", "web").splitlines()]
    assert lines == [["DOMID", "NAME", "VCPU", "STATE", "CPU", "TIME"], ["5", "web", "0", "running", "0", "1.5", "s"],
                     ["5", "web", "1", "blocked", "1", "1.5", "s"]]


def test_errors(launch, hlctl):
    daemon = launch()
    assert "'nobody'" in hlctl("stats", "web", "nobody", code=NOT_FOUND)
    assert "does not exist now" in hlctl("stats", "boot", code=NOT_FOUND)
    daemon.command("fault list-live EPERM 1000000")
    turn(0.05)
    assert "control permission" in hlctl("stats", code=UNSUPPORTED)
    assert "control permission" in hlctl("stats", "web", code=UNSUPPORTED)


def test_a_domain_that_goes_meanwhile(fake, hlctl):
    fake.set("web", errors={"GetStats": ["org.freedesktop.DBus.Error.UnknownObject", "Unknown object."]})
    assert "'web'" in hlctl("stats", "web", code=NOT_FOUND)
    fake.set("web", errors={"GetStats": ["org.freedesktop.DBus.Error.Failed", "No."]})
    assert "No." in hlctl("stats", "web", code=FAILED)
    assert "No." in hlctl("list", code=FAILED)


def test_one_call_for_all(fake, hlctl):
    fake.set(*(f"vm{number}" for number in range(1000)))
    fake.calls()
    assert len(hlctl("stats").splitlines()) == 1001
    assert fake.calls() == ["GetStats"]
    assert len(hlctl("list").splitlines()) == 1001
    assert fake.calls() == ["ListDomains", "GetStats"]


def test_hostile_names_on_a_terminal(fake, bus_address):
    fake.set(*HOSTILE)
    for args in (["stats"], ["stats", "--openmetrics"], ["stats", "--json"]):
        output = run_on_terminal([HLCTL, "--address", bus_address, "--no-pager", *args])
        assert "\x1b[2J" not in output and "\u202e" not in output


@pytest.mark.parametrize("args", [["stats", "--json", "--openmetrics"], ["list", "--openmetrics"], ["stats", "--vcpus"],
                                  ["status", "--vcpus", "web"], ["stats", "--role", "boot"], ["stats", "--openmetrics=1"]])
def test_usage(args):
    result = subprocess.run([HLCTL, *args], capture_output=True, text=True, check=False)
    assert result.returncode == USAGE and result.stderr.count("\n") == 1 and not result.stdout
