"""Parts of an access log that are read one by one, once for each distinct value of a batch."""

import math
from base64 import b64encode
from typing import Any

import orjson
from google.protobuf.message import DecodeError, Message

from vigla.model.attributes import Json
from vigla.wire.access_logs.names import FLAGS
from vigla.wire.envoy.descriptors import message_class

_COMMON = "envoy.data.accesslog.v3.AccessLogCommon.FilterStateObjectsEntry"
_CERTIFICATE = "envoy.data.accesslog.v3.TLSProperties.CertificateProperties"
_READABLE = {  # what filters usually keep as filter state
    "google.protobuf.StringValue",
    "google.protobuf.BoolValue",
    "google.protobuf.UInt32Value",
    "google.protobuf.UInt64Value",
    "google.protobuf.Int64Value",
    "google.protobuf.DoubleValue",
}


def flags(raw: bytes) -> list[str]:
    """Short names of an encoded ``ResponseFlags``, in the order of its fields."""
    message = _parsed("envoy.data.accesslog.v3.ResponseFlags", raw)
    return [] if message is None else [FLAGS[f.name] for f, _ in message.ListFields() if f.name in FLAGS]


def principal(raw: bytes) -> str | None:
    """Who an encoded ``CertificateProperties`` names: first URI, else first DNS name, else subject."""
    message = _parsed(_CERTIFICATE, raw)
    if message is None:
        return None
    names = message.subject_alt_name
    uris = [name.uri for name in names if name.uri]
    return next(iter([*uris, *(name.dns for name in names if name.dns), message.subject]), None) or None


def metadata_text(raw: bytes) -> str | None:
    """An encoded ``Metadata`` as JSON: an object of each namespace, null when there is none."""
    if not raw:
        return None
    message = _parsed("envoy.config.core.v3.Metadata", raw)
    if message is None:
        return _text(_bytes(raw))
    found = {name: _struct(message.filter_metadata[name]) for name in sorted(message.filter_metadata)}
    for name in sorted(message.typed_filter_metadata):
        found.setdefault(name, _any(message.typed_filter_metadata[name]))
    return _text(found) if found else None


def filter_state_member(raw: bytes) -> str:
    """An encoded entry of filter state as a member of a JSON object."""
    message = _parsed(_COMMON, raw)
    if message is None:
        return f'"":{_text(_bytes(raw))}'
    return f"{_text(message.key)}:{_text(_any(message.value))}"


def _parsed(name: str, raw: bytes) -> Any:
    """The message, None when it does not parse: one odd part must not cost the whole record."""
    try:
        message: Message = message_class(name).FromString(raw)
    except DecodeError:
        return None
    return message


def _struct(struct: Any) -> Json:
    return {name: _value(struct.fields[name]) for name in sorted(struct.fields)}


def _value(value: Any) -> Json:
    """Recursion ends within 50 levels, as protobuf reads no message that is nested deeper than 100."""
    match value.WhichOneof("kind"):
        case "number_value":
            return _number(value.number_value)
        case "string_value":
            return str(value.string_value)
        case "bool_value":
            return bool(value.bool_value)
        case "struct_value":
            return _struct(value.struct_value)
        case "list_value":
            return [_value(item) for item in value.list_value.values]
    return None


def _number(value: float) -> Json:
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _any(message: Any) -> Json:
    name = message.type_url.rpartition("/")[2]
    if name in _READABLE:
        held: Any = _parsed(name, message.value)
        if held is not None:
            value: Json = held.value
            return _number(value) if isinstance(value, float) else value
    if name == "google.protobuf.Struct" and (held := _parsed(name, message.value)) is not None:
        return _struct(held)
    return {"@type": message.type_url, "value": _bytes(message.value)}


def _bytes(raw: bytes) -> str:
    return b64encode(raw).decode()


def _text(value: Json) -> str:
    return orjson.dumps(value).decode()
