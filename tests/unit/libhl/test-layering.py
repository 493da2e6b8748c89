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
PURE = ["cleanup", "util", "bounds", "text", "names", "xen-abi", "lcm-view", "lcm-classic", "lcm-json", "lcm-dts",
        "xen/decode", "snapshot", "drift", "table", "table-merge", "diff"]
# The simulator's, likewise; nothing but the context names its top.
SIM = ["sim/state", "sim/launch", "sim/console", "sim/output", "sim/domain", "sim/request", "sim/host", "sim/command", "sim/control", "sim/backend"]
# Only these may ask Xen, or the system.
ASKS = {
    "xencall.h": {"libhl/xen/hypercall.c"},
    # Its soname is another with each release of Xen.
    "xenctrl.h": set(),
    "xenevtchn.h": {"libhl/xen/backend.c"},
    "sys/socket.h": {"libhl/sim/control.c"},
}


def includes(path):
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    return re.findall(r'^#include [<"]([^>"]+)[>"]', text, re.MULTILINE)


private = {str(p.relative_to(root / "libhl")) for p in (root / "libhl").rglob("*.h")}
for path in sorted((root / "libhl").rglob("*.[ch]")):
    name, stem = str(path.relative_to(root)), str(path.relative_to(root / "libhl"))[:-2]
    # snapshot.c reads the records; its header is what table-merge.c takes.
    pure = stem in PURE and name != "libhl/snapshot.c"
    for header in includes(path):
        if header in ASKS and name not in ASKS[header]:
            problems.append(f"{name} includes {header}")
        other = header[:-2]
        if pure and header in private and (other not in PURE or PURE.index(other) > PURE.index(stem)):
            problems.append(f"{name} includes {header}, which lies to its right")
        if other in SIM and (stem not in SIM or SIM.index(other) > SIM.index(stem)):
            problems.append(f"{name} includes {header}, which lies to its right")
        if header.startswith(("daemon/", "tools/")):
            problems.append(f"{name} includes {header}")

for directory in ("tools/hlctl", "tools/lcmtool", "daemon"):
    own = {p.name for p in (root / directory).rglob("*.h")}
    for path in sorted((root / directory).rglob("*.[ch]")):
        for header in includes(path):
            if header in private - own or "libhl/" in header or header == "xencall.h":
                problems.append(f"{directory}/{path.name} includes {header}: only hyperlaunch/ is public")

# What daemon and tools share has neither a bus nor a loop, and knows neither of them.  It has libhl's cleanup.
for path in sorted((root / "common").rglob("*.[ch]")):
    for header in includes(path):
        ours = header.startswith(("common/", "hyperlaunch/")) or header == "libhl/cleanup.h"
        if not ours and (root / "common" / header).exists():
            problems.append(f"common/{path.name} includes {header}: write common/{header}")
        if header.startswith(("systemd/", "event2/", "xencall", "libhl/", "daemon/", "tools/")) and not ours:
            problems.append(f"common/{path.name} includes {header}")

# A helper uses public headers and its own folder; only these files of it call Xen's libraries: behind tables of calls.
HELPER_OPS = {"xenevtchn.h": {"ops.c"}, "xengnttab.h": {"ops.c"}, "xenstore.h": {"ops.c", "sweep.c", "vchan.c"}, "libxenvchan.h": {"vchan.c"},
              "libxl.h": {"config.h", "toolstack.h"}, "libxl_utils.h": {"create.c", "resize.c"}, "libxl_event.h": {"toolstack.h"},
              "xendevicemodel.h": {"ended.c"}, "xentoollog.h": {"toolstack.h"}}
NOT_FOR_HELPERS = {"xenctrl.h", "xencall.h", "systemd/sd-bus.h"}
for directory in sorted(path for path in (root / "helpers").iterdir() if path.is_dir()):
    own = {p.name for p in directory.glob("*.h")}
    others = {p.name for place in ("daemon", "libhl", "tools") for p in (root / place).rglob("*.h")} - own
    for path in sorted(directory.glob("*.[ch]")):
        name = path.relative_to(root)
        for header in includes(path):
            if header in NOT_FOR_HELPERS or path.name not in HELPER_OPS.get(header, {path.name}):
                problems.append(f"{name} includes {header}")
            if header not in own and (header in others or header.startswith(("daemon/", "libhl/", "tools/"))):
                problems.append(f"{name} includes {header}: a helper uses its own folder and hl.h")

# Of the daemon a file includes its own folder and those to its left; launch, lifecycle and console meet in jobs/ and
# domains/ only, launch and bus in domains/.
DAEMON = ["loop", "store", "domains", "jobs", "peers", "launch", "lifecycle", "console", "bus"]
BESIDE = {(a, b) for a in DAEMON[5:8] for b in DAEMON[5:8] if a != b} | {("bus", "launch")}
# Peers carry any helper's words.
BESIDE |= {("peers", other) for other in ("domains", "jobs")}
ONLY_IN = {"event2/event.h": {"loop"}, "xenstore.h": {"store", "domains", "peers", "launch", "console"}, "systemd/sd-bus.h": {"bus"},
           "pthread.h": {"loop"}, "sys/un.h": {"store"}}
for path in sorted((root / "daemon").rglob("*.[ch]")):
    name, folder = path.relative_to(root), path.parent.name
    for header in includes(path):
        other = header.split("/")[0]
        if folder in DAEMON and (header in ("options.h",) or other in DAEMON and
                                 (DAEMON.index(other) > DAEMON.index(folder) or (folder, other) in BESIDE)):
            problems.append(f"{name} includes {header}, which lies to its right")
        if header in ONLY_IN and folder in DAEMON and folder not in ONLY_IN[header]:
            problems.append(f"{name} includes {header}: only {', '.join(sorted(ONLY_IN[header]))} may")

# The boot domain's pure parts run in the tests too; of libhl it has the records, and of a C library nothing.
# Its runtime serves any guest, and knows nothing of the boot domain.
PURE_BOOTDOM = {"config", "cpus", "start-order", "runtime/errname", "runtime/format", "runtime/start-info", "runtime/tokenize"}
OF_LIBHL = {"hyperlaunch/hl.h", "xen/decode.h", "xen-abi.h"}
FREESTANDING = {"assert.h", "cpuid.h", "errno.h", "inttypes.h", "limits.h", "stdarg.h", "stdbool.h", "stddef.h",
                "stdint.h", "stdnoreturn.h", "string.h"}
bootdom = root / "bootdom"
own = {str(p.relative_to(bootdom)) for p in bootdom.rglob("*.h")}
for path in sorted(bootdom.rglob("*.[ch]")):
    place = path.relative_to(bootdom)
    for header in includes(path):
        mine = str(place.parent / header)
        if mine not in own and not (header in OF_LIBHL | FREESTANDING or header.startswith("xen/")):
            problems.append(f"bootdom/{place} includes {header}")
        if str(place.with_suffix("")) in PURE_BOOTDOM and mine in own and mine[:-2] not in PURE_BOOTDOM:
            problems.append(f"bootdom/{place} includes {header}, which needs Xen")

# The parser knows of Xen in one file only.
for path in sorted((root / "hypervisor/files/xen/lib/hyperlaunch").glob("*.[ch]")):
    if path.name != "env.h" and "__XEN__" in path.read_text():
        problems.append(f"{path.name} asks for __XEN__: only env.h may")

print("\n".join(problems) or "all in one direction")
sys.exit(bool(problems))
