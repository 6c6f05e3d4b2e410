"""Zipkin's JSON, version 2, to OTLP.

Sources: ``zipkin2-api.yaml`` for the fields; OpenTelemetry's "Zipkin" transformation page, read backwards,
for what they become.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

from vigla.errors import BadInput

NS_PER_US = 1000
MAX_US = (2**63 - 1) // NS_PER_US // 2  # a start and a duration add up to what a timestamp holds
TRACE_DIGITS, SPAN_DIGITS = 32, 16

_KINDS = {
    "CLIENT": Span.SPAN_KIND_CLIENT,
    "SERVER": Span.SPAN_KIND_SERVER,
    "PRODUCER": Span.SPAN_KIND_PRODUCER,
    "CONSUMER": Span.SPAN_KIND_CONSUMER,
}
_CODES = {"OK": Status.STATUS_CODE_OK, "ERROR": Status.STATUS_CODE_ERROR}
_TYPES = {str: "a string", int: "a whole number", dict: "an object", list: "a list"}

Object = Mapping[str, Any]


def from_zipkin_json(body: bytes) -> bytes:
    """A list of spans, or one span, to a serialised OTLP export request.

    Raises:
        BadInput: it is not this; the message holds the path to what is wrong.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"no JSON: {error}") from error
    spans = document if isinstance(document, list) else [document]
    request = ExportTraceServiceRequest()
    by_service: dict[str, ScopeSpans] = {}
    for number, span in enumerate(spans):
        path = f"[{number}]"
        if not isinstance(span, dict):
            raise BadInput(f"{path}: expected an object")
        service = _field(
            str, f"{path}.localEndpoint", _endpoint(path, span, "localEndpoint"), "serviceName", ""
        )
        if service not in by_service:
            resource = request.resource_spans.add()
            if service:
                resource.resource.attributes.append(_text("service.name", service))
            by_service[service] = resource.scope_spans.add()
        by_service[service].spans.append(_span(path, span))
    return request.SerializeToString()


def _span(path: str, span: Object) -> Span:
    start = _micros(path, span, "timestamp")
    tags = dict(_field(dict, path, span, "tags", {}))
    converted = Span(
        trace_id=_id(path, span, "traceId", TRACE_DIGITS),
        span_id=_id(path, span, "id", SPAN_DIGITS),
        parent_span_id=_id(path, span, "parentId", SPAN_DIGITS) if span.get("parentId") else b"",
        name=_field(str, path, span, "name", ""),
        kind=_KINDS.get(_field(str, path, span, "kind", ""), Span.SPAN_KIND_INTERNAL),
        start_time_unix_nano=start,
        end_time_unix_nano=start + _micros(path, span, "duration"),
        status=_status(tags),
    )
    for number, annotation in enumerate(_field(list, path, span, "annotations", [])):
        here = f"{path}.annotations[{number}]"
        if not isinstance(annotation, dict):
            raise BadInput(f"{here}: expected an object")
        name = _field(str, here, annotation, "value", "")
        converted.events.add(time_unix_nano=_micros(here, annotation, "timestamp"), name=name)
    converted.attributes.extend(_text(key, str(value)) for key, value in tags.items())
    converted.attributes.extend(_peer(path, _endpoint(path, span, "remoteEndpoint"), tags))
    return converted


def _status(tags: dict[str, Any]) -> Status | None:
    code = _CODES.get(tags.pop("otel.status_code", ""))
    error = tags.pop("error", None)
    if error is None or (error == "false" and code is None):
        return None if code is None else Status(code=code)
    message = "" if error == "true" else str(error)
    return Status(code=code or Status.STATUS_CODE_ERROR, message=message)


def _peer(path: str, endpoint: Object, tags: Mapping[str, Any]) -> list[KeyValue]:
    address = endpoint.get("ipv4") or endpoint.get("ipv6")
    found = [("peer.service", endpoint.get("serviceName")), ("network.peer.address", address)]
    attributes = [_text(key, str(value)) for key, value in found if value and key not in tags]
    port = _field(int, f"{path}.remoteEndpoint", endpoint, "port", 0)
    if port and "network.peer.port" not in tags:
        attributes.append(KeyValue(key="network.peer.port", value=AnyValue(int_value=port)))
    return attributes


def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _endpoint(path: str, span: Object, name: str) -> Object:
    endpoint: Object = _field(dict, path, span, name, {})
    return endpoint


def _micros(path: str, of: Object, name: str) -> int:
    """A time or duration as nanoseconds; some clients write fractions."""
    value = of.get(name) or 0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_US:
        raise BadInput(f"{path}.{name}: {value!r} is no number of microseconds")
    return int(value * NS_PER_US)


def _id(path: str, of: Object, name: str, digits: int) -> bytes:
    text = _field(str, path, of, name, "")
    if not re.fullmatch(r"[0-9a-fA-F]+", text) or len(text) > digits:
        raise BadInput(f"{path}.{name}: {text!r} is no id of up to {digits} hex digits")
    return bytes.fromhex(text.zfill(digits))


def _field(kind: type[Any], path: str, of: Object, name: str, default: Any) -> Any:
    value = of.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadInput(f"{path}.{name}: expected {_TYPES[kind]}")
    return value
