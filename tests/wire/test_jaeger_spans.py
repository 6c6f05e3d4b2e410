"""Single spans of Jaeger's model; real SDK spans go this way in ``tests/bus/kafka/test_interop.py``."""

import base64
import json
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from vigla.errors import BadInput
from vigla.wire.jaeger_spans import from_jaeger_json_span, from_jaeger_proto

TRACE, OTHER = bytes(range(16)), bytes(range(16, 32))


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


SPAN: dict[str, Any] = {
    "traceId": text(TRACE),
    "spanId": text(b"12345678"),
    "operationName": "GET /",
    "references": [
        {"traceId": text(TRACE), "spanId": text(b"parent.."), "refType": "CHILD_OF"},
        {"traceId": text(OTHER), "spanId": text(b"linked.."), "refType": "FOLLOWS_FROM"},
    ],
    "startTime": "2026-01-02T03:04:05.123456789Z",
    "duration": "1.000000007s",
    "tags": [
        {"key": "text", "vType": "STRING", "vStr": "x"},
        {"key": "yes", "vType": "BOOL", "vBool": True},
        {"key": "many", "vType": "INT64", "vInt64": "9007199254740993"},
        {"key": "part", "vType": "FLOAT64", "vFloat64": 0.5},
        {"key": "raw", "vType": "BINARY", "vBinary": text(b"\x00\xff")},
    ],
    "logs": [
        {
            "timestamp": "2026-01-02T03:04:05.5Z",
            "fields": [{"key": "event", "vStr": "retry"}, {"key": "n", "vType": "INT64", "vInt64": "2"}],
        }
    ],
    "process": {"serviceName": "shop", "tags": [{"key": "host", "vStr": "h1"}]},
    "unknown": "is passed over",
}


def parsed(body: bytes) -> tuple[dict[str, str], Span]:
    (resource_spans,) = ExportTraceServiceRequest.FromString(body).resource_spans
    (span,) = resource_spans.scope_spans[0].spans
    return {a.key: a.value.string_value for a in resource_spans.resource.attributes}, span


def test_every_field_finds_its_place_and_times_are_exact() -> None:
    resource, span = parsed(from_jaeger_json_span(json.dumps(SPAN).encode()))
    assert resource == {"service.name": "shop", "host": "h1"}
    assert (span.trace_id, span.span_id, span.parent_span_id) == (TRACE, b"12345678", b"parent..")
    assert [(link.trace_id, link.span_id) for link in span.links] == [(OTHER, b"linked..")]
    assert span.start_time_unix_nano == 1_767_323_045_123_456_789
    assert span.end_time_unix_nano - span.start_time_unix_nano == 1_000_000_007
    assert [(e.name, e.time_unix_nano) for e in span.events] == [("retry", 1_767_323_045_500_000_000)]
    values = {a.key: a.value for a in span.attributes}
    assert values["text"].string_value == "x"
    assert values["yes"].bool_value is True
    assert values["many"].int_value == 9_007_199_254_740_993
    assert values["part"].double_value == 0.5
    assert values["raw"].bytes_value == b"\x00\xff"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"traceId": text(b"short")}, "trace_id"),
        ({"spanId": ""}, "span_id"),
        ({"startTime": "yesterday"}, "Span"),
        ({"duration": "-1s"}, "negative"),
        ({"tags": 7}, "Span"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(BadInput, match=match):
        from_jaeger_json_span(json.dumps({**SPAN, **changes}).encode())


@pytest.mark.parametrize("body", [b"\xff\xff", b"", b"\x0a\x01x"])
def test_bytes_that_are_no_span(body: bytes) -> None:
    with pytest.raises(BadInput):
        from_jaeger_proto(body)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"7"])
def test_text_that_is_no_span(body: bytes) -> None:
    with pytest.raises(BadInput):
        from_jaeger_json_span(body)
