"""Grammar of durations: ``[5m * 2]``, ``[range():step()]``, ``offset -min_of(step(), 1m)``."""

from dataclasses import replace
from typing import Literal

from query.promql.ast import Duration, DurationCall, DurationNumber, DurationOp, DurationOperation, Place
from query.promql.errors import parse_error
from query.promql.literals import duration_number
from query.promql.token_stream import TokenStream
from query.promql.tokens import DURATION, NUMBER

MAX_DEPTH = 50
"""Levels of parentheses, signs and operators in one duration."""

_PRECEDENCE: dict[DurationOp, int] = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3}
_OPERATORS: dict[str, DurationOp] = {operator: operator for operator in _PRECEDENCE}
_CALLS: dict[str, tuple[Literal["step", "range", "min_of", "max_of"], int]] = {
    "step": ("step", 0),
    "range": ("range", 0),
    "min_of": ("min_of", 2),
    "max_of": ("max_of", 2),
}
_MAX_SECONDS = 2.0**63 / 1e9


def positive_duration(stream: TokenStream) -> Duration:
    """A range or a step.

    Raises:
        PromqlError: it is none, or a literal that is not positive.
    """
    duration = _expression(stream, 0, MAX_DEPTH)
    if isinstance(duration, DurationNumber) and duration.seconds <= 0:
        raise parse_error(duration.place, "duration must be greater than 0")
    return duration


def offset_duration(stream: TokenStream) -> Duration:
    """An offset: without parentheses only one number or call, with its sign."""
    sign = stream.accept("+", "-")
    operand = _operand(stream, MAX_DEPTH)
    return operand if sign is None else _signed(sign.place, sign.kind, operand)


def _expression(stream: TokenStream, minimum: int, depth: int) -> Duration:
    left = _signed_operand(stream, depth)
    while True:
        token = stream.peek()
        operator = _OPERATORS.get(token.kind)
        if operator is None or _PRECEDENCE[operator] < minimum:
            return left
        if depth == 0:
            raise parse_error(
                token.place, f"duration is nested more than {MAX_DEPTH} levels deep: shorten it"
            )
        depth -= 1
        stream.take()
        above = _PRECEDENCE[operator] + (operator != "^")
        right = _expression(stream, above, depth)
        if operator in ("/", "%") and isinstance(right, DurationNumber) and right.seconds == 0:
            raise parse_error(token.place, "division by zero" if operator == "/" else "modulo by zero")
        left = DurationOperation(_between(left.place, right.place), operator, left, right)


def _signed_operand(stream: TokenStream, depth: int) -> Duration:
    if depth == 0:
        where = stream.peek().place
        raise parse_error(where, f"duration is nested more than {MAX_DEPTH} levels deep: shorten it")
    sign = stream.accept("+", "-")
    if sign is None:
        return _operand(stream, depth)
    return _signed(sign.place, sign.kind, _expression(stream, _PRECEDENCE["^"], depth - 1))


def _operand(stream: TokenStream, depth: int) -> Duration:
    token = stream.accept(NUMBER, DURATION, "(", *_CALLS)
    if token is None:
        raise stream.unexpected()
    if token.kind in (NUMBER, DURATION):
        return _checked(duration_number(token))
    if token.kind == "(":
        inner = _expression(stream, 0, depth - 1)
        stream.expect(")")
        if isinstance(inner, DurationNumber):
            return inner
        return replace(inner, in_parentheses=True, place=stream.since(token.place))
    function, count = _CALLS[token.kind]
    stream.expect("(")
    arguments = []
    for index in range(count):
        if index:
            stream.expect(",")
        arguments.append(_expression(stream, 0, depth - 1))
    stream.expect(")")
    return DurationCall(stream.since(token.place), function, tuple(arguments))


def _signed(place: Place, sign: str, operand: Duration) -> Duration:
    where = _between(place, operand.place)
    if isinstance(operand, DurationNumber):
        seconds = -operand.seconds if sign == "-" else operand.seconds
        return DurationNumber(where, seconds, operand.written_as_number)
    return DurationOperation(where, "-", None, operand) if sign == "-" else operand


def _checked(number: DurationNumber) -> DurationNumber:
    if not -_MAX_SECONDS <= number.seconds <= _MAX_SECONDS:
        raise parse_error(number.place, "duration out of range")
    return number


def _between(first: Place, last: Place) -> Place:
    return Place(first.start, last.end, first.line, first.column)
