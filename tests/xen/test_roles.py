# SPDX-License-Identifier: LGPL-2.1-or-later
"""A probe in each role: what Xen lets it do is what docs/permissions.md says, cell by cell, under each XSM module.

Once as PVH domains, once as PV ones.
"""
import functools
import os
import re

import pytest

import harness
import lcm

HW, PLAIN, OTHER, CONTROL, STORE, CONSOLE, CRASH = range(1, 8)
BOOT = 0x7FEF
# The column of the table, by domid.
COLUMNS = {PLAIN: "none", BOOT: "BOOT", CONTROL: "CONTROL", HW: "HARDWARE", STORE: "XENSTORE", CONSOLE: "console's owner"}
RAW = re.compile(r"^probe: (\S+) = (\S+)$", re.MULTILINE)
LABELS = {BOOT: "hl_boot_t", HW: "hl_hardware_t", CONTROL: "hl_control_t", STORE: "hl_xenstore_t",
          CONSOLE: "hl_console_t", CRASH: "hl_crash_t"}
REFUSALS = ("EPERM", "EACCES", "ENOSYS", "ENXIO")
# No right of a role: wrong for whoever tries it.
NO_ROW = {"labels", "await-console"}
ALWAYS_WRONG = {"mmuext-other", "gnttab-map-other", "evtchn-bind-unknown-other"}


def documented(module, mode):
    """{column: {operation: may it}}, of the table in docs/permissions.md, under an XSM module and for PVH or PV domains."""
    with open(os.path.join(harness.ROOT, "docs", "permissions.md"), encoding="utf-8") as page:
        text = page.read()
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")]
                      for line in text.splitlines() if line.startswith("|")]
    may = {"yes": True, "-": False, "dummy": module == "dummy", "FLASK": module == "flask", "not FLASK": module != "flask",
           "PV": mode == "pv"}
    return {column: {row[0]: may[row[i]] for row in rows} for i, column in enumerate(head) if i}


def probe(mode, name, domid, words="table", roles="", memory='"8M"'):
    """A PV guest can't find out its own domid."""
    number = BOOT if name == "boot" else domid
    if number in LABELS:
        roles += f' security-id = "{LABELS[number]}";'
    return lcm.domain(name, memory, kernel="probe", ramdisk=None, mode=lcm.LONG | (lcm.PV if mode == "pv" else 0),
                      bootargs=f"self={number} other={OTHER} hardware={HW} {words}", more=f"domid = <{domid:#x}>; {roles}")


def launch(module, mode):
    """The control domain's probe takes the console for itself, so it waits until the owner's is done and hands it over.

    The one on which the others try things is PVH, for those that are about HVM. PV guests run once their store is served."""
    guest = functools.partial(probe, mode)
    introduce = f"introduce={HW} introduce={PLAIN} introduce={CONTROL}" if mode == "pv" else ""
    return lcm.source(
        lcm.config(xsm_policy="xsm-policy") if module == "flask" else "",
        guest("boot", 0x7FF5, f"table unpause={CRASH} unpause=0x7fef unpause=99 boot-done", "functions = <1>;"),
        guest("hw", HW, roles="permissions = <2>;", memory='"64M"'),
        guest("plain", PLAIN), probe("pvh", "other", OTHER, "idle"),
        guest("control", CONTROL, f"await-console set-console={CONSOLE} table labels "
              f"move-console={CONTROL} move-console=99 move-console={OTHER} set-console=99 release={PLAIN}", "permissions = <1>;"),
        guest("store", STORE, f"{introduce} table", roles="functions = <0x40000000>;"),
        guest("console", CONSOLE, f"table set-console={CONTROL}", "functions = <4>;"),
        guest("crash", CRASH, roles="functions = <2>;"))


LABEL = re.compile(r"probe: label of (\d+) is (\d+)$", re.MULTILINE)


def settled(log, port):
    done = {int(domid) for domid, row, _ in harness.PROBED.findall(log.text) if not row}
    if "probe: done" in port.read_text(errors="replace"):
        done.add(HW)
    return log.stopped() or done >= {HW, PLAIN, CONTROL, STORE}


@pytest.fixture(scope="module", params=["dummy", "silo", "flask"])
def module(request):
    return request.param


@pytest.fixture(scope="module", params=["pvh", "pv"])
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def answers(module, mode, tmp_path_factory):
    """{domid: {operation: result}} of one boot; what is said with the console, by who had it.

    A PV hardware domain has no ring, but the machine's own port 0xe9."""
    xen, words = harness.xen_with_xsm(module)
    folder = tmp_path_factory.mktemp("roles")
    port = folder / "port"
    port.touch()
    kind = functools.partial(harness.Machine, extra=["-debugcon", f"file:{port}"])
    with harness.booted(f"roles-{module}-{mode}", source=launch(module, mode), folder=folder, xen=xen, words=words, disk=False,
                        kind=kind) as boot:
        boot.wait_log(lambda log: settled(log, port), "the probes to be done")
        found = sort_out(boot.log.text)
        found.setdefault(HW, {}).update(RAW.findall(port.read_text()))
        return found


def sort_out(text):
    before, after = text.split("hyperlaunch: finalizing", 1)
    found = {BOOT: dict(RAW.findall(before)), CONSOLE: dict(RAW.findall(after)),
             "labels": {int(domid): int(number) for domid, number in LABEL.findall(text)}}
    for domid, row, result in harness.PROBED.findall(text):
        if row:
            found.setdefault(int(domid), {})[row] = result
    return found


@pytest.mark.parametrize("domid", COLUMNS, ids=COLUMNS.values())
def test_the_table(answers, module, mode, domid):
    expected = documented(module, mode)[COLUMNS[domid]]
    tried = {row: result not in REFUSALS for row, result in answers[domid].items() if "=" not in row}
    assert {row: tried[row] for row in tried if row not in ALWAYS_WRONG | NO_ROW} == expected


def test_every_row_is_documented(answers, module, mode):
    rows = {row for row in answers[PLAIN] if "=" not in row}
    assert rows - ALWAYS_WRONG == set(documented(module, mode)["none"])


def test_the_launch_record_has_the_labels(answers, module):
    labels = answers["labels"]
    assert answers[CONTROL]["labels"] == "ok"
    assert set(labels) == {HW, PLAIN, OTHER, CONTROL, STORE, CONSOLE, CRASH, BOOT}
    if module != "flask":
        assert set(labels.values()) == {0}
        return
    # Each role has its own, and both guests the one that is the default.
    assert labels.pop(PLAIN) == labels[OTHER]
    assert len(set(labels.values())) == len(labels)


def test_what_the_boot_domain_may_not_unpause(answers):
    assert answers[BOOT][f"unpause={CRASH}"] in REFUSALS
    assert answers[BOOT]["unpause=0x7fef"] in REFUSALS
    assert answers[BOOT]["unpause=99"] == "ESRCH"


def test_requests_of_the_control_domain(answers):
    said = answers[CONTROL]
    assert said[f"move-console={CONTROL}"] == "ok"
    assert said["move-console=99"] == "ESRCH"
    assert said[f"move-console={OTHER}"] == "EINVAL"    # its own console
    assert said["set-console=99"] == "ESRCH"
    assert said[f"release={PLAIN}"] == "EBUSY"          # it is not held


def test_the_crash_domain_did_not_run(answers):
    assert CRASH not in answers
