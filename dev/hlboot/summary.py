# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is known of a launch from outside, for people."""

COLUMNS = ("DOMID", "NAME", "STATE", "MODE", "CPUS", "MEMORY", "PERMISSIONS", "FUNCTIONS")


def _row(domain):
    mode = domain.get("mode_name") or ("pv" if "pv" in domain.get("mode_names", ()) else "pvh")
    return ("-" if domain["domid"] is None else str(domain["domid"]), domain["name"] or "-", domain["state"], mode,
            str(domain["cpus"]), f"{domain['memory_kib'] >> 10}M", ",".join(domain.get("permission_names", ())) or "-",
            ",".join(domain.get("function_names", ())) or "-")


def _print_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def _names(domains):
    return {domain["domid"]: domain["name"] for domain in domains}


def show(told, log):
    """Xen's lines, the report, and what the guests' ramdisk says."""
    print("# Xen's log")
    for line in log.hyperlaunch_lines():
        print(f"  {line}")
    print(f"# The report ({told['source']})")
    _print_table([COLUMNS, *map(_row, told["domains"])])
    said = log.guests_said()
    if said:
        print("# What the guests say of themselves")
        names = _names(told["domains"])
        _print_table([(names.get(domid) or f"d{domid}", text) for domid, text in said])
