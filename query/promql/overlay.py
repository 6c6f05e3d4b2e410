"""Series of one source with newer ones over them: what a rule made, for the next rule of its group."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from query.promql.ast import Matcher
from query.promql.errors import TooManySamples
from query.promql.series import Labels, SeriesBatch, SeriesSource
from vigla.storage.api import Stop


@dataclass(frozen=True, slots=True)
class Overlay:
    """A ``SeriesSource``: samples of both; of the same series and time that of ``upper``."""

    lower: SeriesSource
    upper: SeriesSource

    def select(
        self, matchers: Sequence[Matcher], start: int, end: int, *, max_samples: int, stop: Stop
    ) -> SeriesBatch:
        """Samples of the series that every matcher accepts, sorted by labels; see ``SeriesSource``."""
        lower, upper = (
            source.select(matchers, start, end, max_samples=max_samples, stop=stop)
            for source in (self.lower, self.upper)
        )
        if not len(upper.labels):
            return lower
        if len(lower.times) + len(upper.times) > max_samples:
            raise TooManySamples
        return _merged(lower, upper)


def _merged(lower: SeriesBatch, upper: SeriesBatch) -> SeriesBatch:
    labels = sorted({*lower.labels, *upper.labels})
    numbers = {own: number for number, own in enumerate(labels)}
    of_row = np.concatenate([_owners(batch, numbers) for batch in (lower, upper)])
    times = np.concatenate([lower.times, upper.times])
    order = np.lexsort((times, of_row))  # stable: of two at the same time the upper one is the last
    of_row, times = of_row[order], times[order]
    last = np.append((np.diff(of_row) != 0) | (np.diff(times) != 0), True)[: len(order)]
    order, of_row = order[last], of_row[last]
    starts = np.concatenate([_starts(lower), _starts(upper)])[order]
    return SeriesBatch(
        labels=labels,
        offsets=np.searchsorted(of_row, np.arange(len(labels) + 1)),
        times=times[last],
        values=np.concatenate([lower.values, upper.values])[order],
        histograms=_histograms(lower, upper, order),
        start_times=starts if starts.any() else None,
    )


def _owners(batch: SeriesBatch, numbers: dict[Labels, int]) -> npt.NDArray[np.int64]:
    own = np.array([numbers[labels] for labels in batch.labels], np.int64)
    return np.repeat(own, np.diff(batch.offsets))


def _starts(batch: SeriesBatch) -> npt.NDArray[np.int64]:
    return np.zeros(len(batch.times), np.int64) if batch.start_times is None else batch.start_times


def _histograms(
    lower: SeriesBatch, upper: SeriesBatch, order: npt.NDArray[np.int64]
) -> npt.NDArray[np.object_] | None:
    if lower.histograms is None and upper.histograms is None:
        return None
    parts = [
        np.full(len(batch.times), None, object) if batch.histograms is None else batch.histograms
        for batch in (lower, upper)
    ]
    joined: npt.NDArray[np.object_] = np.concatenate(parts)[order]
    return joined
