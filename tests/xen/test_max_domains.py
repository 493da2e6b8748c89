# SPDX-License-Identifier: LGPL-2.1-or-later
"""As many domains as an LCM can hold."""
import harness
import lcm

LIMIT = 32


def test_32_domains(tmp_path):
    # Held, so that they cost no time: built they are all the same.
    guests = [lcm.domain(f"g{number}", '"80M"', more="hold; domid = <%d>;" % (100 + 2 * number)) for number in range(LIMIT - 2)]
    runs = lcm.domain("runs", '"128M"', cpus=2, bootargs="console=hvc0 quiet")
    source = lcm.source(lcm.dom0(bootargs="console=hvc0 quiet"), *guests, runs)
    with harness.booted("many", source=source, folder=tmp_path) as boot:
        boot.wait_shell()
        told = {domain["name"]: domain for domain in boot.report()["domains"]}
    assert len(told) == LIMIT
    assert told["runs"]["domid"] == 1 and told["runs"]["state"] in ("started", "ready")
    for number in range(LIMIT - 2):
        domain = told[f"g{number}"]
        assert (domain["domid"], domain["state"], domain["memory_kib"]) == (100 + 2 * number, "held", 80 << 10)


def test_one_more_is_refused(tmp_path, images):
    guests = [lcm.domain(f"g{number}", '"16M"', kernel=1, ramdisk=2) for number in range(LIMIT)]
    blob = lcm.compile_lcm(lcm.source(lcm.dom0(kernel=1, ramdisk=2), *guests), tmp_path / "launch.dtb")
    with harness.booted("too-many", [(str(blob), ""), (f"{images}/vmlinuz", ""), (f"{images}/guest.cpio.gz", "")],
                        disk=False) as boot:
        boot.wait_log(lambda log: log.stopped() or log.state() in ("complete", "recovery"), "Xen's verdict")
    assert boot.log.errors()[0]["name"] == "too-many-domains"
