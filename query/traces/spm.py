"""Service performance metrics from spans: latency quantiles, call rate and error rate over time.

Spans are counted by step and, for latencies, by logarithmic bucket in one pass of the engine; the sliding
windows are sums over those counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from query.traces.model import ERROR
from vigla.errors import QueryError
from vigla.storage.api import QueryContext, Reader
from vigla.storage.tables import LakeTables, timestamp

Measure = Literal["latencies", "calls", "errors"]
Counts = npt.NDArray[np.float64]

BUCKETS_PER_OCTAVE = 32  # a quantile is within 2 % of the true one
EXACT = 1e-6  # counts are whole: what is nearer than this is equal
MAX_STEPS = 11_000  # as Prometheus bounds a range query
NS_PER_S, NS_PER_MS = 1e9, 1e6


@dataclass(frozen=True, slots=True)
class MetricsQuery:
    """What to compute. Times in Unix ns, ``step`` and ``window`` in ns; ``kinds`` are OTLP span kinds."""

    services: tuple[str, ...]
    by_operation: bool
    start: int
    end: int
    step: int
    window: int
    kinds: tuple[int, ...]
    quantile: float = 0.0


@dataclass(frozen=True, slots=True)
class Series:
    """One line: ``points`` are pairs of Unix ns and value (ms, calls a second, or a share of 0 to 1)."""

    service: str
    operation: str | None
    points: tuple[tuple[int, float], ...]


def measure(
    reader: Reader, tables: LakeTables, what: Measure, query: MetricsQuery, context: QueryContext
) -> list[Series]:
    """All series of the services asked for, by service and operation.

    Raises:
        QueryError: more points than ``MAX_STEPS``.
    """
    steps = (query.end - query.start) // query.step + 1
    if steps > MAX_STEPS:
        raise QueryError(f"{steps} points are more than {MAX_STEPS}: use a larger step or a shorter lookback")
    ends = query.end - query.step * np.arange(steps - 1, -1, -1, dtype=np.int64)
    slots = _Slots(len(ends), max(query.window // query.step, 1))
    return [
        Series(*key, tuple(_points(what, query, ends, slots, cells)))
        for key, cells in _cells(reader, tables, what, query, context)
    ]


Key: TypeAlias = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class _Cells:
    """Counts of one series: steps before the end, latency buckets, calls and errors, element by element."""

    behind: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.int64]
    calls: npt.NDArray[np.int64]
    errors: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Slots:
    """Steps on a line: as many as points are asked for, and one window before them."""

    points: int
    width: int

    @property
    def total(self) -> int:
        return self.points + self.width

    def sums(self, slots: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> Counts:
        """Sum over the window that ends at each point."""
        inside = slots >= 0  # a lookback that is no multiple of the step reaches further back
        return _sliding(np.bincount(slots[inside], counts[inside], self.total), self.width)[1:]


def _cells(
    reader: Reader, tables: LakeTables, what: Measure, query: MetricsQuery, context: QueryContext
) -> Iterator[tuple[Key, _Cells]]:
    """What each series has, by service and operation."""
    rows = reader.select(_statement(tables, what, query), context)
    services = rows.column("service").to_pylist()
    operations = rows.column("name").to_pylist() if query.by_operation else [None] * len(services)
    grouped: dict[Key, list[int]] = {}
    for index, key in enumerate(zip(services, operations, strict=True)):
        grouped.setdefault(key, []).append(index)
    numbers = [rows.column(name).cast("int64").to_numpy() for name in ("behind", "bucket", "calls", "errors")]
    for key in sorted(grouped, key=lambda k: (k[0], k[1] or "")):
        yield key, _Cells(*(column[grouped[key]] for column in numbers))


def _statement(tables: LakeTables, what: Measure, query: MetricsQuery) -> sa.Select[Any]:
    spans = tables.spans.c
    names: list[sa.ColumnElement[Any]] = [spans.service, *([spans.name] if query.by_operation else [])]
    age = query.end - sa.func.epoch_ns(spans.ts, type_=sa.BigInteger)
    behind = sa.func.divide(age, sa.bindparam(None, query.step, sa.BigInteger), type_=sa.BigInteger)
    octave = sa.func.log2(sa.func.greatest(spans.dur, 1))
    bucket = sa.func.floor(octave * BUCKETS_PER_OCTAVE) if what == "latencies" else sa.literal(0)
    return (
        sa.select(
            *names,
            behind.label("behind"),
            sa.cast(bucket, sa.Integer).label("bucket"),
            sa.func.count().label("calls"),
            sa.func.count_if(spans.status_code == ERROR).label("errors"),
        )
        .where(
            spans.ts > timestamp(max(query.start - query.window, 0)),
            spans.ts <= timestamp(query.end),
            spans.service.in_(query.services),
            spans.kind.in_(query.kinds),
        )
        .group_by(sa.text("ALL"))
    )


def _points(
    what: Measure, query: MetricsQuery, ends: npt.NDArray[np.int64], slots: _Slots, cells: _Cells
) -> Iterator[tuple[int, float]]:
    at = slots.total - 1 - cells.behind  # the newest step is the last
    called = slots.sums(at, cells.calls)
    match what:
        case "calls":
            values = called / (query.window / NS_PER_S)
        case "errors":
            failed = slots.sums(at, cells.errors)
            values = np.divide(failed, called, out=np.zeros_like(failed), where=called > 0)
        case "latencies":
            values = _quantiles(query.quantile, at, slots, cells)
    for end, value, count in zip(ends.tolist(), values.tolist(), called.tolist(), strict=True):
        if count:
            yield end, value


def _sliding(counts: npt.NDArray[Any], width: int) -> Counts:
    """Sums over the last ``width`` steps; one value more than there are full windows."""
    summed = np.concatenate([[0.0], np.cumsum(counts)])
    slid: Counts = summed[width:] - summed[:-width]
    return slid


def _quantiles(q: float, at: npt.NDArray[np.int64], slots: _Slots, cells: _Cells) -> Counts:
    """A quantile in ms for each window: the middle of the bucket in which it lies."""
    present, codes = np.unique(cells.buckets, return_inverse=True)
    windows = np.stack([slots.sums(at[codes == i], cells.calls[codes == i]) for i in range(len(present))])
    cumulated = np.cumsum(windows, axis=0)
    rank = q * cumulated[-1]
    index = np.argmax(cumulated >= rank - EXACT, axis=0)
    middles = 2.0 ** ((present + 0.5) / BUCKETS_PER_OCTAVE) / NS_PER_MS
    return np.asarray(middles[index], dtype=np.float64)
