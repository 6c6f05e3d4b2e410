"""Arbitrary OTLP trace requests for hypothesis, and what their rows should be, by a plain walk."""

import base64
import math
from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from vigla.model.spans import Promoted

PROMOTED = (Promoted("p.text"), Promoted("p.number", "int"), Promoted("p.never"))

text = st.text(max_size=8) | st.sampled_from(
    ['"', "\\", "\x00\x1f", "\u2028", "a,b", "{}", "null", "é\U0001f600"]
)
keys = st.sampled_from(["p.text", "p.number", "service.name", "$x", "", "a", "b", 'q"k']) | text
uint32 = st.integers(0, 2**32 - 1)
uint64 = st.integers(0, 2**64 - 1)
scalars = st.one_of(
    st.builds(AnyValue),
    st.builds(AnyValue, string_value=text),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1)),
    st.builds(AnyValue, double_value=st.floats()),
    st.builds(AnyValue, bytes_value=st.binary(max_size=5)),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda items: AnyValue(array_value=ArrayValue(values=items)), st.lists(inner, max_size=3)),
        st.builds(
            lambda pairs: AnyValue(kvlist_value=KeyValueList(values=pairs)),
            st.lists(st.builds(KeyValue, key=keys, value=inner), max_size=3),
        ),
    ),
    max_leaves=6,
)
attributes = st.lists(st.builds(KeyValue, key=keys, value=values) | st.builds(KeyValue, key=keys), max_size=5)
trace_ids = st.binary(min_size=16, max_size=16).filter(any)
span_ids = st.binary(min_size=8, max_size=8).filter(any)
events = st.builds(
    Span.Event, time_unix_nano=uint64, name=text, attributes=attributes, dropped_attributes_count=uint32
)
links = st.builds(
    Span.Link,
    trace_id=trace_ids,
    span_id=span_ids,
    trace_state=text,
    flags=uint32,
    attributes=attributes,
    dropped_attributes_count=uint32,
)
spans = st.builds(
    Span,
    trace_id=trace_ids,
    span_id=span_ids,
    parent_span_id=st.just(b"") | st.binary(min_size=8, max_size=8),
    trace_state=text,
    flags=uint32,
    name=text,
    kind=st.integers(-3, 9),
    start_time_unix_nano=uint64,
    end_time_unix_nano=uint64,
    attributes=attributes,
    dropped_attributes_count=st.just(0) | uint32,
    events=st.lists(events, max_size=2),
    dropped_events_count=st.just(0) | uint32,
    links=st.lists(links, max_size=2),
    dropped_links_count=st.just(0) | uint32,
    status=st.none() | st.builds(Status, message=text, code=st.integers(-1, 4)),
)
scopes = st.builds(
    ScopeSpans,
    scope=st.none()
    | st.builds(
        InstrumentationScope, name=text, version=text, attributes=attributes, dropped_attributes_count=uint32
    ),
    spans=st.lists(spans, max_size=3),
    schema_url=text,
)
resources = st.builds(
    ResourceSpans,
    resource=st.none() | st.builds(Resource, attributes=attributes, dropped_attributes_count=uint32),
    scope_spans=st.lists(scopes, max_size=2),
    schema_url=text,
)
requests = st.builds(ExportTraceServiceRequest, resource_spans=st.lists(resources, max_size=2))


def rows_of(request: ExportTraceServiceRequest) -> list[dict[str, Any]]:
    """Expected rows, JSON columns parsed."""
    return [
        row_of(resource, scope, span)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def row_of(resource: ResourceSpans, scope: ScopeSpans, span: Span) -> dict[str, Any]:
    latest = 2**63 - 2
    start, end = min(span.start_time_unix_nano, latest - 1), min(span.end_time_unix_nano, latest)
    attrs = object_of(span.attributes)
    resource_attrs = object_of(resource.resource.attributes)
    service = service_of(resource_attrs)
    if resource_attrs.get("service.name") != service:
        resource_attrs.pop("service.name", None)
    promoted = {}
    for key, kind in (("p.text", str), ("p.number", int), ("p.never", str)):
        promoted[f"a.{key}"] = attrs.pop(key) if type(attrs.get(key)) is kind else None
    return promoted | {
        "trace_id": span.trace_id.hex(),
        "span_id": int.from_bytes(span.span_id, "big", signed=True),
        "parent_id": int.from_bytes(span.parent_span_id, "big", signed=True),
        "ts": start,
        "dur": end - start if end >= start else 1,
        "service": service,
        "name": span.name or "empty-span-name",
        "kind": span.kind if 0 <= span.kind <= 5 else 0,
        "status_code": span.status.code if 0 <= span.status.code <= 2 else 0,
        "status_message": span.status.message,
        "trace_state": span.trace_state,
        "flags": int.from_bytes(span.flags.to_bytes(4, "big"), "big", signed=True),
        "scope": members(
            name=scope.scope.name,
            version=scope.scope.version,
            attributes=object_of(scope.scope.attributes),
            schema_url=scope.schema_url,
            resource_schema_url=resource.schema_url,
            dropped=scope.scope.dropped_attributes_count,
            resource_dropped=resource.resource.dropped_attributes_count,
        ),
        "resource": resource_attrs | {"service.name": service},
        "attrs": attrs,
        "events": [event_of(event) for event in span.events] or None,
        "links": [link_of(link) for link in span.links] or None,
        "dropped": members(
            attributes=span.dropped_attributes_count,
            events=span.dropped_events_count,
            links=span.dropped_links_count,
        )
        or None,
    }


def service_of(attrs: dict[str, Any]) -> str:
    if "service.name" not in attrs:
        return "missing-service-name"
    if not isinstance(attrs["service.name"], str):
        return "service-name-wrong-type"
    return attrs["service.name"] or "empty-service-name"


def members(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value}


def event_of(event: Span.Event) -> dict[str, Any]:
    return {"ts": event.time_unix_nano, "name": event.name} | members(
        attributes=object_of(event.attributes), dropped=event.dropped_attributes_count
    )


def link_of(link: Span.Link) -> dict[str, Any]:
    return {"trace_id": link.trace_id.hex(), "span_id": link.span_id.hex()} | members(
        trace_state=link.trace_state,
        flags=link.flags,
        attributes=object_of(link.attributes),
        dropped=link.dropped_attributes_count,
    )


def object_of(pairs: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for pair in pairs:
        attributes.pop(pair.key, None)  # the last of equal keys stands, and where it stands
        attributes[pair.key] = value_of(pair.value)
    return attributes


def value_of(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else VALUES.get(kind, lambda content: content)(getattr(value, kind))


def double_of(number: float) -> Any:
    if math.isnan(number):
        return {"$double": "NaN"}
    if math.isinf(number):
        return {"$double": "Infinity" if number > 0 else "-Infinity"}
    return number


def kvlist_of(kvlist: KeyValueList) -> Any:
    names = [pair.key for pair in kvlist.values]
    if len(set(names)) < len(names) or any(name.startswith("$") for name in names):
        return {"$kvlist": [[pair.key, value_of(pair.value)] for pair in kvlist.values]}
    return object_of(kvlist.values)


VALUES = {
    "double_value": double_of,
    "bytes_value": lambda content: {"$bytes": base64.b64encode(content).decode()},
    "array_value": lambda content: [value_of(item) for item in content.values],
    "kvlist_value": kvlist_of,
}
