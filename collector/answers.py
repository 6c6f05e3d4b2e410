"""What a sender is told: OTLP's responses and errors, in the encoding that it sent.

Source: OTLP specification 1.x, sections "OTLP/gRPC Response" and "OTLP/HTTP Response".
"""

import math
from typing import Any, Literal

import orjson
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from vigla.wire.otlp.admit import Admitted
from vigla.wire.otlp.descriptors import Signal

Format = Literal["protobuf", "json"]

GRPC_INVALID_ARGUMENT = 3
GRPC_RESOURCE_EXHAUSTED = 8

REJECTED_FIELD: dict[Signal, tuple[str, str]] = {
    "traces": ("rejected_spans", "rejectedSpans"),
    "metrics": ("rejected_data_points", "rejectedDataPoints"),
    "logs": ("rejected_log_records", "rejectedLogRecords"),
}
RESPONSES: dict[Signal, Any] = {
    "traces": ExportTraceServiceResponse,
    "metrics": ExportMetricsServiceResponse,
    "logs": ExportLogsServiceResponse,
}


def success(signal: Signal, admitted: Admitted, form: Format = "protobuf") -> bytes:
    """The export response; empty unless items were rejected (partial success)."""
    if not admitted.rejected:
        return b"{}" if form == "json" else b""
    field, json_field = REJECTED_FIELD[signal]
    if form == "json":
        partial = {json_field: str(admitted.rejected), "errorMessage": admitted.reason}
        return orjson.dumps({"partialSuccess": partial})
    partial_success = {field: admitted.rejected, "error_message": admitted.reason}
    response: bytes = RESPONSES[signal](partial_success=partial_success).SerializeToString()
    return response


def failure(code: int, message: str, form: Format = "protobuf") -> bytes:
    """A ``google.rpc.Status`` for the body of an HTTP error."""
    if form == "json":
        return orjson.dumps({"code": code, "message": message})
    status: bytes = Status(code=code, message=message).SerializeToString()
    return status


def retry_status(message: str, retry_after_s: float) -> bytes:
    """A ``google.rpc.Status`` with RetryInfo, for gRPC's ``grpc-status-details-bin``."""
    seconds = int(retry_after_s)
    delay = Duration(seconds=seconds, nanos=int((retry_after_s - seconds) * 1e9))
    detail = AnyMessage()
    detail.Pack(RetryInfo(retry_delay=delay))
    status = Status(code=GRPC_RESOURCE_EXHAUSTED, message=message, details=[detail])
    content: bytes = status.SerializeToString()
    return content


def retry_after(retry_after_s: float) -> str:
    """Value of the HTTP header ``Retry-After``: whole seconds, at least one."""
    return str(max(1, math.ceil(retry_after_s)))
