"""Grammar behind a selector: ``[5m]``, ``[1h:1m]``, ``offset``, ``@``, ``anchored``, ``smoothed``."""

import math
from dataclasses import replace

from query.promql.ast import (
    At,
    AtBound,
    Expr,
    Extension,
    MatrixSelector,
    Place,
    Subquery,
    VectorSelector,
)
from query.promql.duration_grammar import offset_duration, positive_duration
from query.promql.errors import parse_error
from query.promql.histograms.numbers import plain
from query.promql.literals import number_literal
from query.promql.token_stream import TokenStream
from query.promql.tokens import BOUNDS, DURATION, NUMBER, Token

_DURATION = "number, duration, step(), or range()"
_MAX_SECONDS = 2.0**63


def with_postfixes(stream: TokenStream, expr: Expr) -> Expr:
    """The expression with all that is written behind it."""
    while token := stream.accept("[", "offset", "@", "anchored", "smoothed"):
        if token.kind == "[":
            expr = _range(stream, expr, token)
        elif token.kind == "offset":
            expr = _with_offset(stream, expr)
        elif token.kind == "@":
            expr = _with_at(stream, expr)
        else:
            expr = _with_extension(stream, expr, Extension(token.kind))
    return expr


def _range(stream: TokenStream, expr: Expr, bracket: Token) -> Expr:
    with stream.inside("subquery or range selector", _DURATION):
        duration = positive_duration(stream)
    if stream.accept("]"):
        if not isinstance(expr, VectorSelector):
            raise parse_error(bracket.place, "ranges only allowed for vector selectors")
        if expr.offset is not None:
            raise parse_error(bracket.place, "no offset modifiers allowed before range")
        if expr.at is not None:
            raise parse_error(bracket.place, "no @ modifiers allowed before range")
        return MatrixSelector(stream.since(expr.place), expr, duration)
    if not stream.accept(":"):
        raise stream.unexpected("subquery or range", '":" or "]"')
    if stream.accept("]"):
        return Subquery(stream.since(expr.place), expr, duration)
    with stream.inside("subquery selector", 'number, duration, step(), range(), or "]"'):
        step = positive_duration(stream)
    if not stream.accept("]"):
        raise stream.unexpected("subquery selector", '"]"')
    return Subquery(stream.since(expr.place), expr, duration, step)


def _with_offset(stream: TokenStream, expr: Expr) -> Expr:
    with stream.inside("offset", _DURATION):
        offset = offset_duration(stream)
    selector = expr.vector if isinstance(expr, MatrixSelector) else expr
    if not isinstance(selector, VectorSelector | Subquery):
        raise parse_error(
            expr.place,
            "offset modifier must be preceded by an instant vector selector or range vector selector "
            "or a subquery",
        )
    if selector.offset is not None:
        raise parse_error(expr.place, "offset may not be set multiple times")
    return _changed(expr, replace(selector, offset=offset), stream.since(expr.place))


def _with_at(stream: TokenStream, expr: Expr) -> Expr:
    with stream.inside("@", "timestamp"):
        at = _at(stream, expr.place)
    selector = expr.vector if isinstance(expr, MatrixSelector) else expr
    if not isinstance(selector, VectorSelector | Subquery):
        raise parse_error(
            expr.place,
            "@ modifier must be preceded by an instant vector selector, range vector selector, or a subquery",
        )
    if selector.at is not None:
        raise parse_error(expr.place, "@ <timestamp> may not be set multiple times")
    return _changed(expr, replace(selector, at=at), stream.since(expr.place))


def _at(stream: TokenStream, selector: Place) -> At:
    bound = stream.accept(*BOUNDS)
    if bound is not None:
        stream.expect("(")
        stream.expect(")")
        return AtBound(bound.kind)
    sign = stream.accept("+", "-")
    token = stream.accept(NUMBER, DURATION)
    if token is None:
        raise stream.unexpected()
    seconds = number_literal(token).value * (-1 if sign is not None and sign.kind == "-" else 1)
    if not -_MAX_SECONDS < seconds < _MAX_SECONDS:
        shown = f"{seconds:.6f}" if math.isfinite(seconds) else plain(seconds)
        raise parse_error(selector, f"timestamp out of bounds for @ modifier: {shown}")
    return int(math.copysign(math.floor(abs(seconds * 1000) + 0.5), seconds))


def _with_extension(stream: TokenStream, expr: Expr, extension: Extension) -> Expr:
    selector = expr.vector if isinstance(expr, MatrixSelector) else expr
    if isinstance(selector, Subquery):
        raise parse_error(expr.place, f"{extension} modifier is not supported for subqueries")
    if not isinstance(selector, VectorSelector):
        raise parse_error(expr.place, f"{extension} modifier not implemented")
    if selector.extension not in (None, extension):
        raise parse_error(expr.place, "anchored and smoothed modifiers cannot be used together")
    return _changed(expr, replace(selector, extension=extension), stream.since(expr.place))


def _changed(expr: Expr, selector: VectorSelector | Subquery, place: Place) -> Expr:
    if isinstance(expr, MatrixSelector) and isinstance(selector, VectorSelector):
        return replace(expr, vector=selector, place=place)
    return replace(selector, place=place)
