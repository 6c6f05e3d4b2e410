"""Number and duration tokens to values."""

import re

from query.promql.ast import DurationNumber, NumberLiteral
from query.promql.errors import parse_error
from query.promql.tokens import DURATION, Token
from vigla.prometheus.durations import parse_duration

_HEXADECIMAL = re.compile(r"0[xX]")
_OCTAL = re.compile(r"0[0-7_]+")
_MAX_INTEGER = (1 << 63) - 1


def number_literal(token: Token) -> NumberLiteral:
    """The literal; a duration counts as its seconds.

    Raises:
        PromqlError: the duration is none, or the number too large.
    """
    return NumberLiteral(token.place, _value(token), token.kind == DURATION)


def duration_number(token: Token) -> DurationNumber:
    """The same literal where a duration is due; raises as ``number_literal`` does."""
    return DurationNumber(token.place, _value(token), token.kind != DURATION)


def _value(token: Token) -> float:
    if token.kind == DURATION:
        try:
            return parse_duration(token.text) / 1000
        except ValueError as error:
            raise parse_error(token.place, str(error)) from error
    return _number(token)


def _number(token: Token) -> float:
    text = token.text.replace("_", "")
    if _HEXADECIMAL.match(text):
        if "p" in text.lower():
            return float.fromhex(text)
        if int(text, 16) > _MAX_INTEGER:
            raise _wrong(token, "invalid syntax")
        return float(int(text, 16))
    if _OCTAL.fullmatch(token.text) and int(text, 8) <= _MAX_INTEGER:
        return float(int(text, 8))
    value = float(text)
    if value == float("inf") and text.lower() != "inf":
        raise _wrong(token, "value out of range")
    return value


def _wrong(token: Token, reason: str) -> Exception:
    message = f'error parsing number: strconv.ParseFloat: parsing "{token.text}": {reason}'
    return parse_error(token.place, message)
