# SPDX-License-Identifier: LGPL-2.1-or-later
"""A domain made after boot takes the place of an initial domain that is gone, if Xen finds nothing wrong with it."""
import re

import pytest

import harness
import lcm
import short_boot

HW, CONTROL, CONSOLE, STORE, CRASH, WEB, OTHER, PV, DYING = range(1, 10)
# Order in the LCM, from 0.
RECORD = {domid: index for index, domid in enumerate((HW, CONTROL, CONSOLE, STORE, CRASH, WEB, OTHER, PV, DYING))}
NEW, SECOND, RUNS, AS_PV, NOBODY, THIRD = 20, 21, 22, 23, 24, 25
ROLES = {HW: ("permissions = <2>;", "hl_hardware_t"), CONTROL: ("permissions = <1>;", "hl_control_t"),
         CONSOLE: ("functions = <4>;", "hl_console_t"), STORE: ("functions = <0x40000000>;", "hl_xenstore_t"),
         CRASH: ("functions = <2>;", "hl_crash_t")}
# What the probe gives to the domains that it creates.
LABEL_OF_NEW = "domU_t"
BUILT, STARTED, RECLAIMED = 1, 4, 7     # states
EV_STARTED, EV_DIED, EV_RECLAIMED, EV_ADOPTED = 5, 8, 10, 12
STORE_PORT, CONSOLE_PORT = 1, 2         # as the probe makes them
NO_GFN = "0xffffffffffffffff"


def probe(module, name, domid, words="idle", mode=lcm.LONG, label=None, more=""):
    roles, own = ROLES.get(domid, ("", label))
    own = f'security-id = "{own}";' if own and module == "flask" else ""
    return lcm.domain(name, '"64M"' if domid == HW else '"8M"', kernel=1, ramdisk=None, mode=mode,
                      bootargs=f"self={domid} {words}", more=f"domid = <{domid}>; {roles} {own} {more}")


def launch(module, words):
    """The control domain's probe is the toolstack."""
    uuid = "domain-uuid = [00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 05];"
    return lcm.source(
        probe(module, "hw", HW), probe(module, "control", CONTROL, words), probe(module, "console", CONSOLE),
        probe(module, "store", STORE), probe(module, "crash", CRASH), probe(module, "web", WEB, label=LABEL_OF_NEW, more=uuid),
        probe(module, "other", OTHER), probe(module, "pv", PV, mode=lcm.LONG | lcm.PV, label=LABEL_OF_NEW),
        probe(module, "dying", DYING))


def said(log):
    """What the control domain's probe has printed; as owner of Xen's console, after the console domain, without a prefix."""
    return "\n".join(re.findall(rf"^(?:\(d{CONTROL}\) (?:\[ *[\d.]+\] )?)?probe: (.*)$", log.text, re.MULTILINE))


def is_done(log):
    return re.search(rf"^\(d{CONTROL}\).*probe: done$", log.text, re.MULTILINE)


def run(name, module, words, images, tmp_path, until=is_done):
    """The log, and [(word, result)] of the control domain's probe."""
    xen, xen_words = harness.xen_with_xsm(module)
    log = short_boot.boot(f"adopt-{name}-{module}", launch(module, words), tmp_path, [f"{images}/probe"],
                          lambda log: log.stopped() or until(log), xen=xen, words=xen_words)
    return log, [pair for pair in re.findall(r"^(\S+) = (\S+)$", said(log), re.MULTILINE) if not pair[0].startswith("self=")]


def adopt(domid):
    return f"adopt={RECORD[domid]}"


def record(domid):
    return f"record={RECORD[domid]}"


def records(log, domid):
    """(domid, state, adoption, store port, console port) of each time that its record was printed."""
    found = re.findall(rf"^record {RECORD[domid]} is domain (-?\d+), state (\d+), adoption (\d+), ports (\d+) and (\d+)", said(log),
                       re.MULTILINE)
    return [tuple(map(int, row)) for row in found]


def check(expected, results, module):
    wanted = [(word, result if isinstance(result, str) else result[module]) for word, result in expected if result]
    assert results == wanted


# Words of the toolstack and their results, in order; None: it prints none.
REFUSED = [
    (f"make={NEW}", "ok"), (f"other={NEW}", "ok"), ("uuid=5", "ok"),
    ("adopt=99", "ENOENT"), (adopt(WEB), "EBUSY"),                  # there is no such record, and its domain lives
    (adopt(HW), "EPERM"), (adopt(CONTROL), "EPERM"), (adopt(STORE), "EPERM"), (adopt(CRASH), "EPERM"),
    (f"destroy={CRASH}", "ok"), (adopt(CRASH), "EPERM"),            # gone or not
    (f"destroy={WEB}", "ok"), (f"destroy={OTHER}", "ok"), (f"destroy={PV}", "ok"),
    (f"other={NOBODY}", "ok"), (adopt(WEB), "ESRCH"), ("other=65535", "ok"), (adopt(WEB), "ESRCH"), (f"other={NEW}", "ok"),
    (f"other={CONSOLE}", "ok"), (adopt(WEB), "EEXIST"), (f"other={CONTROL}", "ok"), (adopt(WEB), "EEXIST"),
    (f"other={NEW}", "ok"), ("uuid=6", "ok"), (adopt(WEB), "EINVAL"),
    (f"make-pv={AS_PV}", "ok"), (f"other={AS_PV}", "ok"), ("uuid=5", "ok"), (adopt(WEB), "EINVAL"),
    (f"other={NEW}", "ok"), (adopt(PV), "EINVAL"),
    (f"create={RUNS}", "ok"), (f"other={RUNS}", "ok"), ("uuid=5", "ok"), (f"unpause={RUNS}", "ok"), (adopt(WEB), "ENXIO"),
    (f"pause={RUNS}", "ok"), (adopt(WEB), "ENXIO"),                 # it has run all the same
    (f"keep-page={DYING}", "ok"), (f"destroy={DYING}", "ok"), (f"other={DYING}", "ok"), (adopt(WEB), "ESRCH"),
    (record(WEB), None), (f"other={NEW}", "ok"), ("events", None),
]


@pytest.mark.parametrize("module", ["dummy", "silo", "flask"])
def test_refused_adoption_changes_nothing(module, images, tmp_path):
    log, results = run("refused", module, " ".join(word for word, _ in REFUSED), images, tmp_path)
    check(REFUSED, results, module)
    assert records(log, WEB) == [(WEB, RECLAIMED, 0, STORE_PORT, CONSOLE_PORT)]
    assert not re.search(r"^event is", said(log), re.MULTILINE)
    assert "adopted" not in log.text


ADOPTED = [
    (f"make={NEW}", "ok"), (f"other={NEW}", "ok"), ("uuid=5", "ok"), (f"destroy={WEB}", "ok"), (record(WEB), None),
    ("read-console", "ESRCH"), (f"move-console={CONSOLE}", "ENOENT"),
    (adopt(WEB), "ok"), (record(WEB), None),
    (adopt(WEB), "EBUSY"), (f"destroy={OTHER}", "ok"), (adopt(OTHER), "EEXIST"),
    # It has a ring whose port Xen knows, and that it empties.
    ("read-console", "ok"), (f"move-console={CONSOLE}", {"dummy": "ok", "silo": "ok", "flask": "ok"}),
    (f"release={NEW}", "EBUSY"),
    (f"unpause={NEW}", "ok"), (record(WEB), None), ("events", None),
    (f"destroy={NEW}", "ok"), (record(WEB), None),
    # Again, with the domid that it had at first; then that goes to another record's.
    (f"create={WEB}", "ok"), (f"other={WEB}", "ok"), ("uuid=5", "ok"), (adopt(WEB), "ok"), (record(WEB), None), (f"destroy={WEB}", "ok"),
    # The label of this one is another than that of what the probe creates; it has no UUID, so any will do.
    (f"create={WEB}", "ok"), ("uuid=9", "ok"), (adopt(OTHER), {"dummy": "ok", "silo": "ok", "flask": "EINVAL"}), (record(OTHER), None),
    (f"destroy={PV}", "ok"), (f"make-pv={AS_PV}", "ok"), (f"other={AS_PV}", "ok"), (adopt(PV), "ok"), (record(PV), None),
    (f"move-console={CONSOLE}", "ENOENT"),
]


@pytest.mark.parametrize("module", ["dummy", "silo", "flask"])
def test_adopted_domain_is_initial_again(module, images, tmp_path):
    log, results = run("adopted", module, " ".join(word for word, _ in ADOPTED), images, tmp_path)
    check(ADOPTED, results, module)
    rings = (STORE_PORT, CONSOLE_PORT)
    assert records(log, WEB) == [(WEB, RECLAIMED, 0, *rings), (NEW, BUILT, 1, *rings), (NEW, STARTED, 1, *rings),
                                 (NEW, RECLAIMED, 1, *rings), (WEB, BUILT, 2, 0, 0)]
    index = str(RECORD[WEB])
    assert re.findall(r"^event is (\d+), (\d+)$", said(log), re.MULTILINE) == [(str(EV_ADOPTED), index), (str(EV_STARTED), index)]
    assert re.search(rf'hyperlaunch: d{NEW}: built\n.*hyperlaunch: d{NEW}: adopted as "web"', log.text)
    assert records(log, OTHER) == [(OTHER, RECLAIMED, 0, *rings) if module == "flask" else (WEB, BUILT, 3, 0, 0)]
    # Of a PV domain Xen does not know where its kernel looks.
    assert records(log, PV) == [(AS_PV, BUILT, 3 if module == "flask" else 4, 0, 0)]
    gfns, = set(re.findall(rf"^record {RECORD[PV]} is .* gfns (\S+) and (\S+)$", said(log), re.MULTILINE))
    assert gfns == (NO_GFN, NO_GFN)


def test_role_of_a_record_goes_with_it_and_that_of_a_domid_does_not(images, tmp_path):
    """The CONSOLE function can be adopted; a domid that the crash domain has had is no crash domain's."""
    words = (f"roles destroy={CONSOLE} destroy={CRASH} destroy={WEB} roles "
             f"create={THIRD} other={THIRD} {adopt(CONSOLE)} create={CRASH} other={CRASH} uuid=5 {adopt(WEB)} roles")
    log, results = run("roles", "dummy", words, images, tmp_path, lambda log: log.text.count("probe: hardware is") == 3)
    assert [result for word, result in results if word in (adopt(CONSOLE), adopt(WEB))] == ["ok", "ok"]
    told = re.findall(r"crash is (-?\d+), console is (-?\d+), xenstore is (-?\d+)", said(log))
    assert [tuple(map(int, row)) for row in told] == [(CRASH, CONSOLE, STORE), (-1, -1, STORE), (-1, THIRD, STORE)]


def test_bound_console_of_an_adopted_domain(images, tmp_path):
    """Its back end may have bound the port before: then Xen keeps none of what comes after that one."""
    words = (f"make={NEW} other={NEW} uuid=5 destroy={WEB} bind={CONSOLE_PORT} {adopt(WEB)} move-console={CONSOLE} read-console unbind "
             f"move-console={CONSOLE}")
    _, results = run("bound", "dummy", words, images, tmp_path)
    assert [result for _, result in results][3:] == ["ok", "ok", "ok", "EBUSY", "ok", "ok"]
