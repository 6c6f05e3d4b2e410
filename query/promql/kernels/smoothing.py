"""double_exponential_smoothing (Holt's linear method)."""

import numpy as np

from query.promql.kernels.call import Floats
from query.promql.kernels.notes import ArgumentError
from query.promql.matrix import Windows


def check_factors(smoothing: Floats, trend: Floats) -> None:
    """Raise ArgumentError unless both factors lie between 0 and 1, bounds excluded."""
    for kind, factors, symbol in (("smoothing", smoothing, "sf"), ("trend", trend, "tf")):
        wrong = factors[~((factors > 0) & (factors < 1))]
        if wrong.size:
            raise ArgumentError(f"invalid {kind} factor. Expected: 0 < {symbol} < 1, got: {wrong[0]:f}")


def smooth(windows: Windows, smoothing: Floats, trend: Floats) -> Floats:
    """float64 [S, T]: smoothed last value; the recurrence runs over all windows side by side.

    Args:
        windows: without histograms.
        smoothing: float64 [T], weight of new values, between 0 and 1.
        trend: float64 [T], weight of new slopes, between 0 and 1.
    """
    shape = windows.first.shape
    first, size = windows.first.ravel(), (windows.last - windows.first).ravel()
    order = np.argsort(-size, kind="stable")
    order = order[size[order] >= 2]  # noqa: PLR2004 - one sample has no trend
    result = np.full(len(first), np.nan)
    if not order.size:
        return result.reshape(shape)
    first, size, values = first[order], size[order], windows.batch.values
    weight = np.broadcast_to(smoothing, shape).ravel()[order]
    trend_weight = np.broadcast_to(trend, shape).ravel()[order]
    level, previous = values[first], values[first]
    with np.errstate(all="ignore"):
        growth = values[first + 1] - values[first]
        for position in range(1, int(size.max())):
            running = slice(0, int(np.searchsorted(-size, -position, side="left")))
            if position > 1:
                newer = trend_weight[running] * (level[running] - previous[running])
                growth[running] = newer + (1 - trend_weight[running]) * growth[running]
            previous[running] = level[running]
            sample = values[first[running] + position]
            level[running] = weight[running] * sample + (1 - weight[running]) * (
                level[running] + growth[running]
            )
    result[order] = level
    return result.reshape(shape)
