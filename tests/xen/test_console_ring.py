# SPDX-License-Identifier: LGPL-2.1-or-later
"""Console rings without Linux: back ends of domains made after boot, what Xen leaves in a ring, and what it keeps of it."""
import re

import pytest

import harness
import lcm
import short_boot

HW, CONTROL, CONSOLE, GUEST, STRANGER = range(1, 6)
LATER, DYING, LATER_PV = 20, 21, 22
LATER_STORE, LATER_CONSOLE, NO_PORT = 1, 2, 3   # as libxl makes them
RING_PORT = 1           # an initial guest's: there is no store
KEPT = 16384
RING = 2048
LINES = 3000
ROLES = {HW: ("permissions = <2>;", "hl_hardware_t"), CONTROL: ("permissions = <1>;", "hl_control_t"),
         CONSOLE: ("functions = <4>;", "hl_console_t")}


def probe(name, domid, words, module="dummy", more=""):
    roles, label = ROLES.get(domid, ("", None))
    label = f'security-id = "{label}";' if label and module == "flask" else ""
    return lcm.domain(name, '"64M"' if domid == HW else '"8M"', kernel=1, ramdisk=None, bootargs=words,
                      more=f"domid = <{domid}>; {roles} {label} {more}")


def said(log, domid):
    """What a domain's probe has printed; the owner of Xen's console writes to that itself."""
    prefix = "" if domid == CONSOLE else rf"\(d{domid}\) (?:\[ *[\d.]+\] )?"
    return "\n".join(re.findall(rf"^{prefix}probe: (.*)$", log.text, re.MULTILINE))


def results(log, domid):
    """[(word, result)] of a domain's probe, in order."""
    return re.findall(r"^(\S+) = (\S+)$", said(log, domid), re.MULTILINE)


def done(log, *domids):
    return log.stopped() or all(said(log, domid).endswith("done") for domid in domids)


# Words of the control domain's probe, which makes a domain and is its back end at first, and their results; None: it prints none.
MOVES = [
    (f"make={LATER}", "ok"), (f"other={LATER}", "ok"),
    (f"move-console={CONSOLE}", "ENOENT"),                      # the launch opened no port for it
    (f"port={LATER_STORE}", None), (f"move-console={CONSOLE}", "EINVAL"),
    (f"port={NO_PORT}", None), (f"move-console={CONSOLE}", "EINVAL"),
    (f"port={LATER_CONSOLE}", None), ("move-console=99", "ESRCH"),
    (f"move-console={LATER}", "EINVAL"),
    (f"name-console={NO_PORT}", "ok"), (f"move-console={CONSOLE}", "EINVAL"),
    (f"port={NO_PORT}", None), (f"move-console={CONSOLE}", "ENOENT"), (f"port={LATER_CONSOLE}", None),
    (f"name-console={LATER_CONSOLE}", "ok"),
    (f"grant-console={STRANGER}", "ok"), (f"move-console={CONSOLE}", "EINVAL"), (f"grant-console={CONTROL}", "ok"),
    (f"bind={LATER_CONSOLE}", "ok"), (f"move-console={CONSOLE}", "EBUSY"), ("unbind", None),
    # The dummy module lets any two domains share a ring, SILO none without a role, FLASK goes by labels.
    (f"move-console={STRANGER}", {"dummy": "ok", "silo": "EPERM", "flask": "EPERM"}),
    (f"bind={LATER_CONSOLE}", {"dummy": "EINVAL", "silo": "ok", "flask": "ok"}), ("unbind", None),
    (f"move-console={CONTROL}", "ok"), (f"bind={LATER_CONSOLE}", "ok"), ("unbind", None),
    (f"move-console={CONSOLE}", "ok"), (f"bind={LATER_CONSOLE}", "EINVAL"),
    (f"make={DYING}", "ok"), (f"other={DYING}", "ok"), (f"destroy={DYING}", "ok"), (f"move-console={CONSOLE}", "ESRCH"),
    # Which of a PV domain's ports is the store's is not known, until that is bound; it grants nothing.
    (f"make-pv={LATER_PV}", "ok"), (f"other={LATER_PV}", "ok"), (f"move-console={CONSOLE}", "EINVAL"),
    (f"bind={LATER_STORE}", "ok"), (f"move-console={CONSOLE}", "ENOENT"),
    (f"port={LATER_STORE}", None), (f"move-console={CONSOLE}", "EBUSY"),
    (f"release={CONSOLE}", "ok"),
]


@pytest.mark.parametrize("module", ["dummy", "silo", "flask"])
def test_console_of_a_domain_made_after_boot_moves(module, images, tmp_path):
    """Refusals change nothing: the old back end can bind the port again, under FLASK too."""
    source = lcm.source(probe("hw", HW, "idle", module), probe("control", CONTROL, " ".join(word for word, _ in MOVES), module),
                        probe("console", CONSOLE, f"other={LATER} bind={LATER_CONSOLE}", module, "hold;"),
                        probe("stranger", STRANGER, "idle", module))
    xen, words = harness.xen_with_xsm(module)
    log = short_boot.boot(f"later-{module}", source, tmp_path, [f"{images}/probe"], lambda log: done(log, CONTROL, CONSOLE),
                          xen=xen, words=words)
    expected = [(word, result if isinstance(result, str) else result[module]) for word, result in MOVES if result]
    assert results(log, CONTROL) == expected
    assert results(log, CONSOLE) == [(f"other={LATER}", "ok"), (f"bind={LATER_CONSOLE}", "ok")]


SERVED = re.compile(r"probe: served is flood (\d+)$", re.MULTILINE)
TAKEN = re.compile(rf"\(d{GUEST}\) (?:\[ *[\d.]+\] )?flood (\d+)$", re.MULTILINE)


def taken_in_the_end(log):
    """What Xen printed after the last back end had gone."""
    return TAKEN.findall(log.text.partition("\nprobe: done\n")[2])


def test_output_stays_in_the_ring_while_its_backend_is_restarted(images, tmp_path):
    """The guest fills the ring several times before the back end is there again.  Without one for long, it goes on too."""
    serve = f"serve-for=2000 serve={RING_PORT}"
    source = lcm.source(probe("hw", HW, "idle"), probe("console", CONSOLE, f"other={GUEST} {serve} sleep=4000 {serve}"),
                        probe("guest", GUEST, f"chatter=5 flood={10**6}"))
    log = short_boot.boot("ring-restart", source, tmp_path, [f"{images}/probe"], lambda log: log.stopped() or len(taken_in_the_end(log)) > 300)
    before, *served = log.text.split("probe: serve = ok\n")
    assert len(served) == 2
    first, second = ([int(number) for number in SERVED.findall(part)] for part in served)
    assert len(first) > 20 and len(second) > 20
    assert first + second == list(range(first[0], second[-1] + 1))
    # Nothing that a back end could have had was taken by Xen, but what was there before, and comes after.
    assert not TAKEN.findall(served[0])
    assert not TAKEN.findall(served[1].split("\nprobe: done\n")[0])
    assert all(int(number) < first[0] for number in TAKEN.findall(before))
    late = [int(number) for number in taken_in_the_end(log)]
    assert late == list(range(second[-1] + 1, late[-1] + 1))


def console_of(log, domid):
    """(kept, dropped, last line) that a domain's probe has read."""
    found = re.search(r"^console is (\d+) kept, (\d+) dropped, lines to (\d+)$", said(log, domid), re.MULTILINE)
    return tuple(map(int, found.groups()))


def test_first_output_is_kept_for_control_and_the_backend(images, tmp_path):
    """Who has been back end may read it no longer, who is no back end yet may not."""
    source = lcm.source(probe("hw", HW, f"other={GUEST} read-console"),
                        probe("control", CONTROL, f"other=77 read-console other={HW} read-console other={GUEST} await-ready={GUEST} "
                              f"read-console move-console={STRANGER} release={CONSOLE} release={STRANGER}"),
                        probe("console", CONSOLE, f"other={GUEST} read-console", more="hold;"),
                        probe("guest", GUEST, f"flood={LINES} ready"),
                        probe("stranger", STRANGER, f"other={GUEST} read-console", more="hold;"))
    log = short_boot.boot("ring-kept", source, tmp_path, [f"{images}/probe"], lambda log: done(log, HW, CONTROL, CONSOLE, STRANGER))
    reads = {domid: [result for word, result in results(log, domid) if word == "read-console"]
             for domid in (HW, CONTROL, CONSOLE, STRANGER)}
    assert reads == {HW: ["EPERM"], CONTROL: ["ESRCH", "ENOENT", "ok"], CONSOLE: ["EPERM"], STRANGER: ["ok"]}
    kept, dropped, last = console_of(log, STRANGER)
    sizes = [len(f"flood {i}\n") for i in range(1, LINES + 1)]
    assert kept == KEPT
    # Before the lines, and in the ring after them, there is a ring's content at most.
    assert KEPT - RING - 20 <= sum(sizes[:last]) <= KEPT
    assert abs(sum(sizes) - kept - dropped) <= RING
