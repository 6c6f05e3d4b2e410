"""Function calls: which function gets what, and what becomes of names."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np

from query.promql import label_functions, selection
from query.promql.ast import Call, Expr, Extension, MatrixSelector, Paren, VectorSelector
from query.promql.context import Context
from query.promql.errors import ExecutionError
from query.promql.histogram import filled
from query.promql.histograms import functions as of_histograms
from query.promql.histograms.functions import Places
from query.promql.info import info
from query.promql.kernels.call import Bools, Floats, RangeCall
from query.promql.kernels.instant import INSTANT_FUNCTIONS
from query.promql.kernels.notes import ArgumentError
from query.promql.kernels.table import ANCHORED_FUNCTIONS, RANGE_FUNCTIONS, SMOOTHED_FUNCTIONS, evaluate
from query.promql.labelsets import NAME
from query.promql.matrix import Matrix, Windows
from query.promql.merging import named
from query.promql.selection import rows, trimmed
from query.promql.series import Labels
from query.promql.signatures import SIGNATURES

KEEP_NAMES = frozenset({"first_over_time", "last_over_time"})
_SORTS = "sort is ineffective for range queries since results are always ordered by labels"
_EXTENSIBLE = {Extension.ANCHORED: ANCHORED_FUNCTIONS, Extension.SMOOTHED: SMOOTHED_FUNCTIONS}


class Evaluating(Protocol):
    """What functions ask of the evaluator."""

    context: Context

    def vector(self, expr: Expr) -> Matrix:
        """Of an argument."""

    def scalar(self, expr: Expr) -> Floats:
        """Of an argument, float64 [T]."""

    def text(self, expr: Expr) -> str:
        """Of an argument."""

    def windows(self, expr: Expr) -> Windows:
        """Of an argument."""

    def detecting(self, expr: Expr) -> "Evaluating":
        """The evaluator that finds counter resets of histograms by comparing them, where that is done."""


Function = Callable[[Evaluating, Call], Matrix | Floats]


def call(evaluator: Evaluating, expr: Call) -> Matrix | Floats:
    """The value of a function call: a vector or, at each step, a number."""
    name = expr.function
    if name in _FUNCTIONS:
        return _FUNCTIONS[name](evaluator, expr)
    if name in RANGE_FUNCTIONS:
        return _range(evaluator, expr)
    return _instant(evaluator, expr)


def settled(context: Context, matrix: Matrix) -> Matrix:
    """Names that are marked go at once, unless the engine takes them away at the end."""
    return named(matrix, drop=not context.options.delayed_name_removal)


def _other_metric(evaluator: Evaluating, matrix: Matrix) -> Matrix:
    marked = np.ones(len(matrix.labels), np.bool_)
    return settled(evaluator.context, replace(matrix, drop_name=marked))


def bare(expr: Expr) -> Expr:
    """Without parentheses around it."""
    while isinstance(expr, Paren):
        expr = expr.expr
    return expr


def _range(evaluator: Evaluating, expr: Call) -> Matrix:
    context = evaluator.context
    range_at = SIGNATURES[expr.function].arguments.index("matrix")
    argument = expr.arguments[range_at]
    selector = bare(argument)
    extension = selector.vector.extension if isinstance(selector, MatrixSelector) else None
    if extension is not None and expr.function not in _EXTENSIBLE[extension]:
        allowed = ", ".join(sorted(_EXTENSIBLE[extension]))
        raise ExecutionError(
            f"{extension} modifier can only be used with: {allowed} - not with {expr.function}"
        )
    scalars = [a for i, a in enumerate(expr.arguments) if i != range_at]
    found = evaluator.windows(argument)
    if not found.batch.labels:
        return context.empty()
    range_call = RangeCall(
        found,
        context.steps.times,
        context.notes,
        argument.place,
        tuple(evaluator.scalar(a) for a in scalars),
        scalars[0].place if scalars else None,
        extension,
        context.options.lookback_ms,
        context.options.use_start_times,
    )
    try:
        result = evaluate(expr.function, range_call)
    except ArgumentError as error:
        raise ExecutionError(str(error)) from error
    marked = np.full(len(found.batch.labels), expr.function not in KEEP_NAMES)
    matrix = Matrix(list(found.batch.labels), result.values, result.present, result.histograms, marked)
    return settled(context, trimmed(matrix))


def _instant(evaluator: Evaluating, expr: Call) -> Matrix:
    name, context = expr.function, evaluator.context
    function = INSTANT_FUNCTIONS[name]
    if not expr.arguments:  # a date function, of the time of evaluation
        vector = _constant(context, context.steps.times / 1000.0)
    else:
        vector = evaluator.vector(expr.arguments[0])
    scalars = [evaluator.scalar(a) for a in expr.arguments[1:]]
    present = _numbers(vector)
    if name == "clamp":
        present = np.asarray(present & ~(scalars[0] > scalars[1]), np.bool_)
    values = function(vector.values, *scalars)
    made = Matrix(vector.labels, values, present, None, vector.drop_name)
    return _other_metric(evaluator, trimmed(made))


def _numbers(vector: Matrix) -> Bools:
    """Where elements are numbers."""
    if vector.histograms is None:
        return vector.present
    return np.asarray(vector.present & ~filled(vector.histograms), np.bool_)


def _constant(context: Context, values: Floats, labels: Labels = ()) -> Matrix:
    """One series of these values."""
    present = np.ones((1, context.size), np.bool_)
    return Matrix([labels], values[None, :], present, None, np.zeros(1, np.bool_))


def _scalar(evaluator: Evaluating, expr: Call) -> Floats:
    vector = evaluator.vector(expr.arguments[0])
    present = _numbers(vector)
    alone = present.sum(axis=0) == 1
    if not len(vector.labels):
        return np.full(evaluator.context.size, np.nan)
    values = np.take_along_axis(vector.values, present.argmax(axis=0)[None, :], axis=0)[0]
    return np.where(alone, values, np.nan)


def _vector(evaluator: Evaluating, expr: Call) -> Matrix:
    return _constant(evaluator.context, evaluator.scalar(expr.arguments[0]))


def _time(evaluator: Evaluating, expr: Call) -> Floats:
    del expr
    return evaluator.context.steps.times / 1000.0


def _timestamp(evaluator: Evaluating, expr: Call) -> Matrix:
    argument = bare(expr.arguments[0])
    if isinstance(argument, VectorSelector):
        return _other_metric(evaluator, selection.sample_times(evaluator.context, argument))
    vector = evaluator.vector(argument)
    times = np.broadcast_to(evaluator.context.steps.times / 1000.0, vector.values.shape)
    return _other_metric(evaluator, replace(vector, values=times, histograms=None))


def _start_timestamp(evaluator: Evaluating, expr: Call) -> Matrix:
    argument = bare(expr.arguments[0])
    if isinstance(argument, VectorSelector):
        return _other_metric(evaluator, selection.start_times(evaluator.context, argument))
    return evaluator.context.empty()  # expressions do not know when their counters began


def _absent(evaluator: Evaluating, expr: Call) -> Matrix:
    vector = evaluator.vector(expr.arguments[0])
    return _where_nothing(evaluator.context, vector.present, bare(expr.arguments[0]))


def _absent_over_time(evaluator: Evaluating, expr: Call) -> Matrix:
    found = evaluator.windows(expr.arguments[0])
    return _where_nothing(evaluator.context, found.last > found.first, bare(expr.arguments[0]))


def _where_nothing(context: Context, present: Bools, argument: Expr) -> Matrix:
    """One where no series has anything, with the labels that the selector asks for."""
    selector = argument.vector if isinstance(argument, MatrixSelector) else argument
    matchers = selector.matchers if isinstance(selector, VectorSelector) else ()
    names = [m.name for m in matchers]
    labels = sorted(
        (m.name, m.value)
        for m in matchers
        if m.op == "=" and m.name != NAME and m.value and names.count(m.name) == 1
    )
    made = _constant(context, np.ones(context.size), tuple(labels))
    return trimmed(replace(made, present=np.logical_not(present.any(axis=0, keepdims=True))))


def _sorted(evaluator: Evaluating, expr: Call) -> Matrix:
    vector = evaluator.vector(expr.arguments[0])
    if not _sortable(evaluator, expr):
        return vector
    vector = trimmed(replace(vector, present=_numbers(vector), histograms=None))
    if not len(vector.labels):
        return vector
    values = vector.values[:, 0]
    keys = -values if expr.function == "sort_desc" else values
    return rows(vector, np.lexsort((keys, np.isnan(values))))


def _sorted_by_label(evaluator: Evaluating, expr: Call) -> Matrix:
    vector = evaluator.vector(expr.arguments[0])
    if not _sortable(evaluator, expr):
        return vector
    names = [evaluator.text(a) for a in expr.arguments[1:]]
    descending = expr.function == "sort_by_label_desc"
    return label_functions.sorted_by_labels(vector, names, descending=descending)


def _sortable(evaluator: Evaluating, expr: Call) -> bool:
    if not evaluator.context.instant:
        evaluator.context.notes.warn(_SORTS, expr.place)
    return evaluator.context.instant


def _label_replace(evaluator: Evaluating, expr: Call) -> Matrix:
    vector = evaluator.vector(expr.arguments[0])
    return label_functions.label_replace(vector, *(evaluator.text(a) for a in expr.arguments[1:]))


def _label_join(evaluator: Evaluating, expr: Call) -> Matrix:
    vector = evaluator.vector(expr.arguments[0])
    target, separator, *sources = (evaluator.text(a) for a in expr.arguments[1:])
    return label_functions.label_join(vector, target, separator, sources)


def _info(evaluator: Evaluating, expr: Call) -> Matrix:
    return info(evaluator.context, expr, evaluator.vector(expr.arguments[0]))


def _histogram_quantile(evaluator: Evaluating, expr: Call) -> Matrix:
    phi, vector = evaluator.scalar(expr.arguments[0]), evaluator.vector(expr.arguments[1])
    places = Places(expr.arguments[1].place, (expr.arguments[0].place,))
    notes = evaluator.context.notes
    return settled(evaluator.context, trimmed(of_histograms.histogram_quantile(phi, vector, places, notes)))


def _histogram_quantiles(evaluator: Evaluating, expr: Call) -> Matrix:
    vector, label = evaluator.vector(expr.arguments[0]), evaluator.text(expr.arguments[1])
    phis = expr.arguments[2:]
    places = Places(expr.arguments[0].place, tuple(phi.place for phi in phis))
    values = [evaluator.scalar(phi) for phi in phis]
    notes = evaluator.context.notes
    made = of_histograms.histogram_quantiles(vector, label, values, places, notes)
    return settled(evaluator.context, trimmed(made))


def _histogram_fraction(evaluator: Evaluating, expr: Call) -> Matrix:
    lower, upper = (evaluator.scalar(a) for a in expr.arguments[:2])
    vector = evaluator.vector(expr.arguments[2])
    places = Places(expr.arguments[2].place)
    made = of_histograms.histogram_fraction(lower, upper, vector, places, evaluator.context.notes)
    return settled(evaluator.context, trimmed(made))


def _of_each(measure: Callable[[Matrix], Matrix]) -> Function:
    def evaluated(evaluator: Evaluating, expr: Call) -> Matrix:
        return settled(evaluator.context, trimmed(measure(evaluator.vector(expr.arguments[0]))))

    return evaluated


def _statistic(measure: Callable[[Matrix], Matrix]) -> Function:
    """Functions below which Prometheus looks for counter resets while it reads."""

    def evaluated(evaluator: Evaluating, expr: Call) -> Matrix:
        detecting = evaluator.detecting(expr.arguments[0])
        return settled(evaluator.context, trimmed(measure(detecting.vector(expr.arguments[0]))))

    return evaluated


def _of_query(number: Callable[[Context], float]) -> Function:
    return lambda evaluator, _: np.full(evaluator.context.size, number(evaluator.context))


def _of_two(pick: Callable[[Floats, Floats], Floats]) -> Function:
    def evaluated(evaluator: Evaluating, expr: Call) -> Floats:
        first, second = (evaluator.scalar(a) for a in expr.arguments)
        return pick(first, second)

    return evaluated


_FUNCTIONS: Mapping[str, Function] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "end": _of_query(lambda context: context.end / 1000),
    "histogram_avg": _statistic(of_histograms.histogram_avg),
    "histogram_count": _statistic(of_histograms.histogram_count),
    "histogram_fraction": _histogram_fraction,
    "histogram_quantile": _histogram_quantile,
    "histogram_quantiles": _histogram_quantiles,
    "histogram_stddev": _of_each(of_histograms.histogram_stddev),
    "histogram_stdvar": _of_each(of_histograms.histogram_stdvar),
    "histogram_sum": _statistic(of_histograms.histogram_sum),
    "info": _info,
    "label_join": _label_join,
    "label_replace": _label_replace,
    "max_of": _of_two(np.maximum),
    "min_of": _of_two(np.minimum),
    "pi": _of_query(lambda _: np.pi),
    "range": _of_query(lambda context: (context.end - context.start) / 1000),
    "scalar": _scalar,
    "sort": _sorted,
    "sort_by_label": _sorted_by_label,
    "sort_by_label_desc": _sorted_by_label,
    "sort_desc": _sorted,
    "start": _of_query(lambda context: context.start / 1000),
    "start_timestamp": _start_timestamp,
    "step": _of_query(lambda context: context.interval / 1000),
    "time": _time,
    "timestamp": _timestamp,
    "vector": _vector,
}
