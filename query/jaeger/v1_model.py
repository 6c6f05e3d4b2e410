"""Traces as Jaeger's v1 JSON (``internal/uimodel``), mapped as the collector's Jaeger translator does."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import orjson

from query.traces.model import ERROR, SERVICE_NAME, Attributes, Event, Span, Trace
from query.traces.search import KINDS

Tag: TypeAlias = dict[str, Any]

SAFE_INTEGER = 2**53 - 1  # larger ones would lose digits in JavaScript, so they are text
REF_TYPE = "opentracing.ref_type"
STATUS_TAGS = {1: "OK", ERROR: "ERROR"}


def trace_json(trace: Trace) -> dict[str, Any]:
    """One element of ``data``; processes are numbered as they first appear."""
    processes: dict[str, tuple[str, dict[str, Any]]] = {}
    known: dict[int, str] = {}  # by identity of the resource: most spans share theirs
    spans = [_span(span, _process_id(span, processes, known)) for span in trace.spans]
    return {
        "traceID": short_id(trace.trace_id),
        "spans": spans,
        "processes": dict(processes.values()),
        "warnings": list(trace.warnings) or None,
    }


def short_id(trace_id: str) -> str:
    """Sixteen digits when the high 64 bits are zero."""
    return trace_id[16:] if trace_id.startswith("0" * 16) else trace_id


def tag(key: str, value: Any) -> Tag:  # noqa: PLR0911 (one return a type)
    """One attribute with Jaeger's type name."""
    match value:
        case bool():
            return {"key": key, "type": "bool", "value": value}
        case int():
            shown = value if -SAFE_INTEGER <= value <= SAFE_INTEGER else str(value)
            return {"key": key, "type": "int64", "value": shown}
        case float():
            return {"key": key, "type": "float64", "value": value}
        case str():
            return {"key": key, "type": "string", "value": value}
        case {"$bytes": encoded}:
            return {"key": key, "type": "binary", "value": encoded}
        case {"$double": name}:
            return {"key": key, "type": "float64", "value": name}
        case None:
            return {"key": key, "type": "string", "value": ""}
    return {"key": key, "type": "string", "value": orjson.dumps(_plain(value)).decode()}


def tags(attributes: Attributes) -> list[Tag]:
    """Attributes in their order."""
    return [tag(key, value) for key, value in attributes.items()]


def _plain(value: Any) -> Any:
    """A nested value as plain JSON, without the markers of our columns."""
    match value:
        case {"$bytes": plain} | {"$double": plain}:
            return plain
        case {"$kvlist": pairs}:
            return {key: _plain(item) for key, item in pairs}
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
    return value


def _process_id(span: Span, processes: dict[str, tuple[str, dict[str, Any]]], known: dict[int, str]) -> str:
    found = known.get(id(span.resource))
    if found is None:
        rest = {key: value for key, value in span.resource.items() if key != SERVICE_NAME}
        process = {"serviceName": span.service, "tags": tags(rest)}
        identity = orjson.dumps(process).decode()
        found, _ = processes.setdefault(identity, (f"p{len(processes) + 1}", process))
        known[id(span.resource)] = found
    return found


def _span(span: Span, process_id: str) -> dict[str, Any]:
    rendered = {
        "traceID": short_id(span.trace_id),
        "spanID": span.span_id,
        "operationName": span.name,
        "references": list(_references(span)),
        "startTime": span.ts // 1000,
        "duration": span.dur // 1000,
        "tags": list(_span_tags(span)),
        "logs": [_log(event) for event in span.events],
        "processID": process_id,
        "warnings": list(span.warnings) or None,
    }
    if span.flags & 0xFF:  # the W3C flags; OTLP keeps its own marks in the bits above
        rendered["flags"] = span.flags & 0xFF
    return rendered


def _references(span: Span) -> Iterator[Mapping[str, str]]:
    if span.parent_id:
        yield {"refType": "CHILD_OF", "traceID": short_id(span.trace_id), "spanID": span.parent_id}
    for link in span.links:
        ref_type = "CHILD_OF" if link.attributes.get(REF_TYPE) == "child_of" else "FOLLOWS_FROM"
        yield {"refType": ref_type, "traceID": short_id(link.trace_id), "spanID": link.span_id}


def _span_tags(span: Span) -> Iterator[Tag]:
    if span.scope.get("name"):
        yield tag("otel.scope.name", span.scope["name"])
    if span.scope.get("version"):
        yield tag("otel.scope.version", span.scope["version"])
    yield from tags(span.attributes)
    if span.kind:
        yield tag("span.kind", KINDS[span.kind])
    if span.status_code in STATUS_TAGS:
        yield tag("otel.status_code", STATUS_TAGS[span.status_code])
    if span.status_code == ERROR:
        yield tag("error", True)
    if span.status_message:
        yield tag("otel.status_description", span.status_message)
    if span.trace_state:
        yield tag("w3c.tracestate", span.trace_state)


def _log(event: Event) -> dict[str, Any]:
    named = [tag("event", event.name)] if event.name and "event" not in event.attributes else []
    return {"timestamp": event.ts // 1000, "fields": [*named, *tags(event.attributes)]}
