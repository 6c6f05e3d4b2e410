"""Columns of spans and of trace summaries.

The same names and types hold in Arrow batches, in the hot buffer, in Parquet files and in SQL.
Source: OpenTelemetry trace proto ``opentelemetry/proto/trace/v1/trace.proto``.
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

AttributeType = Literal["string", "int"]

TEXT = pa.string()
DICTIONARY = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True)
class Promoted:
    """An attribute key kept in a column of its own.

    Only values of ``type`` go to the column ``a.<key>``; a value of another type stays in ``attrs``, so that
    the type of every value survives the round trip.
    """

    key: str
    type: AttributeType = "string"

    @property
    def column(self) -> str:
        """Name of the column."""
        return f"a.{self.key}"

    @property
    def arrow(self) -> pa.DataType:
        """Arrow type of the column."""
        return pa.int64() if self.type == "int" else DICTIONARY


DEFAULT_PROMOTED = (
    Promoted("http.request.method"),
    Promoted("http.response.status_code", "int"),
    Promoted("http.route"),
    Promoted("url.path"),
    Promoted("url.full"),
    Promoted("server.address"),
    Promoted("server.port", "int"),
    Promoted("http.method"),
    Promoted("http.status_code", "int"),
    Promoted("http.url"),
    Promoted("rpc.system"),
    Promoted("rpc.service"),
    Promoted("rpc.method"),
    Promoted("db.system.name"),
    Promoted("db.namespace"),
    Promoted("db.operation.name"),
    Promoted("messaging.system"),
    Promoted("messaging.destination.name"),
    Promoted("error.type"),
    Promoted("peer.service"),
    Promoted("upstream_cluster"),
    Promoted("response_flags"),
    Promoted("istio.canonical_service"),
)

SPAN_FIELDS: tuple[pa.Field, ...] = (
    pa.field("trace_id", TEXT),  # 32 lower-case hex digits
    pa.field("span_id", pa.int64()),  # the eight bytes read big-endian as a signed integer
    pa.field("parent_id", pa.int64()),  # 0: no parent
    pa.field("ts", pa.timestamp("ns")),  # start, UTC
    pa.field("dur", pa.int64()),  # nanoseconds, at least 0
    pa.field("service", DICTIONARY),
    pa.field("name", DICTIONARY),
    pa.field("kind", pa.int8()),  # OTLP SpanKind: 0 unspecified .. 5 consumer
    pa.field("status_code", pa.int8()),  # OTLP StatusCode: 0 unset, 1 ok, 2 error
    pa.field("status_message", DICTIONARY),  # "" when none
    pa.field("trace_state", DICTIONARY),  # "" when none
    pa.field("flags", pa.int32()),
    pa.field("scope", DICTIONARY),  # JSON object, see vigla.model.attributes
    pa.field("resource", DICTIONARY),  # JSON object of resource attributes
    pa.field("attrs", TEXT),  # JSON object of span attributes that have no column of their own
    pa.field("events", TEXT),  # JSON array, null when none
    pa.field("links", TEXT),  # JSON array, null when none
    pa.field("dropped", TEXT),  # JSON object of dropped_*_count that are not 0, null when all are
)

SUMMARY_FIELDS: tuple[pa.Field, ...] = (
    pa.field("trace_id", TEXT),
    pa.field("ts", pa.timestamp("ns")),  # earliest start among these spans
    pa.field("end_ts", pa.timestamp("ns")),  # latest end
    pa.field("spans", pa.int64()),
    pa.field("errors", pa.int64()),
    pa.field("root_service", TEXT),  # null when no root span is among these spans
    pa.field("root_name", TEXT),
    pa.field("services", pa.list_(pa.string())),
)


def span_schema(promoted: tuple[Promoted, ...] = DEFAULT_PROMOTED) -> pa.Schema:
    """Schema of the ``spans`` table with these promoted attributes, fixed columns first."""
    return pa.schema([*SPAN_FIELDS, *(pa.field(p.column, p.arrow) for p in promoted)])


def summary_schema() -> pa.Schema:
    """Schema of the ``traces`` table: one row per trace and flush, merged at read by ``trace_id``."""
    return pa.schema(SUMMARY_FIELDS)
