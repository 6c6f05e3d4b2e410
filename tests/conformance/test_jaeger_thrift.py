"""Jaeger's own Thrift batches, against the spans that Jaeger makes of them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.wire.jaeger_batches import message, of_json
from vigla.wire.jaeger_thrift import binary, compact
from vigla.wire.jaeger_thrift.batch import otlp_request

READERS = {"compact": compact.message, "binary": binary.message}


@pytest.mark.parametrize("protocol", READERS)
@pytest.mark.parametrize("number", ["01", "02"])
def test_batches_become_the_spans_that_jaeger_makes(jaeger_cases: Path, protocol: str, number: str) -> None:
    folder = jaeger_cases / "thrift"
    batch = of_json(json.loads((folder / f"thrift_batch_{number}.json").read_text()))
    expected = json.loads((folder / f"domain_{number}.json").read_text())["spans"]
    request = ExportTraceServiceRequest.FromString(otlp_request(READERS[protocol](message(protocol, batch))))
    found = [s for e in request.resource_spans for scope in e.scope_spans for s in scope.spans]
    assert [_seen(span) for span in found] == [_expected(span) for span in expected]


def _seen(span: Any) -> tuple[Any, ...]:
    duration = span.end_time_unix_nano - span.start_time_unix_nano
    return span.trace_id, span.span_id, span.name, duration, len(span.events)


def _expected(span: dict[str, Any]) -> tuple[Any, ...]:
    ids = (base64.b64decode(span[name]) for name in ("traceId", "spanId"))
    duration = int(span.get("duration", "0ns").removesuffix("ns"))
    return *ids, span["operationName"], duration, len(span.get("logs", []))
