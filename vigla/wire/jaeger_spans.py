"""Single spans of Jaeger's ``api_v2`` model, as its collector writes them to Kafka, to OTLP.

Source: ``jaeger-idl/proto/api_v2/model.proto``. The protobuf form is converted to what Jaeger's UI shows,
which ``vigla.wire.jaeger_json`` reads; times, which that has in microseconds, are then set exactly.
"""

import base64
from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf import duration_pb2, json_format, timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from vigla.errors import BadInput
from vigla.wire.jaeger_json import from_jaeger_document

_PACKAGE = "jaeger.api_v2"
_MESSAGES = {
    "KeyValue": (
        "1 string key",
        "2 int32 v_type",
        "3 string v_str",
        "4 bool v_bool",
        "5 int64 v_int64",
        "6 double v_float64",
        "7 bytes v_binary",
    ),
    "Log": ("1 .google.protobuf.Timestamp timestamp", "2 repeated KeyValue fields"),
    "SpanRef": ("1 bytes trace_id", "2 bytes span_id", "3 int32 ref_type"),
    "Process": ("1 string service_name", "2 repeated KeyValue tags"),
    "Span": (
        "1 bytes trace_id",
        "2 bytes span_id",
        "3 string operation_name",
        "4 repeated SpanRef references",
        "5 uint32 flags",
        "6 .google.protobuf.Timestamp start_time",
        "7 .google.protobuf.Duration duration",
        "8 repeated KeyValue tags",
        "9 repeated Log logs",
        "10 Process process",
        "11 string process_id",
        "12 repeated string warnings",
    ),
}
_ENUMS = {
    "v_type": ("STRING", "BOOL", "INT64", "FLOAT64", "BINARY"),
    "ref_type": ("CHILD_OF", "FOLLOWS_FROM"),
}
_VALUES: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("string", lambda tag: tag.v_str),
    ("bool", lambda tag: tag.v_bool),
    ("int64", lambda tag: tag.v_int64),
    ("float64", lambda tag: tag.v_float64),
    ("binary", lambda tag: base64.b64encode(tag.v_binary).decode()),
)
"""What Jaeger's UI calls a tag's type, and its value, by ``v_type``."""
_TRACE_ID, _SPAN_ID = 16, 8
NS_PER_US = 1000


def from_jaeger_proto(value: bytes) -> bytes:
    """A serialised ``jaeger.api_v2.Span`` to a serialised OTLP export request.

    Raises:
        BadInput: it does not parse, or has no ids.
    """
    try:
        return _converted(_span_class().FromString(value))
    except DecodeError as error:
        raise BadInput(f"not a jaeger.api_v2.Span: {error}") from error


def from_jaeger_json_span(value: bytes) -> bytes:
    """The same in protobuf's JSON form: ids in base64, times in RFC 3339, durations as ``0.5s``.

    Raises:
        BadInput: it is not this.
    """
    span = _span_class()()
    try:
        json_format.Parse(value, span, ignore_unknown_fields=True)
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise BadInput(f"not a jaeger.api_v2.Span: {error}") from error
    return _converted(span)


@cache
def _span_class() -> type[Message]:
    pool = DescriptorPool()
    file = FileDescriptorProto(name="jaeger.proto", package=_PACKAGE, syntax="proto3")
    for needed in (timestamp_pb2, duration_pb2):
        copy = FileDescriptorProto()
        needed.DESCRIPTOR.CopyToProto(copy)
        pool.Add(copy)
        file.dependency.append(copy.name)
    for enum, names in _ENUMS.items():
        added = file.enum_type.add(name=_enum(enum))
        for number, name in enumerate(names):
            added.value.add(name=name, number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for text in fields:
            _add_field(message, text)
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Span"))


def _add_field(message: Any, text: str) -> None:
    number, *rule, kind, name = text.split()
    field = message.field.add(name=name, number=int(number))
    field.label = FieldDescriptorProto.LABEL_REPEATED if rule else FieldDescriptorProto.LABEL_OPTIONAL
    if name in _ENUMS:
        field.type, field.type_name = FieldDescriptorProto.TYPE_ENUM, f".{_PACKAGE}.{_enum(name)}"
    elif kind[0].islower():
        field.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
    else:
        field.type = FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = kind if kind[0] == "." else f".{_PACKAGE}.{kind}"


def _enum(field: str) -> str:
    return "".join(part.capitalize() for part in field.split("_"))


def _converted(span: Any) -> bytes:
    if len(span.trace_id) != _TRACE_ID or len(span.span_id) != _SPAN_ID:
        raise BadInput("trace_id is not 16 bytes or span_id not 8")
    start = span.start_time.ToNanoseconds()
    length = span.duration.ToNanoseconds()
    if start < 0 or length < 0:
        raise BadInput("start_time or duration is negative")
    shown = {
        "traceID": span.trace_id.hex(),
        "spanID": span.span_id.hex(),
        "operationName": span.operation_name,
        "flags": span.flags,
        "startTime": start // NS_PER_US,
        "duration": length // NS_PER_US,
        "references": [_reference(each) for each in span.references],
        "tags": [_tag(tag) for tag in span.tags],
        "logs": [
            {
                "timestamp": max(0, each.timestamp.ToNanoseconds()) // NS_PER_US,
                "fields": [_tag(tag) for tag in each.fields],
            }
            for each in span.logs
        ],
        "process": {
            "serviceName": span.process.service_name,
            "tags": [_tag(tag) for tag in span.process.tags],
        },
        "warnings": list(span.warnings),
    }
    request = ExportTraceServiceRequest.FromString(
        from_jaeger_document([{"spans": [shown], "processes": {}}])
    )
    exact = request.resource_spans[0].scope_spans[0].spans[0]
    exact.start_time_unix_nano, exact.end_time_unix_nano = start, start + length
    for event, each in zip(exact.events, span.logs, strict=True):
        event.time_unix_nano = max(0, each.timestamp.ToNanoseconds())
    return request.SerializeToString()


def _reference(reference: Any) -> dict[str, Any]:
    return {
        "refType": _ENUMS["ref_type"][reference.ref_type],
        "traceID": reference.trace_id.hex(),
        "spanID": reference.span_id.hex(),
    }


def _tag(tag: Any) -> dict[str, Any]:
    if not 0 <= tag.v_type < len(_VALUES):
        raise BadInput(f"tag {tag.key}: type {tag.v_type} is not known")
    kind, value = _VALUES[tag.v_type]
    return {"key": tag.key, "type": kind, "value": value(tag)}
