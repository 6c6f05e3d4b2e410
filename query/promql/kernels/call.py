"""What a range function gets and gives, and windows split by kind of sample."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from query.promql.ast import Extension, Place
from query.promql.histogram import filled
from query.promql.histograms.notes import Notes, Site
from query.promql.labelsets import name_of
from query.promql.matrix import Windows
from query.promql.series import SeriesBatch

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]

DEFAULT_LOOKBACK = 300_000


@dataclass(frozen=True, slots=True)
class RangeCall:
    """One call of a range function over S series and T steps.

    Attributes:
        windows: the samples. For an extended range ``batch`` also holds the samples up to ``lookback`` before
            the first window and (smoothed) after the last one; ``first``/``last`` are the plain windows.
        times: int64 [T], evaluation times in milliseconds.
        notes: takes the annotations.
        place: of the range vector in the query text.
        parameters: float64 [T] each, the scalar arguments in the order written.
        parameter_place: of the first scalar argument.
        extension: ``anchored`` or ``smoothed``.
        lookback: milliseconds that an extended range looks beyond its bounds.
        use_start_times: counters honour ``batch.start_times``.
    """

    windows: Windows
    times: Ints
    notes: Notes
    place: Place
    parameters: tuple[Floats, ...] = ()
    parameter_place: Place | None = None
    extension: Extension | None = None
    lookback: int = DEFAULT_LOOKBACK
    use_start_times: bool = False

    def site(self, series: int) -> Site:
        """Where the notes about one series go."""
        return Site(self.notes, name_of(self.windows.batch.labels[series]), self.place)


@dataclass(frozen=True, slots=True)
class RangeResult:
    """Values at each step.

    Attributes:
        values: float64 [S, T]; meaningless where not ``present``, NaN where the element is a histogram.
        present: bool [S, T].
        histograms: object [S, T], ``Histogram`` or None; None when no element is a histogram.
    """

    values: Floats
    present: Bools
    histograms: Objects | None = None


RangeFunction = Callable[[RangeCall], RangeResult]


def with_windows(call: RangeCall, windows: Windows) -> RangeCall:
    """The same call on other samples."""
    return replace(call, windows=windows)


def series_of_samples(batch: SeriesBatch) -> Ints:
    """int64 [N]: the series each sample belongs to."""
    return np.repeat(np.arange(len(batch.labels), dtype=np.int64), np.diff(batch.offsets))


def is_histogram(batch: SeriesBatch) -> Bools:
    """Bool [N]: the sample is a histogram."""
    if batch.histograms is None:
        return np.zeros(len(batch.times), dtype=np.bool_)
    return filled(batch.histograms)


def keep_samples(windows: Windows, keep: Bools) -> Windows:
    """The windows with only those samples of the batch for which ``keep`` (bool [N]) holds."""
    batch = windows.batch
    before = np.concatenate(([0], np.cumsum(keep, dtype=np.int64)))
    kept = SeriesBatch(
        labels=batch.labels,
        offsets=before[batch.offsets],
        times=batch.times[keep],
        values=batch.values[keep],
        histograms=None if batch.histograms is None else batch.histograms[keep],
        start_times=None if batch.start_times is None else batch.start_times[keep],
    )
    return replace(windows, batch=kept, first=before[windows.first], last=before[windows.last])


def floats_only(windows: Windows) -> Windows:
    """The windows without their histograms."""
    if windows.batch.histograms is None:
        return windows
    kept = keep_samples(windows, ~is_histogram(windows.batch))
    return replace(kept, batch=replace(kept.batch, histograms=None))


def histograms_only(windows: Windows) -> Windows:
    """The windows without their floats."""
    return keep_samples(windows, is_histogram(windows.batch))


def counts(windows: Windows) -> Ints:
    """int64 [S, T]: samples of each window."""
    return windows.last - windows.first


def gather(column: npt.NDArray[np.generic], index: Ints) -> npt.NDArray[np.generic]:
    """Elements at indices, some of which are outside the column where the window is empty."""
    if not len(column):
        return np.zeros(index.shape, dtype=column.dtype)
    return column[np.clip(index, 0, len(column) - 1)]


def floats_at(windows: Windows, index: Ints) -> Floats:
    """Values of samples; outside the column any number."""
    return np.asarray(gather(windows.batch.values, index), dtype=np.float64)


def times_at(windows: Windows, index: Ints) -> Ints:
    """Times of samples; outside the column any number."""
    return np.asarray(gather(windows.batch.times, index), dtype=np.int64)
