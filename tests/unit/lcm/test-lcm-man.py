# SPDX-License-Identifier: LGPL-2.1-or-later
"""lcm(5) and the parser have the same properties, errors and warnings; the parser's table has what its code reads.

usage: test-lcm-man.py LIST-WORDS LCM.5 PARSER-DIR LCMTOOL
"""
import pathlib
import re
import subprocess
import sys

list_words, page, parser, lcmtool = sys.argv[1:]
text = pathlib.Path(page).read_text()
problems = []


def listed():
    """{kind of word: [fields]} of the parser's tables."""
    out = subprocess.run([list_words], stdout=subprocess.PIPE, text=True, check=True).stdout
    words = {}
    for line in out.splitlines():
        what, *fields = line.split("\t")
        words.setdefault(what, []).append(fields)
    return words


def section(title):
    """The text of a section of the page."""
    match = re.search(rf"^\.Sh {title}$(.*?)(?=^\.Sh |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"lcm.5 has no section {title}"
    return match[1]


def documented_properties():
    """(kind, property) of each item of each node."""
    for kind, body in re.findall(r"^\.Ss (\w+) node$(.*?)(?=^\.Ss |\Z)", section("NODES"), re.MULTILINE | re.DOTALL):
        for item in re.findall(r"^\.It Li (.*)$", body, re.MULTILINE):
            for name in item.split(" , "):
                yield kind, name


def compare(what, parser_has, page_has):
    """Both ways, and nothing twice."""
    problems.extend(f"{what} of the parser, not in lcm.5: {word}" for word in sorted(set(parser_has) - set(page_has)))
    problems.extend(f"{what} in lcm.5, not of the parser: {word}" for word in sorted(set(page_has) - set(parser_has)))
    problems.extend(f"{what} twice in lcm.5: {word}" for word in set(page_has) if list(page_has).count(word) > 1)


def read_by_code():
    """Names of properties in the parser's calls of its getters, and in its lists of names."""
    for path in sorted(pathlib.Path(parser).glob("*.c")):
        code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        calls = r"\b(?:lcm_get_(?!cells)\w+|get_\w+|need_string|lcm_has|lcm_prop_len|parse_range|lcm_is_(?:names|size_text))\("
        for match in re.finditer(calls, code):
            argument = re.match(r'[^";{}]*"([^"]+)"', code[match.end():])
            if argument and code[match.end():match.end() + argument.start(1)].count("(") == 0:
                yield argument[1]
        for props in re.findall(r"\b(?:cells_)?props\[\] = \{(.*?)\}", code, re.DOTALL):
            yield from re.findall(r'"([^"]+)"', props)


def check_example():
    """It is accepted, without a warning."""
    example = re.search(r"^\.Bd -literal\n(/dts-v1/;.*?)^\.Ed$", section("EXAMPLES"), re.MULTILINE | re.DOTALL)[1]
    done = subprocess.run([lcmtool, "check", "-"], input=example, text=True, capture_output=True, check=False)
    if done.returncode or done.stderr:
        problems.append(f"the example: {done.stderr}")


words = listed()
table = [tuple(fields) for fields in words["property"]]
compare("property", table, list(documented_properties()))
used = set(read_by_code())
problems += [f"read by the parser, not in its table: {name}" for name in sorted(used - {name for _, name in table})]
problems += [f"in the parser's table, not read: {name}" for name in sorted({name for _, name in table} - used)]

plain = re.sub(r"\\&", "", text).replace("\\e", "\\")
errors = re.findall(r"^\.It Li (\S+)\n(.*)\.$", section("ERRORS").replace("\\&", ""), re.MULTILINE)
compare("error", [(name, sentence) for name, sentence in words["error"]], errors)
warnings = [line.removesuffix(".").removesuffix(": the property")
            for line in re.findall(r"^\.It\n(.*)$", section("WARNINGS").replace("\\&", ""), re.MULTILINE)]
compare("warning", [sentence for _, sentence in words["warning"]], warnings)
for what in ("type", "restart"):
    problems += [f"{what} not in lcm.5: {word}" for word, _ in words[what]
                 if not re.search(rf"^\.Li (?:\S+ , )*{word}\b|^\.Li .*\b{word}\b", section("NODES"), re.MULTILINE)]
check_example()
print("\n".join(problems), file=sys.stderr)
sys.exit(bool(problems))
