"""Syntax tree to PromQL on one line, as Prometheus writes it."""

import re
from collections.abc import Iterable

from query.promql.ast import (
    Aggregation,
    At,
    AtBound,
    Binary,
    Call,
    Duration,
    DurationCall,
    DurationNumber,
    Expr,
    Matcher,
    Matching,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from query.promql.gotext import quote
from query.promql.histograms.numbers import plain
from vigla.prometheus.durations import format_duration

_PLAIN_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def format_expr(expr: Expr) -> str:
    """The expression in Prometheus' spelling; parsing it gives the same tree, but for places."""
    match expr:
        case NumberLiteral():
            return _number(expr.value, as_duration=expr.written_as_duration)
        case StringLiteral():
            return quote(expr.value)
        case VectorSelector() | MatrixSelector():
            return _selector(expr)
        case Subquery():
            return format_expr(expr.expr) + format_subquery_range(expr)
        case _:
            return _operation(expr)


def format_aggregation_head(expr: Aggregation) -> str:
    """An aggregation up to its opening parenthesis."""
    if expr.without:
        return f"{expr.op} without ({_labels(expr.grouping)}) "
    return f"{expr.op} by ({_labels(expr.grouping)}) " if expr.grouping else expr.op


def format_operator(expr: Binary) -> str:
    """The operator with its modifiers, ``== bool on (a) group_left ()``."""
    text = expr.op + (" bool" if expr.return_bool else "")
    return text + ("" if expr.matching is None else _matching(expr.matching))


def format_subquery_range(expr: Subquery) -> str:
    """What is written behind a subquery's expression."""
    step = "" if expr.step is None else format_length(expr.step)
    return f"[{format_length(expr.range)}:{step}]{_at(expr.at)}{_offset(expr.offset)}"


def format_length(duration: Duration) -> str:
    """A range or a step; a number of seconds is written with units."""
    if isinstance(duration, DurationNumber):
        return format_duration(round(duration.seconds * 1000))
    return format_duration_expr(duration)


def format_duration_expr(duration: Duration) -> str:
    """A duration as part of an expression, in parentheses where it was."""
    match duration:
        case DurationNumber():
            return _number(duration.seconds, as_duration=not duration.written_as_number)
        case DurationCall():
            arguments = ", ".join(format_duration_expr(each) for each in duration.arguments)
            text = f"{duration.function}({arguments})"
        case _:
            right = format_duration_expr(duration.right)
            left = "" if duration.left is None else f"{format_duration_expr(duration.left)} "
            text = f"{left}{duration.op} {right}" if left else f"{duration.op}{right}"
    return f"({text})" if duration.in_parentheses else text


def _operation(expr: Call | Aggregation | Binary | Unary | Paren) -> str:
    match expr:
        case Call():
            arguments = ", ".join(format_expr(each) for each in expr.arguments)
            return f"{expr.function}({arguments})"
        case Aggregation():
            parameter = "" if expr.parameter is None else f"{format_expr(expr.parameter)}, "
            return f"{format_aggregation_head(expr)}({parameter}{format_expr(expr.expr)})"
        case Binary():
            return f"{format_expr(expr.left)} {format_operator(expr)} {format_expr(expr.right)}"
        case Unary():
            return f"{expr.op}{format_expr(expr.expr)}"
        case Paren():
            return f"({format_expr(expr.expr)})"


def _selector(expr: VectorSelector | MatrixSelector) -> str:
    length = f"[{format_length(expr.range)}]" if isinstance(expr, MatrixSelector) else ""
    vector = expr.vector if isinstance(expr, MatrixSelector) else expr
    extension = "" if vector.extension is None else f" {vector.extension}"
    # The order of Prometheus: the name, then the rest sorted.
    rest = sorted(map(_matcher, vector.matchers[1:] if vector.name else vector.matchers))
    braces = f"{{{','.join(rest)}}}" if rest else ""
    return f"{vector.name}{braces}{length}{extension}{_at(vector.at)}{_offset(vector.offset)}"


def _matcher(matcher: Matcher) -> str:
    return f"{_label(matcher.name)}{matcher.op}{quote(matcher.value)}"


def _label(label: str) -> str:
    return label if _PLAIN_LABEL.fullmatch(label) else quote(label)


def _labels(labels: Iterable[str]) -> str:
    return ", ".join(map(_label, labels))


def _number(value: float, *, as_duration: bool) -> str:
    return format_duration(round(value * 1000)) if as_duration else plain(value)


def _at(at: At | None) -> str:
    if at is None:
        return ""
    return f" @ {at}()" if isinstance(at, AtBound) else f" @ {at / 1000:.3f}"


def _offset(offset: Duration | None) -> str:
    if offset is None or (isinstance(offset, DurationNumber) and round(offset.seconds * 1000) == 0):
        return ""
    return f" offset {format_length(offset)}"


def _matching(matching: Matching) -> str:
    grouped = matching.cardinality in ("many-to-one", "one-to-many")
    text = ""
    if matching.labels or matching.on or grouped:
        text = f" {'on' if matching.on else 'ignoring'} ({_labels(matching.labels)})"
    if grouped:
        side = "left" if matching.cardinality == "many-to-one" else "right"
        text += f" group_{side} ({_labels(matching.include)})"
    return text + _fill(matching.fill_left, matching.fill_right)


def _fill(left: float | None, right: float | None) -> str:
    if left is not None and right is not None and plain(left) == plain(right):
        return f" fill ({plain(left)})"
    text = "" if left is None else f" fill_left ({plain(left)})"
    return text + ("" if right is None else f" fill_right ({plain(right)})")
