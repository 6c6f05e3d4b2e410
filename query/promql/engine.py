"""PromQL queries over a source of series."""

from dataclasses import replace

import numpy as np

from query.promql.ast import AtBound, Expr, MatrixSelector, Subquery, ValueType, VectorSelector
from query.promql.context import Budget, Context, EngineOptions
from query.promql.durations import resolve
from query.promql.errors import PromqlError
from query.promql.evaluate import Evaluator
from query.promql.kernels.call import Floats, Ints
from query.promql.matrix import Matrix, Steps, Windows
from query.promql.merging import merged, named
from query.promql.parser import parse
from query.promql.results import Result, Scalars, Series, Text, Value, Vector
from query.promql.selection import rows, trimmed
from query.promql.series import SeriesSource
from query.promql.types import type_of
from query.promql.walk import transform
from vigla.storage.api import Stop

__all__ = ["Engine", "EngineOptions", "Result"]


_NOT_OVER_TIME: dict[ValueType, str] = {"string": "string", "matrix": "range vector"}


class Engine:
    """Evaluates queries; without state, so any number at once.

    Args:
        options: limits, and what Prometheus has as flags.
    """

    def __init__(self, options: EngineOptions | None = None) -> None:
        self.options = options or EngineOptions()

    def instant(self, source: SeriesSource, query: str | Expr, at: int, stop: Stop) -> Result:
        """The value at one time.

        Args:
            source: of the series.
            query: text, or what ``parse`` made of it.
            at: milliseconds since the epoch.
            stop: ends the evaluation.

        Raises:
            PromqlError: the text is wrong.
            ExecutionError: the series do not fit the query, or it would read too many samples.
            QueryStopped: by ``stop``.
        """
        times = np.array([at], np.int64)
        context = self._context(source, Steps(times, 0), stop, instant=True)
        return _result(context, self._prepared(query, at, at, 0))

    def range(  # noqa: PLR0913, PLR0917  as Prometheus' API has them
        self, source: SeriesSource, query: str | Expr, start: int, end: int, step: int, stop: Stop
    ) -> Result:
        """The values from ``start`` to ``end``, one each ``step`` (milliseconds); see ``instant``.

        Raises:
            PromqlError: also if the query gives a string or a range vector.
        """
        expr = self._prepared(query, start, end, step)
        if (kind := type_of(expr)) in _NOT_OVER_TIME:
            raise PromqlError(
                f'invalid expression type "{_NOT_OVER_TIME[kind]}" for range query, '
                "must be Scalar or instant Vector"
            )
        times = np.arange(start, end + 1, step, dtype=np.int64)
        context = self._context(source, Steps(times, step), stop, instant=False)
        context.budget.room(len(times))
        return _result(replace(context, start=start, end=end), expr)

    def _context(self, source: SeriesSource, steps: Steps, stop: Stop, *, instant: bool) -> Context:
        first, last = int(steps.times[0]), int(steps.times[-1])
        budget = Budget(self.options.max_samples)
        return Context(source, self.options, stop, steps, first, last, steps.interval, instant, budget)

    def _prepared(self, query: str | Expr, start: int, end: int, step: int) -> Expr:
        expr = parse(query) if isinstance(query, str) else query
        return transform(resolve(expr, start, end, step), lambda node: _bound(node, start, end))


def _bound(expr: Expr, start: int, end: int) -> Expr:
    """With the times that ``@ start()`` and ``@ end()`` stand for."""
    match expr:
        case MatrixSelector():
            vector = _bound(expr.vector, start, end)
            return replace(expr, vector=vector) if isinstance(vector, VectorSelector) else expr
        case VectorSelector() | Subquery() if isinstance(expr.at, AtBound):
            return replace(expr, at=start if expr.at is AtBound.START else end)
        case _:
            return expr


def _result(context: Context, expr: Expr) -> Result:
    value = _value(context, expr)
    notes = context.notes
    return Result(value, notes.warnings, notes.infos, context.budget.used)


def _value(context: Context, expr: Expr) -> Value:
    evaluator, times = Evaluator(context), context.steps.times
    if type_of(expr) == "matrix":
        return _range_vector(evaluator.windows(expr))
    found = evaluator.value(expr)
    if isinstance(found, str):
        return Text(int(times[0]), found)
    if not isinstance(found, Matrix):
        return Scalars(times, found) if context.instant else Series(times, _alone(found))
    matrix = named(found, drop=True)
    matrix = trimmed(merged(matrix))
    if context.instant:
        return Vector(int(times[0]), matrix)
    return Series(times, _sorted(matrix))


def _sorted(matrix: Matrix) -> Matrix:
    order = sorted(range(len(matrix.labels)), key=matrix.labels.__getitem__)
    return rows(matrix, np.array(order, np.int64))


def _alone(values: Floats) -> Matrix:
    present = np.ones((1, len(values)), np.bool_)
    return Matrix([()], values[None, :], present, None, np.zeros(1, np.bool_))


def _range_vector(windows: Windows) -> Series:
    """The samples of the one window that an instant query of a range vector has."""
    batch = windows.batch
    inside = [np.arange(a, b) for a, b in zip(windows.first[:, 0], windows.last[:, 0], strict=True)]
    index: Ints = np.concatenate(inside) if inside else np.zeros(0, np.int64)
    times, columns = np.unique(batch.times[index], return_inverse=True)
    series = np.repeat(np.arange(len(inside)), [len(each) for each in inside])
    shape = (len(inside), len(times))
    values, present = np.full(shape, np.nan), np.zeros(shape, np.bool_)
    values[series, columns] = batch.values[index]
    present[series, columns] = True
    histograms = None
    if batch.histograms is not None:
        histograms = np.full(shape, None, object)
        histograms[series, columns] = batch.histograms[index]
    unmarked = np.zeros(len(inside), np.bool_)
    return Series(times, _sorted(trimmed(Matrix(list(batch.labels), values, present, histograms, unmarked))))
