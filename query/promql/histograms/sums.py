"""Compensated sums and averages of many histograms (``sum``, ``avg`` and their ``_over_time`` forms)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from query.promql.histogram import Buckets, Histogram
from query.promql.histograms.arithmetic import Combined
from query.promql.histograms.hints import combined
from query.promql.histograms.layout import Floats, align, stacked, trimmed

SCALARS = 3
"""Leading columns of a table of histograms: count, sum, zero count."""


def compensated_sum(rows: Floats) -> Floats:
    """Sum over the first axis with Neumaier's compensation; an overflow stays infinite."""
    total = np.zeros(rows.shape[1:])
    lost = np.zeros(rows.shape[1:])
    with np.errstate(all="ignore"):
        for row in rows:
            raised = total + row
            error = np.where(np.abs(total) >= np.abs(row), (total - raised) + row, (row - raised) + total)
            lost = np.where(np.isinf(raised), 0.0, lost + error)
            total = raised
        return np.asarray(np.where(np.isinf(total), total, total + lost), np.float64)


def total(histograms: Sequence[Histogram]) -> Combined:
    """Sum of at least one histogram; raises IncompatibleSchemas for exponential with custom buckets."""
    return _reduced(histograms, mean=False)


def average(histograms: Sequence[Histogram]) -> Combined:
    """Mean of at least one histogram; raises IncompatibleSchemas for exponential with custom buckets."""
    return _reduced(histograms, mean=True)


def _reduced(histograms: Sequence[Histogram], *, mean: bool) -> Combined:
    hint, conflict = combined(histogram.hint for histogram in histograms)
    aligned, reconciled = align(list(histograms))
    first_positive, positive = stacked([histogram.positive for histogram in aligned])
    first_negative, negative = stacked([histogram.negative for histogram in aligned])
    scalars = [[histogram.count, histogram.sum, histogram.zero_count] for histogram in aligned]
    columns = np.hstack((np.array(scalars), positive, negative))
    row = _mean(columns) if mean else compensated_sum(columns)
    middle = SCALARS + positive.shape[1]
    result = replace(
        aligned[0],
        count=float(row[0]),
        sum=float(row[1]),
        zero_count=float(row[2]),
        positive=trimmed(Buckets(first_positive, row[SCALARS:middle])),
        negative=trimmed(Buckets(first_negative, row[middle:])),
        hint=hint,
    )
    return Combined(result, conflict, reconciled)


def _mean(columns: Floats) -> Floats:
    size = len(columns)
    mean = compensated_sum(columns) / size
    overflowed = np.isinf(mean) & np.isfinite(columns).all(axis=0)
    if overflowed.any():
        # The sum leaves float64 although the mean does not: divide first where that happens.
        mean[overflowed] = compensated_sum(columns[:, overflowed] / size)
    return mean
