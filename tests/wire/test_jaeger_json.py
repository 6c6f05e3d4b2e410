"""Jaeger's trace JSON into OTLP."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from vigla.errors import BadInput
from vigla.wire.jaeger_json import from_jaeger_json, is_jaeger_json


def span(**members: Any) -> dict[str, Any]:
    return {
        "traceID": "abc",
        "spanID": "1",
        "operationName": "get",
        "references": [],
        "startTime": 1_700_000_000_000_001,
        "duration": 5,
        "tags": [],
        "logs": [],
        "processID": "p1",
        "warnings": None,
    } | members


def trace(*spans: dict[str, Any]) -> dict[str, Any]:
    tags = [{"key": "host", "type": "string", "value": "h"}]
    return {
        "traceID": "abc",
        "spans": list(spans),
        "processes": {"p1": {"serviceName": "shop", "tags": tags}},
        "warnings": None,
    }


def convert(document: Any) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(from_jaeger_json(orjson.dumps(document)))


def only_span(**members: Any) -> Span:
    return convert(trace(span(**members))).resource_spans[0].scope_spans[0].spans[0]


def tag(key: str, kind: str, value: Any) -> dict[str, Any]:
    return {"key": key, "type": kind, "value": value}


def attributes(of: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in of.attributes}


@pytest.mark.parametrize("wrap", [lambda t: {"data": [t]}, lambda t: t, lambda t: [t]])
def test_envelope_single_trace_and_list(wrap: Any):
    request = convert(wrap(trace(span())))
    (resource_spans,) = request.resource_spans
    assert attributes(resource_spans.resource) == {"service.name": "shop", "host": "h"}
    (found,) = resource_spans.scope_spans[0].spans
    assert found.trace_id.hex() == "00000000000000000000000000000abc"
    assert found.span_id.hex() == "0000000000000001"
    assert found.start_time_unix_nano == 1_700_000_000_000_001_000
    assert found.end_time_unix_nano - found.start_time_unix_nano == 5_000
    assert is_jaeger_json(wrap(trace(span())))


def test_tag_types():
    found = only_span(
        tags=[
            tag("s", "string", "x"),
            tag("b", "bool", True),
            tag("i", "int64", 7),
            tag("big", "int64", "9223372036854775807"),
            tag("f", "float64", 1),
            tag("raw", "binary", "AAE="),
            {"key": "untyped", "value": 3},
        ]
    )
    assert attributes(found) == {
        "s": "x",
        "b": True,
        "i": 7,
        "big": 2**63 - 1,
        "f": 1.0,
        "raw": b"\x00\x01",
        "untyped": 3,
    }


def test_tags_that_stand_for_fields():
    request = convert(
        trace(
            span(
                flags=1,
                tags=[
                    tag("otel.scope.name", "string", "lib"),
                    tag("otel.scope.version", "string", "1.2"),
                    tag("span.kind", "string", "server"),
                    tag("otel.status_code", "string", "ERROR"),
                    tag("error", "bool", True),
                    tag("otel.status_description", "string", "broke"),
                    tag("w3c.tracestate", "string", "a=b"),
                    tag("kept", "string", "yes"),
                ],
            )
        )
    )
    scope_spans = request.resource_spans[0].scope_spans[0]
    found = scope_spans.spans[0]
    assert (scope_spans.scope.name, scope_spans.scope.version) == ("lib", "1.2")
    assert (found.kind, found.flags, found.trace_state) == (Span.SPAN_KIND_SERVER, 1, "a=b")
    assert (found.status.code, found.status.message) == (Status.STATUS_CODE_ERROR, "broke")
    assert attributes(found) == {"kept": "yes"}


def test_error_tag_alone_is_the_status():
    found = only_span(tags=[tag("error", "bool", True)])
    assert found.status.code == Status.STATUS_CODE_ERROR
    assert attributes(only_span(tags=[tag("error", "bool", False)])) == {"error": False}
    assert attributes(only_span(tags=[tag("span.kind", "string", "odd")])) == {"span.kind": "odd"}


def test_references_become_parent_and_links():
    found = only_span(
        references=[
            {"refType": "CHILD_OF", "traceID": "abc", "spanID": "2"},
            {"refType": "CHILD_OF", "traceID": "fff", "spanID": "3"},
            {"refType": "FOLLOWS_FROM", "traceID": "abc", "spanID": "4"},
        ]
    )
    assert found.parent_span_id.hex() == "0000000000000002"
    assert [link.span_id[-1] for link in found.links] == [3, 4]
    assert [attributes(link) for link in found.links] == [{"opentracing.ref_type": "child_of"}, {}]


@pytest.mark.parametrize("field", ["event", "message"])
def test_logs_become_events(field: str):
    found = only_span(
        logs=[{"timestamp": 9, "fields": [tag(field, "string", "retry"), tag("n", "int64", 1)]}]
    )
    (event,) = found.events
    assert (event.time_unix_nano, event.name, attributes(event)) == (9_000, "retry", {"n": 1})


def test_spans_are_grouped_by_process_and_scope():
    other = span(processID="p2", tags=[tag("otel.library.name", "string", "lib")])
    document = trace(span(), span(spanID="2"), other)
    document["processes"]["p2"] = {"serviceName": "OTLPResourceNoServiceName", "tags": []}
    groups = convert(document).resource_spans
    assert [len(group.scope_spans[0].spans) for group in groups] == [2, 1]
    assert attributes(groups[1].resource) == {}
    assert groups[1].scope_spans[0].scope.name == "lib"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"data": 1}, "data: expected a list"),
        ({"data": [1]}, "data[0]: expected an object"),
        ({"data": [{}]}, "data[0].spans: missing"),
        (trace(span(traceID="xyz")), "trace.spans[0].traceID: 'xyz' is no id"),
        (trace(span(spanID="1" * 17)), "trace.spans[0].spanID"),
        (trace(span(), span(startTime="now")), "trace.spans[1].startTime: expected a whole number"),
        (trace(span(startTime=-1)), "trace.spans[0].startTime: -1 is out of range"),
        (trace(span(duration=2**60)), "trace.spans[0].duration"),
        (trace(span(processID="p9")), 'trace.spans[0].processID: the trace has no process "p9"'),
        (trace(span(tags=[tag("a", "int64", "x")])), "trace.spans[0].tags[0].value: 'x' is no int64"),
        (trace(span(tags=[tag("a", "int64", 2**63)])), "trace.spans[0].tags[0].value"),
        (trace(span(tags=[tag("a", "binary", "?")])), "trace.spans[0].tags[0].value"),
        (trace(span(tags=[tag("a", "date", "x")])), "trace.spans[0].tags[0].type: 'date' is none of"),
        (trace(span(logs=[{"fields": []}])), "trace.spans[0].logs[0].timestamp: missing"),
        (trace(span(flags=-1)), "trace.spans[0].flags"),
        (5, "document: expected a list"),
    ],
)
def test_refuses_with_the_path(document: Any, said: str):
    with pytest.raises(BadInput) as caught:
        convert(document)
    assert said in str(caught.value)


def test_refuses_what_is_no_json():
    with pytest.raises(BadInput, match="no JSON"):
        from_jaeger_json(b"{")


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    member=st.sampled_from([*span(), "flags", "process", "parentSpanID"]),
    value=anything | st.lists(st.fixed_dictionaries({"key": anything, "type": anything, "value": anything})),
)
def test_any_member_of_any_type_converts_or_is_refused(member: str, value: Any):
    try:
        convert(trace(span(**{member: value})))
    except BadInput:
        return
