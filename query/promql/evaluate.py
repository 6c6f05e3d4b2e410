"""Evaluation of a syntax tree, all series and steps at once."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from query.promql import binary, calls, selection
from query.promql.aggregate import aggregate, count_values
from query.promql.ast import (
    Aggregation,
    Binary,
    Call,
    DurationNumber,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from query.promql.choosing import choose
from query.promql.context import Context
from query.promql.errors import ExecutionError
from query.promql.gotext import quote
from query.promql.histogram import Histogram, filled
from query.promql.histograms.arithmetic import negate
from query.promql.kernels.call import Floats, Ints, Objects
from query.promql.matrix import Matrix, Steps, Windows
from query.promql.operators import SET_OPERATORS, floats
from query.promql.selection import milliseconds, windows_of
from query.promql.series import SeriesBatch
from query.promql.signatures import DATE_FUNCTIONS
from query.promql.walk import children, nodes

Value = Matrix | Floats | str
"""A vector at each step, a number at each step (float64 [T]), or a string."""

_OF_THEIR_OWN_TIME = {
    *DATE_FUNCTIONS,
    "end",
    "predict_linear",
    "range",
    "start",
    "start_timestamp",
    "step",
    "time",
    "timestamp",
}
_OF_BUCKETS = frozenset({"histogram_fraction", "histogram_quantile", "histogram_quantiles"})
_CHOOSING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})


class Evaluator:
    """Evaluates at the steps of one context."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def value(self, expr: Expr) -> Value:
        """The value of an expression that is no range vector.

        Raises:
            ExecutionError: the series do not fit the expression.
            QueryStopped: the query was stopped.
        """
        self.context.stop.check()
        if self.context.size > 1 and _fixed(expr):
            first = Steps(self.context.steps.times[:1], self.context.steps.interval)
            return _repeated(Evaluator(self.context.at(first)).fresh(expr), self.context.size)
        return self.fresh(expr)

    def vector(self, expr: Expr) -> Matrix:
        """The value of an expression of type instant vector."""
        found = self.value(expr)
        if not isinstance(found, Matrix):
            raise TypeError(f"{type(expr).__name__} is no vector")  # the parser checks types
        return found

    def scalar(self, expr: Expr) -> Floats:
        """Float64 [T]: the value of an expression of type scalar."""
        found = self.value(expr)
        if not isinstance(found, np.ndarray):
            raise TypeError(f"{type(expr).__name__} is no scalar")
        return found

    def text(self, expr: Expr) -> str:
        """The value of an expression of type string."""
        found = self.value(expr)
        if not isinstance(found, str):
            raise TypeError(f"{type(expr).__name__} is no string")
        return found

    def windows(self, expr: Expr) -> Windows:
        """The samples of an expression of type range vector."""
        match expr:
            case Paren():
                return self.windows(expr.expr)
            case MatrixSelector():
                return selection.windows(self.context, expr)
            case Subquery():
                return self._subquery(expr)
            case _:
                raise TypeError(f"{type(expr).__name__} is no range vector")

    def detecting(self, expr: Expr) -> "Evaluator":
        """The evaluator that finds counter resets of histograms by comparing them, where that is done."""
        detect = not any(map(_needs_stored_hints, nodes(expr)))
        return Evaluator(replace(self.context, detect_resets=detect))

    def named_away(self, matrix: Matrix) -> Matrix:
        """A result that is another metric: names are marked, or go at once."""
        marked = replace(matrix, drop_name=np.ones(len(matrix.labels), np.bool_))
        return calls.settled(self.context, marked)

    def fresh(self, expr: Expr) -> Value:  # noqa: PLR0911  one for each kind of node
        """The value, worked out at each step."""
        match expr:
            case NumberLiteral():
                return np.full(self.context.size, expr.value)
            case StringLiteral():
                return expr.value
            case Paren():
                return self.value(expr.expr)
            case VectorSelector():
                return selection.vector(self.context, expr)
            case Unary():
                return self._unary(expr)
            case Binary():
                return self._binary(expr)
            case Aggregation():
                return self._aggregation(expr)
            case Call():
                return calls.call(self, expr)
            case _:
                raise TypeError(f"{type(expr).__name__} is a range vector")

    def _unary(self, expr: Unary) -> Value:
        found = self.value(expr.expr)
        if expr.op == "+" or isinstance(found, str):
            return found
        if not isinstance(found, Matrix):
            return -found
        histograms = None
        if found.histograms is not None:
            histograms = _each(found.histograms, negate)
        return self.named_away(replace(found, values=-found.values, histograms=histograms))

    def _binary(self, expr: Binary) -> Value:
        left, right = self.value(expr.left), self.value(expr.right)
        if not isinstance(left, Matrix) and not isinstance(right, Matrix):
            return floats(expr.op, _number(left), _number(right))
        if isinstance(left, Matrix) and isinstance(right, Matrix):
            if expr.op in SET_OPERATORS:
                return binary.set_operation(expr, left, right)
            return calls.settled(self.context, binary.between_vectors(self.context, expr, left, right))
        if isinstance(left, Matrix):
            made = binary.with_scalar(self.context, expr, left, _number(right), swapped=False)
        elif isinstance(right, Matrix):
            made = binary.with_scalar(self.context, expr, right, _number(left), swapped=True)
        return calls.settled(self.context, made)

    def _aggregation(self, expr: Aggregation) -> Matrix:
        if expr.op == "count_values" and expr.parameter is not None:
            label = self.text(expr.parameter)
            if not label or any("\ud800" <= c <= "\udfff" for c in label):
                raise ExecutionError(f"invalid label name {quote(label)}")
            return count_values(expr, self.vector(expr.expr), label)
        parameter = None if expr.parameter is None else self.scalar(expr.parameter)
        vector = self.vector(expr.expr)
        if expr.op in _CHOOSING and parameter is not None:
            return choose(self.context, expr, vector, parameter)
        return aggregate(self.context, expr, vector, parameter)

    def _subquery(self, expr: Subquery) -> Windows:
        context = self.context
        if not isinstance(expr.range, DurationNumber):
            raise TypeError("durations are resolved before")
        length = milliseconds(expr.range)
        interval = milliseconds(expr.step) if isinstance(expr.step, DurationNumber) else 0
        interval = interval or context.options.default_step_ms
        ends = context.steps.times
        if expr.at is not None:
            ends = np.full(len(ends), int(expr.at), np.int64)
        if isinstance(expr.offset, DurationNumber):
            ends = ends - milliseconds(expr.offset)
        first = (int(ends.min()) - length) // interval * interval + interval
        count = max((int(ends.max()) - first) // interval + 1, 0)
        context.budget.room(count)
        steps = Steps(first + interval * np.arange(count, dtype=np.int64), interval)
        if not count:
            return windows_of(context, _samples(steps.times, context.at(steps).empty()), ends, length)
        inner = Evaluator(replace(context.at(steps), instant=False)).vector(expr.expr)
        return windows_of(context, _samples(steps.times, inner), ends, length)


def _number(value: Value) -> Floats:
    if not isinstance(value, np.ndarray):
        raise TypeError("no scalar")
    return value


def _fixed(expr: Expr) -> bool:
    """Whether the value is the same at each step: all selectors have a time of their own."""
    found = False
    waiting: list[Expr] = [expr]
    while waiting:
        node = waiting.pop()
        match node:
            case Call() if node.function in _OF_THEIR_OWN_TIME:
                return False
            case VectorSelector():
                if node.at is None:
                    return False
                found = True
            case MatrixSelector():
                if node.vector.at is None:
                    return False
                found = True
            case Subquery():
                if node.at is None:
                    return False
                found = True
            case _:
                waiting.extend(children(node))
    return found


def _needs_stored_hints(expr: Expr) -> bool:
    """Whether buckets are needed below, for which Prometheus reads whole histograms."""
    if isinstance(expr, Call):
        return expr.function in _OF_BUCKETS
    return isinstance(expr, Subquery) or (isinstance(expr, Binary) and expr.op in ("</", ">/"))


def _repeated(value: Value, size: int) -> Value:
    if isinstance(value, str):
        return value
    if not isinstance(value, Matrix):
        return np.repeat(value, size)
    histograms = None if value.histograms is None else np.repeat(value.histograms, size, axis=1)
    return replace(
        value,
        values=np.repeat(value.values, size, axis=1),
        present=np.repeat(value.present, size, axis=1),
        histograms=histograms,
    )


def _samples(times: Ints, matrix: Matrix) -> SeriesBatch:
    """The elements of a vector over time as samples."""
    present = matrix.present
    offsets = np.concatenate(([0], np.cumsum(present.sum(axis=1), dtype=np.int64)))
    return SeriesBatch(
        labels=matrix.labels,
        offsets=offsets,
        times=np.broadcast_to(times, present.shape)[present],
        values=matrix.values[present],
        histograms=None if matrix.histograms is None else _unknown_hints(matrix.histograms[present]),
    )


def _unknown_hints(histograms: Objects) -> Objects:
    """What the store knew of resets does not hold between the steps of a subquery."""
    made: Objects = histograms.copy()
    for place, histogram in enumerate(made.tolist()):
        if isinstance(histogram, Histogram) and histogram.hint in ("reset", "not_reset"):
            made[place] = replace(histogram, hint="unknown")
    return made


def _each(histograms: Objects, change: Callable[[Histogram], Histogram]) -> Objects:
    made: Objects = np.full(histograms.shape, None, object)
    for row, step in np.argwhere(filled(histograms)).tolist():
        made[row, step] = change(histograms[row, step])
    return made
