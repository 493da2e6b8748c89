# SPDX-License-Identifier: LGPL-2.1-or-later
"""The public header compiles alone, twice, without a word from the compiler.

usage: test-header.py STANDARD HEADER COMPILER...
"""
import subprocess
import sys
import tempfile

standard, header, *compiler = sys.argv[1:]
plus = standard.startswith("c++")
language = "c++" if plus else "c"
flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-std={standard}"]
if not plus:
    flags += ["-Wstrict-prototypes", "-Wmissing-prototypes"]


def compile_with(command, text):
    with tempfile.NamedTemporaryFile("w", suffix=".cc" if plus else ".c") as source:
        source.write(text)
        source.flush()
        return subprocess.run([*command, *flags, "-x", language, source.name],
                              stderr=subprocess.PIPE, text=True)


# A C compiler may come without its C++ half.
able = [c for c in (compiler, ["clang"]) if not compile_with(c, "int a;\n").returncode]
if not able:
    print(f"no compiler here knows {standard}")
    sys.exit(77)
result = compile_with(able[0], f'#include "{header}"\n#include "{header}"\n')
print(result.stderr)
sys.exit(result.returncode)
