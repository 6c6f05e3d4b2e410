"""What evaluation works with: one query's source, options, limits and notes, and the steps it is at."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from query.promql.annotations import Annotations
from query.promql.ast import Matcher
from query.promql.errors import TooManySamples
from query.promql.histograms.hints import as_detected
from query.promql.matrix import Matrix, Steps
from query.promql.series import SeriesBatch, SeriesSource
from vigla.storage.api import Stop


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How queries are evaluated; the defaults are Prometheus'.

    Attributes:
        lookback_ms: an instant selector takes the newest sample of this time.
        max_samples: more in one query are refused.
        default_step_ms: of subqueries that name none.
        delayed_name_removal: functions mark names, which go at the end; so labels may still be made of them.
        use_start_times: counters honour when they began.
    """

    lookback_ms: int = 300_000
    max_samples: int = 50_000_000
    default_step_ms: int = 60_000
    delayed_name_removal: bool = False
    use_start_times: bool = False


@dataclass(slots=True)
class Budget:
    """Samples that a query may still read, and those that it has read."""

    limit: int
    used: int = 0

    def take(self, count: int) -> None:
        """Count samples.

        Raises:
            TooManySamples: there are more than allowed.
        """
        self.room(count)
        self.used += count

    def room(self, count: int) -> None:
        """Check that so many more fit, before they are made.

        Raises:
            TooManySamples: there are more than allowed.
        """
        if self.used + count > self.limit:
            raise TooManySamples


@dataclass(frozen=True, slots=True)
class Context:
    """One query at its steps, or at those of one of its subqueries.

    Attributes:
        start, end: milliseconds, of the whole query: ``@ start()`` and ``@ end()``.
        interval: of the whole query; 0: it is instant.
        instant: the query is for one time, not for a range of them.
        detect_resets: histograms that are read get the hint that comparing them gives.
    """

    source: SeriesSource
    options: EngineOptions
    stop: Stop
    steps: Steps
    start: int
    end: int
    interval: int
    instant: bool
    budget: Budget
    notes: Annotations = field(default_factory=Annotations)
    detect_resets: bool = False

    @property
    def size(self) -> int:
        """T, the number of steps."""
        return len(self.steps.times)

    def at(self, steps: Steps) -> "Context":
        """The same query at other steps."""
        return replace(self, steps=steps)

    def read(self, matchers: Sequence[Matcher], start: int, end: int) -> SeriesBatch:
        """Samples of series, counted."""
        left = max(self.budget.limit - self.budget.used, 0)
        batch = self.source.select(matchers, start, end, max_samples=left, stop=self.stop)
        self.budget.take(len(batch.times))
        return _with_hints(batch) if self.detect_resets else batch

    def empty(self) -> Matrix:
        """A vector without elements."""
        shape = (0, self.size)
        return Matrix([], np.zeros(shape), np.zeros(shape, np.bool_), None, np.zeros(0, np.bool_))


def _with_hints(batch: SeriesBatch) -> SeriesBatch:
    if batch.histograms is None:
        return batch
    made = batch.histograms.copy()
    for low, high in itertools.pairwise(batch.offsets.tolist()):
        places = [place for place in range(low, high) if made[place] is not None]
        for place, histogram in zip(places, as_detected([made[place] for place in places]), strict=True):
            made[place] = histogram
    return replace(batch, histograms=made)
