"""The same evaluation in other words: with ``@``, at other times, as a range query."""

from collections.abc import Iterator
from dataclasses import replace

from query.promql.ast import (
    AtBound,
    Call,
    Duration,
    DurationCall,
    DurationOperation,
    Expr,
    MatrixSelector,
    Subquery,
    VectorSelector,
)
from query.promql.walk import map_children, nodes
from tests.conformance.promqltest.script import Eval

_OF_THE_QUERY = frozenset({"start", "end", "step", "range"})
_TIMES_OF_THEIR_OWN = _OF_THE_QUERY | {
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "hour",
    "minute",
    "month",
    "predict_linear",
    "start_timestamp",
    "time",
    "timestamp",
    "year",
}


def at_variants(case: Eval, expr: Expr) -> Iterator[tuple[Expr, int]]:
    """Expressions pinned to the time of an instant query, and other times to evaluate them at."""
    if case.step is not None or _functions(expr) & _TIMES_OF_THEIR_OWN or _has_query_durations(expr):
        return
    pinned = pin(expr, case.end)
    times = {-1000, 0, 1000} if case.end == 0 else {-10 * case.end, 0, case.end // 5, case.end, 10 * case.end}
    for time in sorted(times):
        yield pinned, time


def can_be_range(case: Eval, expr: Expr) -> bool:
    """Whether the middle step of a range query must give what the instant query gives."""
    expected = case.expected
    shaped = expected.ordered or expected.string is not None or expected.range_vector is not None
    if case.step is not None or shaped or expected.fail is not None:
        return False
    return not (_functions(expr) & _OF_THE_QUERY or _has_bounds(expr) or _has_query_durations(expr))


def pin(expr: Expr, time: int) -> Expr:
    """``@ time`` on every selector and subquery without a time; not below a subquery that has one."""
    match expr:
        case VectorSelector() | Subquery():
            return replace(expr, at=time) if expr.at is None or isinstance(expr.at, AtBound) else expr
        case MatrixSelector():
            vector = pin(expr.vector, time)
            return replace(expr, vector=vector) if isinstance(vector, VectorSelector) else expr
        case _:
            return map_children(expr, lambda child: pin(child, time))


def _functions(expr: Expr) -> set[str]:
    return {node.function for node in nodes(expr) if isinstance(node, Call)}


def _has_bounds(expr: Expr) -> bool:
    return any(
        isinstance(node.at, AtBound) for node in nodes(expr) if isinstance(node, VectorSelector | Subquery)
    )


def _has_query_durations(expr: Expr) -> bool:
    found: list[Duration | None] = []
    for node in nodes(expr):
        if isinstance(node, MatrixSelector):
            found.append(node.range)
        elif isinstance(node, VectorSelector):
            found.append(node.offset)
        elif isinstance(node, Subquery):
            found += [node.range, node.step, node.offset]
    return any(map(_of_the_query, found))


def _of_the_query(duration: Duration | None) -> bool:
    match duration:
        case DurationCall():
            return duration.function in _OF_THE_QUERY or any(map(_of_the_query, duration.arguments))
        case DurationOperation():
            return _of_the_query(duration.left) or _of_the_query(duration.right)
        case _:
            return False
