"""Spans as adjusters and renderers work on them: one object each, for the few traces of one answer."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

import orjson
import pyarrow as pa

from vigla.model.attributes import Json
from vigla.model.spans import Promoted

Attributes: TypeAlias = Mapping[str, Json]
"""By the convention of ``vigla.model.attributes``."""

SERVER, CLIENT = 2, 3
ERROR = 2
SERVICE_NAME = "service.name"


@dataclass(frozen=True, slots=True)
class Event:
    """A time-stamped note on a span. ``ts`` in Unix nanoseconds."""

    ts: int
    name: str
    attributes: Attributes
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A reference to a span, often of another trace. Ids in hex."""

    trace_id: str
    span_id: str
    trace_state: str
    flags: int
    attributes: Attributes
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """One span. Ids in lower-case hex; ``parent_id`` empty for a root; ``ts`` and ``dur`` in nanoseconds."""

    trace_id: str
    span_id: str
    parent_id: str
    ts: int
    dur: int
    service: str
    name: str
    kind: int
    status_code: int
    status_message: str
    trace_state: str
    flags: int
    scope: Mapping[str, Any]
    resource: Attributes
    attributes: Attributes
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """The spans of one trace id."""

    trace_id: str
    spans: tuple[Span, ...]
    warnings: tuple[str, ...] = ()


def from_table(table: pa.Table, promoted: tuple[Promoted, ...]) -> list[Trace]:
    """Group rows of the ``spans`` table into traces, in the order in which the traces first appear."""
    grouped: dict[str, list[Span]] = {}
    for span in _spans(table, promoted):
        grouped.setdefault(span.trace_id, []).append(span)
    return [Trace(trace_id, tuple(spans)) for trace_id, spans in grouped.items()]


def hex_id(signed: int) -> str:
    """A span id column's value in hex; empty for 0, which means none."""
    return f"{signed & 0xFFFF_FFFF_FFFF_FFFF:016x}" if signed else ""


def signed_id(text: str) -> int:
    """The inverse of ``hex_id``."""
    return int.from_bytes(bytes.fromhex(text), "big", signed=True) if text else 0


def _spans(table: pa.Table, promoted: tuple[Promoted, ...]) -> Iterator[Span]:
    attributes = _attributes(table, promoted)
    fixed = (_column(table, name) for name in _FIXED)
    for row, attrs in zip(zip(*fixed, strict=True), attributes, strict=True):
        trace_id, span_id, parent_id, ts, dur, service, name, *rest = row
        kind, status, message, state, flags, scope, resource, events, links, dropped = rest
        yield Span(
            trace_id,
            hex_id(span_id),
            hex_id(parent_id),
            ts,
            dur,
            service,
            name,
            kind,
            status,
            message or "",
            state or "",
            flags or 0,
            _shared(scope or "{}"),
            _named(resource or "{}", service),
            attrs,
            tuple(map(_event, orjson.loads(events))) if events else (),
            tuple(map(_link, orjson.loads(links))) if links else (),
            orjson.loads(dropped) if dropped else {},
        )


_FIXED = (
    "trace_id", "span_id", "parent_id", "ts", "dur", "service", "name", "kind", "status_code",
    "status_message", "trace_state", "flags", "scope", "resource", "events", "links", "dropped",
)  # fmt: skip


def _column(table: pa.Table, name: str) -> list[Any]:
    column = table.column(name)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns")).cast(pa.int64())
    values: list[Any] = column.to_pylist()
    return values


def _attributes(table: pa.Table, promoted: tuple[Promoted, ...]) -> list[dict[str, Json]]:
    """Attributes of each row: the columns', then those of the JSON text."""
    rows: list[dict[str, Json]] = [{} for _ in range(table.num_rows)]
    for p in promoted:
        column = table.column(p.column)
        if column.null_count < len(column):
            for row, value in zip(rows, column.to_pylist(), strict=True):
                if value is not None:
                    row[p.key] = value
    for row, text in zip(rows, table.column("attrs").to_pylist(), strict=True):
        if text and text != "{}":
            row.update(orjson.loads(text))
    return rows


@lru_cache(maxsize=4096)
def _shared(text: str) -> Mapping[str, Any]:
    """Resources and scopes stand on many spans: parsed once, and the same object for all."""
    parsed: Mapping[str, Any] = orjson.loads(text)
    return parsed


@lru_cache(maxsize=4096)
def _named(text: str, service: str) -> Attributes:
    """A resource with the service name that the write sanitizers gave it."""
    resource = _shared(text)
    return resource if resource.get(SERVICE_NAME) == service else {**resource, SERVICE_NAME: service}


def _event(event: Mapping[str, Any]) -> Event:
    return Event(event["ts"], event["name"], event.get("attributes", {}), event.get("dropped", 0))


def _link(link: Mapping[str, Any]) -> Link:
    return Link(
        link["trace_id"],
        link["span_id"],
        link.get("trace_state", ""),
        link.get("flags", 0),
        link.get("attributes", {}),
        link.get("dropped", 0),
    )


def children(spans: Iterable[Span]) -> dict[str, list[int]]:
    """Indices of the spans by the id of their parent."""
    found: dict[str, list[int]] = {}
    for index, span in enumerate(spans):
        found.setdefault(span.parent_id, []).append(index)
    return found
