# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Xen and the domains print on the serial console."""
import base64
import gzip
import re
import zlib

# A line of a domain's that has no end yet may stand before; what a guest has Xen print begins with (dN).
XEN_LINE = re.compile(r"^(?!\(d\d+\)).*?\(XEN\) (?:\[[^\]]*\] )?hyperlaunch: (.*)$", re.MULTILINE)
ERROR = re.compile(r"error: (?P<node>\S+): (?:(?P<property>[^:\[\s]+): )?(?P<text>.*?) \[(?P<name>[a-z0-9-]+)\]")
DOMAIN = re.compile(
    r'd(?P<domid>\d+) "(?P<name>[^"]*)": (?P<mode>PV|PVH), (?P<cpus>\d+) vCPU, (?P<memory>\d+) KiB,'
    r" permissions (?P<permissions>\S+), functions (?P<functions>\S+), uuid (?P<uuid>[0-9a-f-]{36})")
DOMAIN_STATE = re.compile(r"d(\d+): (held|paused|started|ready|reclaimed)$")
MODULE = re.compile(r"module (?P<index>\d+): (?P<size>\d+) bytes, sha256 (?P<sha256>[0-9a-f]{64})")
# What a domain's agent says by way of Xen's debug output; the first (dN) of a line is Xen's.
# What had no end yet may stand before it.
AGENT_LINE = re.compile(r"^(?:(?!\(d\d+\)).)*\(d(?P<domid>\d+)\) (?:\[[^\]]*\] )?"
                        r".*?hl-agent: (?P<kind>data|end) (?P<id>\d+) (?P<rest>\S+)$", re.MULTILINE)
GUEST_LINE = re.compile(r"\(d(?P<domid>\d+)\) (?:\[[^\]]*\] )?(?P<text>(?:HL-[A-Z]+ .*|READY))$", re.MULTILINE)
PREFIXED = re.compile(r"\((XEN|d\d+)\) ")
STATES = ("building", "preparing", "finalizing", "complete", "recovery", "failed")
ENDED = re.compile(r"no crash domain can run|Xen stops here")
PANIC = re.compile(r"Panic on CPU|FATAL TRAP")


class SerialLog:
    """A log that grows; read() again to see what came."""

    def __init__(self, path):
        self.path = path
        self.text = ""
        self._file = None

    def read(self):
        """Takes in what was written since; true if there was something."""
        if self._file is None:
            try:
                self._file = open(self.path, "rb")
            except FileNotFoundError:
                return False
        more = self._file.read()
        self.text += more.decode("utf-8", "replace").replace("\r", "")
        return bool(more)

    def close(self):
        """Done with reading; the text stays."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def hyperlaunch_lines(self):
        """What Xen said about the launch, without prefixes."""
        return XEN_LINE.findall(self.text)

    def state(self):
        """The last launch state that Xen named; "none" before the first."""
        named = [line for line in self.hyperlaunch_lines() if line in STATES]
        return named[-1] if named else "none"

    def errors(self):
        """One dict for each error: node, property (or None), text, name."""
        found = (ERROR.match(line) for line in self.hyperlaunch_lines())
        return [match.groupdict() for match in found if match]

    def boot_domain_said(self):
        """The lines of the boot domain, which has the console to itself while the launch is preparing."""
        said, inside = [], False
        for line in self.text.split("\n"):
            xen = XEN_LINE.match(line)
            if xen and xen[1] == "preparing":
                said, inside = [], True
            elif xen and (xen[1] in STATES or ERROR.match(xen[1])):
                inside = False
            elif inside and line.strip() and not PREFIXED.match(line):
                said.append(line.strip())
        return said

    def guests_said(self):
        """(domid, line) for each that a guest had Xen print and that is meant for us; dev/images/guest/init says them."""
        return [(int(m["domid"]), m["text"]) for m in GUEST_LINE.finditer(self.text)]

    def answer(self, domid, number):
        """(exit code, output) that a domain's agent told by itself under this number; None before its end."""
        told = [m for m in AGENT_LINE.finditer(self.text) if (int(m["domid"]), int(m["id"])) == (domid, number)]
        if not told or told[-1]["kind"] != "end":
            return None
        try:
            packed = base64.b64decode("".join(m["rest"] for m in told[:-1]), validate=True)
            return int(told[-1]["rest"]), gzip.decompress(packed).decode("utf-8", "replace")
        except (ValueError, EOFError, OSError, zlib.error) as error:
            return 1, f"hlboot: the serial log garbled this answer: {error}"

    def stopped(self):
        """Xen said that it starts nothing, or panicked."""
        return bool(ENDED.search(self.text) or PANIC.search(self.text))

    def domains(self):
        """The domains that Xen says it built, each in the last state that it named."""
        states = {int(m[1]): m[2] for m in filter(None, map(DOMAIN_STATE.match, self.hyperlaunch_lines()))}
        result = []
        for match in filter(None, map(DOMAIN.match, self.hyperlaunch_lines())):
            result.append({
                "name": match["name"],
                "domid": int(match["domid"]),
                "uuid": match["uuid"],
                "permissions": int(match["permissions"], 0),
                "functions": int(match["functions"], 0),
                "mode_name": match["mode"].lower(),
                "cpus": int(match["cpus"]),
                "memory_kib": int(match["memory"]),
                "state": states.get(int(match["domid"]), "built"),
            })
        return result

    def modules(self):
        """The modules with their digests as loaded."""
        return [{"index": int(m["index"]), "size": int(m["size"]), "sha256": m["sha256"]}
                for m in filter(None, map(MODULE.match, self.hyperlaunch_lines()))]
