# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each public header compiles alone, twice, without a message from the compiler; hl.h includes all others.

usage: test-header.py STANDARD INCLUDE COMPILER...
"""
import pathlib
import re
import subprocess
import sys
import tempfile

standard, include, *compiler = sys.argv[1:]
headers = sorted(path.name for path in pathlib.Path(include, "hyperlaunch").glob("*.h"))
parts = re.findall(r'^#include "(.*)"', pathlib.Path(include, "hyperlaunch", "hl.h").read_text(), re.MULTILINE)
plus = standard.startswith("c++")
language = "c++" if plus else "c"
flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-std={standard}"]
if not plus:
    flags += ["-Wstrict-prototypes", "-Wmissing-prototypes"]


def compile_with(command, text):
    with tempfile.NamedTemporaryFile("w", suffix=".cc" if plus else ".c") as source:
        source.write(text)
        source.flush()
        return subprocess.run([*command, *flags, "-I", include, "-x", language, source.name],
                              stderr=subprocess.PIPE, text=True)


# A C compiler may come without its C++ half.
able = [c for c in (compiler, ["clang"]) if not compile_with(c, "int a;\n").returncode]
if not able:
    print(f"no compiler here knows {standard}")
    sys.exit(77)
failed = sorted(parts) != [name for name in headers if name != "hl.h"]
if failed:
    print(f"hl.h includes {parts}, but there are {headers}")
for header in headers:
    result = compile_with(able[0], f"#include <hyperlaunch/{header}>\n" * 2)
    print(result.stderr)
    failed |= result.returncode != 0
sys.exit(failed)
