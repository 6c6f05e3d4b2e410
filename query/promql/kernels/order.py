"""quantile_over_time and mad_over_time: sorted windows, a bounded number of samples at a time."""

from collections.abc import Callable, Iterator

import numpy as np

from query.promql.kernels.call import Floats, Ints
from query.promql.matrix import Windows

_CELLS = 4_000_000
"""Samples held at once."""


def quantile(windows: Windows, wanted: Floats) -> Floats:
    """float64 [S, T]: the ``wanted`` (float64 [T]) quantile, NaN the smallest; infinite outside 0 to 1."""
    level = np.broadcast_to(wanted, windows.first.shape).ravel()
    return _by_window(windows, lambda rows, size, part: quantile_of_rows(rows, size, level[part]))


def median_deviation(windows: Windows) -> Floats:
    """float64 [S, T]: median of the distances from the median."""

    def deviation(rows: Floats, size: Ints, _: Ints) -> Floats:
        half = np.full(len(rows), 0.5)
        return quantile_of_rows(np.abs(rows - quantile_of_rows(rows, size, half)[:, None]), size, half)

    return _by_window(windows, deviation)


def quantile_of_rows(rows: Floats, size: Ints, level: Floats) -> Floats:
    """Quantile of each row.

    Args:
        rows: float64 [W, L], filled up with NaN.
        size: int64 [W], elements of each row.
        level: float64 [W].
    """
    ordered = np.sort(rows, axis=1)
    unknown = size - np.count_nonzero(~np.isnan(rows), axis=1)
    with np.errstate(all="ignore"):
        rank = np.where((level >= 0) & (level <= 1), level, 0.0) * (size - 1)
        low = np.clip(np.floor(rank).astype(np.int64), 0, np.maximum(size - 1, 0))
        high = np.clip(low + 1, 0, np.maximum(size - 1, 0))
        weight = rank - np.floor(rank)
        result = _pick(ordered, low, unknown) * (1 - weight) + _pick(ordered, high, unknown) * weight
    result = np.where(level < 0, -np.inf, np.where(level > 1, np.inf, result))
    return np.where(np.isnan(level) | (size == 0), np.nan, result)


def _pick(ordered: Floats, rank: Ints, unknown: Ints) -> Floats:
    if not ordered.shape[1]:
        return np.full(len(ordered), np.nan)
    found = ordered[np.arange(len(ordered)), np.clip(rank - unknown, 0, ordered.shape[1] - 1)]
    return np.where(rank < unknown, np.nan, found)


def _by_window(windows: Windows, function: Callable[[Floats, Ints, Ints], Floats]) -> Floats:
    first, size = windows.first.ravel(), (windows.last - windows.first).ravel()
    values = np.append(windows.batch.values, np.nan)
    result = np.full(len(first), np.nan)
    for part in _parts(size):
        width = np.arange(int(size[part].max()))
        index = first[part][:, None] + width
        index = np.where(width < size[part][:, None], index, len(values) - 1)
        result[part] = function(values[index], size[part], part)
    return result.reshape(windows.first.shape)


def _parts(size: Ints) -> Iterator[Ints]:
    """Windows of similar length together, so that little is filled up."""
    order = np.argsort(size, kind="stable")
    order = order[size[order] > 0]
    while order.size:
        taken = max(1, _CELLS // int(size[order[-1]]))
        yield order[-taken:]
        order = order[:-taken]
