"""Syntax tree to JSON, as Prometheus' ``/api/v1/parse_query`` gives it."""

from collections.abc import Mapping

from query.promql.ast import (
    Aggregation,
    At,
    AtBound,
    Binary,
    Call,
    Duration,
    DurationNumber,
    Expr,
    Extension,
    Matching,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from query.promql.histograms.numbers import plain
from query.promql.printer import format_duration_expr
from query.promql.signatures import SIGNATURES
from vigla.prometheus.regex import utf8

Json = Mapping[str, object]


def tree_json(expr: Expr) -> Json:
    """The tree as JSON values; durations and times in milliseconds.

    A duration that is an expression is 0 there and text in a field of its own (``rangeExpr``).
    """
    match expr:
        case NumberLiteral():
            return {"type": "numberLiteral", "val": plain(expr.value)}
        case StringLiteral():
            return {"type": "stringLiteral", "val": utf8(expr.value)}
        case Paren():
            return {"type": "parenExpr", "expr": tree_json(expr.expr)}
        case Unary():
            return {"type": "unaryExpr", "op": expr.op, "expr": tree_json(expr.expr)}
        case VectorSelector() | MatrixSelector() | Subquery():
            return _selection(expr)
        case _:
            return _operation(expr)


def _selection(expr: VectorSelector | MatrixSelector | Subquery) -> Json:
    if isinstance(expr, VectorSelector):
        return {"type": "vectorSelector", **_selector(expr)}
    if isinstance(expr, MatrixSelector):
        return {"type": "matrixSelector", **_selector(expr.vector), **_duration("range", expr.range)}
    return {
        "type": "subquery",
        "expr": tree_json(expr.expr),
        **_duration("range", expr.range),
        **_duration("step", expr.step),
        **_duration("offset", expr.offset),
        **_at(expr.at),
    }


def _operation(expr: Call | Aggregation | Binary) -> Json:
    if isinstance(expr, Call):
        return _call(expr)
    if isinstance(expr, Aggregation):
        return {
            "type": "aggregation",
            "op": expr.op,
            "expr": tree_json(expr.expr),
            "param": None if expr.parameter is None else tree_json(expr.parameter),
            "grouping": [utf8(label) for label in expr.grouping],
            "without": expr.without,
        }
    return {
        "type": "binaryExpr",
        "op": expr.op,
        "lhs": tree_json(expr.left),
        "rhs": tree_json(expr.right),
        "matching": None if expr.matching is None else _matching(expr.matching),
        "bool": expr.return_bool,
    }


def _call(expr: Call) -> Json:
    signature = SIGNATURES[expr.function]
    function = {
        "name": signature.name,
        "argTypes": list(signature.arguments),
        "variadic": signature.variadic,
        "returnType": signature.returns,
    }
    return {"type": "call", "func": function, "args": [tree_json(each) for each in expr.arguments]}


def _matching(matching: Matching) -> Json:
    found: dict[str, object] = {
        "card": matching.cardinality,
        "labels": list(matching.labels),
        "on": matching.on,
        "include": list(matching.include),
    }
    if (matching.fill_left, matching.fill_right) != (None, None):
        found["fillValues"] = {"lhs": _fill(matching.fill_left), "rhs": _fill(matching.fill_right)}
    return found


def _fill(value: float | None) -> str | None:
    return None if value is None else plain(value)


def _selector(vector: VectorSelector) -> Json:
    # Prometheus puts the matcher of a name outside the braces last.
    matchers = (*vector.matchers[1:], vector.matchers[0]) if vector.name else vector.matchers
    return {
        "name": vector.name,
        **_duration("offset", vector.offset),
        "matchers": [
            {"name": utf8(each.name), "type": each.op, "value": utf8(each.value)} for each in matchers
        ],
        **_at(vector.at),
        "anchored": vector.extension is Extension.ANCHORED,
        "smoothed": vector.extension is Extension.SMOOTHED,
    }


def _at(at: At | None) -> Json:
    bound = at.value if isinstance(at, AtBound) else None
    return {"timestamp": None if isinstance(at, AtBound) else at, "startOrEnd": bound}


def _duration(name: str, duration: Duration | None) -> Json:
    if duration is None:
        return {name: 0}
    if isinstance(duration, DurationNumber):
        return {name: round(duration.seconds * 1000)}
    return {name: 0, f"{name}Expr": format_duration_expr(duration)}
