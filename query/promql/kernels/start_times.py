"""Start timestamps of counters: resets they reveal, zero points they give, and contradictions."""

import numpy as np

from query.promql.kernels.call import Bools, Floats, Ints, gather, times_at
from query.promql.matrix import Windows
from query.promql.series import SeriesBatch


def starts_anew(batch: SeriesBatch) -> Bools:
    """Bool [N]: by its start time the sample is of a counter that began after the sample before.

    A start at the very time of the sample before is a delta sample, unless that sample has no start before
    itself: then it opens a counter whose start is unknown.
    """
    anew = np.zeros(len(batch.times), dtype=np.bool_)
    if batch.start_times is None:
        return anew
    starts, times = batch.start_times, batch.times
    follows = starts[1:] > times[:-1]
    touches = (starts[1:] == times[:-1]) & (starts[:-1] != 0) & (starts[:-1] < times[:-1])
    anew[1:] = (starts[1:] != 0) & (starts[1:] < times[1:]) & (follows | touches)
    return anew


def overlaps(batch: SeriesBatch) -> Bools:
    """Bool [N]: the counter claims to have begun before the sample before, which has another start."""
    wrong = np.zeros(len(batch.times), dtype=np.bool_)
    if batch.start_times is not None:
        starts, times = batch.start_times, batch.times
        wrong[1:] = (starts[1:] != 0) & (starts[1:] < times[:-1]) & (starts[1:] != starts[:-1])
    return wrong


def zero_points(windows: Windows) -> Ints:
    """int64 [S, T]: time within the window when the counter of its first sample began at zero, 0 unknown."""
    batch = windows.batch
    if batch.start_times is None:
        return np.zeros(windows.first.shape, dtype=np.int64)
    starts = np.asarray(gather(batch.start_times, windows.first), dtype=np.int64)
    known = (starts != 0) & (starts > windows.starts) & (starts < times_at(windows, windows.first))
    return np.where(known & (windows.first < windows.last), starts, 0)


def start_timestamps(batch: SeriesBatch, index: Ints) -> Floats:
    """start_timestamp(selector): seconds at which the counters of the chosen samples began, 0 unknown.

    Args:
        batch: the selector's samples.
        index: int64 [S, T], the sample of each element; anything where there is none.
    """
    if batch.start_times is None:
        return np.zeros(index.shape)
    return np.asarray(gather(batch.start_times, index), dtype=np.int64) / 1000.0
