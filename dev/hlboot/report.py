# SPDX-License-Identifier: LGPL-2.1-or-later
"""The report of a boot: as hlctl in the control domain tells it, else as the serial log does."""
import json

from errors import BootError


# dev/images/control/report
ASK = "/usr/lib/hyperlaunch/report"


def _documents(text):
    """The JSON documents in a text, one after the other."""
    decoder, documents = json.JSONDecoder(), []
    text = text.strip()
    while text:
        document, end = decoder.raw_decode(text)
        documents.append(document)
        text = text[end:].strip()
    return documents


def from_control_domain(machine, timeout):
    """What hlctl says when it is asked over the second serial port."""
    return from_answer(*machine.run(ASK, timeout))


def from_answer(code, output):
    """What hlctl says: the launch, its domains, its modules."""
    if code:
        raise BootError(f"hlctl in the control domain has no answer (exit code {code}): {output.strip()}")
    try:
        status, domains, modules = _documents(output)
        return {"launch": status, "domains": domains["domains"], "modules": modules["modules"], "source": "hlctl"}
    except (ValueError, KeyError) as error:
        raise BootError(f"hlctl in the control domain gave no such JSON as its manual says: {error}") from None


def _with_users(modules, planned):
    """Modules with their type, and who uses them."""
    for module in modules:
        users = [(domain["name"], used["type"]) for domain in planned for used in domain["modules"]
                 if used["index"] == module["index"]]
        module["type"] = users[0][1] if users else None
        module["domains"] = [name for name, _ in users]
    return modules


def from_serial_log(log, planned):
    """What Xen printed, with the numbers asked for from the LCM."""
    errors = log.errors()
    asked = {domain["name"]: domain for domain in planned}
    domains = log.domains()
    for domain in domains:
        for key in ("requested_domid", "mode", "mode_names", "permission_names", "function_names"):
            if key in asked.get(domain["name"], {}):
                domain[key] = asked[domain["name"]][key]
    launch = {"state": log.state(), "error": errors[0]["text"] if errors else ""}
    if errors:
        launch.update(error_name=errors[0]["name"], error_node=errors[0]["node"],
                      error_property=errors[0]["property"] or "")
    return {"launch": launch, "domains": domains, "modules": _with_users(log.modules(), planned), "source": "serial log"}
