"""Envoy's access logs as OTLP log records: attributes named by Istio's JSON keys become the same columns.

Source: Envoy's ``open_telemetry`` access logger. It sends text; ``-`` stands for nothing.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from vigla.errors import BadInput
from vigla.model.access_logs import IDENTITY_TAGS, SERVICE_TAG
from vigla.model.spans import Promoted
from vigla.wire.access_logs.columns import MAX_NS, distinct_lists, distinct_texts
from vigla.wire.access_logs.parties import reporters, services, valid_trace_ids
from vigla.wire.otlp import descriptors, text
from vigla.wire.otlp.attributes import Attributes
from vigla.wire.otlp.buffers import owners_of

LOG_NAME = "otel_envoy_accesslog"
TEXTS = {
    **{name: name for name in IDENTITY_TAGS},
    "method": "method",
    "path": "path",
    "protocol": "protocol",
    "response_code_details": "response_code_details",
    "connection_termination_details": "connection_termination_details",
    "x_forwarded_for": "forwarded_for",
    "user_agent": "user_agent",
    "request_id": "request_id",
    "authority": "authority",
    "upstream_host": "upstream_host",
    "upstream_cluster": "upstream_cluster",
    "upstream_local_address": "upstream_local",
    "downstream_local_address": "downstream_local",
    "downstream_remote_address": "downstream_remote",
    "requested_server_name": "sni",
    "upstream_transport_failure_reason": "upstream_transport_failure",
    "route_name": "route",
}
"""Attribute to column."""

_NS_PER_MS = 1_000_000
_REQUESTS = descriptors.handler(descriptors.raw_attributes, ExportLogsServiceRequest.DESCRIPTOR.full_name)


def divided(payload: bytes) -> tuple[bytes, bytes]:
    """Access logs and other logs of an admitted request, each a request, empty where there are none."""
    if LOG_NAME.encode() not in payload:
        return b"", payload
    ours, others = ExportLogsServiceRequest(), ExportLogsServiceRequest()
    for entry in ExportLogsServiceRequest.FromString(payload).resource_logs:
        (ours if _is_access_log(entry) else others).resource_logs.append(entry)
    return ours.SerializeToString(), others.SerializeToString()


def _is_access_log(resource_logs: Any) -> bool:
    return any(
        pair.key == "log_name" and pair.value.string_value == LOG_NAME
        for pair in resource_logs.resource.attributes
    )


def columns(requests: list[bytes]) -> tuple[dict[str, pa.Array], int]:
    """Columns of all log records, and how many there are.

    Raises:
        BadInput: a request does not parse.
    """
    try:
        batch = _REQUESTS.list_to_record_batch(requests)
    except ValueError as error:
        raise BadInput(f"record is no ExportLogsServiceRequest: {error}") from error
    resource_logs = batch.column(0).flatten()
    scope_lists = resource_logs.field("scope_logs")
    record_lists = scope_lists.flatten().field("log_records")
    records = record_lists.flatten()
    resource_of_record = pa.array(owners_of(scope_lists)[owners_of(record_lists)])
    resource = Attributes(resource_logs.field("resource").field("attributes"))
    origin = {
        "node": resource.column("node_name", "string").take(resource_of_record),
        "log_name": resource.column("log_name", "string").take(resource_of_record),
    }
    return origin | _record_columns(records), len(records)


def _record_columns(records: pa.StructArray) -> dict[str, pa.Array]:
    attributes = Attributes(records.field("attributes"))
    made = {column: _text(attributes, key) for key, column in TEXTS.items()}
    code = _number(attributes, "response_code")
    made |= {
        "ts": _starts(records),
        "status": pc.if_else(pc.equal(code, 0), pa.scalar(None, pa.int64()), code),
        "flags": distinct_lists(_flags, pc.fill_null(_text(attributes, "response_flags"), "")),
        "bytes_received": _number(attributes, "bytes_received"),
        "bytes_sent": _number(attributes, "bytes_sent"),
        "dur": pc.multiply(_number(attributes, "duration"), _NS_PER_MS),
        "service": services(_text(attributes, SERVICE_TAG), made["upstream_cluster"]),
        "reporter": reporters(made["reporter"], made["upstream_cluster"]),
        "trace_id": valid_trace_ids(text.each_distinct(bytes.hex, records.field("trace_id"))),
    }
    body = text.string_member(pc.fill_null(records.field("body").field("string_value"), ""))
    made["tags"] = _with_body(attributes.objects(), body)
    return made


def _starts(records: pa.StructArray) -> pa.Array:
    ns = np.minimum(records.field("time_unix_nano").to_numpy(), MAX_NS).astype(np.int64)
    return pa.array(ns).cast(pa.timestamp("ns"))


def _text(attributes: Attributes, key: str) -> pa.StringArray:
    values = attributes.pop(Promoted(key)).cast(pa.string())
    return pc.if_else(pc.is_in(values, pa.array(["", "-"])), pa.scalar(None, pa.string()), values)


def _number(attributes: Attributes, key: str) -> pa.Int64Array:
    """A whole number, sent as text or as such; null when it is none."""
    texts = distinct_texts(_digits, attributes.pop(Promoted(key)).cast(pa.string()))
    return pc.coalesce(texts.cast(pa.int64()), attributes.pop(Promoted(key, "int")))


def _digits(value: str) -> str | None:
    return value if value.isascii() and value.isdigit() and len(value) <= 12 else None  # noqa: PLR2004


def _flags(names: str) -> list[str]:
    return [name for name in names.split(",") if name]


def _with_body(objects: pa.StringArray, body: pa.StringArray) -> pa.StringArray:
    rest = text.unless(pc.equal(objects, "{}"), pc.utf8_slice_codeunits(objects, 1, -1))
    members = text.present([text.concat('"body":', body), rest])
    return text.object_member(text.concat("{", members, "}"))
