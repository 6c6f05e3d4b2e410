"""Columns of access logs: one row for each request, or each report about a connection, that a proxy logged.

The same names and types hold in Arrow batches, in the hot buffer, in Parquet files and in SQL.
Source: Envoy's ``envoy/data/accesslog/v3/accesslog.proto``. A text that Envoy left empty is null.
"""

import pyarrow as pa

from vigla.model.spans import DICTIONARY, TEXT

IDENTITY_TAGS = (
    "reporter",
    "source_workload",
    "source_namespace",
    "source_service",
    "source_principal",
    "destination_workload",
    "destination_namespace",
    "destination_principal",
    "virtual_service",
    "rule",
    "policy",
    "fault",
)
"""Custom tags with a column of the same name."""

SERVICE_TAG, TRACE_TAG = "destination_service", "trace_id"

TIMES = (
    "time_to_last_rx_byte",
    "time_to_first_upstream_tx_byte",
    "time_to_last_upstream_tx_byte",
    "time_to_first_upstream_rx_byte",
    "time_to_last_upstream_rx_byte",
    "time_to_first_downstream_tx_byte",
    "time_to_last_downstream_tx_byte",
)
"""Points of a request's way, nanoseconds after its start; null where it did not come so far."""

ACCESS_LOG_FIELDS: tuple[pa.Field, ...] = (
    pa.field("ts", pa.timestamp("ns")),  # start, UTC
    pa.field("dur", pa.int64()),  # nanoseconds
    pa.field("service", DICTIONARY),  # destination: tag, else the host that the cluster names, else "unknown"
    *(pa.field(name, DICTIONARY) for name in IDENTITY_TAGS),
    pa.field("log_type", DICTIONARY),  # AccessLogType, as TcpConnectionEnd
    pa.field("protocol", DICTIONARY),  # HTTP/1.0, HTTP/1.1, HTTP/2, HTTP/3, TCP
    pa.field("method", DICTIONARY),
    pa.field("scheme", DICTIONARY),
    pa.field("authority", DICTIONARY),
    pa.field("path", TEXT),
    pa.field("original_path", TEXT),
    pa.field("status", pa.int32()),  # null when there was no response, and for TCP
    pa.field("response_code_details", DICTIONARY),
    pa.field("connection_termination_details", DICTIONARY),
    pa.field("flags", pa.list_(pa.string())),  # Envoy's short names; empty when none
    pa.field("bytes_received", pa.int64()),  # request body, or what a TCP client sent
    pa.field("bytes_sent", pa.int64()),  # response body, or what a TCP client got
    pa.field("request_headers_bytes", pa.int64()),
    pa.field("response_headers_bytes", pa.int64()),
    pa.field("downstream_wire_bytes_received", pa.int64()),
    pa.field("downstream_wire_bytes_sent", pa.int64()),
    pa.field("upstream_wire_bytes_received", pa.int64()),
    pa.field("upstream_wire_bytes_sent", pa.int64()),
    *(pa.field(name, pa.int64()) for name in TIMES),
    pa.field("attempts", pa.int32()),  # upstream requests, retries included
    pa.field("user_agent", DICTIONARY),
    pa.field("referer", TEXT),
    pa.field("forwarded_for", TEXT),
    pa.field("request_id", TEXT),
    pa.field("stream_id", TEXT),
    pa.field("trace_id", TEXT),  # 32 lower-case hex digits
    pa.field("route", DICTIONARY),
    pa.field("upstream_cluster", DICTIONARY),
    pa.field("upstream_host", DICTIONARY),  # address:port
    pa.field("upstream_local", TEXT),
    pa.field("upstream_transport_failure", DICTIONARY),
    pa.field("downstream_remote", TEXT),
    pa.field("downstream_local", DICTIONARY),
    pa.field("downstream_direct", TEXT),
    pa.field("downstream_transport_failure", DICTIONARY),
    pa.field("tls_version", DICTIONARY),  # as TLSv1.3
    pa.field("tls_cipher", DICTIONARY),  # IANA's name, or 0x and four hex digits
    pa.field("sni", DICTIONARY),
    pa.field("peer_principal", DICTIONARY),  # first URI of the certificate, else first DNS name, else subject
    pa.field("local_principal", DICTIONARY),
    pa.field("node", DICTIONARY),
    pa.field("log_name", DICTIONARY),
    pa.field("tags", TEXT),  # JSON object of the tags without a column
    pa.field("request_headers", TEXT),  # JSON object
    pa.field("response_headers", TEXT),  # JSON object
    pa.field("response_trailers", TEXT),  # JSON object
    pa.field("metadata", DICTIONARY),  # JSON object of filter metadata by namespace
    pa.field("filter_state", DICTIONARY),  # JSON object
)


def access_log_schema() -> pa.Schema:
    """Schema of the ``access_logs`` table."""
    return pa.schema(ACCESS_LOG_FIELDS)
