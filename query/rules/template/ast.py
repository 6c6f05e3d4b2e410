"""A parsed template. Source: Go's package documentation of text/template."""

from dataclasses import dataclass
from typing import TypeAlias


class TemplateError(ValueError):
    """A template does not parse, or cannot be expanded."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; None is ``nil``."""

    value: str | float | bool | None


@dataclass(frozen=True, slots=True)
class Dot:
    """``.``."""


@dataclass(frozen=True, slots=True)
class Variable:
    """``$name``; the empty name is the data that the template began with."""

    name: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Field:
    """``base.name``."""

    base: "Operand"
    name: str


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands, each given what the one before it made; the last value is set to a variable, or used.

    Attributes:
        commands: each an operand with its arguments.
        names: variables that are set; two in ``range $index, $element := ...``.
        declares: the variables are new (``:=``).
    """

    commands: tuple[tuple["Operand", ...], ...]
    names: tuple[str, ...] = ()
    declares: bool = False


Operand: TypeAlias = Literal | Dot | Variable | Function | Field | Pipe


@dataclass(frozen=True, slots=True)
class Text:
    """Text between actions."""

    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """An action whose value is written."""

    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Branch:
    """``if``, ``with`` or ``range`` (``kind``), with what ``else`` has."""

    kind: str
    pipe: Pipe
    body: "Body"
    other: "Body"


@dataclass(frozen=True, slots=True)
class Jump:
    """``break`` or ``continue``."""

    kind: str


@dataclass(frozen=True, slots=True)
class Call:
    """``template "name" pipe``."""

    name: str
    pipe: Pipe | None


Node: TypeAlias = Text | Output | Branch | Jump | Call
Body: TypeAlias = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A body, and those that ``define`` gives a name."""

    body: Body
    defined: dict[str, Body]
