"""Service performance metrics from spans: latency quantiles, call rate and error rate over time.

Spans are counted by step and, for latencies, by logarithmic bucket in one pass of the engine; the sliding
windows are sums over those counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
    return [
        Series(service, operation, tuple(_points(what, query, ends, slots, buckets, calls, errors)))
        for (service, operation), slots, buckets, calls, errors in _counts(
            reader, tables, what, query, context
        )
    ]


def _counts(
    reader: Reader, tables: LakeTables, what: Measure, query: MetricsQuery, context: QueryContext
) -> Iterator[tuple[tuple[str, str | None], Any, Any, Any, Any]]:
    """For each series: step numbers back from the end, latency buckets, calls and errors of these cells."""
    spans = tables.spans.c
    names: list[sa.ColumnElement[Any]] = [spans.service, *([spans.name] if query.by_operation else [])]
    age = query.end - sa.func.epoch_ns(spans.ts, type_=sa.BigInteger)
    behind = sa.func.divide(age, sa.bindparam(None, query.step, sa.BigInteger), type_=sa.BigInteger)
    bucket = sa.func.floor(sa.func.log2(sa.func.greatest(spans.dur, 1)) * BUCKETS_PER_OCTAVE)
    cells = [behind, *([bucket] if what == "latencies" else [sa.literal(0)])]
    earliest = max(query.start - query.window, 0)
    statement = (
        sa.select(
            *names,
            behind.label("behind"),
            sa.cast(cells[1], sa.Integer).label("bucket"),
            sa.func.count().label("calls"),
            sa.func.count_if(spans.status_code == ERROR).label("errors"),
        )
        .where(
            spans.ts > timestamp(earliest),
            spans.ts <= timestamp(query.end),
            spans.service.in_(query.services),
            spans.kind.in_(query.kinds),
        )
        .group_by(sa.text("ALL"))
    )
    rows = reader.select(statement, context)
    grouped: dict[tuple[str, str | None], list[int]] = {}
    services = rows.column(0).to_pylist()
    operations: Sequence[str | None] = (
        rows.column(1).to_pylist() if query.by_operation else [None] * len(services)
    )
    for index, key in enumerate(zip(services, operations, strict=True)):
        grouped.setdefault(key, []).append(index)
    numbers = [rows.column(name).cast("int64").to_numpy() for name in ("behind", "bucket", "calls", "errors")]
    for key in sorted(grouped, key=lambda k: (k[0], k[1] or "")):
        yield key, *(column[grouped[key]] for column in numbers)


def _points(
    what: Measure,
    query: MetricsQuery,
    ends: npt.NDArray[np.int64],
    behind: Any,
    buckets: Any,
    calls: Any,
    errors: Any,
) -> Iterator[tuple[int, float]]:
    width = max(query.window // query.step, 1)
    total = len(ends) + width
    slots = total - 1 - behind  # the newest step is the last
    inside = (slots >= 0) & (slots < total)
    slots, buckets, calls, errors = slots[inside], buckets[inside], calls[inside], errors[inside]
    called = _sliding(np.bincount(slots, calls, total), width)[1:]
    match what:
        case "calls":
            values = called / (query.window / NS_PER_S)
        case "errors":
            failed = _sliding(np.bincount(slots, errors, total), width)[1:]
            values = np.divide(failed, called, out=np.zeros_like(failed), where=called > 0)
        case "latencies":
            values = _quantiles(query.quantile, slots, buckets, calls, total, width)
    for end, value, count in zip(ends.tolist(), values.tolist(), called.tolist(), strict=True):
        if count:
            yield end, value


def _sliding(counts: npt.NDArray[Any], width: int) -> Counts:
    """Sums over the last ``width`` steps; one value more than there are full windows."""
    summed = np.concatenate([[0.0], np.cumsum(counts)])
    slid: Counts = summed[width:] - summed[:-width]
    return slid


def _quantiles(q: float, slots: Any, buckets: Any, calls: Any, total: int, width: int) -> Counts:
    """A quantile in ms for each window: the middle of the bucket in which it lies."""
    present, codes = np.unique(buckets, return_inverse=True)
    cells = np.bincount(codes * total + slots, calls, len(present) * total).reshape(len(present), total)
    windows = (
        np.stack([_sliding(row, width)[1:] for row in cells])
        if len(present)
        else np.zeros((1, total - width))
    )
    cumulated = np.cumsum(windows, axis=0)
    rank = np.maximum(q * cumulated[-1], 1e-9)
    index = np.argmax(cumulated >= rank - 1e-9, axis=0)
    middles = 2.0 ** ((present + 0.5) / BUCKETS_PER_OCTAVE) / NS_PER_MS if len(present) else np.zeros(1)
    return np.asarray(middles[index], dtype=np.float64)
