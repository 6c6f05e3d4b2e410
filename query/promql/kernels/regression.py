"""deriv and predict_linear: least squares over each window."""

import numpy as np

from query.promql.kernels.blocks import co_moments, reduce_windows
from query.promql.kernels.call import Bools, Floats, Ints, counts, floats_at
from query.promql.kernels.sums import centre_of_series
from query.promql.matrix import Windows


def slope(windows: Windows) -> Floats:
    """float64 [S, T]: growth a second."""
    return _fit(windows, windows.ends)[0]


def predict(windows: Windows, times: Ints, seconds: Floats) -> Floats:
    """float64 [S, T]: the line's value ``seconds`` (float64 [T]) after ``times`` (int64 [T])."""
    growth, now = _fit(windows, times)
    with np.errstate(all="ignore"):
        return growth * seconds + now


def _fit(windows: Windows, at: Ints) -> tuple[Floats, Floats]:
    """Slope, and the line's value at ``at``; of a constant series exactly 0 and that value."""
    batch = windows.batch
    finite = np.isfinite(batch.values)
    centre = centre_of_series(windows, finite)
    height = np.where(finite, batch.values, 0.0) - np.where(finite, centre, 0.0)
    origin = batch.times[0] if len(batch.times) else 0
    seconds = (batch.times - origin) / 1000.0
    leaves = (np.ones_like(height), seconds, height, np.zeros_like(height), np.where(finite, 0.0, np.nan))
    with np.errstate(all="ignore"):
        _, mean_x, mean_y, spread, joint = (
            part.reshape(windows.first.shape)
            for part in reduce_windows(
                leaves, (0.0,) * 5, windows.first.ravel(), windows.last.ravel(), co_moments
            )
        )
        growth = joint / spread
        now = mean_y + _at_first(windows, centre) + growth * ((at - origin) / 1000.0 - mean_x)
    constant = _is_constant(windows)
    level = floats_at(windows, windows.first)
    level = np.where(np.isinf(level), np.nan, level)
    return np.where(constant, np.where(np.isnan(level), np.nan, 0.0), growth), np.where(constant, level, now)


def _at_first(windows: Windows, column: Floats) -> Floats:
    if not len(column):
        return np.zeros(windows.first.shape)
    return column[np.clip(windows.first, 0, len(column) - 1)]


def _is_constant(windows: Windows) -> Bools:
    values = windows.batch.values
    differs = np.zeros(len(values), dtype=np.int64)
    differs[1:] = values[1:] != values[:-1]
    upto = np.concatenate(([0], np.cumsum(differs)))
    begin = np.minimum(windows.first + 1, windows.last)
    return np.asarray((counts(windows) > 0) & (upto[windows.last] == upto[begin]), dtype=np.bool_)
