"""Spans by start and duration, counted in cells, and where they usually are.

Durations are counted in half octaves: each bucket reaches √2 times as far as the one below it.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from query.traces.model import ERROR
from query.traces.search import TraceQuery, matches
from vigla.storage.api import QueryContext, Reader, View
from vigla.storage.tables import LakeTables, timestamp

NS_PER_US = 1000
BUCKETS_PER_OCTAVE = 2
DAY_NS = 24 * 3600 * 10**9
WEEK_NS = 7 * DAY_NS
USUAL_PARTS = 12  # fewer than columns: quantiles of a handful of spans say nothing
LEAST_USUAL = 20  # spans, for the same reason
LOWER, UPPER = 0.05, 0.95


@dataclass(frozen=True, slots=True)
class Cells:
    """Counts, element by element; cells without spans are left out.

    Attributes:
        column: from the range's start, ``Heatmap.step`` each.
        bucket: ``k`` is of durations from ``2 ** (k / 2)`` microseconds; 0 has the shorter ones too.
        spans: how many.
        errors: how many of them failed.
    """

    column: list[int]
    bucket: list[int]
    spans: list[int]
    errors: list[int]


@dataclass(frozen=True, slots=True)
class Part:
    """Where nine of ten spans lay: ``low`` to ``high``, microseconds; ``part`` counts from the start."""

    part: int
    spans: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Usual:
    """The same range earlier.

    Attributes:
        ago: nanoseconds.
        step: length of a part, nanoseconds.
        parts: those that have spans, in order.
    """

    ago: int
    step: int
    parts: list[Part]


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Cells with columns of ``step`` nanoseconds, and the usual where something earlier is known."""

    step: int
    cells: Cells
    usual: Usual | None


def heatmap(
    reader: Reader, tables: LakeTables, query: TraceQuery, columns: int, context: QueryContext
) -> Heatmap:
    """Of all spans that match; the query's limit does not count.

    Args:
        reader: of the spans.
        tables: of the reader.
        query: whose start is before its end.
        columns: into how many the range is cut.
        context: bounds of the query.
    """
    step = _length(query, columns)
    with reader.view(context) as view:
        return Heatmap(step, _cells(view, tables, query, step), _usual(view, tables, query))


def _cells(view: View, tables: LakeTables, query: TraceQuery, step: int) -> Cells:
    spans = tables.spans.c
    octave = sa.func.log2(sa.func.greatest(spans.dur / NS_PER_US, 1))
    column, bucket = _part(tables, query.start, step), sa.func.floor(octave * BUCKETS_PER_OCTAVE)
    statement = (
        sa.select(
            column.label("part"),
            sa.cast(bucket, sa.Integer).label("bucket"),
            sa.func.count(),
            sa.func.count_if(spans.status_code == ERROR, type_=sa.BigInteger),
        )
        .where(_inside(tables, query.start, query.end), matches(tables, query))
        .group_by(sa.text("1, 2"))
        .order_by(sa.text("1, 2"))
    )
    return Cells(*(values.cast("int64").to_pylist() for values in view.select(statement).columns))


def _usual(view: View, tables: LakeTables, query: TraceQuery) -> Usual | None:
    """A week earlier, else a day earlier; never a range that overlaps the query's own."""
    for ago in (WEEK_NS, DAY_NS):
        if query.end - query.start >= ago or query.start < ago:
            continue
        step = _length(query, USUAL_PARTS)
        parts = _parts(view, tables, query, ago, step)
        if sum(part.spans for part in parts) >= LEAST_USUAL:
            return Usual(ago, step, parts)
    return None


def _parts(view: View, tables: LakeTables, query: TraceQuery, ago: int, step: int) -> list[Part]:
    spans = tables.spans.c
    statement = (
        sa.select(
            _part(tables, query.start - ago, step).label("part"),
            sa.func.count(),
            sa.func.quantile_cont(spans.dur, LOWER) / NS_PER_US,
            sa.func.quantile_cont(spans.dur, UPPER) / NS_PER_US,
        )
        .where(_inside(tables, query.start - ago, query.end - ago), matches(tables, query))
        .group_by(sa.text("1"))
        .order_by(sa.text("1"))
    )
    columns = (values.to_pylist() for values in view.select(statement).columns)
    return [Part(*row) for row in zip(*columns, strict=True)]


def _length(query: TraceQuery, parts: int) -> int:
    """Nanoseconds of each part; the last one may reach past the end."""
    return -(-(query.end - query.start + 1) // parts)


def _part(tables: LakeTables, start: int, step: int) -> sa.ColumnElement[Any]:
    since = sa.func.epoch_ns(tables.spans.c.ts, type_=sa.BigInteger) - start
    return sa.func.divide(since, sa.bindparam(None, step, sa.BigInteger), type_=sa.BigInteger)


def _inside(tables: LakeTables, start: int, end: int) -> sa.ColumnElement[bool]:
    return sa.and_(tables.spans.c.ts >= timestamp(start), tables.spans.c.ts <= timestamp(end))
