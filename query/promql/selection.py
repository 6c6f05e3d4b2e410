"""Samples of selectors: the newest one at each step, or those of the windows that end there."""

from dataclasses import dataclass, replace

import numpy as np

from query.promql.ast import DurationNumber, Extension, MatrixSelector, VectorSelector
from query.promql.context import Context
from query.promql.histogram import Histogram
from query.promql.kernels.call import Bools, Floats, Ints, Objects, RangeCall
from query.promql.kernels.smoothed_instant import smoothed_selector
from query.promql.kernels.start_times import start_timestamps
from query.promql.matrix import Matrix, Windows
from query.promql.series import SeriesBatch
from vigla.prometheus.staleness import STALE_BITS


@dataclass(frozen=True, slots=True)
class Picked:
    """The samples that an instant selector takes.

    Attributes:
        batch: of S series.
        index: int64 [S, T], places in ``batch``; anything where not ``present``.
        present: bool [S, T].
    """

    batch: SeriesBatch
    index: Ints
    present: Bools


def milliseconds(duration: DurationNumber) -> int:
    """Of a duration that is resolved."""
    return round(duration.seconds * 1000)


def selection_times(context: Context, selector: VectorSelector) -> Ints:
    """Int64 [T]: the times that a selector looks at."""
    times = context.steps.times
    if selector.at is not None:
        times = np.full(len(times), int(selector.at), np.int64)
    if isinstance(selector.offset, DurationNumber):
        times = times - milliseconds(selector.offset)
    return times


def pick(context: Context, selector: VectorSelector) -> Picked:
    """The newest sample of the lookback before each time, unless it ends its series."""
    times = selection_times(context, selector)
    return _picked(context, _looked_back(context, selector, times), times)


def _looked_back(context: Context, selector: VectorSelector, times: Ints) -> SeriesBatch:
    """The samples that are new enough at one of these times."""
    lookback = context.options.lookback_ms
    batch = context.read(selector.matchers, int(times.min()) - lookback + 1, int(times.max()))
    context.budget.room(len(batch.labels) * len(times))
    return batch


def _picked(context: Context, batch: SeriesBatch, times: Ints) -> Picked:
    lookback = context.options.lookback_ms
    index = positions(batch, times) - 1
    safe = np.maximum(index, 0)
    present = index >= batch.offsets[:-1, None]
    if len(batch.times):
        present &= batch.times[safe] > times - lookback
        present &= ~is_stale(batch)[safe]
    return Picked(batch, safe, present)


def vector(context: Context, selector: VectorSelector) -> Matrix:
    """An instant selector at each step."""
    if selector.extension is Extension.SMOOTHED:
        return _smoothed(context, selector)
    times = selection_times(context, selector)
    batch = _looked_back(context, selector, times)
    if not len(batch.times):
        return context.empty()
    if batch.histograms is None and (common := _in_step(batch)) is not None:
        return trimmed(_common(context, batch, common, times))
    picked = _picked(context, batch, times)
    histograms = None
    if batch.histograms is not None:
        histograms = np.where(picked.present, batch.histograms[picked.index], np.array(None, object))
    return trimmed(_matrix(batch, batch.values[picked.index], picked.present, histograms))


def _in_step(batch: SeriesBatch) -> Ints | None:
    """The times of the samples, where all series have the same ones, as those of one target."""
    if len(batch.times) % len(batch.labels):
        return None
    own = batch.times.reshape(len(batch.labels), -1)
    if (np.diff(batch.offsets) != own.shape[1]).any() or (own != own[0]).any():
        return None
    first: Ints = own[0]
    return first


def _common(context: Context, batch: SeriesBatch, common: Ints, times: Ints) -> Matrix:
    """As ``_picked``, with one search for all series."""
    index = np.searchsorted(common, times, side="right") - 1
    safe = np.maximum(index, 0)
    new_enough = (index >= 0) & (common[safe] > times - context.options.lookback_ms)
    values = np.take(batch.values.reshape(len(batch.labels), -1), safe, axis=1)
    present = (values.view(np.uint64) != STALE_BITS) & new_enough
    return _matrix(batch, values, present, None)


def sample_times(context: Context, selector: VectorSelector) -> Matrix:
    """``timestamp(selector)``: seconds of the samples that the selector takes."""
    picked = pick(context, selector)
    if not len(picked.batch.times):
        return context.empty()
    values = picked.batch.times[picked.index] / 1000.0
    return trimmed(_matrix(picked.batch, values, picked.present, None))


def start_times(context: Context, selector: VectorSelector) -> Matrix:
    """``start_timestamp(selector)``: seconds at which these counters began."""
    picked = pick(context, selector)
    values = start_timestamps(picked.batch, picked.index)
    return trimmed(_matrix(picked.batch, values, picked.present, None))


def windows(context: Context, selector: MatrixSelector) -> Windows:
    """The samples of a range selector at each step; an extended one gets those around the windows too."""
    if not isinstance(selector.range, DurationNumber):
        raise TypeError("durations are resolved before")
    return _windows(context, selector.vector, milliseconds(selector.range))


def windows_of(context: Context, batch: SeriesBatch, ends: Ints, length: int) -> Windows:
    """Windows of one length over samples, stale markers taken out."""
    fresh = _without_stale(batch)
    starts = ends - length
    context.stop.check()
    context.budget.room(len(batch.labels) * len(ends))
    return Windows(fresh, positions(fresh, starts), positions(fresh, ends), starts, ends)


def _windows(context: Context, selector: VectorSelector, length: int) -> Windows:
    ends = selection_times(context, selector)
    lookback = context.options.lookback_ms
    before = lookback if selector.extension else 0
    after = lookback if selector.extension is Extension.SMOOTHED else 0
    batch = context.read(
        selector.matchers, int(ends.min()) - length - before + 1 - bool(before), int(ends.max()) + after
    )
    return windows_of(context, batch, ends, length)


def _smoothed(context: Context, selector: VectorSelector) -> Matrix:
    found = _windows(context, selector, context.options.lookback_ms)
    call = RangeCall(
        found, context.steps.times, context.notes, selector.place, lookback=context.options.lookback_ms
    )
    if not found.batch.labels:
        return context.empty()
    result = smoothed_selector(call)
    return trimmed(_matrix(found.batch, result.values, result.present, result.histograms))


def positions(batch: SeriesBatch, times: Ints) -> Ints:
    """Int64 [S, T]: places in ``batch`` behind the samples of each series up to each time."""
    count = len(batch.labels)
    if not count:
        return np.zeros((0, len(times)), np.int64)
    if (common := _in_step(batch)) is not None:
        return np.asarray(np.searchsorted(common, times, side="right") + batch.offsets[:-1, None], np.int64)
    if (regular := _regular(batch, times)) is not None:
        return regular
    found = np.empty((count, len(times)), np.int64)
    bounds = batch.offsets.tolist()
    for row in range(count):
        own = batch.times[bounds[row] : bounds[row + 1]]
        found[row] = np.searchsorted(own, times, side="right")
    return found + batch.offsets[:-1, None]


def _regular(batch: SeriesBatch, times: Ints) -> Ints | None:
    """The same by division, where all series have the distance of their samples in common."""
    sizes = np.diff(batch.offsets)
    if len(batch.times) < 2 * len(sizes) or (sizes < 2).any():  # noqa: PLR2004  a distance needs two
        return None
    first = batch.times[batch.offsets[:-1]]
    step = int(batch.times[1] - batch.times[0])
    if step <= 0:
        return None
    steps = np.diff(batch.times)
    steps[batch.offsets[1:-1] - 1] = step
    if (steps != step).any():
        return None
    found = (times - first[:, None]) // step + 1
    return np.asarray(np.clip(found, 0, sizes[:, None]) + batch.offsets[:-1, None], np.int64)


def is_stale(batch: SeriesBatch) -> Bools:
    """Bool [N]: the sample is a marker that its series ended."""
    stale = batch.values.view(np.uint64) == STALE_BITS
    if batch.histograms is not None:
        sums = [h.sum if isinstance(h, Histogram) else 0.0 for h in batch.histograms.tolist()]
        stale |= np.array(sums, np.float64).view(np.uint64) == STALE_BITS
    return np.asarray(stale, np.bool_)


def _without_stale(batch: SeriesBatch) -> SeriesBatch:
    stale = is_stale(batch)
    if not stale.any():
        return batch
    before = np.concatenate(([0], np.cumsum(~stale, dtype=np.int64)))
    return replace(
        batch,
        offsets=before[batch.offsets],
        times=batch.times[~stale],
        values=batch.values[~stale],
        histograms=None if batch.histograms is None else batch.histograms[~stale],
        start_times=None if batch.start_times is None else batch.start_times[~stale],
    )


def _matrix(batch: SeriesBatch, values: Floats, present: Bools, histograms: Objects | None) -> Matrix:
    return Matrix(list(batch.labels), values, present, histograms, np.zeros(len(batch.labels), np.bool_))


def trimmed(matrix: Matrix) -> Matrix:
    """Without series that are never present."""
    used = matrix.present.any(axis=1)
    return matrix if used.all() else rows(matrix, np.flatnonzero(used))


def rows(matrix: Matrix, chosen: Ints) -> Matrix:
    """Some series, in this order."""
    return Matrix(
        [matrix.labels[row] for row in chosen.tolist()],
        matrix.values[chosen],
        matrix.present[chosen],
        None if matrix.histograms is None else matrix.histograms[chosen],
        matrix.drop_name[chosen],
    )
