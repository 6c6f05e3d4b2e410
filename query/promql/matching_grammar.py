"""Grammar behind a binary operator: ``bool``, ``on``, ``ignoring``, ``group_left``, ``fill``."""

from dataclasses import dataclass

from query.promql.ast import Cardinality, Matching
from query.promql.literals import number_literal
from query.promql.selector_grammar import grouping_labels
from query.promql.token_stream import TokenStream
from query.promql.tokens import DURATION, NUMBER, SET_OPERATORS

_GROUPS: dict[str, Cardinality] = {"group_left": "many-to-one", "group_right": "one-to-many"}


@dataclass(frozen=True, slots=True)
class _Fill:
    left: float | None = None
    right: float | None = None


def matching(stream: TokenStream, operator: str) -> tuple[Matching, bool]:
    """The pairing that is written, as if both sides were vectors; and whether ``bool`` is."""
    return_bool = stream.accept("bool") is not None
    cardinality: Cardinality = "many-to-many" if operator in SET_OPERATORS else "one-to-one"
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    chosen = stream.accept("on", "ignoring")
    if chosen is not None:
        labels = grouping_labels(stream)
        group = stream.accept(*_GROUPS)
        if group is not None:
            cardinality = _GROUPS[group.kind]
            include = grouping_labels(stream) if stream.peek().kind == "(" else ()
    on = chosen is not None and chosen.kind == "on"
    fill = _fill(stream)
    return Matching(cardinality, labels, on, include, fill.left, fill.right), return_bool


def _fill(stream: TokenStream) -> _Fill:
    word = _fill_word(stream)
    if word is None:
        return _Fill()
    value = _fill_value(stream)
    if word == "fill":
        return _Fill(value, value)
    other = "fill_right" if word == "fill_left" else "fill_left"
    if _fill_word(stream, other) is None:
        return _Fill(left=value) if word == "fill_left" else _Fill(right=value)
    second = _fill_value(stream)
    return _Fill(value, second) if word == "fill_left" else _Fill(second, value)


def _fill_word(stream: TokenStream, *words: str) -> str | None:
    """The modifier that comes next, if any: without ``(`` behind it the word is a metric."""
    kind = stream.peek().kind
    if kind not in (words or ("fill", "fill_left", "fill_right")) or stream.peek(1).kind != "(":
        return None
    stream.take()
    return kind


def _fill_value(stream: TokenStream) -> float:
    stream.expect("(")
    sign = stream.accept("+", "-")
    token = stream.accept(NUMBER, DURATION)
    if token is None:
        raise stream.unexpected()
    stream.expect(")")
    value = number_literal(token).value
    return -value if sign is not None and sign.kind == "-" else value
