# SPDX-License-Identifier: LGPL-2.1-or-later
"""Data flows one way: a file includes only what lies to its left.

usage: test-layering.py ROOT
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
problems = []

# Pure, from left to right: each may include the private headers of those before it.
PURE = ["util", "bounds", "text", "names", "sha256", "xen-abi", "lcm", "lcm-json", "lcm-dts", "record",
        "snapshot", "drift", "table", "merge", "diff"]
# Only these may ask Xen, or the system.
ASKS = {
    "xencall.h": {"libhl/xcall.c"},
    "xenctrl.h": {"libhl/xen.c"},
    "xenevtchn.h": {"libhl/xen.c"},
    "sys/socket.h": {"libhl/sim-control.c"},
}


def includes(path):
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    return re.findall(r'^#include [<"]([^>"]+)[>"]', text, re.MULTILINE)


private = {p.name for p in (root / "libhl").glob("*.h")}
for path in sorted((root / "libhl").glob("*.[ch]")):
    name = f"libhl/{path.name}"
    # snapshot.c reads the records; its header is what merge.c takes.
    layer = PURE.index(path.stem) if path.stem in PURE and name != "libhl/snapshot.c" else None
    for header in includes(path):
        if header in ASKS and name not in ASKS[header]:
            problems.append(f"{name} includes {header}")
        if layer is not None and header in private:
            stem = header[:-2]
            if stem not in PURE or PURE.index(stem) > layer:
                problems.append(f"{name} includes {header}, which lies to its right")
        if header.startswith(("daemon/", "tools/")):
            problems.append(f"{name} includes {header}")

for directory in ("tools/hlctl", "tools/lcmtool", "daemon"):
    own = {p.name for p in (root / directory).glob("*.h")}
    for path in sorted((root / directory).glob("*.[ch]")):
        for header in includes(path):
            if header in private - own or "libhl/" in header or header == "xencall.h":
                problems.append(f"{directory}/{path.name} includes {header}: only hl.h is public")

# The boot domain's pure parts run in the tests too; of libhl it has the records, and of a C library nothing.
PURE_BOOTDOM = {"config", "errname", "format", "order", "pvh-info", "words"}
OF_LIBHL = {"hl.h", "record.h", "xen-abi.h"}
FREESTANDING = {"assert.h", "cpuid.h", "errno.h", "inttypes.h", "limits.h", "stdarg.h", "stdbool.h", "stddef.h",
                "stdint.h", "stdnoreturn.h", "string.h"}
own = {p.name for p in (root / "bootdom").glob("*.h")}
for path in sorted((root / "bootdom").glob("*.[ch]")):
    for header in includes(path):
        if not (header in own | OF_LIBHL | FREESTANDING or header.startswith("xen/")):
            problems.append(f"bootdom/{path.name} includes {header}")
        if path.stem in PURE_BOOTDOM and header in own and header[:-2] not in PURE_BOOTDOM:
            problems.append(f"bootdom/{path.name} includes {header}, which needs Xen")

# The parser knows of Xen in one file only.
for path in sorted((root / "hypervisor/files/xen/lib/hyperlaunch").glob("*.[ch]")):
    if path.name != "env.h" and "__XEN__" in path.read_text():
        problems.append(f"{path.name} asks for __XEN__: only env.h may")

print("\n".join(problems) or "all in one direction")
sys.exit(bool(problems))
