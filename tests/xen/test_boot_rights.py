# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the boot domain may unpause goes by its role and its label both, and its label gives nothing to another domain."""
import re

import pytest

import harness
import lcm
import short_boot

HW, HELD, CRASH, PRETENDER, WAITING = range(1, 6)
REFUSALS = ("EPERM", "EACCES")


def probe(name, domid, words, roles="", memory='"8M"'):
    return lcm.domain(name, memory, kernel=1, ramdisk=None, bootargs=words, more=f"domid = <{domid:#x}>; {roles}")


def launch(boot, limit, *others):
    return lcm.source(
        f"boot-timeout-ms = <{limit}>;", boot, probe("hw", HW, "create=0x7fef idle", "permissions = <3>; functions = <4>;", '"64M"'),
        probe("held", HELD, "idle", "hold;"), probe("crash", CRASH, "idle", "functions = <2>;"), *others)


def test_label_gives_the_boot_domain_no_more_than_its_role(images, tmp_path):
    """It may unpause all domains by its label, and tries to the end: until Xen's limit of time, on a processor of its own."""
    xen, words = harness.xen_with_xsm("flask")
    boot = probe("boot", 0x7ff5, f"unpause={CRASH} unpause={HELD} insist={HELD}", 'functions = <1>; security-id = "hl_control_t";')
    log = short_boot.boot("boot-label", launch(boot, 1000), tmp_path, [f"{images}/probe"],
                          lambda log: re.search(r"crash domain d3 runs(?s:.*)probe: done", log.text) or log.stopped(),
                          xen=xen, words=words, cpus=2)
    said = dict(re.findall(r"^probe: (\S+) = (\S+)$", log.text.partition("hyperlaunch: recovery")[0], re.MULTILINE))
    assert said == {f"unpause={CRASH}": "EPERM", f"unpause={HELD}": "EPERM"}
    states = {domain["name"]: domain["state"] for domain in log.domains()}
    assert states["boot"] == "reclaimed" and states["held"] == "held"


PRETENCES = (f"unpause={WAITING}", f"unpause={HELD}", f"unpause={CRASH}", f"pause={WAITING}", f"destroy={WAITING}",
             "boot-done", "boot-failed", f"release={HELD}", "set-console=self")


@pytest.mark.parametrize("module", ["dummy", "silo", "flask"])
def test_guest_that_pretends_to_be_the_boot_domain_is_refused(module, images, tmp_path):
    """While there is a boot domain, and, twice over, after it."""
    xen, words = harness.xen_with_xsm(module)
    label = 'security-id = "hl_boot_t";' if module == "flask" else ""
    guest = probe("pretender", PRETENDER, " ".join((*PRETENCES, "sleep=3000", "odd-ops", *PRETENCES)), label)
    boot = probe("boot", 0x7ff5, f"unpause={PRETENDER} sleep=1500 boot-done", f"functions = <1>; {label}")
    log = short_boot.boot(f"pretender-{module}", launch(boot, 20000, guest, probe("waiting", WAITING, "idle")), tmp_path,
                          [f"{images}/probe"], lambda log: re.search(rf"\(d{PRETENDER}\).*probe: done", log.text) or log.stopped(),
                          xen=xen, words=words)
    before, complete, after = log.text.partition("hyperlaunch: complete")
    assert complete
    for text in (before, after):
        said = re.findall(rf"\(d{PRETENDER}\).*probe: (\S+) = (\S+)$", text, re.MULTILINE)
        tried = {word: result for word, result in said if not word.startswith(("odd-op", "sleep"))}
        assert {word: result in REFUSALS for word, result in tried.items()} == dict.fromkeys(PRETENCES, True)
    # The boot domain's own id is not for others, either.
    assert re.search(r"^probe: create=0x7fef = EEXIST$", after, re.MULTILINE)
