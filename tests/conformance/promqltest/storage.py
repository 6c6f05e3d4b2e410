"""Loads of a promqltest file as series in memory, with the hints that Prometheus' chunks would give."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np

from query.promql.histogram import CUSTOM_BUCKETS, Buckets, Histogram, ResetHint
from query.promql.memory import MemorySeries
from query.promql.notation import NAME, Noted, Row, Value
from query.promql.series import Labels
from tests.conformance.promqltest.script import Load
from vigla.prometheus.staleness import STALE_BITS

_NO_BUCKETS = Buckets(0, np.zeros(0))


class Sink(Protocol):
    """Takes samples; of one series and time the last."""

    def append(self, labels: Labels, time: int, value: float | Histogram, *, start_time: int = 0) -> None:
        """Take one."""


def stored(loads: Iterable[Load]) -> MemorySeries:
    """All series of the loads."""
    series = MemorySeries()
    store(loads, series)
    return series


def store(loads: Iterable[Load], series: Sink) -> None:
    """Put all samples of the loads into a sink."""
    for load in loads:
        starts: tuple[Value, ...] = ()
        for row in load.rows:
            if row.start_times:
                starts = row.values
                continue
            _append(series, row, starts, load.interval_ms)
            starts = ()
        if load.with_nhcb:
            _append_nhcb(series, load)


def _append(series: Sink, row: Row, starts: tuple[Value, ...], interval_ms: int) -> None:
    previous: float | Histogram | None = None
    for position, value in enumerate(row.values):
        if value is None:
            continue
        time = position * interval_ms
        offset = starts[position] if position < len(starts) else None
        start = time + int(offset) if isinstance(offset, float) else 0
        kept = _hinted(previous, value.histogram) if isinstance(value, Noted) else value
        series.append(row.labels, time, kept, start_time=start)
        previous = kept


def _hinted(previous: float | Histogram | None, histogram: Histogram) -> Histogram:
    """The histogram with the hint that reading it from a chunk gives.

    Within a chunk there are no resets; the first of a chunk is unknown, whatever was written.
    """
    hint: ResetHint = "unknown"
    if histogram.hint == "gauge":
        hint = "gauge"
    elif isinstance(previous, Histogram) and previous.hint != "gauge" and histogram.hint != "reset":
        hint = "not_reset" if _continues(previous, histogram) else "unknown"
    return replace(histogram, hint=hint)


def _continues(previous: Histogram, histogram: Histogram) -> bool:
    if _is_stale(previous) or _is_stale(histogram):
        return _is_stale(histogram)
    layouts = [(h.schema, h.zero_threshold, h.bounds) for h in (previous, histogram)]
    if layouts[0] != layouts[1]:
        return False
    if histogram.count < previous.count or histogram.zero_count < previous.zero_count:
        return False
    return all(
        _at_least(new, old)
        for new, old in ((histogram.positive, previous.positive), (histogram.negative, previous.negative))
    )


def _at_least(new: Buckets, old: Buckets) -> bool:
    counts = dict(zip(range(new.first, new.first + new.counts.size), new.counts.tolist(), strict=True))
    return all(counts.get(old.first + i, 0) >= count for i, count in enumerate(old.counts.tolist()))


def _is_stale(histogram: Histogram) -> bool:
    return int(np.float64(histogram.sum).view(np.uint64)) == STALE_BITS


class _Classic:
    """One classic histogram at one time."""

    def __init__(self) -> None:
        self.buckets: dict[float, float] = {}
        self.count: float | None = None
        self.sum: float | None = None

    def converted(self) -> Histogram | None:
        """As a histogram with custom buckets; None: its counts fall."""
        bounds = sorted(self.buckets)
        counts = [self.buckets[bound] for bound in bounds]
        total = self.count if self.count is not None else (counts[-1] if counts else 0.0)
        if not bounds or not math.isinf(bounds[-1]):
            counts.append(total)
        else:
            bounds.pop()
        each = np.diff(np.array([0.0, *counts]))
        if (each < 0).any():
            return None
        return Histogram(
            CUSTOM_BUCKETS, 0.0, 0.0, total, self.sum or 0.0, Buckets(0, each), _NO_BUCKETS, tuple(bounds)
        )


def _append_nhcb(series: Sink, load: Load) -> None:
    classics: defaultdict[Labels, defaultdict[int, _Classic]] = defaultdict(lambda: defaultdict(_Classic))
    for row in load.rows:
        for labels, part, bound in _classic_parts(row):
            for position, value in enumerate(row.values):
                if isinstance(value, float):
                    classic = classics[labels][position * load.interval_ms]
                    if part == "_bucket":
                        classic.buckets[bound] = value
                    elif part == "_count":
                        classic.count = value
                    else:
                        classic.sum = value
    for labels, times in classics.items():
        previous: Histogram | None = None
        for time, classic in sorted(times.items()):
            histogram = classic.converted()
            if histogram is not None and classic.buckets:
                previous = _hinted(previous, histogram)
                series.append(labels, time, previous)


def _classic_parts(row: Row) -> Iterator[tuple[Labels, str, float]]:
    labels = dict(row.labels)
    name = labels.pop(NAME, "")
    for part in ("_bucket", "_count", "_sum"):
        if row.start_times or not name.endswith(part) or (part == "_bucket") != ("le" in labels):
            continue
        try:
            bound = float(labels.pop("le", "nan"))
        except ValueError:
            return
        labels[NAME] = name.removesuffix(part)
        yield tuple(sorted(labels.items())), part, bound
