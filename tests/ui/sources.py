"""The texts that templates and scripts show, found in their sources."""

import re
from collections.abc import Iterator
from pathlib import Path

from ui.assets import STATIC
from ui.server import LISTS

TEMPLATES = STATIC.parent / "templates"
SCRIPTS = STATIC / "js"
HANDED_ON = {SCRIPTS / "lib" / "texts.js"}
"""Its functions hand their arguments on."""

CALL = re.compile(r"(?<![\w.])(?<!function )(t|count)\(")
IN_TEMPLATE = re.compile(r'(?<!\w)_\("([^"]*)"')
ESCAPES = {r"\"": '"', r"\'": "'", r"\n": "\n"}


def shown() -> set[str]:
    """The keys that catalogues need."""
    texts = {name for path in TEMPLATES.glob("*.html") for name in IN_TEMPLATE.findall(path.read_text())}
    for path in set(SCRIPTS.rglob("*.js")) - HANDED_ON:
        texts.update(_in_script(path))
    return texts | {words for _, words in LISTS}


def _in_script(path: Path) -> Iterator[str]:
    source = path.read_text()
    for call in CALL.finditer(source):
        line = source[source.rfind("\n", 0, call.start()) + 1 : call.start()]
        if line.lstrip().startswith("*"):
            continue
        arguments = _arguments(source, call.end())
        where = f"{path.name}: {source[call.start() : call.start() + 60]}"
        if call[1] == "t":
            yield _literal(arguments[0], where)
        elif call[1] == "count" and len(arguments) == 2:
            yield f"{{n}} {_literal(arguments[1], where)}s"
        elif len(arguments) == 3:
            yield f"{{n}} {_literal(arguments[2], where)}"


def _literal(argument: str, where: str) -> str:
    assert re.fullmatch(r"([\"']).*\1", argument), f"not a literal: {where}"
    text = re.sub(r"\\u(\w{4})", lambda code: chr(int(code[1], 16)), argument[1:-1])
    return re.sub(r"\\.", lambda escape: ESCAPES[escape[0]], text)


def _arguments(source: str, at: int) -> list[str]:
    """Of a call whose opening parenthesis ends before ``at``."""
    found, depth, start = [], 0, at
    while True:
        character = source[at]
        if character in "\"'`":
            at = _end_of_string(source, at)
        elif character in "([{":
            depth += 1
        elif character in ")]}" and depth:
            depth -= 1
        elif character in "),":
            if not depth:
                found.append(source[start:at].strip())
                start = at + 1
            if character == ")" and not depth:
                return found
        at += 1


def _end_of_string(source: str, at: int) -> int:
    """The place of its closing quote."""
    quote = source[at]
    at += 1
    while source[at] != quote:
        if source[at] == "\\":
            at += 1
        elif quote == "`" and source.startswith("${", at):
            at = _end_of_hole(source, at + 2)
        at += 1
    return at


def _end_of_hole(source: str, at: int) -> int:
    """The closing brace of a template's expression."""
    depth = 0
    while depth or source[at] != "}":
        if source[at] in "\"'`":
            at = _end_of_string(source, at)
        depth += {"{": 1, "}": -1}.get(source[at], 0)
        at += 1
    return at
