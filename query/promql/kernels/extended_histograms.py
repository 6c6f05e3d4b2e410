"""rate, increase and delta of native histograms over ``anchored`` and ``smoothed`` ranges."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from query.promql.ast import Extension
from query.promql.histogram import Histogram
from query.promql.histograms.arithmetic import add, divide, subtract
from query.promql.histograms.layout import IncompatibleSchemas, is_custom
from query.promql.histograms.notes import Site
from query.promql.histograms.rates import interpolated
from query.promql.kernels.call import Ints, Objects, RangeCall
from query.promql.kernels.counters import range_seconds
from query.promql.kernels.extended import edges
from query.promql.kernels.histograms import HistogramColumn, column_of


@dataclass(frozen=True, slots=True)
class _Range:
    """One window: indices of its bounding samples, and its bounds in milliseconds."""

    left: int
    right: int
    start: int
    end: int
    smoothed: bool


def extended_histograms(call: RangeCall, *, counter: bool, per_second: bool) -> Objects:
    """Object [S, T]: differences without extrapolation, None where there is none."""
    windows, bounds, column = call.windows, edges(call), column_of(replace(call, use_start_times=False))
    seconds = range_seconds(windows)
    results = np.full(bounds.left.shape, None, dtype=object)
    for row, place in np.argwhere(bounds.present).tolist():
        window = _Range(
            int(bounds.left[row, place]),
            int(bounds.right[row, place]),
            int(windows.starts[place]),
            int(windows.ends[place]),
            call.extension is Extension.SMOOTHED,
        )
        site = call.site(row)
        try:
            change = _change(column, windows.batch.times, window, site, counter=counter)
        except IncompatibleSchemas:
            site.mixed_schemas()
            continue
        results[row, place] = divide(change, float(seconds[place])) if per_second else change
    return results


def between(before: Histogram, after: Histogram, share: float, *, counter: bool) -> Histogram:
    """``share`` of the way between two samples; raises IncompatibleSchemas also across a reset."""
    if is_custom(before) != is_custom(after):
        raise IncompatibleSchemas
    return interpolated(before, after, share, counter=counter)


def _change(column: HistogramColumn, times: Ints, window: _Range, site: Site, *, counter: bool) -> Histogram:
    samples, left, right = column.samples, window.left, window.right
    low, high = samples[left], samples[right]
    early = window.smoothed and right > left and times[left] < window.start
    late = window.smoothed and right > left and times[right] > window.end
    _note_kinds(samples[left : right + 1], site, counter=counter)
    if early:
        share = (window.start - times[left]) / (times[left + 1] - times[left])
        low = between(samples[left], samples[left + 1], float(share), counter=counter)
    if late:
        share = (window.end - times[right - 1]) / (times[right] - times[right - 1])
        high = between(samples[right - 1], samples[right], float(share), counter=counter)
    difference = subtract(high, low)
    if difference.bounds_reconciled:
        site.bounds_reconciled("subtraction")
    change = difference.histogram
    if counter:
        # The interpolation at the left bound has already taken in a reset right after it.
        for index in range(left + 2 if early else left + 1, right + 1):
            if column.restarted[index]:
                change = add(change, samples[index - 1]).histogram
    return replace(change, hint="gauge")


def _note_kinds(samples: Sequence[Histogram], site: Site, *, counter: bool) -> None:
    if counter and any(sample.hint == "gauge" for sample in samples):
        site.not_a_counter()
    if not counter and not (samples[0].hint == "gauge" and samples[-1].hint == "gauge"):
        site.not_a_gauge()
