# SPDX-License-Identifier: LGPL-2.1-or-later
"""XSM's FLASK: the launch's policy and labels, right and wrong.  What each role may do is test_roles.py's."""
import hashlib
import os
import re
import struct

import pytest

import harness
import lcm
import short_boot

NODE = "/chosen/hypervisor"
POLICY = lcm.config(xsm_policy="xsm-policy")
PREFIX = "system_u:system_r:"


def example(name):
    """A launch of examples/ as it is, but for the policy."""
    with open(os.path.join(harness.ROOT, "examples", name, "launch.dts"), encoding="utf-8") as source:
        return source.read().replace('compatible = "hypervisor,xen";', f'compatible = "hypervisor,xen"; {POLICY}')


def ready(log):
    """How many guests have said it."""
    return sum(line == "READY" for _, line in log.guests_said())


def probe(name, more="", memory='"8M"', words="idle"):
    return lcm.domain(name, memory, kernel="probe", ramdisk=None, bootargs=words, more=more)


def hardware(label="hl_hardware_t"):
    return probe("hw", f'permissions = <2>; security-id = "{label}";', '"64M"')


def until_the_end(name, source, folder, search=(), until="complete"):
    """The serial log of a launch under FLASK, when Xen has said what becomes of it."""
    xen, words = harness.xen_with_xsm("flask")
    with harness.booted(name, source=source, folder=folder, search=search, xen=xen, words=words, disk=False) as boot:
        boot.wait_log(lambda log: log.stopped() or log.state() in ("complete", "recovery"), "Xen's verdict")
        if not boot.log.stopped():
            boot.wait_log(lambda log: log.stopped() or until in log.text, until)
        return boot.log


# name: (domains, the node at fault)
WRONG_LABELS = {
    "unknown-type": ([hardware(), probe("guest", 'security-id = "no_such_t";')], "guest"),
    "unknown-role": ([hardware(), probe("guest", 'security-id = "system_u:no_such_r:domu_t";')], "guest"),
    "unknown-user": ([hardware("no_such_u:system_r:hl_hardware_t")], "hw"),
    "no-context": ([hardware(), probe("guest", 'security-id = "system_u:domu_t";')], "guest"),
    "longer-than-any": ([hardware(), probe("guest", f'security-id = "{"x" * 300}";')], "guest"),
    "not-for-a-domain": ([hardware(), probe("guest", 'security-id = "xen_t";')], "guest"),
    "not-for-xen-to-give": ([hardware(), probe("guest", 'security-id = "dm_dom_t";')], "guest"),
    "dom0-twice": ([hardware("dom0_t"), probe("guest", 'security-id = "dom0_t";')], "guest"),
}


@pytest.mark.parametrize("name", WRONG_LABELS)
def test_wrong_label_is_an_error_of_the_lcm(name, tmp_path):
    domains, at_fault = WRONG_LABELS[name]
    log = until_the_end(f"flask-{name}", lcm.source(POLICY, *domains), tmp_path)
    error = log.errors()[0]
    assert (error["node"], error["property"], error["name"]) == (f"{NODE}/{at_fault}", "security-id", "security-label")
    assert log.stopped()
    # Found before anything is built.
    assert not log.domains()


def test_wrong_label_leaves_the_crash_domain(tmp_path):
    """It alone is built, as what it was labelled, and that is told it by the record of the launch."""
    all_but_boot = f'functions = <{lcm.LEGACY_DOM0:#x}>; domid = <1>;'
    log = until_the_end("flask-crash", lcm.source(
        POLICY, probe("dom0", all_but_boot, '"64M"', words="labels"), probe("guest", 'security-id = "no_such_t";')),
                        tmp_path, until="probe: done")
    assert log.state() == "recovery"
    assert [(error["node"], error["name"]) for error in log.errors()] == [(f"{NODE}/guest", "security-label")]
    assert [domain["name"] for domain in log.domains()] == ["dom0"]
    # FLASK's number for dom0_t, whatever the policy.
    assert "probe: label of 1 is 3\n" in log.text


def with_number(policy, name, words, number):
    """The same, but that the role or type of that name, an entry of so many words before it, has another number."""
    entry = re.search(re.escape(struct.pack("<I", len(name))) + b".{%d}" % (4 * words - 4) + name.encode(), policy, re.DOTALL)
    at = entry.start() + 4
    return policy[:at] + struct.pack("<I", number) + policy[at + 4:]


def with_constraint(policy, attribute, operation):
    """The same with another comparison in its first constraint that compares users."""
    same_user = struct.pack("<III", 4, 1, 1)
    assert same_user in policy
    return policy.replace(same_user, struct.pack("<III", 4, attribute, operation), 1)


# name: (how it is made from a good one, the error's name and property)
WRONG_POLICIES = {
    "zeroes": (lambda policy: bytes(4096), ("xsm-policy", None)),
    "empty": (lambda policy: b"", ("xsm-policy", None)),
    "byte": (lambda policy: policy[:1], ("xsm-policy", None)),
    "magic-alone": (lambda policy: policy[:4], ("xsm-policy", None)),
    "half": (lambda policy: policy[:8192], ("xsm-policy", None)),
    "wild-counts": (lambda policy: policy[:16] + b"\xff" * 4096 + policy[4112:], ("xsm-policy", None)),
    "without-its-end": (lambda policy: policy[:-100], ("xsm-policy", None)),
    "role-has-anothers-number": (lambda policy: with_number(policy, "system_r", 3, 1), ("xsm-policy", None)),
    "type-has-anothers-number": (lambda policy: with_number(policy, "dom0_t", 4, 1), ("xsm-policy", None)),
    "compares-nothing": (lambda policy: with_constraint(policy, 0x4000, 1), ("xsm-policy", None)),
    "compares-nohow": (lambda policy: with_constraint(policy, 1, 9), ("xsm-policy", None)),
    "other-than-linked": (lambda policy: policy, ("digest", "digest-sha256")),
}


def wrong_policy(name, images, folder):
    """(config node, module) of that policy."""
    with open(f"{images}/xsm-policy", "rb") as policy:
        content = WRONG_POLICIES[name][0](policy.read())
    (folder / "policy").write_bytes(content)
    digest = hashlib.sha256(b"other" if name == "other-than-linked" else content).hexdigest()
    return lcm.config(xsm_policy=2).replace("mb-index", f"digest-sha256 = [{digest}]; mb-index"), str(folder / "policy")


def end_with_policy(name, images, folder, domain, until=short_boot.is_over):
    xen, words = harness.xen_with_xsm("flask")
    node, module = wrong_policy(name, images, folder)
    return short_boot.boot(f"flask-{name}", lcm.source(node, domain), folder, [f"{images}/probe", module], until, xen=xen, words=words)


@pytest.mark.parametrize("name", WRONG_POLICIES)
def test_wrong_policy_is_an_error_of_the_lcm(name, tmp_path, images):
    log = end_with_policy(name, images, tmp_path, short_boot.hardware())
    kind, prop = WRONG_POLICIES[name][1]
    assert short_boot.error(log) == (kind, f"{NODE}/config/xsm-policy", prop)
    assert not log.domains()


@pytest.mark.parametrize("name", ("half", "other-than-linked"))
def test_wrong_policy_leaves_the_crash_domain_to_xens_own(name, tmp_path, images):
    all_but_boot = f"functions = <{lcm.LEGACY_DOM0:#x}>;"
    crash = lcm.domain("dom0", '"64M"', kernel=1, ramdisk=None, bootargs="labels", more=all_but_boot)
    log = end_with_policy(name, images, tmp_path, crash, until=lambda log: "probe: done" in log.text or log.stopped())
    assert log.state() == "recovery"
    assert [error["name"] for error in log.errors()] == [WRONG_POLICIES[name][1][0]]
    # FLASK's number for dom0_t: it is in force.
    assert "Flask:  Starting in enforcing mode." in log.text
    assert "probe: label of 0 is 3\n" in log.text


def test_a_policy_without_flask_is_not_in_use(tmp_path):
    with harness.booted("flask-not", source=lcm.source(POLICY, hardware("no_such_t")), folder=tmp_path, disk=False) as boot:
        boot.wait_log(lambda log: log.stopped() or log.state() == "complete", "Xen's verdict")
    assert boot.log.state() == "complete"
    assert any("the XSM policy is not in use" in line for line in boot.log.hyperlaunch_lines())


# name: (content, its digest's origin, Xen's verdict, what the loader says of it)
MICROCODES = {
    "none": (b"\x5a" * 4096, b"\x5a" * 4096, "complete", True),
    "empty": (b"", b"", "complete", False),
    "other-than-linked": (b"\x5a" * 4096, b"other", "stopped", False),
}


@pytest.mark.parametrize("name", MICROCODES)
def test_microcode_reaches_its_loader_as_linked(name, tmp_path, images):
    """Xen looks at it, says that it is none, and goes on."""
    content, linked, verdict, looked_at = MICROCODES[name]
    (tmp_path / "ucode").write_bytes(content)
    node = lcm.config(microcode=2).replace("mb-index", f"digest-sha256 = [{hashlib.sha256(linked).hexdigest()}]; mb-index")
    log = short_boot.boot(f"microcode-{name}", lcm.source(node, short_boot.hardware()), tmp_path, [f"{images}/probe", tmp_path / "ucode"],
                          kind=harness.NEWER_CPU)
    assert short_boot.outcome(log) == verdict
    assert ("Wrong microcode patch file magic" in log.text) == looked_at
    if verdict == "stopped":
        assert short_boot.error(log) == ("digest", f"{NODE}/config/microcode", "digest-sha256")


def test_roles_in_domains_of_their_own(tmp_path):
    """Each label allows its role what Linux, xenstored and the boot domain do there: devices, rings, starting others."""
    name = "static-disaggregated"
    xen, words = harness.xen_with_xsm("flask")
    with harness.booted(f"flask-{name}", source=example(name), folder=tmp_path,
                        search=[os.path.join(harness.ROOT, "examples", name)], xen=xen, words=words) as boot:
        boot.wait_log(lambda log: log.stopped() or ready(log) >= 3, "guests and the console's owner")
        # The hardware domain is asked over a serial port of its own, and lives on a disk.
        boot.wait_shell()
        assert "nvme0n1" in boot.shell("findmnt -n -o SOURCE /")
    assert boot.log.state() == "complete"
    assert not re.findall(r"avc: +denied.*", boot.log.text)


@pytest.fixture(scope="module")
def classic(tmp_path_factory):
    xen, words = harness.xen_with_xsm("flask")
    with harness.booted("flask-classic", source=example("classic-basic-cloud"), folder=tmp_path_factory.mktemp("classic"),
                        xen=xen, words=words) as boot:
        boot.wait_shell()
        boot.wait_log(lambda log: ready(log) >= 3, "the guests")
        # xl makes domains only once domain 0 has its own place in xenstore.
        boot.shell("systemctl start xen-init-dom0 hyperlaunchd", harness.PATIENCE)
        yield boot


def test_classic_launch_is_complete(classic):
    told = classic.report()
    assert told["launch"]["state"] == "complete" and not told["launch"]["error"]
    assert classic.shell("xl list").count("\n") == 5
    # Its exit code is what it says.
    assert classic.shell("xl getenforce || true").strip() == "Enforcing"


def test_labels_are_shown(classic):
    labels = {domain["name"]: domain["security_label"] for domain in classic.json("list")["domains"]}
    assert labels == {"dom0": f"{PREFIX}dom0_t", **dict.fromkeys(("web", "db", "cache"), f"{PREFIX}domu_t")}
    assert f"{PREFIX}domu_t" in classic.shell("hlctl status web")
    assert f"{PREFIX}domu_t" in classic.shell("xl list -Z")


def test_guest_after_boot_has_its_label(classic):
    classic.shell("printf '%s\n' 'name=\"later\"' 'type=\"pvh\"' 'memory=96' 'kernel=\"/usr/lib/hyperlaunch/vmlinuz\"' "
                  "'ramdisk=\"/usr/lib/hyperlaunch/guest.cpio.gz\"' 'seclabel=\"system_u:system_r:domu_t\"' >/tmp/later.cfg; "
                  "xl create -p -q /tmp/later.cfg", timeout=300)
    assert re.search(r"later .*domu_t", classic.shell("xl list -Z"))
    classic.shell("xl destroy later")


def test_nothing_was_denied(classic):
    """What dom0 and the guests do in a boot, and Xen while it builds them, the policy allows."""
    denied = {line for line in re.findall(r"avc: +denied.*", classic.log.text)}
    assert not denied


def test_console_goes_to_no_guest(classic):
    """A label that may not have Xen's console is not given it, whoever asks."""
    said = classic.shell("hlctl handoff web 2>&1; echo code $?")
    assert "Xen does not let this domain do that" in said and "code 0" not in said, said
    assert classic.json("status")["console_domid"] == 0
