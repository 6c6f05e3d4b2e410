"""Jaeger's trace JSON (what its UI downloads and ``/api/traces`` answers) to an OTLP export request.

The inverse of how OTLP becomes that JSON. Sources: Jaeger ``internal/uimodel/model.go``; the tag names are
those of the OpenTelemetry specification, "OpenTelemetry to Jaeger Transformation".
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

from vigla.errors import BadInput

NO_SERVICE = "OTLPResourceNoServiceName"  # what Jaeger writes for a resource without service.name
NANOSECONDS = 1000
INT64_MAX = 2**63 - 1
UINT64_MAX = 2**64 - 1

Object = Mapping[str, Any]
Tags = dict[str, KeyValue]

_KINDS = {
    "internal": Span.SPAN_KIND_INTERNAL,
    "server": Span.SPAN_KIND_SERVER,
    "client": Span.SPAN_KIND_CLIENT,
    "producer": Span.SPAN_KIND_PRODUCER,
    "consumer": Span.SPAN_KIND_CONSUMER,
}
_STATUS_CODES = {
    "OK": Status.STATUS_CODE_OK,
    "ERROR": Status.STATUS_CODE_ERROR,
    "UNSET": Status.STATUS_CODE_UNSET,
}


def from_jaeger_json(body: bytes) -> bytes:
    """Turn Jaeger's JSON into a serialised OTLP export request.

    Args:
        body: ``{"data":[trace,..]}``, one trace, or a list of traces. Times are microseconds; short ids
            are padded; tags that stand for OTLP fields (``span.kind``, ``otel.status_code``, ``error``,
            ``otel.scope.*``, ``w3c.tracestate``) become those fields.

    Raises:
        BadInput: not such a document; the message holds the path to what is wrong.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"no JSON: {error}") from error
    request = ExportTraceServiceRequest()
    for path, trace in _traces(document):
        _Trace(request, path, trace).convert()
    return request.SerializeToString()


def from_jaeger_trace(trace: Object) -> bytes:
    """As ``from_jaeger_json``, for one trace that is parsed already."""
    request = ExportTraceServiceRequest()
    _Trace(request, "batch", trace).convert()
    return request.SerializeToString()


def is_jaeger_json(document: object) -> bool:
    """Whether parsed JSON looks like Jaeger's rather than OTLP's."""
    if isinstance(document, list):
        return bool(document) and is_jaeger_json(document[0])
    return isinstance(document, dict) and ("data" in document or "spans" in document)


def _traces(document: Any) -> Iterator[tuple[str, Object]]:
    path = ""
    if isinstance(document, dict) and "data" in document:
        path, document = "data", document["data"]
    if isinstance(document, dict):
        yield "trace", document
        return
    for number, trace in enumerate(_typed(list, path or "document", document)):
        yield f"{path}[{number}]", _typed(dict, f"{path}[{number}]", trace)


class _Trace:
    """Adds the spans of one trace to a request, grouped by process and scope in their order."""

    def __init__(self, request: ExportTraceServiceRequest, path: str, trace: Object) -> None:
        self._request = request
        self._path = path
        self._spans = _member(list, path, trace, "spans")
        self._processes = _member(dict, path, trace, "processes", {})
        self._groups: dict[tuple[bytes, bytes], ScopeSpans] = {}

    def convert(self) -> None:
        for number, span in enumerate(self._spans):
            path = f"{self._path}.spans[{number}]"
            _typed(dict, path, span)
            tags = _tags(f"{path}.tags", span.get("tags"))
            resource = self._resource(path, span)
            self._group(resource, _scope(tags)).spans.append(_span(path, span, tags))

    def _resource(self, path: str, span: Object) -> Resource:
        if "process" in span:
            return _resource(f"{path}.process", _member(dict, path, span, "process"))
        identity = _member(str, path, span, "processID")
        if identity not in self._processes:
            raise BadInput(f'{path}.processID: the trace has no process "{identity}"')
        path = f"{self._path}.processes.{identity}"
        return _resource(path, _typed(dict, path, self._processes[identity]))

    def _group(self, resource: Resource, scope: InstrumentationScope) -> ScopeSpans:
        key = (resource.SerializeToString(), scope.SerializeToString())
        if key not in self._groups:
            added = self._request.resource_spans.add(resource=resource)
            self._groups[key] = added.scope_spans.add(scope=scope)
        return self._groups[key]


def _resource(path: str, process: Object) -> Resource:
    service = _member(str, path, process, "serviceName", "")
    attributes = list(_tags(f"{path}.tags", process.get("tags")).values())
    if service and service != NO_SERVICE:
        attributes.insert(0, KeyValue(key="service.name", value=AnyValue(string_value=service)))
    return Resource(attributes=attributes)


def _scope(tags: Tags) -> InstrumentationScope:
    scope = InstrumentationScope()
    for prefix in ("otel.scope", "otel.library"):
        scope.name = _take_text(tags, f"{prefix}.name") or scope.name
        scope.version = _take_text(tags, f"{prefix}.version") or scope.version
    return scope


def _span(path: str, span: Object, tags: Tags) -> Span:
    start = _micros(path, span, "startTime")
    duration = _micros(path, span, "duration", 0)
    if start + duration > UINT64_MAX:
        raise BadInput(f"{path}.duration: the end is out of range")
    trace_id = _hex(path, span, "traceID", 32)
    converted = Span(
        trace_id=trace_id,
        span_id=_hex(path, span, "spanID", 16),
        name=_member(str, path, span, "operationName", ""),
        kind=_kind(tags),
        start_time_unix_nano=start,
        end_time_unix_nano=start + duration,
        trace_state=_take_text(tags, "w3c.tracestate") or "",
        flags=_flags(path, span),
        status=_status(tags),
    )
    _add_references(converted, path, span)
    for number, log in enumerate(_member(list, path, span, "logs", [])):
        log_path = f"{path}.logs[{number}]"
        converted.events.append(_event(log_path, _typed(dict, log_path, log)))
    converted.attributes.extend(tags.values())
    return converted


def _kind(tags: Tags) -> Span.SpanKind.ValueType:
    kind = tags.get("span.kind")
    if kind is None or kind.value.string_value not in _KINDS:
        return Span.SPAN_KIND_UNSPECIFIED
    return _KINDS[tags.pop("span.kind").value.string_value]


def _status(tags: Tags) -> Status | None:
    code = _STATUS_CODES.get(_take_text(tags, "otel.status_code") or "")
    message = _take_text(tags, "otel.status_description") or ""
    if "error" in tags and tags["error"].value.bool_value:
        del tags["error"]
        code = Status.STATUS_CODE_ERROR if code is None else code
    if code is None and not message:
        return None
    return Status(code=code or Status.STATUS_CODE_UNSET, message=message)


def _flags(path: str, span: Object) -> int:
    flags: int = _member(int, path, span, "flags", 0)
    if not 0 <= flags < 2**32:
        raise BadInput(f"{path}.flags: {flags} is out of range")
    return flags


def _add_references(converted: Span, path: str, span: Object) -> None:
    """The first CHILD_OF within the trace is the parent, every other reference a link."""
    if span.get("parentSpanID"):
        converted.parent_span_id = _hex(path, span, "parentSpanID", 16)
    for number, reference in enumerate(_member(list, path, span, "references", [])):
        here = f"{path}.references[{number}]"
        _typed(dict, here, reference)
        kind = _member(str, here, reference, "refType", "CHILD_OF")
        trace_id, span_id = _hex(here, reference, "traceID", 32), _hex(here, reference, "spanID", 16)
        is_child = kind == "CHILD_OF"
        if is_child and trace_id == converted.trace_id and converted.parent_span_id in (b"", span_id):
            converted.parent_span_id = span_id
            continue
        link = converted.links.add(trace_id=trace_id, span_id=span_id)
        if is_child:
            # Without it the link would come back as FOLLOWS_FROM.
            link.attributes.add(key="opentracing.ref_type", value=AnyValue(string_value="child_of"))


def _event(path: str, log: Object) -> Span.Event:
    fields = _tags(f"{path}.fields", log.get("fields"))
    name = _take_text(fields, "event")
    if name is None:
        name = _take_text(fields, "message")
    return Span.Event(
        time_unix_nano=_micros(path, log, "timestamp"), name=name or "", attributes=fields.values()
    )


def _tags(path: str, tags: Any) -> Tags:
    """By key; of a key that stands twice the last value counts, as in OTLP keys are unique."""
    found: Tags = {}
    for number, tag in enumerate(_typed(list, path, [] if tags is None else tags)):
        here = f"{path}[{number}]"
        _typed(dict, here, tag)
        key = _member(str, here, tag, "key")
        found[key] = KeyValue(key=key, value=_value(here, tag))
    return found


def _value(path: str, tag: Object) -> AnyValue:
    value = tag.get("value")
    kind = _member(str, path, tag, "type", "") or _type_of(value)
    if kind not in _VALUES:
        raise BadInput(f"{path}.type: {kind!r} is none of {', '.join(_VALUES)}")
    try:
        return _VALUES[kind](value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInput(f"{path}.value: {value!r} is no {kind}") from error


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "int64" if isinstance(value, int) else "float64" if isinstance(value, float) else "string"


def _string(value: Any) -> AnyValue:
    if isinstance(value, dict | list):
        return AnyValue(string_value=orjson.dumps(value).decode())
    return AnyValue(string_value="" if value is None else str(value))


def _bool(value: Any) -> AnyValue:
    if value not in (True, False, "true", "false"):
        raise ValueError(value)
    return AnyValue(bool_value=value in (True, "true"))


def _int64(value: Any) -> AnyValue:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    return AnyValue(int_value=int(value))


def _float64(value: Any) -> AnyValue:
    return AnyValue(double_value=float(value))


def _binary(value: Any) -> AnyValue:
    try:
        return AnyValue(bytes_value=base64.b64decode(value, validate=True))
    except binascii.Error as error:
        raise ValueError(value) from error


_VALUES: dict[str, Callable[[Any], AnyValue]] = {
    "string": _string,
    "bool": _bool,
    "int64": _int64,
    "float64": _float64,
    "binary": _binary,
}


def _take_text(tags: Tags, key: str) -> str | None:
    """Remove a tag that stands for a field; a value of another type stays a tag."""
    if key not in tags or not tags[key].value.HasField("string_value"):
        return None
    return tags.pop(key).value.string_value


def _micros(path: str, of: Object, name: str, default: int | None = None) -> int:
    """A time or duration as nanoseconds."""
    micros = _member(int, path, of, name, default)
    if not 0 <= micros <= INT64_MAX // NANOSECONDS:
        raise BadInput(f"{path}.{name}: {micros} is out of range")
    return int(micros) * NANOSECONDS


def _hex(path: str, of: Object, name: str, digits: int) -> bytes:
    text = _member(str, path, of, name)
    if not re.fullmatch(r"[0-9a-fA-F]+", text) or len(text) > digits:
        raise BadInput(f"{path}.{name}: {text!r} is no id of up to {digits} hex digits")
    return bytes.fromhex(text.zfill(digits))


def _member(kind: type[Any], path: str, of: Object, name: str, default: Any = None) -> Any:
    value = of.get(name)
    if value is None:
        value = default
    if value is None:
        raise BadInput(f"{path}.{name}: missing")
    return _typed(kind, f"{path}.{name}", value)


def _typed(kind: type[Any], path: str, value: Any) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BadInput(f"{path}: expected {_NAMES[kind]}")
    return value


_NAMES = {dict: "an object", list: "a list", str: "a string", int: "a whole number"}
