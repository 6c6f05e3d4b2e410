"""min_over_time, max_over_time and the times of the extremes."""

import numpy as np

from query.promql.kernels.blocks import Combine, State, largest, reduce_windows, smallest
from query.promql.kernels.call import Floats, gather
from query.promql.matrix import Windows


def minimum(windows: Windows) -> Floats:
    """float64 [S, T]: smallest value; NaN only where all values are."""
    return _reduce(windows, smallest)


def maximum(windows: Windows) -> Floats:
    """float64 [S, T]: largest value; NaN only where all values are."""
    return _reduce(windows, largest)


def _reduce(windows: Windows, combine: Combine) -> Floats:
    values = windows.batch.values
    (result,) = reduce_windows((values,), (np.nan,), windows.first.ravel(), windows.last.ravel(), combine)
    return result.reshape(windows.first.shape)


def time_of_minimum(windows: Windows) -> Floats:
    """float64 [S, T]: seconds at the last of the smallest values."""
    return _time_of(windows, -windows.batch.values)


def time_of_maximum(windows: Windows) -> Floats:
    """float64 [S, T]: seconds at the last of the largest values."""
    return _time_of(windows, windows.batch.values)


def _time_of(windows: Windows, values: Floats) -> Floats:
    index = np.arange(len(values), dtype=np.float64)
    _, chosen = reduce_windows(
        (values, index), (np.nan, -1.0), windows.first.ravel(), windows.last.ravel(), _later_and_larger
    )
    times = gather(windows.batch.times, chosen.astype(np.int64)).astype(np.float64)
    return (times / 1000.0).reshape(windows.first.shape)


def _later_and_larger(left: State, right: State) -> State:
    """The right (later) candidate where it is not less, or the left one is NaN."""
    take = (right[1] >= 0) & ((right[0] >= left[0]) | np.isnan(left[0]))
    return np.where(take, right[0], left[0]), np.where(take, right[1], left[1])
