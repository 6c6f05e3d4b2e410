"""YAML whose errors name line and column, and whose unknown fields are refused."""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml


class YamlError(ValueError):
    """The document is not what is expected; the message begins with ``line:column``."""


def read(text: str) -> "Reader":
    """The mapping that a document is; an empty document is an empty mapping.

    Raises:
        YamlError: it is no mapping.
        yaml.YAMLError: it is no YAML.
    """
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return Reader(node if node is not None else yaml.MappingNode("map", []))


@dataclass(frozen=True, slots=True)
class Reader:
    """A mapping."""

    node: yaml.Node

    @property
    def place(self) -> str:
        """``line:column``, from 1."""
        return _place(self.node)

    def only(self, *names: str) -> None:
        """Refuse fields that are not among these.

        Raises:
            YamlError: there is one, or a field twice.
        """
        seen: set[str] = set()
        for key, _ in self.pairs():
            if key.value not in names:
                raise YamlError(f"{_place(key)}: field {key.value} not found; known are {', '.join(names)}")
            if key.value in seen:
                raise YamlError(f"{_place(key)}: field {key.value} is given twice")
            seen.add(key.value)

    def has(self, name: str) -> bool:
        """Whether a field is given."""
        return self._find(name) is not None

    def text(self, name: str) -> str:
        """A scalar as written; empty if it is not given.

        Raises:
            YamlError: it is no scalar.
        """
        node = self._find(name)
        return "" if node is None else _scalar(node, name)

    def number(self, name: str) -> int:
        """A whole number that is not negative; 0 if it is not given.

        Raises:
            YamlError: it is none.
        """
        text = self.text(name)
        if text and not text.isdigit():
            raise YamlError(f"{self.place}: {name}: {text} is no whole number")
        return int(text or 0)

    def texts(self, name: str) -> dict[str, str]:
        """A mapping of scalars.

        Raises:
            YamlError: it is something else.
        """
        node = self._find(name)
        if node is None:
            return {}
        return {key.value: _scalar(value, key.value) for key, value in Reader(node).pairs()}

    def items(self, name: str) -> "Iterator[Reader]":
        """The mappings of a sequence.

        Raises:
            YamlError: it is no sequence of mappings.
        """
        for node in self.nodes(name):
            yield Reader(node)

    def nodes(self, name: str) -> list[yaml.Node]:
        """The elements of a sequence.

        Raises:
            YamlError: it is no sequence.
        """
        node = self._find(name)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise YamlError(f"{_place(node)}: {name}: expected a list")
        return list(node.value)

    def _find(self, name: str) -> yaml.Node | None:
        for key, value in self.pairs():
            empty = isinstance(value, yaml.ScalarNode) and value.tag.endswith(":null")
            if key.value == name and not empty:
                return value
        return None

    def pairs(self) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        """Keys and values in their order.

        Raises:
            YamlError: it is no mapping.
        """
        if not isinstance(self.node, yaml.MappingNode):
            raise YamlError(f"{self.place}: expected a mapping")
        return list(self.node.value)


def _scalar(node: yaml.Node, name: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise YamlError(f"{_place(node)}: {name}: expected a text")
    return str(node.value)


def _place(node: yaml.Node) -> str:
    if node.start_mark is None:
        return "1:1"
    return f"{node.start_mark.line + 1}:{node.start_mark.column + 1}"
