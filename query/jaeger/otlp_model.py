"""Traces as OTLP/JSON ``TracesData``: hex ids, enums as numbers, 64-bit integers as text.

Source: OTLP specification, "JSON Protobuf Encoding"; fields with default values are left out.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from query.traces.model import Event, Link, Span, Trace
from vigla.model.attributes import to_key_values

WARNINGS = "@jaeger@warnings"


def traces_data(traces: Iterable[Trace]) -> dict[str, Any]:
    """All traces in one document, spans grouped by resource and scope as they first appear."""
    resources: dict[bytes, dict[str, Any]] = {}
    scopes: dict[tuple[bytes, bytes], list[dict[str, Any]]] = {}
    for trace in traces:
        for span in trace.spans:
            scope_key = orjson.dumps(span.scope)
            resource_key = orjson.dumps([dict(span.resource), _resource_part(span.scope)])
            group = scopes.get((resource_key, scope_key))
            if group is None:
                resource = resources.setdefault(resource_key, _resource(span))
                group = scopes[(resource_key, scope_key)] = []
                resource["scopeSpans"].append({**_scope(span.scope), "spans": group})
            group.append(_span(span))
    return {"resourceSpans": list(resources.values())}


def _resource_part(scope: Mapping[str, Any]) -> list[Any]:
    return [scope.get("resource_schema_url", ""), scope.get("resource_dropped", 0)]


def _resource(span: Span) -> dict[str, Any]:
    resource = _present(
        attributes=to_key_values(span.resource),
        droppedAttributesCount=span.scope.get("resource_dropped", 0),
    )
    return {
        "resource": resource,
        "scopeSpans": [],
        **_present(schemaUrl=span.scope.get("resource_schema_url", "")),
    }


def _scope(scope: Mapping[str, Any]) -> dict[str, Any]:
    described = _present(
        name=scope.get("name", ""),
        version=scope.get("version", ""),
        attributes=to_key_values(scope.get("attributes", {})),
        droppedAttributesCount=scope.get("dropped", 0),
    )
    return {"scope": described, **_present(schemaUrl=scope.get("schema_url", ""))}


def _span(span: Span) -> dict[str, Any]:
    attributes = to_key_values(span.attributes)
    if span.warnings:
        values = [{"stringValue": warning} for warning in span.warnings]
        attributes.append({"key": WARNINGS, "value": {"arrayValue": {"values": values}}})
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        **_present(
            traceState=span.trace_state,
            parentSpanId=span.parent_id,
            flags=span.flags,
            name=span.name,
            kind=span.kind,
            startTimeUnixNano=str(span.ts) if span.ts else "",
            endTimeUnixNano=str(span.ts + span.dur) if span.ts + span.dur else "",
            attributes=attributes,
            droppedAttributesCount=span.dropped.get("attributes", 0),
            events=[_event(event) for event in span.events],
            droppedEventsCount=span.dropped.get("events", 0),
            links=[_link(link) for link in span.links],
            droppedLinksCount=span.dropped.get("links", 0),
        ),
        "status": _present(message=span.status_message, code=span.status_code),
    }


def _event(event: Event) -> dict[str, Any]:
    return _present(
        timeUnixNano=str(event.ts) if event.ts else "",
        name=event.name,
        attributes=to_key_values(event.attributes),
        droppedAttributesCount=event.dropped,
    )


def _link(link: Link) -> dict[str, Any]:
    return _present(
        traceId=link.trace_id,
        spanId=link.span_id,
        traceState=link.trace_state,
        attributes=to_key_values(link.attributes),
        droppedAttributesCount=link.dropped,
        flags=link.flags,
    )


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
