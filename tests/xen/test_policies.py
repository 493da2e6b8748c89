# SPDX-License-Identifier: LGPL-2.1-or-later
"""FLASK policies that are wrong in one place: the launch's error, or none, but never Xen's end."""
import os
import random
import struct

import pytest

import harness
import lcm
import short_boot

# Seconds each; HL_POLICIES asks for more.
SEEDS = range(int(os.environ.get("HL_POLICIES", "10")))
HEADS = {"class": 6, "type": 4, "role": 3, "user": 3}
POLICY_NODE = short_boot.NODE + "/config/xsm-policy"


def symbol(policy, kind, name):
    """(where its numbers are, those, where its name ends): they begin with the name's length."""
    size = 4 * HEADS[kind]
    at = policy.find(name.encode())
    while at >= 0:
        numbers = struct.unpack_from(f"<{HEADS[kind]}I", policy, at - size)
        # Numbers of a symbol are small, and a longer name does not begin so.
        if numbers[0] == len(name) and max(numbers) < 4096:
            return at - size, numbers, at + len(name)
        at = policy.find(name.encode(), at + 1)
    raise KeyError(name)


def with_words(policy, at, *words):
    return policy[:at] + struct.pack(f"<{len(words)}I", *words) + policy[at + 4 * len(words):]


def mls_without_levels(policy):
    """It says that it has levels: what is loaded next must not be asked for them."""
    return with_words(policy, 20, struct.unpack_from("<I", policy, 20)[0] | 1)


def level_longer_than_memory(policy):
    """The name of a sensitivity, and the policy has none."""
    _, _, end = symbol(policy, "user", "user_1")
    # Its roles, range and level, and then booleans: number, value, length, name.
    at = end + 24 + 20 + 16
    _, booleans = struct.unpack_from("<2I", policy, at)
    at += 8
    for _ in range(booleans):
        at += 12 + struct.unpack_from("<3I", policy, at)[2]
    assert struct.unpack_from("<4I", policy, at) == (0,) * 4
    return with_words(policy, at, 1, 1, 0x7fffffff, 0)


def bounded_type(policy):
    """A type that may not do all that its bound allows, and a permission of that class without a number."""
    at, numbers, _ = symbol(policy, "type", "hl_control_t")
    policy = with_words(policy, at, *numbers[:3], symbol(policy, "type", "domu_t")[1][1])
    for name in ("xen", "xen2", "domain", "domain2"):
        at, numbers, end = symbol(policy, "class", name)
        policy = with_words(policy, at, *numbers[:4], numbers[4] + 1, numbers[5])
        policy = policy[:end] + struct.pack("<II", 1, 0) + b"x" + policy[end:]
    return policy


def bound_of_an_alias(policy):
    at, numbers, _ = symbol(policy, "type", "hl_boot_t")
    return with_words(policy, at, *numbers[:2], 0, 0x40000000)


def role_with_unknown_type(policy):
    """One that its bound does not have, and nothing has a name for."""
    at, numbers, end = symbol(policy, "role", "vm_r")
    policy = with_words(policy, at, *numbers[:2], symbol(policy, "role", "system_r")[1][1])
    # It dominates itself, and then come its types.
    types = end + 24
    _, _, count = struct.unpack_from("<3I", policy, types)
    return (policy[:types] + struct.pack("<3I", 64, 0x40000040, 1) + struct.pack("<IQ", 0x40000000, 1)
            + policy[types + 12 + 12 * count:])


def condition_of_no_boolean(policy):
    """What is looked at only when somebody sets one."""
    one = struct.pack("<4I", 0, 1, 1, 1)
    assert policy.count(one) == 1
    return policy.replace(one, struct.pack("<4I", 0, 1, 1, 0))


CRAFTED = (mls_without_levels, level_longer_than_memory, bounded_type, bound_of_an_alias, role_with_unknown_type,
           condition_of_no_boolean)


def flip(rng, policy):
    policy = bytearray(policy)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(4, len(policy))
        policy[at] = rng.choice((0, 1, 0x7f, 0x80, 0xff, policy[at] ^ 1 << rng.randrange(8)))
    return bytes(policy)


def cut(rng, policy):
    return policy[:rng.randrange(20, len(policy))]


def count(rng, policy):
    """A small number as another."""
    small = [at for at in range(16, len(policy) - 4) if 0 < struct.unpack_from("<I", policy, at)[0] < 512]
    at = rng.choice(small)
    value = struct.unpack_from("<I", policy, at)[0]
    others = (0, value - 1, value + 1, value + 7, 2 * value, 0x21, 0x1000, 0x7fffffff, 0xffffffff)
    return with_words(policy, at, rng.choice(others))


def mutant(policy, seed):
    rng = random.Random(seed)
    return (count, flip, count, count, cut)[seed % 5](rng, policy)


def probe(name, more, memory='"16M"'):
    return lcm.domain(name, memory, kernel=1, ramdisk=None, bootargs="table", more=more)


@pytest.fixture(scope="module")
def launch(images):
    """The log of a launch with that policy, when everybody has tried all that there is to try."""
    with open(f"{images}/xsm-policy", "rb") as file:
        policy = file.read()
    xen, words = harness.xen_with_xsm("flask")
    domains = (probe("dom0", f"functions = <{lcm.LEGACY_DOM0:#x}>;", '"64M"'),
               probe("control", 'permissions = <1>; security-id = "hl_control_t";'))

    def over(log):
        alone = log.state() == "recovery"
        return log.stopped() or log.text.count("probe: done") == (1 if alone else 2)

    def run(name, change, folder):
        (folder / "policy").write_bytes(change(policy))
        return short_boot.boot(f"policy-{name}", lcm.source(lcm.config(xsm_policy=2), *domains), folder,
                               [f"{images}/probe", folder / "policy"], over, xen=xen, words=words)
    return run


@pytest.mark.parametrize("change", CRAFTED)
def test_wrong_policy_leaves_the_crash_domain(launch, change, tmp_path):
    log = launch(change.__name__, change, tmp_path)
    assert log.state() == "recovery"
    assert [(error["name"], error["node"]) for error in log.errors()] == [("xsm-policy", POLICY_NODE)]
    assert "Flask:  Starting in enforcing mode." in log.text


@pytest.mark.parametrize("seed", SEEDS)
def test_mutant(launch, seed, tmp_path):
    log = launch(seed, lambda policy: mutant(policy, seed), tmp_path)
    assert short_boot.outcome(log) in ("complete", "recovery"), log.hyperlaunch_lines()
    if log.state() == "recovery":
        assert log.errors()[0]["name"] in ("xsm-policy", "security-label")
