"""What SQL can read: tables and columns with their types, for people and consoles."""

from dataclasses import asdict, dataclass

import pyarrow as pa

from query import sql_metrics
from vigla.model.access_logs import TIMES, access_log_schema
from vigla.model.samples import sample_schemas
from vigla.model.spans import Promoted, span_schema, summary_schema
from vigla.storage.sandbox_functions import FUNCTIONS


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

_ACCESS_LOG_COLUMNS = {
    "ts": "start, UTC, nanoseconds; compare it bare, so that only files of that time are read",
    "dur": "duration in nanoseconds",
    "service": "host of the destination, 'unknown' when nothing says it",
    "reporter": "which side logged: source or destination",
    "source_workload": "who called",
    "source_namespace": "namespace of who called",
    "source_service": "service of who called",
    "source_principal": "identity of who called",
    "destination_workload": "who was called",
    "destination_namespace": "namespace of who was called",
    "destination_principal": "identity of who was called",
    "virtual_service": "VirtualService whose route was taken",
    "rule": "rule of the VirtualService",
    "policy": "policy that decided",
    "fault": "fault that was injected",
    "log_type": "what made the entry, as DownstreamEnd or TcpConnectionEnd",
    "protocol": "HTTP/1.0, HTTP/1.1, HTTP/2, HTTP/3 or TCP",
    "method": "request method",
    "scheme": "http or https",
    "authority": "Host or :authority",
    "path": "path and query, as routed",
    "original_path": "path before a rewrite",
    "status": "response code, NULL when there was no response",
    "response_code_details": "why this code",
    "connection_termination_details": "why the connection was ended",
    "flags": "Envoy's response flags, as UH or URX: list_contains(flags, 'UH')",
    "bytes_received": "bytes of the request body, or that a TCP client sent",
    "bytes_sent": "bytes of the response body, or that a TCP client got",
    "request_headers_bytes": "bytes",
    "response_headers_bytes": "bytes",
    "downstream_wire_bytes_received": "bytes on the client's connection",
    "downstream_wire_bytes_sent": "bytes on the client's connection",
    "upstream_wire_bytes_received": "bytes on the upstream's connection",
    "upstream_wire_bytes_sent": "bytes on the upstream's connection",
    **dict.fromkeys(TIMES, "nanoseconds after the start, NULL when it was not reached"),
    "attempts": "requests to upstreams, retries included",
    "user_agent": "header of the request",
    "referer": "header of the request",
    "forwarded_for": "x-forwarded-for",
    "request_id": "x-request-id",
    "stream_id": "id that Envoy gave the stream",
    "trace_id": "32 lower-case hex digits, NULL when unknown",
    "route": "name of the route",
    "upstream_cluster": "as outbound|9080||reviews.default.svc.cluster.local",
    "upstream_host": "address:port",
    "upstream_local": "address:port",
    "upstream_transport_failure": "why the upstream could not be connected to",
    "downstream_remote": "address:port of the client",
    "downstream_local": "address:port",
    "downstream_direct": "address:port of the peer, which may be a proxy before us",
    "downstream_transport_failure": "why the client's TLS handshake failed",
    "tls_version": "as TLSv1.3, NULL without TLS",
    "tls_cipher": "IANA's name",
    "sni": "name that the client asked for",
    "peer_principal": "URI of the client's certificate, else its first DNS name, else its subject",
    "local_principal": "the same of our certificate",
    "node": "id of the proxy",
    "log_name": "name of the log",
    "tags": "JSON object of tags without a column of their own",
    "request_headers": "JSON object of logged headers",
    "response_headers": "JSON object of logged headers",
    "response_trailers": "JSON object of logged trailers",
    "metadata": "JSON object of filter metadata by namespace",
    "filter_state": "JSON object of logged filter state",
}

_TYPES = {
    pa.string(): "VARCHAR",
    pa.int8(): "TINYINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.timestamp("ns"): "TIMESTAMP_NS",
    pa.float64(): "DOUBLE",
    pa.timestamp("ms"): "TIMESTAMP_MS",
    pa.list_(pa.string()): "VARCHAR[]",
    pa.list_(pa.int64()): "BIGINT[]",
    pa.list_(pa.float64()): "DOUBLE[]",
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
        Table(
            "access_logs",
            "one row per request or connection report that a proxy logged",
            _columns(access_log_schema(), _ACCESS_LOG_COLUMNS),
        ),
        *(
            Table(name, sql_metrics.TABLES[name], _columns(schema, sql_metrics.COLUMNS[name]))
            for name, schema in sample_schemas().items()
        ),
    )


def as_json(promoted: tuple[Promoted, ...]) -> dict[str, object]:
    """``{"tables":[{"name","description","columns":[{"name","type","description"}]}],"functions":[..]}``."""
    functions = sorted(name for name in FUNCTIONS if name.isidentifier())
    return {"tables": [asdict(table) for table in tables(promoted)], "functions": functions}


def _columns(schema: pa.Schema, descriptions: dict[str, str]) -> tuple[Column, ...]:
    return tuple(Column(field.name, _type(field.type), descriptions[field.name]) for field in schema)


def _type(kind: pa.DataType) -> str:
    return _TYPES[kind.value_type if pa.types.is_dictionary(kind) else kind]
