"""What SQL can read: tables and columns with their types, for people and consoles."""

from dataclasses import asdict, dataclass

import pyarrow as pa

from vigla.model.spans import Promoted, span_schema, summary_schema


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``type`` is DuckDB's name."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table."""

    name: str
    description: str
    columns: tuple[Column, ...]


_SPAN_COLUMNS = {
    "trace_id": "32 lower-case hex digits",
    "span_id": "the eight bytes as a signed integer; printf('%016x', span_id) is the usual form",
    "parent_id": "span_id of the parent, 0 for a root",
    "ts": "start, UTC, nanoseconds; compare it bare, so that only files of that time are read",
    "dur": "duration in nanoseconds",
    "service": "service.name of the resource",
    "name": "operation",
    "kind": "0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer",
    "status_code": "0 unset, 1 ok, 2 error",
    "status_message": "'' when none",
    "trace_state": "W3C tracestate, '' when none",
    "flags": "W3C trace flags",
    "scope": "JSON object of the instrumentation scope",
    "resource": "JSON object of the resource's attributes",
    "attrs": "JSON object of the attributes without a column of their own: attrs ->> '$.\"key\"'",
    "events": "JSON array of events, NULL when none",
    "links": "JSON array of links, NULL when none",
    "dropped": "JSON object of dropped counts, NULL when none",
}

_SUMMARY_COLUMNS = {
    "trace_id": "32 lower-case hex digits",
    "ts": "earliest start, UTC",
    "end_ts": "latest end, UTC",
    "spans": "number of spans",
    "errors": "number of spans with an error",
    "root_service": "service of the root span, NULL when it is not among these spans",
    "root_name": "operation of the root span",
    "services": "services that took part",
}

_TYPES = {
    pa.string(): "VARCHAR",
    pa.int8(): "TINYINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.timestamp("ns"): "TIMESTAMP_NS",
    pa.list_(pa.string()): "VARCHAR[]",
}


def tables(promoted: tuple[Promoted, ...]) -> tuple[Table, ...]:
    """All tables, for these promoted attributes."""
    attributes = {p.column: f"the attribute {p.key}" for p in promoted}
    spans = _columns(span_schema(promoted), _SPAN_COLUMNS | attributes)
    return (
        Table("spans", "one row per span", spans),
        Table(
            "traces",
            "one row per trace and write: GROUP BY trace_id for whole traces",
            _columns(summary_schema(), _SUMMARY_COLUMNS),
        ),
        Table("archived_spans", "spans of archived traces, which are kept for good", spans),
    )


def as_json(promoted: tuple[Promoted, ...]) -> dict[str, object]:
    """``{"tables":[{"name","description","columns":[{"name","type","description"}]}]}``."""
    return {"tables": [asdict(table) for table in tables(promoted)]}


def _columns(schema: pa.Schema, descriptions: dict[str, str]) -> tuple[Column, ...]:
    return tuple(Column(field.name, _type(field.type), descriptions[field.name]) for field in schema)


def _type(kind: pa.DataType) -> str:
    return _TYPES[kind.value_type if pa.types.is_dictionary(kind) else kind]
