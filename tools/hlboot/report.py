# SPDX-License-Identifier: LGPL-2.1-or-later
"""The report of a boot: as hlctl in the control domain tells it, else as the serial log does."""
import json

from errors import BootError


def _hlctl(machine, verb):
    code, output = machine.run(f"hlctl {verb} --json")
    if code:
        raise BootError(f"hlctl {verb} in the control domain failed with exit code {code}: {output.strip()}")
    try:
        return json.loads(output)
    except ValueError as error:
        raise BootError(f"hlctl {verb} --json gave no JSON: {error}") from None


def from_control_domain(machine):
    """What hlctl says: the launch, its domains, its modules."""
    return {"launch": _hlctl(machine, "status"), "domains": _hlctl(machine, "list")["domains"],
            "modules": _hlctl(machine, "modules")["modules"], "source": "hlctl"}


def from_serial_log(log, planned):
    """What Xen printed, with the numbers asked for from the LCM."""
    errors = log.errors()
    asked = {domain["name"]: domain.get("requested_domid", 0) for domain in planned}
    domains = log.domains()
    for domain in domains:
        domain["requested_domid"] = asked.get(domain["name"], 0)
    launch = {"state": log.state(), "error": errors[0]["text"] if errors else ""}
    if errors:
        launch.update(error_name=errors[0]["name"], error_node=errors[0]["node"],
                      error_property=errors[0]["property"] or "")
    return {"launch": launch, "domains": domains, "modules": log.modules(), "source": "serial log"}
