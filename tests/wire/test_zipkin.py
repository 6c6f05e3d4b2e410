"""Zipkin's JSON to OTLP; real SDK spans go this way in ``tests/bus/kafka/test_interop.py``."""

import json
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from vigla.errors import BadInput
from vigla.wire.zipkin import from_zipkin_json

SPAN: dict[str, Any] = {
    "traceId": "463ac35c9f6413ad",
    "id": "a2fb4a1d1a96d312",
    "parentId": "0020000000000001",
    "kind": "CLIENT",
    "name": "get /",
    "timestamp": 1_472_470_996_199_000,
    "duration": 207_000,
    "localEndpoint": {"serviceName": "frontend"},
    "remoteEndpoint": {"serviceName": "backend", "ipv4": "192.168.99.101", "port": 9000},
    "annotations": [{"timestamp": 1_472_470_996_238_000, "value": "ws"}],
    "tags": {"http.method": "GET"},
}


def converted(*spans: dict[str, Any]) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(from_zipkin_json(json.dumps(spans).encode()))


def only(**changes: Any) -> Span:
    (resource_spans,) = converted({**SPAN, **changes}).resource_spans
    (span,) = resource_spans.scope_spans[0].spans
    return span


def attributes(span: Span) -> dict[str, str | int]:
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_every_field_finds_its_place() -> None:
    span = only()
    assert span.trace_id.hex() == "0" * 16 + "463ac35c9f6413ad"
    assert (span.span_id.hex(), span.parent_span_id.hex()) == ("a2fb4a1d1a96d312", "0020000000000001")
    assert (span.kind, span.name) == (Span.SPAN_KIND_CLIENT, "get /")
    assert span.start_time_unix_nano == 1_472_470_996_199_000_000
    assert span.end_time_unix_nano - span.start_time_unix_nano == 207_000_000
    assert [(e.name, e.time_unix_nano) for e in span.events] == [("ws", 1_472_470_996_238_000_000)]
    assert attributes(span) == {
        "http.method": "GET",
        "peer.service": "backend",
        "network.peer.address": "192.168.99.101",
        "network.peer.port": 9000,
    }


def test_spans_are_grouped_by_service() -> None:
    other = {**SPAN, "localEndpoint": {"serviceName": "backend"}}
    found = converted(SPAN, other, SPAN, {**SPAN, "localEndpoint": None}).resource_spans
    services = [[a.value.string_value for a in each.resource.attributes] for each in found]
    assert services == [["frontend"], ["backend"], []]
    assert [len(each.scope_spans[0].spans) for each in found] == [2, 1, 1]


@pytest.mark.parametrize(
    ("tags", "code", "message"),
    [
        ({}, Status.STATUS_CODE_UNSET, ""),
        ({"error": "true"}, Status.STATUS_CODE_ERROR, ""),
        ({"error": "refused"}, Status.STATUS_CODE_ERROR, "refused"),
        ({"error": "false"}, Status.STATUS_CODE_UNSET, ""),
        ({"otel.status_code": "OK"}, Status.STATUS_CODE_OK, ""),
        ({"otel.status_code": "ERROR", "error": "late"}, Status.STATUS_CODE_ERROR, "late"),
    ],
)
def test_status(tags: dict[str, str], code: int, message: str) -> None:
    span = only(tags=tags)
    assert (span.status.code, span.status.message) == (code, message)


def test_a_fraction_of_a_microsecond_is_kept() -> None:
    assert only(duration=0.5).end_time_unix_nano - only().start_time_unix_nano == 500


@pytest.mark.parametrize(
    ("body", "match"),
    [
        (b"{", "no JSON"),
        (b"[1]", r"\[0\]: expected an object"),
        (json.dumps([{**SPAN, "id": "xyz"}]).encode(), r"\[0\].id: 'xyz'"),
        (json.dumps([SPAN, {**SPAN, "traceId": ""}]).encode(), r"\[1\].traceId"),
        (json.dumps([{**SPAN, "timestamp": -1}]).encode(), r"\[0\].timestamp"),
        (json.dumps([{**SPAN, "duration": 2**62}]).encode(), r"\[0\].duration"),
        (json.dumps([{**SPAN, "tags": []}]).encode(), r"\[0\].tags: expected an object"),
        (json.dumps([{**SPAN, "annotations": ["x"]}]).encode(), r"annotations\[0\]"),
    ],
)
def test_what_is_wrong_is_named(body: bytes, match: str) -> None:
    with pytest.raises(BadInput, match=match):
        from_zipkin_json(body)
