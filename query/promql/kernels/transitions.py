"""changes and resets: pairs of neighbours that differ, over floats, histograms and mixtures."""

from collections.abc import Callable

import numpy as np

from query.promql.ast import Extension
from query.promql.histogram import Histogram
from query.promql.histograms.arithmetic import equal
from query.promql.histograms.resets import detect_reset
from query.promql.kernels.call import Bools, RangeCall, RangeResult, is_histogram
from query.promql.kernels.counters import float_resets
from query.promql.kernels.extended import anchored_first

_Differ = Callable[[Histogram, Histogram], bool]


def resets(call: RangeCall) -> RangeResult:
    """How often the counter began anew; a change of the kind of sample counts."""
    return _count(call, _mark_kinds(call, float_resets(call), detect_reset))


def changes(call: RangeCall) -> RangeResult:
    """How often the value changed; a change of the kind of sample counts, NaN to NaN does not."""
    values = call.windows.batch.values
    differ = np.zeros(len(values), dtype=np.bool_)
    differ[1:] = (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))
    return _count(call, _mark_kinds(call, differ, lambda old, new: not equal(old, new)))


def _mark_kinds(call: RangeCall, marked: Bools, differ: _Differ) -> Bools:
    """``marked`` with the pairs that a histogram is part of."""
    batch = call.windows.batch
    if batch.histograms is None:
        return marked
    kind = is_histogram(batch)
    marked[1:] |= kind[1:] != kind[:-1]
    for index in (np.flatnonzero(kind[1:] & kind[:-1] & ~marked[1:]) + 1).tolist():
        marked[index] = differ(batch.histograms[index - 1], batch.histograms[index])
    return marked


def _count(call: RangeCall, marked: Bools) -> RangeResult:
    windows = call.windows
    present = windows.first < windows.last
    first = windows.first
    if call.extension is Extension.ANCHORED:
        first = anchored_first(call)
    upto = np.concatenate(([0], np.cumsum(marked, dtype=np.int64)))
    begin = np.minimum(first + 1, windows.last)
    return RangeResult((upto[windows.last] - upto[begin]).astype(np.float64), present)
