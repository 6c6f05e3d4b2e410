"""Access log records to the columns of ``vigla.model.access_logs``, without a Python loop over entries."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigla.errors import BadInput
from vigla.model.access_logs import IDENTITY_TAGS, SERVICE_TAG, TIMES, TRACE_TAG, access_log_schema
from vigla.wire.access_logs import descriptors, envelope, otlp
from vigla.wire.access_logs.columns import (
    MAX_NS,
    address,
    counts,
    distinct_lists,
    distinct_texts,
    filter_states,
    named,
    nanoseconds,
)
from vigla.wire.access_logs.maps import StringMaps
from vigla.wire.access_logs.names import LOG_TYPES, METHODS, PROTOCOLS, TCP, TLS_VERSIONS, cipher
from vigla.wire.access_logs.opaque import flags, metadata_text, principal
from vigla.wire.access_logs.parties import reporters, services, trace_ids
from vigla.wire.otlp.buffers import owners_of
from vigla.wire.otlp.spans import chunks
from vigla.wire.otlp.text import nonempty

_MESSAGES = descriptors.handler()

Columns = dict[str, pa.Array]


class AccessLogDecoder:
    """Decodes records of the topic ``access_logs``. Has no state, so any thread may call it."""

    def __init__(self) -> None:
        self._schema = access_log_schema()

    def decode(self, payloads: Sequence[bytes]) -> pa.Table:
        """Decode records that ``admit`` made.

        Returns:
            One row for each entry, requests before connections, with schema ``access_log_schema()``.

        Raises:
            BadInput: a record does not parse; none of them is decoded.
        """
        batches = [batch for chunk in chunks(payloads) for batch in self._decode(chunk)]
        return pa.Table.from_batches(batches, self._schema).unify_dictionaries()

    def _decode(self, records: list[bytes]) -> list[pa.RecordBatch]:
        bodies: dict[bytes, list[bytes]] = {}
        for record in records:
            content_type, body = envelope.unwrap(record)
            bodies.setdefault(content_type, []).append(body)
        batches = self._decode_envoy(bodies[envelope.ENVOY]) if envelope.ENVOY in bodies else []
        if envelope.OTLP in bodies:
            columns, count = otlp.columns(bodies[envelope.OTLP])
            batches.append(self._batch(columns, count))
        return batches

    def _decode_envoy(self, bodies: list[bytes]) -> list[pa.RecordBatch]:
        try:
            messages = _MESSAGES.list_to_record_batch(bodies)
        except ValueError as error:
            raise BadInput(f"record is no StreamAccessLogsMessage: {error}") from error
        batches = []
        for kind, columns_of in (("http_logs", _http), ("tcp_logs", _tcp)):
            lists = messages.column(kind).field("log_entry")
            entries = lists.flatten()
            if len(entries):
                rows = pa.array(owners_of(lists))
                columns = _origin(messages.column("identifier"), rows) | columns_of(entries)
                batches.append(self._batch(columns, len(entries)))
        return batches

    def _batch(self, columns: Columns, rows: int) -> pa.RecordBatch:
        arrays = [_as(columns.get(field.name), field.type, rows) for field in self._schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)


def _as(column: pa.Array | None, kind: pa.DataType, rows: int) -> pa.Array:
    if column is None:
        return pa.nulls(rows, kind)
    if pa.types.is_dictionary(kind) and not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return column if column.type.equals(kind) else column.cast(kind)


def _origin(identifier: pa.StructArray, rows: pa.Array) -> Columns:
    return {
        "node": nonempty(identifier.field("node").field("id").take(rows)),
        "log_name": nonempty(identifier.field("log_name").take(rows)),
    }


def _http(entries: pa.StructArray) -> Columns:
    request, response = entries.field("request"), entries.field("response")
    headers = StringMaps(request.field("request_headers"))
    status = response.field("response_code")
    return _common(entries.field("common_properties"), headers) | {
        "protocol": named(PROTOCOLS, entries.field("protocol_version")),
        "method": named(METHODS, request.field("request_method")),
        **{
            name: nonempty(request.field(name))
            for name in (
                "scheme",
                "authority",
                "path",
                "original_path",
                "user_agent",
                "referer",
                "forwarded_for",
                "request_id",
            )
        },
        "status": pc.min_element_wise(status.cast(pa.int64()), 2**31 - 1, skip_nulls=False),
        "response_code_details": nonempty(response.field("response_code_details")),
        "bytes_received": counts(request.field("request_body_bytes")),
        "bytes_sent": counts(response.field("response_body_bytes")),
        "request_headers_bytes": counts(request.field("request_headers_bytes")),
        "response_headers_bytes": counts(response.field("response_headers_bytes")),
        "request_headers": headers.objects(),
        "response_headers": StringMaps(response.field("response_headers")).objects(),
        "response_trailers": StringMaps(response.field("response_trailers")).objects(),
    }


def _tcp(entries: pa.StructArray) -> Columns:
    connection = entries.field("connection_properties")
    return _common(entries.field("common_properties"), None) | {
        "protocol": pa.array([TCP]).take(pa.array(np.zeros(len(entries), np.int64))),
        "bytes_received": counts(connection.field("received_bytes")),
        "bytes_sent": counts(connection.field("sent_bytes")),
    }


def _common(common: pa.StructArray, headers: StringMaps | None) -> Columns:
    tags = StringMaps(common.field("custom_tags"))
    cluster = nonempty(common.field("upstream_cluster"))
    stream_id = nonempty(common.field("stream_id"))
    columns = {name: tags.pop(name) for name in IDENTITY_TAGS}
    columns |= {name: nanoseconds(common.field(name)) for name in TIMES}
    return columns | {
        "ts": _start(common.field("start_time")),
        "dur": pc.coalesce(nanoseconds(common.field("duration")), columns["time_to_last_downstream_tx_byte"]),
        "service": services(tags.pop(SERVICE_TAG), cluster),
        "reporter": reporters(columns["reporter"], cluster),
        "trace_id": trace_ids(tags.pop(TRACE_TAG), headers, stream_id),
        "stream_id": stream_id,
        "log_type": named(LOG_TYPES, common.field("access_log_type")),
        "connection_termination_details": nonempty(common.field("connection_termination_details")),
        "flags": distinct_lists(flags, common.field("response_flags")),
        **{
            f"{side}_wire_bytes_{way}": counts(common.field(f"{side}_wire_bytes_{way}"))
            for side in ("downstream", "upstream")
            for way in ("received", "sent")
        },
        "attempts": pc.min_element_wise(
            common.field("upstream_request_attempt_count").cast(pa.int64()), 2**31 - 1
        ),
        "route": nonempty(common.field("route_name")),
        "upstream_cluster": cluster,
        "upstream_host": address(common.field("upstream_remote_address")),
        "upstream_local": address(common.field("upstream_local_address")),
        "upstream_transport_failure": nonempty(common.field("upstream_transport_failure_reason")),
        "downstream_remote": address(common.field("downstream_remote_address")),
        "downstream_local": address(common.field("downstream_local_address")),
        "downstream_direct": address(common.field("downstream_direct_remote_address")),
        "downstream_transport_failure": nonempty(common.field("downstream_transport_failure_reason")),
        **_tls(common.field("tls_properties")),
        "tags": tags.objects(),
        "metadata": distinct_texts(metadata_text, common.field("metadata")),
        "filter_state": filter_states(common.field("filter_state_objects")),
    }


def _tls(tls: pa.StructArray) -> Columns:
    return {
        "tls_version": named(TLS_VERSIONS, tls.field("tls_version")),
        "tls_cipher": distinct_texts(cipher, tls.field("tls_cipher_suite")),
        "sni": nonempty(tls.field("tls_sni_hostname")),
        "peer_principal": distinct_texts(principal, tls.field("peer_certificate_properties")),
        "local_principal": distinct_texts(principal, tls.field("local_certificate_properties")),
    }


def _start(times: pa.Array) -> pa.Array:
    """Within what a timestamp of the engine can hold; an entry without a start is from the epoch."""
    ns = times.cast(pa.int64()).fill_null(0).to_numpy()
    return pa.array(np.clip(ns, 0, MAX_NS)).cast(pa.timestamp("ns"))
