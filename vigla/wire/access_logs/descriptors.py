"""What is read of Envoy's access log messages: wire-compatible variants of Envoy's own descriptors.

Only the fields below are read. Those marked ``bytes`` stay undecoded: few values of them differ, or they
are recursive, which Arrow has no type for. Maps are read as lists of entries.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from google.protobuf import duration_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from ptars import HandlerPool

from vigla.model.access_logs import TIMES
from vigla.wire.envoy.descriptors import pool

MESSAGE = "envoy.service.accesslog.v3.StreamAccessLogsMessage"

_BYTES = frozenset(
    {
        "local_certificate_properties",
        "peer_certificate_properties",
        "response_flags",
        "metadata",
        "filter_state_objects",
    }
)
_ENTRY = ("key", "value")
_READ: dict[str, tuple[str, ...]] = {
    "StreamAccessLogsMessage": ("identifier", "http_logs", "tcp_logs"),
    "Identifier": ("node", "log_name"),
    "HTTPAccessLogEntries": ("log_entry",),
    "TCPAccessLogEntries": ("log_entry",),
    "Node": ("id",),
    "HTTPAccessLogEntry": ("common_properties", "protocol_version", "request", "response"),
    "TCPAccessLogEntry": ("common_properties", "connection_properties"),
    "ConnectionProperties": ("received_bytes", "sent_bytes"),
    "AccessLogCommon": (
        "downstream_remote_address",
        "downstream_local_address",
        "tls_properties",
        "start_time",
        *TIMES,
        "upstream_remote_address",
        "upstream_local_address",
        "upstream_cluster",
        "response_flags",
        "metadata",
        "upstream_transport_failure_reason",
        "route_name",
        "downstream_direct_remote_address",
        "filter_state_objects",
        "custom_tags",
        "duration",
        "upstream_request_attempt_count",
        "connection_termination_details",
        "stream_id",
        "downstream_transport_failure_reason",
        "downstream_wire_bytes_sent",
        "downstream_wire_bytes_received",
        "upstream_wire_bytes_sent",
        "upstream_wire_bytes_received",
        "access_log_type",
    ),
    "TLSProperties": (
        "tls_version",
        "tls_cipher_suite",
        "tls_sni_hostname",
        "local_certificate_properties",
        "peer_certificate_properties",
    ),
    "HTTPRequestProperties": (
        "request_method",
        "scheme",
        "authority",
        "path",
        "user_agent",
        "referer",
        "forwarded_for",
        "request_id",
        "original_path",
        "request_headers_bytes",
        "request_body_bytes",
        "request_headers",
    ),
    "HTTPResponseProperties": (
        "response_code",
        "response_headers_bytes",
        "response_body_bytes",
        "response_headers",
        "response_trailers",
        "response_code_details",
    ),
    "CustomTagsEntry": _ENTRY,
    "RequestHeadersEntry": _ENTRY,
    "ResponseHeadersEntry": _ENTRY,
    "ResponseTrailersEntry": _ENTRY,
    "Address": ("socket_address", "pipe", "envoy_internal_address"),
    "SocketAddress": ("address", "port_value"),
    "Pipe": ("path",),
    "EnvoyInternalAddress": ("server_listener_name", "endpoint_id"),
}

_FILES = (
    "envoy/config/core/v3/address.proto",
    "envoy/config/core/v3/base.proto",
    "envoy/data/accesslog/v3/accesslog.proto",
    "envoy/service/accesslog/v3/als.proto",
)
_WELL_KNOWN = (duration_pb2, timestamp_pb2, wrappers_pb2)


def handler() -> Any:
    """A ptars handler that turns serialised ``StreamAccessLogsMessage`` into Arrow."""
    descriptor = _variant(lenient=False).FindMessageTypeByName(MESSAGE)
    return HandlerPool([descriptor.file]).get_for_message(descriptor)


@cache
def message_class(*, lenient: bool = False) -> type[Message]:
    """The message with the fields that are read.

    Args:
        lenient: read text as bytes, without checking that it is UTF-8.
    """
    return GetMessageClass(_variant(lenient=lenient).FindMessageTypeByName(MESSAGE))


def _variant(*, lenient: bool) -> DescriptorPool:
    made = DescriptorPool()
    for module in _WELL_KNOWN:
        made.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    known = {*_FILES, *(module.DESCRIPTOR.name for module in _WELL_KNOWN)}
    for name in _FILES:
        file = FileDescriptorProto()
        pool().FindFileByName(name).CopyToProto(file)
        made.Add(_trimmed(file, known, lenient=lenient))
    return made


def _trimmed(file: FileDescriptorProto, known: set[str], *, lenient: bool) -> FileDescriptorProto:
    return FileDescriptorProto(
        name=file.name,
        package=file.package,
        syntax=file.syntax,
        dependency=[name for name in file.dependency if name in known],
        message_type=_trimmed_messages(file.message_type, lenient=lenient),
    )


def _trimmed_messages(messages: Iterable[DescriptorProto], *, lenient: bool) -> list[DescriptorProto]:
    """Without what is not read. A oneof's members become plain fields, a map a list of its entries."""
    return [
        DescriptorProto(
            name=message.name,
            field=[_changed(f, lenient=lenient) for f in message.field if f.name in _READ[message.name]],
            nested_type=_trimmed_messages(message.nested_type, lenient=lenient),
        )
        for message in messages
        if message.name in _READ
    ]


def _changed(field: FieldDescriptorProto, *, lenient: bool) -> FieldDescriptorProto:
    """An enum is read as its number, so that numbers of later versions stay."""
    made = FieldDescriptorProto(
        name=field.name, number=field.number, label=field.label, type=field.type, type_name=field.type_name
    )
    if field.name in _BYTES or (lenient and field.type == FieldDescriptorProto.TYPE_STRING):
        made.type = FieldDescriptorProto.TYPE_BYTES
    elif field.type == FieldDescriptorProto.TYPE_ENUM:
        made.type = FieldDescriptorProto.TYPE_INT32
    if made.type != FieldDescriptorProto.TYPE_MESSAGE:
        made.ClearField("type_name")
    return made
