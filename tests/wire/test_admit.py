import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.metrics.v1 import metrics_pb2 as m
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.wire.otlp_requests import requests
from vigla.errors import BadInput
from vigla.wire.otlp.admit import Admitted, admit
from vigla.wire.otlp.spans import SpanDecoder

SIGNALS = ("traces", "metrics", "logs")
DECODER = SpanDecoder(())


def request_of(*spans: Span) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for one in spans:
        request.resource_spans.add().scope_spans.add().spans.append(one)
    return request


def span(trace_id: bytes = b"t" * 16, span_id: bytes = b"s" * 8, parent: bytes = b"", name: str = "") -> Span:
    return Span(trace_id=trace_id, span_id=span_id, parent_span_id=parent, name=name)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(requests)
def test_a_sound_request_passes_unchanged(request: ExportTraceServiceRequest):
    payload = request.SerializeToString()
    spans = sum(len(scope.spans) for entry in request.resource_spans for scope in entry.scope_spans)
    ids = {span.trace_id for each in request.resource_spans for s in each.scope_spans for span in s.spans}
    key = ids.pop().hex().encode() if len(ids) == 1 else b""
    assert admit("traces", payload) == Admitted(payload, spans, key=key)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (span(trace_id=b""), "1 spans: trace_id is not 16 bytes or all zero"),
        (span(trace_id=b"t" * 15), "1 spans: trace_id is not 16 bytes or all zero"),
        (span(trace_id=bytes(16)), "1 spans: trace_id is not 16 bytes or all zero"),
        (span(span_id=bytes(8)), "1 spans: span_id is not 8 bytes or all zero"),
        (span(span_id=b"s" * 16), "1 spans: span_id is not 8 bytes or all zero"),
        (span(parent=b"p"), "1 spans: parent_span_id is not 8 bytes"),
        (
            span(trace_id=b"", span_id=b""),
            "1 spans: trace_id is not 16 bytes or all zero; 1 spans: span_id is not 8 bytes or all zero",
        ),
    ],
)
def test_spans_with_invalid_ids_are_left_out(bad: Span, reason: str):
    before, after = span(name="before"), span(parent=b"p" * 8, name="after")
    admitted = admit("traces", request_of(before, bad, after).SerializeToString())
    assert (admitted.accepted, admitted.rejected, admitted.reason) == (2, 1, reason)
    assert DECODER.decode([admitted.payload])["name"].to_pylist() == ["before", "after"]


def test_spans_of_one_scope_are_told_apart():
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    scope.spans.extend(
        span(name=str(n), trace_id=bytes(16 if n % 3 == 0 else 0) or b"t" * 16) for n in range(9)
    )
    admitted = admit("traces", request.SerializeToString())
    assert DECODER.decode([admitted.payload])["name"].to_pylist() == ["1", "2", "4", "5", "7", "8"]


def test_a_link_with_a_wrong_id_stays_as_it_is():
    linked = span(name="linked")
    linked.links.add(trace_id=b"\x01\x02", span_id=b"s" * 8)
    linked.links.add(trace_id=b"t" * 16)
    admitted = admit("traces", request_of(linked).SerializeToString())
    (links,) = DECODER.decode([admitted.payload])["links"].to_pylist()
    assert [(link["trace_id"], link["span_id"]) for link in json.loads(links)] == [
        ("0102", "73" * 8),
        ("74" * 16, "00" * 8),
    ]


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("payload", [b"\xff", b"\x0a\x05a", b"{}", b"\x0a"])
def test_garbage_is_bad_input(signal: str, payload: bytes):
    with pytest.raises(BadInput, match="payload is no Export"):
        admit(signal, payload)


@pytest.mark.parametrize("signal", SIGNALS)
def test_an_empty_request_is_sound(signal: str):
    assert admit(signal, b"") == Admitted(b"", 0)


def test_text_that_is_not_utf8_is_repaired():
    sent = request_of(span(name="NAME"))
    sent.resource_spans[0].resource.attributes.add(key="service.name").value.string_value = "shop"
    deep = KeyValue(
        key="list", value=AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="DEEP")]))
    )
    sent.resource_spans[0].scope_spans[0].spans[0].attributes.append(deep)
    payload = sent.SerializeToString().replace(b"NAME", b"N\xff\xfeE").replace(b"DEEP", b"D\xc3(P")
    admitted = admit("traces", payload)
    table = DECODER.decode([admitted.payload])
    assert admitted.accepted == 1
    assert table["name"].to_pylist() == ["N\ufffd\ufffdE"]
    assert table["attrs"].to_pylist() == ['{"list":["D\ufffd(P"]}']


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.sampled_from(SIGNALS), st.binary(max_size=60))
def test_no_bytes_crash_admission(signal: str, payload: bytes):
    try:
        admit(signal, payload)
    except BadInput:
        return


@settings(deadline=None, derandomize=True, max_examples=300)
@given(requests.map(lambda r: r.SerializeToString()).filter(bool), st.data())
def test_what_passes_admission_decodes(payload: bytes, data: st.DataObject):
    spoilt = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 3))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    try:
        admitted = admit("traces", bytes(spoilt))
    except BadInput:
        return
    table = DECODER.decode([admitted.payload])
    table.validate(full=True)
    assert len(table) == admitted.accepted


def test_data_points_are_counted_in_all_kinds_of_metrics():
    point = m.NumberDataPoint(as_int=1)
    metrics = [
        m.Metric(name="nothing"),
        m.Metric(gauge=m.Gauge(data_points=[point])),
        m.Metric(sum=m.Sum(data_points=[point] * 2)),
        m.Metric(histogram=m.Histogram(data_points=[m.HistogramDataPoint()] * 3)),
        m.Metric(
            exponential_histogram=m.ExponentialHistogram(data_points=[m.ExponentialHistogramDataPoint()] * 4)
        ),
        m.Metric(summary=m.Summary(data_points=[m.SummaryDataPoint()] * 5)),
    ]
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add().metrics.extend(metrics)
    assert admit("metrics", request.SerializeToString()).accepted == 15


def test_log_records_are_counted():
    request = ExportLogsServiceRequest()
    for _ in range(3):
        records = request.resource_logs.add().scope_logs.add().log_records
        records.add().body.string_value = "a"
        records.add().body.kvlist_value.CopyFrom(KeyValueList())
    assert admit("logs", request.SerializeToString()).accepted == 6


def nested(levels: int) -> bytes:
    raw = b"\x18\x01"
    for _ in range(levels):
        inner = b"\x0a" + varint(len(raw)) + raw
        raw = b"\x2a" + varint(len(inner)) + inner
    return raw


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def deep(levels: int) -> bytes:
    content = b"\x0a\x01k\x12" + varint(len(nested(levels))) + nested(levels)
    spans = span().SerializeToString() + b"\x4a" + varint(len(content)) + content
    for number in (2, 2, 1):
        spans = varint(number << 3 | 2) + varint(len(spans)) + spans
    return spans


def test_nesting_is_bounded():
    with pytest.raises(BadInput):
        admit("traces", deep(1000))
    (attrs,) = DECODER.decode([admit("traces", deep(45)).payload])["attrs"].to_pylist()
    assert attrs == '{"k":' + "[" * 45 + "1" + "]" * 45 + "}"
