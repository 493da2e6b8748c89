# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library exports what the headers declare and the .sym file lists, and nothing else.

usage: test-symbols.py LIBRARY SYM HEADER...
"""
import pathlib
import re
import subprocess
import sys

library, sym, *headers = sys.argv[1:]


def without_comments(path):
    return re.sub(r"/\*.*?\*/", "", pathlib.Path(path).read_text(), flags=re.DOTALL)


nm = subprocess.run(["nm", "-D", "--defined-only", library], stdout=subprocess.PIPE, text=True,
                    check=True).stdout
exported = dict(line.split()[2].split("@@") for line in nm.splitlines() if "@@" in line)
declared = {name for header in headers for name in re.findall(r"\b(hl_[a-z0-9_]+)\(", without_comments(header))}
listed = {}
for node, body in re.findall(r"(LIBHL_[0-9.]+) \{(.*?)\}", without_comments(sym), re.DOTALL):
    for name in re.findall(r"\b(hl_\w+);", body):
        assert name not in listed, f"{name} is in two sections"
        listed[name] = node

problems = [f"declared, not exported: {n}" for n in sorted(declared - exported.keys())]
problems += [f"exported, not declared: {n}" for n in sorted(exported.keys() - declared)]
problems += [f"listed otherwise: {n}" for n in sorted(set(listed.items()) ^ set(exported.items()))]
unversioned = [l for l in nm.splitlines() if "@@" not in l and not l.split()[2].startswith("LIBHL_")]
problems += [f"unversioned: {l}" for l in unversioned]

# Each function, or run of functions under one comment, says since when.
text = "".join(pathlib.Path(header).read_text() for header in headers)
for name in sorted(declared):
    before = text[:re.search(rf"^\S.*\b{name}\(", text, re.MULTILINE).start()]
    comment = before[before.rindex("/*"):]
    if not re.search(r"Since: [0-9]+\.[0-9]+", comment):
        problems.append(f"no 'Since:' for {name}")

# Structs may grow: callers must not step through arrays of them.
code = "".join(without_comments(header) for header in headers)
problems += [f"an array of structs is returned: {line.strip()}" for line in re.findall(r"^.*size_t \*ret_nr.*$", code, re.MULTILINE)]
for name, body in re.findall(r"^struct (hl_\w+) \{(.*?)^\};", code, re.MULTILINE | re.DOTALL):
    problems += [f"struct {name} has an array of structs: {member}" for member in re.findall(r"\bnr_(\w+)", body)
                 if re.search(rf"struct hl_\w+ \*{member}\b", body)]

print("\n".join(problems) or f"{len(exported)} symbols")
sys.exit(bool(problems))
