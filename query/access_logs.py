"""Which access log entries a query asks for, newest first, a page at a time.

As in ``query.traces.search``, the time range is read backward in windows until the page is full.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa
import sqlalchemy as sa

from query.sql_formats import rendered
from query.traces.search import EARLIEST_NS, FIRST_WINDOW, LATEST_NS, LEAST_WINDOW_NS, next_length
from vigla.errors import BadInput
from vigla.storage.api import QueryContext, Reader
from vigla.storage.tables import LakeTables, timestamp

NS_PER_US = 1000
JSON_COLUMNS = frozenset(
    {"tags", "request_headers", "response_headers", "response_trailers", "metadata", "filter_state"}
)

# Entries have no id. Those of one instant stand in the order of these columns, so that pages do not overlap.
_ORDER = ("request_id", "reporter", "node", "log_type", "dur", "downstream_remote", "path", "upstream_host")
_CURSOR = re.compile(r"([0-9]{1,19})-([0-9]{1,9})", re.ASCII)
_CLASS = re.compile(r"[1-5]xx", re.ASCII)


@dataclass(frozen=True, slots=True)
class AccessLogQuery:
    """What to search for; empty and None mean any.

    Attributes:
        start, end: bounds of an entry's start, Unix nanoseconds, both included.
        source, destination: workloads.
        namespace: of either side.
        service: host of the destination; its first labels do, as ``reviews`` or ``reviews.shop``.
        reporter: ``source`` or ``destination``.
        status: exact response code.
        status_class: as ``5xx``.
        flag: one of Envoy's short names.
        method, route, request_id, trace_id: exact.
        path_prefix: how the path begins.
        min_duration: nanoseconds.
        limit: entries of a page.
        cursor: ``next`` of the page before.
    """

    start: int
    end: int
    source: str = ""
    destination: str = ""
    namespace: str = ""
    service: str = ""
    reporter: str = ""
    status: int | None = None
    status_class: str = ""
    flag: str = ""
    method: str = ""
    path_prefix: str = ""
    route: str = ""
    request_id: str = ""
    trace_id: str = ""
    min_duration: int = 0
    limit: int = 100
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Entries as JSON values, newest first, and the next page's cursor; empty when there is none."""

    entries: list[dict[str, Any]]
    next: str


def find(reader: Reader, tables: LakeTables, query: AccessLogQuery, context: QueryContext) -> Page:
    """One page of entries.

    Raises:
        BadInput: the cursor or the class of status is none.
        QueryStopped: past the bounds of the context.
    """
    table = tables.access_logs
    matches = sa.and_(sa.true(), *_conditions(table.c, query))
    start, end = max(query.start, EARLIEST_NS), min(query.end, LATEST_NS)
    end, skip = _resumed(query.cursor, end)
    wanted = skip + query.limit + 1  # one more says whether there is a next page
    parts: list[pa.Table] = []
    found, high, length = 0, end, max((end - start) // FIRST_WINDOW, LEAST_WINDOW_NS)
    while high >= start and found < wanted:
        low = max(start, high - length + 1)
        within = sa.and_(table.c.ts >= timestamp(low), table.c.ts <= timestamp(high))
        statement = (
            sa.select(table)
            .where(within, matches)
            .order_by(table.c.ts.desc(), *(table.c[name] for name in _ORDER))
            .limit(wanted - found)
        )
        parts.append(reader.select(statement, context))
        found += parts[-1].num_rows
        high, length = low - 1, next_length(end - low + 1, found, wanted)
    return _page(pa.concat_tables(parts), skip, query.limit) if parts else Page([], "")


def _page(rows: pa.Table, skip: int, limit: int) -> Page:
    page = rows.slice(skip, limit)
    if rows.num_rows <= skip + limit:
        return Page(_entries(page), "")
    starts = rows.column("ts").cast(pa.int64()).to_pylist()
    last = starts[skip + limit - 1]
    before = starts[: skip + limit].count(last)
    return Page(_entries(page), f"{last}-{before}")


def _entries(rows: pa.Table) -> list[dict[str, Any]]:
    columns = {name: _values(name, rows.column(name)) for name in rows.column_names}
    return [
        {name: values[row] for name, values in columns.items() if values[row] is not None}
        for row in range(rows.num_rows)
    ]


def _values(name: str, column: pa.ChunkedArray) -> list[Any]:
    values = [value for chunk in column.chunks for value in rendered(chunk)]
    return [value and orjson.loads(value) for value in values] if name in JSON_COLUMNS else values


def _resumed(cursor: str, end: int) -> tuple[int, int]:
    """Latest start that a page may have, and how many entries of that start came before."""
    if not cursor:
        return end, 0
    parts = _CURSOR.fullmatch(cursor)
    if parts is None:
        raise BadInput(f"cursor {cursor!r} is none: take it from `next` of the page before")
    return min(int(parts[1]), end), int(parts[2]) if int(parts[1]) <= end else 0


def _conditions(logs: Any, query: AccessLogQuery) -> Iterator[sa.ColumnElement[bool]]:
    yield from _exact(logs, query)
    if query.namespace:
        yield sa.or_(logs.source_namespace == query.namespace, logs.destination_namespace == query.namespace)
    if query.service:
        yield sa.or_(
            logs.service == query.service,
            sa.func.starts_with(logs.service, f"{query.service}.", type_=sa.Boolean),
        )
    if query.status is not None:
        yield logs.status == query.status
    if query.status_class:
        if not _CLASS.fullmatch(query.status_class):
            raise BadInput(f"status_class {query.status_class!r} is none: write 1xx, 2xx, 3xx, 4xx or 5xx")
        first = int(query.status_class[0]) * 100
        yield logs.status.between(first, first + 99)
    if query.flag:
        yield sa.func.list_contains(logs.flags, query.flag, type_=sa.Boolean)
    if query.path_prefix:
        yield sa.func.starts_with(logs.path, query.path_prefix, type_=sa.Boolean)
    if query.min_duration:
        yield logs.dur >= query.min_duration


def _exact(logs: Any, query: AccessLogQuery) -> Iterator[sa.ColumnElement[bool]]:
    for column, wanted in (
        (logs.source_workload, query.source),
        (logs.destination_workload, query.destination),
        (logs.reporter, query.reporter),
        (logs.method, query.method),
        (logs.route, query.route),
        (logs.request_id, query.request_id),
        (logs.trace_id, query.trace_id),
    ):
        if wanted:
            yield column == wanted
