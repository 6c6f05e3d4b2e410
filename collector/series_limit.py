"""Bounds how many series one source may write: a label with a value for each request would fill the lake."""

import threading
from dataclasses import dataclass, field

import numpy as np

from vigla.clock import Clock
from vigla.wire.series_limit import Ints, Mask, Series

WINDOW_S = 3600.0
"""Series that a source has not written for this long make room for others."""

_PENDING = 8  # new ids are merged into the sorted ones when they are an eighth of these


@dataclass(slots=True)
class _Seen:
    """Ids of one source, sorted: many, and few that were added lately."""

    many: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    few: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    size: int = 0  # series of Prometheus

    def known(self, ids: Ints) -> Mask:
        return _among(self.many, ids) | _among(self.few, ids)

    def add(self, ids: Ints, size: int) -> None:
        self.size += size
        self.few = np.union1d(self.few, ids)
        if len(self.few) * _PENDING > len(self.many):
            self.many = np.union1d(self.many, self.few)
            self.few = self.few[:0]


class SeriesLimit:
    """Counts series by source, which is the label ``job``. Thread-safe.

    What was counted is forgotten every ``WINDOW_S``, and with the process.

    Args:
        most: series of one source in this time.
        clock: the time.
    """

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._sources: dict[str, _Seen] = {}
        self._began = clock.monotonic()
        self._lock = threading.Lock()

    def over(self, series: Series) -> Mask:
        """Which series are refused: new ones of a source that has as many as it may.

        Args:
            series: of one request.
        """
        refused = np.zeros(len(series.ids), np.bool_)
        with self._lock:
            if self._clock.monotonic() - self._began > WINDOW_S:
                self._sources, self._began = {}, self._clock.monotonic()
            for number in np.unique(series.sources).tolist():
                own = np.flatnonzero(series.sources == number)
                refused[own] = self._over(series.job(number), series.ids[own], series.sizes[own])
        return refused

    def _over(self, source: str, ids: Ints, sizes: Ints) -> Mask:
        seen = self._sources.setdefault(source, _Seen())
        fresh = np.flatnonzero(~seen.known(ids))
        distinct, firsts = np.unique(ids[fresh], return_index=True)
        in_order = np.argsort(firsts)
        grown = np.cumsum(sizes[fresh][firsts[in_order]])
        fit = int(np.searchsorted(grown, self._most - seen.size, "right"))
        taken = distinct[in_order][:fit]
        if fit:
            seen.add(taken, int(grown[fit - 1]))
        refused = np.zeros(len(ids), np.bool_)
        refused[fresh] = ~np.isin(ids[fresh], taken)
        return refused


def _among(known: Ints, ids: Ints) -> Mask:
    if not len(known):
        return np.zeros(len(ids), np.bool_)
    places = np.searchsorted(known, ids)
    places[places == len(known)] = 0
    found: Mask = known[places] == ids
    return found
