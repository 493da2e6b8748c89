# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual pages say what the programs, the library and the bus interface have, and no more.

usage: test-docs.py DOCS [PROGRAM...]
"""
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

docs = pathlib.Path(sys.argv[1])
root = docs.parent
programs = {pathlib.Path(p).name: p for p in sys.argv[2:]}
problems = []


def page(name):
    return (docs / "man" / name).read_text()


def differ(what, documented, real):
    problems.extend(f"{what}: '{x}' is not documented" for x in sorted(real - documented))
    problems.extend(f"{what}: '{x}' is documented, but is not there"
                    for x in sorted(documented - real))


def members_of_the_bus():
    """(interface, kind, name, signature in, signature out)"""
    tree = ET.parse(docs / "dbus" / "org.xenproject.Hyperlaunch1.xml")
    for interface in tree.iter("interface"):
        short = interface.get("name").rsplit(".", 1)[1].upper()
        for kind in ("method", "signal"):
            for member in interface.iter(kind):
                args = [(a.get("direction", "in"), a.get("type")) for a in member.iter("arg")]
                yield (short, kind, member.get("name"),
                       "".join(t for d, t in args if d == "in"),
                       "".join(t for d, t in args if d == "out"))
        for member in interface.iter("property"):
            yield short, "property", member.get("name"), member.get("type"), ""


def members_of_the_page():
    interface = kind = None
    kinds = {"Methods": "method", "Signals": "signal", "Properties": "property"}
    for line in page("org.xenproject.Hyperlaunch1.5").splitlines():
        if line.startswith(".Sh "):
            interface = line[4:]
        elif line.startswith(".Ss "):
            kind = kinds[line[4:]]
        match = re.fullmatch(r"\.It Ic (\w+)(?: Ar (\S+))?(?: No \\\(-> Ar (\S+))?", line)
        if match:
            yield interface, kind, match[1], match[2] or "", match[3] or ""
        elif line.startswith(".It Ic"):
            problems.append(f"org.xenproject.Hyperlaunch1(5): cannot read '{line}'")


def constants_of_the_page():
    """Members that their own text calls constant, or unannounced, against the annotations."""
    text = page("org.xenproject.Hyperlaunch1.5")
    found = {}
    for name, body in re.findall(r"\.It Ic (\w+) Ar \S+\n((?:(?!\.(?:It|El)).*\n)*)", text):
        found[name] = ("const" if "ever changes." in body else
                       "false" if "not announced." in body else "true")
    return found


def check_bus():
    differ("org.xenproject.Hyperlaunch1(5)", set(members_of_the_page()), set(members_of_the_bus()))
    tree = ET.parse(docs / "dbus" / "org.xenproject.Hyperlaunch1.xml")
    said = constants_of_the_page()
    for prop in tree.iter("property"):
        notes = {a.get("name"): a.get("value") for a in prop.iter("annotation")}
        emits = notes.get("org.freedesktop.DBus.Property.EmitsChangedSignal", "true")
        if said.get(prop.get("name"), "true") != emits:
            problems.append(f"org.xenproject.Hyperlaunch1(5): {prop.get('name')} is '{emits}'")
    errors = set(re.findall(r'OURS "(\w+)"', (root / "daemon" / "bus" / "error.c").read_text()))
    differ("errors", set(re.findall(r"\.It Er (\w+)", page("org.xenproject.Hyperlaunch1.5"))),
           errors)


def options_of(text):
    return set(re.findall(r"--([a-z][a-z-]+)", text))


def options_of_page(text):
    return set(re.findall(r"\.It.* Fl -([a-z][a-z-]+)", text))


def check_program(name, section):
    if name not in programs:
        return
    told = subprocess.run([programs[name], "--help"], capture_output=True, text=True,
                          check=True).stdout
    differ(f"{name}({section}), option", options_of_page(page(f"{name}.{section}")),
           options_of(told))
    if name == "hlctl":
        verbs = set(re.findall(r"^  ([a-z-]+) ", told, re.MULTILINE))
        part = page("hlctl.1").split(".Ss Verbs")[1].split(".Ss")[0]
        differ("hlctl(1), verb", set(re.findall(r"\.It Cm ([a-z-]+)", part)), verbs)
        check_completions(verbs, options_of(told))


def check_completions(verbs, options):
    """Of hlctl, for each shell."""
    text = {name: (root / "units" / "completions" / name).read_text() for name in ("hlctl.bash", "_hlctl", "hlctl.fish")}
    differ("hlctl.bash, verb", set(re.search(r"verbs='([a-z -]+)'", text["hlctl.bash"])[1].split()), verbs)
    differ("_hlctl, verb", set(re.findall(r"^        '([a-z-]+):", text["_hlctl"], re.MULTILINE)), verbs)
    differ("hlctl.fish, verb", set(re.search(r"^set -l verbs ([a-z -]+)$", text["hlctl.fish"], re.MULTILINE)[1].split()), verbs)
    for name in ("hlctl.bash", "_hlctl"):
        differ(f"{name}, option", options_of(text[name]), options)
    differ("hlctl.fish, option", set(re.findall(r"^complete .* -l ([a-z-]+)", text["hlctl.fish"], re.MULTILINE)), options)


def check_hldom():
    if "hldom" not in programs:
        return
    told = subprocess.run([programs["hldom"], "--help"], capture_output=True, text=True, check=True).stdout
    differ("hldom(8), verb", set(re.findall(r"^\.It Cm ([a-z]+)", page("hldom.8"), re.MULTILINE)),
           set(re.findall(r"hldom ([a-z]+)", told)))


def check_hlboot():
    """Options, the report's keys, and what of the environment is read."""
    folder = root / "dev" / "hlboot"
    programs["hlboot"] = folder / "hlboot"
    check_program("hlboot", 1)
    text = page("hlboot.1")
    code = "".join(path.read_text() for path in [*folder.glob("*.py"), root / "dev" / "qemu" / "qemu.py"])
    keys = set(re.findall(r'\btold\["(\w+)"\] =', code))
    for made in re.findall(r'return \{("launch": .*?)\}$', code, re.MULTILINE):
        keys |= set(re.findall(r'"(\w+)": ', made))
    report = text.split(".Sh REPORT")[1].split(".Sh ")[0]
    differ("hlboot(1), report", set(re.findall(r"^\.It Va (\w+)", report, re.MULTILINE)), keys)
    differ("hlboot(1), environment", set(re.findall(r"^\.It Ev (\w+)", text, re.MULTILINE)),
           set(re.findall(r'"(HL_(?!CACHE)\w+)"', code)))


def check_json():
    text = page("hlctl.1").split(".Sh JSON")[1].split(".Sh ")[0]
    written = set()
    for source in (root / "tools" / "hlctl").glob("*.c"):
        code = source.read_text()
        written |= set(re.findall(r'\b(?:json_put\w*|put_kib|put_bits)\(object, "(\w+)"', code))
        written |= set(re.findall(r'put_bits\(object, "\w+", "(\w+)"', code))
        written |= set(re.findall(r'new_event\("([\w-]+)"', code))
        written |= set(re.findall(r'\.key = "(\w+)"', code))
    words = set(re.findall(r"[a-z][a-z0-9_-]+", text))
    problems.extend(f"hlctl(1): JSON field '{x}' is not documented" for x in written - words)
    text = page("libhl.3").split(".Sh JSON")[1].split(".Sh ")[0]
    code = (root / "libhl" / "lcm-json.c").read_text()
    written = set(re.findall(r'\bput\w*\(w, object, "(\w+)"', code))
    words = set(re.findall(r"[a-z][a-z0-9_]+", text))
    problems.extend(f"libhl(3): JSON field '{x}' is not documented" for x in written - words)


def check_library():
    include = root / "include" / "hyperlaunch"
    header = "".join(re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL) for path in include.glob("*.h"))
    text = page("libhl.3")
    listed = set(re.findall(r"\bhl_[a-z0-9_]+\b", text.split(".Ss Functions")[1].split(".Sh")[0]))
    differ("libhl(3)", listed, set(re.findall(r"\b(hl_[a-z0-9_]+)\(", header)))
    commands = set(re.findall(r'^\t\{ ?"([a-z-]+)", \d', (root / "libhl" / "sim" / "command.c").read_text(),
                              re.MULTILINE))
    part = text.split("The commands;")[1].split(".El")[0]
    differ("libhl(3), simulator", set(re.findall(r"\.It Cm ([a-z-]+)", part)), commands)
    comment = (include / "simulator.h").read_text().split("Commands.  DOMAIN")[1].split("*/")[0]
    named = re.findall(r"^ \*   ([a-z-]+)(?= )|, (unpause)", comment, re.MULTILINE)
    differ("simulator.h", {first or second for first, second in named}, commands)


def check_bootdom():
    text = page("bootdom.7")
    words = re.compile(r"\.It Cm ([a-z-]+)")
    told = text.split(".Ss The probe")[1].split(".Sh ")[0]
    actions = set(re.findall(r'^\t\{ ?"([a-z-]+)", act_', (root / "tests" / "guests" / "probe.c").read_text(), re.MULTILINE))
    differ("bootdom(7), probe", set(words.findall(told)), actions)
    told = text.split(".Ss Its configuration")[1].split(".Ss ")[0]
    config = (root / "bootdom" / "config.c").read_text()
    differ("bootdom(7), configuration", set(words.findall(told)), set(re.findall(r'(?:words\[0\], |\] = \{ ?)"([a-z-]+)"', config)))
    default = re.search(r"READY_TIMEOUT_MS\s+(\d+)", (root / "bootdom" / "config.h").read_text())[1]
    differ("bootdom(7), default", set(re.findall(r"and (\d+) is the default", told)), {default})


check_bootdom()
check_bus()
check_program("hlctl", 1)
check_program("hyperlaunchd", 8)
check_program("hyperlaunch-consoled", 8)
check_json()
check_hlboot()
check_hldom()
check_library()
print("\n".join(problems) or "all documented")
sys.exit(bool(problems))
