"""Series in memory, as the engine reads them: for rules' tests and short-lived data."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from query.promql.ast import Matcher
from query.promql.errors import TooManySamples
from query.promql.histogram import Histogram
from query.promql.matching import accepts
from query.promql.series import Labels, SeriesBatch
from vigla.storage.api import Stop

_CHECK_EVERY = 1000  # series between two looks at ``stop``


@dataclass(slots=True)
class _Series:
    labels: Labels
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    histograms: list[Histogram | None] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def put(self, time: int, value: float | Histogram, start: int) -> None:
        at = bisect_left(self.times, time)
        known = slice(at, at + 1) if self.times[at : at + 1] == [time] else slice(at, at)
        self.times[known] = [time]
        self.values[known] = [value if isinstance(value, float) else np.nan]
        self.histograms[known] = [value if isinstance(value, Histogram) else None]
        self.starts[known] = [start]


@dataclass(frozen=True, slots=True)
class _Slice:
    series: _Series
    start: int
    end: int

    @property
    def range(self) -> slice:
        return slice(self.start, self.end)

    def __len__(self) -> int:
        return self.end - self.start


class MemorySeries:
    """Series by label set; a ``SeriesSource``. Not thread-safe while samples are appended."""

    def __init__(self) -> None:
        self._series: dict[Labels, _Series] = {}
        self._index: defaultdict[tuple[str, str], dict[Labels, _Series]] = defaultdict(dict)

    def append(self, labels: Labels, time: int, value: float | Histogram, *, start_time: int = 0) -> None:
        """Add a sample; one of the same series and time is replaced.

        Args:
            labels: sorted, without empty values.
            time: milliseconds since the epoch.
            value: a float (a NaN with ``STALE_BITS`` ends the series) or a histogram.
            start_time: when the counter began; 0: not known.
        """
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = _Series(labels)
            for pair in labels:
                self._index[pair][labels] = series
        series.put(time, value, start_time)

    def select(
        self, matchers: Sequence[Matcher], start: int, end: int, *, max_samples: int, stop: Stop
    ) -> SeriesBatch:
        """Samples of the series that every matcher accepts, sorted by labels; see ``SeriesSource``."""
        stop.check()
        slices: list[_Slice] = []
        count = 0
        for number, series in enumerate(self._matching(matchers)):
            if number % _CHECK_EVERY == 0:
                stop.check()
            found = _Slice(series, bisect_left(series.times, start), bisect_right(series.times, end))
            if len(found):
                slices.append(found)
                count += len(found)
            if count > max_samples:
                raise TooManySamples
        slices.sort(key=lambda each: each.series.labels)
        return _batch(slices)

    def label_sets(
        self, selectors: Sequence[Sequence[Matcher]], start: int, end: int, stop: Stop
    ) -> list[Labels]:
        """Label sets of series with a sample in a range; see ``query.prometheus.store.MetricStore``."""
        stop.check()
        found = {
            series.labels
            for matchers in selectors or [()]
            for series in self._matching(matchers)
            if bisect_left(series.times, start) < bisect_right(series.times, end)
        }
        return sorted(found)

    def _matching(self, matchers: Sequence[Matcher]) -> list[_Series]:
        exact = [each for each in matchers if each.op == "=" and each.value]
        others = [each for each in matchers if each not in exact]
        lists = [self._index.get((each.name, each.value), {}) for each in exact] or [self._series]
        smallest = min(lists, key=len)
        return [
            series
            for labels, series in smallest.items()
            if all(labels in each for each in lists) and _accepted(dict(labels), others)
        ]


def _accepted(labels: dict[str, str], matchers: Sequence[Matcher]) -> bool:
    return all(accepts(matcher, labels.get(matcher.name, "")) for matcher in matchers)


def _batch(slices: Sequence[_Slice]) -> SeriesBatch:
    histograms = [h for each in slices for h in each.series.histograms[each.range]]
    starts = np.array([s for each in slices for s in each.series.starts[each.range]], np.int64)
    return SeriesBatch(
        labels=[each.series.labels for each in slices],
        offsets=np.array([0, *accumulate(map(len, slices))], np.int64),
        times=np.array([t for each in slices for t in each.series.times[each.range]], np.int64),
        values=np.array([v for each in slices for v in each.series.values[each.range]], np.float64),
        histograms=_objects(histograms) if any(h is not None for h in histograms) else None,
        start_times=starts if starts.any() else None,
    )


def _objects(histograms: Sequence[Histogram | None]) -> npt.NDArray[np.object_]:
    array = np.empty(len(histograms), np.object_)
    array[:] = histograms
    return array
