"""Syntax tree of PromQL (grammar of Prometheus 3.14), with the place of each node in the text.

Times are milliseconds, durations seconds. A duration that is an expression (``[5m * 2]``, ``offset step()``)
stays a ``Duration`` node until ``durations.resolve`` knows the query's start, end and step.

Strings hold bytes that are no UTF-8 (the byte 0xff) as lone surrogates, as Python's ``surrogateescape`` does.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

ValueType = Literal["scalar", "vector", "matrix", "string"]
MatchOp = Literal["=", "!=", "=~", "!~"]
DurationOp = Literal["+", "-", "*", "/", "%", "^"]


@dataclass(frozen=True, slots=True)
class Place:
    """Half-open range of character offsets in the query text.

    Attributes:
        line, column: of ``start``, counted from 1; the column counts UTF-8 bytes, as Prometheus does.
    """

    start: int
    end: int
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Matcher:
    """Condition on one label; regular expressions are RE2, fully anchored, and ``.`` matches a newline."""

    name: str
    op: MatchOp
    value: str


@dataclass(frozen=True, slots=True)
class DurationNumber:
    """A literal duration: ``5m``, or a plain number of seconds."""

    place: Place
    seconds: float
    written_as_number: bool


@dataclass(frozen=True, slots=True)
class DurationCall:
    """``step()``, ``range()``, ``min_of(a, b)``, ``max_of(a, b)``."""

    place: Place
    function: Literal["step", "range", "min_of", "max_of"]
    arguments: tuple["Duration", ...] = ()
    in_parentheses: bool = False


@dataclass(frozen=True, slots=True)
class DurationOperation:
    """Arithmetic on durations; ``left`` is None for a unary sign."""

    place: Place
    op: DurationOp
    left: "Duration | None"
    right: "Duration"
    in_parentheses: bool = False


Duration = DurationNumber | DurationCall | DurationOperation


class AtBound(StrEnum):
    """``@ start()`` and ``@ end()``."""

    START = "start"
    END = "end"


At = int | AtBound
"""Evaluation time of a selector or subquery: milliseconds since the epoch, or a bound of the query."""


class Extension(StrEnum):
    """How a range treats samples around its bounds (``foo[5m] anchored``)."""

    ANCHORED = "anchored"
    SMOOTHED = "smoothed"


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A number, or a duration in place of one (then in seconds)."""

    place: Place
    value: float
    written_as_duration: bool = False


@dataclass(frozen=True, slots=True)
class StringLiteral:
    """A quoted string, its escapes resolved."""

    place: Place
    value: str


@dataclass(frozen=True, slots=True)
class VectorSelector:
    """``name{matchers} [anchored|smoothed] [@ at] [offset d]``.

    Attributes:
        name: written before the braces; empty for ``{"name"}``, which is a matcher only.
        matchers: all conditions, the one on ``__name__`` included, in the order written (name first).
    """

    place: Place
    name: str
    matchers: tuple[Matcher, ...]
    offset: Duration | None = None
    at: At | None = None
    extension: Extension | None = None


@dataclass(frozen=True, slots=True)
class MatrixSelector:
    """``selector[range]``; offset, ``@`` and extension are those of ``vector``."""

    place: Place
    vector: VectorSelector
    range: Duration


@dataclass(frozen=True, slots=True)
class Subquery:
    """``expr[range:step] [@ at] [offset d]``; ``step`` None means the default interval."""

    place: Place
    expr: "Expr"
    range: Duration
    step: Duration | None = None
    offset: Duration | None = None
    at: At | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; ``function`` is a name of ``signatures.SIGNATURES``."""

    place: Place
    function: str
    arguments: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Aggregation:
    """``op [by|without (grouping)] ([parameter,] expr)``; ``op`` is in lower case."""

    place: Place
    op: str
    expr: "Expr"
    parameter: "Expr | None" = None
    grouping: tuple[str, ...] = ()
    without: bool = False


Cardinality = Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"]


@dataclass(frozen=True, slots=True)
class Matching:
    """How the two sides of a binary operation are paired.

    Attributes:
        cardinality: ``many-to-one`` is ``group_left``; ``many-to-many`` the set operators.
        labels: of ``on`` or ``ignoring``.
        on: ``labels`` is the list to compare; else the list to leave out.
        include: labels that ``group_left``/``group_right`` copies from the one side.
        fill_left, fill_right: value in place of an absent partner; None leaves the element out.
    """

    cardinality: Cardinality = "one-to-one"
    labels: tuple[str, ...] = ()
    on: bool = False
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """``left op right``; ``op`` in lower case, ``matching`` is None unless both sides are vectors."""

    place: Place
    op: str
    left: "Expr"
    right: "Expr"
    return_bool: bool = False
    matching: Matching | None = None


@dataclass(frozen=True, slots=True)
class Unary:
    """``+expr`` or ``-expr``."""

    place: Place
    op: Literal["+", "-"]
    expr: "Expr"


@dataclass(frozen=True, slots=True)
class Paren:
    """``(expr)``."""

    place: Place
    expr: "Expr"


Expr = (
    NumberLiteral
    | StringLiteral
    | VectorSelector
    | MatrixSelector
    | Subquery
    | Call
    | Aggregation
    | Binary
    | Unary
    | Paren
)
