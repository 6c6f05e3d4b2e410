"""Wire-compatible variants of OTLP's own descriptors, derived when the module is loaded.

A length-delimited field reads the same as message, string or ``bytes``. A variant that reads a field as
``bytes`` leaves it undecoded; one that lacks a field skips it. Source: the descriptors that
``opentelemetry-proto`` ships.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2
from ptars import HandlerPool

Signal = Literal["traces", "metrics", "logs"]

REQUESTS: dict[Signal, type[Message]] = {
    "traces": trace_service_pb2.ExportTraceServiceRequest,
    "metrics": metrics_service_pb2.ExportMetricsServiceRequest,
    "logs": logs_service_pb2.ExportLogsServiceRequest,
}
KEY_VALUE = common_pb2.KeyValue.DESCRIPTOR.full_name
TRACES_REQUEST = trace_service_pb2.ExportTraceServiceRequest.DESCRIPTOR.full_name
METRICS_REQUEST = metrics_service_pb2.ExportMetricsServiceRequest.DESCRIPTOR.full_name

_FILES = (
    common_pb2,
    resource_pb2,
    trace_pb2,
    trace_service_pb2,
    metrics_pb2,
    metrics_service_pb2,
    logs_pb2,
    logs_service_pb2,
)
_RECURSIVE = ("array_value", "kvlist_value")
_IDS = ("trace_id", "span_id", "parent_span_id")

Change = Literal["keep", "bytes", "drop"]
Rule = Callable[[str, FieldDescriptorProto], Change]
"""What becomes of a field, from the name of its message and the field."""


def columns(message: str, field: FieldDescriptorProto) -> Change:
    """Leave nested values as bytes, since Arrow has no recursive types; skip what has no column."""
    if message == "AnyValue" and field.name in _RECURSIVE:
        return "bytes"
    skipped = field.name == "entity_refs" or field.name.endswith("_strindex")  # indices only profiles use
    return "drop" if skipped else "keep"


def raw_attributes(message: str, field: FieldDescriptorProto) -> Change:
    """Leave KeyValues as bytes, too."""
    return "bytes" if field.name == "attributes" else columns(message, field)


def only_ids(message: str, field: FieldDescriptorProto) -> Change:
    """Read nothing of a span but its ids."""
    kept = {
        "ExportTraceServiceRequest": ("resource_spans",),
        "ResourceSpans": ("scope_spans",),
        "ScopeSpans": ("spans",),
        "Span": _IDS,
    }
    return "keep" if field.name in kept.get(message, ()) else "drop"


def strings_as_bytes(_message: str, field: FieldDescriptorProto) -> Change:
    """Read text without checking that it is UTF-8."""
    return "bytes" if field.type == FieldDescriptorProto.TYPE_STRING else "keep"


def handler(rule: Rule, message: str) -> Any:
    """A ptars handler that turns serialised messages of this full name into Arrow."""
    descriptor = _pool(rule).FindMessageTypeByName(message)
    return HandlerPool([descriptor.file]).get_for_message(descriptor)


def message_class(rule: Rule, message: str) -> type[Message]:
    """A message class for this full name."""
    return GetMessageClass(_pool(rule).FindMessageTypeByName(message))


def _pool(rule: Rule) -> DescriptorPool:
    pool = DescriptorPool()
    for module in _FILES:
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in _messages(file.message_type):
            _apply(rule, message)
        pool.Add(file)
    return pool


def _messages(messages: Any) -> Iterator[DescriptorProto]:
    for message in messages:
        yield message
        yield from _messages(message.nested_type)


def _apply(rule: Rule, message: DescriptorProto) -> None:
    for field in list(message.field):
        match rule(message.name, field):
            case "bytes":
                field.type = FieldDescriptorProto.TYPE_BYTES
                field.ClearField("type_name")
            case "drop":
                message.field.remove(field)
    _drop_empty_oneofs(message)


def _drop_empty_oneofs(message: DescriptorProto) -> None:
    """A oneof without members makes a descriptor invalid; the members of others are renumbered."""
    members = [field for field in message.field if field.HasField("oneof_index")]
    used = sorted({field.oneof_index for field in members})
    kept = [message.oneof_decl[index] for index in used]
    for field in members:
        field.oneof_index = used.index(field.oneof_index)
    del message.oneof_decl[:]
    message.oneof_decl.extend(kept)
