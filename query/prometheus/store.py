"""What the API reads: series for the engine, and label sets for lookups."""

from collections.abc import Sequence
from typing import Protocol

from query.promql.ast import Matcher
from query.promql.series import Labels, SeriesSource
from vigla.storage.api import Stop


class MetricStore(SeriesSource, Protocol):
    """The series that are kept: ``LakeSeries``, or ``MemorySeries`` for tests. Used from any thread."""

    def label_sets(
        self, selectors: Sequence[Sequence[Matcher]], start: int, end: int, stop: Stop
    ) -> list[Labels]:
        """Label sets of series that have a sample in a range of milliseconds, each once, sorted.

        Args:
            selectors: of which one accepts the series; none: all series.
            start: first time; may be before all samples.
            end: last time.
            stop: ends the lookup.
        """
