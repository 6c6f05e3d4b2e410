"""sum_over_time, avg_over_time, stddev_over_time and stdvar_over_time of floats."""

import numpy as np

from query.promql.kernels.blocks import compensated, largest, moments, reduce_windows, smallest
from query.promql.kernels.call import Bools, Floats, Ints
from query.promql.matrix import Windows

_WIDE_SPREAD = 2.0**60
"""Ratio of magnitudes from which the order of a compensated sum matters."""
_NEAR_OVERFLOW = 1e308


def sum_floats(windows: Windows) -> Floats:
    """float64 [S, T]: compensated sums; 0 for an empty window."""
    return _sums(windows, mean=False)


def mean_floats(windows: Windows) -> Floats:
    """float64 [S, T]: compensated means that do not overflow; NaN for an empty window."""
    return _sums(windows, mean=True)


def _sums(windows: Windows, *, mean: bool) -> Floats:
    first, last = windows.first.ravel(), windows.last.ravel()
    values = windows.batch.values
    size = last - first
    with np.errstate(all="ignore"):
        total, error = reduce_windows((values, np.zeros_like(values)), (0.0, 0.0), first, last, compensated)
        result = total / size + error / size if mean else total + error
        delicate = np.flatnonzero(_delicate(values, first, last))
        if delicate.size:
            result[delicate] = _in_order(values, first[delicate], last[delicate], mean=mean)
    return result.reshape(windows.first.shape)


def _delicate(values: Floats, first: Ints, last: Ints) -> Bools:
    """Windows whose sum depends on the order: magnitudes far apart, or near the largest number."""
    magnitude = np.abs(values)
    finite = np.isfinite(magnitude)
    known = magnitude[finite & (magnitude > 0)]
    if not known.size or (
        known.max() / known.min() < _WIDE_SPREAD and known.max() * len(values) < _NEAR_OVERFLOW
    ):
        return np.zeros(len(first), dtype=np.bool_)
    unknown = ~finite | (magnitude == 0)
    magnitude[unknown] = np.nan
    (low,) = reduce_windows((magnitude,), (np.nan,), first, last, smallest)
    (high,) = reduce_windows((magnitude,), (np.nan,), first, last, largest)
    return (high / low >= _WIDE_SPREAD) | (high * (last - first) >= _NEAR_OVERFLOW)


def _in_order(values: Floats, first: Ints, last: Ints, *, mean: bool) -> Floats:
    """Sums or means as Prometheus adds them, sample after sample, all windows side by side."""
    order = np.argsort(first - last, kind="stable")  # the longest first: windows still running are a prefix
    first, size = first[order], (last - first)[order]
    total, error = np.zeros(len(first)), np.zeros(len(first))
    incremental = np.zeros(len(first), dtype=np.bool_)
    for position in range(int(size.max())):
        running = int(np.searchsorted(-size, -position, side="left"))
        sample = values[first[:running] + position]
        old, old_error = total[:running], error[:running]
        new, new_error = compensated((old, old_error), (sample, np.zeros_like(sample)))
        if mean and position:
            switch = ~incremental[:running] & np.isinf(new)
            old[switch] /= position
            old_error[switch] /= position
            incremental[:running] |= switch
            kept, part = position / (position + 1), sample / (position + 1)
            step = compensated((old * kept, old_error * kept), (part, np.zeros_like(part)))
            chosen = incremental[:running]
            new, new_error = np.where(chosen, step[0], new), np.where(chosen, step[1], new_error)
        total[:running], error[:running] = new, new_error
    result = np.empty(len(first))
    divisor = np.where(incremental | (not mean), 1.0, size)
    result[order] = total / divisor + error / divisor
    return result


def variance(windows: Windows) -> Floats:
    """float64 [S, T]: population variance; NaN for an empty window or one with a value that is not finite."""
    batch = windows.batch
    finite = np.isfinite(batch.values)
    centred = _centred(windows, finite)
    ones = np.ones_like(centred)
    leaves = (ones, centred, np.where(finite, 0.0, np.nan))
    with np.errstate(all="ignore"):
        count, _, squares = reduce_windows(
            leaves, (0.0, 0.0, 0.0), windows.first.ravel(), windows.last.ravel(), moments
        )
        return (squares / count).reshape(windows.first.shape)


def centre_of_series(windows: Windows, finite: Bools) -> Floats:
    """float64 [N]: for each sample the median of its series' finite values, to keep differences small."""
    batch = windows.batch
    centres = np.zeros(len(batch.labels))
    for row, (start, end) in enumerate(zip(batch.offsets[:-1], batch.offsets[1:], strict=True)):
        known = batch.values[start:end][finite[start:end]]
        if known.size:
            centres[row] = np.partition(known, known.size // 2)[known.size // 2]
    return np.repeat(centres, np.diff(batch.offsets))


def _centred(windows: Windows, finite: Bools) -> Floats:
    values = np.where(finite, windows.batch.values, 0.0)
    return np.where(finite, values - centre_of_series(windows, finite), 0.0)


def standard_deviation(windows: Windows) -> Floats:
    """float64 [S, T]: square root of the variance."""
    return np.sqrt(variance(windows))
