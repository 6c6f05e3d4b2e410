import base64
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.wire.otlp_requests import requests, rows_of
from vigla.errors import BadInput
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.wire.otlp.admit import admit
from vigla.wire.otlp.from_json import from_json
from vigla.wire.otlp.spans import SpanDecoder

FIXTURES = Path(__file__).parents[3] / "shared" / "conformance" / "jaeger" / "traces"
IDS = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")


def with_hex_ids(tree: Any) -> Any:
    """The proto3 JSON mapping with ids as OTLP/JSON has them."""
    if isinstance(tree, list):
        return [with_hex_ids(item) for item in tree]
    if isinstance(tree, dict):
        return {
            name: base64.b64decode(value).hex() if name in IDS else with_hex_ids(value)
            for name, value in tree.items()
        }
    return tree


def traces(text: str) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(from_json("traces", text.encode()))


def one_span(**fields: Any) -> Any:
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]})
    return traces(body).resource_spans[0].scope_spans[0].spans[0]


def one_value(value: Any) -> Any:
    return one_span(attributes=[{"key": "k", "value": value}]).attributes[0].value


@settings(deadline=None, derandomize=True, max_examples=60)
@given(request=requests, snake=st.booleans(), numbers=st.booleans())
def test_reads_what_the_proto3_mapping_writes(
    *, request: ExportTraceServiceRequest, snake: bool, numbers: bool
):
    tree = json_format.MessageToDict(
        request, preserving_proto_field_name=snake, use_integers_for_enums=numbers
    )
    again = ExportTraceServiceRequest.FromString(from_json("traces", json.dumps(with_hex_ids(tree)).encode()))
    # as text, because NaN differs from itself
    assert str(again) == str(request)


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="conformance data is not beside the repository")
def test_fixtures_reach_columns_without_loss():
    names = sorted(FIXTURES.glob("*.json"))
    assert len(names) == 32
    decoder = SpanDecoder(DEFAULT_PROMOTED)
    for path in names:
        body = path.read_bytes()
        admitted = admit("traces", from_json("traces", body))
        table = decoder.decode([admitted.payload])
        expected = rows_of(
            json_format.ParseDict(with_base64_ids(json.loads(body)), ExportTraceServiceRequest())
        )
        assert admitted.rejected == 0
        assert table["trace_id"].to_pylist() == [row["trace_id"] for row in expected]
        assert table["name"].to_pylist() == [row["name"] for row in expected]
        for column in ("resource", "scope", "events", "links"):
            found = [text and json.loads(text) for text in table[column].to_pylist()]
            assert found == [row[column] for row in expected], (path.name, column)
        assert attributes_of(table.to_pylist()) == [row["attrs"] for row in expected]


def attributes_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Attributes with promoted ones put back."""
    return [
        json.loads(row["attrs"])
        | {p.key: row[p.column] for p in DEFAULT_PROMOTED if row[p.column] is not None}
        for row in rows
    ]


def with_base64_ids(tree: Any) -> Any:
    if isinstance(tree, list):
        return [with_base64_ids(item) for item in tree]
    if isinstance(tree, dict):
        return {
            name: base64.b64encode(bytes.fromhex(value)).decode() if name in IDS else with_base64_ids(value)
            for name, value in tree.items()
        }
    return tree


def test_ids_are_hex_of_any_case():
    span = one_span(traceId="0AF7651916cd43dd8448eb211c80319c", spanId="B7ad6b7169203331", parentSpanId="")
    assert span.trace_id == bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
    assert (span.span_id.hex(), span.parent_span_id) == ("b7ad6b7169203331", b"")


@pytest.mark.parametrize(
    ("given_kind", "number"), [(3, 3), ("SPAN_KIND_CLIENT", 3), ("3", 3), (77, 77), (None, 0)]
)
def test_enums_are_names_or_numbers(given_kind: object, number: int):
    assert one_span(kind=given_kind).kind == number


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("-9223372036854775808", -(2**63)),
        (12, 12),
        (12.0, 12),
        ("1e3", 1000),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_integers_are_numbers_or_text(written: object, read: int):
    assert one_value({"intValue": written}).int_value == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (1, "1.0"),
        ("1.5", "1.5"),
        ("NaN", "nan"),
        ("-Infinity", "-inf"),
        ("1e-3", "0.001"),
    ],
)
def test_doubles_are_numbers_or_text(written: object, read: str):
    assert repr(one_value({"doubleValue": written}).double_value) == read


@pytest.mark.parametrize("written", ["+/8=", "+/8", "-_8=", "-_8"])
def test_bytes_are_base64_of_either_alphabet(written: str):
    assert one_value({"bytesValue": written}).bytes_value == b"\xfb\xff"


def test_unknown_members_are_ignored():
    assert one_span(name="n", unknown={"a": [1]}, instrumentationLibrary=None).name == "n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "body is no JSON"),
        ("{", "body is no JSON"),
        ("[" * 5000, "body is no JSON"),
        ("[]", "body: is not an object"),
        ("null", "body: is not an object"),
        ('{"resourceSpans":{}}', "resourceSpans: is not an array"),
        ('{"resourceSpans":[null]}', r"resourceSpans\[0\]: is not an object"),
        ('{"resourceSpans":[{},{"schemaUrl":1}]}', r"resourceSpans\[1\].schemaUrl: is not a string"),
    ],
)
def test_a_wrong_body_is_bad_input_with_its_path(body: str, message: str):
    with pytest.raises(BadInput, match=message):
        from_json("traces", body.encode())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"traceId": "xyz"}, r"resourceSpans\[0\].scopeSpans\[0\].spans\[0\].traceId: is not hex"),
        ({"traceId": 5}, "traceId: is not a string"),
        ({"kind": "SPAN_KIND_BANANA"}, "kind: is no SpanKind"),
        ({"kind": 2**40}, "kind: is no SpanKind"),
        ({"startTimeUnixNano": -1}, "startTimeUnixNano: is outside 0..18446744073709551615"),
        ({"startTimeUnixNano": "1" * 5000}, "startTimeUnixNano: is not an integer"),
        ({"startTimeUnixNano": 1.5}, "startTimeUnixNano: is not an integer"),
        ({"startTimeUnixNano": "٣"}, "startTimeUnixNano: is not an integer"),
        ({"startTimeUnixNano": "1e999"}, "startTimeUnixNano: is not an integer"),
        ({"flags": True}, "flags: is not an integer"),
        (
            {"attributes": [{"key": "k", "value": {"boolValue": 1}}]},
            r"attributes\[0\].value.boolValue: is not true or false",
        ),
        ({"attributes": [{"key": "k", "value": {"bytesValue": "a"}}]}, "bytesValue: is not base64"),
        ({"attributes": [{"key": "k", "value": {"doubleValue": "x"}}]}, "doubleValue: is not a number"),
    ],
)
def test_a_wrong_field_is_bad_input_with_its_path(fields: dict[str, Any], message: str):
    with pytest.raises(BadInput, match=message):
        one_span(**fields)


def test_nesting_is_bounded():
    value: Any = {"intValue": 1}
    for _ in range(200):
        value = {"arrayValue": {"values": [value]}}
    with pytest.raises(BadInput, match="is nested too deep"):
        one_value(value)


names = st.sampled_from([
    "resourceSpans", "scopeSpans", "spans", "resource", "attributes", "key", "value", "traceId",
    "kind", "events", "startTimeUnixNano", "flags", "arrayValue", "kvlistValue", "values",
    "intValue", "doubleValue", "bytesValue", "scope", "status", "code", "body", "severityNumber",
    "resourceMetrics", "scopeMetrics", "metrics", "histogram", "dataPoints", "explicitBounds",
    "bucketCounts", "asDouble", "resourceLogs", "scopeLogs", "logRecords",
])  # fmt: skip
trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["1", "NaN", "ab"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.sampled_from(["traces", "metrics", "logs"]), trees)
def test_no_json_crashes(signal: str, tree: Any):
    body = json.dumps(tree).encode()
    try:
        payload = from_json(signal, body)
    except BadInput:
        return
    admit(signal, payload)


def test_metrics_and_logs_are_read():
    metrics = {
        "resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "histogram": {
            "aggregationTemporality": "AGGREGATION_TEMPORALITY_CUMULATIVE",
            "dataPoints": [{
                "count": "3", "sum": 1.5, "bucketCounts": ["1", 2], "explicitBounds": [0.5],
                "exemplars": [{"spanId": "b7ad6b7169203331", "asInt": "4"}],
            }],
        }}]}]}]
    }  # fmt: skip
    request = ExportMetricsServiceRequest.FromString(from_json("metrics", json.dumps(metrics).encode()))
    metric = request.resource_metrics[0].scope_metrics[0].metrics[0].histogram
    assert metric.aggregation_temporality == 2
    (point,) = metric.data_points
    assert (point.count, point.sum, list(point.bucket_counts), list(point.explicit_bounds)) == (
        3,
        1.5,
        [1, 2],
        [0.5],
    )
    assert (point.exemplars[0].span_id.hex(), point.exemplars[0].as_int) == ("b7ad6b7169203331", 4)
    logs = {
        "resourceLogs": [
            {"scopeLogs": [{"logRecords": [{"severityNumber": 9, "body": {"stringValue": "hi"}}]}]}
        ]
    }
    records = ExportLogsServiceRequest.FromString(from_json("logs", json.dumps(logs).encode()))
    (record,) = records.resource_logs[0].scope_logs[0].log_records
    assert (record.severity_number, record.body.string_value) == (9, "hi")
