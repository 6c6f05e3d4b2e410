"""Spans of the OpenTelemetry SDK, and what they are in other formats.

The OTLP forms are the SDK's exporters' own. Jaeger's and Zipkin's are written out here from the same spans as
the OpenTelemetry Collector's exporter writes them.
"""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans as encode_json
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

SERVICE = "checkout"
NS = 10**9


def sdk_spans(count: int) -> list[ReadableSpan]:
    """Traces of a parent with an event and a failing child."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": SERVICE}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("shop", "1.2")
    for n in range(count):
        with tracer.start_as_current_span(f"order {n}", kind=SpanKind.SERVER) as parent:
            parent.set_attributes({"http.request.method": "GET", "order": n, "paid": True})
            parent.add_event("reserved", {"left": 3})
            with tracer.start_as_current_span("charge", kind=SpanKind.CLIENT) as child:
                child.set_status(Status(StatusCode.ERROR))
    provider.shutdown()
    return list(exporter.get_finished_spans())


def otlp_proto(spans: list[ReadableSpan]) -> list[bytes]:
    """One record of all."""
    return [encode_spans(spans).SerializeToString()]


def otlp_json(spans: list[ReadableSpan]) -> list[bytes]:
    """One record of all."""
    return [encode_json(spans).to_json().encode()]


def jaeger_json(spans: list[ReadableSpan]) -> list[bytes]:
    """A record for each, in protobuf's JSON form of ``jaeger.api_v2.Span``."""
    return [json.dumps(_jaeger(span)).encode() for span in spans]


def zipkin_json(spans: list[ReadableSpan]) -> list[bytes]:
    """One record of all."""
    return [json.dumps([_zipkin(span) for span in spans]).encode()]


def _jaeger(span: ReadableSpan) -> dict[str, Any]:
    context, start, end = span.context, span.start_time or 0, span.end_time or 0
    assert context is not None
    trace_id = _base64(context.trace_id, 16)
    tags = [
        _tag("span.kind", span.kind.name.lower()),
        *(_tag(k, v) for k, v in (span.attributes or {}).items()),
    ]
    if span.status.status_code is StatusCode.ERROR:
        tags += [_tag("error", True), _tag("otel.status_code", "ERROR")]
    parent = span.parent
    references = [{"traceId": trace_id, "spanId": _base64(parent.span_id, 8)}] if parent else []
    return {
        "traceId": trace_id,
        "spanId": _base64(context.span_id, 8),
        "operationName": span.name,
        "references": references,
        "startTime": _time(start),
        "duration": f"{(end - start) // NS}.{(end - start) % NS:09d}s",
        "tags": tags,
        "logs": [
            {"timestamp": _time(event.timestamp), "fields": [_tag("event", event.name)]}
            for event in span.events
        ],
        "process": {"serviceName": SERVICE, "tags": [_tag("host.name", "h1")]},
    }


def _tag(key: str, value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"key": key, "vType": "BOOL", "vBool": value}
        case int():
            return {"key": key, "vType": "INT64", "vInt64": str(value)}
    return {"key": key, "vStr": value}


def _time(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // NS, UTC):%Y-%m-%dT%H:%M:%S}.{ns % NS:09d}Z"


def _base64(number: int, size: int) -> str:
    return base64.b64encode(number.to_bytes(size, "big")).decode()


def _zipkin(span: ReadableSpan) -> dict[str, Any]:
    context, start, end = span.context, span.start_time or 0, span.end_time or 0
    assert context is not None
    shown: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}",
        "id": f"{context.span_id:016x}",
        "name": span.name,
        "kind": span.kind.name,
        "timestamp": start // 1000,
        "duration": (end - start) // 1000,
        "localEndpoint": {"serviceName": SERVICE},
        "annotations": [{"timestamp": e.timestamp // 1000, "value": e.name} for e in span.events],
        "tags": {key: str(value) for key, value in (span.attributes or {}).items()},
    }
    if span.parent:
        shown["parentId"] = f"{span.parent.span_id:016x}"
    if span.status.status_code is StatusCode.ERROR:
        shown["tags"]["error"] = "true"
    return shown
