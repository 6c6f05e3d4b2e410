"""How long spans usually take: of each operation that a trace has, in a time range."""

from dataclasses import dataclass

import sqlalchemy as sa

from vigla.storage.api import QueryContext, Reader
from vigla.storage.tables import LakeTables, timestamp

NS_PER_US = 1000


@dataclass(frozen=True, slots=True)
class Usual:
    """Durations of an operation's spans in microseconds, and how many spans they are of."""

    service: str
    operation: str
    spans: int
    p50: float
    p95: float


def usual(  # noqa: PLR0913, PLR0917 (a range is two numbers)
    reader: Reader, tables: LakeTables, trace_id: str, start: int, end: int, context: QueryContext
) -> list[Usual]:
    """Of each operation of the trace, in other traces: one statement.

    Args:
        reader: of the spans.
        tables: of the reader.
        trace_id: 32 hex digits.
        start: of the range that is compared with, Unix nanoseconds; the trace has to be in it.
        end: of the range.
        context: bounds of the query.
    """
    spans, own = tables.spans, tables.spans.alias("own")
    low, high = timestamp(start), timestamp(end)
    mine = (
        sa.select(own.c.service, own.c.name)
        .where(own.c.trace_id == trace_id, own.c.ts >= low, own.c.ts <= high)
        .distinct()
        .subquery("mine")
    )
    same = sa.and_(spans.c.service == mine.c.service, spans.c.name == mine.c.name)
    statement = (
        sa.select(
            spans.c.service,
            spans.c.name,
            sa.func.count(),
            sa.func.quantile_cont(spans.c.dur, 0.5) / NS_PER_US,
            sa.func.quantile_cont(spans.c.dur, 0.95) / NS_PER_US,
        )
        .select_from(spans.join(mine, same))
        .where(spans.c.trace_id != trace_id, spans.c.ts >= low, spans.c.ts <= high)
        .group_by(spans.c.service, spans.c.name)
        .order_by(spans.c.service, spans.c.name)
    )
    columns = (column.to_pylist() for column in reader.select(statement, context).columns)
    return [Usual(*row) for row in zip(*columns, strict=True)]
