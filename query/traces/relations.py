"""Who calls whom, and how well: computed from spans by joining children with their parents."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from query.traces.model import ERROR
from vigla.storage.api import QueryContext, Reader
from vigla.storage.tables import LakeTables, timestamp

PARENT_REACH_NS = 3600 * 1_000_000_000
"""A parent that started longer before its child is not looked for."""

NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class Node:
    """A service in a time range. Latencies of its spans in milliseconds."""

    service: str
    spans: int
    errors: int
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Edge:
    """Calls between two services: spans of ``child`` below spans of ``parent``. ``p95`` in milliseconds."""

    parent: str
    child: str
    calls: int
    errors: int
    p95: float


def nodes(reader: Reader, tables: LakeTables, start: int, end: int, context: QueryContext) -> list[Node]:
    """Services with spans that start in the range (Unix ns), by name."""
    spans = tables.spans.c
    statement = (
        sa.select(
            spans.service, sa.func.count(), _errors(spans), _quantile(spans, 0.5), _quantile(spans, 0.95)
        )
        .where(spans.ts >= timestamp(start), spans.ts <= timestamp(end))
        .group_by(spans.service)
        .order_by(spans.service)
    )
    return [Node(*row) for row in _rows(reader, statement, context)]


def edges(  # noqa: PLR0913 (a range is two numbers)
    reader: Reader, tables: LakeTables, start: int, end: int, context: QueryContext, *, own: bool = True
) -> list[Edge]:
    """Calls whose child span starts in the range (Unix ns).

    Args:
        reader: of the spans.
        tables: of the reader.
        start: of the range.
        end: of the range.
        context: bounds of the query.
        own: calls of a service to itself as well, as Jaeger's memory store counts them.
    """
    child, parent = tables.spans.alias("child"), tables.spans.alias("parent")
    earliest = max(start - PARENT_REACH_NS, 0)
    joined = child.join(
        parent, sa.and_(child.c.trace_id == parent.c.trace_id, child.c.parent_id == parent.c.span_id)
    )
    statement = (
        sa.select(
            parent.c.service, child.c.service, sa.func.count(), _errors(child.c), _quantile(child.c, 0.95)
        )
        .select_from(joined)
        .where(
            child.c.ts >= timestamp(start),
            child.c.ts <= timestamp(end),
            parent.c.ts >= timestamp(earliest),
            parent.c.ts <= timestamp(end),
            child.c.parent_id != 0,
            sa.true() if own else parent.c.service != child.c.service,
        )
        .group_by(parent.c.service, child.c.service)
        .order_by(parent.c.service, child.c.service)
    )
    return [Edge(*row) for row in _rows(reader, statement, context)]


def _errors(spans: Any) -> sa.ColumnElement[int]:
    failed: sa.ColumnElement[int] = sa.cast(sa.func.count_if(spans.status_code == ERROR), sa.BigInteger)
    return failed


def _quantile(spans: Any, q: float) -> sa.ColumnElement[float]:
    milliseconds = sa.cast(spans.dur, sa.Double) / sa.literal(NS_PER_MS, sa.Double)
    return sa.func.quantile_disc(milliseconds, q, type_=sa.Double)


def _rows(reader: Reader, statement: sa.Select[Any], context: QueryContext) -> list[tuple[Any, ...]]:
    columns = [column.to_pylist() for column in reader.select(statement, context).columns]
    return list(zip(*columns, strict=True))
