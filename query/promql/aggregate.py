"""Aggregations that make one element of each group."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from query.promql import grouping
from query.promql.ast import Aggregation
from query.promql.context import Context
from query.promql.grouping import Groups
from query.promql.histogram import Histogram, filled
from query.promql.histograms import noted
from query.promql.histograms.notes import Site, check_quantiles
from query.promql.histograms.numbers import plain
from query.promql.histograms.text import to_label
from query.promql.kernels.call import Bools, Floats, Objects
from query.promql.labelsets import changed
from query.promql.matrix import Matrix
from query.promql.selection import trimmed
from query.promql.series import Labels

_Reduce = Callable[[Groups, Floats, Bools], Floats]


def _sum(groups: Groups, values: Floats, present: Bools) -> Floats:
    sums, lost = grouping.total(groups, values, present)
    with np.errstate(all="ignore"):
        return sums + lost


def _deviation(groups: Groups, values: Floats, present: Bools) -> Floats:
    return np.sqrt(grouping.variance(groups, values, present))


def _minimum(groups: Groups, values: Floats, present: Bools) -> Floats:
    return grouping.extreme(groups, values, present, largest=False)


def _maximum(groups: Groups, values: Floats, present: Bools) -> Floats:
    return grouping.extreme(groups, values, present, largest=True)


_OF_FLOATS: Mapping[str, _Reduce] = {
    "max": _maximum,
    "min": _minimum,
    "stddev": _deviation,
    "stdvar": grouping.variance,
}
_OF_BOTH: Mapping[str, _Reduce] = {"avg": grouping.mean, "sum": _sum}


def aggregate(context: Context, expr: Aggregation, vector: Matrix, parameter: Floats | None) -> Matrix:
    """All aggregations but those that choose elements and ``count_values``.

    Args:
        context: of the query.
        expr: the aggregation.
        vector: S series.
        parameter: float64 [T], the level of ``quantile``.
    """
    groups = Groups.of(expr, vector.labels)
    if expr.op in _OF_BOTH:
        return _Mixed(context, expr, vector, groups).result(_OF_BOTH[expr.op])
    if expr.op in ("count", "group"):
        counts = groups.counts(vector.present)
        values = counts.astype(np.float64) if expr.op == "count" else np.ones(counts.shape)
        return _grouped(groups, values, counts > 0)
    present = floats_of(context, expr, vector)
    if expr.op == "quantile":
        level = np.zeros(context.size) if parameter is None else parameter
        check_quantiles(context.notes, level, (expr.parameter or expr).place)
        values = grouping.quantile(groups, vector.values, present, level)
    else:
        values = _OF_FLOATS[expr.op](groups, vector.values, present)
    return _grouped(groups, values, groups.counts(present) > 0)


def floats_of(context: Context, expr: Aggregation, vector: Matrix) -> Bools:
    """Where elements are numbers; an aggregation that has no use for histograms says so."""
    if vector.histograms is None:
        return vector.present
    native = filled(vector.histograms) & vector.present
    if native.any():
        context.notes.info(f"ignored histogram in {expr.op} aggregation", expr.expr.place)
    return np.asarray(vector.present & ~native, np.bool_)


def _grouped(groups: Groups, values: Floats, present: Bools, histograms: Objects | None = None) -> Matrix:
    return trimmed(Matrix(groups.labels, values, present, histograms, np.zeros(len(groups), np.bool_)))


@dataclass(frozen=True, slots=True)
class _Mixed:
    """Sum and mean, which are of numbers or of histograms, not of both."""

    context: Context
    expr: Aggregation
    vector: Matrix
    groups: Groups

    def result(self, reduce: _Reduce) -> Matrix:
        vector, groups = self.vector, self.groups
        if vector.histograms is None:
            values = reduce(groups, vector.values, vector.present)
            return _grouped(groups, values, groups.counts(vector.present) > 0)
        native = filled(vector.histograms) & vector.present
        numbers = vector.present & ~native
        values = reduce(groups, vector.values, numbers)
        some, others = groups.counts(numbers) > 0, groups.counts(native) > 0
        if (some & others).any():
            text = "encountered a mix of histograms and floats for aggregation"
            self.context.notes.warn(text, self.expr.expr.place)
        histograms: Objects = np.full(values.shape, None, object)
        for number, rows in enumerate(groups.members()):
            for step in np.flatnonzero(others[number] & ~some[number]).tolist():
                own = [h for h in vector.histograms[rows, step].tolist() if isinstance(h, Histogram)]
                histograms[number, step] = self._one(own)
        there = filled(histograms)
        values = np.where(there, np.nan, values)
        return _grouped(groups, values, (some & ~others) | there, histograms if there.any() else None)

    def _one(self, own: list[Histogram]) -> Histogram | None:
        site = Site(self.context.notes, "", self.expr.expr.place)
        return noted.aggregate(own, site, mean=self.expr.op == "avg")


def count_values(expr: Aggregation, vector: Matrix, label: str) -> Matrix:
    """``count_values(label, vector)``: elements by their value."""
    groups = Groups.of(expr, vector.labels)
    found: dict[Labels, Floats] = {}
    steps = vector.present.shape[1]
    for row, step in np.argwhere(vector.present).tolist():
        native = None if vector.histograms is None else vector.histograms[row, step]
        value = to_label(native) if native is not None else plain(float(vector.values[row, step]))
        labels = changed(groups.labels[int(groups.numbers[row])], label, value)
        found.setdefault(labels, np.zeros(steps))[step] += 1
    values = np.array(list(found.values())).reshape(len(found), steps)
    return Matrix(list(found), values, values > 0, None, np.zeros(len(found), np.bool_))
