"""rate, increase, delta, irate and idelta of floats over plain ranges."""

from dataclasses import dataclass

import numpy as np

from query.promql.kernels.blocks import plain_sum, reduce_windows
from query.promql.kernels.call import Bools, Floats, Ints, RangeCall, RangeResult, counts, floats_at, times_at
from query.promql.kernels.start_times import starts_anew, zero_points
from query.promql.matrix import Windows

_MAX_GAP = 1.1
"""A gap to the bound up to this many average intervals is bridged in full."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where the samples of a window lie, for the extrapolation to its bounds.

    Attributes:
        count: int64 [S, T], samples.
        sampled_from: int64 [S, T], time of the first sample, or of the zero point before it.
        interval: float64 [S, T], average milliseconds between two samples.
        sampled_to: int64 [S, T], time of the last sample.
        has_zero: bool [S, T], the counter is known to begin within the window.
    """

    count: Ints
    sampled_from: Ints
    sampled_to: Ints
    interval: Floats
    has_zero: Bools


def span(call: RangeCall, *, counter: bool) -> Span:
    """The span of each window."""
    windows = call.windows
    size = counts(windows)
    begin, end = times_at(windows, windows.first), times_at(windows, windows.last - 1)
    interval = (end - begin) / np.maximum(size - 1, 1)
    has_zero = np.zeros(size.shape, dtype=np.bool_)
    if counter and call.use_start_times:
        zero = zero_points(windows)
        has_zero = (zero != 0) & (size > 0)
        begin = np.where(has_zero, zero, begin)
    return Span(size, begin, end, interval, has_zero)


def is_sufficient(measured: Span) -> Bools:
    """Bool [S, T]: two points, the zero point counted."""
    return (measured.count + measured.has_zero >= 2) & (measured.sampled_to > measured.sampled_from)  # noqa: PLR2004


def extrapolation(
    call: RangeCall, measured: Span, first_value: Floats, increase: Floats, *, counter: bool
) -> Floats:
    """float64 [S, T]: factor from the sampled difference to the one of the whole range.

    Args:
        call: gives the windows' bounds.
        measured: the span of each window.
        first_value: the counter (of a histogram: its count) at the first sample.
        increase: what it grew by; with ``first_value`` it bounds the extrapolation to the start at zero.
        counter: values cannot be negative.
    """
    windows = call.windows
    sampled = (measured.sampled_to - measured.sampled_from).astype(np.float64)
    to_start = (measured.sampled_from - windows.starts).astype(np.float64)
    to_end = (windows.ends - measured.sampled_to).astype(np.float64)
    limit = measured.interval * _MAX_GAP
    to_start = np.where(to_start >= limit, measured.interval / 2, to_start)
    if counter:
        grows = (increase > 0) & (first_value >= 0)
        to_zero = sampled * np.divide(first_value, increase, out=np.full(sampled.shape, np.inf), where=grows)
        to_start = np.where(grows & (to_zero < to_start), to_zero, to_start)
    to_start = np.where(measured.has_zero, 0.0, to_start)
    to_end = np.where(to_end >= limit, measured.interval / 2, to_end)
    return (sampled + to_start + to_end) / sampled


def range_seconds(windows: Windows) -> Floats:
    """float64 [T]: length of the ranges."""
    return (windows.ends - windows.starts) / 1000.0


def extrapolated(call: RangeCall, *, counter: bool, per_second: bool) -> RangeResult:
    """Rate (counter, per second), increase (counter) and delta of floats."""
    windows = call.windows
    measured = span(call, counter=counter)
    opening = floats_at(windows, windows.first)
    with np.errstate(all="ignore"):
        change = floats_at(windows, windows.last - 1) - np.where(measured.has_zero, 0.0, opening)
        if counter:
            change = change + _lost_by_resets(call)
        factor = extrapolation(call, measured, opening, change, counter=counter)
        if per_second:
            factor = factor / range_seconds(windows)
        return RangeResult(change * factor, is_sufficient(measured))


def _lost_by_resets(call: RangeCall) -> Floats:
    """float64 [S, T]: sum of the values just before the resets of each window."""
    windows = call.windows
    values = windows.batch.values
    reset = float_resets(call)
    return sum_at(reset, np.append(0.0, values[:-1])[reset], windows.first + 1, windows.last)


def sum_at(marked: Bools, values: Floats, first: Ints, last: Ints) -> Floats:
    """Sums over the marked samples among ``first:last``; ``values`` has one element per marked sample."""
    before = np.concatenate(([0], np.cumsum(marked, dtype=np.int64)))
    limit = len(marked)
    low, high = before[np.minimum(first, limit)].ravel(), before[np.minimum(last, limit)].ravel()
    (sums,) = reduce_windows((values,), (0.0,), low, high, plain_sum)
    return sums.reshape(first.shape)


def float_resets(call: RangeCall) -> Bools:
    """Bool [N]: the counter began anew between the sample before and this one (whatever its series)."""
    values = call.windows.batch.values
    reset = np.zeros(len(values), dtype=np.bool_)
    reset[1:] = values[1:] < values[:-1]
    if call.use_start_times:
        reset |= starts_anew(call.windows.batch)
    return reset


def instant_difference(call: RangeCall, *, counter: bool) -> RangeResult:
    """Irate (counter: resets, per second) and idelta of floats: the last two samples."""
    windows = call.windows
    enough = counts(windows) >= 2  # noqa: PLR2004 - a difference needs two
    end, start = windows.last - 1, windows.last - 2
    elapsed = times_at(windows, end) - times_at(windows, start)
    newest = floats_at(windows, end)
    with np.errstate(all="ignore"):
        change = newest - floats_at(windows, start)
        if counter:
            reset = float_resets(call)
            at = np.clip(end, 0, max(len(reset) - 1, 0))
            change = np.where(reset[at] if len(reset) else False, newest, change) / (elapsed / 1000.0)
    return RangeResult(change, enough & (elapsed > 0))
