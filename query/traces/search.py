"""Which traces have a span that a query asks for.

All conditions must hold for one and the same span. The newest come first: the time range is read backward in
windows, until enough traces are found, so that a broad question over a long range reads little. A window is
as long as the traces found so far suggest, since each costs a statement.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa

from vigla.storage.api import View
from vigla.storage.tables import LakeTables, timestamp

FIRST_WINDOW = 64  # the first window is this part of the range
LEAST_GROWTH, MOST_GROWTH = 0.5, 8.0  # of a window over all before it
MARGIN = 1.3  # density varies: a window a little longer than needed spares another statement
LEAST_WINDOW_NS = 60 * 1_000_000_000
EARLIEST_NS, LATEST_NS = 0, 2**63 - 1

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """What to search for; empty and zero mean any.

    Attributes:
        start, end: bounds of a span's start, Unix nanoseconds, both included.
        service, operation: exact names.
        tags: attribute values as text, at any level: span, resource, scope, event, link.
        duration_min, duration_max: of the span, nanoseconds.
        limit: traces.
    """

    start: int
    end: int
    service: str = ""
    operation: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    duration_min: int = 0
    duration_max: int = 0
    limit: int = 100


def find(view: View, tables: LakeTables, query: TraceQuery) -> dict[str, int]:
    """Ids of the newest traces that match, each with the start of its newest matching span, newest first."""
    found: dict[str, int] = {}
    matching = matches(tables, query)
    ts = sa.func.max(tables.spans.c.ts)
    start, end = max(query.start, EARLIEST_NS), min(query.end, LATEST_NS)
    high, length = end, max((end - start) // FIRST_WINDOW, LEAST_WINDOW_NS)
    while high >= start and len(found) < query.limit:
        low = max(start, high - length + 1)
        statement = (
            sa.select(tables.spans.c.trace_id, sa.func.epoch_ns(ts).label("ts"))
            .where(tables.spans.c.ts >= timestamp(low), tables.spans.c.ts <= timestamp(high), matching)
            .group_by(tables.spans.c.trace_id)
            .order_by(ts.desc())
            .limit(query.limit)
        )
        rows = view.select(statement)
        for trace_id, newest in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            found.setdefault(trace_id, newest)
        high, length = low - 1, next_length(end - low + 1, len(found), query.limit)
    return dict(list(found.items())[: query.limit])


def next_length(searched: int, found: int, wanted: int) -> int:
    """Length of the next window.

    Args:
        searched: length of all windows before it.
        found: traces in them.
        wanted: traces in all.
    """
    growth = MARGIN * (wanted - found) / found if found else MOST_GROWTH
    return int(searched * min(max(growth, LEAST_GROWTH), MOST_GROWTH)) + 1


def matches(tables: LakeTables, query: TraceQuery) -> sa.ColumnElement[bool]:
    """Whether a span is what the query asks for, its time range aside."""
    return sa.and_(*_conditions(tables, query))


def _conditions(tables: LakeTables, query: TraceQuery) -> Iterator[sa.ColumnElement[bool]]:
    spans = tables.spans.c
    yield sa.true()
    if query.service:
        yield spans.service == query.service
    if query.operation:
        yield spans.name == query.operation
    if query.duration_min:
        yield spans.dur >= query.duration_min
    if query.duration_max:
        yield spans.dur <= query.duration_max
    for key, text in query.tags.items():
        yield has_tag(tables, key, text)


def has_tag(tables: LakeTables, key: str, text: str) -> sa.ColumnElement[bool]:
    """Whether a span has this attribute value at any level, or is described so by Jaeger's derived tags."""
    spans = tables.spans
    places = [
        tables.attribute_equals(spans, key, text),
        _json_equals(spans.c.resource, [key], text),
        _json_equals(spans.c.scope, ["attributes", key], text),
        _any_equals(spans.c.events, key, text),
        _any_equals(spans.c.links, key, text),
    ]
    derived = _DERIVED.get(key)
    if derived is not None:
        places.append(derived(spans.c, text))
    return sa.or_(*places)


def _pointer(path: list[str]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def _json_equals(column: sa.ColumnElement[Any], path: list[str], text: str) -> sa.ColumnElement[bool]:
    value = sa.func.json_extract_string(column, _pointer(path), type_=sa.Text)
    return sa.and_(_names(column, path[-1]), value == text)


def _names(column: sa.ColumnElement[Any], key: str) -> sa.ColumnElement[bool]:
    """Whether JSON text may have such a key: searching for bytes costs a tenth of parsing."""
    written = orjson.dumps(key).decode()
    return sa.func.contains(column, f"{written}:", type_=sa.Boolean)


def _any_equals(column: sa.ColumnElement[Any], key: str, text: str) -> sa.ColumnElement[bool]:
    """Whether any element of a JSON array has this attribute value. Most spans have no such array at all."""
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    values = sa.func.json_extract_string(column, f'$[*].attributes."{escaped}"')
    return sa.and_(_names(column, key), sa.func.list_contains(values, text, type_=sa.Boolean))


def _error(spans: Any, text: str) -> sa.ColumnElement[bool]:
    if text not in ("true", "false"):
        return sa.false()
    failed: sa.ColumnElement[bool] = spans.status_code == 2  # noqa: PLR2004 (OTLP STATUS_CODE_ERROR)
    return failed if text == "true" else sa.not_(failed)


def _kind(spans: Any, text: str) -> sa.ColumnElement[bool]:
    if text not in KINDS:
        return sa.false()
    equal: sa.ColumnElement[bool] = spans.kind == KINDS.index(text)
    return equal


def _status(spans: Any, text: str) -> sa.ColumnElement[bool]:
    code = {"OK": 1, "ERROR": 2}.get(text)
    equal: sa.ColumnElement[bool] = spans.status_code == code if code else sa.false()
    return equal


_DERIVED: dict[str, Callable[[Any, str], sa.ColumnElement[bool]]] = {
    "error": _error,
    "span.kind": _kind,
    "otel.status_code": _status,
    "otel.status_description": lambda spans, text: spans.status_message == text,
    "w3c.tracestate": lambda spans, text: spans.trace_state == text,
    "otel.scope.name": lambda spans, text: _json_equals(spans.scope, ["name"], text),
    "otel.scope.version": lambda spans, text: _json_equals(spans.scope, ["version"], text),
    "event": lambda spans, text: _event_named(spans.events, text),
}


def _event_named(column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool]:
    names = sa.func.json_extract_string(column, "$[*].name")
    return sa.and_(column.is_not(None), sa.func.list_contains(names, text, type_=sa.Boolean))
