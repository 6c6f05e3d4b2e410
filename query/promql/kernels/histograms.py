"""Rates, differences, sums and averages of native histograms, window by window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from query.promql.histogram import Histogram, filled
from query.promql.histograms.arithmetic import Combined, multiply
from query.promql.histograms.layout import IncompatibleSchemas
from query.promql.histograms.notes import Site
from query.promql.histograms.rates import counter_increase, gauge_delta, instant_increase
from query.promql.histograms.resets import detect_reset
from query.promql.histograms.sums import average, total
from query.promql.kernels.call import Bools, Objects, RangeCall, counts, times_at
from query.promql.kernels.counters import extrapolation, is_sufficient, range_seconds, span
from query.promql.kernels.start_times import starts_anew

OfWindow = Callable[[int, int, Site], Histogram | None]
"""Result of the samples ``first:last`` of the batch."""


def each_window(call: RangeCall, wanted: Bools, function: OfWindow) -> Objects:
    """Object [S, T]: the function's results for the ``wanted`` (bool [S, T]) windows, else None."""
    windows = call.windows
    results = np.full(windows.first.shape, None, dtype=object)
    for row, column in np.argwhere(wanted).tolist():
        begin, end = int(windows.first[row, column]), int(windows.last[row, column])
        results[row, column] = function(begin, end, call.site(row))
    return results


@dataclass(frozen=True, slots=True)
class HistogramColumn:
    """Histogram samples and where their counters began anew."""

    samples: Sequence[Histogram]
    restarted: Bools

    def increase(self, begin: int, end: int, site: Site, *, from_zero: bool) -> Histogram | None:
        """Growth over the samples ``begin:end``; ``from_zero`` counts the first one in full."""
        restarted = [from_zero, *self.restarted[begin + 1 : end].tolist()]
        return counter_increase(self.samples[begin:end], restarted, site)


def column_of(call: RangeCall) -> HistogramColumn:
    """The histograms of a batch that holds nothing else."""
    batch = call.windows.batch
    samples: list[Histogram] = [] if batch.histograms is None else batch.histograms.tolist()
    restarted = starts_anew(batch) if call.use_start_times else np.zeros(len(samples), dtype=np.bool_)
    for index in (np.flatnonzero(~restarted[1:]) + 1).tolist():
        restarted[index] = detect_reset(samples[index - 1], samples[index])
    return HistogramColumn(samples, restarted)


def extrapolated_histograms(call: RangeCall, *, counter: bool, per_second: bool) -> Objects:
    """Rate (counter, per second), increase (counter) and delta over plain ranges."""
    windows, column = call.windows, column_of(call)
    measured = span(call, counter=counter)
    enough = is_sufficient(measured)
    has_zero = np.zeros(len(column.samples), dtype=np.bool_)
    has_zero[windows.first[measured.has_zero]] = True

    def growth(begin: int, end: int, site: Site) -> Histogram | None:
        if counter:
            return column.increase(begin, end, site, from_zero=bool(has_zero[begin]))
        return gauge_delta(column.samples[begin], column.samples[end - 1], site)

    # A zero point depends on the window's start too: windows with and without one are done apart.
    results = each_window(call, enough & measured.has_zero, growth)
    has_zero[:] = False
    without = enough & ~measured.has_zero
    results[without] = each_window(call, without, growth)[without]
    found = filled(results)
    opening = np.zeros(found.shape)
    change = np.zeros(found.shape)
    for row, place in np.argwhere(found).tolist():
        opening[row, place] = column.samples[windows.first[row, place]].count
        change[row, place] = results[row, place].count
    with np.errstate(all="ignore"):
        factor = extrapolation(call, measured, opening, change, counter=counter)
        factor = factor / range_seconds(windows) if per_second else factor
    for row, place in np.argwhere(found).tolist():
        results[row, place] = multiply(results[row, place], float(factor[row, place]))
    return results


def instant_histograms(call: RangeCall, *, counter: bool) -> Objects:
    """Irate (counter, per second) and idelta: the last two samples."""
    column, times = column_of(call), call.windows.batch.times
    enough = counts(call.windows) >= 2  # noqa: PLR2004 - a difference needs two
    enough &= times_at(call.windows, call.windows.last - 1) > times_at(call.windows, call.windows.last - 2)

    def difference(_: int, end: int, site: Site) -> Histogram | None:
        before, after = column.samples[end - 2], column.samples[end - 1]
        if not counter:
            return gauge_delta(before, after, site)
        seconds = float(times[end - 1] - times[end - 2]) / 1000.0
        return instant_increase(before, after, seconds, site, restarted=bool(column.restarted[end - 1]))

    return each_window(call, enough, difference)


def summed_histograms(call: RangeCall, *, mean: bool) -> Objects:
    """sum_over_time, and avg_over_time with ``mean``."""
    samples = column_of(call).samples
    reduce = average if mean else total

    def reduced(begin: int, end: int, site: Site) -> Histogram | None:
        try:
            result: Combined = reduce(samples[begin:end])
        except IncompatibleSchemas:
            site.mixed_schemas()
            return None
        if result.resets_conflict:
            site.resets_conflict("aggregation")
        if result.bounds_reconciled:
            site.bounds_reconciled("aggregation")
        return result.histogram

    return each_window(call, counts(call.windows) > 0, reduced)
