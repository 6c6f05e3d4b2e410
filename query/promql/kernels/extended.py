"""rate, increase and delta of floats over ``anchored`` and ``smoothed`` ranges."""

from dataclasses import dataclass

import numpy as np

from query.promql.ast import Extension
from query.promql.kernels.call import Bools, Floats, Ints, RangeCall, RangeResult, floats_at, times_at
from query.promql.kernels.counters import range_seconds, sum_at
from query.promql.matrix import Windows


@dataclass(frozen=True, slots=True)
class Edges:
    """The samples that bound an extended range.

    Attributes:
        left, right: int64 [S, T], indices of the samples, both included; valid where ``present``.
        present: bool [S, T].
    """

    left: Ints
    right: Ints
    present: Bools


def anchored_first(call: RangeCall) -> Ints:
    """int64 [S, T]: the newest sample up to the start within the lookback, else the first of the range."""
    windows = call.windows
    before = windows.first - 1
    belongs = before >= windows.batch.offsets[:-1, None]
    reached = belongs & (times_at(windows, before) > windows.starts - call.lookback)
    return np.where(reached, before, windows.first)


def edges(call: RangeCall) -> Edges:
    """The bounding samples; smoothed ranges also reach for the next sample after their end."""
    windows = call.windows
    left = anchored_first(call)
    if call.extension is not Extension.SMOOTHED:
        return Edges(left, windows.last - 1, windows.first < windows.last)
    newest = windows.last - 1
    ends_there = (newest >= left) & (times_at(windows, newest) == windows.ends)
    following = windows.last < windows.batch.offsets[1:, None]
    following &= times_at(windows, windows.last) <= windows.ends + call.lookback
    right = np.where(~ends_there & following, windows.last, newest)
    present = (right >= left) & (times_at(windows, right) > windows.starts)
    present &= times_at(windows, left) <= windows.ends
    return Edges(left, right, present)


def interpolation_weights(windows: Windows, older: Ints, at: Ints) -> Floats:
    """float64 [S, T]: how far ``at`` lies between the samples ``older`` and ``older + 1``, 0 to 1."""
    begin, end = times_at(windows, older), times_at(windows, older + 1)
    return np.asarray((at - begin) / np.maximum(end - begin, 1), dtype=np.float64)


def _between(windows: Windows, older: Ints, at: Ints, *, counter: bool) -> Floats:
    low, high = floats_at(windows, older), floats_at(windows, older + 1)
    low = np.where(high < low, 0.0, low) if counter else low
    return low + (high - low) * interpolation_weights(windows, older, at)


def extended_difference(call: RangeCall, *, counter: bool, per_second: bool) -> RangeResult:
    """Rate (counter, per second), increase (counter) and delta of floats without extrapolation."""
    windows, bounds = call.windows, edges(call)
    with np.errstate(all="ignore"):
        low, high = floats_at(windows, bounds.left), floats_at(windows, bounds.right)
        if call.extension is Extension.SMOOTHED:
            early = (times_at(windows, bounds.left) < windows.starts) & (bounds.right > bounds.left)
            low = np.where(early, _between(windows, bounds.left, windows.starts, counter=counter), low)
            late = (times_at(windows, bounds.right) > windows.ends) & (bounds.right > bounds.left)
            high = np.where(late, _between(windows, bounds.right - 1, windows.ends, counter=counter), high)
        change = high - low
        if counter:
            change = change + _lost_by_resets(windows, bounds, low, high)
        if per_second:
            change = change / range_seconds(windows)
    return RangeResult(change, bounds.present)


def _lost_by_resets(windows: Windows, bounds: Edges, low: Floats, high: Floats) -> Floats:
    """Sum of the values before resets on the way from ``low`` over the samples between to ``high``."""
    values = windows.batch.values
    inner, outer = bounds.left + 1, bounds.right - 1
    has_inner = outer >= inner
    reset = np.zeros(len(values), dtype=np.bool_)
    reset[1:] = values[1:] < values[:-1]
    start = np.maximum(inner + 1, 0)
    within = sum_at(reset, np.append(0.0, values[:-1])[reset], start, np.maximum(bounds.right, start))
    second, penultimate = floats_at(windows, inner), floats_at(windows, outer)
    at_left = np.where(second < low, low, 0.0)
    at_right = np.where(high < penultimate, penultimate, 0.0)
    direct = np.where(high < low, low, 0.0)
    return np.where(has_inner, within + at_left + at_right, direct)
