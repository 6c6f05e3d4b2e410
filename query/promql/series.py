"""What the engine reads: series as columns, from memory or from the lake behind one interface."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from query.promql.ast import Matcher
from vigla.storage.api import Stop

Labels = tuple[tuple[str, str], ...]
"""Sorted name and value pairs, ``__name__`` among them; no empty values."""


@dataclass(frozen=True, slots=True)
class SeriesBatch:
    """Samples of S series, one after the other (N in all).

    Attributes:
        labels: S label sets, each once.
        offsets: int64 [S + 1]; series ``i`` has the samples ``offsets[i]:offsets[i + 1]``.
        times: int64 [N], milliseconds since the epoch, ascending within a series.
        values: float64 [N]; NaN where the sample is a histogram; a stale marker has ``STALE_BITS``.
        histograms: object [N], ``Histogram`` or None; None when no sample is a histogram.
        start_times: int64 [N], when the counter began, 0 unknown; None when no sample says.
    """

    labels: Sequence[Labels]
    offsets: npt.NDArray[np.int64]
    times: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    histograms: npt.NDArray[np.object_] | None = None
    start_times: npt.NDArray[np.int64] | None = None


class SeriesSource(Protocol):
    """Series of one consistent state of the store."""

    def select(
        self, matchers: Sequence[Matcher], start: int, end: int, *, max_samples: int, stop: Stop
    ) -> SeriesBatch:
        """Samples with ``start <= time <= end`` of all series that every matcher accepts.

        Series without a sample in the range are left out. A matcher that accepts the empty string also
        accepts series without the label.

        Args:
            matchers: at least one does not accept the empty string.
            start: milliseconds since the epoch.
            end: likewise.
            max_samples: more raise TooManySamples before they are read.
            stop: ends the reading.
        """
