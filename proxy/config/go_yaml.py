"""YAML as the Kubernetes tools read it: plain values get the types that Go's reader gives them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from proxy.config.objects import Path

_PLAIN = "tag:vigla.dev,2024:plain"
_MERGE = "tag:yaml.org,2002:merge"
_TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_INFINITE = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9]\d*)")
_FLOAT = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?")
_MOST_NODES = 200_000
_DEEPEST = 100
_LONGEST = 400
_TOO_LARGE = f"more than {_MOST_NODES:,} values (maybe by aliases) or deeper than {_DEEPEST} levels; split it"


class TooLargeError(ValueError):
    """A document that would fill the memory: through aliases of aliases, or by its depth."""


@dataclass(slots=True)
class Document:
    """A document's JSON values and where its fields stand.

    Attributes:
        value: dicts with string keys, lists, strings, numbers, booleans, None.
        lines: of each field, from 1.
        repeated: fields that are written twice in one mapping; the last one counts.
        words: fields whose unquoted word or number became no string, and the text as written.
    """

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    repeated: list[Path] = field(default_factory=list)
    words: dict[Path, str] = field(default_factory=dict)

    def items(self, name: str) -> list["Document"]:
        """The items of a top-level list as documents of their own."""
        made = [Document(value) for value in self.value[name]]
        for path, line in self.lines.items():
            if len(path) > 1 and path[0] == name:
                made[int(path[1])].lines[path[2:]] = line
        for path, word in self.words.items():
            if len(path) > 1 and path[0] == name:
                made[int(path[1])].words[path[2:]] = word
        for path in self.repeated:
            if len(path) > 1 and path[0] == name:
                made[int(path[1])].repeated.append(path[2:])
        return made


class _Fast(yaml.CSafeLoader):
    yaml_implicit_resolvers = {None: [(_PLAIN, re.compile(""))]}  # noqa: RUF012 (PyYAML's own attribute)


class _Tolerant(yaml.SafeLoader):
    """Reads plain values in flow collections that end in a colon (``[fe80::]``), as Go does."""

    yaml_implicit_resolvers = {None: [(_PLAIN, re.compile(""))]}  # noqa: RUF012 (PyYAML's own attribute)

    def __init__(self, stream: str) -> None:
        self._colon: int | None = None
        self._in_plain = False
        super().__init__(stream)

    def scan_plain(self) -> Any:
        self._in_plain, self._colon = True, None
        try:
            return super().scan_plain()
        finally:
            self._in_plain = False

    def peek(self, index: int = 0) -> str:
        char: str = super().peek(index)
        if not self._in_plain:
            return char
        # The scanner looks one character ahead of a colon to see whether it ends a key: a bracket does not.
        if self._colon == index - 1 and char in ",[]{}":
            self._colon = None
            return "x"
        self._colon = index if char == ":" else None
        return char


def documents(text: str) -> Iterator[Document]:
    """The documents of a text, in order; empty ones are left out.

    Raises:
        yaml.YAMLError: the text is not YAML.
        TooLargeError: a document is too large or too deep.
    """
    try:
        _measure(text)
        nodes = list(_nodes(_Fast(text)))
    except yaml.MarkedYAMLError:
        nodes = list(_nodes(_Tolerant(text)))
    for node in nodes:
        document = Document()
        document.value = _Reader(document).value(node, (), 0)
        document.lines[()] = node.start_mark.line + 1
        if document.value is not None:
            yield document


def _measure(text: str) -> None:
    # The C reader composes nodes by recursion without a limit: a deep document would end the process.
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise TooLargeError(_TOO_LARGE)


def _nodes(loader: Any) -> Iterator[yaml.Node]:
    try:
        while loader.check_node():
            yield loader.get_node()
    finally:
        loader.dispose()


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._seen = 0

    def value(self, node: yaml.Node, path: Path, depth: int) -> Any:
        """Values below a node; notes their lines."""
        self._seen += 1
        if self._seen > _MOST_NODES or depth > _DEEPEST:
            raise TooLargeError(_TOO_LARGE)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(child, (*path, i), depth) for i, child in enumerate(node.value)]
        made = scalar(node.value, node.tag)
        if not isinstance(made, str) and made is not None:
            self._document.words[path] = node.value
        return made

    def _item(self, node: yaml.Node, path: Path, depth: int) -> Any:
        self._document.lines[path] = node.start_mark.line + 1
        return self.value(node, path, depth + 1)

    def _mapping(self, node: yaml.MappingNode, path: Path, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, child in node.value:
            if _is_merge(key):
                for source in child.value if isinstance(child, yaml.SequenceNode) else [child]:
                    found = self.value(source, path, depth + 1)
                    merged |= found if isinstance(found, dict) else {}
                continue
            name = _name(key)
            if name in made:
                self._document.repeated.append((*path, name))
            self._document.lines[(*path, name)] = key.start_mark.line + 1
            made[name] = self.value(child, (*path, name), depth + 1)
        return {**merged, **made}


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and (
        key.tag == _MERGE or (key.tag == _PLAIN and key.value == "<<")
    )


def _name(key: yaml.Node) -> str:
    """A key as JSON has it: numbers and booleans become their text."""
    if not isinstance(key, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, "a key must be a plain value", key.start_mark)
    made = scalar(key.value, key.tag)
    if isinstance(made, bool):
        return "true" if made else "false"
    return "null" if made is None else str(made)


def scalar(text: str, tag: str = _PLAIN) -> str | int | float | bool | None:
    """The value of a scalar: that of a plain one by its looks, otherwise the text."""
    if tag != _PLAIN:
        return _tagged(text, tag)
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text.lower() in _INFINITE:
        return float(_INFINITE[text.lower()])
    plain = text.replace("_", "") if text[:1] != "_" else text
    if _INTEGER.fullmatch(plain):
        return _integer(plain)
    return float(plain) if _FLOAT.fullmatch(plain) else text


def _tagged(text: str, tag: str) -> str | int | float | bool | None:
    kind = tag.removeprefix("tag:yaml.org,2002:")
    return scalar(text) if kind in {"int", "float", "bool", "null"} else text


def _integer(text: str) -> int | float:
    sign, digits = (-1 if text[0] == "-" else 1), text.lstrip("+-").lower()
    if len(digits) > _LONGEST:
        return sign * float("inf")
    for prefix, base in (("0x", 16), ("0b", 2), ("0o", 8)):
        if digits.startswith(prefix):
            return sign * (int(digits[2:], base) if digits[2:] else 0)
    return sign * int(digits, 8 if digits.startswith("0") and len(digits) > 1 else 10)
